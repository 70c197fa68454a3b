//! Changes of effects: which ops of trust and policy do less than they say, and when that changes.

use std::collections::BTreeSet;

use crate::authority::{EffectCode, Effects, Judge};
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::OpId;
use crate::log::Log;

/// An op of trust or policy that does less than it says, or that did and has come to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EffectChange {
    /// The op.
    pub op: OpId,
    /// What it comes to.
    pub effect: EffectCode,
    /// Of the new ops, in order of admission, the last with which that changed; `None` if the op is new itself.
    pub cause: Option<OpId>,
}

impl Log {
    /// What changed of the effects that fall short of what their ops say ([`EffectCode::falls_short`]), with what was admitted
    /// after the first `since` ops, by op id. An op whose effect falls short is in it with the batch that brings the op, and
    /// again whenever its effect changes, to something that does not fall short, too.
    ///
    /// It is about the ops that a `Cosign` may name, but for `Upgrade`s, whose effect depends on the features that a program
    /// knows; and about projects in which a quorum of several roots, a `Seal`, an `Endorse` or a `Device` has been: in all
    /// others nothing changes here.
    ///
    /// The cost is that of the effects of the new ops, and of those older ones that they bear upon: all, where a seal becomes
    /// final.
    #[must_use]
    pub fn effect_changes(&self, since: usize) -> Vec<EffectChange> {
        // What people ask for is no work of the engine.
        let costs = &mut Costs::default();
        let len = self.dag.len();
        let authority = &self.authority;
        let Some(first) = authority.first_beyond_plain().filter(|_| since < len) else {
            return Vec::new();
        };
        let proposals = authority.proposals();
        let mut asked: BTreeSet<Index> = proposals.range(since..).copied().collect();
        let mut judge = Judge::new(&self.dag, authority, costs);
        if since <= first || judge.finals_until(since) != judge.finals_until(len) {
            asked.extend(proposals.range(..since));
        } else {
            let older = authority.borne_upon(since).into_iter();
            asked.extend(older.filter(|op| *op < since && proposals.contains(op)));
        }
        let mut changes: Vec<EffectChange> = asked
            .into_iter()
            .filter_map(|op| self.effect_change(op, since, first))
            .collect();
        changes.sort_by_key(|change| change.op);
        changes
    }

    fn effect_change(&self, op: Index, since: usize, first: Index) -> Option<EffectChange> {
        let len = self.dag.len();
        let effect = self.effect_until(op, len)?;
        let before = (op < since).then(|| self.told_until(op, since, first));
        let before = before.flatten();
        let falls_short = |code: Option<EffectCode>| code.is_some_and(EffectCode::falls_short);
        if before == Some(effect) || !falls_short(before) && !effect.falls_short() {
            return None;
        }
        let turned = |at: &Index| {
            self.authority.acts(*at) && self.told_until(op, *at, first) != Some(effect)
        };
        let cause = (op < since).then(|| (since..len).rev().find(turned));
        Some(EffectChange {
            op: self.dag.id(op),
            effect,
            cause: cause.flatten().map(|at| self.dag.id(at)),
        })
    }

    /// The effect among the ops that were admitted before `until`, if anything is told of effects there.
    fn told_until(&self, op: Index, until: usize, first: Index) -> Option<EffectCode> {
        let told = first < until;
        told.then(|| self.effect_until(op, until)).flatten()
    }

    fn effect_until(&self, op: Index, until: usize) -> Option<EffectCode> {
        let costs = &mut Costs::default();
        let of = &mut Effects::until((&self.dag, &self.authority), self, op, until, costs);
        Some(self.body(op)?.payload.effect(of)?.code)
    }
}
