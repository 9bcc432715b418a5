//! CloudFormation's templates and SAM's, whole or in part: the roles that they declare, as far as they can be known before they are
//! deployed.

use serde_json::{Value as Json, json};

use super::declared::{Configuration, Declared, DeclaredTrust, NotKnown};
use super::intrinsic::{CDK_PROVIDER, OIDC_PROVIDER, Template};
use super::node::{Member, Node, What};

/// Maps around the resources of a part at most, such as those of another tool's file.
const DEEPEST_WRAPPER: usize = 4;
/// How the key of a loop begins.
const LOOP: &str = "Fn::ForEach::";
/// Loops make this many copies at most.
const MOST_STEPS: usize = 4000;

/// Whether a document has, or may be a part of, what this module reads.
pub fn is_template(document: &Node) -> bool {
    !parts(document, DEEPEST_WRAPPER).is_empty()
}

/// Reads the trusts of a document.
pub fn read(document: &Node, file: &str) -> Configuration {
    let mut configuration = Configuration::default();
    for part in parts(document, DEEPEST_WRAPPER) {
        let found = match part {
            Part::Template(root) => {
                let template = Template::new(root, &configuration.unknowns);
                configuration.providers.extend(providers(&template, root));
                of_template(&template, root, file)
            }
            Part::Resources(members) => {
                let line = members.first().map_or(1, |member| member.line);
                let resources = Node { line, what: What::Map(members.into_iter().cloned().collect()) };
                let member = Member { line, key: "Resources".to_owned(), value: resources };
                let root = Node { line, what: What::Map(vec![member]) };
                of_template(&Template::new(&root, &configuration.unknowns), &root, file)
            }
            Part::Trust(trust) => {
                let nothing = Node { line: 1, what: What::Nothing };
                let policy = policy(&Template::new(&nothing, &configuration.unknowns), trust);
                let what = policy.map(|trust| DeclaredTrust::Role { trust, inline: Vec::new(), attached: Vec::new() });
                vec![Found { address: file.to_owned(), line: trust.line, what }]
            }
        };
        for Found { address, line, what } in found {
            let file = file.to_owned();
            match what {
                Ok(what) => configuration.declared.push(Declared { address, file, line, what }),
                Err(why) => configuration.not_known.push(NotKnown { what: address, file, line, why }),
            }
        }
    }
    configuration
}

/// What of a document declares trusts.
enum Part<'d> {
    Template(&'d Node),
    /// Resources without the template around them.
    Resources(Vec<&'d Member>),
    /// A trust policy without the role around it.
    Trust(&'d Node),
}

fn parts(node: &Node, depth: usize) -> Vec<Part<'_>> {
    let has_resources = |resources: &Node| {
        resources.members().iter().any(|member| member.key.starts_with(LOOP) || is_resource(&member.value))
    };
    if node.get("Resources").is_some_and(has_resources) {
        return vec![Part::Template(node)];
    }
    let resources: Vec<&Member> = node.members().iter().filter(|member| is_resource(&member.value)).collect();
    if !resources.is_empty() {
        return vec![Part::Resources(resources)];
    }
    if let Some(trust) = node.get("AssumeRolePolicyDocument") {
        return vec![Part::Trust(trust)];
    }
    if node.get("Statement").is_some_and(|statement| statement.items().iter().any(|one| one.get("Effect").is_some())) {
        return vec![Part::Trust(node)];
    }
    if depth == 0 {
        return Vec::new();
    }
    node.members().iter().flat_map(|member| parts(&member.value, depth - 1)).collect()
}

fn is_resource(node: &Node) -> bool {
    node.get("Type").and_then(Node::text).is_some_and(|kind| kind.starts_with("AWS::"))
}

struct Found {
    address: String,
    line: u64,
    what: Result<DeclaredTrust, String>,
}

/// A resource.
struct Resource<'r> {
    name: String,
    line: u64,
    kind: &'r str,
    properties: &'r Node,
    whole: &'r Node,
}

fn of_template(template: &Template<'_>, root: &Node, file: &str) -> Vec<Found> {
    let mut members = root.get("Resources").map(Node::members).unwrap_or_default();
    let mut unrolled = Unrolled::default();
    if members.iter().any(|member| member.key.starts_with(LOOP)) {
        unrolled.add(template, members);
        members = &unrolled.whole;
    }
    let not_known = unrolled.not_known.iter().map(|(member, why)| Found {
        address: format!("{file} {}", member.key),
        line: member.line,
        what: Err((*why).to_owned()),
    });
    let mut found: Vec<Found> = not_known.collect();
    for member in members {
        let Some(resource) = resource(member) else { continue };
        let condition = resource.whole.get("Condition").and_then(Node::text);
        if condition.is_some_and(|name| template.condition_named(name) == Some(false)) {
            continue;
        }
        let what = match resource.kind {
            "AWS::IAM::Role" => role(template, &resource, members),
            "AWS::Serverless::Function" => function(template, &resource),
            _ => continue,
        };
        if let Some(what) = what {
            found.push(Found { address: format!("{file} {}", resource.name), line: resource.line, what });
        }
    }
    found
}

