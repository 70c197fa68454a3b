//! What a target says of its input.

/// Whether a target's input, or the input as the target mended it, was a valid one. No promise is attached to
/// it: it shows that a corpus exercises both the reader and its refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// The reader accepted it.
    Accepted,
    /// The reader refused it.
    Refused,
}

impl Reading {
    pub(crate) fn of(accepted: bool) -> Self {
        if accepted {
            Self::Accepted
        } else {
            Self::Refused
        }
    }
}
