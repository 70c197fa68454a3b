//! `SetFieldSealed` and `SetAddSealed`: what people write for readers only.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::data;
use super::describe::Part;
use crate::authority::{Seen, Unauthorised};
use crate::name::Name;
use crate::need::Need;
use crate::sealed::Sealed;
use crate::value::Value;
use crate::wire::{
    CodecError, Out, Written, check_sealed, expect_entries, expect_key, read_name, read_sealed,
    write_sealed,
};

/// Writes a register, with a value that only readers can open. Belongs to the feature `confidential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetFieldSealed {
    /// Object.
    pub object: Name,
    /// Field of the object.
    pub field: Name,
    /// New value.
    pub value: Sealed,
}

/// Adds an element to a set, with a value that only readers can open. Belongs to the feature `confidential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAddSealed {
    /// Object.
    pub object: Name,
    /// Field of the object.
    pub field: Name,
    /// Element; its name is no secret.
    pub element: Name,
    /// Value attached to the element.
    pub value: Sealed,
}

impl SetFieldSealed {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(4)?.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.object)?;
        out.u8(2)?.str(&self.field)?.u8(3)?;
        write_sealed(out, &self.value)
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 4)?;
        let object = read_name(input, 1, "object")?;
        let field = read_name(input, 2, "field")?;
        expect_key(input, 3)?;
        Ok(Self {
            object,
            field,
            value: read_sealed(input)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        check_sealed(&self.value)
    }

    pub(super) fn need(&self, seen: &mut Seen<'_>) -> Need {
        data::need(&self.object, &self.field, seen)
    }

    pub(super) fn keeps_secrets(
        &self,
        seen: &mut Seen<'_>,
        now_ms: u64,
    ) -> Result<(), Unauthorised> {
        seen.hides((&self.object, &self.field), &self.value.key, now_ms)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            data::place(&self.object, &self.field, None),
            Part::Word("="),
            Part::Value(Value::Sealed(self.value.clone())),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "object": self.object, "field": self.field, "value": self.value.to_json() })
    }
}

impl SetAddSealed {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(5)?.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.object)?;
        out.u8(2)?.str(&self.field)?;
        out.u8(3)?.str(&self.element)?.u8(4)?;
        write_sealed(out, &self.value)
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
            value: read_sealed(input)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        check_sealed(&self.value)
    }

    pub(super) fn need(&self, seen: &mut Seen<'_>) -> Need {
        data::need(&self.object, &self.field, seen)
    }

    pub(super) fn keeps_secrets(
        &self,
        seen: &mut Seen<'_>,
        now_ms: u64,
    ) -> Result<(), Unauthorised> {
        seen.hides((&self.object, &self.field), &self.value.key, now_ms)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            data::place(&self.object, &self.field, Some(&self.element)),
            Part::Word("="),
            Part::Value(Value::Sealed(self.value.clone())),
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
