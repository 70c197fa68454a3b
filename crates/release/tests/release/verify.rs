//! `bundle verify` on a release and on a hundred forgeries of it, each with a right signature where it can have one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ecac_artifact::archive::{self, Limits};
use ecac_artifact::{ArtifactSet, Commit, Digest, ExpectedSet, exit};
use ecac_attest::{Build, Bundle, Envelope, Machine, PrivateKey, Statement, TakenOver};
use ecac_bench::{Params, Scenario};
use flate2::read::GzDecoder;
use flate2::write::{GzEncoder, ZlibEncoder};
use flate2::{Compression, Crc};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::Value as Json;

use ecac_fixture::sbom::sbom;
use ecac_fixture::set::{COMMIT, SCENARIOS, publish};
use ecac_fixture::workspace::Workspace;

/// A file with what its signer left beside it.
#[derive(Clone)]
struct Release {
    gz: Vec<u8>,
    signature: Vec<u8>,
    provenance: Vec<u8>,
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_random(&[seed; 32]).unwrap()
}

fn commit() -> Commit {
    COMMIT.parse().unwrap()
}

/// The statement that a right build would give of `gz`, whatever that is.
fn statement(gz: &[u8]) -> Build {
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

fn attest(key: &PrivateKey, statement: &Statement) -> Vec<u8> {
    let envelope = Envelope::sign(key, statement);
    Bundle::of_envelope(&key.public(), envelope).to_bytes()
}

impl Release {
    fn signed(gz: Vec<u8>, key: &PrivateKey) -> Self {
        Self {
            signature: Bundle::of_message(key, &gz).to_bytes(),
            provenance: attest(key, &Statement::of(&statement(&gz))),
            gz,
        }
    }
}

const OPS: u32 = 120;

/// Where releases are verified.
struct Desk {
    workspace: Workspace,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            workspace: Workspace::new(),
        };
        fs::write(desk.path("key.pub"), key(1).public().to_pem()).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.workspace.beside(name)
    }

    /// Writes a release under a name.
    fn put(&self, name: &str, release: &Release) -> PathBuf {
        let file = self.path(name);
        fs::write(&file, &release.gz).unwrap();
        let beside = |suffix: &str| self.path(&format!("{name}{suffix}"));
        fs::write(beside(".sigstore.json"), &release.signature).unwrap();
        fs::write(beside(".intoto.sigstore.json"), &release.provenance).unwrap();
        file
    }

    /// Verifies with the key of the release: the exit code and the report.
    fn verify(&self, release: &Release, with_key: bool) -> (u8, Json) {
        let key = format!("--key={}", self.path("key.pub").display());
        let args = if with_key { &[key.as_str()][..] } else { &[] };
        self.verify_as("release.tar.gz", release, args)
    }

    /// Verifies a release under a name: the exit code and the report.
    fn verify_as(&self, name: &str, release: &Release, args: &[&str]) -> (u8, Json) {
        let file = self.put(name, release);
        let mut verify = self.workspace.xtask(&["bundle", "verify", "--format=json"]);
        let output = verify.arg(file).args(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
        let code = output.status.code().unwrap();
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|error| panic!("{error}: {stderr}"));
        (u8::try_from(code).unwrap(), report)
    }

    /// Requires that `step` fails, and that none is taken after it.
    fn refuses(&self, what: &str, release: &Release, step: &str) {
        let (code, report) = self.verify(release, true);
        assert_eq!(steps(&report, "failed"), [step], "{what}: {report:#}");
        // It is the last one taken.
        let last = report["steps"].as_array().unwrap().iter();
        let after = last.skip_while(|it| it["name"] != step).skip(1);
        let mut verdicts = after.map(|it| it["verdict"].as_str().unwrap());
        assert!(verdicts.all(|it| it == "not-checked"), "{what}: {report:#}");
        assert_eq!(report["verdict"], "refused");
        let expected = match step {
            "signature" | "provenance" => exit::BAD_SIGNATURE,
            "archive" => exit::BAD_INPUT,
            _ => exit::VERIFICATION,
        };
        assert_eq!(code, expected, "{what}");
    }
}