fn resource(member: &Member) -> Option<Resource<'_>> {
    let kind = member.value.get("Type")?.text()?;
    let properties = member.value.get("Properties")?;
    Some(Resource { name: member.key.clone(), line: member.line, kind, properties, whole: &member.value })
}

/// The resources with those that loops make
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html>).
#[derive(Default)]
struct Unrolled {
    whole: Vec<Member>,
    not_known: Vec<(Member, &'static str)>,
    steps: usize,
}

impl Unrolled {
    fn add(&mut self, template: &Template<'_>, members: &[Member]) {
        for member in members {
            self.steps += 1;
            if self.steps == MOST_STEPS {
                self.not_known.push((member.clone(), "the loops go on too long"));
            }
            if self.steps >= MOST_STEPS {
                return;
            }
            if !member.key.starts_with(LOOP) {
                self.whole.push(member.clone());
                continue;
            }
            let parts = match member.value.items() {
                [name, values, body] => name.text().zip(template.value(values)).zip(Some(body)),
                _ => None,
            };
            let Some(((name, Json::Array(values)), body)) = parts else {
                self.not_known.push((member.clone(), "what the loop goes over is not known"));
                continue;
            };
            for value in values.iter().filter_map(Json::as_str).take(MOST_STEPS) {
                self.steps += 1;
                let copy = |member| replaced_member(member, name, value);
                self.add(template, &body.members().iter().map(copy).collect::<Vec<_>>());
                if self.steps >= MOST_STEPS {
                    return;
                }
            }
        }
    }
}

fn replaced_member(member: &Member, name: &str, value: &str) -> Member {
    let (braces, amp) = (format!("${{{name}}}"), format!("&{{{name}}}"));
    Member {
        line: member.line,
        key: member.key.replace(&braces, value).replace(&amp, value),
        value: replaced(&member.value, name, value),
    }
}

fn replaced(node: &Node, name: &str, value: &str) -> Node {
    if node.single().is_some_and(|(key, argument)| key == "Ref" && argument.text() == Some(name)) {
        return Node { line: node.line, what: What::Text(value.to_owned()) };
    }
    let what = match &node.what {
        What::Nothing => What::Nothing,
        What::Text(text) => What::Text(text.replace(&format!("${{{name}}}"), value)),
        What::List(items) => What::List(items.iter().map(|item| replaced(item, name, value)).collect()),
        What::Map(members) => What::Map(members.iter().map(|member| replaced_member(member, name, value)).collect()),
    };
    Node { line: node.line, what }
}

/// The identity providers that a template registers, where all of one is known.
fn providers(template: &Template<'_>, root: &Node) -> Vec<(String, Vec<String>)> {
    let members = root.get("Resources").map(Node::members).unwrap_or_default();
    let registers = |resource: &Resource<'_>| matches!(resource.kind, OIDC_PROVIDER | CDK_PROVIDER);
    let all = members.iter().filter_map(resource).filter(registers);
    let known = all.filter_map(|resource| {
        let url = template.text(resource.properties.get("Url")?)?;
        let list = ["ClientIdList", "ClientIDList"].iter().find_map(|name| resource.properties.get(name))?;
        let audiences = template.value(list).map(|list| texts(&list))?;
        let is_known = template.unknowns.in_text(&format!("{url} {audiences:?}")).is_empty();
        is_known.then(|| (url.strip_prefix("https://").unwrap_or(&url).to_owned(), audiences))
    });
    known.collect()
}

/// The text of a policy: a map, or JSON in a text.
fn policy(template: &Template<'_>, node: &Node) -> Result<String, String> {
    match template.value(node) {
        Some(Json::String(text)) => Ok(text),
        Some(Json::Object(object)) => Ok(Json::Object(object).to_string()),
        _ => Err("its policy is neither a map nor a text".to_owned()),
    }
}

fn role(template: &Template<'_>, role: &Resource<'_>, all: &[Member]) -> Option<Result<DeclaredTrust, String>> {
    let trust = policy(template, role.properties.get("AssumeRolePolicyDocument")?);
    let own = role.properties.get("Policies").map(Node::items).unwrap_or_default();
    let mut inline: Vec<String> =
        own.iter().filter_map(|one| policy(template, one.get("PolicyDocument")?).ok()).collect();
    let arns = role.properties.get("ManagedPolicyArns").and_then(|arns| template.value(arns));
    let mut attached = texts(&arns.unwrap_or_default());
    let name =
        role.properties.get("RoleName").and_then(|name| template.text(name)).unwrap_or_else(|| role.name.clone());
    for other in all.iter().filter_map(resource) {
        let document = || policy(template, other.properties.get("PolicyDocument")?).ok();
        let names = |property: &str| {
            let roles = other.properties.get(property).and_then(|roles| template.value(roles));
            texts(&roles.unwrap_or_default()).contains(&name)
        };
        let is_attached = match other.kind {
            "AWS::IAM::Policy" => names("Roles"),
            "AWS::IAM::RolePolicy" => names("RoleName"),
            "AWS::IAM::ManagedPolicy" => {
                let arn = format!("arn:aws:iam::{}:policy/{}", super::declared::THIS_ACCOUNT, other.name);
                let by_arn = attached.contains(&arn);
                attached.retain(|known| *known != arn);
                by_arn || names("Roles")
            }
            _ => false,
        };
        if is_attached {
            inline.extend(document());
        }
    }
    Some(trust.map(|trust| DeclaredTrust::Role { trust, inline, attached }))
}

/// The role that SAM makes for a function, where the template says who may assume it.
fn function(template: &Template<'_>, function: &Resource<'_>) -> Option<Result<DeclaredTrust, String>> {
    let trust = policy(template, function.properties.get("AssumeRolePolicyDocument")?);
    let (mut inline, mut attached) = (Vec::new(), Vec::new());
    for one in function.properties.get("Policies").map(Node::items).unwrap_or_default() {
        match template.value(one) {
            Some(Json::String(name)) if name.starts_with("arn:") => attached.push(name),
            Some(Json::String(name)) => attached.push(format!("arn:aws:iam::aws:policy/{name}")),
            Some(document) if document.get("Statement").is_some() => {
                inline.push(json!({"Version": "2012-10-17", "Statement": document["Statement"]}).to_string());
            }
            _ => {}
        }
    }
    Some(trust.map(|trust| DeclaredTrust::Role { trust, inline, attached }))
}

fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Json::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::code::declared::THIS_ACCOUNT;
    use crate::audit::code::node::{read_json, read_yaml};

