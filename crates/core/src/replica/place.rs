//! Places, and what they show.

use crate::dag::Index;
use crate::id::{OpId, PublicKey};
use crate::log::Log;
use crate::name::Name;
use crate::payload::Payload;
use crate::state::{State, projection};
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
        Shown::of(log, &state.live_at(&self.object, &self.field, element))
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

    /// What these live writes at one place show.
    pub(super) fn of(log: &Log, live: &[Index]) -> Option<Self> {
        let mut ends = match live {
            [] => return None,
            [only] => vec![*only],
            _ => log.dag.ends(live),
        };
        ends.sort_by_key(|&op| log.dag.id(op));
        let winner = |&op: &Index| {
            let body = log.op(op).body();
            Winner {
                op: log.dag.id(op),
                author: body.author,
                value: body.payload.value().cloned().unwrap_or(Value::Null),
            }
        };
        Some(Self {
            value: projection(log, &ends).clone(),
            winners: ends.iter().map(winner).collect(),
        })
    }
}

impl Element {
    pub(super) fn of(log: &Log, name: &str, live: &[Index]) -> Option<Self> {
        let mut tags: Vec<OpId> = live.iter().map(|&op| log.dag.id(op)).collect();
        tags.sort_unstable();
        Some(Self {
            name: name.to_owned(),
            shown: Shown::of(log, live)?,
            tags,
        })
    }
}
