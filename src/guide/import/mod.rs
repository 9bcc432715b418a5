//! Fields that fill themselves from what a person has at hand: an ARN, a trust policy, an answer of `aws` or `az`, a
//! token. What was taken is told with where it stood, and so is what was left, and why. No secret is kept.

mod json;
mod text;

use std::collections::BTreeMap;

use super::text::setup_guide;
use crate::domain::profile::Guide;
use crate::domain::profile::edit::value_of;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::{Value, quoted};
use crate::domain::redaction::looks_secret;

/// The longest text that is looked at, in bytes.
const LONGEST: usize = 1024 * 1024;
/// The most remarks on what was left.
const MOST_LEFT: usize = 20;

/// What a text holds for a guide's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// What the text was read as, such as `a token`.
    pub kind: &'static str,
    pub taken: Vec<Taken>,
    pub left: Vec<Left>,
}

/// A value for a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub key: Key,
    pub value: Value,
    /// Where it stood in the text.
    pub from: String,
}

/// Something that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Where it stood in the text. Never a secret itself.
    pub what: String,
    pub why: String,
}

/// Reads a text for the fields of a guide.
pub fn import(text: &str, guide: Guide) -> Import {
    let mut reader = Reader {
        fields: setup_guide(guide).fields().into_iter().map(|field| field.key).collect(),
        offers: BTreeMap::new(),
        left: Vec::new(),
    };
    let text = text.trim().trim_start_matches('\u{feff}').trim();
    let kind = if text.is_empty() {
        reader.leave("the text", "is empty");
        "nothing"
    } else if text.len() > LONGEST {
        reader.leave("the text", "is larger than 1 MiB, and was not looked at");
        "text"
    } else {
        text::read(text, &mut reader)
    };
    reader.finish(kind)
}

/// What is found while a text is read.
struct Reader {
    fields: Vec<Key>,
    /// For each key the values found, each with where.
    offers: BTreeMap<Key, Vec<(Value, String)>>,
    left: Vec<Left>,
}

impl Reader {
    /// Notes a value for a key, if the guide asks for it and nothing is wrong with it.
    fn offer(&mut self, key: Key, text: &str, from: &str) {
        if !self.fields.contains(&key) {
            return self.leave(from, format!("this guide does not ask for {}", key.path()));
        }
        match value_of(key, text) {
            Err(fault) => self.leave(from, format!("{}: {}; {}", key.path(), fault.wrong, fault.instead)),
            Ok(value) => {
                let offers = self.offers.entry(key).or_default();
                if offers.iter().all(|(known, _)| *known != value) {
                    offers.push((value, from.to_owned()));
                }
            }
        }
    }

    fn leave(&mut self, what: &str, why: impl Into<String>) {
        let left = Left { what: what.to_owned(), why: why.into() };
        if self.left.len() < MOST_LEFT && !self.left.contains(&left) {
            self.left.push(left);
        }
    }

    /// Several values for one key are nobody's guess.
    fn finish(mut self, kind: &'static str) -> Import {
        let mut taken = Vec::new();
        for (key, offers) in std::mem::take(&mut self.offers) {
            match &offers[..] {
                [(value, from)] => taken.push(Taken { key, value: value.clone(), from: from.clone() }),
                many => {
                    let shown: Vec<String> = many.iter().map(|(value, from)| told(key, value, from)).collect();
                    let why = format!("there are several values: {}; write the one you mean", shown.join(", "));
                    self.leave(key.path(), why);
                }
            }
        }
        if taken.is_empty() && self.left.is_empty() {
            self.leave("the text", "holds nothing that this guide asks for");
        }
        Import { kind, taken, left: self.left }
    }
}

