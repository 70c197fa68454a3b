//! The checksums of `Cargo.lock`.

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

#[derive(Deserialize)]
struct Lockfile {
    #[serde(default)]
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

impl Checksums {
    /// Those of the lockfile of a tree.
    pub fn of_tree(tree: &Path) -> Result<Self> {
        let path = tree.join("Cargo.lock");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Self::parse(&text)
    }

    /// Reads a lockfile.
    pub fn parse(text: &str) -> Result<Self> {
        let lockfile: Lockfile = toml::from_str(text).context("read Cargo.lock")?;
        let entries = lockfile.package.into_iter().filter_map(|package| {
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
