//! The laws, asked of a history and of every history that is one op longer; and what has to be met for the
//! answers to mean something.

use crate::history::{AUTHORS, Author, History, Kind, Op, Set};
use crate::rule::{Decision, Decisions, DenialReason, Judgement, Refusal, World};
use crate::safety::Promise;

/// What has to hold always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Law {
    /// Decisions are a function of the set of ops: no listing of the set moves them.
    OrderFree,
    /// A verdict changes at most once, from applied to denied, and the op whose arrival changes it is an admitted
    /// revocation that had not seen the op; nothing else that arrives changes any decision.
    Caused,
    /// Going along with what arrives comes to what a replay of everything comes to.
    IncrementalIsFull,
    /// No later op admits a refused one or takes back an admission, and a refused op changes nothing.
    FinalRefusals,
    /// What is applied is backed by an unharmed chain of grants, and so was what was admitted when it was made.
    PolicySafety,
    /// A revoked author's op that the denier had not seen is not applied without a grant that had seen the denial,
    /// nor what had seen an equivocation of its author without a grant that had seen both halves.
    RevocationHolds,
    /// What is backed by an unharmed chain of grants is admitted and applied.
    NothingElseIsLost,
}

/// What has to be met somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// An edit counted, and is rolled back.
    EditRolledBack,
    /// An edit arrives after the denial that it had not seen, and never counts.
    EditDeniedOnArrival,
    /// An edit that the denier had seen stays.
    SeenEditStays,
    /// A revoked author edits again under a grant that had seen the denial.
    RegrantRestores,
    /// An edit that had seen the denial is refused.
    EditRefusedAsRevoked,
    /// Two who may do everything revoke each other, and neither revocation is applied.
    AdministratorsBothLose,
    /// An edit is refused, because its author had seen both halves of an equivocation.
    EquivocatorFrozen,
    /// An author who had seen both halves edits under a grant that had seen them, too.
    GrantThaws,
    /// Both halves of an equivocation are applied.
    HalvesStand,
    /// An op is denied because of who granted.
    GranteeDenied,
    /// A denied op stays denied, for another reason: it is the verdict that changes once.
    ReasonChanges,
}

/// What there is to say of a history and of the histories that are one op longer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    /// Each law that is broken, with the op whose arrival breaks it.
    broken: Vec<(Law, Option<Op>)>,
    met: u16,
}

impl Findings {
    /// Looks at the history, in every listing, and at all that can arrive next at a replica that has `decided`.
    pub(crate) fn of(world: &World, history: &History, decided: &Decisions) -> Self {
        let mut findings = Self::default();
        let decisions = Judgement::of(world, history).decisions();
        if *decided != decisions {
            findings.broken.push((Law::IncrementalIsFull, None));
        }
        for order in history.orders() {
            if !is_same_in_order(world, history, &decisions, &order) {
                findings.broken.push((Law::OrderFree, None));
            }
        }
        for op in arrivals(world, history) {
            findings.look_ahead(world, history, &decisions, op);
        }
        findings
    }

    pub(crate) fn obeys(&self, law: Law) -> bool {
        self.broken.iter().all(|(broken, _)| *broken != law)
    }

    pub(crate) const fn has_met(&self, sight: Sight) -> bool {
        self.met & 1 << sight as u16 != 0
    }

    fn look_ahead(&mut self, world: &World, before: &History, decided: &Decisions, op: Op) {
        let history = before.with(op);
        let judgement = Judgement::of(world, &history);
        let (after, admitted) = (judgement.decisions(), judgement.admitted);
        let (old, new) = (0..before.len(), before.len());
        let mut check = |law, holds: bool| {
            if !holds {
                self.broken.push((law, Some(op)));
            }
        };
        check(Law::IncrementalIsFull, judgement.catch_up(decided) == after);
        let is_final = |it: usize| {
            let touched = [decided[it], after[it], after[new]];
            decided[it] == after[it] || !touched.iter().any(|decision| decision.is_refused())
        };
        check(Law::FinalRefusals, old.clone().all(is_final));
        let is_denial = matches!(op.kind, Kind::Revoke(_)) && admitted.contains(new);
        let is_caused = |it: usize| {
            let rolled_back = decided[it] == Decision::Applied && after[it].is_denied();
            let stays_denied = decided[it].is_denied() && after[it].is_denied();
            decided[it] == after[it]
                || (rolled_back || stays_denied) && is_denial && !op.past.contains(it)
        };
        check(Law::Caused, old.clone().all(is_caused));

        let promise = |known: Set| Promise {
            world,
            history: &history,
            known,
        };
        let is_admitted = admitted.contains(new);
        let was_backed = op.past.is_within(admitted) && promise(op.past).is_backed(new);
        check(Law::PolicySafety, was_backed || !is_admitted);
        check(Law::NothingElseIsLost, is_admitted || !was_backed);
        if is_admitted {
            let applied = admitted.filter(|it| after[it] == Decision::Applied);
            let backed = admitted.filter(|it| promise(admitted).is_backed(it));
            check(Law::PolicySafety, applied.is_within(backed));
            check(Law::NothingElseIsLost, backed.is_within(applied));
            check(
                Law::RevocationHolds,
                promise(admitted).revocation_holds(&after),
            );
            let others = before.all().without(op.past);
            let early: Vec<usize> = op.past.iter().chain([new]).chain(others.iter()).collect();
            let is_same = others.is_empty() || is_same_in_order(world, &history, &after, &early);
            check(Law::OrderFree, is_same);
        }
        self.meet(&promise(admitted), decided, &after);
    }

