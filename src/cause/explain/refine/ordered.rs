//! Causes in the order that a text supports, and the facts from it that speak for each.

use crate::cause::Cause;

/// The causes of one message in the order in which the text itself supports them, and what supports it.
#[derive(Debug, Default)]
pub(in crate::cause::explain) struct Ordered {
    pub causes: Vec<Cause>,
    /// Facts from the text that speak for a cause.
    pub evidence: Vec<(Cause, String)>,
}

impl Ordered {
    pub(super) fn has(&self, cause: Cause) -> bool {
        self.causes.contains(&cause)
    }

    /// Moves or adds a cause to this place.
    pub(super) fn place(&mut self, cause: Cause, place: usize) {
        self.causes.retain(|known| *known != cause);
        self.causes.insert(place.min(self.causes.len()), cause);
    }

    pub(super) fn remove(&mut self, cause: Cause) {
        self.causes.retain(|known| *known != cause);
    }

    pub(super) fn because(&mut self, cause: Cause, fact: impl Into<String>) {
        self.evidence.push((cause, fact.into()));
    }
}

/// Whether one of the parts stands in the text.
pub(super) fn contains(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_moved_to_a_place_or_added_there() {
        let mut ordered = Ordered { causes: vec![Cause::Dns, Cause::Proxy], evidence: Vec::new() };
        ordered.place(Cause::Proxy, 0);
        ordered.place(Cause::Transient, 9);
        assert_eq!(ordered.causes, [Cause::Proxy, Cause::Dns, Cause::Transient]);
        ordered.remove(Cause::Dns);
        assert!(!ordered.has(Cause::Dns) && ordered.has(Cause::Transient));
        assert!(contains("a proxy", &["dns", "proxy"]) && !contains("a proxy", &["dns"]));
    }

    #[test]
    fn facts_keep_their_order() {
        let mut ordered = Ordered::default();
        ordered.because(Cause::Dns, "first");
        ordered.because(Cause::Dns, "second".to_owned());
        assert_eq!(ordered.evidence, [(Cause::Dns, "first".to_owned()), (Cause::Dns, "second".to_owned())]);
    }
}
