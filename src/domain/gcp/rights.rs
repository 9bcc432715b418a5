//! Whether what IAM's policies grant covers a call at Google: whose roles hold the permission, and who has them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::admit::granted;
use super::evaluation::{EvaluatedRule, test};
use super::member::Binding;
use super::provider::PoolProvider;
use crate::domain::iam::Truth;

/// A policy that was read.
#[derive(Clone, Copy)]
pub struct PolicyOn<'a> {
    /// What it is on, in words: `the project`.
    pub place: &'a str,
    pub bindings: &'a [Binding],
}

/// Who calls.
#[derive(Clone, Copy)]
pub enum RightsOf<'a> {
    /// A token, by what the provider's mapping makes of it.
    /// `unknown` are attributes without a known value.
    Federated { provider: &'a PoolProvider, attributes: &'a Map<String, Value>, unknown: &'a [String] },
    /// A service account, by its address.
    Account(&'a str),
}

/// The permissions of roles; one that is not here could not be read.
pub type RolePermissions = BTreeMap<String, BTreeSet<String>>;

/// What the policies say to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling {
    Granted {
        role: String,
        place: String,
    },
    Withheld(Lack),
    /// What it depends on.
    Unknown(String),
}

/// Why a call is not granted.
#[derive(Clone, Debug, PartialEq)]
pub enum Lack {
    /// A role with the permission is granted where it does not count for the call.
    Elsewhere {
        role: String,
        place: String,
    },
    /// The caller has roles, and none with the permission.
    OtherRole {
        role: String,
        place: String,
    },
    /// A role with the permission is granted, and to others.
    OtherMember {
        place: String,
        rule: Box<EvaluatedRule>,
    },
    Nothing,
}

/// Rules on one permission by the policies that count for the call. `elsewhere` are those below it, which do not.
pub fn rule_on_permission(
    caller: RightsOf<'_>,
    permission: &str,
    counting: &[PolicyOn<'_>],
    elsewhere: &[PolicyOn<'_>],
    roles: &RolePermissions,
) -> Ruling {
    let mut others = Vec::new();
    let (mut open, mut of_caller) = (None, None);
    for (place, binding, rule) in concerning(caller, counting) {
        let holds = has_permission(roles, &binding.role, permission);
        match rule.matches.and(holds) {
            Truth::True => return Ruling::Granted { role: binding.role.clone(), place },
            Truth::Unknown => open = open.or_else(|| Some(depends_on(binding, &rule, &place))),
            Truth::False if rule.matches == Truth::True => of_caller = Some((binding.role.clone(), place)),
            Truth::False if holds == Truth::True => others.push((place, rule)),
            Truth::False => {}
        }
    }
    if let Some(open) = open {
        return Ruling::Unknown(open);
    }
    let below = concerning(caller, elsewhere).find(|(_, binding, rule)| {
        rule.matches == Truth::True && has_permission(roles, &binding.role, permission) == Truth::True
    });
    Ruling::Withheld(match (below, of_caller, others.into_iter().next()) {
        (Some((place, binding, _)), ..) => Lack::Elsewhere { role: binding.role.clone(), place },
        (None, Some((role, place)), _) => Lack::OtherRole { role, place },
        (None, None, Some((place, rule))) => Lack::OtherMember { place, rule: Box::new(rule) },
        (None, None, None) => Lack::Nothing,
    })
}

/// The roles of the bindings that may have the caller among their members: whose permissions are worth reading.
pub fn roles_in_question<'a>(
    policies: impl IntoIterator<Item = &'a Binding>,
    account: Option<&str>,
) -> BTreeSet<String> {
    let own = account.map(|address| format!("serviceAccount:{address}"));
    let concerns = |member: &String| {
        member.contains("/workloadIdentityPools/") || is_anybody(member) || own.as_ref() == Some(member)
    };
    policies.into_iter().filter(|one| one.members.iter().any(concerns)).map(|one| one.role.clone()).collect()
}

/// The bindings that are about callers of this kind, with what each says.
fn concerning<'a>(
    caller: RightsOf<'a>,
    policies: &'a [PolicyOn<'a>],
) -> impl Iterator<Item = (String, &'a Binding, EvaluatedRule)> {
    policies.iter().flat_map(move |policy| {
        policy.bindings.iter().filter_map(move |binding| {
            let rule = match caller {
                RightsOf::Federated { provider, attributes, unknown } => {
                    granted(provider, binding, attributes, unknown)?
                }
                RightsOf::Account(address) => granted_to_account(address, binding)?,
            };
            Some((policy.place.to_owned(), binding, rule))
        })
    })
}

