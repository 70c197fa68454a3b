//! What survives theft, mistakes and lost devices, as people live with it.

use ecac_artifact::exit;
use serde_json::Value as Json;

use super::{Guild, Person, shop};

/// A quarter of an hour, by which nobody waits for a stamp.
const LATER_MS: u64 = 900_000;

fn ops(list: &Json) -> Vec<&str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|it| it["op"].as_str().expect("an op")).collect()
}

/// What log, explanation and decisions say that the op comes to.
#[track_caller]
fn comes_to(person: &Person, op: &str, code: &str, words: &str) {
    let log = person.json(&["log"]);
    let mut rows = log["ops"].as_array().expect("rows").iter();
    let row = rows.rfind(|row| row["op"] == op);
    assert_eq!(row.expect("a row")["effect"]["code"], code, "{op}");
    let counts = row.expect("a row")["effect"]["counts"] == true;
    let void = person.json(&["log", "--void"]);
    let mut void = void["ops"].as_array().expect("rows").iter();
    assert_eq!(void.any(|row| row["op"] == op), !counts);
    let explained = person.says(&["explain", op]);
    assert!(explained.contains(code), "{explained}");
    assert!(explained.contains(words), "{explained}");
    let decisions = person.says(&["decisions"]);
    let mut lines = decisions.lines().filter(|line| line.contains(op));
    let effect = format!("\"effect\":{{\"code\":\"{code}\"");
    assert!(lines.any(|line| line.contains(&effect)), "{decisions}");
}

/// The effects of the op that the audit log of the machine has, in order.
#[track_caller]
fn told_by_the_machine(person: &Person, op: &str) -> Vec<String> {
    let export = person.says(&["audit", "export", ".ecac/audit"]);
    let lines = export.lines().map(serde_json::from_str);
    let entries = lines.map(|it: Result<Json, _>| it.expect("a line of JSON"));
    let entries = entries.filter(|it| it["entry"] == "effect" && it["op"] == op);
    let effects = entries.map(|it| it["effect"].as_str().map(str::to_owned));
    effects.map(|it| it.expect("a code")).collect()
}

fn digests(people: &[&Person]) -> Vec<Json> {
    let digest = |it: &&Person| it.json(&["verify-store"])["state"].clone();
    people.iter().map(digest).collect()
}

