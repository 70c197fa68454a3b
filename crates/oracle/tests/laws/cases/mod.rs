//! Small histories written by hand, with what ENGINE section 3 says of them: each reason, and each consequence
//! that the section states.

mod killed;
mod refused;
mod revoked;
mod state;

use std::collections::BTreeMap;

use ecac_core::credential::Role;
use ecac_core::{Costs, Hlc, Log, OpId, Payload, Refusal, Replay};
use ecac_oracle::Story;
use ecac_oracle::world::scope_bits::{A, AB, B};
use ecac_oracle::world::{
    self, ALICE, ALWAYS, BOB, BOSS, CHIEF, FAR_MS, FIRST, Hand, OUTSIDER, ROOT, ROOT_2, ROOT_3,
    START_MS, TRUST, add, remove, revoke, set,
};
use serde_json::{Value as Json, json};

/// Another key of the first issuer, under the same key id.
const TWIN: Hand = Hand { key: 1, ..FIRST };
/// Expects of each named op, one a line, `name verdict [reason] [witness]`; every other op is applied.
#[track_caller]
fn check(story: &Story, expect: &str) {
    let decided = story.text_of(&story.said().replayed.decisions);
    let expected: BTreeMap<&str, &str> = expect
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| (line.split(' ').next().expect("a line is not empty"), line))
        .collect();
    for name in expected.keys() {
        assert!(story.ids.contains_key(*name), "there is no op {name}");
    }
    for line in decided.lines() {
        let name = line.split(' ').next().expect("a line is not empty");
        match expected.get(name) {
            Some(expected) => assert_eq!(line, *expected, "in\n{decided}"),
            None => assert!(
                line.starts_with(&format!("{name} applied ")),
                "{line}, in\n{decided}"
            ),
        }
    }
}

fn title(value: i64) -> Payload {
    set("doc/1", "title", value)
}

fn state(story: &Story) -> Json {
    serde_json::from_slice(&story.said().replayed.state).expect("exports are JSON")
}

fn trust(story: &Story) -> Json {
    serde_json::from_slice(&story.said().trust).expect("exports are JSON")
}
