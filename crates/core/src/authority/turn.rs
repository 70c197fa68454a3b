//! Turning: which earlier decisions an op can turn, in a project that has more than the rules of grants and denials
//! (`docs/policy-model.md`).
//!
//! A decision hangs on the warrants of its op, which are fixed, on the denials that kill them, and on what upholds it. Which
//! denials bite hangs on who signed them and on which seals are final; what a seal's past says never changes. Hence
//!
//! - an op is **settled** once it is applied in the past of a seal that is final: seals stay final. Where no denial up to the
//!   seal touches each of its titles, it is applied there; of others a replay keeps what it found out when the seal became final;
//! - a **denial** adds kills and nothing else, so it only takes back: what is admitted under a title that rests on what it aims
//!   at, and had not been seen by it, since an issuer key that it had not seen makes no grant that it had; and what an
//!   `Endorse` among these names, seen or not;
//! - a **`Cosign`** counts for nothing until what it signs is full with it. Then a denial begins to bite grants of `root`, as
//!   if it had come just now, and a seal becomes final. What else may be cosigned is asked about at admission only;
//! - a **`Seal`** that becomes final drops denials and makes them stale, so it gives back what is anywhere; and it keeps others from
//!   being stale, so it takes back. What is settled by others stands;
//! - an **`Endorse`** only gives back what it names, since nothing rests on data.

use std::collections::BTreeMap;

use super::judge::Judge;
use super::register::Authority;
use super::warrants::WarrantsId;
use crate::costs::Costs;
use crate::dag::{Dag, Index, Past};

/// How an op can turn what was decided before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// From applied to denied.
    Takes,
    /// From denied to applied.
    Gives,
    /// Either way: with it this seal becomes final.
    Seals(Index),
}

impl Authority {
    /// How the op can turn what was decided before it, if it can, and of which ops: all, but for what is settled.
    pub(crate) fn turned_by(
        &self,
        op: Index,
        dag: &Dag,
        costs: &mut Costs,
    ) -> Option<(Turn, Vec<Index>)> {
        if let Some(named) = self.endorsed.get(&op) {
            return Some((Turn::Gives, named.clone()));
        }
        let &acting = self.turning.get(&op)?;
        let is_seal = self.seals.binary_search(&acting).is_ok();
        let denies = self.denials.contains_key(&acting);
        let mut judge = Judge::new(dag, self, costs);
        let counts = denies && acting == op || (denies || is_seal) && judge.fills(acting, op);
        if !counts {
            return None;
        }
        let settling = Settling::new(dag, judge.finals_until(op));
        if is_seal {
            let ops = self.open_under(self.touched_sets.keys(), op, settling, &Past::default());
            return Some((Turn::Seals(acting), ops));
        }
        let sets = self.resting_on(self.aimed_at(acting));
        let mut ops = self.open_under(sets.iter(), op, settling, &dag.past(acting));
        let endorsed = ops.iter().filter_map(|it| self.endorsed.get(it)).flatten();
        let endorsed: Vec<Index> = endorsed.copied().collect();
        ops.extend(endorsed);
        ops.sort_unstable();
        ops.dedup();
        Some((Turn::Takes, ops))
    }

    /// The ops before `until` under these sets of titles that are not in the past given, in order of admission: without those
    /// that no denial before `until` can end, and without those that seals have in their pasts of before there was one.
    fn open_under<'s>(
        &self,
        sets: impl Iterator<Item = &'s WarrantsId>,
        until: Index,
        mut settling: Settling<'_>,
        past: &Past,
    ) -> Vec<Index> {
        let mut ops = Vec::new();
        for set in sets {
            let since = self.touched_sets.get(set).copied();
            if let Some(since) = since.filter(|&since| since <= until) {
                let spared = settling.before(since, past);
                let under = self.warrants[*set as usize]
                    .under
                    .outside(settling.dag, &spared);
                ops.extend(under.filter(|&op| op < until));
            }
        }
        ops.sort_unstable();
        ops
    }
}

/// The pasts of final seals.
struct Settling<'a> {
    dag: &'a Dag,
    /// In order of admission.
    finals: Vec<Index>,
    /// By how many of the first of them: their pasts, and one more.
    pasts: BTreeMap<usize, Past>,
}

impl<'a> Settling<'a> {
    const fn new(dag: &'a Dag, finals: Vec<Index>) -> Self {
        Self {
            dag,
            finals,
            pasts: BTreeMap::new(),
        }
    }

    /// What the seals that were admitted before this have in their pasts, and the past given, which is always the same.
    fn before(&mut self, until: Index, past: &Past) -> Past {
        let count = self.finals.partition_point(|&seal| seal < until);
        let (dag, finals) = (self.dag, &self.finals);
        let known = self.pasts.entry(count).or_insert_with(|| {
            let seals = finals[..count].iter().rev();
            seals.fold(past.clone(), |all, &seal| {
                let (chain, position) = dag.position(seal);
                if all.count(chain) > position {
                    all
                } else {
                    dag.with_past(&all, seal)
                }
            })
        });
        known.clone()
    }
}