    fn configuration(text: &str) -> Configuration {
        read(&read_yaml(text).unwrap()[0], "a.yaml")
    }

    fn trusts(configuration: &Configuration) -> Vec<(&str, u64, Json)> {
        configuration
            .declared
            .iter()
            .map(|declared| match &declared.what {
                DeclaredTrust::Role { trust, .. } => {
                    (declared.address.as_str(), declared.line, serde_json::from_str(trust).unwrap())
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    const ROLE: &str = "
Parameters:
  Repository: {Type: String, Default: octo/app}
Resources:
  Github:
    Type: AWS::IAM::OIDCProvider
    Properties: {Url: https://token.actions.githubusercontent.com, ClientIdList: [sts.amazonaws.com]}
  Deploy:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: sts:AssumeRoleWithWebIdentity
            Principal: {Federated: !Ref Github}
            Condition:
              StringLike:
                token.actions.githubusercontent.com:sub: !Sub repo:${Repository}:*
      Policies:
        - PolicyName: own
          PolicyDocument: {Statement: [{Effect: Allow, Action: 'secretsmanager:*', Resource: '*'}]}
      ManagedPolicyArns: [!Ref Shared, !Sub 'arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess']
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties: {PolicyDocument: {Statement: [{Effect: Allow, Action: 'kms:*', Resource: '*'}]}}
  More:
    Type: AWS::IAM::Policy
    Properties: {Roles: [!Ref Deploy], PolicyDocument: {Statement: [{Effect: Allow, Action: '*', Resource: '*'}]}}
  Other:
    Type: AWS::IAM::Policy
    Properties: {Roles: [other], PolicyDocument: {Statement: []}}
";

    #[test]
    fn a_role_has_its_trust_and_every_policy() {
        let found = configuration(ROLE);
        let [(address, line, trust)] = trusts(&found).try_into().unwrap();
        assert_eq!((address, line), ("a.yaml Deploy", 8));
        let statement = &trust["Statement"][0];
        assert_eq!(statement["Condition"]["StringLike"]["token.actions.githubusercontent.com:sub"], "repo:octo/app:*");
        let provider = format!("arn:aws:iam::{THIS_ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
        assert_eq!(statement["Principal"]["Federated"], provider);
        let DeclaredTrust::Role { inline, attached, .. } = &found.declared[0].what else { panic!() };
        assert!(["secretsmanager:*", "kms:*", "\"*\""].iter().all(|part| inline.concat().contains(part)), "{inline:?}");
        assert_eq!(
            (inline.len(), attached.as_slice()),
            (3, &["arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned()][..])
        );
    }

    #[test]
    fn json_says_the_same_with_its_own_lines() {
        let text = "{\n \"Resources\": {\n  \"Deploy\": {\"Type\": \"AWS::IAM::Role\", \"Properties\": {\"AssumeRolePolicyDocument\":\n   {\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"Federated\": {\"Ref\": \"Arn\"}}}]}}}}}";
        let found = read(&read_json(text, 1).unwrap(), "a.json");
        assert_eq!(trusts(&found)[0].1, 3);
        assert_eq!(found.unknowns.in_text("arn.unknown"), ["Arn"]);
    }

    #[test]
    fn parts_and_other_tools_files_are_read_too() {
        let policy = "Statement: [{Effect: Allow, Principal: {Federated: a}, Action: 'sts:*'}]";
        for (name, text, count) in [
            ("a policy", policy.to_owned(), 1),
            ("a property", format!("AssumeRolePolicyDocument: {{{policy}}}"), 1),
            (
                "a resource",
                format!("R: {{Type: 'AWS::IAM::Role', Properties: {{AssumeRolePolicyDocument: {{{policy}}}}}}}"),
                1,
            ),
            (
                "another tool",
                format!(
                    "service: x\nresources: {{Resources: {{R: {{Type: 'AWS::IAM::Role', Properties: {{AssumeRolePolicyDocument: {{{policy}}}}}}}}}}}"
                ),
                1,
            ),
            (
                "SAM",
                format!(
                    "Resources: {{F: {{Type: 'AWS::Serverless::Function', Properties: {{Policies: [AmazonS3FullAccess], AssumeRolePolicyDocument: {{{policy}}}}}}}}}"
                ),
                1,
            ),
            (
                "a loop",
                format!(
                    "Resources: {{'Fn::ForEach::Roles': [Name, [A, B], {{'Role${{Name}}': {{Type: 'AWS::IAM::Role', Properties: {{RoleName: !Ref Name, AssumeRolePolicyDocument: {{{policy}}}}}}}}}]}}"
                ),
                2,
            ),
            (
                "a condition",
                format!(
                    "Conditions: {{No: !Equals [a, b]}}\nResources: {{R: {{Type: 'AWS::IAM::Role', Condition: No, Properties: {{AssumeRolePolicyDocument: {{{policy}}}}}}}}}"
                ),
                0,
            ),
            ("no role", "Resources: {B: {Type: 'AWS::S3::Bucket'}}".to_owned(), 0),
            ("a manifest", "kind: Role\nmetadata: {name: x}".to_owned(), 0),
        ] {
            let documents = read_yaml(&text).unwrap();
            let found = read(&documents[0], "a.yaml");
            assert_eq!(found.declared.len(), count, "{name}: {found:#?}");
            assert_eq!(is_template(&documents[0]), name != "a manifest", "{name}");
        }
        let text = format!(
            "Resources: {{'Fn::ForEach::Roles': [Name, [A, B], {{'Role${{Name}}': {{Type: 'AWS::IAM::Role', Properties: {{AssumeRolePolicyDocument: {{{policy}}}}}}}}}]}}"
        );
        let found = configuration(&text);
        assert_eq!(trusts(&found).iter().map(|trust| trust.0).collect::<Vec<_>>(), ["a.yaml RoleA", "a.yaml RoleB"]);
    }

    #[test]
    fn a_policy_may_be_a_text_and_what_is_none_is_named() {
        let text = "Resources:\n  A: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: !Sub '{\"Statement\": [], \"Id\": \"${AWS::AccountId}\"}'}}\n  B: {Type: 'AWS::IAM::Role', Properties: {AssumeRolePolicyDocument: [a]}}\n";
        let found = configuration(text);
        assert_eq!(trusts(&found)[0].2["Id"], THIS_ACCOUNT);
        assert_eq!((found.not_known[0].what.as_str(), found.not_known[0].line), ("a.yaml B", 3));
    }
}
