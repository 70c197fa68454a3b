//! Releases, and where they are verified.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use ecac_artifact::{Commit, Digest, exit};
use ecac_attest::{Build, Bundle, Envelope, Machine, PrivateKey, Statement, TakenOver};
use ecac_fixture::sbom::sbom;
use ecac_fixture::set::{COMMIT, SCENARIOS};
use ecac_fixture::workspace::Workspace;
use flate2::read::GzDecoder;
use serde_json::Value as Json;

/// A file with what its signer left beside it.
#[derive(Clone)]
pub(super) struct Release {
    pub(super) gz: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) provenance: Vec<u8>,
}

pub(super) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_random(&[seed; 32]).unwrap()
}

pub(super) fn commit() -> Commit {
    COMMIT.parse().unwrap()
}

/// The statement that a right build would give of `gz`, whatever that is.
pub(super) fn statement(gz: &[u8]) -> Build {
    let mut tar = Vec::new();
    let _ = GzDecoder::new(gz).read_to_end(&mut tar);
    Build {
        repository: "https://example.org/ecac".to_owned(),
        commit: commit(),
        command: "cargo xtask repro".to_owned(),
        seed: 42,
        ops: OPS,
        scenarios: SCENARIOS.map(str::to_owned).to_vec(),
        flags: Vec::new(),
        target: "x86_64-unknown-linux-gnu".to_owned(),
        cargo_lock: COMMIT[..1].repeat(64).parse().unwrap(),
        toolchain: "1.95.0".to_owned(),
        toolchain_commit: "c0ffee".repeat(6),
        tar_gz: Digest::of(gz),
        tar: Digest::of(&tar),
        ecac: Digest::of(b"ecac"),
        sbom: Some(Digest::of(&sbom(COMMIT))),
        machine: Machine {
            rustc: Digest::of(b"rustc"),
            linker: None,
            taken_over: TakenOver::default(),
        },
    }
}

pub(super) fn attest(key: &PrivateKey, statement: &Statement) -> Vec<u8> {
    let envelope = Envelope::sign(key, statement);
    Bundle::of_envelope(&key.public(), envelope).to_bytes()
}

impl Release {
    pub(super) fn signed(gz: Vec<u8>, key: &PrivateKey) -> Self {
        Self {
            signature: Bundle::of_message(key, &gz).to_bytes(),
            provenance: attest(key, &Statement::of(&statement(&gz))),
            gz,
        }
    }
}

pub(super) const OPS: u32 = 120;

/// Where releases are verified.
pub(super) struct Desk {
    pub(super) workspace: Workspace,
}

impl Desk {
    pub(super) fn new() -> Self {
        let desk = Self {
            workspace: Workspace::new(),
        };
        fs::write(desk.path("key.pub"), key(1).public().to_pem()).unwrap();
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.workspace.beside(name)
    }

    /// Writes a release under a name.
    pub(super) fn put(&self, name: &str, release: &Release) -> PathBuf {
        let file = self.path(name);
        fs::write(&file, &release.gz).unwrap();
        let beside = |suffix: &str| self.path(&format!("{name}{suffix}"));
        fs::write(beside(".sigstore.json"), &release.signature).unwrap();
        fs::write(beside(".intoto.sigstore.json"), &release.provenance).unwrap();
        file
    }

    /// Verifies with the key of the release: the exit code and the answer.
    pub(super) fn verify(&self, release: &Release, with_key: bool) -> (u8, Json) {
        let key = format!("--key={}", self.path("key.pub").display());
        let args = if with_key { &[key.as_str()][..] } else { &[] };
        self.verify_as("release.tar.gz", release, args)
    }

    /// Verifies a release under a name: the exit code and the answer.
    pub(super) fn verify_as(&self, name: &str, release: &Release, args: &[&str]) -> (u8, Json) {
        let file = self.put(name, release);
        let mut verify = self.workspace.xtask(&["bundle", "verify", "--format=json"]);
        let output = verify.arg(file).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
        let code = output.status.code().unwrap();
        let answer = serde_json::from_slice(&output.stdout);
        let answer = answer.unwrap_or_else(|error| panic!("{error}: {stderr}"));
        (u8::try_from(code).unwrap(), answer)
    }

    /// Requires that `step` fails, and that none is taken after it.
    pub(super) fn refuses(&self, what: &str, release: &Release, step: &str) {
        let (code, answer) = self.verify(release, true);
        assert_eq!(steps(&answer, "failed"), [step], "{what}: {answer:#}");
        // It is the last one taken.
        let last = answer["steps"].as_array().unwrap().iter();
        let after = last.skip_while(|it| it["name"] != step).skip(1);
        let mut verdicts = after.map(|it| it["verdict"].as_str().unwrap());
        assert!(verdicts.all(|it| it == "not-checked"), "{what}: {answer:#}");
        assert_eq!(answer["verdict"], "refused");
        let expected = match step {
            "signature" | "provenance" => exit::BAD_SIGNATURE,
            "archive" => exit::BAD_INPUT,
            _ => exit::VERIFICATION,
        };
        assert_eq!(code, expected, "{what}");
    }
}

pub(super) fn steps(answer: &Json, verdict: &str) -> Vec<String> {
    let steps = answer["steps"].as_array().unwrap();
    let with = steps.iter().filter(|step| step["verdict"] == verdict);
    with.map(|step| step["name"].as_str().unwrap().to_owned())
        .collect()
}
