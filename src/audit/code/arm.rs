//! Azure's templates, which Bicep makes: the federated credentials that they declare, of managed identities and, by Microsoft's
//! extension for Graph, of applications.

use std::cell::Cell;

use serde_json::{Map, Value as Json};

use super::arm_expression::{Expression, call, parse};
use super::declared::{Configuration, Declared, DeclaredTrust, NotKnown, Unknowns};
use super::node::{Member, Node, What};

/// Templates within templates at most.
const DEEPEST: usize = 16;
/// Values of one template, and values within each other, at most.
const MOST_VALUES: usize = 100_000;
const DEEPEST_VALUE: usize = 200;
/// Texts longer than this are no subject.
const LONGEST: usize = 64 << 10;
/// Instances of one resource.
const MOST_INSTANCES: u64 = 1000;

/// Whether a document is a template.
pub fn is_template(document: &Node) -> bool {
    document
        .get("$schema")
        .and_then(Node::text)
        .is_some_and(|schema| schema.to_ascii_lowercase().contains("deploymenttemplate"))
        || document.get("resources").is_some_and(|resources| !of_kind(resources).is_empty())
}

/// Reads the credentials of a template.
pub fn read(document: &Node, file: &str) -> Configuration {
    let mut configuration = Configuration::default();
    let effort = Effort::default();
    let template = Template { root: document, given: Map::new(), unknowns: &configuration.unknowns, effort: &effort };
    let mut found = Vec::new();
    template.declare(DEEPEST, &mut found);
    for Found { name, line, credential } in found {
        let (address, file) = (format!("{file} {name}"), file.to_owned());
        match credential {
            Ok(credential) => {
                configuration.declared.push(Declared {
                    address,
                    file,
                    line,
                    what: DeclaredTrust::Credential(credential),
                });
            }
            Err(why) => configuration.not_known.push(NotKnown { what: address, file, line, why }),
        }
    }
    configuration
}

struct Found {
    name: String,
    line: u64,
    credential: Result<Json, String>,
}

struct Template<'t> {
    root: &'t Node,
    /// The parameters that the template around this one gives.
    given: Map<String, Json>,
    unknowns: &'t Unknowns,
    effort: &'t Effort,
}

/// What is spent on a template's values: variables may double each other, or go round.
#[derive(Default)]
struct Effort {
    values: Cell<usize>,
    depth: Cell<usize>,
}

impl Effort {
    /// What `value` yields, or nothing where that takes too long.
    fn spend<T>(&self, value: impl FnOnce() -> T) -> Option<T> {
        self.values.set(self.values.get() + 1);
        if self.values.get() > MOST_VALUES || self.depth.get() >= DEEPEST_VALUE {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let value = value();
        self.depth.set(self.depth.get() - 1);
        Some(value)
    }
}

/// The resources of a list, or of an object by symbolic names.
fn of_kind(resources: &Node) -> Vec<(&Node, u64)> {
    let listed: Vec<(&Node, u64)> = match &resources.what {
        What::List(items) => items.iter().map(|item| (item, item.line)).collect(),
        What::Map(members) => members.iter().map(|Member { line, value, .. }| (value, *line)).collect(),
        What::Nothing | What::Text(_) => Vec::new(),
    };
    let is_resource = |node: &Node| {
        let kind = node.get("type").and_then(Node::text).unwrap_or_default();
        kind.starts_with("Microsoft.") || kind.eq_ignore_ascii_case("federatedIdentityCredentials")
    };
    listed.into_iter().filter(|(node, _)| is_resource(node)).collect()
}

impl Template<'_> {
    fn declare(&self, depth: usize, found: &mut Vec<Found>) {
        if let Some(resources) = self.root.get("resources") {
            self.declare_all(resources, "", depth, found);
        }
    }

    fn declare_all(&self, resources: &Node, parent: &str, depth: usize, found: &mut Vec<Found>) {
        for (resource, line) in of_kind(resources) {
            let condition = resource.get("condition").map(|condition| self.value(condition, 0));
            if condition.is_some_and(|holds| holds == Json::Bool(false) || holds.as_str() == Some("false")) {
                continue;
            }
            let count = resource.get("copy").and_then(|copy| copy.get("count")).map(|count| self.value(count, 0));
            let count = count.map_or(Some(1), |count| number(&count));
            for at in 0..count.unwrap_or(1).min(MOST_INSTANCES) {
                self.declare_one(resource, line, parent, at, depth, found);
            }
        }
    }

