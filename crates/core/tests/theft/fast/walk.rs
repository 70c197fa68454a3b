//! Every history, each reached in one way, so that none has to be remembered.
//!
//! An op *can have come last* if it is in no past and, if it is honest, has seen all the others. Without it a history
//! is a history, in which it can arrive; and of every history some op can have come last. If that is an honest one, it
//! has seen all the others, and no other is in no past; of those by thieves there is one of each thief at most. So the
//! last thief in the order Cat, Petra, Phone says which op *is* the last, and the walk goes on only from what was reached
//! by its last op. Which one it is depends on the set of ops alone, and does not change if Ann and Ben change parts: of
//! two histories that differ in that, the walk goes to the one whose first op that tells the two apart, as the walk
//! reaches it, is Ann's or ends Ann.
//!
//! The laws are asked of every op that arrives, whether or not it is the last. So a history is decided once for each op
//! that can have come last, in as many listings. That all come to the same is checked without remembering any: a
//! number for the history and its decisions is added once for each other way where the history is reached by its last
//! op, and subtracted where it is reached by another. This is the *balance*; it is zero if they are the same.

use super::laws::{
    After, Before, Sealed, broken, is_signed_by_two, look, look_around, look_at_refused,
};
use super::ledger::{Facts, Ledger, Verdict, Warrants};
use super::print::{Mark, Prints, Seen};
use crate::history::{Author, History, Kind, OPS_MAX, Op, Set};
use crate::laws::{Findings, Law};
use crate::machine::deeds;
use crate::rule::Fault;

/// The ops of the longest histories that are listed in another way, too; of the longer ones, as of all, the balance
/// says whether they are decided alike.
const LISTED_AGAIN_MAX: usize = 5;

/// A history on the way.
#[derive(Debug, Clone, Copy)]
struct Node {
    ledger: Ledger,
    all: Verdict,
    before: Before,
    prints: Prints,
    /// What is in no past.
    tops: Set,
    /// Whether it stays what it is if Ann and Ben change parts.
    is_fixed: bool,
}

/// What was met on a walk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// How many histories there are, by the number of their ops.
    pub(crate) histories: [u64; OPS_MAX + 1],
    /// How many ops arrived and were let in, by how many were there.
    pub(crate) admitted: [u64; OPS_MAX],
    pub(crate) refused: [u64; OPS_MAX],
    /// By the number of their ops, the prints of histories as they are first reached, once for each other way, less
    /// the prints as they are reached in these: nothing, if histories are decided alike however they are reached.
    pub(crate) balance: [u64; OPS_MAX + 1],
    pub(crate) findings: Findings,
    /// A history that breaks a law, by the next op if not by itself.
    pub(crate) culprit: Option<History>,
}

impl Report {
    pub(crate) fn add(&mut self, other: &Self) {
        let sum = |sums: &mut [u64], more: &[u64]| {
            for (sum, it) in sums.iter_mut().zip(more) {
                *sum += it;
            }
        };
        sum(&mut self.histories, &other.histories);
        sum(&mut self.admitted, &other.admitted);
        sum(&mut self.refused, &other.refused);
        for (sum, it) in self.balance.iter_mut().zip(other.balance) {
            *sum = sum.wrapping_add(it);
        }
        self.findings.add(other.findings);
        self.culprit = self.culprit.into_iter().chain(other.culprit).min();
    }

    fn note(&mut self, findings: Findings, history: &History) {
        if !findings.is_innocent() {
            self.culprit.get_or_insert(*history);
        }
        self.findings.add(findings);
    }

    fn weigh(&mut self, ops: usize, print: u64, others: u32, is_last: bool) {
        let balance = &mut self.balance[ops];
        *balance = if is_last {
            balance.wrapping_add(print.wrapping_mul(u64::from(others)))
        } else {
            balance.wrapping_sub(print)
        };
    }
}

/// What begins with a history.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    fault: Option<Fault>,
    /// The ops of the longest history that is looked at.
    ops_max: usize,
    node: Node,
    /// A verdict on each closed set of the history.
    pasts: Vec<Verdict>,
    report: Report,
    /// Histories of that many ops are left to others.
    cut: usize,
    left: Vec<Self>,
}

