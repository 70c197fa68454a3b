//! Causal deny-wins over abstract ops, transcribed from the definitions, and an evaluation of it that goes along
//! with what arrives.

use std::collections::BTreeMap;

use crate::history::{AUTHORS, Author, History, Kind, OPS_MAX, Op, Role, Set};

/// What genesis says, and whether the rule is broken on purpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    /// The authors whom genesis names as roots.
    pub(crate) roots: Set,
    /// The roles that grants give.
    pub(crate) roles: &'static [Role],
    /// What is wrong with the rule: nothing, unless a test wants to see the laws fail.
    pub(crate) fault: Option<Fault>,
}

/// A rule that is almost the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A denial reaches only the grants that the denier had seen.
    ConcurrentGrantsSurvive,
    /// A grant that was issued after seeing the denial dies of it, too.
    RegrantsDie,
    /// A denial kills also the ops that the denier had seen.
    NothingIsSpared,
    /// A denial whose author has concurrently been revoked does not count.
    DeniedDenialsLapse,
    /// What a revoked granter handed on stays.
    GranteesStay,
    /// An equivocation denies what not both halves had seen.
    ForksDeny,
    /// Who has seen their own equivocation goes on as if there were none.
    NobodyFreezes,
    /// A grant that had seen one half of an equivocation thaws.
    OneHalfThaws,
    /// Nothing thaws, a grant that had seen both halves of an equivocation included.
    NothingThaws,
    /// Admission takes denials into account that are not in the op's past.
    RefusalsLookAround,
    /// What has been applied is not looked at again.
    NoRollBack,
}

impl World {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// The ways in which authors can change their parts without changing genesis.
    pub(crate) fn symmetries(&self) -> Vec<[Author; AUTHORS]> {
        const PARTS: [[Author; AUTHORS]; 6] = [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ];
        let keeps_roots = |part: &[Author; AUTHORS]| {
            self.roots.map(|author| usize::from(part[author])) == self.roots
        };
        PARTS.into_iter().filter(keeps_roots).collect()
    }

    /// Everything that an author can do.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let mut kinds = vec![Kind::Edit];
        for author in 0..AUTHORS as Author {
            kinds.push(Kind::Revoke(author));
            kinds.extend(self.roles.iter().map(|&role| Kind::Grant(author, role)));
        }
        kinds
    }
}

/// Why an op never enters, in the order in which the reasons are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Refusal {
    RefusedParent,
    NoGrant,
    ActionNotPermitted,
    Revoked,
    Frozen,
}

/// Why an op that entered is taken back; the least that kills is the one that is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DenialReason {
    Revoked,
    GranterDenied,
}

/// What is decided of an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) enum Decision {
    #[default]
    Applied,
    Denied(DenialReason),
    Refused(Refusal),
}

impl Decision {
    pub(crate) const fn is_denied(self) -> bool {
        matches!(self, Self::Denied(_))
    }

    pub(crate) const fn is_refused(self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// A decision for each op, in the order of the listing.
pub(crate) type Decisions = [Decision; OPS_MAX];

/// A grant: the number of its op, or [`GENESIS`].
type Grant = usize;
/// What genesis grants to a root.
const GENESIS: Grant = 7;
const _: () = assert!(
    OPS_MAX <= GENESIS,
    "no op has the number that stands for genesis"
);

/// What a question is asked about: the denials that lie `within` a set of ops, and the op that is `judged`, which
/// a denial spares if the denier had seen it.
#[derive(Debug, Clone, Copy)]
struct View {
    within: Set,
    judged: Option<usize>,
}

/// What the rule says of a history.
#[derive(Debug)]
pub(crate) struct Judgement<'a> {
    world: &'a World,
    history: &'a History,
    /// The ops that entered.
    pub(crate) admitted: Set,
    refusals: [Option<Refusal>; OPS_MAX],
    /// The grants by which an op entered: a denial has to kill them all.
    warrants: [Set; OPS_MAX],
    /// How many ops the author has in the op's past.
    seq: [u8; OPS_MAX],
    revocations: [Set; AUTHORS],
    /// Pairs of ops that one author made with one number.
    forks: Vec<(usize, usize)>,
}

impl<'a> Judgement<'a> {
    /// Judges the ops one by one: an op stands behind its past.
    pub(crate) fn of(world: &'a World, history: &'a History) -> Self {
        let mut judgement = Self {
            world,
            history,
            admitted: Set::EMPTY,
            refusals: [None; OPS_MAX],
            warrants: [Set::EMPTY; OPS_MAX],
            seq: [0; OPS_MAX],
            revocations: [Set::EMPTY; AUTHORS],
            forks: Vec::new(),
        };
        if world.has(Fault::RefusalsLookAround) {
            (0..history.len()).for_each(|op| judgement.note_revocation(op));
        }
        for op in 0..history.len() {
            match judgement.admit(op) {
                Ok(warrants) => {
                    judgement.warrants[op] = warrants;
                    judgement.enter(op);
                }
                Err(refusal) => judgement.refusals[op] = Some(refusal),
            }
        }
        judgement
    }

