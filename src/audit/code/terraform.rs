//! Terraform's configuration: the trusts that a module and those below it declare, as far as they can be known without a plan.

pub(super) mod resources;
#[cfg(test)]
mod tests;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;

use hcl::expr::{Expression, TraversalOperator};
use hcl::{Body, Map, Value};
use serde_json::Value as Json;

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

    /// The value of an attribute; what cannot be evaluated is not known, and is no attribute that is not there.
    fn attribute_or_mark(&self, body: &Body, name: &str, scope: &Scope) -> Option<Value> {
        let attribute = body.attributes().find(|attribute| attribute.key() == name)?;
        let value = self.value(attribute.expr(), scope);
        let value = value.unwrap_or_else(|_| self.shared.unknowns.mark(name).into());
        (!value.is_null()).then_some(value)
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
            ["google_iam_workload_identity_pool", name, "name" | "id"] => {
                let place = self.module.resource("resource", "google_iam_workload_identity_pool", name)?;
                let own = |attribute: &str| text(&self.attribute(place.block.body(), attribute, scope)?);
                let project = own("project").unwrap_or_else(|| self.shared.unknowns.mark("the project"));
                let pool = own("workload_identity_pool_id")?;
                Some(format!("projects/{project}/locations/global/workloadIdentityPools/{pool}").into())
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
