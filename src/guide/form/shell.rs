//! Shell scripts as data, and [`quote`], which quotes every word that is printed for a shell (POSIX Shell Command
//! Language, section 2.2).

pub use crate::domain::text::quote;
use std::fmt;

/// A script of commands, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Comment(String),
    Run(Command),
    Assign(&'static str, Command),
    /// Text of the program's own, in which no value of a profile stands.
    Fixed(&'static str),
    File {
        name: &'static str,
        text: String,
    },
}

impl Script {
    #[must_use]
    pub fn comment(mut self, text: impl Into<String>) -> Self {
        self.lines.push(Line::Comment(text.into()));
        self
    }

    #[must_use]
    pub fn run(mut self, command: Command) -> Self {
        self.lines.push(Line::Run(command));
        self
    }

    /// `NAME=$(command)`.
    #[must_use]
    pub fn assign(mut self, name: &'static str, command: Command) -> Self {
        self.lines.push(Line::Assign(name, command));
        self
    }

    /// Lines that hold no value, as they are.
    #[must_use]
    pub fn fixed(mut self, text: &'static str) -> Self {
        self.lines.push(Line::Fixed(text));
        self
    }

    /// Writes a document to a file of the working folder.
    #[must_use]
    pub fn file(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.lines.push(Line::File { name, text: text.into() });
        self
    }

    /// This script, and then another.
    #[must_use]
    pub fn then(mut self, other: Script) -> Self {
        self.lines.extend(other.lines);
        self
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line {
                // A comment ends with its line, so one that held a line break would go on as a command.
                Line::Comment(text) => {
                    for line in text.lines() {
                        writeln!(f, "# {line}")?;
                    }
                }
                Line::Run(command) => writeln!(f, "{command}")?,
                Line::Assign(name, command) => writeln!(f, "{name}=$({})", command.on_one_line())?,
                Line::Fixed(text) => writeln!(f, "{text}")?,
                Line::File { name, text } => {
                    let mut end = "END".to_owned();
                    while text.lines().any(|line| line == end) {
                        end.push('_');
                    }
                    writeln!(f, "cat >{name} <<'{end}'\n{}\n{end}", text.trim_end_matches('\n'))?;
                }
            }
        }
        Ok(())
    }
}

/// One command: its program and arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What stands on the first line: the program and its subcommands.
    head: Vec<Word>,
    /// The options, each with its values.
    options: Vec<Vec<Word>>,
    into: Option<&'static str>,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Taken as it is, whatever it holds.
    Text(String),
    /// The value of a variable of the script.
    Variable(&'static str),
    /// What a command prints.
    Output(Box<Command>),
    /// Several in one.
    Joined(Vec<Word>),
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Word::Text(text.to_owned())
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Word::Text(text)
    }
}

impl From<Command> for Word {
    fn from(command: Command) -> Self {
        Word::Output(Box::new(command))
    }
}

impl Command {
    /// A command of a program and its subcommands, such as `["aws", "iam", "create-role"]`.
    pub fn new(head: &[&str]) -> Self {
        Command { head: head.iter().map(|word| Word::from(*word)).collect(), options: Vec::new(), into: None }
    }

    /// Adds `--name value`.
    #[must_use]
    pub fn option(mut self, name: &str, value: impl Into<Word>) -> Self {
        self.options.push(vec![name.into(), value.into()]);
        self
    }

    /// Adds `--name value` where there is a value.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<impl Into<Word>>) -> Self {
        match value {
            Some(value) => self.option(name, value),
            None => self,
        }
    }

    /// Writes what it prints into a file.
    #[must_use]
    pub fn into_file(mut self, name: &'static str) -> Self {
        self.into = Some(name);
        self
    }

    fn on_one_line(&self) -> String {
        let words = self.head.iter().chain(self.options.iter().flatten());
        let mut line: Vec<String> = words.map(Word::to_string).collect();
        line.extend(self.into.map(|name| format!(">{name}")));
        line.join(" ")
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WIDEST: usize = 100;
        let whole = self.on_one_line();
        if whole.len() <= WIDEST {
            return f.write_str(&whole);
        }
        let words = |words: &[Word]| words.iter().map(Word::to_string).collect::<Vec<_>>().join(" ");
        f.write_str(&words(&self.head))?;
        for option in &self.options {
            write!(f, " \\\n  {}", words(option))?;
        }
        match self.into {
            Some(name) => write!(f, " \\\n  >{name}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Text(text) => f.write_str(&quote(text)),
            Word::Variable(name) => write!(f, "\"${name}\""),
            Word::Output(command) => write!(f, "\"$({})\"", command.on_one_line()),
            Word::Joined(words) => words.iter().try_for_each(|word| word.fmt(f)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_quoted_as_the_shell_needs_them() {
        for (text, quoted) in [
            ("file://trust-policy.json", "file://trust-policy.json"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("<account-id>", "'<account-id>'"),
            ("$(rm -rf /)", "'$(rm -rf /)'"),
            ("~/x", "'~/x'"),
        ] {
            assert_eq!(quote(text), quoted);
        }
    }

    #[test]
    fn long_commands_break_at_options() {
        let short = Command::new(&["aws", "sts", "get-caller-identity"]);
        assert_eq!(short.to_string(), "aws sts get-caller-identity");
        let long = Command::new(&["az", "role", "assignment", "create"])
            .option("--role", "Key Vault Secrets User")
            .option("--scope", Word::Joined(vec![Command::new(&["az", "x"]).option("-o", "tsv").into(), "/s".into()]))
            .option("--assignee-object-id", "a".repeat(40).as_str());
        assert_eq!(
            long.to_string(),
            format!(
                "az role assignment create \\\n  --role 'Key Vault Secrets User' \\\n  --scope \"$(az x -o tsv)\"/s \\\n  \
                 --assignee-object-id {}",
                "a".repeat(40)
            )
        );
    }

    #[test]
    fn a_document_cannot_end_its_own_file() {
        let script = Script::default().file("a.json", "{\nEND\n}\n").to_string();
        assert_eq!(script, "cat >a.json <<'END_'\n{\nEND\n}\nEND_\n");
    }

    proptest! {
        #[test]
        fn the_shell_gives_back_what_was_quoted(text in "[^\\x00]{0,40}") {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quote(&text))])
                .output()
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
    }
}
