//! `GetCallerIdentity`: needs valid credentials and no permission.

use super::{Element, Fault, Outcome, QUERY, Received, Sts};

impl Sts {
    pub(super) fn get_caller_identity(&self, request: &Received) -> Result<Outcome, Fault> {
        let caller = QUERY.authenticate(request, &self.account)?.caller;
        Ok(Outcome {
            action: "GetCallerIdentity",
            result: vec![
                Element::text("Arn", self.account.arn(&caller)),
                Element::text("UserId", self.account.user_id(&caller)),
                Element::text("Account", self.account.world().account.clone()),
            ],
        })
    }
}
