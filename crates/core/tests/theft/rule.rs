//! The rule, as `docs/policy-model.md` has it under *Precisely*, *Quorum*, *Seals* and *Devices*.

use crate::history::{Author, History, Kind, OPS_MAX, Op, Set};

/// Ways to get the rule wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A seal is final by its author alone.
    SealsNeedNoCosign,
    /// What is stale counts nevertheless.
    StaleDenialsBite,
    /// A denial spares what is listed before it.
    DenialsSpareWhatIsListed,
}

/// The grants of an author that let an op in. What links a device to Alice depends on the device alone.
#[derive(Debug, Clone, Copy, Default)]
struct Warrants {
    /// That of genesis or of the set-up.
    first: bool,
    /// The `Grant` ops.
    again: Set,
}

/// What is decided of a history none of whose ops but the last is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judgement {
    fault: Option<Fault>,
    history: History,
    warrants: [Warrants; OPS_MAX],
}

impl Judgement {
    pub(crate) fn of(fault: Option<Fault>, history: &History) -> Self {
        let none = Self {
            fault,
            history: History::EMPTY,
            warrants: [Warrants::default(); OPS_MAX],
        };
        let ops = history.ops().iter();
        ops.fold(none, |judgement, op| judgement.with(*op))
    }

    /// What is decided once one more op is there. What lets an op in is a matter of its past.
    pub(crate) fn with(&self, op: Op) -> Self {
        let mut longer = *self;
        let new = self.history.len();
        longer.history = self.history.with(op);
        let person = op.author.person();
        let is_grant = |it| matches!(self.op(it).kind, Kind::Grant) && person == Author::Alice;
        let is_live = |killed: bool| !killed && !longer.unlinks(op.author, new, op.past);
        longer.warrants[new] = Warrants {
            first: is_live(longer.kills_first(person, new, op.past)),
            again: (op.past.filter(is_grant)).filter(|it| is_live(longer.kills(it, new, op.past))),
        };
        longer
    }

    fn op(&self, op: usize) -> Op {
        self.history.ops()[op]
    }

    pub(crate) fn is_refused(&self, op: usize) -> bool {
        let warrants = self.warrants[op];
        !warrants.first && warrants.again.is_empty()
    }

    /// What is applied of everything.
    pub(crate) fn applied(&self) -> Set {
        let all = self.history.all();
        all.filter(|it| !self.is_refused(it) && self.is_applied(it, all))
    }

    fn is_applied(&self, op: usize, within: Set) -> bool {
        self.has_live_warrant(op, op, within) || self.is_sealed(op, within)
    }

    pub(crate) fn is_sealed(&self, op: usize, within: Set) -> bool {
        let seals = |seal: usize| {
            let past = self.op(seal).past;
            past.contains(op) && self.is_applied(op, past)
        };
        self.final_seals(within).any(seals)
    }

    /// Whether something that let `maker` in is not killed for the op.
    pub(crate) fn has_live_warrant(&self, maker: usize, op: usize, within: Set) -> bool {
        let Op { author, .. } = self.op(maker);
        let warrants = self.warrants[maker];
        let first = warrants.first && !self.kills_first(author.person(), op, within);
        let again = |grant| !self.kills(grant, op, within);
        (first || warrants.again.iter().any(again)) && !self.unlinks(author, op, within)
    }

    /// Whether the person's grant by genesis or in the set-up is killed for the op.
    pub(crate) fn kills_first(&self, person: Author, op: usize, within: Set) -> bool {
        let kills = |granter| self.kills_first(granter, op, within);
        self.revokes(person, Set::EMPTY, op, within)
            || match person {
                Author::Ann | Author::Ben | Author::Cat => false,
                Author::Petra => kills(Author::Ann) && kills(Author::Ben),
                Author::Alice | Author::Laptop | Author::Phone => kills(Author::Petra),
            }
    }

    /// Whether a `Grant` to Alice is killed for the op.
    fn kills(&self, grant: usize, op: usize, within: Set) -> bool {
        self.revokes(Author::Alice, self.op(grant).past, op, within)
            || !self.has_live_warrant(grant, op, within)
    }

    /// Whether a revocation kills a grant to the person whose maker had seen `seen`.
    fn revokes(&self, person: Author, seen: Set, op: usize, within: Set) -> bool {
        let kills = |denial: usize| {
            self.op(denial).kind == Kind::Revoke(person)
                && !seen.contains(denial)
                && !self.spares(denial, op)
                && self.bites(denial, person, within)
        };
        within.iter().any(kills)
    }

    /// Whether the link of a device is killed for the op. Alice's own key made it: it carries each grant to her,
    /// and falls by nothing else.
    pub(crate) fn unlinks(&self, device: Author, op: usize, within: Set) -> bool {
        let kills = |denial: usize| {
            self.op(denial).kind == Kind::DeviceRevoke(device)
                && !self.spares(denial, op)
                && self.bites(denial, Author::Alice, within)
        };
        within.iter().any(kills)
    }

    fn spares(&self, denial: usize, op: usize) -> bool {
        denial == op
            || self.op(denial).past.contains(op)
            || self.fault == Some(Fault::DenialsSpareWhatIsListed) && op < denial
    }

    /// Whether the denial counts against a grant to the person.
    fn bites(&self, denial: usize, person: Author, within: Set) -> bool {
        !(self.is_stale(denial, within) && self.fault != Some(Fault::StaleDenialsBite))
            && (!person.is_root()
                || self.op(denial).author == person
                || self.is_full(denial, within) && !self.is_dropped(denial, within))
    }

    pub(crate) fn is_full(&self, op: usize, within: Set) -> bool {
        let Op { author, kind, .. } = self.op(op);
        if kind == Kind::Seal && self.fault == Some(Fault::SealsNeedNoCosign) {
            return within.contains(op);
        }
        let counts = |cosign: usize| {
            let it = self.op(cosign);
            it.kind == Kind::Cosign(op as u8)
                && it.author != author
                && !(kind.is_denial() && self.is_stale(cosign, within))
        };
        within.contains(op) && within.iter().any(counts)
    }

    pub(crate) fn final_seals(&self, within: Set) -> impl Iterator<Item = usize> {
        let is_final =
            move |it: &usize| self.op(*it).kind == Kind::Seal && self.is_full(*it, within);
        within.iter().filter(is_final)
    }

    /// Of a denial, or of a `Cosign` of one.
    pub(crate) fn is_stale(&self, denial: usize, within: Set) -> bool {
        let past = |seal| self.op(seal).past;
        let voids = |seal: usize| {
            let past = past(seal);
            !past.contains(denial) && !self.has_live_warrant(denial, denial, past)
        };
        let binds = |seal: usize| {
            let past = past(seal);
            past.contains(denial) && !self.is_stale(denial, past)
        };
        self.final_seals(within).any(voids) && !self.final_seals(within).any(binds)
    }

    pub(crate) fn is_dropped(&self, denial: usize, within: Set) -> bool {
        let drops = |seal: usize| {
            let past = self.op(seal).past;
            past.contains(denial) && !self.is_full(denial, past)
        };
        self.final_seals(within).any(drops)
    }
}
