//! The flags of the compiler: those of the tree, and names in the place of paths of this machine.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::host::toolchain::{Compiler, Toolchain};

/// The configuration of cargo that a tree brings.
pub const CONFIGURATION: &str = ".cargo/config.toml";

/// What the CARGO_HOME of a build is called in its binaries.
pub const CARGO: &str = "/cargo";

/// The flags of the tree's own configuration plus path remapping, separated as cargo wants it. `others` are folders
/// below `cargo_home` that have another name on every machine, and the one that they get.
///
/// `CARGO_ENCODED_RUSTFLAGS` replaces `build.rustflags`, so those are repeated here. Of several remaps that match a
/// path the last one wins. Where the `rust-src` component is installed, rustc names the standard library's
/// sources by their local paths unless they are remapped to what a toolchain without that component says.
pub fn encoded_rustflags(
    tree: &Path,
    cargo_home: &Path,
    others: &[(PathBuf, String)],
    toolchain: &Toolchain,
) -> Result<OsString> {
    let configured = configured_rustflags(tree)?;
    let Toolchain {
        sysroot, compiler, ..
    } = toolchain;
    let flags = rustflags(configured, tree, cargo_home, others, sysroot, compiler);
    Ok(flags.join(OsStr::new("\u{1f}")))
}

/// The same flags as a list with names in the place of this machine's paths.
pub fn stated_rustflags(tree: &Path, compiler: &Compiler) -> Result<Vec<String>> {
    let [stated, cargo_home, sysroot] = ["$TREE", "$CARGO_HOME", "$SYSROOT"].map(Path::new);
    let configured = configured_rustflags(tree)?;
    let flags = rustflags(configured, stated, cargo_home, &[], sysroot, compiler);
    let flags = flags.iter().map(|flag| flag.to_string_lossy().into_owned());
    Ok(flags.collect())
}

fn rustflags(
    configured: Vec<String>,
    tree: &Path,
    cargo_home: &Path,
    others: &[(PathBuf, String)],
    sysroot: &Path,
    compiler: &Compiler,
) -> Vec<OsString> {
    let mut flags: Vec<_> = configured.into_iter().map(OsString::from).collect();
    let mut remap = |from: &Path, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    };
    remap(cargo_home, CARGO);
    for (from, to) in others {
        remap(from, to);
    }
    remap(
        &sysroot.join("lib/rustlib/src/rust"),
        &format!("/rustc/{}", compiler.commit),
    );
    remap(tree, "/src");
    flags
}

/// What the tree's own configuration of cargo says.
pub fn configuration(tree: &Path) -> Result<toml::Table> {
    let path = tree.join(CONFIGURATION);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(toml::Table::new());
        }
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    toml::from_str(&text).with_context(|| format!("read {}", path.display()))
}

/// `build.rustflags` of the tree's configuration, as a list or as one string.
fn configured_rustflags(tree: &Path) -> Result<Vec<String>> {
    let table = configuration(tree)?;
    Ok(
        match table.get("build").and_then(|build| build.get("rustflags")) {
            Some(toml::Value::String(flags)) => {
                flags.split_whitespace().map(str::to_owned).collect()
            }
            Some(toml::Value::Array(flags)) => flags
                .iter()
                .filter_map(|flag| flag.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::toolchain::tests::toolchain;

    #[test]
    fn configured_flags_are_kept_and_the_tree_is_remapped_last() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".cargo")).unwrap();
        std::fs::write(
            dir.path().join(".cargo/config.toml"),
            "[build]\nrustflags = [\"-Cdebuginfo=0\"]\n",
        )
        .unwrap();
        let toolchain = toolchain();
        let (cargo_home, mirror) = (
            Path::new("/no where/cargo"),
            "/no where/cargo/registry/src/x",
        );
        let others = [(mirror.into(), "/cargo/registry/src/y".to_owned())];
        let flags = encoded_rustflags(dir.path(), cargo_home, &others, &toolchain).unwrap();
        let flags: Vec<_> = flags.to_str().unwrap().split('\u{1f}').collect();
        assert_eq!(
            flags,
            [
                "-Cdebuginfo=0",
                "--remap-path-prefix=/no where/cargo=/cargo",
                "--remap-path-prefix=/no where/cargo/registry/src/x=/cargo/registry/src/y",
                "--remap-path-prefix=/toolchain/lib/rustlib/src/rust=/rustc/abc",
                &format!("--remap-path-prefix={}=/src", dir.path().display()),
            ]
        );
        assert_eq!(
            stated_rustflags(dir.path(), &toolchain.compiler).unwrap(),
            [
                "-Cdebuginfo=0",
                "--remap-path-prefix=$CARGO_HOME=/cargo",
                "--remap-path-prefix=$SYSROOT/lib/rustlib/src/rust=/rustc/abc",
                "--remap-path-prefix=$TREE=/src",
            ]
        );
    }
}
