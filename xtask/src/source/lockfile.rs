//! `Cargo.lock`: which crates there are, where each comes from, and the checksums of their archives.
//!
//! Four members of each package are all that is read, and nowhere else. The crate `cargo-lock` would bring `url` and the
//! tables of Unicode behind it into what everybody compiles who makes the artifacts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// The source of crates.io, as `Cargo.lock` names it.
pub const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// SHA-256 of each crate's archive: by name, version and source.
#[derive(Debug)]
pub struct Checksums(BTreeMap<(String, String, String), String>);

/// A lockfile.
#[derive(Debug, Deserialize)]
pub struct Lockfile {
    /// Every crate, those of the workspace too.
    #[serde(default, rename = "package")]
    pub packages: Vec<Package>,
}

/// One crate in one version.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from; nothing for a crate of the workspace.
    pub source: Option<String>,
    /// What cargo expects its archive to hash to.
    pub checksum: Option<String>,
}

impl Lockfile {
    /// Reads a lockfile.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

impl Checksums {
    /// Those of the lockfile of a tree.
    pub fn of_tree(tree: &Path) -> Result<Self> {
        let path = tree.join("Cargo.lock");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Self::parse(&text)
    }

    /// Those of a lockfile.
    pub fn parse(text: &str) -> Result<Self> {
        let lockfile = Lockfile::parse(text).context("read Cargo.lock")?;
        let entries = lockfile.packages.into_iter().filter_map(|package| {
            let key = (package.name, package.version, package.source?);
            Some((key, package.checksum?))
        });
        Ok(Self(entries.collect()))
    }

    /// The checksum of one crate, in lower-case hexadecimal digits.
    pub fn get(&self, name: &str, version: &str, source: &str) -> Option<&str> {
        let key = (name.to_owned(), version.to_owned(), source.to_owned());
        let checksum = self.0.get(&key)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (checksum.len() == 64 && checksum.bytes().all(is_hex)).then_some(checksum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_belongs_to_a_name_a_version_and_a_source() {
        let sum = "0f".repeat(32);
        let text = format!(
            "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n\
             [[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"{sum}\"\n\n\
             [[package]]\nname = \"short\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\nchecksum = \"0f\"\n"
        );
        let sums = Checksums::parse(&text).unwrap();
        assert_eq!(sums.get("a", "1.0.0", "registry+x"), Some(sum.as_str()));
        assert_eq!(sums.get("a", "1.0.0", "registry+y"), None);
        assert_eq!(sums.get("a", "1.0.1", "registry+x"), None);
        assert_eq!(sums.get("short", "1.0.0", "registry+x"), None);
        assert!(Checksums::parse("package = 1").is_err());
    }
}
