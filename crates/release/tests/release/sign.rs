//! `key new` and `bundle --sign`, with a build that takes no time.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecac_artifact::{Digest, exit};
use ecac_attest::{Bundle, Envelope, PrivateKey, PublicKey, Signature, Statement};
use ecac_fixture::workspace::{BROKEN, Workspace, check, skipped, snapshot};

const PASSWORD: &str = "ECAC_KEY_PASSWORD";

/// A workspace with a key beside it.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.check(&key_new(&workspace), exit::SUCCESS, "");
    workspace
}

fn key_new(workspace: &Workspace) -> Vec<String> {
    let out = workspace.beside("my.key");
    ["key", "new", "--out", out.to_str().unwrap()]
        .map(str::to_owned)
        .to_vec()
}

/// `bundle --sign` with the key and a place beside the workspace.
fn sign(workspace: &Workspace) -> Vec<String> {
    let (key, out) = (
        workspace.beside("my.key"),
        workspace.beside("signed/r.tar.gz"),
    );
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let args = [
        "bundle",
        "--sign",
        "--key",
        &path(&key),
        "--out",
        &path(&out),
    ];
    args.map(str::to_owned).to_vec()
}

/// A workspace that can build, whose README prints what the repository's own does; nothing if there is no `ecac`.
fn buildable() -> Option<Workspace> {
    let workspace = workspace();
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let trust = readme
        .lines()
        .find(|line| line.starts_with("trust digest: "));
    workspace.write("README.md", &format!("{}\n", trust.unwrap()));
    workspace.commit();
    fs::create_dir(workspace.beside("signed")).unwrap();
    workspace.builds("").then_some(workspace)
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    entries
        .map(|path| (name(&path), fs::read(path).unwrap()))
        .collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_new_key_is_for_its_owner_and_is_never_overwritten() {
    let workspace = Workspace::new();
    let args = key_new(&workspace);
    let (stdout, _) = workspace.check(&args, exit::SUCCESS, "");
    let (private, public) = (workspace.beside("my.key"), workspace.beside("my.pub"));
    assert_eq!((mode(&private), mode(&public)), (0o600, 0o644));
    let pem = fs::read(&private).unwrap();
    let key = PrivateKey::from_pem(&pem, None).unwrap();
    let stated = PublicKey::from_pem(&fs::read(&public).unwrap()).unwrap();
    assert_eq!(key.public(), stated);
    assert!(stdout.contains(&stated.hint()), "{stdout}");

    workspace.check(
        &args,
        exit::ENVIRONMENT,
        "my.key exists, and a key is never overwritten",
    );
    fs::remove_file(&private).unwrap();
    workspace.check(
        &args,
        exit::ENVIRONMENT,
        "my.pub exists, and a key is never overwritten",
    );
    assert!(!private.exists(), "half a pair was left");
    fs::remove_file(&public).unwrap();
    workspace.check(&args, exit::SUCCESS, "");
    assert_ne!(fs::read(&private).unwrap(), pem, "two keys are the same");
}

#[test]
fn a_key_is_encrypted_under_the_password_of_the_environment() {
    let workspace = Workspace::new();
    let args = [&key_new(&workspace)[..], &["--encrypt".to_owned()]].concat();
    let mut command = workspace.xtask(&args);
    command.env(PASSWORD, "").env_remove("COSIGN_PASSWORD");
    let (_, stderr) = check(&mut command, exit::ENVIRONMENT, "there is no password");
    assert!(
        stderr.contains("\nhint: put the password into the variable"),
        "{stderr}"
    );
    for (variable, password) in [(PASSWORD, "one"), ("COSIGN_PASSWORD", "two")] {
        let mut command = workspace.xtask(&args);
        command.env_remove(PASSWORD).env(variable, password);
        check(&mut command, exit::SUCCESS, "");
        let pem = fs::read(workspace.beside("my.key")).unwrap();
        assert!(pem.starts_with(b"-----BEGIN ENCRYPTED"));
        assert!(PrivateKey::from_pem(&pem, Some(password.as_bytes())).is_ok());
        for name in ["my.key", "my.pub"] {
            fs::remove_file(workspace.beside(name)).unwrap();
        }
    }
}

#[test]
fn names_that_are_no_key_are_refused() {
    let workspace = Workspace::new();
    let says = "is no name for a private key";
    workspace.check(&["key", "new", "--out", "my.pub"], exit::USAGE, says);
    workspace.check(&["key", "new", "--out", "/"], exit::USAGE, says);
    workspace.check(
        &["key", "new", "--out", "absent/my.key"],
        exit::ENVIRONMENT,
        "cannot write",
    );
}

#[test]
fn a_release_is_refused_before_anything_is_built() {
    let workspace = workspace();
    fs::create_dir(workspace.beside("signed")).unwrap();
    let before = snapshot(&workspace.beside("signed"));
    workspace.cargo_build("echo 'it builds' >&2; exit 101");
    let refuses = |args: &[&OsStr], code: u8, says: &str| {
        let (_, stderr) = workspace.check(args, code, says);
        assert!(!stderr.contains("it builds"), "{stderr}");
    };
    let with_key = |key: &str, code: u8, says: &str| {
        let (key, out) = (workspace.beside(key), workspace.beside("signed/r.tar.gz"));
        let args = ["bundle", "--sign", "--key"].map(OsStr::new);
        let args = [
            &args[..],
            &[key.as_os_str(), OsStr::new("--out"), out.as_os_str()],
        ]
        .concat();
        refuses(&args, code, says);
    };
    with_key("absent.key", exit::NOT_FOUND, "absent.key does not exist");
    with_key("my.pub", exit::BAD_INPUT, "holds a `PUBLIC KEY`");
    with_key("signed", exit::BAD_INPUT, "is a directory");
    fs::write(workspace.beside("bad.key"), "not a key").unwrap();
    with_key("bad.key", exit::BAD_INPUT, "is not a PEM file");

    let key = workspace.beside("my.key");
    let with_out = |out: &Path, code: u8, says: &str| {
        let args = ["bundle", "--sign", "--key"].map(OsStr::new);
        let args = [
            &args[..],
            &[key.as_os_str(), OsStr::new("--out"), out.as_os_str()],
        ]
        .concat();
        refuses(&args, code, says);
    };
    with_out(
        &workspace.beside("signed"),
        exit::USAGE,
        "does not name a file",
    );
    with_out(
        &workspace.beside("absent/r.tar.gz"),
        exit::ENVIRONMENT,
        "there is no directory",
    );
    fs::create_dir(workspace.beside("set")).unwrap();
    fs::write(workspace.beside("set/SHA256SUMS"), "").unwrap();
    with_out(
        &workspace.beside("set/r.tar.gz"),
        exit::USAGE,
        "to which no signature belongs",
    );

    let usage = |args: &[&str], says: &str| {
        let args: Vec<_> = args.iter().map(OsStr::new).collect();
        refuses(&args, exit::USAGE, says);
    };
    usage(&["bundle", "--key", "my.key"], "--sign");
    usage(&["bundle", "--sign", "--dir", "x"], "cannot be used with");
    usage(&["bundle", "--offline"], "nothing is built without --sign");

    workspace.write("Cargo.toml", "[workspace]\n# changed\n");
    with_key("my.key", exit::ENVIRONMENT, "1 uncommitted file(s)");
    let without_git = Workspace::without_git();
    without_git.write(
        "xtask/commit.txt",
        &format!("{0}\n0\n{0}\n", "ab".repeat(20)),
    );
    let says = "this is a source archive without .git";
    without_git.check(&["bundle", "--sign", "--key", "k"], exit::ENVIRONMENT, says);
    assert_eq!(snapshot(&workspace.beside("signed")), before);
}

#[test]
fn a_password_is_asked_for_before_anything_is_built() {
    let workspace = Workspace::new();
    let args = [&key_new(&workspace)[..], &["--encrypt".to_owned()]].concat();
    check(
        workspace.xtask(&args).env(PASSWORD, "right"),
        exit::SUCCESS,
        "",
    );
    fs::create_dir(workspace.beside("signed")).unwrap();
    for (password, code, says) in [
        (
            None,
            exit::ENVIRONMENT,
            "the private key is encrypted, and there is no password",
        ),
        (
            Some("wrong"),
            exit::BAD_INPUT,
            "the password does not open the private key",
        ),
        // With the right one the build begins, and fails.
        (Some("right"), exit::BUILD, "no such crate"),
    ] {
        workspace.cargo_build(BROKEN);
        let mut command = workspace.xtask(&sign(&workspace));
        command.env_remove(PASSWORD).env_remove("COSIGN_PASSWORD");
        command.envs(password.map(|password| (PASSWORD, password)));
        check(&mut command, code, says);
    }
    assert!(files(&workspace.beside("signed")).is_empty());
}

#[test]
fn a_release_is_signed_and_its_provenance_true() {
    let Some(workspace) = buildable() else {
        return;
    };
    let (json, _) = workspace.check(
        &[&sign(&workspace)[..], &["--format=json".to_owned()]].concat(),
        exit::SUCCESS,
        "sign",
    );
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let key = PublicKey::from_pem(&fs::read(workspace.beside("my.pub")).unwrap()).unwrap();
    assert_eq!(report["signed_by"]["key"], key.hint());

    let signed = files(&workspace.beside("signed"));
    let suffixes = [
        "",
        ".intoto.jsonl",
        ".intoto.sigstore.json",
        ".sig",
        ".sigstore.json",
    ];
    let names = suffixes.map(|suffix| format!("r.tar.gz{suffix}"));
    assert_eq!(signed.keys().cloned().collect::<Vec<_>>(), names);
    let [tarball, line, provenance, signature, bundle] = names.map(|name| &signed[&name]);
    key.verify(tarball, &Signature::from_file(signature).unwrap())
        .unwrap();
    let bundle = Bundle::parse(bundle).unwrap();
    bundle.verify_message(&key, tarball).unwrap();
    let statement = Envelope::parse(line).unwrap().open(&key).unwrap();
    let provenance = Bundle::parse(provenance).unwrap();
    assert_eq!(provenance.verify_statement(&key).unwrap(), statement);
    openssl_verifies(&workspace.beside(""));

    let commit = workspace.git(&["rev-parse", "HEAD"]);
    let digest = |pointer: &str| {
        report
            .pointer(pointer)
            .and_then(|it| it.as_str()?.parse().ok())
    };
    let subject = |name: &str| statement.subject(name);
    let stem = format!("ecac-artifacts-{commit}");
    assert_eq!(
        subject(&format!("{stem}.tar.gz")),
        Some(Digest::of(tarball))
    );
    assert_eq!(
        subject(&format!("{stem}.tar")),
        digest("/bundle/tar_sha256")
    );
    let ecac = ecac_fixture::workspace::program("ecac");
    assert_eq!(subject("ecac"), Some(Digest::of(&fs::read(ecac).unwrap())));
    let definition = &statement.predicate.build_definition;
    assert_eq!(definition.external_parameters.commit, commit);
    assert_eq!(definition.external_parameters.seed, 42);
    let command = &definition.external_parameters.command;
    assert!(command.starts_with("cargo xtask repro --seed=42 --ops=500 --scenario="));
    let lock = fs::read(workspace.root().join("Cargo.lock")).unwrap();
    assert_eq!(
        definition.resolved_dependencies[1].digest.sha256,
        Some(Digest::of(&lock))
    );
    // The linker of this machine, and nothing that a user set.
    let linker = definition.resolved_dependencies.last().unwrap();
    let cc = fs::canonicalize("/usr/bin/cc").unwrap();
    assert_eq!(
        linker.digest.sha256,
        Some(Digest::of(&fs::read(&cc).unwrap()))
    );
    assert_eq!(
        linker.annotations["file"],
        cc.file_name().unwrap().to_str().unwrap()
    );
    assert!(definition.resolved_dependencies[2].digest.sha256.is_some());
    let taken_over = definition.internal_parameters.taken_over.as_ref();
    assert!(taken_over.unwrap().keys.is_empty());
    let text = String::from_utf8(statement.to_bytes()).unwrap();
    let place = workspace.beside("");
    assert!(!text.contains(place.to_str().unwrap()), "{text}");

    cosign_signs_the_same(&workspace, tarball);
    assert!(workspace.git(&["status", "--porcelain"]).is_empty());
}

/// Without a key cosign signs, and what was there is replaced.
fn cosign_signs_the_same(workspace: &Workspace, tarball: &[u8]) {
    // What cosign would write, with a signature of the right form.
    let signature = PrivateKey::from_random(&[1; 32]).unwrap().sign(b"");
    let material = r#""verificationMaterial":{"certificate":{"rawBytes":""}}"#;
    let start = format!(r#"{{"mediaType":"{}",{material},"#, ecac_attest::MEDIA_TYPE);
    let script = format!(
        r#"echo "$@" >>'{log}'
for last; do :; done
case "$1" in
    version) ;;
    sign-blob) printf '%s' '{start}"messageSignature":{{"messageDigest":{{"algorithm":"SHA2_256","digest":""}},"signature":"{signature}"}}}}' >file.json ;;
    attest-blob) printf '%s' '{start}"dsseEnvelope":{{"payload":"'"$(base64 <"$last" | tr -d '\n')"'","payloadType":"application/vnd.in-toto+json","signatures":[{{"sig":"{signature}"}}]}}}}' >provenance.json ;;
esac"#,
        log = workspace.beside("cosign.log").display(),
    );
    workspace.program("cosign", &script);
    let out = workspace.beside("signed/r.tar.gz");
    let args = ["bundle", "--sign", "--out", out.to_str().unwrap()];
    let (stdout, _) = workspace.check(&args, exit::SUCCESS, "");
    assert!(
        stdout.contains("signed by      cosign, keyless"),
        "{stdout}"
    );
    let signed = files(&workspace.beside("signed"));
    assert_eq!(signed.len(), 5);
    assert_eq!(signed["r.tar.gz"], tarball);
    assert_eq!(signed["r.tar.gz.sig"], signature.to_file());
    let envelope = Envelope::parse(&signed["r.tar.gz.intoto.jsonl"]).unwrap();
    let statement: Statement = envelope.statement_unverified().unwrap();
    assert_eq!(statement.subject.len(), 4);
    let log = fs::read_to_string(workspace.beside("cosign.log")).unwrap();
    let calls: Vec<_> = log
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(calls, ["version", "sign-blob", "attest-blob"]);
}

