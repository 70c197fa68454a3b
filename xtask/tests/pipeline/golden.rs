//! `verify-golden` on real artifacts, without a build.

use std::fs;
use std::path::Path;
use std::process::Command;

use ecac_artifact::{Digest, exit};
use ecac_fixture::set::{COMMIT, Fixture, flip, made, publish, published, write};
use ecac_fixture::workspace::{Workspace, check, skipped, snapshot};

#[test]
fn the_same_bytes_pass() {
    let fixture = Fixture::new();
    fixture.verify(exit::SUCCESS, &["verdict        same: all 35 files"]);
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
    for name in ["repro", "verify-golden", "golden", "sbom", "doctor"] {
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
    let again = made(COMMIT, 120);
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
    assert!(size <= 3 << 20, "{size} bytes are kept in git for ever");
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
