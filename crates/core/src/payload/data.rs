//! `SetField`, `SetAdd`, `SetRemove`: what people write.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Seen, Unauthorised};
use crate::name::{Name, NameError};
use crate::need::{Action, Need, Reach};
use crate::value::Value;
use crate::wire::{
    CodecError, Out, Written, check_value, expect_entries, expect_key, read_any_value, read_name,
    read_value, write_value,
};

/// Writes a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetField {
    /// Object.
    pub object: Name,
    /// Field of the object.
    pub field: Name,
    /// New value.
    pub value: Value,
}

impl SetField {
    /// Writes the value to the field of the object.
    ///
    /// ```
    /// use ecac_core::{Value, payload::SetField};
    ///
    /// let write = SetField::new("order/1", "status", Value::Text("repaired".into()))?;
    /// assert_eq!(write.object.as_str(), "order/1");
    /// # Ok::<(), ecac_core::NameError>(())
    /// ```
    ///
    /// # Errors
    /// [`NameError`] if a text is no [`Name`].
    pub fn new(object: &str, field: &str, value: Value) -> Result<Self, NameError> {
        Ok(Self {
            object: Name::new(object)?,
            field: Name::new(field)?,
            value,
        })
    }
}

/// Adds an element to a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAdd {
    /// Object.
    pub object: Name,
    /// Field of the object.
    pub field: Name,
    /// Element.
    pub element: Name,
    /// Value attached to the element.
    pub value: Value,
}

/// Removes an element from a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRemove {
    /// Object.
    pub object: Name,
    /// Field of the object.
    pub field: Name,
    /// Element.
    pub element: Name,
}

/// The value that a payload of data writes, without the names before it, of which there are so many. The bytes were decoded
/// before.
pub(crate) fn read_value_alone(input: &mut Decoder<'_>, names: usize) -> Option<Value> {
    input.map().ok()?;
    // The kind, the names, and the key of the value.
    for _ in 0..=names {
        input.u8().ok()?;
        input.skip().ok()?;
    }
    input.u8().ok()?;
    read_any_value(input).ok()
}

/// A write needs a scope that meets the tags that the field has in the past of the op.
pub(super) fn need(object: &Name, field: &Name, seen: &mut Seen<'_>) -> Need {
    Need {
        reach: Reach::Meets(seen.tags(object, field)),
        ..Need::any(Action::Edit)
    }
}

pub(super) fn place(object: &Name, field: &Name, element: Option<&Name>) -> Part {
    Part::Place {
        object: object.to_string(),
        field: field.to_string(),
        element: element.map(Name::to_string),
    }
}

impl SetField {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(4)?.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.object)?;
        out.u8(2)?.str(&self.field)?.u8(3)?;
        write_value(out, &self.value)
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 4)?;
        let object = read_name(input, 1, "object")?;
        let field = read_name(input, 2, "field")?;
        expect_key(input, 3)?;
        Ok(Self {
            object,
            field,
            value: read_value(input)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        check_value(&self.value)
    }

    pub(super) fn need(&self, seen: &mut Seen<'_>) -> Need {
        need(&self.object, &self.field, seen)
    }

    pub(super) fn keeps_secrets(&self, seen: &mut Seen<'_>) -> Result<(), Unauthorised> {
        seen.shows(&self.object, &self.field)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            place(&self.object, &self.field, None),
            Part::Word("="),
            Part::Value(self.value.clone()),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "object": self.object, "field": self.field, "value": self.value.to_json() })
    }
}

impl SetAdd {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(5)?.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.object)?;
        out.u8(2)?.str(&self.field)?;
        out.u8(3)?.str(&self.element)?.u8(4)?;
        write_value(out, &self.value)
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 5)?;
        let object = read_name(input, 1, "object")?;
        let field = read_name(input, 2, "field")?;
        let element = read_name(input, 3, "element")?;
        expect_key(input, 4)?;
        Ok(Self {
            object,
            field,
            element,
            value: read_value(input)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        check_value(&self.value)
    }

    pub(super) fn need(&self, seen: &mut Seen<'_>) -> Need {
        need(&self.object, &self.field, seen)
    }

    pub(super) fn keeps_secrets(&self, seen: &mut Seen<'_>) -> Result<(), Unauthorised> {
        seen.shows(&self.object, &self.field)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            place(&self.object, &self.field, Some(&self.element)),
            Part::Word("="),
            Part::Value(self.value.clone()),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({
            "object": self.object,
            "field": self.field,
            "element": self.element,
            "value": self.value.to_json(),
        })
    }
}

impl SetRemove {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(4)?.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.object)?;
        out.u8(2)?.str(&self.field)?;
        out.u8(3)?.str(&self.element)?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 4)?;
        Ok(Self {
            object: read_name(input, 1, "object")?,
            field: read_name(input, 2, "field")?,
            element: read_name(input, 3, "element")?,
        })
    }

    pub(super) fn need(&self, seen: &mut Seen<'_>) -> Need {
        need(&self.object, &self.field, seen)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![place(&self.object, &self.field, Some(&self.element))]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "object": self.object, "field": self.field, "element": self.element })
    }
}
