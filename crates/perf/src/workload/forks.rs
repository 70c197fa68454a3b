//! An author who signs one number many times.

use ecac_core::credential::Role;

use super::Workload;
use super::cast::{Mark, Project};

/// So many forks of one author, each a chain of `length` ops: with length 1 all of them have one number and one parent.
///
/// The chains grow in turn, each by one op.
///
/// # Panics
/// If there are no forks.
#[must_use]
pub fn forks(seed: u64, forks: usize, length: u64) -> Workload {
    assert!(forks > 0, "an author has at least one branch");
    let mut project = Project::found(&format!("forks-{length}"), seed);
    let editor = project.enlist(&[Role::Editor], None);
    let mut tips = vec![editor.last; forks];
    let turns = (0..length).flat_map(move |seq| (0..forks).map(move |fork| (seq, fork)));
    Workload {
        project: project.id(),
        setup: project.take_ops(),
        ops: Box::new(turns.map(move |(seq, fork)| {
            let edit = project.edit();
            let op = project.write_fork(&editor, seq, &[tips[fork]], edit);
            tips[fork] = Mark(op.id());
            op
        })),
    }
}
