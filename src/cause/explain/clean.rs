//! An error text as it came, made plain: colours, timestamps, escapes and line breaks of its wrapping removed.

/// The text on one line, wrapping removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clean {
    /// One line, single blanks, letter case kept.
    pub text: String,
    /// Where in `text` a line of the original began, ascending.
    pub line_starts: Vec<usize>,
}

impl Clean {
    /// Where the original's line that holds `at` ends.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let next = self.line_starts.partition_point(|start| *start <= at);
        self.line_starts.get(next).map_or(self.text.len(), |start| (*start).min(self.text.len()))
    }

    /// Where the original's line that holds `at` begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let next = self.line_starts.partition_point(|start| *start <= at);
        next.checked_sub(1).and_then(|i| self.line_starts.get(i)).map_or(0, |start| (*start).min(self.text.len()))
    }
}

/// Removes what terminals, log collectors and encoders added. Linear in the text's length.
pub(super) fn clean(raw: &str) -> Clean {
    let mut out = Writer { text: String::with_capacity(raw.len()), line_starts: vec![0], pending_blank: false };
    for line in raw.split('\n') {
        out.break_line();
        write_line(skip_line_prefix(line), &mut out);
    }
    Clean { text: out.text, line_starts: out.line_starts }
}

struct Writer {
    text: String,
    line_starts: Vec<usize>,
    pending_blank: bool,
}

impl Writer {
    fn push(&mut self, part: &str) {
        if self.pending_blank && !self.text.is_empty() {
            self.text.push(' ');
        }
        self.pending_blank = false;
        self.text.push_str(part);
    }

    fn blank(&mut self) {
        self.pending_blank = true;
    }

    fn break_line(&mut self) {
        self.blank();
        let start = if self.text.is_empty() { 0 } else { self.text.len() + 1 };
        if self.line_starts.last() != Some(&start) {
            self.line_starts.push(start);
        }
    }
}

/// Skips the frame Terraform draws, and the time a collector put before the line.
fn skip_line_prefix(line: &str) -> &str {
    let line = line.trim_start_matches(['\u{feff}', ' ', '\t', '│', '╷', '╵', '┃', '|']);
    let line = skip_timestamp(line);
    line.trim_start_matches([' ', '\t', '│', '╷', '╵', '┃'])
}

/// Skips `2025-01-31T10:00:00.0000000Z ` and the forms close to it, when more follows on the line.
fn skip_timestamp(line: &str) -> &str {
    let bytes = line.as_bytes();
    let shape = b"dddd-dd-dd_dd:dd:dd";
    let fits = bytes.len() > shape.len()
        && shape.iter().zip(bytes).all(|(wanted, found)| match wanted {
            b'd' => found.is_ascii_digit(),
            b'_' => matches!(found, b'T' | b' '),
            other => other == found,
        });
    if !fits {
        return line;
    }
    let rest = line[shape.len()..]
        .trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':' | '+' | '-' | 'Z'));
    if rest.starts_with([' ', '\t']) { rest } else { line }
}

fn write_line(line: &str, out: &mut Writer) {
    let mut rest = line;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|b| !is_plain(b)).unwrap_or(rest.len());
        if plain > 0 {
            out.push(&rest[..plain]);
            rest = &rest[plain..];
            continue;
        }
        rest = write_special(rest, out);
    }
}

/// Whether a byte is copied as it is, whatever stands around it.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !matches!(byte, b'\\' | b'&' | b'[')
}

/// Writes what the text's first character stands for, and returns what follows it.
fn write_special<'t>(text: &'t str, out: &mut Writer) -> &'t str {
    match text.as_bytes()[0] {
        0x1b => skip_ansi(&text[1..]),
        b'[' => match skip_orphaned_colour(text) {
            Some(rest) => rest,
            None => {
                out.push("[");
                &text[1..]
            }
        },
        b'\\' => write_escape(text, out),
        b'&' => match ENTITIES.iter().find(|(name, _)| text.starts_with(name)) {
            Some((name, meaning)) => {
                if *meaning == " " {
                    out.blank()
                } else {
                    out.push(meaning)
                }
                &text[name.len()..]
            }
            None => {
                out.push("&");
                &text[1..]
            }
        },
        byte if byte.is_ascii() => {
            out.blank();
            &text[1..]
        }
        _ => {
            let c = text.chars().next().unwrap_or(' ');
            match c {
                '\u{2018}' | '\u{2019}' => out.push("'"),
                '\u{201c}' | '\u{201d}' => out.push("\""),
                '\u{9b}' => return skip_ansi_parameters(&text[c.len_utf8()..]),
                '│' | '╷' | '╵' | '┃' => out.blank(),
                c if c.is_whitespace() || c.is_control() => out.blank(),
                c => out.push(c.encode_utf8(&mut [0; 4])),
            }
            &text[c.len_utf8()..]
        }
    }
}

