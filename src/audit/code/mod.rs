//! Infrastructure code: the trusts that it declares, judged as those that are in force. What cannot be known without applying it
//! is named, and no alarm is raised over it.

mod arm;
mod arm_expression;
mod cloudformation;
mod declared;
mod expression;
mod inferred;
mod intrinsic;
mod json_syntax;
mod module;
mod node;
mod plan;
mod terraform;

use serde_json::Value as Json;

use crate::audit::aws::{self, ManagedPolicies, NotJudged, Providers, RoleTrust};
use crate::audit::{AuditFinding, Location, Place, entra, google};
use crate::cause::Cause;
use crate::domain::iam::Policy;
use crate::domain::iam::open_text::open_part;

pub use declared::{Configuration, Declared, DeclaredTrust, NotKnown, Unknowns};
pub use module::Module;
pub use terraform::{Around, read};

/// Whether a text is Terraform's configuration, in either of its syntaxes.
pub fn is_terraform(text: &str) -> bool {
    let declares = |line: &str| ["resource \"", "data \""].iter().any(|word| line.trim_start().starts_with(word));
    match json_syntax::is_json(text) {
        true => json_syntax::is_configuration(text),
        false => text.lines().any(declares),
    }
}

/// What a JSON document declares that begins in line `first` of `file`; nothing where it is no code.
pub fn read_json(text: &str, file: &str, first: u64) -> Option<Configuration> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["\"terraform_version\""])
        && let Ok(document) = serde_json::from_str::<Json>(text)
        && plan::is_plan(&document)
    {
        return Some(plan::read(&document, file, first));
    }
    if !has(&["AWS::", "\"Ref\"", "\"Fn::", "deploymentTemplate", "\"Microsoft."]) {
        return None;
    }
    let document = node::read_json(text, first).ok()?;
    of_template(&document, file)
}

/// What the documents of a YAML file declare; nothing of one that is no code.
pub fn read_yaml(text: &str, file: &str) -> Vec<Configuration> {
    match node::read_yaml(text) {
        Ok(documents) => documents.iter().filter_map(|document| of_template(document, file)).collect(),
        Err(node::Broken { line, why }) => {
            let not_known = NotKnown { what: file.to_owned(), file: file.to_owned(), line, why };
            vec![Configuration { not_known: vec![not_known], ..Configuration::default() }]
        }
    }
}

fn of_template(document: &node::Node, file: &str) -> Option<Configuration> {
    if arm::is_template(document) {
        return Some(arm::read(document, file));
    }
    cloudformation::is_template(document).then(|| cloudformation::read(document, file))
}

/// What the trusts of a configuration come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgedCode {
    pub findings: Vec<AuditFinding>,
    pub not_judged: Vec<NotJudged>,
    pub trusts: usize,
}

impl JudgedCode {
    /// With ids that tell what is declared in this folder or file from what another declares by the same name.
    #[must_use]
    pub fn within(mut self, below: &str) -> Self {
        self.findings.iter_mut().for_each(|finding| finding.distinguish(below));
        self
    }
}

/// Judges what a configuration declares.
pub fn judge(configuration: &Configuration, managed: &ManagedPolicies) -> JudgedCode {
    let mut judged = JudgedCode::default();
    let mut providers = Providers::default();
    configuration.providers.iter().for_each(|(url, audiences)| providers.declare(url, audiences));
    for NotKnown { what, file, line, why } in &configuration.not_known {
        let location = Some(Location { file: file.clone(), line: *line });
        judged.not_judged.push(NotJudged { place: Place { resource: what.clone(), location }, why: why.clone() });
    }
    for declared in &configuration.declared {
        let location = Some(Location { file: declared.file.clone(), line: declared.line });
        let place = Place { resource: declared.address.clone(), location };
        let found = match &declared.what {
            DeclaredTrust::Role { trust, inline, attached } => {
                let known = Known { managed, providers: &providers, unknowns: &configuration.unknowns };
                role(&place, trust, inline, attached, known, &mut judged.not_judged)
            }
            DeclaredTrust::Credential(credential) => {
                let text = credential.to_string();
                let depends = depends(&configuration.unknowns, &text);
                let open: Json = configuration.unknowns.replaced(&text, open_part).parse().unwrap_or_default();
                entra::judge(&place, &open).map(|found| (found, depends))
            }
            DeclaredTrust::Provider(provider) => {
                if let Some(name) = undecided(provider, &configuration.unknowns) {
                    judged.not_judged.push(NotJudged { place, why: decided_by(&name) });
                    continue;
                }
                let depends = depends(&configuration.unknowns, &provider.to_string());
                google::judge_provider(&place, provider).map(|found| (found, depends))
            }
            DeclaredTrust::Binding(policy) => {
                let depends = depends(&configuration.unknowns, &policy.to_string());
                google::judge_policy(&place, policy).map(|found| (found, depends))
            }
        };
        match found {
            Ok((findings, depends)) => {
                judged.trusts += 1;
                judged.findings.extend(findings.into_iter().map(|mut finding| {
                    finding.evidence.extend(depends.clone());
                    finding
                }));
            }
            Err(why) => judged.not_judged.push(NotJudged { place, why }),
        }
    }
    judged
}

