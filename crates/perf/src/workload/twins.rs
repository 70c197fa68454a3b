//! Authors who go on at two places that do not meet, each author at both.

use ecac_core::{ProjectId, VerifiedOp};

use super::cast::{Author, Mark, Project};
use super::race::Race;

/// What editors write together, and then twice: every one of them has forked.
#[derive(Debug)]
pub struct Twins {
    project: Project,
    authors: Vec<Author>,
    /// The last op of each author, at each place.
    last: [Vec<Mark>; 2],
    /// How many each author has written at each place.
    rounds: u64,
    turn: usize,
}

impl Twins {
    /// Goes on where the race is.
    #[must_use]
    pub fn after(race: Race) -> Self {
        let (project, authors) = race.into_parts();
        let last: Vec<Mark> = authors.iter().map(|it| it.last).collect();
        Self {
            project,
            authors,
            last: [last.clone(), last],
            rounds: 0,
            turn: 0,
        }
    }

    /// The id of the project.
    #[must_use]
    pub const fn project_id(&self) -> ProjectId {
        self.project.id()
    }

    /// So many ops at each place; their stamps alternate.
    pub fn next_ops(&mut self, count: usize) -> [Vec<VerifiedOp>; 2] {
        let mut ops = [Vec::new(), Vec::new()];
        for _ in 0..count {
            let author = &self.authors[self.turn];
            let seq = author.next_seq() + self.rounds;
            for (place, ops) in ops.iter_mut().enumerate() {
                let last = &mut self.last[place][self.turn];
                let edit = self.project.edit();
                let op = self.project.write_fork(author, seq, &[*last], edit);
                *last = Mark(op.id());
                ops.push(op);
            }
            self.turn += 1;
            if self.turn == self.authors.len() {
                (self.turn, self.rounds) = (0, self.rounds + 1);
            }
        }
        ops
    }
}