#[test]
fn a_stolen_root_rages_and_sealed_work_stands() {
    let guild = Guild::found();
    let Guild { ann, ben, cat, van } = &guild;
    van.says(&["set", "motor/7", "status", "repaired"]);
    van.says(&["add", "motor/7", "parts", "bearing", "2"]);
    guild.meet();
    let thief = cat.stolen();
    assert_eq!(thief.did(), cat.did());

    let seal = ann.op(&["seal"]);
    ann.sends_to(ben);
    let waiting = ben.says(&["pending"]);
    assert!(
        waiting.contains("1 of 2") && waiting.contains("Seal"),
        "{waiting}"
    );
    assert_eq!(ben.json(&["pending"])["pending"][0]["mine"], true);
    assert_eq!(ann.json(&["pending"])["pending"][0]["mine"], false);
    ann.run(&["cosign", &seal])
        .fails(exit::REFUSED, &["count for nothing"]);
    ben.says(&["cosign", &seal[..12]]);
    ben.sends_to(ann);
    ben.run(&["cosign", &seal])
        .fails(exit::REFUSED, &["waits for no signature"]);
    van.says(&["set", "motor/8", "status", "repaired"]);
    van.sends_to(ann);

    // The thief ends everybody, lets an accomplice in, and writes over all of it.
    let accomplice = Person::new();
    let line = ann.says(&["invite"]);
    let joined = accomplice.json(&["join", line.trim()]);
    let did = joined["did"].as_str().expect("a did");
    thief.says(&["revoke", &van.did(), "--yes"]);
    let against_roots = [ann, ben].map(|root| {
        let revoked = thief.json(&["revoke", &root.did(), "--yes"]);
        assert_eq!(revoked["effect"]["code"], "short");
        revoked["op"].as_str().expect("an op").to_owned()
    });
    let hired = thief.json(&["add-member", did, "--as", "pal", "--role", "root"]);
    assert_eq!(hired["waits"], true);
    for object in ["motor/7", "motor/8"] {
        thief.says(&["set", object, "status", "scrapped"]);
    }
    thief.says(&["remove", "motor/7", "parts", "bearing"]);

    // Cat calls. Ann and Ben end her together, and with her the thief, before they hear of it.
    let revoked = ann.json(&["revoke", &cat.did(), "--yes"]);
    assert_eq!(revoked["effect"]["code"], "short");
    ann.sends_to(ben);
    let pending = ben.json(&["pending"]);
    let mine = pending["pending"].as_array().expect("a list").iter();
    let mine: Vec<&Json> = mine
        .filter(|it| it["op"] == revoked["op"] && it["mine"] == true)
        .collect();
    assert_eq!(mine.len(), 1, "{pending}");
    ben.says(&["cosign", revoked["op"].as_str().expect("an op"), "--yes"]);
    ben.sends_to(ann);
    ann.now_ms.set(ann.now_ms.get() + LATER_MS);
    ben.now_ms.set(ann.now_ms.get());
    thief.sends_to(ann);

    // Sealed work stands; what was not sealed is lost to the thief's revocation, and given back.
    assert_eq!(ann.field("motor/7", "status"), "repaired");
    let parts = ann.json(&["get", "motor/7"]);
    assert_eq!(parts["sets"]["parts"]["bearing"]["value"], 2);
    ann.run(&["get", "motor/8"]).fails(exit::NOT_FOUND, &[]);
    let lost = ann.json(&["endorse", "--list", "--all-of", "tom"]);
    assert_eq!(ops(&lost["taken_back"]).len(), 1);
    ann.says(&["endorse", "--all-of", "tom"]);
    assert_eq!(ann.field("motor/8", "status"), "repaired");
    ann.says(&["regrant", "tom"]);

    // Once that is sealed, nothing that the thief signs on old parents ends anything.
    let seal = ann.op(&["seal"]);
    ann.sends_to(ben);
    ben.says(&["cosign", &seal]);
    ben.sends_to(ann);
    ann.sends_to(van);
    let late = thief.op(&["revoke", &van.did(), "--yes"]);
    van.now_ms.set(ann.now_ms.get());
    van.says(&["set", "motor/8", "status", "sold"]);
    van.sends_to(ann);
    let came = thief.sends_to(ann);
    assert_eq!(came["counts"]["rolled_back"], Json::Null);
    assert_eq!(ann.field("motor/8", "status"), "sold");
    ann.sends_to(ben);
    // The thief's proposals to end roots are stale; the one to make a root is shown as what it is.
    let pending = ann.json(&["pending"]);
    let waiting = pending["pending"].as_array().expect("a list");
    assert_eq!(waiting.len(), 1, "{pending}");
    assert_eq!(
        (&waiting[0]["kind"], &waiting[0]["verdict"]),
        (&"Grant".into(), &"denied".into())
    );
    assert!(ann.says(&["pending"]).contains("its author is out"));
    for op in &against_roots {
        comes_to(ann, op, "stale", "its author had been ended");
        assert_eq!(told_by_the_machine(ann, op), ["short", "stale"]);
    }
    comes_to(ann, &late, "stale", "its author had been ended");
    assert_eq!(told_by_the_machine(ann, &late), ["stale"]);
    let revoked = revoked["op"].as_str().expect("an op");
    comes_to(ann, revoked, "revokes", "takes grants away");
    assert_eq!(told_by_the_machine(ann, revoked), ["short", "revokes"]);
    ann.run(&["audit-verify"]).quietly();
    let digests = digests(&[ann, ben]);
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn what_a_seal_passes_over_is_dropped_and_shown_so() {
    let Guild { ann, ben, cat, .. } = &Guild::found();
    let revoked = ann.op(&["revoke", &cat.did(), "--yes"]);
    comes_to(ann, &revoked, "short", "too few roots have signed it");
    let seal = ann.op(&["seal"]);
    ann.sends_to(ben);
    ben.says(&["cosign", &seal]);
    ben.sends_to(ann);
    for person in [ann, ben] {
        comes_to(person, &revoked, "dropped", "passed it over");
        comes_to(person, &seal, "seals", "its past stands");
        person.run(&["audit-verify"]).quietly();
    }
    assert_eq!(told_by_the_machine(ann, &revoked), ["short", "dropped"]);
    assert_eq!(told_by_the_machine(ann, &seal), ["short", "seals"]);
}

#[test]
fn a_lost_phone_costs_the_phone_alone() {
    let (office, van) = shop();
    let (phone, laptop) = (Person::new(), &van);
    let line = office.says(&["invite"]);
    phone.says(&["join", line.trim()]);
    let tom = van.did();
    let asked = phone.says(&["device", "ask", &tom]);
    let wrong = asked.replace(&tom, &office.did());
    let refused = laptop.run(&["device", "add", wrong.trim()]);
    assert_eq!(refused.code, Some(exit::USAGE.into()));
    assert!(
        refused
            .stderr
            .contains("the key that asks did not sign this line")
    );
    laptop.says(&["device", "add", asked.trim(), "--as", "phone"]);
    laptop.sends_to(&phone);
    assert!(phone.says(&["whoami"]).contains("a device of"));
    phone.says(&["set", "motor/7", "status", "repaired"]);
    phone.sends_to(laptop);
    let members = laptop.says(&["members"]);
    assert!(
        members.contains("phone") && members.contains("device"),
        "{members}"
    );

    // It is lost; what the laptop had seen stays, and the rest never counts.
    let thief = phone.stolen();
    thief.says(&["set", "motor/7", "status", "scrapped"]);
    let ended = laptop.says(&["device", "revoke", "phone"]);
    assert!(ended.contains("DeviceRevoke"), "{ended}");
    laptop.now_ms.set(laptop.now_ms.get() + LATER_MS);
    let came = thief.sends_to(laptop);
    assert_eq!(came["counts"]["denied"], 1);
    assert_eq!(laptop.field("motor/7", "status"), "repaired");
    laptop.says(&["set", "motor/7", "status", "sold"]);
    laptop.sends_to(&thief);
    thief
        .run(&["set", "motor/7", "status", "stolen"])
        .fails(exit::REFUSED, &["revoked"]);
    let devices = laptop.json(&["device", "list", "me"]);
    assert_eq!(devices["devices"][0]["effect"]["code"], "ended");
    laptop
        .run(&["device", "revoke", "office"])
        .fails(exit::NOT_FOUND, &["linked to nobody"]);
    // A new phone takes a new key, and nobody grants anything.
    let again = Person::new();
    again.says(&["join", line.trim()]);
    let asked = again.says(&["device", "ask", &tom]);
    laptop.says(&["device", "add", asked.trim(), "--as", "new phone"]);
    laptop.sends_to(&again);
    again.now_ms.set(laptop.now_ms.get());
    again.says(&["set", "motor/7", "status", "found"]);
}

/// Three commands find, review and give back the work of a technician who was offline while he was revoked.
#[test]
fn honest_work_is_given_back_by_three_commands() {
    let (office, van) = shop();
    van.says(&["set", "motor/7", "status", "disassembled"]);
    van.sends_to(&office);
    van.says(&["set", "motor/7", "status", "repaired"]);
    van.says(&["add", "motor/8", "parts", "bearing", "2"]);
    office.says(&["revoke", "tom", "--yes"]);
    van.sends_to(&office);
    assert_eq!(office.field("motor/7", "status"), "disassembled");
    assert!(office.says(&["status"]).contains("2 ops were taken back"));

    let found = office.says(&["endorse", "--list"]);
    assert_eq!(found.matches(" tom ").count(), 2, "{found}");
    let review = office.says(&["endorse", "--all-of", "tom", "--preview"]);
    assert!(
        review.contains("2 ops would count again (2 by tom)"),
        "{review}"
    );
    let given = office.says(&["endorse", "--all-of", "tom"]);
    assert!(given.contains("2 ops given back (2 by tom)"), "{given}");

    assert_eq!(office.field("motor/7", "status"), "repaired");
    let came = office.sends_to(&van);
    assert_eq!(came["counts"]["rolled_back"], Json::Null);
    let digests = digests(&[&office, &van]);
    assert_eq!(digests[0], digests[1]);
    office
        .run(&["endorse", "--all-of", "tom"])
        .fails(exit::NOT_FOUND, &["nothing was taken back"]);
    let file = office.file("all.cborseq");
    office.says(&["export", &file]);
    let checked = office.again(&["audit-verify", ".ecac/audit", "--log", &file]);
    assert!(
        String::from_utf8(checked.ok())
            .expect("text")
            .contains("verdict: OK\n")
    );
}

#[test]
fn what_is_given_back_can_be_narrowed_and_nobody_gives_more_than_is_theirs() {
    let (office, van) = shop();
    for (object, hours) in [("motor/7", 0), ("motor/70", 1), ("motor/8", 1)] {
        van.now_ms.set(van.now_ms.get() + hours * 3_600_000);
        van.says(&["set", object, "status", "repaired"]);
    }
    office.says(&["revoke", "tom", "--yes"]);
    office.now_ms.set(van.now_ms.get() + LATER_MS);
    van.sends_to(&office);
    let listed = |args: &[&str]| {
        let document = office.json(&[&["endorse", "--list"][..], args].concat());
        ops(&document["taken_back"]).len()
    };
    assert_eq!(listed(&[]), 3);
    assert_eq!(listed(&["--object", "motor/7"]), 1);
    assert_eq!(listed(&["--object", "motor/7*"]), 2);
    assert_eq!(listed(&["--since", "90m"]), 2);
    assert_eq!(
        listed(&["--since", "2026-01-01T08:30:00Z", "--object", "motor/8"]),
        1
    );
    assert_eq!(listed(&["--all-of", "me"]), 0);
    office
        .run(&["endorse", "--object", "motor/7"])
        .fails(exit::USAGE, &["nobody is here to be asked"]);
    let list = office.json(&["endorse", "--list"]);
    let first = ops(&list["taken_back"])[0];
    office.says(&["endorse", &first[..12]]);
    assert_eq!(listed(&[]), 2);
    office
        .run(&["endorse", &first[..12]])
        .fails(exit::NOT_FOUND, &["was not taken back"]);
    // Who may not write there gives nothing back.
    let clerk = Person::new();
    let line = office.says(&["invite"]);
    let joined = clerk.json(&["join", line.trim(), "--call", "office"]);
    let did = joined["did"].as_str().expect("a did");
    let role = ["--as", "eve", "--role", "editor", "--scope", "office"];
    office.says(&[&["add-member", did][..], &role].concat());
    clerk.now_ms.set(office.now_ms.get());
    office.sends_to(&clerk);
    clerk.run(&["endorse", "--all-of", &van.did()]).fails(
        exit::REFUSED,
        &["you may give back none of it", "out_of_scope"],
    );
}

#[test]
fn a_project_says_what_it_does_not_use() {
    let person = Person::new();
    let others = [Person::new(), Person::new()].map(|it| {
        let key = it.json(&["key", "new", "me"]);
        key["did"].as_str().expect("a did").to_owned()
    });
    let [first, second] = &others;
    person
        .run(&["init", "guild", "--root", first, "--quorum", "3"])
        .fails(exit::USAGE, &["3 of 2 roots cannot sign together"]);
    let alone = [
        "init", "guild", "--root", first, "--root", second, "--quorum", "1",
    ];
    person.says(&alone);
    for args in [&["seal"][..], &["cosign", "1f3a9c0d"]] {
        person
            .run(args)
            .fails(exit::REFUSED, &["does not use the feature"]);
    }
    assert_eq!(
        person.says(&["pending"]),
        "nothing waits for the signatures of more roots\n"
    );

    let Guild { ann, ben, .. } = Guild::found();
    let seal = ann.op(&["seal"]);
    ann.sends_to(&ben);
    let preview = ben.json(&["cosign", &seal, "--preview"]);
    assert_eq!(preview["effect"]["code"], "cosigns");
    ben.run(&["cosign", "00000000"])
        .fails(exit::NOT_FOUND, &["op 00000000"]);
}

#[test]
fn a_seal_is_suggested_when_much_is_unsealed() {
    let person = Person::new();
    person.says(&["init", "shop"]);
    for number in 0..98 {
        person.says(&["set", "motor/7", "hours", &number.to_string()]);
    }
    assert!(!person.says(&["status"]).contains("ecac seal"));
    person.says(&["set", "motor/7", "hours", "99"]);
    let said = person.says(&["status"]);
    assert!(
        said.contains("100 ops are not sealed") && said.contains("`ecac seal`"),
        "{said}"
    );
    let sealed = person.json(&["seal"]);
    assert_eq!(
        (&sealed["effect"]["code"], &sealed["seals"]),
        (&"seals".into(), &100.into())
    );
    let here = person.json(&["status"]);
    assert_eq!(here["sealing"]["unsealed"], 0);
    assert_eq!(here["sealing"]["suggested"], false);
}
