//! What is confidential shows nowhere but where somebody asked for it: files, messages, exports, key files, recorded views.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ecac_artifact::exit;
use serde_json::Value as Json;

use super::Person;
use super::hostile::contents;
use super::review::typed;
use super::secrets::{reader, staff};
use crate::run::text;

#[test]
fn nothing_of_a_plaintext_is_in_any_file_or_message() {
    let (ann, tom) = staff();
    let eve = reader(&ann, "eve");
    // Beginnings of them are too short for a test that would mean something.
    let secrets = [
        "xylophone-4711-gold",
        "quartz-in-the-attic",
        "mango-by-midnight",
    ];
    let mut printed = Vec::new();
    let mut run = |person: &Person, args: &[&str]| {
        let ran = person.run(args);
        printed.push((args.join(" "), ran.stdout));
        printed.push((args.join(" "), ran.stderr.into_bytes()));
    };
    run(&ann, &["audit", "views", "on"]);
    run(&ann, &["set", "staff/7", "salary", secrets[0]]);
    run(
        &ann,
        &["add", "staff/7", "notes", "a", secrets[1], "--json"],
    );
    run(&tom, &["set", "staff/7", "salary", secrets[2]]);
    run(&ann, &["revoke", "tom", "--yes"]);
    run(&ann, &["set", "staff/7", "salary", secrets[2], "--json"]);
    for person in [&tom, &eve] {
        run(&ann, &["export", &person.file("all.cborseq"), "--force"]);
        run(person, &["import", &person.file("all.cborseq"), "--json"]);
        run(person, &["import", &person.file("all.cborseq")]);
    }
    // Refused: he is out. Refused: the value is longer than any.
    run(&tom, &["set", "staff/7", "salary", secrets[0]]);
    let long = secrets[0].repeat(4000);
    run(&ann, &["set", "staff/7", "salary", &long]);
    run(&ann, &["log"]);
    run(&ann, &["log", "--json"]);
    run(&ann, &["keys"]);
    run(&ann, &["decisions"]);
    run(&ann, &["dump-state-json"]);
    run(&ann, &["dump-state-json", "--reveal"]);
    run(&ann, &["audit-verify"]);
    run(&ann, &["snapshot"]);
    run(&ann, &["rotate", "hr"]);
    let opened = eve.says(&["get", "staff/7"]);
    assert!(
        opened.contains(secrets[1]) && opened.contains(secrets[2]),
        "{opened}"
    );
    assert!(ann.says(&["get", "staff/7"]).contains(secrets[2]));

    let holds = |bytes: &[u8], secret: &str| {
        let is_there = |part: &[u8]| bytes.windows(part.len()).any(|it| it == part);
        let hex = hex::encode(secret);
        is_there(secret.as_bytes()) || is_there(hex.as_bytes())
    };
    let (mut files, mut all) = (0, printed);
    for person in [&ann, &tom, &eve] {
        let found = contents(person.directory.path());
        files += found.len();
        all.extend(found);
    }
    assert!(files > 25, "{files}");
    // The search finds what is not hidden.
    assert!(all.iter().any(|(_, bytes)| holds(bytes, "staff/7")));
    for (what, bytes) in &all {
        for secret in secrets {
            assert!(!holds(bytes, secret), "{what} has {secret}");
        }
    }
}

#[test]
fn a_reader_key_that_others_can_read_is_not_used() {
    let (ann, _) = staff();
    ann.says(&["set", "staff/7", "salary", "4711"]);
    ann.says(&["set", "motor/7", "status", "sold"]);
    let file = ann.at("home/readers/x25519/me.json");
    let mode = |mode| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("rights");
    };
    let rights = fs::metadata(&file).expect("the key").permissions().mode();
    assert_eq!(rights & 0o777, 0o600);
    mode(0o644);
    for args in [
        &["get", "staff/7"][..],
        &["get", "staff/7", "--json"],
        &["set", "staff/7", "salary", "4712"],
        &["add", "staff/7", "notes", "a", "b"],
        &["rotate", "hr"],
        &["keys"],
        &["keys", "publish"],
        &["dump-state-json", "--reveal", "--yes"],
        &["key", "list"],
    ] {
        let ran = ann.run(args);
        ran.fails(
            exit::ENVIRONMENT,
            &["others than its owner", "mode 644", "chmod 600"],
        );
    }
    // What is not confidential needs no reader key.
    ann.says(&["get", "motor/7"]);
    ann.says(&["set", "motor/7", "status", "back"]);
    mode(0o600);
    assert_eq!(ann.field("staff/7", "salary"), 4711);
    let folder = ann.at("home/readers");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("rights");
    ann.run(&["get", "staff/7"])
        .fails(exit::ENVIRONMENT, &["mode 755"]);
}

