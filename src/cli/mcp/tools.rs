//! The tools: what each is for, what it takes, and the command that it runs.

use std::ffi::OsString;
use std::path::Path;

use rmcp::model::ToolAnnotations;
use serde_json::{Map, Value, json};

use crate::domain::token::looks_like_jwt;

/// A tool.
pub(super) struct Tool {
    pub name: &'static str,
    about: &'static str,
    /// The command, before what the inputs add.
    command: &'static [&'static str],
    inputs: &'static [Input],
    pub form: Form,
    /// Whether it may ask servers.
    reaches: Reach,
}

/// What a tool's command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Files,
    Network,
}

/// What a tool may be given.
struct Input {
    name: &'static str,
    about: &'static str,
    kind: Kind,
    need: Need,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

/// How an input becomes arguments. A flag that is empty is a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A path below the server's folder.
    File(&'static str),
    /// Several of them.
    Files,
    /// A name of letters, digits, `.`, `_` and `-`.
    Name(&'static str),
    /// An address that begins with `https://`.
    Url(&'static str),
    /// A flag that is given or not.
    Switch(&'static str),
    /// A text of any kind; goes to standard input.
    Text,
}

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    pub arguments: Vec<OsString>,
    /// What goes to standard input.
    pub input: Option<String>,
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Input {
    Input { name, about, kind, need: Need::Required }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Input {
    Input { name, about, kind, need: Need::Optional }
}

const TOKEN: Input = optional("token", Kind::File("--token"), "a file with the token");
const PROFILE: Input =
    required("profile", Kind::Name("--profile"), "the name of a profile; `trustline profile list` has them");

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "explain",
        about: "Name the causes behind an error text or a log, the likeliest first, each with its fix and what would decide",
        command: &["explain", "--output", "json"],
        inputs: &[
            required("text", Kind::Text, "the error text or log; tokens in it are cut from the answer"),
            optional("policy", Kind::File("--policy"), "the role's trust policy"),
            TOKEN,
        ],
        form: Form::Json,
        reaches: Reach::Files,
    },
    Tool {
        name: "token",
        about: "Decode a token's header and claims, verify its signature, and say whether AWS, Entra and Google would take it",
        command: &["token", "--output", "json"],
        inputs: &[
            required("file", Kind::File(""), "the token's file; the token itself is never in the answer"),
            optional("jwks", Kind::File("--jwks"), "a file with the issuer's key set"),
            optional("issuer", Kind::Url("--issuer"), "fetch the key set from this issuer"),
        ],
        form: Form::Json,
        reaches: Reach::Network,
    },
    Tool {
        name: "trust",
        about: "Would this trust let this token in, who else gets in, and what is unsafe or dead in it? Offline",
        command: &["trust", "--output", "json"],
        inputs: &[
            optional("policy", Kind::File("--policy"), "an AWS role's trust policy, or Terraform that declares one"),
            optional("credential", Kind::File("--credential"), "Entra federated credentials"),
            optional("provider", Kind::File("--provider"), "a Google workload identity pool provider"),
            optional("iam_policy", Kind::File("--iam-policy"), "the IAM policy whose bindings count, with `provider`"),
            TOKEN,
            optional("claims", Kind::File("--claims"), "a JSON file with the token's claims instead"),
            optional("lint", Kind::Switch("--lint"), "also look for weaknesses; needs no token"),
        ],
        form: Form::Json,
        reaches: Reach::Files,
    },
    Tool {
        name: "audit",
        about: "Judge every federated trust in files or folders: who gets in, with a subject as proof, what they reach, what is dead",
        command: &["audit", "--output", "json"],
        inputs: &[required("paths", Kind::Files, "account answers, policies, Terraform, CloudFormation")],
        form: Form::Json,
        reaches: Reach::Files,
    },
    Tool {
        name: "check",
        about: "Run every check of a named profile against the real issuer and cloud, and name the root cause with its proof",
        command: &["check", "--output", "json"],
        inputs: &[PROFILE, optional("client", Kind::Name("--client"), "judge as this client would, such as boto3")],
        form: Form::Json,
        reaches: Reach::Network,
    },
    Tool {
        name: "fix",
        about: "Check a named profile and print the root cause's fix as a script. Prints it for a person to read; runs nothing",
        command: &["fix"],
        inputs: &[PROFILE, optional("undo", Kind::Switch("--undo"), "print the way back instead")],
        form: Form::Text,
        reaches: Reach::Network,
    },
    Tool {
        name: "guide",
        about: "The steps of a set-up with their commands; without a guide's name, the list of guides",
        command: &["guide", "--output", "json"],
        inputs: &[
            optional("guide", Kind::Name(""), "such as aws-workload-identity"),
            optional("step", Kind::Name(""), "the number of one step"),
        ],
        form: Form::Json,
        reaches: Reach::Files,
    },
    Tool {
        name: "render",
        about: "Print one artifact of a guide, such as a policy or a job, with a named profile's values; without a name, their list",
        command: &["render"],
        inputs: &[
            optional("artifact", Kind::Name(""), "such as trust-policy"),
            optional("profile", Kind::Name("--profile"), "the profile whose values fill it"),
            optional("list", Kind::Switch("--list"), "name the artifacts"),
        ],
        form: Form::Text,
        reaches: Reach::Files,
    },
];

impl Tool {
    /// As a client lists it.
    pub(super) fn described(&self) -> rmcp::model::Tool {
        let properties: Map<String, Value> =
            self.inputs.iter().map(|input| (input.name.to_owned(), input.schema())).collect();
        let needed = self.inputs.iter().filter(|input| input.need == Need::Required);
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("required".to_owned(), needed.map(|input| input.name).collect());
        schema.insert("additionalProperties".to_owned(), json!(false));
        let hints = ToolAnnotations::new().read_only(true).open_world(self.reaches == Reach::Network);
        rmcp::model::Tool::new(self.name, self.about, schema).with_annotations(hints)
    }

    /// The command for what was given.
    ///
    /// # Errors
    /// Something is missing, unknown, of another kind, a token, or outside the folder; in words.
    pub(super) fn invocation(&self, mut given: Map<String, Value>, folder: &Path) -> Result<Invocation, String> {
        let mut arguments: Vec<OsString> = self.command.iter().map(OsString::from).collect();
        let (mut positions, mut input_text) = (Vec::new(), None);
        for input in self.inputs {
            let value = match (given.remove(input.name), input.need) {
                (None | Some(Value::Null), Need::Optional) => continue,
                (None | Some(Value::Null), Need::Required) => {
                    return Err(format!("`{}` is missing: {}", input.name, input.about));
                }
                (Some(value), _) => value,
            };
            match input.kind {
                Kind::Text => input_text = Some(input.text(&value)?.to_owned()),
                Kind::Switch(flag) => {
                    let is_on = value.as_bool().ok_or_else(|| format!("`{}` is true or false", input.name))?;
                    arguments.extend(is_on.then(|| OsString::from(flag)));
                }
                Kind::Files => {
                    let paths = value.as_array().filter(|paths| !paths.is_empty());
                    let paths = paths.ok_or_else(|| format!("`{}` is a list of paths", input.name))?;
                    for path in paths {
                        positions.push(below(folder, input.plain(path)?)?);
                    }
                }
                Kind::File(flag) => push(flag, below(folder, input.plain(&value)?)?, &mut arguments, &mut positions),
                Kind::Name(flag) => push(flag, input.named(&value)?.into(), &mut arguments, &mut positions),
                Kind::Url(flag) => push(flag, input.url(&value)?.into(), &mut arguments, &mut positions),
            }
        }
        if let Some((unknown, _)) = given.iter().next() {
            let names: Vec<&str> = self.inputs.iter().map(|input| input.name).collect();
            return Err(format!("`{unknown}` is nothing that `{}` takes; it takes {}", self.name, names.join(", ")));
        }
        if !positions.is_empty() {
            arguments.push("--".into());
            arguments.append(&mut positions);
        }
        Ok(Invocation { arguments, input: input_text })
    }
}

fn push(flag: &str, value: OsString, arguments: &mut Vec<OsString>, positions: &mut Vec<OsString>) {
    if flag.is_empty() {
        positions.push(value);
    } else {
        let mut argument = OsString::from(format!("{flag}="));
        argument.push(value);
        arguments.push(argument);
    }
}

impl Input {
    fn schema(&self) -> Value {
        let about = self.about;
        match self.kind {
            Kind::Switch(_) => json!({ "type": "boolean", "description": about }),
            Kind::Files => {
                json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "description": about })
            }
            Kind::Name(_) => {
                json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$", "description": about })
            }
            Kind::Url(_) => json!({ "type": "string", "pattern": "^https://", "description": about }),
            Kind::File(_) | Kind::Text => json!({ "type": "string", "description": about }),
        }
    }

    fn text<'v>(&self, value: &'v Value) -> Result<&'v str, String> {
        value.as_str().ok_or_else(|| format!("`{}` is a text", self.name))
    }

    /// A text that is no token: arguments show in the list of processes.
    fn plain<'v>(&self, value: &'v Value) -> Result<&'v str, String> {
        let text = self.text(value)?;
        if looks_like_jwt(text) {
            return Err(format!("`{}` looks like a token; save it in a file and give its path", self.name));
        }
        Ok(text)
    }

    fn named<'v>(&self, value: &'v Value) -> Result<&'v str, String> {
        let text = self.plain(value)?;
        let is_name = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
        is_name.then_some(text).ok_or_else(|| format!("`{}` is a name of letters, digits, `.`, `_` and `-`", self.name))
    }

    fn url<'v>(&self, value: &'v Value) -> Result<&'v str, String> {
        let text = self.plain(value)?;
        let is_url = text.starts_with("https://") && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        is_url.then_some(text).ok_or_else(|| format!("`{}` is an address that begins with https://", self.name))
    }
}

