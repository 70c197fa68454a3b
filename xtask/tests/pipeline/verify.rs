//! `bundle verify` on a release and on a hundred forgeries of it, each with a right signature where it can have one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use ecac_artifact::archive::{self, Limits};
use ecac_artifact::{ArtifactSet, Commit, Digest, ExpectedSet, exit};
use ecac_attest::{Build, Bundle, Envelope, PrivateKey, Statement};
use ecac_bench::{Params, Scenario};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::Value as Json;

use crate::golden::{COMMIT, SCENARIOS, publish};
use crate::support::Workspace;

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
        sbom: Some(Digest::of(b"{}\n")),
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

    /// Verifies with the key of the release: the exit code and the report.
    fn verify(&self, release: &Release, with_key: bool) -> (u8, Json) {
        let file = self.path("release.tar.gz");
        fs::write(&file, &release.gz).unwrap();
        let beside = |suffix: &str| self.path(&format!("release.tar.gz{suffix}"));
        fs::write(beside(".sigstore.json"), &release.signature).unwrap();
        fs::write(beside(".intoto.sigstore.json"), &release.provenance).unwrap();
        let mut verify = self.workspace.xtask(&["bundle", "verify", "--format=json"]);
        verify.arg(file);
        if with_key {
            verify.arg("--key").arg(self.path("key.pub"));
        }
        let output = verify.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
        let code = output.status.code().unwrap();
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|error| panic!("{error}: {stderr}"));
        (u8::try_from(code).unwrap(), report)
    }

    /// Requires that the first step that fails is `step`.
    fn refuses(&self, what: &str, release: &Release, step: &str) {
        let (code, report) = self.verify(release, true);
        let failed = steps(&report, "failed");
        assert_eq!(
            failed.first().map(String::as_str),
            Some(step),
            "{what}: {report:#}"
        );
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
    assert_eq!(steps(&report, "ok").len(), 10);
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
    let (stdout, _) = crate::support::check(&mut verify, exit::SUCCESS, "");
    assert!(stdout.ends_with("verdict     verified\n"), "{stdout}");

    fs::remove_file(desk.path("release.tar.gz.sigstore.json")).unwrap();
    crate::support::check(&mut verify, exit::BAD_SIGNATURE, "nobody signed this");
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
    for (from, to) in [
        (
            "https://in-toto.io/Statement/v1",
            "https://in-toto.io/Statement/v0.1",
        ),
        (
            "https://slsa.dev/provenance/v1",
            "https://slsa.dev/provenance/v0.2",
        ),
    ] {
        let mut statement = Statement::of(&statement(&release.gz));
        for member in [&mut statement.statement_type, &mut statement.predicate_type] {
            *member = member.replace(from, to);
        }
        let mut forged = release.clone();
        forged.provenance = attest(&ours, &statement);
        refuses(to, &forged, "provenance");
    }
    assert!(forgeries >= 100, "{forgeries}");
}
