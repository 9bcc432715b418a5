//! What a text says besides its cause: who, what, where, and the ids a vendor's support asks for.

use serde::Serialize;

use super::clean::Clean;
use super::clean::{
    LONGEST, after, as_issuer, between, first_part, host, identifier, kept, parameter, quoted_after, region_of_host,
    word_after,
};
use super::scan::{EntraCode, Fired};
use crate::domain::iam::AuthorizationId;
use crate::domain::text::quote;

/// The parts that were read out of an error text. All of them are quotations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(default)]
pub struct Parsed {
    /// The error's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The call that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The right that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What it was asked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The policy type a denial names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Every ARN in the message, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arns: Vec<String>,
    /// The AWS account: of the role or resource, not of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The host that was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The issuer, subject and audience that the cloud saw in the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Entra's codes, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aadsts: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The object id of who asked a vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The address a firewall saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    /// What IAM keeps the denial by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_id: Option<String>,
    /// For `sts:DecodeAuthorizationMessage`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoded_message: Option<String>,
}

/// How much of the text around the message is read.
const BEFORE: usize = 1_500;
const AFTER: usize = 4_000;

impl Parsed {
    /// Every part with its label, in the order in which they are shown; `None` for what the text does not say.
    pub fn parts(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("message", self.message.clone()),
            ("operation", self.operation.clone()),
            ("action", self.action.clone()),
            ("resource", self.resource.clone()),
            ("by", self.principal.clone()),
            ("reason", self.reason.clone()),
            ("issuer", self.issuer.clone()),
            ("subject", self.subject.clone()),
            ("audience", self.audience.clone()),
            ("account", self.account.clone()),
            ("region", self.region.clone()),
            ("host", self.host.clone()),
            ("tenant", self.tenant.clone()),
            ("client id", self.client_id.clone()),
            ("object id", self.object_id.clone()),
            ("vault", self.vault.clone()),
            ("secret", self.secret.clone()),
            ("address", self.client_address.clone()),
            ("status", self.http_status.map(|status| status.to_string())),
            ("request id", self.request_id.clone()),
            ("trace id", self.trace_id.clone()),
            ("correlation", self.correlation_id.clone()),
            ("time", self.timestamp.clone()),
            ("authorization id", self.authorization_id.clone()),
            ("what denied it", self.authorization_command()),
        ]
    }
}

impl Parsed {
    /// Who may asks IAM with this what denied the request; ids of the older form can no more be looked up.
    fn authorization_command(&self) -> Option<String> {
        let id = AuthorizationId { id: self.authorization_id.clone()?, region: self.region.clone() };
        let region = id.region.as_deref().map(|region| format!(" --region {}", quote(region))).unwrap_or_default();
        let command =
            format!("aws iam-toolbox get-request-authorization-details --authorization-id {}{region}", quote(&id.id));
        id.is_current().then_some(command)
    }
}

/// Reads the parts around the message that decided.
pub(super) fn parse(clean: &Clean, at: Option<Fired>, codes: &[EntraCode]) -> (Parsed, Option<String>) {
    let text = clean.text.as_str();
    let (start, end) = at.map_or((0, 0), |fired| (fired.start, fired.end));
    let focus = window(clean, start, end);
    let focus = focus.as_str();
    let code = code_near(text, start, end, codes);
    let authorization = AuthorizationId::find(focus);
    let mut parsed = Parsed {
        message: at.map(|fired| message(clean, fired, code.as_ref())),
        operation: operation(focus),
        action: word_after(focus, &["not authorized to perform: ", "not authorized to perform "])
            .filter(|word| word != "action")
            .or_else(|| quoted_after(focus, &["Action: ", "perform action ", "Permission "])),
        resource: after(focus, &["on resource: "])
            .map(|rest| rest.split([' ', '"', '\'', '\\']).next().unwrap_or(rest))
            .map(|resource| resource.split("</").next().unwrap_or(resource))
            .and_then(kept)
            .or_else(|| quoted_after(focus, &["Resource: ", "denied for resource ", "over scope "])),
        principal: between(focus, "User: ", " is not authorized")
            .or_else(|| between(focus, "The user, group or application '", "' does not have")),
        reason: reason(focus),
        arns: arns(focus),
        issuer: quoted_after(focus, &["Assertion Issuer: ", "assertion issuer "])
            .or_else(|| {
                word_after(focus, &["No OpenIDConnect provider found in your account for ", "identity provider https"])
                    .map(as_issuer)
            })
            .or_else(|| between(focus, "The issuer in ID Token ", " does not match")),
        subject: quoted_after(focus, &["Assertion Subject: ", "assertion subject "]),
        audience: quoted_after(focus, &["Assertion Audience: ", "assertion audience "]),
        tenant: quoted_after(
            focus,
            &["AADSTS90002: Tenant ", "in the directory ", "in the tenant named ", "in the tenant "],
        )
        .or_else(|| between(focus, "iss=https://sts.windows.net/", "/")),
        client_id: quoted_after(
            focus,
            &["Application with identifier ", "for app ", "added to app ", "client application "],
        )
        .or_else(|| parameter(focus, "appid=")),
        object_id: parameter(focus, "oid="),
        vault: quoted_after(focus, &["on key vault "]).or_else(|| parameter(focus, "Vault: ")).map(|v| first_part(&v)),
        secret: word_after(focus, &["A secret with (name/id) "]).or_else(|| between(focus, "secrets/", "/versions")),
        client_address: word_after(focus, &["Client address: "]).filter(|a| a.bytes().any(|b| b.is_ascii_digit())),
        host: host(text, start, end),
        http_status: status(focus),
        request_id: identifier(
            focus,
            &[
                "RequestId: ",
                "RequestID: ",
                "Request ID: ",
                "request id: ",
                "<RequestId>",
                "requestId\":\"",
                "aws_request_id\": \"",
            ],
        ),
        trace_id: identifier(focus, &["Trace ID: ", "trace_id\":\"", "trace_id\": \""]),
        correlation_id: identifier(focus, &["Correlation ID: ", "correlation_id\":\"", "correlation_id\": \""]),
        timestamp: after(focus, &["Timestamp: ", "timestamp\":\""]).and_then(|rest| rest.get(..20)).and_then(kept),
        authorization_id: authorization.as_ref().map(|found| found.id.clone()),
        region: authorization.and_then(|found| found.region),
        encoded_message: word_after(focus, &["Encoded authorization failure message: "]),
        ..Parsed::default()
    };
    for code in codes {
        if !parsed.aadsts.contains(&code.number) && parsed.aadsts.len() < 16 {
            parsed.aadsts.push(code.number);
        }
    }
    parsed.locate(focus);
    (parsed, code.map(|code| code.name))
}

