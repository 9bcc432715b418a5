//! Secrets Manager: AWS's JSON 1.1 protocol, with KMS behind it.

use std::sync::Arc;

use super::server::{Answer, Received, Service};
use super::session::Account;

pub(super) struct SecretsManager {
    account: Arc<Account>,
}

impl SecretsManager {
    pub(super) fn new(account: Arc<Account>) -> Self {
        SecretsManager { account }
    }
}

impl Service for SecretsManager {
    async fn answer(&self, _request: Received) -> Answer {
        Answer::new(500, "application/json", self.account.world.account.clone())
    }
}
