//! The policies in force, as an operator read them, evaluated for the reads of this run: the reader's own with their
//! boundary, the secret's, the key's with its grants, and those of whoever assumes the reader's role.

use std::collections::BTreeMap;

use super::operator::{AwsSide, PolicyInForce, PrincipalSide};
use super::trust::{PermissionsFact, likely_arn, prefixed_arn};
use crate::domain::arn::Arn;
use crate::domain::iam::{
    AboutCaller, AccessEvaluation, AccessRequest, Decision, Effect, OtherKeys, Policy, Truth, Withheld, evaluate_access,
};
use crate::domain::profile::Profile;
use crate::domain::region::partition_of;

/// Policies with their names.
type Named = Vec<(String, Policy)>;

/// A principal's own policies, taken apart.
struct Own {
    arn: String,
    policies: Named,
    boundary: Option<(String, Policy)>,
    /// Something could not be read, so that silence proves nothing.
    has_gaps: bool,
}

impl PermissionsFact {
    /// What the policies in force say; nothing where nobody's were read.
    pub fn in_force(side: &AwsSide, profile: &Profile) -> Option<Self> {
        let principals = side.policies.as_ref()?;
        let region = profile.aws.region.clone().unwrap_or_default();
        let context = BTreeMap::from([("aws:requestedregion".to_owned(), region.clone())]);
        let hop = hop(&principals.reader, principals.caller.as_ref(), &context);
        let Some(reader) = Own::of(&principals.reader) else {
            let caller = &principals.caller.as_ref().filter(|_| hop.is_some())?.arn;
            return Some(PermissionsFact {
                hop,
                ..PermissionsFact::from(format!("the policies in force of {caller}"))
            });
        };
        let secret = side.secret.as_ref();
        let arn = secret.and_then(|secret| Some(secret.secret.seen()?.arn.clone()));
        let arn = arn.or_else(|| likely_arn(profile, &profile.secret.as_ref()?.name));
        let (on_secret, secret_has_gaps) = secret.map_or((Vec::new(), profile.secret.is_some()), |secret| {
            let (policies, has_gaps) = parsed(&secret.policies);
            (policies, has_gaps || !secret.unread.is_empty())
        });
        let unscoped = |action| reader.evaluate(action, "*", &[], false, &context);
        let scoped =
            |arn: &str| reader.evaluate("secretsmanager:GetSecretValue", arn, &on_secret, secret_has_gaps, &context);
        let only = match principals.reader.policies.as_slice() {
            [only] => Some(only.text.clone()),
            _ => None,
        };
        let key = secret.and_then(|secret| secret.key.as_ref());
        let decrypt = key.and_then(|key| {
            let seen = key.key.seen()?;
            let policy = key.policy.as_deref().and_then(|text| Policy::parse(text).ok());
            let by_grants = |grantees: &Vec<String>| grantees.contains(&reader.arn).into();
            let granted = key.grantees.as_ref().map_or(Truth::Unknown, by_grants);
            let context = kms_context(&region, &reader.arn, arn.as_deref());
            Some(reader.decrypts(&seen.arn, policy.as_ref(), granted, &context))
        });
        Some(PermissionsFact {
            text: only,
            list: Some(unscoped("secretsmanager:ListSecrets")),
            get: arn.as_deref().map(scoped),
            get_prefix: prefixed_arn(profile).as_deref().map(scoped),
            decrypt,
            hop,
            ..PermissionsFact::from(format!("the policies in force of {}", reader.arn))
        })
    }
}

/// Whether whoever assumes the reader's role may do so by its own policies; nothing where the role's trust alone decides.
fn hop(
    reader: &PrincipalSide,
    caller: Option<&PrincipalSide>,
    context: &BTreeMap<String, String>,
) -> Option<AccessEvaluation> {
    let caller = Own::of(caller?)?;
    let trust = reader.trust_policy.as_deref().and_then(|text| Policy::parse(text).ok());
    let is_named = trust.is_some_and(|trust| {
        let itself = AboutCaller::of(&trust, &caller.arn).itself;
        itself.statements.iter().any(|statement| statement.effect == Effect::Allow)
    });
    let account = |arn: &str| Arn::parse(arn).map(|arn| arn.account.to_owned());
    let is_decided_by_trust = is_named && account(&reader.arn) == account(&caller.arn);
    (!is_decided_by_trust).then(|| caller.allowed_by_own("sts:AssumeRole", &reader.arn, context))
}

