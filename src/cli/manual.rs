//! What long help and man pages say beside the options: examples, what stands behind `--only` and `--set`, the
//! variables that are read, the files that are kept, the exit status. Tables, from which both are made.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::exit::{CliError, Exit};
use super::terminal;
use crate::check::CheckId;
use crate::domain::profile::key::Key;
use crate::domain::profile::{Guide, environment};
use crate::guide::setup_guide;
use crate::private_file;

/// A section of a command's page.
#[derive(Debug)]
pub(super) struct Section {
    heading: &'static str,
    rows: Vec<Row>,
}

/// What is explained, and the explanation.
type Row = (String, String);

/// What stands in the pages of some commands: those with one of the arguments, or at or below one of the commands.
struct Entry {
    term: &'static str,
    about: &'static str,
    pages: &'static [&'static str],
}

/// Command lines of each command, and what each does.
const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "",
        &[
            ("trustline", "open the console; without a profile it offers the lab"),
            ("trustline --lab sub-mismatch", "open it on a lab with a fault"),
            ("trustline --profile prod --record run.ndjson", "keep the first run's events"),
        ],
    ),
    (
        "check",
        &[
            ("trustline check --client boto3,js-v3", "what breaks these clients where trustline's exchange goes well"),
            ("trustline check --as obstore", "the exchange as obstore makes it"),
            ("trustline check --profile prod", "check a profile"),
            (
                "trustline check --set issuer.url=https://app.example.com --set secret.name=db",
                "check what the variables name",
            ),
            (
                "trustline check --profile prod --only trust.policy,token.claims --output json",
                "two checks, for a program",
            ),
            (
                "trustline check --profile prod --operator",
                "with the cloud's own side, read as the operator whom the cloud's tools are signed in as",
            ),
            ("trustline check --all --output junit --strict", "every profile, for CI"),
            ("trustline check --lab sub-mismatch", "check a set-up with a known fault"),
        ],
    ),
    (
        "fix",
        &[
            ("trustline fix --profile prod --diff", "show what the fix changes"),
            ("trustline fix --profile prod | sh", "carry it out"),
            ("trustline fix --profile prod --undo > undo.sh", "keep the way back"),
        ],
    ),
    (
        "token",
        &[
            ("trustline token token.jwt", "decode a token, without network"),
            ("trustline token token.jwt --issuer https://app.example.com", "verify it with the issuer's keys"),
            ("trustline token --env CIRCLE_OIDC_TOKEN --jwks keys.json", "verify a variable's token with saved keys"),
        ],
    ),
    ("issuer", &[("trustline issuer https://app.example.com", "look at its documents, keys and certificates")]),
    (
        "trust",
        &[
            ("trustline trust --policy role.json --token token.jwt", "would this role let this token in?"),
            ("trustline trust --policy role.json --lint --fail-on high", "fail a pipeline on a trust that is too wide"),
            ("trustline trust --credential fic.json --claims claims.json", "the same question for Entra"),
            (
                "trustline trust --provider provider.json --iam-policy policy.json --token token.jwt",
                "for Google: the exchange, and the role that a binding grants",
            ),
        ],
    ),
    (
        "audit",
        &[
            ("trustline audit account.json providers.json", "every trust of an account, from what it answers"),
            ("trustline audit accounts/ --output ndjson", "a folder of answers, a finding a line"),
            ("trustline audit accounts/ --baseline last.json --suppress accepted.toml", "what is new since"),
        ],
    ),
    (
        "explain",
        &[
            ("trustline explain build.log", "name the causes behind an error text"),
            ("trustline explain build.log --token token.jwt --policy role.json", "decide between them"),
        ],
    ),
    (
        "events",
        &[
            ("trustline events cloudtrail.json --policy role.json", "whom a role refused, by the account's own record"),
            ("trustline events 2026-11-30/*.json.gz --policy role.json", "the same from the log files of a trail"),
            ("trustline events sign-ins.json --credential fics.json", "the same for service principals at Entra"),
            (
                "trustline events --operator --profile prod",
                "the account's record of the last day, and the trusts in force",
            ),
            ("trustline events events.json --each --since 24h", "every exchange of a day, as lines of JSON"),
        ],
    ),
    (
        "clients",
        &[
            ("trustline clients boto3", "what boto3 sends, reads and falls back on"),
            ("trustline clients boto3 js-v3 opendal --on token", "who sends the token's file as it is"),
            ("trustline clients --env", "which credentials each client would take here"),
        ],
    ),
    (
        "rotate",
        &[
            ("trustline rotate --lab --generate --yes --kickoff", "rotate in the embedded cloud"),
            ("trustline rotate --profile prod --kickoff", "rotate by hand, and see it arrive"),
            (
                "trustline rotate --profile prod --put --kickoff --evidence rotations.json",
                "write a value, and keep the evidence",
            ),
        ],
    ),
    (
        "rotate verify-evidence",
        &[
            ("trustline rotate verify-evidence rotations.json", "see whether the chain is whole"),
            (
                "trustline rotate verify-evidence rotations.json --noted HASH",
                "see that nobody rewrote it since HASH was noted",
            ),
        ],
    ),
    (
        "guide",
        &[
            ("trustline guide aws-workload-identity --profile prod", "a guide, with the profile's values"),
            ("trustline guide aws-workload-identity 3 --profile prod", "one step"),
            ("trustline guide aws-workload-identity --profile prod --check", "see the state of each step"),
        ],
    ),
    (
        "render",
        &[
            ("trustline render --list", "name the artifacts"),
            ("trustline render trust-policy --profile prod > trust-policy.json", "print one into a file"),
        ],
    ),
    ("profile", &[("trustline profile new prod --guide aws-workload-identity", "make a profile")]),
    (
        "profile new",
        &[(
            "trustline profile new prod --guide aws-workload-identity --set aws.region=us-east-1",
            "make a profile; on a terminal, what is missing is asked for",
        )],
    ),
    (
        "profile import",
        &[("trustline profile import prod role.json", "take values from the answer of aws iam get-role")],
    ),
    (
        "profile set",
        &[("trustline profile set --profile prod aws.region=eu-west-1", "change a value, and print how to undo it")],
    ),
    ("profile list", &[("trustline profile list", "the profiles, and what is wrong with them")]),
    ("profile show", &[("trustline profile show --profile prod", "every value, and where it came from")]),
    ("profile path", &[("trustline profile path prod", "where the profile's file is")]),
    ("config", &[("trustline config show", "every setting of the console, and where it is from")]),
    ("config show", &[("trustline config show --output json", "the same for a program")]),
    ("data", &[("trustline data list", "what is kept on this disk")]),
    ("data list", &[("trustline data list --output json", "what is kept on this disk, for a program")]),
    ("data remove", &[("trustline data remove FILE", "remove a file that `data list` names")]),
    (
        "lab",
        &[
            ("trustline lab --list", "name the scenarios"),
            ("trustline lab sub-mismatch", "serve one until Ctrl-C"),
            ("trustline lab --world world.toml --output json", "serve a world of your own, for a program"),
        ],
    ),
    ("mcp", &[("trustline mcp --folder .", "serve an agent that works in this folder")]),
    (
        "replay",
        &[
            ("trustline replay run.ndjson", "open a recording in the console"),
            ("trustline replay run.ndjson --output junit", "print its report; the status is the recorded run's"),
        ],
    ),
    (
        "completions",
        &[("trustline completions bash > ~/.local/share/bash-completion/completions/trustline", "for bash")],
    ),
    ("man", &[("trustline man --folder ~/.local/share/man/man1", "write the page of every command")]),
];

