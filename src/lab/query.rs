//! AWS's Query protocol, which STS and IAM speak: parameters in, XML out.

mod constraint;
mod parameters;
mod xml;

use std::time::Duration;

use http::Method;

pub(super) use constraint::{Constraints, Shown, is_session_name_character};
pub(super) use parameters::Parameters;
pub(super) use xml::Element;

use super::clock;
use super::fault::Fault;
use super::keys::random_uuid;
use super::server::{Answer, Received};
use super::session::Account;
use super::sigv4::{self, Authenticated, Rejection};

/// How far a signature's time may be off.
const SIGNATURE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// A service that speaks the protocol.
pub(super) struct Protocol {
    /// The name that signatures are scoped to.
    pub service: &'static str,
    /// The version of its interface, a date.
    pub version: &'static str,
    /// The namespace of its answers.
    pub namespace: &'static str,
}

/// The result of an action: its name and what its result element holds.
pub(super) struct Outcome {
    pub action: &'static str,
    pub result: Vec<Element>,
}

impl Protocol {
    /// The action that the request asks for, with its parameters.
    pub(super) fn read(&self, request: &Received) -> Result<Parameters, Fault> {
        if !matches!(request.method, Method::POST | Method::GET) {
            return Err(Fault::new("InvalidAction", 400, "send GET or POST"));
        }
        let parameters = Parameters::read(request);
        if parameters.get("Action").is_none_or(str::is_empty) {
            return Err(Fault::new("MissingAction", 400, "Could not find operation to perform: Action is missing"));
        }
        match parameters.get("Version") {
            Some(version) if version != self.version => Err(unknown(&parameters, version)),
            _ => Ok(parameters),
        }
    }

    /// The refusal of an action that the service does not have.
    pub(super) fn unknown_action(&self, parameters: &Parameters) -> Fault {
        unknown(parameters, self.version)
    }

    /// Who signed the request.
    pub(super) fn authenticate(&self, request: &Received, account: &Account) -> Result<Authenticated, Fault> {
        sigv4::authenticate(request, account, self.service, SIGNATURE_WINDOW, clock::time())
            .map_err(|rejection| self.rejected(rejection))
    }

    /// The answer on the wire.
    pub(super) fn answer(&self, outcome: Result<Outcome, Fault>) -> Answer {
        let request_id = random_uuid();
        match outcome {
            Ok(outcome) => xml::outcome(self.namespace, outcome.action, outcome.result, &request_id),
            Err(fault) => xml::fault(self.namespace, &fault, &request_id),
        }
    }

    /// A signature that proves nobody, in the words of the Query services.
    fn rejected(&self, rejection: Rejection) -> Fault {
        let refused = |code, message: &str| Fault::new(code, 403, message);
        match rejection {
            Rejection::Missing => refused("MissingAuthenticationToken", "Request is missing Authentication Token"),
            Rejection::Incomplete(what) => Fault::new(
                "IncompleteSignature",
                400,
                format!("Authorization header requires '{what}' parameter, which is missing or cannot be read."),
            ),
            Rejection::UnknownKey => {
                refused("InvalidClientTokenId", "The security token included in the request is invalid.")
            }
            Rejection::Expired => refused("ExpiredToken", "The security token included in the request is expired"),
            Rejection::WrongService => refused(
                "SignatureDoesNotMatch",
                &format!("Credential should be scoped to correct service: '{}'. ", self.service),
            ),
            Rejection::TooOld { signed, earliest, now } => refused(
                "SignatureDoesNotMatch",
                &format!("Signature expired: {signed} is now earlier than {earliest} ({now} - 15 min.)"),
            ),
            Rejection::TooNew { signed, latest, now } => refused(
                "SignatureDoesNotMatch",
                &format!("Signature not yet current: {signed} is still later than {latest} ({now} + 15 min.)"),
            ),
            Rejection::Mismatch => refused(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            ),
        }
    }
}

fn unknown(parameters: &Parameters, version: &str) -> Fault {
    let action = parameters.get("Action").unwrap_or_default();
    Fault::new("InvalidAction", 400, format!("Could not find operation {action} for version {version}"))
}