impl Walk {
    pub(crate) fn new(fault: Option<Fault>, history: &History, ops_max: usize) -> Self {
        assert!(ops_max <= OPS_MAX, "a history holds no more ops");
        let ledger = Ledger::new(fault);
        let all = ledger.verdict(Set::EMPTY);
        let node = Node {
            ledger,
            all,
            before: Before::default(),
            prints: Prints::default(),
            tops: Set::EMPTY,
            is_fixed: true,
        };
        let mut walk = Self {
            fault,
            ops_max,
            node,
            pasts: vec![all],
            report: Report::default(),
            cut: OPS_MAX + 1,
            left: Vec::new(),
        };
        for op in history.ops() {
            let ledger = &walk.node.ledger;
            let warrants = ledger.warrants(op.author, &ledger.verdict(op.past));
            let ledger = ledger.with(*op, warrants);
            walk.node = walk.child(&walk.node, ledger, *op);
            walk.add_pasts(&ledger, op.past);
        }
        // What is there from the start does not arrive.
        walk.node.tops = Set::EMPTY;
        walk.report.histories[history.len()] = 1;
        walk
    }

    /// Looks at every history.
    pub(crate) fn go(mut self) -> Report {
        let node = self.node;
        self.visit(&node);
        self.report
    }

    /// Looks at every history, and for no sight that is known.
    pub(crate) fn go_knowing(mut self, known: Findings) -> Report {
        self.report.findings = known;
        self.go()
    }

    /// Looks at what is shorter than so many ops and one op longer. The rest is what begins with one of these.
    pub(crate) fn split(mut self, ops: usize) -> (Report, Vec<Self>) {
        self.cut = ops;
        let node = self.node;
        if node.ledger.facts.len() == ops {
            return (std::mem::take(&mut self.report), vec![self]);
        }
        self.visit(&node);
        (self.report, self.left)
    }

    pub(crate) const fn history(&self) -> &History {
        &self.node.ledger.facts.history
    }

    fn child(&self, parent: &Node, ledger: Ledger, op: Op) -> Node {
        let all = ledger.verdict(ledger.facts.history.all());
        let sealed = if op.kind == Kind::Seal {
            Some(Sealed::of(self.fault, &ledger.facts, op.past))
        } else {
            parent.before.sealed
        };
        let applied = ledger.applied(&all);
        let facts = &parent.ledger.facts;
        let mark = Mark::of(facts, op, Seen::of(facts, op.past));
        Node {
            ledger,
            all,
            before: Before {
                applied,
                sealed,
                signed: signed(&ledger.facts),
            },
            prints: (parent.prints).with(mark, applied),
            tops: (parent.tops & !op.past).with(parent.ledger.facts.len()),
            is_fixed: parent.is_fixed && op.is_fixed(),
        }
    }

    /// The closed sets that have the op that is last.
    fn add_pasts(&mut self, ledger: &Ledger, past: Set) {
        let new = ledger.facts.len() - 1;
        for at in 0..self.pasts.len() {
            let within = self.pasts[at].within;
            if past.is_within(within) {
                self.pasts.push(ledger.verdict(within.with(new)));
            }
        }
    }

    fn visit(&mut self, node: &Node) {
        let facts = &node.ledger.facts;
        if facts.len() <= LISTED_AGAIN_MAX && !is_order_free(self.fault, node) {
            self.report.note(broken(Law::OrderFree), &facts.history);
        }
        if facts.len() == self.ops_max {
            return;
        }
        for at in 0..self.pasts.len() {
            let past = self.pasts[at];
            let is_all = past.within == facts.history.all();
            for author in Author::ALL {
                let can_have_seen = facts.by(author).is_within(past.within);
                // What Ben does is what Ann does, in the history in which they have changed parts.
                let is_twin = node.is_fixed && author == Author::Ben;
                if can_have_seen && (is_all || author.is_thief()) && !is_twin {
                    self.arrive(node, author, &past);
                }
            }
        }
    }

    fn arrive(&mut self, node: &Node, author: Author, past: &Verdict) {
        let facts = &node.ledger.facts;
        let here = facts.len();
        let warrants = node.ledger.warrants(author, past);
        if warrants.is_refused() {
            self.report.refused[here] += 1;
            let findings = look_at_refused(facts, author);
            self.report.note(findings, &facts.history);
            return;
        }
        // The ops that could come last instead: an honest one only if it has seen everything.
        let others = node.tops & !past.within & facts.stolen();
        let is_last = (others & later(facts, author)).is_empty();
        let (seen, prints) = (Seen::of(facts, past.within), &node.prints);
        for kind in kinds(facts, author, past.within) {
            if node.is_fixed && kind == Kind::Revoke(Author::Ben) {
                continue;
            }
            let op = Op {
                author,
                kind,
                past: past.within,
            };
            self.report.admitted[here] += 1;
            let after = After::of(node, op, warrants);
            let findings = look(&node.before, facts, op, &after);
            self.report.note(findings, &facts.history);
            if !others.is_empty() {
                let print = prints.print(Mark::of(facts, op, seen), after.applied);
                self.report.weigh(here + 1, print, others.len(), is_last);
            }
            self.report.histories[here + 1] += u64::from(is_last);
            if is_last && here + 1 < self.ops_max {
                self.descend(node, op, warrants, after.applied);
            } else if !self.report.findings.has_met_all() {
                let child = self.child(node, node.ledger.with(op, warrants), op);
                self.report
                    .findings
                    .add(look_around(&child.ledger, &child.all));
            }
        }
    }

