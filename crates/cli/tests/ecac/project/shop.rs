//! The story of the shop: somebody works offline, is revoked meanwhile, and they meet.

use std::fs;

use ecac_artifact::exit;

use super::{Person, shop};
use crate::run::text;

#[test]
fn a_technician_works_offline_and_is_revoked_meanwhile() {
    let (office, van) = shop();
    assert!(
        van.says(&["can", "me", "edit", "motor/7", "status"])
            .starts_with("yes")
    );
    assert!(
        van.says(&["can", "me", "edit", "bill/1", "sum"])
            .starts_with("no: out_of_scope")
    );
    van.says(&["set", "motor/7", "status", "disassembled"]);
    van.says(&["add", "motor/7", "parts", "bearing", "2"]);
    assert_eq!(van.says(&["ls"]), "motor/7\n");
    van.sends_to(&office);
    assert!(office.says(&["get", "motor/7", "status"]).contains("tom"));

    let written = van.json(&["set", "motor/7", "status", "repaired"]);
    let op = written["op"].as_str().expect("an op");
    office.says(&["revoke", "tom", "--yes"]);
    let came = office.sends_to(&van);
    assert_eq!(came["counts"]["rolled_back"], 1);
    let lost = came["events"].as_array().expect("events").iter();
    let lost: Vec<_> = lost.filter(|it| it["event"] == "rolled_back").collect();
    assert_eq!(lost[0]["op"], op);
    assert_eq!(lost[0]["reason"], "revoked");
    let change = &came["changes"][0];
    assert_eq!(
        (&change["before"], &change["after"]),
        (&"repaired".into(), &"disassembled".into())
    );

    let explained = van.says(&["explain", &op[..12]]);
    assert!(
        explained.contains("verdict  denied (revoked)"),
        "{explained}"
    );
    let shown = van.json(&["get", "motor/7"]);
    assert_eq!(shown["fields"]["status"]["value"], "disassembled");
    assert_eq!(shown["sets"]["parts"]["bearing"]["value"], 2);
    van.run(&["set", "motor/7", "status", "sold"])
        .fails(exit::REFUSED, &["revoked"]);

    // The office grants again, and work goes on.
    van.sends_to(&office);
    office.says(&["regrant", "tom"]);
    office.sends_to(&van);
    van.says(&["set", "motor/7", "status", "sold"]);
    van.sends_to(&office);
    for person in [&office, &van] {
        assert!(
            person
                .says(&["get", "motor/7", "status"])
                .contains("\"sold\"")
        );
    }
    let digest = |person: &Person| person.json(&["verify-store"])["state"].clone();
    assert_eq!(digest(&office), digest(&van));
}

#[test]
fn what_each_machine_did_is_in_its_audit_log_and_is_true() {
    let (office, van) = shop();
    van.says(&["set", "motor/7", "status", "repaired"]);
    office.says(&["revoke", "tom"]);
    van.sends_to(&office);
    office.sends_to(&van);
    office.says(&["snapshot"]);
    office.says(&["set", "bill/1", "sum", "120"]);
    for person in [&office, &van] {
        let file = person.file("all.cborseq");
        person.says(&["export", &file]);
        let checked = person.again(&["audit-verify", ".ecac/audit", "--log", &file]);
        let checked = text(checked.ok());
        assert!(checked.contains("verdict: OK\n"), "{checked}");
        assert_eq!(text(person.run(&["audit-verify"]).quietly()), checked);
        // The log of the directory says the same as that of the file.
        let listed = person.json(&["log"]);
        assert_eq!(listed["counts"], person.json(&["log", &file])["counts"]);
    }
}

#[test]
fn what_is_refused_is_recorded_once_and_remembered() {
    let (office, van) = shop();
    // An op of the van under a grant that the office will not accept: it was made by a stranger's project file.
    let stranger = Person::new();
    stranger.says(&["init", "another shop"]);
    let file = office.file("foreign.cborseq");
    stranger.says(&["export", &file]);
    office
        .run(&["import", &file])
        .fails(exit::BAD_INPUT, &["it is of project"]);
    // Without its genesis in front nothing says so, and each op waits or is refused.
    stranger.says(&["set", "motor/7", "status", "stolen"]);
    stranger.says(&["export", &file, "--force"]);
    let all = fs::read(&file).expect("the export");
    let items = ecac_core::split_op_log(&all).expect("ops");
    fs::write(&file, items[1..].concat()).expect("a file");
    let came = office.json(&["import", &file]);
    assert_eq!(came["counts"]["pending"], 1);
    let genesis = office.file("genesis.cborseq");
    let first = [&van_export(&office)[..], items[0]].concat();
    fs::write(&genesis, first).expect("a file");
    let came = office.json(&["import", &genesis]);
    assert_eq!(came["counts"]["refused"], 2, "{came}");
    let again = office.json(&["merge", &genesis]);
    assert_eq!(
        again["counts"]["duplicate"],
        came["counts"]["duplicate"].as_u64().expect("a count") + 1
    );
    van.says(&["set", "motor/7", "status", "repaired"]);
    van.sends_to(&office);
    let all = [van_export(&office), all].concat();
    let file = office.file("all.cborseq");
    fs::write(&file, all).expect("a file");
    let checked = text(
        office
            .again(&["audit-verify", ".ecac/audit", "--log", &file])
            .ok(),
    );
    assert!(checked.contains("verdict: OK\n"), "{checked}");
}

/// The bytes of everything that is there.
fn van_export(person: &Person) -> Vec<u8> {
    person.run(&["export", "-"]).ok()
}

