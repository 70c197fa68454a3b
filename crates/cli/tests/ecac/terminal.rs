//! A terminal as standard output.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::fixture::Small;
use crate::run::{command, directory_with, ecac_in, text};

/// Both ends of a terminal of so many columns.
pub(crate) fn terminal(columns: u16) -> (OwnedFd, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("access");
    unlockpt(&master).expect("access");
    let name = ptsname(&master, Vec::new()).expect("a name");
    let flags = OFlags::RDWR | OFlags::NOCTTY;
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
