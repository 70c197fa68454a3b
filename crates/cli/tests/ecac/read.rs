//! Commands that read an op log and say what it amounts to.

use std::fs;
use std::path::Path;

use ecac_artifact::exit;
use ecac_core::{Costs, Log, OpId, Replay, VerifiedOp, export_trust, project_of, split_op_log};
use serde_json::{Value as Json, json};

use crate::fixture::{Author, ODD_TAG, Small, TITLE, genesis, sequence, set};
use crate::run::{directory_with, ecac_in, text};

/// State and trust view as the library gives them.
fn exports(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut costs = Costs::default();
    let items = split_op_log(bytes).expect("an op log");
    let mut log = Log::new(project_of(&items).expect("one genesis"));
    for item in items {
        let _ = log.receive(item, &mut costs);
    }
    let state = Replay::of(&log, &mut costs).state().export(&log);
    (state, export_trust(&log, &mut costs))
}

#[test]
fn exports_are_the_bytes_of_the_library_on_stdout_and_in_files() {
    let small = Small::new();
    let directory = directory_with("ops", &small.clean());
    let at = directory.path();
    let (state, trust) = exports(&small.clean());
    for (command, want) in [("dump-state-json", &state), ("trust-dump", &trust)] {
        assert_eq!(&ecac_in(at, [command, "ops"]).quietly(), want);
        let out = ecac_in(at, [command, "ops", "--out", "export"]);
        assert_eq!(out.quietly(), b"");
        assert_eq!(&fs::read(at.join("export")).unwrap(), want);
        fs::remove_file(at.join("export")).unwrap();
    }
    let state: Json = serde_json::from_slice(&state).unwrap();
    let title = &state["objects"]["doc/1"]["fields"]["title"];
    assert_eq!(
        title["value"], TITLE,
        "what the revocation denies is not there"
    );
    assert_eq!(title["winners"].as_array().unwrap().len(), 1);
}

#[test]
fn order_of_the_file_does_not_matter() {
    let small = Small::new();
    let mut ops = small.good();
    let directory = directory_with("ops", &small.clean());
    ops.reverse();
    fs::write(directory.path().join("reversed"), sequence(ops)).unwrap();
    for command in ["dump-state-json", "trust-dump", "decisions"] {
        let one = ecac_in(directory.path(), [command, "ops"]).quietly();
        let other = ecac_in(directory.path(), [command, "reversed"]).quietly();
        assert_eq!(one, other, "{command}");
    }
}

#[test]
fn an_existing_file_is_replaced_only_by_force_and_never_the_log_by_accident() {
    let small = Small::new();
    let directory = directory_with("ops", &small.clean());
    let at = directory.path();
    ecac_in(at, ["trust-dump", "ops", "--out", "ops"])
        .fails(exit::ENVIRONMENT, &["ops", "--force"]);
    assert_eq!(fs::read(at.join("ops")).unwrap(), small.clean());
    fs::write(at.join("out"), "old").unwrap();
    ecac_in(at, ["trust-dump", "ops", "--out", "out"]).fails(exit::ENVIRONMENT, &["out"]);
    assert_eq!(fs::read(at.join("out")).unwrap(), b"old");
    ecac_in(at, ["trust-dump", "ops", "--out", "out", "--force"]).quietly();
    assert_eq!(fs::read(at.join("out")).unwrap(), exports(&small.clean()).1);
    ecac_in(at, ["trust-dump", "ops", "--out", "no/such/place"]).fails(
        exit::ENVIRONMENT,
        &["no/such/place", "mkdir -p \"no/such\""],
    );
    assert_eq!(fs::read_dir(at).unwrap().count(), 2, "nothing is left over");
}

/// What is decided of the good ops, by hand.
fn fates(small: &Small) -> Vec<(OpId, &'static str, Option<&'static str>, Option<OpId>)> {
    let genesis = Some(small.genesis.id());
    let mut fates = vec![
        (small.genesis.id(), "applied", None, genesis),
        (small.issuer_key.id(), "applied", None, genesis),
        (small.credential.id(), "applied", None, genesis),
        (small.grant.id(), "applied", None, genesis),
        (small.edit.id(), "applied", None, Some(small.grant.id())),
        (small.revoke.id(), "applied", None, genesis),
        (
            small.late.id(),
            "denied",
            Some("revoked"),
            Some(small.revoke.id()),
        ),
        (small.stranger.id(), "refused", Some("no_grant"), None),
        (small.orphan.id(), "pending", None, None),
    ];
    fates.sort();
    fates
}