/// What decides who gets in by a provider, where that has no value.
fn undecided(provider: &Json, unknowns: &Unknowns) -> Option<String> {
    let whole = ["attributeCondition", "attributeMapping"].into_iter().filter_map(|name| provider.get(name)?.as_str());
    whole.filter(|text| unknowns.is_all(text)).flat_map(|text| unknowns.in_text(text)).next()
}

fn decided_by(name: &str) -> String {
    format!("who gets in is what {name} says, which has no value here")
}

/// What a judgement rests on that is not known.
fn depends(unknowns: &Unknowns, text: &str) -> Option<String> {
    let names = unknowns.in_text(text);
    (!names.is_empty()).then(|| format!("without a value here, and taken for a name: {}", names.join(", ")))
}

type Judgement = Result<(Vec<AuditFinding>, Option<String>), String>;

/// What is known beside a role.
#[derive(Clone, Copy)]
struct Known<'k> {
    managed: &'k ManagedPolicies,
    providers: &'k Providers,
    unknowns: &'k Unknowns,
}

fn role(
    place: &Place,
    trust: &str,
    inline: &[String],
    attached: &[String],
    known: Known<'_>,
    not_judged: &mut Vec<NotJudged>,
) -> Judgement {
    let Known { managed, providers, unknowns } = known;
    let names = unknowns.in_text(trust);
    let mut policy = Policy::parse(trust).map_err(|error| match names.as_slice() {
        [] => format!("its trust policy, line {}, column {}: {}", error.line, error.column, error.what),
        names => format!("its trust policy is made of {}, which has no value here", names.join(", ")),
    })?;
    inferred::providers(&mut policy, unknowns);
    let conditions = policy.statements.iter().flat_map(|statement| &statement.conditions);
    let subjects = conditions.filter(|condition| condition.key.to_ascii_lowercase().ends_with(":sub"));
    let open: Vec<String> = subjects
        .flat_map(|condition| &condition.expected)
        .filter(|expected| unknowns.is_all(&expected.text))
        .flat_map(|expected| unknowns.in_text(&expected.text))
        .collect();
    let role = RoleTrust::of_code(policy, place.clone(), inline, attached);
    let mut findings = aws::judge(&role, managed, providers);
    // What has no value yet may be a provider's ARN, or a subject as its issuer writes it.
    let may_be_dead = |cause: Cause| matches!(cause, Cause::PrincipalArnWrong | Cause::SubMismatch);
    findings.retain(|found| !may_be_dead(found.cause) || unknowns.in_text(&found.summary).is_empty());
    if let Some(name) = open.first() {
        findings.retain(|finding| !matches!(finding.cause, Cause::TrustTooWide | Cause::SubjectRecyclable));
        not_judged.push(NotJudged { place: place.clone(), why: decided_by(name) });
    }
    Ok((findings, depends(unknowns, trust)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Severity;

    fn judged(text: &str) -> JudgedCode {
        let files = vec![("main.tf".to_owned(), text.to_owned())];
        let module = Module { folder: ".".to_owned(), files, ..Module::default() };
        judge(&read(&module, Around::NOTHING), &ManagedPolicies::default())
    }

    fn role(operator: &str, subject: &str) -> String {
        format!(
            r#"variable "owner" {{}}
            variable "subjects" {{}}
            resource "aws_iam_openid_connect_provider" "github" {{ url = "https://token.actions.githubusercontent.com" }}
            resource "aws_iam_role" "ci" {{
              assume_role_policy = jsonencode({{
                Version = "2012-10-17"
                Statement = [{{
                  Effect = "Allow"
                  Action = "sts:AssumeRoleWithWebIdentity"
                  Principal = {{ Federated = aws_iam_openid_connect_provider.github.arn }}
                  Condition = {{
                    StringEquals = {{ "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }}
                    {operator} = {{ "token.actions.githubusercontent.com:sub" = {subject} }}
                  }}
                }}]
              }})
            }}
            resource "aws_iam_role_policy_attachment" "all" {{
              role       = aws_iam_role.ci.name
              policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
            }}"#
        )
    }

    #[test]
    fn a_pattern_around_an_unknown_name_is_judged_and_says_what_it_rests_on() {
        let found = judged(&role("StringLike", r#""repo:${var.owner}/*""#));
        let [finding] = found.findings.as_slice() else { panic!("{found:#?}") };
        assert_eq!((finding.cause, finding.severity), (Cause::TrustTooWide, Severity::High));
        assert_eq!(finding.resource, "aws_iam_role.ci");
        assert_eq!(finding.reaches, ["everything in the account"]);
        assert!(finding.evidence.iter().any(|fact| fact.contains("var.owner")), "{finding:#?}");
    }

    #[test]
    fn an_audience_that_the_declared_provider_does_not_take_is_told() {
        let with = |list: &str| {
            let text = role("StringLike", r#""repo:octo@1/app@2:environment:prod""#);
            let url = r#"{ url = "https://token.actions.githubusercontent.com" }"#;
            let whole = url.replace("{ ", "{\n").replace(" }", &format!("\n client_id_list = {list}\n}}"));
            judged(&text.replace(url, &whole))
        };
        let causes = |found: &JudgedCode| found.findings.iter().map(|finding| finding.cause).collect::<Vec<_>>();
        assert_eq!(causes(&with(r#"["sts.amazonaws.com"]"#)), []);
        assert_eq!(causes(&with(r#"["other"]"#)), [Cause::AudNotRegistered]);
        assert_eq!(causes(&with("var.clients")), []);
    }

    #[test]
    fn nothing_is_said_of_a_credential_or_a_provider_that_is_decided_elsewhere() {
        let credential = |body: &str| {
            format!(
                "variable \"x\" {{}}\nresource \"azuread_application_flexible_federated_identity_credential\" \"ci\" {{\n display_name = \"ci-main\"\n{body}\n}}\n"
            )
        };
        let github = "issuer = \"https://token.actions.githubusercontent.com\"";
        for body in [
            format!("{github}\nclaims_matching_expression = var.x"),
            format!(
                "{github}\nclaims_matching_expression = \"claims['sub'] matches '${{var.x}}:*' and claims['repository_id'] eq '1'\""
            ),
            "issuer = var.x\nclaims_matching_expression = \"claims['sub'] eq 'a'\"".to_owned(),
            format!("{github}\nsubject = substr(var.x, 0, 3)"),
        ] {
            assert_eq!(judged(&credential(&body)).findings, [], "{body}");
        }
        let wide = format!(
            "{github}\nclaims_matching_expression = \"claims['sub'] matches '*' and claims['repository_id'] matches '*'\""
        );
        assert_eq!(judged(&credential(&wide)).findings.len(), 1);
        let provider = |lines: &str| {
            format!(
                "variable \"x\" {{}}\nresource \"google_iam_workload_identity_pool_provider\" \"ci\" {{\n{lines}\n  oidc {{\n issuer_uri = \"https://token.actions.githubusercontent.com\"\n }}\n}}\n"
            )
        };
        let mapping = "attribute_mapping = { \"google.subject\" = \"assertion.sub\" }";
        for lines in [
            format!("{mapping}\nattribute_condition = var.x"),
            format!("{mapping}\nattribute_condition = unheardof(var.x)"),
            "attribute_mapping = var.x".to_owned(),
        ] {
            let found = judged(&provider(&lines));
            assert_eq!(found.findings, [], "{lines}");
            assert!(found.not_judged[0].why.contains("has no value here"), "{:?}", found.not_judged);
        }
        assert_eq!(judged(&provider(mapping)).findings.len(), 1, "without a condition anybody gets in");
    }

    #[test]
    fn no_alarm_is_raised_over_what_is_not_known() {
        for (operator, subject) in [
            ("StringLike", "var.subjects"),
            ("StringLike", r#""${var.subjects}:*""#),
            ("StringEquals", r#""repo:${var.owner}@1/app@2:environment:prod""#),
        ] {
            let found = judged(&role(operator, subject));
            let alarms: Vec<_> = found.findings.iter().filter(|finding| finding.severity < Severity::Low).collect();
            assert!(alarms.is_empty(), "{subject}: {alarms:#?}");
        }
        let found = judged(&role("StringLike", "var.subjects"));
        assert!(found.not_judged[0].why.contains("var.subjects"), "{found:#?}");
    }
}
