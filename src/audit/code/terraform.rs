//! Terraform's configuration: the trusts that a module and those below it declare, as far as they can be known without a plan.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;

use hcl::expr::{Expression, TraversalOperator};
use hcl::{Body, Map, Value};
use serde_json::{Value as Json, json};

use super::declared::{Configuration, Declared, DeclaredTrust, NotKnown, THIS_ACCOUNT, Unknowns};
use super::expression::{evaluate, items, text};
use super::module::{Module, Parsed, Place, is_labelled, values_of};

/// Modules below each other at most, and references behind each other.
const DEEPEST: usize = 8;
const LONGEST_CHAIN: usize = 64;
/// What one configuration may cost, a reference with its value each, and how many modules it may have: what doubles with each step
/// ends.
const MOST_SPENT: usize = 200_000;
const MOST_MODULES: usize = 1000;
/// A value with more in it is no policy.
const LARGEST: usize = 256 << 10;
/// Instances of one resource.
const MOST_INSTANCES: usize = 1000;

/// What is around a module.
#[derive(Clone, Copy)]
pub struct Around<'f> {
    /// The module in a folder, given as this one's folder with the `source` behind it.
    pub module: &'f dyn Fn(&str) -> Option<Module>,
    /// The text of a file in the folder of a module, given by both.
    pub text: &'f dyn Fn(&str, &str) -> Option<String>,
}

impl Around<'_> {
    /// Nothing: the module stands alone.
    pub const NOTHING: Around<'static> = Around { module: &|_| None, text: &|_, _| None };
}

/// Reads a module with those below it.
pub fn read(root: &Module, around: Around<'_>) -> Configuration {
    let unknowns = Unknowns::default();
    let mut found = Found::default();
    let module = Parsed::of(root, &mut found.not_known);
    let given = values_of(root, &mut found.not_known);
    let shared = Shared { unknowns: &unknowns, around, spent: Cell::new(0), modules: Cell::new(0) };
    let evaluator = Evaluator::new(&module, given, &shared, vec![root.folder.clone()]);
    evaluator.declare("", &mut found);
    if !found.declared.iter().any(|declared| matches!(declared.what, DeclaredTrust::Role { .. })) {
        evaluator.declare_documents(&mut found);
    }
    let Found { declared, mut not_known, providers } = found;
    not_known.dedup();
    Configuration { declared, not_known, providers, unknowns }
}

#[derive(Default)]
struct Found {
    declared: Vec<Declared>,
    not_known: Vec<NotKnown>,
    providers: Vec<(String, Vec<String>)>,
}

/// What is in reach of an expression beside its module.
#[derive(Clone, Debug, Default)]
struct Scope {
    /// The key and the value of a resource's instance; both unknown where `for_each` is.
    each: Option<(Value, Value)>,
    /// The number of a counted instance.
    index: Option<usize>,
    /// The names that `dynamic` blocks bring.
    names: Vec<(String, Value)>,
}

/// What all modules of a configuration have in common.
struct Shared<'s> {
    unknowns: &'s Unknowns,
    around: Around<'s>,
    spent: Cell<usize>,
    modules: Cell<usize>,
}

struct Evaluator<'m> {
    module: &'m Parsed,
    given: Map<String, Value>,
    shared: &'m Shared<'m>,
    /// The folders of the modules around this one, and its own.
    folders: Vec<String>,
    chain: Cell<usize>,
    /// The values of variables and locals that were asked for.
    fixed: RefCell<BTreeMap<Vec<String>, Option<Value>>>,
    outputs: OnceCell<BTreeMap<String, Map<String, Value>>>,
}

impl<'m> Evaluator<'m> {
    fn new(module: &'m Parsed, given: Map<String, Value>, shared: &'m Shared<'m>, folders: Vec<String>) -> Self {
        let (chain, fixed, outputs) = (Cell::new(0), RefCell::default(), OnceCell::new());
        Evaluator { module, given, shared, folders, chain, fixed, outputs }
    }

