//! Finding and reading a profile: folders, files, the environment. What it means is `domain::profile`'s.

use std::io::{ErrorKind, Read as _};
use std::path::{self, Path, PathBuf};

use super::consent;
use super::exit::CliError;
use super::flags::ProfileSelector;
use crate::domain::profile::credential_file::{self, ALLOW_EXECUTABLES, CREDENTIAL_FILE, CredentialFile};
use crate::domain::profile::document::{self, LARGEST};
use crate::domain::profile::key::Kind;
use crate::domain::profile::resolve::{Resolved, resolve, resolve_with_credentials};
use crate::domain::profile::setting::{Fault, Origin, Problem, Setting, Value};
use crate::domain::profile::{Profile, environment};
use crate::domain::text_difference::nearest;
use crate::probe::regular_file;

/// The name of a profile made of the environment's variables alone.
pub(super) const FROM_ENVIRONMENT: &str = "environment";
/// What the names of profiles' files end in.
const EXTENSION: &str = "toml";

/// A profile ready to use.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub profile: Profile,
    /// Every value in effect with where it came from.
    pub provenance: Vec<Setting>,
    /// The file it was read from, where there is one.
    pub path: Option<PathBuf>,
}

/// Reads and validates the profile in a file, with `--set` over it and no regard for the environment: for the lab, whose
/// profile must not be bent by what a shell happens to export.
pub(super) fn load_alone(path: &Path, name: &str, set: &[String]) -> Result<Profile, CliError> {
    Ok(load_alone_with_provenance(path, name, set)?.profile)
}

/// As [`load_alone`], with where every value came from.
pub(super) fn load_alone_with_provenance(path: &Path, name: &str, set: &[String]) -> Result<Loaded, CliError> {
    let mut problems = Vec::new();
    let flags = flags(set, &mut problems);
    let (file, wrong) = document::parse(&read(path)?, path);
    problems.extend(wrong);
    match resolve(name, &flags, &file, &|_| None) {
        Ok(Resolved { profile, settings }) if problems.is_empty() => {
            Ok(Loaded { profile, provenance: settings, path: Some(path.to_owned()) })
        }
        Ok(_) => Err(refusal(name, &problems)),
        Err(wrong) => {
            problems.extend(wrong);
            Err(refusal(name, &problems))
        }
    }
}

/// The chosen profile, to run its checks. Asks first where one opened by its path reaches further than it may unasked.
///
/// # Errors
/// As [`load_to_read`]; not allowed.
pub(super) fn load(selector: &ProfileSelector) -> Result<Loaded, CliError> {
    let loaded = load_to_read(selector)?;
    consent::ask(&consent::open_questions(selector, &loaded.provenance))?;
    Ok(loaded)
}

/// As [`load`], where nobody can be asked now.
///
/// # Errors
/// As [`load`].
pub(super) fn load_agreed(selector: &ProfileSelector) -> Result<Loaded, CliError> {
    let loaded = load_to_read(selector)?;
    let open = consent::open_questions(selector, &loaded.provenance);
    if open.is_empty() { Ok(loaded) } else { Err(consent::refusal(&open)) }
}

/// Asks now what [`load_agreed`] needs to know later.
///
/// # Errors
/// Not allowed. What is wrong with the profile itself is left to be told later.
pub(super) fn agree(selector: &mut ProfileSelector) -> Result<(), CliError> {
    if let Ok(loaded) = load_to_read(selector) {
        let open = consent::open_questions(selector, &loaded.provenance);
        consent::ask(&open)?;
        selector.agreed.extend(open);
    }
    Ok(())
}

/// Finds, reads, merges and validates the chosen profile; without a choice, what `--set` and the environment say. Whoever
/// runs or sends anything takes [`load`].
///
/// # Errors
/// No such profile, a value that is wrong (all of them are told), or nothing to start from.
pub(super) fn load_to_read(selector: &ProfileSelector) -> Result<Loaded, CliError> {
    // Scripts name the profile's files, and may be run in another folder.
    let path = path(selector)?.map(|path| whole_path(&path));
    let name = match (&selector.profile, &path) {
        (Some(name), _) => name.clone(),
        (None, Some(path)) => path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
        (None, None) => FROM_ENVIRONMENT.to_owned(),
    };
    let mut problems = Vec::new();
    let flags = flags(&selector.set, &mut problems);
    if path.is_none() && selector.set.is_empty() && !environment::suffices(&variable) {
        return Err(nothing_to_start_from());
    }
    let file = match &path {
        None => Vec::new(),
        Some(path) => {
            let (settings, wrong) = document::parse(&read(path)?, path);
            problems.extend(wrong);
            settings
        }
    };
    match resolve_with_credentials(&name, &flags, &file, &variable, &credential_file) {
        Ok(Resolved { mut profile, settings }) if problems.is_empty() => {
            profile.selector = selector.again();
            profile.chosen_by = selector.chosen_by();
            Ok(Loaded { profile, provenance: settings, path })
        }
        Ok(_) => Err(refusal(&name, &problems)),
        Err(wrong) => {
            problems.extend(wrong);
            Err(refusal(&name, &problems))
        }
    }
}

