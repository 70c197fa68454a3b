//! What a session has done.

/// What a session has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Ops that came and were new.
    pub useful_ops: u64,
    /// Ops that came and changed nothing: duplicates, refused ones.
    pub useless_ops: u64,
    /// Ops that came without their parents; they were not kept.
    pub orphans: u64,
    /// Ops that the other side says it has dropped and this one lacks: somebody else has to send them.
    pub gone_ops: u64,
    /// Ops that the other side says it keeps back, because they build on those.
    pub held_back_ops: u64,
    /// Ops that were dropped here and that the other side lacks.
    pub dropped_ops: u64,
    /// Ops of which this side was without the envelopes and has asked for them.
    pub asked_ops: u64,
    /// Of them those whose envelopes are here again.
    pub regained_ops: u64,
    /// Ops that the other side has asked for and was sent.
    pub older_ops: u64,
    /// Ops that were sent because the other side lacked them, each once.
    pub sent_ops: u64,
    /// Bytes of frames that were made, those that were sent again too.
    pub sent_bytes: u64,
    /// Messages of ranges that came.
    pub range_rounds: u32,
    /// Frames of other sessions, or of other lives of the listener, which count for nothing.
    pub stray_frames: u64,
    /// Frames that could not be read.
    pub malformed_frames: u32,
}
