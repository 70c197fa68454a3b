//! Verdicts: what became of the signatures of credentials, status lists and devices.

/// What became of the signatures that were checked for credentials, status lists and devices.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdicts {
    /// In the order of registration.
    pub(super) told: Vec<bool>,
    /// Those that a snapshot tells, the first at the end.
    pub(super) recalled: Vec<bool>,
}

impl Verdicts {
    /// Whether a signature verifies: as it did when the snapshot was made, if there is one.
    pub(super) fn ask(&mut self, verifies: impl FnOnce() -> bool) -> bool {
        let verdict = self.recalled.pop().unwrap_or_else(verifies);
        self.told.push(verdict);
        verdict
    }
}