fn is_anybody(member: &str) -> bool {
    ["allUsers", "allAuthenticatedUsers"].contains(&member)
}

/// What a binding says to a service account; `None` where it is about nobody of the kind.
fn granted_to_account(address: &str, binding: &Binding) -> Option<EvaluatedRule> {
    let admits = |member: &String| {
        let (result, why) = match member.split_once(':') {
            _ if is_anybody(member) => (Truth::True, "everybody"),
            Some(("serviceAccount", named)) if named.eq_ignore_ascii_case(address) => (Truth::True, "it is"),
            Some(("serviceAccount", _)) => (Truth::False, "it is another service account"),
            Some(("group" | "domain", _)) => (Truth::Unknown, "whether the account is in it is not known"),
            _ => return None,
        };
        Some(test("admits", "member", result, why).expecting([member.clone()]))
    };
    let tests: Vec<_> = binding.members.iter().filter_map(admits).collect();
    let matches = Truth::any(tests.iter().map(|test| test.result));
    let limit = if binding.is_conditional { Truth::Unknown } else { Truth::True };
    let matches = matches.and(limit);
    let rule = EvaluatedRule { index: 0, name: binding.role.clone(), effect: "Allow", matches, conditions: tests };
    (!rule.conditions.is_empty()).then_some(rule)
}

fn has_permission(roles: &RolePermissions, role: &str, permission: &str) -> Truth {
    roles.get(role).map_or(Truth::Unknown, |permissions| permissions.contains(permission).into())
}

