//! The trust policy at hand, evaluated for the token, and what identity policies allow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use similar::{ChangeTag, TextDiff};

use super::Unread;
use crate::cause::{Finding, trust};
use crate::domain::iam::{
    AccessEvaluation, AccessRequest, Decision, ForeignSubject, KnownFrom, OtherKeys, Policy, Provider, TrustEvaluation,
    TrustRequest, evaluate_access, evaluate_predicted, evaluate_trust, strangers,
};
use crate::domain::ids::FoundBy;
use crate::domain::profile::expected::PredictedClaims;
use crate::domain::profile::{Guide, Profile};
use crate::domain::region::partition_of;
use crate::domain::timestamp::UnixSeconds;

/// The trust policy at hand, evaluated for the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustFact {
    /// Where the policy came from.
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<TrustEvaluation>,
    /// When the role was made, where the policy came inside the answer of `aws iam get-role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_created_at: Option<UnixSeconds>,
    /// What told the account of the identity provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_from: Option<KnownFrom>,
    /// Tokens of strangers that the policy accepts too; looked for where it accepts the token at hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strangers: Vec<ForeignSubject>,
    /// Evaluated for the claims that the profile makes expected: no token was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub predicted: bool,
    /// The one expected subject that is known to be accepted, where others that are possible are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepts_only: Option<String>,
    /// Why the policy could not be evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// There is no such file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_missing: bool,
    /// The clients whose request was evaluated, where the policy takes another's otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_clients: Vec<String>,
    /// In what the profile's copy differs from the policy in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What was read, for a fix to be made from; no part of the report.
    #[serde(skip)]
    pub text: Option<String>,
}

/// The difference between a file of the profile and what is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    pub file: String,
    /// The lines that differ, those of the file with `-` before them and those in force with `+`.
    pub lines: Vec<String>,
}

impl Drift {
    /// Compares two policies as documents; nothing where they say the same, or where the file is none.
    pub fn between(file: &str, copy: &str, in_force: &str) -> Option<Self> {
        let document = |text: &str| {
            let read: Value = serde_json::from_str(text).ok()?;
            let inner = read.pointer("/Role/AssumeRolePolicyDocument").cloned();
            Some(inner.unwrap_or(read))
        };
        let (copy, in_force) = (document(copy)?, document(in_force)?);
        if copy == in_force {
            return None;
        }
        let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
        let (copy, in_force) = (pretty(&copy), pretty(&in_force));
        let compared = TextDiff::from_lines(&copy, &in_force);
        let changed = compared.iter_all_changes().filter_map(|change| match change.tag() {
            ChangeTag::Delete => Some(format!("- {}", change.value().trim_end())),
            ChangeTag::Insert => Some(format!("+ {}", change.value().trim_end())),
            ChangeTag::Equal => None,
        });
        Some(Drift { file: file.to_owned(), lines: changed.collect() })
    }
}

/// Who asks for the role, with what, and when.
struct Asked<'a> {
    claims: &'a Map<String, Value>,
    profile: &'a Profile,
    now: UnixSeconds,
}

impl TrustFact {
    /// Evaluates the policy in `text` for a token's `claims` and the role of `profile`, or keeps why it could not be
    /// read. `now` is the time of the exchange in seconds since the epoch.
    pub fn evaluate(
        source: &str,
        text: Result<String, Unread>,
        claims: &Map<String, Value>,
        profile: &Profile,
        now: UnixSeconds,
    ) -> Self {
        Self::read(source, text, |policy, fact| {
            fact.learn(policy, Asked { claims, profile, now }, |request| evaluate_trust(policy, request));
        })
    }

    /// As [`TrustFact::evaluate`], where no token was read and `predicted` is what the profile makes expected.
    pub fn predict(
        source: &str,
        text: Result<String, Unread>,
        predicted: &PredictedClaims,
        profile: &Profile,
        now: UnixSeconds,
    ) -> Self {
        Self::read(source, text, |policy, fact| {
            fact.predicted = true;
            let mut accepts_only = None;
            fact.learn(policy, Asked { claims: &predicted.claims, profile, now }, |request| {
                let found = evaluate_predicted(policy, request, predicted);
                accepts_only = found.accepts_only;
                found.evaluation
            });
            fact.accepts_only = accepts_only;
        })
    }

