//! Terraform's configuration: the trusts that a module and those below it declare, as far as they can be known without a plan.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;

use hcl::expr::{Expression, TraversalOperator};
use hcl::{Block, Body, Map, Value};
use serde_json::{Value as Json, json};

use super::expression::{Unknowns, evaluate, items, text};

/// A module: the files of one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// The folder, as it is named in messages and in `source`.
    pub folder: String,
    /// Names and texts of its `.tf` files, and of the files with values for its variables.
    pub files: Vec<(String, String)>,
    pub values: Vec<(String, String)>,
}

/// A trust that the code declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Such as `module.ci.aws_iam_role.deploy["a"]`.
    pub address: String,
    pub file: String,
    pub line: u64,
    pub what: DeclaredTrust,
}

/// What is declared, in the form that the clouds answer it.
#[derive(Clone, Debug, PartialEq)]
pub enum DeclaredTrust {
    /// A role: its trust policy, its own policies, the ARNs of those that are attached.
    Role { trust: String, inline: Vec<String>, attached: Vec<String> },
    /// A federated credential of Entra.
    Credential(Json),
    /// A provider of a workload identity pool.
    Provider(Json),
}

/// Something that cannot be read or known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnown {
    pub what: String,
    pub file: String,
    pub line: u64,
    pub why: String,
}

/// What a configuration declares.
#[derive(Debug, Default)]
pub struct Configuration {
    pub declared: Vec<Declared>,
    pub not_known: Vec<NotKnown>,
    pub unknowns: Unknowns,
}

/// Modules below each other at most, and references behind each other.
const DEEPEST: usize = 8;
const LONGEST_CHAIN: usize = 64;
/// Instances of one resource.
const MOST_INSTANCES: usize = 1000;
/// Stands for the account that the code is applied in.
const THIS_ACCOUNT: &str = "000000000000";

/// Reads a module. `load` yields the module in a folder, given as this one's folder with the `source` behind it.
pub fn read(root: &Module, load: &dyn Fn(&str) -> Option<Module>) -> Configuration {
    let unknowns = Unknowns::default();
    let mut found = Found::default();
    let module = Parsed::of(root, &mut found.not_known);
    let given = values_of(root, &mut found.not_known);
    let evaluator = Evaluator::new(&module, given, &unknowns, load, 0);
    evaluator.declare("", &mut found);
    if !found.declared.iter().any(|declared| matches!(declared.what, DeclaredTrust::Role { .. })) {
        evaluator.declare_documents(&mut found);
    }
    let Found { declared, not_known } = found;
    Configuration { declared, not_known, unknowns }
}

#[derive(Default)]
struct Found {
    declared: Vec<Declared>,
    not_known: Vec<NotKnown>,
}

/// The blocks of a module.
struct Parsed {
    folder: String,
    blocks: Vec<Place>,
}

struct Place {
    block: Block,
    file: String,
    line: u64,
}

impl Parsed {
    fn of(module: &Module, not_known: &mut Vec<NotKnown>) -> Self {
        let mut blocks = Vec::new();
        for (file, content) in &module.files {
            match content.parse::<Body>() {
                Ok(body) => {
                    let mut lines = Lines::of(content);
                    blocks.extend(body.into_blocks().map(|block| {
                        let line = lines.of_block(&block);
                        Place { block, file: file.clone(), line }
                    }));
                }
                Err(error) => {
                    let line = match &error {
                        hcl::Error::Parse(error) => error.location().line() as u64,
                        _ => 1,
                    };
                    let why = error.to_string().lines().next_back().unwrap_or_default().trim().to_owned();
                    not_known.push(NotKnown { what: file.clone(), file: file.clone(), line, why });
                }
            }
        }
        Parsed { folder: module.folder.clone(), blocks }
    }

