//! Workloads: seeded histories of honest people, signed outside of what is measured.
//!
//! Each is a project whose setup (genesis, issuer key, credentials, grants) is apart, and a stream of ops on it that is
//! as long as one likes. Its first ops do not depend on how many follow. Same seed, same bytes.

mod cast;
mod delegation;
mod forks;
mod history;
mod office;
mod policy;
mod race;
mod sealed;
mod twins;

pub use cast::{Author, Mark, Project};
pub use delegation::delegation;
pub use forks::forks;
pub use history::{Late, StatusGrants, Turn};
pub use office::{Office, sealed};
pub use policy::Policy;
pub use race::Race;
pub use sealed::Sealed;
pub use twins::Twins;

use ecac_core::{ProjectId, VerifiedOp};
use xtask::host::interrupt;

pub use cast::tags;

/// Objects that data ops write to.
pub const OBJECTS: u64 = 10_000;

/// How the authors of a workload work together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// One author.
    Chain,
    /// So many writers, in rounds; each op names its author's last and three recent ops of others.
    Race(usize),
    /// 64 authors, each of whom works alone for 100 ops and then merges four others.
    Branches,
    /// 64 authors as they race, and three administrators; one op of ten is policy.
    Policy,
}

impl Shape {
    /// The five whose cost per op has a bar.
    pub const ALL: [Self; 5] = [
        Self::Chain,
        Self::Race(64),
        Self::Race(1_000),
        Self::Branches,
        Self::Policy,
    ];

    /// As the names of cases end.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Race(64) => "race64",
            Self::Race(_) => "race1000",
            Self::Branches => "branches",
            Self::Policy => "policy",
        }
    }
}

/// A project, and the ops that people write in it one after the other, without an end.
pub struct Workload {
    /// The project.
    pub project: ProjectId,
    /// Genesis, and whom it takes to begin.
    pub setup: Vec<VerifiedOp>,
    /// The ops of the people.
    pub ops: Box<dyn Iterator<Item = VerifiedOp>>,
}

impl Workload {
    /// The workload of this shape and seed.
    #[must_use]
    pub fn new(shape: Shape, seed: u64) -> Self {
        match shape {
            Shape::Chain => Self::of(Race::new(seed, 1, None)),
            Shape::Race(writers) => Self::of(Race::new(seed, writers, None)),
            Shape::Branches => Self::of(Race::new(seed, 64, Some(100))),
            Shape::Policy => {
                let mut policy = Policy::new(seed);
                let setup = policy.take_setup();
                Self {
                    project: policy.project(),
                    setup,
                    ops: Box::new(policy),
                }
            }
        }
    }

    fn of(mut race: Race) -> Self {
        let setup = race.project.take_ops();
        Self {
            project: race.project.id(),
            setup,
            ops: Box::new(race),
        }
    }

    /// The next ops, so many; fewer, if the program is interrupted while they are signed.
    pub fn next_ops(&mut self, count: usize) -> Vec<VerifiedOp> {
        let ops = self.ops.by_ref().take(count);
        ops.take_while(|_| !interrupt::requested()).collect()
    }
}
