//! The form of a new profile: the fields of its guide, checked while they are typed, filled from the environment.

use std::path::Path;

use super::list::Field;
use crate::domain::profile::Guide;
use crate::domain::profile::document;
use crate::domain::profile::key::{Key, Kind};
use crate::domain::profile::resolve::resolve;
use crate::domain::profile::setting::{Fault, Origin, Setting};
use crate::domain::profile::value::text_fault;

/// The form of a new profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    pub guide: Guide,
    pub fields: Vec<FormField>,
    pub focus: usize,
    /// What is wrong as a whole, told when saving was tried.
    pub problems: Vec<String>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormField {
    pub what: What,
    pub need: Need,
    pub input: Field,
    /// The variable that filled it.
    pub from: Option<String>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The profile's name.
    Name,
    /// The value of a key.
    Setting(Key),
}

/// Whether a field must be filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

/// How a field stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Good,
    /// Empty and may stay so.
    Open,
    /// Empty and must not stay so.
    Missing,
    Wrong(Fault),
}

impl Form {
    /// The fields of a guide, filled with what the environment offers.
    pub fn new(guide: Guide, offers: &[Setting]) -> Self {
        let name =
            FormField { what: What::Name, need: Need::Required, input: Field::of(suggestion(guide)), from: None };
        let fields = fields_of(guide).iter().map(|(key, need)| {
            let offer = offers.iter().find(|setting| setting.key == *key);
            let text =
                offer.map(|setting| setting.value.to_string()).or_else(|| default(guide, *key)).unwrap_or_default();
            let from = offer.and_then(|setting| match &setting.origin {
                Origin::Variable(name) => Some(name.clone()),
                _ => None,
            });
            FormField { what: What::Setting(*key), need: *need, input: Field::of(text), from }
        });
        Form { guide, fields: std::iter::once(name).chain(fields).collect(), focus: 0, problems: Vec::new() }
    }

    /// The name that stands in it.
    pub fn name(&self) -> &str {
        self.fields.iter().find(|f| f.what == What::Name).map_or("", |f| f.input.text())
    }

    /// The field that has the cursor.
    pub fn focused(&mut self) -> Option<&mut FormField> {
        self.fields.get_mut(self.focus)
    }

    /// The profile as TOML. Each value stands on a line of its own below its table.
    pub fn document(&self) -> String {
        let mut text = format!("guide = \"{}\"\n", self.guide.id());
        let mut table = "";
        let filled = self.fields.iter().filter(|f| !f.input.text().trim().is_empty());
        let mut values: Vec<(Key, &str)> = filled
            .filter_map(|f| match f.what {
                What::Setting(key) => Some((key, f.input.text().trim())),
                What::Name => None,
            })
            .collect();
        values.sort_by_key(|(key, _)| *key);
        for (key, value) in values {
            if key.table() != table {
                table = key.table();
                text.push_str(&format!("\n[{table}]\n"));
            }
            let value = match key.kind() {
                Kind::Flag => "true".to_owned(),
                Kind::List => {
                    toml::Value::Array(value.split_whitespace().map(|w| toml::Value::String(w.to_owned())).collect())
                        .to_string()
                }
                Kind::Text | Kind::Path => toml::Value::String(value.to_owned()).to_string(),
            };
            text.push_str(&format!("{} = {value}\n", key.name()));
        }
        text
    }

    /// Everything that is wrong, field by field and then as a whole.
    pub fn check(&self) -> Vec<String> {
        let mut problems: Vec<String> = self
            .fields
            .iter()
            .filter_map(|field| match field.standing() {
                Standing::Missing => Some(format!("{}: is needed", field.label())),
                Standing::Wrong(fault) => Some(format!("{}: {}; {}", field.label(), fault.wrong, fault.instead)),
                Standing::Good | Standing::Open => None,
            })
            .collect();
        if problems.is_empty() {
            let (settings, wrong) = document::parse(&self.document(), Path::new(""));
            problems.extend(wrong.iter().map(|p| format!("{}: {}; {}", p.key, p.wrong, p.instead)));
            if let Err(wrong) = resolve(self.name(), &[], &settings, &|_| None) {
                problems.extend(wrong.iter().map(|p| format!("{}: {}; {}", p.key, p.wrong, p.instead)));
            }
        }
        problems
    }
}

