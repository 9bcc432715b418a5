//! Near spellings: which known name a person may have meant.

/// Edit distance (insert, delete, replace, swap of neighbours), letter case ignored.
pub fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// The candidates near enough to `text` to be what was meant, nearest first, at most `most`.
/// Texts over 200 characters have no near spelling.
pub fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    if text.chars().count() > 200 {
        return Vec::new();
    }
    let reach = (text.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter(|c| c.len().abs_diff(text.len()) <= reach * 4 && c.chars().count() <= 200)
        .map(|c| (distance(text, c), c))
        .filter(|(d, _)| *d <= reach)
        .collect();
    near.sort();
    near.truncate(most);
    near.into_iter().map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_and_finds() {
        assert_eq!(distance("abc", "ABC"), 0);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(nearest("api_kye", ["api_key", "password"], 3), ["api_key"]);
        assert!(nearest("zzzz", ["api_key", "password"], 3).is_empty());
    }
}