/// What a binding's effect depends on, in words.
fn depends_on(binding: &Binding, rule: &EvaluatedRule, place: &str) -> String {
    let role = &binding.role;
    let members = rule.conditions.iter().find(|test| test.result == Truth::Unknown);
    match (rule.matches, binding.is_conditional, members) {
        (Truth::True, ..) => format!("the permissions of `{role}` could not be read"),
        (_, true, _) => format!("`{role}` on {place} is granted with a condition of IAM, which is not evaluated here"),
        (_, false, Some(test)) => {
            format!("`{role}` on {place} is granted to `{}`: {}", test.expected.join(", "), test.why)
        }
        (_, false, None) => format!("whether `{role}` on {place} is for this token is not known"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POOL: &str = "projects/123456789012/locations/global/workloadIdentityPools/pool";
    const READ: &str = "secretmanager.versions.access";
    const LIST: &str = "secretmanager.secrets.list";
    const ACCOUNT: &str = "reader@p.iam.gserviceaccount.com";

    fn binding(role: &str, member: &str) -> Binding {
        Binding { role: role.to_owned(), members: vec![member.to_owned()], is_conditional: false }
    }

    fn of_team(team: &str) -> String {
        format!("principalSet://iam.googleapis.com/{POOL}/attribute.team/{team}")
    }

    fn known() -> RolePermissions {
        let role = |name: &str, permission: &str| (name.to_owned(), BTreeSet::from([permission.to_owned()]));
        BTreeMap::from([role("accessor", READ), role("viewer", LIST)])
    }

    fn ruled(permission: &str, project: &[Binding], secret: &[Binding]) -> Ruling {
        let text = json!({
            "name": format!("{POOL}/providers/ci"), "oidc": {"issuerUri": "https://issuer.example"},
            "attributeMapping": {"google.subject": "assertion.sub", "attribute.team": "assertion.team"},
        });
        let provider = PoolProvider::parse(&text.to_string()).unwrap();
        let attributes = json!({"google.subject": "job:1", "attribute.team": "a"});
        let caller =
            RightsOf::Federated { provider: &provider, attributes: attributes.as_object().unwrap(), unknown: &[] };
        let project = PolicyOn { place: "the project", bindings: project };
        let secret = PolicyOn { place: "the secret", bindings: secret };
        match permission {
            LIST => rule_on_permission(caller, LIST, &[project], &[secret], &known()),
            _ => rule_on_permission(caller, permission, &[project, secret], &[], &known()),
        }
    }

    #[test]
    fn a_permission_is_granted_on_the_project_and_on_the_secret_itself() {
        let own = [binding("accessor", &of_team("a"))];
        let granted = |place: &str| Ruling::Granted { role: "accessor".into(), place: place.into() };
        assert_eq!(ruled(READ, &own, &[]), granted("the project"));
        assert_eq!(ruled(READ, &[], &own), granted("the secret"));
        assert_eq!(ruled(READ, &[], &[binding("accessor", "allUsers")]), granted("the secret"));
    }

    #[test]
    fn why_it_is_not_is_told_by_what_the_policies_hold() {
        let withheld = |ruling: Ruling| match ruling {
            Ruling::Withheld(lack) => lack,
            other => panic!("{other:?}"),
        };
        let viewer = [binding("viewer", &of_team("a"))];
        let (role, place) = ("viewer".to_owned(), "the secret".to_owned());
        assert_eq!(withheld(ruled(LIST, &[], &viewer)), Lack::Elsewhere { role, place });
        let (role, place) = ("viewer".to_owned(), "the project".to_owned());
        assert_eq!(
            withheld(ruled(READ, &viewer, &[binding("accessor", &of_team("b"))])),
            Lack::OtherRole { role, place }
        );
        let Lack::OtherMember { rule, .. } = withheld(ruled(READ, &[binding("accessor", &of_team("b"))], &[])) else {
            panic!("granted to others")
        };
        assert_eq!(rule.conditions[0].expected, [of_team("b")]);
        assert_eq!(withheld(ruled(READ, &[binding("accessor", "user:a@example.com")], &[])), Lack::Nothing);
    }

    #[test]
    fn what_could_not_be_read_leaves_it_open() {
        let custom = [binding("projects/p/roles/own", &of_team("a"))];
        let Ruling::Unknown(why) = ruled(READ, &custom, &[]) else { panic!("the role is not known") };
        assert_eq!(why, "the permissions of `projects/p/roles/own` could not be read");
        let limited = [Binding { is_conditional: true, ..binding("accessor", &of_team("a")) }];
        assert!(matches!(ruled(READ, &limited, &[]), Ruling::Unknown(why) if why.contains("condition of IAM")));
        // What is granted beyond doubt decides all the same.
        let both = [custom[0].clone(), binding("accessor", &of_team("a"))];
        assert!(matches!(ruled(READ, &both, &[]), Ruling::Granted { .. }));
    }

    #[test]
    fn a_service_account_is_named_by_its_address() {
        let ruled = |member: &str| {
            let bindings = [binding("accessor", member)];
            let policy = PolicyOn { place: "the project", bindings: &bindings };
            rule_on_permission(RightsOf::Account(ACCOUNT), READ, &[policy], &[], &known())
        };
        assert!(matches!(ruled(&format!("serviceAccount:{ACCOUNT}")), Ruling::Granted { .. }));
        assert!(matches!(ruled("allAuthenticatedUsers"), Ruling::Granted { .. }));
        assert!(matches!(
            ruled("serviceAccount:other@p.iam.gserviceaccount.com"),
            Ruling::Withheld(Lack::OtherMember { .. })
        ));
        assert!(
            matches!(ruled("group:all@example.com"), Ruling::Unknown(why) if why.contains("group:all@example.com"))
        );
        assert_eq!(ruled(&of_team("a")), Ruling::Withheld(Lack::Nothing));
    }

    #[test]
    fn only_roles_that_may_concern_the_caller_are_in_question() {
        let account = format!("serviceAccount:{ACCOUNT}");
        let bindings = [binding("a", "user:x@example.com"), binding("b", &of_team("z")), binding("c", &account)];
        assert_eq!(roles_in_question(&bindings, None), BTreeSet::from(["b".to_owned()]));
        assert_eq!(roles_in_question(&bindings, Some(ACCOUNT)), BTreeSet::from(["b".to_owned(), "c".to_owned()]));
    }
}
