//! What in-toto says of an object: its name and its digests
//! (<https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md>).

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use ecac_artifact::Digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The digests of an object, of which those of other algorithms are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestSet {
    /// The commit of a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    /// SHA-256.
    #[serde(default, with = "text", skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
}

/// Something that went into the build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDescriptor {
    /// What it is.
    pub name: String,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digests.
    pub digest: DigestSet,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl DigestSet {
    /// One SHA-256.
    #[must_use]
    pub fn sha256(digest: Digest) -> Self {
        Self {
            sha256: Some(digest),
            ..Self::default()
        }
    }

    /// One git commit.
    #[must_use]
    pub fn git_commit(commit: String) -> Self {
        Self {
            git_commit: Some(commit),
            ..Self::default()
        }
    }
}

/// A value that JSON has as its text, for `#[serde(with)]`.
mod text {
    use super::*;

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Some).map_err(de::Error::custom)
    }
}
