//! The laws of one op that arrives, and the sights. No law asks the rule who signed what, or what is sealed.

use super::ledger::{Facts, Ledger, Verdict};
use crate::history::{Author, Kind, Op, Set};
use crate::laws::{Findings, Law, Sight, is_honest_root};
use crate::rule::Fault;

/// What the laws ask of a seal, final or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealed {
    /// What is applied in its past if there is nothing else.
    alone: Set,
    /// Whom its past ends, by the place among the authors.
    ended: [bool; Author::ALL.len()],
}

impl Sealed {
    /// Of a past in a history.
    pub(crate) fn of(fault: Option<Fault>, facts: &Facts, past: Set) -> Self {
        let (part, places) = facts.history.part(past);
        let ledger = Ledger::of(fault, part.ops().iter().copied());
        let applied = ledger.applied(&ledger.verdict(part.all()));
        Self {
            alone: past.filter(|it| applied.contains(places[it])),
            ended: Author::ALL.map(|author| is_ended(facts, author, past)),
        }
    }
}

/// Whether something in the past ends the author, for all that knows no more.
fn is_ended(facts: &Facts, author: Author, past: Set) -> bool {
    let ends = |it: usize| {
        !author.is_root() || facts.op(it).author == author || is_signed_by_two(facts, it, past)
    };
    let links = if author.is_thief() {
        facts.device_revokes(author) & past
    } else {
        Set::EMPTY
    };
    (facts.revokes(author) & past).iter().any(ends) || !links.is_empty()
}

pub(crate) fn is_signed_by_two(facts: &Facts, op: usize, within: Set) -> bool {
    let signed = (Set::of(op) | facts.cosigns(op)) & within;
    let signers = Author::ROOTS
        .iter()
        .filter(|it| !(facts.by(**it) & signed).is_empty());
    signers.count() >= 2
}

/// What is there when an op arrives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    pub(crate) applied: Set,
    pub(crate) sealed: Option<Sealed>,
    /// The seal, if two roots signed it.
    pub(crate) signed: Option<usize>,
}

/// What is there once it has arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct After {
    pub(crate) applied: Set,
    /// Whether the rule has it that a seal is final.
    pub(crate) is_final: bool,
    pub(crate) signed: Option<usize>,
}

pub(crate) fn broken(law: Law) -> Findings {
    let mut findings = Findings::default();
    findings.check(law, false);
    findings
}

/// What there is to say of an op that is refused.
pub(crate) fn look_at_refused(facts: &Facts, author: Author) -> Findings {
    let mut findings = Findings::default();
    findings.check(Law::HonestRootsStand, !is_honest_root(author));
    if author == Author::Cat {
        let ends_itself = facts.by(Author::Cat) & facts.revokes(Author::Cat);
        findings.see(Sight::RootEnded, ends_itself.is_empty());
    }
    findings
}

/// What there is to say of an op that is let in: the facts are those before.
pub(crate) fn look(before: &Before, facts: &Facts, op: Op, after: &After) -> Findings {
    let mut findings = Findings::default();
    let applied = after.applied;
    let new = facts.len();
    let lost = before.applied & !applied;
    let gained = applied & Set::below(new) & !before.applied;

    let (takes, seals) = match op.kind {
        Kind::Revoke(_) | Kind::DeviceRevoke(_) => (!op.past, false),
        Kind::Cosign(target) => {
            let target = facts.op(usize::from(target));
            let takes = if target.kind.is_denial() {
                !target.past
            } else {
                Set::EMPTY
            };
            (takes, true)
        }
        Kind::Seal => (Set::EMPTY, true),
        Kind::Edit | Kind::Grant => (Set::EMPTY, false),
    };
    findings.check(Law::Caused, lost.is_within(takes));
    findings.check(Law::Caused, gained.is_empty() || seals);

    findings.check(Law::NoSealByOne, after.is_final == after.signed.is_some());

    if let (Some(seal), Some(sealed)) = (after.signed, &before.sealed) {
        findings.check(Law::SealedStands, sealed.alone.is_within(applied));
        if sealed.ended[op.author as usize] && !op.past.contains(seal) {
            let turned = !lost.is_empty() || !gained.is_empty();
            findings.check(Law::EndedThievesTurnNothing, !turned);
        }
    }

    let by_honest_roots = facts.by(Author::Ann) | facts.by(Author::Ben);
    let stands =
        by_honest_roots.is_within(applied) && (!is_honest_root(op.author) || applied.contains(new));
    findings.check(Law::HonestRootsStand, stands);

    let is_rolled_back = op.author.is_thief() && !(lost & facts.edits).is_empty();
    findings.see(Sight::EditRolledBack, is_rolled_back);
    findings.see(Sight::SealReinstates, !(gained & facts.edits).is_empty());
    findings
}

/// What there is to see in a history of which that is the verdict.
pub(crate) fn look_around(ledger: &Ledger, verdict: &Verdict) -> Findings {
    let mut findings = Findings::default();
    let applied = ledger.applied(verdict);
    let facts = &ledger.facts;
    let is_met = |set: Set| !set.is_empty();
    findings.see(Sight::StaleDenial, is_met(facts.denials & verdict.stale));
    findings.see(Sight::DroppedDenial, is_met(ledger.dropped(verdict)));
    let kept = facts.edits & applied & !ledger.live(verdict);
    findings.see(Sight::SealedEditStays, is_met(kept));
    let lost = facts.edits & !applied & ledger.unlinked(verdict);
    let with_device = lost & !verdict.kills_first(Author::Alice);
    findings.see(Sight::DeviceLost, is_met(with_device));
    findings
}
