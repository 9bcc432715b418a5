//! The files of an audit: those that are named, and what stands in a folder; compressed or not; standard input, which is kept
//! aside because it is read twice.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use memchr::memmem;

use crate::cli::exit::CliError;
use crate::cli::terraform::{CodeFolder, folder_of, is_configuration, plain};
use crate::cli::trust::input::is_stdin;
use crate::probe::regular_file;

/// So much of a file tells what it is.
const SNIFFED: u64 = 64 << 10;
/// How gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What is read in a folder; a file that is named is read whatever it is called.
const IN_FOLDERS: [&str; 3] = ["json", "ndjson", "gz"];
/// CloudFormation's templates; in a folder those that name a role are read.
const TEMPLATES: [&str; 3] = ["yaml", "yml", "template"];
const NAMES_A_ROLE: [&str; 3] = ["AWS::IAM::Role", "AWS::Serverless::Function", "AssumeRolePolicyDocument"];
/// A file of more bytes is no template that somebody wrote.
pub const LONGEST_TEMPLATE: u64 = 4 << 20;
/// Folders that hold what others wrote.
const PASSED_OVER: [&str; 3] = [".git", ".terraform", "node_modules"];

/// One file, or what came by standard input.
#[derive(Debug)]
pub struct Input {
    /// As people know it.
    pub name: String,
    /// The name that ids are made with, the same on every machine: below the folder that is walked.
    pub stable_name: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Path(PathBuf),
    /// A file without a name, which is gone when the program is.
    Spilled(File),
}

impl Input {
    /// What was written to a file without a name, from its beginning.
    pub fn spilled(name: String, file: File) -> Self {
        Input { stable_name: name.clone(), name, source: Source::Spilled(file) }
    }

    /// What the file holds, from the beginning, taken out of its compression.
    ///
    /// # Errors
    /// It cannot be opened or read.
    pub fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        let mut file = self.file()?;
        let mut start = Vec::with_capacity(GZIP.len());
        file.by_ref().take(GZIP.len() as u64).read_to_end(&mut start)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(if start == GZIP { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
    }

    /// Whether it is YAML: by its name, or by what such a file has and no JSON.
    ///
    /// # Errors
    /// It cannot be opened or read.
    pub fn is_yaml(&self) -> io::Result<bool> {
        let mut start = Vec::new();
        self.open()?.take(SNIFFED).read_to_end(&mut start)?;
        let text = String::from_utf8_lossy(&start);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let is_named = TEMPLATES.iter().any(|known| has_extension(Path::new(self.name.trim_end_matches(".gz")), known));
        let is_json = text.is_empty() || text.starts_with(['{', '[']);
        Ok(!is_json && (is_named || text.lines().any(|line| !line.contains('{') && line.trim_end().ends_with(':'))))
    }

    fn file(&self) -> io::Result<File> {
        match &self.source {
            Source::Path(path) => regular_file::open(path),
            Source::Spilled(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(0))?;
                Ok(file)
            }
        }
    }
}

/// A file without a name, for its owner's eyes only.
pub(super) fn aside() -> io::Result<File> {
    let file = tempfile::tempfile()?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}

/// What the arguments name.
#[derive(Debug, Default)]
pub struct Inputs {
    /// In the order of the arguments, and in a folder by name.
    pub files: Vec<Input>,
    /// The folders with Terraform's configuration, which is read a folder at a time.
    pub code: Vec<CodeFolder>,
    /// What of a folder could not be read.
    pub unreadable: Vec<(String, io::Error)>,
}

/// The inputs.
///
/// # Errors
/// Something that is named cannot be read.
pub fn inputs(paths: &[PathBuf]) -> Result<Inputs, CliError> {
    let mut found = Inputs::default();
    // Of one path all ids are made below it; of several each is as it is given, so that they differ.
    let is_alone = paths.len() == 1;
    for path in paths {
        let folder = if path.is_dir() { path } else { folder_of(path) };
        let names = Names { root: is_alone.then_some(folder) };
        let failed = |error: io::Error| CliError::new(format!("{} cannot be read: {error}", path.display()));
        if is_stdin(path) {
            let mut file =
                aside().map_err(|error| CliError::new(format!("standard input cannot be kept aside: {error}")))?;
            io::copy(&mut io::stdin().lock(), &mut file)
                .map_err(|error| CliError::new(format!("standard input cannot be read: {error}")))?;
            found.files.push(Input::spilled("standard input".to_owned(), file));
        } else if fs::metadata(path).map_err(failed)?.is_dir() {
            walk(path, names, &mut found);
        } else {
            drop(regular_file::open(path).map_err(failed)?);
            if is_configuration(path) {
                let (folder, below) = (folder_of(path).to_owned(), names.stable(folder_of(path)));
                found.code.push(CodeFolder { path: folder, only: Some(path.clone()), below });
            } else {
                found.files.push(names.input(path.clone()));
            }
        }
    }
    Ok(found)
}

/// Goes through a folder without following links.
fn walk(folder: &Path, names: Names<'_>, found: &mut Inputs) {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            found.unreadable.push((folder.display().to_string(), error));
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                if !PASSED_OVER.iter().any(|name| entry.file_name() == *name) {
                    walk(&path, names, found);
                }
            }
            Ok(kind) if kind.is_file() && is_configuration(&path) => {
                if found.code.last().is_none_or(|last| last.path != folder) {
                    found.code.push(CodeFolder { path: folder.to_owned(), only: None, below: names.stable(folder) });
                }
            }
            Ok(kind) if kind.is_file() && (is_of_interest(&path) || may_declare_a_role(&path)) => {
                found.files.push(names.input(path));
            }
            Ok(_) => {}
            Err(error) => found.unreadable.push((path.display().to_string(), error)),
        }
    }
}

