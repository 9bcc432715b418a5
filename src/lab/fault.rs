//! A refusal as AWS words it: code, HTTP status, message.

/// What a service answers instead of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub code: &'static str,
    pub status: u16,
    pub message: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Fault { code, status, message: message.into() }
    }

    /// `InvalidIdentityToken`, 400.
    pub(super) fn invalid_token(message: impl Into<String>) -> Self {
        Fault::new("InvalidIdentityToken", 400, message)
    }

    /// The sentence STS has for a token that fails without a reason it would name: audience, signature, algorithm.
    pub(super) fn not_validated() -> Self {
        Fault::invalid_token(
            "The web identity token provided could not be validated. \
             See the AssumeRoleWithWebIdentity documentation for requirements.",
        )
    }

    /// The sentence for keys that could not be had, and for a `kid` that is not among them. The two blanks are STS's.
    pub(super) fn no_verification_key() -> Self {
        Fault::invalid_token(
            "Couldn't retrieve verification key from your identity provider,  \
             please reference AssumeRoleWithWebIdentity documentation for requirements",
        )
    }

    /// `ValidationError`, 400.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Fault::new("ValidationError", 400, message)
    }

    /// The one sentence for a web identity that the role does not let in, whatever the reason.
    pub(super) fn not_authorized(action: &str) -> Self {
        Fault::new("AccessDenied", 403, format!("Not authorized to perform {action}"))
    }

    /// A failure of the service's own.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Fault::new("InternalFailure", 500, message)
    }
}
