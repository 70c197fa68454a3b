//! Features: what a project uses beyond the kinds of payload that every project has
//! (`docs/policy-model.md`, Features).

use core::fmt;

/// A feature that this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// `Schema` ops add rules to the schema map.
    Schema,
}

impl Feature {
    /// Every feature.
    pub const ALL: &'static [Self] = &[Self::Schema];

    /// The name in genesis and in `Upgrade` ops.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
        }
    }

    /// The feature of that name, if this program knows one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.name() == name)
    }

    /// Whether the feature can be in force with these parameters.
    #[must_use]
    pub const fn allows(self, parameters: &[u8]) -> bool {
        match self {
            Self::Schema => parameters.is_empty(),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
