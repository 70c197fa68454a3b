//! Dropping what was written over, as people live with it.

use ecac_artifact::exit;
use serde_json::Value as Json;

use super::{Guild, documented};

/// The ops of a listing that were dropped.
fn dropped(log: &Json) -> Vec<&Json> {
    let rows = log["ops"].as_array().expect("rows").iter();
    rows.filter(|it| it["dropped"] == true).collect()
}

#[test]
fn a_phone_drops_what_was_written_over_and_says_so() {
    let guild = Guild::found();
    let Guild { ann, ben, van, .. } = &guild;
    let first = van.op(&["set", "motor/7", "status", "open"]);
    for status in ["waits", "repaired"] {
        van.says(&["set", "motor/7", "status", status]);
    }
    van.says(&["prune", "--preview"]);
    assert_eq!(van.json(&["prune", "--yes"])["dropped"], 0);
    guild.meet();
    let seal = ann.op(&["seal"]);
    ann.sends_to(ben);
    ben.says(&["cosign", &seal]);
    guild.meet();

    let told = van.says(&["prune", "--preview"]);
    assert!(told.contains("2 ops can be dropped"), "{told}");
    assert!(told.contains("nothing was dropped"), "{told}");
    let preview = van.json(&["prune", "--preview"]);
    assert_eq!(preview["places"][0]["ops"], 2);
    van.run(&["prune"])
        .fails(exit::USAGE, &["2 ops", "--preview", "--yes"]);
    let before = van.json(&["verify-store"]);
    assert_eq!(before["dropped"], 0);
    let pruned = van.json(&["prune", "--yes"]);
    assert_eq!(
        (&pruned["dropped"], &pruned["bytes"]),
        (&preview["dropped"], &preview["bytes"])
    );
    assert_eq!(van.json(&["prune", "--yes"])["dropped"], 0);

    // Everything is said as before, but for what was dropped, of which that is said.
    let after = van.json(&["verify-store"]);
    assert_eq!(after["dropped"], 2);
    assert!(van.says(&["verify-store"]).contains("dropped   2"));
    assert!(van.says(&["status"]).contains("2 ops were dropped here"));
    assert_eq!(van.json(&["status"])["ops"]["dropped"], 2);
    for said in ["ops", "state", "trust"] {
        assert_eq!(after[said], before[said], "{said}");
    }
    assert_eq!(van.field("motor/7", "status"), "repaired");
    for same in ["dump-state-json", "trust-dump", "decisions"] {
        assert_eq!(van.says(&[same]), ann.says(&[same]), "{same}");
    }
    let (mine, theirs) = (van.json(&["log"]), ann.json(&["log"]));
    assert_eq!(mine["counts"]["dropped"], 2);
    assert_eq!(mine["counts"]["applied"], theirs["counts"]["applied"]);
    let rows = dropped(&mine);
    assert_eq!(
        (rows.len(), &rows[0]["op"]),
        (2, &Json::from(first.clone()))
    );
    let mut all = theirs["ops"].as_array().expect("rows").iter();
    let full = all.find(|it| it["op"] == *first).expect("a row");
    assert_eq!(full["payload"]["value"], "open");
    assert_eq!(rows[0]["payload"]["value"], Json::Null);
    assert_eq!(rows[0]["number"], full["number"]);
    let told = van.says(&["log"]);
    assert!(
        told.contains("SetField \"motor/7\".\"status\" (dropped)"),
        "{told}"
    );
    assert!(
        told.contains("the envelopes of 2 ops were dropped here"),
        "{told}"
    );
    let told = van.says(&["explain", &first]);
    assert!(
        told.contains("applied") && told.contains("dropped here"),
        "{told}"
    );
    assert_eq!(van.json(&["explain", &first])["dropped"], true);
    assert_eq!(ann.json(&["explain", &first])["dropped"], Json::Null);

    // What needs the envelopes says that they are not here.
    let file = van.file("part.cborseq");
    let exported = van.run(&["export", &file]);
    let note = exported.stderr.clone();
    assert!(note.contains("2 ops were dropped here"), "{note}");
    exported.ok();
    van.run(&["check"])
        .fails(exit::UNDECIDED, &["2 ops", "dropped"]);
    let verified = van.run(&["audit-verify"]);
    assert_eq!(verified.code, Some(exit::UNDECIDED.into()));
    let said = &verified.stderr;
    assert!(
        said.contains("2 of the ops that it ingests are absent"),
        "{said}"
    );

    comes_back(&guild, &first);

    // It goes on with the others.
    van.says(&["set", "motor/7", "status", "sold"]);
    guild.meet();
    assert_eq!(ann.field("motor/7", "status"), "sold");
    assert_eq!(
        ann.says(&["dump-state-json"]),
        van.says(&["dump-state-json"])
    );
    van.says(&["verify-store"]);
}

/// What the van has dropped comes back from who keeps everything, and from nobody else.
fn comes_back(guild: &Guild, first: &str) {
    let Guild { ann, van, .. } = guild;
    let (part, whole) = (van.file("part.cborseq"), van.file("whole.cborseq"));
    ann.says(&["export", &whole]);
    let hinted = van.run(&["import", &whole]);
    let note = hinted.stderr.clone();
    assert!(
        note.contains("2 ops wrote") && note.contains("--older"),
        "{note}"
    );
    hinted.ok();
    assert_eq!(van.json(&["verify-store"])["dropped"], 2);
    let both = van.run(&["import", "--older", "--complete", &whole]);
    assert_eq!(both.code, Some(exit::USAGE.into()), "{}", both.stderr);
    // Its own file has none of it.
    let told = van.says(&["import", "--older", &part]);
    assert!(
        told.starts_with("0 of 2 ops") && told.contains("2 are not"),
        "{told}"
    );
    let state = van.says(&["dump-state-json"]);
    let back = van.json(&["import", "--older", &whole, &part]);
    documented(&back, "ecac-older-v1");
    let counts = ["dropped", "regained", "left"].map(|it| back[it].as_u64());
    assert_eq!(counts, [Some(2), Some(2), Some(0)]);
    assert!(back["bytes"].as_u64() > Some(100) && back["others"].as_u64() > Some(10));
    let told = van.says(&["import", "--older", &whole]);
    assert!(told.contains("nothing is dropped here"), "{told}");

    // Everything is shown again, and what needs the envelopes has them.
    assert_eq!(van.json(&["verify-store"])["dropped"], 0);
    assert_eq!(van.says(&["dump-state-json"]), state);
    let log = van.json(&["log"]);
    assert!(log["counts"]["dropped"] == 0 && dropped(&log).is_empty());
    let mut rows = log["ops"].as_array().expect("rows").iter();
    let row = rows.find(|it| it["op"] == *first).expect("a row");
    assert_eq!(row["payload"]["value"], "open");
    assert!(!van.says(&["status"]).contains("dropped"));
    for command in ["check", "audit-verify"] {
        van.run(&[command]).ok();
    }
    assert!(van.run(&["import", &whole]).stderr.is_empty());
    // It can be dropped again.
    assert_eq!(van.json(&["prune", "--yes"])["dropped"], 2);
    assert_eq!(van.json(&["verify-store"])["dropped"], 2);
    assert_eq!(van.json(&["import", "--older", &whole])["regained"], 2);
}
