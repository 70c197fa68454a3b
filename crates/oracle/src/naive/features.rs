//! Features and tags: what is in force in a set of ops.

use std::collections::BTreeSet;

use ecac_core::{Payload, SchemaRule};

use super::reading;
use super::set::{Op, Set};
use super::{FEATURES, Oracle, texts};

impl Oracle {
    /// The features that ops of the set name, with their parameters and the op.
    pub(super) fn features(&self, ops: &Set) -> Vec<(&str, &[u8], Op)> {
        let mut features = Vec::new();
        for op in ops.iter() {
            match &self.bodies[op].payload {
                Payload::Genesis(genesis) => {
                    let named = genesis.features.iter();
                    features.extend(named.map(|(name, with)| (name.as_str(), with.as_slice(), op)));
                }
                Payload::Upgrade(upgrade) => {
                    features.push((upgrade.feature.as_str(), upgrade.parameters.as_slice(), op));
                }
                Payload::SetField(_)
                | Payload::SetAdd(_)
                | Payload::SetRemove(_)
                | Payload::Credential(_)
                | Payload::Grant(_)
                | Payload::Revoke(_)
                | Payload::IssuerKey(_)
                | Payload::IssuerKeyRevoke(_)
                | Payload::StatusList(_)
                | Payload::Schema(_)
                | Payload::Seal(_)
                | Payload::Cosign(_)
                | Payload::Endorse(_)
                | Payload::Device(_)
                | Payload::DeviceRevoke(_)
                | Payload::ReaderKey(_)
                | Payload::KeyRotate(_)
                | Payload::KeyGrant(_)
                | Payload::SetFieldSealed(_)
                | Payload::SetAddSealed(_)
                | Payload::Unassigned(_) => {}
            }
        }
        features
    }

    /// Whether the feature allows the parameters where the op names them.
    pub(super) fn allows(&self, feature: &str, parameters: &[u8], op: Op) -> bool {
        let roots = self.genesis().map_or(0, |genesis| genesis.roots.len());
        match feature {
            "schema" | "endorse" | "device" | "carry" => parameters.is_empty(),
            "seal" => parameters.is_empty() && 2 * self.k() > roots,
            "confidential" => reading::marks(parameters).is_some(),
            "quorum" => {
                let by_genesis = matches!(self.bodies[op].payload, Payload::Genesis(_));
                let [k] = parameters else { return false };
                by_genesis && (1..=roots).contains(&usize::from(*k))
            }
            _ => false,
        }
    }

    /// Whether some op of the set that is full in it names the feature with parameters that it allows.
    pub(super) fn in_force(&self, feature: &str, ops: &Set) -> bool {
        let puts = |(name, parameters, op): (&str, &[u8], Op)| {
            name == feature && self.allows(name, parameters, op) && self.counts(op, ops)
        };
        self.features(ops).into_iter().any(puts)
    }

    /// Whether what the genesis or an `Upgrade` names counts in the set.
    fn counts(&self, op: Op, ops: &Set) -> bool {
        matches!(self.bodies[op].payload, Payload::Genesis(_)) || self.is_full(op, ops)
    }

    /// The features that count in the set and that the pages do not define.
    pub(super) fn unknown_features(&self, ops: &Set) -> BTreeSet<&str> {
        let named = self.features(ops).into_iter();
        let unknown = named.filter(|(name, ..)| !FEATURES.contains(name));
        let counting = unknown.filter(|(.., op)| self.counts(*op, ops));
        counting.map(|(name, ..)| name).collect()
    }

    /// Whether the kind of the payload counts for an op with this past.
    pub(super) fn kind_is_in_force(&self, payload: &Payload, past: &Set) -> bool {
        match payload {
            Payload::Genesis(_)
            | Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Grant(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_) => true,
            Payload::Schema(_) => self.in_force("schema", past),
            Payload::Seal(_) => self.in_force("seal", past),
            Payload::Cosign(_) => self.in_force("quorum", past),
            Payload::Endorse(_) => self.in_force("endorse", past),
            Payload::Device(_) | Payload::DeviceRevoke(_) => self.in_force("device", past),
            Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_) => self.in_force("confidential", past),
            Payload::Unassigned(_) => false,
        }
    }

    /// The rules of the schema map that ops of the set bring, as far as enough roots have signed them there.
    pub(super) fn rules(&self, ops: &Set) -> BTreeSet<&SchemaRule> {
        let mut rules = BTreeSet::new();
        for op in ops.iter() {
            match &self.bodies[op].payload {
                Payload::Genesis(genesis) => rules.extend(&genesis.schema),
                Payload::Schema(schema) if self.is_full(op, ops) => rules.extend(&schema.rules),
                Payload::Schema(_)
                | Payload::SetField(_)
                | Payload::SetAdd(_)
                | Payload::SetRemove(_)
                | Payload::Credential(_)
                | Payload::Grant(_)
                | Payload::Revoke(_)
                | Payload::IssuerKey(_)
                | Payload::IssuerKeyRevoke(_)
                | Payload::StatusList(_)
                | Payload::Upgrade(_)
                | Payload::Seal(_)
                | Payload::Cosign(_)
                | Payload::Endorse(_)
                | Payload::Device(_)
                | Payload::DeviceRevoke(_)
                | Payload::ReaderKey(_)
                | Payload::KeyRotate(_)
                | Payload::KeyGrant(_)
                | Payload::SetFieldSealed(_)
                | Payload::SetAddSealed(_)
                | Payload::Unassigned(_) => {}
            }
        }
        rules
    }

    /// The tags of a field: those of every rule whose two patterns match.
    pub(super) fn tags(&self, object: &str, field: &str, ops: &Set) -> BTreeSet<String> {
        let matches = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(prefix) => text.starts_with(prefix),
            None => text == pattern,
        };
        let mut tags = BTreeSet::new();
        for rule in self.rules(ops) {
            if matches(&rule.object, object) && matches(&rule.field, field) {
                tags.extend(texts(&rule.tags));
            }
        }
        tags
    }
}
