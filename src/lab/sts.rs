//! The Security Token Service: AWS's Query protocol in, XML out.

mod assume_role;
mod caller_identity;
mod constraint;
mod fetch;
mod query;
mod roles_claim;
mod tags;
mod token;
mod verification;
mod web_identity;
mod xml;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Method;

pub(super) use fetch::Fetcher;
use query::Parameters;
use xml::Element;

use super::fault::Fault;
use super::keys::random_uuid;
use super::server::{Answer, Received, Service};
use super::session::{Account, Credentials};
use super::sigv4::{self, Authenticated, Rejection};
use crate::domain::timestamp::rfc3339;

const VERSION: &str = "2011-06-15";
/// How far a signature's time may be off.
const SIGNATURE_WINDOW: Duration = Duration::from_secs(15 * 60);

/// The STS of one lab; one endpoint serves all regions.
pub(super) struct Sts {
    account: Arc<Account>,
    fetcher: Fetcher,
}

/// The result of an action: its name and what its result element holds.
struct Outcome {
    action: &'static str,
    result: Vec<Element>,
}

impl Sts {
    pub(super) fn new(account: Arc<Account>, fetcher: Fetcher) -> Self {
        Sts { account, fetcher }
    }

    async fn act(&self, request: &Received) -> Result<Outcome, Fault> {
        let parameters = Parameters::read(request)?;
        let action = parameters.get("Action").unwrap_or_default();
        let version = parameters.get("Version").unwrap_or(VERSION);
        match (action, version) {
            ("AssumeRoleWithWebIdentity", VERSION) => self.assume_role_with_web_identity(&parameters).await,
            ("GetCallerIdentity", VERSION) => self.get_caller_identity(request),
            ("AssumeRole", VERSION) => self.assume_role(request, &parameters),
            ("", _) => Err(Fault::new("MissingAction", 400, "Could not find operation to perform: Action is missing")),
            (action, version) => Err(Fault::new(
                "InvalidAction",
                400,
                format!("Could not find operation {action} for version {version}"),
            )),
        }
    }

    fn authenticate(&self, request: &Received) -> Result<Authenticated, Fault> {
        sigv4::authenticate(request, &self.account, "sts", SIGNATURE_WINDOW, SystemTime::now()).map_err(rejected)
    }

    /// The `Credentials` element.
    fn credentials(credentials: &Credentials) -> Element {
        use secrecy::ExposeSecret as _;
        Element::of(
            "Credentials",
            vec![
                Element::text("AccessKeyId", credentials.access_key_id.clone()),
                Element::text("SecretAccessKey", credentials.secret_access_key.expose_secret().to_owned()),
                Element::text("SessionToken", credentials.session_token.expose_secret().to_owned()),
                Element::text("Expiration", rfc3339(credentials.expires).unwrap_or_default()),
            ],
        )
    }
}

impl Service for Sts {
    async fn answer(&self, request: Received) -> Answer {
        if !matches!(request.method, Method::POST | Method::GET) {
            return xml::fault(&Fault::new("InvalidAction", 400, "send GET or POST"), &random_uuid());
        }
        let request_id = random_uuid();
        match self.act(&request).await {
            Ok(outcome) => xml::outcome(outcome.action, outcome.result, &request_id),
            Err(fault) => xml::fault(&fault, &request_id),
        }
    }
}

/// Seconds since the epoch, by the clouds' clock.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// A signature that proves nobody, in STS's words.
fn rejected(rejection: Rejection) -> Fault {
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
        Rejection::WrongService => {
            refused("SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. ")
        }
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
