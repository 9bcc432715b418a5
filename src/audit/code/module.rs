//! A module of Terraform's: the files of one folder, taken apart into blocks that keep their lines.

use hcl::{Block, Body, Map, Value};

use super::declared::{NotKnown, Unknowns};
use super::expression::evaluate;
use super::json_syntax;
use super::node::Broken;

/// A module: the files of one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// The folder, as it is named in messages and in `source`.
    pub folder: String,
    /// Names and texts of its `.tf` files, and of the files with values for its variables.
    pub files: Vec<(String, String)>,
    pub values: Vec<(String, String)>,
    /// Names of those that could not be read, and why.
    pub unread: Vec<(String, String)>,
}

/// The blocks of a module.
pub struct Parsed {
    pub folder: String,
    pub blocks: Vec<Place>,
}

pub struct Place {
    pub block: Block,
    pub file: String,
    pub line: u64,
}

impl Parsed {
    pub fn of(module: &Module, not_known: &mut Vec<NotKnown>) -> Self {
        let unread = module.unread.iter();
        not_known.extend(unread.map(|(file, why)| broken(file, 1, why.clone())));
        let mut blocks = Vec::new();
        for (file, content) in &module.files {
            if json_syntax::is_json(content) {
                match json_syntax::blocks(content) {
                    Ok(found) => {
                        let place = |(block, line)| Place { block, file: file.clone(), line };
                        blocks.extend(found.into_iter().map(place));
                    }
                    Err(Broken { line, why }) => not_known.push(broken(file, line, why)),
                }
                continue;
            }
            match content.parse::<Body>() {
                Ok(body) => {
                    let mut lines = Lines::of(content);
                    blocks.extend(body.into_blocks().map(|block| {
                        let line = lines.of_block(&block);
                        Place { block, file: file.clone(), line }
                    }));
                }
                Err(error) => {
                    let line = match &error {
                        hcl::Error::Parse(error) => error.location().line() as u64,
                        _ => 1,
                    };
                    not_known.push(broken(file, line, last_line(&error)));
                }
            }
        }
        Parsed { folder: module.folder.clone(), blocks }
    }

    pub fn blocks<'p>(&'p self, kind: &str) -> impl Iterator<Item = &'p Place> {
        self.blocks.iter().filter(move |place| place.block.identifier() == kind)
    }

    /// A resource or a data source.
    pub fn resource(&self, kind: &str, r#type: &str, name: &str) -> Option<&Place> {
        self.blocks(kind).find(|place| is_labelled(&place.block, &[r#type, name]))
    }
}

pub fn is_labelled(block: &Block, labels: &[&str]) -> bool {
    block.labels().len() == labels.len()
        && block.labels().iter().zip(labels).all(|(label, wanted)| label.as_str() == *wanted)
}

/// Finds the lines that blocks begin in. The parser's tree has lost them.
struct Lines<'t> {
    rest: Vec<(u64, &'t str)>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Lines { rest: (1..).zip(text.lines()).filter(|(_, line)| line.contains('{')).collect() }
    }

    fn of_block(&mut self, block: &Block) -> u64 {
        let begins = |line: &str| {
            let Some(mut rest) = line.trim_start().strip_prefix(block.identifier()) else { return false };
            for label in block.labels() {
                let unquoted = rest.trim_start().trim_start_matches('"');
                let Some(behind) = unquoted.strip_prefix(label.as_str()) else { return false };
                rest = behind.trim_start_matches('"');
            }
            rest.trim_start().starts_with('{')
        };
        let at = self.rest.iter().position(|(_, line)| begins(line));
        at.map_or(1, |at| self.rest.remove(at).0)
    }
}

fn broken(file: &str, line: u64, why: String) -> NotKnown {
    NotKnown { what: file.to_owned(), file: file.to_owned(), line, why }
}

fn last_line(error: &hcl::Error) -> String {
    error.to_string().lines().next_back().unwrap_or_default().trim().to_owned()
}

/// The values that files give to a module's variables.
pub fn values_of(module: &Module, not_known: &mut Vec<NotKnown>) -> Map<String, Value> {
    let mut given = Map::new();
    for (file, content) in &module.values {
        if json_syntax::is_json(content) {
            match json_syntax::values(content) {
                Ok(values) => given.extend(values),
                Err(Broken { line, why }) => not_known.push(broken(file, line, why)),
            }
            continue;
        }
        match content.parse::<Body>() {
            Ok(body) => {
                for attribute in body.into_attributes() {
                    if let Ok(value) = evaluate(attribute.expr(), &|_| None, &Unknowns::default(), &[]) {
                        given.insert(attribute.key().to_owned(), value);
                    }
                }
            }
            Err(error) => not_known.push(broken(file, 1, last_line(&error))),
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(files: &[(&str, &str)], values: &[(&str, &str)]) -> Module {
        let owned = |all: &[(&str, &str)]| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        Module { folder: ".".to_owned(), files: owned(files), values: owned(values), unread: Vec::new() }
    }

    #[test]
    fn blocks_keep_their_lines() {
        let text = "# resource \"a\" \"b\" {\nlocals { a = 1 }\n\nresource \"a\" \"b\" {\n}\nresource a c {}\n";
        let mut not_known = Vec::new();
        let parsed = Parsed::of(&module(&[("main.tf", text)], &[]), &mut not_known);
        let lines: Vec<(&str, u64)> =
            parsed.blocks.iter().map(|place| (place.block.identifier(), place.line)).collect();
        assert_eq!(lines, [("locals", 2), ("resource", 4), ("resource", 6)]);
        assert!(parsed.resource("resource", "a", "c").is_some() && not_known.is_empty());
    }

    #[test]
    fn what_is_broken_or_unread_is_named_and_the_rest_goes_on() {
        let mut broken = module(&[("a.tf", "a {\n"), ("b.tf", "locals {}\n")], &[("x.auto.tfvars", "a = [")]);
        broken.unread = vec![("c.tf".to_owned(), "permission denied".to_owned())];
        let mut not_known = Vec::new();
        assert_eq!(Parsed::of(&broken, &mut not_known).blocks.len(), 1);
        values_of(&broken, &mut not_known);
        let named: Vec<&str> = not_known.iter().map(|not| not.file.as_str()).collect();
        assert_eq!(named, ["c.tf", "a.tf", "x.auto.tfvars"]);
        assert!(not_known.iter().all(|not| !not.why.is_empty()), "{not_known:#?}");
    }

    #[test]
    fn values_for_variables_are_read_and_the_last_file_wins() {
        let files = [
            ("terraform.tfvars", "owner = \"octo\"\nlist = [\"a\"]"),
            ("terraform.tfvars.json", "{\"owner\": \"third\", \"more\": [\"a\", \"b\"]}"),
            ("x.auto.tfvars", "owner = \"other\""),
        ];
        let given = values_of(&module(&[], &files), &mut Vec::new());
        assert_eq!((given["owner"].as_str(), given["list"].as_array().map(Vec::len)), (Some("other"), Some(1)));
        assert_eq!(given["more"].as_array().map(Vec::len), Some(2));
    }
}
