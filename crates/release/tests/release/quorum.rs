//! `bundle attest` and `bundle quorum`: builders who got the same bytes, one who did not, and who only says so.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use ecac_artifact::{ArtifactSet, Commit, Digest, ExpectedSet, exit};
use ecac_attest::{Attestation, Attested, Bundle, PrivateKey};

use ecac_fixture::set::{COMMIT, SCENARIOS, publish, published, write};
use ecac_fixture::workspace::{Workspace, set_mode, snapshot};

type Files = BTreeMap<String, Vec<u8>>;

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_random(&[seed; 32]).unwrap()
}

/// The set with a file changed, and everything that follows from that made right again.
fn changed(name: &str, change: impl FnOnce(&mut String)) -> Files {
    let mut files = published().files.clone();
    files.retain(|name, _| name != "SHA256SUMS" && !name.ends_with(".tar.gz"));
    let mut text = String::from_utf8(files.remove(name).unwrap()).unwrap();
    change(&mut text);
    files.insert(name.to_owned(), text.into_bytes());
    let commit: Commit = COMMIT.parse().unwrap();
    let expected = ExpectedSet::new(&SCENARIOS, 42, &commit).unwrap();
    ArtifactSet::new(expected, files)
        .unwrap()
        .publish()
        .unwrap()
        .files
}

/// The set of a builder who got other bytes.
fn other() -> Files {
    changed("report.html", |text| text.push('\n'))
}

fn of_version(version: &str) -> Files {
    changed("manifest.json", |text| {
        let stated = "\"version\": \"0.1.0\"";
        assert!(text.contains(stated));
        *text = text.replace(stated, &format!("\"version\": \"{version}\""));
    })
}

/// A workspace with a golden set, where people build and attest.
struct Desk {
    workspace: Workspace,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            workspace: Workspace::new(),
        };
        write(&desk.root().join("docs/eval/golden"), &published().files);
        desk
    }

    fn root(&self) -> PathBuf {
        self.workspace.root()
    }

    fn attestations(&self) -> PathBuf {
        self.root().join("docs/attestations")
    }

    /// A file of what a signer filed of v0.1.0.
    fn filed(&self, signer: &str, name: &str) -> PathBuf {
        self.attestations().join("v0.1.0").join(signer).join(name)
    }

    /// Puts a set into `docs/eval/out` and gives the arguments to attest it with the key of `seed`.
    fn built(&self, signer: &str, seed: u8, files: &Files) -> Vec<String> {
        let out = self.root().join("docs/eval/out");
        let _ = fs::remove_dir_all(&out);
        write(&out, files);
        let pem = self.workspace.beside("key.pem");
        fs::write(&pem, key(seed).to_pem().as_bytes()).unwrap();
        set_mode(&pem, 0o600);
        let key = format!("--key={}", pem.display());
        ["bundle", "attest", "--signer", signer, &key]
            .map(str::to_owned)
            .to_vec()
    }

    fn attest(&self, signer: &str, seed: u8, files: &Files) {
        let args = self.built(signer, seed, files);
        self.workspace.check(&args, exit::SUCCESS, "");
    }

    /// Requires that attesting a set is refused, and that nothing is written for that.
    fn refuses(&self, files: &Files, code: u8, says: &str) {
        let args = self.built("ada", 1, files);
        self.refuses_args(&args, code, says);
    }

    fn refuses_args(&self, args: &[String], code: u8, says: &str) {
        let before = snapshot(&self.workspace.beside(""));
        let (stdout, stderr) = self.workspace.check(args, code, says);
        assert_eq!(stdout, "", "{stderr}");
        assert!(
            code == exit::USAGE || stderr.contains("\nhint: "),
            "{stderr}"
        );
        assert_eq!(snapshot(&self.workspace.beside("")), before);
    }

    /// Writes what a signer says, whoever made it.
    fn file(&self, signer: &str, sums: &[u8], bundle: &Bundle) {
        let dir = self.filed(signer, "");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("SHA256SUMS"), sums).unwrap();
        fs::write(dir.join("SHA256SUMS.sigstore.json"), bundle.to_bytes()).unwrap();
    }

    fn quorum(&self, args: &[&str], code: u8, says: &str) -> String {
        let args = [&["bundle", "quorum"], args].concat();
        let (stdout, stderr) = self.workspace.check(&args, code, says);
        let may_lack_a_hint = matches!(code, exit::SUCCESS | exit::USAGE);
        assert!(may_lack_a_hint || stderr.contains("\nhint: "), "{stderr}");
        stdout
    }
}

