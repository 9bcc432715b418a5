//! Pieces of a text found by what stands before and behind them.

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
