//! Ops of a past that somebody tells of in its order: in the plain case they are admitted as others are, without the detours of
//! what may be anything.

use super::Log;
use crate::authority::{Applicant, Asked, Entry, Leave, TagsId};
use crate::costs::Costs;
use crate::dag::{Index, Node, TellMemory};
use crate::limits::PARENTS_MAX;
use crate::op::Incoming;
use crate::place::{Names, Sight, Touch};
use crate::place_id::PlaceId;
use crate::snapshot::is_plain;
use crate::store::StoreError;

/// What is told of an op.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) node: Node,
    /// The only chain of the author.
    pub(crate) chain: u32,
    /// Its parents, as they are named.
    pub(crate) parents: &'a [Index],
    /// The same in order of admission.
    pub(crate) in_order: &'a [Index],
    pub(crate) touch: Touch,
    pub(crate) site: Site<'a>,
    /// Its envelope; nothing if it was dropped.
    pub(crate) envelope: &'a [u8],
}

/// Where an op belongs that is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Site<'a> {
    /// At a place that an admitted op has touched.
    Known(Known),
    /// At the place with these names, of which this is the sight.
    Named(Names<'a>, Sight),
}

/// A place that an admitted op has touched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) place: PlaceId,
    /// The tags that genesis gives to its field.
    tags: TagsId,
}

impl Log {
    /// The place of the admitted op, if it is data and nothing but genesis gives tags to its field.
    pub(crate) fn known_place(&self, at: Index) -> Option<Known> {
        let (place, _) = self.places.touched(at)?;
        let tags = self.authority.tags_of_field(self.places.field_of(place))?;
        Some(Known { place, tags })
    }

    /// Ops will be told, so many or fewer, at so many places, where there are none yet.
    pub(crate) fn expect_told(&mut self, ops: usize, places: usize) {
        self.dag.expect_told(ops);
        self.places.reserve(ops, places);
    }

    /// Reads what admitting these ops will read, and returns the sight of each that is data.
    pub(crate) fn scout_told<'a>(
        &self,
        ops: impl Iterator<Item = &'a Incoming<'a>> + Clone,
    ) -> Vec<Option<Sight>> {
        let parents = ops.clone().flat_map(|op| &op.body().parents);
        self.dag.approach(parents.copied());
        self.scout(ops)
    }

    /// Admits an op in the plain case: it writes data that is not secret, and continues the only chain of its author. Returns where it
    /// belongs; `None` if it is not so plain, or not admitted, and nothing has changed: then [`Log::ingest`] finds out. `memory` has then
    /// which of its parents no other one has in its past.
    ///
    /// What is nobody's parent has to be [found out](crate::dag::Dag::end_told) afterwards.
    ///
    /// # Errors
    /// [`StoreError`] if the store keeps no op without an envelope, or has failed.
    pub(crate) fn admit_told(
        &mut self,
        told: &Told<'_>,
        memory: &mut TellMemory,
        costs: &mut Costs,
    ) -> Result<Option<Known>, StoreError> {
        let node = &told.node;
        let authority = &self.authority;
        let (known, tags) = match told.site {
            Site::Known(Known { place, tags }) => {
                let tags = authority.only_genesis_gives_tags().then_some(tags);
                (Some(place), tags)
            }
            Site::Named(names, sight) => match self.places.at_sight(names, &sight) {
                Some(place) => {
                    let field = self.places.field_of(place);
                    (Some(place), authority.tags_of_field(field))
                }
                None => (None, authority.tags_of_new_field(names.0, names.1)),
            },
        };
        let Some(tags) = tags else {
            return Ok(None);
        };
        let is_later = |&parent: &Index| self.dag.hlc(parent) < node.hlc;
        let is_new = self.dag.find(&node.id).is_none();
        let is_plain = !told.parents.is_empty() && !self.authority.has_secrets();
        if !is_new || !is_plain || !told.parents.iter().all(is_later) {
            return Ok(None);
        }
        let past = self.dag.past_told(told.in_order, memory);
        let own = self.dag.own_whole(told.chain, &past);
        let Some(own) = own.filter(|own| own.next_seq == node.seq) else {
            return Ok(None);
        };
        let applicant = Applicant {
            author: node.author,
            now_ms: node.hlc.physical_ms,
            own,
        };
        let asked = Asked::Edit(tags);
        let leave = self
            .authority
            .leave(&self.dag, &past, &applicant, asked, costs);
        let leave = match leave {
            Some(leave) => leave,
            None => {
                let need = self.authority.need_of(tags);
                match self.seen(&past, costs).authorise(&need, &applicant) {
                    Ok(titles) => Leave::of(titles),
                    Err(_) => return Ok(None),
                }
            }
        };
        self.store.append(told.envelope)?;
        let at = self.dag.push_told(node, told.chain, told.parents, &past);
        let place = match (known, told.site) {
            (Some(place), _) | (None, Site::Known(Known { place, .. })) => place,
            (None, Site::Named(names, sight)) => self.places.begin(names, &sight),
        };
        self.places
            .push_at(&self.dag, place, told.touch, &past, costs);
        // An op that is data says nothing about authority.
        Entry::new(&mut self.authority, &self.dag, at, leave, costs);
        if let Site::Named((object, field, _), _) = told.site
            && self.places.fields() > self.authority.fields_learnt()
        {
            self.authority.learn_tags(object, field, Some(tags));
        }
        Ok(Some(Known { place, tags }))
    }

    /// The same of an op with its envelope, of which this is the sight, if it was scouted.
    ///
    /// # Errors
    /// As [`Log::admit_told`].
    pub(crate) fn admit_signed(
        &mut self,
        op: &Incoming<'_>,
        sight: Option<Sight>,
        memory: &mut TellMemory,
        costs: &mut Costs,
    ) -> Result<Option<Known>, StoreError> {
        let body = op.body();
        let touch = Touch::of(&body.payload).filter(|_| is_plain(&body.payload));
        let chain = self.dag.only_chain(&body.author);
        let (Some(touch), Some(chain), Some((object, field))) =
            (touch, chain, body.payload.target())
        else {
            return Ok(None);
        };
        let (mut parents, mut in_order) = ([0; PARENTS_MAX], [0; PARENTS_MAX]);
        let count = body.parents.len();
        let (Some(parents), Some(in_order)) = (parents.get_mut(..count), in_order.get_mut(..count))
        else {
            return Ok(None);
        };
        for (parent, id) in parents.iter_mut().zip(&body.parents) {
            let Some(at) = self.dag.find(id) else {
                return Ok(None);
            };
            *parent = at;
        }
        in_order.copy_from_slice(parents);
        in_order.sort_unstable();
        let element = body.payload.element().map(|it| it.as_str());
        let names = (object.as_str(), field.as_str(), element);
        let sight = sight.unwrap_or_else(|| Sight::of_names(names));
        let told = Told {
            node: Node {
                id: op.id(),
                author: body.author,
                seq: body.seq,
                hlc: body.hlc,
            },
            chain,
            parents,
            in_order,
            touch,
            site: Site::Named(names, sight),
            envelope: op.envelope(),
        };
        self.admit_told(&told, memory, costs)
    }
}
