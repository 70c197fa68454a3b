//! Judging: what becomes of an op once all its parents have been judged, in the order of the reasons.

use std::collections::BTreeSet;

use super::{Log, Outcome, RefusedOp};
use crate::authority::{Applicant, Asked, Entry, Leave, Seen, TagsId};
use crate::costs::Costs;
use crate::dag::{Index, Node, Own, Past};
use crate::id::OpId;
use crate::op::{Body, Incoming};
use crate::payload::Payload;
use crate::place::Sight;
use crate::reason::Refusal;
use crate::store::StoreError;

/// A parent, as far as it has been judged.
#[derive(Clone, Copy)]
pub(super) enum Parent<'a> {
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
    sight: Option<Sight>,
    /// The tags of the field that the op touches, where nothing but genesis gives any.
    tags: Option<TagsId>,
    leave: Leave,
}

/// What is found of an op whose parents are here.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and most ops are admitted"
)]
enum Finding {
    Admitted(Admission),
    Refused {
        reason: Refusal,
        witness: Option<OpId>,
    },
    Unsupported,
}

impl Log {
    /// What becomes of an op that is not here; nothing, if it lacks a parent and may not wait.
    pub(super) fn judge(
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
            sight,
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
            .push(&self.dag, &body.payload, sight, &past, costs);
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

    pub(super) fn parent(&self, id: &OpId) -> Option<Parent<'_>> {
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
        let sight = sight.or_else(|| Sight::of(&body.payload));
        let in_sight = |sight: &Sight| self.places.spot_in_sight(&body.payload, sight);
        let spot = sight.as_ref().and_then(in_sight);
        let sight = sight.map(|sight| sight.at(spot.and_then(|spot| spot.place)));
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
                sight,
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
}