fn sums() -> &'static [u8] {
    &published().files["SHA256SUMS"]
}

fn attestation(version: &str, commit: &str) -> Attestation {
    Attestation {
        version: version.parse().unwrap(),
        commit: commit.parse().unwrap(),
        sums: Digest::of(sums()),
    }
}

#[test]
fn three_of_four_are_a_quorum_and_the_dissenter_is_named_with_the_files() {
    let desk = Desk::new();
    let (ours, others) = (&published().files, other());
    for (signer, seed, files) in [
        ("ada", 1, ours),
        ("bob", 2, ours),
        ("eve", 3, &others),
        ("zoe", 4, ours),
    ] {
        desk.attest(signer, seed, files);
    }
    let stdout = desk.quorum(&["3", "--release=v0.1.0"], exit::SUCCESS, "");
    for says in [
        "version    v0.1.0\n",
        &format!("commit     {COMMIT}\n"),
        &format!(
            "sums       sha256:{}, of the golden set\n",
            Digest::of(sums())
        ),
        "reached: 3 distinct keys agree, 3 needed; 1 differ, 0 attestations do not count",
    ] {
        assert!(stdout.contains(says), "`{says}` in {stdout}");
    }
    let eve = stdout.split("  eve").nth(1).unwrap();
    let eve = eve.split("  zoe").next().unwrap();
    assert!(eve.contains("DIFFERS\n    report.html: "), "{stdout}");
    assert_eq!(eve.lines().count(), 2, "{stdout}");
    assert_eq!(stdout.matches(" agrees\n").count(), 3, "{stdout}");
    desk.quorum(&["4"], exit::VERIFICATION, "3 of 4 keys agree");

    // One key under two names counts once.
    desk.attest("zwei", 4, ours);
    let stdout = desk.quorum(&["4"], exit::VERIFICATION, "3 of 4 keys agree");
    assert!(
        stdout.contains("agrees, counted already\n    with the key of zoe"),
        "{stdout}"
    );

    // Two more who agree with eve make a tie.
    desk.attest("fay", 5, &others);
    desk.attest("gil", 6, &others);
    let tie = "a tie: keys for the golden set: 3, for other bytes: 3";
    desk.quorum(&["1"], exit::VERIFICATION, tie);
    let json = desk.quorum(&["1", "--format=json"], exit::VERIFICATION, tie);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["reached"], false);
    assert_eq!(report["agreeing_keys"], 3);
    assert_eq!(report["differing_keys"], 3);
    assert_eq!(report["commit"], COMMIT);
    // A key that says two things has no voice at all.
    desk.attest("zwei", 4, &others);
    let stdout = desk.quorum(
        &["1"],
        exit::VERIFICATION,
        "2 of 7 attestations do not count",
    );
    assert_eq!(
        stdout.matches("signed several sums of one commit").count(),
        2,
        "{stdout}"
    );
}

