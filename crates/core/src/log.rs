//! The log: what a replica holds of one project, and what entered the DAG.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::authority::Authority;
use crate::costs::Costs;
use crate::dag::{Dag, Index};
use crate::hlc::Hlc;
use crate::id::{OpId, ProjectId};
use crate::op::{Op, Payload, VerifiedOp};
use crate::reason::Refusal;

/// The ops of one project that a replica holds: admitted, refused or pending.
///
/// Ops may arrive in any order and any number of times. Admission is judged once, from the op's bytes and past,
/// as soon as all parents have been judged; it is final and the same on every replica.
#[derive(Debug)]
pub struct Log {
    project: ProjectId,
    pub(crate) dag: Dag,
    pub(crate) authority: Authority,
    refused: BTreeMap<OpId, RefusedOp>,
    pending: BTreeMap<OpId, VerifiedOp>,
    /// Pending ops by a parent that they wait for.
    waiting: BTreeMap<OpId, BTreeSet<OpId>>,
}

/// What is kept of a refused op: enough to judge what builds on it.
#[derive(Debug, Clone, Copy)]
struct RefusedOp {
    reason: Refusal,
    witness: Option<OpId>,
    hlc: Hlc,
    foreign: bool,
}

/// What became of an op that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It entered the DAG.
    Admitted,
    /// It never will.
    Refused {
        /// Why.
        reason: Refusal,
        /// The denial or the grant that shows it.
        witness: Option<OpId>,
    },
    /// A parent is missing: stored, not visible.
    Pending,
    /// It was here already; nothing changed.
    Duplicate,
}

/// An op and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The op.
    pub op: OpId,
    /// What became of it.
    pub outcome: Outcome,
}

/// Bytes that are no op of anybody's: refused without a trace, so that they cannot keep a good op with the same
/// id away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejected {
    /// `non_canonical` or `bad_signature`.
    pub reason: Refusal,
    /// The id that the bytes claim, if they are canonical.
    pub claimed: Option<OpId>,
}

/// A parent, as far as it has been judged.
enum Parent {
    Admitted(Index),
    Refused(RefusedOp),
}

