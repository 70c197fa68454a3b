//! Small histories written by hand, with what docs/policy-model.md says of them: each reason, each effect, and each
//! consequence that the page states.

/// Runs each case as a test of its own, and lists all for the test of the files.
macro_rules! cases {
    ($($name:ident,)*) => {
        pub(crate) const ALL: &[fn(&mut $crate::book::Vectors)] = &[$($name),*];

        mod each {
            $(
                #[test]
                fn $name() {
                    super::$name(&mut $crate::book::Vectors::default());
                }
            )*
        }
    };
}

mod devices;
mod effects;
mod features;
mod frozen;
mod handed;
mod killed;
mod laws;
mod proposals;
mod reading;
mod refused;
mod revoked;
mod state;
mod theft;

use ecac_core::credential::Role;
use ecac_core::{Costs, Hlc, Log, OpId, Payload, Refusal, Replay};
use ecac_oracle::Story;
use ecac_oracle::world::scope_bits::{A, AB, B};
use ecac_oracle::world::{
    self, ALICE, ALWAYS, BOB, BOSS, CHIEF, FAR_MS, FIRST, Hand, OUTSIDER, ROOT, ROOT_2, ROOT_3,
    START_MS, TRUST, add, remove, revoke, set,
};
use serde_json::{Value as Json, json};

use crate::book::{Vectors, check};

/// Every case.
pub(crate) const ALL: &[&[fn(&mut Vectors)]] = &[
    refused::ALL,
    revoked::ALL,
    killed::ALL,
    frozen::ALL,
    features::ALL,
    effects::ALL,
    state::ALL,
    theft::ALL,
    devices::ALL,
    handed::ALL,
    proposals::ALL,
    reading::ALL,
    laws::ALL,
];

/// Where the rules stand.
const REFUSED: &str = "docs/policy-model.md#refused";
const DENIED: &str = "docs/policy-model.md#denied";
const ROLES: &str = "docs/policy-model.md#roles-and-actions";
const FEATURES: &str = "docs/policy-model.md#features";
const QUORUM: &str = "docs/policy-model.md#quorum";
const SEALS: &str = "docs/policy-model.md#seals";
const ENDORSEMENTS: &str = "docs/policy-model.md#endorsements";
const DEVICES: &str = "docs/policy-model.md#devices";
const READING: &str = "docs/policy-model.md#confidential-tags";
const WORKED: &str = "docs/policy-model.md#worked-histories";
const EFFECTS: &str = "docs/policy-model.md#effects";
const PRECISELY: &str = "docs/policy-model.md#precisely";
const SEQUENCE: &str = "docs/policy-model.md#the-sequence-rule";
const CHOICES: &str = "docs/policy-model.md#choices";
const LAWS: &str = "docs/policy-model.md#laws";
const RECEIVING: &str = "docs/protocol.md#receiving";
const STAMPS: &str = "docs/protocol.md#stamps";
const SNAPSHOTS: &str = "docs/protocol.md#snapshots-and-seals";
const EXPORTS: &str = "docs/protocol.md#files-and-exports";

/// Another key of the first issuer, under the same key id.
const TWIN: Hand = Hand { key: 1, ..FIRST };

fn title(value: i64) -> Payload {
    set("doc/1", "title", value)
}

fn state(story: &Story) -> Json {
    serde_json::from_slice(&story.said().replayed.state).expect("exports are JSON")
}

fn trust(story: &Story) -> Json {
    serde_json::from_slice(&story.said().trust).expect("exports are JSON")
}
