//! What is previewed is what happens.

use chacha20::ChaCha20Rng;
use ecac_artifact::exit;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::Value as Json;

use super::{Person, shop};

/// An hour, by which a clock is fast.
const HOUR_MS: u64 = 3_600_000;

/// What of a preview has to happen.
fn said(document: &Json) -> [&Json; 4] {
    ["op", "effect", "rolled_back", "unseen"].map(|member| &document[member])
}

fn parsed(bytes: &[u8]) -> Json {
    serde_json::from_slice(bytes).expect("JSON")
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
