//! References to status lists (Bitstring Status List v1.0 section 2.1).

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::error::CredentialError;
use super::json::{Json, Object, malformed};
use crate::limits::{STATUS_ENTRIES_MAX, STATUS_INDEX_MAX};

/// What a set bit means for a credential; both deny it.
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
    Serialize,
)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownStatusPurpose, parse_err_fn = unknown)]
#[serde(into = "&'static str")]
pub enum StatusPurpose {
    /// Withdrawn for good.
    Revocation,
    /// Withdrawn until further notice; here a bit once set denies, so it is as final as a revocation.
    Suspension,
}

impl StatusPurpose {
    /// Every purpose.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in credentials, status lists and exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The purpose that `statusPurpose` of `object` names.
    pub(super) fn of(object: &Object, member: &'static str) -> Result<Self, CredentialError> {
        object
            .text(member)?
            .parse()
            .map_err(|_| malformed(member, "`revocation` or `suspension`"))
    }
}

/// A text that names no purpose of a status list that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a status purpose is revocation or suspension")]
pub struct UnknownStatusPurpose;

const fn unknown(_: &str) -> UnknownStatusPurpose {
    UnknownStatusPurpose
}

/// One entry of `credentialStatus`: the bit that withdraws the credential.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StatusRef {
    /// The `id` of the status list credential (`statusListCredential`): a URL, never fetched.
    pub list: String,
    /// The bit, at most [`STATUS_INDEX_MAX`].
    pub index: u64,
    /// What the bit means; the list must have the same purpose.
    pub purpose: StatusPurpose,
}

impl StatusRef {
    /// The entries of `credentialStatus`: none where it is absent, else 1 to [`STATUS_ENTRIES_MAX`].
    pub(super) fn all_of(document: &Object) -> Result<Vec<Self>, CredentialError> {
        let member = "credentialStatus";
        let entries = match document.get(member) {
            None => return Ok(Vec::new()),
            Some(Json::Array(entries)) if entries.is_empty() => {
                return Err(malformed(member, "an entry or an array of entries"));
            }
            Some(Json::Array(entries)) => entries.as_slice(),
            Some(entry) => core::slice::from_ref(entry),
        };
        if entries.len() > STATUS_ENTRIES_MAX {
            let max = STATUS_ENTRIES_MAX;
            return Err(CredentialError::TooMany { member, max });
        }
        entries
            .iter()
            .map(|entry| Self::of(entry.object(member)?))
            .collect()
    }

    fn of(entry: &Object) -> Result<Self, CredentialError> {
        let member = "credentialStatus.type";
        if entry.text(member)? != "BitstringStatusListEntry" {
            return Err(malformed(member, "`BitstringStatusListEntry`"));
        }
        let member = "credentialStatus.statusSize";
        if !matches!(entry.get(member), None | Some(Json::Integer(1))) {
            return Err(malformed(member, "1"));
        }
        let member = "credentialStatus.statusListIndex";
        let index = index(entry.text(member)?).ok_or(malformed(
            member,
            "a decimal number from 0 to 8388607 without leading zeros",
        ))?;
        Ok(Self {
            list: entry
                .url("credentialStatus.statusListCredential")?
                .to_owned(),
            index,
            purpose: StatusPurpose::of(entry, "credentialStatus.statusPurpose")?,
        })
    }
}

/// The number that `text` writes in the one canonical way.
fn index(text: &str) -> Option<u64> {
    let canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let index = text.parse().ok().filter(|index| *index <= STATUS_INDEX_MAX);
    index.filter(|_| canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_a_canonical_decimal() {
        assert_eq!(STATUS_INDEX_MAX, 8_388_607);
        for (text, expect) in [
            ("0", Some(0)),
            ("94567", Some(94_567)),
            ("8388607", Some(8_388_607)),
            ("8388608", None),
            ("4294967295", None),
            ("99999999999999999999999999", None),
            ("", None),
            ("00", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("-0", None),
            ("1.0", None),
            ("0x1", None),
            (" 1", None),
            ("١", None),
        ] {
            assert_eq!(index(text), expect, "{text}");
        }
    }

    #[test]
    fn purposes_have_their_names() {
        for (text, expect) in [
            ("revocation", Ok(StatusPurpose::Revocation)),
            ("suspension", Ok(StatusPurpose::Suspension)),
            ("message", Err(UnknownStatusPurpose)),
            ("refresh", Err(UnknownStatusPurpose)),
            ("Revocation", Err(UnknownStatusPurpose)),
            ("", Err(UnknownStatusPurpose)),
        ] {
            assert_eq!(text.parse(), expect, "{text}");
            if let Ok(purpose) = expect {
                assert_eq!(purpose.to_string(), text);
            }
        }
    }
}
