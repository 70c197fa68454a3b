//! Confidential tags: who reads what, who does not, and where nothing of it is found.

use std::fs;
use std::path::Path;

use ecac_artifact::exit;
use serde_json::Value as Json;

use super::Person;
use crate::run::{command, text};

/// A founder, and an editor of the confidential tag who has published no reader key yet.
pub(super) fn staff() -> (Person, Person) {
    let ann = Person::new();
    ann.says(&[
        "init",
        "motor shop",
        "--tag",
        "staff/*.*=hr",
        "--tag",
        "motor/*.*=repair",
        "--confidential",
        "hr",
    ]);
    let tom = newcomer(&ann, "tom", "editor");
    (ann, tom)
}

/// Somebody who joins with a role over the confidential tag, and has what the office has.
pub(super) fn newcomer(ann: &Person, name: &str, role: &str) -> Person {
    let person = Person::new();
    let line = ann.says(&["invite"]);
    let joined = person.json(&["join", line.trim(), "--call", "ann"]);
    let did = joined["did"].as_str().expect("a did");
    let granted = ["--as", name, "--role", role, "--scope", "hr"];
    ann.says(&[&["add-member", did][..], &granted].concat());
    ann.sends_to(&person);
    person
}

/// The same, who has published a reader key of which the office knows.
pub(super) fn reader(ann: &Person, name: &str) -> Person {
    let person = newcomer(ann, name, "reader");
    person.says(&["keys", "publish"]);
    person.sends_to(ann);
    person
}

/// What a field of `staff/7` shows in a table.
fn shown(person: &Person, field: &str) -> String {
    let table = person.says(&["get", "staff/7", field]);
    let row = table.lines().nth(1).expect("a row");
    row.split_whitespace().skip(3).collect::<Vec<_>>().join(" ")
}

fn is_redacted(person: &Person, field: &str) -> bool {
    let shown = shown(person, field);
    let is = shown.starts_with("<redacted: no key of hr since 2026-01-01T08:");
    assert!(is || shown.starts_with('"'), "{shown}");
    is
}

/// The kinds of the ops that a write took, the write last.
fn kinds(printed: &str) -> Vec<&str> {
    let lines = printed.lines();
    lines
        .filter_map(|it| it.split_whitespace().nth(1))
        .collect()
}

