//! The federated credential: the one at hand corrected as a whole, or the missing one made.

use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::names::{Names, WORK, digest};
use crate::cause::{Finding, Fix};
use crate::domain::entra::{CredentialSet, FederatedCredential};
use crate::remedy::{heredoc, variable};

/// How long Entra may take to know a credential everywhere, in seconds.
const PROPAGATION_S: u32 = 120;
/// The members that the script compares before it writes, and that it writes.
const MEMBERS: &str = "{name, issuer, subject, audiences, description: (.description // \"\")}";

/// The fix of a credential that does not admit the token it is for.
pub(super) fn corrected(finding: &Finding, names: &Names<'_>) -> Vec<Fix> {
    let nearest = AtHand::nearest(names);
    let in_force = nearest.as_ref().map(|at_hand| &at_hand.credential);
    let identity = match Identity::admissible(names, in_force) {
        Ok(identity) => identity,
        Err(why) => return vec![Fix { text: why, ..Fix::default() }],
    };
    match nearest {
        // An expression is not the command line's to write; a plain credential beside it admits the one subject.
        Some(at_hand) if at_hand.credential.expression.is_some() => vec![made(names, &identity, "")],
        Some(at_hand) => vec![at_hand.corrected(names, &identity)],
        // Two credentials of one issuer and subject cannot be, so another audience cannot stand beside the wrong one.
        None if finding.cause == crate::cause::Cause::AudMismatch => vec![audience_set(names, &identity)],
        None => vec![made(names, &identity, " The one that does not fit stays as it is.")],
    }
}

/// The fix of an application without any federated credential.
pub(super) fn missing(names: &Names<'_>) -> Vec<Fix> {
    match Identity::admissible(names, None) {
        Ok(identity) => vec![made(names, &identity, "")],
        Err(why) => vec![Fix { text: why, ..Fix::default() }],
    }
}

/// The credential fits, and Entra does not know it: it is new, or the copy is not what is in force.
pub(super) fn unknown_yet(names: &Names<'_>) -> Vec<Fix> {
    let saved = listed(names);
    let anew = (!saved.is_empty()).then(|| Fix {
        text: "If waiting does not help, the copy may be out of date: save what is in force, and check again."
            .to_owned(),
        command: Some(names.head() + &names.client_id() + WORK + &saved),
        verify: Some(names.check()),
        ..Fix::default()
    });
    std::iter::once(names.wait()).chain(anew).collect()
}

/// The credential at hand that is nearest to the token, and where it stands in the text that was read.
struct AtHand {
    credential: FederatedCredential,
    /// As it stands in the text.
    written: Map<String, Value>,
    /// Where in the text, as jq addresses it.
    path: String,
}

impl AtHand {
    fn nearest(names: &Names<'_>) -> Option<AtHand> {
        let fact = names.context.facts.azure.credentials.as_ref()?;
        let index = fact.evaluation.as_ref()?.statements.first()?.index;
        let text = fact.text.as_ref()?;
        let credential = CredentialSet::parse(text).ok()?.credentials.into_iter().nth(index)?;
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        let (path, item) = match (&value, value.get("value")) {
            (Value::Array(items), _) => (format!(".[{index}]"), items.get(index)?),
            (_, Some(Value::Array(items))) => (format!(".value[{index}]"), items.get(index)?),
            _ => (".".to_owned(), &value),
        };
        let written = item.as_object()?.clone();
        Some(AtHand { credential, written, path })
    }

    fn corrected(&self, names: &Names<'_>, identity: &Identity) -> Fix {
        if self.written.contains_key("properties") || self.written.contains_key("resourceGroup") {
            return of_managed_identity(&self.credential, identity);
        }
        let before = self.document(&Identity {
            issuer: self.credential.issuer.clone(),
            subject: self.credential.subject.clone().unwrap_or_default(),
            audience: self.credential.audiences.first().cloned().unwrap_or_default(),
            is_of_token: false,
        });
        let after = self.document(identity);
        let (before, after) = (format!("{before:#}"), format!("{after:#}"));
        let whose = match &self.credential.name {
            Some(name) => format!("the federated credential `{name}`"),
            None => "the federated credential".to_owned(),
        };
        let text = format!("Correct {whose} as a whole. {}", admits(identity));
        Fix {
            text,
            command: Some(self.script(names, &before, &after)),
            undo: Some(self.script(names, &after, &before)),
            document: Some(after),
            verify: Some(names.check_after(PROPAGATION_S)),
            ..Fix::default()
        }
    }