    fn meet(&mut self, admitted: &Promise<'_>, decided: &Decisions, after: &Decisions) {
        let ops = admitted.history.ops();
        let new = ops.len() - 1;
        let mut meet = |sight: Sight| self.met |= 1 << sight as u16;
        for op in 0..ops.len() {
            let is_edit = ops[op].kind == Kind::Edit;
            let revokes_author = |it: usize| ops[it].kind == Kind::Revoke(ops[op].author);
            let denials = admitted.known.filter(revokes_author);
            let mut seen_forks = admitted.equivocations(ops[op].author, ops[op].past);
            match after[op] {
                Decision::Denied(DenialReason::Revoked) if is_edit && op == new => {
                    meet(Sight::EditDeniedOnArrival);
                }
                Decision::Denied(DenialReason::Revoked) => {
                    if is_edit && decided[op] == Decision::Applied {
                        meet(Sight::EditRolledBack);
                    }
                }
                Decision::Denied(DenialReason::GranterDenied) => meet(Sight::GranteeDenied),
                Decision::Refused(Refusal::Revoked) if is_edit => {
                    meet(Sight::EditRefusedAsRevoked);
                }
                Decision::Refused(Refusal::Frozen) if is_edit => meet(Sight::EquivocatorFrozen),
                Decision::Refused(
                    Refusal::RefusedParent
                    | Refusal::NoGrant
                    | Refusal::ActionNotPermitted
                    | Refusal::Revoked
                    | Refusal::Frozen,
                ) => {}
                Decision::Applied => {
                    if is_edit && denials.iter().any(|it| ops[it].past.contains(op)) {
                        meet(Sight::SeenEditStays);
                    }
                    if is_edit && !denials.and(ops[op].past).is_empty() {
                        meet(Sight::RegrantRestores);
                    }
                    if is_edit && seen_forks.next().is_some() {
                        meet(Sight::GrantThaws);
                    }
                    let mut forks = admitted.equivocations(ops[op].author, admitted.known);
                    let stands = |it: usize| after[it] == Decision::Applied;
                    if forks.any(|both| both.contains(op) && both.iter().all(stands)) {
                        meet(Sight::HalvesStand);
                    }
                }
            }
            if op != new && decided[op].is_denied() && decided[op] != after[op] {
                meet(Sight::ReasonChanges);
            }
            let loses_to = |other: usize| {
                let names = |one: usize, author: Author| ops[one].kind == Kind::Revoke(author);
                names(op, ops[other].author)
                    && names(other, ops[op].author)
                    && ops[op].author != ops[other].author
                    && after[op].is_denied()
                    && after[other].is_denied()
            };
            if (0..op).any(loses_to) {
                meet(Sight::AdministratorsBothLose);
            }
        }
    }
}

/// Whether the ops, listed in this order, are decided in the same way.
fn is_same_in_order(
    world: &World,
    history: &History,
    decided: &Decisions,
    order: &[usize],
) -> bool {
    let listed = history.listed(order);
    let decisions = Judgement::of(world, &listed).decisions();
    let mut places = order.iter().enumerate();
    places.all(|(at, &op)| decisions[at] == decided[op])
}

/// Every op that somebody can make who knows a closed set of the ops, by whatever author: whoever builds on less
/// than what they made themselves equivocates.
pub(crate) fn arrivals(world: &World, history: &History) -> Vec<Op> {
    let kinds = world.kinds();
    let mut arrivals = Vec::new();
    for past in history.closed_sets() {
        for author in 0..AUTHORS as Author {
            arrivals.extend(kinds.iter().map(|&kind| Op { author, kind, past }));
        }
    }
    arrivals
}
