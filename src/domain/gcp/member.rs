//! Members of IAM bindings: the tokens of a workload identity pool that a role is granted to.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::domain::pool_name::{ProviderName, without_host};
use crate::domain::text::json_kind;

/// A member of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// The tokens of a pool that have this.
    Pool { pool: String, who: Who },
    /// Anybody at all, `allUsers`.
    Anyone,
    /// Google's own: users, groups, service accounts, domains, `allAuthenticatedUsers`. No federated token is one
    /// (<https://cloud.google.com/iam/docs/principals-overview>).
    Other,
}

/// Which tokens of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Those with this `google.subject`.
    Subject(String),
    /// Those with this `attribute.NAME`.
    Attribute { name: String, value: String },
    /// Those with this among their `google.groups`.
    Group(String),
    /// All of them.
    Everyone,
}

impl Member {
    /// Reads a member as IAM policies have it; `None` where it begins like a pool's and is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "allUsers" {
            return Some(Member::Anyone);
        }
        let single = text.strip_prefix("principal:");
        let Some(name) = single.or_else(|| text.strip_prefix("principalSet:")) else { return Some(Member::Other) };
        let name = name.strip_prefix("//iam.googleapis.com/")?;
        let (before, rest) = name.split_once("/workloadIdentityPools/")?;
        let (pool, who) = rest.split_once('/')?;
        let pool = format!("{before}/workloadIdentityPools/{pool}");
        let (kind, value) = who.split_once('/').unwrap_or((who, ""));
        let who = match (single.is_some(), kind, value) {
            (true, "subject", value) if !value.is_empty() => Who::Subject(value.to_owned()),
            (false, "group", value) if !value.is_empty() => Who::Group(value.to_owned()),
            (false, "*", "") => Who::Everyone,
            (false, kind, value) if !value.is_empty() => {
                Who::Attribute { name: kind.strip_prefix("attribute.")?.to_owned(), value: value.to_owned() }
            }
            _ => return None,
        };
        Some(Member::Pool { pool, who })
    }
}

/// What is wrong with a text that begins like a pool's member and is none; `None` where it is a set of Google's own
/// resources, which may have a token in it.
pub fn member_fault(text: &str) -> Option<&'static str> {
    let Some((_, rest)) = text.split_once("//iam.googleapis.com/") else {
        let is_of_resources = text.contains("//cloudresourcemanager.googleapis.com/");
        return (!is_of_resources).then_some("it begins with no `//iam.googleapis.com/`");
    };
    let Some((_, behind)) = rest.split_once("/workloadIdentityPools/") else {
        return Some(match rest.contains("workforcePools/") {
            true => "it is of a workforce pool, which signs people in",
            false => "it names no `/workloadIdentityPools/`",
        });
    };
    let who = behind.split_once('/').map_or("", |(_, who)| who);
    Some(match (text.starts_with("principal:"), who) {
        (_, "") => "it names a pool and nobody of it; all of them are `/*` behind it",
        (_, who) if who.starts_with("providers/") => "it names a provider; a member names the pool alone",
        (true, _) => "`principal://` names one `subject/…`; a set by an attribute or group is a `principalSet://`",
        (false, who) if who.starts_with("subject/") => "one subject is a `principal://`, and no set",
        (false, who) if who.starts_with("attribute.") => "behind the attribute's name its value is missing",
        (false, _) => "an attribute is written `attribute.NAME/VALUE`",
    })
}

impl Who {
    /// The value that it names.
    pub fn value(&self) -> &str {
        match self {
            Who::Subject(value) | Who::Group(value) | Who::Attribute { value, .. } => value,
            Who::Everyone => "*",
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Who::Subject(subject) => write!(f, "subject/{subject}"),
            Who::Attribute { name, value } => write!(f, "attribute.{name}/{value}"),
            Who::Group(group) => write!(f, "group/{group}"),
            Who::Everyone => f.write_str("*"),
        }
    }
}

/// The member that one token is, by its subject.
pub fn principal(provider: &ProviderName, subject: &str) -> String {
    format!("principal://iam.googleapis.com/{}/subject/{subject}", provider.pool_name())
}

/// A role, and who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Binding {
    pub role: String,
    pub members: Vec<String>,
    /// Whether a condition of IAM stands beside it, on the time or the resource.
    pub is_conditional: bool,
}

/// Why a text holds no IAM policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    #[error("the IAM policy's file is empty")]
    Empty,
    #[error("line {line}, column {column}: not JSON: {detail}")]
    NotJson { line: usize, column: usize, detail: String },
    #[error("it is {found} instead of an IAM policy's JSON object")]
    NotAnObject { found: &'static str },
    #[error("`{field}` is not what an IAM policy has there")]
    Malformed { field: &'static str },
}

/// Reads the answer of `gcloud … get-iam-policy`. A policy without bindings grants nothing.
///
/// # Errors
///
/// Where the text holds no policy.
pub fn bindings(text: &str) -> Result<Vec<Binding>, BindingError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(BindingError::Empty);
    }
    let value: Value = serde_json::from_str(text).map_err(|error| BindingError::NotJson {
        line: error.line(),
        column: error.column(),
        detail: error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
    })?;
    let Value::Object(policy) = value else { return Err(BindingError::NotAnObject { found: json_kind(&value) }) };
    if !["bindings", "etag", "version"].iter().any(|key| policy.contains_key(*key)) {
        return Err(BindingError::Malformed { field: "bindings" });
    }
    match policy.get("bindings") {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(binding).collect(),
        Some(_) => Err(BindingError::Malformed { field: "bindings" }),
    }
}

