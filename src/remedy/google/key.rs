//! A service account's key, made anew into a private file, and its account brought back; no key is shown or passed as an
//! argument.

use super::identity::key_owner;
use super::{PROPAGATION_S, head};
use crate::cause::Fix;
use crate::domain::profile::key::Key;
use crate::domain::text::quote;
use crate::remedy::{Context, check, profile_set, variable};

const NEW_FILE: &str = "service-account-key.json";
/// The id of a key, as its file has it.
const ID_OF_KEY: &str = "sed -n 's/.*\"private_key_id\": *\"\\([0-9a-f]*\\)\".*/\\1/p'";

/// How a script begins that makes a key: the account and the file.
fn start(context: Context<'_>, file: &str) -> String {
    let account = variable("ACCOUNT", key_owner(context), "the service account's address");
    head(context) + &account + &variable("KEY_FILE", Some(file), "")
}

/// Puts a new key into the file; a former one is kept beside it.
const MAKE: &str = "[ ! -e \"$KEY_FILE\" ] || [ ! -e \"$KEY_FILE.before\" ] || stop \"$KEY_FILE.before holds an older key: move it away first; nothing was made\"
umask 077
work=$(mktemp -d)
trap 'rm -rf \"$work\"' EXIT
gcloud iam service-accounts keys create \"$work/key.json\" --iam-account \"$ACCOUNT\" --project \"$PROJECT\"
[ -s \"$work/key.json\" ] || stop 'gcloud wrote no key; nothing was replaced'
[ ! -e \"$KEY_FILE\" ] || mv \"$KEY_FILE\" \"$KEY_FILE.before\"
cp \"$work/key.json\" \"$KEY_FILE\"
";

fn unmade(start: &str) -> String {
    format!(
        "{start}id=$({ID_OF_KEY} \"$KEY_FILE\")\n[ -n \"$id\" ] || stop \"$KEY_FILE holds no key; nothing was deleted\"\n\
         gcloud iam service-accounts keys delete \"$id\" --iam-account \"$ACCOUNT\" --project \"$PROJECT\" --quiet\n\
         rm -f \"$KEY_FILE\"\n[ ! -e \"$KEY_FILE.before\" ] || mv \"$KEY_FILE.before\" \"$KEY_FILE\"\n"
    )
}

/// A new key in the place of the one that is lost or refused. What is federated needs none, which the text says first.
pub(super) fn made_anew(context: Context<'_>) -> Option<Fix> {
    let file = match &context.profile.gcp.key_file {
        Some(file) => file.to_string_lossy().into_owned(),
        None => return made_beside(context),
    };
    let start = start(context, &file);
    Some(Fix {
        text: "Make a new key of the service account. It is not shown: it goes to the profile's file, and the former one is \
               kept beside it (`.before`). The platform needs the new one too; the guide gcp-workload-identity needs none."
            .to_owned(),
        command: Some(format!("{start}{MAKE}")),
        undo: Some(unmade(&start)),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        ..Fix::default()
    })
}

/// A new key in a file of its own, which the profile then names: what it names now is something else.
pub(super) fn made_beside(context: Context<'_>) -> Option<Fix> {
    let beside = context.profile.gcp.key_file.as_ref().and_then(|file| file.parent());
    let file = beside.map_or_else(|| NEW_FILE.into(), |folder| folder.join(format!("new-{NEW_FILE}")));
    let file = file.to_string_lossy().into_owned();
    let set = profile_set(context.profile, &[(Key::GcpKeyFile, file.clone())]);
    let (named, unnamed) = (set.command?, set.undo.unwrap_or_default());
    let start = start(context, &file);
    Some(Fix {
        text: "Make a key of the service account into a file of its own, and name that in the profile. Or keep the federation's \
               file and set guide = \"gcp-workload-identity\": then no key is needed."
            .to_owned(),
        command: Some(format!("{start}{MAKE}{named}")),
        undo: Some(format!("{}{unnamed}", unmade(&start))),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        ..Fix::default()
    })
}

/// Enables the account where it is there; else makes it again, with its roles and a key, for nothing of the former counts.
pub(super) fn account_back(context: Context<'_>) -> Option<Fix> {
    let (account, project) = (key_owner(context)?, context.profile.gcp.project_id.as_deref()?);
    let id = account.strip_suffix(&format!("@{project}.iam.gserviceaccount.com"))?;
    let file = context.profile.gcp.key_file.as_ref()?.to_string_lossy().into_owned();
    let secret = quote(&context.profile.secret.as_ref()?.name);
    let location = context.profile.gcp.location.as_deref().map(|at| format!(" --location {}", quote(at)));
    let start = start(context, &file);
    let describe = "gcloud iam service-accounts describe \"$ACCOUNT\" --project \"$PROJECT\" >/dev/null 2>&1";
    let made = format!(
        "gcloud iam service-accounts create {} --project \"$PROJECT\"\n\
         gcloud projects add-iam-policy-binding \"$PROJECT\" --role roles/secretmanager.viewer --member \"serviceAccount:$ACCOUNT\" --condition None >/dev/null\n\
         gcloud secrets add-iam-policy-binding {secret} --project \"$PROJECT\"{} --role roles/secretmanager.secretAccessor --member \"serviceAccount:$ACCOUNT\" >/dev/null\n",
        quote(id),
        location.unwrap_or_default(),
    );
    Some(Fix {
        text: format!(
            "Enable {account} where it is disabled. Where it was deleted, undelete it within 30 days (`gcloud iam \
             service-accounts undelete` with its number); the script makes it again, with the roles of a reader and a new key in \
             the profile's file."
        ),
        command: Some(format!(
            "{start}if {describe}; then\ngcloud iam service-accounts enable \"$ACCOUNT\" --project \"$PROJECT\"\nelse\n{made}{MAKE}fi\n"
        )),
        undo: Some(format!(
            "{start}gcloud iam service-accounts disable \"$ACCOUNT\" --project \"$PROJECT\"\n[ ! -e \"$KEY_FILE.before\" ] || mv \"$KEY_FILE.before\" \"$KEY_FILE\"\n"
        )),
        verify: Some(check(context.profile, Some(PROPAGATION_S))),
        ..Fix::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::google::KeyFact;
    use crate::domain::profile::Guide;
    use crate::remedy::google::tests::Case;

    fn case() -> Case {
        let mut case = Case::bare();
        case.profile.guide = Guide::GcpStatic;
        case.profile.gcp.key_file = Some("/home/me/it's here/key.json".into());
        case.facts.google.key = Some(KeyFact {
            source: "key.json".into(),
            account: Some("reader@my-project.iam.gserviceaccount.com".into()),
            key_id: None,
            problem: None,
        });
        case
    }

    #[test]
    fn every_script_is_one_that_a_shell_reads_and_keeps_the_former_file() {
        let case = case();
        for fix in [made_anew(case.context()), made_beside(case.context()), account_back(case.context())] {
            let fix = fix.unwrap();
            for script in [fix.command.unwrap(), fix.undo.unwrap()] {
                let read = std::process::Command::new("sh").args(["-n", "-c", &script]).status().unwrap();
                assert!(read.success(), "{script}");
                assert!(script.contains("ACCOUNT=reader@my-project.iam.gserviceaccount.com"), "{script}");
                assert!(script.contains("$KEY_FILE.before"), "{script}");
                // A key that is kept already is not lost to the next one.
                if let Some(makes) = script.find("keys create") {
                    let asks = script.find("stop \"$KEY_FILE.before").unwrap();
                    assert!(asks < makes, "{script}");
                }
            }
        }
    }

    #[test]
    fn a_file_of_another_kind_is_left_alone() {
        let command = made_beside(case().context()).unwrap().command.unwrap();
        assert!(command.contains("KEY_FILE='/home/me/it'\\''s here/new-service-account-key.json'"), "{command}");
        assert!(command.contains("trustline profile set") && command.contains("gcp.key-file="), "{command}");
    }

    #[test]
    fn an_account_of_another_project_is_not_made_here() {
        let mut case = case();
        case.profile.gcp.project_id = Some("another".into());
        assert!(account_back(case.context()).is_none());
    }
}
