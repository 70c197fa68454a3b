//! What the sessions of a run came to.

use serde::{Deserialize, Serialize};

/// What the sessions of a run whose replicas sync over a network came to. It follows from the parameters of the run, and not from its
/// op log; the members are sorted by name, as they stand in `manifest.json`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meetings {
    /// Virtual time from when the network became whole again until all replicas held the same, in milliseconds, in all.
    pub converge_ms: u64,
    /// Bytes of the frames.
    pub frame_bytes: u64,
    /// Frames that were sent, lost ones too.
    pub frames: u64,
    /// Ops that came and were new to whom they came to.
    pub ops: u64,
    /// Times at which the network was parted and became whole again.
    pub partitions: u64,
    /// Ops that lost their effect where they had it, counted at each replica.
    pub rolled_back: u64,
    /// Rounds from when the network became whole again until all replicas held the same, in all: in a round each of the others meets
    /// the first replica.
    pub rounds: u64,
    /// Sessions, each between two replicas.
    pub sessions: u64,
}