/// Variables beside those that make a profile.
const VARIABLES: &[Entry] = &[
    Entry {
        term: "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        about: "an access key: the caller of the static guides, the operator of a rotation",
        pages: &["set"],
    },
    Entry {
        term: "TRUSTLINE_OPERATOR_CLIENT_ID, TRUSTLINE_OPERATOR_CLIENT_SECRET_FILE, TRUSTLINE_OPERATOR_TENANT_ID",
        about: "the application that is the operator on Azure, instead of the Azure CLI's user; its directory, where that is to be compared with the profile's",
        pages: &["operator_client_id"],
    },
    Entry {
        term: "AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE",
        about: "the files of the AWS CLI, where they are not in ~/.aws",
        pages: &["set"],
    },
    Entry {
        term: "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        about: "true: AWS_ENDPOINT_URL… are not read",
        pages: &["set"],
    },
    Entry {
        term: "SSL_CERT_FILE, SSL_CERT_DIR",
        about: "the authorities to trust, instead of the system's",
        pages: &["ca_file"],
    },
    Entry {
        term: "AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, NODE_EXTRA_CA_CERTS, GDAL_CURL_CA_BUNDLE",
        about: "authorities that some client trusts, and trustline too, beside the system's",
        pages: &["ca_file"],
    },
    Entry {
        term: "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
        about: "the proxy, and the hosts that are reached without it",
        pages: &["ca_file"],
    },
    #[cfg(feature = "otlp")]
    Entry {
        term: "OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_HEADERS, TRACEPARENT",
        about: "where the check is sent to as a trace, how, and below which span; none is sent without the first",
        pages: &["expect_denied"],
    },
    Entry {
        term: "TRUSTLINE_CONFIG_DIR",
        about: "the folder of profiles and settings, instead of $XDG_CONFIG_HOME/trustline",
        pages: &["profile", "data", "theme", "config"],
    },
    Entry {
        term: "TRUSTLINE_STATE_DIR",
        about: "the folder of rotations and fingerprint keys, instead of $XDG_STATE_HOME/trustline",
        pages: &["set", "data"],
    },
    Entry {
        term: "NO_COLOR",
        about: "set: nothing is coloured, unless --color or --theme says so",
        pages: &["color", "theme"],
    },
    Entry {
        term: "TRUSTLINE_SCREEN_READER",
        about: "set, and not 0: the console is told as lines, and nothing is drawn over",
        pages: &["screen_reader"],
    },
];

