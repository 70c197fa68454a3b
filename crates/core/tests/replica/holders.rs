//! Whether a content key is fresh, in whatever order ops arrive: what a replica remembers of the holders never shows.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::Role;
use ecac_core::credential::mint::mint_credential;
use ecac_core::payload::{self, Share};
use ecac_core::{
    Confidential, Costs, Kem, Limits, Log, MemoryStore, OpId, OpStore as _, Outcome, Payload,
    Refusal, Replica, Sealed, VerifiedOp,
};

use crate::project::{ISSUER_KEY, Project, author, claims, key, name, revoke};

const ROOT: u32 = 0;
const OTHER_ROOT: u32 = 9;
const ALICE: u32 = 1;
const CAROL: u32 = 2;
const BOB: u32 = 3;
const DAVE: u32 = 5;
const EVE: u32 = 4;
/// When Eve's credential ends.
const EVE_UNTIL_MS: u64 = 1_000;

fn rotate() -> Payload {
    let tags = [name("tag")].into();
    Payload::KeyRotate(payload::KeyRotate { tags })
}

fn give(key: OpId, to: u32) -> Payload {
    give_all(key, to..to + 1)
}

fn give_all(key: OpId, to: Range<u32>) -> Payload {
    let share = Share {
        enc: vec![0; 32],
        ciphertext: [0; 48],
    };
    let shares = to.map(|to| (author(to), share.clone())).collect();
    Payload::KeyGrant(payload::KeyGrant { key, shares })
}

fn hide(key: OpId) -> Payload {
    Payload::SetFieldSealed(payload::SetFieldSealed {
        object: name("o"),
        field: name("salary"),
        value: Sealed {
            key,
            nonce: [0; 24],
            ciphertext: vec![0; 32],
        },
    })
}

/// Ops, in an order in which parents come first, and what becomes of those that are refused.
struct History {
    project: Project,
    refused: BTreeMap<OpId, (Refusal, Option<OpId>)>,
}

impl History {
    fn new() -> Self {
        let marks = Confidential {
            kem: Kem::X25519,
            tags: [name("tag")].into(),
        };
        let features = [("confidential", &*marks.parameters())];
        let mut history = Self {
            project: Project::using([ROOT, OTHER_ROOT], &features, Limits::default()),
            refused: BTreeMap::new(),
        };
        for person in [ALICE, CAROL, DAVE] {
            history.project.grant(ROOT, person, Role::Editor);
        }
        history
    }

    fn write(&mut self, by: u32, parents: &[OpId], payload: Payload) -> OpId {
        self.project.write_on(by, parents, payload)
    }

    /// Grants the person the role of a reader until then.
    fn hire(&mut self, person: u32, until_ms: u64, parents: &[OpId]) -> OpId {
        let mut claims = claims(person, Role::Reader);
        claims.valid_until_ms = until_ms;
        let jwt = mint_credential(&key(ISSUER_KEY), &claims);
        let carried = payload::Credential { jwt }.into();
        let credential = self.write(ROOT, parents, carried);
        let grant = Project::grant_of(person, credential);
        self.write(ROOT, &[credential], grant)
    }

    /// A sealed write or a `KeyGrant` that everybody refuses, because `shows` shows that a holder may not read.
    fn stale(&mut self, by: u32, parents: &[OpId], payload: Payload, shows: OpId) {
        let op = self.project.draft_on(by, parents, payload);
        let why = (Refusal::StaleKey, Some(shows));
        assert!(self.refused.insert(op.id(), why).is_none());
        let (reason, witness) = why;
        assert_eq!(
            self.project.receive(op),
            Outcome::Refused { reason, witness }
        );
    }

    /// Checks that the ops come to the same in the order given.
    #[track_caller]
    fn comes_to_the_same(&self, order: &[usize]) {
        let mut log = Log::new(self.project.log.project());
        for &at in order {
            log.ingest(self.project.given[at].clone(), &mut Costs::default());
        }
        self.check(&log, order);
    }

    /// Checks that they come to the same in a replica that was saved and restored after the first so many.
    #[track_caller]
    fn comes_to_the_same_restored(&self, order: &[usize], first: usize) {
        let project = self.project.log.project();
        let ops = |part: &[usize]| -> Vec<VerifiedOp> {
            part.iter()
                .map(|&at| self.project.given[at].clone())
                .collect()
        };
        let mut replica = Replica::join(project);
        replica.ingest(ops(&order[..first]));
        let mut store = MemoryStore::new();
        for envelope in replica.envelopes() {
            store.append(&envelope).expect("memory does not fail");
        }
        let snapshot = replica.save();
        let restored = Replica::builder().restore(project, Box::new(store), &snapshot);
        let mut restored = restored.expect("what was saved can be restored");
        restored.ingest(ops(&order[first..]));
        self.check(restored.log(), order);
    }

    #[track_caller]
    fn check(&self, log: &Log, order: &[usize]) {
        let refused: BTreeMap<_, _> = log
            .refused()
            .map(|(op, reason, witness)| (op, (reason, witness)))
            .collect();
        assert_eq!(refused, self.refused, "{order:?}");
        let all = self.project.given.len();
        assert_eq!(log.admitted_count() + refused.len(), all, "{order:?}");
    }