#[test]
fn only_a_whole_set_of_a_commit_with_the_golden_parameters_is_attested() {
    let desk = Desk::new();
    let dirty = &publish(&format!("{COMMIT}-dirty"), 120).files;
    let of_a_tree = "is of a tree that differed from its commit";
    desk.refuses(dirty, exit::ENVIRONMENT, of_a_tree);
    let parameters = "was made with other parameters than the golden set";
    desk.refuses(&publish(COMMIT, 130).files, exit::BAD_INPUT, parameters);
    let with = |change: fn(&mut Files)| {
        let mut files = published().files.clone();
        change(&mut files);
        files
    };
    let check = |change: fn(&mut Files), code: u8, says: &str| {
        desk.refuses(&with(change), code, says);
    };
    check(
        |files| drop(files.remove("report.html")),
        exit::MISSING,
        "report.html",
    );
    check(
        |files| files.retain(|name, _| !name.ends_with(".tar.gz")),
        exit::MISSING,
        "ecac-artifacts-",
    );
    check(
        |files| drop(files.insert("notes.txt".to_owned(), Vec::new())),
        exit::EXTRA,
        "notes.txt",
    );
    check(
        |files| files.get_mut("hb-chain-42.csv").unwrap().push(b'\n'),
        exit::VERIFICATION,
        "does not agree with its SHA256SUMS",
    );
    check(
        |files| {
            let tarball = files.keys().find(|name| name.ends_with(".tar.gz"));
            let tarball = tarball.unwrap().clone();
            files.insert(tarball, b"another".to_vec());
        },
        exit::VERIFICATION,
        "does not hold the files beside it",
    );
    // Without a golden set it is the documentation that cites parameters.
    fs::remove_dir_all(desk.root().join("docs/eval/golden")).unwrap();
    desk.refuses(&published().files, exit::BAD_INPUT, parameters);
}

#[test]
fn nothing_is_written_outside_of_the_attestations() {
    let desk = Desk::new();
    for version in ["0.1.0/../../..", "../../../tmp", "0.1.0\\n\\u001b[2K"] {
        let says = "manifest.json is of the version `";
        desk.refuses(&of_version(version), exit::BAD_INPUT, says);
    }
    for signer in ["../ada", "/ada", "ada/bob", "signers", "ADA", "", "con"] {
        let args = desk.built(signer, 1, &published().files);
        desk.refuses_args(&args, exit::USAGE, "a signer is 1 to 40");
    }
    // Links lead nowhere.
    let outside = desk.workspace.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(desk.attestations()).unwrap();
    for name in ["v0.1.0", "signers"] {
        let link = desk.attestations().join(name);
        let _ = fs::remove_dir_all(&link);
        symlink(&outside, &link).unwrap();
        let args = desk.built("ada", 1, &published().files);
        let says = format!("{name} is not a directory");
        desk.workspace.check(&args, exit::ENVIRONMENT, &says);
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
        fs::remove_file(link).unwrap();
    }
    desk.attest("ada", 1, &published().files);
    // A file that is one is put aside for the real one.
    let sums = desk.filed("ada", "SHA256SUMS");
    let victim = outside.join("victim");
    fs::write(&victim, "untouched").unwrap();
    fs::remove_file(&sums).unwrap();
    symlink(&victim, &sums).unwrap();
    desk.attest("ada", 1, &published().files);
    assert_eq!(fs::read_to_string(victim).unwrap(), "untouched");
    assert_eq!(fs::read(sums).unwrap(), self::sums());
}

#[test]
fn a_name_belongs_to_one_key_and_an_attestation_says_what_was_built() {
    let desk = Desk::new();
    desk.attest("ada", 1, &published().files);
    let args = desk.built("ada", 2, &published().files);
    desk.refuses_args(&args, exit::BAD_SIGNATURE, "another key than yours");
    let bundle = fs::read(desk.filed("ada", "SHA256SUMS.sigstore.json")).unwrap();
    let bundle = Bundle::parse(&bundle).unwrap();
    let attested = bundle.verify_attestation(&key(1).public(), sums()).unwrap();
    assert_eq!(attested, Attested::Bound(attestation("0.1.0", COMMIT)));
    // The directory of one version is not that of another.
    let later = of_version("0.2.0-rc.1");
    desk.attest("ada", 1, &later);
    let filed = desk.attestations().join("v0.2.0-rc.1/ada/SHA256SUMS");
    assert_eq!(fs::read(filed).unwrap(), later["SHA256SUMS"]);

    let args = desk.built("bob", 2, &published().files);
    set_mode(&desk.workspace.beside("key.pem"), 0o644);
    let says = "every user of this machine can read or write the private key";
    desk.refuses_args(&args, exit::ENVIRONMENT, says);
}

