//! IAM: policy documents, and what they say to a token or to a read.

mod access;
mod assume;
mod authorization;
mod condition;
mod context;
mod correct;
mod decide;
mod document;
mod endpoint_policy;
mod evaluate;
mod foreign;
mod key;
mod lint;
mod near_miss;
mod near_subject;
pub mod open_text;
mod operator;
mod operator_read;
pub mod pattern;
mod policy;
mod provider;
mod resource_policy;
pub mod subject_shape;
mod transformation;
mod truth;
mod variable;

pub use super::issuer::BUILT_IN_PROVIDERS;
pub use access::{AccessEvaluation, AccessRequest, AccessStatement, OtherKeys, Withheld, evaluate_access};
pub use access::{ResourceMiss, resource_miss};
pub use assume::{ASSUME_ROLE, AssumeEvaluation, AssumeRequest, evaluate_assume};
pub use authorization::{AuthorizationDenial, AuthorizationDetails, AuthorizationEvaluation, AuthorizationId};
pub use context::{TrustRequest, Unseen, WEB_IDENTITY, audience_at_sts};
pub use correct::{
    Correction, NoCorrection, Subject, SubjectKnownFrom, TrustChange, TrustEdit, Wanted, WantedCaller, correct_assume,
    correct_trust, edit_trust, tighten_trust,
};
pub use decide::{Decision, Refusal, action_covers, decide_trust};
pub use endpoint_policy::StsEndpoint;
pub use evaluate::evaluate_predicted;
pub use evaluate::{
    ActionDecision, ConditionEvaluation, ElementEvaluation, StatementEvaluation, TrustEvaluation, evaluate_trust,
};
pub use foreign::{
    Admitted, Distance, ForeignSubject, foreign_tokens, named_tokens, strangers, strangers_of_statement,
    strangers_to_the_named,
};
pub use key::{ImpossibleKey, KeyFault};
pub use lint::{PolicyLint, Rule, lint};

pub use operator::{Comparison, Operator, Quantifier};
pub use operator_read::{AwsRead, OperatorReach, operator_policy};
pub use policy::ProviderArn;
pub use policy::{
    ActionElement, Condition, Effect, Expected, Origin, Policy, PolicyError, PolicyProblem, PrincipalElement,
    ProblemKind, ResourceElement, Statement, Version,
};
pub use provider::{KnownFrom, Provider};
pub use resource_policy::AboutCaller;
pub use transformation::{NearMiss, Transformation};
pub use truth::Truth;
