//! Cuts a stream of JSON into the objects of its lists, whatever wraps them, and holds one object at a time: logs and the
//! answers about whole accounts are hundreds of megabytes, and what matters in them is little.

use std::io::{self, ErrorKind, Read};

use memchr::{memchr_iter, memchr2, memrchr};

/// A text longer than this is the name of no list.
const LONGEST_NAME: usize = 32;
/// An object longer than this is nothing that is looked for, and is not kept.
const LONGEST: usize = 16 << 20;
const CHUNK: usize = 128 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a stream could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum JsonStreamError {
    #[error("{0}")]
    Io(#[from] io::Error),
    /// What is wrong, and where.
    #[error("line {line}, column {column}: {what}")]
    Broken { line: u64, column: u64, what: String },
}

/// An object of a list, or a document of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'s> {
    /// The name of the list that it is in, where it is one of those that are looked for.
    pub list: Option<&'static str>,
    /// The line that it ends in, counted from 1.
    pub last_line: u64,
    pub bytes: &'s [u8],
}

/// What came of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streamed {
    /// The documents, one after another.
    pub documents: u64,
    /// The objects of more than 16 MiB, which were passed over.
    pub passed_over: u64,
}

/// What is told of each object. An error ends the reading, at the object's end.
pub type Visit<'v> = dyn FnMut(Item<'_>) -> Result<(), String> + 'v;

/// Reads all of `input`: one document, or several after another. `lists` are the members of the outermost object whose
/// objects are told of; an object without any of them is told of as a whole, and so are those of a list that is the document.
///
/// # Errors
/// It cannot be read, is not JSON or ends too early; or `visit` refused an object.
pub fn split(
    mut input: impl Read,
    lists: &'static [&'static str],
    visit: &mut Visit<'_>,
) -> Result<Streamed, JsonStreamError> {
    let mut splitter = Splitter { lists, ..Splitter::default() };
    let mut chunk = vec![0; CHUNK];
    let mut is_first = true;
    loop {
        let filled = fill(&mut input, &mut chunk)?;
        let bytes = chunk.get(..filled).unwrap_or_default();
        let marked = if is_first { bytes.strip_prefix(BYTE_ORDER_MARK) } else { None };
        is_first = false;
        if bytes.is_empty() {
            return splitter.end();
        }
        splitter.feed(marked.unwrap_or(bytes), visit)?;
    }
}

/// Fills the chunk as far as there is something to read.
fn fill(input: &mut impl Read, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// What is known between two chunks.
#[derive(Default)]
struct Splitter {
    lists: &'static [&'static str],
    /// The list that is open.
    list: Option<&'static str>,
    /// How many objects and lists are open.
    depth: usize,
    /// How many are where the objects begin that are told.
    begins: usize,
    in_text: bool,
    in_escape: bool,
    /// The last text of the outermost object, as far as it can be a list's name.
    name: Vec<u8>,
    is_name: bool,
    streamed: Streamed,
    /// Whether an object is open that will be told, and its bytes of earlier chunks.
    is_object: bool,
    object: Vec<u8>,
    /// The lines before this chunk, and the bytes of the line that it goes on with.
    lines: u64,
    column: u64,
    /// How far the lines of this chunk are counted, and how many there are.
    counted: usize,
    lines_here: u64,
}

