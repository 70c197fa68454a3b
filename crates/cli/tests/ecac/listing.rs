//! `ecac log`: filters, and how wide its table is.

use std::collections::BTreeSet;
use std::path::Path;

use ecac_artifact::exit;
use ecac_core::VerifiedOp;
use serde_json::Value as Json;

use crate::fixture::{Small, sequence, set};
use crate::run::{directory_with, ecac_in, text};

/// The ops that are listed under these filters, and how many of how many that are.
fn listed(at: &Path, filters: &[&str]) -> (BTreeSet<String>, String) {
    let stdout = ecac_in(at, ["log", "ops"].iter().chain(filters)).ok();
    let listing = text(stdout);
    let rows = listing.split("\n\n").nth(1).expect("a table");
    let ops = rows.lines().skip(1).map(|row| {
        let op = row.split_whitespace().nth(1).expect("an op");
        op.to_owned()
    });
    let json = ecac_in(at, ["log", "ops", "--json"].iter().chain(filters)).ok();
    let document: Json = serde_json::from_slice(&json).expect("JSON");
    let ops: Vec<String> = ops.collect();
    assert_eq!(document["matching"], ops.len());
    assert_eq!(document["ops"].as_array().map(Vec::len), Some(ops.len()));
    let shown = listing.lines().find(|line| line.ends_with(" shown"));
    (
        ops.into_iter().collect(),
        shown.expect("a count").to_owned(),
    )
}

#[test]
fn filters_of_a_kind_add_up_and_kinds_must_all_hold() {
    let mut small = Small::new();
    let payload = set("doc/2", "title", "x");
    let other = small.root.sign(20, &[small.revoke.id()], payload);
    let ops = small.good().into_iter().chain([&other]);
    let directory = directory_with("ops", &sequence(ops));
    let at = directory.path();
    let editor = small.editor.public().to_string();
    let (start, end) = (
        &editor["did:key:".len()..][..12],
        &editor[editor.len() - 6..],
    );
    let shortened = format!("{start}…{end}");
    let check = |filters: &[&str], want: &[&VerifiedOp]| {
        let want: BTreeSet<String> = want
            .iter()
            .map(|op| op.id().to_string()[..12].to_owned())
            .collect();
        let (ops, shown) = listed(at, filters);
        assert_eq!(ops, want, "{filters:?}");
        assert_eq!(shown, format!("{} of 10 shown", want.len()));
    };
    let Small {
        genesis,
        issuer_key,
        credential,
        grant,
        edit,
        revoke,
        late,
        stranger,
        orphan,
        ..
    } = &small;
    check(&["--verdict", "pending"], &[orphan]);
    check(
        &["--verdict", "denied", "--verdict", "refused"],
        &[late, stranger],
    );
    check(&["--reason", "revoked"], &[late]);
    check(
        &["--reason", "revoked", "--reason", "no_grant"],
        &[late, stranger],
    );
    check(&["--reason", "expired"], &[]);
    check(&["--verdict", "applied", "--reason", "revoked"], &[]);
    for author in [&editor, &editor["did:key:".len()..], start, &shortened] {
        check(&["--author", author], &[edit, late, orphan]);
    }
    let root = small.root.public().to_string();
    check(
        &["--author", &root],
        &[genesis, issuer_key, credential, grant, revoke, &other],
    );
    check(
        &[
            "--author",
            &root,
            "--author",
            &editor,
            "--verdict",
            "applied",
        ],
        &[genesis, issuer_key, credential, grant, revoke, edit, &other],
    );
    check(&["--object", "doc/2"], &[&other]);
    check(
        &[
            "--object",
            "doc/1",
            "--object",
            "doc/2",
            "--author",
            start,
            "--verdict",
            "applied",
        ],
        &[edit],
    );
}

#[test]
fn a_filter_names_what_is_there() {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let at = directory.path();
    // All authors' names begin so.
    let [root, editor] = [&small.root, &small.editor].map(|it| it.public().to_string());
    ecac_in(at, ["log", "ops", "--author", "z6Mk"]).fails(
        exit::USAGE,
        &["\"ops\"", "3 authors", &root, &editor, "more characters"],
    );
    let nobody = root.replace("z6Mk", "z6Mkzz");
    for author in [
        "z6Mkzz",
        &nobody,
        &root[..root.len() - 1].replace("did:key:", "did:key:x"),
    ] {
        ecac_in(at, ["log", "ops", "--author", author])
            .fails(exit::NOT_FOUND, &["\"ops\"", "author"]);
    }
    ecac_in(at, ["log", "ops", "--object", "doc/9"])
        .fails(exit::NOT_FOUND, &["\"doc/9\"", "\"ops\""]);
    let wrong = ecac_in(at, ["log", "ops", "--reason", "spite"]);
    for reason in ["revoked", "non_canonical", "granter_denied"] {
        assert!(wrong.stderr.contains(reason), "{}", wrong.stderr);
    }
}

#[test]
fn what_is_no_op_is_refused_for_its_reason_and_has_no_author() {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let at = directory.path();
    let (ops, shown) = listed(at, &["--reason", "bad_signature"]);
    assert_eq!(
        (ops, shown.as_str()),
        (BTreeSet::from(["-".to_owned()]), "1 of 11 shown")
    );
    let (_, shown) = listed(at, &["--verdict", "refused"]);
    assert_eq!(shown, "3 of 11 shown");
    let editor = small.editor.public().to_string();
    let (ops, _) = listed(at, &["--author", &editor, "--verdict", "refused"]);
    assert!(ops.is_empty());
}

#[test]
fn a_limit_counts_what_the_filters_let_through() {
    let directory = directory_with("ops", &Small::new().mixed());
    let args = ["log", "ops", "--verdict", "applied", "--limit", "2"];
    let listing = text(ecac_in(directory.path(), args).ok());
    assert!(
        listing.contains("\n… 4 more beyond --limit\n\n2 of 11 shown\n"),
        "{listing}"
    );
    let args = args.iter().chain(&["--json"]);
    let stdout = ecac_in(directory.path(), args).ok();
    let document: Json = serde_json::from_slice(&stdout).unwrap();
    let numbers = ["rows", "matching", "omitted"].map(|name| document[name].as_u64());
    assert_eq!(numbers, [Some(11), Some(6), Some(4)]);
}

#[test]
fn a_row_is_a_line_unless_a_width_is_given() {
    let small = Small::new();
    let directory = directory_with("ops", &small.clean());
    let at = directory.path();
    let whole = text(ecac_in(at, ["log", "ops"]).quietly());
    let rows = |text: &str| text.split("\n\n").nth(1).unwrap().lines().count();
    assert_eq!(rows(&whole), 10);
    let longest = whole
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap();
    assert!(longest > 120, "{whole}");
    let width = longest.to_string();
    assert_eq!(
        text(ecac_in(at, ["log", "ops", "--width", &width]).quietly()),
        whole
    );
    let condensed = |text: &str| -> String {
        let (_, table) = text.split_once("\n\n").unwrap();
        table.split_whitespace().collect()
    };
    for width in [24, 40, 71, 80, 100, 120] {
        let narrow = text(ecac_in(at, ["log", "ops", "--width", &width.to_string()]).quietly());
        let (_, table) = narrow.split_once("\n\n").unwrap();
        let (rows, _) = table.split_once("\n\n").unwrap();
        for line in rows.lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
        // A word that is broken is whole without the spaces. Columns that are narrower than their cells mix their lines.
        if width >= 71 {
            assert_eq!(condensed(&narrow), condensed(&whole), "{width}");
        }
    }
}
