//! Limits of the wire format (`docs/protocol.md`, Limits), enforced on decode.
//!
//! Each limit bounds what one hostile op can cost: an envelope that is too long is not read, and no array is
//! allocated before its declared length has been compared with its limit.

/// Parents of one op.
pub const PARENTS_MAX: usize = 16;
/// Encoded payload of one op, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// Names (objects, fields, elements, tags, issuers, key ids, roles), in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 256;
/// Tags in one scope or schema rule.
pub const TAGS_MAX: usize = 64;
/// Audiences that a credential may name.
pub const AUDIENCES_MAX: usize = 64;
/// Root keys that genesis may name.
pub const ROOTS_MAX: usize = 64;
/// Schema rules that genesis may declare.
pub const SCHEMA_RULES_MAX: usize = 256;
/// Features that genesis may name.
pub const FEATURES_MAX: usize = 64;
/// Parameters of one feature, in bytes.
pub const FEATURE_PARAMETERS_BYTES_MAX: usize = 1024;
/// Largest number of a type of payload.
pub const PAYLOAD_TYPE_MAX: u16 = u16::MAX;
/// Ops that one `Endorse` may name.
pub const ENDORSED_MAX: usize = 64;
/// Recipients of one `KeyGrant`.
pub const RECIPIENTS_MAX: usize = 512;
/// Shortest ciphertext of a value, in bytes: one byte and the authentication tag of XChaCha20-Poly1305.
pub const SEALED_BYTES_MIN: usize = 17;
/// Longest ciphertext of a value, in bytes; its payload holds less.
pub const SEALED_BYTES_MAX: usize = PAYLOAD_BYTES_MAX;
/// Arrays and maps in each other in a payload of a type that is not assigned, its own map counted.
pub const UNASSIGNED_LEVELS_MAX: usize = 16;
/// Absent ancestors that the decision on a pending op names.
pub const ABSENT_NAMED_MAX: usize = 16;
/// Whole envelope (COSE_Sign1) of one op, in bytes: payload, body fields and signature with headroom.
pub const ENVELOPE_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 1024;
/// Largest integer that RFC 8785 JSON carries exactly (2^53 - 1); sequence numbers, milliseconds and integer
/// values stay within it.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;
/// Longest JWT that is read, in bytes: no op could carry a longer one.
pub const JWT_BYTES_MAX: usize = PAYLOAD_BYTES_MAX;
/// Status entries of one credential.
pub const STATUS_ENTRIES_MAX: usize = 4;
/// Shortest bitstring of a status list, in bytes, so that an index hides among enough others (Bitstring Status List
/// v1.0 section 2.2).
pub const STATUS_LIST_BYTES_MIN: usize = 16 * 1024;
/// Decompressed bitstring of one status list, in bytes.
pub const STATUS_LIST_BYTES_MAX: usize = 1024 * 1024;
/// Largest index that a status entry may name: the last bit of the longest list that is read.
pub const STATUS_INDEX_MAX: u64 = STATUS_LIST_BYTES_MAX as u64 * 8 - 1;
