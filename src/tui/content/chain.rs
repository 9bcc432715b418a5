//! The chain of trust: its links, the checks behind each, and how each stands.

use crate::check::{CheckId, Link, Outcome};
use crate::domain::rotation::Verdict;
use crate::report::context::outcome_role;
use crate::report::line::{Line, Role};
use crate::run::report::{CheckState, Progress};
use crate::tui::inputs::Animation;
use crate::tui::model::rotation::{Doing, Session};
use crate::tui::model::{Lifecycle, Model, SPINNER_MS};

/// The links in order, with their names; the platform itself is behind no check.
fn links() -> impl Iterator<Item = (Option<Link>, &'static str)> {
    std::iter::once((None, "platform")).chain(Link::ALL.map(|link| (Some(link), link.name())))
}

/// Whether a check belongs to a link.
fn is_of(check: CheckId, link: Link) -> bool {
    check.check().link == link
}

/// How a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// None of its checks has begun.
    Waiting,
    Running,
    Ended(Outcome),
    /// None of its checks applies.
    NotApplicable,
}

/// Where a check stands, as far as its link is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Waiting,
    Running,
    Ended(Outcome),
    /// Another check kept it from running.
    Blocked,
}

/// The checks of the run that is shown. What a run of a few checks was not asked for stands as it ended before.
fn stands(model: &Model) -> Vec<(CheckId, Stand)> {
    let Some(run) = model.runs.shown() else { return Vec::new() };
    let choice = run.choice.as_ref().filter(|choice| !choice.only.is_empty());
    let followed = model.guide.followed.as_deref().filter(|followed| {
        followed.target.is_some() && followed.target.as_ref() == choice.map(|choice| &choice.target)
    });
    let before = |id: CheckId| {
        let is_asked = choice.is_none_or(|choice| choice.only.contains(&id));
        let judged = followed?.judged.iter().find(|judged| judged.check == id && !is_asked)?;
        Some(ended(judged.outcome, judged.blocked_by))
    };
    let stand = |check: &CheckState| {
        let now = match &check.progress {
            Progress::Waiting => Stand::Waiting,
            Progress::Running { .. } => return Stand::Running,
            Progress::Finished(finished) => ended(finished.outcome, finished.blocked_by),
        };
        if matches!(now, Stand::Waiting | Stand::Ended(Outcome::Skipped)) {
            before(check.id).unwrap_or(now)
        } else {
            now
        }
    };
    // Before such a run has told what it checks, all of it stands as before.
    if let (true, Some(followed)) = (run.report.checks.is_empty(), followed) {
        return followed.judged.iter().map(|judged| (judged.check, ended(judged.outcome, judged.blocked_by))).collect();
    }
    run.report.checks.iter().map(|check| (check.id, stand(check))).collect()
}

fn ended(outcome: Outcome, blocked_by: Option<CheckId>) -> Stand {
    match blocked_by {
        Some(_) if outcome != Outcome::Fail => Stand::Blocked,
        _ => Stand::Ended(outcome),
    }
}

/// How a link stands.
fn state(link: Option<Link>, stands: &[(CheckId, Stand)]) -> LinkState {
    let Some(link) = link else {
        // The platform itself is not probed: it counts as seen once its issuer has answered.
        let answered = [Outcome::Pass, Outcome::Warn].map(|outcome| (CheckId::IssuerReachable, Stand::Ended(outcome)));
        let seen = stands.iter().any(|stand| answered.contains(stand));
        return if seen { LinkState::Ended(Outcome::Pass) } else { LinkState::Waiting };
    };
    let own: Vec<Stand> = stands.iter().filter(|(id, _)| is_of(*id, link)).map(|(_, stand)| *stand).collect();
    let any = |outcome| own.contains(&Stand::Ended(outcome));
    if stands.is_empty() {
        LinkState::Waiting
    } else if own.contains(&Stand::Running) {
        LinkState::Running
    } else if any(Outcome::Fail) {
        LinkState::Ended(Outcome::Fail)
    } else if own.contains(&Stand::Blocked) {
        LinkState::Ended(Outcome::Skipped)
    } else if any(Outcome::Inconclusive) {
        LinkState::Ended(Outcome::Inconclusive)
    } else if own.iter().all(|stand| *stand == Stand::Ended(Outcome::Skipped)) {
        LinkState::NotApplicable
    } else if own.contains(&Stand::Waiting) {
        LinkState::Waiting
    } else if any(Outcome::Warn) {
        LinkState::Ended(Outcome::Warn)
    } else {
        LinkState::Ended(Outcome::Pass)
    }
}