fn steps(report: &Json, verdict: &str) -> Vec<String> {
    let steps = report["steps"].as_array().unwrap();
    let with = steps.iter().filter(|step| step["verdict"] == verdict);
    with.map(|step| step["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The files of a right set, without sums and archive.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = publish(COMMIT, OPS).files;
    files.retain(|name, _| name != "SHA256SUMS" && !name.ends_with(".tar.gz"));
    files
}

/// The archive of a set whose sums are right, whatever its files say.
fn pack(files: BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let expected = ExpectedSet::new(&SCENARIOS, 42, &commit()).unwrap();
    let tarball = expected.tarball();
    let mut set = ArtifactSet::new(expected, files)
        .unwrap()
        .publish()
        .unwrap();
    set.files.remove(&tarball).unwrap()
}

/// The archive of any files, sums as they are.
fn pack_any(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let files = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    archive::pack(&commit(), files).unwrap().gz
}

fn unpack(gz: &[u8]) -> BTreeMap<String, Vec<u8>> {
    archive::unpack(gz, &Limits::default())
        .unwrap()
        .into_files()
}

fn gunzip(gz: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    GzDecoder::new(gz).read_to_end(&mut tar).unwrap();
    tar
}

/// Compresses with the canonical header.
fn gzip(tar: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(tar).unwrap();
    let mut gz = encoder.finish().unwrap();
    gz[8] = 0;
    gz
}

/// The offsets of the headers of a tar file.
fn headers(tar: &[u8]) -> Vec<usize> {
    let mut headers = Vec::new();
    let mut at = 0;
    while at + 512 <= tar.len() && tar[at] != 0 {
        headers.push(at);
        let size = std::str::from_utf8(&tar[at + 124..at + 135]).unwrap();
        let size = usize::from_str_radix(size, 8).unwrap();
        at += 512 + size.div_ceil(512) * 512;
    }
    headers
}

/// Writes `bytes` into a header and makes its checksum right again.
fn patch_header(tar: &mut [u8], header: usize, at: usize, bytes: &[u8]) {
    let header = &mut tar[header..header + 512];
    header[at..at + bytes.len()].copy_from_slice(bytes);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// A set in which everything follows from op logs that a stranger made.
fn forged_logs() -> Vec<u8> {
    let mut files = files();
    let mut manifest: Json = serde_json::from_slice(&files["manifest.json"]).unwrap();
    for (index, name) in SCENARIOS.iter().enumerate() {
        let scenario: Scenario = name.parse().unwrap();
        let params = |seed| Params {
            scenario,
            seed,
            ops: OPS,
        };
        // The stranger's keys come from another seed; the labels are those of the release.
        let strange = ecac_bench::run(&params(7), COMMIT).unwrap();
        let report = ecac_bench::observe(&params(42), COMMIT, &strange.ops).unwrap();
        for (suffix, bytes) in [
            (".csv", &report.csv),
            ("-timeline.jsonl", &report.timeline),
            ("-state.json", &report.state),
            ("-ops.cborseq", &report.ops),
        ] {
            files.insert(format!("{name}-42{suffix}"), bytes.clone());
        }
        manifest["scenarios"][index]["summary"] = serde_json::to_value(&report.summary).unwrap();
        if *name == "offline-revoke" {
            let node = ecac_bench::node_key(42).public();
            let expect = ecac_audit::Expect {
                project: None,
                node: Some(node),
            };
            let log = ecac_audit::AuditLog::verify(&report.audit, &expect).unwrap();
            let items = ecac_core::split_op_log(&report.ops).unwrap();
            let confirmed =
                ecac_audit::verify_against(&log, items, &mut ecac_core::Costs::default()).unwrap();
            let told = ecac_audit::report(&log, Some(&confirmed));
            manifest["audit_head"] = log.checkpoint().unwrap().head().root.to_string().into();
            manifest["trust_sha256"] = Digest::of(&report.trust).to_string().into();
            files.insert("audit.verify.txt".to_owned(), told.into_bytes());
            files.insert("audit.jsonl".to_owned(), report.audit.clone());
            files.insert("trustview.json".to_owned(), report.trust.clone());
        }
    }
    let manifest = serde_json::to_string_pretty(&manifest).unwrap() + "\n";
    files.insert("manifest.json".to_owned(), manifest.into_bytes());
    for made in ecac_report::RENDERED {
        files.remove(made.name());
    }
    let sbom = files.remove("sbom.json").unwrap();
    let drawn = ecac_report::render(&files).unwrap();
    files.insert("sbom.json".to_owned(), sbom);
    files.extend(
        drawn
            .into_iter()
            .map(|(name, bytes)| (name.to_owned(), bytes)),
    );
    pack(files)
}

#[test]
fn a_release_is_verified_step_by_step_and_needs_a_key_for_who_made_it() {
    let desk = Desk::new();
    let release = Release::signed(pack(files()), &key(1));
    let (code, report) = desk.verify(&release, true);
    assert_eq!(
        (code, &report["verdict"]),
        (exit::SUCCESS, &"verified".into()),
        "{report:#}"
    );
    assert_eq!(steps(&report, "ok").len(), 12);
    assert_eq!(report["version"], "0.1.0");
    assert_eq!(report["gz_sha256"], Digest::of(&release.gz).to_string());
    assert_eq!(report["commit"], COMMIT);

    let (code, report) = desk.verify(&release, false);
    assert_eq!(
        (code, &report["verdict"]),
        (exit::SUCCESS, &"consistent".into())
    );
    assert_eq!(steps(&report, "not-checked"), ["signature", "provenance"]);

    let mut verify = desk.workspace.xtask(&["bundle", "verify", "--key"]);
    verify
        .arg(desk.path("key.pub"))
        .arg(desk.path("release.tar.gz"));
    let (stdout, _) = ecac_fixture::workspace::check(&mut verify, exit::SUCCESS, "");
    assert!(stdout.ends_with("verdict     verified\n"), "{stdout}");
    for says in [
        &format!("\ncommit      {COMMIT}\nversion     v0.1.0\n"),
        "\nrelease     ok          v0.1.0, commit ",
        "none was demanded",
        "digests not compared: this tree has another Cargo.lock",
        "not judged: whether these are all",
    ] {
        assert!(stdout.contains(says), "`{says}` in {stdout}");
    }

    fs::remove_file(desk.path("release.tar.gz.sigstore.json")).unwrap();
    ecac_fixture::workspace::check(&mut verify, exit::BAD_SIGNATURE, "nobody signed this");
}

#[test]
fn a_hundred_forgeries_are_refused_for_the_right_reason() {
    let desk = Desk::new();
    let (ours, stranger) = (key(1), key(2));
    let right = files();
    let release = Release::signed(pack(right.clone()), &ours);
    let tar = gunzip(&release.gz);
    let headers = headers(&tar);
    assert_eq!(headers.len(), right.len() + 1);
    let mut rng = ChaCha20Rng::seed_from_u64(20_261_124);
    let mut pick = |below: usize| usize::try_from(rng.next_u64() % below as u64).unwrap();
    let mut forgeries = 0;
    let mut refuses = |what: &str, release: &Release, step: &str| {
        desk.refuses(what, release, step);
        forgeries += 1;
    };

    for _ in 0..20 {
        let mut forged = release.clone();
        let at = pick(forged.gz.len());
        forged.gz[at] ^= 1 << pick(8);
        refuses(&format!("bit of byte {at}"), &forged, "signature");
    }
    refuses(
        "signed by a stranger",
        &Release::signed(release.gz.clone(), &stranger),
        "signature",
    );
    let mut forged = release.clone();
    forged.provenance = Release::signed(release.gz.clone(), &stranger).provenance;
    refuses("provenance of a stranger", &forged, "provenance");

    let names: Vec<_> = right.keys().cloned().collect();
    for _ in 0..6 {
        let mut files = unpack(&release.gz);
        let name = &names[pick(names.len())];
        files.remove(name);
        refuses(
            &format!("without {name}"),
            &Release::signed(pack_any(&files), &ours),
            "sums",
        );
        let mut files = unpack(&release.gz);
        let bytes = files.remove(name).unwrap();
        files.insert(format!("z-{name}"), bytes);
        refuses(
            &format!("{name} by another name"),
            &Release::signed(pack_any(&files), &ours),
            "sums",
        );
    }
    let mut files = unpack(&release.gz);
    files.insert("notes.txt".to_owned(), b"hello\n".to_vec());
    files.remove("SHA256SUMS");
    let sums: String = files
        .iter()
        .map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes)))
        .collect();
    files.insert("SHA256SUMS".to_owned(), sums.into_bytes());
    refuses(
        "one more, listed",
        &Release::signed(pack_any(&files), &ours),
        "set",
    );

    // Members out of order, twice, or with hostile headers.
    for _ in 0..4 {
        let at = pick(headers.len() - 1);
        let end = headers.get(at + 2).copied().unwrap_or(tar.len() - 1024);
        let mut members = tar[headers[at]..end].to_vec();
        members.rotate_left(headers[at + 1] - headers[at]);
        let mut forged = tar.clone();
        forged[headers[at]..end].copy_from_slice(&members);
        let forged = gzip(&forged, Compression::default());
        refuses(
            "two members swapped",
            &Release::signed(forged, &ours),
            "archive",
        );
        let mut forged = tar[..headers[at + 1]].to_vec();
        forged.extend(&tar[headers[at]..]);
        let forged = gzip(&forged, Compression::default());
        refuses("a member twice", &Release::signed(forged, &ours), "archive");
    }
    let hostile: [(&str, usize, &[u8]); 12] = [
        ("a symbolic link", 156, b"2"),
        ("a hard link", 156, b"1"),
        ("a device", 156, b"3"),
        ("a pipe", 156, b"6"),
        ("a directory", 156, b"5"),
        ("a pax header", 156, b"x"),
        ("a GNU long name", 156, b"L"),
        ("a modification time", 136, b"00000000001"),
        ("an owner", 108, b"0001750"),
        ("an executable", 100, b"0000755"),
        ("an absolute name", 0, b"/etc/passwd\0"),
        ("a name that climbs", 0, b"../../etc/passwd\0"),
    ];
    for (what, at, bytes) in hostile {
        let mut forged = tar.clone();
        patch_header(&mut forged, headers[pick(headers.len())], at, bytes);
        let forged = gzip(&forged, Compression::default());
        refuses(what, &Release::signed(forged, &ours), "archive");
    }
    let mut forged = release.gz.clone();
    forged[4] = 1;
    refuses(
        "a time in the gzip header",
        &Release::signed(forged, &ours),
        "archive",
    );
    let mut forged = release.gz.clone();
    forged.extend(b"more");
    refuses(
        "bytes after the end",
        &Release::signed(forged, &ours),
        "archive",
    );
    for length in [0, 5, 100, release.gz.len() / 2, release.gz.len() - 1] {
        let forged = release.gz[..length].to_vec();
        refuses("cut off", &Release::signed(forged, &ours), "archive");
    }
    for level in [1, 9] {
        let forged = gzip(&tar, Compression::new(level));
        refuses(
            "compressed in another way",
            &Release::signed(forged, &ours),
            "packing",
        );
    }

    // Sums that lie about right files.
    for _ in 0..5 {
        let mut files = unpack(&release.gz);
        let sums = files.get_mut("SHA256SUMS").unwrap();
        let line = pick(names.len());
        let start = sums
            .split(|&byte| byte == b'\n')
            .take(line)
            .map(|line| line.len() + 1)
            .sum::<usize>();
        sums[start] = if sums[start] == b'0' { b'1' } else { b'0' };
        refuses(
            "a sum that lies",
            &Release::signed(pack_any(&files), &ours),
            "sums",
        );
    }

    // Files that do not follow, with sums put right.
    let mut follow = |name: &str, step: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut files = right.clone();
        change(files.get_mut(name).unwrap());
        refuses(name, &Release::signed(pack(files), &ours), step);
    };
    for scenario in SCENARIOS {
        for (suffix, step) in [
            (".csv", "op logs"),
            ("-timeline.jsonl", "op logs"),
            ("-state.json", "op logs"),
        ] {
            let name = format!("{scenario}-42{suffix}");
            follow(&name, step, &|bytes| {
                let at = bytes.iter().rposition(u8::is_ascii_digit).unwrap();
                bytes[at] = if bytes[at] == b'7' { b'3' } else { b'7' };
            });
        }
    }
    follow("concurrent-42-ops.cborseq", "op logs", &|bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    });
    follow("hb-chain-42-ops.cborseq", "op logs", &|bytes| {
        bytes.truncate(bytes.len() / 2)
    });
    follow("offline-revoke-42-ops.cborseq", "audit log", &|bytes| {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    });
    follow("audit.jsonl", "audit log", &|bytes| bytes.clear());
    follow("audit.jsonl", "audit log", &|bytes| {
        let at = bytes.iter().position(|&byte| byte == b'\n').unwrap();
        bytes.drain(..=at);
    });
    follow("audit.verify.txt", "audit log", &|bytes| {
        bytes.extend(b"really\n")
    });
    follow("trustview.json", "op logs", &|bytes| bytes.push(b' '));
    for name in [
        "fig-replay-cost.png",
        "fig-rollbacks.png",
        "fig-winners.png",
        "report.html",
    ] {
        follow(name, "figures", &|bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
    }
    let manifest = |pattern: &'static str, with: &'static str| {
        move |bytes: &mut Vec<u8>| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            assert!(text.contains(pattern), "{text}");
            *bytes = text.replacen(pattern, with, 1).into_bytes();
        }
    };
    follow(
        "manifest.json",
        "set",
        &manifest("\"format\": 1", "\"format\": 2"),
    );
    follow(
        "manifest.json",
        "set",
        &manifest("\"seed\": 42", "\"seed\": 43"),
    );
    follow(
        "manifest.json",
        "set",
        &manifest("\"commit\": \"8", "\"commit\": \"9"),
    );
    follow(
        "manifest.json",
        "set",
        &manifest("\"version\": \"0.1.0\"", "\"version\": \"0.1.0/..\""),
    );
    follow(
        "manifest.json",
        "sbom",
        &manifest("\"version\": \"0.1.0\"", "\"version\": \"0.1.1\""),
    );
    follow(
        "manifest.json",
        "sbom",
        &manifest("\"commit_time\": 17", "\"commit_time\": 16"),
    );
    follow("manifest.json", "set", &|bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text
            .replace("\"ops\": 120,\n      \"sc", "\"ops\": 6000,\n      \"sc")
            .into_bytes();
    });
    follow(
        "manifest.json",
        "provenance",
        &manifest("\"toolchain\": \"1.95.0\"", "\"toolchain\": \"1.94.0\""),
    );
    follow(
        "manifest.json",
        "op logs",
        &manifest("\"applied\": ", "\"applied\": 1"),
    );

    // Logs that a stranger signed, with everything else recomputed from them.
    refuses(
        "logs of a stranger",
        &Release::signed(forged_logs(), &ours),
        "seed",
    );

    // Provenance that the right key signed, about something else.
    let mut stated = |what: &str, change: &dyn Fn(&mut Build)| {
        let mut build = statement(&release.gz);
        change(&mut build);
        let mut forged = release.clone();
        forged.provenance = attest(&ours, &Statement::of(&build));
        refuses(what, &forged, "provenance");
    };
    stated("another file", &|build| build.tar_gz = Digest::of(b"other"));
    stated("another tar file", &|build| {
        build.tar = Digest::of(b"other")
    });
    stated("another SBOM", &|build| {
        build.sbom = Some(Digest::of(b"other"))
    });
    stated("another commit", &|build| {
        build.commit = "0".repeat(40).parse().unwrap()
    });
    stated("another seed", &|build| build.seed = 7);
    stated("other ops", &|build| build.ops = 500);
    stated("other scenarios", &|build| build.scenarios.truncate(1));
    stated("another lockfile", &|build| {
        build.cargo_lock = Digest::of(b"other")
    });
    stated("another toolchain", &|build| {
        build.toolchain = "1.96.0".to_owned()
    });
    let mut forged = release.clone();
    let mut silent = Statement::of(&statement(&release.gz));
    silent.subject.retain(|subject| subject.name != "ecac");
    forged.provenance = attest(&ours, &silent);
    refuses("no program", &forged, "provenance");
    for (from, to) in [
        ("/Statement/v1", "/Statement/v0.1"),
        ("/provenance/v1", "/provenance/v0.2"),
        ("#the-build-v2", "#the-build-v3"),
    ] {
        let mut statement = Statement::of(&statement(&release.gz));
        let build_type = &mut statement.predicate.build_definition.build_type;
        for member in [
            &mut statement.statement_type,
            &mut statement.predicate_type,
            build_type,
        ] {
            *member = member.replace(from, to);
        }
        let mut forged = release.clone();
        forged.provenance = attest(&ours, &statement);
        refuses(to, &forged, "provenance");
    }
    assert!(forgeries >= 100, "{forgeries}");

    // What a signer said before statements spoke of the machine.
    let mut first = Statement::of(&statement(&release.gz));
    let definition = &mut first.predicate.build_definition;
    definition.build_type = definition.build_type.replace("-v2", "-v1");
    definition.internal_parameters.taken_over = None;
    let mut old = release;
    old.provenance = attest(&ours, &first);
    let (code, report) = desk.verify(&old, true);
    assert_eq!(code, exit::SUCCESS, "{report:#}");
}

