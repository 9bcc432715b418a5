//! What the lab's services were asked, and with whose credentials: for whoever wants to know what a client does with its
//! rights.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::server::{Request, parameter};

/// So many requests are kept; older ones are forgotten.
const MOST: usize = 10_000;

/// The requests of one service, or of all that an account's keys sign.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<VecDeque<Value>>);

impl Journal {
    /// Where the lab shows it.
    pub(super) const PATH: &str = "/lab/requests";

    /// Writes down what an application asked with a bearer token.
    pub(super) fn note_bearer(&self, request: &Request, client_id: &str) {
        self.note(json!({ "method": request.method.as_str(), "path": request.path, "client_id": client_id }));
    }

    /// Writes down what was asked with an access key, whether or not it is answered.
    pub(super) fn note_signed(&self, request: &Request, service: &str, access_key_id: &str) {
        let operation = operation(request);
        self.note(json!({ "service": service, "operation": operation, "access_key_id": access_key_id }));
    }

    fn note(&self, entry: Value) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == MOST {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(super) fn shown(&self) -> Value {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// The operation that a signed request asks for, in whichever of AWS's protocols; of JSON over REST the method and the path.
fn operation(request: &Request) -> String {
    if let Some((_, operation)) = request.header("x-amz-target").rsplit_once('.') {
        return operation.to_owned();
    }
    let action = parameter(&request.query, "Action")
        .or_else(|| parameter(std::str::from_utf8(&request.body).unwrap_or_default(), "Action"));
    action.unwrap_or_else(|| format!("{} {}", request.method, request.path))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    fn request(method: Method, path: &str, target: &str, body: &'static str) -> Request {
        let mut headers = HeaderMap::new();
        if !target.is_empty() {
            headers.insert("x-amz-target", target.parse().unwrap());
        }
        Request { method, path: path.to_owned(), query: String::new(), headers, body: body.into() }
    }

    #[test]
    fn the_operation_is_told_in_each_protocol() {
        for (sent, told) in [
            (request(Method::POST, "/", "", "Version=2010-05-08&Action=GetRole&RoleName=x"), "GetRole"),
            (request(Method::POST, "/", "secretsmanager.DescribeSecret", "{}"), "DescribeSecret"),
            (request(Method::GET, "/authorization-details/a", "", ""), "GET /authorization-details/a"),
        ] {
            let journal = Journal::default();
            journal.note_signed(&sent, "iam", "AKIA");
            let entry = json!({ "service": "iam", "operation": told, "access_key_id": "AKIA" });
            assert_eq!(journal.shown(), json!([entry]));
        }
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let journal = Journal::default();
        for number in 0..=MOST {
            journal.note_bearer(&request(Method::GET, &format!("/{number}"), "", ""), "app");
        }
        let shown = journal.shown();
        assert_eq!((shown.as_array().unwrap().len(), &shown[0]["path"]), (MOST, &json!("/1")));
    }
}