impl Log {
    /// An empty log of the project.
    #[must_use]
    pub fn new(project: ProjectId) -> Self {
        Self {
            project,
            dag: Dag::default(),
            authority: Authority::default(),
            refused: BTreeMap::new(),
            pending: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// The project.
    #[must_use]
    pub const fn project(&self) -> ProjectId {
        self.project
    }

    /// Decodes, verifies and ingests an envelope.
    ///
    /// # Errors
    /// [`Rejected`] if the bytes are not canonical or the signature is bad.
    pub fn receive(
        &mut self,
        envelope: &[u8],
        costs: &mut Costs,
    ) -> Result<Vec<Arrival>, Rejected> {
        let op = Op::decode(envelope, costs).map_err(|_| Rejected {
            reason: Refusal::NonCanonical,
            claimed: None,
        })?;
        let claimed = Some(op.id());
        let op = VerifiedOp::verify(op, costs).map_err(|_| Rejected {
            reason: Refusal::BadSignature,
            claimed,
        })?;
        Ok(self.ingest(op, costs))
    }

    /// Takes an op in: what became of it, and of the pending ops that it released, in that order.
    pub fn ingest(&mut self, op: VerifiedOp, costs: &mut Costs) -> Vec<Arrival> {
        let id = op.id();
        if self.holds(&id) {
            return vec![Arrival {
                op: id,
                outcome: Outcome::Duplicate,
            }];
        }
        let mut arrivals = Vec::new();
        let mut queue = VecDeque::from([op]);
        while let Some(op) = queue.pop_front() {
            let id = op.id();
            let outcome = self.judge(op, costs);
            arrivals.push(Arrival { op: id, outcome });
            if outcome != Outcome::Pending {
                let children = self.waiting.remove(&id).unwrap_or_default();
                queue.extend(
                    children
                        .iter()
                        .filter_map(|child| self.pending.remove(child)),
                );
            }
        }
        arrivals
    }

    fn judge(&mut self, op: VerifiedOp, costs: &mut Costs) -> Outcome {
        let mut parents = Vec::with_capacity(op.body().parents.len());
        for parent in &op.body().parents {
            match (self.dag.find(parent), self.refused.get(parent)) {
                (Some(at), _) => parents.push(Parent::Admitted(at)),
                (None, Some(refused)) => parents.push(Parent::Refused(*refused)),
                (None, None) => {
                    self.waiting.entry(*parent).or_default().insert(op.id());
                    self.pending.insert(op.id(), op);
                    return Outcome::Pending;
                }
            }
        }
        match self.admit(op, &parents, costs) {
            Ok(()) => Outcome::Admitted,
            Err((id, refused)) => {
                self.refused.insert(id, refused);
                Outcome::Refused {
                    reason: refused.reason,
                    witness: refused.witness,
                }
            }
        }
    }

    /// Admits an op whose parents have been judged, or says why not, in the order of the reasons.
    ///
    /// Where a parent has been refused the op has no past in the DAG to count in, so its sequence number is not
    /// judged.
    fn admit(
        &mut self,
        op: VerifiedOp,
        parents: &[Parent],
        costs: &mut Costs,
    ) -> Result<(), (OpId, RefusedOp)> {
        let (id, body) = (op.id(), op.body());
        let genesis = matches!(body.payload, Payload::Genesis(_));
        let foreign = if genesis {
            id != self.project
        } else {
            parents
                .iter()
                .all(|parent| matches!(parent, Parent::Refused(it) if it.foreign))
        };
        let refuse = |reason, witness| {
            Err((
                id,
                RefusedOp {
                    reason,
                    witness,
                    hlc: body.hlc,
                    foreign,
                },
            ))
        };
        if foreign {
            return refuse(Refusal::ForeignProject, None);
        }
        let admitted = |parent: &Parent| match parent {
            Parent::Admitted(at) => Some(*at),
            Parent::Refused(_) => None,
        };
        let in_dag: Option<Vec<Index>> = parents.iter().map(admitted).collect();
        let past = in_dag.map(|parents| self.dag.past_of(&parents));
        if past
            .as_ref()
            .is_some_and(|past| body.seq != self.dag.next_seq(&body.author, past))
        {
            return refuse(Refusal::BadSequence, None);
        }
        let stamp = |parent: &Parent| match parent {
            Parent::Admitted(at) => self.dag.op(*at).body().hlc,
            Parent::Refused(refused) => refused.hlc,
        };
        if parents.iter().any(|parent| stamp(parent) >= body.hlc) {
            return refuse(Refusal::HlcNotMonotonic, None);
        }
        let Some(past) = past else {
            let refused = |(parent, id): (&Parent, &OpId)| {
                matches!(parent, Parent::Refused(_)).then_some(*id)
            };
            return refuse(
                Refusal::RefusedParent,
                parents.iter().zip(&body.parents).find_map(refused),
            );
        };
        let warrants = if genesis {
            Vec::new()
        } else {
            match self.authority.authorise(&self.dag, body, &past, costs) {
                Ok(warrants) => warrants,
                Err(why) => return refuse(why.reason, why.witness),
            }
        };
        let at = self.dag.push(op, past);
        self.authority.register(&self.dag, at, warrants, costs);
        Ok(())
    }

    /// Whether the op is here, in whatever standing.
    #[must_use]
    pub fn holds(&self, id: &OpId) -> bool {
        self.dag.find(id).is_some()
            || self.refused.contains_key(id)
            || self.pending.contains_key(id)
    }

    /// The op, if it is admitted or pending; nothing is kept of the bytes of refused ops.
    #[must_use]
    pub fn get(&self, id: &OpId) -> Option<&VerifiedOp> {
        self.dag
            .find(id)
            .map(|at| self.dag.op(at))
            .or_else(|| self.pending.get(id))
    }

    /// Why the op was refused, with the witness, if it was.
    #[must_use]
    pub fn refusal(&self, id: &OpId) -> Option<(Refusal, Option<OpId>)> {
        self.refused
            .get(id)
            .map(|refused| (refused.reason, refused.witness))
    }

    /// The parents that a pending op waits for and that are not here.
    #[must_use]
    pub fn missing(&self, id: &OpId) -> BTreeSet<OpId> {
        let parents = self
            .pending
            .get(id)
            .map_or(&[][..], |op| &op.body().parents);
        parents
            .iter()
            .filter(|parent| !self.holds(parent))
            .copied()
            .collect()
    }

    /// How many ops are admitted.
    #[must_use]
    pub fn admitted_count(&self) -> usize {
        self.dag.len()
    }

    /// How many ops are refused; bytes that were [`Rejected`] are not counted.
    #[must_use]
    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    /// How many ops are pending.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// Admitted ops, in order of admission: parents come before children.
    pub fn admitted(&self) -> impl Iterator<Item = &VerifiedOp> {
        self.admitted_since(0)
    }

    /// The admitted ops but for the first `count`, in order of admission: what is new since a log of that many.
    pub fn admitted_since(&self, count: usize) -> impl Iterator<Item = &VerifiedOp> {
        (count..self.dag.len()).map(|at| self.dag.op(at))
    }

    /// Refused ops by op id, each with its reason and witness.
    pub fn refused(&self) -> impl Iterator<Item = (OpId, Refusal, Option<OpId>)> {
        self.refused
            .iter()
            .map(|(id, refused)| (*id, refused.reason, refused.witness))
    }

    /// Pending ops by op id.
    pub fn pending(&self) -> impl Iterator<Item = &VerifiedOp> {
        self.pending.values()
    }

    /// Admitted ops in the total order: parents first, ties by (stamp, op id). For display and export; no
    /// decision depends on it.
    #[must_use]
    pub fn total_order(&self) -> Vec<&VerifiedOp> {
        self.dag
            .total_order()
            .into_iter()
            .map(|at| self.dag.op(at))
            .collect()
    }

    /// Whether `a` happens before `b`: whether it is a strict ancestor. `None` unless both are admitted.
    #[must_use]
    pub fn happens_before(&self, a: &OpId, b: &OpId, costs: &mut Costs) -> Option<bool> {
        Some(self.dag.before(self.dag.find(a)?, self.dag.find(b)?, costs))
    }

    /// The admitted ops that are nobody's parent, by op id: what a new op names as parents.
    #[must_use]
    pub fn heads(&self) -> Vec<OpId> {
        let mut heads: BTreeSet<OpId> = BTreeSet::new();
        for op in self.admitted() {
            op.body().parents.iter().for_each(|parent| {
                heads.remove(parent);
            });
            heads.insert(op.id());
        }
        heads.into_iter().collect()
    }
}