    fn declare_one(&self, resource: &Node, line: u64, parent: &str, at: u64, depth: usize, found: &mut Vec<Found>) {
        let kind = resource.get("type").and_then(Node::text).unwrap_or_default();
        let kind = kind.split('@').next().unwrap_or_default().to_ascii_lowercase();
        let properties = resource.get("properties");
        let own = |name: &str| resource.get(name).or_else(|| properties?.get(name));
        let name = own("name").map(|name| self.value(name, at)).and_then(|name| name.as_str().map(str::to_owned));
        let name = name.unwrap_or_else(|| "a resource without a name".to_owned());
        let path = if parent.is_empty() { name.clone() } else { format!("{parent}/{name}") };
        if kind.ends_with("federatedidentitycredentials") {
            let credential = properties.map(|properties| self.value(properties, at));
            let credential = match credential {
                Some(Json::Object(mut credential)) => {
                    credential.entry("name").or_insert_with(|| path.rsplit('/').next().unwrap_or_default().into());
                    Ok(Json::Object(credential))
                }
                _ => Err("it has no properties".to_owned()),
            };
            found.push(Found { name: path, line, credential });
            return;
        }
        if depth == 0 {
            return;
        }
        if kind == "microsoft.resources/deployments"
            && let Some(root) = properties.and_then(|properties| properties.get("template"))
        {
            let parameters = properties.and_then(|properties| properties.get("parameters")).map(Node::members);
            let given = parameters
                .unwrap_or_default()
                .iter()
                .filter_map(|parameter| Some((parameter.key.clone(), self.value(parameter.value.get("value")?, at))));
            let given = given.filter(|(_, value)| value.to_string().len() <= LONGEST);
            let (unknowns, effort) = (self.unknowns, self.effort);
            Template { root, given: given.collect(), unknowns, effort }.declare(depth - 1, found);
        } else if let Some(nested) = resource.get("resources") {
            self.declare_all(nested, &path, depth - 1, found);
        }
    }

    fn unknown(&self, what: &str) -> Json {
        self.unknowns.mark(what).into()
    }

    /// What a part comes to in the instance `at` of its resource.
    fn value(&self, node: &Node, at: u64) -> Json {
        let value = self.effort.spend(|| self.known(node, at));
        value.unwrap_or_else(|| self.unknown("what takes too long to find out"))
    }

    fn known(&self, node: &Node, at: u64) -> Json {
        match &node.what {
            What::Nothing => Json::Null,
            What::Text(text) => match parse(text) {
                Some(expression) => self.evaluated(&expression, at),
                None if text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']') => self.unknown(text),
                None => text.strip_prefix('[').filter(|rest| rest.starts_with('[')).unwrap_or(text).into(),
            },
            What::List(items) => items.iter().map(|item| self.value(item, at)).collect::<Vec<_>>().into(),
            What::Map(members) => {
                let all = members.iter().map(|member| (member.key.clone(), self.value(&member.value, at)));
                all.collect::<Map<_, _>>().into()
            }
        }
    }

    fn evaluated(&self, expression: &Expression, at: u64) -> Json {
        let value = self.effort.spend(|| self.reckoned(expression, at));
        value.unwrap_or_else(|| self.unknown("what takes too long to find out"))
    }

    fn reckoned(&self, expression: &Expression, at: u64) -> Json {
        match expression {
            Expression::Literal(value) => value.clone(),
            Expression::Member(of, member) => {
                let (of, member) = (self.evaluated(of, at), self.evaluated(member, at));
                let found = match (&of, &member) {
                    (Json::Object(object), Json::String(name)) => object.get(name),
                    (Json::Array(items), index) => number(index).and_then(|at| items.get(usize::try_from(at).ok()?)),
                    _ => None,
                };
                found.cloned().unwrap_or_else(|| match of {
                    // What is not known has no members that are.
                    Json::String(mark) if !self.unknowns.in_text(&mark).is_empty() => mark.into(),
                    _ => self.unknown(&written(expression)),
                })
            }
            Expression::Call(name, arguments) => self.called(name, arguments, at, expression),
        }
    }

    fn called(&self, name: &str, arguments: &[Expression], at: u64, whole: &Expression) -> Json {
        let named = |list: &str| match arguments {
            [Expression::Literal(Json::String(name))] => Some((name.as_str(), self.root.get(list)?.get(name)?)),
            _ => None,
        };
        match name {
            "parameters" => {
                let given = match arguments {
                    [Expression::Literal(Json::String(name))] => self.given.get(name).cloned(),
                    _ => None,
                };
                let default = || Some(self.value(named("parameters")?.1.get("defaultValue")?, at));
                given.or_else(default).unwrap_or_else(|| self.unknown(&written(whole)))
            }
            "variables" => {
                named("variables").map_or_else(|| self.unknown(&written(whole)), |(_, value)| self.value(value, at))
            }
            "copyindex" => {
                let offset =
                    arguments.last().map(|offset| self.evaluated(offset, at)).and_then(|offset| number(&offset));
                (at + offset.unwrap_or_default()).into()
            }
            "if" => match arguments {
                [condition, yes, no] => match self.evaluated(condition, at) {
                    Json::Bool(true) => self.evaluated(yes, at),
                    Json::Bool(false) => self.evaluated(no, at),
                    Json::String(text) if text == "true" => self.evaluated(yes, at),
                    Json::String(text) if text == "false" => self.evaluated(no, at),
                    _ => self.unknown(&written(whole)),
                },
                _ => self.unknown(&written(whole)),
            },
            name => {
                let values: Vec<Json> = arguments.iter().map(|argument| self.evaluated(argument, at)).collect();
                let is_open = |value: &Json| !self.unknowns.in_text(&value.to_string()).is_empty();
                if matches!(name, "equals" | "empty" | "length") && values.iter().any(is_open) {
                    return self.unknown(&written(whole));
                }
                let value = call(name, &values).filter(|value| value.as_str().is_none_or(|text| text.len() <= LONGEST));
                value.unwrap_or_else(|| self.unknown(&written(whole)))
            }
        }
    }
}

