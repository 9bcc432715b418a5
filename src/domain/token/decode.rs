//! Decoding: shows whatever can be shown of a token, however broken, and names what is wrong.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::inspect::{Flaw, ReadObject};
use super::problem::{Part, TokenProblem};
use super::{DecodedToken, RawToken, SignaturePart, inspect};
use crate::domain::redaction::cut_from_json;
use crate::domain::token;

/// The most characters STS takes (AssumeRoleWithWebIdentity, parameter WebIdentityToken).
const MAX_CHARACTERS: usize = 20_000;

/// Reads past what strict base64url forbids, for showing only.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
);

/// Decodes a token without checking its signature. Never fails: what cannot be decoded is a problem in the answer.
///
/// ```
/// use trustline::domain::token::{RawToken, decode};
///
/// let text = "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6InMifQ.";
/// let (token, removed) = RawToken::clean(text);
/// let decoded = decode(&token);
/// assert_eq!(decoded.claims.unwrap()["iss"], "https://i.example");
/// assert_eq!(removed.len(), 1, "`Bearer` was taken off");
/// ```
pub fn decode(token: &RawToken) -> DecodedToken {
    let text = token.expose();
    let parts: Vec<&str> = text.splitn(7, '.').collect();
    let count = text.matches('.').count() + 1;
    let mut problems = Vec::new();
    if text.is_empty() {
        problems.push(TokenProblem::Empty);
        return DecodedToken { parts: 0, kind: token::of_text(text), problems, ..DecodedToken::default() };
    }
    if text.len() > MAX_CHARACTERS {
        problems.push(TokenProblem::TooLong { characters: text.len() });
    }
    if count == 5 {
        problems.push(TokenProblem::Encrypted);
    } else if count != 3 {
        problems.push(TokenProblem::PartCount { parts: count });
    }

    // Without a dot, only text that begins like a header is worth decoding: the rest is an opaque token.
    let decodable = count > 1 || text.starts_with("eyJ");
    let mut header = decodable.then(|| read_part(Part::Header, parts[0], &mut problems));
    // The second part of an encrypted token is a key, not claims.
    let mut claims = parts.get(1).filter(|_| count != 5).map(|part| read_part(Part::Claims, part, &mut problems));
    let signature = read_signature(&parts, count, &mut problems);
    let read = [&mut header, &mut claims].into_iter().flatten();
    let secrets: Vec<String> = read.flat_map(|read| cut_from_json(&mut read.members)).collect();

    for name in header.iter().flat_map(|read| &read.repeated) {
        problems.push(TokenProblem::RepeatedHeader { name: name.clone() });
    }
    for name in claims.iter().flat_map(|read| &read.repeated) {
        problems.push(TokenProblem::RepeatedClaim { name: name.clone() });
    }
    // A broken part is shown as far as it goes, but what it seems to lack may stand in the part that is lost.
    for (read, inspect) in [(&header, inspect::header as fn(&Members, &mut _)), (&claims, inspect::claims)] {
        if let Some(ReadObject { members, flaw: None, .. }) = read {
            inspect(members, &mut problems);
        }
    }
    if !secrets.is_empty() {
        problems.push(TokenProblem::HoldsSecret { places: secrets });
    }
    let mut decoded = DecodedToken {
        parts: count,
        header: header.and_then(shown),
        claims: claims.and_then(shown),
        signature,
        problems,
        ..DecodedToken::default()
    };
    decoded.kind = token::of_token(text, &decoded);
    decoded
}

type Members = serde_json::Map<String, serde_json::Value>;

/// The members to show; `None` where nothing of an object was read.
fn shown(read: ReadObject) -> Option<Members> {
    (read.flaw.is_none() || !read.members.is_empty()).then_some(read.members)
}

fn read_part(part: Part, text: &str, problems: &mut Vec<TokenProblem>) -> ReadObject {
    let bytes = decode_base64(part, text, problems);
    let read = inspect::read(&bytes);
    match &read.flaw {
        None => {}
        Some(Flaw::NotAnObject(found)) => {
            problems.push(TokenProblem::NotAnObject { part, found: (*found).to_owned() });
        }
        Some(Flaw::NotJson { line, column }) => {
            problems.push(TokenProblem::NotJson { part, line: *line, column: *column });
        }
    }
    read
}

