//! Why a cloud refused an exchange that its own log tells of, without the token: the trust that it met, evaluated for what the
//! log keeps of the token. A claim that no log keeps leaves the verdict unknown, and is named.

mod entra;
mod google;
mod journal;

use std::collections::{HashMap, HashSet};

pub use journal::{Each, Entry, Journal, Logged, Outcome};

use super::{Cause, Certainty, Finding, explain, trust};
use crate::domain::entra::CredentialSet;
use crate::domain::exchange::{Exchange, Refusal};
use crate::domain::gcp::{Binding, PoolProvider};
use crate::domain::iam::{
    Decision, Policy, TrustEvaluation, TrustRequest, Truth, Unseen, decide_trust, evaluate_trust,
};
use crate::domain::ids::{Cloud, Finder};
use crate::domain::timestamp::rfc3339;

/// The code of the refusal that a trust policy gives.
const DENIED: &str = "AccessDenied";
/// What else a policy may ask of the call, which differs from one call to the next.
const OF_THE_CALL: [&str; 4] = ["sts:RoleSessionName", "aws:RequestedRegion", "aws:CurrentTime", "aws:EpochTime"];
/// So many causes of a refusal that came before the trust are told.
const MOST_CAUSES: usize = 4;

/// The trusts at hand.
#[derive(Debug, Default)]
pub struct Trusts {
    /// Policies of roles that are known by their ARN.
    policies: HashMap<String, Policy>,
    /// Why the policy of a role could not be read.
    unread: HashMap<String, String>,
    /// Roles that do not exist.
    missing: HashSet<String>,
    /// A policy that does not say whose it is: that of the log's only role.
    nameless: Option<Policy>,
    /// The federated credentials of the application.
    credentials: Option<CredentialSet>,
    /// The provider of Google's pool, and the bindings of what is read.
    provider: Option<PoolProvider>,
    bindings: Option<Vec<Binding>>,
}

/// What the trust at hand says to an exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pub verdict: Decision,
    /// Why the verdict is unknown, or is not what became of the exchange.
    pub why: Option<String>,
    /// Why it was refused.
    pub causes: Vec<Finding>,
    /// The federated credential that matched, by its name.
    pub matched: Option<String>,
}

impl Trusts {
    /// Adds the trust policy of the role that it names, else of `role`, where that is known.
    pub fn add_policy(&mut self, policy: Policy, role: Option<&str>) {
        match policy.role_arn.clone().or_else(|| role.map(str::to_owned)) {
            Some(role) => {
                self.policies.insert(role, policy);
            }
            None => self.nameless = Some(policy),
        }
    }

    /// Says why the policy of a role is not at hand.
    pub fn add_unread(&mut self, role: &str, why: impl Into<String>) {
        self.unread.insert(role.to_owned(), why.into());
    }

    /// Says that there is no such role.
    pub fn add_missing(&mut self, role: &str) {
        self.missing.insert(role.to_owned());
    }

    /// Adds the application's federated credentials.
    pub fn set_credentials(&mut self, credentials: CredentialSet) {
        self.credentials = Some(credentials);
    }

    /// Adds the provider of a Google pool.
    pub fn set_provider(&mut self, provider: PoolProvider) {
        self.provider = Some(provider);
    }

    /// Adds the bindings of what is read at Google.
    pub fn set_bindings(&mut self, bindings: Vec<Binding>) {
        self.bindings = Some(bindings);
    }

    /// Whether two calls for the same with the same token may meet different answers.
    fn depend_on_the_call(&self) -> bool {
        let policies = self.policies.values().chain(&self.nameless);
        let mut conditions = policies.flat_map(|policy| &policy.statements).flat_map(|statement| &statement.conditions);
        conditions.any(|condition| {
            let is_about = |key: &&str| condition.key.eq_ignore_ascii_case(key);
            OF_THE_CALL.iter().any(is_about) || condition.expected.iter().any(|value| value.has_variables)
        })
    }

