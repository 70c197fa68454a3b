//! An editor whose authority hangs on a long chain of grants and issuer keys.

use ecac_core::credential::Role;

use super::Workload;
use super::cast::Project;

/// An editor whose grant lies `depth` links from the root, at least one.
///
/// Only the root grants administrator roles, so a chain grows through issuer keys: each issuer administrator is granted by a
/// credential that verifies with a key which the one before listed.
#[must_use]
pub fn delegation(seed: u64, depth: usize) -> Workload {
    let mut project = Project::found(&format!("delegation-{depth}"), seed);
    for link in 1..depth {
        let mut administrator = project.enlist(&[Role::IssuerAdmin], None);
        let (kid, key) = (format!("link-{link}"), project.new_key());
        let listed = project.issuer_key(&kid, ecac_core::public_key(&key));
        project.by(&mut administrator, listed);
        project.sign_with(&kid, key);
    }
    let mut editor = project.enlist(&[Role::Editor], None);
    Workload {
        project: project.id(),
        setup: project.take_ops(),
        ops: Box::new(core::iter::repeat_with(move || {
            let edit = project.edit();
            project.write(&mut editor, &[], edit)
        })),
    }
}
