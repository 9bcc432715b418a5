//! The access key of the static guides: a new one, from IAM into the private file that the profile names.

use std::path::Path;

use super::role::rendered;
use super::{Sh, piece};
use crate::cause::Fix;
use crate::domain::profile::Profile;
use crate::domain::profile::key::Key;
use crate::domain::profile::setting::Origin;
use crate::guide::{Artifact, READER};
use crate::remedy::check;
use crate::remedy::{Context, profile_set};

/// The fixes for an access key that is missing or wrong. The secret half is on no screen and on no command line.
pub(super) fn fixes(context: Context<'_>) -> Vec<Fix> {
    let profile = context.profile;
    let Some(permissions) = rendered(Artifact::SecretsPolicy, context) else { return Vec::new() };
    // The permissions name it, so it is known.
    let account = profile.aws.account_id.as_deref().or(profile.aws.role_arn.as_ref().map(|role| role.account.as_str()));
    let file = profile.aws.access_keys_csv.as_ref().map(|path| path.display().to_string());
    let script = |change: &str| {
        let sh = Sh::new(profile);
        let sh = match &file {
            Some(file) => sh.with("KEY_FILE", file),
            None => sh.with_default("KEY_FILE", &beside_the_profile(profile)).run(piece!("whole-path.sh")),
        };
        sh.with_default("USER_NAME", READER)
            .document("permissions.json", &permissions)
            .in_account(account)
            .run(change)
            .finish()
    };
    let (mut command, mut undo) = (script(piece!("new-key.sh")), script(piece!("old-key.sh")));
    if file.is_none() {
        // The profile's own way to say so, with the file's name still to be expanded.
        let set = profile_set(profile, &[(Key::AccessKeysCsv, String::new())]);
        let lines = |script: Option<String>| {
            script.unwrap_or_default().lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
        };
        command.push_str(&lines(set.command).replace(
            &format!("{}=", Key::AccessKeysCsv.path()),
            &format!("{}=\"$KEY_FILE\"", Key::AccessKeysCsv.path()),
        ));
        undo.push_str(&lines(set.undo));
    }
    vec![Fix {
        text: format!(
            "Make a new access key and put it into {}, which nobody else can read. It is the key of the user whose key is \
             there now, else of the user USER_NAME (`{READER}` where that is not set).",
            file.as_deref().unwrap_or("the file KEY_FILE (`accessKeys.csv` beside the profile where that is not set)")
        ),
        command: Some(command),
        verify: Some(check(profile, Some(60))),
        undo: Some(undo),
        ..Fix::default()
    }]
}

/// A file of the profile's own folder, where the profile is a file: one elsewhere is asked about before it is used.
fn beside_the_profile(profile: &Profile) -> String {
    let folder = profile.settings.iter().find_map(|setting| match &setting.origin {
        Origin::File { path, .. } => path.parent(),
        _ => None,
    });
    folder.unwrap_or(Path::new("")).join("accessKeys.csv").display().to_string()
}
