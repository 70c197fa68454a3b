//! Reports about JSON and JSON Lines.

use super::{Position, check, check_form, explain, with};

#[test]
fn json_pointers() {
    for (expected, actual, report) in [
        (
            r#"{"a":{"b":[1,2,3]},"c":0}"#,
            r#"{"a":{"b":[1,7,3]},"c":1}"#,
            "
  position  pointer /a/b/1
  byte      13
  expected  2
  actual    7",
        ),
        (
            r#"{"a/b":{"~":"x"}}"#,
            r#"{"a/b":{"~":"y"}}"#,
            r#"
  position  pointer /a~1b/~0
  byte      13
  expected  "x"
  actual    "y""#,
        ),
        (
            r#"{"a":[1,2]}"#,
            r#"{"a":[1]}"#,
            "
  position  pointer /a/1
  byte      7
  expected  2
  actual    (nothing)
  note      the file has 9 bytes, expected 11",
        ),
        (
            r#"{"a":1}"#,
            r#"{"a":1,"b":null}"#,
            "
  position  pointer /b
  byte      6
  expected  (nothing)
  actual    null
  note      the file has 16 bytes, expected 7",
        ),
        (
            "[1]",
            "{ }",
            "
  position  the whole document
  byte      0
  expected  [1]
  actual    {}",
        ),
        (
            "{\"a\":1}\n",
            "{\"a\": 1}\n",
            "
  position  within the file
  byte      5
  expected  {\"a\":1}
  actual    {\"a\": 1}
  note      both read as the same values; they are spelt differently (spaces,
            key order, numbers)
  note      the file has 9 bytes, expected 8",
        ),
        (
            "{\n\"a\":1}\n",
            "{\n\"a\":1\n",
            "
  position  line 2
  byte      7
  expected  \"a\":1}
  actual    \"a\":1
  note      the text is not JSON: EOF while parsing an object at line 3 column 0
  note      the file has 8 bytes, expected 9",
        ),
        (
            "{\"a\":\"\\u0001\u{e9}\"}",
            "{\"a\":\"\\u0002\u{e9}\"}",
            "
  position  pointer /a
  byte      11
  expected  \"\\u0001\u{e9}\"
  actual    \"\\u0002\u{e9}\"",
        ),
    ] {
        check("state.json", expected, actual, report);
    }
}

#[test]
fn json_values_and_pointers_of_any_length_fit_the_page() {
    let key = "k".repeat(300);
    let value = "v".repeat(10_000);
    let expected = format!(r#"{{"{key}":"{value}1{value}"}}"#);
    let explanation = explain(
        "state.json",
        expected.as_bytes(),
        expected.replace('1', "2").as_bytes(),
    );
    check_form(&explanation);
    let text = explanation.to_string();
    assert!(
        text.contains("vvv1vvv") && text.contains("vvv2vvv"),
        "{text}"
    );
    assert_eq!(
        explanation.position(),
        &Position::Pointer {
            pointer: format!("/{key}")
        }
    );
}

#[test]
fn json_lines_entries() {
    let log = "{\"n\":1,\"ok\":true}\n{\"n\":2,\"ok\":true}\n{\"n\":3,\"ok\":true}\n";
    for (actual, report) in [
        (
            with(log, "2,\"ok\":true", "2,\"ok\":false"),
            "
  position  entry 2, pointer /ok
  byte      30
  expected  true
  actual    false
  note      the file has 55 bytes, expected 54",
        ),
        (
            with(log, "{\"n\":2,\"ok\":true}\n", ""),
            "
  position  entry 2, pointer /n
  byte      23
  expected  2
  actual    3
  note      entry 2 of the expected file is left out
  note      the file has 36 bytes, expected 54",
        ),
        (
            log[..36].to_owned(),
            "
  position  entry 3
  byte      36
  expected  {\"n\":3,\"ok\":true}
  actual    (nothing)
  note      the file ends at byte 36, expected 54",
        ),
        (
            log[..40].to_owned(),
            "
  position  entry 3
  byte      40
  expected  {\"n\":3,\"ok\":true}
  actual    {\"n\"
  note      entry 3: the text is not JSON: EOF while parsing an object at line 1
            column 4
  note      the file ends at byte 40, expected 54
  note      the final newline is missing",
        ),
        (
            log.trim_end().to_owned(),
            "
  position  entry 3
  byte      53
  expected  {\"n\":3,\"ok\":true}
  actual    {\"n\":3,\"ok\":true}
  note      the file ends at byte 53, expected 54
  note      the final newline is missing",
        ),
        (
            with(log, "{\"n\":2,", "{ \"n\":2,"),
            "
  position  entry 2
  byte      19
  expected  {\"n\":2,\"ok\":true}
  actual    { \"n\":2,\"ok\":true}
  note      both read as the same values; they are spelt differently (spaces,
            key order, numbers)
  note      the file has 55 bytes, expected 54",
        ),
    ] {
        check("audit.jsonl", log, actual, report);
    }
}
