//! Verification: picks the key as AWS STS does (by `kid`, a later duplicate wins), then checks the signature.

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

use super::{KeyRef, SignatureReason};
use super::{Signature, SignatureState};
use crate::domain::jwks::Algorithm;
use crate::domain::jwks::{Jwk, Jwks, Material};
use crate::domain::token::{DecodedToken, Part, RawToken, SignaturePart, TokenProblem};

/// Other keys than the named one are tried up to this many, to say which one made a signature.
const MAX_TRIED: usize = 100;

/// Checks a token's signature against published keys. Keys that the token itself carries are never used.
pub fn verify(token: &RawToken, decoded: &DecodedToken, keys: Option<&Jwks>) -> Signature {
    let (state, reason) = match prepare(token, decoded) {
        Err(ended) => *ended,
        Ok(_) if keys.is_none() => (SignatureState::NotChecked, SignatureReason::NoKeySet),
        Ok(signed) => check(&signed, decoded.kid(), keys.map_or(&[][..], |set| &set.keys)),
    };
    Signature::new(state, reason, decoded)
}

type Ended = (SignatureState, SignatureReason);

/// What is to be checked: the header and payload as they were signed, and the signature's text.
struct Signed<'t> {
    alg: &'t str,
    message: &'t [u8],
    signature: &'t str,
}

/// Everything that can be said before any key is looked at.
fn prepare<'t>(token: &'t RawToken, decoded: &'t DecodedToken) -> Result<Signed<'t>, Box<Ended>> {
    let failed = |reason| Err(Box::new((SignatureState::Failed, reason)));
    let cannot = |reason| Err(Box::new((SignatureState::CannotCheck, reason)));
    let unreadable = decoded.problems.iter().any(|problem| {
        matches!(
            problem,
            TokenProblem::NotJson { part: Part::Header, .. } | TokenProblem::NotAnObject { part: Part::Header, .. }
        )
    });
    let (Some(_), false, false) = (&decoded.header, unreadable, decoded.signature == SignaturePart::Missing) else {
        return cannot(SignatureReason::NotSignedJwt);
    };
    let Some(alg) = decoded.alg() else {
        return cannot(SignatureReason::NoAlgorithm);
    };
    if alg.eq_ignore_ascii_case("none") {
        return failed(SignatureReason::Unsigned);
    }
    match decoded.signature {
        SignaturePart::Empty => return failed(SignatureReason::EmptySignature),
        SignaturePart::Malformed => return failed(SignatureReason::MalformedSignature),
        SignaturePart::Missing | SignaturePart::Present { .. } => {}
    }
    for problem in &decoded.problems {
        if let TokenProblem::Critical { names } = problem {
            return cannot(SignatureReason::Critical { names: names.clone() });
        }
    }
    match token.expose().rsplit_once('.') {
        Some((message, signature)) => Ok(Signed { alg, message: message.as_bytes(), signature }),
        None => cannot(SignatureReason::NotSignedJwt),
    }
}

fn check(signed: &Signed<'_>, kid: Option<&str>, keys: &[Jwk]) -> Ended {
    if keys.is_empty() {
        return (SignatureState::CannotCheck, SignatureReason::NoKeys);
    }
    match kid.filter(|kid| !kid.is_empty()) {
        Some(kid) => by_kid(signed, kid, keys),
        None => without_kid(signed, keys),
    }
}

