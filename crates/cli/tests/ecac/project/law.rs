//! What is previewed is what happens.

use chacha20::ChaCha20Rng;
use ecac_artifact::exit;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::Value as Json;

use super::{Guild, Person, shop};

/// An hour, by which a clock is fast.
const HOUR_MS: u64 = 3_600_000;

/// What of a preview has to happen.
fn said(document: &Json) -> [&Json; 4] {
    ["op", "effect", "rolled_back", "unseen"].map(|member| &document[member])
}

fn parsed(bytes: &[u8]) -> Json {
    serde_json::from_slice(bytes).expect("JSON")
}

/// Who was revoked by an op that their clock has not reached is told so before anything is written, whatever they write.
#[test]
fn who_is_out_by_a_clock_that_is_ahead_is_told_and_writes_nothing() {
    let (office, van) = shop();
    van.says(&["add", "motor/7", "labels", "red", "1"]);
    van.sends_to(&office);
    office.now_ms.set(office.now_ms.get() + HOUR_MS);
    let revoked = office.json(&["revoke", "tom", "--yes"]);
    let denial = revoked["op"].as_str().expect("an op").to_owned();
    office.sends_to(&van);
    let before = van.json(&["verify-store"]);
    for args in [
        &["set", "motor/7", "status", "done"][..],
        &["add", "motor/7", "labels", "red", "1"],
        &["remove", "motor/7", "labels", "red"],
    ] {
        let ran = van.run(args);
        ran.fails(
            exit::REFUSED,
            &["it would count for nothing: revoked by", &denial[..12]],
        );
    }
    assert_eq!(van.json(&["verify-store"]), before);
    // By a clock that has reached it the write is refused, as ever.
    van.now_ms.set(office.now_ms.get());
    van.run(&["set", "motor/7", "status", "done"])
        .fails(exit::REFUSED, &["revoked"]);
}

/// Work whose stamp the clock of the office has not reached is judged and shown, and no op names it: a revocation takes it back.
#[test]
fn what_is_previewed_is_what_happens() {
    for seed in 0..4 {
        let mut random = ChaCha20Rng::seed_from_u64(seed);
        let (office, van) = shop();
        let mut write = |count: u32| {
            for _ in 0..count {
                let motor = format!("motor/{}", random.next_u32() % 3);
                van.says(&["set", &motor, "status", &random.next_u32().to_string()]);
            }
        };
        let (seen, unseen) = (seed as u32 % 2, seed as u32 / 2 * 2 + 1);
        write(seen);
        van.now_ms.set(van.now_ms.get() + HOUR_MS);
        write(unseen);
        van.sends_to(&office);
        let before = office.json(&["verify-store"]);
        for narrower in [&["--role", "reader"][..], &["--scope", "office"]] {
            let preview = office.json(&[&["revoke", "tom", "--preview"][..], narrower].concat());
            assert_eq!(preview["effect"]["code"], "not_matched");
            let refused = office.run(&[&["revoke", "tom"][..], narrower].concat());
            refused.fails(exit::REFUSED, &["count for nothing"]);
        }
        let preview = office.json(&["revoke", "tom", "--preview"]);
        let lost = preview["rolled_back"].as_array().expect("ops");
        assert_eq!(lost.len(), unseen as usize);
        assert!(lost.iter().all(|it| it["author"]["name"] == "tom"));
        office
            .again(&["revoke", "tom"])
            .fails(exit::USAGE, &["nobody is here to be asked", "--yes"]);
        assert_eq!(office.json(&["verify-store"]), before);
        let preview = office.json(&["revoke", "tom", "--preview"]);
        let done = parsed(&office.again(&["revoke", "tom", "--yes", "--json"]).ok());
        assert_eq!(said(&preview), said(&done));
        // And it is so at the other one's, too.
        let came = office.sends_to(&van);
        assert_eq!(came["counts"]["rolled_back"], unseen);
    }
}

/// The same of the key of an issuer.
#[test]
fn the_preview_of_an_issuers_key_is_what_happens() {
    let (office, van) = shop();
    van.now_ms.set(van.now_ms.get() + HOUR_MS);
    van.says(&["set", "motor/7", "status", "repaired"]);
    van.says(&["set", "motor/8", "status", "repaired"]);
    van.sends_to(&office);
    let keys = office.json(&["issuer", "list"]);
    let named = |member: &str| {
        keys["active"][0][member]
            .as_str()
            .expect("a name")
            .to_owned()
    };
    let (issuer, kid) = (named("issuer"), named("kid"));
    let revoke = ["issuer", "revoke", &issuer, &kid];
    office
        .run(&revoke)
        .fails(exit::USAGE, &["it takes back 2 ops"]);
    let preview = office.json(&[&revoke[..], &["--preview"]].concat());
    let done = parsed(
        &office
            .again(&[&revoke[..], &["--yes", "--json"]].concat())
            .ok(),
    );
    for member in ["op", "effect", "rolled_back"] {
        assert_eq!(preview[member], done[member], "{member}");
    }
    assert_eq!(done["rolled_back"].as_array().map(Vec::len), Some(2));
}

