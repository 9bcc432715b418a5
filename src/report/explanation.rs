//! An explained error text as a page: what it says, the causes, and what would decide between them.

use super::context::RenderContext;
use super::finding::{certainty, origin, push_proof};
use super::line::{Line, Role};
use super::page::{Block, Page};
use crate::cause::explain::{Explanation, PrintedBy, QUOTE, RuledOut};
use crate::cause::{Certainty, Finding, Undecided, catalogue};

/// This many causes are told in full, and with them all that are likely; the rest in a line each.
const IN_FULL: usize = 1;

/// The whole explanation.
pub fn page(explanation: &Explanation, undecided: Option<&Undecided>, ctx: RenderContext) -> Page {
    let mut page = Page::default();
    said(&mut page, explanation, ctx);
    let swallowed = explanation.client.as_ref().filter(|client| client.hides);
    if let Some(client) = swallowed {
        swallowed_by(&mut page, client, ctx);
    } else if explanation.causes.is_empty() {
        page.text(Role::Warning, "No cause known to the catalogue gives this text.");
        page.text(Role::Plain, "Give the whole message: the code in brackets, and the sentence behind it.");
    }
    for (n, finding) in explanation.causes.iter().enumerate() {
        let in_full = n < IN_FULL || finding.certainty <= Certainty::Likely;
        page.part(if in_full { whole(n + 1, finding, ctx) } else { brief(n + 1, finding, ctx) });
        if in_full {
            page.gap();
        }
    }
    page.gap();
    if !explanation.ruled_out.is_empty() {
        let mut part = section("Ruled out");
        for (why, causes) in by_reason(&explanation.ruled_out) {
            let text = Line::of(Role::Muted, causes.join(", ")).with(Role::Plain, format!(": {}", ctx.prose(why)));
            part.dotted(text, ctx);
        }
        page.part(part);
        page.gap();
    }
    if let Some(undecided) = undecided {
        let mut part = section("To decide");
        part.push(Block::Text(Line::of(Role::Plain, ctx.prose(&undecided.decide.text))));
        part.code(&undecided.decide.command, ctx);
        page.part(part);
    } else if !explanation.decide.is_empty() {
        let mut part = section("To decide, give");
        explanation.decide.iter().for_each(|wanted| part.dotted(Line::of(Role::Plain, ctx.prose(wanted)), ctx));
        page.part(part);
    }
    page
}

/// That the text does not say why, what may be behind it, and how to see.
fn swallowed_by(page: &mut Page, client: &PrintedBy, ctx: RenderContext) {
    let hidden = format!(
        "The cause is not in this text: after a refused or failed exchange, {} goes on or gives up without the cloud's answer.",
        client.name
    );
    page.text(Role::Warning, ctx.prose(&hidden));
    page.gap();
    let mut part = section("To see the answer");
    client.see.iter().for_each(|see| part.dotted(Line::of(Role::Plain, ctx.prose(see)), ctx));
    page.part(part);
    page.gap();
    let mut part = section("What it may be");
    for cause in &client.instead {
        let title = Line::of(Role::Plain, ctx.prose(&catalogue::entry(*cause).title));
        part.dotted(title.with(Role::Muted, format!("  ({cause})")), ctx);
    }
    page.part(part);
}

fn section(title: &str) -> Page {
    Page::titled(Line::of(Role::Strong, title))
}

/// What the text itself says, as far as it was understood.
fn said(page: &mut Page, explanation: &Explanation, ctx: RenderContext) {
    let cloud = explanation.cloud.map(|cloud| cloud.id().to_owned());
    let client = explanation.client.as_ref().map(|client| client.name.clone());
    let rows = [("cloud", cloud), ("client", client), ("code", explanation.code.clone())]
        .into_iter()
        .chain(explanation.parsed.parts());
    let rows: Vec<(&str, String)> = rows.filter_map(|(label, value)| Some((label, value?))).collect();
    if rows.is_empty() {
        return;
    }
    let mut part = section("The text says");
    rows.iter().for_each(|(label, value)| part.prose(*label, Role::Plain, value, ctx));
    let notes = explanation.client.iter().flat_map(|client| &client.notes);
    notes.for_each(|note| part.dotted(Line::of(Role::Plain, ctx.prose(note)), ctx));
    page.part(part);
    page.gap();
}

/// What is ruled out, each reason once.
fn by_reason(ruled_out: &[RuledOut]) -> Vec<(&str, Vec<&'static str>)> {
    let mut reasons: Vec<(&str, Vec<&'static str>)> = Vec::new();
    for RuledOut { cause, why } in ruled_out {
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, causes)) => causes.push(cause.id()),
            None => reasons.push((why, vec![cause.id()])),
        }
    }
    reasons
}

fn title(number: usize, finding: &Finding, ctx: RenderContext) -> Line {
    Line::of(Role::Accent, format!("{number}. "))
        .with(Role::Strong, ctx.prose(&catalogue::entry(finding.cause).title))
        .hanging(3)
}

fn brief(number: usize, finding: &Finding, ctx: RenderContext) -> Page {
    let origin = format!("  ({}, {})", finding.cause, certainty(finding.certainty));
    Page::titled(title(number, finding, ctx).with(Role::Muted, origin))
}

fn whole(number: usize, finding: &Finding, ctx: RenderContext) -> Page {
    let mut page = Page::titled(title(number, finding, ctx));
    page.push(Block::Text(origin(finding)));
    page.text(Role::Plain, ctx.prose(&finding.summary));
    // What the text says stands above already.
    let facts: Vec<&str> = finding.evidence.iter().map(String::as_str).filter(|f| !f.starts_with(QUOTE)).collect();
    push_proof(&mut page, finding, &facts, ctx);
    page
}