    fn descend(&mut self, node: &Node, op: Op, warrants: Warrants, applied: Set) {
        let child = self.child(node, node.ledger.with(op, warrants), op);
        assert_eq!(
            child.before.applied, applied,
            "decided at once, and one op more"
        );
        self.report
            .findings
            .add(look_around(&child.ledger, &child.all));
        let known = self.pasts.len();
        self.add_pasts(&child.ledger, op.past);
        if child.ledger.facts.len() == self.cut {
            self.left.push(Self {
                node: child,
                pasts: self.pasts.clone(),
                report: Report::default(),
                cut: OPS_MAX + 1,
                left: Vec::new(),
                ..*self
            });
        } else {
            self.visit(&child);
        }
        self.pasts.truncate(known);
    }
}

impl After {
    /// Once the op is there.
    fn of(before: &Node, op: Op, warrants: Warrants) -> Self {
        let ledger = &before.ledger;
        match op.kind {
            Kind::Seal | Kind::Cosign(_) => {
                let ledger = ledger.with(op, warrants);
                let all = ledger.verdict(ledger.facts.history.all());
                Self {
                    applied: ledger.applied(&all),
                    is_final: all.is_final,
                    signed: signed(&ledger.facts),
                }
            }
            Kind::Edit | Kind::Grant | Kind::Revoke(_) | Kind::DeviceRevoke(_) => {
                let all = ledger.next(&before.all, op, warrants);
                Self {
                    applied: ledger.applied_next(&all, op, warrants),
                    is_final: all.is_final,
                    signed: before.before.signed,
                }
            }
        }
    }
}

/// The seal, if two roots signed it.
fn signed(facts: &Facts) -> Option<usize> {
    let all = facts.history.all();
    facts.seal.filter(|it| is_signed_by_two(facts, *it, all))
}

/// The ops of thieves who come after that author in the order that tells which op is the last.
fn later(facts: &Facts, author: Author) -> Set {
    match author {
        Author::Cat => facts.by(Author::Petra) | facts.by(Author::Phone),
        Author::Petra => facts.by(Author::Phone),
        Author::Phone | Author::Ann | Author::Ben | Author::Alice | Author::Laptop => Set::EMPTY,
    }
}

/// What the author can want to do.
fn kinds(facts: &Facts, author: Author, past: Set) -> impl Iterator<Item = Kind> {
    let seal = facts.seal.is_none() && author.is_root();
    let wanted = match author {
        Author::Ann | Author::Ben => facts.revokes(Author::Cat),
        Author::Cat => {
            let [ann, ben, cat] = Author::ROOTS.map(|it| facts.revokes(it));
            ann | ben | cat
        }
        Author::Petra | Author::Alice | Author::Laptop | Author::Phone => Set::EMPTY,
    };
    let seals = facts.seal.filter(|_| author.is_root());
    let wanted = seals.map_or(wanted, |it| wanted.with(it)) & past & !facts.by(author);
    let own = facts.by(author);
    let cosigns = wanted.filter(|it| (facts.cosigns(it) & own).is_empty());
    (deeds(author).iter().copied())
        .chain(seal.then_some(Kind::Seal))
        .chain(cosigns.iter().map(|it| Kind::Cosign(it as u8)))
}

/// Whether the same is decided of another listing: of all ops whose past is listed the one that arrived last is next.
fn is_order_free(fault: Option<Fault>, node: &Node) -> bool {
    let history = &node.ledger.facts.history;
    let all = history.all();
    let (mut listed, mut places, mut len) = (Set::EMPTY, [0; OPS_MAX], 0);
    let mut other = Ledger::new(fault);
    while listed != all {
        let next = (0..history.len())
            .rev()
            .find(|it| !listed.contains(*it) && history.ops()[*it].past.is_within(listed))
            .expect("the past of some op that is left is listed");
        let op = history.ops()[next].moved(&places);
        let verdict = other.verdict(op.past);
        other.push(op, other.warrants(op.author, &verdict));
        places[next] = len;
        len += 1;
        listed = listed.with(next);
    }
    let applied = other.applied(&other.verdict(all));
    let (refused, also_refused) = (node.ledger.refused(), other.refused());
    all.iter().all(|it| {
        node.before.applied.contains(it) == applied.contains(places[it])
            && refused.contains(it) == also_refused.contains(places[it])
    })
}