/// The keys of a decryption that Secrets Manager asks for.
fn kms_context(region: &str, reader: &str, secret: Option<&str>) -> BTreeMap<String, String> {
    let suffix = partition_of(region).map_or("amazonaws.com", |partition| partition.dns_suffix);
    let account = Arn::parse(reader).map_or("", |arn| arn.account);
    let mut context = BTreeMap::from([
        ("kms:viaservice".to_owned(), format!("secretsmanager.{region}.{suffix}")),
        ("kms:calleraccount".to_owned(), account.to_owned()),
        ("aws:requestedregion".to_owned(), region.to_owned()),
    ]);
    context.extend(secret.map(|arn| ("kms:encryptioncontext:secretarn".to_owned(), arn.to_owned())));
    context
}

/// The policies that can be read, and whether one cannot.
fn parsed(policies: &[PolicyInForce]) -> (Named, bool) {
    let read: Named =
        policies.iter().filter_map(|policy| Some((policy.name.clone(), Policy::parse(&policy.text).ok()?))).collect();
    let has_gaps = read.len() < policies.len();
    (read, has_gaps)
}

impl Own {
    fn of(side: &PrincipalSide) -> Option<Self> {
        let was_read = side.unread.is_empty() || !side.policies.is_empty();
        if side.is_nowhere || !was_read {
            return None;
        }
        let (policies, unparsed) = parsed(&side.policies);
        let boundary = side.boundary.as_ref().map(|bound| (bound.name.clone(), Policy::parse(&bound.text).ok()));
        let lost_boundary = matches!(boundary, Some((_, None)));
        Some(Own {
            arn: side.arn.clone(),
            policies,
            boundary: boundary.and_then(|(name, policy)| Some((name, policy?))),
            has_gaps: unparsed || lost_boundary || !side.unread.is_empty(),
        })
    }

    /// What all policies together say: the principal's own within their boundary, and those of the resource.
    fn evaluate(
        &self,
        action: &str,
        resource: &str,
        on_resource: &[(String, Policy)],
        resource_has_gaps: bool,
        context: &BTreeMap<String, String>,
    ) -> AccessEvaluation {
        let request = AccessRequest { action, resource, context, others: OtherKeys::Unknown };
        let about: Vec<(String, Policy)> = on_resource
            .iter()
            .flat_map(|(name, policy)| {
                let AboutCaller { itself, account } = AboutCaller::of(policy, &self.arn);
                [(name.clone(), itself), (name.clone(), account)]
            })
            .collect();
        let own = self.own(&request);
        let on = evaluated(&about, &request);
        let (own_allows, on_allows) = (self.allows(&own, &request), matching(&on, Effect::Allow));
        let is_of_same_account = Arn::parse(resource).is_none_or(|arn| {
            arn.account.is_empty() || Arn::parse(&self.arn).is_some_and(|own| own.account == arn.account)
        });
        let allows = if is_of_same_account { own_allows.or(on_allows) } else { own_allows.and(on_allows) };
        self.decided(&request, [own, on], allows, self.has_gaps || resource_has_gaps, None)
    }

    /// What the principal's own policies say, whatever the other side says.
    fn allowed_by_own(&self, action: &str, resource: &str, context: &BTreeMap<String, String>) -> AccessEvaluation {
        let request = AccessRequest { action, resource, context, others: OtherKeys::Unknown };
        let own = self.own(&request);
        let allows = self.allows(&own, &request);
        self.decided(&request, [own, evaluated(&[], &request)], allows, self.has_gaps, None)
    }