/// How what is found is named.
#[derive(Clone, Copy)]
struct Names<'r> {
    /// The folder that ids are made below; nothing where paths are as they are given.
    root: Option<&'r Path>,
}

impl Names<'_> {
    /// A path as ids have it: empty for the folder itself.
    fn stable(self, path: &Path) -> String {
        let below = self.root.and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
        plain(below).to_string_lossy().replace('\\', "/")
    }

    fn input(self, path: PathBuf) -> Input {
        Input { name: path.display().to_string(), stable_name: self.stable(&path), source: Source::Path(path) }
    }
}

fn is_of_interest(path: &Path) -> bool {
    let is_values = path.to_string_lossy().ends_with(".tfvars.json");
    !is_values && IN_FOLDERS.iter().any(|known| has_extension(path, known))
}

/// Whether a file is a template that names a role. One that cannot be read is named later.
fn may_declare_a_role(path: &Path) -> bool {
    if !TEMPLATES.iter().any(|known| has_extension(path, known)) {
        return false;
    }
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST_TEMPLATE).read_to_end(&mut text));
    read.is_err() || NAMES_A_ROLE.iter().any(|name| memmem::find(&text, name.as_bytes()).is_some())
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_folder_is_read_by_name_without_what_others_wrote() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.json",
            "a/z.ndjson",
            ".git/c.json",
            "node_modules/d.json",
            "notes.txt",
            "a/e.json.gz",
            "a/main.tf",
            "a/more.tf",
            "c/cdk.tf.json",
            "c/terraform.tfvars.json",
            "a/manifest.yaml",
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        fs::write(folder.path().join("a/template.yml"), "Resources: {A: {Type: 'AWS::IAM::Role'}}").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("around")).unwrap();
        let Inputs { files, code, unreadable } = inputs(&[folder.path().to_owned()]).unwrap();
        let names: Vec<&str> =
            files.iter().map(|input| input.name.strip_prefix(folder.path().to_str().unwrap()).unwrap()).collect();
        assert_eq!(names, ["/a/e.json.gz", "/a/template.yml", "/a/z.ndjson", "/b.json"]);
        let stable: Vec<&str> = files.iter().map(|input| input.stable_name.as_str()).collect();
        assert_eq!(stable, ["a/e.json.gz", "a/template.yml", "a/z.ndjson", "b.json"]);
        let folders: Vec<(&Path, &str)> = code.iter().map(|code| (code.path.as_path(), code.below.as_str())).collect();
        assert_eq!(folders, [(folder.path().join("a").as_path(), "a"), (folder.path().join("c").as_path(), "c")]);
        assert!(unreadable.is_empty());
    }

    #[test]
    fn ids_are_made_below_what_is_named_and_differ_where_several_are() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/main.tf", "a/trust.json", "b/main.tf", "b/trust.json"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        }
        let names = |paths: &[&str]| -> Vec<String> {
            let paths: Vec<PathBuf> = paths.iter().map(|path| folder.path().join(path)).collect();
            let Inputs { files, code, .. } = inputs(&paths).unwrap();
            let files = files.into_iter().map(|input| input.stable_name);
            let own = folder.path().display().to_string();
            let given = |name: String| name.replace(own.trim_start_matches('/'), "…").replace("/…/", "…/");
            files.chain(code.into_iter().map(|code| code.below)).map(given).collect()
        };
        assert_eq!(names(&["."]), ["a/trust.json", "b/trust.json", "a", "b"]);
        for single in ["a", "./a", "b/../a"] {
            assert_eq!(names(&[single]), ["trust.json", ""], "{single}");
        }
        assert_eq!(
            (names(&["a/trust.json"]), names(&["a/main.tf"])),
            (vec!["trust.json".to_owned()], vec![String::new()])
        );
        assert_eq!(names(&["a", "b"]), ["…/a/trust.json", "…/b/trust.json", "…/a", "…/b"]);
    }

    #[test]
    fn yaml_is_told_by_its_name_or_its_lines() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, is_yaml) in [
            ("a.yaml", "a: b", true),
            ("a.template", "{}", false),
            ("a.txt", "\u{feff}Resources:\n  A: b\n", true),
            ("a.txt", " [1]", false),
            ("a.txt", "no JSON", false),
            ("a.txt", "\"Statement\": {\"a\":\n1", false),
            ("a.txt", "", false),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let found = inputs(&[path]).unwrap();
            assert_eq!(found.files[0].is_yaml().unwrap(), is_yaml, "{text}");
        }
    }

    #[test]
    fn a_file_is_opened_twice_and_taken_out_of_its_compression() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json.gz");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(b"{\"a\": 1}").unwrap();
        fs::write(&path, gzip.finish().unwrap()).unwrap();
        let found = inputs(&[path]).unwrap();
        for _ in 0..2 {
            let mut text = String::new();
            found.files[0].open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "{\"a\": 1}");
        }
        assert!(inputs(&[folder.path().join("none")]).unwrap_err().message.contains("none cannot be read"));
    }
}
