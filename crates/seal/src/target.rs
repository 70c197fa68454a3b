//! Targets: where somebody writes, plainly or under seal.

use ecac_core::payload::{SetAdd, SetAddSealed, SetField, SetFieldSealed};
use ecac_core::{Name, Payload, Sealed, Value};

/// A place that somebody writes to: a field of an object, or an element of its set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Object.
    pub object: Name,
    /// Field of the object.
    pub field: Name,
    /// Element of a set; `None` for a register.
    pub element: Option<Name>,
}

impl Target {
    /// The plain write of the value.
    #[must_use]
    pub fn plain(&self, value: Value) -> Payload {
        let (object, field) = (self.object.clone(), self.field.clone());
        match self.element.clone() {
            None => Payload::SetField(SetField {
                object,
                field,
                value,
            }),
            Some(element) => Payload::SetAdd(SetAdd {
                object,
                field,
                element,
                value,
            }),
        }
    }

    pub(crate) fn sealed(&self, value: Sealed) -> Payload {
        let (object, field) = (self.object.clone(), self.field.clone());
        match self.element.clone() {
            None => Payload::SetFieldSealed(SetFieldSealed {
                object,
                field,
                value,
            }),
            Some(element) => Payload::SetAddSealed(SetAddSealed {
                object,
                field,
                element,
                value,
            }),
        }
    }
}
