//! The forms that configurations are written in, and what each declares.

use serde_json::json;

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
        ("a local", format!("locals {{ policy = {} }}\n{}", encoded(&format!("{SUBJECT:?}")), role("local.policy"))),
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
    let below = module("variable \"policy\" {}\nresource \"aws_iam_role\" \"r\" { assume_role_policy = var.policy }");
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

#[test]
fn roles_for_members_of_a_pool_are_trusts_and_a_provider_that_is_off_is_said_to_be() {
    let found = read_alone(&module(
        r#"resource "google_iam_workload_identity_pool" "ci" {
          project = "p1"
          workload_identity_pool_id = "ci"
        }
        resource "google_iam_workload_identity_pool_provider" "off" {
          disabled = true
          attribute_mapping = { "google.subject" = "assertion.sub" }
          oidc { 
            issuer_uri = "https://token.actions.githubusercontent.com"
          }
        }
        resource "google_service_account_iam_member" "all" {
          service_account_id = google_service_account.x.name
          role   = "roles/iam.workloadIdentityUser"
          member = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.ci.name}/*"
        }
        resource "google_secret_manager_secret_iam_binding" "some" {
          role    = "roles/secretmanager.secretAccessor"
          members = ["user:a@example.com", "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.ci.name}/attribute.owner/7"]
        }
        resource "google_project_iam_member" "nobody" {
          role   = "roles/viewer"
          member = "serviceAccount:${google_service_account.x.email}"
        }
        "#,
    ));
    let text = format!("{:?}", found.declared);
    let pool = "projects/p1/locations/global/workloadIdentityPools/ci";
    for part in [format!("principalSet://iam.googleapis.com/{pool}/*"), format!("{pool}/attribute.owner/7")] {
        assert!(text.contains(&part), "{part}: {text}");
    }
    assert!(!text.contains("google_project_iam_member") && text.contains("\"disabled\": Bool(true)"), "{text}");
}
