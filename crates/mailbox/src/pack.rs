//! Packs: envelopes under the name of their content.

use ecac_core::split_op_log;

/// One pack, in bytes.
pub const PACK_BYTES_MAX: usize = 8 << 20;
/// What every pack begins with.
const MAGIC: &[u8; 8] = b"ECACPK1\n";

/// A pack of envelopes, in order. The attempt makes another pack of the same ones, where the first was spoilt.
pub(crate) fn pack(attempt: u32, envelopes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(attempt.to_be_bytes());
    bytes.extend(envelopes.iter().flatten());
    bytes
}

/// The name of a pack: BLAKE3 of its bytes, in hexadecimal.
pub(crate) fn name_of(pack: &[u8]) -> String {
    blake3::hash(pack).to_hex().to_string()
}

/// The envelopes of a pack with the name; `None` if it is not what its name says.
pub(crate) fn unpack<'a>(name: &str, bytes: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    if name_of(bytes) != name {
        return None;
    }
    let rest = bytes.strip_prefix(MAGIC)?;
    split_op_log(rest.get(4..)?).ok()
}
