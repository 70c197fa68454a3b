//! RFC 8785 canonical JSON.

/// The canonical bytes of a document without floating-point numbers.
///
/// # Panics
/// Never for documents made of strings, integers within 2^53, truth values, arrays and objects, and no others
/// are made here.
pub(crate) fn canonical(document: &serde_json::Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(document)
        .expect("a document in memory can be written to memory")
}
