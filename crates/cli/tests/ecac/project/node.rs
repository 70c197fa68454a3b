//! `ecac node` and `ecac sync PEER`, with stand-ins for the program `ecac-node`: where it is found, what it is told, and a session
//! that it carries. Nodes over QUIC are tested in `crates/net`, and in the tutorial where that program is built.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use ecac_artifact::exit;
use ecac_core::Replica;
use ecac_project::{FOLDER, Home, KeyName, Project};
use ecac_sync::limits::{VERSION_OF_OLDER, VERSIONS};
use ecac_sync::{Frame, Message, Session};
use tempfile::{TempDir, tempdir};

use super::{Guild, Person, shop};
use crate::run::{Ran, ran, text};

const KEY: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
const PEER: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK@192.0.2.7:4919";

/// A folder with the program, and what else is put there.
struct Installed(TempDir);

impl Installed {
    fn new() -> Self {
        let folder = tempdir().expect("there is room for a directory");
        let (program, here) = (env!("CARGO_BIN_EXE_ecac"), folder.path().join("ecac"));
        fs::hard_link(program, &here)
            .or_else(|_| fs::copy(program, &here).map(drop))
            .expect("the program is put there");
        Self(folder)
    }

    fn with(script: &str) -> Self {
        let installed = Self::new();
        stand_in(installed.0.path(), script);
        installed
    }

    /// Runs the program as the person, with that search path.
    fn run(&self, person: &Person, path: &str, args: &[&str]) -> Ran {
        let output = Command::new(self.0.path().join("ecac"))
            .args(args)
            .current_dir(person.at("work"))
            .env_clear()
            .env("PATH", path)
            .env("RUST_BACKTRACE", "1")
            .env("ECAC_HOME", person.at("home"))
            .env("ECAC_NOW_MS", person.now_ms.get().to_string())
            .output();
        ran(output.expect("the program starts"))
    }
}

/// Puts a program `ecac-node` into the folder. Another process writes it, so that none that a test starts meanwhile holds it open.
fn stand_in(folder: &Path, script: &str) {
    let draft = folder.join("draft");
    fs::write(&draft, format!("#!/bin/sh\n{script}\n")).expect("a draft");
    let installed = Command::new("install")
        .args(["-m", "755"])
        .args([&draft, &folder.join("ecac-node")])
        .status();
    assert!(installed.expect("install starts").success());
}

#[test]
fn without_the_program_of_the_network_it_says_what_to_install() {
    let (office, _) = shop();
    // What lies in the working directory is nobody's.
    stand_in(&office.at("work"), "echo stranger");
    let installed = Installed::new();
    for path in ["/nowhere", ".", "", "relative:", ":/nowhere"] {
        for args in [&["node"][..], &["sync", PEER]] {
            installed
                .run(&office, path, args)
                .fails(exit::ENVIRONMENT, &["ecac-node", "--features quic"]);
        }
    }
    let key = text(installed.run(&office, "", &["node", "key"]).quietly());
    assert!(key.starts_with("did:key:z6Mk"), "{key}");
    assert_eq!(office.json(&["node", "key"])["did"], key.trim());
}

#[test]
fn the_program_beside_comes_first_and_one_of_the_path_is_named() {
    let (office, _) = shop();
    let (installed, elsewhere) = (Installed::new(), tempdir().expect("a directory"));
    stand_in(elsewhere.path(), "echo elsewhere; exit 7");
    let path = format!(".:{}", elsewhere.path().display());
    let ran = installed.run(&office, &path, &["node"]);
    assert_eq!(
        (ran.code, text(ran.stdout)),
        (Some(7), "elsewhere\n".to_owned())
    );
    let place = elsewhere.path().join("ecac-node");
    assert!(
        ran.stderr.contains(&*place.to_string_lossy()),
        "{}",
        ran.stderr
    );
    stand_in(installed.0.path(), "echo beside");
    assert_eq!(
        text(installed.run(&office, &path, &["node"]).quietly()),
        "beside\n"
    );
}

