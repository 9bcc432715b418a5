//! The list of commands in the program's help, by what one comes for.

use clap::Command;

use crate::report::line::{Line, Role, Wrap, fit};

/// The columns that the list takes at most.
const COLUMNS: usize = 80;
/// The columns before what a command does.
const NAME: usize = 14;

/// What one comes for, and the commands for it.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Find out what is wrong, and fix it",
        &["check", "fix", "explain", "trust", "token", "issuer", "events", "clients"],
    ),
    ("Look over a fleet", &["audit"]),
    ("Set up", &["guide", "render", "profile"]),
    ("Rotate", &["rotate"]),
    ("Try it", &["lab", "replay"]),
    ("This program", &["config", "data", "mcp", "completions", "man", "help"]),
];

/// The program with its commands in groups where it lists them.
pub(super) fn grouped(command: Command) -> Command {
    let list = groups(&command).join("\n");
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{list}\n\nOptions:\n{{options}}{{after-help}}"
    ))
}

fn groups(command: &Command) -> Vec<String> {
    let mut lines = Vec::new();
    for (heading, names) in GROUPS {
        lines.extend((!lines.is_empty()).then(String::new));
        lines.push(format!("{heading}:"));
        let of_group = names.iter().filter_map(|name| command.find_subcommand(name));
        lines.extend(of_group.flat_map(|one| {
            let about = one.get_about().map(ToString::to_string).unwrap_or_default();
            let mut line = Line::of(Role::Plain, format!("  {}", one.get_name())).hanging(NAME);
            line.pad_to(NAME);
            let lines = fit(&[line.with(Role::Plain, about)], COLUMNS, Wrap::Words, "");
            lines.iter().map(|line| line.plain().trim_end().to_owned()).collect::<Vec<_>>()
        }));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_stands_in_one_group() {
        let mut program = Cli::command();
        program.build();
        let listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        let own: BTreeSet<&str> = program.get_subcommands().map(Command::get_name).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), own);
        assert_eq!(listed.len(), own.len(), "none twice");
    }

    #[test]
    fn the_list_fits_a_terminal_and_the_options_stand_below_it() {
        let mut program = Cli::command();
        program.build();
        for line in groups(&program) {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
        let help = grouped(program).render_help().to_string();
        let at = |words: &str| help.find(words).unwrap_or_else(|| panic!("{words} is not in {help}"));
        assert!(at("\nFind out what is wrong") < at("\n  check ") && at("\n  man ") < at("\nOptions:"), "{help}");
        assert!(at("\nOptions:") < at("--profile <NAME>") && !help.contains("\nCommands:"), "{help}");
    }
}
