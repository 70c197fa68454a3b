//! The laws, asked of a history and of every history that is one op longer; and what has to be met for the
//! answers to mean something. No law asks the rule who signed what, or what is sealed.

use crate::history::{Author, History, Kind, Op, Set};
use crate::machine::arrivals;
use crate::rule::{Fault, Judgement};

/// What has to hold always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Law {
    /// Decisions are a function of the set of ops: no listing of the set moves them.
    OrderFree,
    /// An applied op is denied only when a denial, or a `Cosign` of one, arrives that had not seen the op. A denied
    /// op is applied only when a `Seal` or a `Cosign` arrives. No arrival admits or refuses what is there.
    Caused,
    /// What is applied in the past of a seal that two roots signed, decided as if there were nothing else, is applied.
    SealedStands,
    /// A seal is final exactly if two roots signed it.
    NoSealByOne,
    /// What an honest root signs is applied: one stolen root ends no other.
    HonestRootsStand,
    /// After a final seal that has the end of a thief in its past, what the thief signs apart from it turns nothing.
    EndedThievesTurnNothing,
}

/// What has to be met somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// A denial is admitted, and stale.
    StaleDenial,
    /// A seal has passed over the end of a root that was short, and ends nothing after its `Cosign`.
    DroppedDenial,
    /// An edit that a denial takes is applied, because it is sealed.
    SealedEditStays,
    /// A denied edit is applied again, because its seal becomes final.
    SealReinstates,
    /// An edit of a device is denied, and Alice's grant lives.
    DeviceLost,
    /// A root's op is refused, since two roots ended it.
    RootEnded,
    /// An applied edit is denied by what a thief signs.
    EditRolledBack,
}

impl Law {
    pub(crate) const ALL: [Self; 6] = [
        Self::OrderFree,
        Self::Caused,
        Self::SealedStands,
        Self::NoSealByOne,
        Self::HonestRootsStand,
        Self::EndedThievesTurnNothing,
    ];
}

impl Sight {
    pub(crate) const ALL: [Self; 7] = [
        Self::StaleDenial,
        Self::DroppedDenial,
        Self::SealedEditStays,
        Self::SealReinstates,
        Self::DeviceLost,
        Self::RootEnded,
        Self::EditRolledBack,
    ];
}

/// What there is to say of a history and of the histories that are one op longer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    broken: u8,
    met: u8,
}

impl Findings {
    pub(crate) fn of(fault: Option<Fault>, history: &History) -> Self {
        let mut findings = Self::default();
        let judgement = Judgement::of(fault, history);
        let applied = judgement.applied();
        findings.check(
            Law::OrderFree,
            is_order_free(fault, history, &judgement, applied),
        );
        let sealed = sealed_pasts(fault, history);
        for op in arrivals(history) {
            findings.look_ahead(history, &judgement, applied, &sealed, op);
        }
        findings
    }

    pub(crate) const fn obeys(&self, law: Law) -> bool {
        self.broken & 1 << law as u8 == 0
    }

    pub(crate) const fn has_met(&self, sight: Sight) -> bool {
        self.met & 1 << sight as u8 != 0
    }

    pub(crate) const fn is_innocent(&self) -> bool {
        self.broken == 0
    }

    pub(crate) fn broken_laws(&self) -> Vec<Law> {
        let laws = Law::ALL.into_iter();
        laws.filter(|it| !self.obeys(*it)).collect()
    }

    pub(crate) const fn has_met_all(&self) -> bool {
        self.met == (1 << Sight::ALL.len()) - 1
    }

    pub(crate) const fn add(&mut self, more: Self) {
        self.broken |= more.broken;
        self.met |= more.met;
    }

    pub(crate) const fn check(&mut self, law: Law, holds: bool) {
        if !holds {
            self.broken |= 1 << law as u8;
        }
    }

    pub(crate) const fn see(&mut self, sight: Sight, is_met: bool) {
        if is_met {
            self.met |= 1 << sight as u8;
        }
    }

