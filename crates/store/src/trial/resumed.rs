//! A replica that was snapshotted, closed, killed and opened in between says what one says that took everything in at once.

use std::collections::BTreeSet;
use std::path::Path;

use ecac_core::{OpId, Replica, VerifiedOp};
use ecac_oracle::{History, histories};
use proptest::prelude::*;

use super::NAME;
use super::image::Image;
use super::place::Place;
use crate::options::Options;
use crate::store::Store;
use crate::verify::verify_store;

/// What is done between two batches.
#[derive(Debug, Clone, Copy)]
enum Between {
    Nothing,
    Snapshot,
    Prune,
    Close,
    /// The process ends without closing.
    End,
}

fn betweens() -> impl Strategy<Value = Vec<(usize, Between)>> {
    let between = prop_oneof![
        Just(Between::Nothing),
        Just(Between::Snapshot),
        Just(Between::Prune),
        Just(Between::Close),
        Just(Between::End),
    ];
    prop::collection::vec((1..8usize, between), 1..12)
}

fn ids<'a>(ops: impl Iterator<Item = &'a VerifiedOp>) -> BTreeSet<OpId> {
    ops.map(VerifiedOp::id).collect()
}

fn same(durable: &Replica, plain: &Replica) {
    assert_eq!(durable.heads(), plain.heads());
    assert_eq!(durable.state(), plain.state());
    assert_eq!(durable.trust(), plain.trust());
    for id in plain.log().ids_since(0) {
        assert_eq!(durable.decision(&id), plain.decision(&id));
        assert_eq!(durable.effect(&id), plain.effect(&id));
    }
    let (durable, plain) = (durable.log(), plain.log());
    assert_eq!(ids(durable.unsupported()), ids(plain.unsupported()));
    // A refusal that was forgotten comes again, and what builds on it waits until then.
    let waits = ids(durable.pending());
    assert!(waits.is_superset(&ids(plain.pending())));
    for id in waits.difference(&ids(plain.pending())) {
        assert!(plain.refusal(id).is_some());
    }
}

/// The ops arrive in the order of these numbers, in batches of those sizes.
fn check(place: &dyn Place, history: &History, order: &[u64], betweens: &[(usize, Between)]) {
    let store = Store::create_on(Path::new(NAME), place.make(), history.project).unwrap();
    let mut durable = Options::new().on(store, true).unwrap();
    let mut plain = Replica::join(history.project);
    let mut ops: Vec<(usize, &VerifiedOp)> = history.ops.iter().enumerate().collect();
    ops.sort_by_key(|(at, _)| order[at % order.len()].wrapping_mul(1 + *at as u64));
    let mut rest: Vec<&[u8]> = ops.iter().map(|(_, op)| op.envelope()).collect();
    for &(size, between) in betweens.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let batch: Vec<_> = rest.drain(..size.min(rest.len())).collect();
        durable.receive(&batch).unwrap();
        plain.receive(&batch);
        match between {
            Between::Nothing => continue,
            Between::Snapshot => durable.snapshot().unwrap(),
            Between::Prune => drop(durable.prune().unwrap()),
            Between::Close => {
                durable.close().unwrap();
                durable = place.open().unwrap();
            }
            Between::End => {
                place.kill(durable);
                durable = place.open().unwrap();
            }
        }
        same(&durable, &plain);
    }
    // A peer sends all of it again.
    let all: Vec<_> = ops.iter().map(|(_, op)| op.envelope()).collect();
    durable.receive(&all).unwrap();
    durable.snapshot().unwrap();
    same(&durable, &plain);
    assert_eq!(ids(durable.log().pending()), ids(plain.log().pending()));
    let verified = verify_store(durable.store(), 1).unwrap();
    assert_eq!(verified.state_digest, plain.state_digest());
    drop(durable);
    same(&place.open().unwrap(), &plain);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_after_a_snapshot_may_act_before_it(
        history in histories(),
        order in prop::collection::vec(any::<u64>(), 1..OPS),
        betweens in betweens(),
    ) {
        check(&Image::default(), &history, &order, &betweens);
    }
}

#[cfg(feature = "rocksdb")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_after_a_snapshot_may_act_before_it_in_rocksdb(
        history in histories(),
        order in prop::collection::vec(any::<u64>(), 1..OPS),
        betweens in betweens(),
    ) {
        check(&super::folder::Folder::new(), &history, &order, &betweens);
    }
}

const OPS: usize = ecac_oracle::OPS_MAX;
