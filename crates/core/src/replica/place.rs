//! Places, and what they show.

use crate::dag::{Index, Node};
use crate::id::{OpId, PublicKey};
use crate::log::Log;
use crate::name::Name;
use crate::payload::Payload;
use crate::place_id::PlaceId;
use crate::state::{State, projection, value};
use crate::value::Value;

/// What a data op touches: a field of an object, or an element of a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Object.
    pub object: Name,
    /// Field of the object.
    pub field: Name,
    /// Element, if the field is a set.
    pub element: Option<Name>,
}

/// What a register or an element of a set shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shown {
    /// The value to display: of the concurrent winners, the one with the least BLAKE3 of its canonical CBOR.
    pub value: Value,
    /// The writes that no other applied write there has seen, by op id; at least one. Several are a conflict, which the
    /// next write of somebody who has seen them ends.
    pub winners: Vec<Winner>,
}

/// A write that counts and that nothing has overwritten.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Winner {
    /// The op.
    pub op: OpId,
    /// Who wrote it: the key that signed.
    pub author: PublicKey,
    /// What it wrote.
    pub value: Value,
}

/// An element that is in a set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Element {
    /// The element.
    pub name: String,
    /// What it shows.
    pub shown: Shown,
    /// The adds that keep it in the set, by op id: a removal has to see them all.
    pub tags: Vec<OpId>,
}

impl Place {
    /// The place that the payload touches, if it is data.
    ///
    /// ```
    /// use ecac_core::payload::SetField;
    /// use ecac_core::{Name, Payload, Place, Value};
    ///
    /// let (object, field) = (Name::new("order/1")?, Name::new("status")?);
    /// let value = Value::Text("repaired".into());
    /// let place = Place::of(&Payload::from(SetField { object, field, value }));
    /// assert_eq!(place.map(|it| it.to_string()).as_deref(), Some("order/1 . status"));
    /// # Ok::<(), ecac_core::NameError>(())
    /// ```
    #[must_use]
    pub fn of(payload: &Payload) -> Option<Self> {
        let (object, field) = payload.target()?;
        Some(Self {
            object: object.clone(),
            field: field.clone(),
            element: payload.element().cloned(),
        })
    }

    /// What the place shows, if anything.
    pub(super) fn shown(&self, log: &Log, state: &State) -> Option<Shown> {
        let element = self.element.as_deref();
        let place = log.places.at(&self.object, &self.field, element)?;
        Shown::of(log, state, place)
    }
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} . {}", self.object, self.field)?;
        self.element
            .as_ref()
            .map_or(Ok(()), |element| write!(f, " . {element}"))
    }
}

impl Shown {
    /// Whether there are several winners.
    ///
    /// ```
    /// # use ecac_core::{Answer, Shown};
    /// fn mark(field: &Answer<Option<Shown>>) -> &'static str {
    ///     match &field.value {
    ///         Some(shown) if shown.is_conflict() => "several values",
    ///         Some(_) => "one value",
    ///         None => "no value",
    ///     }
    /// }
    /// ```
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        self.winners.len() > 1
    }

    /// What the place shows, if anything.
    pub(super) fn of(log: &Log, state: &State, place: PlaceId) -> Option<Self> {
        let winners = state.winners(log, place);
        if winners.is_empty() {
            return None;
        }
        let values: Vec<Value> = winners.iter().map(|&op| value(log, op)).collect();
        let shown = projection(&values).clone();
        let winner = |(op, value): (Index, Value)| {
            let Node { id, author, .. } = log.dag.node(op);
            Winner {
                op: id,
                author,
                value,
            }
        };
        Some(Self {
            value: shown,
            winners: winners.into_iter().zip(values).map(winner).collect(),
        })
    }
}

impl Element {
    pub(super) fn of(log: &Log, state: &State, name: &str, place: PlaceId) -> Option<Self> {
        let shown = Shown::of(log, state, place)?;
        let mut tags: Vec<OpId> = state.live(place).map(|op| log.dag.id(op)).collect();
        tags.sort_unstable();
        Some(Self {
            name: name.to_owned(),
            shown,
            tags,
        })
    }
}
