//! A template's document as a tree that keeps its lines: YAML with CloudFormation's short tags, of which JSON is a part.
//!
//! The parser is `saphyr-parser`: it yields events with their tags and positions one after another, so that depth and number are
//! bounded here, before anything is held.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value as Json};

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Counted from 1.
    pub line: u64,
    pub what: What,
}

/// What a part is. Numbers and truth values are texts: that is how policies compare them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Nothing,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A key with its value. A short tag is the map that it stands for: `!Ref a` is `Ref: a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub line: u64,
    pub key: String,
    pub value: Node,
}

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub line: u64,
    pub why: String,
}

/// Objects and lists within each other at most.
const DEEPEST: usize = 64;
/// Parts of all documents at most, with those that an alias repeats.
const MOST_PARTS: usize = 400_000;

impl Node {
    pub fn members(&self) -> &[Member] {
        match &self.what {
            What::Map(members) => members,
            _ => &[],
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.members().iter().find(|member| member.key == key).map(|member| &member.value)
    }

    pub fn text(&self) -> Option<&str> {
        match &self.what {
            What::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; anything else but nothing is one by itself.
    pub fn items(&self) -> &[Node] {
        match &self.what {
            What::List(items) => items,
            What::Nothing => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The only member's key and value.
    pub fn single(&self) -> Option<(&str, &Node)> {
        match self.members() {
            [Member { key, value, .. }] => Some((key, value)),
            _ => None,
        }
    }

    /// As JSON, as it is written.
    pub fn json(&self) -> Json {
        match &self.what {
            What::Nothing => Json::Null,
            What::Text(text) => text.as_str().into(),
            What::List(items) => items.iter().map(Node::json).collect::<Vec<_>>().into(),
            What::Map(members) => {
                members.iter().map(|member| (member.key.clone(), member.value.json())).collect::<Map<_, _>>().into()
            }
        }
    }

    /// JSON that has no lines any more: all of it is in `line`.
    fn of_json(value: Json, line: u64) -> Node {
        let what = match value {
            Json::Null => What::Nothing,
            Json::String(text) => What::Text(text),
            Json::Array(items) => What::List(items.into_iter().map(|item| Node::of_json(item, line)).collect()),
            Json::Object(object) => What::Map(
                object
                    .into_iter()
                    .map(|(key, value)| Member { line, key, value: Node::of_json(value, line) })
                    .collect(),
            ),
            other => What::Text(other.to_string()),
        };
        Node { line, what }
    }
}

/// Reads a JSON document that begins in line `first`.
///
/// # Errors
/// It is none, or one with too much in it.
pub fn read_json(text: &str, first: u64) -> Result<Node, Broken> {
    // JSON is YAML, but for tabs and a few escapes that YAML writes otherwise.
    if let Ok([document]) = read_yaml(&text.replace('\t', " ")).as_deref() {
        let mut document = document.clone();
        document.shift(first.saturating_sub(1));
        return Ok(document);
    }
    let value = serde_json::from_str::<Json>(text)
        .map_err(|error| Broken { line: first + (error.line() as u64).saturating_sub(1), why: error.to_string() })?;
    Ok(Node::of_json(value, first))
}

/// Reads the documents of a YAML file.
///
/// # Errors
/// It is none, or one with too much in it.
pub fn read_yaml(text: &str) -> Result<Vec<Node>, Broken> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| Broken { line: error.marker().line().max(1) as u64, why: error.info().to_owned() })?;
        let line = span.start.line().max(1) as u64;
        reader.take(event, line).map_err(|why| Broken { line, why })?;
    }
    Ok(reader.documents)
}

/// A list or map that is not closed yet.
struct Open {
    node: Node,
    key: Option<(u64, String)>,
    anchor: usize,
    tag: Option<String>,
    /// What a merge brings (`<<`), for the keys that the map does not have itself.
    merged: Vec<Member>,
    /// How many parts there were before it.
    before: usize,
}

#[derive(Default)]
struct Reader {
    documents: Vec<Node>,
    open: Vec<Open>,
    /// What anchors name, with the number of its parts.
    anchors: BTreeMap<usize, (Node, usize)>,
    parts: usize,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, line: u64) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1)?;
                let is_nothing = style == ScalarStyle::Plain && matches!(text.as_ref(), "" | "~" | "null");
                let what = if is_nothing { What::Nothing } else { What::Text(text.into_owned()) };
                self.put(Node { line, what }, anchor, short_tag(tag), 1)
            }
            Event::SequenceStart(anchor, tag) => self.open(What::List(Vec::new()), anchor, tag, line),
            Event::MappingStart(anchor, tag) => self.open(What::Map(Vec::new()), anchor, tag, line),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { mut node, anchor, tag, merged, before, .. }) = self.open.pop() else { return Ok(()) };
                if let What::Map(members) = &mut node.what {
                    for member in merged {
                        if !members.iter().any(|known| known.key == member.key) {
                            members.push(member);
                        }
                    }
                }
                let parts = self.parts.saturating_sub(before);
                self.put(node, anchor, tag, parts)
            }
            Event::Alias(anchor) => {
                let parts = self.anchors.get(&anchor).map_or(0, |(_, parts)| *parts);
                self.count(parts)?;
                let Some((node, parts)) = self.anchors.get(&anchor).cloned() else {
                    return Err("an alias within what it names".to_owned());
                };
                self.put(node, 0, None, parts)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn count(&mut self, parts: usize) -> Result<(), String> {
        self.parts += parts;
        match self.parts > MOST_PARTS {
            true => Err(format!("more than {MOST_PARTS} values, with those that aliases repeat")),
            false => Ok(()),
        }
    }

    fn open(&mut self, what: What, anchor: usize, tag: Option<Cow<'_, Tag>>, line: u64) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(format!("nested more than {DEEPEST} deep"));
        }
        let before = self.parts;
        self.count(1)?;
        self.open.push(Open {
            node: Node { line, what },
            key: None,
            anchor,
            tag: short_tag(tag),
            merged: Vec::new(),
            before,
        });
        Ok(())
    }

    /// Puts a whole part where it belongs.
    fn put(&mut self, node: Node, anchor: usize, tag: Option<String>, parts: usize) -> Result<(), String> {
        let node = match tag {
            Some(key) => {
                let line = node.line;
                Node { line, what: What::Map(vec![Member { line, key, value: node }]) }
            }
            None => node,
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), parts));
        }
        let Some(outer) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut outer.node.what {
            What::List(items) => items.push(node),
            What::Map(members) => match outer.key.take() {
                None => {
                    let text = match node.what {
                        What::Text(text) => text,
                        What::Nothing => String::new(),
                        What::List(_) | What::Map(_) => return Err("a key that is no text".to_owned()),
                    };
                    outer.key = Some((node.line, text));
                }
                Some((_, key)) if key == "<<" => {
                    outer.merged.extend(node.items().iter().flat_map(Node::members).cloned());
                }
                Some((line, key)) => members.push(Member { line, key, value: node }),
            },
            What::Nothing | What::Text(_) => {}
        }
        Ok(())
    }
}

