//! What might explain that regenerated artifacts differ from the golden ones.

use std::collections::BTreeMap;
use std::path::Path;

use ecac_artifact::Summary;

use crate::golden_set::GoldenSet;
use crate::manifest::Manifest;
use crate::progress::Progress;
use crate::repository::Repository;

/// The recorded circumstances that differ, and the commits since the cited one.
pub(crate) fn likely(
    root: &Path,
    golden: &GoldenSet,
    regenerated: &BTreeMap<String, Vec<u8>>,
    progress: &Progress,
) -> Vec<String> {
    let mut causes = match regenerated
        .get(Summary::Manifest.name())
        .map(|bytes| Manifest::parse(bytes))
    {
        Some(Ok(manifest)) => recorded(&golden.manifest, &manifest),
        _ => Vec::new(),
    };
    let cited = golden.commit.hash();
    let commits = Repository::at(root, progress)
        .ok()
        .flatten()
        .and_then(|repository| repository.commits_between(cited, "HEAD"));
    match commits {
        Some(0) => {}
        Some(count) => causes.push(format!(
            "code: {count} commit(s) since the cited one; see git log --oneline {cited}..HEAD"
        )),
        None => causes.push(format!(
            "code: this copy does not have the cited commit {cited} to compare with"
        )),
    }
    if causes.is_empty() {
        causes.push(
            "nothing that is recorded differs: uncommitted changes, or a result that is \
             not deterministic"
                .to_owned(),
        );
    }
    causes
}

fn recorded(golden: &Manifest, now: &Manifest) -> Vec<String> {
    let facts = [
        ("toolchain", &golden.toolchain, &now.toolchain),
        (
            "Cargo.lock",
            &golden.cargo_lock_sha256,
            &now.cargo_lock_sha256,
        ),
        (
            "schema (docs/protocol.cddl)",
            &golden.schema_sha256,
            &now.schema_sha256,
        ),
        ("version", &golden.version, &now.version),
        ("stamped commit", &golden.commit, &now.commit),
    ];
    facts
        .iter()
        .filter(|(_, golden, now)| golden != now)
        .map(|(fact, golden, now)| format!("{fact}: golden {golden}, here {now}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::example;

    #[test]
    fn each_recorded_circumstance_is_named_when_it_differs() {
        let golden = example(&"a".repeat(40));
        assert!(recorded(&golden, &golden).is_empty());
        let mut now = golden.clone();
        now.toolchain = "1.96.0".to_owned();
        now.cargo_lock_sha256 = "44".repeat(32);
        let causes = recorded(&golden, &now);
        assert_eq!(causes.len(), 2);
        assert_eq!(causes[0], "toolchain: golden 1.95.0, here 1.96.0");
    }
}