/// The effect of an op of the small log, as JSON.
fn effect(small: &Small, op: &OpId) -> String {
    let effect = |code: &str, counts: bool, on: Option<&VerifiedOp>| {
        let on = on.map_or_else(String::new, |op| format!("\"{}\"", op.id()));
        format!("{{\"code\":\"{code}\",\"counts\":{counts},\"on\":[{on}]}}")
    };
    for (it, code, counts, on) in [
        (&small.genesis, "founds", true, None),
        (&small.issuer_key, "lists", true, None),
        (&small.credential, "carries", true, None),
        (&small.grant, "ended", false, Some(&small.revoke)),
        (&small.revoke, "revokes", true, Some(&small.grant)),
    ] {
        if it.id() == *op {
            return effect(code, counts, on);
        }
    }
    "null".to_owned()
}

#[test]
fn decisions_are_one_line_per_op() {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let ran = ecac_in(directory.path(), ["decisions", "ops"]);
    assert!(
        ran.stderr
            .contains("warning: 2 of the items of \"ops\" are no signed ops"),
        "{}",
        ran.stderr
    );
    let want: String = fates(&small)
        .iter()
        .map(|(op, verdict, reason, witness)| {
            let quoted =
                |text: Option<String>| text.map_or("null".into(), |it| format!("\"{it}\""));
            format!(
                "{{\"op\":\"{op}\",\"verdict\":\"{verdict}\",\"reason\":{},\"witness\":{},\"missing\":{},\"effect\":{}}}\n",
                quoted(reason.map(str::to_owned)),
                quoted(witness.map(|it| it.to_string())),
                match *verdict {
                    "pending" => format!("[\"{}\"]", "ee".repeat(32)),
                    _ => "null".to_owned(),
                },
                effect(&small, op),
            )
        })
        .collect();
    assert_eq!(text(ran.ok()), want);
}

#[test]
fn the_listing_has_every_item_in_order() {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let stdout = ecac_in(directory.path(), ["log", "ops"]).ok();
    let listing = text(stdout);
    let lines: Vec<&str> = listing.lines().collect();
    assert_eq!(lines[0], format!("project {}", small.genesis.id()));
    let want = [
        (
            "0",
            Some(&small.genesis),
            "applied",
            "Genesis \"small\" with 1 root and 1 schema rule",
        ),
        (
            "1",
            Some(&small.issuer_key),
            "applied",
            "IssuerKey \"https://issuer.example\" \"key-1\" = z6Mk",
        ),
        ("2", Some(&small.credential), "applied", "Credential z6Mk"),
        ("3", Some(&small.grant), "applied (ended)", "Grant z6Mk"),
        (
            "4",
            Some(&small.edit),
            "applied",
            "SetField \"doc/1\".\"title\" = \"first\\u{1b}[2J\\nverdict  forged\"",
        ),
        (
            "5",
            Some(&small.revoke),
            "applied",
            "every role everywhere → revokes 1 grant",
        ),
        (
            "6",
            Some(&small.late),
            "denied revoked",
            "SetField \"doc/1\".\"title\" = \"late\"",
        ),
        (
            "-",
            Some(&small.stranger),
            "refused no_grant",
            "SetField \"doc/1\".\"title\" = \"mine\"",
        ),
        (
            "-",
            Some(&small.orphan),
            "pending",
            "SetField \"doc/1\".\"title\" = \"orphan\"",
        ),
        ("-", None, "refused bad_signature", "item 9 of \"ops\""),
        ("-", None, "refused non_canonical", "item 10 of \"ops\""),
    ];
    for (line, (number, op, verdict, what)) in lines[3..].iter().zip(want) {
        assert_eq!(line.split_whitespace().next(), Some(number), "{line}");
        let op = op.map_or("-".to_owned(), |op| op.id().to_string()[..12].to_owned());
        assert!(line.contains(&format!(" {op} ")), "{line}");
        assert!(line.contains(&format!("  {verdict}  ")), "{line}");
        assert!(line.contains(what), "{line}");
    }
    assert_eq!(
        lines[14..],
        [
            "",
            "11 of 11 shown",
            "12 items: 6 applied, 1 denied, 3 refused, 1 pending, 0 unsupported, 1 duplicate"
        ]
    );
    assert!(lines[6].contains("editor [\"docs\", \"odd], verdict  forged\"] by credential"));
    assert!(lines[7].contains("  2026-01-01T00:00:00.004Z+0@2  "));
    assert!(!listing.contains('\u{1b}'));
}

