//! Features: what a project uses beyond the kinds of payload that every project has
//! (`docs/policy-model.md`, Features).

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

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
    pub const fn allows(self, parameters: &[u8]) -> bool {
        match self {
            Self::Schema => parameters.is_empty(),
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
        assert!(Feature::Schema.allows(&[]));
        assert!(!Feature::Schema.allows(&[0]));
    }
}
