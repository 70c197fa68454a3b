//! The workspace that the command works on.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::host::error::Failure;

/// Where the artifacts of `repro` go, relative to the workspace.
pub const OUT_DIR: &str = "docs/eval/out";

/// Where a signed release goes, relative to the workspace.
pub const SIGNED_DIR: &str = "docs/eval/signed";

/// Where the golden set is kept, relative to the workspace.
pub const GOLDEN_DIR: &str = "docs/eval/golden";

/// Finds the workspace: from the manifest that the running cargo names, else upwards from the working directory.
///
/// The path comes from the environment of this run, never from compile time, where it would end up in the binary.
pub fn root() -> Result<PathBuf> {
    let manifest_dir = env::var_os("CARGO_MANIFEST_DIR");
    let start = match manifest_dir {
        Some(dir) => PathBuf::from(dir),
        None => env::current_dir().context("find the working directory")?,
    };
    root_above(&start)
}

/// The nearest directory at or above `start` whose `Cargo.toml` has a `[workspace]` table.
fn root_above(start: &Path) -> Result<PathBuf> {
    for dir in start.ancestors() {
        let manifest = dir.join("Cargo.toml");
        let Ok(text) = fs::read_to_string(&manifest) else {
            continue;
        };
        let table: toml::Table =
            toml::from_str(&text).with_context(|| format!("read {}", manifest.display()))?;
        if table.contains_key("workspace") {
            return Ok(dir.to_owned());
        }
    }
    Err(Failure::environment(format!(
        "no cargo workspace at or above {}",
        start.display()
    ))
    .hint("run inside the repository, or pass --manifest-path to cargo")
    .into())
}

#[derive(Deserialize)]
struct ToolchainFile {
    toolchain: ToolchainTable,
}

#[derive(Deserialize)]
struct ToolchainTable {
    channel: String,
}

/// The exact release that `rust-toolchain.toml` pins.
pub fn pinned_toolchain(tree: &Path) -> Result<String> {
    let path = tree.join("rust-toolchain.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let file: ToolchainFile =
        toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    let channel = file.toolchain.channel;
    let parts: Vec<_> = channel.split('.').collect();
    let exact = parts.len() == 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !exact {
        return Err(Failure::environment(format!(
            "rust-toolchain.toml names `{channel}`, which is not one exact release"
        ))
        .hint("pin a release such as 1.95.0")
        .into());
    }
    Ok(channel)
}

/// SHA-256 of bytes as lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// SHA-256 of the lockfile of a tree.
pub fn lockfile_sha256(tree: &Path) -> Result<String> {
    let path = tree.join("Cargo.lock");
    let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    Ok(sha256_hex(&bytes))
}

/// An absolute form of a path that a user gave, without touching the file system.
pub fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("resolve {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_any_depth_and_only_in_a_workspace() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(dir.path().join("a/Cargo.toml"), "[package]\nname = \"x\"\n").unwrap();
        assert!(root_above(&deep).is_err());
        fs::write(dir.path().join("Cargo.toml"), "[workspace]\n").unwrap();
        assert_eq!(root_above(&deep).unwrap(), dir.path());
    }

    #[test]
    fn only_an_exact_release_is_a_pin() {
        let dir = tempfile::tempdir().unwrap();
        let check = |channel: &str| {
            let text = format!("[toolchain]\nchannel = \"{channel}\"\n");
            fs::write(dir.path().join("rust-toolchain.toml"), text).unwrap();
            pinned_toolchain(dir.path()).ok()
        };
        assert_eq!(check("1.95.0").as_deref(), Some("1.95.0"));
        for channel in ["stable", "1.95", "nightly-2026-01-01", "1.95.", "1.9x.0"] {
            assert_eq!(check(channel), None, "{channel}");
        }
    }
}
