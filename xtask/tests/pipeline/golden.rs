//! `verify-golden` and `bundle` on real artifacts, without a build.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::sbom::sbom;
use crate::support::{Workspace, check, skipped, snapshot};
use ecac_artifact::{ArtifactSet, Commit, Digest, ExpectedSet, Published, exit};

pub(crate) const COMMIT: &str = "89abcdef0123456789abcdef0123456789abcdef";
pub(crate) const SCENARIOS: [&str; 3] = ["hb-chain", "concurrent", "offline-revoke"];

/// A real set with few ops, made once.
pub(crate) fn published() -> &'static Published {
    static PUBLISHED: OnceLock<Published> = OnceLock::new();
    PUBLISHED.get_or_init(|| publish(COMMIT, 120))
}

pub(crate) fn publish(stamp: &str, ops: u32) -> Published {
    let workspace = Workspace::new();
    let out = workspace.beside("staged");
    fs::create_dir(&out).unwrap();
    let mut stage = workspace.xtask(&["stage", "--commit", stamp, &format!("--ops={ops}")]);
    stage.arg("--commit-time=1790000000");
    // Each stamp has a lockfile of its own.
    stage.args(["--cargo-lock-sha256", &stamp[..1].repeat(64)]);
    stage
        .args(["--toolchain=1.95.0", "--source-version=0.1.0", "--out"])
        .arg(&out);
    check(&mut stage, exit::SUCCESS, "");
    let commit: Commit = stamp.parse().unwrap();
    let expected = ExpectedSet::new(&SCENARIOS, 42, &commit).unwrap();
    let staged = fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .chain([("sbom.json".to_owned(), sbom(stamp))])
        .collect();
    ArtifactSet::new(expected, staged)
        .unwrap()
        .publish()
        .unwrap()
}

pub(crate) fn write(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    fs::create_dir_all(dir).unwrap();
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes).unwrap();
    }
}

/// A workspace with a golden set that its README cites, and an output directory with the same files.
struct Fixture {
    workspace: Workspace,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self {
            workspace: Workspace::new(),
        };
        let files = &published().files;
        write(&fixture.golden(), files);
        write(&fixture.out(), files);
        let digest = Digest::of(&files[&tarball()]);
        fixture
            .workspace
            .write("README.md", &format!("golden bundle: sha256:{digest}\n"));
        fixture
    }

    fn golden(&self) -> PathBuf {
        self.workspace.root().join("docs/eval/golden")
    }

    fn out(&self) -> PathBuf {
        self.workspace.root().join("docs/eval/out")
    }

    /// `verify-golden` against the output directory.
    fn verify(&self, code: u8, says: &[&str]) -> String {
        let args = ["verify-golden", "--artifacts", "docs/eval/out"];
        let (stdout, _) = self.workspace.check(&args, code, "");
        for text in says {
            assert!(stdout.contains(text), "`{text}` in {stdout}");
        }
        stdout
    }
}

fn tarball() -> String {
    format!("ecac-artifacts-{COMMIT}.tar.gz")
}

fn flip(path: &Path, position: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[position] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_same_bytes_pass() {
    let fixture = Fixture::new();
    fixture.verify(exit::SUCCESS, &["verdict        same: all 23 files"]);
    let args = [
        "verify-golden",
        "--artifacts",
        "docs/eval/out",
        "--format",
        "json",
    ];
    let (stdout, _) = fixture.workspace.check(&args, exit::SUCCESS, "");
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["verdict"], "same");
    assert_eq!(report["cited_commit"], COMMIT);
}

