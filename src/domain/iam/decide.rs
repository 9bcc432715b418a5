//! Would this trust policy let this token have the role? The answer alone, quickly.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition;
use super::context::{Context, TrustContext, TrustRequest, authorized_party};
use super::pattern::{Effort, like_ignoring_case};
use super::policy::{ActionElement, Effect, Policy, Statement};
use super::truth::Truth;
use crate::domain::roles_claim::RolesClaim;

/// What a policy says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    Allow,
    Deny,
    /// It depends on something that is not at hand.
    Unknown,
}

/// What the statements of a policy come to: an explicit deny wins, else one allow is enough.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    allowed: Truth,
    denied: Truth,
}

impl Tally {
    pub const fn new() -> Self {
        Tally { allowed: Truth::False, denied: Truth::False }
    }

    pub fn add(&mut self, effect: Effect, matches: Truth) {
        match effect {
            Effect::Allow => self.allowed = self.allowed.or(matches),
            Effect::Deny => self.denied = self.denied.or(matches),
        }
    }

    pub const fn decision(self) -> Decision {
        Decision::of_statements(self.allowed, self.denied)
    }
}

impl Decision {
    /// What statements come to, by whether one that allows matches and one that denies.
    pub const fn of_statements(allowed: Truth, denied: Truth) -> Decision {
        match (denied, allowed) {
            (Truth::True, _) | (_, Truth::False) => Decision::Deny,
            (Truth::False, Truth::True) => Decision::Allow,
            _ => Decision::Unknown,
        }
    }

    /// The decision on several things that must all be allowed.
    #[must_use]
    pub const fn and(self, other: Decision) -> Decision {
        match (self, other) {
            (Decision::Deny, _) | (_, Decision::Deny) => Decision::Deny,
            (Decision::Allow, Decision::Allow) => Decision::Allow,
            _ => Decision::Unknown,
        }
    }
}

/// Decides as [`super::evaluate_trust`] does, without saying why and without allocating for usual tokens.
pub fn decide_trust(policy: &Policy, request: &TrustRequest<'_>) -> Decision {
    if !refusals(policy, request).is_empty() {
        return Decision::Deny;
    }
    let context = TrustContext::new(*request);
    let mut decision = decide_action(policy, &context, request, request.action);
    for action in request.implied_actions() {
        decision = decision.and(decide_action(policy, &context, request, action));
    }
    decision
}

pub(super) fn decide_action(
    policy: &Policy,
    context: &TrustContext<'_>,
    request: &TrustRequest<'_>,
    action: &str,
) -> Decision {
    let mut tally = Tally::new();
    for statement in &policy.statements {
        tally.add(statement.effect, statement_matches(statement, context, request, action));
    }
    tally.decision()
}

fn statement_matches(
    statement: &Statement,
    context: &TrustContext<'_>,
    request: &TrustRequest<'_>,
    action: &str,
) -> Truth {
    let principal =
        statement.principal.as_ref().map_or(Truth::False, |p| p.covers(request.provider_arn, statement.effect));
    if principal == Truth::False {
        return principal;
    }
    let action = covers_action(&statement.action, action, context.effort());
    if action == Truth::False {
        return action;
    }
    principal.and(action).and(Truth::all(statement.conditions.iter().map(|c| condition::holds(c, context))))
}

/// Whether `Action` or `NotAction` covers `action`.
pub fn covers_action(element: &ActionElement, action: &str, effort: &Effort) -> Truth {
    let listed = Truth::any(
        element
            .patterns
            .iter()
            .map(|pattern| if pattern == action { Truth::True } else { like_ignoring_case(pattern, action, effort) }),
    );
    match element {
        ActionElement { patterns, .. } if patterns.is_empty() => Truth::False,
        ActionElement { negated: true, .. } => !listed,
        ActionElement { negated: false, .. } => listed,
    }
}

/// Whether a statement's actions have `action` among them, for certain.
pub fn action_covers(element: &ActionElement, action: &str) -> bool {
    covers_action(element, action, &Effort::full()) == Truth::True
}

/// Something for which STS turns a token away whatever the policy says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Several audiences and no `azp`.
    SeveralAudiences,
    /// An audience claim without any value.
    EmptyAudience,
    /// The token lists roles, and this role is not among them.
    RoleNotListed,
    /// STS takes tokens of app.terraform.io only where the policy has a condition on their subject.
    SubjectNotEvaluated,
}

/// What STS refuses whatever the trust policy says. The subject rule is one about all the policy's statements that
/// allow: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html>.
pub fn refusals(policy: &Policy, request: &TrustRequest<'_>) -> Vec<Refusal> {
    let mut found = Vec::new();
    match request.claims.get("aud") {
        Some(Value::Null) => found.push(Refusal::EmptyAudience),
        Some(Value::Array(audiences)) if audiences.is_empty() => found.push(Refusal::EmptyAudience),
        Some(Value::Array(audiences)) if audiences.len() > 1 && authorized_party(request.claims).is_none() => {
            found.push(Refusal::SeveralAudiences);
        }
        _ => {}
    }
    if request.role_arn.is_some_and(|role| !RolesClaim::of(request.claims).admits(role)) {
        found.push(Refusal::RoleNotListed);
    }
    if request.issuer() == TERRAFORM && !policy.statements.iter().any(evaluates_terraform_subject) {
        found.push(Refusal::SubjectNotEvaluated);
    }
    found
}

const TERRAFORM: &str = "https://app.terraform.io";

fn evaluates_terraform_subject(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && statement.conditions.iter().any(|c| c.key.eq_ignore_ascii_case("app.terraform.io:sub"))
}