    /// Checks many orders: as written, backwards, one op in `every` last, and mixed.
    fn check_orders(&self, every: usize) {
        let written: Vec<usize> = (0..self.project.given.len()).collect();
        let mut orders = vec![
            written.clone(),
            written.iter().rev().copied().collect::<Vec<_>>(),
        ];
        for last in written.iter().step_by(every) {
            let others = written.iter().filter(|at| *at != last);
            orders.push(others.chain([last]).copied().collect());
        }
        let mut mix: u64 = 1;
        for _ in 0..20 / every {
            let mut order = written.clone();
            order.sort_by_cached_key(|_| {
                mix = mix.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                mix >> 32
            });
            orders.push(order);
        }
        let distinct: BTreeSet<&[usize]> = orders.iter().map(Vec::as_slice).collect();
        assert!(distinct.len() > written.len() / every);
        for order in &orders {
            self.comes_to_the_same(order);
        }
        for first in (1..written.len()).step_by(every) {
            self.comes_to_the_same_restored(&written, first);
        }
    }
}

#[test]
fn a_key_is_stale_for_who_has_seen_the_revocation_and_fresh_for_the_others() {
    let mut history = History::new();
    let last = history.project.log.heads()[0];
    let hired = history.hire(BOB, u64::from(u32::MAX), &[last]);
    let made = history.write(ALICE, &[hired], rotate());
    let given = history.write(ALICE, &[made], give(made, BOB));
    let early = history.write(ALICE, &[given], hide(made));
    let gone = history.write(ROOT, &[given], revoke(BOB));
    let unaware = history.write(ALICE, &[early], hide(made));
    history.stale(ALICE, &[unaware, gone], hide(made), given);
    history.stale(CAROL, &[gone], hide(made), given);
    // Who has not seen that he was given the key cannot know that he holds it.
    let apart = history.write(OTHER_ROOT, &[hired], revoke(BOB));
    history.write(CAROL, &[made, apart], hide(made));
    // Hired again, he may hold the key he has.
    let again = history.hire(BOB, u64::from(u32::MAX), &[gone]);
    history.write(ALICE, &[unaware, again], hide(made));
    history.stale(CAROL, &[gone, unaware], hide(made), given);
    history.check_orders(1);
}

#[test]
fn a_key_is_stale_by_whoever_is_given_it_late() {
    let mut history = History::new();
    let last = history.project.log.heads()[0];
    let bob = history.hire(BOB, u64::from(u32::MAX), &[last]);
    let eve = history.hire(EVE, u64::from(u32::MAX), &[bob]);
    let made = history.write(ALICE, &[eve], rotate());
    let first = history.write(ALICE, &[made], give(made, BOB));
    let early = history.write(ALICE, &[first], hide(made));
    let second = history.write(ALICE, &[early], give(made, EVE));
    let later = history.write(ALICE, &[second], hide(made));
    let gone = history.write(ROOT, &[eve], revoke(EVE));
    history.write(CAROL, &[early, gone], hide(made));
    history.stale(CAROL, &[later, gone], hide(made), second);
    let end = history.write(ROOT, &[gone], revoke(ALICE));
    history.stale(CAROL, &[later, end], hide(made), made);
    history.check_orders(1);
}

#[test]
fn a_key_is_stale_from_when_a_credential_ends_and_fresh_before_whatever_was_asked_last() {
    let mut history = History::new();
    let last = history.project.log.heads()[0];
    let eve = history.hire(EVE, EVE_UNTIL_MS, &[last]);
    let made = history.write(ALICE, &[eve], rotate());
    let given = history.write(ALICE, &[made], give(made, EVE));
    history.write(ALICE, &[given], hide(made));
    history.project.now_ms = EVE_UNTIL_MS - 1;
    history.stale(ALICE, &[given], hide(made), given);
    history.project.now_ms = EVE_UNTIL_MS - 2;
    let in_time = history.write(CAROL, &[given], hide(made));
    history.project.now_ms = EVE_UNTIL_MS + 1;
    let again = history.hire(EVE, u64::from(u32::MAX), &[given]);
    let back = history.write(CAROL, &[in_time, again], hide(made));
    history.stale(ALICE, &[in_time], hide(made), given);
    history.write(CAROL, &[back], hide(made));
    history.check_orders(1);
}

#[test]
fn who_held_the_last_key_is_given_the_next_unless_it_is_known_that_they_may_no_longer() {
    /// Readers: more than are looked at one by one.
    const ALL: Range<u32> = 20..44;
    const OTHERS: Range<u32> = 21..44;
    let mut history = History::new();
    let mut hired = history.project.log.heads();
    for reader in ALL {
        let last = hired[hired.len() - 1];
        hired.push(history.hire(reader, u64::from(u32::MAX), &[last]));
    }
    let [.., short, last] = hired[..] else {
        unreachable!("many are hired");
    };
    let made = history.write(ALICE, &[last], rotate());
    let given = history.write(ALICE, &[made], give_all(made, ALL));
    let gone = history.write(ROOT, &[given], revoke(ALL.start));
    let next = history.write(ALICE, &[given, gone], rotate());
    history.stale(ALICE, &[next], give_all(next, ALL), next);
    let second = history.write(ALICE, &[next], give_all(next, OTHERS));
    history.write(ALICE, &[second], hide(next));
    // Who has not seen the revocation gives the key to all.
    let apart = history.write(CAROL, &[given], rotate());
    let to_all = history.write(CAROL, &[apart], give_all(apart, ALL));
    let hidden = history.write(CAROL, &[to_all], hide(apart));
    history.stale(CAROL, &[hidden, gone], hide(apart), to_all);
    // Who has not seen the last one hired.
    let third = history.write(DAVE, &[short], rotate());
    history.stale(DAVE, &[third], give_all(third, ALL), third);
    history.write(DAVE, &[third], give_all(third, ALL.start..ALL.end - 1));
    history.check_orders(5);
}