/// The set of a release without what only its signer could make.
fn unsigned(files: BTreeMap<String, Vec<u8>>) -> Release {
    Release::signed(pack(files), &key(2))
}

#[test]
fn a_release_is_the_one_that_is_wanted_and_that_its_name_promises() {
    let desk = Desk::new();
    let release = Release::signed(pack(files()), &key(1));
    let (canonical, other) = (format!("ecac-artifacts-{COMMIT}"), "f".repeat(40));
    let demand = |option: &str, value: &str| format!("--{option}={value}");
    let check = |name: &str, args: &[&str], step: Option<&str>| {
        let (code, report) = desk.verify_as(name, &release, args);
        let expected: Vec<_> = step.into_iter().collect();
        assert_eq!(
            steps(&report, "failed"),
            expected,
            "{name} {args:?}: {report:#}"
        );
        let expected = step.map_or(exit::SUCCESS, |_| exit::VERIFICATION);
        assert_eq!(code, expected, "{name} {args:?}");
        report
    };
    let wants = |args: &[&str], step| check("a.tar.gz", args, step);
    let commit = demand("commit", COMMIT);
    let report = wants(&[&commit, "--version=v0.1.0"], None);
    assert_eq!(report["commit"], COMMIT);
    wants(&["--version=0.1.0"], None);
    wants(&["--version=v0.2.0"], Some("release"));
    wants(&[&demand("commit", &other)], Some("release"));
    wants(&[&commit, "--version=v0.1.1"], Some("release"));
    wants(
        &[&demand("commit", &format!("{COMMIT}-dirty"))],
        Some("release"),
    );
    for (name, step) in [
        (format!("{canonical}.tar.gz"), None),
        (format!("{canonical} (1).tar.gz"), None),
        ("ecac-v0.1.0.tar.gz".to_owned(), None),
        (format!("ecac-artifacts-{other}.tar.gz"), Some("release")),
        (format!("{canonical}-dirty.tar.gz"), Some("release")),
        ("ecac-v9.9.9.tar.gz".to_owned(), Some("release")),
    ] {
        check(&name, &[], step);
    }
    // A name is told without what a terminal would obey.
    let (code, report) = desk.verify_as("v9.9.9\u{1b}[2K.tar.gz", &release, &[]);
    assert_eq!(code, exit::VERIFICATION);
    let told = report.to_string();
    assert!(told.contains("v9.9.9\\\\u{1b}[2K"), "{told}");
    for (args, says) in [
        (&["--commit=HEAD"][..], "40 lower-case hexadecimal digits"),
        (&["--version=latest"], "three numbers such as 0.1.0"),
        (&["--seconds=0"], "0 is not in"),
    ] {
        let mut verify = desk.workspace.xtask(&["bundle", "verify", "a"]);
        ecac_fixture::workspace::check(verify.args(args), exit::USAGE, says);
    }
}