const ENTITIES: &[(&str, &str)] = &[
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&#039;", "'"),
    ("&apos;", "'"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&amp;", "&"),
    ("&nbsp;", " "),
];

/// Skips an escape sequence behind its ESC: control sequences, operating system commands, and two-character ones.
fn skip_ansi(rest: &str) -> &str {
    if let Some(parameters) = rest.strip_prefix('[') {
        return skip_ansi_parameters(parameters);
    }
    if let Some(command) = rest.strip_prefix(']') {
        let end = command.find(['\u{7}', '\u{1b}']).unwrap_or(command.len());
        let tail = &command[end..];
        return tail.strip_prefix('\u{7}').or_else(|| tail.strip_prefix("\u{1b}\\")).unwrap_or(tail);
    }
    let mut chars = rest.chars();
    chars.next();
    chars.as_str()
}

fn skip_ansi_parameters(parameters: &str) -> &str {
    match parameters.bytes().position(|b| !matches!(b, b' '..=b'?')) {
        Some(end) if (b'@'..=b'~').contains(&parameters.as_bytes()[end]) => &parameters[end + 1..],
        _ => parameters,
    }
}

/// Skips `[31m` whose ESC was lost on the way.
fn skip_orphaned_colour(text: &str) -> Option<&str> {
    let codes = text.strip_prefix('[')?;
    let end = codes.bytes().position(|b| !(b.is_ascii_digit() || b == b';'))?;
    (end <= 12 && codes[end..].starts_with('m')).then(|| &codes[end + 1..])
}

/// Writes what an escape of JSON, Go or Python stands for; escapes of escapes count as one.
fn write_escape<'t>(text: &'t str, out: &mut Writer) -> &'t str {
    let rest = text.trim_start_matches('\\');
    let Some(kind) = rest.bytes().next() else { return rest };
    match kind {
        b'r' | b'n' | b't' => {
            out.blank();
            &rest[1..]
        }
        b'"' => {
            out.push("\"");
            &rest[1..]
        }
        b'\'' => {
            out.push("'");
            &rest[1..]
        }
        b'/' => {
            out.push("/");
            &rest[1..]
        }
        b'u' => match rest.get(1..5).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(c) if c.is_whitespace() || c.is_control() => {
                out.blank();
                &rest[5..]
            }
            Some(c) => {
                match c {
                    '\u{2018}' | '\u{2019}' => out.push("'"),
                    c => out.push(c.encode_utf8(&mut [0; 4])),
                }
                &rest[5..]
            }
            None => {
                out.push("\\u");
                &rest[1..]
            }
        },
        _ => {
            out.push("\\");
            rest
        }
    }
}

/// The longest piece that is kept, in bytes.
pub(super) const LONGEST: usize = 2_048;

/// What follows the first of these marks in the text.
pub(super) fn after<'t>(text: &'t str, marks: &[&str]) -> Option<&'t str> {
    marks.iter().find_map(|mark| text.split_once(mark)).map(|(_, rest)| rest)
}

pub(super) fn word_after(text: &str, marks: &[&str]) -> Option<String> {
    let word = after(text, marks)?.split([' ', '"', '\'', ',', '<', ')']).next()?;
    kept(word.trim_end_matches(['.', ';', ':']))
}

pub(super) fn quoted_after(text: &str, marks: &[&str]) -> Option<String> {
    marks.iter().find_map(|mark| {
        let rest = after(text, &[mark])?;
        let inner = rest.strip_prefix('\'').or_else(|| rest.strip_prefix('"'))?;
        kept(&inner[..inner.find(['\'', '"'])?])
    })
}

pub(super) fn between(text: &str, left: &str, right: &str) -> Option<String> {
    let rest = after(text, &[left])?;
    kept(&rest[..rest.find(right)?])
}

pub(super) fn parameter(text: &str, name: &str) -> Option<String> {
    kept(after(text, &[name])?.split([';', '\'', '"', ' ', ',']).next()?)
}