fn by_kid(signed: &Signed<'_>, kid: &str, keys: &[Jwk]) -> Ended {
    let alg = signed.alg.parse::<Algorithm>().ok();
    let named: Vec<&Jwk> = keys.iter().filter(|key| key.kid.as_deref() == Some(kid)).collect();
    // A later duplicate wins; a usable key wins over an unusable one.
    let Some(counts) = named.iter().rev().find(|key| key.is_usable()).or(named.last()) else {
        let Some(alg) = alg else {
            return unsupported(signed);
        };
        let published = keys.iter().filter_map(|key| key.kid.clone()).filter(|kid| !kid.is_empty()).collect();
        let verifies = first_that_verifies(signed, alg, keys.iter()).map(KeyRef::from);
        return (
            SignatureState::CannotCheck,
            SignatureReason::KidNotFound { kid: kid.to_owned(), published, verifies },
        );
    };
    if let Some(problem) = counts.problems.iter().find(|problem| problem.prevents_checking()) {
        let reason = SignatureReason::KeyUnusable { key: (*counts).into(), problem: problem.clone() };
        return (SignatureState::CannotCheck, reason);
    }
    let unfit = SignatureReason::KeyTypeUnfit { key: (*counts).into(), alg: signed.alg.to_owned() };
    let Some(alg) = alg else {
        // A shared-secret algorithm beside a published key is the known confusion attack; others are just unknown here.
        return if signed.alg.starts_with("HS") { (SignatureState::Failed, unfit) } else { unsupported(signed) };
    };
    if alg.fits(counts) && verifies(signed, alg, counts) {
        let hidden = counts.problems.iter().find(|problem| problem.hides_from_sts()).cloned();
        return (SignatureState::Verified, SignatureReason::NamedKey { key: (*counts).into(), hidden });
    }
    let earlier = named.iter().copied().filter(|key| key.position != counts.position);
    if let Some(key) = first_that_verifies(signed, alg, earlier) {
        let reason = SignatureReason::EarlierDuplicateVerifies { counts: (*counts).into(), verifies: key.into() };
        return (SignatureState::Failed, reason);
    }
    if !alg.fits(counts) {
        return (SignatureState::Failed, unfit);
    }
    let others = keys.iter().filter(|key| key.kid.as_deref() != Some(kid));
    let reason = match first_that_verifies(signed, alg, others) {
        Some(key) => SignatureReason::OtherKeyVerifies { named: (*counts).into(), verifies: key.into() },
        None => SignatureReason::DoesNotVerify { key: (*counts).into() },
    };
    (SignatureState::Failed, reason)
}

fn without_kid(signed: &Signed<'_>, keys: &[Jwk]) -> Ended {
    let Ok(alg) = signed.alg.parse::<Algorithm>() else {
        return unsupported(signed);
    };
    let fitting: Vec<&Jwk> = keys.iter().filter(|key| key.is_usable() && alg.fits(key)).collect();
    match fitting.as_slice() {
        [] => (SignatureState::CannotCheck, SignatureReason::NoFittingKey { alg: signed.alg.to_owned() }),
        [only] if verifies(signed, alg, only) => {
            (SignatureState::Verified, SignatureReason::OnlyFittingKey { key: (*only).into() })
        }
        [only] => (SignatureState::Failed, SignatureReason::OnlyFittingKeyDoesNotVerify { key: (*only).into() }),
        several => {
            let verifies = first_that_verifies(signed, alg, several.iter().copied()).map(KeyRef::from);
            (SignatureState::CannotCheck, SignatureReason::KidMissing { fitting: several.len(), verifies })
        }
    }
}

fn unsupported(signed: &Signed<'_>) -> Ended {
    (SignatureState::CannotCheck, SignatureReason::AlgorithmUnsupported { alg: signed.alg.to_owned() })
}

fn first_that_verifies<'k>(
    signed: &Signed<'_>,
    alg: Algorithm,
    keys: impl Iterator<Item = &'k Jwk>,
) -> Option<&'k Jwk> {
    keys.filter(|key| key.is_usable() && alg.fits(key)).take(MAX_TRIED).find(|key| verifies(signed, alg, key))
}

fn verifies(signed: &Signed<'_>, alg: Algorithm, key: &Jwk) -> bool {
    let key = match &key.material {
        Some(Material::Rsa { n, e }) => DecodingKey::from_rsa_raw_components(n, e),
        Some(Material::Ec { point, .. }) if alg == Algorithm::Es512 => {
            return verifies_directly(signed, &ECDSA_P521_SHA512_FIXED, point);
        }
        Some(Material::Ed25519 { x }) => return verifies_directly(signed, &ED25519, x),
        Some(Material::Ec { point, .. }) => DecodingKey::from_ec_der(point),
        None => return false,
    };
    let alg = match alg {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Rs384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::Rs512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Es384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Ps384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::Ps512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::Es512 | Algorithm::EdDsa => return false,
    };
    jsonwebtoken::crypto::verify(signed.signature, signed.message, &key, alg).unwrap_or(false)
}

