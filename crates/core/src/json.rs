//! RFC 8785 canonical JSON, and what every export says of a replica that is behind.

use serde_json::json;

use crate::log::Behind;

/// The canonical bytes of a document without floating-point numbers.
///
/// # Panics
/// Never for documents made of strings, integers within 2^53, truth values, arrays and objects, and no others
/// are made here.
pub(crate) fn canonical(document: &serde_json::Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(document)
        .expect("a document in memory can be written to memory")
}

/// Adds to an export that the replica is behind, if it is.
pub(crate) fn tell_behind(document: &mut serde_json::Value, behind: Option<&Behind>) {
    if let Some(told) = behind {
        document["behind"] = self::behind(told);
    }
}

/// How far the replica is behind.
pub(crate) fn behind(behind: &Behind) -> serde_json::Value {
    json!({ "features": behind.features, "unsupported": behind.unsupported })
}
