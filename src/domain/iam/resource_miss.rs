//! Why a policy's resource does not cover the one that is called: what people get wrong about secrets' ARNs.
//!
//! Secrets Manager ends every secret's ARN with a hyphen and six random characters
//! (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html>).

use super::pattern::{Effort, arn_like};
use super::truth::Truth;

/// The one thing in which a resource pattern misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceMiss {
    /// The action knows no resource, so it needs `*`.
    NeedsStar,
    /// It is a name, not an ARN.
    NotAnArn,
    /// It ends with the secret's name, without the six characters.
    SuffixMissing,
    /// Its six characters are those of another secret of this name: one that was deleted and made again.
    SuffixOfAnother,
    /// `PREFIX-*`, and the name goes on after PREFIX with another character than a hyphen.
    HyphenInPrefix,
    Partition,
    Service,
    Region,
    Account,
    LetterCase,
}

/// Tells in what `pattern` misses `resource`; `None` where it is another resource, or more than one thing differs.
pub fn resource_miss(pattern: &str, resource: &str) -> Option<ResourceMiss> {
    let fits = |pattern: &str| arn_like(pattern, resource, &Effort::small()) == Truth::True;
    if resource == "*" {
        return (pattern != "*").then_some(ResourceMiss::NeedsStar);
    }
    if !pattern.contains(':') {
        return pattern.chars().any(|c| !matches!(c, '*' | '?')).then_some(ResourceMiss::NotAnArn);
    }
    if fits(&format!("{pattern}-??????")) {
        return Some(ResourceMiss::SuffixMissing);
    }
    if let Some(name) = pattern.strip_suffix("-*")
        && fits(&format!("{name}*"))
    {
        return Some(ResourceMiss::HyphenInPrefix);
    }
    if let Some((name, suffix)) = pattern.rsplit_once('-')
        && suffix.len() == 6
        && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
        && fits(&format!("{name}-??????"))
    {
        return Some(ResourceMiss::SuffixOfAnother);
    }
    let parts: Vec<&str> = resource.splitn(6, ':').collect();
    let written: Vec<&str> = pattern.splitn(6, ':').collect();
    let named = [
        (1, ResourceMiss::Partition),
        (2, ResourceMiss::Service),
        (3, ResourceMiss::Region),
        (4, ResourceMiss::Account),
    ];
    let differing = named.into_iter().find(|(at, _)| {
        let mut mended = written.clone();
        match (mended.get_mut(*at), parts.get(*at)) {
            (Some(slot), Some(real)) => *slot = real,
            _ => return false,
        }
        fits(&mended.join(":"))
    });
    if let Some((_, miss)) = differing {
        return Some(miss);
    }
    let folded = arn_like(&pattern.to_lowercase(), &resource.to_lowercase(), &Effort::small());
    (folded == Truth::True).then_some(ResourceMiss::LetterCase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_missed() {
        use ResourceMiss::*;
        let arn = |rest: &str| format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{rest}");
        for (pattern, resource, miss) in [
            (arn("db/password"), arn("db/password-AbCdEf"), Some(SuffixMissing)),
            (arn("db/*"), arn("db/password-AbCdEf"), None),
            (arn("db/password-ZyXwVu"), arn("db/password-AbCdEf"), Some(SuffixOfAnother)),
            (arn("db-*"), arn("db/password-AbCdEf"), Some(HyphenInPrefix)),
            (arn("db-*"), arn("db_password-AbCdEf"), Some(HyphenInPrefix)),
            (arn("Db/password-??????"), arn("db/password-AbCdEf"), Some(LetterCase)),
            (arn("other-??????"), arn("db/password-AbCdEf"), None),
            ("db/password".into(), arn("db/password-AbCdEf"), Some(NotAnArn)),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-*".into(), arn("x-AbCdEf"), Some(Region)),
            ("arn:aws:secretsmanager:us-east-1:999999999999:secret:x-*".into(), arn("x-AbCdEf"), Some(Account)),
            ("arn:aws-cn:secretsmanager:us-east-1:123456789012:secret:x-*".into(), arn("x-AbCdEf"), Some(Partition)),
            ("arn:aws:ssm:us-east-1:123456789012:secret:x-*".into(), arn("x-AbCdEf"), Some(Service)),
            (arn("*"), "*".into(), Some(NeedsStar)),
        ] {
            // A fitting pattern is never asked about, and gets no wrong answer either.
            assert_eq!(
                resource_miss(&pattern, &resource)
                    .filter(|_| arn_like(&pattern, &resource, &Effort::full()) != Truth::True),
                miss,
                "{pattern}"
            );
        }
    }
}