#[test]
fn exports_stay_sealed_unless_somebody_says_yes() {
    let (ann, _) = staff();
    ann.says(&["set", "staff/7", "salary", "4711 a month"]);
    let sealed = ann.says(&["dump-state-json"]);
    assert!(sealed.contains("\"sealed\"") && !sealed.contains("4711 a month"));
    ann.run(&["dump-state-json", "--reveal"])
        .fails(exit::USAGE, &["--yes"]);
    let (code, shown) = typed(&ann, &["dump-state-json", "--reveal"], "no\n");
    assert_eq!(code, Some(exit::REFUSED.into()), "{shown}");
    assert!(shown.contains("Show what is confidential?") && !shown.contains("4711 a month"));
    let (code, shown) = typed(&ann, &["dump-state-json", "--reveal"], "yes\n");
    assert!(code == Some(0) && shown.contains("4711 a month"), "{shown}");
    let file = ann.file("state.json");
    let ran = ann.run(&["dump-state-json", "--reveal", "--yes", "--out", &file]);
    ran.ok();
    let rights = fs::metadata(&file).expect("the state").permissions().mode();
    assert_eq!(rights & 0o777, 0o600);
    let state = fs::read(&file).expect("the state");
    let state: Json = serde_json::from_slice(&state).expect("JSON");
    let salary = &state["objects"]["staff/7"]["fields"]["salary"];
    assert_eq!(salary["value"], "4711 a month");
    assert_eq!(salary["winners"][0]["value"], "4711 a month");
    assert_eq!(state["format"], "ecac-revealed-state-v1");
    let log = ann.file("all.cborseq");
    ann.says(&["export", &log]);
    ann.run(&["dump-state-json", &log, "--reveal", "--yes"]);
    let sealed = ann.says(&["dump-state-json", &log]);
    assert!(!sealed.contains("4711 a month"));
}

#[test]
fn what_was_opened_is_recorded_where_that_is_asked_for() {
    let (ann, _) = staff();
    let op = ann.op(&["set", "staff/7", "salary", "4711 a month"]);
    ann.says(&["set", "motor/7", "status", "sold"]);
    ann.says(&["get", "staff/7"]);
    let views = || {
        let checked = text(ann.run(&["audit-verify"]).quietly());
        assert!(checked.contains("verdict: OK\n"), "{checked}");
        let line = checked.lines().find_map(|it| it.strip_prefix("viewed: "));
        line.expect("a line").to_owned()
    };
    assert_eq!(views(), "0");
    let version = || {
        let config = fs::read(ann.at("work/.ecac/config.json")).expect("a file");
        let config: Json = serde_json::from_slice(&config).expect("JSON");
        config["version"].clone()
    };
    assert_eq!(
        (version(), ann.json(&["audit", "views"])["views"].clone()),
        (1.into(), false.into())
    );
    ann.says(&["audit", "views", "on"]);
    assert_eq!(version(), 2);
    ann.says(&["get", "motor/7"]);
    assert_eq!(views(), "0");
    ann.says(&["get", "staff/7"]);
    assert_eq!(views(), "1");
    ann.json(&["get", "staff/7"]);
    ann.run(&["dump-state-json", "--reveal", "--yes"]).ok();
    assert_eq!(views(), "3");
    let op = op.parse().expect("an id");
    let digest = view_of(&op);
    let segments = contents(&ann.at("work/.ecac/audit"));
    let all: Vec<u8> = segments.into_iter().flat_map(|(_, bytes)| bytes).collect();
    let all = String::from_utf8_lossy(&all);
    assert_eq!(all.matches(&digest).count(), 3);
    assert!(!all.contains("4711 a month"));
    ann.says(&["audit", "views", "off"]);
    ann.says(&["get", "staff/7"]);
    assert_eq!((views().as_str(), version()), ("3", 1.into()));
    // Work goes on after it.
    ann.says(&["set", "staff/7", "salary", "4712"]);
    assert_eq!(views(), "3");
}

/// SHA-256 of `ECAC_VIEW_V1` and the id of the op, in hexadecimal.
fn view_of(op: &ecac_core::OpId) -> String {
    use sha2::{Digest as _, Sha256};
    let bytes = [b"ECAC_VIEW_V1".as_slice(), op.as_bytes()].concat();
    hex::encode(Sha256::digest(bytes))
}