#[test]
fn an_attestation_that_does_not_count_fails_and_is_named() {
    let desk = Desk::new();
    for (signer, seed) in [("ada", 1), ("bob", 2), ("zoe", 3)] {
        desk.attest(signer, seed, &published().files);
    }
    desk.quorum(&["3"], exit::SUCCESS, "");
    let right = snapshot(&desk.attestations());
    let restore = || {
        fs::remove_dir_all(desk.attestations()).unwrap();
        for (path, bytes) in &right {
            match bytes {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::create_dir_all(path).unwrap(),
            }
        }
    };
    let check = |spoil: &dyn Fn(), says: &str| {
        spoil();
        // Fewer would be enough, but nothing is passed over.
        let problem = "attestations do not count; mend them, or take them away";
        let stdout = desk.quorum(&["1"], exit::VERIFICATION, problem);
        assert!(stdout.contains("DOES NOT COUNT\n    "), "{stdout}");
        assert!(stdout.contains(says), "`{says}` in {stdout}");
        assert!(stdout.contains("quorum     NOT reached: "), "{stdout}");
        assert!(!stdout.contains('\u{1b}'), "{stdout:?}");
        restore();
    };
    let (zoe, bundle_file) = (key(3), "SHA256SUMS.sigstore.json");
    let signed = |version: &str, commit: &str| {
        let bundle = Bundle::of_attestation(&zoe, &attestation(version, commit));
        desk.file("zoe", sums(), &bundle);
    };
    check(
        &|| desk.file("zoe", sums(), &Bundle::of_message(&zoe, sums())),
        "it does not say of which version or commit (format 1)",
    );
    check(
        &|| signed("0.0.9", COMMIT),
        "it is of v0.0.9, not of v0.1.0",
    );
    check(
        &|| signed("0.1.0", &"0".repeat(40)),
        &format!("it is of commit {}, not of {COMMIT}", "0".repeat(40)),
    );
    check(
        &|| {
            let forged = fs::read_to_string(desk.filed("zoe", "SHA256SUMS")).unwrap();
            let forged = forged.replacen('0', "1", 1);
            fs::write(desk.filed("zoe", "SHA256SUMS"), forged).unwrap();
        },
        "the attestation is about other sums",
    );
    check(
        &|| {
            let bundle = Bundle::of_attestation(&key(9), &attestation("0.1.0", COMMIT));
            desk.file("zoe", sums(), &bundle);
        },
        "the bundle names the key",
    );
    check(
        &|| fs::remove_file(desk.attestations().join("signers/zoe.pub")).unwrap(),
        "no known key: there is no signers/zoe.pub",
    );
    check(
        &|| fs::write(desk.attestations().join("signers/zoe.pub"), "zoe").unwrap(),
        "signers/zoe.pub: the key file is not a PEM file",
    );
    for name in ["SHA256SUMS", bundle_file] {
        let says = format!("there is no {name}");
        check(&|| fs::remove_file(desk.filed("zoe", name)).unwrap(), &says);
        check(
            &|| fs::write(desk.filed("zoe", name), vec![b'x'; 70_000]).unwrap(),
            "has more than 65536 bytes",
        );
        check(
            &|| {
                let path = desk.filed("zoe", name);
                fs::remove_file(&path).unwrap();
                let made = Command::new("mkfifo").arg(path).status().unwrap();
                assert!(made.success());
            },
            "not a regular file",
        );
        check(
            &|| {
                let path = desk.filed("zoe", name);
                fs::remove_file(&path).unwrap();
                symlink(desk.filed("ada", name), path).unwrap();
            },
            "is a symbolic link",
        );
    }
    check(
        &|| fs::write(desk.filed("zoe", bundle_file), "{\"a\\u001b[2K\": 1}").unwrap(),
        "unknown field `a\\u{1b}[2K`",
    );
    check(
        &|| fs::write(desk.filed("zoe", "notes\n"), "").unwrap(),
        "it has a file `notes\\n`, which nobody signed",
    );
    check(
        &|| fs::write(desk.attestations().join("v0.1.0/README"), "").unwrap(),
        "a signer is 1 to 40",
    );
    check(
        &|| {
            let name = "zoe2\u{1b}[2K\nquorum     reached";
            fs::create_dir(desk.attestations().join("v0.1.0").join(name)).unwrap();
        },
        "  zoe2\\u{1b}[2K\\nquorum     reached",
    );
    check(
        &|| symlink("ada", desk.attestations().join("v0.1.0/zwei")).unwrap(),
        "it is not a directory",
    );
    desk.quorum(&["3"], exit::SUCCESS, "");
}