impl FormField {
    /// Its name.
    pub fn label(&self) -> &'static str {
        match self.what {
            What::Name => "name",
            What::Setting(key) => key.path(),
        }
    }

    /// What it is for, with an example.
    pub fn doc(&self) -> &'static str {
        match self.what {
            What::Name => "the profile's name, such as prod-aws",
            What::Setting(key) => match key {
                Key::IssuerUrl => "who signs the tokens, exactly as in their `iss`, such as https://app.example.com",
                Key::Organization => "the platform organization's UUID, part of the token's subject",
                Key::TokenFile => "a file that holds a token, such as ~/token.jwt; never the token itself",
                Key::TokenEnv => "the variable that holds the token, such as CIRCLE_OIDC_TOKEN_V2",
                Key::RoleArn => "the role to assume, such as arn:aws:iam::123456789012:role/secrets-reader",
                Key::Region => "the region of STS and of the secret, such as us-east-1",
                Key::TrustPolicy => "a file with the role's trust policy, or the answer of `aws iam get-role`",
                Key::IdentityPolicy => "a file with the role's permissions",
                Key::AwsAudience => "the audience registered at the identity provider",
                Key::ConfigProfile => "a profile of ~/.aws/config, whose keys are used",
                Key::ExternalId => "the external id that the role's trust policy asks for",
                Key::TenantId => "the Entra directory's UUID",
                Key::ClientId => "the application's (client) UUID",
                Key::VaultUrl => "the key vault, such as https://my-vault.vault.azure.net",
                Key::FederatedCredential => "a file with `az ad app federated-credential list`'s answer",
                Key::SecretName => "the secret, or name#key for one field of a JSON secret",
                Key::DeploymentUrl => "the running deployment, such as https://my-crew.example.com",
                Key::DeploymentTokenEnv => "the variable that holds the deployment's token",
                Key::DeploymentVariable => "the automation's variable that carries the secret",
                _ => "",
            },
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        let text = self.input.text().trim();
        match (text.is_empty(), self.need, self.what) {
            (true, Need::Required, _) => Standing::Missing,
            (true, Need::Optional, _) => Standing::Open,
            (false, _, What::Name) => name_fault(text).map_or(Standing::Good, Standing::Wrong),
            (false, _, What::Setting(key)) => match key.kind() {
                Kind::Text | Kind::Path => text_fault(key, text).map_or(Standing::Good, Standing::Wrong),
                Kind::List | Kind::Flag => Standing::Good,
            },
        }
    }
}

fn name_fault(text: &str) -> Option<Fault> {
    let fits = text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (!fits).then(|| {
        Fault::new("is no name for a profile", "write up to 64 letters, digits, `-`, `_` and `.`, such as prod-aws")
    })
}

fn suggestion(guide: Guide) -> &'static str {
    match guide {
        Guide::AzureWorkloadIdentity => "azure",
        Guide::GitlabAws => "gitlab",
        Guide::CircleciAws => "circleci",
        Guide::AwsWorkloadIdentity | Guide::AwsStatic | Guide::AwsAssumeRole => "aws",
    }
}

fn default(guide: Guide, key: Key) -> Option<String> {
    let value = match (guide, key) {
        (Guide::GitlabAws, Key::IssuerUrl) => "https://gitlab.com",
        (Guide::AwsWorkloadIdentity, Key::AwsAudience) => "sts.amazonaws.com",
        _ => return None,
    };
    Some(value.to_owned())
}

