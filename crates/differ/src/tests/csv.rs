//! Reports about CSV.

use super::{CSV, check, with};

#[test]
fn csv_comment_line() {
    check(
        "a.csv",
        CSV,
        with(CSV, "commit=abc", "commit=abd"),
        "
  position  line 1 (comment)
  byte      28
  expected  # ecac-metrics v1, commit=abc, scenario=hb-chain
  actual    # ecac-metrics v1, commit=abd, scenario=hb-chain",
    );
}

#[test]
fn csv_header() {
    check(
        "a.csv",
        CSV,
        with(CSV, "denied", "Denied"),
        "
  position  line 2 (header)
  byte      62
  expected  step,applied,denied
  actual    step,applied,Denied",
    );
}

#[test]
fn csv_first_row() {
    check(
        "a.csv",
        CSV,
        with(CSV, "0,0,0", "9,0,0"),
        "
  position  line 3, column step
  byte      69
  expected  0
  actual    9",
    );
}

#[test]
fn csv_middle_row() {
    check(
        "a.csv",
        CSV,
        with(CSV, "1,10,2", "1,19,2"),
        "
  position  line 4, column applied
  byte      78
  expected  10
  actual    19",
    );
}

#[test]
fn csv_last_row() {
    check(
        "a.csv",
        CSV,
        with(CSV, "2,20,4", "2,20,5"),
        "
  position  line 5, column denied
  byte      87
  expected  4
  actual    5",
    );
}

#[test]
fn csv_final_newline() {
    check(
        "a.csv",
        CSV,
        CSV.trim_end(),
        "
  position  line 5
  byte      88
  expected  2,20,4
  actual    2,20,4
  note      the file ends at byte 88, expected 89
  note      the final newline is missing",
    );
    check(
        "a.csv",
        CSV,
        with(CSV, "2,20,4\n", "2,20,4\u{b}"),
        "
  position  line 5, column denied
  byte      88
  expected  4
  actual    4\\u{b}
  note      the final newline is missing",
    );
}

#[test]
fn csv_truncation_and_growth() {
    check(
        "a.csv",
        CSV,
        &CSV[..CSV.len() - 4],
        "
  position  line 5, column applied
  byte      85
  expected  20
  actual    2
  note      the row has 2 columns, expected 3
  note      the file ends at byte 85, expected 89
  note      the final newline is missing",
    );
    check(
        "a.csv",
        CSV,
        with(CSV, "2,20,4\n", ""),
        "
  position  line 5
  byte      82
  expected  2,20,4
  actual    (nothing)
  note      the file ends at byte 82, expected 89",
    );
    check(
        "a.csv",
        CSV,
        format!("{CSV}3,30,6\n"),
        "
  position  line 6
  byte      89
  expected  (nothing)
  actual    3,30,6
  note      the file goes on to byte 96, expected its end at 89",
    );
    check(
        "a.csv",
        CSV,
        "",
        "
  position  line 1 (comment)
  byte      0
  expected  # ecac-metrics v1, commit=abc, scenario=hb-chain
  actual    (nothing)
  note      the file is empty, expected 89 bytes",
    );
}

#[test]
fn csv_rows_that_came_and_went() {
    check(
        "a.csv",
        CSV,
        with(CSV, "1,10,2\n", ""),
        "
  position  line 4, column step
  byte      75
  expected  1
  actual    2
  note      line 4 of the expected file is left out
  note      the file has 82 bytes, expected 89",
    );
    check(
        "a.csv",
        CSV,
        with(CSV, "1,10,2\n", "0,9,9\n1,10,2\n"),
        "
  position  line 4, column step
  byte      75
  expected  1
  actual    0
  note      line 4 is put in
  note      the file has 95 bytes, expected 89",
    );
    check(
        "a.csv",
        CSV,
        with(CSV, "1,10,2\n", "1,10,2,7\n"),
        "
  position  line 4, column 4 (beyond the header)
  byte      81
  expected  (nothing)
  actual    7
  note      the row has 4 columns, expected 3
  note      the file has 91 bytes, expected 89",
    );
}

#[test]
fn csv_spelling() {
    check(
        "a.csv",
        CSV,
        CSV.replace('\n', "\r\n"),
        "
  position  line 1 (comment)
  byte      48
  expected  # ecac-metrics v1, commit=abc, scenario=hb-chain
  actual    # ecac-metrics v1, commit=abc, scenario=hb-chain\\r
  note      the file has 94 bytes, expected 89
  note      lines end with CR LF, expected LF",
    );
    check(
        "a.csv",
        CSV,
        with(CSV, "1,10,2", "1,\"10\",2"),
        "
  position  line 4
  byte      77
  expected  1,10,2
  actual    1,\"10\",2
  note      the file has 91 bytes, expected 89",
    );
    let mut bytes = CSV.as_bytes().to_vec();
    bytes[87] = 0xff;
    check(
        "a.csv",
        CSV,
        bytes,
        "
  position  line 5, column denied
  byte      87
  expected  4
  actual    \\xff
  note      the file is not UTF-8 at byte 87",
    );
    check(
        "a.csv",
        "id,text\n1,\"two\nlines\"\n2,x\n",
        "id,text\n1,\"two\nlimes\"\n2,x\n",
        "
  position  line 3, column text
  byte      17
  expected  two\\nlines
  actual    two\\nlimes",
    );
}

#[test]
fn csv_blank_lines_are_no_rows() {
    check(
        "a.csv",
        "a,b\n1,2\n\n3,4\n",
        "a,b\n1,2\n3,4\n",
        "
  position  line 3
  byte      8
  expected
  actual    3,4
  note      line 3 of the expected file is left out
  note      the file has 12 bytes, expected 13",
    );
    check(
        "a.csv",
        "a,b\n1,2\n\n3,4\n",
        "a,b\n1,2\n5,4\n",
        "
  position  line 3
  byte      8
  expected
  actual    5,4
  note      the file has 12 bytes, expected 13",
    );
}