#[test]
fn a_flipped_byte_in_a_golden_table_is_found_with_line_and_column() {
    let fixture = Fixture::new();
    let path = fixture.golden().join("hb-chain-42.csv");
    let text = fs::read_to_string(&path).unwrap();
    let third_line = text.match_indices('\n').nth(1).unwrap().0 + 1;
    flip(&path, third_line);
    let line = format!(
        "mismatch  hb-chain-42.csv\n  expected  {}",
        Digest::of(text.as_bytes())
    );
    let (stdout, stderr) =
        fixture
            .workspace
            .check(&["verify-golden"], exit::MISMATCH, "contradicts itself");
    assert!(
        stdout.contains(&line) && stdout.contains("line 3"),
        "{stdout}"
    );
    assert!(!stderr.contains("cargo build"), "{stderr}");
}

#[test]
fn removed_added_renamed_and_linked_golden_files_have_their_codes() {
    let fixture = Fixture::new();
    let golden = fixture.golden();
    fs::write(golden.join("notes.txt"), "").unwrap();
    fixture.verify(exit::EXTRA, &["extra     notes.txt"]);
    fs::rename(golden.join("notes.txt"), golden.join("notes.md")).unwrap();
    fixture.verify(exit::EXTRA, &["extra     notes.md"]);
    fs::remove_file(golden.join("notes.md")).unwrap();

    fs::rename(golden.join("audit.jsonl"), golden.join("Audit.jsonl")).unwrap();
    fixture.verify(
        exit::MISSING,
        &["missing   audit.jsonl", "extra     Audit.jsonl"],
    );
    std::os::unix::fs::symlink("Audit.jsonl", golden.join("audit.jsonl")).unwrap();
    fixture.verify(exit::EXTRA, &["a symbolic link", "extra     Audit.jsonl"]);
    fs::remove_dir_all(&golden).unwrap();
    fixture
        .workspace
        .check(&["verify-golden"], exit::NOT_FOUND, "does not exist");
}

#[test]
fn other_output_than_golden_is_explained_with_its_causes() {
    let fixture = Fixture::new();
    let other = publish(&"1".repeat(40), 120);
    let renamed = other
        .files
        .iter()
        .map(|(name, bytes)| (name.replace(&"1".repeat(40), COMMIT), bytes.clone()));
    write(&fixture.out(), &renamed.collect());
    let stdout = fixture.verify(
        exit::MISMATCH,
        &[
            "mismatch  manifest.json",
            "first difference\n",
            "likely causes\n",
            "Cargo.lock: cited ",
        ],
    );
    // The metrics tables name the commit, so they differ before the sums do.
    let first = stdout.split("first difference\n").nth(1).unwrap();
    assert!(first.lines().next().unwrap().contains(".csv"), "{stdout}");

    fs::remove_file(fixture.out().join("trustview.json")).unwrap();
    fixture.verify(exit::MISSING, &["missing   trustview.json"]);
    write(&fixture.out(), &published().files);
    fs::write(fixture.out().join("fig-1.png"), "").unwrap();
    fixture.verify(exit::EXTRA, &["extra     fig-1.png"]);
}

#[test]
fn a_readme_that_cites_another_bundle_is_a_mismatch() {
    let fixture = Fixture::new();
    let other = Digest::of(b"other");
    for text in [
        format!("golden bundle: sha256:{other}\n"),
        "no digest\n".to_owned(),
    ] {
        fixture.workspace.write("README.md", &text);
        fixture.verify(exit::MISMATCH, &["mismatch  README.md", "golden bundle"]);
    }
    // A set elsewhere is not the one that the README cites.
    let copy = fixture.workspace.beside("copy");
    write(&copy, &published().files);
    let mut verify =
        fixture
            .workspace
            .xtask(&["verify-golden", "--artifacts", "docs/eval/out", "--golden"]);
    check(verify.arg(copy), exit::SUCCESS, "");
}

#[test]
fn a_golden_set_of_a_commit_that_is_not_here_cannot_be_rebuilt() {
    let fixture = Fixture::new();
    fixture.workspace.commit();
    fixture.workspace.check(
        &["verify-golden", "--cited"],
        exit::ENVIRONMENT,
        "has no commit 89abcdef",
    );
    // HEAD is built instead by default, here by a cargo that fails.
    fixture
        .workspace
        .check(&["verify-golden"], exit::BUILD, "no such crate");
}