pub(super) fn identifier(text: &str, marks: &[&str]) -> Option<String> {
    let id: String = after(text, marks)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    kept(&id)
}

pub(super) fn first_part(text: &str) -> String {
    text.split(';').next().unwrap_or(text).to_owned()
}

pub(super) fn as_issuer(text: String) -> String {
    if text.starts_with("://") { format!("https{text}") } else { text }
}

pub(super) fn kept(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= LONGEST).then(|| text.to_owned())
}

/// The host that a message of the network is about: of the address nearest to it.
pub(super) fn host(text: &str, start: usize, end: usize) -> Option<String> {
    let from = text.floor_char_boundary(start.saturating_sub(400));
    let to = text.floor_char_boundary(end.saturating_add(300).min(text.len()));
    let window = &text[from..to];
    let marks = [
        "https://",
        "http://",
        "lookup ",
        "getaddrinfo ENOTFOUND ",
        "getaddrinfo EAI_AGAIN ",
        "UnknownHostException: ",
        "host='",
        "Could not resolve host: ",
        "Failed to connect to ",
        "Failed to resolve '",
    ];
    marks
        .iter()
        .flat_map(|mark| window.match_indices(mark).map(move |(at, _)| at + mark.len()))
        .filter_map(|at| {
            let rest = &window[at..];
            let length = rest
                .bytes()
                .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')))
                .unwrap_or(rest.len());
            let host = rest[..length].trim_end_matches('.');
            (host.contains('.') && !is_advice(host)).then(|| ((from + at).abs_diff(start), host.to_owned()))
        })
        .min()
        .map(|(_, host)| host)
}

/// Whether a host only appears because messages link to pages of help.
fn is_advice(host: &str) -> bool {
    [
        "learn.microsoft.com",
        "docs.microsoft.com",
        "aka.ms",
        "go.microsoft.com",
        "docs.aws.amazon.com",
        "console.aws.amazon.com",
        "github.com",
        "cloud.google.com",
        "console.developers.google.com",
        "nodejs.org",
        "curl.se",
        "pkg.go.dev",
        "docs.github.com",
    ]
    .contains(&host)
}

/// The region in a host name of AWS, such as `sts.eu-west-1.amazonaws.com`.
pub(super) fn region_of_host(host: &str) -> Option<String> {
    let name = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let region = name.rsplit('.').next()?;
    (region.matches('-').count() >= 2 && region.ends_with(|c: char| c.is_ascii_digit())).then(|| region.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn cleans(raw: &str, wanted: &str) {
        assert_eq!(clean(raw).text, wanted);
    }

    #[test]
    fn removes_colours_and_collectors_times() {
        cleans("2025-01-31T10:00:00.1234567Z \u{1b}[31mError:\u{1b}[0m no\n2025-01-31T10:00:01Z way", "Error: no way");
        cleans("##[error][31mdenied[0m", "##[error]denied");
        cleans("\u{1b}]0;title\u{7}ok \u{1b}]8;;x\u{1b}\\link", "ok link");
    }

    #[test]
    fn keeps_times_that_are_the_message() {
        cleans("Current time: 2024-05-28T06:01:42Z", "Current time: 2024-05-28T06:01:42Z");
        cleans("2025-10-13 14:54:34Z", "2025-10-13 14:54:34Z");
    }

    #[test]
    fn unfolds_frames_escapes_and_entities() {
        cleans("╷\n│ Error: a\n│   b\n╵", "Error: a b");
        cleans(r"text.\r\nTrace ID: x\\r\\ny", "text. Trace ID: x y");
        cleans(r#"{\"error\":\"it\u0027s\"}"#, r#"{"error":"it's"}"#);
        cleans("can&#39;t &lt;b&gt; &amp;&nbsp;x", "can't <b> & x");
        cleans("can’t “x”", "can't \"x\"");
    }

    #[test]
    fn a_stray_backslash_stays() {
        cleans(r"arn:aws:iam::1\:role/x", r"arn:aws:iam::1\:role/x");
    }

    #[test]
    fn lines_can_be_found_again() {
        let clean = clean("one two\n\nthree\n");
        assert_eq!(clean.text, "one two three");
        assert_eq!(&clean.text[clean.line_start(9)..clean.line_end(9)], "three");
        assert_eq!(&clean.text[clean.line_start(2)..clean.line_end(2)], "one two ");
    }
}