#[test]
fn a_node_is_told_where_everything_is() {
    let (office, _) = shop();
    let installed = Installed::with("printf '%s\\n' \"$@\"");
    let project = office.json(&["status"])["project"].clone();
    let project = project.as_str().expect("an id");
    let work = office.at("work").canonicalize().expect("a directory");
    let told = installed.run(
        &office,
        "",
        &[
            "node",
            "--listen",
            "127.0.0.1:0",
            "--peer",
            PEER,
            "--allow",
            KEY,
            "--every",
            "9",
            "--metrics",
            "127.0.0.1:9100",
            "--project",
            project,
        ],
    );
    let told = text(told.quietly());
    let home = office.file("home");
    let folder = work.join(FOLDER).display().to_string();
    let want = [
        "run",
        "--home",
        &home,
        "--key",
        "node",
        "--store",
        &folder,
        "--project",
        project,
        "--listen",
        "127.0.0.1:0",
        "--every",
        "9",
        "--peer",
        PEER,
        "--allow",
        KEY,
        "--metrics",
        "127.0.0.1:9100",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), want);
    let elsewhere = Person::new();
    let store = office.file("work");
    let named = installed.run(
        &office,
        "",
        &["node", "--store", &store, "--project", project],
    );
    assert!(text(named.quietly()).contains(&store));

    // Another project, and none.
    let other = "00".repeat(32);
    installed
        .run(&office, "", &["node", "--project", &other])
        .fails(exit::BAD_INPUT, &[project, "--store"]);
    installed
        .run(&elsewhere, "", &["node"])
        .fails(exit::ENVIRONMENT, &["no project"]);
    for args in [
        &["--peer", "192.0.2.7:4919"][..],
        &["--listen", "localhost"],
        &["--project", "shop"],
        &["--every", "0"],
        &["--store", ".", "--project-dir", "."],
    ] {
        let args = [&["node"], args].concat();
        let ran = installed.run(&office, "", &args);
        assert_eq!(
            ran.code,
            Some(exit::USAGE.into()),
            "{args:?}: {}",
            ran.stderr
        );
    }
}

/// Reads a frame, if one comes.
fn read(from: &mut File) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("short")];
    from.read_exact(&mut frame).ok()?;
    Some(frame)
}

/// The other end of a session, at the far ends of two pipes; it says that it speaks no version beyond the last.
fn answer(replica: &mut Replica, pipes: &Path, last: u16) {
    let mut from = File::open(pipes.join("there")).expect("a pipe");
    let mut to = File::create(pipes.join("back")).expect("a pipe");
    let mut frame = read(&mut from).expect("a first frame");
    let mut session = Session::answer(replica, &frame, [7; 16], 0).expect("it begins a session");
    loop {
        session.handle(replica, &frame, 0);
        while let Some(frame) = session.frame() {
            let frame = speaking(&frame, last);
            let length = u32::try_from(frame.len()).expect("short").to_be_bytes();
            // Who has ended hears no more.
            let _ = to.write_all(&[&length[..], &frame].concat());
        }
        match read(&mut from) {
            Some(next) => frame = next,
            None => return,
        }
    }
}

/// The frame, but that a greeting in it has no version beyond the last.
fn speaking(frame: &[u8], last: u16) -> Vec<u8> {
    let mut frame = Frame::decode(frame).expect("a session writes frames");
    if let Ok(Message::Hello { versions, project }) = Message::decode(&frame.message) {
        let versions = (versions.0, versions.1.min(last));
        frame.message = Message::Hello { versions, project }.encode();
    }
    frame.encode()
}

/// What the person's store holds, to be taken to the other end of a session.
fn replica_of(person: &Person) -> Replica {
    let home = Home::at(person.at("home"));
    let project = Project::open(&person.at("work").join(FOLDER), &home).expect("a project");
    let durable = project.read().expect("a store");
    let mut replica = Replica::builder().join(durable.project());
    let ops = durable.log().admitted_since(0);
    let envelopes: Vec<Vec<u8>> = ops.map(|op| op.envelope().to_vec()).collect();
    replica.receive(&envelopes);
    replica
}

