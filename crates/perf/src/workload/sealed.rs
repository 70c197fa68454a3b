//! Editors who race, and a root who seals what they did.

use ecac_core::VerifiedOp;

use super::Workload;
use super::race::Race;

/// The ops of a race, with a seal after each so many.
#[derive(Debug)]
pub struct Sealed {
    race: Race,
    /// Ops between two seals; 0 for none.
    every: usize,
    /// Ops since the last seal.
    since: usize,
}

impl Sealed {
    /// A race of so many writers, with a seal after each so many ops, or without any for 0; apart from the seals, and from the one
    /// parent by which the op after each names it, both write the same.
    #[must_use]
    pub fn workload(seed: u64, writers: usize, every: usize) -> Workload {
        let mut race = Race::sealing(seed, writers);
        let setup = race.project.take_ops();
        Workload {
            project: race.project.id(),
            setup,
            ops: Box::new(Self {
                race,
                every,
                since: 0,
            }),
        }
    }
}

impl Iterator for Sealed {
    type Item = VerifiedOp;

    fn next(&mut self) -> Option<VerifiedOp> {
        if self.every > 0 && self.since == self.every {
            self.since = 0;
            return Some(self.race.seal());
        }
        self.since += 1;
        self.race.next()
    }
}
