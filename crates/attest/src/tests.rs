//! What the readers take, what they refuse and why, and that both are the same for every builder.

mod attestations;
mod bundles;
mod keys;
mod statements;

use ecac_artifact::Digest;

use crate::{Build, Machine, PrivateKey, Program, TakenOver};

/// The key of RFC 6979, appendix A.2.5.
fn key() -> PrivateKey {
    let scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    let scalar = hex::decode(scalar).unwrap().try_into().unwrap();
    PrivateKey::from_random(&scalar).unwrap()
}

/// A key that is not that one.
fn other_key() -> PrivateKey {
    PrivateKey::from_random(&[1; 32]).unwrap()
}

/// A build whose every part is told from the others.
fn build() -> Build {
    Build {
        repository: "https://example.org/ecac".to_owned(),
        commit: "ab".repeat(20).parse().unwrap(),
        command: "cargo xtask repro".to_owned(),
        seed: 42,
        ops: 500,
        scenarios: vec!["hb-chain".to_owned(), "concurrent".to_owned()],
        flags: vec!["--remap-path-prefix=$TREE=/src".to_owned()],
        target: "x86_64-unknown-linux-gnu".to_owned(),
        cargo_lock: Digest::of(b"Cargo.lock"),
        toolchain: "1.95.0".to_owned(),
        toolchain_commit: "cd".repeat(20),
        tar_gz: Digest::of(b"tar.gz"),
        tar: Digest::of(b"tar"),
        ecac: Digest::of(b"ecac"),
        sbom: Some(Digest::of(b"sbom.json")),
        machine: Machine {
            rustc: Digest::of(b"rustc"),
            linker: Some(Program {
                file: "x86_64-linux-gnu-gcc-12".to_owned(),
                sha256: Digest::of(b"linker"),
                version: "cc 12.2.0".to_owned(),
            }),
            taken_over: TakenOver {
                keys: vec!["source.crates-io.replace-with".to_owned()],
                variables: vec!["https_proxy".to_owned()],
            },
        },
    }
}

/// Every text that differs from `bytes` in one bit, one for each byte.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(|at| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << (at % 8);
        flipped
    })
}
