//! Histories, and what is done to them.

use ecac_core::VerifiedOp;
use proptest::prelude::*;

use super::crowd::{Crowd, crowds};
use super::wish::{Wish, wishes};
use crate::history::{History, OPS_MAX, histories, shuffled};

/// A history with what is done to it: how its ops arrive, which one is missing, which one is forged, what strangers send, and
/// what somebody wants to write at the end.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The history.
    pub history: History,
    /// Sorts the ops; ops with equal keys arrive as they were made.
    pub(super) keys: Vec<u16>,
    /// Which op is missing; like `copied`, modulo how many there are.
    pub(super) missing: Option<usize>,
    /// Which op comes in forged first, and which come again.
    pub(super) copied: usize,
    /// After how many ops each the replica advances, over and over.
    pub(super) pauses: Vec<usize>,
    /// Whether a second replica gets the ops as they were made.
    pub(super) second: bool,
    pub(super) crowd: Option<Crowd>,
    pub(super) wish: Wish,
}

/// Random trials.
pub fn trials() -> impl Strategy<Value = Trial> {
    // Any permutation, and such as are close to the order in which the ops were made.
    let keys = prop_oneof![
        prop::collection::vec(any::<u16>(), OPS_MAX),
        prop::collection::vec(0..2_u16, OPS_MAX)
    ];
    let missing = prop::option::weighted(0.2, 0..OPS_MAX);
    // After every op, or after a few.
    let pauses = prop_oneof![
        1 => Just(vec![1]),
        3 => prop::collection::vec(1..5_usize, 5),
    ];
    let arrival = (keys, missing, 0..OPS_MAX, pauses, prop::bool::weighted(0.2));
    let crowd = prop::option::weighted(0.1, crowds());
    (histories(), arrival, crowd, wishes()).prop_map(
        |(history, (keys, missing, copied, pauses, second), crowd, wish)| Trial {
            history,
            keys,
            missing,
            copied,
            pauses,
            second,
            crowd,
            wish,
        },
    )
}

impl Trial {
    /// All ops arrive as they were made; the first comes in forged, and comes again after each.
    #[must_use]
    pub fn told(history: History) -> Self {
        Self {
            history,
            keys: vec![0],
            missing: None,
            copied: 0,
            pauses: vec![1],
            second: true,
            crowd: Some(Crowd::default()),
            wish: Wish::default(),
        }
    }

    /// All ops arrive in the opposite order.
    #[must_use]
    pub fn reversed(history: History) -> Self {
        let count = u16::try_from(history.ops.len()).expect("a history is short");
        Self {
            keys: (0..count).rev().collect(),
            ..Self::told(history)
        }
    }

    /// The ops that a replica gets to see, as they were made.
    pub(super) fn held(&self) -> Vec<&VerifiedOp> {
        let ops = &self.history.ops;
        let missing = self.missing.map(|index| index % ops.len());
        let held = ops
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != missing);
        held.map(|(_, op)| op).collect()
    }

    /// The same in their order of arrival.
    pub(super) fn arrivals(&self) -> Vec<&VerifiedOp> {
        shuffled(self.held(), &self.keys)
    }
}