fn number(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// An expression in few words.
fn written(expression: &Expression) -> String {
    match expression {
        Expression::Literal(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        Expression::Member(of, member) => format!("{}.{}", written(of), written(member)),
        Expression::Call(name, arguments) => match arguments.as_slice() {
            [Expression::Literal(Json::String(argument))] => format!("{name} {argument}"),
            _ => format!("{name}(…)"),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::audit::code::node::read_json;

    const SCHEMA: &str = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
    const KIND: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";

    fn configuration(mut template: Json) -> Configuration {
        template["$schema"] = SCHEMA.into();
        let document = read_json(&format!("{template:#}"), 1).unwrap();
        assert!(is_template(&document));
        read(&document, "main.json")
    }

    fn credential(subject: &str) -> Json {
        json!({"issuer": "https://token.actions.githubusercontent.com", "subject": subject, "audiences": ["api://AzureADTokenExchange"]})
    }

    fn subjects(configuration: &Configuration) -> Vec<(&str, &str)> {
        configuration
            .declared
            .iter()
            .map(|declared| match &declared.what {
                DeclaredTrust::Credential(credential) => {
                    (declared.address.as_str(), credential["subject"].as_str().unwrap())
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn credentials_are_found_in_every_form() {
        let subject = "[format('repo:{0}/app:environment:prod', parameters('owner'))]";
        let parameters = json!({"owner": {"type": "string", "defaultValue": "octo"}, "list": {"defaultValue": [{"s": "a"}, {"s": "b"}]}});
        let one = json!({"type": KIND, "name": "[format('{0}/{1}', variables('identity'), 'ci')]", "properties": credential(subject)});
        let wanted = vec![("main.json id/ci", "repo:octo/app:environment:prod")];
        let nested = json!({"type": "Microsoft.ManagedIdentity/userAssignedIdentities", "name": "id",
            "resources": [{"type": "federatedIdentityCredentials", "name": "ci", "properties": credential(subject)}]});
        let inner = json!({"parameters": {"owner": {}}, "variables": {"identity": "id"}, "resources": [one]});
        let deployment = json!({"type": "Microsoft.Resources/deployments", "name": "d", "properties": {
            "parameters": {"owner": {"value": "[parameters('owner')]"}}, "template": inner}});
        for (name, resources) in [
            ("a list", json!([one])),
            ("by symbolic names", json!({"cred": one})),
            ("in its identity", json!([nested])),
            ("a module", json!([deployment])),
        ] {
            let template = json!({"parameters": parameters, "variables": {"identity": "id"}, "resources": resources});
            assert_eq!(subjects(&configuration(template)), wanted, "{name}");
        }
        let graph = json!({"import": "MicrosoftGraph", "type": "Microsoft.Graph/applications/federatedIdentityCredentials@v1.0",
            "properties": {"name": "app/ci", "issuer": "i", "audiences": ["a"], "subject": "s"}});
        let copied = json!({"type": KIND, "name": "[concat('id/', copyIndex())]", "copy": {"name": "c", "count": "[length(parameters('list'))]"},
            "properties": credential("[parameters('list')[copyIndex()].s]")});
        let off = json!({"type": KIND, "name": "off", "condition": false, "properties": credential("x")});
        let found = configuration(json!({"parameters": parameters, "resources": [graph, copied, off]}));
        assert_eq!(subjects(&found), [("main.json app/ci", "s"), ("main.json id/0", "a"), ("main.json id/1", "b")]);
        assert!(found.declared.iter().all(|declared| declared.line > 3), "{found:#?}");
    }

    #[test]
    fn what_is_not_known_is_a_mark_and_what_doubles_ends() {
        let one = |subject: &str| json!({"type": KIND, "name": "id/ci", "properties": credential(subject)});
        let found = configuration(
            json!({"parameters": {"owner": {}}, "resources": [one("[concat('repo:', parameters('owner'))]")]}),
        );
        assert_eq!(subjects(&found)[0].1, "repo:parameters-owner.unknown");
        assert_eq!(found.unknowns.in_text(subjects(&found)[0].1), ["parameters owner"]);
        let mut variables = json!({"a0": "x"});
        for at in 1..60 {
            variables[format!("a{at}")] =
                format!("[concat(variables('a{}'), variables('a{}'))]", at - 1, at - 1).into();
        }
        let found = configuration(json!({"variables": variables, "resources": [one("[variables('a59')]")]}));
        assert!(!found.unknowns.in_text(subjects(&found)[0].1).is_empty());
        let round =
            configuration(json!({"variables": {"a": "[variables('a')]"}, "resources": [one("[variables('a')]")]}));
        assert!(!round.unknowns.in_text(subjects(&round)[0].1).is_empty());
    }
}
