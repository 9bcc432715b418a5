//! Terraform's configuration in folders: which of them are modules that others call, and what the rest declares.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::audit::aws::ManagedPolicies;
use crate::audit::code::{Around, Configuration, JudgedCode, Module, judge, read};

/// A file of more bytes is no configuration that somebody wrote.
const LONGEST: u64 = 4 << 20;
/// How the names of a module's files end, in either syntax.
const CONFIGURATION: [&str; 2] = [".tf", ".tf.json"];
/// How those of files with values for its variables do.
const VALUES: [&str; 4] = ["terraform.tfvars", "terraform.tfvars.json", ".auto.tfvars", ".auto.tfvars.json"];

/// A folder with configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CodeFolder {
    pub path: PathBuf,
    /// Its only file of interest, where that was named.
    pub only: Option<PathBuf>,
    /// The folder below the one that is walked, which tells what it declares from what another declares by the same name.
    pub below: String,
}

/// Whether a file is a module's, by its name.
pub(super) fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    CONFIGURATION.iter().any(|end| name.ends_with(end) && name.len() > end.len())
}

/// The folder of a file.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Judges the folders. One that another calls as a module is judged there, with what it is given.
pub(super) fn judge_folders<'f>(
    folders: &'f [CodeFolder],
    managed: &'f ManagedPolicies,
) -> impl Iterator<Item = JudgedCode> + 'f {
    let called: BTreeSet<PathBuf> = folders.iter().flat_map(|folder| calls(&folder.path)).collect();
    let roots = folders.iter().filter(move |folder| folder.only.is_some() || !called.contains(&plain(&folder.path)));
    roots.map(|CodeFolder { path, only, below }| {
        let configuration = match only {
            Some(only) => declared_in(only),
            None => declared_below(path),
        };
        judge(&configuration, managed).within(below)
    })
}

/// What one file of a module declares, with the modules that it calls; what it refers to is looked up in the whole folder.
pub(super) fn declared_in(file: &Path) -> Configuration {
    let folder = folder_of(file);
    let name = shown(file);
    let text = fs::read_to_string(file).unwrap_or_default();
    let called: Vec<String> = text.lines().filter_map(called_name).collect();
    let of_module = |address: &str| called.iter().any(|name| address.starts_with(&format!("module.{name}")));
    let mut configuration = declared_below(folder);
    configuration.declared.retain(|declared| shown(Path::new(&declared.file)) == name || of_module(&declared.address));
    configuration.not_known.retain(|not| shown(Path::new(&not.file)) == name || of_module(&not.what));
    configuration
}

/// The name of the module that a line calls.
fn called_name(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("module")?;
    let name = rest.trim_start().strip_prefix('"')?.split('"').next()?;
    rest.starts_with([' ', '\t', '"']).then(|| name.to_owned())
}

/// What the module in a folder declares, with those below it.
fn declared_below(folder: &Path) -> Configuration {
    let below = |below: &str| Some(module(&plain(Path::new(below)))).filter(|module| !module.files.is_empty());
    read(&module(folder), Around { module: &below, text: &|of, path| text(folder, of, path) })
}

/// A path as messages have it.
fn shown(path: &Path) -> String {
    plain(path).display().to_string()
}

/// The files of a folder, by name.
fn module(folder: &Path) -> Module {
    let mut module = Module { folder: folder.display().to_string(), ..Module::default() };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_values = VALUES.iter().any(|end| if end.starts_with('.') { name.ends_with(end) } else { name == *end });
        if !is_configuration(&path) && !is_values {
            continue;
        }
        let file = path.strip_prefix("./").unwrap_or(&path).display().to_string();
        let text = match fs::metadata(&path) {
            Ok(metadata) if !metadata.is_file() => continue,
            Ok(metadata) if metadata.len() > LONGEST => Err("it has more than 4 MiB and is not read".to_owned()),
            Ok(_) => fs::read_to_string(&path).map_err(|error| format!("it cannot be read: {error}")),
            Err(error) => Err(format!("it cannot be read: {error}")),
        };
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                module.unread.push((file, why));
                continue;
            }
        };
        let list = if is_values { &mut module.values } else { &mut module.files };
        list.push((file, text));
    }
    module
}

/// The text of a file that a module names, where it is in that module's folder or in the first one's: a configuration may be a
/// stranger's, and what it names is printed.
fn text(root: &Path, module: &str, path: &str) -> Option<String> {
    let file = fs::canonicalize(Path::new(module).join(path)).ok()?;
    let is_inside = |folder: &Path| fs::canonicalize(folder).is_ok_and(|folder| file.starts_with(folder));
    let is_short = fs::metadata(&file).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LONGEST);
    let is_read = is_short && (is_inside(root) || is_inside(Path::new(module)));
    is_read.then(|| fs::read_to_string(&file).ok()).flatten()
}