/// The file of the chosen profile, if a profile is chosen.
///
/// # Errors
/// There is no profile of this name.
pub(super) fn path(selector: &ProfileSelector) -> Result<Option<PathBuf>, CliError> {
    match (&selector.profile, &selector.profile_file) {
        (Some(name), _) => existing(name).map(Some),
        (None, file) => Ok(file.clone()),
    }
}

/// Parses the values of `--set`.
pub(super) fn flags(arguments: &[String], problems: &mut Vec<Problem>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for argument in arguments {
        match document::parse_flag(argument) {
            Ok(setting) => settings.push(with_whole_path(setting)),
            Err(problem) => problems.push(problem),
        }
    }
    settings
}

/// A flag's path is relative to where the program was started.
fn with_whole_path(setting: Setting) -> Setting {
    match &setting.value {
        Value::Text(path) if setting.key.kind() == Kind::Path && !path.is_empty() && !path.starts_with('~') => {
            let value = Value::Text(whole_path(Path::new(path)).to_string_lossy().into_owned());
            Setting { value, ..setting }
        }
        _ => setting,
    }
}

fn whole_path(path: &Path) -> PathBuf {
    path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The error that tells everything wrong with a profile: where, what, and what instead.
pub(super) fn refusal(name: &str, problems: &[Problem]) -> CliError {
    let mut error = match problems {
        [problem] => CliError::new(problem.to_string()).with_hint(&problem.instead),
        several => several
            .iter()
            .fold(CliError::new(format!("the profile `{name}` has {} mistakes", several.len())), |error, problem| {
                error.with_hint(problem.to_string()).with_hint(format!("  {}", problem.instead))
            }),
    };
    for problem in problems {
        if let Some(Origin::File { path, line }) = &problem.origin {
            let at = format!("{}:{line}: ", path.display());
            let said = problem.to_string();
            let said = said.strip_prefix(&at).unwrap_or(&said);
            error = error.with_flaw(path, *line as u64, format!("{said}; {}", problem.instead));
        }
    }
    error
}

/// A variable's value. What is not UTF-8 shows as U+FFFD, which validation names.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// What the file says that Google's libraries would take their credentials from, where the variable names one.
fn credential_file() -> Option<Result<CredentialFile, Problem>> {
    let path = variable(CREDENTIAL_FILE).filter(|path| !path.is_empty())?;
    let may_run = variable(ALLOW_EXECUTABLES).as_deref() == Some("1");
    let unread = |why: String| {
        let wrong = format!("names a file that cannot be read: {why}");
        credential_file::problem(Fault::new(wrong, "name a credential file of Google's, or unset the variable"))
    };
    Some(match regular_file::read(Path::new(&path), LARGEST as u64) {
        // It may hold a key; what is no `external_account` is refused without a word of it.
        Ok(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => CredentialFile::parse(text, may_run),
            Err(_) => Err(unread("it is not UTF-8 text".to_owned())),
        },
        Err(error) => Err(unread(error.to_string())),
    })
}

/// The folder of the profiles: `$TRUSTLINE_CONFIG_DIR/profiles`, else `$XDG_CONFIG_HOME/trustline/profiles`, else
/// `~/.config/trustline/profiles` (XDG Base Directory Specification: a relative `XDG_CONFIG_HOME` is ignored).
///
/// # Errors
/// There is no home folder.
pub(super) fn folder() -> Result<PathBuf, CliError> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = set("TRUSTLINE_CONFIG_DIR") {
        return Ok(own.join("profiles"));
    }
    let config = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let config = config.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    config.map(|config| config.join("trustline").join("profiles")).ok_or_else(|| {
        CliError::new("there is no home folder to keep profiles in").with_hint("set TRUSTLINE_CONFIG_DIR to a folder")
    })
}

