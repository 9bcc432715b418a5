//! What can be wrong with a token in itself, before any key, clock or cloud is asked.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of a compact token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Header,
    Claims,
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Header => "header",
            Part::Claims => "payload",
            Part::Signature => "signature",
        })
    }
}

/// Why a time claim is not a whole number of seconds since 1970 (RFC 7519 NumericDate; AWS STS takes integers only).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeFlaw {
    /// A number with a fraction or exponent.
    Fraction,
    /// A whole number, written as text. AWS STS tolerates it; strict readers treat the claim as absent.
    NumericText,
    /// Text that is no number, `null`, a list, …
    NotANumber,
    /// Before 1970.
    Negative,
    /// So large that it is milliseconds rather than seconds.
    Milliseconds,
    /// After the year 9999.
    OutOfRange,
}

/// One thing wrong with, or remarkable about, a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TokenProblem {
    // The form
    /// Nothing is there.
    Empty,
    /// Not three parts divided by dots.
    PartCount { parts: usize },
    /// Five parts or an `enc` header: an encrypted token (JWE), whose claims nobody but its addressee can read.
    Encrypted,
    /// `=` at the end of a part; base64url in tokens has no padding (RFC 7515 section 2).
    Padding { part: Part },
    /// `+` or `/` in a part: plain base64 instead of base64url.
    StandardAlphabet { part: Part },
    /// A character that base64 does not have, at this offset of the part.
    BadBase64 { part: Part, at: usize, character: char },
    /// The part's length or last character cannot be the end of base64url text: characters were lost.
    CutBase64 { part: Part },
    /// The part decodes, but not to JSON, from this line and column on.
    NotJson { part: Part, line: usize, column: usize },
    /// The part is JSON, but no object.
    NotAnObject { part: Part, found: String },
    /// Longer than the 20000 characters that STS takes.
    TooLong { characters: usize },
    /// The signature part is empty.
    EmptySignature,

    // The header
    /// A header parameter that occurs more than once.
    RepeatedHeader { name: String },
    /// No `alg`, or one that is no text.
    NoAlgorithm,
    /// `alg` is `none`: nobody signed this.
    AlgorithmNone { alg: String },
    /// `alg` is of the HS family: a shared secret instead of a published key.
    AlgorithmSymmetric { alg: String },
    /// `alg` is none of RS256, RS384, RS512, ES256, ES384, ES512.
    AlgorithmUnsupported { alg: String },
    /// The header carries or points to its own key (`jku`, `x5u`, `jwk`, `x5c`). It is never followed.
    KeyInHeader { name: String },
    /// `crit` names extensions that a reader must know or refuse the token (RFC 7515 section 4.1.11).
    Critical { names: Vec<String> },
    /// No `kid`.
    KeyIdMissing,
    /// An empty `kid`.
    KeyIdEmpty,
    /// A `kid` that is no text.
    KeyIdNotText { found: String },

    // The claims
    /// A claim that occurs more than once.
    RepeatedClaim { name: String },
    /// A claim that STS requires is absent.
    MissingClaim { name: String },
    /// A claim of the wrong JSON type.
    ClaimType { name: String, expected: String, found: String },
    /// A claim that is empty text, or an empty list.
    EmptyClaim { name: String },
    /// A time claim that is not a whole number of seconds.
    BadTime { name: String, flaw: TimeFlaw, found: String },
    /// `exp` is not after `iat`.
    NoLifetime { seconds: i64 },
    /// Several audiences, and no `azp` that says which one counts.
    SeveralAudiences { count: usize },
    /// Blanks at the start or end of a claim that is compared byte for byte.
    ClaimBlanks { name: String },
    /// An invisible or steering character in a claim that is compared byte for byte, after `at` characters.
    Invisible { name: String, at: usize, character: char },
    /// A letter that looks like an ASCII letter and is another one.
    LookAlike { name: String, at: usize, character: char, looks_like: char },
    /// The `https://aws.amazon.com/roles` claim is neither a list of texts nor text.
    RolesFormat { found: String },
    /// The session tags under `https://aws.amazon.com/tags` are not lists of texts.
    TagsFormat { name: String },
    /// Values that look like tokens, keys or passwords, or are called so. They are cut, and no part of what was read.
    HoldsSecret { places: Vec<String> },
}