    /// What all policies say to a decryption with a key: the key's own has to let the caller or its account in.
    fn decrypts(
        &self,
        key: &str,
        policy: Option<&Policy>,
        granted: Truth,
        context: &BTreeMap<String, String>,
    ) -> AccessEvaluation {
        let request = AccessRequest { action: "kms:Decrypt", resource: key, context, others: OtherKeys::Unknown };
        let own = self.own(&request);
        let own_allows = self.allows(&own, &request);
        let Some(policy) = policy else {
            let unread = evaluated(&[], &request);
            return self.decided(&request, [own, unread], Truth::Unknown, true, None);
        };
        let name = || format!("the policy of key {key}");
        let AboutCaller { itself, account } = AboutCaller::of(policy, &self.arn);
        let (itself, account) = (evaluated(&[(name(), itself)], &request), evaluated(&[(name(), account)], &request));
        let by_account = matching(&account, Effect::Allow);
        let by_itself = matching(&itself, Effect::Allow).or(granted);
        let allows = by_itself.or(by_account.and(own_allows));
        let closed = by_itself.or(by_account) == Truth::False;
        let withheld = closed.then(|| Withheld::KeyPolicy { key: key.to_owned() });
        // The key decides by itself; where it leaves the account to decide, gaps there count.
        let has_gaps = self.has_gaps && by_account != Truth::False;
        self.decided(&request, [own, itself], allows, has_gaps, withheld)
    }

    fn own(&self, request: &AccessRequest<'_>) -> AccessEvaluation {
        evaluated(&self.policies, request)
    }

    /// Whether the principal's own policies allow the call, as far as their boundary lets them.
    fn allows(&self, own: &AccessEvaluation, request: &AccessRequest<'_>) -> Truth {
        matching(own, Effect::Allow)
            .and(self.bounded(request).map_or(Truth::True, |bound| matching(&bound, Effect::Allow)))
    }

    fn bounded(&self, request: &AccessRequest<'_>) -> Option<AccessEvaluation> {
        self.boundary.as_ref().map(|(_, policy)| evaluate_access(std::slice::from_ref(policy), request))
    }

    /// One evaluation of all: an explicit deny wins, else `allows`; silence counts only where nothing is missing.
    fn decided(
        &self,
        request: &AccessRequest<'_>,
        evaluations: [AccessEvaluation; 2],
        allows: Truth,
        has_gaps: bool,
        withheld: Option<Withheld>,
    ) -> AccessEvaluation {
        let bound = self.bounded(request);
        let denies = Truth::any(evaluations.iter().chain(&bound).map(|one| matching(one, Effect::Deny)));
        let decision = Decision::of_statements(if has_gaps { Truth::Unknown } else { allows }, denies);
        let own_allows = matching(&evaluations[0], Effect::Allow);
        let outside = bound.as_ref().is_some_and(|bound| matching(bound, Effect::Allow) == Truth::False);
        let by_boundary = self.boundary.as_ref().filter(|_| outside && own_allows == Truth::True);
        let by_boundary = by_boundary.map(|(name, _)| Withheld::Boundary { policy: name.clone() });
        let (mut statements, mut policies) = (Vec::new(), Vec::new());
        let bound = bound.map(|mut bound| {
            // What a boundary allows grants nothing.
            bound.statements.retain(|statement| statement.effect == Effect::Deny);
            bound.policies = self.boundary.iter().map(|(name, _)| name.clone()).collect();
            bound
        });
        for one in evaluations.into_iter().chain(bound) {
            let before = policies.len();
            statements.extend(one.statements.into_iter().map(|mut statement| {
                statement.policy += before;
                statement
            }));
            policies.extend(one.policies);
        }
        let is_denied = decision == Decision::Deny && denies != Truth::True;
        AccessEvaluation {
            decision,
            action: request.action.to_owned(),
            resource: request.resource.to_owned(),
            statements,
            policies,
            withheld: withheld.or(by_boundary).filter(|_| is_denied),
        }
    }
}