fn told(key: Key, value: &Value, from: &str) -> String {
    let text = value.to_string();
    if key == Key::ExternalId || looks_secret(&text).is_some() {
        return from.to_owned();
    }
    format!("{} ({from})", quoted(&text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
    const UUID: &str = "7f3e81c4-0000-4000-8000-9d20c1a09a1b";

    fn taken(text: &str, guide: Guide) -> Vec<(Key, String)> {
        import(text, guide).taken.into_iter().map(|taken| (taken.key, taken.value.to_string())).collect()
    }

    fn trust(host: &str, subject: &str) -> serde_json::Value {
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": format!("arn:aws:iam::123456789012:oidc-provider/{host}") },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": { format!("{host}:aud"): "sts.amazonaws.com", format!("{host}:sub"): subject } },
        }] })
    }

    #[test]
    fn fields_fill_from_what_is_at_hand() {
        use Guide::{AwsStatic, AwsWorkloadIdentity as Aws, AzureWorkloadIdentity as Azure, CircleciAws, GitlabAws};
        let of_aws = trust("app.example.com", &format!("organization:{UUID}"));
        let role = json!({ "Role": { "Arn": ROLE, "AssumeRolePolicyDocument": of_aws, "RoleId": "AROAEXAMPLE" } });
        let of_gitlab = trust("gitlab.example.com", "project_path:a/b:ref_type:branch:ref:main");
        let vault = "/subscriptions/7f3e81c4-0000-4000-8000-9d20c1a09a1b/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v";
        let issuer = (Key::IssuerUrl, "https://app.example.com".to_owned());
        let organization = (Key::Organization, UUID.to_owned());
        let audience = (Key::AwsAudience, "sts.amazonaws.com".to_owned());
        let text = |key: Key, text: &str| (key, text.to_owned());
        for (pasted, guide, expected) in [
            (ROLE.to_owned(), Aws, vec![text(Key::RoleArn, ROLE)]),
            (format!("\"{ROLE}\"\n"), Aws, vec![text(Key::RoleArn, ROLE)]),
            (of_aws.to_string(), Aws, vec![issuer.clone(), organization.clone(), audience.clone()]),
            (role.to_string(), Aws, vec![issuer.clone(), organization.clone(), text(Key::RoleArn, ROLE), audience.clone()]),
            (
                of_gitlab.to_string(),
                GitlabAws,
                vec![
                    text(Key::IssuerUrl, "https://gitlab.example.com"),
                    text(Key::GitlabProject, "a/b"),
                    text(Key::GitlabRefType, "branch"),
                    text(Key::GitlabRef, "main"),
                    audience.clone(),
                ],
            ),
            (
                format!("org/{UUID}/project/{UUID}/user/*"),
                CircleciAws,
                vec![organization.clone(), text(Key::CircleciProject, UUID)],
            ),
            (
                json!({ "environmentName": "AzureCloud", "id": UUID, "tenantId": UUID, "isDefault": true }).to_string(),
                Azure,
                vec![text(Key::TenantId, UUID), text(Key::SubscriptionId, UUID)],
            ),
            (json!({ "appId": UUID, "id": "11111111-2222-4333-8444-555555555555" }).to_string(), Azure, vec![text(Key::ClientId, UUID)]),
            (
                json!([{ "issuer": "https://app.example.com", "subject": format!("organization:{UUID}"), "audiences": ["api://AzureADTokenExchange"], "name": "n" }]).to_string(),
                Azure,
                vec![issuer.clone(), organization.clone()],
            ),
            (
                json!({ "id": vault, "resourceGroup": "rg", "properties": { "vaultUri": "https://v-1.vault.azure.net/", "tenantId": UUID } }).to_string(),
                Azure,
                vec![
                    text(Key::TenantId, UUID),
                    text(Key::SubscriptionId, UUID),
                    text(Key::ResourceGroup, "rg"),
                    text(Key::VaultUrl, "https://v-1.vault.azure.net"),
                ],
            ),
            (
                "https://app.example.com/.well-known/openid-configuration".to_owned(),
                Aws,
                vec![issuer.clone()],
            ),
            ("aws.region = eu-west-1\nsecret.name=db#x".to_owned(), Aws, vec![text(Key::Region, "eu-west-1"), text(Key::SecretName, "db#x")]),
            (
                json!({ "UserId": "AIDAEXAMPLE", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/u" }).to_string(),
                AwsStatic,
                vec![text(Key::AccountId, "123456789012")],
            ),
        ] {
            assert_eq!(taken(&pasted, guide), expected, "{pasted}");
        }
    }

    #[test]
    fn a_tokens_claims_fill_fields_and_the_token_is_not_kept() {
        use base64::Engine as _;
        let part =
            |value: serde_json::Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({ "iss": "https://app.example.com", "sub": format!("organization:{UUID}"), "aud": "sts.amazonaws.com" });
        let token = format!("{}.{}.c2ln", part(json!({ "alg": "RS256" })), part(claims));
        let import = import(&format!("Bearer {token}"), Guide::AwsWorkloadIdentity);
        assert_eq!(import.kind, "a token");
        assert_eq!(import.taken.len(), 3);
        assert!(import.left.iter().any(|left| left.why.contains("not kept")), "{import:?}");
        assert!(!format!("{import:?}").contains(&token));
    }

    #[test]
    fn secrets_are_left_and_told_without_being_quoted() {
        for (answer, member) in [
            (json!({ "AccessKey": { "UserName": "u", "SecretAccessKey": "wJalrX-planted" } }), "SecretAccessKey"),
            (json!({ "appId": UUID, "password": "wJalrX-planted", "tenant": UUID }), "password"),
            (
                json!({ "ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf", "SecretString": "wJalrX-planted" }),
                "SecretString",
            ),
            (json!({ "id": "https://v-1.vault.azure.net/secrets/db/1", "value": "wJalrX-planted" }), "value"),
        ] {
            for guide in Guide::ALL {
                let import = import(&answer.to_string(), *guide);
                assert!(!format!("{import:?}").contains("planted"), "{import:?}");
                assert!(
                    import.left.iter().any(|l| l.what.ends_with(member) && l.why.contains("not kept")),
                    "{import:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_ambiguous_wrong_or_foreign_is_left_with_the_reason() {
        let aws = Guide::AwsWorkloadIdentity;
        for (pasted, why) in [
            (
                json!([{ "RoleArn": ROLE }, { "RoleArn": "arn:aws:iam::123456789012:role/other" }]).to_string(),
                "several values",
            ),
            ("arn:aws:sts::123456789012:assumed-role/reader/session".to_owned(), "session"),
            (json!({ "appId": UUID }).to_string(), "does not ask for azure.client-id"),
            (UUID.to_owned(), "nothing says"),
            ("https://somewhere.example.com/".to_owned(), "nothing says"),
            ("hello".to_owned(), "holds nothing"),
            (String::new(), "empty"),
        ] {
            let import = import(&pasted, aws);
            assert_eq!(import.taken, [], "{pasted}");
            assert!(import.left.iter().any(|left| left.why.contains(why)), "{pasted}: {import:?}");
        }
    }

    fn tree() -> impl Strategy<Value = serde_json::Value> {
        let names = ["Arn", "id", "value", "password", "issuer", "sub", "Statement", "Principal", "Condition", "a:sub"];
        let texts =
            ["arn:aws:iam::1:role/x", "arn:", "arn:aws:iam::123456789012:oidc-provider/h", "é", "/subscriptions/x", ""];
        let leaf = prop_oneof![
            any::<String>().prop_map(serde_json::Value::from),
            proptest::sample::select(texts.to_vec()).prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(5, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                proptest::collection::vec((proptest::sample::select(names.to_vec()), inner), 0..4).prop_map(
                    |members| members
                        .into_iter()
                        .map(|(n, v)| (n.to_owned(), v))
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                ),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_only_good_values_are_taken(text in any::<String>(), tree in tree()) {
            for text in [text, tree.to_string()] {
                for guide in Guide::ALL {
                    for taken in import(&text, *guide).taken {
                        let text = taken.value.to_string();
                        prop_assert!(value_of(taken.key, &text).is_ok());
                        prop_assert!(looks_secret(&text).is_none());
                    }
                }
            }
        }

        #[test]
        fn a_secret_member_never_comes_through(secret in "[A-Za-z0-9/+]{24,40}", depth in 0usize..4) {
            let mut value = json!({ "appId": UUID, "password": secret, "SecretAccessKey": secret });
            for _ in 0..depth {
                value = json!({ "inner": [value] });
            }
            for guide in Guide::ALL {
                let told = format!("{:?}", import(&value.to_string(), *guide));
                prop_assert!(!told.contains(&secret));
            }
        }
    }
}