/// Decodes base64url; of broken text, as much as can be decoded from its start.
fn decode_base64(part: Part, text: &str, problems: &mut Vec<TokenProblem>) -> Zeroizing<Vec<u8>> {
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) {
        return Zeroizing::new(bytes);
    }
    let core = text.trim_end_matches('=');
    if core.len() < text.len() {
        problems.push(TokenProblem::Padding { part });
    }
    let mut core = Zeroizing::new(core.to_owned());
    if core.contains(['+', '/']) {
        problems.push(TokenProblem::StandardAlphabet { part });
        core = Zeroizing::new(core.replace('+', "-").replace('/', "_"));
    }
    let is_symbol = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if let Some((at, (offset, character))) = core.char_indices().enumerate().find(|(_, (_, c))| !is_symbol(*c)) {
        problems.push(TokenProblem::BadBase64 { part, at, character });
        core.truncate(offset);
    } else if URL_SAFE_NO_PAD.decode(core.as_str()).is_err() {
        problems.push(TokenProblem::CutBase64 { part });
    }
    if core.len() % 4 == 1 {
        core.pop();
    }
    Zeroizing::new(LENIENT.decode(core.as_str()).unwrap_or_default())
}

fn read_signature(parts: &[&str], count: usize, problems: &mut Vec<TokenProblem>) -> SignaturePart {
    let Some(text) = parts.get(2).filter(|_| count == 3) else {
        return SignaturePart::Missing;
    };
    if text.is_empty() {
        problems.push(TokenProblem::EmptySignature);
        return SignaturePart::Empty;
    }
    let before = problems.len();
    let bytes = decode_base64(Part::Signature, text, problems).len();
    match problems.len() == before {
        true => SignaturePart::Present { bytes },
        false => SignaturePart::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::token::problem::TimeFlaw;

    fn part(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn decode_text(text: &str) -> DecodedToken {
        decode(&RawToken::clean(text).0)
    }

    const HEADER: &str = r#"{"alg":"RS256","kid":"k1"}"#;

    fn with_claims(claims: &str) -> DecodedToken {
        decode_text(&format!("{}.{}.c2ln", part(HEADER), part(claims)))
    }

    fn with_header(header: &str) -> Vec<TokenProblem> {
        let claims = r#"{"iss":"https://i.example","sub":"s","aud":"a","iat":1,"exp":2}"#;
        decode_text(&format!("{}.{}.c2ln", part(header), part(claims))).problems
    }

    #[test]
    fn a_sound_token_has_no_problems() {
        let token = with_claims(r#"{"iss":"https://i.example","sub":"s","aud":["a"],"iat":100,"exp":200}"#);
        assert_eq!(token.problems, vec![]);
        assert_eq!((token.alg(), token.kid()), (Some("RS256"), Some("k1")));
        assert_eq!((token.issuer(), token.subject()), (Some("https://i.example"), Some("s")));
        assert_eq!(token.audiences(), ["a"]);
        assert_eq!((token.issued_at(), token.expires_at(), token.not_before()), (Some(100), Some(200), None));
        assert_eq!(token.signature, SignaturePart::Present { bytes: 3 });
    }

    #[test]
    fn shows_the_header_of_broken_tokens() {
        for (rest, problem) in [
            ("", TokenProblem::PartCount { parts: 1 }),
            (".", TokenProblem::PartCount { parts: 2 }),
            (".e30", TokenProblem::PartCount { parts: 2 }),
            (".!!!!.c2ln", TokenProblem::BadBase64 { part: Part::Claims, at: 0, character: '!' }),
            (".W10.c2ln", TokenProblem::NotAnObject { part: Part::Claims, found: "a list".into() }),
            (".e30.e30.e30", TokenProblem::PartCount { parts: 4 }),
            (".e30.e30.e30.e30", TokenProblem::Encrypted),
        ] {
            let token = decode_text(&format!("{}{rest}", part(HEADER)));
            assert_eq!(token.alg(), Some("RS256"), "{rest}");
            assert!(token.problems.contains(&problem), "{rest}: {:?}", token.problems);
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_cut_and_said_to_be() {
        let nested = format!("{}.{}.c2ln", part(HEADER), part("{}"));
        let claims =
            json!({"iss": "https://i.example", "sub": "s", "aud": "a", "iat": 1, "exp": 2, "act": {"t": nested}});
        let token = with_claims(&claims.to_string());
        assert_eq!(token.problems, [TokenProblem::HoldsSecret { places: vec!["act.t".into()] }]);
        assert_eq!((token.claim("act"), token.subject()), (Some(&json!({"t": "[cut]"})), Some("s")));
    }

    #[test]
    fn shows_the_claims_before_a_break() {
        let whole = part(r#"{"iss":"https://i.example","sub":"organization:1","aud":"a","iat":1,"exp":2}"#);
        let token = decode_text(&format!("{}.{}", part(HEADER), &whole[..61]));
        assert_eq!((token.issuer(), token.subject()), (Some("https://i.example"), None));
        assert!(
            matches!(
                token.problems[..],
                [
                    TokenProblem::PartCount { parts: 2 },
                    TokenProblem::CutBase64 { part: Part::Claims },
                    TokenProblem::NotJson { part: Part::Claims, .. },
                ]
            ),
            "{:?}",
            token.problems
        );
    }

    #[test]
    fn other_base64_is_decoded_and_named() {
        let claims = json!({"iss": "https://i.example", "sub": "~~~???", "aud": "a", "iat": 1, "exp": 2}).to_string();
        let padded = base64::engine::general_purpose::STANDARD.encode(&claims);
        let token = decode_text(&format!("{}.{padded}.c2ln", part(HEADER)));
        assert_eq!(token.subject(), Some("~~~???"));
        assert!(token.problems.iter().all(|p| matches!(
            p,
            TokenProblem::Padding { part: Part::Claims } | TokenProblem::StandardAlphabet { part: Part::Claims }
        )));
        assert!(!token.problems.is_empty());
    }

    #[test]
    fn an_opaque_token_is_not_decoded() {
        let token = decode_text("3f2c9d0e-opaque");
        assert_eq!((token.header, token.claims), (None, None));
        assert_eq!(token.problems, [TokenProblem::PartCount { parts: 1 }]);
    }

    #[test]
    fn header_problems() {
        for (header, problem) in [
            (r#"{"alg":"none","kid":"k"}"#, TokenProblem::AlgorithmNone { alg: "none".into() }),
            (r#"{"alg":"nOnE","kid":"k"}"#, TokenProblem::AlgorithmNone { alg: "nOnE".into() }),
            (r#"{"alg":"HS256","kid":"k"}"#, TokenProblem::AlgorithmSymmetric { alg: "HS256".into() }),
            (r#"{"alg":"PS256","kid":"k"}"#, TokenProblem::AlgorithmUnsupported { alg: "PS256".into() }),
            (r#"{"alg":"rs256","kid":"k"}"#, TokenProblem::AlgorithmUnsupported { alg: "rs256".into() }),
            (r#"{"kid":"k"}"#, TokenProblem::NoAlgorithm),
            (r#"{"alg":"RS256"}"#, TokenProblem::KeyIdMissing),
            (r#"{"alg":"RS256","kid":""}"#, TokenProblem::KeyIdEmpty),
            (r#"{"alg":"RS256","kid":7}"#, TokenProblem::KeyIdNotText { found: "a number".into() }),
            (r#"{"alg":"RS256","kid":"k","crit":["b64"]}"#, TokenProblem::Critical { names: vec!["b64".into()] }),
            (r#"{"alg":"RS256","kid":"k","jku":"https://x"}"#, TokenProblem::KeyInHeader { name: "jku".into() }),
            (r#"{"alg":"RS256","kid":"k","x5c":[]}"#, TokenProblem::KeyInHeader { name: "x5c".into() }),
            (r#"{"alg":"none","alg":"RS256","kid":"k"}"#, TokenProblem::RepeatedHeader { name: "alg".into() }),
        ] {
            assert_eq!(with_header(header), [problem], "{header}");
        }
    }

    #[test]
    fn claim_problems() {
        let bad_time =
            |name: &str, flaw, found: &str| TokenProblem::BadTime { name: name.into(), flaw, found: found.into() };
        let sound = json!({"iss": "https://i.example", "sub": "s", "aud": "a", "iat": 100, "exp": 200});
        for (name, value, problem) in [
            ("exp", json!(200.5), bad_time("exp", TimeFlaw::Fraction, "200.5")),
            ("exp", json!("200"), bad_time("exp", TimeFlaw::NumericText, "\"200\"")),
            ("exp", json!("soon"), bad_time("exp", TimeFlaw::NotANumber, "\"soon\"")),
            ("nbf", json!(null), bad_time("nbf", TimeFlaw::NotANumber, "null")),
            ("iat", json!(-5), bad_time("iat", TimeFlaw::Negative, "-5")),
            ("exp", json!(1_700_000_000_000_i64), bad_time("exp", TimeFlaw::Milliseconds, "1700000000000")),
            ("exp", json!(u64::MAX), bad_time("exp", TimeFlaw::OutOfRange, "18446744073709551615")),
            ("exp", json!(100), TokenProblem::NoLifetime { seconds: 0 }),
            ("aud", json!([]), TokenProblem::EmptyClaim { name: "aud".into() }),
            ("aud", json!(["a", "b"]), TokenProblem::SeveralAudiences { count: 2 }),
            (
                "aud",
                json!({}),
                TokenProblem::ClaimType {
                    name: "aud".into(),
                    expected: "text or a list of texts".into(),
                    found: "an object".into(),
                },
            ),
            (
                "sub",
                json!(7),
                TokenProblem::ClaimType { name: "sub".into(), expected: "text".into(), found: "a number".into() },
            ),
            ("sub", json!(""), TokenProblem::EmptyClaim { name: "sub".into() }),
            ("sub", json!("s "), TokenProblem::ClaimBlanks { name: "sub".into() }),
            ("sub", json!("a\u{200b}b"), TokenProblem::Invisible { name: "sub".into(), at: 1, character: '\u{200b}' }),
            (
                "iss",
                json!("https://\u{456}.example"),
                TokenProblem::LookAlike { name: "iss".into(), at: 8, character: '\u{456}', looks_like: 'i' },
            ),
            ("https://aws.amazon.com/roles", json!(1), TokenProblem::RolesFormat { found: "a number".into() }),
            (
                "https://aws.amazon.com/tags",
                json!({"principal_tags": {"team": "x"}}),
                TokenProblem::TagsFormat { name: "team".into() },
            ),
        ] {
            let mut claims = sound.clone();
            claims[name] = value;
            assert_eq!(with_claims(&claims.to_string()).problems, [problem], "{claims}");
        }
        for name in ["iss", "sub", "aud", "iat", "exp"] {
            let mut claims = sound.clone();
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(with_claims(&claims.to_string()).problems, [TokenProblem::MissingClaim { name: name.into() }]);
        }
        let repeated = r#"{"iss":"i","sub":"s","aud":"a","aud":"b","iat":1,"exp":2}"#;
        assert_eq!(with_claims(repeated).problems, [TokenProblem::RepeatedClaim { name: "aud".into() }]);
        let with_azp = r#"{"iss":"i","sub":"s","aud":["a","b"],"azp":"a","iat":1,"exp":2}"#;
        assert_eq!(with_claims(with_azp).problems, []);
        let cyrillic_word = r#"{"iss":"i","sub":"проект","aud":"a","iat":1,"exp":2}"#;
        assert_eq!(with_claims(cyrillic_word).problems, [], "a word in one script deceives nobody");
    }

    #[test]
    fn a_megabyte_of_any_shape_is_decoded_with_few_problems() {
        for text in [
            ".".repeat(1 << 20),
            format!("{}.{}.", part(HEADER), part(&format!("{{{}", "\"a\":[".repeat(1 << 17)))),
            format!("{}.{}.", part(HEADER), part(&format!("{{{}\"z\":1}}", "\"a\":1,".repeat(1 << 16)))),
            "A".repeat(1 << 20),
            format!(
                "{}.{}.",
                part(HEADER),
                part(&format!(
                    "{{{}\"z\":1}}",
                    (0..40_000).map(|n| format!("\"{n}\":1,\"{n}\":1,")).collect::<String>()
                ))
            ),
            format!("{}.{}.", part(HEADER), part(&format!("{{\"aud\":[{}\"\"]}}", "\" \u{200b}\",".repeat(100_000)))),
        ] {
            assert!(decode_text(&text).problems.len() < 100);
        }
    }

    proptest! {
        #[test]
        fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok((token, _)) = RawToken::clean_bytes(&bytes) {
                let _ = decode(&token);
            }
        }

        #[test]
        fn decoding_a_damaged_token_never_panics(cut in 0usize..200, at in 0usize..200, with in "\\PC") {
            let sound = format!("{}.{}.c2ln", part(HEADER),
                part(r#"{"iss":"https://i.example","sub":"repo:o/r:ref","aud":["a","b"],"iat":100,"exp":200}"#));
            let mut damaged = sound;
            damaged.truncate(damaged.len().saturating_sub(cut));
            damaged.insert_str(at.min(damaged.len()), &with);
            let decoded = decode_text(&damaged);
            prop_assert!(serde_json::to_string(&decoded).is_ok());
        }

        #[test]
        fn any_claims_object_is_shown_whole(claims in proptest::collection::btree_map("[a-z]{1,8}", any::<i64>(), 0..8)) {
            let token = with_claims(&serde_json::to_string(&claims).unwrap());
            prop_assert_eq!(token.claims.map(|c| c.len()), Some(claims.len()));
        }
    }
}