    /// The credential as it is written, with an identity's values.
    fn document(&self, identity: &Identity) -> Value {
        let mut document = json!({});
        if let Some(name) = &self.credential.name {
            document["name"] = name.clone().into();
        }
        document["issuer"] = identity.issuer.clone().into();
        document["subject"] = identity.subject.clone().into();
        if let Some(Value::String(description)) = self.written.get("description") {
            document["description"] = description.clone().into();
        }
        document["audiences"] = json!([identity.audience]);
        document
    }

    /// Replaces one whole credential by another, if the one in force is the first.
    fn script(&self, names: &Names<'_>, before: &str, after: &str) -> String {
        let mut script = names.head() + &names.client_id();
        script += &variable("CREDENTIAL", self.credential.name.as_deref(), "the federated credential's name");
        script += WORK;
        script += &heredoc("cat >\"$work/before.json\"", before);
        script += &heredoc("cat >\"$work/after.json\"", after);
        script += "az ad app federated-credential show --id \"$CLIENT_ID\" --federated-credential-id \"$CREDENTIAL\" --output json >\"$work/now.json\"\n";
        script += &format!(
            "jq -e -n --slurpfile before \"$work/before.json\" --slurpfile now \"$work/now.json\" \\\n  '($before[0] | {MEMBERS}) == ($now[0] | {MEMBERS})' >/dev/null ||\n  stop 'the federated credential in force is not the one that this fix was made from; nothing was changed: check again'\n"
        );
        script += "az ad app federated-credential update --id \"$CLIENT_ID\" --federated-credential-id \"$CREDENTIAL\" --parameters \"@$work/after.json\"\n";
        script + &self.refresh(names)
    }

    /// Writes the new values into the copy that `check` reads, which keeps the form it has.
    fn refresh(&self, names: &Names<'_>) -> String {
        copy(names).map_or_else(String::new, |copy| {
            format!(
                "{copy}jq --slurpfile after \"$work/after.json\" '{path} += ($after[0] | {{issuer, subject, audiences}})' \"$COPY\" >\"$work/copy.json\"\ncat \"$work/copy.json\" >\"$COPY\"\n",
                path = self.path
            )
        })
    }
}

/// `COPY`: the profile's own copy of the credentials.
fn copy(names: &Names<'_>) -> Option<String> {
    let path = names.profile().azure.federated_credential.as_ref()?;
    Some(variable("COPY", Some(&path.to_string_lossy()), ""))
}

/// A new credential for one identity.
fn made(names: &Names<'_>, identity: &Identity, besides: &str) -> Fix {
    let name = new_name(identity);
    let document = json!({
        "name": name,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "description": "Made by a fix of trustline",
        "audiences": [identity.audience],
    });
    let document = format!("{document:#}");
    let start = names.head() + &names.client_id() + &variable("CREDENTIAL", Some(&name), "") + WORK;
    let mut command = start.clone();
    command += &heredoc("cat >\"$work/after.json\"", &document);
    command +=
        "az ad app federated-credential create --id \"$CLIENT_ID\" --parameters \"@$work/after.json\" --output none\n";
    command += &listed(names);
    let mut undo = start;
    undo += &heredoc("cat >\"$work/before.json\"", &document);
    undo += "az ad app federated-credential show --id \"$CLIENT_ID\" --federated-credential-id \"$CREDENTIAL\" --output json >\"$work/now.json\"\n";
    undo += &format!(
        "jq -e -n --slurpfile before \"$work/before.json\" --slurpfile now \"$work/now.json\" \\\n  '($before[0] | {MEMBERS}) == ($now[0] | {MEMBERS})' >/dev/null ||\n  stop 'the federated credential was changed since; nothing was taken away'\n"
    );
    undo += "az ad app federated-credential delete --id \"$CLIENT_ID\" --federated-credential-id \"$CREDENTIAL\"\n";
    undo += &listed(names);
    Fix {
        text: format!("Add a federated credential.{besides} {}", admits(identity)),
        command: Some(command),
        undo: Some(undo),
        document: Some(document),
        verify: Some(names.check_after(PROPAGATION_S)),
        ..Fix::default()
    }
}

