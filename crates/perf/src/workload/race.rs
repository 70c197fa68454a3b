//! Writers who race, alone, in rounds, or on branches.

use ecac_core::credential::Role;
use ecac_core::{ProjectId, VerifiedOp};

use super::cast::{Author, Mark, Project};

/// Authors whose last ops a seal names.
const SEALED_AUTHORS: usize = 15;

/// Editors who write in turn.
#[derive(Debug)]
pub struct Race {
    pub(super) project: Project,
    authors: Vec<Author>,
    /// The last op of each author when the round began: what the others can have seen.
    seen: Vec<Mark>,
    /// Ops that an author writes before it merges others; one for a race in rounds.
    alone: u64,
    /// Others that a merge names.
    merged: usize,
    at: u64,
    /// The last seal, if nobody has named it.
    seal: Option<Mark>,
    /// The author with whose last op the next seal begins.
    to_seal: usize,
}

impl Race {
    /// So many writers. Without `alone` each op names three others, where there are; with it each author merges four others
    /// after so many ops.
    #[must_use]
    pub fn new(seed: u64, writers: usize, alone: Option<u64>) -> Self {
        Self::with(seed, writers, alone, &[])
    }

    /// The same in a project whose root seals.
    #[must_use]
    pub fn sealing(seed: u64, writers: usize) -> Self {
        Self::with(seed, writers, None, &["seal"])
    }

    /// The same where seals bind what a carried snapshot tells.
    #[must_use]
    pub fn carrying(seed: u64, writers: usize) -> Self {
        Self::with(seed, writers, None, &["carry", "seal"])
    }

    fn with(seed: u64, writers: usize, alone: Option<u64>, features: &[&str]) -> Self {
        let kind = if alone.is_some() { "branches" } else { "race" };
        let mut project = Project::with_features(&format!("{kind}-{writers}"), seed, features);
        let authors: Vec<Author> = (0..writers)
            .map(|_| project.enlist(&[Role::Editor], None))
            .collect();
        let merged = if alone.is_some() { 4 } else { 3 };
        Self {
            seen: authors.iter().map(|author| author.last).collect(),
            project,
            merged: merged.min(authors.len() - 1),
            authors,
            alone: alone.unwrap_or(1),
            at: 0,
            seal: None,
            to_seal: 0,
        }
    }

    /// Who writes.
    #[must_use]
    pub fn authors(&self) -> &[Author] {
        &self.authors
    }

    /// The id of the project.
    #[must_use]
    pub const fn project_id(&self) -> ProjectId {
        self.project.id()
    }

    /// The project, and who wrote in it.
    pub(super) fn into_parts(self) -> (Project, Vec<Author>) {
        (self.project, self.authors)
    }

    /// The project, for what others write in it.
    pub const fn project(&mut self) -> &mut Project {
        &mut self.project
    }

    /// The root seals what the next fifteen authors' last ops end, and what it has sealed before; whoever writes next has seen it.
    pub fn seal(&mut self) -> VerifiedOp {
        let count = self.authors.len();
        let sealed = (0..count.min(SEALED_AUTHORS)).map(|it| (self.to_seal + it) % count);
        let ends: Vec<Mark> = sealed.map(|it| self.authors[it].last).collect();
        self.to_seal = (self.to_seal + ends.len()) % count;
        let seal = self.project.seal(&ends);
        self.seal = Some(Mark(seal.id()));
        seal
    }

    /// Seals that it takes to seal everything.
    #[must_use]
    pub const fn seals_of_all(&self) -> usize {
        self.authors.len().div_ceil(SEALED_AUTHORS)
    }

    fn turn(&mut self) -> usize {
        let writers = self.authors.len() as u64;
        let turn = usize::try_from(self.at % writers).unwrap_or_default();
        self.at += 1;
        if turn == 0 {
            self.seen = self.authors.iter().map(|author| author.last).collect();
        }
        turn
    }

    /// The next op, with this payload or one of data.
    fn write(&mut self, hot: bool) -> VerifiedOp {
        let turn = self.turn();
        let round = self.authors[turn].next_seq();
        let merges = self.alone == 1 || (round > 0 && round.is_multiple_of(self.alone));
        let mut others = Vec::new();
        if merges {
            others.extend((0..self.merged).map(|_| {
                let other = self.project.index(self.seen.len() - 1);
                self.seen[if other >= turn { other + 1 } else { other }]
            }));
        }
        others.extend(self.seal.take());
        let payload = if hot {
            self.project.edit_hot()
        } else {
            self.project.edit()
        };
        self.project
            .write(&mut self.authors[turn], &others, payload)
    }

    /// The next op, which writes to the one field in which everybody writes.
    pub fn next_hot(&mut self) -> VerifiedOp {
        self.write(true)
    }
}

impl Iterator for Race {
    type Item = VerifiedOp;

    fn next(&mut self) -> Option<VerifiedOp> {
        Some(self.write(false))
    }
}
