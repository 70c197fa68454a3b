//! Why an admitted op was taken back, as entries name it.

use core::fmt;
use core::str::FromStr;

use ecac_core::{DenialReason, UnknownReason};
use serde::{Deserialize, Serialize};

/// The reason by which the first version of the rules took ops back whose author had signed one sequence number twice.
const EQUIVOCATION: &str = "equivocation";

/// The reason of an [`Entry::RolledBack`](crate::Entry::RolledBack).
///
/// Logs outlive the rules by which they were written, so this names the reasons of earlier rules as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RollBackReason(Name);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    Current(DenialReason),
    Equivocation,
}

impl RollBackReason {
    /// The author signed two ops with one sequence number: a denial by earlier rules.
    pub const EQUIVOCATION: Self = Self(Name::Equivocation);

    /// The name in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Name::Current(reason) => reason.name(),
            Name::Equivocation => EQUIVOCATION,
        }
    }
}

impl From<DenialReason> for RollBackReason {
    fn from(reason: DenialReason) -> Self {
        // Each name has one value.
        Self(match reason.name() {
            EQUIVOCATION => Name::Equivocation,
            _ => Name::Current(reason),
        })
    }
}

impl FromStr for RollBackReason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        match text {
            EQUIVOCATION => Ok(Self::EQUIVOCATION),
            _ => text.parse().map(|reason| Self(Name::Current(reason))),
        }
    }
}

impl TryFrom<String> for RollBackReason {
    type Error = UnknownReason;

    fn try_from(text: String) -> Result<Self, UnknownReason> {
        text.parse()
    }
}

impl From<RollBackReason> for String {
    fn from(reason: RollBackReason) -> Self {
        reason.name().to_owned()
    }
}

impl fmt::Display for RollBackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_value() {
        let names = DenialReason::ALL.iter().map(|denial| denial.name());
        for name in names.chain([EQUIVOCATION]) {
            let reason: RollBackReason = name.parse().unwrap();
            assert_eq!((reason.name(), reason.to_string()), (name, name.to_owned()));
            if let Ok(denial) = name.parse::<DenialReason>() {
                assert_eq!(RollBackReason::from(denial), reason);
            }
        }
        assert_eq!("whim".parse::<RollBackReason>(), Err(UnknownReason));
    }
}