/// Whoever has seen the work and revokes leaves it.
#[test]
fn work_that_was_seen_stays() {
    let (office, van) = shop();
    van.says(&["set", "motor/7", "status", "repaired"]);
    van.sends_to(&office);
    let preview = office.json(&["revoke", "tom", "--preview"]);
    assert_eq!(preview["rolled_back"].as_array().map(Vec::len), Some(0));
    office.says(&["revoke", "tom"]);
    assert!(office.says(&["get", "motor/7"]).contains("repaired"));
    let stranger = Person::new();
    stranger
        .run(&["revoke", "tom", "--preview"])
        .fails(exit::ENVIRONMENT, &["no project"]);
}

/// A command with and without `--preview` says the same.
#[track_caller]
fn keeps_its_word(person: &Person, args: &[&str], yes: &[&str]) -> Json {
    let before = person.json(&["verify-store"]);
    let preview = person.json(&[args, &["--preview"]].concat());
    assert!(person.again(&[args, &["--preview"]].concat()).code == Some(0));
    assert_eq!(person.json(&["verify-store"])["state"], before["state"]);
    let at = person.now_ms.get();
    person.now_ms.set(at - 1000);
    let preview_again = person.json(&[args, &["--preview"]].concat());
    let done = parsed(&person.again(&[args, yes, &["--json"]].concat()).ok());
    assert_eq!(preview_again, done, "{args:?}");
    assert_eq!(preview["format"], done["format"]);
    done
}

/// Of a seal, of signatures, of devices and of what is given back.
#[test]
fn the_previews_of_what_survives_theft_are_what_happens() {
    let Guild { ann, ben, cat, van } = Guild::found();
    let phone = Person::new();
    let line = ann.says(&["invite"]);
    phone.says(&["join", line.trim()]);
    let asked = phone.says(&["device", "ask", &van.did()]);
    let linked = keeps_its_word(&van, &["device", "add", asked.trim(), "--as", "phone"], &[]);
    assert_eq!(linked["effect"]["code"], "links");
    van.sends_to(&phone);
    for (count, machine) in [(2, &van), (3, &phone)] {
        machine.now_ms.set(machine.now_ms.get() + HOUR_MS);
        for number in 0..count {
            machine.says(&["set", &format!("motor/{number}"), "status", "repaired"]);
        }
    }

    let sealed = keeps_its_word(&ann, &["seal"], &[]);
    assert_eq!(sealed["effect"]["code"], "short");
    ann.sends_to(&ben);
    let seal = sealed["op"].as_str().expect("an op");
    let signed = keeps_its_word(&ben, &["cosign", seal], &[]);
    assert_eq!(
        (&signed["signed"], &signed["quorum"]),
        (&2.into(), &2.into())
    );
    ben.sends_to(&ann);

    // The end of a root takes back what it did without being seen.
    cat.now_ms.set(cat.now_ms.get() + HOUR_MS);
    cat.says(&["set", "bill/1", "sum", "0"]);
    let ended = keeps_its_word(&ann, &["revoke", &cat.did()], &[]);
    assert_eq!(ended["effect"]["code"], "short");
    ann.sends_to(&ben);
    cat.sends_to(&ben);
    let op = ended["op"].as_str().expect("an op");
    let would = &ben.json(&["pending"])["pending"][0]["would"];
    assert_eq!(would["rolled_back"].as_array().map(Vec::len), Some(1));
    let refused = ben.run(&["cosign", op]);
    refused.fails(exit::USAGE, &["nobody is here to be asked"]);
    let signed = keeps_its_word(&ben, &["cosign", op], &["--yes"]);
    assert_eq!(signed["rolled_back"], would["rolled_back"]);
    assert_eq!(would["effect"]["code"], "revokes");

    // The phone is lost, and then the person leaves; all of the work is given back.
    phone.sends_to(&van);
    let other = Person::new();
    other.says(&["join", line.trim()]);
    let asked = other.says(&["device", "ask", &van.did()]);
    van.says(&["device", "add", asked.trim(), "--as", "tablet"]);
    ben.sends_to(&ann);
    van.sends_to(&other);
    other.now_ms.set(other.now_ms.get() + HOUR_MS);
    other.says(&["add", "motor/9", "parts", "bearing"]);
    other.sends_to(&van);
    van.now_ms.set(van.now_ms.get() + HOUR_MS);
    let lost = keeps_its_word(&van, &["device", "revoke", "phone"], &["--yes"]);
    assert_eq!(lost["effect"]["code"], "unlinks");
    let came = van.sends_to(&ann);
    assert!(came["counts"]["applied"].as_u64() > Some(0));
    let gone = keeps_its_word(&ann, &["revoke", "tom"], &["--yes"]);
    ann.now_ms.set(ann.now_ms.get() + 3 * HOUR_MS);
    let back = ann.json(&["endorse", "--list", "--all-of", "tom"]);
    let back = back["taken_back"].as_array().expect("ops").len();
    let gone = gone["rolled_back"].as_array().expect("ops").iter();
    let is_data = |op: &&Json| op["kind"].as_str().is_some_and(|it| it.starts_with("Set"));
    assert_eq!((gone.filter(is_data).count(), back), (6, 6));
    let given = keeps_its_word(&ann, &["endorse", "--all-of", "tom"], &[]);
    assert_eq!(given["reinstated"].as_array().map(Vec::len), Some(back));
    assert_eq!(given["left"], Json::Array(Vec::new()));
    let after = ann.json(&["endorse", "--list", "--all-of", "tom"]);
    assert_eq!(after["taken_back"], Json::Array(Vec::new()));
}
