//! The elements of a set, by their names: most fields have none, and most sets few.

use std::collections::BTreeMap;

use crate::place_id::PlaceId;

/// So many are kept in a list; a map has room for eleven from the first on.
const FEW: usize = 8;

/// The elements of a set that ops touch, with their places, in the order of the names' bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Elements(Option<Box<Kept>>);

#[derive(Debug, Clone)]
enum Kept {
    Few(Vec<(Box<str>, PlaceId)>),
    Many(BTreeMap<Box<str>, PlaceId>),
}

impl Elements {
    pub(crate) fn len(&self) -> usize {
        match self.0.as_deref() {
            None => 0,
            Some(Kept::Few(few)) => few.len(),
            Some(Kept::Many(many)) => many.len(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<PlaceId> {
        match self.0.as_deref()? {
            Kept::Few(few) => {
                let at = few.binary_search_by(|(known, _)| (**known).cmp(name));
                at.ok().map(|at| few[at].1)
            }
            Kept::Many(many) => many.get(name).copied(),
        }
    }

    /// Adds an element that is not there.
    pub(super) fn insert(&mut self, name: &str, place: PlaceId) {
        let kept = self
            .0
            .get_or_insert_with(|| Box::new(Kept::Few(Vec::new())));
        if let Kept::Few(few) = &mut **kept
            && few.len() == FEW
        {
            **kept = Kept::Many(core::mem::take(few).into_iter().collect());
        }
        match &mut **kept {
            Kept::Few(few) => {
                let at = few.partition_point(|(known, _)| **known < *name);
                few.reserve_exact(1);
                few.insert(at, (name.into(), place));
            }
            Kept::Many(many) => {
                many.insert(name.into(), place);
            }
        }
    }

    /// The names and places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &PlaceId)> {
        let (few, many) = match self.0.as_deref() {
            None => (&[][..], None),
            Some(Kept::Few(few)) => (&few[..], None),
            Some(Kept::Many(many)) => (&[][..], Some(many)),
        };
        let few = few.iter().map(|(name, place)| (&**name, place));
        let many = many.into_iter().flatten();
        few.chain(many.map(|(name, place)| (&**name, place)))
    }
}

/// Of names in their order.
impl FromIterator<(Box<str>, PlaceId)> for Elements {
    fn from_iter<T: IntoIterator<Item = (Box<str>, PlaceId)>>(sorted: T) -> Self {
        let few: Vec<(Box<str>, PlaceId)> = sorted.into_iter().collect();
        Self(match few.len() {
            0 => None,
            1..=FEW => Some(Box::new(Kept::Few(few))),
            _ => Some(Box::new(Kept::Many(few.into_iter().collect()))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_and_stand_in_order() {
        let mut elements = Elements::default();
        let mut want: BTreeMap<String, PlaceId> = BTreeMap::new();
        for place in 0..30 {
            let name = format!("{}", place * 7 % 30);
            assert_eq!((elements.get(&name), elements.len()), (None, want.len()));
            elements.insert(&name, place);
            want.insert(name, place);
            let found: Vec<_> = elements
                .iter()
                .map(|(name, it)| (name.to_owned(), *it))
                .collect();
            assert_eq!(found, want.clone().into_iter().collect::<Vec<_>>());
            assert!(
                want.iter()
                    .all(|(name, it)| elements.get(name) == Some(*it))
            );
        }
    }
}