fn binding(item: &Value) -> Result<Binding, BindingError> {
    let object = item.as_object().ok_or(BindingError::Malformed { field: "bindings" })?;
    let role = text(object, "role").ok_or(BindingError::Malformed { field: "bindings.role" })?;
    let members = match object.get("members") {
        None => Vec::new(),
        Some(Value::Array(members)) => members
            .iter()
            .map(|member| member.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or(BindingError::Malformed { field: "bindings.members" })?,
        Some(_) => return Err(BindingError::Malformed { field: "bindings.members" }),
    };
    Ok(Binding { role, members, is_conditional: object.get("condition").is_some_and(Value::is_object) })
}

fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// Whether two names are of one pool; `None` where one has the project's id and the other its number.
pub(super) fn is_same_pool(one: &str, other: &str) -> Option<bool> {
    let (one, other) = (without_host(one), without_host(other));
    if one == other {
        return Some(true);
    }
    let parts = |name: &str| {
        name.strip_prefix("projects/").and_then(|n| n.split_once('/')).map(|(p, r)| (p.to_owned(), r.to_owned()))
    };
    match (parts(one), parts(other)) {
        (Some((first, rest)), Some((second, other))) if rest == other => {
            let is_number = |project: &str| project.bytes().all(|byte| byte.is_ascii_digit());
            (is_number(&first) == is_number(&second)).then_some(false)
        }
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";

    #[test]
    fn members_are_read_in_every_form() {
        let pool = |who| Some(Member::Pool { pool: POOL.to_owned(), who });
        let set = |rest: &str| Member::parse(&format!("principalSet://iam.googleapis.com/{POOL}/{rest}"));
        let one = |rest: &str| Member::parse(&format!("principal://iam.googleapis.com/{POOL}/{rest}"));
        assert_eq!(
            one("subject/repo:o/r:ref:refs/heads/a/b"),
            pool(Who::Subject("repo:o/r:ref:refs/heads/a/b".into()))
        );
        let attribute = Who::Attribute { name: "repository".into(), value: "o/r".into() };
        assert_eq!(set("attribute.repository/o/r"), pool(attribute));
        assert_eq!(set("group/g"), pool(Who::Group("g".into())));
        assert_eq!(set("*"), pool(Who::Everyone));
        assert_eq!(Member::parse("serviceAccount:a@b.iam.gserviceaccount.com"), Some(Member::Other));
        assert_eq!(Member::parse("allUsers"), Some(Member::Anyone));
        for none in [set("subject/x"), one("*"), one("attribute.a/b"), set("attribute.a/"), set(""), set("team/a")] {
            assert_eq!(none, None);
        }
        let shown = Member::parse(&format!("principalSet://iam.googleapis.com/{POOL}/attribute.a/b/c"));
        assert!(matches!(shown, Some(Member::Pool { who, .. }) if who.to_string() == "attribute.a/b/c"));
    }

    #[test]
    fn pools_are_told_apart_as_far_as_can_be() {
        assert_eq!(is_same_pool(POOL, &format!("//iam.googleapis.com/{POOL}")), Some(true));
        assert_eq!(is_same_pool(POOL, &POOL.replace("/pool", "/other")), Some(false));
        assert_eq!(is_same_pool(POOL, &POOL.replace("123456789012", "210987654321")), Some(false));
        assert_eq!(is_same_pool(POOL, &POOL.replace("123456789012", "my-project")), None);
    }

    #[test]
    fn a_policy_is_read_as_gcloud_prints_it() {
        let text = r#"{"bindings": [{"role": "roles/x", "members": ["user:a@b.c"]},
            {"role": "roles/y", "condition": {"expression": "true"}}], "etag": "BwX", "version": 3}"#;
        let read = bindings(text).unwrap();
        assert_eq!(read[0].members, ["user:a@b.c"]);
        assert!(!read[0].is_conditional && read[1].is_conditional);
        assert_eq!(bindings(r#"{"etag": "ACAB"}"#).unwrap(), []);
        for (text, part) in [
            ("", "empty"),
            ("bindings:", "line 1"),
            ("[]", "a list"),
            ("{}", "`bindings`"),
            (r#"{"bindings": [{"members": []}]}"#, "`bindings.role`"),
            (r#"{"bindings": [{"role": "r", "members": [1]}]}"#, "`bindings.members`"),
        ] {
            let error = bindings(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text} {error}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_member_is_told() {
        let pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p";
        for (text, told) in [
            (format!("principalSet:{pool}/subject/s"), "is a `principal://`"),
            (format!("principal:{pool}/attribute.team/a"), "is a `principalSet://`"),
            (format!("principalSet:{pool}/team/a"), "`attribute.NAME/VALUE`"),
            (format!("principalSet:{pool}/attribute.team"), "value is missing"),
            (format!("principalSet:{pool}/providers/ci/attribute.team/a"), "names a provider"),
            (format!("principalSet:{pool}"), "nobody of it"),
            ("principalSet://iam.googleapis.com/locations/global/workforcePools/w/*".to_owned(), "workforce pool"),
            (
                "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPool/p/*".to_owned(),
                "no `/workloadIdentityPools/`",
            ),
            (format!("principalSet:{}", pool.replace("iam.googleapis.com/", "")), "begins with no"),
        ] {
            assert_eq!(Member::parse(&text), None, "{text}");
            assert!(member_fault(&text).is_some_and(|fault| fault.contains(told)), "{text}: {:?}", member_fault(&text));
        }
        assert_eq!(member_fault("principalSet://cloudresourcemanager.googleapis.com/projects/1"), None);
    }
}