#[test]
fn a_write_is_sealed_and_opened_by_who_was_given_the_key() {
    let (ann, tom) = staff();
    let printed = ann.says(&["set", "staff/7", "salary", "4711 a month"]);
    assert_eq!(kinds(&printed), ["KeyRotate", "KeyGrant", "SetFieldSealed"]);
    let printed = ann.says(&["set", "staff/7", "grade", "seven"]);
    assert_eq!(kinds(&printed), ["SetFieldSealed"]);
    let printed = ann.says(&["set", "motor/7", "status", "repaired"]);
    assert_eq!(kinds(&printed), ["SetField"]);
    ann.says(&["add", "staff/7", "awards", "gold", "of 1999"]);
    assert_eq!(shown(&ann, "salary"), "\"4711 a month\"");
    assert_eq!(ann.field("staff/7", "grade"), "seven");

    // Nobody could give Tom a key: he has published none to seal it to.
    ann.says(&["export", &tom.file("mail.cborseq"), "--force"]);
    let came = tom.run(&["import", &tom.file("mail.cborseq")]);
    assert!(
        came.stderr.contains("`ecac keys publish`"),
        "{}",
        came.stderr
    );
    for field in ["salary", "grade", "awards"] {
        assert!(is_redacted(&tom, field), "{field}");
    }
    let document = tom.json(&["get", "staff/7"]);
    let salary = &document["fields"]["salary"];
    assert_eq!(salary["redacted"]["tags"][0], "hr");
    assert_eq!(salary["value"]["sealed"]["key"], salary["redacted"]["key"]);
    assert_eq!(
        document["sets"]["awards"]["gold"]["redacted"]["tags"][0],
        "hr"
    );

    tom.says(&["keys", "publish"]);
    assert!(tom.says(&["keys", "publish"]).contains("already"));
    tom.says(&["export", &ann.file("mail.cborseq"), "--force"]);
    let came = ann.run(&["import", &ann.file("mail.cborseq")]);
    assert!(
        came.stderr.contains("`ecac keys give tom`"),
        "{}",
        came.stderr
    );
    let given = ann.json(&["keys", "give", "tom", "--preview"]);
    assert_eq!(given["keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(ann.json(&["keys", "give", "tom"])["keys"], given["keys"]);
    ann.run(&["keys", "give", "tom"])
        .fails(exit::REFUSED, &["lacks"]);
    ann.sends_to(&tom);
    assert_eq!(shown(&tom, "salary"), "\"4711 a month\"");
    assert_eq!(
        tom.json(&["get", "staff/7"])["sets"]["awards"]["gold"]["value"],
        "of 1999"
    );

    // Tom writes under the same key.
    assert_eq!(
        kinds(&tom.says(&["set", "staff/7", "salary", "4712"])),
        ["SetFieldSealed"]
    );
    tom.sends_to(&ann);
    assert_eq!(ann.field("staff/7", "salary"), 4712);
}

#[test]
fn a_newcomer_gets_the_past_unless_told_otherwise() {
    let (ann, _) = staff();
    ann.says(&["set", "staff/7", "first", "one"]);
    for _ in 0..17 {
        ann.says(&["rotate", "hr"]);
    }
    ann.says(&["set", "staff/7", "second", "two"]);
    let eve = reader(&ann, "eve");
    // More ops than one transaction takes.
    let printed = ann.says(&["set", "staff/7", "third", "three"]);
    assert_eq!(kinds(&printed).len(), 19, "{printed}");
    ann.sends_to(&eve);
    for (field, value) in [("first", "one"), ("second", "two"), ("third", "three")] {
        assert_eq!(eve.field("staff/7", field), value);
    }

    let fay = reader(&ann, "fay");
    let written = ann.json(&["set", "staff/7", "fourth", "four", "--from-here-on"]);
    assert_eq!(written["with"].as_array().map(Vec::len), Some(1));
    ann.says(&["set", "staff/7", "fifth", "five"]);
    ann.sends_to(&fay);
    assert!(is_redacted(&fay, "first") && !is_redacted(&fay, "fourth"));
    assert!(!is_redacted(&fay, "fifth"));
    let checked = text(ann.run(&["audit-verify"]).quietly());
    assert!(checked.contains("verdict: OK\n"), "{checked}");
}

#[test]
fn a_revoked_reader_cannot_read_what_comes_after() {
    let (ann, tom) = staff();
    let eve = reader(&ann, "eve");
    tom.says(&["keys", "publish"]);
    tom.sends_to(&ann);
    ann.says(&["set", "staff/7", "before", "old news"]);
    ann.sends_to(&tom);
    ann.sends_to(&eve);
    assert_eq!(shown(&tom, "before"), "\"old news\"");
    let states = |who: &str| -> (Json, Json) {
        let document = ann.json(&["keys"]);
        let readers = document["readers"].as_array().expect("readers").iter();
        let row = readers.into_iter().find(|it| it["reader"]["name"] == who);
        let row = row.expect("a row").clone();
        (row["may_read"].clone(), row["held"].clone())
    };
    assert_eq!(states("tom"), (true.into(), 1.into()));

    ann.says(&["revoke", "tom", "--yes"]);
    assert_eq!(states("tom"), (false.into(), 1.into()));
    let table = ann.says(&["keys"]);
    assert!(
        table.contains("out (revoked): reads nothing new"),
        "{table}"
    );
    assert!(table.contains("ended: somebody who holds it"), "{table}");
    // A key is made by the way, and Tom is given none: not of what is new, not of anything.
    let printed = ann.says(&["set", "staff/7", "after", "new secret"]);
    assert_eq!(kinds(&printed), ["KeyRotate", "KeyGrant", "SetFieldSealed"]);
    ann.says(&["set", "staff/7", "before", "newer secret"]);
    ann.run(&["keys", "give", "tom"]).fails(exit::REFUSED, &[]);
    for person in [&tom, &eve] {
        ann.sends_to(person);
    }
    assert!(is_redacted(&tom, "after") && is_redacted(&tom, "before"));
    assert_eq!(shown(&eve, "after"), "\"new secret\"");
    // With all that he has, he reads what he could read before, and writes nothing: not before the revocation has come by his clock,
    // and not then.
    tom.run(&["set", "staff/7", "after", "late secret"])
        .fails(exit::REFUSED, &["count for nothing: revoked by"]);
    tom.now_ms.set(ann.now_ms.get());
    let ran = tom.run(&["set", "staff/7", "after", "forged secret"]);
    ran.fails(exit::REFUSED, &["revoked"]);
    assert!(!ran.stderr.contains("forged"), "{}", ran.stderr);
    assert_eq!(states("eve"), (true.into(), 2.into()));
}

/// A program that has read a secret and crashes leaves no image of its memory.
#[cfg(target_os = "linux")]
#[test]
fn no_core_is_dumped() {
    use std::process::Stdio;
    let ann = Person::new();
    let mut waiting = command()
        .args(["set", "staff/7", "salary", "--stdin"])
        .current_dir(ann.at("work"))
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let path = format!("/proc/{}/limits", waiting.id());
    let mut is_off = false;
    for _ in 0..200 {
        let limits = fs::read_to_string(&path).expect("it waits for standard input");
        let core = limits
            .lines()
            .find(|it| it.starts_with("Max core file size"));
        let mut words = core.expect("a limit").split_whitespace().skip(4);
        is_off = words.next() == Some("0") && words.next() == Some("0");
        if is_off {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    drop(waiting.stdin.take());
    waiting.wait().expect("it ends");
    assert!(is_off, "the soft and the hard limit are zero");
}

#[test]
fn a_key_is_rotated_by_hand_and_a_lost_reader_key_is_replaced() {
    let (ann, tom) = staff();
    tom.says(&["keys", "publish"]);
    tom.sends_to(&ann);
    ann.says(&["set", "staff/7", "salary", "4711"]);
    let would = ann.json(&["rotate", "hr", "--preview"]);
    assert_eq!(would["keys"][0]["readers"], 2);
    let rotated = ann.json(&["rotate", "hr"]);
    assert_eq!(rotated["keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(rotated["keys"][0]["tags"][0], "hr");
    let keys = ann.json(&["keys"]);
    assert_eq!(keys["keys"][1]["key"], rotated["keys"][0]["key"]);
    assert_eq!(keys["keys"][1]["here"], true);
    assert!(ann.says(&["keys"]).contains("replaced by a later one"));
    ann.run(&["rotate", "hrr"])
        .fails(exit::NOT_FOUND, &["did you mean \"hr\"?"]);
    ann.run(&["rotate", "repair"]).fails(exit::NOT_FOUND, &[]);
    ann.sends_to(&tom);
    tom.says(&["set", "staff/7", "salary", "4712"]);
    tom.says(&["set", "staff/7", "grade", "seven"]);
    tom.sends_to(&ann);
    tom.run(&["rotate", "hr", "--preview"]).ok();

    fs::remove_file(tom.at("home/readers/x25519/me.json")).expect("the key");
    assert!(is_redacted(&tom, "salary"));
    tom.says(&["keys", "publish"]);
    tom.sends_to(&ann);
    ann.says(&["rotate", "hr"]);
    ann.says(&["set", "staff/7", "salary", "4713"]);
    ann.sends_to(&tom);
    assert_eq!(tom.field("staff/7", "salary"), 4713);
    assert!(is_redacted(&tom, "grade"));
    ann.run(&["keys", "give", "tom"]).fails(exit::REFUSED, &[]);
    let given = ann.json(&["keys", "give", "tom", "--again"]);
    assert_eq!(given["keys"].as_array().map(Vec::len), Some(3));
    ann.sends_to(&tom);
    assert_eq!(tom.field("staff/7", "grade"), "seven");
}

#[test]
fn a_device_gets_the_keys_of_its_person() {
    let (ann, tom) = staff();
    tom.says(&["keys", "publish"]);
    tom.sends_to(&ann);
    ann.says(&["set", "staff/7", "salary", "4711"]);
    ann.sends_to(&tom);
    let phone = Person::new();
    let line = ann.says(&["invite"]);
    phone.says(&["join", line.trim(), "--call", "ann"]);
    let asked = phone.says(&["device", "ask", &tom.did()]);
    tom.says(&["device", "add", asked.trim(), "--as", "phone"]);
    tom.sends_to(&phone);
    assert!(is_redacted(&phone, "salary"));
    phone.says(&["keys", "publish"]);
    phone.sends_to(&tom);
    tom.says(&["set", "staff/7", "grade", "seven"]);
    tom.sends_to(&phone);
    assert_eq!(phone.field("staff/7", "salary"), 4711);
    assert_eq!(phone.field("staff/7", "grade"), "seven");
    let keys = phone.json(&["keys"]);
    assert_eq!(keys["readers"].as_array().map(Vec::len), Some(3));
}

#[test]
fn what_a_project_is_founded_with() {
    let ann = Person::new();
    let founding = ["init", "shop", "--tag", "staff/*.*=hr", "--confidential"];
    ann.run(&[&founding[..], &["hrr"]].concat())
        .fails(exit::NOT_FOUND, &["did you mean \"hr\"?"]);
    ann.run(&["init", "shop", "--kem", "x-wing"])
        .code
        .filter(|it| *it == i32::from(exit::USAGE))
        .expect("it takes a tag");
    let founded = ann.json(&[&founding[..], &["hr", "--kem", "x-wing"]].concat());
    assert_eq!(founded["confidential"][0], "hr");
    ann.says(&["set", "staff/7", "salary", "4711"]);
    assert_eq!(ann.field("staff/7", "salary"), 4711);
    assert!(Path::new(&ann.file("home/readers/x-wing/me.json")).is_file());
    let keys = ann.says(&["key", "list"]);
    assert!(keys.contains("reader") && keys.contains("x-wing"), "{keys}");

    let ben = Person::new();
    ben.says(&["init", "shop"]);
    for args in [&["keys"][..], &["rotate", "all"], &["keys", "publish"]] {
        ben.run(args).fails(exit::REFUSED, &["`confidential`"]);
    }
}
