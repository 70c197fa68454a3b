//! Why a session ends before its time.

/// Why a side breaks a session off. The code is what the wire has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// No version of the protocol is common to both sides.
    #[error("no version of the protocol is common to both")]
    Version,
    /// The other side has another project.
    #[error("the other side has another project")]
    Project,
    /// Too many frames could not be read, or a message could not.
    #[error("what came cannot be read")]
    Malformed,
    /// A message that has no place in this state.
    #[error("a message has no place here")]
    Unexpected,
    /// Bytes that are no op of anybody's, or an op of another project.
    #[error("what came as an op is none of this project")]
    BadOp,
    /// Too many ops without their parents.
    #[error("too many ops without their parents")]
    Orphans,
    /// Too many ops that change nothing.
    #[error("too many ops that change nothing")]
    Useless,
    /// The ranges come to no end.
    #[error("the ranges come to no end")]
    Ranges,
    /// Nothing that was due has come for too long.
    #[error("nothing has come for too long")]
    Silent,
    /// The session takes too long.
    #[error("it takes too long")]
    Slow,
    /// The store of the replica has failed.
    #[error("the store has failed")]
    Store,
    /// An older op that came is not what is kept of it here without its envelope; from version 3 on.
    #[error("an older op is not what was told of it without its envelope")]
    Contradicts,
}

impl CloseReason {
    const ALL: [Self; 12] = [
        Self::Version,
        Self::Project,
        Self::Malformed,
        Self::Unexpected,
        Self::BadOp,
        Self::Orphans,
        Self::Useless,
        Self::Ranges,
        Self::Silent,
        Self::Slow,
        Self::Store,
        Self::Contradicts,
    ];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason with the code.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.code() == code)
    }
}