#[test]
fn a_bill_of_materials_that_is_none_is_no_part_of_a_consistent_set() {
    let desk = Desk::new();
    let check = |sbom: Vec<u8>, says: &str| {
        let mut files = files();
        files.insert("sbom.json".to_owned(), sbom);
        let (code, report) = desk.verify(&unsigned(files), false);
        assert_eq!(
            (code, steps(&report, "failed")),
            (exit::VERIFICATION, vec!["sbom".to_owned()])
        );
        let told = report.to_string();
        assert!(told.contains(says), "`{says}` in {told}");
    };
    check(
        b"{\"this is\": \"no SBOM\"}\n".to_vec(),
        "is no bill of materials",
    );
    check(
        sbom(&"0".repeat(40)),
        "it states ecac:cargo-lock-sha256 `000",
    );
    let ours = String::from_utf8(sbom(COMMIT)).unwrap();
    let version = "\"name\": \"hex\",\n      \"version\": \"0.4.3\"";
    check(
        ours.replace(version, &version.replace("0.4.3", "0.4.4"))
            .into_bytes(),
        "its serial number is not that of its content",
    );
    check(ours.replace("  ", "\t").into_bytes(), "sbom.json");
}

#[test]
fn each_cause_is_told_once_and_the_next_step_is_not_taken() {
    let desk = Desk::new();
    let mut release = unsigned(files());
    release.signature = b"{\"a\\u001b[2K\": 1}".to_vec();
    let file = desk.put("release.tar.gz", &release);
    let mut verify = desk.workspace.xtask(&["bundle", "verify", "--key"]);
    verify.arg(desk.path("key.pub")).arg(&file);
    let (stdout, stderr) = ecac_fixture::workspace::check(&mut verify, exit::BAD_SIGNATURE, "");
    let both = format!("{stdout}{stderr}");
    assert_eq!(both.matches("unknown field").count(), 1, "{both}");
    assert_eq!(both.matches("signature step failed").count(), 11, "{both}");
    assert!(!both.contains('\u{1b}'), "{both:?}");
    assert!(
        stderr.starts_with(&format!(
            "error: {}: the step `signature` failed\nhint: ",
            file.display()
        )),
        "{stderr}"
    );
}

