//! The numbers of admitted ops.

/// Position of an op in the DAG, in order of admission: parents come before children.
pub(crate) type Index = usize;

/// An index as it is kept: there are fewer than 2^32 ops, because each takes up some hundred bytes.
pub(crate) fn narrow(index: Index) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 ops fit in memory")
}
