//! `Upgrade`: one more feature.

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, EffectCode, Effects, Entry};
use crate::feature::Feature;
use crate::name::Name;
use crate::need::{Action, Need};
use crate::wire::{
    CodecError, Out, Written, check_parameters, expect_entries, expect_key, read_name,
    read_parameters,
};

/// Names one more feature that the project uses from here on; by a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// The feature.
    pub feature: Name,
    /// Its parameters, at most [`crate::limits::FEATURE_PARAMETERS_BYTES_MAX`] bytes.
    pub parameters: Vec<u8>,
}

impl Upgrade {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(3)?.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.feature)?;
        out.u8(2)?.bytes(&self.parameters)?;
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 3)?;
        let feature = read_name(input, 1, "feature")?;
        expect_key(input, 2)?;
        Ok(Self {
            feature,
            parameters: read_parameters(input)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        check_parameters(&self.parameters)
    }

    pub(super) const fn need(&self) -> Need {
        Need::any(Action::Found)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.add_feature(&self.feature, &self.parameters);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        let code = match Feature::named(&self.feature) {
            None => EffectCode::UnknownFeature,
            Some(feature) if !of.allows(feature, &self.parameters) => EffectCode::BadParameters,
            Some(feature) if of.in_force(feature, &self.parameters) => EffectCode::InForce,
            Some(_) if !of.is_full() => EffectCode::Short,
            Some(_) => EffectCode::Upgrades,
        };
        Effect::new(code)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::Word("to"),
            Part::name(&self.feature),
            Part::Word("with parameters of"),
            Part::Count(self.parameters.len(), "byte"),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "feature": self.feature, "parameters": hex::encode(&self.parameters) })
    }
}
