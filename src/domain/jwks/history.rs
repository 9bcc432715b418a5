//! What an issuer's key set was seen to hold over time, and what its rotation did to tokens that had not expired: a key that
//! leaves the set takes every token with it that names it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Jwks;
use crate::domain::timestamp::{UnixSeconds, in_words};

/// The longest that a token of an issuer is taken to live where nothing tells: what Entra allows, in seconds.
const LONGEST_TOKEN_S: i64 = 25 * 3600;

/// The schema's name.
const SCHEMA: &str = "trustline.issuer-keys/1";

/// The keys of one issuer, as they were seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyHistory {
    schema: String,
    pub issuer: String,
    /// By `kid`.
    keys: BTreeMap<String, Seen>,
}

/// When a key was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    first: UnixSeconds,
    last: UnixSeconds,
    /// How long the answer that had it last may be kept, by its own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cached_s: Option<i64>,
}

/// A key that was published and is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DroppedKey {
    pub kid: String,
    pub last_seen: UnixSeconds,
    /// How long it was seen to be published.
    pub published_for_s: i64,
    /// How long ago it was published, at most.
    pub gone_for_s: i64,
    /// How much longer a cloud that keeps the key set may still know it, where the issuer says how long that may be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_for_s: Option<i64>,
}

/// Why a text is no history of this issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    #[error("not a record of an issuer's keys: {0}")]
    Unreadable(String),
    #[error("a record of another issuer, `{0}`")]
    OtherIssuer(String),
}

impl KeyHistory {
    /// Nothing seen yet.
    pub fn of(issuer: &str) -> KeyHistory {
        KeyHistory { schema: SCHEMA.to_owned(), issuer: issuer.to_owned(), keys: BTreeMap::new() }
    }

    /// Reads a record of `issuer`.
    ///
    /// # Errors
    /// Where the text is something else, or about another issuer.
    pub fn parse(text: &[u8], issuer: &str) -> Result<KeyHistory, HistoryError> {
        let read: KeyHistory =
            serde_json::from_slice(text).map_err(|error| HistoryError::Unreadable(error.to_string()))?;
        match read {
            KeyHistory { schema, .. } if schema != SCHEMA => {
                Err(HistoryError::Unreadable(format!("its schema is `{schema}`, not `{SCHEMA}`")))
            }
            other if other.issuer != issuer => Err(HistoryError::OtherIssuer(other.issuer)),
            read => Ok(read),
        }
    }

    /// Adds what is published now, and tells which keys are gone since.
    pub fn see(&mut self, set: &Jwks, now: UnixSeconds, cached_s: Option<i64>) -> Vec<DroppedKey> {
        let published: Vec<&str> = set.keys.iter().filter_map(|key| key.kid.as_deref()).collect();
        let dropped = self.dropped(&published, now);
        for kid in published {
            let first = self.keys.get(kid).map_or(now, |seen| seen.first);
            self.keys.insert(kid.to_owned(), Seen { first, last: now, cached_s });
        }
        self.keys.retain(|_, seen| now.saturating_sub(seen.last) <= LONGEST_TOKEN_S);
        dropped
    }

    fn dropped(&self, published: &[&str], now: UnixSeconds) -> Vec<DroppedKey> {
        let gone = self.keys.iter().filter(|(kid, _)| !published.contains(&kid.as_str()));
        gone.map(|(kid, seen)| {
            let gone_for_s = now.saturating_sub(seen.last);
            DroppedKey {
                kid: kid.clone(),
                last_seen: seen.last,
                published_for_s: seen.last.saturating_sub(seen.first),
                gone_for_s,
                cached_for_s: seen.cached_s.map(|kept| kept.saturating_sub(gone_for_s).max(0)),
            }
        })
        .filter(|dropped| dropped.gone_for_s <= LONGEST_TOKEN_S)
        .collect()
    }
}

impl DroppedKey {
    /// What happened, in a sentence.
    pub fn words(&self) -> String {
        format!(
            "the key `{}`, published {} ago, is gone: a token that it signed and that has not expired is refused",
            self.kid,
            in_words(self.gone_for_s.unsigned_abs())
        )
    }

