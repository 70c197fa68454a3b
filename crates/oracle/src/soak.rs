//! The histories of a seed, by number.
//!
//! Each is a function of the seed and its number alone, whatever was made before it: naming both repeats it.

use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::export::{self, Export};
use crate::laws::{self, Trial};

/// Tries at most to make a failing history smaller.
const SHRINK_ITERATIONS_MAX: u32 = 20_000;

/// A law that does not hold of a history, made small.
#[derive(Debug)]
pub struct Failure {
    /// The smallest history found of which a law does not hold.
    pub trial: Trial,
    /// What does not hold of it.
    pub breach: String,
}

/// The trials of a seed.
#[derive(Debug)]
pub struct Trials {
    seed: u64,
    strategy: BoxedStrategy<Trial>,
}

impl Trials {
    /// The trials of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            strategy: laws::trials().boxed(),
        }
    }

    /// The trial of this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Trial {
        let tree = self.strategy.new_tree(&mut runner(self.seed, number));
        tree.expect("no trial is rejected").current()
    }

    /// Checks the laws on the trial of this number once more and makes it small, whether a law is broken or the
    /// engine panics. Nothing, if all laws hold.
    #[must_use]
    pub fn shrink(&self, number: u64) -> Option<Failure> {
        let mut runner = runner(self.seed, number);
        let tree = self
            .strategy
            .new_tree(&mut runner)
            .expect("no trial is rejected");
        let check = |trial: Trial| match laws::check(&trial) {
            Ok(_) => Ok(()),
            Err(breach) => Err(TestCaseError::fail(breach.to_string())),
        };
        match runner.run_one(tree, check) {
            Ok(_) => None,
            Err(TestError::Fail(reason, trial)) => Some(Failure {
                trial,
                breach: reason.message().to_owned(),
            }),
            Err(TestError::Abort(reason)) => unreachable!("no trial is rejected: {reason}"),
        }
    }
}

/// The exports of a seed.
#[derive(Debug)]
pub struct Exports {
    seed: u64,
    strategy: BoxedStrategy<Export>,
}

impl Exports {
    /// The exports of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            strategy: export::exports().boxed(),
        }
    }

    /// The export of this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Export {
        let tree = self.strategy.new_tree(&mut runner(self.seed, number));
        tree.expect("no history is rejected").current()
    }
}

fn runner(seed: u64, number: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: SHRINK_ITERATIONS_MAX,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}
