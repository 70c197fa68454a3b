//! Names that nobody knows, files of others, wrong rights, other writers: one sentence, what to do, and nothing changed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ecac_artifact::exit;
use ecac_core::OpId;
use ecac_store::DurableReplica;

use super::{Person, shop};

/// Every file below the directory with its bytes.
pub(super) fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                left.push(path);
            } else {
                all.push((
                    path.to_string_lossy().into_owned(),
                    fs::read(&path).expect("a file"),
                ));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn names_that_nobody_knows() {
    let (office, _) = shop();
    let before = contents(&office.at("work"));
    let check = |args: &[&str], code: u8, words: &[&str]| office.run(args).fails(code, words);
    check(
        &["revoke", "tim"],
        exit::NOT_FOUND,
        &["\"tim\"", "did you mean \"tom\"?"],
    );
    check(
        &["can", "nobody", "edit", "a", "b"],
        exit::NOT_FOUND,
        &["ecac members"],
    );
    check(&["get", "motor/9"], exit::NOT_FOUND, &["ecac ls"]);
    check(
        &["regrant", "tom"],
        exit::NOT_FOUND,
        &["no grant of theirs was ended"],
    );
    check(&["remove", "motor/7", "parts", "x"], exit::NOT_FOUND, &[]);
    check(&["revoke", "did:key:z6Mk"], exit::USAGE, &["did:key"]);
    check(
        &["set", "", "b", "c"],
        exit::USAGE,
        &["a name is not empty"],
    );
    check(&["set", "a\nb", "b", "c"], exit::USAGE, &["control"]);
    check(&["revoke", "a\u{1b}[2Jb"], exit::NOT_FOUND, &["\\u{1b}[2J"]);
    check(
        &["revoke", "me", "--role", "editor"],
        exit::REFUSED,
        &["count for nothing", "nothing was written"],
    );
    let did = office.json(&["whoami"])["did"]
        .as_str()
        .expect("a did")
        .to_owned();
    check(
        &[
            "add-member",
            &did,
            "--as",
            "x",
            "--role",
            "editor",
            "--scope",
            "repairs",
        ],
        exit::NOT_FOUND,
        &["did you mean \"repair\"?"],
    );
    check(
        &["add-member", &did, "--as", "tom", "--role", "editor"],
        exit::USAGE,
        &["somebody else"],
    );
    for args in [
        &["add-member", &did, "--as", "x", "--role", "edtor"][..],
        &["can", "tom", "edt", "a", "b"],
        &["join", "ecac:join/x"],
        &["init", "x", "--tag", "nonsense"],
    ] {
        let ran = office.run(args);
        assert_eq!(ran.code, Some(exit::USAGE.into()), "{}", ran.stderr);
    }
    assert_eq!(contents(&office.at("work")), before);
}

#[test]
fn no_directory_a_foreign_one_and_one_of_a_newer_version() {
    let person = Person::new();
    for args in [
        &["members"][..],
        &["set", "a", "b", "c"],
        &["log"],
        &["export", "x"],
    ] {
        person.run(args).fails(
            exit::ENVIRONMENT,
            &["there is no project in", "ecac init NAME"],
        );
    }
    fs::create_dir(person.at("work/.ecac")).expect("a directory");
    person
        .run(&["members"])
        .fails(exit::BAD_INPUT, &["config.json"]);
    let config = person.at("work/.ecac/config.json");
    for (bytes, code, word) in [
        (&b""[..], exit::BAD_INPUT, "no JSON"),
        (b"{}", exit::BAD_INPUT, "version"),
        (
            b"{\"version\":3,\"more\":1}",
            exit::ENVIRONMENT,
            "newer version",
        ),
        (b"{\"version\":1}", exit::BAD_INPUT, "project"),
        (b"\xff\xfe", exit::BAD_INPUT, "no JSON"),
    ] {
        fs::write(&config, bytes).expect("a file");
        person.run(&["members"]).fails(code, &[word]);
        assert_eq!(fs::read(&config).expect("the file"), bytes);
    }
    // There is something in the place of a new one.
    person
        .run(&["init", "shop"])
        .fails(exit::ENVIRONMENT, &["exists already"]);
    let named = person.file("elsewhere");
    person
        .run(&["members", "--project-dir", &named])
        .fails(exit::ENVIRONMENT, &["no project"]);
}

#[test]
fn files_that_are_no_op_logs() {
    let (office, _) = shop();
    let before = contents(&office.at("work"));
    let file = office.file("x");
    for bytes in [&b""[..], b"hello", &[0; 4096]] {
        fs::write(&file, bytes).expect("a file");
        office
            .run(&["import", &file])
            .fails(exit::BAD_INPUT, &["read the op log"]);
    }
    office
        .run(&["import", &office.file("gone")])
        .fails(exit::ENVIRONMENT, &["check the path"]);
    office
        .run(&["export", &file])
        .fails(exit::ENVIRONMENT, &["it exists already"]);
    assert_eq!(contents(&office.at("work")), before);
    let store = office.at("work/.ecac/store.redb");
    fs::write(&store, "hello").expect("a file");
    office
        .run(&["members"])
        .fails(exit::BAD_INPUT, &["no store of ECAC"]);
}

#[test]
fn keys_that_others_have_access_to_are_not_used() {
    let (office, _) = shop();
    let key = office.at("home/keys/me.json");
    let mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("rights")
    };
    let set = ["set", "motor/7", "status", "x"];
    for (path, wide, right) in [
        (key.clone(), 0o640, 0o600),
        (office.at("home/keys"), 0o755, 0o700),
        (office.at("home"), 0o711, 0o700),
        (office.at("home/nodes/node.json"), 0o604, 0o600),
    ] {
        assert_eq!(
            fs::metadata(&path)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777,
            right
        );
        mode(&path, wide);
        office
            .run(&set)
            .fails(exit::ENVIRONMENT, &["others than its owner", "chmod"]);
        mode(&path, right);
        office.says(&set);
    }
    let text = fs::read_to_string(&key).expect("a key");
    let seed = text.split("\"seed\":\"").nth(1).expect("a seed")[..64].to_owned();
    for bytes in [
        "",
        "{}",
        &text.replace(&seed, &"0".repeat(64)),
        &text.replace("author", "issuer"),
    ] {
        fs::write(&key, bytes).expect("a file");
        let ran = office.run(&set);
        ran.fails(exit::BAD_INPUT, &["cannot be read"]);
        assert!(!ran.stderr.contains(&seed));
    }
    office
        .run(&["key", "new", "me"])
        .fails(exit::ENVIRONMENT, &["there is a key me already"]);
    fs::write(&key, text).expect("a file");
    for args in [&["key", "list"][..], &["whoami"], &["invite"]] {
        assert!(!office.says(args).contains(&seed));
    }
}