    /// The fact of a policy that could be read, as `learn` completes it, or of one that could not.
    fn read(source: &str, text: Result<String, Unread>, learn: impl FnOnce(&Policy, &mut TrustFact)) -> Self {
        let mut fact = TrustFact {
            source: source.to_owned(),
            evaluation: None,
            role_created_at: None,
            known_from: None,
            strangers: Vec::new(),
            predicted: false,
            accepts_only: None,
            problem: None,
            is_missing: false,
            of_clients: Vec::new(),
            drift: None,
            text: None,
        };
        let read = |text: String| match Policy::parse(&text) {
            Ok(policy) => Ok((policy, text)),
            Err(error) => Err(error.to_string().into()),
        };
        match text.and_then(read) {
            Ok((policy, text)) => {
                learn(&policy, &mut fact);
                fact.text = Some(text);
            }
            Err(unread) => (fact.problem, fact.is_missing) = (Some(unread.why), unread.is_missing),
        }
        fact
    }

    fn learn(
        &mut self,
        policy: &Policy,
        asked: Asked<'_>,
        evaluate: impl FnOnce(&TrustRequest<'_>) -> TrustEvaluation,
    ) {
        let Asked { claims, profile, now } = asked;
        let role = profile.aws.role_arn.as_ref().map(ToString::to_string);
        let provider = Provider::of(claims, policy, role.as_deref());
        let request = TrustRequest {
            role_arn: role.as_deref(),
            session_name: profile.aws.session_name.as_deref(),
            region: profile.aws.region.as_deref(),
            user_agent: profile.aws.user_agent.as_deref(),
            now: Some(now),
            ..TrustRequest::new(claims, &provider.arn)
        };
        let evaluation = evaluate(&request);
        if evaluation.decision == Decision::Allow {
            self.strangers = strangers(policy, &request);
        }
        self.role_created_at = policy.role_created_at;
        self.evaluation = Some(evaluation);
        self.known_from = Some(provider.known_from);
    }

    /// Of the requests of several clients the one that is refused, or that nobody can tell of, with whose it is; where the
    /// policy takes all alike, the first.
    pub fn of_clients(each: Vec<(Option<&str>, TrustFact)>) -> Option<TrustFact> {
        let severity = |fact: &TrustFact| match fact.decision() {
            Some(Decision::Deny) => 0,
            Some(Decision::Unknown) => 1,
            Some(Decision::Allow) | None => 2,
        };
        let worst = each.iter().map(|(_, fact)| severity(fact)).min()?;
        let differ = each.iter().any(|(_, fact)| severity(fact) != worst);
        let (theirs, mut facts): (Vec<Option<&str>>, Vec<TrustFact>) =
            each.into_iter().filter(|(_, fact)| severity(fact) == worst).unzip();
        let mut fact = facts.drain(..).next()?;
        fact.of_clients = theirs.into_iter().flatten().filter(|_| differ).map(str::to_owned).collect();
        Some(fact)
    }

    /// The decision, where the policy could be evaluated.
    pub fn decision(&self) -> Option<Decision> {
        self.evaluation.as_ref().map(|evaluation| evaluation.decision)
    }

    /// Why the policy does not accept the token, in the name of `check`.
    pub fn findings(&self, check: FoundBy) -> Vec<Finding> {
        let mut findings =
            self.evaluation.as_ref().map_or_else(Vec::new, |evaluation| trust::findings(check, evaluation));
        for finding in &mut findings {
            finding.evidence.push(format!("the policy is {}", self.source));
            if !self.of_clients.is_empty() {
                finding.summary = format!("{}: {}", self.of_clients.join(", "), finding.summary);
            }
        }
        findings
    }
}

/// Stands for the six characters that Secrets Manager appends to a secret's name in its ARN, where they are not known.
const SOME_SUFFIX: &str = "-AbCdEf";
/// Stands for how a name may go on behind a prefix.
const SOME_NAME: &str = "example";

/// The permissions policy at hand, evaluated for the reads of this run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PermissionsFact {
    /// Where the policy came from.
    pub source: String,
    /// Its text, from which a corrected one is made.
    #[serde(skip)]
    pub text: Option<String>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What it says to `ListSecrets`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<AccessEvaluation>,
    /// What it says to `GetSecretValue` of the profile's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get: Option<AccessEvaluation>,
    /// What it says to `GetSecretValue` of a secret whose name goes on after the profile's prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_prefix: Option<AccessEvaluation>,
    /// What is said to the decryption of the profile's secret, where its key is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decrypt: Option<AccessEvaluation>,
    /// What the caller's own policies say to assuming the role that reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop: Option<AccessEvaluation>,
}

