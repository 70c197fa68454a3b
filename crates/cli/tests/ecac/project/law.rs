//! What is previewed is what happens.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde_json::Value as Json;

use super::{Person, shop};

/// What of a preview has to happen.
fn said(document: &Json) -> [&Json; 4] {
    ["op", "effect", "rolled_back", "unseen"].map(|member| &document[member])
}

/// Somebody revokes who has not seen all of what the technician wrote: by a second root, who works apart.
#[test]
fn what_is_previewed_is_what_happens() {
    for seed in 0..3 {
        let mut random = ChaCha20Rng::seed_from_u64(seed);
        let (office, van) = shop();
        // A second office, which the first one lets revoke, and which knows only what it was sent.
        let second = Person::new();
        let line = office.says(&["invite"]);
        let joined = second.json(&["join", line.trim()]);
        let did = joined["did"].as_str().expect("a did");
        office.says(&[
            "add-member",
            did,
            "--as",
            "eve",
            "--role",
            "policy_admin",
            "--scope",
            "repair",
        ]);
        office.sends_to(&second);
        for _ in 0..random.next_u32() % 4 + 1 {
            let motor = format!("motor/{}", random.next_u32() % 3);
            let value = random.next_u32().to_string();
            van.says(&["set", &motor, "status", &value]);
        }
        let tom = van.json(&["whoami"])["did"]
            .as_str()
            .expect("a did")
            .to_owned();
        second.says(&["revoke", &tom]);
        // The office meets the van first, and then the revocation: what that takes back is told by the import.
        van.sends_to(&office);
        let came = second.sends_to(&office);
        let lost = came["counts"]["rolled_back"].as_u64().expect("a count");
        assert!(lost > 0);
        // Whatever the office previews now is what then happens, at the same time.
        office.says(&["regrant", "tom"]);
        for role in [&["--role", "reader"][..], &["--role", "editor"], &[]] {
            let mut preview = vec!["revoke", "tom", "--preview", "--json"];
            preview.extend(role);
            let preview: Json = serde_json::from_slice(&office.run(&preview).ok()).expect("JSON");
            let mut revoke = vec!["revoke", "tom", "--yes", "--json"];
            revoke.extend(role);
            let done = office.again(&revoke);
            if done.code == Some(0) {
                let done: Json = serde_json::from_slice(&done.stdout).expect("JSON");
                assert_eq!(said(&preview), said(&done));
            } else {
                assert!(done.stderr.contains("count for nothing"), "{}", done.stderr);
                assert_ne!(preview["effect"]["code"], "revokes");
            }
        }
    }
}

/// The key of an issuer is revoked by somebody who has seen nothing of the work: on a replica that has it, the work goes, and the
/// preview of it said which.
#[test]
fn a_preview_names_the_work_that_goes() {
    let (office, van) = shop();
    van.says(&["set", "motor/7", "status", "repaired"]);
    van.says(&["set", "motor/8", "status", "repaired"]);
    // The office restores what it had before it met the van, in another directory: a root who has not seen the work.
    let status = office.json(&["issuer", "list"]);
    let key = &status["active"][0];
    let (issuer, kid) = (
        key["issuer"].as_str().expect("an issuer"),
        key["kid"].as_str().expect("a key id"),
    );
    let preview = office.json(&["issuer", "revoke", issuer, kid, "--preview"]);
    assert_eq!(preview["rolled_back"].as_array().map(Vec::len), Some(0));
    let done: Json = serde_json::from_slice(
        &office
            .again(&["issuer", "revoke", issuer, kid, "--json"])
            .ok(),
    )
    .expect("JSON");
    assert_eq!(preview["op"], done["op"]);
    let came = office.sends_to(&van);
    assert_eq!(came["counts"]["rolled_back"], 2);
}