impl Parsed {
    /// Fills in region and account from the ARN that is meant, from the host that answered, and from the words themselves.
    fn locate(&mut self, focus: &str) {
        let of_resource = self.resource.as_deref().filter(|resource| resource.starts_with("arn:")).map(str::to_owned);
        if let Some(arn) = of_resource.or_else(|| role_arn(&self.arns)) {
            let fields: Vec<&str> = arn.splitn(6, ':').collect();
            let region = fields.get(3).filter(|field| !field.is_empty()).map(|field| (*field).to_owned());
            self.region = self.region.take().or(region);
            self.account = fields.get(4).filter(|field| is_account(field)).map(|field| (*field).to_owned());
        }
        if let Some(region) = self.host.as_deref().and_then(region_of_host) {
            self.region.get_or_insert(region);
        }
        if self.account.is_none() {
            self.account = word_after(focus, &["for account:"]).filter(|account| is_account(account));
        }
    }
}

/// The text around the message that fired a rule.
pub(super) fn around(clean: &Clean, fired: Fired) -> String {
    window(clean, fired.start, fired.end)
}

/// The text around a message: its own line and what follows first, because what stands before may belong to another error.
fn window(clean: &Clean, start: usize, end: usize) -> String {
    let text = clean.text.as_str();
    let from = text.floor_char_boundary(start.saturating_sub(BEFORE));
    let to = text.floor_char_boundary(end.saturating_add(AFTER).min(text.len()));
    let line = clean.line_start(start).max(from);
    format!("{} {}", &text[line..to], &text[from..line])
}

/// A code and where it stands.
struct Code {
    name: String,
    start: usize,
}

/// Codes that clouds use, as they are written; the longer forms of one code first.
const CODES: &[&str] = &[
    "AccessDeniedException",
    "AccessDenied",
    "InvalidIdentityTokenException",
    "InvalidIdentityToken",
    "IDPCommunicationError",
    "IDPRejectedClaim",
    "ExpiredTokenException",
    "ExpiredToken",
    "MalformedPolicyDocument",
    "PackedPolicyTooLarge",
    "RegionDisabledException",
    "ValidationError",
    "InternalFailure",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "RequestExpired",
    "ThrottlingException",
    "Throttling",
    "ResourceNotFoundException",
    "InvalidRequestException",
    "InvalidParameterException",
    "DecryptionFailure",
    "EncryptionFailure",
    "KMSInvalidStateException",
    "NoSuchEntity",
    "OpenIdIdpCommunicationError",
    "ForbiddenByRbac",
    "ForbiddenByFirewall",
    "ForbiddenByConnection",
    "ForbiddenByPolicy",
    "SecretDisabled",
    "SecretNotFound",
    "VaultNotFound",
    "BadParameter",
    "AuthorizationFailed",
    "AKV10000",
    "AKV10022",
    "AKV10032",
    "AKV10046",
    "invalid_target",
    "invalid_grant",
    "invalid_client",
    "invalid_request",
    "unauthorized_client",
    "quota_exceeded",
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "FAILED_PRECONDITION",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
];

