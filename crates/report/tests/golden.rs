//! The report of the golden set, and of sets that are not whole.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]
#![expect(clippy::disallowed_methods, reason = "the golden set is in files")]

use std::collections::BTreeMap;
use std::path::Path;

use ecac_artifact::{Digest, Single};
use ecac_report::{RENDERED, ReportError, render};

const REPORT: &str = "report.html";

type Files = BTreeMap<String, Vec<u8>>;

/// What a report is made from: the golden set without what is made after it.
fn golden() -> Files {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/eval/golden");
    let entries = std::fs::read_dir(directory).unwrap();
    let files = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    });
    files
        .filter(|(name, _)| {
            let made = RENDERED.iter().any(|made| made.name() == name);
            !made && name != "sbom.json" && name != "SHA256SUMS" && !name.ends_with(".tar.gz")
        })
        .collect()
}

fn page(files: &Files) -> String {
    String::from_utf8(render(files).unwrap().remove(REPORT).unwrap()).unwrap()
}

fn names(files: &Files, suffix: &str) -> Vec<String> {
    let found = files.keys().filter(|name| name.ends_with(suffix));
    found.cloned().collect()
}

#[test]
fn the_same_set_gives_the_same_bytes() {
    let files = golden();
    let rendered = render(&files).unwrap();
    assert_eq!(rendered, render(&files).unwrap());
    assert!(rendered.keys().copied().eq(RENDERED.map(Single::name)));
}

#[test]
fn figures_are_pictures_with_something_in_them() {
    for (name, bytes) in render(&golden()).unwrap() {
        if name == REPORT {
            continue;
        }
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.width, 1600, "{name}");
        assert!((600..1300).contains(&info.height), "{name}");
        assert_eq!(info.color_type, png::ColorType::Rgb);
        for forbidden in [b"tIME", b"tEXt", b"iTXt", b"zTXt"] {
            assert!(
                !bytes.windows(4).any(|window| window == forbidden),
                "{name}"
            );
        }
        // Saturated colours stand only for data; each half of the picture has some.
        let saturated =
            |pixel: &[u8]| pixel.iter().max().unwrap() - pixel.iter().min().unwrap() > 80;
        let half = info.width as usize / 2 * 3;
        let rows = || pixels.chunks_exact(info.width as usize * 3).skip(200);
        let left: usize = rows()
            .map(|row| row[..half].chunks(3).filter(|p| saturated(p)).count())
            .sum();
        let right: usize = rows()
            .map(|row| row[half..].chunks(3).filter(|p| saturated(p)).count())
            .sum();
        assert!(left > 500 && right > 500, "{name}: {left}, {right}");
    }
}

