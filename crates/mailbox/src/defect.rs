//! Deliberate mistakes, to see that seeded tests find them.

/// A deliberate mistake. Nothing outside of tests makes any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// What an index names, and was read once, is taken to be there for ever.
    TrustsIndexes,
    /// A pack whose ops wait for others is not read again.
    ForgetsOrphans,
    /// A pack that stands for others is named and not put.
    MergesWithoutPutting,
}