const FILES: &[Entry] = &[
    Entry {
        term: "~/.config/trustline/profiles/NAME.toml",
        about: "a profile, with what was confirmed in its guide",
        pages: &["profile", "data"],
    },
    Entry {
        term: "~/.config/trustline/console.toml",
        about: "the console's keys and looks",
        pages: &["theme", "data", "config"],
    },
    Entry {
        term: "~/.local/state/trustline/*.fingerprint-key",
        about: "the key of fingerprints of values that could be guessed",
        pages: &["evidence", "data"],
    },
    Entry {
        term: "~/.local/state/trustline/*.rotation.json",
        about: "a rotation that was interrupted, for --resume",
        pages: &["evidence", "data"],
    },
];

const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "all passed (warnings allowed)"),
    ("1", "a check failed; trust: denied; explain: no cause found; rotate: not propagated"),
    ("2", "usage, profile or input error"),
    ("3", "only inconclusive: it could not be checked"),
    ("4", "warnings, under --strict"),
    ("130, 143", "interrupted"),
];

/// The program with the sections behind the options of each command's long help.
pub(super) fn in_long_help(mut command: Command) -> Command {
    // Arguments that were left for later are built: what there is to say follows from them.
    command.build();
    documented(command, "")
}

fn documented(command: Command, path: &str) -> Command {
    let text: Vec<String> = sections(&command, path).iter().map(Section::as_text).collect();
    command.after_long_help(text.join("\n\n")).mut_subcommands(|below| {
        let path = format!("{path} {}", below.get_name());
        documented(below, path.trim_start())
    })
}

/// The sections of the command that these words call, behind the program's name.
pub(super) fn sections(command: &Command, path: &str) -> Vec<Section> {
    let has = |name: &&str| {
        let is_below = path == *name || path.strip_prefix(*name).is_some_and(|rest| rest.starts_with(' '));
        is_below || command.get_arguments().any(|argument| argument.get_id() == *name)
    };
    let listed = |entries: &[Entry]| -> Vec<Row> {
        entries.iter().filter(|entry| entry.pages.iter().any(&has)).map(|entry| row(entry.term, entry.about)).collect()
    };
    let rows_where = |is_there: bool, rows: fn() -> Vec<Row>| if is_there { rows() } else { Vec::new() };
    let examples = EXAMPLES.iter().filter(|(of, _)| *of == path).flat_map(|(_, lines)| *lines);
    let mut variables = rows_where(has(&"set"), profile_variables);
    variables.extend(listed(VARIABLES));
    let sections = [
        ("Examples", examples.map(|(line, about)| row(line, about)).collect()),
        ("Guides", rows_where(path == "guide" || has(&"guide"), guides)),
        ("Checks", rows_where(has(&"only"), checks)),
        ("Keys", rows_where(has(&"set") || path == "profile set", keys)),
        ("Environment", variables),
        ("Files", listed(FILES)),
        (
            "Exit status",
            rows_where(path.is_empty(), || EXIT_STATUS.iter().map(|(status, about)| row(status, about)).collect()),
        ),
    ];
    let sections = sections.into_iter().map(|(heading, rows)| Section { heading, rows });
    sections.filter(|section| !section.rows.is_empty()).collect()
}

fn row(term: &str, about: &str) -> Row {
    (term.to_owned(), about.to_owned())
}

fn guides() -> Vec<Row> {
    Guide::ALL.iter().map(|guide| row(guide.id(), &setup_guide(*guide).title)).collect()
}

fn checks() -> Vec<Row> {
    CheckId::ALL.iter().map(|check| row(check.id(), check.title())).collect()
}

fn keys() -> Vec<Row> {
    Key::ALL.iter().map(|key| row(key.path(), key.about())).collect()
}

fn profile_variables() -> Vec<Row> {
    environment::variables_read()
        .into_iter()
        .map(|(name, key)| row(name, &format!("{} ({})", key.about(), key.path())))
        .collect()
}