#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    let desk = Desk::new();
    let release = Release::signed(pack(files()), &key(1));
    let file = desk.put("release.tar.gz", &release);
    let pipe = desk.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let large = desk.path("large");
    fs::File::create(&large)
        .unwrap()
        .set_len((10 << 20) + 1)
        .unwrap();
    let refuses = |args: &[&str], path: &Path, code: u8, says: &str| {
        let mut verify = desk.workspace.xtask(&["bundle", "verify"]);
        let (_, stderr) = ecac_fixture::workspace::check(verify.args(args).arg(path), code, says);
        assert!(
            code == exit::NOT_FOUND || stderr.contains("\nhint: "),
            "{stderr}"
        );
    };
    let special = "is a pipe, a device or a socket, not a regular file";
    refuses(&[], &pipe, exit::BAD_INPUT, special);
    refuses(&[], Path::new("/dev/zero"), exit::BAD_INPUT, special);
    refuses(&[], &desk.path(""), exit::BAD_INPUT, "is a directory");
    refuses(&[], &large, exit::BAD_INPUT, "has more than 10485760 bytes");
    refuses(&[], &desk.path("absent"), exit::NOT_FOUND, "does not exist");
    let pipe = pipe.to_str().unwrap();
    let key_file = desk.path("key.pub");
    let key_file = key_file.to_str().unwrap();
    refuses(&["--key", pipe], &file, exit::BAD_INPUT, special);
    for option in ["--signature", "--provenance"] {
        refuses(
            &["--key", key_file, option, pipe],
            &file,
            exit::BAD_INPUT,
            special,
        );
    }
}

