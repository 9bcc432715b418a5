//! Infrastructure code: the trusts that it declares, judged as those that are in force. What cannot be known without applying it
//! is named, and no alarm is raised over it.

mod expression;
mod terraform;

use crate::audit::aws::{self, ManagedPolicies, NotJudged, Providers, RoleTrust};
use crate::audit::{AuditFinding, Location, Place, entra, google};
use crate::cause::Cause;
use crate::domain::iam::Policy;

pub use expression::Unknowns;
pub use terraform::{Configuration, Declared, DeclaredTrust, Module, NotKnown, read};

/// What the trusts of a configuration come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgedCode {
    pub findings: Vec<AuditFinding>,
    pub not_judged: Vec<NotJudged>,
    pub trusts: usize,
}

/// Judges what a configuration declares.
pub fn judge(configuration: &Configuration, managed: &ManagedPolicies) -> JudgedCode {
    let mut judged = JudgedCode::default();
    for NotKnown { what, file, line, why } in &configuration.not_known {
        let location = Some(Location { file: file.clone(), line: *line });
        judged.not_judged.push(NotJudged { place: Place { resource: what.clone(), location }, why: why.clone() });
    }
    for declared in &configuration.declared {
        let location = Some(Location { file: declared.file.clone(), line: declared.line });
        let place = Place { resource: declared.address.clone(), location };
        let found = match &declared.what {
            DeclaredTrust::Role { trust, inline, attached } => {
                role(&place, trust, inline, attached, managed, &configuration.unknowns, &mut judged.not_judged)
            }
            DeclaredTrust::Credential(credential) => {
                let depends = depends(&configuration.unknowns, &credential.to_string());
                entra::judge(&place, credential).map(|found| (found, depends))
            }
            DeclaredTrust::Provider(provider) => {
                let depends = depends(&configuration.unknowns, &provider.to_string());
                google::judge_provider(&place, provider).map(|found| (found, depends))
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

/// What a judgement rests on that is not known.
fn depends(unknowns: &Unknowns, text: &str) -> Option<String> {
    let names = unknowns.in_text(text);
    (!names.is_empty()).then(|| format!("without a value here, and taken for a name: {}", names.join(", ")))
}

type Judgement = Result<(Vec<AuditFinding>, Option<String>), String>;

fn role(
    place: &Place,
    trust: &str,
    inline: &[String],
    attached: &[String],
    managed: &ManagedPolicies,
    unknowns: &Unknowns,
    not_judged: &mut Vec<NotJudged>,
) -> Judgement {
    let names = unknowns.in_text(trust);
    let policy = Policy::parse(trust).map_err(|error| match names.as_slice() {
        [] => format!("its trust policy, line {}, column {}: {}", error.line, error.column, error.what),
        names => format!("its trust policy is made of {}, which has no value here", names.join(", ")),
    })?;
    let conditions = policy.statements.iter().flat_map(|statement| &statement.conditions);
    let subjects = conditions.filter(|condition| condition.key.to_ascii_lowercase().ends_with(":sub"));
    let open: Vec<String> = subjects
        .flat_map(|condition| &condition.expected)
        .filter(|expected| unknowns.is_all(&expected.text))
        .flat_map(|expected| unknowns.in_text(&expected.text))
        .collect();
    let role = RoleTrust::of_code(policy, place.clone(), inline, attached);
    let mut findings = aws::judge(&role, managed, &Providers::default());
    if let Some(name) = open.first() {
        findings.retain(|finding| !matches!(finding.cause, Cause::TrustTooWide | Cause::SubjectRecyclable));
        let why = format!("who gets in is what {name} says, which has no value here");
        not_judged.push(NotJudged { place: place.clone(), why });
    }
    Ok((findings, depends(unknowns, trust)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Severity;

    fn judged(text: &str) -> JudgedCode {
        let files = vec![("main.tf".to_owned(), text.to_owned())];
        let module = Module { folder: ".".to_owned(), files, values: Vec::new() };
        judge(&read(&module, &|_| None), &ManagedPolicies::default())
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
