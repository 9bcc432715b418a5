//! How a client's failures read: the words that it is known by, and where it keeps the cloud's answer to itself.

use serde::{Deserialize, Serialize};

/// What a client prints where it fails.
#[derive(Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prints {
    /// Words that only its texts have, of which one is enough.
    pub marks: Vec<String>,
    /// What it says instead of the cloud's answer, where it goes on to another source of credentials or gives up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hides: Vec<String>,
    /// The one setting or command that shows the answer; without one, only an exchange of one's own does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub see: Option<String>,
}

/// The marks in a client's file; nothing where it has none. Far cheaper than reading the file: every explanation does it.
pub(super) fn marks_in(file: &'static str) -> Vec<&'static str> {
    let list = file.split_once("\"marks\":").map(|(_, list)| serde_json::Deserializer::from_str(list));
    list.and_then(|list| list.into_iter().next()?.ok()).unwrap_or_default()
}

impl Prints {
    /// Whether the text, where no cloud's answer stands in it, is one in which this client has swallowed it.
    pub fn is_swallowed_in(&self, text: &str) -> bool {
        self.hides.iter().any(|words| text.contains(words.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CLIENTS, Client};
    use super::*;

    #[test]
    fn the_marks_are_read_as_the_whole_file_has_them() {
        for entry in &CLIENTS {
            let client = entry.client().unwrap();
            let whole = client.prints.as_ref().map(|prints| prints.marks.clone()).unwrap_or_default();
            assert_eq!(marks_in(entry.text), whole, "{}", client.id);
        }
        assert!(marks_in(r#"{"name":"a"}"#).is_empty());
    }

    #[test]
    fn a_mark_is_one_clients_and_a_client_that_hides_is_known_by_one() {
        let mut all: Vec<(String, &str)> = Vec::new();
        for client in Client::all() {
            let Some(prints) = &client.prints else { continue };
            assert!(!prints.marks.is_empty() && prints.marks.iter().all(|mark| mark.len() >= 6), "{}", client.id);
            assert!(prints.see.is_none() || !prints.hides.is_empty(), "{}", client.id);
            all.extend(prints.marks.iter().map(|mark| (mark.to_lowercase(), client.id)));
        }
        all.sort();
        let twice: Vec<_> = all.windows(2).filter(|pair| pair[0].0 == pair[1].0).collect();
        assert!(twice.is_empty() && all.len() > 40, "{twice:?}");
    }

    #[test]
    fn what_is_swallowed_is_known_by_the_words_that_stand_for_it() {
        let opendal = Client::named("opendal").and_then(|client| client.prints.as_ref()).unwrap();
        assert!(opendal.is_swallowed_in("Source:\n   failed to load signing credential"));
        assert!(!opendal.is_swallowed_in("Unexpected (permanent) at read => NotFound"));
    }
}
