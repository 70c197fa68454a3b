//! Reports as a reader sees them.

mod csv;
mod json;
mod op_log;
mod png;

use super::*;

const CSV: &str = "# ecac-metrics v1, commit=abc, scenario=hb-chain\n\
    step,applied,denied\n\
    0,0,0\n\
    1,10,2\n\
    2,20,4\n";

/// Replaces the first occurrence of `from` in `text`.
fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?}");
    text.replacen(from, to, 1)
}

/// Compares the text form with `report`, whose lines are the facts after the heading.
#[track_caller]
fn check(name: &str, expected: impl AsRef<[u8]>, actual: impl AsRef<[u8]>, report: &str) {
    let explanation = explain(name, expected.as_ref(), actual.as_ref());
    let text = explanation.to_string();
    let facts: Vec<_> = text.lines().skip(1).map(str::trim_end).collect();
    let report: Vec<_> = report
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(facts, report, "\n{text}\n");
    check_form(&explanation);
}

fn check_form(explanation: &Explanation) {
    for line in explanation.to_string().lines() {
        assert!(line.chars().count() <= COLUMNS_MAX, "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    serde_json::to_string(explanation).unwrap();
}

#[test]
fn equal_files_have_nothing_to_explain() {
    let explanation = explain("a.csv", b"x\n", b"x\n");
    assert_eq!(explanation.to_string(), "a.csv is as expected");
    assert_eq!(explanation.offset(), None);
    assert_eq!(explanation.position(), &Position::Same);
}

#[test]
fn texts_by_line() {
    check(
        "audit.verify.txt",
        "ok\nentries: 12\n",
        "ok\nentries: 13\n",
        "
  position  line 2
  byte      13
  expected  entries: 12
  actual    entries: 13",
    );
    check(
        "SHA256SUMS",
        "aa  a\nbb  b\n",
        "aa  a\nbb  b\ncc  c\n",
        "
  position  line 3
  byte      12
  expected  (nothing)
  actual    cc  c
  note      the file goes on to byte 18, expected its end at 12",
    );
    check(
        "audit.verify.txt",
        "",
        "\u{1b}[2Jgone",
        "
  position  line 1
  byte      0
  expected  (nothing)
  actual    \\u{1b}[2Jgone
  note      the file goes on to byte 8, expected its end at 0",
    );
}

#[test]
fn other_files_by_byte() {
    check(
        "ecac-artifacts-0123456789abcdef0123456789abcdef01234567.tar.gz",
        [0x1f, 0x8b, 8, 0],
        [0x1f, 0x8b, 9, 0],
        "
  position  within the file
  byte      2
  expected  08 00
  actual    09 00",
    );
}

#[test]
fn json_form() {
    let explanation = explain(
        "a.csv",
        CSV.as_bytes(),
        with(CSV, "1,10,2", "1,19,2").as_bytes(),
    );
    assert_eq!(
        serde_json::to_value(&explanation).unwrap(),
        serde_json::json!({
            "name": "a.csv",
            "position": {"kind": "cell", "line": 4, "column": 2, "column_name": "applied"},
            "offset": 78,
            "expected_bytes": 89,
            "actual_bytes": 89,
            "expected": "10",
            "actual": "19",
            "notes": [],
        })
    );
}

#[test]
fn every_flip_cut_and_insertion_is_explained_at_its_place() {
    let log = [op_log::op(0), op_log::op(1)].concat();
    let picture = png::picture(&[(1, 1)], ::png::Compression::High);
    let text = "{\"a\":[1,{\"b\":\"\u{e9}\"}]}\n{\"a\":null}\n";
    for (name, contents) in [
        ("a.csv", CSV.as_bytes()),
        ("a.json", br#"{"a":[1,{"b":"c"}],"d":1.5}"#),
        ("a.jsonl", text.as_bytes()),
        ("a.txt", text.as_bytes()),
        ("a.cborseq", &log),
        ("a.png", &picture),
        ("a.tar.gz", &log),
    ] {
        for position in 0..contents.len() {
            for mask in [1, 7, 0x20, 0x80, 0xff] {
                let mut flipped = contents.to_vec();
                flipped[position] ^= mask;
                let explanation = explain(name, contents, &flipped);
                assert_eq!(explanation.offset(), Some(position), "{name}");
                check_form(&explanation);
                check_form(&explain(name, &flipped, contents));
            }
            let cut = explain(name, contents, &contents[..position]);
            assert_eq!(cut.offset(), Some(position), "{name}");
            check_form(&cut);
            check_form(&explain(name, &contents[..position], contents));
            let inserted = [&contents[..position], b"\0", &contents[position..]].concat();
            check_form(&explain(name, contents, &inserted));
        }
    }
}