/// The code that belongs to the message: inside it, else the nearest before it, else the nearest behind it.
fn code_near(text: &str, start: usize, end: usize, codes: &[EntraCode]) -> Option<Code> {
    let entra = codes
        .iter()
        .filter(|code| code.start <= end + 400 && start <= code.end + 400)
        .min_by_key(|code| code.start.abs_diff(start))
        .map(|code| Code { name: format!("AADSTS{}", code.number), start: code.start });
    if entra.is_some() {
        return entra;
    }
    let from = text.floor_char_boundary(start.saturating_sub(200));
    let to = text.floor_char_boundary(end.saturating_add(300).min(text.len()));
    let window = &text[from..to];
    CODES
        .iter()
        .enumerate()
        .flat_map(|(rank, name)| window.match_indices(name).map(move |(at, _)| (rank, *name, from + at)))
        .min_by_key(|(rank, _, at)| {
            let behind = *at >= end;
            (behind, if behind { at - end } else { start.abs_diff(*at) }, *rank)
        })
        .map(|(_, name, start)| Code { name: name.to_owned(), start })
}

/// Where the words begin that open a message before its code in brackets, such as `An error occurred (`.
fn opening(text: &str, line: usize, code: usize) -> usize {
    const LONGEST_OPENING: usize = 60;
    let Some(before) = text.get(line..code).filter(|before| before.ends_with('(')) else { return code };
    let start = before.rfind(": ").map_or(0, |at| at + 2);
    if before.len() - start <= LONGEST_OPENING { line + start } else { code - 1 }
}

/// The message: from its code or its line's beginning to its end.
fn message(clean: &Clean, fired: Fired, code: Option<&Code>) -> String {
    let text = clean.text.as_str();
    let line = clean.line_start(fired.start);
    let from = match code {
        Some(code) if code.start <= fired.start && fired.start - code.start <= 400 => opening(text, line, code.start),
        _ => line.max(fired.start.saturating_sub(300)),
    };
    let from = text.floor_char_boundary(from);
    let line_end = clean.line_end(fired.end.saturating_sub(1));
    let to = text.floor_char_boundary(line_end.max(fired.end).min(from + 700).max(fired.end));
    let whole = &text[from..to];
    let cut = [" Trace ID:", "</Message>", "\",\"error_codes\"", "\",\"", "\"}", ", meta:", " status code: "]
        .iter()
        .filter_map(|mark| whole.find(mark))
        .filter(|at| from + at >= fired.end)
        .min()
        .unwrap_or(whole.len());
    whole[..cut].trim().to_owned()
}

fn operation(text: &str) -> Option<String> {
    let named = after(text, &["when calling the ", "calling the "]).and_then(|rest| rest.split(' ').next());
    let go = after(text, &["operation error "])
        .and_then(|rest| rest.split_once(": "))
        .and_then(|(_, rest)| rest.split([',', ' ']).next());
    named.or(go).filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())).map(str::to_owned)
}

fn reason(text: &str) -> Option<String> {
    if let Some(rest) = after(text, &["with an explicit deny in "]) {
        let end = rest
            .find(['.', '\n', '"', ':', '<'])
            .unwrap_or(rest.len())
            .min(rest.floor_char_boundary(60.min(rest.len())));
        return kept(&format!("explicit deny in {}", rest[..end].trim()));
    }
    let rest = after(text, &["because no "])?;
    let end = rest.find(" allows")?;
    (end < 60).then(|| format!("no {}", &rest[..end]))
}

fn arns(text: &str) -> Vec<String> {
    let mut arns = Vec::new();
    for (at, _) in text.match_indices("arn:aws") {
        let arn = text[at..].split([' ', '"', '\'', ',', '<', '>', ')', ']', '`']).next().unwrap_or_default();
        let arn = arn.trim_end_matches(['.', ';', ':']).to_owned();
        if arn.len() > 12 && arn.len() <= LONGEST && !arns.contains(&arn) && arns.len() < 12 {
            arns.push(arn);
        }
    }
    arns
}

fn role_arn(arns: &[String]) -> Option<String> {
    arns.iter()
        .find(|arn| arn.contains(":role/"))
        .or_else(|| arns.iter().find(|arn| !arn.contains(":assumed-role/")))
        .cloned()
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn status(text: &str) -> Option<u16> {
    let marks = [
        "StatusCode: ",
        "status code: ",
        "Status Code: ",
        "Status=",
        "StatusCode=",
        "HTTP status ",
        "HTTP/1.1 ",
        "HTTP ",
        "HTTP response code ",
        "\"status\": ",
        "\"code\": ",
        "statusCode\":",
    ];
    let digits = word_after(text, &marks)?;
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|status| (100..600).contains(status))
}