/// The folders that a folder's files call as modules.
fn calls(folder: &Path) -> Vec<PathBuf> {
    let sources = module(folder).files.into_iter().flat_map(|(_, text)| {
        let lines = text.lines().filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            let source = value.trim().trim_matches('"');
            (key.trim() == "source" && source.starts_with('.')).then(|| source.to_owned())
        });
        lines.collect::<Vec<_>>()
    });
    sources.map(|source| plain(&folder.join(source))).collect()
}

/// A path without `.` and `..`, as far as it can be told without looking.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_another_calls_is_judged_there() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("live/main.tf", "module \"ci\" {\n  source = \"../modules/role\"\n  policy = \"{}\"\n}\n");
        write(
            "modules/role/main.tf",
            "variable \"policy\" {}\nresource \"aws_iam_role\" \"ci\" {\n  assume_role_policy = var.policy\n}\n",
        );
        let folders = ["live", "modules/role"].map(|name| CodeFolder {
            path: folder.path().join(name),
            only: None,
            below: name.to_owned(),
        });
        let judged: Vec<JudgedCode> = judge_folders(&folders, &ManagedPolicies::default()).collect();
        let [live] = judged.as_slice() else { panic!("{judged:#?}") };
        assert_eq!(live.not_judged[0].place.resource, "module.ci.aws_iam_role.ci");
        let at = live.not_judged[0].place.location.as_ref().unwrap();
        assert!(at.file.ends_with("modules/role/main.tf") && at.line == 2, "{at:?}");
        let file = folder.path().join("modules/role/main.tf");
        let named = CodeFolder { path: folder_of(&file).to_owned(), only: Some(file), below: String::new() };
        assert_eq!(judge_folders(&[named], &ManagedPolicies::default()).count(), 1);
    }

    #[test]
    fn a_file_that_is_named_brings_the_modules_that_it_calls_and_nothing_of_its_siblings() {
        let folder = tempfile::tempdir().unwrap();
        let credential = |name: &str| {
            format!(
                "resource \"azuread_application_federated_identity_credential\" \"{name}\" {{\n  issuer = \"https://i\"\n  subject = var.subject\n}}\n"
            )
        };
        fs::create_dir(folder.path().join("below")).unwrap();
        for (file, text) in [
            ("main.tf", format!("module \"ci\" {{\n  source = \"./below\"\n}}\n{}", credential("own"))),
            ("other.tf", format!("module \"other\" {{\n  source = \"./below\"\n}}\n{}", credential("sibling"))),
            ("variables.tf", "variable \"subject\" {\n  default = \"s\"\n}\n".to_owned()),
            ("below/main.tf", format!("variable \"subject\" {{}}\n{}", credential("inner"))),
        ] {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let found = declared_in(&folder.path().join("./main.tf"));
        let credential = "azuread_application_federated_identity_credential";
        let addresses: Vec<&str> = found.declared.iter().map(|declared| declared.address.as_str()).collect();
        assert_eq!(addresses, [format!("{credential}.own"), format!("module.ci.{credential}.inner")]);
        let own = format!("{:?}", found.declared[0].what);
        assert!(own.contains("\"subject\": String(\"s\")"), "what a sibling gives is known: {own}");
    }

    #[test]
    fn files_are_told_by_their_names() {
        for (name, is) in
            [("main.tf", true), ("a/cdk.tf.json", true), ("Main.TF", true), (".tf", false), ("a.json", false)]
        {
            assert_eq!(is_configuration(Path::new(name)), is, "{name}");
        }
        assert_eq!(called_name("module \"a\" {").as_deref(), Some("a"));
        assert_eq!(called_name("  modules = \"a\""), None);
    }

    #[test]
    fn a_file_is_read_from_within_the_configuration_only() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("live");
        fs::create_dir(&module).unwrap();
        fs::write(module.join("trust.json"), "{}").unwrap();
        fs::write(folder.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), module.join("link.json")).unwrap();
        let of = module.display().to_string();
        assert_eq!(text(&module, &of, "./trust.json").as_deref(), Some("{}"));
        for outside in ["../secret", "link.json", "/etc/hostname", "none.json", "."] {
            assert_eq!(text(&module, &of, outside), None, "{outside}");
        }
    }

    #[test]
    fn paths_are_compared_without_what_goes_back() {
        assert_eq!(plain(Path::new("a/./b/../c")), Path::new("a/c"));
        assert_eq!(plain(Path::new("../a")), Path::new("../a"));
    }
}
