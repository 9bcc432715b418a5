//! A service account's key: read from its file, it signs one assertion, which Google's token endpoint grants an access token
//! for (RFC 7523, <https://developers.google.com/identity/protocols/oauth2/service-account>).

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

use super::exchange::exchanged;
use super::{Body, GoogleSession, GoogleTarget, SCOPE};
use crate::check::facts::google::{GoogleCall, KeyFact, KeyProblem, TokenGranted};
use crate::domain::timestamp::UnixSeconds;
use crate::probe::documents;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const KIND: &str = "service_account";
/// The longest that an assertion may live, in seconds.
const LIFETIME: i64 = 3600;

/// What a file holds, with the key ready to sign.
struct Key {
    account: String,
    id: Option<String>,
    token_uri: Url,
    pair: RsaKeyPair,
}

impl GoogleTarget {
    /// Asks for an access token of the key's owner, once; `now` is the local clock. Nothing is sent where the file holds no
    /// key that signs.
    pub async fn sign_in_with_key(
        &self,
        file: &Path,
        now: UnixSeconds,
    ) -> (KeyFact, Option<(GoogleCall<TokenGranted>, Option<GoogleSession>)>) {
        let source = file.display().to_string();
        let read = match documents::read(file).await {
            Ok(text) => read_key(&text),
            Err(unread) => Err(KeyProblem::Unread(unread.why)),
        };
        let signed = read.and_then(|key| Ok((assertion(&key, now)?, key)));
        let (assertion, key) = match signed {
            Ok(signed) => signed,
            Err(problem) => {
                return (KeyFact { source, account: None, key_id: None, problem: Some(problem) }, None);
            }
        };
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT)
            .append_pair("assertion", assertion.expose_secret())
            .finish();
        let mut session = None;
        let of = key.account.clone();
        let fact = self
            .call(Method::POST, key.token_uri.as_str(), None, Body::Form(form), |body| {
                let (granted, token) = exchanged(body, of, now)?;
                session = Some(token);
                Ok(granted)
            })
            .await;
        (KeyFact { source, account: Some(key.account), key_id: key.id, problem: None }, Some((fact, session)))
    }
}

/// Reads the file's text. What is wrong is told in words that quote none of it but its type.
fn read_key(text: &str) -> Result<Key, KeyProblem> {
    if text.trim().is_empty() {
        return Err(KeyProblem::Unread("the key's file is empty".to_owned()));
    }
    let unusable = |why: &str| KeyProblem::Unusable(why.to_owned());
    let file: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| KeyProblem::NoKind("no JSON object".to_owned()))?;
    let member = |name: &str| file.get(name).and_then(Value::as_str);
    match member("type") {
        Some(KIND) => {}
        Some(other) => return Err(KeyProblem::OtherKind(other.to_owned())),
        None => return Err(KeyProblem::NoKind("JSON without a `type`".to_owned())),
    }
    let wanted = |name: &str| member(name).ok_or_else(|| KeyProblem::Unusable(format!("the file has no `{name}`")));
    let token_uri = Url::parse(wanted("token_uri")?).ok().filter(|url| url.scheme() == "https");
    let der = PrivatePkcs8KeyDer::from_pem_slice(wanted("private_key")?.as_bytes())
        .map_err(|_| unusable("`private_key` is no private key in PEM: it was cut or changed on the way"))?;
    Ok(Key {
        account: wanted("client_email")?.to_owned(),
        id: member("private_key_id").map(str::to_owned),
        token_uri: token_uri.ok_or_else(|| unusable("`token_uri` is no https address"))?,
        pair: RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| unusable("`private_key` is no RSA key: it was cut or changed on the way"))?,
    })
}

/// The assertion is for the address that it is sent to, and good nowhere else.
fn assertion(key: &Key, now: UnixSeconds) -> Result<SecretString, KeyProblem> {
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(id) = &key.id {
        header["kid"] = id.as_str().into();
    }
    let claims = json!({
        "iss": key.account,
        "scope": SCOPE,
        "aud": key.token_uri.as_str(),
        "iat": now,
        "exp": now.saturating_add(LIFETIME),
    });
    let input = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let mut signature = vec![0; key.pair.public_modulus_len()];
    key.pair
        .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)
        .map_err(|_| KeyProblem::Unusable("the key does not sign".to_owned()))?;
    Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const DER: &[u8] = include_bytes!("../../../assets/lab/keys/spare.der");

    fn pem() -> String {
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(DER))
    }

    fn file(changes: &[(&str, Option<&str>)]) -> String {
        let mut file = json!({
            "type": "service_account",
            "client_email": "reader@my-project.iam.gserviceaccount.com",
            "private_key_id": "0123abcd",
            "private_key": pem(),
            "token_uri": "https://oauth2.googleapis.com/token",
        });
        for (name, value) in changes {
            file[*name] = value.map_or(Value::Null, Value::from);
        }
        file.to_string()
    }

    #[test]
    fn an_assertion_is_of_the_account_for_the_endpoint_and_signed() {
        let key = read_key(&file(&[])).unwrap_or_else(|problem| panic!("{problem:?}"));
        let assertion = assertion(&key, 1000).unwrap();
        let (input, signature) = assertion.expose_secret().rsplit_once('.').unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.pair.public_key().as_ref());
        public.verify(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let parts: Vec<Value> = input
            .split('.')
            .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(parts[0], json!({ "alg": "RS256", "typ": "JWT", "kid": "0123abcd" }));
        assert_eq!(parts[1]["iss"], "reader@my-project.iam.gserviceaccount.com");
        assert_eq!(parts[1]["aud"], "https://oauth2.googleapis.com/token");
        assert_eq!((&parts[1]["iat"], &parts[1]["exp"]), (&1000.into(), &4600.into()));
    }

    #[test]
    fn what_is_no_key_is_told_apart_and_never_quoted() {
        let cut = pem()[..400].to_owned();
        for (text, expected) in [
            (String::new(), "Unread"),
            ("planted".to_owned(), "NoKind(\"no JSON object\")"),
            (file(&[("type", Some("external_account"))]), "OtherKind(\"external_account\")"),
            (file(&[("type", None)]), "NoKind(\"JSON without a `type`\")"),
            (file(&[("private_key", None)]), "Unusable(\"the file has no `private_key`\")"),
            (file(&[("private_key", Some("planted"))]), "Unusable(\"`private_key` is no private key in PEM"),
            (file(&[("private_key", Some(&cut))]), "Unusable(\"`private_key` is no"),
            (file(&[("token_uri", Some("http://oauth2.googleapis.com/token"))]), "Unusable(\"`token_uri`"),
            (file(&[("client_email", None)]), "Unusable(\"the file has no `client_email`\")"),
        ] {
            let problem = format!("{:?}", read_key(&text).err().unwrap());
            assert!(problem.starts_with(expected) && !problem.contains("planted"), "{problem}");
        }
    }
}
