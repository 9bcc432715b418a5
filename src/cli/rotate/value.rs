//! Where a new value comes from: standard input or a prompt, a file, or chance. Never an argument.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::cli::exit::CliError;
use crate::cli::rotate;
use crate::domain::secret_ref::SecretRef;
use crate::probe::new_value::{Alphabet, LARGEST, LineBreak, NewValue, NewValueError, SHORTEST_GENERATED};
use crate::probe::regular_file;

/// How many characters are generated where nothing else is asked.
const GENERATED: &str = "32";

/// The new value, for trustline to write.
#[derive(Debug, Args)]
pub(super) struct NewValueArgs {
    /// Write the value that is on standard input, or that is typed at a prompt
    #[arg(long, group = "way", group = "value")]
    put: bool,
    /// Write the value in this file
    #[arg(long, value_name = "FILE", group = "way", group = "value")]
    value_file: Option<PathBuf>,
    /// Write a random value, of --characters out of --alphabet
    #[arg(long, group = "way", group = "value")]
    generate: bool,
    /// How many characters to generate
    #[arg(long, value_name = "N", default_value = GENERATED, requires = "generate", value_parser = clap::value_parser!(u16).range(SHORTEST_GENERATED as i64..=4096))]
    characters: u16,
    /// Which characters to generate
    #[arg(long, value_enum, default_value_t, value_name = "NAME", requires = "generate")]
    alphabet: AlphabetName,
    /// What to do with a line break at the value's end; without this it is refused
    #[arg(long, value_enum, value_name = "WHAT")]
    line_break: Option<LineBreakName>,
}

/// The alphabets by name.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum AlphabetName {
    /// A-Z a-z 0-9
    #[default]
    Alphanumeric,
    /// 0-9 a-f
    Hex,
    /// A-Z a-z 0-9 - _
    UrlSafe,
}

/// What to do with a line break at the end.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LineBreakName {
    /// Cut it off
    Strip,
    /// It belongs to the value
    Keep,
}

impl NewValueArgs {
    pub(super) fn is_given(&self) -> bool {
        self.put || self.value_file.is_some() || self.generate
    }

    pub(super) fn generates(&self) -> bool {
        self.generate
    }

    pub(super) fn reads_stdin(&self) -> bool {
        self.put
    }
}

/// Whether the value is going to be typed at a prompt.
pub(super) fn is_typed(args: &NewValueArgs) -> bool {
    args.put && std::io::stdin().is_terminal()
}

/// The values for these secrets, one each.
pub(super) fn read(args: &NewValueArgs, secrets: &[SecretRef]) -> Result<Vec<NewValue>, CliError> {
    if args.generate {
        let alphabet = match args.alphabet {
            AlphabetName::Alphanumeric => Alphabet::Alphanumeric,
            AlphabetName::Hex => Alphabet::Hex,
            AlphabetName::UrlSafe => Alphabet::UrlSafe,
        };
        let generated = secrets.iter().map(|_| NewValue::generate(args.characters.into(), alphabet));
        return generated.collect::<Result<_, _>>().map_err(told);
    }
    let bytes = match &args.value_file {
        Some(path) => from_file(path)?,
        None if std::io::stdin().is_terminal() => rotate::hidden("New value (it is not shown): ")?,
        None => read_all(std::io::stdin().lock()).map_err(|e| CliError::new(format!("standard input: {e}")))?,
    };
    let line_break = match args.line_break {
        None => LineBreak::Refuse,
        Some(LineBreakName::Strip) => LineBreak::Strip,
        Some(LineBreakName::Keep) => LineBreak::Keep,
    };
    Ok(vec![NewValue::read(bytes, line_break).map_err(told)?])
}

fn from_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |error: std::io::Error| CliError::new(format!("{}: {error}", path.display()));
    read_all(regular_file::open(path).map_err(failed)?).map_err(failed)
}

fn read_all(source: impl std::io::Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it from the start, so that no part is left behind where the buffer grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 3));
    source.take(LARGEST as u64 + 2).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn told(error: NewValueError) -> CliError {
    let refusal = CliError::new(error.to_string());
    match error {
        NewValueError::LineBreak => refusal
            .with_hint("write it without one (`printf %s …`), or say --line-break strip;")
            .with_hint("--line-break keep where it belongs to the value, as in a PEM file"),
        _ => refusal,
    }
}
