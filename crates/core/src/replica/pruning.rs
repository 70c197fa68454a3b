//! Pruning: dropping the envelopes of work that sealed work supersedes (`docs/pruning.md`).

use super::Replica;
use crate::authority::Judge;
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::OpId;
use crate::snapshot::is_plain;
use crate::state::State;
use crate::store::StoreError;

/// What a pruning dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// Envelopes.
    pub ops: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Replica {
    /// Drops the envelopes of the data ops that sealed, applied work supersedes: a write, an add or a remove that is applied in the
    /// past of a final seal, and that another such op has covered at its place. Nothing that comes later shows one of them again.
    ///
    /// Kept are ids, links, stamps, authors and places, so that every decision and every digest stays what it is for a replica
    /// that has all envelopes, whatever arrives. What is gone: the values that were written over, and the bytes that others
    /// could be given ([`Replica::envelope`], [`Replica::envelopes`]). Denied ops, and those of trust and policy, are never dropped.
    ///
    /// The cost is that of judging each op within each final seal.
    ///
    /// ```
    /// use ecac_core::payload::SetField;
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [(Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &key, 1)?;
    /// let first = replica.author(SetField::new("order/1", "status", Value::Int(1))?, &key, 2)?.op;
    /// replica.author(SetField::new("order/1", "status", Value::Int(2))?, &key, 3)?;
    /// assert_eq!(replica.prune()?.ops, 0);
    /// replica.seal(&key, 4)?;
    /// let digest = replica.state_digest();
    /// assert_eq!(replica.prune()?.ops, 1);
    /// assert!(replica.log().is_pruned(&first) && replica.envelope(&first).is_none());
    /// assert_eq!(replica.state_digest(), digest);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store keeps every envelope, or has failed; nothing is dropped then.
    pub fn prune(&mut self) -> Result<Pruned, StoreError> {
        let mut ops = self.superseded_at();
        ops.retain(|&op| !self.log.is_hollow(op));
        let bytes = self.log.prune(&ops)?;
        Ok(Pruned {
            ops: ops.len(),
            bytes,
        })
    }

    /// The ops that [`Replica::prune`] would drop and those that it has dropped, in order of admission.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// assert!(Replica::join(OpId::from_bytes([0; 32])).superseded().is_empty());
    /// ```
    #[must_use]
    pub fn superseded(&self) -> Vec<OpId> {
        let ops = self.superseded_at().into_iter();
        ops.map(|op| self.log.dag.id(op)).collect()
    }

    fn superseded_at(&self) -> Vec<Index> {
        let (dag, costs) = (&self.log.dag, &mut Costs::default());
        let mut judge = Judge::new(dag, &self.log.authority, costs);
        if judge.finals_ever().is_empty() {
            return Vec::new();
        }
        let data = (0..dag.len()).filter(|&op| self.log.places.touched(op).is_some());
        let sealed: Vec<Index> = data.filter(|&op| judge.is_sealed_ever(op)).collect();
        // The state of sealed work alone: whatever else comes covers more of it, and uncovers nothing.
        let mut state = State::default();
        state.reach(&self.log);
        for &op in &sealed {
            state.turn(&self.log, op, true);
        }
        let covered = sealed.into_iter().filter(|&op| state.is_covered(op));
        let is_plain = |&op: &Index| self.log.body(op).is_some_and(|it| is_plain(&it.payload));
        covered.filter(is_plain).collect()
    }
}