    /// How long caches may let it live, in a sentence.
    pub fn cache(&self) -> String {
        match self.cached_for_s {
            Some(0) => "no cache may hold it any more (Cache-Control)".to_owned(),
            Some(left) => format!("a cache may hold it for {} yet (Cache-Control)", in_words(left.unsigned_abs())),
            None => "how long a cloud keeps the former set, the issuer does not say (no Cache-Control)".to_owned(),
        }
    }
}

/// How long an answer may be kept, by its `Cache-Control`: nothing where it says that it may not, or says nothing.
pub fn cache_seconds(cache_control: &str) -> Option<i64> {
    let directives = || cache_control.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    if directives().any(|directive| matches!(directive.as_str(), "no-store" | "no-cache")) {
        return Some(0);
    }
    directives().find_map(|directive| directive.strip_prefix("max-age=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://id.example.com";

    fn set(kids: &[&str]) -> Jwks {
        let keys: Vec<_> = kids.iter().map(|kid| json!({ "kty": "RSA", "kid": kid })).collect();
        Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
    }

    /// A record as it was kept, and read again.
    fn kept(history: &KeyHistory) -> KeyHistory {
        KeyHistory::parse(serde_json::to_string(history).unwrap().as_bytes(), ISSUER).unwrap()
    }

    #[test]
    fn a_key_that_leaves_is_told_as_long_as_its_tokens_may_live() {
        let mut history = KeyHistory::of(ISSUER);
        assert_eq!(history.see(&set(&["old"]), 1000, Some(3600)), []);
        let mut history = kept(&history);
        assert_eq!(history.see(&set(&["old", "new"]), 2000, Some(3600)), []);
        let mut history = kept(&history);
        let dropped = history.see(&set(&["new"]), 2600, None);
        let [only] = dropped.as_slice() else { panic!("{dropped:?}") };
        assert_eq!(
            (only.kid.as_str(), only.last_seen, only.published_for_s, only.gone_for_s),
            ("old", 2000, 1000, 600)
        );
        assert_eq!(only.cached_for_s, Some(3000));
        assert!(only.words().contains("`old`, published 10 min"), "{}", only.words());
        assert!(only.cache().contains("50 min"), "{}", only.cache());
        // It is told again until nothing that it signed can be alive.
        assert_eq!(kept(&history).see(&set(&["new"]), 2000 + LONGEST_TOKEN_S, None).len(), 1);
        assert_eq!(kept(&history).see(&set(&["new"]), 2001 + LONGEST_TOKEN_S, None), []);
    }

    #[test]
    fn a_key_that_returns_is_no_loss() {
        let mut history = KeyHistory::of(ISSUER);
        history.see(&set(&["a", "b"]), 0, None);
        assert_eq!(history.see(&set(&["b"]), 10, None).len(), 1);
        assert_eq!(history.see(&set(&["a", "b"]), 20, None), []);
    }

    #[test]
    fn what_caches_may_keep() {
        for (header, seconds) in [
            ("public, max-age=3600, stale-if-error=3600", Some(3600)),
            ("no-cache, no-store", Some(0)),
            ("Max-Age=15", Some(15)),
            ("public", None),
        ] {
            assert_eq!(cache_seconds(header), seconds, "{header}");
        }
    }

    #[test]
    fn other_records_are_refused() {
        let other = serde_json::to_string(&KeyHistory::of("https://other.example")).unwrap();
        assert_eq!(
            KeyHistory::parse(other.as_bytes(), ISSUER),
            Err(HistoryError::OtherIssuer("https://other.example".into()))
        );
        for text in ["", "{}", "[]", r#"{"schema":"x","issuer":"https://id.example.com","keys":{}}"#] {
            assert!(matches!(KeyHistory::parse(text.as_bytes(), ISSUER), Err(HistoryError::Unreadable(_))), "{text}");
        }
    }
}
