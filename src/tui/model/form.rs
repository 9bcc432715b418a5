//! The form of a new profile: the fields of its guide, checked while they are typed, filled from the environment.

use std::path::Path;

use super::list::Field;
use crate::domain::guide::Workload;
use crate::domain::ids::Cloud;
use crate::domain::profile::edit::value_of;
use crate::domain::profile::expected::{default_audience, issuer_of};
use crate::domain::profile::key::{Key, Kind};
use crate::domain::profile::resolve::resolve;
use crate::domain::profile::setting::{Fault, Need, Origin, Setting, ask, name};
use crate::domain::profile::{Guide, document};
use crate::guide::{Question, questions};

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
    /// The fields of a guide, filled with what the environment offers. The name is none of those that are taken.
    pub fn new(guide: Guide, offers: &[Setting], taken: &[&str]) -> Self {
        let name = free_name(suggestion(guide), taken);
        let name = FormField { what: What::Name, need: Need::Required, input: Field::of(name), from: None };
        let fields = questions(guide).into_iter().map(|Question { key, need, .. }| {
            let offer = offers.iter().find(|setting| setting.key == key);
            let text =
                offer.map(|setting| setting.value.to_string()).or_else(|| default(guide, key)).unwrap_or_default();
            let from = offer.and_then(|setting| match &setting.origin {
                Origin::Variable(name) => Some(name.clone()),
                _ => None,
            });
            FormField { what: What::Setting(key), need, input: Field::of(text), from }
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

    /// Whether something is missing that nothing can be checked without.
    pub fn lacks(&self) -> bool {
        self.fields.iter().any(|field| field.standing() == Standing::Missing)
    }

    /// Everything that is wrong, field by field and then as a whole. What is missing is no mistake.
    pub fn check(&self) -> Vec<String> {
        let mut problems: Vec<String> = self
            .fields
            .iter()
            .filter(|field| field.blocks())
            .filter_map(|field| match field.standing() {
                Standing::Missing => Some(format!("{} is needed", field.label())),
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
    /// What people call it.
    pub fn label(&self) -> &'static str {
        match self.what {
            What::Name => "name",
            What::Setting(key) => name(key),
        }
    }

    /// Its key in the profile; none for the profile's name.
    pub fn key(&self) -> Option<&'static str> {
        match self.what {
            What::Name => None,
            What::Setting(key) => Some(key.path()),
        }
    }

    /// What it is for, with an example.
    pub fn doc(&self) -> &'static str {
        match self.what {
            What::Name => "the profile's name, such as prod-aws",
            What::Setting(key) => ask(key),
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        let text = self.input.text().trim();
        match (text.is_empty(), self.need, self.what) {
            (true, Need::Required, _) => Standing::Missing,
            (true, Need::Optional, _) => Standing::Open,
            (false, _, What::Name) => name_fault(text).map_or(Standing::Good, Standing::Wrong),
            (false, _, What::Setting(key)) => value_of(key, text).err().map_or(Standing::Good, Standing::Wrong),
        }
    }

    /// Whether the profile cannot be written with it: the guide asks for a value that is missing, not for a name.
    pub fn blocks(&self) -> bool {
        match self.standing() {
            Standing::Wrong(_) => true,
            Standing::Missing => self.what == What::Name,
            Standing::Good | Standing::Open => false,
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

/// A name that no profile has: the suggestion, or with a number behind it.
fn free_name(suggestion: &str, taken: &[&str]) -> String {
    let numbered = (2..).map(|number| format!("{suggestion}-{number}"));
    let mut names = std::iter::once(suggestion.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(&name.as_str())).unwrap_or_default()
}

fn suggestion(guide: Guide) -> &'static str {
    match (guide.workload(), guide.cloud()) {
        (Workload::Platform, Cloud::Gcp) => "google",
        (Workload::Platform, cloud) => cloud.id(),
        (workload, _) => workload.id(),
    }
}

fn default(guide: Guide, key: Key) -> Option<String> {
    match key {
        Key::IssuerUrl if guide.workload() == Workload::Gitlab => Some("https://gitlab.com".to_owned()),
        Key::IssuerUrl => issuer_of(guide, &|_| None),
        Key::AwsAudience if guide.takes_usual_aws_audience() => Some(default_audience(guide, &|_| None)),
        _ => None,
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
        let mut form = Form::new(Guide::AwsWorkloadIdentity, &[], &[]);
        assert!(form.lacks() && form.check().is_empty(), "what is missing is asked for by the guide");
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
        assert!(!problems.is_empty() && problems.iter().all(|p| p.starts_with("secret:")), "{problems:?}");
        fill(&mut form, &[(Key::SecretName, "db-password")]);
        assert_eq!(form.check(), Vec::<String>::new());
        let (settings, problems) = document::parse(&form.document(), Path::new("p.toml"));
        assert_eq!((settings.len(), problems.len()), (6, 0), "{}", form.document());
    }

    #[test]
    fn a_name_that_is_taken_is_not_suggested() {
        for (taken, suggested) in [(&[][..], "aws"), (&["aws"], "aws-2"), (&["aws-2", "aws"], "aws-3")] {
            assert_eq!(Form::new(Guide::AwsStatic, &[], taken).name(), suggested);
        }
    }

    #[test]
    fn faults_show_while_typing() {
        let mut form = Form::new(Guide::AwsAssumeRole, &[], &[]);
        fill(&mut form, &[(Key::RoleArn, "arn:aws:iam::12:user/x")]);
        let field = form.fields.iter().find(|f| f.what == What::Setting(Key::RoleArn)).unwrap();
        assert!(matches!(field.standing(), Standing::Wrong(_)));
    }

    #[test]
    fn every_guides_form_names_its_fields() {
        for guide in Guide::ALL {
            for field in Form::new(*guide, &[], &[]).fields {
                assert!(!field.doc().is_empty(), "{} {}", guide.id(), field.label());
            }
        }
    }
}
