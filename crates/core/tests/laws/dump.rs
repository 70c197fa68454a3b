//! Histories as files, for oracles in other languages (`docs/vectors/oracle/README.md`).
//!
//! Each history becomes `N.cborseq`, its ops in any order with forged and damaged copies among them and at times one
//! missing, with the project in `N.project` and what the engine says of it in `N.decisions`, `N.state` and `N.trust`.

use std::env::var_os;
use std::path::PathBuf;

use ecac_core::{Costs, Log, Replay};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use crate::history::{History, OPS_MAX, histories};
use crate::{said, shuffled};

/// How the items of a file differ from the ops of the history.
#[derive(Debug)]
struct Mess {
    order: Vec<u16>,
    missing: Option<Index>,
    /// Copies with a byte changed: which op, which byte, and how.
    damaged: Vec<(Index, Index, u8)>,
}

fn messes() -> impl Strategy<Value = Mess> {
    let order = prop::collection::vec(any::<u16>(), OPS_MAX);
    let missing = prop::option::weighted(0.2, any::<Index>());
    let damaged = prop::collection::vec((any::<Index>(), any::<Index>(), 1..=u8::MAX), 0..6);
    (order, missing, damaged).prop_map(|(order, missing, damaged)| Mess {
        order,
        missing,
        damaged,
    })
}

/// The items of the file.
fn items(history: &History, mess: &Mess) -> Vec<Vec<u8>> {
    let mut items: Vec<Vec<u8>> = shuffled(history, &mess.order)
        .into_iter()
        .map(|op| op.envelope().to_vec())
        .collect();
    for (which, byte, change) in &mess.damaged {
        let mut item = items[which.index(items.len())].clone();
        // Of the frame only what leaves one whole item: the body's bytes and the signature's.
        let within = 10..item.len() - 66;
        let at = match byte.index(2) {
            0 => within.start + byte.index(within.len()),
            _ => item.len() - 1 - byte.index(64),
        };
        item[at] ^= change;
        items.insert(which.index(items.len() + 1), item);
    }
    if let Some(missing) = mess.missing {
        items.remove(missing.index(items.len()));
    }
    items
}

/// The number in an environment variable, or another.
fn number(name: &str, default: u64) -> u64 {
    let Some(text) = var_os(name) else {
        return default;
    };
    let text = text.to_string_lossy();
    text.parse()
        .unwrap_or_else(|_| panic!("{name}={text} is not a number"))
}

#[test]
#[ignore = "writes files: set ECAC_DUMP_DIR, and ECAC_DUMP_HISTORIES and ECAC_DUMP_SEED if need be"]
#[expect(
    clippy::disallowed_methods,
    reason = "the files are for programs that are not written in Rust"
)]
fn dump_histories() {
    let directory = PathBuf::from(var_os("ECAC_DUMP_DIR").expect("ECAC_DUMP_DIR is set"));
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("ECAC_DUMP_SEED", 0).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    for at in 0..number("ECAC_DUMP_HISTORIES", 1000) {
        let (history, mess) = (histories(), messes())
            .new_tree(&mut runner)
            .expect("no history is rejected")
            .current();
        let items = items(&history, &mess);
        let mut log = Log::new(history.project);
        for item in &items {
            // Damaged copies are no ops; that they leave no trace is what the files show.
            let _ = log.receive(item, &mut Costs::default());
        }
        let said = said(&log, &Replay::of(&log, &mut Costs::default()));
        let decisions = said.decisions.iter().map(|(op, decision)| {
            let (verdict, reason) = (decision.verdict(), decision.reason());
            let line = json!([op, verdict, reason, decision.witness()]);
            let [op, verdict, reason, witness] = [0, 1, 2, 3].map(|part| &line[part]);
            format!(r#"{{"op":{op},"verdict":{verdict},"reason":{reason},"witness":{witness}}}"#)
                + "\n"
        });
        let write = |ending: &str, bytes: &[u8]| {
            let path = directory.join(format!("{at:06}.{ending}"));
            std::fs::write(&path, bytes)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        };
        write("cborseq", &items.concat());
        write("project", history.project.to_string().as_bytes());
        write("decisions", decisions.collect::<String>().as_bytes());
        write("state", said.state.as_bytes());
        write("trust", said.trust.as_bytes());
    }
}