/// What is not in `jsonwebtoken`, or only in another form, the same cryptographic library checks directly.
fn verifies_directly(signed: &Signed<'_>, algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> bool {
    URL_SAFE_NO_PAD
        .decode(signed.signature)
        .is_ok_and(|signature| UnparsedPublicKey::new(algorithm, key).verify(signed.message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::token::decode;

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn state(header: &str, rest: &str, keys: Option<&Jwks>) -> SignatureState {
        let (raw, _) = RawToken::clean(&format!("{}.{rest}", encode(header)));
        verify(&raw, &decode(&raw), keys).state
    }

    #[test]
    fn what_needs_no_key_is_said_without_one() {
        let rs256 = r#"{"alg":"RS256","kid":"k"}"#;
        for (header, rest, expected) in [
            (rs256, "e30.c2ln", SignatureState::NotChecked),
            (rs256, "e30.", SignatureState::Failed),
            (rs256, "e30.!", SignatureState::Failed),
            (rs256, "e30", SignatureState::CannotCheck),
            (r#"{"alg":"none"}"#, "e30.c2ln", SignatureState::Failed),
            (r#"{"kid":"k"}"#, "e30.c2ln", SignatureState::CannotCheck),
            (r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, "e30.c2ln", SignatureState::CannotCheck),
            (r#"{"alg":"none""#, "e30.c2ln", SignatureState::CannotCheck),
        ] {
            assert_eq!(state(header, rest, None), expected, "{header} {rest}");
        }
    }

    /// RFC 8037, appendix A.4 and A.2.
    #[test]
    fn a_signature_of_ed25519_is_verified_as_its_rfc_has_it() {
        let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let (raw, _) = RawToken::clean(token);
        let keys = |x: &str| {
            let set = json!({"keys": [{"kty": "OKP", "kid": "e", "crv": "Ed25519", "x": x}]});
            Jwks::parse(set.to_string().as_bytes()).unwrap()
        };
        let own = keys("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(verify(&raw, &decode(&raw), Some(&own)).state, SignatureState::Verified);
        let other = keys("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp");
        assert_ne!(verify(&raw, &decode(&raw), Some(&other)).state, SignatureState::Verified);
    }

    #[test]
    fn signatures_with_rsa_pss_are_verified_and_no_others_of_the_same_key() {
        use aws_lc_rs::rand::SystemRandom;
        use aws_lc_rs::rsa::KeySize;
        use aws_lc_rs::signature::{
            KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
        };
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key();
        let (n, e) =
            (public.modulus().big_endian_without_leading_zero(), public.exponent().big_endian_without_leading_zero());
        let set = json!({"keys": [{"kty": "RSA", "kid": "k", "n": encode(n), "e": encode(e)}]});
        let set = Jwks::parse(set.to_string().as_bytes()).unwrap();
        let signed = |alg: &str, how: &'static dyn RsaEncoding| {
            let message = format!("{}.e30", encode(json!({"alg": alg, "kid": "k"}).to_string()));
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(how, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
            let (raw, _) = RawToken::clean(&format!("{message}.{}", encode(signature)));
            verify(&raw, &decode(&raw), Some(&set)).state
        };
        assert_eq!(signed("PS256", &RSA_PSS_SHA256), SignatureState::Verified);
        assert_eq!(signed("PS384", &RSA_PSS_SHA384), SignatureState::Verified);
        assert_eq!(signed("PS512", &RSA_PSS_SHA512), SignatureState::Verified);
        assert_eq!(signed("PS256", &RSA_PKCS1_SHA256), SignatureState::Failed);
        assert_eq!(signed("PS384", &RSA_PSS_SHA256), SignatureState::Failed);
    }

    proptest! {
        #[test]
        fn no_key_makes_a_random_signature_good(
            n in proptest::collection::vec(any::<u8>(), 0..300),
            e in proptest::collection::vec(any::<u8>(), 0..5),
            point in proptest::collection::vec(any::<u8>(), 0..140),
            signature in proptest::collection::vec(any::<u8>(), 0..300),
            alg in 0..Algorithm::ALL.len(),
            curve in 0..3usize,
        ) {
            let (x, y) = point.split_at(point.len() / 2);
            let crv = ["P-256", "P-384", "P-521"][curve];
            let set = json!({"keys": [
                {"kty": "RSA", "kid": "k", "n": encode(&n), "e": encode(&e)},
                {"kty": "EC", "kid": "k", "crv": crv, "x": encode(x), "y": encode(y)},
                {"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": encode(x)},
            ]});
            let set = Jwks::parse(set.to_string().as_bytes()).unwrap();
            let alg = Algorithm::ALL[alg].name();
            for header in [json!({"alg": alg, "kid": "k"}), json!({"alg": alg})] {
                let rest = format!("e30.{}", encode(&signature));
                prop_assert_ne!(state(&header.to_string(), &rest, Some(&set)), SignatureState::Verified);
            }
        }
    }
}
