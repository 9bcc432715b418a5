//! What Terraform itself says of a configuration: `terraform show -json` of a plan or a state, and the state's own file. Values that
//! are known only after the plan is applied are looked for in the policy documents that they are made of.

use serde_json::{Value as Json, json};

use super::declared::{Configuration, Declared, DeclaredTrust, NotKnown, Unknowns};
use super::terraform::resources::{binding_of, grants_at_google};

/// Modules within each other at most.
const DEEPEST: usize = 32;

/// Whether a document is one of those that are read here.
pub fn is_plan(document: &Json) -> bool {
    let has = |name: &str| document.get(name).is_some();
    has("terraform_version") && (has("planned_values") || has("values") || has("resources"))
}

/// Reads the trusts of a document that begins in `line` of `file`.
pub fn read(document: &Json, file: &str, line: u64) -> Configuration {
    let mut resources = Vec::new();
    for values in ["planned_values", "values"] {
        if let Some(root) = document.get(values).and_then(|values| values.get("root_module")) {
            of_module(root, DEEPEST, &mut resources);
        }
    }
    of_state(document, &mut resources);
    let mut configuration = Configuration::default();
    for resource in &resources {
        let what = match resource.kind {
            "aws_iam_role" => role(resource, &resources, document, &configuration.unknowns),
            "google_iam_workload_identity_pool_provider" => {
                provider(resource).map(|json| Ok(DeclaredTrust::Provider(json)))
            }
            kind if kind.starts_with("azu") && kind.ends_with("federated_identity_credential") => {
                Some(Ok(DeclaredTrust::Credential(credential(resource))))
            }
            kind if grants_at_google(kind) => {
                let members = ["member", "members"].iter().flat_map(|name| resource.texts(name)).collect();
                resource.text("role").and_then(|role| binding_of(role.to_owned(), members)).map(Ok)
            }
            _ => None,
        };
        let (address, file) = (resource.address.clone(), file.to_owned());
        match what {
            Some(Ok(what)) => configuration.declared.push(Declared { address, file, line, what }),
            Some(Err(why)) => configuration.not_known.push(NotKnown { what: address, file, line, why }),
            None => {}
        }
    }
    configuration
}

/// A resource with its values.
struct Resource<'d> {
    address: String,
    kind: &'d str,
    values: &'d Json,
}

impl Resource<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_str()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        texts(self.values.get(name))
    }
}

fn texts(value: Option<&Json>) -> Vec<String> {
    match value {
        Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        Some(Json::String(text)) => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn list<'d>(value: &'d Json, name: &str) -> &'d [Json] {
    value.get(name).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn of_module<'d>(module: &'d Json, depth: usize, found: &mut Vec<Resource<'d>>) {
    for resource in list(module, "resources") {
        let text = |name: &str| resource.get(name).and_then(Json::as_str);
        if let (Some(address), Some(kind), Some(values)) = (text("address"), text("type"), resource.get("values")) {
            found.push(Resource { address: address.to_owned(), kind, values });
        }
    }
    if depth > 0 {
        list(module, "child_modules").iter().for_each(|child| of_module(child, depth - 1, found));
    }
}

/// The resources of a state's file.
fn of_state<'d>(document: &'d Json, found: &mut Vec<Resource<'d>>) {
    for resource in list(document, "resources") {
        let text = |name: &str| resource.get(name).and_then(Json::as_str);
        let (Some(kind), Some(name), Some("managed")) = (text("type"), text("name"), text("mode")) else { continue };
        let module = text("module").map(|module| format!("{module}.")).unwrap_or_default();
        for instance in list(resource, "instances") {
            let index = instance.get("index_key").map(|key| format!("[{key}]")).unwrap_or_default();
            if let Some(values) = instance.get("attributes") {
                found.push(Resource { address: format!("{module}{kind}.{name}{index}"), kind, values });
            }
        }
    }
}