/// The key that a short tag stands for (`!Ref`, `!GetAtt`).
fn short_tag(tag: Option<Cow<'_, Tag>>) -> Option<String> {
    let tag = tag.filter(|tag| tag.handle == "!")?;
    Some(match tag.suffix.as_str() {
        "Ref" | "Condition" => tag.suffix.clone(),
        name => format!("Fn::{name}"),
    })
}

impl Node {
    fn shift(&mut self, lines: u64) {
        if lines == 0 {
            return;
        }
        self.line += lines;
        match &mut self.what {
            What::List(items) => items.iter_mut().for_each(|item| item.shift(lines)),
            What::Map(members) => members.iter_mut().for_each(|member| {
                member.line += lines;
                member.value.shift(lines);
            }),
            What::Nothing | What::Text(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Node {
        let documents = read_yaml(text).unwrap();
        assert_eq!(documents.len(), 1, "{text}");
        documents[0].clone()
    }

    #[test]
    fn short_tags_are_the_maps_that_they_stand_for() {
        for (text, expected) in [
            ("a: !Ref b", json!({"a": {"Ref": "b"}})),
            ("a: !GetAtt b.Arn", json!({"a": {"Fn::GetAtt": "b.Arn"}})),
            ("a: !Sub\n - x${y}\n - y: !Ref z", json!({"a": {"Fn::Sub": ["x${y}", {"y": {"Ref": "z"}}]}})),
            (
                "a: !If [c, !Ref b, !Ref 'AWS::NoValue']",
                json!({"a": {"Fn::If": ["c", {"Ref": "b"}, {"Ref": "AWS::NoValue"}]}}),
            ),
            (
                "Version: 2012-10-17\nx:y:sub: repo:a/b:*\nn: 012\nt: true\nz:",
                json!({"Version": "2012-10-17", "x:y:sub": "repo:a/b:*", "n": "012", "t": "true", "z": null}),
            ),
            (
                "base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n",
                json!({"base": {"x": "1", "y": "2"}, "c": {"x": "1", "y": "3"}}),
            ),
        ] {
            assert_eq!(one(text).json(), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let node = one("# a comment\na:\n  b:\n    - c\n\n    - d: e\n");
        let b = node.get("a").unwrap().get("b").unwrap();
        assert_eq!((node.members()[0].line, b.items()[1].line), (2, 6));
        let json = read_json("{\n\t\"a\": {\n\t\t\"b\": \"\\/\"\n\t}\n}", 10).unwrap();
        assert_eq!(json.get("a").unwrap().members()[0].line, 12);
        let escaped = read_json("{\"a\": \"\\ud83d\\ude00\"}", 3).unwrap();
        assert_eq!((escaped.line, escaped.get("a").unwrap().text()), (3, Some("😀")));
    }

    #[test]
    fn too_much_is_refused_before_it_is_held() {
        for (part, end) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("!If [", "]")] {
            let nested = |depth: usize| read_yaml(&format!("{}x{}", part.repeat(depth), end.repeat(depth)));
            assert!(nested(DEEPEST).is_ok(), "{part}");
            assert!(nested(DEEPEST + 1).unwrap_err().why.contains("deep"), "{part}");
            assert!(nested(50_000).is_err(), "{part}");
        }
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..20 {
            let before = format!("*a{}", at - 1);
            laughs.push_str(&format!("a{at}: &a{at} [{}]\n", vec![before; 9].join(", ")));
        }
        assert!(read_yaml(&laughs).unwrap_err().why.contains("aliases"));
        for (text, line) in [("a: [1,\nb: }\n", 2), ("a: &x [*x]\n", 1), ("? [a]\n: b\n", 1), ("a: *none\n", 1)] {
            assert_eq!(read_yaml(text).map_err(|broken| broken.line), Err(line), "{text}");
        }
        assert!(read_json("{\"a\": ", 4).unwrap_err().line >= 4);
    }
}
