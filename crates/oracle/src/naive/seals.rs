//! Seals: what stands whatever comes, and what comes too late.

use ecac_core::Payload;

use super::kills::Within;
use super::set::Op;

impl<'o> Within<'o> {
    /// The past of a seal, decided within itself.
    pub(super) fn sealed_by(&self, seal: Op) -> Within<'o> {
        self.oracle.within_past(seal)
    }

    /// The seals of the set that are final in it.
    pub(super) fn finals(&self) -> &[Op] {
        self.memo.finals.get_or_init(|| {
            let is_seal = |op: &Op| matches!(self.oracle.bodies[*op].payload, Payload::Seal(_));
            let seals = self.ops.iter().filter(is_seal);
            seals.filter(|seal| self.is_full(*seal)).collect()
        })
    }

    /// The final seals by which the op stands.
    pub(super) fn seals_of(&self, op: Op) -> Vec<Op> {
        let seals = self.finals().iter().copied();
        let seal = |seal: &Op| {
            self.oracle.past[*seal].contains(op) && self.sealed_by(*seal).denied(op).is_none()
        };
        seals.filter(seal).collect()
    }

    pub(super) fn is_sealed(&self, op: Op) -> bool {
        !self.seals_of(op).is_empty()
    }

    /// The final seals that make the denial, or the `Cosign` of one, stale; none if it is not.
    pub(super) fn stale_by(&self, op: Op) -> Vec<Op> {
        let oracle = self.oracle;
        let can_be = |op| oracle.is_denial(op);
        if !can_be(op) && !oracle.cosigned(op).is_some_and(can_be) {
            return Vec::new();
        }
        if let Some(known) = self.memo.stale.borrow().get(&op) {
            return known.clone();
        }
        let has_seen = |seal: &Op| oracle.past[*seal].contains(op);
        let keeps = |seal: &Op| has_seen(seal) && !self.sealed_by(*seal).is_stale(op);
        let ends =
            |seal: &Op| !has_seen(seal) && self.sealed_by(*seal).op_kill(op, Some(op)).is_some();
        let finals = self.finals().iter();
        let found: Vec<Op> = if finals.clone().any(keeps) {
            Vec::new()
        } else {
            finals.copied().filter(ends).collect()
        };
        self.memo.stale.borrow_mut().insert(op, found.clone());
        found
    }

    pub(super) fn is_stale(&self, op: Op) -> bool {
        !self.stale_by(op).is_empty()
    }

    /// The final seals that drop the denial: they had seen it, and not enough signatures of it.
    pub(super) fn dropped_by(&self, denial: Op) -> Vec<Op> {
        let seals = self.finals().iter().copied();
        let drops = |seal: &Op| {
            self.oracle.past[*seal].contains(denial) && !self.sealed_by(*seal).is_full(denial)
        };
        seals.filter(drops).collect()
    }

    /// The applied `Endorse` ops that name the op.
    pub(super) fn endorsements(&self, op: Op) -> Vec<Op> {
        let id = self.oracle.ids[op];
        let names = |by: &Op| matches!(&self.oracle.bodies[*by].payload, Payload::Endorse(it) if it.ops.contains(&id));
        let endorse = self.ops.iter().filter(names);
        endorse.filter(|by| self.denied(*by).is_none()).collect()
    }
}
