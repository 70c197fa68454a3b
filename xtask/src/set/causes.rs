//! What might explain that regenerated artifacts differ from the golden ones.

use std::collections::BTreeMap;
use std::path::Path;

use ecac_artifact::Single;

use crate::host::progress::Progress;
use crate::set::citation::Citation;
use crate::set::golden_set::GoldenSet;
use crate::source::repository::Repository;
use ecac_artifact::Manifest;

/// The circumstances that differ between the cited source and the one that was built, and the commits since.
///
/// Where nothing was built, the circumstances are those that the compared manifest states.
pub fn likely(
    root: &Path,
    golden: &GoldenSet,
    regenerated: &BTreeMap<String, Vec<u8>>,
    built: Option<&Citation>,
    progress: &Progress,
) -> Vec<String> {
    let mut causes = Vec::new();
    let manifest = regenerated.get(Single::Manifest.name());
    if let Some(Ok(now)) = manifest.map(|bytes| Manifest::parse(bytes)) {
        let stated = Citation::of_manifest(&now).ok();
        if let (Ok(cited), Some(built)) = (
            Citation::of_manifest(&golden.manifest),
            built.or(stated.as_ref()),
        ) {
            causes = differing(&cited, built);
        }
        if golden.manifest.schema_sha256 != now.schema_sha256 {
            causes.push("schema: docs/protocol.cddl is not that of the golden set".to_owned());
        }
    }
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

fn differing(cited: &Citation, built: &Citation) -> Vec<String> {
    let facts = [
        ("toolchain", &cited.toolchain, &built.toolchain),
        (
            "Cargo.lock",
            &cited.cargo_lock_sha256,
            &built.cargo_lock_sha256,
        ),
        ("version", &cited.source_version, &built.source_version),
    ];
    facts
        .iter()
        .filter(|(_, cited, built)| cited != built)
        .map(|(fact, cited, built)| format!("{fact}: cited {cited}, here {built}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::example::example;

    #[test]
    fn each_circumstance_is_named_when_it_differs() {
        let cited = Citation::of_manifest(&example(&"a".repeat(40))).unwrap();
        assert!(differing(&cited, &cited).is_empty());
        let mut built = cited.clone();
        built.toolchain = "1.96.0".to_owned();
        built.cargo_lock_sha256 = "44".repeat(32);
        let causes = differing(&cited, &built);
        assert_eq!(causes.len(), 2);
        assert_eq!(causes[0], "toolchain: cited 1.95.0, here 1.96.0");
    }
}
