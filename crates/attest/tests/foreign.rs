//! Programs of others accept what this crate signs, and refuse it after one byte was changed. A program that is not
//! there is skipped, which the test says.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]
#![expect(clippy::disallowed_methods, reason = "other programs read files")]

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use ecac_artifact::Digest;
use ecac_attest::{Build, Bundle, Envelope, Machine, PrivateKey, SaltAndIv, Statement, TakenOver};
use tempfile::TempDir;

const MESSAGE: &[u8] = b"the contents of a release";

fn key() -> PrivateKey {
    PrivateKey::from_random(&[7; 32]).unwrap()
}

/// A directory with the public key, the message and its detached signature.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    write("key.pub", key().public().to_pem().as_bytes());
    write("message", MESSAGE);
    write("message.sig", &key().sign(MESSAGE).to_file());
    write("changed", b"The contents of a release");
    dir
}

/// Says that a test is skipped, past the harness, which shows nothing that a test prints unless it fails.
fn skipped(why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

/// Whether a program succeeds; nothing if it is not there.
fn succeeds(program: &str, args: &[&str], dir: &Path) -> Option<bool> {
    let mut command = Command::new(program);
    let command = command.args(args).current_dir(dir);
    let output = command.env("NODE_PATH", modules()).output();
    match output {
        Ok(output) => Some(output.status.success()),
        Err(_) => {
            skipped(&format!("there is no {program}"));
            None
        }
    }
}

/// Where `.ci/run` installs the packages of `tests/sigstore`.
fn modules() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("sigstore/node_modules")
}

#[test]
fn openssl_verifies_the_detached_signature() {
    let dir = directory();
    let run = |args: &str| {
        let args: Vec<_> = args.split(' ').collect();
        succeeds("openssl", &args, dir.path())
    };
    if run("base64 -d -A -in message.sig -out message.der") != Some(true) {
        return;
    }
    let verify = "dgst -sha256 -verify key.pub -signature";
    assert_eq!(run(&format!("{verify} message.der message")), Some(true));
    assert_eq!(run(&format!("{verify} message.der changed")), Some(false));
    let mut signature = fs::read(dir.path().join("message.der")).unwrap();
    signature[20] ^= 1;
    fs::write(dir.path().join("changed.der"), signature).unwrap();
    assert_eq!(run(&format!("{verify} changed.der message")), Some(false));
}

#[test]
fn openssl_opens_the_private_keys() {
    let dir = directory();
    let random = SaltAndIv {
        salt: [1; 16],
        iv: [2; 16],
    };
    let write = |name: &str, pem: &str| fs::write(dir.path().join(name), pem).unwrap();
    write("plain", &key().to_pem());
    write(
        "encrypted",
        &key().to_encrypted_pem(b"correct horse", &random),
    );
    for (file, password, expected) in [
        ("plain", "", true),
        ("encrypted", "correct horse", true),
        ("encrypted", "battery staple", false),
    ] {
        let password = format!("pass:{password}");
        let args = [
            "pkey", "-in", file, "-passin", &password, "-pubout", "-out", "out",
        ];
        let Some(opened) = succeeds("openssl", &args, dir.path()) else {
            return;
        };
        assert_eq!(opened, expected, "{file} with {password}");
        if opened {
            let public = fs::read_to_string(dir.path().join("out")).unwrap();
            assert_eq!(public, key().public().to_pem());
        }
    }
}

#[test]
fn the_library_of_npm_verifies_bundles_and_envelopes() {
    if !modules().join("@sigstore/verify").exists() {
        skipped("@sigstore/verify is not installed; see .ci/run");
        return;
    }
    let dir = directory();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sigstore/verify.cjs");
    let script = script.to_str().unwrap();
    let verify = |bundle: &[u8], file: &[&str]| {
        fs::write(dir.path().join("bundle"), bundle).unwrap();
        let args = [&[script, "key.pub", "bundle"], file].concat();
        succeeds("node", &args, dir.path())
    };
    let message = Bundle::of_message(&key(), MESSAGE).to_bytes();
    if verify(&message, &["message"]).is_none() {
        return;
    }
    assert_eq!(verify(&message, &["message"]), Some(true));
    assert_eq!(verify(&message, &["changed"]), Some(false));
    let envelope = Envelope::sign(&key(), &Statement::of(&build()));
    let envelope = Bundle::of_envelope(&key().public(), envelope).to_bytes();
    assert_eq!(verify(&envelope, &[]), Some(true));

    for (bundle, member, file) in [
        (&message, "\"signature\":\"", &["message"][..]),
        (&message, "\"hint\":\"", &["message"]),
        (&envelope, "\"payload\":\"", &[]),
        (&envelope, "\"payloadType\":\"", &[]),
        (&envelope, "\"sig\":\"", &[]),
    ] {
        let text = str::from_utf8(bundle).unwrap();
        let at = text.find(member).unwrap() + member.len() + 20;
        let mut changed = bundle.clone();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(verify(&changed, file), Some(false), "{member}");
    }
}

fn build() -> Build {
    Build {
        repository: "https://example.org/ecac".to_owned(),
        commit: "ab".repeat(20).parse().unwrap(),
        command: "cargo xtask repro".to_owned(),
        seed: 42,
        ops: 500,
        scenarios: vec!["hb-chain".to_owned()],
        flags: Vec::new(),
        target: "x86_64-unknown-linux-gnu".to_owned(),
        cargo_lock: Digest::of(b"Cargo.lock"),
        toolchain: "1.95.0".to_owned(),
        toolchain_commit: "cd".repeat(20),
        tar_gz: Digest::of(MESSAGE),
        tar: Digest::of(b"tar"),
        ecac: Digest::of(b"ecac"),
        sbom: None,
        machine: Machine {
            rustc: Digest::of(b"rustc"),
            linker: None,
            taken_over: TakenOver::default(),
        },
    }
}
