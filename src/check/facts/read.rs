//! A read of the cloud's own side: its answer, the permission that it takes, and what it waited for.

use serde::Serialize;

use super::secret::{Answer, Call};
use crate::domain::timestamp::in_words;

/// How often a service had no time for what it was asked, and how long that took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Throttled {
    pub times: u32,
    /// Milliseconds of waiting, of calls side by side the longest.
    pub waited_ms: u64,
}

impl Throttled {
    /// Whether every call was answered at once.
    pub fn is_none(&self) -> bool {
        self.times == 0
    }

    /// What calls side by side met together.
    #[must_use]
    pub fn beside(self, other: Throttled) -> Throttled {
        Throttled { times: self.times + other.times, waited_ms: self.waited_ms.max(other.waited_ms) }
    }

    /// What calls one behind the other met together.
    #[must_use]
    pub fn and_then(self, next: Throttled) -> Throttled {
        Throttled { times: self.times + next.times, waited_ms: self.waited_ms + next.waited_ms }
    }

    /// In words; nothing where every call was answered at once.
    pub fn in_words(self) -> Option<String> {
        let times = match self.times {
            0 => return None,
            1 => "once".to_owned(),
            more => format!("{more} times"),
        };
        let waited = match self.waited_ms {
            short @ 0..2000 => format!("{short} ms"),
            long => in_words(long / 1000),
        };
        Some(format!("throttled {times}, waited {waited}"))
    }
}

/// One read, and the permission that it takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Read<T> {
    /// Such as `iam:GetRole`.
    pub permission: &'static str,
    #[serde(flatten)]
    pub call: Call<T>,
    /// What it waited for, where the service had no time at first.
    #[serde(skip_serializing_if = "Throttled::is_none")]
    pub throttled: Throttled,
}

impl<T> Read<T> {
    /// What was read, where it was.
    pub fn seen(&self) -> Option<&T> {
        self.call.granted()
    }

    /// The read without what went over the network, where the answer alone counts.
    #[must_use]
    pub fn without_exchange(mut self) -> Self {
        self.call.exchange = None;
        self
    }

    /// The same read with what was read made into something else.
    pub fn map<U>(self, made: impl FnOnce(T) -> U) -> Read<U> {
        self.and_then(|seen| Answer::Granted(made(seen)))
    }

    /// The same read with what was read made into another answer.
    pub fn and_then<U>(self, made: impl FnOnce(T) -> Answer<U>) -> Read<U> {
        Read { permission: self.permission, call: self.call.and_then(made), throttled: self.throttled }
    }

    /// Whether the service said that there is no such thing.
    pub fn is_nowhere(&self) -> bool {
        const NOWHERE: &[&str] = &["NoSuchEntity", "ResourceNotFoundException", "NotFoundException"];
        self.call
            .refusal()
            .is_some_and(|refusal| refusal.http_status == 404 || NOWHERE.contains(&refusal.code.as_str()))
    }

    /// Why it could not be read, in words that name the permission; `None` where the service answered the question.
    pub fn unread(&self) -> Option<String> {
        let permission = self.permission;
        match &self.call.answer {
            Answer::Granted(_) => None,
            Answer::Refused(_) if self.is_nowhere() => None,
            Answer::Refused(refusal) if refusal.is_denial() => {
                Some(format!("the operator lacks {permission}: {}", refusal.message))
            }
            Answer::Refused(refusal) => Some(format!("{permission}: {}: {}", refusal.code, refusal.message)),
            Answer::Network { failure } => Some(format!("{permission}: {}", failure.detail)),
            Answer::Unreadable { detail, .. } | Answer::NotSent { detail } => Some(format!("{permission}: {detail}")),
        }
    }
}

/// Who is told of each answer of a whole account.
pub type Told<'t> = dyn FnMut(&serde_json::Value) -> std::io::Result<()> + Send + 't;

/// What the reads of a whole account came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// What could not be read, each with the permission that it takes.
    pub unread: Vec<String>,
    pub throttled: Throttled,
}

impl Gathered {
    /// Adds what one read came to.
    pub fn add<T>(&mut self, read: &Read<T>) {
        self.unread.extend(read.unread());
        self.throttled = self.throttled.and_then(read.throttled);
    }

    /// Adds what reads beside these came to.
    pub fn join(&mut self, other: &Gathered) {
        self.unread.extend(other.unread.iter().cloned());
        self.throttled = self.throttled.beside(other.throttled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_waited_for_is_told() {
        let told = |times, waited_ms| Throttled { times, waited_ms }.in_words();
        assert_eq!(told(0, 0), None);
        assert_eq!(told(1, 200).unwrap(), "throttled once, waited 200 ms");
        assert_eq!(told(5, 6200).unwrap(), "throttled 5 times, waited 6 s");
        let both = Throttled { times: 1, waited_ms: 200 }.beside(Throttled { times: 2, waited_ms: 600 });
        assert_eq!(both, Throttled { times: 3, waited_ms: 600 });
        assert_eq!(both.and_then(both), Throttled { times: 6, waited_ms: 1200 });
    }
}
