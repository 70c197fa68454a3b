//! Older ops: what was dropped here, or never came with a sealed snapshot, comes back (`docs/pruning.md`).

use ecac_core::{OpId, RegainError, Replica};
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::text;

/// What came back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Older {
    /// How many ops were here without their values before.
    pub(crate) dropped: usize,
    /// How many of them have them again.
    pub(crate) regained: usize,
}

impl Older {
    /// How many are still without.
    pub(crate) const fn left(&self) -> usize {
        self.dropped.saturating_sub(self.regained)
    }

    /// One line for people.
    pub(crate) fn told(&self) -> String {
        if self.dropped == 0 {
            return "nothing is dropped here: every op has its value\n".to_owned();
        }
        let left = match self.left() {
            0 => "nothing is dropped any more".to_owned(),
            left => format!("{left} are not there: ask somebody who keeps everything"),
        };
        let dropped = text::count(self.dropped, "op");
        format!(
            "{} of {dropped} that had been dropped came back; {left}\n",
            self.regained
        )
    }

    /// The same for programs.
    pub(crate) fn document(&self) -> Json {
        json!({
            "dropped": self.dropped,
            "regained": self.regained,
            "left": self.left(),
        })
    }
}

/// An op came that is not what is kept of it here.
pub(crate) fn contradicted(op: OpId) -> Failure {
    let error = ecac_store::Error::from(RegainError::Contradicts { op });
    Failure::of("take back what was dropped", &error.into())
}

/// A note for who took in a file that has values that were dropped here; empty for any other.
pub(crate) fn hint(replica: &Replica, items: &[&[u8]]) -> String {
    if replica.log().pruned_count() == 0 {
        return String::new();
    }
    match replica.dropped_among(items).len() {
        0 => String::new(),
        count => format!(
            "note: what {} wrote, and was dropped here, is in what came: `ecac import --older FILE` takes it back\n",
            text::count(count, "op")
        ),
    }
}