impl fmt::Display for TokenProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenProblem::Empty => f.write_str("there is no token: nothing but blanks"),
            TokenProblem::PartCount { parts: 1 } => {
                f.write_str("not a JWT: one part without dots, where a JWT has three")
            }
            TokenProblem::PartCount { parts } => {
                write!(f, "not a signed JWT: {parts} parts divided by dots instead of 3")
            }
            TokenProblem::Encrypted => {
                f.write_str("an encrypted token (JWE): only its addressee can read the claims, and the cloud is not it")
            }
            TokenProblem::Padding { part } => write!(f, "the {part} ends in `=`; base64url in tokens has no padding"),
            TokenProblem::StandardAlphabet { part } => {
                write!(f, "the {part} is plain base64 (`+`, `/`); tokens use base64url (`-`, `_`)")
            }
            TokenProblem::BadBase64 { part, at, character } => {
                write!(f, "the {part} is not base64url: {character:?} after {at} characters")
            }
            TokenProblem::CutBase64 { part } => {
                write!(f, "the {part} is cut off: its base64url text cannot end like this")
            }
            TokenProblem::NotJson { part, line, column } => {
                write!(f, "the {part} is not JSON from line {line}, column {column} on")
            }
            TokenProblem::NotAnObject { part, found } => write!(f, "the {part} is {found} instead of a JSON object"),
            TokenProblem::TooLong { characters } => {
                write!(f, "{characters} characters; STS takes tokens of up to 20000")
            }
            TokenProblem::EmptySignature => f.write_str("the signature part is empty"),
            TokenProblem::RepeatedHeader { name } => write!(f, "header parameter `{name}` occurs more than once"),
            TokenProblem::NoAlgorithm => f.write_str("the header names no algorithm (`alg`)"),
            TokenProblem::AlgorithmNone { alg } => write!(f, "alg `{alg}`: nobody signed this token"),
            TokenProblem::AlgorithmSymmetric { alg } => {
                write!(f, "alg `{alg}` signs with a shared secret; a published key cannot check it")
            }
            TokenProblem::AlgorithmUnsupported { alg } => write!(f, "alg `{alg}` is not one the cloud takes"),
            TokenProblem::KeyInHeader { name } => {
                write!(f, "the header carries its own key (`{name}`); it proves nothing and is not followed")
            }
            TokenProblem::Critical { names } => {
                write!(f, "the header demands extensions (`crit`: {})", names.join(", "))
            }
            TokenProblem::KeyIdMissing => f.write_str("the header names no key (`kid`)"),
            TokenProblem::KeyIdEmpty => f.write_str("the header's `kid` is empty"),
            TokenProblem::KeyIdNotText { found } => write!(f, "the header's `kid` is {found} instead of text"),
            TokenProblem::RepeatedClaim { name } => write!(f, "claim `{name}` occurs more than once"),
            TokenProblem::MissingClaim { name } => write!(f, "required claim `{name}` is missing"),
            TokenProblem::ClaimType { name, expected, found } => {
                write!(f, "claim `{name}` is {found} instead of {expected}")
            }
            TokenProblem::EmptyClaim { name } => write!(f, "claim `{name}` is empty"),
            TokenProblem::BadTime { name, flaw, .. } => match flaw {
                TimeFlaw::Fraction => write!(f, "claim `{name}` has a fraction or exponent instead of whole seconds"),
                TimeFlaw::NumericText => write!(f, "claim `{name}` is a number written as text"),
                TimeFlaw::NotANumber => write!(f, "claim `{name}` is not a number of seconds"),
                TimeFlaw::Negative => write!(f, "claim `{name}` is negative, a time before 1970"),
                TimeFlaw::Milliseconds => write!(f, "claim `{name}` is in milliseconds instead of seconds"),
                TimeFlaw::OutOfRange => write!(f, "claim `{name}` lies after the year 9999"),
            },
            TokenProblem::NoLifetime { seconds } => {
                write!(f, "`exp` is not after `iat`: a lifetime of {seconds} s")
            }
            TokenProblem::SeveralAudiences { count } => {
                write!(f, "{count} audiences and no `azp` that says which one counts")
            }
            TokenProblem::ClaimBlanks { name } => write!(f, "claim `{name}` begins or ends with a blank"),
            TokenProblem::Invisible { name, at, character } => {
                write!(
                    f,
                    "claim `{name}` holds an invisible character ({}) after {at} characters",
                    code_point(*character)
                )
            }
            TokenProblem::LookAlike { name, at, character, looks_like } => write!(
                f,
                "claim `{name}` holds {} after {at} characters, which looks like the letter {looks_like} and is not",
                code_point(*character)
            ),
            TokenProblem::RolesFormat { found } => write!(
                f,
                "claim `https://aws.amazon.com/roles` is {found}; STS takes a list of role ARNs, or text divided by `;`"
            ),
            TokenProblem::TagsFormat { name } => {
                write!(f, "session tag `{name}` under `https://aws.amazon.com/tags` is not a list of texts")
            }
            TokenProblem::HoldsSecret { places } => {
                write!(f, "cut, as it looks like a secret: {}", places.join(", "))
            }
        }
    }
}

/// `U+0430`, the usual way to write a character that must not be shown.
fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}