#[test]
fn the_listing_as_json_says_everything_in_full() {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let stdout = ecac_in(directory.path(), ["log", "ops", "--format", "json"]).ok();
    let document: Json = serde_json::from_slice(&stdout).unwrap();
    assert_eq!(document["project"], small.genesis.id().to_string());
    assert_eq!(
        document["counts"],
        json!({ "items": 12, "applied": 6, "denied": 1, "refused": 3, "pending": 1, "unsupported": 0, "duplicate": 1, "void": 0, "dropped": 0 })
    );
    let ops = document["ops"].as_array().unwrap();
    assert_eq!(ops.len(), 11);
    let roots = &ops[0]["payload"]["roots"];
    assert_eq!(roots, &json!([small.root.public()]));
    assert_eq!(ops[4]["author"], small.editor.public().to_string());
    assert_eq!(
        ops[4]["payload"],
        json!({ "object": "doc/1", "field": "title", "value": TITLE })
    );
    assert_eq!(ops[6]["number"], 6);
    assert_eq!(ops[6]["witness"], small.revoke.id().to_string());
    assert_eq!(ops[7]["number"], Json::Null);
    assert_eq!(ops[8]["missing"], json!(["ee".repeat(32)]));
    assert_eq!(ops[9]["item"], 9);
    assert_eq!(ops[9]["op"], Json::Null);
    assert_eq!(ops[9]["claimed"], small.forged.id().to_string());
    assert_eq!(ops[10]["reason"], "non_canonical");
}

#[test]
fn a_limit_cuts_the_rows_and_says_so() {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    for (limit, rows, omitted) in [("0", 0, 11), ("4", 4, 7), ("10", 10, 1), ("99", 11, 0)] {
        let args = ["log", "ops", "--format", "json", "--limit", limit];
        let stdout = ecac_in(directory.path(), args).ok();
        let document: Json = serde_json::from_slice(&stdout).unwrap();
        assert_eq!(document["ops"].as_array().unwrap().len(), rows, "{limit}");
        assert_eq!(document["omitted"], omitted, "{limit}");
        assert_eq!(
            document["counts"]["items"], 12,
            "the counts are of the whole"
        );
    }
    let stdout = ecac_in(directory.path(), ["log", "ops", "--limit", "4"]).ok();
    assert!(text(stdout).contains("\n… 7 more beyond --limit\n"));
}

#[test]
fn an_explanation_names_verdict_reason_and_chain() {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let explain = |op: &VerifiedOp, words: &[&str]| {
        let id = op.id().to_string();
        let whole = text(ecac_in(directory.path(), ["explain", "ops", &id]).ok());
        let short = text(ecac_in(directory.path(), ["explain", "ops", &id[..8]]).ok());
        assert_eq!(whole, short);
        for word in words {
            assert!(whole.contains(word), "no `{word}` in {whole}");
        }
        let forged = whole
            .lines()
            .any(|line| line.starts_with("verdict  forged"));
        assert!(!forged, "a tag forged a line: {whole}");
    };
    let id = |op: &VerifiedOp| op.id().to_string();
    let chain = [
        &small.grant,
        &small.credential,
        &small.issuer_key,
        &small.genesis,
    ]
    .map(id);
    let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
    explain(&small.edit, &["verdict  applied\n"]);
    explain(&small.edit, &chain);
    explain(&small.grant, &["effect   ended (", &id(&small.revoke)]);
    explain(&small.revoke, &["effect   revokes (", &id(&small.grant)]);
    explain(
        &small.late,
        &["verdict  denied (revoked)\n", &id(&small.revoke)],
    );
    explain(&small.late, &chain);
    explain(&small.stranger, &["verdict  refused (no_grant)\n"]);
    explain(&small.orphan, &["verdict  pending\n", &"ee".repeat(32)]);
    explain(&small.forged, &["verdict  refused (bad_signature)\n"]);

    let late = id(&small.late);
    let args = ["explain", "ops", &late, "--format", "json"];
    let document: Json = serde_json::from_slice(&ecac_in(directory.path(), args).ok()).unwrap();
    assert_eq!(document["op"], late);
    assert_eq!(document["witness"]["op"], id(&small.revoke));
    assert_eq!(document["grants"][0][0]["scope"], json!(["docs", ODD_TAG]));
}