fn role(
    role: &Resource<'_>,
    all: &[Resource<'_>],
    document: &Json,
    unknowns: &Unknowns,
) -> Option<Result<DeclaredTrust, String>> {
    let trust = match role.text("assume_role_policy") {
        Some(trust) => Ok(trust.to_owned()),
        None => of_documents(&role.address, document, unknowns),
    };
    let names = [role.text("name"), role.text("id")];
    let mut inline: Vec<String> = list(role.values, "inline_policy")
        .iter()
        .filter_map(|policy| Some(policy.get("policy")?.as_str()?.to_owned()))
        .collect();
    let mut attached = role.texts("managed_policy_arns");
    for other in all {
        let is_of_role = other.text("role").is_some_and(|name| names.contains(&Some(name)));
        match other.kind {
            "aws_iam_role_policy" if is_of_role => inline.extend(other.text("policy").map(str::to_owned)),
            "aws_iam_role_policy_attachment" if is_of_role => attached.extend(other.texts("policy_arn")),
            _ => {}
        }
    }
    for policy in all.iter().filter(|other| other.kind == "aws_iam_policy") {
        let is_attached = policy.text("arn").is_some_and(|arn| attached.iter().any(|known| known == arn));
        if is_attached {
            attached.retain(|known| Some(known.as_str()) != policy.text("arn"));
            inline.extend(policy.text("policy").map(str::to_owned));
        }
    }
    attached.sort_unstable();
    attached.dedup();
    Some(trust.map(|trust| DeclaredTrust::Role { trust, inline, attached }))
}

/// The policy of a role of which the plan knows no more than which documents it is made of.
fn of_documents(address: &str, plan: &Json, unknowns: &Unknowns) -> Result<String, String> {
    let (module, own) = split_address(address);
    let mut configured = plan.get("configuration").and_then(|configuration| configuration.get("root_module"));
    for name in module.split('.').filter(|part| !part.is_empty() && *part != "module") {
        let name = name.split('[').next().unwrap_or_default();
        configured = configured.and_then(|module| module.get("module_calls")?.get(name)?.get("module"));
    }
    let own = own.split('[').next().unwrap_or_default();
    let resource = configured
        .into_iter()
        .flat_map(|module| list(module, "resources"))
        .find(|resource| resource.get("address").and_then(Json::as_str) == Some(own));
    let expression = resource.and_then(|resource| resource.get("expressions")?.get("assume_role_policy"));
    let references = texts(expression.and_then(|expression| expression.get("references")));
    let documents = references.iter().filter(|reference| reference.split('.').count() == 3);
    let change =
        documents.filter(|reference| reference.starts_with("data.aws_iam_policy_document.")).find_map(|reference| {
            let wanted = if module.is_empty() { reference.clone() } else { format!("{module}.{reference}") };
            let changes = list(plan, "resource_changes").iter();
            let same = |change: &&Json| change.get("address").and_then(Json::as_str) == Some(wanted.as_str());
            changes.into_iter().find(same)?.get("change")?.get("after").map(|after| (wanted.clone(), after))
        });
    match change {
        Some((document, after)) if !list(after, "statement").is_empty() => Ok(rendered(&document, after, unknowns)),
        _ if references.is_empty() => Err("its trust policy is known only after the plan is applied".to_owned()),
        _ => Err(format!(
            "its trust policy is known only after the plan is applied; it is made of {}",
            references.join(", ")
        )),
    }
}

/// The module's address, and that of the resource within it.
fn split_address(address: &str) -> (&str, &str) {
    let (module, own) = address.split_at(address.rfind("aws_iam_role.").unwrap_or_default());
    (module.trim_end_matches('.'), own)
}

/// The policy that a document's planned values come to.
fn rendered(address: &str, after: &Json, unknowns: &Unknowns) -> String {
    let known = |value: &Json, name: &str, of: &str| {
        let known = texts(value.get(name));
        if known.is_empty() { vec![unknowns.mark(&format!("{address}, {of}"))] } else { known }
    };
    let statements = list(after, "statement").iter().map(|statement| {
        let effect = statement.get("effect").and_then(Json::as_str).unwrap_or("Allow");
        let mut rendered = json!({ "Effect": effect, "Action": texts(statement.get("actions")) });
        if let Some(sid) = statement.get("sid").and_then(Json::as_str).filter(|sid| !sid.is_empty()) {
            rendered["Sid"] = sid.into();
        }
        for (name, element) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
            for principal in list(statement, name) {
                let kind = principal.get("type").and_then(Json::as_str).unwrap_or("Federated");
                rendered[element][kind] = json!(known(principal, "identifiers", "its principals"));
            }
        }
        for condition in list(statement, "condition") {
            let text = |name: &str| condition.get(name).and_then(Json::as_str);
            let key = text("variable").map_or_else(|| unknowns.mark(&format!("{address}, a key")), str::to_owned);
            rendered["Condition"][text("test").unwrap_or("StringEquals")][key] =
                json!(known(condition, "values", "the values of a condition"));
        }
        rendered
    });
    json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() }).to_string()
}

