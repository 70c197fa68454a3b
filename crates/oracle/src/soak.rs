//! The histories of a seed, by number.
//!
//! Each is a function of the seed and its number alone, whatever was made before it: naming both repeats it.

use core::fmt;

use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::export::{self, Export};
use crate::history::{History, secret_histories};
use crate::laws::{self, Trial};

/// Tries at most to make a failing history smaller.
const SHRINK_ITERATIONS_MAX: u32 = 20_000;

/// A history with which something is wrong, made small.
#[derive(Debug)]
pub struct Failure {
    /// The smallest that was found.
    pub trial: Trial,
    /// What is wrong with it.
    pub fault: String,
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

    /// Makes the trial of this number small, as long as `check` finds fault with it or panics. Nothing, if `check`
    /// finds no fault.
    #[must_use]
    pub fn shrink<E: fmt::Display>(
        &self,
        number: u64,
        check: impl Fn(&Trial) -> Result<(), E>,
    ) -> Option<Failure> {
        let mut runner = runner(self.seed, number);
        let tree = self
            .strategy
            .new_tree(&mut runner)
            .expect("no trial is rejected");
        let check =
            |trial: Trial| check(&trial).map_err(|fault| TestCaseError::fail(fault.to_string()));
        match runner.run_one(tree, check) {
            Ok(_) => None,
            Err(TestError::Fail(reason, trial)) => Some(Failure {
                trial,
                fault: reason.message().to_owned(),
            }),
            Err(TestError::Abort(reason)) => unreachable!("no trial is rejected: {reason}"),
        }
    }
}

/// The histories of a seed in which much is secret.
#[derive(Debug)]
pub struct Secrets {
    seed: u64,
    strategy: BoxedStrategy<History>,
}

impl Secrets {
    /// The histories of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            strategy: secret_histories().boxed(),
        }
    }

    /// The history of this number.
    #[must_use]
    pub fn get(&self, number: u64) -> History {
        let tree = self.strategy.new_tree(&mut runner(self.seed, number));
        tree.expect("no history is rejected").current()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(trial: &Trial) -> Vec<ecac_core::OpId> {
        trial
            .history
            .ops
            .iter()
            .map(ecac_core::VerifiedOp::id)
            .collect()
    }

    #[test]
    fn a_trial_is_a_function_of_its_seed_and_number() {
        let (one, other) = (Trials::new(5), Trials::new(5));
        let forwards: Vec<_> = (0..4).map(|number| ids(&one.get(number))).collect();
        let backwards: Vec<_> = (0..4).rev().map(|number| ids(&other.get(number))).collect();
        assert!(forwards.iter().eq(backwards.iter().rev()));
        assert_ne!(forwards[0], forwards[1]);
        assert_ne!(forwards[0], ids(&Trials::new(6).get(0)));
    }

    #[test]
    fn what_fails_is_made_small_and_still_fails() {
        let no_revocation = |trial: &Trial| {
            let is_revocation = |op: &ecac_core::VerifiedOp| {
                matches!(op.body().payload, ecac_core::Payload::Revoke(_))
            };
            match trial
                .history
                .ops
                .iter()
                .filter(|op| is_revocation(op))
                .count()
            {
                0 => Ok(()),
                count => Err(format!("{count} revocations")),
            }
        };
        let trials = Trials::new(0);
        let number = (0..).find(|number| no_revocation(&trials.get(*number)).is_err());
        let number = number.expect("some history revokes");
        let small = trials
            .shrink(number, no_revocation)
            .expect("it fails again");
        assert_eq!(small.fault, "1 revocations");
        assert!(small.trial.history.ops.len() <= trials.get(number).history.ops.len() / 2);
        assert!(no_revocation(&small.trial).is_err());
        let fine = (0..).find(|number| no_revocation(&trials.get(*number)).is_ok());
        assert!(
            trials
                .shrink(fine.expect("some history does not"), no_revocation)
                .is_none()
        );
    }

    #[test]
    fn a_panic_is_a_fault() {
        let check = |trial: &Trial| -> Result<(), String> {
            assert!(trial.history.ops.len() < 3, "three ops");
            Ok(())
        };
        let small = Trials::new(0).shrink(0, check).expect("it has three ops");
        assert!(small.fault.contains("three ops"));
    }
}