#[test]
fn a_second_writer_is_told_of_the_first() {
    let (office, _) = shop();
    let held = DurableReplica::open(office.at("work/.ecac/store.redb")).expect("a store");
    for args in [
        &["set", "motor/7", "status", "x"][..],
        &["members"],
        &["verify-store"],
    ] {
        office
            .run(args)
            .fails(exit::ENVIRONMENT, &["is in use by", "wait until"]);
    }
    drop(held);
    office.says(&["set", "motor/7", "status", "x"]);
}

#[test]
fn a_restored_backup_signs_nothing_before_it_has_met_a_peer() {
    let (office, van) = shop();
    van.says(&["set", "motor/7", "status", "a"]);
    let backup = contents(&van.at("work/.ecac"));
    van.says(&["set", "motor/7", "status", "b"]);
    van.says(&["set", "motor/7", "status", "c"]);
    van.sends_to(&office);
    let audit = van.at("work/.ecac/audit");
    let store = |it: &&(String, Vec<u8>)| !it.0.starts_with(audit.to_str().expect("a path"));
    for (path, bytes) in backup.iter().filter(store) {
        fs::write(path, bytes).expect("a file");
    }
    van.run(&["set", "motor/7", "status", "d"]).fails(
        exit::VERIFICATION,
        &["a backup was restored", "ecac import"],
    );
    office.sends_to(&van);
    van.says(&["set", "motor/7", "status", "d"]);
    // A log that was cut is noticed by the head that is kept apart.
    for (path, bytes) in &backup {
        fs::write(path, bytes).expect("a file");
    }
    van.run(&["set", "motor/7", "status", "e"]).fails(
        exit::VERIFICATION,
        &["the audit log", "whole batches are missing"],
    );
}

#[test]
fn a_second_directory_of_one_home_signs_no_second_audit_log() {
    let (office, _) = shop();
    let (line, file) = (office.says(&["invite"]), office.file("all.cborseq"));
    office.says(&["export", &file]);
    let again = office.file("again");
    fs::create_dir(&again).expect("a directory");
    office.says(&["join", line.trim(), "--project-dir", &again]);
    let words = ["this machine has signed an audit log", "ECAC_HOME=DIR"];
    office
        .run(&["import", &file, "--project-dir", &again])
        .fails(exit::ENVIRONMENT, &words);
}

#[test]
fn an_invitation_of_another_project_holds_nothing() {
    let (_, van) = shop();
    let other = Person::new();
    let line = format!(
        "ecac:join/{}/{}/x%20y",
        OpId::from_bytes([1; 32]),
        van.json(&["whoami"])["did"].as_str().expect("a did")
    );
    other.says(&["join", &line]);
    other
        .run(&["set", "a", "b", "c"])
        .fails(exit::NOT_FOUND, &["genesis", "ecac import"]);
    other.run(&["invite"]).fails(exit::NOT_FOUND, &["genesis"]);
    other
        .run(&["export", "x"])
        .fails(exit::NOT_FOUND, &["nothing is here yet"]);
    assert!(
        other
            .says(&["whoami"])
            .contains("nothing is granted to you")
    );
    other
        .run(&["join", &line])
        .fails(exit::ENVIRONMENT, &["exists already"]);
}