    fn value(&self, expression: &Expression, scope: &Scope) -> Result<Value, String> {
        let value = evaluate(expression, &|parts| self.lookup(parts, scope), self.shared.unknowns, &scope.names)?;
        match size(&value) > LARGEST {
            true => Err("a value of more than 256 KiB".to_owned()),
            false => Ok(value),
        }
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
        if self.chain.get() >= LONGEST_CHAIN || self.shared.spent.get() > MOST_SPENT {
            return None;
        }
        // Variables and locals are the same wherever they are named.
        let is_fixed = matches!(parts.first().map(String::as_str), Some("var" | "local"));
        let before = if is_fixed { self.fixed.borrow().get(parts).cloned() } else { None };
        let found = before.unwrap_or_else(|| {
            self.chain.set(self.chain.get() + 1);
            let found = self.known(parts, scope).filter(|value| size(value) <= LARGEST);
            self.chain.set(self.chain.get() - 1);
            if is_fixed {
                self.fixed.borrow_mut().insert(parts.to_vec(), found.clone());
            }
            found
        });
        let cost = 1 + found.as_ref().map_or(0, |value| size(value) / 64);
        self.shared.spent.set(self.shared.spent.get() + cost);
        found
    }

    fn known(&self, parts: &[String], scope: &Scope) -> Option<Value> {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let own = Scope::default();
        match parts.as_slice() {
            ["var", name] => self.given.get(*name).cloned().or_else(|| {
                let declared = self.module.blocks("variable").find(|place| is_labelled(&place.block, &[name]))?;
                let mut all = declared.block.body().attributes();
                // `null` is a default, too.
                self.value(all.find(|attribute| attribute.key() == "default")?.expr(), &own).ok()
            }),
            ["local", name] => {
                let mut all = self.module.blocks("locals").flat_map(|place| place.block.body().attributes());
                self.value(all.find(|attribute| attribute.key() == *name)?.expr(), &own).ok()
            }
            ["each", "key"] => scope.each.as_ref().map(|(key, _)| key.clone()).filter(|key| !key.is_null()),
            ["each", "value"] => scope.each.as_ref().map(|(_, value)| value.clone()).filter(|value| !value.is_null()),
            ["count", "index"] => Some(scope.index.unwrap_or_default().into()),
            // A file is named from the folder that the module is in.
            ["path", "module" | "root" | "cwd"] => Some(".".into()),
            ["file", path] => (self.shared.around.text)(&self.module.folder, path).map(Value::from),
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
            if r#type.as_str() == "aws_iam_openid_connect_provider" {
                found.providers.extend(self.registered(place.block.body()));
            }
            if !is_trust {
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
    fn registered(&self, body: &Body) -> Option<(String, Vec<String>)> {
        let scope = Scope::default();
        let url = text(&self.attribute(body, "url", &scope)?)?;
        let audiences = self.texts(body, "client_id_list", &scope);
        let is_known = self.shared.unknowns.in_text(&format!("{url} {audiences:?}")).is_empty();
        is_known.then(|| (url.strip_prefix("https://").unwrap_or(&url).to_owned(), audiences))
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

    /// The instances of a resource or module, each by its key.
    fn scopes(&self, body: &Body) -> Vec<(Option<String>, Scope)> {
        let has = |name: &str| body.attributes().any(|attribute| attribute.key() == name);
        let one = || vec![(None, Scope::default())];
        if has("count") {
            let count = self.attribute(body, "count", &Scope::default()).and_then(|count| count.as_u64());
            let numbered = |index: usize| (Some(index.to_string()), Scope { index: Some(index), ..Scope::default() });
            return match count.and_then(|count| usize::try_from(count).ok()) {
                // Whether it is one or none is not told by its address.
                None | Some(1) => one(),
                Some(count) => (0..count.min(MOST_INSTANCES)).map(numbered).collect(),
            };
        }
        if !has("for_each") {
            return one();
        }
        match self.attribute(body, "for_each", &Scope::default()) {
            Some(each @ (Value::Object(_) | Value::Array(_))) => instances(&each)
                .into_iter()
                .take(MOST_INSTANCES)
                .map(|(key, value)| (text(&key), Scope { each: Some((key, value)), ..Scope::default() }))
                .collect(),
            _ => one(),
        }
    }

    /// Evaluates the modules that are called from folders here. What cannot be read of them is added to `not_known`.
    fn below(&self, not_known: &mut Vec<NotKnown>, each: &mut dyn FnMut(&str, &Evaluator<'_>, &mut Vec<NotKnown>)) {
        for place in self.module.blocks("module") {
            let [name] = place.block.labels() else { continue };
            let body = place.block.body();
            let scope = Scope::default();
            let source = self.attribute(body, "source", &scope).and_then(|source| text(&source)).unwrap_or_default();
            let module = match self.module_at(&source) {
                Ok(module) => module,
                Err(why) => {
                    let (what, file) = (format!("module.{}", name.as_str()), place.file.clone());
                    not_known.push(NotKnown { what, file, line: place.line, why });
                    continue;
                }
            };
            let parsed = Parsed::of(&module, not_known);
            for (key, scope) in self.scopes(body) {
                let mut given = Map::new();
                for attribute in body
                    .attributes()
                    .filter(|attribute| !matches!(attribute.key(), "source" | "version" | "for_each" | "count"))
                {
                    if let Ok(value) = self.value(attribute.expr(), &scope) {
                        given.insert(attribute.key().to_owned(), value);
                    }
                }
                let folders = self.folders.iter().cloned().chain([module.folder.clone()]).collect();
                let name = format!("{}{}", name.as_str(), index(key.as_deref(), &scope));
                each(&name, &Evaluator::new(&parsed, given, self.shared, folders), not_known);
            }
        }
    }

    /// The module that a `source` names.
    fn module_at(&self, source: &str) -> Result<Module, String> {
        if !source.starts_with("./") && !source.starts_with("../") {
            return Err(format!("its source `{source}` is not in a folder here, so what it declares is not read"));
        }
        self.shared.modules.set(self.shared.modules.get() + 1);
        if self.folders.len() > DEEPEST || self.shared.modules.get() > MOST_MODULES {
            return Err(format!("modules are nested more than {DEEPEST} deep, or there are more than {MOST_MODULES}"));
        }
        let module = (self.shared.around.module)(&format!("{}/{source}", self.module.folder));
        let module = module.ok_or_else(|| format!("its source {source} has no configuration that could be read"))?;
        match self.folders.contains(&module.folder) {
            true => Err(format!("its source {source} is a module that calls this one: they go round")),
            false => Ok(module),
        }
    }

    /// What the modules below say of themselves.
    fn outputs(&self) -> &BTreeMap<String, Map<String, Value>> {
        self.outputs.get_or_init(|| {
            let mut all = BTreeMap::new();
            // What cannot be read is told where they are declared.
            self.below(&mut Vec::new(), &mut |name, child, _| {
                let outputs = child.module.blocks("output").filter_map(|place| {
                    let [output] = place.block.labels() else { return None };
                    Some((output.as_str().to_owned(), child.attribute(place.block.body(), "value", &Scope::default())?))
                });
                // One of several instances stands for all.
                let name = name.split('[').next().unwrap_or_default();
                all.insert(name.to_owned(), outputs.collect());
            });
            all
        })
    }
}

/// The statements of a policy's text; none of one that is not known.
fn statements_of(document: &str) -> Vec<Json> {
    let document = serde_json::from_str::<Json>(document).unwrap_or_default();
    match document.get("Statement").cloned().unwrap_or_default() {
        Json::Array(list) => list,
        Json::Null => Vec::new(),
        one => vec![one],
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

/// How much there is in a value, in bytes and about.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 8 + size(item)).sum(),
        Value::Object(object) => object.iter().map(|(key, value)| 8 + key.len() + size(value)).sum(),
        _ => 8,
    }
}

/// What tells an instance from the others in its address.
fn index(key: Option<&str>, scope: &Scope) -> String {
    match (key, scope.index) {
        (_, Some(index)) => format!("[{index}]"),
        (Some(key), None) => format!("[{key:?}]"),
        (None, None) => String::new(),
    }
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
        Module { folder: ".".to_owned(), files: vec![("main.tf".to_owned(), text.to_owned())], ..Module::default() }
    }

    fn read_alone(module: &Module) -> Configuration {
        read(module, Around::NOTHING)
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
        let load =
            |folder: &str| folder.ends_with("/roles").then(|| Module { folder: "roles".to_owned(), ..below.clone() });
        let found = read(&root, Around { module: &load, ..Around::NOTHING });
        let text = |declared: &Declared| match &declared.what {
            DeclaredTrust::Role { trust, .. } => trust.clone(),
            other => panic!("{other:?}"),
        };
        let told: Vec<(String, String)> = found.declared.iter().map(|d| (d.address.clone(), text(d))).collect();
        let address = |name: &str| name.to_owned();
        assert_eq!(
            told,
            [
                (address("aws_iam_role.second"), address("repo:octo/*")),
                (address("module.ci.aws_iam_role.first"), address("octo"))
            ]
        );
        let [round] = found.not_known.as_slice() else { panic!("{found:#?}") };
        assert_eq!((round.what.as_str(), round.line), ("module.around", 4));
        assert!(round.why.contains("go round"), "{round:?}");
    }

    #[test]
    fn counted_resources_and_modules_for_each_have_their_own_values() {
        let root = module(
            r#"variable "list" { default = ["a", "b"] }
            variable "none" { default = null }
            resource "aws_iam_role" "r" {
              count = length(var.list)
              assume_role_policy = coalesce(var.none, var.list[count.index])
            }
            module "m" {
              source   = "./m"
              for_each = { x = "c" }
              policy   = each.value
            }"#,
        );
        let below =
            module("variable \"policy\" {}\nresource \"aws_iam_role\" \"r\" { assume_role_policy = var.policy }");
        let load = |_: &str| Some(Module { folder: "m".to_owned(), ..below.clone() });
        let found = read(&root, Around { module: &load, ..Around::NOTHING });
        let told: Vec<(String, String)> = found
            .declared
            .into_iter()
            .map(|declared| match declared.what {
                DeclaredTrust::Role { trust, .. } => (declared.address, trust),
                other => panic!("{other:?}"),
            })
            .collect();
        let pair = |address: &str, trust: &str| (address.to_owned(), trust.to_owned());
        let module = pair("module.m[\"x\"].aws_iam_role.r", "c");
        assert_eq!(told, [pair("aws_iam_role.r[0]", "a"), pair("aws_iam_role.r[1]", "b"), module]);
    }

    #[test]
    fn documents_override_statements_of_the_same_name() {
        let text = r#"
          data "aws_iam_policy_document" "first" {
            statement {
              sid     = "one"
              actions = ["a:a"]
            }
          }
          data "aws_iam_policy_document" "over" {
            statement {
              sid     = "one"
              actions = ["b:b"]
            }
            statement { actions = ["c:c"] }
          }
          data "aws_iam_policy_document" "all" {
            source_policy_documents   = [data.aws_iam_policy_document.first.json]
            override_policy_documents = [data.aws_iam_policy_document.over.json]
          }
          resource "aws_iam_role" "ci" { assume_role_policy = data.aws_iam_policy_document.all.json }"#;
        let found = trust(text);
        let actions: Vec<&Json> = found["Statement"].as_array().unwrap().iter().map(|one| &one["Action"][0]).collect();
        assert_eq!(actions, ["b:b", "c:c"]);
    }

    #[test]
    fn a_module_from_elsewhere_is_said_not_to_be_read() {
        let found = read_alone(&module(
            "module \"a\" { source = \"terraform-aws-modules/iam/aws\" }\nmodule \"b\" { source = \"./none\" }\nmodule \"c\" { source = \"git::https://example.com/x.git\" }\n",
        ));
        let named: Vec<(&str, u64)> = found.not_known.iter().map(|not| (not.what.as_str(), not.line)).collect();
        assert_eq!(named, [("module.a", 1), ("module.b", 2), ("module.c", 3)]);
        assert!(found.not_known.iter().all(|not| not.why.contains("its source")), "{found:#?}");
    }

    #[test]
    fn what_doubles_with_each_step_ends() {
        let mut locals = "a0 = \"xxxxxxxx\"\n b0 = [1]\n".to_owned();
        for at in 1..60 {
            let before = at - 1;
            locals.push_str(&format!(" a{at} = \"${{local.a{before}}}${{local.a{before}}}\"\n"));
            locals.push_str(&format!(" b{at} = concat(local.b{before}, local.b{before})\n"));
        }
        let text = format!(
            "locals {{\n{locals}}}\nresource \"aws_iam_role\" \"a\" {{ assume_role_policy = local.a59 }}\nresource \"aws_iam_role\" \"b\" {{ assume_role_policy = jsonencode(local.b59) }}\n"
        );
        let found = read_alone(&module(&text));
        assert_eq!(found.declared.len() + found.not_known.len(), 2);
        // Each module calls the next twice.
        let load = |folder: &str| {
            let depth = folder.matches("/m").count();
            let text = "module \"a\" { source = \"./m\" }\nmodule \"b\" { source = \"./m\" }\n".repeat(2);
            Some(Module { folder: folder.replace("/./", "/"), ..module(&text) }).filter(|_| depth < 100)
        };
        let root = load("/m").unwrap_or_default();
        let found = read(&root, Around { module: &load, ..Around::NOTHING });
        assert!(found.not_known.iter().all(|not| not.why.contains("more than")), "{:#?}", found.not_known.first());
    }

    #[test]
    fn a_policy_in_a_file_of_its_own_is_read() {
        let text = |folder: &str, path: &str| {
            assert_eq!(folder, ".");
            Some(match path {
                "./trust.json" => format!("{}", whole()),
                "./trust.tftpl" => {
                    let whole = whole().to_string();
                    whole.replace("octo/app", "${owner}/%{ for name in names }${name}%{ endfor }")
                }
                _ => return None,
            })
        };
        for policy in [
            r#"file("${path.module}/trust.json")"#,
            r#"templatefile("${path.module}/trust.tftpl", { owner = "octo", names = ["app"] })"#,
            r#"try(local.none.missing, file("./trust.json"))"#,
        ] {
            let root = module(&format!(
                "locals {{ none = {{}} }}\nresource \"aws_iam_role\" \"ci\" {{ assume_role_policy = {policy} }}"
            ));
            let found = read(&root, Around { text: &text, ..Around::NOTHING });
            let [Declared { what: DeclaredTrust::Role { trust, .. }, .. }] = found.declared.as_slice() else {
                panic!("{policy}: {found:#?}")
            };
            assert_eq!(serde_json::from_str::<Json>(trust).unwrap(), whole(), "{policy}");
        }
        let lost = read_alone(&module("resource \"aws_iam_role\" \"ci\" { assume_role_policy = file(\"x.json\") }"));
        let unknown = lost.declared.iter().map(|declared| format!("{declared:?}")).collect::<String>();
        assert_eq!(lost.unknowns.in_text(&unknown), ["the file x.json"]);
    }

    #[test]
    fn what_cannot_be_known_is_named() {
        let found = read_alone(&module(
            "variable \"owner\" {}\nresource \"aws_iam_role\" \"a\" {\n assume_role_policy = \"repo:${var.owner}/x\"\n}\n\
             resource \"aws_iam_role\" \"b\" {\n assume_role_policy = cidrhost(\"10.0.0.0/8\", 1)\n}\n",
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
