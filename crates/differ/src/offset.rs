//! Where bytes part.

/// Offset of the first byte that only one of the two has, or has differently.
pub(super) fn first_difference(expected: &[u8], actual: &[u8]) -> Option<usize> {
    if expected == actual {
        return None;
    }
    let common = expected
        .iter()
        .zip(actual)
        .take_while(|(expected, actual)| expected == actual)
        .count();
    Some(common)
}