#[test]
fn a_bundle_is_the_same_bytes_again_whatever_the_old_one_was() {
    let fixture = Fixture::new();
    let path = fixture.out().join(tarball());
    let expected = fs::read(&path).unwrap();
    for old in [Some(&b"garbage"[..]), None] {
        match old {
            Some(old) => fs::write(&path, old).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let (stdout, _) = fixture.workspace.check(&["bundle"], exit::SUCCESS, "");
        assert!(
            stdout.contains(&format!("sha256:{}", Digest::of(&expected))),
            "{stdout}"
        );
        assert_eq!(fs::read(&path).unwrap(), expected);
    }
    let elsewhere = fixture.workspace.beside("mine.tar.gz");
    let mut bundle = fixture.workspace.xtask(&["bundle", "--out"]);
    check(bundle.arg(&elsewhere), exit::SUCCESS, "");
    assert_eq!(fs::read(elsewhere).unwrap(), expected);
}

#[test]
fn a_directory_that_is_no_complete_set_is_not_packed() {
    let fixture = Fixture::new();
    let out = fixture.out();
    let check = |code: u8, says: &str| {
        let before = fs::read(out.join(tarball())).ok();
        fixture.workspace.check(&["bundle"], code, says);
        assert_eq!(fs::read(out.join(tarball())).ok(), before);
        write(&out, &published().files);
    };
    flip(&out.join("audit.jsonl"), 7);
    check(exit::VERIFICATION, "audit.jsonl has digest");
    flip(&out.join("SHA256SUMS"), 3);
    check(exit::VERIFICATION, "has digest");
    fs::remove_file(out.join("trustview.json")).unwrap();
    check(exit::MISSING, "trustview.json");
    fs::write(out.join("notes"), "").unwrap();
    check(exit::EXTRA, "notes");
    fs::remove_file(out.join("notes")).unwrap();
    fs::write(out.join("manifest.json"), "{}").unwrap();
    check(exit::BAD_INPUT, "manifest.json is malformed");
    fs::remove_dir_all(&out).unwrap();
    fixture.workspace.check(
        &["bundle"],
        exit::NOT_FOUND,
        "hint: make it first: cargo xtask repro",
    );
}

#[test]
fn another_working_directory_is_left_alone() {
    let fixture = Fixture::new();
    let elsewhere = fixture.workspace.beside("elsewhere");
    for dir in ["target", "docs/eval/out", "docs/eval/golden", "crates"] {
        fs::create_dir_all(elsewhere.join(dir)).unwrap();
        fs::write(elsewhere.join(dir).join("mine"), "mine").unwrap();
    }
    let before = snapshot(&elsewhere);
    for (args, code) in [
        (&["bundle"][..], exit::SUCCESS),
        (
            &["verify-golden", "--artifacts", "../root/docs/eval/out"],
            exit::SUCCESS,
        ),
        (&["repro", "--allow-dirty"], exit::BUILD),
    ] {
        let mut command = fixture.workspace.xtask(args);
        check(command.current_dir(&elsewhere), code, "");
        assert_eq!(snapshot(&elsewhere), before, "{args:?}");
    }
    // Without cargo's word the workspace is found upwards from the working directory.
    let mut bundle = fixture.workspace.xtask(&["bundle"]);
    bundle
        .env_remove("CARGO_MANIFEST_DIR")
        .current_dir(fixture.golden());
    check(&mut bundle, exit::SUCCESS, "");
    let mut lost = fixture.workspace.xtask(&["bundle"]);
    lost.env_remove("CARGO_MANIFEST_DIR")
        .current_dir(&elsewhere);
    check(&mut lost, exit::ENVIRONMENT, "no cargo workspace");
}

#[test]
fn ci_never_rewrites_the_golden_set() {
    let fixture = Fixture::new();
    let before = snapshot(&fixture.golden());
    let mut golden = fixture.workspace.xtask(&["golden", "--update"]);
    check(golden.env("CI", "true"), exit::USAGE, "CI never rewrites");
    fixture
        .workspace
        .check(&["golden"], exit::USAGE, "--update");
    assert_eq!(snapshot(&fixture.golden()), before);
}

#[test]
fn a_closed_or_full_standard_output_is_no_panic() {
    let fixture = Fixture::new();
    let run = |args: &[&str], code: u8, stdout: std::process::Stdio| {
        check(fixture.workspace.xtask(args).stdout(stdout), code, "");
    };
    for args in [
        &["bundle"][..],
        &[],
        &["--help"],
        &["verify-golden", "--artifacts", "docs/eval/out"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        run(args, exit::SUCCESS, writer.into());
    }
    for args in [
        &["bundle"][..],
        &[],
        &["--help"],
        &["--version"],
        &["help"],
        &["help", "repro"],
        &["bundle", "verify", "--help"],
        &["verify-golden", "--artifacts", "docs/eval/out"],
    ] {
        let Ok(full) = fs::File::options().write(true).open("/dev/full") else {
            return;
        };
        let mut xtask = fixture.workspace.xtask(args);
        let says = "error: write to standard output: ";
        check(xtask.stdout(full), exit::ENVIRONMENT, says);
    }
}

#[test]
fn help_is_what_no_arguments_print_and_every_subcommand_has_examples_and_codes() {
    let xtask = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        check(command.args(args), exit::SUCCESS, "").0
    };
    let top = xtask(&[]);
    for name in ["repro", "verify-golden", "golden", "bundle"] {
        assert!(top.contains(name), "{top}");
        let help = xtask(&[name, "--help"]);
        assert!(
            help.contains("Examples:\n  cargo xtask ") && help.contains("Exit codes:"),
            "{help}"
        );
    }
    assert!(!top.contains("stage"), "{top}");
}

#[test]
fn staged_files_do_not_depend_on_the_environment_or_the_directory() {
    let again = publish(COMMIT, 120);
    assert_eq!(again.files, published().files);
}

#[test]
fn the_committed_golden_set_is_in_order() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let golden = root.join("docs/eval/golden");
    if !golden.exists() {
        skipped("there is no docs/eval/golden in this tree");
        return;
    }
    let mut verify = Command::new(env!("CARGO_BIN_EXE_xtask"));
    verify
        .args(["verify-golden", "--artifacts"])
        .arg(&golden)
        .current_dir(root);
    check(&mut verify, exit::SUCCESS, "");
    let size: u64 = fs::read_dir(golden)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(size <= 2 << 20, "{size} bytes are kept in git for ever");
}

#[test]
fn this_build_gives_the_golden_bytes_whatever_its_profile() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/eval/golden");
    let Ok(manifest) = fs::read(golden.join("manifest.json")) else {
        skipped("there is no docs/eval/golden in this tree");
        return;
    };
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let said =
        |option: &str, member: &str| format!("--{option}={}", manifest[member].as_str().unwrap());
    let workspace = Workspace::new();
    let out = workspace.beside("staged");
    fs::create_dir(&out).unwrap();
    let args = [
        "stage".to_owned(),
        said("commit", "commit"),
        format!("--commit-time={}", manifest["commit_time"]),
        said("cargo-lock-sha256", "cargo_lock_sha256"),
        said("toolchain", "toolchain"),
        said("source-version", "version"),
        format!("--out={}", out.display()),
    ];
    workspace.check(&args, exit::SUCCESS, "");
    for entry in fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let [made, cited] = [&path, &golden.join(name)].map(|path| fs::read(path).unwrap());
        assert!(made == cited, "{}", name.display());
    }
}
