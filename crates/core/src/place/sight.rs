//! Sights: where the ops of a group belong, looked up together before the first of them is admitted.

use core::hint::black_box;

use super::cell::Cell;
use super::names::Digest;
use super::{NOTHING, Names, Places, STEPS, Spot};
use crate::dag::{Dag, Index};
use crate::payload::Payload;
use crate::place_id::{FieldId, PlaceId};

/// What is known of the place of a data op before its turn: ops that come before it may still make the place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    digest: Digest,
    place: Option<PlaceId>,
}

impl Sight {
    /// That of the place of the payload, whether an admitted op has touched it or not; `None` for what is no data.
    pub(crate) fn of(payload: &Payload) -> Option<Self> {
        let (object, field) = payload.target()?;
        let element = payload.element().map(|it| it.as_str());
        Some(Self::of_names((object, field, element)))
    }

    /// That of the place with these names, likewise.
    pub(crate) fn of_names((object, field, element): Names<'_>) -> Self {
        let digest = Digest::of(object, field, element);
        let place = None;
        Self { digest, place }
    }

    /// The place, if an admitted op was known to have touched it.
    pub(crate) const fn place(&self) -> Option<PlaceId> {
        self.place
    }

    /// The same, where the place was looked up.
    pub(crate) const fn at(self, place: Option<PlaceId>) -> Self {
        Self { place, ..self }
    }
}

impl Places {
    /// The sights of payloads, without one for what is no data. Their places are not [looked up](Places::look_up).
    pub(crate) fn sights<'a>(payloads: impl Iterator<Item = &'a Payload>) -> Vec<Option<Sight>> {
        payloads.map(Sight::of).collect()
    }

    /// Reads what looking up the places of the sights reads first, without waiting for it.
    pub(crate) fn approach_names(&self, sights: &[Option<Sight>]) {
        for sight in sights.iter().flatten() {
            self.by_name.approach(&sight.digest);
        }
    }

    /// Looks up the places of the sights.
    pub(crate) fn look_up(&self, sights: &mut [Option<Sight>]) {
        for sight in sights.iter_mut().flatten() {
            sight.place = self.at_digest(&sight.digest);
        }
    }

    /// Reads what admitting ops at the places of the sights will read.
    pub(crate) fn approach_sights(&self, sights: &[Option<Sight>]) {
        self.approach(sights.iter().flatten().filter_map(|sight| sight.place));
    }

    /// Reads what admitting the next op of the chain at the place of the sight will read of the chain's ops there.
    pub(crate) fn approach_chain(&self, sight: &Sight, chain: u32) {
        self.approach_chains(sight.place.map(|place| (place, chain)).into_iter());
    }

    /// Reads what admitting the next ops of these chains at these places will read of the chains' ops there, step by step.
    pub(crate) fn approach_chains(&self, at: impl Iterator<Item = (PlaceId, u32)> + Clone) {
        let last = |(place, chain): (PlaceId, u32)| self.cells[place as usize].last_of(chain);
        let lasts = at.filter_map(last);
        for before in lasts.clone() {
            black_box(self.ops[before as usize].jump);
        }
        for before in lasts {
            black_box(self.jump_from(before, NOTHING));
        }
    }

    /// Reads what admitting an op at the place of the sight will read of what is below its tips, where there are several of them:
    /// of the last ops of the chains there, if these are few, else of what the tips had seen.
    pub(crate) fn approach_below(&self, dag: &Dag, sight: &Sight) {
        let cell = sight.place.map(|place| &self.cells[place as usize]);
        let Some(cell) = cell.filter(|cell| cell.tips().len() > 1) else {
            return;
        };
        let lasts = cell.lasts();
        if lasts.len() <= STEPS {
            for &(_, last) in lasts {
                let last = last as Index;
                black_box((dag.position(last), self.ops[last].seen_by));
            }
        } else {
            for tip in cell.tips() {
                for &below in self.edges(tip.op as Index) {
                    black_box(dag.position(below as Index));
                }
            }
        }
    }

    /// The place of the sight, if it is known, and the ops there that no other one had seen.
    pub(crate) fn tips_in_sight(
        &self,
        sight: &Sight,
    ) -> Option<(PlaceId, impl Iterator<Item = Index>)> {
        let place = sight.place?;
        let tips = self.cells[place as usize].tips().iter();
        Some((place, tips.map(|tip| tip.op as Index)))
    }

    /// The field, if the place is known.
    pub(crate) fn field_in_sight(&self, sight: &Sight) -> Option<FieldId> {
        let cell = self.cells.get(sight.place? as usize)?;
        Some(cell.field)
    }

    /// The place with these names, of which this is the sight, if an admitted op has touched it.
    pub(crate) fn at_sight(
        &self,
        (object, field, element): Names<'_>,
        sight: &Sight,
    ) -> Option<PlaceId> {
        let known = sight.place.or_else(|| self.at_digest(&sight.digest));
        known.or_else(|| self.beside_table(object, field, element))
    }

    /// A number for the place with these names, of which this is the sight, and which no op has touched.
    pub(crate) fn begin(&mut self, names: Names<'_>, sight: &Sight) -> PlaceId {
        self.name(names, sight.digest)
    }

    /// Reads what admitting ops at these places will read: first of all of them where to read on.
    pub(crate) fn approach(&self, places: impl Iterator<Item = PlaceId> + Clone) {
        let cells = places.map(|place| &self.cells[place as usize]);
        for cell in cells.clone() {
            black_box(cell.field);
        }
        for cell in cells.clone() {
            black_box(cell.tips().first().copied());
            cell.approach_lasts();
        }
        for tip in cells.clone().flat_map(Cell::tips) {
            black_box(self.ops[tip.op as usize].seen_by);
        }
        // Of several tips the op may not have seen all; then what these had seen is looked at.
        let several = cells.map(Cell::tips).filter(|tips| tips.len() > 1);
        for tip in several.flatten() {
            black_box(self.edges(tip.op as Index).first().copied());
        }
    }

    /// Where the payload belongs, if an admitted op has touched the place, or is known to have touched the field. Of a register
    /// that is new, the field is not looked up: it is new as well, but where it has a set, and a new field has the same tags.
    pub(crate) fn spot(&self, payload: &Payload) -> Option<Spot> {
        self.spot_in_sight(payload, &Sight::of(payload)?)
    }

    /// The same, for a payload of which this is the sight.
    pub(crate) fn spot_in_sight(&self, payload: &Payload, sight: &Sight) -> Option<Spot> {
        let (object, name) = payload.target()?;
        let element = payload.element().map(|it| it.as_str());
        let place = self.at_sight((object, name, element), sight);
        let field = match place {
            Some(place) => self.cells[place as usize].field,
            None if element.is_none() => return None,
            None => self.field(object, name)?.id,
        };
        Some(Spot { field, place })
    }
}