fn pipes() -> (TempDir, PathBuf) {
    let folder = tempdir().expect("there is room for a directory");
    let path = folder.path().to_owned();
    let pipes = [path.join("there"), path.join("back")];
    let made = Command::new("mkfifo").args(&pipes).status();
    assert!(made.expect("mkfifo starts").success());
    (folder, path)
}

/// What `ecac sync PEER` of the person prints where that replica answers.
fn meet(person: &Person, there: &mut Replica, args: &[&str]) -> Vec<u8> {
    session(person, there, args, VERSIONS.1).ok()
}

/// How `ecac sync PEER` of the person ends where that replica answers, in a version that is not beyond the last.
fn session(person: &Person, there: &mut Replica, args: &[&str], last: u16) -> Ran {
    let (_folder, pipes) = pipes();
    let at = pipes.display();
    let installed = Installed::with(&format!(
        "printf '\\0\\0\\0\\0'; cat '{at}/back' & exec cat > '{at}/there'"
    ));
    let args = [&["sync", PEER], args].concat();
    thread::scope(|scope| {
        scope.spawn(|| answer(there, &pipes, last));
        installed.run(person, "/usr/bin:/bin", &args)
    })
}

#[test]
fn a_session_with_a_peer_is_told_as_an_import_is() {
    let (office, van) = shop();
    van.says(&["set", "motor/7", "status", "repaired"]);
    office.says(&["set", "bill/1", "sum", "120"]);
    let mut there = replica_of(&van);
    let sync = |there: &mut Replica, args: &[&str]| meet(&office, there, args);
    let came: serde_json::Value =
        serde_json::from_slice(&sync(&mut there, &["--json"])).expect("JSON");
    assert_eq!(came["counts"]["applied"], 1, "{came}");
    assert_eq!(came["peer"]["node"], KEY, "{came}");
    assert_eq!(came["peer"]["address"], "192.0.2.7:4919", "{came}");
    assert_eq!(came["peer"]["ops_received"], 1, "{came}");
    assert_eq!(came["peer"]["ops_sent"], 1, "{came}");
    super::documented(&came, "ecac-sync-v1");
    assert_eq!(office.field("motor/7", "status"), "repaired");
    let state = office.json(&["verify-store"])["state"].clone();
    assert_eq!(state, hex::encode(there.state_digest()));
    let nothing = text(sync(&mut there, &[]));
    assert!(
        nothing.starts_with("received 0 ops, sent 0 ops\nnothing came"),
        "{nothing}"
    );
}

#[test]
fn a_session_says_what_one_side_lacks_and_the_other_has_dropped() {
    let guild = Guild::found();
    guild.seals_three_writes();
    let van = &guild.van;
    let mut full = replica_of(van);
    let old = full.project();
    let mut pruned = replica_of(van);
    assert_eq!(pruned.prune().expect("it can").ops, 2);
    // Cid has been away since before the writes.
    let cid = &guild.cat;
    let told = text(meet(cid, &mut pruned, &[]));
    assert!(told.contains("\n2 ops were dropped there, and "), "{told}");
    let came: serde_json::Value =
        serde_json::from_slice(&meet(cid, &mut pruned, &["--json"])).expect("JSON");
    assert_eq!(came["peer"]["ops_gone"], 2, "{came}");
    assert!(came["peer"]["ops_held_back"].as_u64() > Some(0), "{came}");
    // From somebody who has every envelope they come, and the other way round it is said too.
    meet(cid, &mut full, &[]);
    cid.says(&["prune", "--yes"]);
    let mut newcomer = Replica::builder().join(old);
    let told = text(meet(cid, &mut newcomer, &[]));
    assert!(
        told.contains("\n2 ops that the peer lacks were dropped here"),
        "{told}"
    );
}