#[test]
fn issuers_credentials_and_status_lists() {
    let (office, van) = shop();
    let list = "https://shop.example/status";
    office.says(&["status", "publish", list]);
    let issued = office.file("tom.jwt");
    let status = format!("{list}#7");
    office.says(&[
        "credential",
        "issue",
        "tom",
        "--role",
        "editor",
        "--scope",
        "repair",
        "--status",
        &status,
        "--out",
        &issued,
    ]);
    let shown = office.json(&["credential", "show", &issued]);
    assert_eq!(shown["listed_key_signed_it"], true);
    assert_eq!(shown["status"][0]["index"], 7);
    assert_eq!(
        office.json(&["issuer", "list"])["active"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    office
        .run(&["issuer", "add"])
        .fails(exit::REFUSED, &["listed already"]);
    office.sends_to(&van);
    van.says(&["set", "motor/7", "status", "repaired"]);
    van.sends_to(&office);
    let keys = office.json(&["issuer", "list"]);
    let key = &keys["active"][0];
    let (issuer, kid) = (
        key["issuer"].as_str().expect("an issuer"),
        key["kid"].as_str().expect("a key id"),
    );
    let revoked = office.json(&["issuer", "revoke", issuer, kid, "--reason", "lost"]);
    assert_eq!(revoked["effect"]["code"], "revokes_key");
    // What the office had seen stays.
    assert_eq!(revoked["rolled_back"].as_array().map(Vec::len), Some(0));
    assert!(
        office
            .says(&["can", "tom", "edit", "motor/7", "status"])
            .starts_with("no")
    );
}

/// The issuer key, the credential and the grant of a new member: there together or not at all.
#[test]
fn what_belongs_together_is_one_transaction() {
    let (office, _) = shop();
    let generation = || office.json(&["verify-store"])["generation"].clone();
    let items = || office.json(&["log"])["counts"]["items"].clone();
    // The genesis; the member of the shop, with the issuer's key.
    assert_eq!((generation(), items()), (2.into(), 4.into()));
    office.says(&["revoke", "tom"]);
    office.says(&["regrant", "tom"]);
    assert_eq!((generation(), items()), (4.into(), 7.into()));
}

/// What is read from op logs is read from the project where no file is named.
#[test]
fn a_project_says_what_its_export_says() {
    let (office, van) = shop();
    van.says(&["set", "motor/7", "status", "repaired"]);
    office.says(&["revoke", "tom"]);
    van.sends_to(&office);
    let file = office.file("all.cborseq");
    office.says(&["export", &file]);
    for command in ["dump-state-json", "trust-dump", "decisions", "check"] {
        let of_file = office.run(&[command, &file]).ok();
        assert!(!of_file.is_empty());
        assert_eq!(office.run(&[command]).quietly(), of_file, "{command}");
        let elsewhere = Person::new();
        let named = [command, "--project-dir", &office.file("work")];
        assert_eq!(elsewhere.run(&named).quietly(), of_file, "{command}");
        elsewhere
            .run(&[command])
            .fails(exit::ENVIRONMENT, &["there is no project in"]);
    }
}

#[test]
fn the_shell_gets_completions_and_pages() {
    let person = Person::new();
    for shell in ["bash", "fish", "zsh"] {
        assert!(person.says(&["completions", shell]).contains("add-member"));
    }
    assert!(person.says(&["man"]).contains("add\\-member"));
    assert!(person.says(&["man", "revoke"]).contains("preview"));
    person
        .run(&["man", "revok"])
        .fails(exit::NOT_FOUND, &["did you mean \"revoke\"?"]);
}

#[test]
fn colours_are_where_they_are_wanted() {
    let (office, _) = shop();
    let plain = office.says(&["can", "tom", "edit", "motor/7", "status"]);
    assert!(plain.starts_with("yes"));
    let painted = office.says(&[
        "can", "tom", "edit", "motor/7", "status", "--color", "always",
    ]);
    assert_eq!(painted, plain.replace("yes", "\u{1b}[32myes\u{1b}[0m"));
}

#[test]
fn a_policy_admin_adds_members_once_an_issuers_key_is_listed() {
    let (office, van) = shop();
    let eve = Person::new();
    let line = office.says(&["invite"]);
    let joined = eve.json(&["join", line.trim(), "--as", "eve"]);
    let did = joined["did"].as_str().expect("a did");
    let admin = ["--role", "policy_admin", "--scope", "repair"];
    office.says(&[&["add-member", did, "--as", "eve"][..], &admin].concat());
    office.sends_to(&eve);
    let tom = van.json(&["whoami"])["did"]
        .as_str()
        .expect("a did")
        .to_owned();
    let add = ["add-member", &tom, "--as", "tom", "--role", "reader"];
    let refused = eve.run(&add);
    refused.fails(
        exit::REFUSED,
        &["list your key", "ecac issuer add did:key:"],
    );
    let hint = refused.stderr.split('`').nth(1).expect("a command");
    let command: Vec<&str> = hint.split(' ').skip(1).collect();
    office.says(&command);
    office.sends_to(&eve);
    // She may hand on what her own scope contains, and no more.
    eve.run(&add).fails(exit::REFUSED, &["out_of_scope"]);
    eve.says(&[&add[..], &["--scope", "repair"]].concat());
    let members = eve.json(&["members"]);
    let members = members["members"].as_array().expect("members").iter();
    let tom = members.filter(|it| it["person"]["name"] == "tom");
    assert_eq!(
        tom.flat_map(|it| it["grants"].as_array().expect("grants"))
            .count(),
        2
    );
}
