//! Signature Version 4, checked: the signature is made anew from the request and the secret key, and compared
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

use std::time::{Duration, SystemTime};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use secrecy::ExposeSecret as _;
use time::PrimitiveDateTime;
use time::macros::format_description;

use super::keys::sha256_hex;
use super::server::Request;
use super::session::{Account, Caller};

/// Why a request's signature proves nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rejection {
    /// Not signed.
    Missing,
    /// Signed in a form that cannot be read; says which.
    Incomplete(String),
    /// No such key, or not with this session token.
    UnknownKey,
    /// The session is over.
    Expired,
    /// Scoped to another service than this one.
    WrongService,
    /// Signed too long ago: the time it was signed, the earliest time taken, and the time it is.
    TooOld { signed: String, earliest: String, now: String },
    /// Signed in the future: the same, with the latest time taken.
    TooNew { signed: String, latest: String, now: String },
    /// Signed with another secret, or changed since.
    Mismatch,
}

/// A signed request's sender, and the region it was signed for.
pub(super) struct Authenticated {
    pub caller: Caller,
    pub region: String,
}

/// Checks the request's `Authorization` header.
pub(super) fn authenticate(
    request: &Request,
    account: &Account,
    service: &str,
    window: Duration,
    now: SystemTime,
) -> Result<Authenticated, Rejection> {
    let header = request.header("authorization");
    if header.is_empty() {
        return Err(Rejection::Missing);
    }
    let incomplete = |what: &str| Rejection::Incomplete(what.to_owned());
    let fields = header.strip_prefix("AWS4-HMAC-SHA256").ok_or_else(|| incomplete("AWS4-HMAC-SHA256"))?;
    let field = |name: &str| fields.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let credential = field("Credential").ok_or_else(|| incomplete("Credential"))?;
    let signed_headers = field("SignedHeaders").ok_or_else(|| incomplete("SignedHeaders"))?;
    let signature = field("Signature").ok_or_else(|| incomplete("Signature"))?;
    let [key_id, date, region, scoped_service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
        return Err(incomplete("Credential"));
    };
    account.journal.note_signed(request, service, key_id);
    let signed_at = request.header("x-amz-date");
    let signed_time =
        parse_date(signed_at).filter(|_| signed_at.starts_with(date)).ok_or_else(|| incomplete("Date"))?;
    let found = account.find(key_id).ok_or(Rejection::UnknownKey)?;
    let token = request.header("x-amz-security-token");
    let expected_token = found.session_token.as_ref().map_or("", |token| token.expose_secret());
    if verify_slices_are_equal(token.as_bytes(), expected_token.as_bytes()).is_err() {
        return Err(Rejection::UnknownKey);
    }
    if scoped_service != service {
        return Err(Rejection::WrongService);
    }
    let canonical = canonical_request(request, signed_headers);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{signed_at}\n{date}/{region}/{service}/aws4_request\n{}",
        sha256_hex(canonical.as_bytes())
    );
    let key = generate_signing_key(found.secret_access_key.expose_secret(), signed_time, region, service);
    let expected = calculate_signature(key, to_sign.as_bytes());
    if verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_err() {
        return Err(Rejection::Mismatch);
    }
    let (earliest, latest) = (now - window, now + window);
    let signed = signed_at.to_owned();
    if signed_time < earliest {
        return Err(Rejection::TooOld { signed, earliest: format_date(earliest), now: format_date(now) });
    }
    if signed_time > latest {
        return Err(Rejection::TooNew { signed, latest: format_date(latest), now: format_date(now) });
    }
    if found.expires.is_some_and(|expires| SystemTime::UNIX_EPOCH + seconds(expires) <= now) {
        return Err(Rejection::Expired);
    }
    Ok(Authenticated { caller: found.caller, region: region.to_owned() })
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

/// The canonical request: method, path, sorted query, the signed headers, and the body's hash.
fn canonical_request(request: &Request, signed_headers: &str) -> String {
    let mut query: Vec<&str> = request.query.split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let query: Vec<String> =
        query.iter().map(|pair| if pair.contains('=') { (*pair).to_owned() } else { format!("{pair}=") }).collect();
    let mut headers = String::new();
    for name in signed_headers.split(';') {
        let values: Vec<String> = request
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    format!(
        "{}\n{}\n{}\n{headers}\n{signed_headers}\n{}",
        request.method,
        request.path,
        query.join("&"),
        sha256_hex(&request.body)
    )
}

const DATE: &[time::format_description::BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");

fn parse_date(text: &str) -> Option<SystemTime> {
    PrimitiveDateTime::parse(text, DATE).ok().map(|time| time.assume_utc().into())
}

fn format_date(time: SystemTime) -> String {
    time::OffsetDateTime::from(time).format(DATE).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hyper::{HeaderMap, Method};

    use super::*;
    use crate::lab::world::AwsWorld;

    const WINDOW: Duration = Duration::from_secs(900);

    /// A request for the caller's identity as a session signs it at `now`, and what is made of it `later`.
    fn taken(expires: i64, now: SystemTime, later: Duration) -> Result<(), Rejection> {
        let account = Account::new(AwsWorld::default()).unwrap();
        let caller = Caller::Session {
            role: "r".into(),
            session_name: "s".into(),
            session_policies: vec![],
            tags: Default::default(),
        };
        let session = account.open_session(caller, expires).unwrap();
        let signed_at = format_date(now);
        let mut headers = HeaderMap::new();
        headers.insert("host", "sts.us-east-1.amazonaws.com".parse().unwrap());
        headers.insert("x-amz-date", signed_at.parse().unwrap());
        headers.insert("x-amz-security-token", session.session_token.expose_secret().parse().unwrap());
        let (method, path, body) = (Method::POST, "/".to_owned(), Default::default());
        let mut request = Request { method, path, query: String::new(), headers, body };
        let signed = "host;x-amz-date;x-amz-security-token";
        let scope = format!("{}/us-east-1/sts/aws4_request", &signed_at[..8]);
        let hash = sha256_hex(canonical_request(&request, signed).as_bytes());
        let key = generate_signing_key(session.secret_access_key.expose_secret(), now, "us-east-1", "sts");
        let signature = calculate_signature(key, format!("AWS4-HMAC-SHA256\n{signed_at}\n{scope}\n{hash}").as_bytes());
        let id = session.access_key_id;
        let header = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}");
        request.headers.insert("authorization", header.parse().unwrap());
        authenticate(&request, &account, "sts", WINDOW, now + later).map(drop)
    }

    #[test]
    fn a_session_proves_its_caller_until_it_ends() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        assert_eq!(taken(1_800_000_060, now, Duration::from_secs(59)), Ok(()));
        assert_eq!(taken(1_800_000_060, now, Duration::from_secs(60)), Err(Rejection::Expired));
    }
}
