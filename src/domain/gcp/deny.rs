//! Deny policies of IAM: who may not use which permission, whatever a binding grants
//! (<https://cloud.google.com/iam/docs/deny-overview>).

use serde::Serialize;
use serde_json::Value;

use super::admit::granted;
use super::member::Binding;
use super::rights::RightsOf;
use crate::domain::iam::Truth;

/// Everybody there is, as deny policies write it.
const EVERYBODY: &str = "principalSet://goog/public:all";
/// What stands before a service account's address.
const ACCOUNT: &str = "principal://iam.googleapis.com/projects/-/serviceAccounts/";

/// A deny policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DenyPolicy {
    /// `policies/cloudresourcemanager.googleapis.com%2Fprojects%2FNUMBER/denypolicies/ID`.
    pub name: String,
    pub rules: Vec<DenyRule>,
}

/// One of its rules. Permissions are in the form of IAM v2, `secretmanager.googleapis.com/versions.access`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DenyRule {
    pub denied_principals: Vec<String>,
    pub exception_principals: Vec<String>,
    pub denied_permissions: Vec<String>,
    pub exception_permissions: Vec<String>,
    /// An expression over the tags of the resource.
    pub condition: Option<String>,
}

/// What deny policies say to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The name of the policy, and the principal of its rule that is the caller or has it in it.
    Denied {
        policy: String,
        principal: String,
    },
    /// What it depends on.
    Unknown(String),
    None,
}

impl DenyPolicy {
    /// Reads IAM's answer about one; `None` where it is none.
    pub fn read(answer: &Value) -> Option<Self> {
        let name = answer["name"].as_str()?.to_owned();
        let rules = answer["rules"].as_array().map_or(&[][..], Vec::as_slice);
        let rules = rules.iter().map(|rule| DenyRule::read(&rule["denyRule"])).collect::<Option<_>>()?;
        Some(DenyPolicy { name, rules })
    }

    /// Its own name, the last part of the whole one.
    pub fn id(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}

impl DenyRule {
    fn read(rule: &Value) -> Option<Self> {
        rule.as_object()?;
        // A list that is there and is none would make a denial look narrower than it is.
        let texts = |name: &str| match rule.get(name) {
            None => Some(Vec::new()),
            Some(listed) => listed.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        };
        let condition = rule.get("denialCondition").filter(|condition| condition.is_object());
        Some(DenyRule {
            denied_principals: texts("deniedPrincipals")?,
            exception_principals: texts("exceptionPrincipals")?,
            denied_permissions: texts("deniedPermissions")?,
            exception_permissions: texts("exceptionPermissions")?,
            condition: condition.map(|condition| condition["expression"].as_str().unwrap_or_default().to_owned()),
        })
    }

    /// Whether it is about the permission, which is given in the form of roles: `secretmanager.versions.access`.
    pub fn is_about(&self, permission: &str) -> bool {
        let named = |patterns: &[String]| patterns.iter().any(|pattern| covers(pattern, permission));
        named(&self.denied_permissions) && !named(&self.exception_permissions)
    }
}

/// Whether a permission of a deny policy, or a group of them such as `secretmanager.googleapis.com/versions.*`, is or
/// has the one that a role calls `secretmanager.versions.access`.
fn covers(pattern: &str, permission: &str) -> bool {
    let (Some((service, verbs)), Some((own_service, own))) = (pattern.split_once('/'), permission.split_once('.'))
    else {
        return false;
    };
    let host = match own_service {
        "resourcemanager" => "cloudresourcemanager",
        other => other,
    };
    if service.strip_suffix(".googleapis.com") != Some(host) {
        return false;
    }
    let (Some((kind, verb)), Some((own_kind, own_verb))) = (verbs.rsplit_once('.'), own.rsplit_once('.')) else {
        return false;
    };
    [(kind, own_kind), (verb, own_verb)].iter().all(|(pattern, own)| *pattern == "*" || pattern == own)
}

/// The first denial of a permission; what depends on something is told where nothing denies beyond doubt.
pub fn rule_on_denial<'p>(
    caller: RightsOf<'_>,
    permission: &str,
    policies: impl IntoIterator<Item = &'p DenyPolicy>,
) -> Denial {
    let mut open = Denial::None;
    for policy in policies {
        for rule in policy.rules.iter().filter(|rule| rule.is_about(permission)) {
            let excepted = Truth::any(rule.exception_principals.iter().map(|text| is_in(caller, text)));
            for principal in &rule.denied_principals {
                let limit = if rule.condition.is_some() { Truth::Unknown } else { Truth::True };
                match is_in(caller, principal).and(!excepted).and(limit) {
                    Truth::True => {
                        return Denial::Denied { policy: policy.name.clone(), principal: principal.clone() };
                    }
                    Truth::Unknown if open == Denial::None => {
                        open = Denial::Unknown(depends_on(policy, rule, principal))
                    }
                    Truth::Unknown | Truth::False => {}
                }
            }
        }
    }
    open
}

