//! CloudFormation's intrinsic functions: what a part of a template comes to when it is deployed with the defaults of its parameters
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>). What is not known
//! before is a mark.

use std::cell::Cell;

use serde_json::{Map, Value as Json};

use super::declared::{THIS_ACCOUNT, Unknowns};
use super::node::{Node, What};

/// An identity provider as CloudFormation registers it.
pub const OIDC_PROVIDER: &str = "AWS::IAM::OIDCProvider";
/// The same as the CDK's own function does: its `Ref` is the ARN, too.
pub const CDK_PROVIDER: &str = "Custom::AWSCDKOpenIdConnectProvider";

/// Conditions and functions within each other at most.
const DEEPEST: usize = 200;
/// Texts longer than this are no policy.
const LONGEST: usize = 1 << 20;

/// A template with what its parameters are.
pub struct Template<'t> {
    pub root: &'t Node,
    pub unknowns: &'t Unknowns,
    depth: Cell<usize>,
}

impl<'t> Template<'t> {
    pub fn new(root: &'t Node, unknowns: &'t Unknowns) -> Self {
        Template { root, unknowns, depth: Cell::new(0) }
    }

    /// A resource by its logical id.
    pub fn resource(&self, name: &str) -> Option<&'t Node> {
        self.root.get("Resources")?.get(name)
    }

    /// What a part comes to; nothing where that is `AWS::NoValue`.
    pub fn value(&self, node: &Node) -> Option<Json> {
        if self.depth.get() >= DEEPEST {
            return Some(self.unknown("what is nested too deep"));
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.known(node);
        self.depth.set(self.depth.get() - 1);
        value
    }

    /// The text of a part; none where it is a list or a map.
    pub fn text(&self, node: &Node) -> Option<String> {
        self.value(node)?.as_str().map(str::to_owned)
    }

    fn known(&self, node: &Node) -> Option<Json> {
        if let Some((name, argument)) = node.single()
            && let Some(value) = self.function(name, argument)
        {
            return value;
        }
        Some(match &node.what {
            What::Nothing => Json::Null,
            What::Text(text) => self.resolved(text).into(),
            What::List(items) => items.iter().filter_map(|item| self.value(item)).collect::<Vec<_>>().into(),
            What::Map(members) => {
                let known = |key: &str, value: &Node| Some((key.to_owned(), self.value(value)?));
                members.iter().filter_map(|member| known(&member.key, &member.value)).collect::<Map<_, _>>().into()
            }
        })
    }

    fn unknown(&self, what: &str) -> Json {
        self.unknowns.mark(what).into()
    }

    /// A text whose dynamic references (`{{resolve:ssm:…}}`) are marks.
    fn resolved(&self, text: &str) -> String {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{resolve:") {
            let Some((reference, after)) = behind.split_once("}}") else { break };
            resolved.push_str(before);
            resolved.push_str(&self.unknowns.mark(&format!("resolve:{reference}")));
            rest = after;
        }
        resolved.push_str(rest);
        resolved
    }

    /// The value of an intrinsic function; the outer option says whether it is one.
    fn function(&self, name: &str, argument: &Node) -> Option<Option<Json>> {
        let value = match name {
            "Ref" => return Some(self.reference(argument.text()?)),
            "Condition" => return None,
            "Fn::GetAtt" => {
                let parts: Option<Vec<&str>> = argument.items().iter().map(Node::text).collect();
                self.attribute(&parts?.join("."))
            }
            "Fn::Sub" => self.substituted(argument)?.into(),
            "Fn::Join" => {
                let [separator, list] = argument.items() else { return None };
                let list = self.value(list)?;
                let texts: Vec<String> = items(&list).iter().map(plain).collect();
                texts.join(separator.text()?).into()
            }
            "Fn::Split" => {
                let [separator, text] = argument.items() else { return None };
                let text = self.text(text)?;
                text.split(separator.text().filter(|s| !s.is_empty())?).map(Json::from).collect::<Vec<_>>().into()
            }
            "Fn::Select" => {
                let [at, list] = argument.items() else { return None };
                let (at, list) = (self.text(at)?, self.value(list)?);
                let list = items(&list);
                let selected = at.parse::<usize>().ok().and_then(|at| list.get(at).cloned());
                // A list that is not known has no second element.
                selected.or_else(|| list.into_iter().find(|item| !self.unknowns.in_text(&plain(item)).is_empty()))?
            }
            "Fn::If" => {
                let [condition, yes, no] = argument.items() else { return None };
                let name = condition.text()?;
                return Some(match self.condition_named(name) {
                    Some(true) => self.value(yes),
                    Some(false) => self.value(no),
                    None => self.either(name, yes, no),
                });
            }
            "Fn::FindInMap" => {
                let [map, first, second, ..] = argument.items() else { return None };
                let (map, first, second) = (self.text(map)?, self.text(first)?, self.text(second)?);
                let found = self.root.get("Mappings").and_then(|all| all.get(&map)?.get(&first)?.get(&second));
                found.map_or_else(|| self.unknown(&format!("{map}.{first}.{second}")), Node::json)
            }
            "Fn::ImportValue" => self.unknown(&format!("the import {}", self.text(argument).unwrap_or_default())),
            "Fn::ToJsonString" => self.value(argument)?.to_string().into(),
            name if name.starts_with("Fn::") => self.unknown(name),
            _ => return None,
        };
        Some(Some(value))
    }

    /// What `Fn::If` comes to where its condition is not known: what both ways have in common, else a mark.
    fn either(&self, condition: &str, yes: &Node, no: &Node) -> Option<Json> {
        let (yes, no) = (self.value(yes), self.value(no));
        match yes == no {
            true => yes,
            false => Some(self.unknown(&format!("the condition {condition}"))),
        }
    }

    fn reference(&self, name: &str) -> Option<Json> {
        Some(match name {
            "AWS::NoValue" => return None,
            "AWS::AccountId" => THIS_ACCOUNT.into(),
            "AWS::Partition" => "aws".into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            name => match self.root.get("Parameters").and_then(|all| all.get(name)) {
                Some(parameter) => self.parameter(name, parameter),
                None => self.of_resource(name).unwrap_or_else(|| self.unknown(name)),
            },
        })
    }

    fn parameter(&self, name: &str, parameter: &Node) -> Json {
        let kind = parameter.get("Type").and_then(Node::text).unwrap_or_default();
        // The default of such a one is a name in the parameter store.
        let default = parameter.get("Default").filter(|_| !kind.starts_with("AWS::SSM::Parameter"));
        match default.map(|default| &default.what) {
            Some(What::Text(text)) if kind.contains("List") => {
                text.split(',').map(|item| Json::from(item.trim())).collect::<Vec<_>>().into()
            }
            Some(What::Text(text)) => text.as_str().into(),
            Some(What::Nothing) => "".into(),
            _ => self.unknown(name),
        }
    }

    /// What a `Ref` of a resource yields, for those that trusts refer to.
    fn of_resource(&self, name: &str) -> Option<Json> {
        let resource = self.resource(name)?;
        let property = |property: &str| self.text(resource.get("Properties")?.get(property)?);
        Some(match resource.get("Type")?.text()? {
            OIDC_PROVIDER | CDK_PROVIDER => provider_arn(&property("Url")?).into(),
            "AWS::IAM::Role" => property("RoleName").unwrap_or_else(|| name.to_owned()).into(),
            "AWS::IAM::ManagedPolicy" => format!("arn:aws:iam::{THIS_ACCOUNT}:policy/{name}").into(),
            _ => return None,
        })
    }

    /// What `Fn::GetAtt` yields.
    fn attribute(&self, path: &str) -> Json {
        let known = path.split_once('.').and_then(|(name, attribute)| {
            let kind = self.resource(name)?.get("Type")?.text()?;
            match (kind, attribute) {
                (OIDC_PROVIDER | CDK_PROVIDER, "Arn") => self.of_resource(name),
                ("AWS::IAM::Role", "Arn") => {
                    let role = self.of_resource(name)?;
                    Some(format!("arn:aws:iam::{THIS_ACCOUNT}:role/{}", plain(&role)).into())
                }
                _ => None,
            }
        });
        known.unwrap_or_else(|| self.unknown(path))
    }

    fn substituted(&self, argument: &Node) -> Option<String> {
        let (text, own) = match argument.items() {
            [text] => (text.text()?, None),
            [text, own] => (text.text()?, Some(own)),
            _ => return None,
        };
        let mut substituted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            substituted.push_str(before);
            let Some((name, after)) = behind.split_once('}') else {
                substituted.push_str("${");
                rest = behind;
                continue;
            };
            rest = after;
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                substituted.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = match own.and_then(|own| own.get(name)) {
                Some(value) => self.value(value),
                None if name.contains('.') => Some(self.attribute(name)),
                None => self.reference(name),
            };
            let value = value.as_ref().map(items).unwrap_or_default();
            substituted.push_str(&value.iter().map(plain).collect::<Vec<_>>().join(","));
            if substituted.len() > LONGEST {
                return Some(self.unknowns.mark("a text of more than 1 MiB"));
            }
        }
        substituted.push_str(rest);
        Some(self.resolved(&substituted))
    }

    /// Whether a condition of the template holds, where that is known.
    pub fn condition_named(&self, name: &str) -> Option<bool> {
        if self.depth.get() >= DEEPEST {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let holds = self.root.get("Conditions").and_then(|all| self.condition(all.get(name)?));
        self.depth.set(self.depth.get() - 1);
        holds
    }

    fn condition(&self, node: &Node) -> Option<bool> {
        let (name, argument) = node.single()?;
        let parts = || argument.items().iter().map(|part| self.nested(part));
        match name {
            "Condition" => self.condition_named(argument.text()?),
            "Fn::Equals" => {
                let [left, right] = argument.items() else { return None };
                let (left, right) = (self.value(left)?, self.value(right)?);
                let is_known = self.unknowns.in_text(&format!("{left} {right}")).is_empty();
                (is_known || left == right).then_some(left == right)
            }
            "Fn::Not" => parts().next()?.map(|holds| !holds),
            "Fn::And" if parts().any(|part| part == Some(false)) => Some(false),
            "Fn::And" => parts().collect::<Option<Vec<_>>>().map(|_| true),
            "Fn::Or" if parts().any(|part| part == Some(true)) => Some(true),
            "Fn::Or" => parts().collect::<Option<Vec<_>>>().map(|_| false),
            _ => None,
        }
    }

    fn nested(&self, node: &Node) -> Option<bool> {
        if self.depth.get() >= DEEPEST {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let holds = self.condition(node);
        self.depth.set(self.depth.get() - 1);
        holds
    }
}

/// The ARN of the provider that is registered for a URL.
pub fn provider_arn(url: &str) -> String {
    let host = url.strip_prefix("https://").unwrap_or(url);
    format!("arn:aws:iam::{THIS_ACCOUNT}:oidc-provider/{host}")
}

/// The elements of a list; any other value is one by itself.
fn items(value: &Json) -> Vec<Json> {
    match value {
        Json::Array(items) => items.clone(),
        Json::Null => Vec::new(),
        other => vec![other.clone()],
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::audit::code::node::read_yaml;

    const TEMPLATE: &str = r#"
Parameters:
  Owner: {Type: String, Default: octo}
  Repositories: {Type: CommaDelimitedList, Default: "app, api"}
  Empty: {Type: String, Default: ""}
  Given: {Type: String}
  Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /ci/owner}
Mappings:
  Branches: {prod: {name: main}, dev: {name: develop}}
Conditions:
  IsOcto: !Equals [!Ref Owner, octo]
  HasNone: !Equals [!Ref Empty, ""]
  Both: !And [!Condition IsOcto, !Not [!Equals [a, b]]]
  Neither: !Or [!Equals [a, b], !Not [!Condition HasNone]]
  Open: !Equals [!Ref Given, x]
  Never: !And [!Condition Open, !Equals [a, b]]
  Round: !Condition Round
Resources:
  Github: {Type: "AWS::IAM::OIDCProvider", Properties: {Url: "https://token.actions.githubusercontent.com"}}
  Deploy: {Type: "AWS::IAM::Role", Properties: {RoleName: deploy}}
"#;

    fn value(text: &str) -> Json {
        let documents = read_yaml(TEMPLATE).unwrap();
        let (unknowns, node) = (Unknowns::default(), read_yaml(text).unwrap());
        Template::new(&documents[0], &unknowns).value(&node[0]).unwrap_or_default()
    }

    #[test]
    fn every_function_in_both_its_forms() {
        let github = format!("arn:aws:iam::{THIS_ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
        for (text, expected) in [
            ("!Ref Owner", json!("octo")),
            ("{Ref: Owner}", json!("octo")),
            ("!Ref Repositories", json!(["app", "api"])),
            ("!Ref Empty", json!("")),
            ("!Ref AWS::Partition", json!("aws")),
            ("[a, !Ref AWS::NoValue]", json!(["a"])),
            ("!Ref Github", json!(github)),
            ("!GetAtt Github.Arn", json!(github)),
            ("{Fn::GetAtt: [Github, Arn]}", json!(github)),
            ("!Ref Deploy", json!("deploy")),
            ("!GetAtt Deploy.Arn", json!(format!("arn:aws:iam::{THIS_ACCOUNT}:role/deploy"))),
            ("!Sub 'repo:${Owner}/app:*'", json!("repo:octo/app:*")),
            ("!Sub ['repo:${Owner}/${name}', {name: !Select [1, !Ref Repositories]}]", json!("repo:octo/api")),
            (
                "!Sub '${!aws:userid} ${AWS::AccountId} ${Github.Arn}'",
                json!(format!("${{aws:userid}} {THIS_ACCOUNT} {github}")),
            ),
            ("!Join ['/', [octo, !Ref Owner]]", json!("octo/octo")),
            ("!Join [',', !Ref Repositories]", json!("app,api")),
            ("!Split [':', 'a:b']", json!(["a", "b"])),
            ("!Select ['1', !Split ['//', 'https://x']]", json!("x")),
            ("!FindInMap [Branches, prod, name]", json!("main")),
            ("!If [IsOcto, yes, no]", json!("yes")),
            ("!If [HasNone, yes, no]", json!("yes")),
            ("!If [Both, yes, no]", json!("yes")),
            ("!If [Neither, yes, no]", json!("no")),
            ("!If [Never, yes, no]", json!("no")),
            ("!If [Open, same, same]", json!("same")),
            ("Fn::ToJsonString: {a: !Ref Owner}", json!("{\"a\":\"octo\"}")),
            ("{a: b, Ref: c}", json!({"a": "b", "Ref": "c"})),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_a_mark() {
        for (text, mark) in [
            ("!Ref Given", "given.unknown"),
            ("!Ref Stored", "stored.unknown"),
            ("!Ref Nothing", "nothing.unknown"),
            ("!Sub 'repo:${Given}/app'", "repo:given.unknown/app"),
            ("!Sub '${Cluster.OpenIdConnectIssuerUrl}'", "cluster-openidconnectissuerurl.unknown"),
            ("!Select [1, !Split ['//', !GetAtt Cluster.Url]]", "cluster-url.unknown"),
            ("!ImportValue github", "the-import-github.unknown"),
            ("!If [Open, yes, no]", "the-condition-open.unknown"),
            ("!If [Round, yes, no]", "the-condition-round.unknown"),
            ("!FindInMap [Branches, !Ref Given, name]", "branches-given-unknown-name.unknown"),
            ("!GetAZs ''", "fn--getazs.unknown"),
            ("'{{resolve:ssm:/ci/owner}}/x'", "resolve-ssm--ci-owner.unknown/x"),
        ] {
            assert_eq!(value(text), json!(mark), "{text}");
        }
    }
}