#[test]
fn a_signal_ends_it_within_a_second_and_time_and_ops_are_bounded() {
    let desk = Desk::new();
    // Some seconds of work.
    let mut large = publish(COMMIT, 2_000).files;
    let release = Release::signed(
        large
            .remove(&format!("ecac-artifacts-{COMMIT}.tar.gz"))
            .unwrap(),
        &key(1),
    );
    let file = desk.put("release.tar.gz", &release);
    for signal in ["INT", "TERM"] {
        let mut verify = desk.workspace.xtask(&["bundle", "verify"]);
        verify
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = verify.spawn().unwrap();
        thread::sleep(Duration::from_millis(400));
        assert!(
            child.try_wait().unwrap().is_none(),
            "it was over before the signal"
        );
        let sent = Instant::now();
        let kill = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let status = child.wait().unwrap();
        assert!(
            sent.elapsed() < Duration::from_secs(1),
            "{:?}",
            sent.elapsed()
        );
        assert_eq!(status.code(), Some(i32::from(exit::INTERRUPTED)));
    }
    let mut verify = desk.workspace.xtask(&["bundle", "verify", "--seconds=1"]);
    let says = "this takes more than 1 s, which nothing real does";
    let (stdout, stderr) = ecac_fixture::workspace::check(verify.arg(&file), exit::BAD_INPUT, says);
    assert_eq!(stdout, "", "there is no verdict");
    assert!(stderr.contains("allow more with --seconds"), "{stderr}");
}

