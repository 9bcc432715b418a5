//! What the client does once the cloud has answered: after a refusal, before its session ends, and with what it keeps of the token.

use super::fault::{Fault, Remedy, Weight};
use crate::cause::Cause;
use crate::check::facts::Facts;
use crate::check::facts::secret::Refusal;
use crate::check::facts::token::TokenReading;
use crate::domain::client::{AwsBehaviour, AzureBehaviour, Next};
use crate::domain::profile::{Profile, TokenSource};

/// How long STS lets a session live where nobody asks for another time.
const HOUR_S: i64 = 3600;
/// The claim by which a cluster's own tokens are known; the kubelet rewrites their files before they end.
const OF_CLUSTER: &str = "kubernetes.io";

/// What the client does after an answer of STS that a person would not expect of it.
pub(super) fn at_aws(client: &AwsBehaviour, facts: &Facts, profile: &Profile) -> Vec<Fault> {
    let refusal = facts.aws.assume_role.as_ref().and_then(|call| call.refusal());
    let attempts = |refusal: &Refusal| client.attempts.as_ref().and_then(|attempts| attempts.after(&refusal.code));
    let elsewhere = refusal.and_then(|refusal| goes_on(client.refused, attempts(refusal), "STS", NO_ROLE));
    let told = || vec![every_use(client, profile), outlives_token(client, facts, profile)];
    elsewhere.map(Some).into_iter().chain(if refusal.is_none() { told() } else { Vec::new() }).flatten().collect()
}

/// The same for an answer of Entra.
pub(super) fn at_azure(client: &AzureBehaviour, facts: &Facts, profile: &Profile) -> Vec<Fault> {
    let refusal = facts.azure.exchange.as_ref().and_then(|exchange| exchange.call.refusal());
    let attempts = |refusal: &Refusal| client.attempts.as_ref().map(|attempts| attempts.after(refusal.http_status));
    let elsewhere = refusal.and_then(|refusal| goes_on(client.refused, attempts(refusal), "Entra", NO_IDENTITY));
    elsewhere.into_iter().chain(stale_file(client, facts, profile)).collect()
}

const NO_ROLE: &str =
    "Put right what was refused. Until then AWS_EC2_METADATA_DISABLED=true keeps most clients from the machine's role.";
const NO_IDENTITY: &str =
    "Put right what was refused. Until then use the library's credential for workloads alone, not its whole chain.";

/// A refusal that the client keeps to itself, and goes on as somebody else.
fn goes_on(refused: Next, attempts: Option<u8>, asked: &str, until: &str) -> Option<Fault> {
    let instead = match refused {
        Next::Machine => "the machine's own identity is taken, where it has one",
        Next::Anonymous => "requests go out unsigned",
        Next::Fails | Next::Stops | Next::Sent => return None,
    };
    let after = match attempts {
        Some(times) if times > 1 => format!("after this refusal, for which {asked} is asked {times} times,"),
        _ => "after this refusal".to_owned(),
    };
    Some(Fault {
        cause: Cause::EnvConflict,
        said: format!("{after} {instead}, and nothing is said of the token"),
        expected: format!("the program ends with {asked}'s answer"),
        actual: instead.to_owned(),
        fix: Remedy::advice(until),
        weight: Weight::MayBreak,
    })
}

/// How long a session lives that this client is given.
fn session_s(client: &AwsBehaviour, profile: &Profile) -> i64 {
    profile.aws.session_duration_s.map(i64::from).or(client.duration_s.map(i64::from)).unwrap_or(HOUR_S)
}

/// A session that is over for the client as soon as it begins.
fn every_use(client: &AwsBehaviour, profile: &Profile) -> Option<Fault> {
    let (session, ahead) = (session_s(client, profile), i64::from(client.refreshes_s?));
    (session <= ahead).then(|| Fault {
        cause: Cause::SessionDuration,
        said: format!(
            "it exchanges again {ahead} s before a session ends, so one of {session} s is exchanged again and again"
        ),
        expected: format!("a session longer than {ahead} s"),
        actual: format!("{session} s"),
        fix: Remedy::advice("Ask for a longer session, or for none: STS then gives an hour."),
        weight: Weight::MayBreak,
    })
}

/// A token whose file has to be written anew for a program that runs longer than its first session.
fn outlives_token(client: &AwsBehaviour, facts: &Facts, profile: &Profile) -> Option<Fault> {
    let again = session_s(client, profile) - i64::from(client.refreshes_s?);
    let token = token_of_file(facts, profile).filter(|life| (0..again).contains(life))?;
    Some(Fault {
        cause: Cause::TokenExpired,
        said: format!(
            "it exchanges again after {again} s with what the token's file holds then, and the token lives {token} s"
        ),
        expected: "a file that is written anew before its token ends".to_owned(),
        actual: format!("a token of {token} s"),
        fix: Remedy::advice(format!(
            "Where the program runs longer than {again} s, let the job write a new token into the file before the old one ends."
        )),
        weight: Weight::MayBreak,
    })
}

/// A token that ends while the client still goes on with it, though its file holds a newer one.
fn stale_file(client: &AzureBehaviour, facts: &Facts, profile: &Profile) -> Option<Fault> {
    let kept = i64::from(client.keeps_file_s?);
    let token = token_of_file(facts, profile).filter(|life| (0..=kept).contains(life))?;
    Some(Fault {
        cause: Cause::Cached,
        said: format!(
            "it reads the token's file again after {kept} s only, and the token lives {token} s: an ended one is sent"
        ),
        expected: format!("a token that lives longer than {kept} s"),
        actual: format!("{token} s"),
        fix: Remedy::advice(
            "Let the issuer give tokens that live longer, or make the credential anew for each sign-in.",
        ),
        weight: Weight::MayBreak,
    })
}