fn depends_on(policy: &DenyPolicy, rule: &DenyRule, principal: &str) -> String {
    let id = policy.id();
    match &rule.condition {
        Some(condition) => format!(
            "the deny policy `{id}` denies it to `{principal}` under the condition `{condition}`, which rests on tags that are not read"
        ),
        None => format!(
            "whether the deny policy `{id}`, which denies it to `{principal}`, is about the reader is not known"
        ),
    }
}

/// Whether a caller is the principal that a deny policy names, or in its set.
fn is_in(caller: RightsOf<'_>, principal: &str) -> Truth {
    if principal == EVERYBODY {
        return Truth::True;
    }
    if principal.contains("//cloudresourcemanager.googleapis.com/") {
        return Truth::Unknown;
    }
    match caller {
        RightsOf::Federated { provider, attributes, unknown } => {
            let only = Binding { role: String::new(), members: vec![principal.to_owned()], is_conditional: false };
            granted(provider, &only, attributes, unknown).map_or(Truth::False, |rule| rule.matches)
        }
        RightsOf::Account(address) => match principal.strip_prefix(ACCOUNT) {
            Some(named) => named.eq_ignore_ascii_case(address).into(),
            // A group may have service accounts in it.
            None if principal.starts_with("principalSet://goog/group/") => Truth::Unknown,
            None => Truth::False,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::gcp::PoolProvider;

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";
    const READ: &str = "secretmanager.versions.access";
    const READER: &str = "reader@p.iam.gserviceaccount.com";

    fn policy(rule: &Value) -> DenyPolicy {
        let name = "policies/cloudresourcemanager.googleapis.com%2Ffolders%2F1/denypolicies/no-reads";
        DenyPolicy::read(&json!({"name": name, "rules": [{"denyRule": rule}]})).unwrap()
    }

    fn rule(denied: &[&str], excepted: &[&str], permission: &str) -> Value {
        json!({"deniedPrincipals": denied, "exceptionPrincipals": excepted, "deniedPermissions": [permission]})
    }

    fn to_token(rule: &Value) -> Denial {
        let text = json!({
            "name": format!("{POOL}/providers/ci"), "oidc": {"issuerUri": "https://issuer.example"},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.team": "assertion.team"},
        });
        let provider = PoolProvider::parse(&text.to_string()).unwrap();
        let attributes = json!({"google.subject": "job:1", "attribute.team": "a"});
        let unknown = ["attribute.ref".to_owned()];
        let caller =
            RightsOf::Federated { provider: &provider, attributes: attributes.as_object().unwrap(), unknown: &unknown };
        rule_on_denial(caller, READ, [&policy(rule)])
    }

    #[test]
    fn a_principal_is_denied_unless_it_is_an_exception() {
        const EXACT: &str = "secretmanager.googleapis.com/versions.access";
        let set = |rest: &str| format!("principalSet://iam.googleapis.com/{POOL}/{rest}");
        let subject = format!("principal://iam.googleapis.com/{POOL}/subject/job:1");
        let account = format!("{ACCOUNT}{READER}");
        let (whole, team, other) = (set("*"), set("attribute.team/a"), set("attribute.team/b"));
        let (by_ref, in_project) =
            (set("attribute.ref/x"), "principalSet://cloudresourcemanager.googleapis.com/projects/1");
        for (denied, excepted, expected) in [
            (EVERYBODY, None, Truth::True),
            (&*subject, None, Truth::True),
            (&*whole, None, Truth::True),
            (&*team, None, Truth::True),
            (&*other, None, Truth::False),
            (&*account, None, Truth::False),
            ("principal://goog/subject/a@example.com", None, Truth::False),
            (&*by_ref, None, Truth::Unknown),
            (in_project, None, Truth::Unknown),
            (EVERYBODY, Some(&*subject), Truth::False),
            (EVERYBODY, Some(&*team), Truth::False),
            (EVERYBODY, Some(&*other), Truth::True),
            (EVERYBODY, Some(&*by_ref), Truth::Unknown),
        ] {
            let excepted: Vec<&str> = excepted.into_iter().collect();
            let told = match to_token(&rule(&[denied], &excepted, EXACT)) {
                Denial::Denied { principal, .. } => {
                    assert_eq!(principal, denied);
                    Truth::True
                }
                Denial::Unknown(_) => Truth::Unknown,
                Denial::None => Truth::False,
            };
            assert_eq!(told, expected, "{denied} but {excepted:?}");
        }
    }

    #[test]
    fn a_permission_is_denied_by_its_name_or_a_group_of_names() {
        for (pattern, is_about) in [
            ("secretmanager.googleapis.com/versions.access", true),
            ("secretmanager.googleapis.com/versions.*", true),
            ("secretmanager.googleapis.com/*.access", true),
            ("secretmanager.googleapis.com/*.*", true),
            ("secretmanager.googleapis.com/versions.get", false),
            ("secretmanager.googleapis.com/secrets.*", false),
            ("iam.googleapis.com/versions.access", false),
            // As roles have it.
            ("secretmanager.versions.access", false),
        ] {
            let denied = to_token(&rule(&[EVERYBODY], &[], pattern)) != Denial::None;
            assert_eq!(denied, is_about, "{pattern}");
        }
        let mut but_for_one = rule(&[EVERYBODY], &[], "secretmanager.googleapis.com/versions.*");
        but_for_one["exceptionPermissions"] = json!(["secretmanager.googleapis.com/versions.access"]);
        assert_eq!(to_token(&but_for_one), Denial::None);
    }

    #[test]
    fn a_condition_leaves_it_open_and_a_service_account_is_named_by_its_address() {
        let mut limited = rule(&[EVERYBODY], &[], "secretmanager.googleapis.com/versions.access");
        limited["denialCondition"] = json!({"expression": "resource.matchTag('1/env', 'prod')"});
        let Denial::Unknown(why) = to_token(&limited) else { panic!("tags are not read") };
        assert!(why.contains("`no-reads`") && why.contains("matchTag"), "{why}");
        let to_account = |principal: &str| {
            let held = policy(&rule(&[principal], &[], "secretmanager.googleapis.com/versions.access"));
            rule_on_denial(RightsOf::Account(READER), READ, [&held])
        };
        assert!(matches!(to_account(&format!("{ACCOUNT}{READER}")), Denial::Denied { .. }));
        assert_eq!(to_account(&format!("{ACCOUNT}other@p.iam.gserviceaccount.com")), Denial::None);
        assert!(matches!(to_account("principalSet://goog/group/all@example.com"), Denial::Unknown(_)));
        assert!(matches!(to_account(EVERYBODY), Denial::Denied { .. }));
    }

    #[test]
    fn what_is_no_deny_policy_is_not_read_as_an_empty_one() {
        assert_eq!(DenyPolicy::read(&json!({"rules": []})), None);
        assert_eq!(DenyPolicy::read(&json!({"name": "x", "rules": [{"denyRule": {"deniedPrincipals": "all"}}]})), None);
        assert_eq!(DenyPolicy::read(&json!({"name": "x"})).unwrap().rules, []);
    }
}
