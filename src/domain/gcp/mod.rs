//! Google Cloud: providers of workload identity pools, and what they and the bindings of IAM say to a token.

mod evaluate;
mod expression;
mod lint;
mod member;
mod provider;

pub use evaluate::{EvaluatedRule, LONGEST_SUBJECT, ProviderEvaluation, Refusal, Subject, Test, evaluate};
pub use expression::Expression;
pub use lint::{ForeignToken, foreign, room_for_ref, whole_pool};
pub use member::{Binding, BindingError, Member, Who, bindings};
pub use provider::{PoolProvider, ProviderError, ProviderName, ProviderProblem};
