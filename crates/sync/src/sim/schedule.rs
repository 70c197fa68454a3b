//! Schedules: what happens in a run, and what it came to.

use core::fmt;

use super::stream::Stream;

/// What happens in a run, but for what its seed draws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Drives everything.
    pub seed: u64,
    /// Nodes, from 3 to 64; the first is honest.
    pub nodes: usize,
    /// Ops that nodes try to write.
    pub writes: usize,
    /// Of a hundred frames so many are lost.
    pub loss_percent: u64,
    /// Of a hundred frames so many come twice.
    pub duplicate_percent: u64,
    /// The longest way of a frame, in milliseconds; the shortest is one.
    pub latency_ms_max: u64,
    /// Times at which the network parts in two, and heals later.
    pub partitions: usize,
    /// Times at which a node loses power.
    pub crashes: usize,
    /// Whether two nodes sign with one key.
    pub twins: bool,
    /// Whether the last node lies.
    pub liar: bool,
    /// Whether some ops are of a kind that no node can judge yet.
    pub tomorrow: bool,
    /// Whether there are seals, and nodes that prune behind them.
    pub pruning: Option<Pruning>,
    /// How long the unrest takes, in milliseconds; then all are connected and nobody writes.
    pub unrest_ms: u64,
    /// Time in which all must have converged then, in milliseconds.
    pub quiet_ms: u64,
}

/// What happens in a schedule with seals. The first nodes have the keys of the roots and keep everything; the other ones have
/// devices of the first root, and prune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruning {
    /// How many roots there are, 1 or 3; two of three sign together.
    pub roots: usize,
    /// Times at which a root seals everything, or signs what waits; some never sign.
    pub seals: usize,
    /// Times at which a node prunes.
    pub prunings: usize,
    /// Whether the last root, or the key of a device if there is one root, is stolen, and revokes everybody from the beginning on.
    pub thief: bool,
    /// Whether a node is away for all of the unrest, and comes back with what it had.
    pub away: bool,
    /// Whether a node comes late, and starts from the sealed snapshot that another one carries to it.
    pub newcomer: bool,
}

impl Pruning {
    fn of(stream: &mut Stream) -> Self {
        Self {
            roots: if stream.chance(50) { 1 } else { 3 },
            seals: 8 + stream.index(16),
            prunings: 8 + stream.index(24),
            thief: stream.chance(50),
            away: stream.chance(50),
            newcomer: stream.chance(50),
        }
    }
}

impl Schedule {
    /// The schedule of a seed, with up to that many nodes, which is at least 3.
    #[must_use]
    pub fn of_seed(seed: u64, nodes_max: usize) -> Self {
        let mut stream = Stream::new(seed ^ 0x5eed);
        let nodes = 3 + stream.index(nodes_max.clamp(3, 64) - 2);
        Self {
            seed,
            nodes,
            writes: 10 + stream.index(30),
            loss_percent: stream.between(0, 20),
            duplicate_percent: stream.between(0, 20),
            latency_ms_max: stream.between(2, 800),
            partitions: stream.index(3),
            crashes: stream.index(5),
            twins: stream.chance(40),
            liar: stream.chance(40),
            tomorrow: stream.chance(20),
            pruning: stream.chance(40).then(|| Pruning::of(&mut stream)),
            unrest_ms: 40_000,
            quiet_ms: 300_000,
        }
    }
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Ops that honest nodes wrote.
    pub written: usize,
    /// Ops that every honest node has admitted.
    pub admitted: usize,
    /// Ops that every honest node holds and none can judge.
    pub unsupported: usize,
    /// Sessions that finished, of both sides.
    pub finished: u64,
    /// Sessions that were broken off.
    pub broken_off: u64,
    /// Times at which a node lost power and came back.
    pub restarts: u64,
    /// Of them those at which power failed amid a write.
    pub torn: u64,
    /// Whether there were seals to be written.
    pub has_seals: bool,
    /// Final seals that no other one has in its past, in the end.
    pub finals: usize,
    /// Envelopes that were dropped.
    pub dropped: u64,
    /// Of them those that are dropped once the replicas have converged.
    pub pruned: usize,
    /// Envelopes that came back to those who asked for them then.
    pub regained: u64,
    /// Ops of which a side said that it has dropped what the other one lacks.
    pub gone: u64,
    /// Seals that came before what they seal.
    pub early_seals: u64,
    /// Revocations that a thief gave away.
    pub thefts: u64,
    /// Nodes that started from a sealed snapshot.
    pub started: u64,
    /// Sealed snapshots that a liar had changed, from which nothing started.
    pub refused: u64,
    /// Frames that were sent.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames that came from another life of the listener, or of another session.
    pub strays: u64,
    /// Time from the last unrest to convergence, in milliseconds.
    pub converged_ms: u64,
}

/// A law that did not hold. The seed gives the run again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Violation {
    /// The schedule.
    pub schedule: Schedule,
    /// Which law, and where.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seed, what) = (self.schedule.seed, &self.what);
        write!(f, "seed {seed}: {what} ({:?})", self.schedule)
    }
}
