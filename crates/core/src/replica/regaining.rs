//! Regaining: envelopes that were dropped here, or never came, are given back by somebody who has them (`docs/pruning.md`).

use std::collections::{BTreeMap, BTreeSet};

use super::Replica;
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::OpId;
use crate::op::VerifiedOp;
use crate::store::StoreError;

/// Envelopes that are read and verified together.
const TOGETHER: usize = 8192;

/// What a replica has got back of what was dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Regained {
    /// Envelopes that are here again.
    pub ops: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Envelopes that changed nothing: bytes that are no op of anybody's, ops whose envelopes are here, and ops that are not here.
    pub others: usize,
}

/// Why envelopes are not given back; none of them is then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegainError {
    /// The op says something else of itself than what is kept of it. Its author has signed what it says, and what is kept was told: so
    /// whoever told it has lied, or what is kept was changed since. In a replica that has started from a sealed snapshot these are
    /// the roots who have signed the seal. Join anew with somebody who keeps everything.
    #[error("the op {op} is not what was told of it without its envelope")]
    Contradicts {
        /// The op.
        op: OpId,
    },
    /// The op store has failed, or takes no envelope back.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Replica {
    /// Gives back envelopes of ops that are here without: those that [`Replica::prune`] has dropped, and those that a replica never
    /// had that started from a sealed snapshot. Each is verified as one that arrives, and compared with what is kept of the op. Which
    /// other bytes come along, in which order and how often, does not matter.
    ///
    /// Decisions, state and digests stay what they are, and no event tells of it. The ops are shown, exported and sent again with their
    /// values, and [`Replica::prune`] may drop them again. It is no work that [`Replica::costs`] counts.
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
    /// replica.seal(&key, 4)?;
    /// let everything: Vec<_> = replica.envelopes().map(|it| it.into_owned()).collect();
    /// replica.prune()?;
    ///
    /// let regained = replica.regain(&everything)?;
    /// assert_eq!((regained.ops, regained.others), (1, everything.len() - 1));
    /// assert!(!replica.log().is_pruned(&first) && replica.envelopes().eq(everything));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RegainError`]: then nothing is given back.
    pub fn regain<B: AsRef<[u8]> + Sync>(
        &mut self,
        envelopes: &[B],
    ) -> Result<Regained, RegainError> {
        let found = self.regainable(envelopes)?;
        let found = found.into_iter();
        let found: Vec<(Index, &[u8])> = found
            .map(|(at, number)| (at, envelopes[number].as_ref()))
            .collect();
        self.log.regain(&found)?;
        Ok(Regained {
            ops: found.len(),
            bytes: found
                .iter()
                .map(|(_, envelope)| envelope.len() as u64)
                .sum(),
            others: envelopes.len() - found.len(),
        })
    }

    /// Those of the envelopes that [`Replica::regain`] would give back: of each the position of its op in the order of admission, ascending,
    /// and its own among the envelopes.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert_eq!(replica.regainable(&[b"no op"]), Ok(Vec::new()));
    /// ```
    ///
    /// # Errors
    /// [`RegainError::Contradicts`].
    pub fn regainable<B: AsRef<[u8]> + Sync>(
        &self,
        envelopes: &[B],
    ) -> Result<Vec<(usize, usize)>, RegainError> {
        let log = &self.log;
        let hollow = |id: &OpId| log.dag.find(id).filter(|&at| log.is_hollow(at));
        let mut found: BTreeMap<Index, usize> = BTreeMap::new();
        for (portion, first) in envelopes.chunks(TOGETHER).zip((0..).step_by(TOGETHER)) {
            // Most of what somebody hands over may be here: the id alone shows that, and nothing is verified for it.
            let claimed = portion.iter().map(|it| VerifiedOp::claimed(it.as_ref()));
            let wanted = claimed.enumerate().filter_map(|(number, id)| {
                let at = hollow(&id?)?;
                (!found.contains_key(&at)).then_some(number)
            });
            let wanted: Vec<usize> = wanted.collect();
            let bytes: Vec<&[u8]> = wanted.iter().map(|&it| portion[it].as_ref()).collect();
            let read = VerifiedOp::read_batch(&bytes, self.options.threads, &mut Costs::default());
            for (number, op) in wanted.into_iter().zip(read) {
                let Ok(op) = op else { continue };
                let Some(at) = hollow(&op.id()) else { continue };
                if log.contradicts(at, op.body()) {
                    return Err(RegainError::Contradicts { op: op.id() });
                }
                found.entry(at).or_insert(first + number);
            }
        }
        Ok(found.into_iter().collect())
    }
    /// The ops that are here without their envelopes and that some of these envelopes claim to be: verified is nothing of it.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert!(replica.dropped_among(&[b"no op"]).is_empty());
    /// ```
    #[must_use]
    pub fn dropped_among<B: AsRef<[u8]>>(&self, envelopes: &[B]) -> BTreeSet<OpId> {
        let claimed = envelopes.iter();
        let claimed = claimed.filter_map(|it| VerifiedOp::claimed(it.as_ref()));
        claimed.filter(|id| self.log.is_pruned(id)).collect()
    }
}
