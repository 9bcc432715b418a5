//! The XML of the answers.

use http::HeaderName;

use super::{Answer, Fault};

const CONTENT_TYPE: &str = "text/xml";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An element with text or with elements in it.
pub(in crate::lab) enum Element {
    Text(&'static str, String),
    Of(&'static str, Vec<Element>),
}

impl Element {
    pub(in crate::lab) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Element::Text(name, text.into())
    }

    pub(in crate::lab) fn of(name: &'static str, elements: Vec<Element>) -> Self {
        Element::Of(name, elements)
    }

    fn write(&self, out: &mut String, indent: usize) {
        let pad = "  ".repeat(indent);
        match self {
            Element::Text(name, text) => out.push_str(&format!("{pad}<{name}>{}</{name}>\n", escape(text))),
            Element::Of(name, elements) => {
                out.push_str(&format!("{pad}<{name}>\n"));
                elements.iter().for_each(|element| element.write(out, indent + 1));
                out.push_str(&format!("{pad}</{name}>\n"));
            }
        }
    }
}

/// A successful answer.
pub(super) fn outcome(namespace: &str, action: &'static str, result: Vec<Element>, request_id: &str) -> Answer {
    let mut body = format!("<{action}Response xmlns=\"{namespace}\">\n");
    // Actions without a result have no element for it.
    if !result.is_empty() {
        body.push_str(&format!("  <{action}Result>\n"));
        result.iter().for_each(|element| element.write(&mut body, 2));
        body.push_str(&format!("  </{action}Result>\n"));
    }
    Element::of("ResponseMetadata", vec![Element::text("RequestId", request_id)]).write(&mut body, 1);
    body.push_str(&format!("</{action}Response>\n"));
    Answer::new(200, CONTENT_TYPE, body).with_header(REQUEST_ID, request_id.to_owned())
}

/// A refusal.
pub(super) fn fault(namespace: &str, fault: &Fault, request_id: &str) -> Answer {
    let side = if fault.status < 500 { "Sender" } else { "Receiver" };
    let mut body = format!("<ErrorResponse xmlns=\"{namespace}\">\n");
    let error = vec![
        Element::text("Type", side),
        Element::text("Code", fault.code),
        Element::text("Message", fault.message.clone()),
    ];
    Element::of("Error", error).write(&mut body, 1);
    Element::text("RequestId", request_id).write(&mut body, 1);
    body.push_str("</ErrorResponse>\n");
    Answer::new(fault.status, CONTENT_TYPE, body).with_header(REQUEST_ID, request_id.to_owned())
}

/// Text fit for an element; characters that XML 1.0 cannot carry become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_break_out() {
        assert_eq!(escape("<a> & \u{1}\r"), "&lt;a&gt; &amp; \u{fffd}&#13;");
    }

    #[test]
    fn a_refusal_says_whose_fault_it_is() {
        let answer = fault("urn:x", &Fault::internal("x < y"), "id-1");
        assert_eq!(answer.status, 500);
        for part in ["<Type>Receiver</Type>", "<Code>InternalFailure</Code>", "x &lt; y", "<RequestId>id-1</RequestId>"]
        {
            assert!(answer.body.contains(part), "{}", answer.body);
        }
    }
}
