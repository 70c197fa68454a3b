//! Deliberate mistakes, to see that the simulation finds them.

/// A deliberate mistake. Nothing outside of tests makes any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Defect {
    /// Ops are kept whether or not their parents are there.
    ChecksNoParents,
    /// What was not acknowledged is not sent again, and a session that stays silent is not dialled again either.
    NeverRetries,
    /// A frame counts for all that came before it.
    TakesGapsForReceived,
    /// What was said by an earlier life of the listener, or to it, counts.
    TakesEarlierLives,
    /// The heads of authors are believed, forks or not.
    TrustsHeads,
    /// A digest of a range is taken for the own one.
    TrustsDigests,
    /// Ops of a range that the other side asked for are not sent.
    ForgetsWanted,
    /// Ops of authors whom the other side does not have are not sent.
    ForgetsNewAuthors,
    /// Ops that this program cannot judge are not handed on.
    ForgetsUnsupported,
    /// The last op that the other side lacks is not sent.
    ForgetsTheLast,
    /// Ops are sent in the reverse of their order.
    ChildrenFirst,
    /// Ops are sent whose parents were dropped and are lacked.
    SendsBeyondGone,
    /// Who asks for older ops is told that there are none.
    ForgetsOlder,
    /// Envelopes are stored before they are verified.
    StoresUnverified,
    /// An op that is written here is told before it is on the disk.
    WritesUnsynced,
    /// Ops from far ahead of the local clock are named as parents.
    NamesTheFuture,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::ChecksNoParents,
        Self::NeverRetries,
        Self::TakesGapsForReceived,
        Self::TakesEarlierLives,
        Self::TrustsHeads,
        Self::TrustsDigests,
        Self::ForgetsWanted,
        Self::ForgetsNewAuthors,
        Self::ForgetsUnsupported,
        Self::ForgetsTheLast,
        Self::ChildrenFirst,
        Self::SendsBeyondGone,
        Self::ForgetsOlder,
        Self::StoresUnverified,
        Self::WritesUnsynced,
        Self::NamesTheFuture,
    ];
}