#[test]
fn the_page_fetches_and_runs_nothing() {
    let page = page(&golden());
    for forbidden in [
        "<script",
        "javascript:",
        "@import",
        "url(",
        "<iframe",
        "<object",
        " onload=",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let repository = env!("CARGO_PKG_REPOSITORY");
    assert_eq!(
        page.matches("http").count(),
        page.matches(repository).count()
    );
    for attribute in ["src=\"", "href=\"", "srcset=\""] {
        for value in page.split(attribute).skip(1) {
            assert!(
                value.starts_with("data:") || value.starts_with('#'),
                "{attribute}"
            );
        }
    }
}

#[test]
fn the_page_has_every_digest_and_every_number() {
    let files = golden();
    let page = page(&files);
    for (name, bytes) in &files {
        assert!(page.contains(name.as_str()), "{name}");
        assert!(page.contains(&Digest::of(bytes).to_string()), "{name}");
    }
    for (name, bytes) in render(&files).unwrap() {
        assert_eq!(
            page.contains(&Digest::of(&bytes).to_string()),
            name != REPORT,
            "{name}"
        );
    }
    let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert!(page.contains(manifest["commit"].as_str().unwrap()));
    for run in manifest["scenarios"].as_array().unwrap() {
        for key in ["applied", "denied", "refused", "rolled_back"] {
            let number = run["summary"][key].as_u64().unwrap();
            assert!(page.contains(&format!(">{number}</td>")), "{key} {number}");
        }
    }
    for command in ["cargo xtask verify-golden", "sha256sum -c SHA256SUMS"] {
        assert!(page.contains(command), "{command}");
    }
}

#[test]
fn what_the_sessions_came_to_is_told_where_the_manifest_says_it() {
    let mut files = golden();
    let mut manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let runs = manifest["scenarios"].as_array_mut().unwrap();
    for run in runs.iter_mut() {
        run.as_object_mut().unwrap().remove("meetings");
    }
    let run = runs.iter_mut().find(|it| it["scenario"] == "partition-3");
    run.unwrap()["meetings"] = serde_json::json!({
        "converge_ms": 7001, "frame_bytes": 7002, "frames": 7003, "ops": 7004, "partitions": 7005,
        "rolled_back": 7006, "rounds": 7007, "sessions": 7008,
    });
    files.insert(
        "manifest.json".to_owned(),
        manifest.to_string().into_bytes(),
    );
    let told = page(&files);
    for number in 7002..=7008 {
        assert!(
            told.contains(&format!(">7\u{a0}00{}</td>", number % 10)),
            "{number}"
        );
    }
    assert!(told.contains(">7\u{a0}001 ms</td>"));
    let text = manifest.to_string().replace("\"frames\":7003,", "");
    files.insert("manifest.json".to_owned(), text.into_bytes());
    assert!(render(&files).is_err());
}

#[test]
fn the_story_is_told_in_order() {
    let page = page(&golden());
    let mut rest = page.as_str();
    for step in [
        "81 ops of Alice were taken back because of policy admin's revocation of Alice",
        "The project is founded",
        "grants Alice the role editor",
        "24 h",
        "· elsewhere",
        "revokes Alice",
        "The observer meets",
        "taken back",
        "Alice tries to go on",
        "grants Alice the role editor again",
        "Alice and Bob write",
    ] {
        let at = rest.find(step);
        rest = &rest[at.unwrap_or_else(|| panic!("{step} is not told in its place"))..];
    }
}

#[test]
fn what_is_absent_is_said() {
    let mut files = golden();
    let csv = names(&files, ".csv").remove(0);
    files.remove(&csv);
    assert!(page(&files).contains(&format!("this set lacks {csv}")));

    for suffix in ["-timeline.jsonl", "-ops.cborseq"] {
        let mut files = golden();
        for name in names(&files, suffix) {
            files.remove(&name);
        }
        assert!(
            page(&files).contains("its story cannot be told"),
            "{suffix}"
        );
    }

    let manifest = golden().remove("manifest.json").unwrap();
    let bare = Files::from([("manifest.json".to_owned(), manifest)]);
    assert_eq!(render(&bare).unwrap().len(), 4);

    let mut peaceful: serde_json::Value = serde_json::from_slice(&bare["manifest.json"]).unwrap();
    peaceful["scenarios"]
        .as_array_mut()
        .unwrap()
        .retain(|run| run["summary"]["denied"] == 0);
    let bytes = serde_json::to_vec(&peaceful).unwrap();
    let page = page(&Files::from([("manifest.json".to_owned(), bytes)]));
    assert!(page.contains("No scenario of this set denied or refused an op"));

    assert_eq!(
        render(&Files::new()),
        Err(ReportError::Missing {
            file: "manifest.json".to_owned()
        })
    );
}

#[test]
fn hostile_names_are_text() {
    let hostile = "</style><script>alert('x')</script>\"&<img src=//e onerror=1>";
    let mut files = golden();
    let mut manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let mut run = manifest["scenarios"][0].clone();
    run["scenario"] = hostile.into();
    run["summary"]["denied"] = 1.into();
    run["summary"]["applied"] = 0.into();
    manifest["scenarios"].as_array_mut().unwrap().push(run);
    manifest["toolchain"] = hostile.into();
    manifest["audit_head"] = hostile.into();
    files.insert(
        "manifest.json".to_owned(),
        serde_json::to_vec(&manifest).unwrap(),
    );
    files.insert(hostile.to_owned(), b"x".to_vec());
    files.insert(
        "audit.verify.txt".to_owned(),
        format!("verdict: {hostile}\n").into_bytes(),
    );
    let page = page(&files);
    assert!(!page.contains("<script") && !page.contains("<img src=//"));
    assert!(page.contains("&lt;script&gt;alert"));
}

#[test]
fn files_that_contradict_each_other_give_no_report() {
    let check = |suffix: &str, from: &str, to: &str, want: &str| {
        let mut files = golden();
        let name = names(&files, suffix).remove(0);
        let text = String::from_utf8(files.remove(&name).unwrap()).unwrap();
        assert!(text.contains(from), "{name}: {from}");
        files.insert(name.clone(), text.replacen(from, to, 1).into_bytes());
        let error = render(&files).unwrap_err().to_string();
        assert!(error.starts_with(&name) && error.contains(want), "{error}");
    };
    check(".csv", "seed=", "seed=9", "the seed is");
    check(".csv", "step,", "stop,", "the header is another one");
    check(
        "-state.json",
        "ecac-state-v1",
        "ecac-state-v9",
        "the SHA-256 is",
    );
    check(
        "-timeline.jsonl",
        "\"applied\"",
        "\"approved\"",
        "unknown variant",
    );
    check("-timeline.jsonl", "\"op\":\"", "\"op\":\"0", "line 1");
    check("trustview.json", "active", "passive", "the SHA-256 is");
    check(
        "manifest.json",
        "\"format\": 1",
        "\"format\": 2",
        "format `2`",
    );
    check("manifest.json", "\"seed\"", "\"seeds\"", "unknown field");

    let mut files = golden();
    let name = names(&files, "-ops.cborseq").remove(0);
    let bytes = files.get_mut(&name).unwrap();
    bytes.truncate(bytes.len() - 1);
    assert!(matches!(render(&files), Err(ReportError::OpLog { file, .. }) if file == name));
}