/// The credential of this issuer and subject gets the audience; without a copy at hand, the script reads it.
fn audience_set(names: &Names<'_>, identity: &Identity) -> Fix {
    const FIND: &str = include_str!("../../../assets/remedy/azure/find-credential.sh");
    const SET: &str = include_str!("../../../assets/remedy/azure/set-audience.sh");
    let known = [("ISSUER", &identity.issuer), ("SUBJECT", &identity.subject), ("AUDIENCE", &identity.audience)];
    let known: String = known.iter().map(|(name, value)| variable(name, Some(value), "")).collect();
    let start = names.head() + &names.client_id() + &known;
    let before = variable("AUDIENCE_BEFORE", None, "the audience that the credential had, as the fix printed it");
    let command = format!(
        "{start}{WORK}{FIND}jq -e --arg audience \"$AUDIENCE\" '.audiences != [$audience]' \"$work/now.json\" >/dev/null ||\n  \
         stop 'the federated credential has this audience already; nothing was changed: check again'\n\
         TO=$AUDIENCE\n{SET}\
         jq -r '\"The audience was another. The way back needs AUDIENCE_BEFORE=\\(.audiences[0] | @sh)\"' \"$work/now.json\" >&2\n{}",
        listed(names)
    );
    let undo = format!(
        "{start}{before}{WORK}{FIND}jq -e --arg audience \"$AUDIENCE\" '.audiences == [$audience]' \"$work/now.json\" >/dev/null ||\n  \
         stop 'the federated credential was changed since; nothing was changed'\n\
         TO=$AUDIENCE_BEFORE\n{SET}{}",
        listed(names)
    );
    Fix {
        text: format!(
            "Set the audience of the federated credential of this issuer and subject to {}. {}",
            identity.audience,
            admits(identity)
        ),
        command: Some(command),
        undo: Some(undo),
        verify: Some(names.check_after(PROPAGATION_S)),
        ..Fix::default()
    }
}

/// Saves the application's list anew where the profile names a copy of it.
fn listed(names: &Names<'_>) -> String {
    copy(names).map_or_else(String::new, |copy| {
        format!(
            "{copy}az ad app federated-credential list --id \"$CLIENT_ID\" --output json >\"$work/copy.json\"\ncat \"$work/copy.json\" >\"$COPY\"\n"
        )
    })
}

/// A name that only this identity gives: 3 to 120 letters, digits and hyphens.
fn new_name(identity: &Identity) -> String {
    let digest = digest(&format!("{}\n{}\n{}", identity.issuer, identity.subject, identity.audience));
    format!("trustline-{}", &digest[..8])
}

/// A managed identity's credential is a resource of its own, with other commands.
fn of_managed_identity(credential: &FederatedCredential, identity: &Identity) -> Fix {
    let name = credential.name.as_deref().unwrap_or_default();
    Fix {
        text: format!(
            "Set the managed identity's federated credential {name} (`az identity federated-credential update`) to \
             the issuer {}, the subject {} and the audience {}. {}",
            identity.issuer,
            identity.subject,
            identity.audience,
            admits(identity)
        ),
        ..Fix::default()
    }
}

