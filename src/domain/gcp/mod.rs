//! Google Cloud: providers of workload identity pools, and what they and the bindings of IAM say to a token.

mod admit;
mod deny;
mod evaluate;
mod evaluation;
mod expression;
mod lint;
mod lookalike;
mod member;
mod open_expression;
mod provider;
mod rights;
mod scope;
mod syntax;

pub use deny::{Denial, DenyPolicy, DenyRule, rule_on_denial};
pub use evaluate::{Subject, evaluate};
pub use evaluation::{EvaluatedRule, LONGEST_SUBJECT, ProviderEvaluation, Refusal, Test};
pub use expression::Expression;
pub use lint::{ForeignToken, foreign, room_for_ref, whole_pool};
pub use member::{Binding, BindingError, Member, Who, bindings};
pub use provider::{PoolProvider, ProviderError, ProviderProblem};
pub use rights::{Lack, PolicyOn, RightsOf, RolePermissions, Ruling, roles_in_question, rule_on_permission};
