//! What is run.

use serde::Serialize;

use crate::commit::Commit;
use crate::expected::{ExpectedSet, ScenarioError};

/// The parameters that all runs of a set share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// The scenarios, in the order in which they run.
    pub scenarios: Vec<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// How many ops each scenario makes.
    pub ops: u32,
}

impl Parameters {
    /// What was run, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self {
            scenarios,
            seed,
            ops,
        } = self;
        format!("{} with seed {seed} and {ops} ops", scenarios.join(", "))
    }

    /// The files that a run with these parameters must produce at `commit`.
    ///
    /// # Errors
    /// [`ScenarioError`] for names that cannot be parts of file names.
    pub fn expected(&self, commit: &Commit) -> Result<ExpectedSet, ScenarioError> {
        let scenarios: Vec<_> = self.scenarios.iter().map(String::as_str).collect();
        ExpectedSet::new(&scenarios, self.seed, commit)
    }
}
