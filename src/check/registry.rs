//! Every check, in the order of the chain of trust, and what is looked up among them.

use super::definition::Check;
use super::facts::Facts;
use super::facts::network::Exchange;
use super::step::Step;
use super::{
    Verdict, aws, azure, client, clock, deployment, google, issuer, kubernetes, operator, secret, token, trust,
};
use crate::domain::ids::CheckId;
use crate::domain::profile::Profile;

/// Every check.
pub const CHECKS: [&Check; CheckId::ALL.len()] = [
    &issuer::REACHABLE,
    &issuer::TLS,
    &issuer::DISCOVERY,
    &issuer::JWKS,
    &token::present::CHECK,
    &token::shape::CHECK,
    &token::time::CHECK,
    &token::signature::CHECK,
    &token::claims::CHECK,
    &client::credentials::CHECK,
    &client::token_file::CHECK,
    &client::endpoint::CHECK,
    &kubernetes::account::CHECK,
    &kubernetes::pod::CHECK,
    &operator::aws::OPERATOR,
    &operator::aws::PROVIDER,
    &operator::aws::ROLE,
    &operator::azure::OPERATOR,
    &operator::azure::APPLICATION,
    &operator::google::OPERATOR,
    &operator::google::PROVIDER,
    &trust::CHECK,
    &aws::caller::ACCESS_KEY,
    &operator::aws_key::OWNER,
    &aws::web_identity::CHECK,
    &aws::caller::IDENTITY,
    &aws::assume_role::CHECK,
    &operator::aws_reads::PERMISSIONS,
    &operator::aws_reads::SECRET,
    &aws::secrets::LIST,
    &aws::secrets::GET,
    &azure::exchange::CHECK,
    &operator::azure::ASSIGNMENTS,
    &operator::azure::VAULT,
    &azure::vault::LIST,
    &azure::vault::GET,
    &azure::subscription::CHECK,
    &google::exchange::EXCHANGE,
    &google::exchange::IMPERSONATE,
    &operator::google_reads::BINDINGS,
    &operator::google_reads::SECRET,
    &google::secrets::LIST,
    &google::secrets::GET,
    &secret::CHECK,
    &deployment::CHECK,
];

/// Each stands where its id does, so that an id finds its check.
const _: () = {
    let mut place = 0;
    while place < CHECKS.len() {
        assert!(CHECKS[place].id as usize == place, "the checks are not in the order of their ids");
        place += 1;
    }
};

impl CheckId {
    /// All there is to say of it.
    pub const fn check(self) -> &'static Check {
        CHECKS[self as usize]
    }

    /// Its assertion.
    pub const fn title(self) -> &'static str {
        self.check().title
    }
}

/// How a check ended, and why: by its facts, in the light of the clocks that were seen.
pub fn judge(check: CheckId, facts: &Facts, profile: &Profile) -> Verdict {
    let check = check.check();
    let verdict = (check.verdict)(facts, profile);
    let exchanges: Vec<&Exchange> = CHECKS.iter().filter_map(|check| check.exchange(facts)).collect();
    clock::adjust_for_clock_skew(verdict, check.id, check.exchange(facts), &exchanges, facts)
}

/// The checks that are judged by a step's facts.
pub fn informed_by(step: Step, profile: &Profile) -> impl Iterator<Item = &'static Check> {
    CHECKS.into_iter().filter(move |check| (check.step)(profile) == Some(step))
}