    fn blocks<'p>(&'p self, kind: &str) -> impl Iterator<Item = &'p Place> {
        self.blocks.iter().filter(move |place| place.block.identifier() == kind)
    }

    /// A resource or a data source.
    fn resource(&self, kind: &str, r#type: &str, name: &str) -> Option<&Place> {
        self.blocks(kind).find(|place| is_labelled(&place.block, &[r#type, name]))
    }
}

fn is_labelled(block: &Block, labels: &[&str]) -> bool {
    block.labels().len() == labels.len()
        && block.labels().iter().zip(labels).all(|(label, wanted)| label.as_str() == *wanted)
}

/// Finds the lines that blocks begin in. The parser's tree has lost them.
struct Lines<'t> {
    rest: Vec<(u64, &'t str)>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Lines { rest: (1..).zip(text.lines()).filter(|(_, line)| line.contains('{')).collect() }
    }

    fn of_block(&mut self, block: &Block) -> u64 {
        let begins = |line: &str| {
            let Some(mut rest) = line.trim_start().strip_prefix(block.identifier()) else { return false };
            for label in block.labels() {
                let unquoted = rest.trim_start().trim_start_matches('"');
                let Some(behind) = unquoted.strip_prefix(label.as_str()) else { return false };
                rest = behind.trim_start_matches('"');
            }
            rest.trim_start().starts_with('{')
        };
        let at = self.rest.iter().position(|(_, line)| begins(line));
        at.map_or(1, |at| self.rest.remove(at).0)
    }
}

fn values_of(module: &Module, not_known: &mut Vec<NotKnown>) -> Map<String, Value> {
    let mut given = Map::new();
    for (file, content) in &module.values {
        match content.parse::<Body>() {
            Ok(body) => {
                for attribute in body.into_attributes() {
                    if let Ok(value) = evaluate(attribute.expr(), &|_| None, &Unknowns::default(), &[]) {
                        given.insert(attribute.key().to_owned(), value);
                    }
                }
            }
            Err(error) => not_known.push(NotKnown {
                what: file.clone(),
                file: file.clone(),
                line: 1,
                why: error.to_string().lines().next_back().unwrap_or_default().trim().to_owned(),
            }),
        }
    }
    given
}

/// What is in reach of an expression beside its module.
#[derive(Clone, Debug, Default)]
struct Scope {
    /// The key and the value of a resource's instance; both unknown where `for_each` is.
    each: Option<(Value, Value)>,
    /// The names that `dynamic` blocks bring.
    names: Vec<(String, Value)>,
}

struct Evaluator<'m> {
    module: &'m Parsed,
    given: Map<String, Value>,
    unknowns: &'m Unknowns,
    load: &'m dyn Fn(&str) -> Option<Module>,
    depth: usize,
    chain: Cell<usize>,
    outputs: OnceCell<BTreeMap<String, Map<String, Value>>>,
}

impl<'m> Evaluator<'m> {
    fn new(
        module: &'m Parsed,
        given: Map<String, Value>,
        unknowns: &'m Unknowns,
        load: &'m dyn Fn(&str) -> Option<Module>,
        depth: usize,
    ) -> Self {
        Evaluator { module, given, unknowns, load, depth, chain: Cell::new(0), outputs: OnceCell::new() }
    }

    fn value(&self, expression: &Expression, scope: &Scope) -> Result<Value, String> {
        evaluate(expression, &|parts| self.lookup(parts, scope), self.unknowns, &scope.names)
    }

    fn attribute(&self, body: &Body, name: &str, scope: &Scope) -> Option<Value> {
        let attribute = body.attributes().find(|attribute| attribute.key() == name)?;
        self.value(attribute.expr(), scope).ok().filter(|value| !value.is_null())
    }

    fn texts(&self, body: &Body, name: &str, scope: &Scope) -> Vec<String> {
        let value = self.attribute(body, name, scope);
        value.iter().flat_map(items).filter_map(|item| text(&item)).collect()
    }

    /// What a reference stands for.
    fn lookup(&self, parts: &[String], scope: &Scope) -> Option<Value> {
        if self.chain.get() >= LONGEST_CHAIN {
            return None;
        }
        self.chain.set(self.chain.get() + 1);
        let found = self.known(parts, scope);
        self.chain.set(self.chain.get() - 1);
        found
    }

    fn known(&self, parts: &[String], scope: &Scope) -> Option<Value> {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let own = Scope::default();
        match parts.as_slice() {
            ["var", name] => self.given.get(*name).cloned().or_else(|| {
                let declared = self.module.blocks("variable").find(|place| is_labelled(&place.block, &[name]))?;
                self.attribute(declared.block.body(), "default", &own)
            }),
            ["local", name] => {
                let mut all = self.module.blocks("locals").flat_map(|place| place.block.body().attributes());
                self.value(all.find(|attribute| attribute.key() == *name)?.expr(), &own).ok()
            }
            ["each", "key"] => scope.each.as_ref().map(|(key, _)| key.clone()).filter(|key| !key.is_null()),
            ["each", "value"] => scope.each.as_ref().map(|(_, value)| value.clone()).filter(|value| !value.is_null()),
            ["count", "index"] => Some(0.into()),
            ["data", "aws_caller_identity", _, "account_id"] => Some(THIS_ACCOUNT.into()),
            ["data", "aws_partition", _, "partition"] => Some("aws".into()),
            ["data", "aws_partition", _, "dns_suffix"] => Some("amazonaws.com".into()),
            ["data", "aws_iam_policy_document", name, "json" | "minified_json"] => {
                let place = self.module.resource("data", "aws_iam_policy_document", name)?;
                Some(self.policy_document(place.block.body(), scope).to_string().into())
            }
            ["data", "aws_iam_openid_connect_provider", name, attribute] => {
                let place = self.module.resource("data", "aws_iam_openid_connect_provider", name)?;
                self.provider_attribute(place, attribute, scope)
            }
            ["aws_iam_openid_connect_provider", name, attribute] => {
                let place = self.module.resource("resource", "aws_iam_openid_connect_provider", name)?;
                self.provider_attribute(place, attribute, scope)
            }
            ["module", name, output] => self.outputs().get(*name)?.get(*output).cloned(),
            [r#type, name, attribute] => {
                let place = self.module.resource("resource", r#type, name)?;
                self.attribute(place.block.body(), attribute, scope)
            }
            _ => None,
        }
    }

    fn provider_attribute(&self, place: &Place, name: &str, scope: &Scope) -> Option<Value> {
        let url = text(&self.attribute(place.block.body(), "url", scope)?)?;
        match name {
            "arn" | "id" => {
                let host = url.strip_prefix("https://").unwrap_or(&url);
                Some(format!("arn:aws:iam::{THIS_ACCOUNT}:oidc-provider/{host}").into())
            }
            "url" => Some(url.into()),
            _ => self.attribute(place.block.body(), name, scope),
        }
    }

    /// `aws_iam_policy_document` as the JSON that it makes
    /// (<https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>).
    fn policy_document(&self, body: &Body, scope: &Scope) -> Json {
        let mut statements: Vec<Json> = Vec::new();
        for source in self.texts(body, "source_policy_documents", scope) {
            if let Ok(document) = serde_json::from_str::<Json>(&source) {
                let list = document.get("Statement").cloned().unwrap_or_default();
                statements.extend(if let Json::Array(list) = list { list } else { vec![list] });
            }
        }
        statements
            .extend(self.expanded(body, "statement", scope).iter().map(|(body, scope)| self.statement(body, scope)));
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

    /// The blocks of this name, those that a `dynamic` block makes among them.
    fn expanded<'b>(&self, body: &'b Body, name: &str, scope: &Scope) -> Vec<(&'b Body, Scope)> {
        let mut found = Vec::new();
        for block in body.blocks() {
            if block.identifier() == name {
                found.push((block.body(), scope.clone()));
            } else if block.identifier() == "dynamic" && is_labelled(block, &[name]) {
                let Some(content) = block.body().blocks().find(|inner| inner.identifier() == "content") else {
                    continue;
                };
                let iterator = block.body().attributes().find(|attribute| attribute.key() == "iterator");
                let iterator = iterator.map_or_else(|| name.to_owned(), |attribute| attribute.expr().to_string());
                let each = block.body().attributes().find(|attribute| attribute.key() == "for_each");
                let each = each.and_then(|attribute| self.value(attribute.expr(), scope).ok()).unwrap_or(Value::Null);
                for (key, value) in instances(&each) {
                    let mut inner = scope.clone();
                    let pair: Map<String, Value> =
                        [("key".to_owned(), key), ("value".to_owned(), value)].into_iter().collect();
                    inner.names.push((iterator.clone(), pair.into()));
                    found.push((content.body(), inner));
                }
            }
        }
        found
    }

    /// Adds what this module declares, and those below it.
    fn declare(&self, prefix: &str, found: &mut Found) {
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
            if !is_trust {
                continue;
            }
            for (key, scope) in self.scopes(place.block.body()) {
                let index = key.map(|key| format!("[{key:?}]")).unwrap_or_default();
                let address = format!("{prefix}{}.{}{index}", r#type.as_str(), name.as_str());
                self.declare_one(place, r#type.as_str(), name.as_str(), &scope, address, found);
            }
        }
        self.below(&mut |name, child| child.declare(&format!("{prefix}module.{name}."), found));
    }

    /// Adds the trust policies that are written here for roles that are not.
    fn declare_documents(&self, found: &mut Found) {
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

    fn credential(&self, body: &Body, scope: &Scope) -> Json {
        let one = |name: &str| self.attribute(body, name, scope).and_then(|value| text(&value));
        let audiences =
            ["audiences", "audience"].iter().map(|name| self.texts(body, name, scope)).find(|list| !list.is_empty());
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

    fn provider(&self, body: &Body, scope: &Scope) -> Option<Json> {
        let (oidc, inner) = self.expanded(body, "oidc", scope).into_iter().next()?;
        let one =
            |body: &Body, name: &str, scope: &Scope| self.attribute(body, name, scope).and_then(|value| text(&value));
        let mapping = self.attribute(body, "attribute_mapping", scope);
        let mut provider = json!({
            "state": "ACTIVE",
            "oidc": { "issuerUri": one(oidc, "issuer_uri", &inner), "allowedAudiences": self.texts(oidc, "allowed_audiences", &inner) },
            "attributeMapping": mapping,
        });
        if let Some(condition) = one(body, "attribute_condition", scope) {
            provider["attributeCondition"] = condition.into();
        }
        Some(provider)
    }

    /// The instances of a resource, each by its key.
    fn scopes(&self, body: &Body) -> Vec<(Option<String>, Scope)> {
        if body.attributes().any(|attribute| attribute.key() == "count") {
            return match self.attribute(body, "count", &Scope::default()) {
                Some(count) if count.as_u64() == Some(0) => Vec::new(),
                _ => vec![(None, Scope::default())],
            };
        }
        if !body.attributes().any(|attribute| attribute.key() == "for_each") {
            return vec![(None, Scope::default())];
        }
        match self.attribute(body, "for_each", &Scope::default()) {
            Some(each @ (Value::Object(_) | Value::Array(_))) => instances(&each)
                .into_iter()
                .take(MOST_INSTANCES)
                .map(|(key, value)| (text(&key), Scope { each: Some((key, value)), names: Vec::new() }))
                .collect(),
            _ => vec![(None, Scope::default())],
        }
    }

    /// Evaluates the modules that are called from folders here.
    fn below(&self, each: &mut dyn FnMut(&str, &Evaluator<'_>)) {
        if self.depth >= DEEPEST {
            return;
        }
        for place in self.module.blocks("module") {
            let [name] = place.block.labels() else { continue };
            let body = place.block.body();
            let scope = Scope::default();
            let source = self.attribute(body, "source", &scope).and_then(|source| text(&source)).unwrap_or_default();
            if !source.starts_with("./") && !source.starts_with("../") {
                continue;
            }
            let Some(module) = (self.load)(&format!("{}/{source}", self.module.folder)) else { continue };
            let parsed = Parsed::of(&module, &mut Vec::new());
            let mut given = Map::new();
            for attribute in body
                .attributes()
                .filter(|attribute| !matches!(attribute.key(), "source" | "version" | "for_each" | "count"))
            {
                if let Ok(value) = self.value(attribute.expr(), &scope) {
                    given.insert(attribute.key().to_owned(), value);
                }
            }
            each(name.as_str(), &Evaluator::new(&parsed, given, self.unknowns, self.load, self.depth + 1));
        }
    }

    /// What the modules below say of themselves.
    fn outputs(&self) -> &BTreeMap<String, Map<String, Value>> {
        self.outputs.get_or_init(|| {
            let mut all = BTreeMap::new();
            self.below(&mut |name, child| {
                let outputs = child.module.blocks("output").filter_map(|place| {
                    let [output] = place.block.labels() else { return None };
                    Some((output.as_str().to_owned(), child.attribute(place.block.body(), "value", &Scope::default())?))
                });
                all.insert(name.to_owned(), outputs.collect());
            });
            all
        })
    }
}

/// Whether an expression is a reference that begins like this, or a list of one.
fn refers_to(expression: &Expression, parts: &[&str]) -> bool {
    let Expression::Traversal(traversal) = expression else { return false };
    let Expression::Variable(root) = &traversal.expr else { return false };
    let names = traversal.operators.iter().filter_map(|operator| match operator {
        TraversalOperator::GetAttr(name) => Some(name.to_string()),
        _ => None,
    });
    let written: Vec<String> = std::iter::once(root.to_string()).chain(names).collect();
    written.len() >= parts.len() && written.iter().zip(parts).all(|(name, wanted)| name == wanted)
}

/// The keys and values that `for_each` goes over.
fn instances(each: &Value) -> Vec<(Value, Value)> {
    match each {
        Value::Object(object) => object.iter().map(|(key, value)| (Value::from(key.as_str()), value.clone())).collect(),
        other => items(other).into_iter().map(|item| (item.clone(), item)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(text: &str) -> Module {
        Module { folder: ".".to_owned(), files: vec![("main.tf".to_owned(), text.to_owned())], values: Vec::new() }
    }

    fn read_alone(module: &Module) -> Configuration {
        read(module, &|_| None)
    }

    /// The trust of the only role.
    fn trust(text: &str) -> Json {
        let found = read_alone(&module(text));
        let [Declared { what: DeclaredTrust::Role { trust, .. }, .. }] = found.declared.as_slice() else {
            panic!("{found:#?}")
        };
        serde_json::from_str(trust).unwrap_or_else(|error| panic!("{error}: {trust}"))
    }

    const SUBJECT: &str = "repo:octo/app:ref:refs/heads/main";

    /// What every form below has to come to.
    fn whole() -> Json {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["sts:AssumeRoleWithWebIdentity"],
            "Principal": {"Federated": [format!("arn:aws:iam::{THIS_ACCOUNT}:oidc-provider/token.actions.githubusercontent.com")]},
            "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": [SUBJECT]}}}]})
    }

    const PROVIDER: &str = r#"
        resource "aws_iam_openid_connect_provider" "github" {
          url            = "https://token.actions.githubusercontent.com"
          client_id_list = ["sts.amazonaws.com"]
        }
    "#;

    #[test]
    fn a_policy_is_read_in_every_form_that_it_is_written_in() {
        let encoded = |sub: &str| {
            format!(
                r#"jsonencode({{
                  Version = "2012-10-17"
                  Statement = [{{
                    Effect    = "Allow"
                    Action    = ["sts:AssumeRoleWithWebIdentity"]
                    Principal = {{ Federated = [aws_iam_openid_connect_provider.github.arn] }}
                    Condition = {{ StringEquals = {{ "token.actions.githubusercontent.com:sub" = [{sub}] }} }}
                  }}]
                }})"#
            )
        };
        let document = |conditions: &str| {
            format!(
                r#"data "aws_iam_policy_document" "trust" {{
                  statement {{
                    actions = ["sts:AssumeRoleWithWebIdentity"]
                    principals {{
                      type        = "Federated"
                      identifiers = [aws_iam_openid_connect_provider.github.arn]
                    }}
                    {conditions}
                  }}
                }}
                resource "aws_iam_role" "ci" {{ assume_role_policy = data.aws_iam_policy_document.trust.json }}"#
            )
        };
        let role = |policy: &str| format!("resource \"aws_iam_role\" \"ci\" {{\n assume_role_policy = {policy}\n}}");
        let heredoc = format!("<<EOF\n{}\nEOF", whole());
        let by_block = r#"condition {
            test     = "StringEquals"
            variable = "${replace(aws_iam_openid_connect_provider.github.url, "https://", "")}:sub"
            values   = [format("repo:%s:ref:refs/heads/%s", var.repository, local.branch)]
        }"#;
        let dynamic = r#"dynamic "condition" {
            for_each = { "token.actions.githubusercontent.com:sub" = ["repo:octo/app:ref:refs/heads/main"] }
            iterator = claim
            content {
              test     = "StringEquals"
              variable = claim.key
              values   = claim.value
            }
        }"#;
        let values = r#"variable "repository" { default = "octo/app" }
            locals { branch = "main" }"#;
        for (name, text) in [
            ("jsonencode", role(&encoded(&format!("{SUBJECT:?}")))),
            ("heredoc", role(&heredoc)),
            (
                "interpolation",
                format!("{values}\n{}", role(&encoded(r#""repo:${var.repository}:ref:refs/heads/${local.branch}""#))),
            ),
            ("conditional", role(&encoded(r#"true ? "repo:octo/app:ref:refs/heads/main" : "*""#))),
            ("join", role(&encoded(r#"join(":", ["repo", "octo/app", "ref", "refs/heads/main"])"#))),
            (
                "a local",
                format!("locals {{ policy = {} }}\n{}", encoded(&format!("{SUBJECT:?}")), role("local.policy")),
            ),
            ("merge", role(&encoded(r#"merge({ a = "x" }, { a = "repo:octo/app:ref:refs/heads/main" }).a"#))),
            ("a document", format!("{values}\n{}", document(by_block))),
            ("dynamic", document(dynamic)),
        ] {
            let trust = trust(&format!("{PROVIDER}\n{text}"));
            assert_eq!(trust, whole(), "{name}");
        }
    }

    #[test]
    fn a_document_without_a_role_is_a_trust_too() {
        let text = r#"data "aws_iam_policy_document" "trust" {
          statement {
            actions = ["sts:AssumeRoleWithWebIdentity"]
            principals {
              type        = "Federated"
              identifiers = ["accounts.google.com"]
            }
            condition {
              test     = "Null"
              variable = "accounts.google.com:oaud"
              values   = [false]
            }
          }
        }
        data "aws_iam_policy_document" "reads" {
          statement {
            actions = ["s3:GetObject"]
          }
        }"#;
        assert_eq!(trust(text)["Statement"][0]["Condition"]["Null"]["accounts.google.com:oaud"], json!(["false"]));
    }

    #[test]
    fn several_instances_have_an_address_each() {
        let text = r#"
            resource "aws_iam_role" "ci" {
              for_each = toset(["app", "api"])
              assume_role_policy = "repo:octo/${each.key}"
            }
            resource "aws_iam_role" "none" {
              count = 0
              assume_role_policy = "x"
            }
        "#;
        let found = read_alone(&module(text));
        let told: Vec<(&str, u64)> = found.declared.iter().map(|d| (d.address.as_str(), d.line)).collect();
        assert_eq!(told, [("aws_iam_role.ci[\"app\"]", 2), ("aws_iam_role.ci[\"api\"]", 2)]);
    }

    #[test]
    fn modules_from_folders_are_followed_with_what_they_are_given() {
        let root = module(
            r#"module "ci" {
              source = "./roles"
              owner  = "octo"
            }
            resource "aws_iam_role" "second" { assume_role_policy = module.ci.subject }"#,
        );
        let below = module(
            r#"variable "owner" {}
            output "subject" { value = "repo:${var.owner}/*" }
            resource "aws_iam_role" "first" { assume_role_policy = var.owner }
            module "around" { source = "../roles" }"#,
        );
        let found = read(&root, &|folder| {
            folder.ends_with("/roles").then(|| Module { folder: folder.to_owned(), ..below.clone() })
        });
        let text = |declared: &Declared| match &declared.what {
            DeclaredTrust::Role { trust, .. } => trust.clone(),
            other => panic!("{other:?}"),
        };
        let told: Vec<(String, String)> = found.declared.iter().map(|d| (d.address.clone(), text(d))).take(3).collect();
        assert_eq!(told[0], ("aws_iam_role.second".to_owned(), "repo:octo/*".to_owned()));
        assert_eq!(told[1], ("module.ci.aws_iam_role.first".to_owned(), "octo".to_owned()));
        assert_eq!(found.declared.len(), 2 + DEEPEST - 1, "a circle of modules ends");
    }

    #[test]
    fn what_cannot_be_known_is_named() {
        let found = read_alone(&module(
            "variable \"owner\" {}\nresource \"aws_iam_role\" \"a\" {\n assume_role_policy = \"repo:${var.owner}/x\"\n}\n\
             resource \"aws_iam_role\" \"b\" {\n assume_role_policy = templatefile(\"x\", {})\n}\n",
        ));
        assert_eq!(found.unknowns.in_text("repo:var-owner.unknown/x"), ["var.owner"]);
        let [not_known] = found.not_known.as_slice() else { panic!("{found:#?}") };
        assert_eq!((not_known.what.as_str(), not_known.line), ("aws_iam_role.b", 5));
        let broken = read_alone(&module("resource \"aws_iam_role\" {\n"));
        assert_eq!(broken.not_known.len(), 1);
    }

    #[test]
    fn the_trusts_of_entra_and_google_are_read_as_they_are_answered() {
        let found = read_alone(&module(
            r#"resource "azuread_application_federated_identity_credential" "ci" {
              display_name = "ci"
              issuer       = "https://token.actions.githubusercontent.com"
              subject      = "repo:octo/app:environment:prod"
              audiences    = ["api://AzureADTokenExchange"]
            }
            resource "google_iam_workload_identity_pool_provider" "github" {
              attribute_mapping   = { "google.subject" = "assertion.sub" }
              attribute_condition = "assertion.repository_owner_id == '42'"
              oidc { issuer_uri = "https://token.actions.githubusercontent.com" }
            }"#,
        ));
        let [DeclaredTrust::Credential(credential), DeclaredTrust::Provider(provider)] =
            &found.declared.iter().map(|declared| declared.what.clone()).collect::<Vec<_>>()[..]
        else {
            panic!("{found:#?}")
        };
        assert_eq!(credential["subject"], "repo:octo/app:environment:prod");
        assert_eq!(provider["attributeMapping"]["google.subject"], "assertion.sub");
        assert_eq!(provider["attributeCondition"], "assertion.repository_owner_id == '42'");
    }
}
