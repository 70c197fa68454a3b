//! Hybrid logical clock stamps.

use serde::{Deserialize, Serialize};

/// A hybrid logical clock stamp: physical milliseconds, logical counter, node tag.
///
/// Ordered by these three in turn. The stamp of an op is strictly greater than that of each parent (an op that
/// breaks this is refused); it never decides causality, and it grants nothing but through the validity window
/// of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hlc {
    /// Milliseconds since the Unix epoch, at most [`crate::limits::INTEGER_MAX`].
    pub physical_ms: u64,
    /// Distinguishes events of one millisecond.
    pub logical: u32,
    /// Distinguishes nodes; carries no meaning.
    pub node: u32,
}

impl Hlc {
    /// The stamp that a node whose clock shows `now_ms` gives to an op whose greatest parent stamp is `after`.
    ///
    /// `None` when the counter is exhausted: the logical counter stood at its maximum in the last millisecond.
    #[must_use]
    pub fn next(after: Option<Self>, now_ms: u64, node: u32) -> Option<Self> {
        match after {
            Some(last) if last.physical_ms >= now_ms => match last.logical.checked_add(1) {
                Some(logical) => Some(Self {
                    physical_ms: last.physical_ms,
                    logical,
                    node,
                }),
                None if last.physical_ms < crate::limits::INTEGER_MAX => Some(Self {
                    physical_ms: last.physical_ms + 1,
                    logical: 0,
                    node,
                }),
                None => None,
            },
            _ => (now_ms <= crate::limits::INTEGER_MAX).then_some(Self {
                physical_ms: now_ms,
                logical: 0,
                node,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_strictly_greater_whatever_the_clock_shows() {
        let last = Hlc {
            physical_ms: 10,
            logical: 7,
            node: 9,
        };
        for (now_ms, want) in [(9, (10, 8)), (10, (10, 8)), (11, (11, 0))] {
            let next = Hlc::next(Some(last), now_ms, 1).unwrap();
            assert_eq!((next.physical_ms, next.logical), want);
            assert!(next > last);
        }
        let full = Hlc {
            logical: u32::MAX,
            ..last
        };
        assert_eq!(
            Hlc::next(Some(full), 3, 1),
            Some(Hlc {
                physical_ms: 11,
                logical: 0,
                node: 1
            })
        );
        let end = Hlc {
            physical_ms: crate::limits::INTEGER_MAX,
            ..full
        };
        assert_eq!(Hlc::next(Some(end), 3, 1), None);
    }
}