/// How long the token lives, where it stands in a file that nobody is known to write anew.
fn token_of_file(facts: &Facts, profile: &Profile) -> Option<i64> {
    let is_rewritten = facts.claims().is_some_and(|claims| claims.contains_key(OF_CLUSTER));
    match (&profile.token, facts.token.as_ref().map(|fact| &fact.reading)) {
        (Some(TokenSource::File(_)), Some(TokenReading::Read(read))) if !is_rewritten => read.lifetime_s,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::secret::{Answer, Call};
    use crate::check::facts::token::TokenFact;
    use crate::domain::client::Client;
    use crate::domain::guide::Guide;
    use crate::domain::token::RawToken;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    fn with_token(claims: &Value) -> (Facts, Profile) {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        let (raw, _) = RawToken::clean(&format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln"));
        let facts = Facts { token: Some(TokenFact::read("file /t", &raw, Vec::new())), ..Facts::default() };
        let token = Some(TokenSource::File("/t".into()));
        (facts, Profile { token, ..Profile::bare("p", Guide::AwsWorkloadIdentity) })
    }

    fn refused<T>(code: &str, http_status: u16) -> Call<T> {
        let refusal = Refusal { code: code.to_owned(), message: String::new(), http_status, request_id: None };
        Call { region: None, attempts: 1, waited_ms: 0, answer: Answer::Refused(refusal), exchange: None }
    }

    fn aws(client: &str, facts: &Facts, profile: &Profile) -> Vec<(Cause, String)> {
        let client = Client::named(client).unwrap().aws.as_ref().unwrap();
        at_aws(client, facts, profile).into_iter().map(|fault| (fault.cause, fault.said)).collect()
    }

    #[test]
    fn who_goes_on_after_a_refusal_is_told_with_how_often_it_asks() {
        let (mut facts, profile) = with_token(&json!({ "iat": 0, "exp": 300 }));
        facts.aws.assume_role = Some(refused("AccessDenied", 403));
        for (client, times) in [("pyarrow", Some("4 times")), ("gdal", Some("6 times")), ("opendal", None)] {
            let told = aws(client, &facts, &profile);
            assert_eq!(told.len(), 1, "{client}: {told:?}");
            assert_eq!(told[0].0, Cause::EnvConflict);
            assert_eq!(told[0].1.contains("times"), times.is_some(), "{told:?}");
            assert!(times.is_none_or(|times| told[0].1.contains(times)), "{told:?}");
        }
        facts.aws.assume_role = Some(refused("InvalidIdentityToken", 400));
        assert!(aws("js-v2", &facts, &profile)[0].1.contains("4 times"), "it asks once for a denial alone");
        assert_eq!(aws("boto3", &facts, &profile), [], "it stops with the answer");
    }

    #[test]
    fn a_session_shorter_than_the_renewal_is_exchanged_each_time() {
        let (facts, mut profile) = with_token(&json!({ "iat": 0, "exp": 7200 }));
        assert_eq!(aws("boto3", &facts, &profile), []);
        profile.aws.session_duration_s = Some(900);
        assert_eq!(aws("boto3", &facts, &profile)[0].0, Cause::SessionDuration);
        assert_eq!(aws("js-v3", &facts, &profile), [], "five minutes are left of it");
    }

    #[test]
    fn a_token_that_ends_before_the_next_exchange_is_told_where_nobody_writes_its_file() {
        let (facts, profile) = with_token(&json!({ "iat": 0, "exp": 300 }));
        let told = aws("boto3", &facts, &profile);
        assert_eq!(told[0].0, Cause::TokenExpired);
        assert!(told[0].1.contains("after 2700 s") && told[0].1.contains("lives 300 s"), "{told:?}");
        assert_eq!(aws("s3cmd", &facts, &profile), [], "when it exchanges again is not known");
        let (of_pod, _) = with_token(&json!({ "iat": 0, "exp": 600, "kubernetes.io": {} }));
        assert_eq!(aws("boto3", &of_pod, &profile), []);
        let by_command = Profile { token: None, ..profile };
        assert_eq!(aws("boto3", &facts, &by_command), []);
    }

    #[test]
    fn at_azure_a_kept_file_and_a_chain_that_goes_on_are_told() {
        let (mut facts, profile) = with_token(&json!({ "iat": 0, "exp": 600 }));
        let azure = |client: &str, facts: &Facts| {
            let client = Client::named(client).unwrap().azure.as_ref().unwrap();
            at_azure(client, facts, &profile).into_iter().map(|fault| (fault.cause, fault.said)).collect::<Vec<_>>()
        };
        assert_eq!(azure("azure-python", &facts)[0].0, Cause::Cached, "600 s are kept");
        assert_eq!(azure("azure-js", &facts), [], "300 s are kept");
        assert_eq!(azure("obstore", &facts), [], "the file is read at each exchange");
        facts.azure.exchange = Some(crate::check::facts::azure::ExchangeFact {
            authority: String::new(),
            tenant_id: String::new(),
            client_id: String::new(),
            scope: String::new(),
            credential: crate::check::facts::azure::CredentialKind::Assertion,
            call: refused("AADSTS700213", 401),
            error: None,
        });
        assert_eq!(azure("opendal", &facts)[0].0, Cause::EnvConflict);
        assert!(azure("rasterio", &facts)[0].1.contains("4 times"));
        assert_eq!(azure("azure-js", &facts), []);
    }
}
