//! The log: what a replica holds of one project, and what entered the DAG.

mod ahead;
mod pruned;
mod questions;
mod saved;
mod scout;
mod told;

pub(crate) use scout::GROUP;
pub(crate) use told::{Known, Site, Told};

use core::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::authority::{Applicant, Asked, Authority, Entry, Leave, Seen, TagsId};
use crate::costs::Costs;
use crate::dag::{Dag, Index, Node, Own, Past};
use crate::held::{Held, Limits};
use crate::hlc::Hlc;
use crate::id::{OpId, ProjectId, PublicKey};
use crate::name::Name;
use crate::op::{Body, Incoming, Rejected, VerifiedOp};
use crate::payload::{Payload, Share};
use crate::place::{Places, Sight, Spot};
use crate::reason::Refusal;
use crate::store::{MemoryStore, OpStore, StoreError};
use crate::value::Value;

/// The ops of one project that a replica holds: admitted, refused, pending or unsupported.
///
/// Ops may arrive in any order and any number of times. Admission is judged once, from the op's bytes and past,
/// as soon as all parents have been judged; it is final and the same on every replica.
#[derive(Debug)]
pub struct Log {
    project: ProjectId,
    pub(crate) dag: Dag,
    pub(crate) places: Places,
    pub(crate) authority: Authority,
    /// The envelopes of the admitted ops.
    store: Box<dyn OpStore>,
    /// The first failure of the store.
    fault: OnceCell<StoreError>,
    refused: Held<RefusedOp>,
    pending: Held<VerifiedOp>,
    unsupported: Held<VerifiedOp>,
    /// Pending ops by a parent that they wait for.
    waiting: BTreeMap<OpId, BTreeSet<OpId>>,
    rejected: u64,
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
    /// An ancestor is absent: stored, not visible.
    Pending,
    /// This program does not know its kind, or it builds on such an op: stored, not judged.
    Unsupported,
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

/// How far a replica is behind the project: what it holds and cannot judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Features that the project uses and this program does not know.
    pub features: BTreeSet<Name>,
    /// Unsupported ops that are held.
    pub unsupported: usize,
}

/// A parent, as far as it has been judged.
#[derive(Clone, Copy)]
enum Parent<'a> {
    Admitted(Index),
    Refused(&'a RefusedOp),
    Unsupported,
}

/// Which ops may wait for parents that are not here.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Waits<'a> {
    /// All of them.
    All,
    /// Those whose parents are here or among these.
    For(&'a BTreeSet<OpId>),
}

/// The parents of an op, as far as they have been judged.
enum Parents<'a> {
    /// All were admitted.
    InDag(Vec<Index>),
    /// Some were not.
    Mixed(Vec<Parent<'a>>),
}

/// With what an op enters the DAG.
struct Admission {
    parents: Vec<Index>,
    past: Past,
    own: Own,
    spot: Option<Spot>,
    /// The tags of the field that the op touches, where nothing but genesis gives any.
    tags: Option<TagsId>,
    leave: Leave,
}

/// What is found of an op whose parents are here.
enum Finding {
    Admitted(Admission),
    Refused {
        reason: Refusal,
        witness: Option<OpId>,
    },
    Unsupported,
}

impl Log {
    /// An empty log of the project, with the usual limits.
    #[must_use]
    pub fn new(project: ProjectId) -> Self {
        Self::with_limits(project, Limits::default())
    }