impl Splitter {
    fn feed(&mut self, chunk: &[u8], visit: &mut Visit<'_>) -> Result<(), JsonStreamError> {
        let mut at = 0;
        let mut from = 0;
        while let Some(rest) = chunk.get(at..).filter(|rest| !rest.is_empty()) {
            if self.in_text {
                at += self.text(rest);
                continue;
            }
            let Some(skipped) = rest.iter().position(|byte| self.counts(*byte)) else { break };
            at += skipped;
            let byte = chunk.get(at).copied().unwrap_or_default();
            match byte {
                b'"' if self.depth > 0 => {
                    self.in_text = true;
                    self.is_name = self.depth == 1 && self.begins != 1;
                    self.name.clear();
                }
                b'{' | b'[' => {
                    if byte == b'{' && !self.is_object && self.depth == self.begins {
                        self.is_object = true;
                        from = at;
                    }
                    if byte == b'[' {
                        self.opens_list();
                    }
                    self.depth += 1;
                }
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.is_object && self.depth == self.begins {
                        self.is_object = false;
                        self.object.extend_from_slice(chunk.get(from..=at).unwrap_or_default());
                        let told = self.tell(chunk, at, visit);
                        self.object.clear();
                        self.object.shrink_to(CHUNK);
                        told.map_err(|what| self.broken(chunk, at, what))?;
                    }
                    if self.depth == 0 {
                        self.streamed.documents += 1;
                        self.begins = 0;
                    } else if self.depth == 1 && self.begins == 2 {
                        // Another list may follow; the object around them is told of no more.
                        self.begins = 0;
                        self.list = None;
                    }
                }
                _ => {
                    let found = String::from_utf8_lossy(rest.get(skipped..).unwrap_or_default());
                    let found = found.chars().next().unwrap_or_default();
                    return Err(self.broken(chunk, at, format!("`{found}` begins no JSON object or list")));
                }
            }
            at += 1;
        }
        if self.is_object {
            self.object.extend_from_slice(chunk.get(from..).unwrap_or_default());
            if self.object.len() > LONGEST {
                self.is_object = false;
                self.object = Vec::new();
                self.streamed.passed_over += 1;
            }
        }
        let (lines, column) = self.place(chunk, chunk.len());
        (self.lines, self.column) = (lines, column);
        (self.counted, self.lines_here) = (0, 0);
        Ok(())
    }

    /// Tells of the object that ends at `at`.
    fn tell(&mut self, chunk: &[u8], at: usize, visit: &mut Visit<'_>) -> Result<(), String> {
        if self.object.len() > LONGEST {
            self.streamed.passed_over += 1;
            return Ok(());
        }
        self.count_lines(chunk, at);
        visit(Item { list: self.list, last_line: self.lines + self.lines_here + 1, bytes: &self.object })
    }

    /// Counts the lines of this chunk up to `at`, each once.
    fn count_lines(&mut self, chunk: &[u8], at: usize) {
        self.lines_here += memchr_iter(b'\n', chunk.get(self.counted..at).unwrap_or_default()).count() as u64;
        self.counted = at;
    }

    /// Goes on in a text, to its end or as far as there is something; yields how far.
    fn text(&mut self, rest: &[u8]) -> usize {
        if self.in_escape {
            self.in_escape = false;
            return 1;
        }
        let end = memchr2(b'"', b'\\', rest);
        if self.is_name && self.name.len() < LONGEST_NAME {
            self.name.extend(rest.iter().take(end.unwrap_or(rest.len()).min(LONGEST_NAME)));
        }
        match end {
            None => return rest.len(),
            Some(end) if rest.get(end) == Some(&b'\\') => self.in_escape = true,
            Some(_) => self.in_text = false,
        }
        end.map_or(rest.len(), |end| end + 1)
    }

    /// A list begins: the document itself, or the events' in the outermost object, which then is none itself.
    fn opens_list(&mut self) {
        if self.depth == 0 {
            self.begins = 1;
        } else if self.depth == 1
            && self.begins != 1
            && let Some(list) = self.lists.iter().find(|list| list.as_bytes() == self.name)
        {
            self.list = Some(list);
            self.begins = 2;
            self.is_object = false;
            self.object.clear();
        }
    }

    /// Whether a byte outside of texts changes anything; between documents every byte that is no blank does.
    const fn counts(&self, byte: u8) -> bool {
        match byte {
            b'"' | b'{' | b'}' | b'[' | b']' => true,
            b' ' | b'\n' | b'\r' | b'\t' => false,
            _ => self.depth == 0,
        }
    }

    fn end(&self) -> Result<Streamed, JsonStreamError> {
        if self.depth == 0 && !self.in_text {
            return Ok(self.streamed);
        }
        Err(self.broken(&[], 0, "the text ends here, inside of an object or list".to_owned()))
    }

    fn broken(&self, chunk: &[u8], at: usize, what: String) -> JsonStreamError {
        let (lines, column) = self.place(chunk, at);
        JsonStreamError::Broken { line: lines + 1, column: column + 1, what }
    }

    /// The whole lines before a place of this chunk, and the bytes of its own line.
    fn place(&self, chunk: &[u8], at: usize) -> (u64, u64) {
        let before = chunk.get(..at).unwrap_or_default();
        let lines = self.lines + memchr_iter(b'\n', before).count() as u64;
        match memrchr(b'\n', before) {
            Some(end) => (lines, (at - end - 1) as u64),
            None => (lines, self.column + at as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const LISTS: &[&str] = &["Records", "Events", "value"];

    /// A reader that yields a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn objects(text: &str) -> Result<Vec<Value>, JsonStreamError> {
        let mut found = Vec::new();
        split(Slow(text.as_bytes(), 7), LISTS, &mut |object| {
            found.push(serde_json::from_slice(object.bytes).map_err(|error| error.to_string())?);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn objects_are_found_whatever_wraps_them() {
        let (a, b) = (json!({"a": "}{\"\\"}), json!({"b": [{"Records": [1]}, "]"]}));
        for (name, text) in [
            ("one", format!("\u{feff}{a:#}\n")),
            ("lines", format!("{a}\n{b}\n")),
            ("a list", format!("[{a}, {b}, 3, [{{}}]]")),
            ("a log file", json!({"x": "Records", "Records": [a, b]}).to_string()),
            ("looked up", format!("{:#}", json!({"Events": [a, b], "NextToken": "x", "y": [{"no": 1}]}))),
            ("several files", format!("{}{}", json!({"Records": [a]}), json!({"@odata.context": "x", "value": [b]}))),
        ] {
            let found = objects(&text).unwrap();
            let expected = if name == "one" { vec![a.clone()] } else { vec![a.clone(), b.clone()] };
            assert_eq!(found, expected, "{name}");
        }
        assert!(objects(r#"{"Records": []}"#).unwrap().is_empty());
    }

    #[test]
    fn several_lists_of_one_object_are_told_apart_with_their_lines() {
        let text = "{\"Records\": [{},\n {}],\n \"x\": [{}], \"Events\": [\n{}]}\n{\"value\": [{}]}";
        let mut found = Vec::new();
        let streamed = split(Slow(text.as_bytes(), 5), LISTS, &mut |item| {
            found.push((item.list.unwrap_or_default(), item.last_line));
            Ok(())
        });
        assert_eq!(found, [("Records", 1), ("Records", 2), ("Events", 4), ("value", 5)]);
        assert_eq!(streamed.unwrap().documents, 2);
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        for (text, line, column, what) in [
            ("\n {\"a\": [1,\n2", 3, 2, "ends here"),
            ("{\"a\": \"never", 1, 13, "ends here"),
            ("<html>", 1, 1, "`<` begins no JSON"),
            ("{}\n }", 2, 2, "`}` begins no JSON"),
            ("\"text\"", 1, 1, "`\"` begins no JSON"),
        ] {
            match objects(text) {
                Err(JsonStreamError::Broken { line: l, column: c, what: w }) => {
                    assert_eq!((l, c), (line, column), "{text}");
                    assert!(w.contains(what), "{text}: {w}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_object_longer_than_any_event_is_passed_over() {
        let long = "x".repeat(LONGEST);
        let mut seen = Vec::new();
        let text = format!("{{\"Records\": [{{\"a\": \"{long}\"}}, {{\"b\": 1}}]}}");
        let streamed = split(text.as_bytes(), LISTS, &mut |object| {
            seen.push(object.bytes.len());
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [8]);
        assert_eq!(streamed, Streamed { documents: 1, passed_over: 1 });
    }

    proptest! {
        #[test]
        fn any_bytes_are_split_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), step in 1..9_usize) {
            let _ = split(Slow(&bytes, step), LISTS, &mut |_| Ok(()));
        }

        #[test]
        fn any_values_of_a_list_come_back(texts in proptest::collection::vec(".{0,12}", 0..6)) {
            let values: Vec<Value> = texts.iter().map(|text| json!({text.as_str(): [text, {"x": text}]})).collect();
            prop_assert_eq!(objects(&json!({"Records": values}).to_string()).unwrap(), values);
        }
    }
}