/// How the last link stands: as the deployment's check, and where a rotation of the same target was seen, as its proof.
fn runtime(stands: &[(CheckId, Stand)], rotation: Option<&Session>) -> LinkState {
    let deployment = state(Some(Link::Runtime), stands);
    let Some(session) = rotation.filter(|_| deployment != LinkState::Ended(Outcome::Fail)) else { return deployment };
    if matches!(session.doing, Doing::Looking(_)) && session.state == Lifecycle::Running {
        return LinkState::Running;
    }
    let secrets = &session.report.secrets;
    let verdicts: Vec<_> = secrets.iter().filter_map(|secret| Some(secret.verdict()?.judgement.verdict)).collect();
    let is_undecided = |verdict: &Verdict| *verdict == Verdict::Inconclusive;
    // While a session goes on, a secret that is not judged yet says nothing.
    let lacks = !session.is_live() && verdicts.len() < secrets.len();
    if verdicts.is_empty() {
        deployment
    } else if verdicts.iter().any(|verdict| *verdict != Verdict::Propagated && !is_undecided(verdict)) {
        LinkState::Ended(Outcome::Fail)
    } else if lacks || verdicts.iter().any(is_undecided) {
        LinkState::Ended(Outcome::Inconclusive)
    } else {
        LinkState::Ended(Outcome::Pass)
    }
}

/// The rotation of what is shown, where there was one.
fn rotation(model: &Model) -> Option<&Session> {
    let target = &model.runs.shown()?.choice.as_ref()?.target;
    model.rotation.session.as_ref().filter(|session| session.choice.target == *target)
}

/// The sign and role of a state. A link that holds has the chain's own sign.
pub fn sign(state: LinkState, model: &Model) -> (&'static str, Role) {
    let glyphs = model.render_context().glyphs;
    match state {
        LinkState::Waiting => (glyphs.waiting, Role::Muted),
        LinkState::Running => (running(model), Role::Accent),
        LinkState::NotApplicable => (glyphs.skipped, Role::Muted),
        LinkState::Ended(Outcome::Pass) => (glyphs.link, Role::Good),
        LinkState::Ended(Outcome::Skipped) => (glyphs.waiting, Role::Muted),
        LinkState::Ended(outcome) => (glyphs.outcome(outcome), outcome_role(outcome)),
    }
}

/// The sign of something that runs: moving where it may.
pub fn running(model: &Model) -> &'static str {
    let glyphs = model.render_context().glyphs;
    match model.appearance.animation {
        Animation::Still => glyphs.running,
        Animation::Moving => {
            let frame = model.clock.now_ms().div_euclid(SPINNER_MS).rem_euclid(glyphs.spinner.len() as i64);
            glyphs.spinner.get(frame as usize).copied().unwrap_or(glyphs.running)
        }
    }
}

/// The chain in one line, in the longest form that fits `width`.
pub fn line(model: &Model, width: usize) -> Line {
    let stands = stands(model);
    let runs = |id: CheckId| stands.iter().any(|(check, _)| *check == id);
    let is_proven = rotation(model).is_some_and(|session| session.report.runtime);
    let is_shown = |link: Option<Link>| match link {
        _ if stands.is_empty() => true,
        None => runs(CheckId::IssuerReachable),
        Some(link) => stands.iter().any(|(id, _)| is_of(*id, link)) || is_proven && link == Link::Runtime,
    };
    let links: Vec<_> = links().filter(|(link, _)| is_shown(*link)).collect();
    let forms = [(3, Names::Full), (2, Names::Full), (1, Names::Full), (1, Names::Short), (1, Names::None)];
    let shape = |(gap, names)| chain(&links, &stands, model, gap, names);
    forms.into_iter().map(shape).find(|line| line.width() <= width).unwrap_or_default()
}

/// How much of the links' names is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Full,
    /// Three letters.
    Short,
    None,
}

fn chain(links: &[(Option<Link>, &str)], stands: &[(CheckId, Stand)], model: &Model, gap: usize, names: Names) -> Line {
    let glyphs = model.render_context().glyphs;
    let mut line = Line::empty();
    let mut whole = true;
    for (place, (link, name)) in links.iter().copied().enumerate() {
        let state = if link == Some(Link::Runtime) { runtime(stands, rotation(model)) } else { state(link, stands) };
        let holds = matches!(state, LinkState::Ended(Outcome::Pass | Outcome::Warn));
        if place > 0 {
            let (sign, role) = if whole { (glyphs.line, Role::Good) } else { (glyphs.gap, Role::Muted) };
            line.push(role, sign.repeat(gap));
            if names != Names::None {
                line.push(Role::Plain, " ");
            }
        }
        let (sign, role) = sign(state, model);
        let name_role = match state {
            LinkState::Ended(Outcome::Fail) => Role::Bad,
            LinkState::Ended(Outcome::Pass | Outcome::Warn | Outcome::Inconclusive) | LinkState::Running => Role::Plain,
            _ => Role::Muted,
        };
        match names {
            Names::Full => line.push(name_role, format!("{name} ")),
            Names::Short => line.push(name_role, format!("{} ", name.get(..3).unwrap_or(name))),
            Names::None => {}
        }
        line.push(role, sign);
        whole &= holds || state == LinkState::NotApplicable;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checks_link_is_in_the_chain() {
        for check in CheckId::ALL {
            assert!(links().any(|(link, _)| link == Some(check.check().link)), "{check}");
        }
    }
}
