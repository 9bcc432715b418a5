//! `GetCallerIdentity`: needs valid credentials and no permission.

use super::{Element, Fault, Outcome, QUERY, Received, Sts};

impl Sts {
    pub(super) fn get_caller_identity(&self, request: &Received) -> Result<Outcome, Fault> {
        let account = self.accounts.of_signer(request);
        let caller = QUERY.authenticate(request, account)?.caller;
        Ok(Outcome {
            action: "GetCallerIdentity",
            result: vec![
                Element::text("Arn", account.arn(&caller)),
                Element::text("UserId", account.user_id(&caller)),
                Element::text("Account", account.world().account.clone()),
            ],
        })
    }
}
