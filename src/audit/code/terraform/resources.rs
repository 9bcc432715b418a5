//! What the resources and data of Terraform's configuration declare: roles, policy documents, credentials, providers.

use hcl::Body;
use hcl::expr::Expression;
use serde_json::{Value as Json, json};

use super::{Evaluator, Found, Scope, index, refers_to, statements_of};
use crate::audit::code::declared::{Declared, DeclaredTrust, NotKnown};
use crate::audit::code::expression::{items, text};
use crate::audit::code::module::Place;
use crate::audit::google;

/// Whether a resource gives somebody a role at Google: on a project, a service account, a secret, whatever has a policy.
pub(in crate::audit::code) fn grants_at_google(kind: &str) -> bool {
    kind.starts_with("google_") && (kind.ends_with("_iam_member") || kind.ends_with("_iam_binding"))
}

/// A role for members, where one of them is of a pool.
pub(in crate::audit::code) fn binding_of(role: String, members: Vec<String>) -> Option<DeclaredTrust> {
    let policy = json!({ "bindings": [{ "role": role, "members": members }] });
    google::is_federated(&policy).then_some(DeclaredTrust::Binding(policy))
}

impl Evaluator<'_> {
    /// `aws_iam_policy_document` as the JSON that it makes
    /// (<https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>).
    pub(super) fn policy_document(&self, body: &Body, scope: &Scope) -> Json {
        let mut statements: Vec<Json> = Vec::new();
        for source in self.texts(body, "source_policy_documents", scope) {
            statements.extend(statements_of(&source));
        }
        statements
            .extend(self.expanded(body, "statement", scope).iter().map(|(body, scope)| self.statement(body, scope)));
        for source in self.texts(body, "override_policy_documents", scope) {
            for statement in statements_of(&source) {
                let same = |known: &&mut Json| statement.get("Sid").is_some_and(|sid| known.get("Sid") == Some(sid));
                match statements.iter_mut().find(same) {
                    Some(known) => *known = statement,
                    None => statements.push(statement),
                }
            }
        }
        let version = self.attribute(body, "version", scope).and_then(|version| text(&version));
        json!({ "Version": version.unwrap_or_else(|| "2012-10-17".to_owned()), "Statement": statements })
    }

    fn statement(&self, body: &Body, scope: &Scope) -> Json {
        let effect = self.attribute(body, "effect", scope).and_then(|effect| text(&effect));
        let mut statement = json!({ "Effect": effect.unwrap_or_else(|| "Allow".to_owned()) });
        if let Some(sid) = self.attribute(body, "sid", scope).and_then(|sid| text(&sid)) {
            statement["Sid"] = sid.into();
        }
        let lists = [
            ("actions", "Action"),
            ("not_actions", "NotAction"),
            ("resources", "Resource"),
            ("not_resources", "NotResource"),
        ];
        for (name, element) in lists {
            let texts = self.texts(body, name, scope);
            if !texts.is_empty() {
                statement[element] = json!(texts);
            }
        }
        for (name, element) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
            for (body, scope) in self.expanded(body, name, scope) {
                let kind = self.attribute(body, "type", &scope).and_then(|kind| text(&kind)).unwrap_or_default();
                let identifiers = self.texts(body, "identifiers", &scope);
                match kind.as_str() {
                    "*" => statement[element] = "*".into(),
                    kind => {
                        let mut all: Vec<Json> = statement[element][kind].as_array().cloned().unwrap_or_default();
                        all.extend(identifiers.into_iter().map(Json::from));
                        statement[element][kind] = all.into();
                    }
                }
            }
        }
        for (body, scope) in self.expanded(body, "condition", scope) {
            let one =
                |name: &str| self.attribute(body, name, &scope).and_then(|value| text(&value)).unwrap_or_default();
            let mut all: Vec<Json> =
                statement["Condition"][one("test")][one("variable")].as_array().cloned().unwrap_or_default();
            all.extend(self.texts(body, "values", &scope).into_iter().map(Json::from));
            statement["Condition"][one("test")][one("variable")] = all.into();
        }
        statement
    }

    /// Adds what this module declares, and those below it.
    pub(super) fn declare(&self, prefix: &str, found: &mut Found) {
        for place in self.module.blocks("resource") {
            let [r#type, name] = place.block.labels() else { continue };
            let is_trust = matches!(
                r#type.as_str(),
                "aws_iam_role"
                    | "azuread_application_federated_identity_credential"
                    | "azuread_application_flexible_federated_identity_credential"
                    | "azurerm_federated_identity_credential"
                    | "google_iam_workload_identity_pool_provider"
            );
            if r#type.as_str() == "aws_iam_openid_connect_provider" {
                found.providers.extend(self.registered(place.block.body()));
            }
            let is_trust = is_trust || self.is_credential_by_azapi(r#type.as_str(), place.block.body());
            if !is_trust && !grants_at_google(r#type.as_str()) {
                continue;
            }
            for (key, scope) in self.scopes(place.block.body()) {
                let index = index(key.as_deref(), &scope);
                let address = format!("{prefix}{}.{}{index}", r#type.as_str(), name.as_str());
                self.declare_one(place, r#type.as_str(), name.as_str(), &scope, address, found);
            }
        }
        let mut not_known = Vec::new();
        self.below(&mut not_known, &mut |name, child, below| {
            let mut inner = Found::default();
            child.declare(&format!("{prefix}module.{name}."), &mut inner);
            found.declared.extend(inner.declared);
            found.providers.extend(inner.providers);
            below.extend(inner.not_known);
        });
        found.not_known.extend(not_known);
    }

    /// A provider with its audiences, where all of it is known.
    pub(super) fn registered(&self, body: &Body) -> Option<(String, Vec<String>)> {
        let scope = Scope::default();
        let url = text(&self.attribute(body, "url", &scope)?)?;
        let audiences = self.texts(body, "client_id_list", &scope);
        let is_known = self.shared.unknowns.in_text(&format!("{url} {audiences:?}")).is_empty();
        is_known.then(|| (url.strip_prefix("https://").unwrap_or(&url).to_owned(), audiences))
    }

    /// Adds the trust policies that are written here for roles that are not.
    pub(super) fn declare_documents(&self, found: &mut Found) {
        for place in self.module.blocks("data") {
            let [r#type, name] = place.block.labels() else { continue };
            if r#type.as_str() != "aws_iam_policy_document" {
                continue;
            }
            let trust = self.policy_document(place.block.body(), &Scope::default()).to_string();
            if trust.contains("\"Federated\"") {
                let address = format!("data.aws_iam_policy_document.{}", name.as_str());
                let what = DeclaredTrust::Role { trust, inline: Vec::new(), attached: Vec::new() };
                found.declared.push(Declared { address, file: place.file.clone(), line: place.line, what });
            }
        }
    }

    fn declare_one(&self, place: &Place, r#type: &str, name: &str, scope: &Scope, address: String, found: &mut Found) {
        let body = place.block.body();
        let what = match r#type {
            "aws_iam_role" => self.role(body, name, scope),
            "google_iam_workload_identity_pool_provider" => Ok(self.provider(body, scope).map(DeclaredTrust::Provider)),
            other if grants_at_google(other) => Ok(self.binding(body, scope)),
            "azapi_resource" => Ok(self.credential_by_azapi(body, scope).map(DeclaredTrust::Credential)),
            _ => Ok(Some(DeclaredTrust::Credential(self.credential(body, scope)))),
        };
        let (file, line) = (place.file.clone(), place.line);
        match what {
            Ok(Some(what)) => found.declared.push(Declared { address, file, line, what }),
            Ok(None) => {}
            Err(why) => found.not_known.push(NotKnown { what: address, file, line, why }),
        }
    }

    fn role(&self, body: &Body, name: &str, scope: &Scope) -> Result<Option<DeclaredTrust>, String> {
        let Some(trust) = body.attributes().find(|attribute| attribute.key() == "assume_role_policy") else {
            return Ok(None);
        };
        let trust = self.value(trust.expr(), scope)?;
        let trust = text(&trust).ok_or("its trust policy is no text")?;
        let mut inline: Vec<String> = self
            .expanded(body, "inline_policy", scope)
            .into_iter()
            .filter_map(|(body, scope)| text(&self.attribute(body, "policy", &scope)?))
            .collect();
        let mut attached = self.texts(body, "managed_policy_arns", scope);
        for place in self.module.blocks("resource") {
            let [r#type, _] = place.block.labels() else { continue };
            let other = place.block.body();
            let role = other.attributes().find(|attribute| attribute.key() == "role");
            if !role.is_some_and(|role| refers_to(role.expr(), &["aws_iam_role", name])) {
                continue;
            }
            match r#type.as_str() {
                "aws_iam_role_policy" => {
                    inline.extend(self.attribute(other, "policy", scope).and_then(|policy| text(&policy)))
                }
                "aws_iam_role_policy_attachment" => {
                    let arn = other.attributes().find(|attribute| attribute.key() == "policy_arn");
                    let policy = arn.and_then(|arn| self.own_policy(arn.expr(), scope));
                    match policy {
                        Some(policy) => inline.push(policy),
                        None => attached.extend(self.texts(other, "policy_arn", scope)),
                    }
                }
                _ => {}
            }
        }
        Ok(Some(DeclaredTrust::Role { trust, inline, attached }))
    }

    /// The document of a policy of this module that an expression refers to.
    fn own_policy(&self, expression: &Expression, scope: &Scope) -> Option<String> {
        let place = self.module.blocks("resource").find(|place| {
            let [r#type, name] = place.block.labels() else { return false };
            r#type.as_str() == "aws_iam_policy" && refers_to(expression, &["aws_iam_policy", name.as_str()])
        })?;
        text(&self.attribute(place.block.body(), "policy", scope)?)
    }

    /// Whether the provider `azapi`, which takes what Resource Manager does, makes a federated credential of it.
    fn is_credential_by_azapi(&self, kind: &str, body: &Body) -> bool {
        let of = || text(&self.attribute(body, "type", &Scope::default())?);
        kind == "azapi_resource" && of().is_some_and(|of| of.contains("/federatedIdentityCredentials@"))
    }

    fn credential_by_azapi(&self, body: &Body, scope: &Scope) -> Option<Json> {
        let written = serde_json::to_value(self.attribute_or_mark(body, "body", scope)?).ok()?;
        // Before its second version the body was JSON.
        let written: Json = match written {
            Json::String(json) => json.parse().ok()?,
            other => other,
        };
        let mut credential = written.get("properties")?.clone();
        let name = self.attribute(body, "name", scope).and_then(|name| text(&name));
        credential.as_object_mut()?.insert("name".to_owned(), json!(name));
        Some(credential)
    }

    fn credential(&self, body: &Body, scope: &Scope) -> Json {
        let one = |name: &str| self.attribute_or_mark(body, name, scope).and_then(|value| text(&value));
        let audiences = ["audiences", "audience"]
            .iter()
            .filter_map(|name| self.attribute_or_mark(body, name, scope))
            .map(|value| items(&value).iter().filter_map(text).collect::<Vec<String>>())
            .find(|list| !list.is_empty());
        let mut credential = json!({
            "name": one("display_name").or_else(|| one("name")),
            "issuer": one("issuer"),
            "audiences": audiences.unwrap_or_else(|| vec!["api://AzureADTokenExchange".to_owned()]),
        });
        match one("claims_matching_expression") {
            Some(expression) => {
                credential["claimsMatchingExpression"] = json!({ "value": expression, "languageVersion": 1 })
            }
            None => credential["subject"] = json!(one("subject")),
        }
        credential
    }

    /// A role for members of a pool; nothing where none of the members is of one.
    fn binding(&self, body: &Body, scope: &Scope) -> Option<DeclaredTrust> {
        let members: Vec<String> =
            ["member", "members"].iter().flat_map(|name| self.texts(body, name, scope)).collect();
        let role = self.attribute_or_mark(body, "role", scope).and_then(|role| text(&role));
        binding_of(role?, members)
    }

    fn provider(&self, body: &Body, scope: &Scope) -> Option<Json> {
        let (oidc, inner) = self.expanded(body, "oidc", scope).into_iter().next()?;
        let one = |body: &Body, name: &str, scope: &Scope| {
            self.attribute_or_mark(body, name, scope).and_then(|value| text(&value))
        };
        let mapping = self.attribute_or_mark(body, "attribute_mapping", scope);
        let mut provider = json!({
            "state": "ACTIVE",
            "oidc": { "issuerUri": one(oidc, "issuer_uri", &inner), "allowedAudiences": self.texts(oidc, "allowed_audiences", &inner) },
            "attributeMapping": mapping,
            "disabled": self.attribute(body, "disabled", scope).and_then(|is| is.as_bool()).unwrap_or_default(),
        });
        if let Some(condition) = one(body, "attribute_condition", scope) {
            provider["attributeCondition"] = condition.into();
        }
        Some(provider)
    }
}