    /// The policy of a role, of as many roles as the log has.
    fn policy(&self, role: &str, roles: usize) -> Result<&Policy, String> {
        match (self.policies.get(role), &self.nameless) {
            (Some(policy), _) => Ok(policy),
            (None, Some(policy)) if roles == 1 => Ok(policy),
            (None, Some(_)) => {
                Err("the policy given does not say whose it is, and the log has several roles: save the \
                                    answer of `aws iam get-role`, which does"
                    .to_owned())
            }
            (None, None) => Err(self.unread.get(role).cloned().unwrap_or_else(|| {
                "the role's trust policy is not at hand: give the answer of `aws iam get-role` with --policy".to_owned()
            })),
        }
    }

    /// Judges one exchange of a log with so many roles.
    pub fn judge(&self, exchange: &Exchange, roles: usize) -> Judgement {
        match exchange.cloud {
            Cloud::Azure => entra::judge(exchange, self.credentials.as_ref()),
            Cloud::Gcp => google::judge(exchange, self.provider.as_ref(), self.bindings.as_deref()),
            Cloud::Aws => self.judge_by_policy(exchange, roles),
        }
    }

    fn judge_by_policy(&self, exchange: &Exchange, roles: usize) -> Judgement {
        let before = exchange.refusal.as_ref().filter(|refusal| refusal.code != DENIED).map(of_code);
        let unknown = |why: String| Judgement::unknown(why, before.clone().unwrap_or_default());
        let Some(role) = exchange.resource.as_deref() else {
            return unknown("the event names no role".to_owned());
        };
        if self.missing.contains(role) && before.is_none() && exchange.refusal.is_some() {
            let summary = "the account has no such role, which STS never says";
            let finding = Finding::new(Cause::RoleMissing, Finder::Events, Certainty::Proven, summary)
                .with_evidence(format!("iam:GetRole finds no {role}"));
            return Judgement { verdict: Decision::Deny, why: None, causes: vec![finding], matched: None };
        }
        let policy = match self.policy(role, roles) {
            Ok(policy) => policy,
            Err(why) => return unknown(why),
        };
        let Some(provider) = exchange.provider.as_deref() else {
            return unknown("the event does not say whose token it was".to_owned());
        };
        let claims = exchange.claims();
        let request = TrustRequest {
            unseen: Unseen::AllElse,
            role_arn: Some(role),
            session_name: exchange.session_name.as_deref(),
            region: exchange.region.as_deref(),
            now: exchange.at,
            ..TrustRequest::new(&claims, provider)
        };
        let evaluation = evaluate_trust(policy, &request);
        let verdict = evaluation.decision;
        let (why, causes) = match (&exchange.refusal, before, verdict) {
            (Some(refusal), Some(causes), _) => {
                (Some(format!("`{}` came before the trust policy was asked", refusal.code)), causes)
            }
            (Some(_), None, Decision::Allow) => admitted_and_refused(exchange, policy, &request),
            (Some(_), None, Decision::Deny) => (None, by_policy(&evaluation)),
            (None, _, Decision::Deny) => {
                (Some("it was granted, so another trust policy was in force then".to_owned()), Vec::new())
            }
            (None, _, Decision::Allow) => (None, Vec::new()),
            (Some(_), None, Decision::Unknown) => (Some(open(&evaluation)), by_policy(&evaluation)),
            (None, _, Decision::Unknown) => (Some(open(&evaluation)), Vec::new()),
        };
        Judgement { verdict, why, causes, matched: None }
    }
}

impl Judgement {
    fn unknown(why: String, causes: Vec<Finding>) -> Self {
        Judgement { verdict: Decision::Unknown, why: Some(why), causes, matched: None }
    }
}

/// The causes of a code that is not a trust's.
fn of_code(refusal: &Refusal) -> Vec<Finding> {
    let text = format!("{}: {}", refusal.code, refusal.message.as_deref().unwrap_or_default());
    let mut causes = explain::explain(&text, &explain::ExplainContext::default()).causes;
    causes.truncate(MOST_CAUSES);
    causes.iter_mut().for_each(|finding| finding.check = Finder::Events.into());
    causes
}

/// Why the policy refuses what the event has of the token.
fn by_policy(evaluation: &TrustEvaluation) -> Vec<Finding> {
    trust::findings(Finder::Events.into(), evaluation).into_iter().map(Finding::as_logged).collect()
}