    fn op(&self, op: usize) -> Op {
        self.history.ops()[op]
    }

    fn note_revocation(&mut self, op: usize) {
        if let Kind::Revoke(subject) = self.op(op).kind {
            let known = &mut self.revocations[usize::from(subject)];
            *known = known.with(op);
        }
    }

    fn enter(&mut self, op: usize) {
        let Op { author, past, .. } = self.op(op);
        let own = self.admitted.filter(|it| self.op(it).author == author);
        let numbers = own.and(past).iter().map(|it| self.seq[it] + 1);
        self.seq[op] = numbers.max().unwrap_or(0);
        let twins = own.filter(|it| self.seq[it] == self.seq[op]);
        self.forks.extend(twins.iter().map(|it| (it, op)));
        self.admitted = self.admitted.with(op);
        self.note_revocation(op);
    }

    /// The grants in the op's past by which it enters, or why it does not.
    fn admit(&self, op: usize) -> Result<Set, Refusal> {
        let Op { author, kind, past } = self.op(op);
        if !past.is_within(self.admitted) {
            return Err(Refusal::RefusedParent);
        }
        let names_author =
            |grant| matches!(self.op(grant).kind, Kind::Grant(subject, _) if subject == author);
        let mut grants = past.filter(names_author);
        if self.world.roots.contains(usize::from(author)) {
            grants = grants.with(GENESIS);
        }
        let within = if self.world.has(Fault::RefusalsLookAround) {
            self.history.all()
        } else {
            past
        };
        let view = View {
            within,
            judged: None,
        };
        let permits = |grant| self.role(grant) == Role::Root || kind == Kind::Edit;
        let permitting = grants.filter(permits);
        let live = permitting.filter(|grant| self.kill(grant, author, view).is_none());
        let thawed = live.filter(|grant| !self.freezes(grant, author, within));
        if grants.is_empty() {
            Err(Refusal::NoGrant)
        } else if permitting.is_empty() {
            Err(Refusal::ActionNotPermitted)
        } else if live.is_empty() {
            Err(Refusal::Revoked)
        } else if thawed.is_empty() {
            Err(Refusal::Frozen)
        } else {
            Ok(thawed)
        }
    }

    fn role(&self, grant: Grant) -> Role {
        if grant == GENESIS {
            return Role::Root;
        }
        match self.op(grant).kind {
            Kind::Grant(_, role) => role,
            Kind::Edit | Kind::Revoke(_) => unreachable!("op {grant} grants nothing"),
        }
    }

    /// What the granter had seen when granting.
    fn seen(&self, grant: Grant) -> Set {
        if grant == GENESIS {
            Set::EMPTY
        } else {
            self.op(grant).past
        }
    }

    /// Whether the past holds two ops of the author with one number that the granter had not both seen.
    fn freezes(&self, grant: Grant, author: Author, past: Set) -> bool {
        let world = self.world;
        let seen = self.seen(grant);
        let unseen = |&(one, other): &(usize, usize)| {
            let both = Set::EMPTY.with(one).with(other);
            let thaws = if world.has(Fault::OneHalfThaws) {
                !both.and(seen).is_empty()
            } else {
                both.is_within(seen) && !world.has(Fault::NothingThaws)
            };
            self.op(one).author == author && both.is_within(past) && !thaws
        };
        !world.has(Fault::NobodyFreezes) && self.forks.iter().any(unseen)
    }

