//! Infrastructure code in folders: which of them are modules that others call, and what the rest declares.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::audit::aws::ManagedPolicies;
use crate::audit::code::{Around, JudgedCode, Module, judge, read};

/// A file of more bytes is no configuration that somebody wrote.
const LONGEST: u64 = 4 << 20;

/// Judges the folders. One that another calls as a module is judged there, with what it is given.
pub fn judge_folders(folders: &[(PathBuf, Option<PathBuf>)], managed: &ManagedPolicies) -> Vec<JudgedCode> {
    let called: BTreeSet<PathBuf> = folders.iter().flat_map(|(folder, _)| calls(folder)).collect();
    let roots = folders.iter().filter(|(folder, only)| only.is_some() || !called.contains(&plain(folder)));
    roots
        .map(|(folder, only)| {
            let below = |below: &str| Some(module(&plain(Path::new(below)))).filter(|module| !module.files.is_empty());
            let root = module(folder);
            let configuration = read(&root, Around { module: &below, text: &|of, path| text(folder, of, path) });
            let mut judged = judge(&configuration, managed);
            if let Some(only) = only {
                let only = only.display().to_string();
                let is_there = |file: Option<&String>| file.is_none_or(|file| *file == only);
                judged.findings.retain(|finding| is_there(finding.location.as_ref().map(|at| &at.file)));
                judged.not_judged.retain(|not| is_there(not.place.location.as_ref().map(|at| &at.file)));
            }
            judged
        })
        .collect()
}

/// The files of a folder, by name.
fn module(folder: &Path) -> Module {
    let mut module = Module { folder: folder.display().to_string(), ..Module::default() };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_values = name == "terraform.tfvars" || name.ends_with(".auto.tfvars");
        if !name.ends_with(".tf") && !is_values {
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
fn plain(path: &Path) -> PathBuf {
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
        let folders = ["live", "modules/role"].map(|name| (folder.path().join(name), None));
        let judged = judge_folders(&folders, &ManagedPolicies::default());
        let [live] = judged.as_slice() else { panic!("{judged:#?}") };
        assert_eq!(live.not_judged[0].place.resource, "module.ci.aws_iam_role.ci");
        let at = live.not_judged[0].place.location.as_ref().unwrap();
        assert!(at.file.ends_with("modules/role/main.tf") && at.line == 2, "{at:?}");
        let named = (folder.path().join("modules/role"), Some(folder.path().join("modules/role/main.tf")));
        assert_eq!(judge_folders(&[named], &ManagedPolicies::default()).len(), 1);
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
