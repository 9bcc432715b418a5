//! The parts of an error text that people are shown, each under its label.

use super::parsed::Parsed;

impl Parsed {
    /// Every part with its label, in the order in which they are shown; `None` for what the text does not say.
    pub fn parts(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("message", self.message.clone()),
            ("operation", self.operation.clone()),
            ("action", self.action.clone()),
            ("resource", self.resource.clone()),
            ("by", self.principal.clone()),
            ("reason", self.reason.clone()),
            ("issuer", self.issuer.clone()),
            ("subject", self.subject.clone()),
            ("audience", self.audience.clone()),
            ("account", self.account.clone()),
            ("region", self.region.clone()),
            ("host", self.host.clone()),
            ("tenant", self.tenant.clone()),
            ("client id", self.client_id.clone()),
            ("object id", self.object_id.clone()),
            ("vault", self.vault.clone()),
            ("secret", self.secret.clone()),
            ("address", self.client_address.clone()),
            ("status", self.http_status.map(|status| status.to_string())),
            ("request id", self.request_id.clone()),
            ("trace id", self.trace_id.clone()),
            ("correlation", self.correlation_id.clone()),
            ("time", self.timestamp.clone()),
            ("details id", self.authorization_id.clone()),
        ]
    }
}
