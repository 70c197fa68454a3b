//! A hundred forgeries of a release, each with a right signature where it can have one.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use ecac_artifact::{Digest, exit};
use ecac_attest::{Build, Statement};
use ecac_bench::{Params, Scenario};
use ecac_fixture::set::{COMMIT, SCENARIOS};
use flate2::Compression;
use serde_json::Value as Json;

use super::desk::{Desk, OPS, Release, attest, key, statement};
use super::set::{files, gunzip, gzip, headers, pack, pack_any, patch_header, unpack};

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
        let record = ecac_bench::observe(&params(42), COMMIT, &strange.ops).unwrap();
        for (suffix, bytes) in [
            (".csv", &record.csv),
            ("-timeline.jsonl", &record.timeline),
            ("-state.json", &record.state),
            ("-ops.cborseq", &record.ops),
        ] {
            files.insert(format!("{name}-42{suffix}"), bytes.clone());
        }
        manifest["scenarios"][index]["summary"] = serde_json::to_value(&record.totals).unwrap();
        if *name == "offline-revoke" {
            let node = ecac_bench::node_key(42).public();
            let expect = ecac_audit::Expect {
                project: None,
                node: Some(node),
            };
            let log = ecac_audit::AuditLog::verify(&record.audit, &expect).unwrap();
            let items = ecac_core::split_op_log(&record.ops).unwrap();
            let confirmed =
                ecac_audit::verify_against(&log, items, &mut ecac_core::Costs::default()).unwrap();
            let told = ecac_audit::verification(&log, Some(&confirmed));
            manifest["audit_head"] = log.checkpoint().unwrap().head().root.to_string().into();
            manifest["trust_sha256"] = Digest::of(&record.trust).to_string().into();
            files.insert("audit.verify.txt".to_owned(), told.into_bytes());
            files.insert("audit.jsonl".to_owned(), record.audit.clone());
            files.insert("trustview.json".to_owned(), record.trust.clone());
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
        let forged = gzip(&forged, Compression::fast());
        refuses(
            "two members swapped",
            &Release::signed(forged, &ours),
            "archive",
        );
        let mut forged = tar[..headers[at + 1]].to_vec();
        forged.extend(&tar[headers[at]..]);
        let forged = gzip(&forged, Compression::fast());
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
        let forged = gzip(&forged, Compression::fast());
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
    for member in [
        "converge_ms",
        "frame_bytes",
        "frames",
        "partitions",
        "rounds",
        "sessions",
    ] {
        follow("manifest.json", "op logs", &|bytes| {
            let mut manifest: Json = serde_json::from_slice(bytes).unwrap();
            let runs = manifest["scenarios"].as_array_mut().unwrap();
            let met = runs.iter_mut().find(|run| run["meetings"].is_object());
            let number = &mut met.unwrap()["meetings"][member];
            *number = (number.as_u64().unwrap() + 1).into();
            *bytes = (serde_json::to_string_pretty(&manifest).unwrap() + "\n").into_bytes();
        });
    }

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
    let (code, answer) = desk.verify(&old, true);
    assert_eq!(code, exit::SUCCESS, "{answer:#}");
}
