//! `Genesis`: the first op of a project.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use super::schema::{read_rules, rules_json, write_rules};
use crate::authority::{Effect, EffectCode, Entry};
use crate::id::PublicKey;
use crate::limits::{FEATURES_MAX, ROOTS_MAX, SCHEMA_RULES_MAX, TAGS_MAX};
use crate::name::{Name, Tags};
use crate::schema_map::{SchemaRule, tags_of};
use crate::wire::{
    CodecError, Out, Written, ascending, check_parameters, count, expect_array, expect_key, limit,
    name_here, read_array, read_fixed, read_name, read_parameters,
};

/// Names the project, its root keys, its schema and its features; the one payload of the one op without parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// Name of the project, for people.
    pub name: Name,
    /// Distinguishes projects that are otherwise alike.
    pub nonce: [u8; 16],
    /// Root keys, 1 to [`ROOTS_MAX`]; three are wise, because two that revoke each other both lose.
    pub roots: BTreeSet<PublicKey>,
    /// Schema map, at most [`SCHEMA_RULES_MAX`] rules. A field that no rule matches has no tags, so only roots may
    /// write it.
    pub schema: BTreeSet<SchemaRule>,
    /// What the project uses beyond the kinds of payload that every project has, at most [`FEATURES_MAX`], each with
    /// parameters of at most [`crate::limits::FEATURE_PARAMETERS_BYTES_MAX`] bytes.
    pub features: BTreeMap<Name, Vec<u8>>,
}

impl Genesis {
    /// The tags that genesis gives a field: the union over the rules that match.
    #[must_use]
    pub fn tags(&self, object: &str, field: &str) -> Tags {
        tags_of(self.schema.iter(), object, field)
    }

    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(if self.features.is_empty() { 5 } else { 6 })?;
        out.u8(0)?.u16(kind)?;
        out.u8(1)?.str(&self.name)?.u8(2)?.bytes(&self.nonce)?;
        out.u8(3)?.array(self.roots.len() as u64)?;
        for root in &self.roots {
            out.bytes(root.as_bytes())?;
        }
        out.u8(4)?;
        write_rules(out, &self.schema)?;
        if !self.features.is_empty() {
            out.u8(5)?.array(self.features.len() as u64)?;
            for (name, parameters) in &self.features {
                out.array(2)?.str(name)?.bytes(parameters)?;
            }
        }
        Ok(())
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        if !matches!(entries, 5 | 6) {
            return Err(CodecError::Malformed("payload"));
        }
        let name = read_name(input, 1, "project name")?;
        expect_key(input, 2)?;
        let nonce = read_fixed(input, "nonce")?;
        expect_key(input, 3)?;
        let roots = read_array(input, "roots", ROOTS_MAX, |input| {
            read_fixed(input, "root").map(PublicKey::from_bytes)
        })?;
        expect_key(input, 4)?;
        let schema = read_rules(input)?;
        let features = if entries == 6 {
            expect_key(input, 5)?;
            read_features(input)?
        } else {
            BTreeMap::new()
        };
        Ok(Self {
            name,
            nonce,
            roots: ascending(roots, "roots")?,
            schema,
            features,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        count("roots", self.roots.len(), ROOTS_MAX)?;
        limit("schema rules", self.schema.len(), SCHEMA_RULES_MAX)?;
        for rule in &self.schema {
            count("tags", rule.tags.len(), TAGS_MAX)?;
        }
        limit("features", self.features.len(), FEATURES_MAX)?;
        self.features
            .values()
            .try_for_each(|parameters| check_parameters(parameters))
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        for root in &self.roots {
            entry.found(*root);
        }
        entry.add_rules(&self.schema);
        for (name, parameters) in &self.features {
            entry.add_feature(name, parameters);
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "every family has this method with these parameters"
    )]
    pub(super) fn effect(&self) -> Effect {
        Effect::new(EffectCode::Founds)
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        let mut parts = vec![
            Part::name(&self.name),
            Part::Word("with"),
            Part::Count(self.roots.len(), "root"),
            Part::Word("and"),
            Part::Count(self.schema.len(), "schema rule"),
        ];
        if !self.features.is_empty() {
            parts.push(Part::Word("using"));
            parts.push(Part::names(self.features.keys()));
        }
        parts
    }

    pub(super) fn members(&self) -> Json {
        let mut members = json!({
            "name": self.name,
            "nonce": hex::encode(self.nonce),
            "roots": self.roots,
            "schema": rules_json(&self.schema),
        });
        if !self.features.is_empty() {
            let features = self
                .features
                .iter()
                .map(|(name, parameters)| (name.to_string(), hex::encode(parameters)));
            members["features"] = json!(features.collect::<BTreeMap<_, _>>());
        }
        members
    }
}

fn read_features(input: &mut Decoder<'_>) -> Result<BTreeMap<Name, Vec<u8>>, CodecError> {
    let features = read_array(input, "features", FEATURES_MAX, |input| {
        expect_array(input, 2, "feature")?;
        Ok((name_here(input, "feature")?, read_parameters(input)?))
    })?;
    if features.is_empty() {
        return Err(CodecError::Range("features"));
    }
    if features.is_sorted_by(|a, b| a.0 < b.0) {
        Ok(features.into_iter().collect())
    } else {
        Err(CodecError::Order("features"))
    }
}