fn credential(resource: &Resource<'_>) -> Json {
    let audiences = ["audiences", "audience"].iter().map(|name| resource.texts(name)).find(|list| !list.is_empty());
    let mut credential = json!({
        "name": resource.text("display_name").or(resource.text("name")),
        "issuer": resource.text("issuer"),
        "audiences": audiences.unwrap_or_else(|| vec!["api://AzureADTokenExchange".to_owned()]),
    });
    match resource.text("claims_matching_expression") {
        Some(value) => credential["claimsMatchingExpression"] = json!({ "value": value, "languageVersion": 1 }),
        None => credential["subject"] = json!(resource.text("subject")),
    }
    credential
}

fn provider(resource: &Resource<'_>) -> Option<Json> {
    let oidc = list(resource.values, "oidc").first()?;
    let mut provider = json!({
        "state": "ACTIVE",
        "oidc": { "issuerUri": oidc.get("issuer_uri"), "allowedAudiences": texts(oidc.get("allowed_audiences")) },
        "attributeMapping": resource.values.get("attribute_mapping"),
    });
    if let Some(condition) = resource.text("attribute_condition") {
        provider["attributeCondition"] = condition.into();
    }
    Some(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role_of(values: Json) -> Json {
        json!({"address": "aws_iam_role.ci", "mode": "managed", "type": "aws_iam_role", "name": "ci", "values": values})
    }

    fn plan(resources: Json) -> Json {
        json!({"format_version": "1.2", "terraform_version": "1.9.0", "planned_values": {"root_module": {"resources": resources}}})
    }

    fn only(document: &Json) -> Declared {
        assert!(is_plan(document));
        let found = read(document, "plan.json", 1);
        let [one] = found.declared.try_into().unwrap_or_else(|all| panic!("{all:#?} {:#?}", found.not_known));
        one
    }

    #[test]
    fn plans_states_and_their_files_say_the_same() {
        let values = json!({"name": "ci", "assume_role_policy": "{}", "managed_policy_arns": ["arn:a"],
            "inline_policy": [{"name": "p", "policy": "first"}]});
        let more = json!([role_of(values.clone()),
            {"address": "x", "type": "aws_iam_role_policy", "values": {"role": "ci", "policy": "second"}},
            {"address": "y", "type": "aws_iam_role_policy_attachment", "values": {"role": "ci", "policy_arn": "arn:b"}},
            {"address": "z", "type": "aws_iam_role_policy_attachment", "values": {"role": "other", "policy_arn": "arn:c"}},
            {"address": "w", "type": "aws_iam_policy", "values": {"arn": "arn:b", "policy": "third"}}]);
        let state = json!({"format_version": "1.0", "terraform_version": "1", "values": {"root_module": {"child_modules": [{"resources": more}]}}});
        for document in [plan(more.clone()), state] {
            let DeclaredTrust::Role { trust, inline, attached } = only(&document).what else { panic!() };
            assert_eq!((trust.as_str(), inline), ("{}", vec!["first".into(), "second".into(), "third".into()]));
            assert_eq!(attached, ["arn:a"]);
        }
        let file = json!({"version": 4, "terraform_version": "1", "resources": [
            {"mode": "data", "type": "aws_iam_role", "name": "read", "instances": [{"attributes": values}]},
            {"module": "module.m", "mode": "managed", "type": "aws_iam_role", "name": "ci", "instances": [{"index_key": "a", "attributes": values}]}]});
        assert_eq!(only(&file).address, "module.m.aws_iam_role.ci[\"a\"]");
    }

    #[test]
    fn a_policy_that_is_known_after_apply_is_made_of_its_document() {
        let mut document = plan(
            json!([{"address": "module.ci[0].aws_iam_role.ci", "type": "aws_iam_role", "values": {"name": "ci"}}]),
        );
        let not_known = &read(&document, "plan.json", 1).not_known[0];
        assert!(not_known.why.contains("after the plan is applied"), "{not_known:?}");
        let references = json!(["data.aws_iam_policy_document.trust.json", "data.aws_iam_policy_document.trust"]);
        document["configuration"]["root_module"]["module_calls"]["ci"]["module"]["resources"] =
            json!([{"address": "aws_iam_role.ci", "expressions": {"assume_role_policy": {"references": references}}}]);
        assert!(read(&document, "plan.json", 1).not_known[0].why.contains("data.aws_iam_policy_document.trust"));
        document["resource_changes"] = json!([{"address": "module.ci[0].data.aws_iam_policy_document.trust", "change": {"after": {"statement": [
            {"effect": "Allow", "actions": ["sts:AssumeRoleWithWebIdentity"], "principals": [{"type": "Federated"}],
             "condition": [{"test": "StringLike", "variable": "token.actions.githubusercontent.com:sub", "values": ["repo:octo/*"]}]}]}}}]);
        let found = read(&document, "plan.json", 1);
        let DeclaredTrust::Role { trust, .. } = &found.declared[0].what else { panic!() };
        let trust: Json = serde_json::from_str(trust).unwrap();
        let statement = &trust["Statement"][0];
        assert_eq!(statement["Condition"]["StringLike"]["token.actions.githubusercontent.com:sub"][0], "repo:octo/*");
        let principal = statement["Principal"]["Federated"][0].as_str().unwrap();
        assert!(found.unknowns.is_all(principal), "{principal}");
    }

    #[test]
    fn credentials_and_providers_are_read_as_they_are_answered() {
        let document = plan(json!([
            {"address": "a", "type": "azurerm_federated_identity_credential", "values": {"name": "n", "issuer": "i", "subject": "s", "audience": ["x"]}},
            {"address": "b", "type": "azuread_application_flexible_federated_identity_credential", "values": {"display_name": "d", "issuer": "i", "claims_matching_expression": "e"}},
            {"address": "c", "type": "google_iam_workload_identity_pool_provider", "values": {"oidc": [{"issuer_uri": "u"}], "attribute_mapping": {"google.subject": "assertion.sub"}, "attribute_condition": "true"}},
            {"address": "d", "type": "google_iam_workload_identity_pool_provider", "values": {"aws": [{}]}}]));
        let found = read(&document, "plan.json", 1).declared;
        let found: Vec<DeclaredTrust> = found.into_iter().map(|declared| declared.what).collect();
        let [DeclaredTrust::Credential(first), DeclaredTrust::Credential(second), DeclaredTrust::Provider(third)] =
            found.as_slice()
        else {
            panic!()
        };
        assert_eq!((&first["subject"], &first["audiences"]), (&json!("s"), &json!(["x"])));
        assert_eq!(second["claimsMatchingExpression"]["value"], "e");
        assert_eq!((&third["oidc"]["issuerUri"], &third["attributeCondition"]), (&json!("u"), &json!("true")));
    }
}
