//! `Schema`: more rules for the schema map.

use std::collections::BTreeSet;

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::authority::{Effect, EffectCode, Effects, Entry};
use crate::limits::{SCHEMA_RULES_MAX, TAGS_MAX};
use crate::need::{Action, Need};
use crate::schema_map::SchemaRule;
use crate::wire::{
    CodecError, Out, Written, ascending, count, expect_array, expect_entries, expect_key,
    name_here, read_array, read_tags, write_tags,
};

/// Adds rules to the schema map; nothing takes a rule away. Belongs to the feature `schema`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The rules, 1 to [`SCHEMA_RULES_MAX`].
    pub rules: BTreeSet<SchemaRule>,
}

impl Schema {
    pub(super) fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(2)?.u8(0)?.u16(kind)?.u8(1)?;
        write_rules(out, &self.rules)
    }

    pub(super) fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 2)?;
        expect_key(input, 1)?;
        Ok(Self {
            rules: read_rules(input)?,
        })
    }

    pub(super) fn check(&self) -> Result<(), CodecError> {
        count("schema rules", self.rules.len(), SCHEMA_RULES_MAX)?;
        let tags = |rule: &SchemaRule| count("tags", rule.tags.len(), TAGS_MAX);
        self.rules.iter().try_for_each(tags)
    }

    pub(super) const fn need(&self) -> Need {
        Need::any(Action::Found)
    }

    pub(super) fn register(&self, entry: &mut Entry<'_>) {
        entry.add_rules(&self.rules);
    }

    pub(super) fn effect(&self, of: &mut Effects<'_>) -> Effect {
        let known = of.rules_seen();
        if self.rules.is_subset(&known) {
            Effect::new(EffectCode::InForce)
        } else if !of.is_full() {
            Effect::new(EffectCode::Short)
        } else {
            Effect::new(EffectCode::AddsRules)
        }
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        let mut parts = vec![Part::Count(self.rules.len(), "rule")];
        for rule in self.rules.iter().take(RULES_SHOWN) {
            parts.extend([
                Part::name(&rule.object),
                Part::name(&rule.field),
                Part::names(&rule.tags),
            ]);
        }
        if self.rules.len() > RULES_SHOWN {
            parts.push(Part::Word("and more"));
        }
        parts
    }

    pub(super) fn members(&self) -> Json {
        json!({ "rules": rules_json(&self.rules) })
    }
}

/// Rules that a description shows.
const RULES_SHOWN: usize = 3;

pub(super) fn write_rules(out: &mut Out<'_>, rules: &BTreeSet<SchemaRule>) -> Written {
    out.array(rules.len() as u64)?;
    for rule in rules {
        out.array(3)?.str(&rule.object)?.str(&rule.field)?;
        write_tags(out, &rule.tags)?;
    }
    Ok(())
}

pub(super) fn read_rules(input: &mut Decoder<'_>) -> Result<BTreeSet<SchemaRule>, CodecError> {
    let rules = read_array(input, "schema", SCHEMA_RULES_MAX, |input| {
        expect_array(input, 3, "schema rule")?;
        Ok(SchemaRule {
            object: name_here(input, "object pattern")?,
            field: name_here(input, "field pattern")?,
            tags: read_tags(input)?,
        })
    })?;
    ascending(rules, "schema rules")
}

pub(super) fn rules_json(rules: &BTreeSet<SchemaRule>) -> Json {
    let rule = |rule: &SchemaRule| json!({ "object": rule.object, "field": rule.field, "tags": rule.tags });
    rules.iter().map(rule).collect()
}
