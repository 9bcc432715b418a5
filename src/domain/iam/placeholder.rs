//! Placeholders in policies that were never filled in.

/// The first part of `text` that a person was to replace: `<…>`, `{…}`, or a shell variable's `${NAME}`.
pub fn placeholder(text: &str) -> Option<&str> {
    if let Some(start) = text.find('<')
        && let Some(length) = text[start..].find('>')
        && length > 1
    {
        return Some(&text[start..=start + length]);
    }
    let mut from = 0;
    while let Some(found) = text[from..].find('{') {
        let start = from + found;
        let end = start + text[start..].find('}')?;
        let inside = &text[start + 1..end];
        let variable = start > 0 && text.as_bytes()[start - 1] == b'$';
        // Every variable of IAM has a colon in its key, or is an escaped sign.
        let is_iam = variable && (inside.contains(':') || matches!(inside, "*" | "?" | "$"));
        // Bitbucket's own ids stand in braces.
        let is_uuid = inside.len() == 36 && inside.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if !is_iam && !is_uuid && !inside.is_empty() {
            return Some(&text[start - usize::from(variable)..=end]);
        }
        from = end + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_variables() {
        for (text, found) in [
            ("<ORG>", Some("<ORG>")),
            ("a{tenantId}b", Some("{tenantId}")),
            ("${AWS_ACCOUNT_ID}", Some("${AWS_ACCOUNT_ID}")),
            ("${aws:username}", None),
            ("${*}", None),
            ("${aws:username}{x}", Some("{x}")),
            ("{7f3e81c4-1111-4222-8333-9d20c1a09a1c}:*", None),
            ("a < b", None),
            ("{", None),
            ("é{é}é", Some("{é}")),
        ] {
            assert_eq!(placeholder(text), found, "{text}");
        }
    }
}
