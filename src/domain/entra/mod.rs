//! Microsoft Entra workload identity federation: federated credentials and whether one accepts a token, the national
//! clouds, and the error answers of the token endpoint.
//!
//! Rules: <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>.

mod credential;
mod difference;
mod error;
mod evaluate;
mod expression;
mod shape;

pub use credential::{CREDENTIALS_LIMIT, CredentialProblem};
pub use credential::{CredentialError, CredentialSet, FederatedCredential};
pub use difference::Difference;
pub use error::{EntraError, Presented, ValidRange};
pub use evaluate::evaluate_predicted;
pub use evaluate::{Comparison, CredentialEvaluation, EvaluatedCredential, Field, evaluate};
pub use shape::ShapeFlaw;

pub use expression::{ClaimsExpression, ExpressionError, FlexibleIssuer, flexible_issuer};
