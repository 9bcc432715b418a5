//! IAM's toolbox: what denied a request whose denial carries an authorization id, over the real protocol
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied-authorization-id.html>).

use std::sync::Arc;

use http::{HeaderName, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::denials::LETTERS;
use super::iam::{self, Ruling};
use super::json_protocol::{AwsError, SIGNATURE_WINDOW, rejected};
use super::keys::random_uuid;
use super::server::{self, Request, Response, Service};
use super::session::Account;
use super::sigv4;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const DETAILS: &str = "GetRequestAuthorizationDetails";
const POLICY: &str = "GetRequestAuthorizationPolicy";

/// The toolbox of one account.
pub(super) struct Toolbox {
    account: Arc<Account>,
}

impl Toolbox {
    pub(super) fn new(account: Arc<Account>) -> Self {
        Toolbox { account }
    }

    fn act(&self, request: &Request) -> Result<Value, AwsError> {
        let sender = sigv4::authenticate(request, &self.account, "iam", SIGNATURE_WINDOW, server::time())
            .map_err(|rejection| rejected(rejection, "iam"))?;
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let (action, id) = match path.as_slice() {
            ["authorization-details", id] => (DETAILS, *id),
            ["authorization-details", id, "policy"] => (POLICY, *id),
            _ => return Err(AwsError::new("UnknownOperationException", 404, "There is no such operation.")),
        };
        if request.method != Method::GET {
            return Err(AwsError::new("UnknownOperationException", 404, "There is no such operation."));
        }
        let policies = self.account.identity_policies(&sender.caller);
        let operation = format!("iam:{action}");
        if iam::rule(&policies, &operation, "*", &sender.caller.keys(&self.account)) != Ruling::Allowed {
            let user = self.account.arn(&sender.caller);
            let message = format!(
                "User: {user} is not authorized to perform: {operation} on resource: * because no identity-based policy \
                 allows the {operation} action"
            );
            return Err(AwsError::new("AccessDeniedException", 403, message));
        }
        let id = percent_decode_str(id).decode_utf8_lossy();
        if id.is_empty() || !id.bytes().all(|byte| LETTERS.contains(&byte)) {
            let message = "Value at 'authorizationId' failed to satisfy constraint: Member must satisfy regular \
                           expression pattern: [0123456789abcdefghijklmnopqrstuvwxyz]+";
            return Err(AwsError::new("ValidationException", 400, message));
        }
        let denial = self.account.denials.find(&id, &sender.region);
        let denial = denial.ok_or_else(|| no_such("There are no authorization details for this authorization id."))?;
        if action == DETAILS {
            return Ok(denial.details);
        }
        let wanted = form_urlencoded::parse(request.query.as_bytes()).find(|(name, _)| name == "policyUri");
        let uri = wanted.map(|(_, uri)| uri.into_owned()).unwrap_or_default();
        let document = denial.documents.get(&uri).cloned();
        document
            .map(|document| json!({ "policyDocument": document }))
            .ok_or_else(|| no_such("There is no such policy."))
    }
}

fn no_such(message: &str) -> AwsError {
    AwsError::new("ResourceNotFoundException", 404, message)
}

impl Service for Toolbox {
    async fn answer(&self, request: Request) -> Response {
        let json = "application/json";
        let response = match self.act(&request) {
            Ok(output) => Response::new(200, json, output.to_string()),
            Err(fault) => Response::new(fault.status, json, json!({ "message": fault.message }).to_string())
                .with_header(ERROR_TYPE, fault.code.to_owned()),
        };
        response.with_header(REQUEST_ID, random_uuid())
    }
}
