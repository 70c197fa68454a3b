//! Features: what a project uses beyond the kinds of payload that every project has
//! (`docs/policy-model.md`, Features).

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::confidential::Confidential;

/// A feature that this program knows.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Feature {
    /// `Schema` ops add rules to the schema map.
    Schema,
    /// k roots sign together; `Cosign` ops.
    Quorum,
    /// `Seal` ops say what stands.
    Seal,
    /// `Endorse` ops reinstate data ops.
    Endorse,
    /// `Device` and `DeviceRevoke` ops: several keys for one person.
    Device,
    /// Values that only readers can open, and the keys to them.
    Confidential,
    /// Digests of seals bind what is kept of dropped ops, so that snapshots can be carried.
    Carry,
}

/// What decides whether a feature can be in force with its parameters.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Roots that genesis names.
    pub roots: usize,
    /// How many of them sign together, as genesis says.
    pub quorum: usize,
    /// Whether it is genesis that names the feature.
    pub genesis: bool,
}

impl Feature {
    /// Every feature.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in genesis and in `Upgrade` ops.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The feature of that name, if this program knows one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// Whether the feature can be in force with these parameters.
    #[must_use]
    pub fn allows(self, parameters: &[u8], terms: Terms) -> bool {
        match self {
            Self::Schema | Self::Endorse | Self::Device | Self::Carry => parameters.is_empty(),
            Self::Quorum => {
                terms.genesis
                    && matches!(parameters, [k] if *k >= 1 && (*k as usize) <= terms.roots)
            }
            Self::Seal => parameters.is_empty() && 2 * terms.quorum > terms.roots,
            Self::Confidential => Confidential::read(parameters).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_found_by_their_names_and_judge_their_parameters() {
        for feature in Feature::ALL {
            assert_eq!(Feature::named(feature.name()), Some(*feature));
        }
        assert_eq!(Feature::named("Schema"), None);
        let terms = |roots, quorum, genesis| Terms {
            roots,
            quorum,
            genesis,
        };
        assert!(Feature::Schema.allows(&[], terms(1, 1, false)));
        assert!(!Feature::Schema.allows(&[0], terms(1, 1, false)));
        let quorum =
            |parameters: &[u8], genesis| Feature::Quorum.allows(parameters, terms(3, 1, genesis));
        assert!(quorum(&[1], true) && quorum(&[3], true));
        assert!(!quorum(&[0], true) && !quorum(&[4], true) && !quorum(&[2], false));
        assert!(!quorum(&[], true) && !quorum(&[2, 2], true));
        let seal = |roots, k| Feature::Seal.allows(&[], terms(roots, k, false));
        assert!(seal(1, 1) && seal(3, 2) && seal(4, 3));
        assert!(!seal(2, 1) && !seal(3, 1) && !seal(4, 2));
        let marks =
            |parameters: &[u8]| Feature::Confidential.allows(parameters, terms(1, 1, false));
        assert!(marks(b"\x82\x01\x81\x61a") && !marks(&[]));
    }
}
