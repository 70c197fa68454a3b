//! Histories that end in one op of trust or policy, which turns what stands in them.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::{ProjectId, VerifiedOp};

use super::cast::{Author, Mark, Project, revoke};
use super::race::Race;

/// Parents that a revocation names beside its author's last op.
const NAMED_MAX: usize = 15;
/// Every so many-th op of those that a revocation has just seen is named.
const NAMED_EVERY: usize = 4;

/// A history, and the ops that end it.
pub trait Turn {
    /// The project.
    fn project(&self) -> ProjectId;
    /// The ops of the setup, once.
    fn take_setup(&mut self) -> Vec<VerifiedOp>;
    /// The next ops of the history, so many.
    fn next_ops(&mut self, count: usize) -> Vec<VerifiedOp>;
    /// The next of the ops that end it after so many ops.
    fn turn(&mut self, after: usize) -> VerifiedOp;
}

/// Editors who race, and a revocation by an administrator who has seen all but the last ops of them.
#[derive(Debug)]
pub struct Late {
    race: Race,
    administrator: Author,
    setup: Vec<VerifiedOp>,
    hot: bool,
    /// Ops that the administrator has not seen; `None` for one who has seen no op of the history.
    unseen: Option<usize>,
    marks: Vec<Mark>,
    revoked: usize,
}

impl Late {
    /// So many writers, and an administrator who has not seen the last `unseen` ops.
    #[must_use]
    pub fn new(seed: u64, writers: usize, unseen: usize) -> Self {
        Self::with(seed, writers, Some(unseen), false)
    }

    /// So many writers in one field, and an administrator who has seen none of their ops.
    #[must_use]
    pub fn hot(seed: u64, writers: usize) -> Self {
        Self::with(seed, writers, None, true)
    }

    /// So many writers, an administrator who has not seen the last `unseen` ops, and a root who seals.
    #[must_use]
    pub fn sealed(seed: u64, writers: usize, unseen: usize) -> Self {
        Self::of(Race::sealing(seed, writers), Some(unseen), false)
    }

    /// The seals of everything that was written.
    pub fn seal_all(&mut self) -> Vec<VerifiedOp> {
        let seals = self.race.seals_of_all();
        (0..seals).map(|_| self.race.seal()).collect()
    }

    fn with(seed: u64, writers: usize, unseen: Option<usize>, hot: bool) -> Self {
        Self::of(Race::new(seed, writers, None), unseen, hot)
    }

    fn of(mut race: Race, unseen: Option<usize>, hot: bool) -> Self {
        let administrator = race.project().enlist(&[Role::PolicyAdmin], None);
        Self {
            setup: race.project().take_ops(),
            race,
            administrator,
            hot,
            unseen,
            marks: Vec::new(),
            revoked: 0,
        }
    }

    /// What the revocation names: recent ops of many authors, which together have seen nearly all before them.
    fn seen(&self, after: usize) -> Vec<Mark> {
        let Some(unseen) = self.unseen else {
            return Vec::new();
        };
        let seen = &self.marks[..after.saturating_sub(unseen)];
        let last = seen.iter().rev();
        last.step_by(NAMED_EVERY).take(NAMED_MAX).copied().collect()
    }
}

impl Turn for Late {
    fn project(&self) -> ProjectId {
        self.race.project_id()
    }

    fn take_setup(&mut self) -> Vec<VerifiedOp> {
        core::mem::take(&mut self.setup)
    }

    fn next_ops(&mut self, count: usize) -> Vec<VerifiedOp> {
        let ops: Vec<VerifiedOp> = if self.hot {
            (0..count).map(|_| self.race.next_hot()).collect()
        } else {
            self.race.by_ref().take(count).collect()
        };
        self.marks.extend(ops.iter().map(|op| Mark(op.id())));
        ops
    }

    fn turn(&mut self, after: usize) -> VerifiedOp {
        let seen = self.seen(after);
        let revocation = revoke(&self.race.authors()[self.revoked]);
        self.revoked = (self.revoked + 1) % self.race.authors().len();
        self.race
            .project()
            .write(&mut self.administrator, &seen, revocation)
    }
}

/// Editors whose grants all name one status list, an op by each, and versions of the list with one more bit each.
#[derive(Debug)]
pub struct StatusGrants {
    project: Project,
    setup: Vec<VerifiedOp>,
    editors: Vec<Author>,
    administrator: Author,
    turn: usize,
    set: BTreeSet<u64>,
}

impl StatusGrants {
    /// So many editors.
    #[must_use]
    pub fn new(seed: u64, editors: usize) -> Self {
        let mut project = Project::found("status-grants", seed);
        let editors = (0..editors as u64)
            .map(|bit| project.enlist(&[Role::Editor], Some(bit)))
            .collect();
        let administrator = project.enlist(&[Role::IssuerAdmin], None);
        Self {
            setup: project.take_ops(),
            project,
            editors,
            administrator,
            turn: 0,
            set: BTreeSet::new(),
        }
    }
}

impl Turn for StatusGrants {
    fn project(&self) -> ProjectId {
        self.project.id()
    }

    fn take_setup(&mut self) -> Vec<VerifiedOp> {
        core::mem::take(&mut self.setup)
    }

    fn next_ops(&mut self, count: usize) -> Vec<VerifiedOp> {
        let ops = (0..count).map(|_| {
            let editor = self.turn % self.editors.len();
            self.turn += 1;
            let edit = self.project.edit();
            self.project.write(&mut self.editors[editor], &[], edit)
        });
        ops.collect()
    }

    fn turn(&mut self, _after: usize) -> VerifiedOp {
        let bits = self.editors.len() as u64;
        let bit = self.project.below(bits);
        self.set.insert(bit);
        let list = self.project.status_list(&self.set);
        self.project.write(&mut self.administrator, &[], list)
    }
}