#[test]
fn a_quorum_is_about_the_golden_set_or_a_bundle_and_no_copy_is_about_another() {
    let desk = Desk::new();
    desk.attest("ada", 1, &published().files);
    desk.attest("bob", 2, &published().files);
    let copy = |version: &str| {
        let (from, to) = (
            desk.attestations().join("v0.1.0"),
            desk.attestations().join(version),
        );
        let copied = Command::new("cp").arg("-r").args([from, to]).status();
        assert!(copied.unwrap().success());
    };
    copy("v9.9.9");
    let not_that = "the golden set is of v0.1.0, not of v9.9.9";
    desk.quorum(&["2", "--release=v9.9.9"], exit::VERIFICATION, not_that);
    let other_commit = format!("--commit={}", "0".repeat(40));
    desk.quorum(
        &["2", &other_commit],
        exit::VERIFICATION,
        "is of commit 89abcdef",
    );
    let right_commit = format!("--commit={COMMIT}");
    desk.quorum(&["2", &right_commit, "--release=0.1.0"], exit::SUCCESS, "");
    for args in [["2", "--release=v9"], ["2", "--release=../v0.1.0"]] {
        desk.quorum(&args, exit::USAGE, "three numbers such as 0.1.0");
    }

    // A release that really is of that version, of which nobody attests anything.
    let bundle = |name: &str, files: &Files| {
        let tarball = files.keys().find(|name| name.ends_with(".tar.gz")).unwrap();
        let path = desk.workspace.beside(name);
        fs::write(&path, &files[tarball]).unwrap();
        format!("--bundle={}", path.display())
    };
    let later = bundle("later.tar.gz", &of_version("9.9.9"));
    let none = "2 of 2 attestations do not count";
    let stdout = desk.quorum(&["2", &later, "--release=v9.9.9"], exit::VERIFICATION, none);
    assert_eq!(
        stdout.matches("it is of v0.1.0, not of v9.9.9").count(),
        2,
        "{stdout}"
    );

    let same = bundle("same.tar.gz", &published().files);
    let stdout = desk.quorum(&["2", &same], exit::SUCCESS, "");
    assert!(stdout.contains("same.tar.gz\n"), "{stdout}");
    // Both agree with each other, but not with this release.
    let other = bundle("other.tar.gz", &other());
    let says = "more keys agree on other bytes (2) than with ";
    desk.quorum(&["2", &other], exit::VERIFICATION, says);

    let dirty = &publish(&format!("{COMMIT}-dirty"), 120).files;
    let dirty = bundle("dirty.tar.gz", dirty);
    desk.quorum(
        &["2", &dirty],
        exit::ENVIRONMENT,
        "is of a tree that differed",
    );
    let damaged = desk.workspace.beside("damaged.tar.gz");
    fs::write(&damaged, "no archive").unwrap();
    let damaged = format!("--bundle={}", damaged.display());
    let (_, stderr) = desk.workspace.check(
        &["bundle", "quorum", "2", &damaged],
        exit::BAD_INPUT,
        "damaged.tar.gz: not a gzip file",
    );
    assert_eq!(stderr.matches("not a gzip file").count(), 1, "{stderr}");
    let device = ["2", "--bundle=/dev/zero"];
    desk.quorum(&device, exit::BAD_INPUT, "not a regular file");

    // Without attestations, and without a golden set.
    fs::remove_dir_all(desk.attestations()).unwrap();
    desk.quorum(&["1"], exit::NOT_FOUND, "there are no attestations in");
    fs::remove_dir_all(desk.root().join("docs/eval/golden")).unwrap();
    desk.quorum(&["1"], exit::NOT_FOUND, "does not exist");
}