    /// An empty log of the project that holds so much outside of the DAG.
    #[must_use]
    pub fn with_limits(project: ProjectId, limits: Limits) -> Self {
        Self {
            project,
            dag: Dag::default(),
            places: Places::default(),
            authority: Authority::default(),
            store: Box::new(MemoryStore::new()),
            fault: OnceCell::new(),
            refused: Held::new(limits.refused_ops, usize::MAX),
            pending: Held::new(limits.pending_ops, limits.pending_bytes),
            unsupported: Held::new(limits.unsupported_ops, limits.unsupported_bytes),
            waiting: BTreeMap::new(),
            rejected: 0,
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
        match VerifiedOp::read(envelope, costs) {
            Ok(op) => Ok(self.ingest(op, costs)),
            Err(rejected) => {
                self.count_rejected();
                Err(rejected)
            }
        }
    }

    /// Takes an op in: what became of it, and of the pending ops that it released, in that order. A log whose store has
    /// [failed](Log::fault) takes in nothing.
    pub fn ingest(&mut self, op: VerifiedOp, costs: &mut Costs) -> Vec<Arrival> {
        let mut arrivals = Vec::with_capacity(1);
        self.ingest_scouted(&op.into(), None, Waits::All, &mut arrivals, costs);
        arrivals
    }

    /// What becomes of an op that is not here; nothing, if it lacks a parent and may not wait.
    fn judge(
        &mut self,
        op: &Incoming<'_>,
        sight: Option<Sight>,
        waits: Waits<'_>,
        costs: &mut Costs,
    ) -> Option<Outcome> {
        let (id, body) = (op.id(), op.body());
        let parents = match self.parents(&body.parents) {
            Ok(parents) => parents,
            Err(absent) => {
                return self.may_wait(body, waits).then(|| {
                    self.hold_pending(op.to_op(), absent);
                    Outcome::Pending
                });
            }
        };
        Some(match self.find(id, body, sight, parents, costs) {
            Finding::Admitted(admission) => match self.admit(op, admission, costs) {
                Ok(()) => Outcome::Admitted,
                Err(fault) => self.failed(fault),
            },
            Finding::Refused { reason, witness } => {
                let refused = RefusedOp {
                    reason,
                    witness,
                    hlc: body.hlc,
                    foreign: reason == Refusal::ForeignProject,
                };
                self.refused.insert(id, 0, refused);
                Outcome::Refused { reason, witness }
            }
            Finding::Unsupported => {
                self.unsupported.insert(id, op.envelope().len(), op.to_op());
                Outcome::Unsupported
            }
        })
    }

    /// Counts bytes that were no op.
    pub(crate) const fn count_rejected(&mut self) {
        self.rejected += 1;
    }

    /// What would become of an op with this id and body that is not here, if it came now; nothing changes.
    pub(crate) fn foresee(&self, id: OpId, body: &Body, costs: &mut Costs) -> Outcome {
        let Ok(parents) = self.parents(&body.parents) else {
            return Outcome::Pending;
        };
        match self.find(id, body, None, parents, costs) {
            Finding::Admitted(_) => Outcome::Admitted,
            Finding::Refused { reason, witness } => Outcome::Refused { reason, witness },
            Finding::Unsupported => Outcome::Unsupported,
        }
    }

    /// A log of the same ops to try things in: what is taken in there leaves this one as it is.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be branched off.
    pub(crate) fn branch(&self) -> Result<Self, StoreError> {
        Ok(Self {
            project: self.project,
            dag: self.dag.clone(),
            places: self.places.clone(),
            authority: self.authority.clone(),
            store: self.store.branch()?,
            fault: self.fault.clone(),
            refused: self.refused.clone(),
            pending: self.pending.clone(),
            unsupported: self.unsupported.clone(),
            waiting: self.waiting.clone(),
            rejected: self.rejected,
        })
    }

    fn admit(
        &mut self,
        op: &Incoming<'_>,
        admission: Admission,
        costs: &mut Costs,
    ) -> Result<(), StoreError> {
        let Admission {
            parents,
            past,
            own,
            spot,
            tags,
            leave,
        } = admission;
        let at = self.dag.len();
        if at == self.store.len() {
            self.store.append(op.envelope())?;
        } else if *self.store.read(at)? != *op.envelope() {
            let reason = format!("the store has another op at position {at}");
            return Err(StoreError::new(reason));
        }
        let body = op.body();
        let node = Node {
            id: op.id(),
            author: body.author,
            seq: body.seq,
            hlc: body.hlc,
        };
        let is_data = body.payload.target().is_some();
        let at = self.dag.push(node, &parents, past.clone(), own, !is_data);
        self.places
            .push(&self.dag, &body.payload, spot, &past, costs);
        let entry = &mut Entry::new(&mut self.authority, &self.dag, at, leave, costs);
        body.payload.register(entry);
        if let Payload::KeyGrant(given) = &body.payload {
            let now_ms = body.hlc.physical_ms;
            self.seen(&past, costs).learn_holders(&given.key, now_ms);
        }
        if let Some((object, field)) = body.payload.target()
            && self.places.fields() > self.authority.fields_learnt()
        {
            self.authority.learn_tags(object, field, tags);
        }
        Ok(())
    }

    /// The parents with these ids, or the first that is not here.
    fn parents(&self, ids: &[OpId]) -> Result<Parents<'_>, OpId> {
        let mut in_dag = Vec::with_capacity(ids.len());
        in_dag.extend(ids.iter().map_while(|id| self.dag.find(id)));
        if in_dag.len() == ids.len() {
            return Ok(Parents::InDag(in_dag));
        }
        let each = ids.iter().map(|id| self.parent(id).ok_or(*id));
        each.collect::<Result<_, _>>().map(Parents::Mixed)
    }