/// The conditions that the verdict depends on, of statements that could decide.
fn open(evaluation: &TrustEvaluation) -> String {
    let statements = evaluation.statements.iter().filter(|statement| statement.matches == Truth::Unknown);
    let mut keys: Vec<&str> = statements
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| condition.result == Truth::Unknown)
        .map(|condition| condition.key.as_str())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    match keys.as_slice() {
        [] => "it depends on what the event does not hold".to_owned(),
        keys => format!("it depends on `{}`, which the event does not hold", keys.join("`, `")),
    }
}

/// A refusal that the policy at hand does not give.
fn admitted_and_refused(
    exchange: &Exchange,
    policy: &Policy,
    request: &TrustRequest<'_>,
) -> (Option<String>, Vec<Finding>) {
    let new = |cause, certainty, summary: &str| Finding::new(cause, Finder::Events, certainty, summary);
    if let (Some(made), Some(at)) = (policy.role_created_at, exchange.at)
        && at < made
    {
        let shown = |time| rfc3339(time).unwrap_or_default();
        let finding = new(Cause::RoleMissing, Certainty::Proven, "the role did not exist yet when it was asked for")
            .with_difference(format!("made before {}", shown(at)), format!("made {}", shown(made)));
        return (Some("the role was made after this call".to_owned()), vec![finding]);
    }
    let mut causes = vec![new(
        Cause::PropagationDelay,
        Certainty::Possible,
        "the trust policy was changed after this call, or so shortly before that it was not yet in force",
    )];
    if decide_trust(policy, &TrustRequest { action: "sts:TagSession", ..*request }) == Decision::Deny {
        let summary = "the token may carry session tags, and the trust policy does not allow `sts:TagSession`";
        causes.push(new(Cause::TagSessionMissing, Certainty::Possible, summary));
    }
    causes.push(new(
        Cause::RolesClaim,
        Certainty::Possible,
        "the token may list the roles it may have, and this role may not be among them",
    ));
    causes.push(new(Cause::Scp, Certainty::Possible, "a policy of the organization may refuse the call"));
    (Some("the trust policy lets this token in, and the call was refused all the same".to_owned()), causes)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
    const PROVIDER: &str = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    const HOST: &str = "token.actions.githubusercontent.com";

    fn exchange() -> Exchange {
        Exchange {
            cloud: Cloud::Aws,
            resource: Some(ROLE.into()),
            provider: Some(PROVIDER.into()),
            issuer: Some(format!("https://{HOST}")),
            audience: Some("sts.amazonaws.com".into()),
            subject: Some("repo:o/r:ref:refs/heads/main".into()),
            refusal: Some(Refusal { code: DENIED.into(), message: None }),
            credential: None,
            at: Some(1_796_014_800),
            request_id: None,
            region: Some("eu-west-1".into()),
            session_name: Some("ci".into()),
        }
    }

    fn trusts(conditions: &Value) -> Trusts {
        let conditions: Map<String, Value> = conditions
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| (if key.contains(':') { key.clone() } else { format!("{HOST}:{key}") }, value.clone()))
            .collect();
        let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Federated": PROVIDER},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": conditions}}});
        let mut trusts = Trusts::default();
        trusts.add_policy(Policy::parse(&policy.to_string()).unwrap(), None);
        trusts
    }

    fn causes(judgement: &Judgement) -> Vec<(Cause, Certainty)> {
        judgement.causes.iter().map(|finding| (finding.cause, finding.certainty)).collect()
    }

    #[test]
    fn a_refusal_is_judged_by_what_the_event_keeps_of_the_token() {
        use Decision::{Allow, Deny, Unknown};
        let main = "repo:o/r:ref:refs/heads/main";
        for (conditions, verdict, first, why) in [
            (json!({"sub": "repo:o/r:environment:prod"}), Deny, Some((Cause::SubMismatch, Certainty::Proven)), ""),
            (
                json!({"sub": "repo:O/r:ref:refs/heads/main"}),
                Deny,
                Some((Cause::SubCaseMismatch, Certainty::Proven)),
                "",
            ),
            (json!({"sub": main, "aud": "other"}), Deny, Some((Cause::AudMismatch, Certainty::Proven)), ""),
            // A claim that fails decides whatever the others are.
            (json!({"sub": "x", "repository_id": "1"}), Deny, Some((Cause::SubMismatch, Certainty::Proven)), ""),
            (
                json!({"sub": main, "repository_id": "1"}),
                Unknown,
                Some((Cause::ClaimMismatch, Certainty::Possible)),
                ":repository_id`",
            ),
            (
                json!({"aws:RequestTag/team": "a"}),
                Unknown,
                Some((Cause::ClaimMismatch, Certainty::Possible)),
                "aws:RequestTag/team",
            ),
            (
                json!({"aws:SourceIp": "203.0.113.7"}),
                Unknown,
                Some((Cause::ClaimMismatch, Certainty::Possible)),
                "aws:SourceIp",
            ),
            (json!({"sts:RoleSessionName": "other"}), Deny, Some((Cause::ClaimMismatch, Certainty::Proven)), ""),
            (
                json!({"sub": main, "aud": "sts.amazonaws.com"}),
                Allow,
                Some((Cause::PropagationDelay, Certainty::Possible)),
                "lets this token in",
            ),
        ] {
            let judgement = trusts(&conditions).judge(&exchange(), 1);
            assert_eq!(judgement.verdict, verdict, "{conditions}");
            assert_eq!(causes(&judgement).first().copied(), first, "{conditions}");
            let told = judgement.why.unwrap_or_default();
            assert!(told.contains(why) && told.is_empty() == why.is_empty(), "{conditions}: {told}");
        }
    }

    #[test]
    fn a_policy_is_only_taken_for_the_role_that_it_is_of() {
        let mut trusts = trusts(&json!({"sub": "x"}));
        assert_eq!(trusts.judge(&exchange(), 1).verdict, Decision::Deny);
        let several = trusts.judge(&exchange(), 2);
        assert_eq!(several.verdict, Decision::Unknown);
        assert!(several.why.unwrap().contains("several roles"));
        let other = trusts.nameless.take().unwrap();
        trusts.add_policy(other, Some("arn:aws:iam::123456789012:role/other"));
        let missing = trusts.judge(&exchange(), 1);
        assert!(missing.why.unwrap().contains("--policy"));
        trusts.add_unread(ROLE, "iam:GetRole was denied");
        assert_eq!(trusts.judge(&exchange(), 1).why.as_deref(), Some("iam:GetRole was denied"));
    }

    #[test]
    fn a_role_that_is_nowhere_is_the_cause() {
        let mut trusts = Trusts::default();
        trusts.add_missing(ROLE);
        assert_eq!(causes(&trusts.judge(&exchange(), 1)), [(Cause::RoleMissing, Certainty::Proven)]);
        let granted = Exchange { refusal: None, ..exchange() };
        assert_eq!(trusts.judge(&granted, 1).verdict, Decision::Unknown);
    }

    #[test]
    fn a_grant_that_the_policy_denies_met_another_policy() {
        let granted = Exchange { refusal: None, ..exchange() };
        let judgement = trusts(&json!({"sub": "x"})).judge(&granted, 1);
        assert_eq!((judgement.verdict, causes(&judgement).len()), (Decision::Deny, 0));
        assert!(judgement.why.unwrap().contains("another trust policy"));
        assert_eq!(trusts(&json!({"aud": "sts.amazonaws.com"})).judge(&granted, 1).why, None);
    }

    #[test]
    fn a_role_that_was_made_later_did_not_exist() {
        let mut trusts = trusts(&json!({"aud": "sts.amazonaws.com"}));
        trusts.nameless.as_mut().unwrap().role_created_at = exchange().at.map(|at| at + 1);
        assert_eq!(causes(&trusts.judge(&exchange(), 1)), [(Cause::RoleMissing, Certainty::Proven)]);
    }

    #[test]
    fn a_refusal_that_came_before_the_trust_has_its_own_causes() {
        let refusal = Refusal {
            code: "ExpiredTokenException".into(),
            message: Some(
                "Token expired: current date/time 1700000000 must be before the expiration date/time 1690000000".into(),
            ),
        };
        let expired = Exchange { refusal: Some(refusal), ..exchange() };
        for trusts in [trusts(&json!({"sub": "x"})), Trusts::default()] {
            assert_eq!(causes(&trusts.judge(&expired, 1))[0].0, Cause::TokenExpired);
        }
    }
}