impl Section {
    /// Short terms in a column, long ones above what they mean.
    fn as_text(&self) -> String {
        let longest = self.rows.iter().map(|(term, _)| term.len()).max().unwrap_or_default();
        let line = |(term, about): &Row| {
            if longest > LONGEST_IN_COLUMN {
                format!("\n  {term}\n      {about}")
            } else {
                format!("\n  {term:longest$}  {about}")
            }
        };
        format!("{}:{}", self.heading, self.rows.iter().map(line).collect::<String>())
    }

    pub(super) fn write_roff(&self, page: &mut Roff) {
        page.control("SH", [self.heading.to_uppercase().as_str()]);
        for (term, about) in &self.rows {
            page.control("TP", []);
            page.text([bold(term)]);
            page.text([roman(about)]);
        }
    }
}

/// The longest term that has its meaning beside it.
const LONGEST_IN_COLUMN: usize = 37;

/// Arguments of `trustline completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell to complete for
    shell: clap_complete::Shell,
}

pub(super) fn completions(args: &CompletionsArgs, mut program: Command) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "trustline", &mut script);
    print(&script)
}

/// Arguments of `trustline man`.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Write the page of every command to this folder, instead of printing the program's own
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs, program: Command) -> Result<Exit, CliError> {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let Some(folder) = &args.folder else { return print(&page(&program, "")?) };
    let refuse = |error: std::io::Error| CliError::new(format!("{}: {error}", folder.display()));
    private_file::create_folder(folder).map_err(refuse)?;
    let mut commands = vec![(&program, String::new())];
    while let Some((command, words)) = commands.pop() {
        let path = folder.join(Man::new(command.clone()).get_filename());
        private_file::replace(&path, &page(command, &words)?).map_err(refuse)?;
        let below = command.get_subcommands().filter(|command| !command.is_hide_set());
        commands.extend(below.map(|below| (below, format!("{words} {}", below.get_name()).trim_start().to_owned())));
    }
    Ok(Exit::Passed)
}

/// The page of the command that these words call, behind the program's name.
fn page(command: &Command, words: &str) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).source(concat!("trustline ", env!("CARGO_PKG_VERSION")));
    let mut own = Roff::default();
    sections(command, words).iter().for_each(|section| section.write_roff(&mut own));
    man.render(&mut page)
        .and_then(|()| own.to_writer(&mut page))
        .map_err(|e| CliError::new(format!("the man page could not be made: {e}")))?;
    Ok(page)
}

fn print(bytes: &[u8]) -> Result<Exit, CliError> {
    let mut stdout = std::io::stdout().lock();
    terminal::written(stdout.write_all(bytes).and_then(|()| stdout.flush()))?;
    Ok(Exit::Passed)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::Cli;
    use super::*;

    /// The program with every subcommand's arguments, without the subcommands that only tell of others.
    fn program() -> Command {
        let mut program = Cli::command().disable_help_subcommand(true);
        program.build();
        program
    }

    fn each_command(command: &Command, path: &str, look: &mut impl FnMut(&Command, &str)) {
        look(command, path);
        for below in command.get_subcommands() {
            each_command(below, format!("{path} {}", below.get_name()).trim_start(), look);
        }
    }

    #[test]
    fn every_command_has_examples_and_they_are_command_lines() {
        let mut paths = Vec::new();
        each_command(&program(), "", &mut |command, path| {
            let sections = sections(command, path);
            let examples = sections.iter().find(|section| section.heading == "Examples");
            let examples = examples.unwrap_or_else(|| panic!("{path} has no example"));
            for (line, _) in &examples.rows {
                let own = line.split(['|', '>']).next().unwrap_or_default();
                assert!(own.starts_with(format!("trustline {path}").trim_end()), "{line}");
                if let Err(error) = Cli::try_parse_from(own.split_whitespace()) {
                    panic!("{line}: {error}");
                }
            }
            paths.push(path.to_owned());
        });
        assert!(EXAMPLES.iter().all(|(path, _)| paths.iter().any(|known| known == path)), "an example of no command");
    }

    #[test]
    fn what_only_and_set_take_is_listed_where_they_are() {
        each_command(&program(), "", &mut |command, path| {
            let text = sections(command, path).iter().map(Section::as_text).collect::<String>();
            let takes = |name: &str| command.get_arguments().any(|argument| argument.get_id() == name);
            assert_eq!(CheckId::ALL.iter().all(|check| text.contains(check.id())), takes("only"), "{path}");
            assert_eq!(text.contains("AWS_WEB_IDENTITY_TOKEN_FILE"), takes("set"), "{path}");
            if takes("set") {
                assert!(Key::ALL.iter().all(|key| text.contains(key.path())), "{path}");
            }
        });
    }
}