/// A picture of eight million transparent pixels in 30 KB.
fn large_picture() -> Vec<u8> {
    const SIDE: u32 = 2_896;
    let row = vec![0; 1 + 4 * SIDE as usize];
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::best());
    (0..SIDE).for_each(|_| pixels.write_all(&row).unwrap());
    let head = [
        &SIDE.to_be_bytes()[..],
        &SIDE.to_be_bytes(),
        &[8, 6, 0, 0, 0],
    ]
    .concat();
    let chunks = [
        (b"IHDR", head),
        (b"IDAT", pixels.finish().unwrap()),
        (b"IEND", Vec::new()),
    ];
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in chunks {
        png.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        let body = [kind.as_slice(), &data].concat();
        let mut crc = Crc::new();
        crc.update(&body);
        png.extend(&body);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}

#[test]
fn bombs_cost_little() {
    let desk = Desk::new();
    let verify = |release: &Release| -> (u8, String, String) {
        let file = desk.put("bomb.tar.gz", release);
        // The address space bounds the memory from above, and has the program and its stacks in it.
        let mut sh = Command::new("sh");
        let xtask = desk.workspace.xtask(&["bundle", "verify"]);
        sh.args(["-c", "ulimit -v 524288; exec \"$0\" \"$@\""]);
        sh.arg(xtask.get_program()).args(xtask.get_args()).arg(file);
        sh.current_dir(desk.workspace.root());
        let output = sh.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or_else(|| panic!("{output:?}"));
        (
            u8::try_from(code).unwrap(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let check = |gz: Vec<u8>, step: &str, says: &str| {
        let begun = Instant::now();
        let (code, stdout, stderr) = verify(&Release::signed(gz, &key(1)));
        let failed = format!("\n{step:<11} FAILED");
        assert!(
            stdout.contains(&failed) && stdout.contains(says),
            "{stdout}{stderr}"
        );
        let expected = if step == "archive" {
            exit::BAD_INPUT
        } else {
            exit::VERIFICATION
        };
        assert_eq!(code, expected, "{stderr}");
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{:?}",
            begun.elapsed()
        );
    };
    let files_of = |count: usize, size: usize| -> BTreeMap<String, Vec<u8>> {
        (0..count)
            .map(|n| (format!("f{n:03}"), vec![0; size]))
            .collect()
    };
    check(
        pack_any(&files_of(1, (8 << 20) + 1)),
        "archive",
        "has more than 8388608 bytes",
    );
    check(
        pack_any(&files_of(3, 8 << 20)),
        "archive",
        "unpacks to more than 16777216 bytes",
    );
    check(
        pack_any(&files_of(129, 0)),
        "archive",
        "has more than 128 files",
    );
    // Zeros behind a right end.
    let mut tar = gunzip(&pack_any(&files_of(1, 1)));
    tar.resize(128 << 20, 0);
    check(
        gzip(&tar, Compression::fast()),
        "archive",
        "bytes follow the end",
    );
    drop(tar);

    let right = files();
    let with = |name: &str, bytes: Vec<u8>| {
        let mut files = right.clone();
        files.insert(name.to_owned(), bytes);
        pack(files)
    };
    let half = 7 << 20;
    // Two million items that are no ops.
    check(
        with("hb-chain-42-ops.cborseq", [0xd2, 0x80].repeat(half / 2)),
        "set",
        "more than 9000",
    );
    // Values that take many times the memory of their text.
    let deep = || format!("[{}[]]", "[],".repeat(half / 3)).into_bytes();
    check(
        with("hb-chain-42-state.json", deep()),
        "op logs",
        "bytes where",
    );
    check(
        with("sbom.json", deep()),
        "sbom",
        "has more than 1048576 bytes",
    );
    check(
        with("manifest.json", deep()),
        "set",
        "manifest.json is malformed",
    );
    check(
        with("report.html", vec![b'<'; half]),
        "figures",
        "bytes where",
    );
    let picture = large_picture();
    check(
        with("fig-winners.png", picture),
        "figures",
        "2896 by 2896 pixels",
    );
    check(with("audit.jsonl", vec![b'\n'; half]), "audit log", "");
    let mut files = right.clone();
    files.insert("SHA256SUMS".to_owned(), vec![b'0'; half]);
    check(pack_any(&files), "sums", "line 1");
}
