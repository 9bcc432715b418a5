//! What each cloud says to a token or an issuer: a line each, the first reason, and the one setting that helps.

use super::context::RenderContext;
use super::line::{Line, Role};
use super::page::Page;
use crate::check::Outcome;
use crate::check::clouds::Verdicts;
use crate::domain::relying_party::{Acceptance, CloudVerdict};

/// The outcome that a verdict is shown as.
pub const fn outcome(acceptance: Acceptance) -> Outcome {
    match acceptance {
        Acceptance::Accept => Outcome::Pass,
        Acceptance::Refuse => Outcome::Fail,
        Acceptance::Unknown => Outcome::Inconclusive,
    }
}

/// The clouds as a part of a page.
pub fn page(verdicts: &Verdicts, ctx: RenderContext) -> Page {
    let mut page = Page::titled(Line::of(Role::Strong, "clouds"));
    for verdict in &verdicts.each {
        page.part(of_cloud(verdict, ctx));
    }
    let mut told: Vec<&str> = Vec::new();
    for setting in verdicts.each.iter().filter_map(|verdict| verdict.setting.as_deref()) {
        if !told.contains(&setting) {
            page.prose("setting", Role::Plain, setting, ctx);
            told.push(setting);
        }
    }
    page
}

/// A line of words: who, what, the first reason and what it rests on.
pub fn sentence(verdict: &CloudVerdict) -> String {
    let says = match verdict.verdict {
        Acceptance::Accept => "accepts it",
        Acceptance::Refuse => "refuses it",
        Acceptance::Unknown => "is unknown",
    };
    let code = verdict.error.map(|code| format!(" ({code})")).unwrap_or_default();
    let rests_on = match verdict.verdict {
        Acceptance::Unknown => String::new(),
        _ => format!(" [{}]", verdict.rests_on.id()),
    };
    format!("{says}{code}: {}{rests_on}", verdict.why)
}

fn of_cloud(verdict: &CloudVerdict, ctx: RenderContext) -> Page {
    let sign = ctx.sign(outcome(verdict.verdict));
    let title = Line::from(sign)
        .with(Role::Strong, format!(" {}", verdict.name))
        .with(Role::Plain, format!(" {}", ctx.prose(&sentence(verdict))));
    let mut page = Page::titled(title.hanging(2));
    if !verdict.also.is_empty() {
        page.prose("also", Role::Muted, &verdict.also.join("; "), ctx);
    }
    if !verdict.notes.is_empty() {
        page.prose("note", Role::Muted, &verdict.notes.join("; "), ctx);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::clouds::Asked;
    use crate::domain::relying_party::Presented;
    use crate::domain::token::{RawToken, decode};

    #[test]
    fn a_refusal_names_its_code_and_what_it_rests_on() {
        let token = decode(&RawToken::clean("3f2c0ffee").0);
        let verdicts = Asked::of(&[]).judge(&Presented::token(&token));
        let said: Vec<String> = verdicts.each.iter().map(sentence).collect();
        assert!(said[0].starts_with("refuses it (InvalidIdentityToken): not a JWT"), "{said:?}");
        assert!(said[1].starts_with("refuses it (AADSTS50027): not a JWT"), "{said:?}");
        assert!(said[2].ends_with("[documented]"), "{said:?}");
    }
}
