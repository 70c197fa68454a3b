//! A crate that a build takes in, held to the tree, to the lock file and to the index.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::host::error::Failure;
use crate::host::workspace;
use crate::reproduce::cargo_home::CargoHome;
use crate::reproduce::index;
use crate::source::lockfile::{self, Checksums};

/// A crate, as `cargo metadata` tells of it.
#[derive(Deserialize)]
pub struct Package {
    name: String,
    version: String,
    source: Option<String>,
    manifest_path: PathBuf,
    #[serde(flatten)]
    manifest: index::Manifest,
}

impl Package {
    /// Requires that the crate is of the tree, or was unpacked from an archive with the checksum that the lock file has
    /// of it, and that the index says of it what it says itself. Returns the folder of its registry where that is
    /// crates.io.
    pub fn check(
        &self,
        tree: &Path,
        home: &CargoHome,
        checksums: &Checksums,
    ) -> Result<Option<OsString>> {
        let Self { name, version, .. } = self;
        let Some(source) = &self.source else {
            return match self.manifest_path.starts_with(tree) {
                true => Ok(None),
                false => Err(self.stranger().into()),
            };
        };
        let unpacked = self.manifest_path.strip_prefix(home.sources());
        let mut parts = unpacked.map_err(|_| self.stranger())?.components();
        let registry = parts.next().map(|part| part.as_os_str().to_owned());
        let registry = registry.ok_or_else(|| self.stranger())?;
        let archive = format!("{name}-{version}.crate");
        let found = home.archives(&registry, &archive);
        let Some(path) = found.iter().find(|path| path.is_file()) else {
            return Err(self.stranger().into());
        };
        let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
        let (actual, expected) = (
            workspace::sha256_hex(&bytes),
            checksums.get(name, version, source),
        );
        if expected != Some(&actual) {
            let expected = expected.unwrap_or("none");
            let message = format!(
                "{} is not the crate of Cargo.lock: its sha256 is {actual}, expected {expected}",
                path.display()
            );
            return Err(Failure::environment(message)
                .hint("remove it; cargo then fetches it again")
                .into());
        }
        let files = home.index_files(&registry, name);
        self.manifest.check(name, version, &files)?;
        Ok((source == lockfile::CRATES_IO).then_some(registry))
    }

    fn stranger(&self) -> Failure {
        let message = format!(
            "the crate {} {} would be built from {}, which is neither in the tree nor held to Cargo.lock",
            self.name.escape_debug(),
            self.version.escape_debug(),
            self.manifest_path.display()
        );
        Failure::environment(message)
            .hint("crates come from the tree itself, or as archives from a registry")
    }
}

#[cfg(test)]
mod tests {
    use ecac_artifact::exit;

    use super::*;

    /// A home with one crate: its archive, and where it was unpacked.
    struct Fixture {
        dir: tempfile::TempDir,
        home: CargoHome,
        package: Package,
    }

    const REGISTRY: &str = "mirror-0123456789abcdef";

    fn fixture() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let (outer, own) = (dir.path().join("outer"), dir.path().join("own"));
        let cache = outer.join("registry/cache").join(REGISTRY);
        fs::create_dir_all(&cache).unwrap();
        fs::create_dir(&own).unwrap();
        fs::write(cache.join("a-1.0.0.crate"), "archive").unwrap();
        let index = outer.join("registry/index").join(REGISTRY).join(".cache/1");
        fs::create_dir_all(&index).unwrap();
        fs::write(index.join("a"), index::tests::bare("1.0.0")).unwrap();
        let home = CargoHome::create(own, Some(&outer)).unwrap();
        let manifest_path = home.sources().join(REGISTRY).join("a-1.0.0/Cargo.toml");
        Fixture {
            dir,
            home,
            package: Package {
                name: "a".to_owned(),
                version: "1.0.0".to_owned(),
                source: Some(lockfile::CRATES_IO.to_owned()),
                manifest_path,
                manifest: index::Manifest::default(),
            },
        }
    }

    fn checksums(of: &str) -> Checksums {
        let sum = workspace::sha256_hex(of.as_bytes());
        Checksums::parse(&format!(
            "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{}\"\nchecksum = \"{sum}\"\n",
            lockfile::CRATES_IO
        ))
        .unwrap()
    }

    impl Fixture {
        fn check(&self, checksums: &Checksums) -> Result<Option<OsString>> {
            let tree = self.dir.path().join("tree");
            self.package.check(&tree, &self.home, checksums)
        }

        fn refused(&self, checksums: &Checksums, says: &str) {
            let error = self.check(checksums).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{error:#}");
            assert_eq!(crate::host::error::exit_code(&error), exit::ENVIRONMENT);
        }
    }

    #[test]
    fn a_crate_is_held_to_the_lock_file() {
        let mut fixture = fixture();
        let good = checksums("archive");
        let registry = fixture.check(&good).unwrap().unwrap();
        assert_eq!(registry, REGISTRY);
        fixture.refused(&checksums("another"), "is not the crate of Cargo.lock");
        fixture.refused(&Checksums::parse("").unwrap(), "expected none");

        // What the index says of features is held to the crate.
        let index = fixture.dir.path().join("outer/registry/index");
        let index = index.join(REGISTRY).join(".cache/1/a");
        let entry = br#"{"vers":"1.0.0","deps":[],"features":{"default":[]}}"#;
        fs::write(
            &index,
            [b"\x03\x02\0\0\0\x001.0.0\0", &entry[..], b"\0"].concat(),
        )
        .unwrap();
        fixture.refused(&good, "is not what its manifest says (the feature default)");
        fs::remove_file(index).unwrap();
        fixture.refused(&good, "no index says anything of the crate a 1.0.0");

        // Another registry is held to it too.
        fixture.package.source = Some("registry+https://elsewhere".to_owned());
        fixture.refused(&good, "expected none");
    }

    #[test]
    fn a_crate_from_anywhere_else_is_refused() {
        let mut fixture = fixture();
        let good = checksums("archive");
        let says = "neither in the tree nor held to Cargo.lock";
        let inside = fixture.package.manifest_path.clone();
        fixture.package.manifest_path = fixture.dir.path().join("vendor/a/Cargo.toml");
        fixture.refused(&good, says);
        fixture.package.source = None;
        fixture.refused(&good, says);
        fixture.package.manifest_path = fixture.dir.path().join("tree/crates/a/Cargo.toml");
        assert_eq!(fixture.check(&good).unwrap(), None);
        fixture.package.source = Some("git+https://elsewhere#0".to_owned());
        fixture.refused(&good, says);
        fixture.package.manifest_path = inside;
        fixture.package.name = "b".to_owned();
        fixture.refused(&good, says);
    }
}