impl From<String> for PermissionsFact {
    /// Of this source, with nothing evaluated.
    fn from(source: String) -> Self {
        PermissionsFact {
            source,
            text: None,
            problem: None,
            list: None,
            get: None,
            get_prefix: None,
            decrypt: None,
            hop: None,
        }
    }
}

impl PermissionsFact {
    /// Evaluates `text`, or keeps why it could not be read. `secret_arn` is the secret's own, where it is known.
    pub fn evaluate(source: &str, text: Result<String, Unread>, profile: &Profile, secret_arn: Option<&str>) -> Self {
        let read = text.and_then(|text| match Policy::parse(&text) {
            Ok(policy) => Ok((policy, text)),
            Err(error) => Err(error.to_string().into()),
        });
        let (policy, text) = match read {
            Ok(read) => read,
            Err(unread) => {
                return PermissionsFact { problem: Some(unread.why), ..PermissionsFact::from(source.to_owned()) };
            }
        };
        let policies = [policy];
        let context = BTreeMap::new();
        let evaluate = |action, resource: &str| {
            evaluate_access(
                &policies,
                &AccessRequest { action, resource, context: &context, others: OtherKeys::Unknown },
            )
        };
        let name = profile.secret.as_ref().map(|secret| secret.name.as_str());
        let secret = secret_arn.map(str::to_owned).or_else(|| likely_arn(profile, name?));
        let read = |arn: String| evaluate("secretsmanager:GetSecretValue", &arn);
        PermissionsFact {
            text: Some(text),
            list: Some(evaluate("secretsmanager:ListSecrets", "*")),
            get: secret.map(read),
            get_prefix: prefixed_arn(profile).map(read),
            ..PermissionsFact::from(source.to_owned())
        }
    }
}

/// The ARN of a secret whose name goes on after the profile's prefix.
pub(super) fn prefixed_arn(profile: &Profile) -> Option<String> {
    let prefix = profile.aws.secret_prefix.as_ref()?;
    // A prefix that is a whole word is gone on with by a separator.
    let joint = if prefix.ends_with(|c: char| c.is_ascii_alphanumeric()) { "-" } else { "" };
    likely_arn(profile, &format!("{prefix}{joint}{SOME_NAME}"))
}

/// The ARN that a secret of this name has, but for the six characters at its end.
pub(super) fn likely_arn(profile: &Profile, name: &str) -> Option<String> {
    if name.starts_with("arn:") {
        return Some(name.to_owned());
    }
    let region = profile.aws.region.as_ref()?;
    let role = match profile.guide {
        Guide::CircleciAws => profile.aws.target_role_arn.as_ref().or(profile.aws.role_arn.as_ref()),
        _ => profile.aws.role_arn.as_ref(),
    };
    let (partition, account) = match (role, &profile.aws.account_id) {
        (_, Some(account)) if profile.guide == Guide::AwsStatic => (partition_of(region).ok()?.id, account.as_str()),
        (Some(role), _) => (role.partition.as_str(), role.account.as_str()),
        (None, _) => return None,
    };
    Some(format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}{SOME_SUFFIX}"))
}
