//! Dropped envelopes: what is known of an op without its own (`docs/pruning.md`).

use core::cell::OnceCell;

use super::Log;
use crate::dag::Index;
use crate::id::OpId;
use crate::name::Name;
use crate::op::{Body, VerifiedOp};
use crate::place::{Names, Touch};
use crate::snapshot::is_plain;
use crate::store::StoreError;

impl Log {
    /// Drops the envelopes of these admitted data ops; returns how many bytes they had.
    pub(crate) fn prune(&mut self, ops: &[Index]) -> Result<u64, StoreError> {
        let mut bytes = 0;
        for &at in ops {
            bytes += self.store.read(at)?.len() as u64;
        }
        self.store.prune(ops)?;
        Ok(bytes)
    }

    /// Puts back the envelopes of these admitted ops, which were dropped.
    pub(crate) fn regain(&mut self, envelopes: &[(Index, &[u8])]) -> Result<(), StoreError> {
        self.store.regain(envelopes)
    }

    /// Whether the body that the admitted op at the index has is another one than what is kept of it without its envelope: author,
    /// number, stamp, kind, place, or what its parents and their pasts come to.
    pub(crate) fn contradicts(&self, at: Index, body: &Body) -> bool {
        let node = self.dag.node(at);
        let is_by = (body.author, body.seq, body.hlc) == (node.author, node.seq, node.hlc);
        let place = self.places.spot(&body.payload).and_then(|it| it.place);
        let touched = place.zip(Touch::of(&body.payload));
        let is_there = is_plain(&body.payload) && touched == self.places.touched(at);
        let named = body.parents.iter().map(|id| self.dag.find(id));
        let Some(named) = named.collect::<Option<Vec<Index>>>() else {
            return true;
        };
        let ends = |parents: &[Index]| self.dag.past_and_ends(parents).1;
        let is_on = ends(&named) == ends(&self.dag.covering(at));
        !(is_by && is_there && is_on)
    }

    /// Whether the envelope of the admitted op at the index was dropped.
    pub(crate) fn is_hollow(&self, at: Index) -> bool {
        self.store.is_pruned(at)
    }

    /// Whether the op is admitted, and its envelope was dropped here: others may have it.
    #[must_use]
    pub fn is_pruned(&self, id: &OpId) -> bool {
        self.dag.find(id).is_some_and(|at| self.is_hollow(at))
    }

    /// How many admitted ops have no envelope here any more.
    #[must_use]
    pub fn pruned_count(&self) -> usize {
        (0..self.dag.len()).filter(|&at| self.is_hollow(at)).count()
    }

    /// What is kept of the admitted op at the position in the order of admission, if its envelope was dropped: an op with its id,
    /// author, number, stamp and place, without a value and an envelope, and with the op before it in its chain among its parents.
    /// Its id is not that of this body, and nobody can verify it: another replica of the same store can take it in as an op that
    /// was dropped there, and comes to the same decisions.
    #[must_use]
    pub fn remains(&self, position: usize) -> Option<VerifiedOp> {
        if position >= self.dag.len() || !self.is_hollow(position) {
            return None;
        }
        self.op_or_hollow(position)
    }

    /// Every admitted op in order of admission; of those whose envelopes were dropped what is kept of them ([`Log::remains`]).
    pub fn admitted_or_remains(&self) -> impl Iterator<Item = VerifiedOp> {
        let hollows = self.hollows();
        (0..self.dag.len()).filter_map(move |at| hollows.op(at))
    }

    /// Looks at many ops, some of which have no envelope.
    pub(crate) fn hollows(&self) -> Hollows<'_> {
        Hollows {
            log: self,
            names: OnceCell::new(),
        }
    }

    /// The body of an admitted data op by what is known of it without its envelope: without the value, and with the op before it
    /// in its chain among the parents, whether it was named or not. Its past is that of the op.
    pub(super) fn hollow_body(&self, at: Index) -> Option<Body> {
        let (place, _) = self.places.touched(at)?;
        self.body_at(at, self.places.names(place)?)
    }

    /// The same of an op at the place of these names.
    fn body_at(
        &self,
        at: Index,
        (object, field, element): (&str, &str, Option<&str>),
    ) -> Option<Body> {
        let (_, touch) = self.places.touched(at)?;
        let (object, field) = (Name::new(object).ok()?, Name::new(field).ok()?);
        let element = element.map(Name::new).transpose().ok()?;
        let payload = touch.blank(object, field, element)?;
        let node = self.dag.node(at);
        let parents = self.dag.covering(at).into_iter();
        let mut parents: Vec<OpId> = parents.map(|parent| self.dag.id(parent)).collect();
        parents.sort_unstable();
        Some(Body {
            author: node.author,
            seq: node.seq,
            parents,
            hlc: node.hlc,
            payload,
        })
    }

    /// The admitted op at the index for a replay that nobody sees; without its envelope, if that was dropped.
    pub(crate) fn op_or_hollow(&self, at: Index) -> Option<VerifiedOp> {
        if !self.is_hollow(at) {
            return self.op(at);
        }
        Some(VerifiedOp::hollow(self.dag.id(at), self.hollow_body(at)?))
    }
}

/// A look at many ops, of which some may have no envelope: the names of all places are found once.
#[derive(Debug)]
pub(crate) struct Hollows<'a> {
    log: &'a Log,
    names: OnceCell<Vec<Names<'a>>>,
}

impl Hollows<'_> {
    /// The admitted op at the index for a replay that nobody sees; without its envelope, if that was dropped.
    pub(crate) fn op(&self, at: Index) -> Option<VerifiedOp> {
        let log = self.log;
        if !log.is_hollow(at) {
            return log.op(at);
        }
        let (place, _) = log.places.touched(at)?;
        let names = self.names.get_or_init(|| log.places.names_by_number());
        let body = log.body_at(at, *names.get(place as usize)?)?;
        Some(VerifiedOp::hollow(log.dag.id(at), body))
    }
}