#[test]
fn what_was_dropped_comes_back_from_a_peer() {
    let guild = Guild::found();
    guild.seals_three_writes();
    let van = &guild.van;
    let mut full = replica_of(van);
    let mut pruned = replica_of(van);
    assert_eq!(pruned.prune().expect("it can").ops, 2);
    let told = text(meet(van, &mut full, &["--older"]));
    assert!(told.contains("\nnothing is dropped here"), "{told}");
    van.says(&["prune", "--yes"]);
    // From who has dropped them too they do not, nor from a program that cannot be asked.
    let told = text(meet(van, &mut pruned, &["--older"]));
    let none = "\n0 of 2 ops that had been dropped came back; 2 are not there";
    assert!(told.contains(none), "{told}");
    let unasked = session(van, &mut full, &["--older"], VERSION_OF_OLDER - 1);
    let note = unasked.stderr.clone();
    assert!(note.contains("too old to be asked"), "{note}");
    assert!(text(unasked.ok()).contains(none));
    // Nobody takes them back who does not say so.
    assert!(!text(meet(van, &mut full, &[])).contains("dropped"));
    assert_eq!(van.json(&["verify-store"])["dropped"], 2);
    let back: serde_json::Value =
        serde_json::from_slice(&meet(van, &mut full, &["--older", "--json"])).expect("JSON");
    super::documented(&back, "ecac-sync-v1");
    let want = serde_json::json!({"dropped": 2, "regained": 2, "left": 0});
    assert_eq!(back["older"], want, "{back}");
    assert_eq!(van.json(&["verify-store"])["dropped"], 0);
    for command in ["check", "audit-verify"] {
        van.run(&[command]).ok();
    }
}

#[test]
fn a_command_waits_for_a_session_and_not_for_ever() {
    let (office, _) = shop();
    let node: KeyName = "node".parse().expect("a name");
    let project = Project::open(
        &office.at("work").join(FOLDER),
        &Home::at(office.at("home")),
    );
    let project = project.expect("a project");
    let writer = project.write(&node).expect("nobody holds the store");
    let session = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        writer.close().expect("the session ends");
    });
    office.says(&["set", "bill/1", "sum", "120"]);
    session.join().expect("no panic");
    let writer = project.write(&node).expect("nobody holds the store");
    office
        .run(&["status"])
        .fails(exit::ENVIRONMENT, &["the other process"]);
    drop(writer);
}

#[test]
fn who_carries_badly_harms_nobody() {
    let (office, _) = shop();
    let before = office.json(&["verify-store"])["state"].clone();
    for (script, word) in [
        ("exit 0", "nobody answers"),
        (
            "echo 'error: failed to connect: refused' >&2; exit 3",
            "connect: refused",
        ),
        ("printf 'error: a\\033[2Jb\\n' >&2; exit 3", "a\\u{1b}[2Jb"),
        ("yes | head -c 100000 >&2; exit 3", "y"),
        ("echo hello", "nobody answers"),
        ("printf '\\0\\0\\0\\0'", "the connection has ended"),
        (
            "printf '\\0\\0\\0\\0\\377\\377\\377\\377'",
            "the connection has ended",
        ),
        (
            "printf '\\0\\0\\0\\0\\0\\0\\0\\3abc'",
            "the connection has ended",
        ),
    ] {
        let installed = Installed::with(script);
        let ran = installed.run(&office, "/usr/bin:/bin", &["sync", PEER]);
        ran.fails(exit::ENVIRONMENT, &[word, KEY]);
    }
    assert_eq!(office.json(&["verify-store"])["state"], before);
    let node: KeyName = "node".parse().expect("a name");
    let project = Project::open(
        &office.at("work").join(FOLDER),
        &Home::at(office.at("home")),
    );
    project
        .expect("a project")
        .write(&node)
        .expect("nobody holds the store");
}
