//! Carrying: a sealed snapshot for who has nothing of the project yet (`docs/pruning.md`, Starting from a sealed snapshot).

use super::Replica;
use crate::authority::Judge;
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::OpId;
use crate::op::VerifiedOp;
use crate::payload::Payload;
use crate::snapshot::{SealedPast, write_carried};

/// Why there is no sealed snapshot to carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CarryError {
    /// No seal is final.
    #[error("nothing is sealed: no seal is final")]
    Unsealed,
    /// The digest of the seal is of version 1: it does not bind what is kept of dropped ops.
    #[error(
        "the seal {seal} does not bind what would be carried: the feature `carry` is not in force in its past"
    )]
    Unbound {
        /// The seal.
        seal: OpId,
    },
    /// The seal does not say what it seals.
    #[error("the digest of the seal {seal} is not that of its past")]
    Disagrees {
        /// The seal.
        seal: OpId,
    },
    /// An envelope that has to go with the snapshot was dropped here.
    #[error("an envelope that has to go with the seal {seal} was dropped here")]
    Pruned {
        /// The seal.
        seal: OpId,
    },
}

impl Replica {
    /// A snapshot for who has nothing of the project yet: the past of a final seal, without the envelopes of what sealed work
    /// supersedes, with the seal and the `Cosign`s that make it final. Whoever starts from it ([`Replica::start_from`]) believes
    /// nothing but what the roots signed. Of several final seals it is the one with the most ops in its past; two replicas that
    /// hold the same ops carry the same bytes, unless one of them has dropped more.
    ///
    /// Both halves of an equivocation go with their envelopes, as far as these are here. The cost is that of a replay of the
    /// past of the seal.
    ///
    /// ```
    /// use ecac_core::payload::SetField;
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(), schema: [].into(),
    /// #     features: [(Name::new("carry")?, Vec::new()), (Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &key, 1)?;
    /// let first = replica.author(SetField::new("order/1", "status", Value::Int(1))?, &key, 2)?.op;
    /// replica.author(SetField::new("order/1", "status", Value::Int(2))?, &key, 3)?;
    /// replica.seal(&key, 4)?;
    ///
    /// let newcomer = Replica::start_from(replica.project(), &replica.carry()?)?;
    /// assert_eq!(newcomer.state_digest(), replica.state_digest());
    /// assert!(newcomer.log().is_pruned(&first) && newcomer.decision(&first) == replica.decision(&first));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CarryError`], of the final seal with the most ops in its past.
    pub fn carry(&self) -> Result<Vec<u8>, CarryError> {
        let (dag, costs) = (&self.log.dag, &mut Costs::default());
        let finals = Judge::new(dag, &self.log.authority, costs).finals_ever();
        let mut ends: Vec<(usize, OpId, Index)> = Vec::new();
        for seal in dag.ends(&finals) {
            let past = dag.past(seal);
            let mut ops = 0;
            past.each(|_, count| ops += count as usize);
            ends.push((ops, dag.id(seal), seal));
        }
        ends.sort_unstable_by_key(|&(ops, id, _)| (core::cmp::Reverse(ops), id));
        let mut first = None;
        for (.., seal) in ends {
            match self.carry_to(seal, costs) {
                Ok(carried) => return Ok(carried),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(CarryError::Unsealed))
    }

    fn carry_to(&self, at: Index, costs: &mut Costs) -> Result<Vec<u8>, CarryError> {
        let (log, seal) = (&self.log, self.log.dag.id(at));
        let pruned = || CarryError::Pruned { seal };
        let body = log.body(at).ok_or_else(pruned)?;
        let Payload::Seal(said) = &body.payload else {
            return Err(CarryError::Disagrees { seal });
        };
        let past = SealedPast::of(log, &body.parents, costs).ok_or_else(pruned)?;
        if past.skeletons.is_none() {
            return Err(CarryError::Unbound { seal });
        }
        if !past.says_all() {
            return Err(pruned());
        }
        if past.digest(costs) != said.digest {
            return Err(CarryError::Disagrees { seal });
        }
        let after = self.after(at, costs).ok_or_else(pruned)?;
        let drops =
            |op: Index| past.log.is_hollow(op) || past.covers(op) && !past.log.dag.is_fork(op);
        let hollow = (0..past.log.dag.len()).filter(|&op| past.log.is_hollow(op));
        if hollow.into_iter().any(|op| !past.covers(op)) {
            return Err(pruned());
        }
        write_carried(&past, drops, &after).ok_or_else(pruned)
    }

    /// The final seal and what makes it final, in the total order but for the seal, which comes first: of its `Cosign`s, in that
    /// order, those that add to it until they are enough, with all that they have seen and the seal has not. `None` if an envelope of these was dropped.
    fn after(&self, seal: Index, costs: &mut Costs) -> Option<Vec<VerifiedOp>> {
        let (dag, authority) = (&self.log.dag, &self.log.authority);
        let sealed = dag.past(seal);
        let in_order = |&at: &Index| (dag.hlc(at), dag.id(at));
        let mut cosigns = authority.cosigns_of(seal).to_vec();
        cosigns.sort_unstable_by_key(in_order);
        let mut all = dag.with(&sealed, seal);
        let mut pairs = Judge::new(dag, authority, costs).pairs_in(seal, &all);
        for cosign in cosigns {
            if pairs >= self.quorum() {
                break;
            }
            let more = dag.with(&all, cosign);
            let found = Judge::new(dag, authority, costs).pairs_in(seal, &more);
            if found > pairs {
                (all, pairs) = (more, found);
            }
        }
        let is_after = |at: Index, costs: &mut Costs| {
            at != seal && dag.contains(&all, at, costs) && !dag.contains(&sealed, at, costs)
        };
        let mut after: Vec<Index> = (0..dag.len()).filter(|&at| is_after(at, costs)).collect();
        after.sort_unstable_by_key(in_order);
        after.insert(0, seal);
        after.into_iter().map(|at| self.log.op(at)).collect()
    }
}
