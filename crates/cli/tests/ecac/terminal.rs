//! A terminal as standard output.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Replica, SigningKey, Value, public_key};
use rustix::fs::{Mode, OFlags};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use tempfile::tempdir;

use crate::fixture::{START_MS, Small, name};
use crate::run::{command, directory_with, ecac_in, text};

/// Both ends of a terminal of so many columns.
pub(crate) fn terminal(columns: u16) -> (OwnedFd, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("access");
    unlockpt(&master).expect("access");
    let name = ptsname(&master, Vec::new()).expect("a name");
    // A process that goes on beside the one that is watched holds neither end open.
    fcntl_setfd(&master, FdFlags::CLOEXEC).expect("a flag");
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(name, flags, Mode::empty()).expect("the other end");
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&slave, size).expect("a size");
    (master, slave)
}

#[test]
fn a_table_fits_the_terminal() {
    let directory = directory_with("ops", &Small::new().clean());
    for columns in [60, 80, 132, 400] {
        let (master, slave) = terminal(columns);
        let mut child = command()
            .args(["log", "ops"])
            .current_dir(directory.path())
            .stdout(Stdio::from(slave))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut shown = Vec::new();
        // At the end of its other end, a terminal is an error on Linux and the end of a file elsewhere.
        let _ = File::from(master).read_to_end(&mut shown);
        assert!(child.wait().unwrap().success());
        let shown = text(shown).replace("\r\n", "\n");
        let width = columns.to_string();
        let args = ["log", "ops", "--width", &width];
        let want = text(ecac_in(directory.path(), args).quietly());
        assert_eq!(shown, want, "{columns}");
    }
    let whole = text(ecac_in(directory.path(), ["log", "ops"]).quietly());
    let wide = text(ecac_in(directory.path(), ["log", "ops", "--width", "400"]).quietly());
    let narrow = text(ecac_in(directory.path(), ["log", "ops", "--width", "80"]).quietly());
    assert_eq!(wide, whole);
    assert_ne!(narrow, whole);
}

#[test]
fn a_terminal_has_colours_unless_no_color_is_set() {
    let directory = directory_with("ops", b"hello");
    let run = |no_color: Option<&str>, args: &[&str]| {
        let (master, slave) = terminal(200);
        let mut program = command();
        program.args(args).current_dir(directory.path());
        program.env("TERM", "xterm").env_remove("NO_COLOR");
        if let Some(value) = no_color {
            program.env("NO_COLOR", value);
        }
        let mut child = program
            .stderr(Stdio::from(slave))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        drop(program);
        let mut shown = Vec::new();
        let _ = File::from(master).read_to_end(&mut shown);
        child.wait().unwrap();
        text(shown).contains("\u{1b}[31merror:")
    };
    assert!(run(None, &["log", "ops"]));
    assert!(run(Some(""), &["log", "ops"]));
    assert!(!run(Some("1"), &["log", "ops"]));
    assert!(!run(None, &["log", "ops", "--color", "never"]));
    assert!(run(Some("1"), &["log", "ops", "--color=always"]));
}

/// The envelopes of a project with so many writes, one after the other, and the line by which it is joined.
fn long_log(writes: u64) -> (Vec<u8>, String) {
    let key = SigningKey::from([3; 32]);
    let genesis = Genesis {
        name: name("long"),
        nonce: [0; 16],
        roots: BTreeSet::from([public_key(&key)]),
        schema: BTreeSet::new(),
        features: BTreeMap::new(),
    };
    let mut replica = Replica::create(genesis, &key, START_MS).expect("a genesis");
    for number in 0..writes {
        let value = Value::Text(number.to_string());
        let write = SetField::new("motor/7", "status", value).expect("a write");
        let written = replica.author(write, &key, START_MS + number);
        assert!(written.is_ok());
    }
    let line = format!("ecac:join/{}/{}/long", replica.project(), public_key(&key));
    (
        replica.envelopes().flat_map(|it| it.to_vec()).collect(),
        line,
    )
}

#[test]
fn long_work_says_how_far_it_is_where_somebody_looks() {
    let directory = tempdir().expect("there is room for a directory");
    let (log, line) = long_log(2_100);
    fs::write(directory.path().join("long.cborseq"), log).expect("a file");
    let program = |args: &[&str]| {
        let mut program = command();
        program.args(args).current_dir(directory.path());
        program.env("ECAC_HOME", directory.path().join("home"));
        program
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        program
    };
    assert!(
        program(&["join", &line])
            .status()
            .expect("it runs")
            .success()
    );
    for (args, words) in [
        (&["import", "long.cborseq"][..], "looking at 2,101 ops"),
        (&["verify-store"], "/2,101 ops"),
        (&["export", "all.cborseq", "--force"], "exporting ["),
        // Once more, and nobody looks.
        (&["import", "long.cborseq"], ""),
        (&["verify-store"], ""),
        (&["export", "all.cborseq", "--force"], ""),
    ] {
        if words.is_empty() {
            let output = program(args).stderr(Stdio::piped()).output();
            let output = output.expect("it runs");
            assert!(output.status.success());
            assert_eq!(text(output.stderr), "", "{args:?}");
            continue;
        }
        let (master, slave) = terminal(100);
        let mut started = program(args);
        let mut child = started
            .stderr(Stdio::from(slave))
            .spawn()
            .expect("it starts");
        drop(started);
        let mut shown = Vec::new();
        let _ = File::from(master).read_to_end(&mut shown);
        assert!(child.wait().expect("it ends").success());
        let shown = text(shown);
        assert!(shown.contains(words), "{args:?}: {shown:?}");
    }
}