fn evaluated(policies: &[(String, Policy)], request: &AccessRequest<'_>) -> AccessEvaluation {
    let documents: Vec<Policy> = policies.iter().map(|(_, policy)| policy.clone()).collect();
    let names = policies.iter().map(|(name, _)| name.clone()).collect();
    AccessEvaluation { policies: names, ..evaluate_access(&documents, request) }
}

/// Whether a statement of this effect is about the call.
fn matching(evaluation: &AccessEvaluation, effect: Effect) -> Truth {
    Truth::any(evaluation.statements.iter().filter(|s| s.effect == effect).map(|s| s.matches))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cause::{Cause, access};
    use crate::domain::ids::CheckId;

    const READER: &str = "arn:aws:iam::123456789012:role/reader";
    const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf";
    const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1234";
    const GET: &str = "secretsmanager:GetSecretValue";

    fn policy(name: &str, statement: &Value) -> PolicyInForce {
        let text = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
        PolicyInForce { name: name.to_owned(), text }
    }

    fn allow(action: &str) -> Value {
        json!({ "Effect": "Allow", "Action": action, "Resource": "*" })
    }

    fn own(policies: &[Value], boundary: Option<Value>, unread: &[&str]) -> Own {
        let side = PrincipalSide {
            arn: READER.to_owned(),
            policies: policies.iter().map(|statement| policy("p", statement)).collect(),
            boundary: boundary.map(|statement| policy("arn:aws:iam::123456789012:policy/bound", &statement)),
            is_nowhere: false,
            unread: unread.iter().map(|why| (*why).to_owned()).collect(),
            throttled: Default::default(),
            trust_policy: None,
        };
        Own::of(&side).unwrap()
    }

    fn read(own: &Own, on_secret: &[Value]) -> (Decision, Vec<Cause>) {
        let (on_secret, _) = parsed(&on_secret.iter().map(|statement| policy("r", statement)).collect::<Vec<_>>());
        let evaluation = own.evaluate(GET, SECRET, &on_secret, false, &BTreeMap::new());
        let found = access::findings(CheckId::AwsRolePermissions.into(), &evaluation);
        (evaluation.decision, found.into_iter().map(|finding| finding.cause).collect())
    }

    #[test]
    fn own_policies_their_boundary_and_the_secrets_decide_together() {
        let named = |effect: &str, principal: &str| json!({ "Effect": effect, "Principal": { "AWS": principal }, "Action": GET, "Resource": "*" });
        let deny = |action: &str| json!({ "Effect": "Deny", "Action": action, "Resource": "*" });
        let other = "arn:aws:iam::123456789012:role/other";
        for (policies, boundary, on_secret, expected) in [
            (vec![allow(GET)], None, vec![], (Decision::Allow, vec![])),
            (vec![allow("s3:*")], None, vec![], (Decision::Deny, vec![Cause::MissingGet])),
            (vec![allow(GET)], Some(allow("secretsmanager:*")), vec![], (Decision::Allow, vec![])),
            (vec![allow(GET)], Some(allow("s3:*")), vec![], (Decision::Deny, vec![Cause::PermissionsBoundary])),
            (vec![allow(GET)], Some(deny(GET)), vec![], (Decision::Deny, vec![Cause::ExplicitDeny])),
            (vec![allow(GET), deny(GET)], None, vec![], (Decision::Deny, vec![Cause::ExplicitDeny])),
            (vec![allow("s3:*")], None, vec![named("Allow", READER)], (Decision::Allow, vec![])),
            (vec![allow("s3:*")], None, vec![named("Allow", other)], (Decision::Deny, vec![Cause::MissingGet])),
            (vec![allow(GET)], None, vec![named("Deny", READER)], (Decision::Deny, vec![Cause::ExplicitDeny])),
            (vec![allow(GET)], None, vec![named("Deny", other)], (Decision::Allow, vec![])),
        ] {
            let told = format!("{policies:?} {boundary:?} {on_secret:?}");
            assert_eq!(read(&own(&policies, boundary, &[]), &on_secret), expected, "{told}");
        }
    }

    #[test]
    fn what_could_not_be_read_leaves_silence_unproven_and_a_deny_proven() {
        assert_eq!(read(&own(&[allow("s3:*")], None, &["x"]), &[]).0, Decision::Unknown);
        assert_eq!(read(&own(&[allow(GET)], None, &["x"]), &[]).0, Decision::Unknown);
        let deny = json!({ "Effect": "Deny", "Action": "*", "Resource": "*" });
        assert_eq!(read(&own(&[deny], None, &["x"]), &[]).0, Decision::Deny);
    }

    #[test]
    fn a_hop_is_allowed_by_own_policies_or_by_a_trust_that_names_the_caller() {
        let side = |arn: &str, statement: &Value, trust: Option<&str>| PrincipalSide {
            arn: arn.to_owned(),
            policies: vec![policy("p", statement)],
            boundary: None,
            is_nowhere: false,
            unread: Vec::new(),
            throttled: Default::default(),
            trust_policy: trust.map(|principal| {
                let statement =
                    json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole" });
                policy("t", &statement).text
            }),
        };
        let (elsewhere, root) = ("arn:aws:iam::210987654321:role/reader", "arn:aws:iam::123456789012:root");
        let caller = "arn:aws:iam::123456789012:user/me";
        for (reader, trusted, granted, expected) in [
            (READER, root, "sts:AssumeRole", Some(Decision::Allow)),
            (READER, root, "s3:*", Some(Decision::Deny)),
            (READER, caller, "s3:*", None),
            (elsewhere, caller, "s3:*", Some(Decision::Deny)),
            (elsewhere, caller, "sts:AssumeRole", Some(Decision::Allow)),
        ] {
            let reader_side = side(reader, &allow("s3:*"), Some(trusted));
            let found = hop(&reader_side, Some(&side(caller, &allow(granted), None)), &BTreeMap::new());
            assert_eq!(found.map(|found| found.decision), expected, "{reader} {trusted} {granted}");
        }
    }

    #[test]
    fn a_key_lets_the_caller_in_itself_or_leaves_it_to_the_account() {
        let names = |principal: &str| json!({ "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "kms:*", "Resource": "*" });
        let root = names("arn:aws:iam::123456789012:root");
        let via = json!({ "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
            "Condition": { "StringEquals": { "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com" } } });
        let nobody = names("arn:aws:iam::123456789012:user/admin");
        for (policies, key, granted, expected) in [
            (vec![allow("kms:Decrypt")], &root, false, Decision::Allow),
            (vec![via], &root, false, Decision::Allow),
            (vec![allow("s3:*")], &root, false, Decision::Deny),
            (vec![allow("s3:*")], &names(READER), false, Decision::Allow),
            (vec![allow("kms:Decrypt")], &nobody, false, Decision::Deny),
            (vec![allow("kms:Decrypt")], &nobody, true, Decision::Allow),
        ] {
            let document = Policy::parse(&policy("k", key).text).unwrap();
            let context = kms_context("us-east-1", READER, Some(SECRET));
            let evaluation = own(&policies, None, &[]).decrypts(KEY, Some(&document), granted.into(), &context);
            assert_eq!(evaluation.decision, expected, "{policies:?} {key}");
            let causes = access::findings(CheckId::AwsRolePermissions.into(), &evaluation);
            let missing = causes.iter().all(|finding| finding.cause == Cause::MissingKms);
            assert!(missing && causes.is_empty() == (expected == Decision::Allow), "{causes:?}");
        }
        let (context, nobody) = (BTreeMap::new(), Policy::parse(&policy("k", &nobody).text).unwrap());
        let unread = own(&[], None, &[]).decrypts(KEY, Some(&nobody), Truth::Unknown, &context);
        assert_eq!(unread.decision, Decision::Unknown);
        assert_eq!(
            own(&[allow("kms:*")], None, &[]).decrypts(KEY, None, Truth::False, &context).decision,
            Decision::Unknown
        );
    }
}
