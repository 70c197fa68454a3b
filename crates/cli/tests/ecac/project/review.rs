//! `ecac endorse` on a terminal: looking through what was taken back, and answering.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use serde_json::Value as Json;

use super::{Person, shop};
use crate::run::{command, text};
use crate::terminal::terminal;

/// Runs the program on a terminal, and types these lines; gives back the exit code and what the terminal showed.
pub(super) fn typed(person: &Person, args: &[&str], lines: &str) -> (Option<i32>, String) {
    let (master, slave) = terminal(200);
    let end = || Stdio::from(slave.try_clone().expect("the other end"));
    let mut program = command();
    program
        .args(args)
        .current_dir(person.at("work"))
        .env("ECAC_HOME", person.at("home"))
        .env("ECAC_NOW_MS", person.now_ms.get().to_string())
        .env("NO_COLOR", "1")
        .env_remove("ECAC_DIR")
        .stdin(end())
        .stdout(end())
        .stderr(end());
    let mut child = program.spawn().expect("the program starts");
    drop(program);
    drop::<OwnedFd>(slave);
    let mut master = File::from(master);
    master.write_all(lines.as_bytes()).expect("a terminal");
    let mut shown = Vec::new();
    // At the end of its other end, a terminal is an error on Linux and the end of a file elsewhere.
    let _ = master.read_to_end(&mut shown);
    let code = child.wait().expect("the program ends").code();
    (code, text(shown).replace("\r\n", "\n"))
}

fn taken_back(person: &Person) -> usize {
    let list: Json = person.json(&["endorse", "--list"]);
    list["taken_back"].as_array().expect("ops").len()
}

#[test]
fn somebody_looks_through_what_was_taken_back_and_chooses() {
    let (office, van) = shop();
    for (object, value) in [
        ("motor/7", "a"),
        ("motor/7", "b"),
        ("motor/8", "c"),
        ("motor/9", "d"),
    ] {
        van.says(&["set", object, "status", value]);
    }
    office.says(&["set", "motor/8", "status", "here"]);
    office.says(&["revoke", "tom", "--yes"]);
    van.sends_to(&office);
    assert_eq!(taken_back(&office), 4);
    let (code, shown) = typed(&office, &["endorse"], "q\n");
    assert_eq!(code, Some(ecac_artifact::exit::REFUSED.into()), "{shown}");
    assert!(shown.contains("1 of 3: by tom in \"motor/7\""), "{shown}");
    assert!(
        shown.contains("Give 2 ops back?") && shown.contains("you chose nothing"),
        "{shown}"
    );
    let (code, shown) = typed(&office, &["endorse", "--object", "motor/8"], "what\ny\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("that is none of the answers") && shown.contains("\"here\""),
        "{shown}"
    );
    assert_eq!(taken_back(&office), 3);
    // Of the first group one by itself, none of the second.
    let (code, shown) = typed(&office, &["endorse"], "e\nn\ny\nn\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("1 op given back"), "{shown}");
    assert_eq!(taken_back(&office), 2);
    assert_eq!(office.field("motor/7", "status"), "b");
}
