//! `trustline rotate verify-evidence FILE…`: offline, whether chains of evidence are whole.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::exit::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::DocumentOutputArgs;
use crate::cli::flags::OutputFormat;
use crate::cli::rotation_files::evidence::read_text;
use crate::cli::terminal;
use crate::domain::rotation::evidence::chain::Document;
use crate::domain::rotation::evidence::check::{Break, check, parse};
use crate::domain::text::visible;

/// Arguments of `trustline rotate verify-evidence`.
#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Files that `--evidence` wrote
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// A record's hash as it was noted elsewhere, in a ticket for example; it must be in one of the files
    #[arg(long, value_name = "HASH")]
    noted: Vec<String>,
    #[command(flatten)]
    output: DocumentOutputArgs,
}

/// A file and what is wrong with it.
struct Verified {
    file: String,
    document: Option<Document>,
    breaks: Vec<Break>,
}

pub(in crate::cli) fn run(args: &VerifyArgs) -> Result<Exit, CliError> {
    let print: fn(&[Verified], &[&String]) -> String = match args.output.output {
        OutputFormat::Json => |files, missing| terminal::json_text(&document(files, missing)),
        _ => text,
    };
    let files: Vec<Verified> = args.files.iter().map(|path| verify(path)).collect::<Result<_, _>>()?;
    let missing: Vec<&String> = args
        .noted
        .iter()
        .filter(|noted| !files.iter().any(|file| file.records().any(|r| has_hash(r, noted))))
        .collect();
    terminal::print(&print(&files, &missing))?;
    let whole = missing.is_empty() && files.iter().all(|file| file.breaks.is_empty());
    Ok(if whole { Exit::Passed } else { Exit::Failed })
}

fn verify(path: &Path) -> Result<Verified, CliError> {
    let refuse = |what: &str| CliError::new(format!("{}: {what}", path.display()));
    let text = read_text(path).map_err(|what| refuse(&what))?.ok_or_else(|| refuse("there is no such file"))?;
    let file = path.display().to_string();
    Ok(match parse(&text) {
        Ok(document) => Verified { file, breaks: check(&document), document: Some(document) },
        Err(broken) => Verified { file, document: None, breaks: vec![broken] },
    })
}

impl Verified {
    fn records(&self) -> impl Iterator<Item = &Map<String, Value>> {
        self.document.iter().flat_map(|document| &document.records)
    }
}

fn has_hash(record: &Map<String, Value>, hash: &str) -> bool {
    record.get("hash").and_then(Value::as_str) == Some(hash)
}

fn text(files: &[Verified], missing: &[&String]) -> String {
    let mut text = String::new();
    for file in files {
        let name = visible(&file.file);
        if !file.breaks.is_empty() {
            let _ = writeln!(text, "{name}: broken");
            for broken in &file.breaks {
                let _ = writeln!(text, "  {}", visible(&broken.to_string()));
            }
        } else if let Some(document) = &file.document {
            let count = document.records.len();
            let plural = if count == 1 { "" } else { "s" };
            let _ =
                writeln!(text, "{name}: whole, {count} record{plural}; the last one's hash is {}", document.head.hash);
        }
    }
    for noted in missing {
        let _ = writeln!(
            text,
            "{}: no record has this hash: what it was noted for was changed or left out",
            visible(noted)
        );
    }
    text
}

fn document(files: &[Verified], missing: &[&String]) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            json!({
                "file": file.file,
                "whole": file.breaks.is_empty(),
                "records": file.records().count(),
                "head": file.document.as_ref().map(|document| &document.head.hash),
                "breaks": file.breaks.iter().map(Break::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "schema": "trustline.evidence-check/1", "files": files, "noted_missing": missing })
}
