//! The catalogue of causes: what each means, how it is recognised and told apart, and how it is mended.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::{Cause, Finding, Fix, assets};

/// What the catalogue says about one cause. Read from `assets/causes/<id>.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Entry {
    /// A short name for people.
    pub title: String,
    /// What it means for the user.
    pub meaning: String,
    /// Why it happens.
    pub why: String,
    /// The codes, message shapes and facts that show it.
    #[serde(default)]
    pub recognised: Vec<String>,
    /// Neighbouring causes (ids), and what separates each from this one.
    #[serde(default)]
    pub told_apart: BTreeMap<String, String>,
    /// What to bring so that this cause can be confirmed or ruled out.
    #[serde(default)]
    pub decide: String,
    /// The vendor's page.
    pub docs: String,
    /// The vendor's page where a guide's cloud has its own.
    #[serde(default)]
    pub docs_by_guide: BTreeMap<String, String>,
    /// The step of each guide where this is set right, counted from 1.
    #[serde(default)]
    pub steps: BTreeMap<String, u8>,
    /// Ways to mend it, the best first.
    #[serde(default)]
    pub fixes: Vec<CatalogueFix>,
    /// The rows of the guides' troubleshooting tables that this cause answers, as `guide/row`.
    #[serde(default)]
    pub rows: Vec<String>,
}

/// A way to mend a cause, as the catalogue holds it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueFix {
    /// What to do.
    pub text: String,
    /// The command or policy text that does it, with `<placeholders>`.
    pub command: Option<String>,
    /// Where to click instead.
    pub console: Option<String>,
    /// The guides this applies to; empty where it applies to all.
    #[serde(default)]
    pub guides: Vec<String>,
}

impl Entry {
    /// The fixes for a guide, the guide's own before the general ones; without a guide, those for any guide.
    pub fn fixes_for(&self, guide: Option<&str>) -> Vec<Fix> {
        let own = self.fixes.iter().filter(|fix| guide.is_some_and(|g| fix.guides.iter().any(|known| known == g)));
        let general = self.fixes.iter().filter(|fix| fix.guides.is_empty());
        let chosen: Vec<&CatalogueFix> = own.chain(general).collect();
        // A cause whose fixes all belong to guides still has something to say to a reader who follows none of them.
        let chosen = if chosen.is_empty() { self.fixes.iter().collect() } else { chosen };
        chosen.into_iter().map(CatalogueFix::to_fix).collect()
    }

    /// The vendor's page for a guide.
    pub fn docs_for(&self, guide: Option<&str>) -> &str {
        guide.and_then(|g| self.docs_by_guide.get(g)).unwrap_or(&self.docs)
    }
}

impl CatalogueFix {
    fn to_fix(&self) -> Fix {
        let text = match &self.console {
            Some(console) => format!("{} In the console: {console}.", self.text),
            None => self.text.clone(),
        };
        Fix { text, command: self.command.clone() }
    }
}

/// The catalogue's entry for a cause. Parsed once, on first use, and only this entry.
pub fn entry(cause: Cause) -> &'static Entry {
    static ENTRIES: [OnceLock<Entry>; Cause::ALL.len()] = [const { OnceLock::new() }; Cause::ALL.len()];
    ENTRIES[cause as usize].get_or_init(|| {
        // A test parses every entry, so the fallback is never seen; it only spares the program a panic.
        toml::from_str(assets::source(cause))
            .unwrap_or_else(|_| Entry { title: cause.id().to_owned(), ..Entry::default() })
    })
}

/// Fills what the finding leaves empty from the catalogue: documentation, fixes, and with a guide its step.
#[must_use]
pub fn complete(mut finding: Finding, guide: Option<&str>) -> Finding {
    let entry = entry(finding.cause);
    if finding.docs.is_empty() {
        finding.docs = entry.docs_for(guide).to_owned();
    }
    if finding.fixes.is_empty() {
        finding.fixes = entry.fixes_for(guide);
    }
    if finding.guide.is_none()
        && finding.step.is_none()
        && let Some((guide, step)) = guide.and_then(|g| entry.steps.get_key_value(g))
    {
        finding.guide = Some(guide.clone());
        finding.step = Some(*step);
    }
    finding
}
