//! Limits of a session (`docs/sync.md`, Limits). Each is enforced before memory is taken for what it bounds.

use ecac_core::limits::ENVELOPE_BYTES_MAX;

/// Versions of the protocol that this program speaks, the least and the greatest.
pub const VERSIONS: (u16, u16) = (1, 3);
/// The first version in which a side says what it has dropped.
pub const VERSION_OF_GONE: u16 = 2;
/// The first version in which a side can ask for envelopes of ops that it has admitted.
pub const VERSION_OF_OLDER: u16 = 3;
/// One frame, in bytes: an envelope of the greatest length with what is around it.
pub const FRAME_BYTES_MAX: usize = ENVELOPE_BYTES_MAX + 8 * 1024;
/// The envelopes of one batch, in bytes.
pub const BATCH_BYTES_MAX: usize = ENVELOPE_BYTES_MAX + 4 * 1024;
/// Ops of one batch.
pub const BATCH_OPS_MAX: usize = 256;
/// Frames that a side holds: those that came before others that are due, or that were sent and are not acknowledged.
pub const WINDOW_FRAMES: u64 = 16;
/// Heads of authors that are exchanged; a side that has more sends none, and everything is reconciled by ranges.
pub const HEADS_MAX: usize = 1024;
/// Heads in one message.
pub const HEADS_PER_MESSAGE: usize = 512;
/// Authors that are reconciled by ranges; beyond them everything is.
pub const DISPUTES_MAX: usize = 256;
/// Ranges in one message.
pub const RANGES_MAX: usize = 512;
/// Op ids in the ranges of one message.
pub const RANGE_IDS_MAX: usize = 1024;
/// Messages of ranges that a side answers in one session.
pub const RANGE_ROUNDS_MAX: u32 = 256;
/// Ids of dropped ops that a side tells; it counts the others.
pub const GONE_IDS_MAX: usize = 1024;
/// Times at which a side says so in one session.
pub const GONE_MESSAGES_MAX: u32 = 16;
/// Ids of ops in one ask for older ones.
pub const OLDER_IDS_MAX: usize = 1024;
/// Asks for older ops that are not answered.
pub const ASKS_MAX: usize = 4;
/// Older ops that came are handed on together from so many bytes on, or at the end of an answer.
pub const REGAIN_BYTES: usize = 1 << 20;
/// Frames that cannot be read before a session is closed.
pub const MALFORMED_MAX: u32 = 8;
/// Ops without their parents before a session is closed; none of them is kept.
pub const ORPHANS_MAX: u64 = 1024;
/// Ops that change nothing (duplicates, refused ones) before a session is closed, on top of as many as were useful.
pub const USELESS_MAX: u64 = 65_536;

const _: () = assert!(BATCH_BYTES_MAX + BATCH_OPS_MAX * 5 + 128 < FRAME_BYTES_MAX);
const _: () = assert!(RANGES_MAX * 90 + 128 < FRAME_BYTES_MAX);
const _: () = assert!(GONE_IDS_MAX * 34 + 128 < FRAME_BYTES_MAX);
const _: () = assert!(OLDER_IDS_MAX * 34 + 128 < FRAME_BYTES_MAX);