/// A path below the folder, without links: one that leads out of it is refused as if nothing were there.
fn below(folder: &Path, path: &str) -> Result<OsString, String> {
    let whole = folder.join(path).canonicalize().ok().filter(|whole| whole.starts_with(folder));
    whole.map(OsString::from).ok_or_else(|| format!("there is no `{path}` below the server's folder"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6InMifQ.c2ln";

    fn invoke(name: &str, given: Value, folder: &Path) -> Result<Vec<String>, String> {
        let tool = TOOLS.iter().find(|tool| tool.name == name).unwrap();
        let ran = tool.invocation(given.as_object().unwrap().clone(), &folder.canonicalize().unwrap())?;
        Ok(ran.arguments.iter().map(|argument| argument.to_str().unwrap().to_owned()).collect())
    }

    #[test]
    fn what_is_given_becomes_arguments_that_nothing_can_slip_into() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name).display().to_string();
        fs::write(folder.path().join("--lint"), "{}").unwrap();
        fs::write(folder.path().join("t.jwt"), "").unwrap();
        let arguments =
            invoke("trust", json!({ "policy": "--lint", "token": "./t.jwt", "lint": false }), folder.path());
        let policy = format!("--policy={}", at("--lint"));
        assert_eq!(arguments.unwrap(), ["trust", "--output", "json", &policy, &format!("--token={}", at("t.jwt"))]);
        let arguments = invoke("audit", json!({ "paths": ["--lint"] }), folder.path()).unwrap();
        assert_eq!(arguments, ["audit", "--output", "json", "--", &at("--lint")]);
        assert_eq!(
            invoke("check", json!({ "profile": "prod" }), folder.path()).unwrap(),
            ["check", "--output", "json", "--profile=prod"]
        );
    }

    #[test]
    fn what_a_tool_does_not_take_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("policy.json"), "{}").unwrap();
        std::os::unix::fs::symlink(outside.path().join("policy.json"), folder.path().join("link.json")).unwrap();
        let absolute = outside.path().join("policy.json").display().to_string();
        for (tool, given, word) in [
            ("trust", json!({ "policy": "link.json" }), "no `link.json`"),
            ("trust", json!({ "policy": "../../etc/hostname" }), "below the server's folder"),
            ("trust", json!({ "policy": absolute }), "below the server's folder"),
            ("trust", json!({ "policy": 1 }), "`policy` is a text"),
            ("trust", json!({ "polcy": "x" }), "`polcy` is nothing"),
            ("token", json!({ "file": JWT }), "looks like a token"),
            ("check", json!({ "profile": "--lab" }), "`profile` is a name"),
            ("check", json!({}), "`profile` is missing"),
            ("token", json!({ "file": "", "issuer": "http://i" }), "begins with https://"),
            ("audit", json!({ "paths": [] }), "a list of paths"),
            ("trust", json!({ "lint": "yes" }), "true or false"),
        ] {
            let refused = invoke(tool, given.clone(), folder.path()).unwrap_err();
            assert!(refused.contains(word), "{given}: {refused}");
            assert!(!refused.contains(JWT), "{refused}");
        }
    }

    #[test]
    fn only_a_log_goes_to_standard_input() {
        let tool = TOOLS.iter().find(|tool| tool.name == "explain").unwrap();
        let given = json!({ "text": "AccessDenied" }).as_object().unwrap().clone();
        let ran = tool.invocation(given, Path::new("/")).unwrap();
        assert_eq!((ran.input.as_deref(), ran.arguments.len()), (Some("AccessDenied"), 3));
        let with_text = TOOLS.iter().filter(|tool| tool.inputs.iter().any(|input| input.kind == Kind::Text));
        assert_eq!(with_text.map(|tool| tool.name).collect::<Vec<_>>(), ["explain"]);
    }
}