    fn look_ahead(
        &mut self,
        before: &History,
        judgement: &Judgement,
        was_applied: Set,
        sealed: &[(usize, Set)],
        op: Op,
    ) {
        let (new, old) = (before.len(), before.all());
        let history = before.with(op);
        let all = history.all();
        let judgement = judgement.with(op);
        if judgement.is_refused(new) {
            self.check(Law::HonestRootsStand, !is_honest_root(op.author));
            let ends_itself =
                |it: &Op| it.author == Author::Cat && it.kind == Kind::Revoke(Author::Cat);
            let by_others = !before.ops().iter().any(ends_itself);
            self.see(Sight::RootEnded, op.author == Author::Cat && by_others);
            return;
        }
        let applied = judgement.applied();
        let lost = was_applied.filter(|it| !applied.contains(it));
        let gained = applied.filter(|it| old.contains(it) && !was_applied.contains(it));

        let ops = history.ops();
        let (denies, seals) = match op.kind {
            Kind::Revoke(_) | Kind::DeviceRevoke(_) => (Some(op), false),
            Kind::Cosign(target) => (
                Some(ops[usize::from(target)]).filter(|it| it.kind.is_denial()),
                true,
            ),
            Kind::Seal => (None, true),
            Kind::Edit | Kind::Grant => (None, false),
        };
        let takes = |it: usize| denies.is_some_and(|denial| !denial.past.contains(it));
        self.check(Law::Caused, lost.iter().all(takes));
        self.check(Law::Caused, gained.is_empty() || seals);
        self.check(Law::Caused, old.iter().all(|it| !judgement.is_refused(it)));

        let finals = Set::EMPTY;
        let finals = judgement.final_seals(all).fold(finals, Set::with);
        let signed = all.filter(|it| ops[it].kind == Kind::Seal && is_signed_by_two(ops, it, all));
        self.check(Law::NoSealByOne, finals == signed);

        let stands =
            |(seal, past): &(usize, Set)| !signed.contains(*seal) || past.is_within(applied);
        self.check(Law::SealedStands, sealed.iter().all(stands));

        let by_honest_roots = all.filter(|it| is_honest_root(ops[it].author));
        self.check(Law::HonestRootsStand, by_honest_roots.is_within(applied));

        let is_ended = |seal: usize| {
            let past = ops[seal].past;
            !op.past.contains(seal) && past.iter().any(|it| ends(ops, it, op.author, past))
        };
        if signed.filter(|it| it != new).iter().any(is_ended) {
            let turned = !lost.is_empty() || !gained.is_empty();
            self.check(Law::EndedThievesTurnNothing, !turned);
        }

        let is_edit = |it: usize| ops[it].kind == Kind::Edit;
        let denials = all.filter(|it| ops[it].kind.is_denial());
        let ends_root = |it: usize| matches!(ops[it].kind, Kind::Revoke(it) if it.is_root());
        let edits = all.filter(is_edit);
        let is_kept = |it: usize| applied.contains(it) && !judgement.has_live_warrant(it, it, all);
        let is_lost_with_device = |it: usize| {
            !applied.contains(it)
                && judgement.unlinks(ops[it].author, it, all)
                && !judgement.kills_first(Author::Alice, it, all)
        };
        self.see(
            Sight::StaleDenial,
            denials.iter().any(|it| judgement.is_stale(it, all)),
        );
        let is_dropped = |it: usize| {
            ends_root(it) && judgement.is_full(it, all) && judgement.is_dropped(it, all)
        };
        self.see(Sight::DroppedDenial, denials.iter().any(is_dropped));
        self.see(Sight::SealedEditStays, edits.iter().any(is_kept));
        self.see(Sight::SealReinstates, gained.iter().any(is_edit));
        self.see(Sight::DeviceLost, edits.iter().any(is_lost_with_device));
        let is_rolled_back = op.author.is_thief() && lost.iter().any(is_edit);
        self.see(Sight::EditRolledBack, is_rolled_back);
    }
}

fn is_order_free(
    fault: Option<Fault>,
    history: &History,
    judgement: &Judgement,
    applied: Set,
) -> bool {
    let (backwards, places) = history.backwards();
    let other = Judgement::of(fault, &backwards);
    let also_applied = other.applied();
    history.all().iter().all(|it| {
        applied.contains(it) == also_applied.contains(places[it])
            && judgement.is_refused(it) == other.is_refused(places[it])
    })
}

/// Each seal, final or not, with what is applied in its past if there is nothing else.
fn sealed_pasts(fault: Option<Fault>, history: &History) -> Vec<(usize, Set)> {
    let ops = history.ops().iter().enumerate();
    let seals = ops.filter(|(_, op)| op.kind == Kind::Seal);
    let sealed = |(seal, op): (usize, &Op)| {
        let (part, places) = history.part(op.past);
        let applied = Judgement::of(fault, &part).applied();
        (seal, op.past.filter(|it| applied.contains(places[it])))
    };
    seals.map(sealed).collect()
}

pub(crate) const fn is_honest_root(author: Author) -> bool {
    matches!(author, Author::Ann | Author::Ben)
}

fn is_signed_by_two(ops: &[Op], op: usize, within: Set) -> bool {
    let signs = |it: usize| it == op || ops[it].kind == Kind::Cosign(op as u8);
    let signers = |root: &Author| {
        let signed = |it: usize| ops[it].author == *root && signs(it);
        within.iter().any(signed)
    };
    Author::ROOTS.iter().filter(|it| signers(it)).count() >= 2
}

/// Whether the op ends the thief, for all that knows no more than the past of a seal.
fn ends(ops: &[Op], op: usize, thief: Author, past: Set) -> bool {
    match ops[op].kind {
        Kind::Revoke(subject) => {
            subject == thief
                && (!subject.is_root()
                    || ops[op].author == subject
                    || is_signed_by_two(ops, op, past))
        }
        Kind::DeviceRevoke(device) => device == thief && thief.is_thief(),
        Kind::Edit | Kind::Grant | Kind::Seal | Kind::Cosign(_) => false,
    }
}