#[test]
fn an_op_that_is_not_there_is_not_found() {
    let small = Small::new();
    let directory = directory_with("ops.cborseq", &small.clean());
    for op in ["0".repeat(64), "00000000".to_owned()] {
        for format in ["text", "json"] {
            ecac_in(
                directory.path(),
                ["explain", "ops.cborseq", &op, "--format", format],
            )
            .fails(exit::NOT_FOUND, &["ops.cborseq", &op]);
        }
    }
    for bad in ["", "0000000", "xxxxxxxx", "ABCDEF01"] {
        let ran = ecac_in(directory.path(), ["explain", "ops.cborseq", bad]);
        assert_eq!(ran.code, Some(exit::USAGE.into()), "{bad}");
    }
}

#[test]
fn a_prefix_of_two_ops_is_an_error_that_lists_them() {
    let mut root = Author::new(1);
    let first = root.sign(0, &[], genesis("collision", &root));
    // Among 2^18 ids, two share their first 32 bits but for a chance of 1 in 3000; the search is deterministic.
    let mut seen = std::collections::BTreeMap::new();
    let (one, two) = (0_u32..1 << 18)
        .find_map(|number| {
            let payload = set("doc/1", "n", &number.to_string());
            let body = root.body(1, &[first.id()], payload).encode().unwrap();
            let id = OpId::of_body(&body);
            let earlier = seen.insert(id.as_bytes()[..4].to_vec(), number)?;
            Some((earlier, number))
        })
        .expect("two ids share a prefix");
    let [one, two] = [one, two].map(|number| {
        let mut author = Author::new(1);
        author.sign(0, &[], genesis("collision", &author));
        author.sign(1, &[first.id()], set("doc/1", "n", &number.to_string()))
    });
    let directory = directory_with("ops", &sequence([&first, &one, &two]));
    let (one, two) = (one.id().to_string(), two.id().to_string());
    ecac_in(directory.path(), ["explain", "ops", &one[..8]])
        .fails(exit::USAGE, &["2 op ids", &one, &two, "more digits"]);
    ecac_in(directory.path(), ["explain", "ops", &one]).quietly();
}

#[test]
fn the_project_is_the_one_genesis_or_the_one_that_is_named() {
    let small = Small::new();
    let mut other_root = Author::new(4);
    let other = other_root.sign(0, &[], genesis("other", &other_root));
    let (small_id, other_id) = (small.genesis.id().to_string(), other.id().to_string());
    let directory = directory_with("one", &small.clean());
    let at: &Path = directory.path();
    let two: Vec<u8> = [sequence([&other]), small.clean()].concat();
    fs::write(at.join("two"), two).unwrap();
    fs::write(at.join("none"), sequence([&small.issuer_key])).unwrap();

    ecac_in(at, ["decisions", "two"])
        .fails(exit::BAD_INPUT, &["two", "--project", &small_id, &other_id]);
    let named = ecac_in(at, ["dump-state-json", "two", "--project", &small_id]).quietly();
    assert_eq!(named, exports(&small.clean()).0);
    let lines = ecac_in(at, ["decisions", "two", "--project", &small_id]).quietly();
    let foreign =
        format!("\"op\":\"{other_id}\",\"verdict\":\"refused\",\"reason\":\"foreign_project\"");
    assert!(text(lines).contains(&foreign));

    ecac_in(at, ["decisions", "none"]).fails(exit::BAD_INPUT, &["none", "--project"]);
    let pending = ecac_in(at, ["decisions", "none", "--project", &small_id]);
    assert!(pending.stderr.contains("warning: no genesis in \"none\""));
    assert!(text(pending.ok()).contains("\"verdict\":\"pending\""));

    ecac_in(at, ["decisions", "one", "--project", &other_id])
        .fails(exit::NOT_FOUND, &["one", &small_id, &other_id]);
}
