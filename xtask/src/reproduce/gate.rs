//! The gate after a build: no path of this machine may stand in a binary.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ecac_artifact::exit;
use memchr::memmem;

use crate::host::error::Failure;

/// What the build maps paths to; a home directory of this name says nothing about the machine.
const NEUTRAL: &[&str] = &["/cargo", "/src", "/rustc"];

/// How the released standard library names the crates that it is built of, wherever it is installed: a home in
/// `/rust` is not what that tells. Without its first byte, so that this program does not itself hold what it looks for.
const RELEASED: &[u8] = b"rust/deps/";

/// Requires that none of `secrets` stands in any of `binaries`.
pub fn check(binaries: &[PathBuf], secrets: &[PathBuf]) -> Result<()> {
    for binary in binaries {
        let bytes = fs::read(binary).with_context(|| format!("read {}", binary.display()))?;
        for secret in secrets.iter().filter(|path| is_telling(path)) {
            let needle = needle(secret);
            let mut places = memmem::find_iter(&bytes, &needle);
            if let Some(offset) = places.find(|at| !bytes[at + 1..].starts_with(RELEASED)) {
                let name = binary.file_name().unwrap_or(binary.as_os_str());
                return Err(Failure::new(
                    exit::BUILD,
                    format!(
                        "the binary {} contains {} at byte {offset}, so it differs from machine to machine",
                        Path::new(name).display(),
                        secret.display()
                    ),
                )
                .hint("look for env!(\"CARGO_MANIFEST_DIR\") or a path dependency outside the workspace")
                .into());
            }
        }
    }
    Ok(())
}

/// A path with a name of its own. The root directory, say, is found in every binary.
fn is_telling(path: &Path) -> bool {
    path.is_absolute()
        && path.file_name().is_some()
        && !NEUTRAL.iter().any(|neutral| path == Path::new(neutral))
}

/// The path as the beginning of a longer one, so that `/root` is not found in the text of a JSON pointer.
fn needle(path: &Path) -> Vec<u8> {
    let mut needle = path.as_os_str().as_encoded_bytes().to_vec();
    needle.push(std::path::MAIN_SEPARATOR as u8);
    needle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_released_standard_library_says_is_no_leak() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("ecac");
        let released =
            "/rust/deps/hashbrown-0.15.2/src/raw/mod.rs/rust/deps/gimli-0.31.1/src/read/line.rs";
        let secrets = [PathBuf::from("/rust")];
        fs::write(&binary, released).unwrap();
        check(std::slice::from_ref(&binary), &secrets).unwrap();
        fs::write(&binary, format!("{released}/rust/toolchains/x/lib.rs")).unwrap();
        let error = check(std::slice::from_ref(&binary), &secrets).unwrap_err();
        let says = format!("contains /rust at byte {}", released.len());
        assert!(error.to_string().contains(&says), "{error}");
    }

    #[test]
    fn a_planted_path_is_found_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("ecac");
        let secrets = [
            PathBuf::from("/"),
            PathBuf::from("/src"),
            dir.path().to_owned(),
        ];
        fs::write(
            &binary,
            "\u{7f}ELF /src/crates/core/src/lib.rs /cargo/registry",
        )
        .unwrap();
        check(std::slice::from_ref(&binary), &secrets).unwrap();

        let planted = format!("\u{7f}ELF....{}/src/lib.rs", dir.path().display());
        fs::write(&binary, planted).unwrap();
        let error = check(std::slice::from_ref(&binary), &secrets).unwrap_err();
        assert!(error.to_string().contains("ecac contains"), "{error}");
        assert!(error.to_string().contains("at byte 8"), "{error}");
        assert_eq!(crate::host::error::exit_code(&error), exit::BUILD);
    }
}