/// The folder of what is kept between runs: `$TRUSTLINE_STATE_DIR`, else `$XDG_STATE_HOME/trustline`, else
/// `~/.local/state/trustline` (XDG Base Directory Specification: a relative `XDG_STATE_HOME` is ignored).
///
/// # Errors
/// There is no home folder.
pub(super) fn state_folder() -> Result<PathBuf, CliError> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = set("TRUSTLINE_STATE_DIR") {
        return Ok(own);
    }
    let state = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local").join("state")));
    state.map(|state| state.join("trustline")).ok_or_else(|| {
        CliError::new("there is no home folder to keep a rotation's session in")
            .with_hint("set TRUSTLINE_STATE_DIR to a folder")
    })
}

/// The file of the profile `name`, whether or not it exists.
///
/// # Errors
/// The name is none that a profile can have.
pub(super) fn file_of(name: &str) -> Result<PathBuf, CliError> {
    let fits = (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !fits {
        let mut error = CliError::new(format!("`{name}` is no name for a profile"))
            .with_hint("write 1 to 64 letters, digits, `-`, `_` and `.`, such as `prod-aws`");
        if name.contains('/') {
            error = error.with_hint("a file is named with --profile-file");
        }
        return Err(error);
    }
    Ok(folder()?.join(format!("{name}.{EXTENSION}")))
}

/// What the profiles' folder holds, sorted.
#[derive(Debug, Default)]
pub(super) struct ProfilesFolder {
    /// The names of the profiles.
    pub names: Vec<String>,
    /// The files that no profile's name leads to.
    pub passed_over: Vec<PassedOver>,
}

/// A file of the profiles' folder that is not read.
#[derive(Debug)]
pub(super) struct PassedOver {
    pub file: String,
    pub why: String,
}

/// Looks into the profiles' folder.
///
/// # Errors
/// The folder exists and cannot be read.
pub(super) fn profiles_folder() -> Result<ProfilesFolder, CliError> {
    let folder = folder()?;
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(ProfilesFolder::default());
        }
        Err(error) => return Err(CliError::new(format!("{}: {error}", folder.display()))),
    };
    let mut found = ProfilesFolder::default();
    let files = entries.flatten().map(|entry| PathBuf::from(entry.file_name()));
    for file in files.filter(|file| file.extension().is_some_and(|extension| extension == EXTENSION)) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match file_of(&name) {
            Ok(_) => found.names.push(name),
            Err(refused) => found.passed_over.push(PassedOver {
                file: file.to_string_lossy().into_owned(),
                why: [vec![refused.message], refused.hints].concat().join("; "),
            }),
        }
    }
    found.names.sort_unstable();
    found.passed_over.sort_unstable_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

/// The names of the profiles that exist, sorted.
///
/// # Errors
/// As [`profiles_folder`].
pub(super) fn names() -> Result<Vec<String>, CliError> {
    Ok(profiles_folder()?.names)
}

/// Reads a profile's file.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let refuse = |what: String| CliError::new(format!("{}: {what}", path.display()));
    let mut bytes = Vec::new();
    regular_file::open(path)
        .and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| refuse(format!("the profile cannot be read: {error}")))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        // The cut may have split a character; the size is what is wrong then.
        Err(_) if bytes.len() > LARGEST => Err(refuse("is larger than 64 KiB, which no profile is".to_owned())),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count();
            Err(CliError::new(format!("{}:{line}: is not UTF-8 text", path.display()))
                .with_hint("save the file as UTF-8"))
        }
    }
}

/// The file of the profile `name`, which must exist.
fn existing(name: &str) -> Result<PathBuf, CliError> {
    let path = file_of(name)?;
    // A link that leads nowhere is there, and cannot be read.
    if path.symlink_metadata().is_ok() {
        return Ok(path);
    }
    let names = names()?;
    let mut error = CliError::new(format!("there is no profile `{name}` ({})", path.display()));
    if let Some(near) = nearest(name, names.iter().map(String::as_str)) {
        error = error.with_hint(format!("did you mean `{near}`?"));
    } else if !names.is_empty() {
        error = error.with_hint(format!("there are: {}", names.join(", ")));
    }
    Err(error.with_hint(format!("make it with `trustline profile new {name}`")))
}

fn nothing_to_start_from() -> CliError {
    let mut error = CliError::new("no profile is named, and no variable names a role, an application or a token");
    if let Ok(names) = names()
        && !names.is_empty()
    {
        error = error.with_hint(format!("--profile NAME              one of yours: {}", names.join(", ")));
    }
    error
        .with_hint("--lab                       try it against the cloud inside this program")
        .with_hint("trustline profile new NAME  make a profile")
        .with_hint(
            "without a profile: --set KEY=VALUE, or AWS_ROLE_ARN, AWS_REGION, AWS_WEB_IDENTITY_TOKEN_FILE, AZURE_CLIENT_ID, …",
        )
}