/// The documented commands.
fn openssl_verifies(dir: &Path) {
    let run = |args: &str| {
        let mut command = Command::new("openssl");
        command.args(args.split(' ')).current_dir(dir);
        command.output().map(|output| output.status.success())
    };
    let Ok(decoded) = run("base64 -d -A -in signed/r.tar.gz.sig -out sig.der") else {
        skipped("there is no openssl");
        return;
    };
    let verify = "dgst -sha256 -verify my.pub -signature sig.der signed/r.tar.gz";
    assert!(decoded && run(verify).unwrap());
}

#[test]
fn without_a_key_and_cosign_the_fix_is_named() {
    let workspace = Workspace::new();
    let path = std::env::var_os("PATH").unwrap();
    let git = std::env::split_paths(&path)
        .map(|dir| dir.join("git"))
        .find(|git| git.exists());
    workspace.program("git", &format!("exec '{}' \"$@\"", git.unwrap().display()));
    let run = |says: &str| {
        let mut command = workspace.xtask(&["bundle", "--sign"]);
        command.env("PATH", workspace.beside("bin"));
        let (_, stderr) = check(&mut command, exit::ENVIRONMENT, says);
        assert!(stderr.contains("\nhint: install cosign 3"), "{stderr}");
        assert!(stderr.contains("cargo xtask key new"), "{stderr}");
    };
    run("the program `cosign` is not installed");
    workspace.program("cosign", "echo 'no such thing' >&2; exit 1");
    run("no such thing");
    assert!(!workspace.root().join("docs/eval/signed").exists());
}