fn fields_of(guide: Guide) -> &'static [(Key, Need)] {
    use Need::{Optional, Required};
    match guide {
        Guide::AwsWorkloadIdentity => &[
            (Key::IssuerUrl, Required),
            (Key::Organization, Optional),
            (Key::TokenFile, Optional),
            (Key::RoleArn, Required),
            (Key::Region, Required),
            (Key::AwsAudience, Optional),
            (Key::TrustPolicy, Optional),
            (Key::SecretName, Optional),
            (Key::DeploymentUrl, Optional),
        ],
        Guide::GitlabAws => &[
            (Key::IssuerUrl, Required),
            (Key::TokenFile, Optional),
            (Key::RoleArn, Required),
            (Key::Region, Required),
            (Key::AwsAudience, Optional),
            (Key::TrustPolicy, Optional),
            (Key::SecretName, Optional),
        ],
        Guide::CircleciAws => &[
            (Key::IssuerUrl, Required),
            (Key::Organization, Optional),
            (Key::TokenEnv, Optional),
            (Key::RoleArn, Required),
            (Key::Region, Required),
            (Key::TrustPolicy, Optional),
            (Key::SecretName, Optional),
        ],
        Guide::AzureWorkloadIdentity => &[
            (Key::IssuerUrl, Required),
            (Key::Organization, Optional),
            (Key::TokenFile, Optional),
            (Key::TenantId, Required),
            (Key::ClientId, Required),
            (Key::VaultUrl, Required),
            (Key::FederatedCredential, Optional),
            (Key::SecretName, Optional),
            (Key::DeploymentUrl, Optional),
        ],
        Guide::AwsStatic => &[
            (Key::ConfigProfile, Optional),
            (Key::Region, Required),
            (Key::SecretName, Optional),
            (Key::DeploymentUrl, Optional),
        ],
        Guide::AwsAssumeRole => &[
            (Key::ConfigProfile, Optional),
            (Key::RoleArn, Required),
            (Key::ExternalId, Optional),
            (Key::Region, Required),
            (Key::SecretName, Optional),
            (Key::DeploymentUrl, Optional),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(form: &mut Form, values: &[(Key, &str)]) {
        for (key, value) in values {
            let field = form.fields.iter_mut().find(|f| f.what == What::Setting(*key)).unwrap();
            field.input = Field::of(*value);
        }
    }

    #[test]
    fn a_filled_form_is_a_profile() {
        let mut form = Form::new(Guide::AwsWorkloadIdentity, &[]);
        assert!(!form.check().is_empty());
        fill(
            &mut form,
            &[
                (Key::IssuerUrl, "https://app.example.com"),
                (Key::RoleArn, "arn:aws:iam::123456789012:role/reader"),
                (Key::Region, "us-east-1"),
                (Key::SecretName, "a \"b\""),
            ],
        );
        let problems = form.check();
        assert!(problems.iter().all(|p| p.starts_with("secret.name")), "{problems:?}");
        fill(&mut form, &[(Key::SecretName, "db-password")]);
        assert_eq!(form.check(), Vec::<String>::new());
        let (settings, problems) = document::parse(&form.document(), Path::new("p.toml"));
        assert_eq!((settings.len(), problems.len()), (6, 0), "{}", form.document());
    }

    #[test]
    fn faults_show_while_typing() {
        let mut form = Form::new(Guide::AwsAssumeRole, &[]);
        fill(&mut form, &[(Key::RoleArn, "arn:aws:iam::12:user/x")]);
        let field = form.fields.iter().find(|f| f.what == What::Setting(Key::RoleArn)).unwrap();
        assert!(matches!(field.standing(), Standing::Wrong(_)));
    }

    #[test]
    fn every_guides_form_names_its_fields() {
        for guide in Guide::ALL {
            for field in Form::new(*guide, &[]).fields {
                assert!(!field.doc().is_empty(), "{} {}", guide.id(), field.label());
            }
        }
    }
}