    fn parent(&self, id: &OpId) -> Option<Parent<'_>> {
        if let Some(at) = self.dag.find(id) {
            Some(Parent::Admitted(at))
        } else if let Some(refused) = self.refused.get(id) {
            Some(Parent::Refused(refused))
        } else {
            self.unsupported.contains(id).then_some(Parent::Unsupported)
        }
    }

    /// Whether an op that lacks a parent may wait.
    fn may_wait(&self, body: &Body, waits: Waits<'_>) -> bool {
        match waits {
            Waits::All => true,
            Waits::For(parents) => {
                let mut named = body.parents.iter();
                named.all(|it| parents.contains(it) || self.holds(it))
            }
        }
    }

    fn hold_pending(&mut self, op: VerifiedOp, absent: OpId) {
        let (id, bytes) = (op.id(), op.envelope().len());
        self.waiting.entry(absent).or_default().insert(id);
        for (gone, op) in self.pending.insert(id, bytes, op) {
            for parent in &op.body().parents {
                if let Some(children) = self.waiting.get_mut(parent) {
                    children.remove(&gone);
                    if children.is_empty() {
                        self.waiting.remove(parent);
                    }
                }
            }
        }
    }

    /// Judges an op whose parents are here, in the order of the reasons.
    ///
    /// Where a parent has been refused the op has no past in the DAG in which features could be found or its author's
    /// ops counted, so its kind and its sequence number are not judged.
    fn find(
        &self,
        id: OpId,
        body: &Body,
        sight: Option<Sight>,
        parents: Parents<'_>,
        costs: &mut Costs,
    ) -> Finding {
        let refuse = |reason, witness| Finding::Refused { reason, witness };
        let (in_dag, mixed) = match parents {
            Parents::InDag(parents) => (Some(parents), Vec::new()),
            Parents::Mixed(parents) => (None, parents),
        };
        if mixed.iter().any(|it| matches!(it, Parent::Unsupported)) {
            return Finding::Unsupported;
        }
        let foreign_parent = |it: &Parent<'_>| matches!(it, Parent::Refused(it) if it.foreign);
        let is_foreign = match &in_dag {
            Some(parents) => parents.is_empty() && id != self.project,
            None => mixed.iter().all(foreign_parent),
        };
        if is_foreign {
            return refuse(Refusal::ForeignProject, None);
        }
        let past = in_dag.as_ref().map(|parents| self.dag.past_of(parents));
        let own = past.as_ref().map(|past| self.dag.own(&body.author, past));
        if let (Some(past), Some(own)) = (&past, own) {
            match body.payload.known_kind() {
                None if self.seen(past, costs).names_unknown_feature() => {
                    return Finding::Unsupported;
                }
                None => return refuse(Refusal::UnknownKind, None),
                Some(kind) => {
                    let missing = |feature| !self.seen(past, costs).in_force(feature);
                    if kind.feature().is_some_and(missing) {
                        return refuse(Refusal::UnknownKind, None);
                    }
                }
            }
            if body.seq != own.next_seq {
                return refuse(Refusal::BadSequence, None);
            }
        }
        let stamp = |parent: &Parent<'_>| match parent {
            Parent::Admitted(at) => Some(self.dag.hlc(*at)),
            Parent::Refused(refused) => Some(refused.hlc),
            Parent::Unsupported => None,
        };
        let admitted = in_dag.iter().flatten().map(|&at| self.dag.hlc(at));
        let mut stamps = admitted.chain(mixed.iter().filter_map(stamp));
        if stamps.any(|it| it >= body.hlc) {
            return refuse(Refusal::HlcNotMonotonic, None);
        }
        let (Some(parents), Some(past), Some(own)) = (in_dag, past, own) else {
            let refused = |(parent, id): (&Parent<'_>, &OpId)| {
                matches!(parent, Parent::Refused(_)).then_some(*id)
            };
            let first = mixed.iter().zip(&body.parents).find_map(refused);
            return refuse(Refusal::RefusedParent, first);
        };
        let applicant = Applicant {
            author: body.author,
            now_ms: body.hlc.physical_ms,
            own,
        };
        let spot = match &sight {
            Some(sight) => self.places.spot_in_sight(&body.payload, sight),
            None => self.places.spot(&body.payload),
        };
        let tags = match spot {
            Some(spot) => self.authority.tags_of_field(spot.field),
            None => body
                .payload
                .target()
                .and_then(|(object, field)| self.authority.tags_of_new_field(object, field)),
        };
        let admit = |past, leave, costs: &mut Costs| {
            let admission = Admission {
                parents,
                past,
                own,
                spot,
                tags,
                leave,
            };
            self.admit_discreet(body, admission, costs)
        };
        if let Some(tags) = tags {
            let (dag, asked) = (&self.dag, Asked::Edit(tags));
            if let Some(leave) = self.authority.leave(dag, &past, &applicant, asked, costs) {
                return admit(past, leave, costs);
            }
        }
        let mut seen = self.seen(&past, costs);
        if let Some(target) = body.payload.bad_target(&mut seen) {
            return refuse(Refusal::BadTarget, Some(target));
        }
        let Some(need) = body.payload.need(&mut seen) else {
            return admit(past, Leave::of(Vec::new()), costs);
        };
        let (dag, authority) = (&self.dag, &self.authority);
        if let Some(leave) = authority.leave(dag, &past, &applicant, Asked::Need(&need), costs) {
            return admit(past, leave, costs);
        }
        match self.seen(&past, costs).authorise(&need, &applicant) {
            Ok(titles) => admit(past, Leave::of(titles), costs),
            Err(why) => refuse(why.reason, why.witness),
        }
    }

    /// Admits an op that is authorised, unless it would show a value or give a key to somebody who may not read it.
    fn admit_discreet(&self, body: &Body, admission: Admission, costs: &mut Costs) -> Finding {
        if !self.authority.has_secrets() {
            return Finding::Admitted(admission);
        }
        let mut seen = Seen {
            tags: admission.tags,
            ..self.seen(&admission.past, costs)
        };
        match body.payload.keeps_secrets(&mut seen, body.hlc.physical_ms) {
            Ok(()) => Finding::Admitted(admission),
            Err(why) => Finding::Refused {
                reason: why.reason,
                witness: why.witness,
            },
        }
    }

    pub(crate) fn seen<'a>(&'a self, past: &'a Past, costs: &'a mut Costs) -> Seen<'a> {
        Seen {
            dag: &self.dag,
            authority: &self.authority,
            data: self,
            past: past.clone(),
            tags: None,
            costs,
        }
    }

    /// The admitted op at the index; `None` if its envelope was dropped, or the store has failed.
    pub(crate) fn op(&self, at: Index) -> Option<VerifiedOp> {
        self.read(at, VerifiedOp::stored)
    }

    /// The body of the admitted op at the index; if its envelope was dropped, what is known of it without. `None` if the store
    /// has failed.
    pub(crate) fn body(&self, at: Index) -> Option<Body> {
        if self.store.is_pruned(at) {
            return self.hollow_body(at);
        }
        self.read(at, VerifiedOp::stored_body)
    }

    /// The value that the admitted op at the index writes after so many names; `None` if the store has failed.
    pub(crate) fn value(&self, at: Index, names: usize) -> Option<Value> {
        self.read(at, |envelope| VerifiedOp::stored_value(envelope, names))
    }

    /// What the admitted `KeyGrant` at the index gives the recipient; `None` if the store has failed.
    pub(crate) fn share(&self, at: Index, recipient: &PublicKey) -> Option<Share> {
        self.read(at, |envelope| VerifiedOp::stored_share(envelope, recipient))
    }

    fn read<T>(&self, at: Index, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        if self.store.is_pruned(at) {
            return None;
        }
        let found = self.store.read(at).and_then(|envelope| {
            let none = || StoreError::new(format!("there is no op at position {at}"));
            read(&envelope).ok_or_else(none)
        });
        match found {
            Ok(found) => Some(found),
            Err(fault) => {
                self.failed(fault);
                None
            }
        }
    }

    /// The failure of the store, if it has failed. What is asked of content since then is answered as if the op were not
    /// here.
    #[must_use]
    pub fn fault(&self) -> Option<&StoreError> {
        self.fault.get()
    }

    /// Keeps the first failure; nothing has become of the op.
    fn failed(&self, fault: StoreError) -> Outcome {
        // Of several failures the first is told.
        let _ = self.fault.set(fault);
        Outcome::Pending
    }

    /// Whether the op is here, in whatever standing.
    #[must_use]
    pub fn holds(&self, id: &OpId) -> bool {
        self.parent(id).is_some() || self.pending.contains(id)
    }

    /// The op, unless it is refused, not here, or its envelope was dropped; nothing is kept of the bytes of refused ops.
    #[must_use]
    pub fn get(&self, id: &OpId) -> Option<VerifiedOp> {
        match self.dag.find(id) {
            Some(at) => self.op(at),
            None => self
                .pending
                .get(id)
                .or_else(|| self.unsupported.get(id))
                .cloned(),
        }
    }

    /// Why the op was refused, with the witness, if it was.
    #[must_use]
    pub fn refusal(&self, id: &OpId) -> Option<(Refusal, Option<OpId>)> {
        self.refused
            .get(id)
            .map(|refused| (refused.reason, refused.witness))
    }

    /// Whether the op is here and cannot be judged by this program.
    #[must_use]
    pub fn is_unsupported(&self, id: &OpId) -> bool {
        self.unsupported.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_zebra::SigningKey;

    use super::*;
    use crate::name::Name;
    use crate::op::{Body, public_key};
    use crate::payload::SetField;
    use crate::value::Value;

    fn op(parents: &[u8], physical_ms: u64) -> VerifiedOp {
        let key = SigningKey::from([1; 32]);
        let body = Body {
            author: public_key(&key),
            seq: 0,
            parents: parents
                .iter()
                .map(|it| OpId::from_bytes([*it; 32]))
                .collect(),
            hlc: Hlc {
                physical_ms,
                logical: 0,
                node: 0,
            },
            payload: SetField {
                object: Name::new("o").unwrap(),
                field: Name::new("f").unwrap(),
                value: Value::Null,
            }
            .into(),
        };
        VerifiedOp::sign(body, &key).unwrap()
    }

    #[test]
    fn nothing_waits_that_has_fallen_out() {
        let limits = Limits {
            pending_ops: 5,
            ..Limits::default()
        };
        let mut log = Log::with_limits(OpId::from_bytes([0; 32]), limits);
        let costs = &mut Costs::default();
        let waiting = |log: &Log| log.waiting.values().map(BTreeSet::len).sum::<usize>();
        for number in 0..50 {
            let first = u8::try_from(number % 7).unwrap();
            log.ingest(op(&[first, 100 + first], number), costs);
            assert_eq!(waiting(&log), log.pending.len());
            let listed = log.waiting.values().flatten();
            assert!(listed.into_iter().all(|id| log.pending.contains(id)));
        }
        assert_eq!((waiting(&log), log.pending.len()), (5, 5));
        let none = Limits {
            pending_ops: 0,
            ..limits
        };
        let mut log = Log::with_limits(OpId::from_bytes([0; 32]), none);
        log.ingest(op(&[1], 1), costs);
        assert!(log.waiting.is_empty());
    }
}