    /// What kills the grant to the subject: a denial that the granter had not seen and that does not spare the
    /// judged op, or the same for all grants by which the granter granted.
    fn kill(&self, grant: Grant, subject: Author, view: View) -> Option<DenialReason> {
        let world = self.world;
        let seen = self.seen(grant);
        let spares = |denial: usize| {
            let saw = |op| self.op(denial).past.contains(op);
            view.judged.is_some_and(saw) && !world.has(Fault::NothingIsSpared)
        };
        let revokes = |denial: usize| {
            let reaches = if world.has(Fault::ConcurrentGrantsSurvive) {
                grant == GENESIS || self.op(denial).past.contains(grant)
            } else {
                !seen.contains(denial) || world.has(Fault::RegrantsDie)
            };
            let lapsed = world.has(Fault::DeniedDenialsLapse) && {
                let author = usize::from(self.op(denial).author);
                let unseen = |it: usize| it != denial && !self.op(it).past.contains(denial);
                self.revocations[author].and(view.within).iter().any(unseen)
            };
            reaches && !lapsed && view.judged != Some(denial) && !spares(denial)
        };
        let revocations = self.revocations[usize::from(subject)].and(view.within);
        if revocations.iter().any(revokes) {
            return Some(DenialReason::Revoked);
        }
        let forks = |&(one, other): &(usize, usize)| {
            let both = Set::EMPTY.with(one).with(other);
            self.op(one).author == subject
                && both.is_within(view.within)
                && !both.is_within(seen)
                && !(spares(one) && spares(other))
        };
        if world.has(Fault::ForksDeny) && self.forks.iter().any(forks) {
            return Some(DenialReason::Revoked);
        }
        if grant == GENESIS || world.has(Fault::GranteesStay) {
            return None;
        }
        self.kill_all(grant, view)
            .map(|_| DenialReason::GranterDenied)
    }

    /// What kills all grants by which the op entered.
    fn kill_all(&self, op: usize, view: View) -> Option<DenialReason> {
        let author = self.op(op).author;
        let mut first: Option<DenialReason> = None;
        for grant in self.warrants[op].iter() {
            let kill = self.kill(grant, author, view)?;
            first = Some(first.map_or(kill, |known| known.min(kill)));
        }
        first
    }

    /// What is decided of an op.
    pub(crate) fn decision(&self, op: usize) -> Decision {
        if let Some(refusal) = self.refusals[op] {
            return Decision::Refused(refusal);
        }
        let view = View {
            within: self.history.all(),
            judged: Some(op),
        };
        self.kill_all(op, view)
            .map_or(Decision::Applied, Decision::Denied)
    }

    /// What is decided of every op.
    pub(crate) fn decisions(&self) -> Decisions {
        let mut decisions = Decisions::default();
        (0..self.history.len()).for_each(|op| decisions[op] = self.decision(op));
        decisions
    }

    /// What the decisions become, which were made before the last op arrived, when only that op is judged and
    /// those are judged again which it may deny: what it has not seen, if it revokes.
    pub(crate) fn catch_up(&self, decided: &Decisions) -> Decisions {
        let new = self.history.len() - 1;
        let mut decisions = *decided;
        decisions[new] = self.decision(new);
        if decisions[new].is_refused() || self.world.has(Fault::NoRollBack) {
            return decisions;
        }
        let Op { kind, past, .. } = self.op(new);
        let reached = match kind {
            Kind::Revoke(_) => Set::below(new).without(past),
            Kind::Edit | Kind::Grant(..) => Set::EMPTY,
        };
        for op in reached.iter() {
            if !decisions[op].is_refused() {
                decisions[op] = self.decision(op);
            }
        }
        decisions
    }
}

/// What is decided of every op along the listing: after none of the ops, after the first, and so on.
pub(crate) fn course(world: &World, history: &History) -> Vec<Decisions> {
    let counts = 0..=history.len();
    counts
        .map(|count| Judgement::of(world, &history.first(count)).decisions())
        .collect()
}

/// Of a replica that knows so many ops and gets the rest one after the other: what is rolled back, with the cause,
/// which is the first op with which it is denied.
pub(crate) fn causes(course: &[Decisions], known: usize) -> BTreeMap<usize, usize> {
    let mut causes = BTreeMap::new();
    for (new, pair) in course.windows(2).enumerate().skip(known) {
        let denied = |op: &usize| pair[0][*op] == Decision::Applied && pair[1][*op].is_denied();
        for op in (0..known).filter(denied) {
            causes.entry(op).or_insert(new);
        }
    }
    causes
}