fn admits(identity: &Identity) -> String {
    let subject = &identity.subject;
    if identity.is_of_token {
        format!(
            "It then admits {subject}, as the token says; the profile names no subject, so make sure that you mean it."
        )
    } else {
        format!("It then admits {subject}, and nobody else.")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cause::{Cause, Certainty};
    use crate::domain::ids::CheckId;
    use crate::remedy::azure::tests::{Case, ISSUER, ORGANIZATION, credential};

    fn fix(case: &Case, cause: Cause) -> Fix {
        let finding = Finding::new(cause, CheckId::TrustPolicy, Certainty::Proven, "x");
        crate::remedy::azure::fixes(&finding, case.context()).remove(0)
    }

    fn own() -> Value {
        json!({ "iss": ISSUER, "sub": format!("organization:{ORGANIZATION}"), "aud": "api://AzureADTokenExchange" })
    }

    #[test]
    fn the_one_at_hand_is_corrected_and_nothing_else() {
        let other = credential("other", "https://elsewhere.example.org", "organization:2");
        let mut wrong = credential("crew", ISSUER, "organization:3");
        wrong["description"] = "kept".into();
        for (text, path) in [
            (json!([other, wrong]).to_string(), ".[1] +="),
            (json!({ "value": [wrong] }).to_string(), ".value[0] +="),
            (wrong.to_string(), "'. +="),
        ] {
            let case = Case::with_token(&own()).with_credentials(&text);
            let fix = fix(&case, Cause::SubMismatch);
            let document: Value = serde_json::from_str(fix.document.as_deref().unwrap()).unwrap();
            assert_eq!(document["subject"], format!("organization:{ORGANIZATION}"), "{text}");
            let command = fix.command.unwrap();
            assert!(command.contains(path), "{command}");
            if text.contains("kept") && !text.contains("other") {
                assert_eq!((&document["name"], &document["description"]), (&json!("crew"), &json!("kept")));
            }
        }
    }

    #[test]
    fn without_a_copy_the_script_finds_the_credential_and_sets_its_audience_alone() {
        let fix = fix(&Case::with_token(&own()), Cause::AudMismatch);
        assert!(fix.text.contains("api://AzureADTokenExchange"), "{}", fix.text);
        for script in [fix.command.unwrap(), fix.undo.unwrap()] {
            let checked = std::process::Command::new("sh").args(["-n", "-c", &script]).output().unwrap();
            assert!(checked.status.success() && !script.contains("create"), "{script}");
        }
        let mut claims = own();
        claims["sub"] = "organization:9".into();
        assert_eq!(self::fix(&Case::with_token(&claims), Cause::AudMismatch).command, None, "another's token");
    }

    #[test]
    fn a_flexible_credential_gets_a_plain_one_beside_it() {
        let mut flexible = credential("flex", ISSUER, "");
        flexible["subject"] = Value::Null;
        flexible["claimsMatchingExpression"] = json!({ "value": "claims['sub'] matches 'x:*'", "languageVersion": 1 });
        let case = Case::with_token(&own()).with_credentials(&flexible.to_string());
        let fix = fix(&case, Cause::ClaimMismatch);
        assert!(fix.command.unwrap().contains("federated-credential create"));
        assert!(fix.undo.unwrap().contains("federated-credential delete"));
    }

    #[test]
    fn another_organizations_token_gets_no_script() {
        let mut claims = own();
        claims["sub"] = "organization:9".into();
        let case =
            Case::with_token(&claims).with_credentials(&credential("crew", ISSUER, "organization:3").to_string());
        let fix = fix(&case, Cause::SubMismatch);
        assert_eq!((fix.command, fix.document), (None, None));
        assert!(fix.text.contains("another organization's"), "{}", fix.text);
    }

    #[test]
    fn a_missing_one_is_made_for_the_profiles_identity() {
        let case = Case::with_token(&own()).with_credentials("[]");
        let fix = fix(&case, Cause::FicMissing);
        let document: Value = serde_json::from_str(fix.document.as_deref().unwrap()).unwrap();
        let set = CredentialSet::parse(&document.to_string()).unwrap();
        let evaluation = crate::domain::entra::evaluate(&set, own().as_object().unwrap());
        assert_eq!(evaluation.decision, crate::domain::iam::Decision::Allow);
        assert_eq!(evaluation.problems, []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Names and values from outside stay data: the script is one that a shell can read, whatever they hold.
        #[test]
        fn what_the_credential_holds_never_becomes_a_command(name in "[a-z'`$\"\\\\\n]{0,12}|\\$\\(id\\)|END", subject in "([a-z:'`$\"]|\nEND\n|\\$\\(id\\)){0,20}") {
            let case = Case::with_token(&own()).with_credentials(&credential(&name, ISSUER, &subject).to_string());
            let fix = fix(&case, Cause::SubMismatch);
            for script in [fix.command.unwrap(), fix.undo.unwrap()] {
                let checked = std::process::Command::new("sh").args(["-n", "-c", &script]).output().unwrap();
                prop_assert!(checked.status.success(), "{}", script);
            }
        }
    }
}
