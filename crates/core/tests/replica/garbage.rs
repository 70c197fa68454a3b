//! Damaged envelopes among good ones: whatever comes, in whatever batches, a replica ends where the good ones lead.

use std::borrow::Cow;
use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;

use ecac_core::{Costs, Event, Op, Replica, VerifiedOp};

use crate::office::{busy, join};

/// What is done to an envelope on its way.
#[derive(Debug, Clone)]
enum Damage {
    None,
    Flip(Index, u8),
    Cut(Index),
    Twice,
    Foreign(Vec<u8>),
}

fn damages() -> impl Strategy<Value = Damage> {
    prop_oneof![
        2 => Just(Damage::None),
        3 => (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => Just(Damage::Twice),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Damage::Foreign),
    ]
}

fn damaged(envelope: &[u8], damage: &Damage) -> Vec<Vec<u8>> {
    let mut bytes = envelope.to_vec();
    match damage {
        Damage::None => {}
        Damage::Flip(at, bits) => bytes[at.index(envelope.len())] ^= bits,
        Damage::Cut(at) => bytes.truncate(at.index(envelope.len())),
        Damage::Twice => return vec![bytes.clone(), bytes],
        Damage::Foreign(other) => bytes.clone_from(other),
    }
    vec![bytes]
}

/// What comes of the envelopes, each damaged as planned, in the order of the keys.
fn shuffled(envelopes: &[Cow<'_, [u8]>], plan: &[(Damage, u16)]) -> Vec<Vec<u8>> {
    let mut sent: Vec<(u16, Vec<u8>)> = Vec::new();
    for (at, (damage, key)) in plan.iter().enumerate() {
        let envelope = &*envelopes[at % envelopes.len()];
        sent.extend(damaged(envelope, damage).into_iter().map(|it| (*key, it)));
    }
    sent.sort_by_key(|it| it.0);
    sent.into_iter().map(|it| it.1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_envelopes_change_nothing(
        plan in prop::collection::vec((damages(), any::<u16>()), 40),
        batch in 1..9_usize,
    ) {
        let good = busy();
        let envelopes: Vec<_> = good.envelopes().collect();
        let sent = shuffled(&envelopes, &plan);
        let mut replica = Replica::join(good.project());
        let mut rejected = 0;
        for batch in sent.chunks(batch) {
            let received = replica.receive(batch);
            let is_rejected = |it: &&Event| matches!(it, Event::Rejected { .. });
            rejected += received.events.iter().filter(is_rejected).count() as u64;
            prop_assert!(received.missing.iter().all(|it| !replica.log().holds(it)));
            prop_assert!(received.events.iter().all(|it| it.name() != "refused"));
        }
        prop_assert_eq!(replica.holdings().rejected, rejected);
        replica.receive(&envelopes);
        prop_assert_eq!(replica.decisions(), good.decisions());
        prop_assert_eq!(replica.state(), good.state());
        prop_assert_eq!(replica.trust(), good.trust());
        prop_assert_eq!(replica.heads(), join(&good).heads());
    }

    #[test]
    fn what_comes_before_a_parent_is_not_kept(
        plan in prop::collection::vec((damages(), any::<u16>()), 40),
        batch in 1..9_usize,
    ) {
        let good = busy();
        let envelopes: Vec<_> = good.envelopes().collect();
        let mut replica = Replica::join(good.project());
        for batch in shuffled(&envelopes, &plan).chunks(batch) {
            let log = replica.log();
            // Ids that the batch has told so far, but for those of orphans.
            let (mut before, mut orphans) = (BTreeSet::new(), BTreeSet::new());
            let mut count = 0;
            for envelope in batch {
                let Ok(op) = Op::decode(envelope, &mut Costs::default()) else {
                    continue;
                };
                let (id, parents) = (op.id(), op.body().parents.clone());
                let has_parents = parents.iter().all(|it| before.contains(it) || log.holds(it));
                let is_signed = VerifiedOp::verify(op, &mut Costs::default()).is_ok();
                if has_parents || !is_signed || log.holds(&id) {
                    before.insert(id);
                    orphans.remove(&id);
                } else {
                    orphans.insert(id);
                    count += 1;
                }
            }
            let received = replica.receive_in_order(batch);
            prop_assert_eq!(received.orphans, count);
            prop_assert!(received.events.iter().filter_map(Event::op).all(|it| !orphans.contains(&it)));
            prop_assert!(orphans.iter().all(|it| !replica.log().holds(it)));
        }
        let received = replica.receive_in_order(&envelopes);
        prop_assert_eq!((received.orphans, received.missing.len()), (0, 0));
        prop_assert_eq!(replica.decisions(), good.decisions());
        prop_assert_eq!(replica.state(), good.state());
    }
}
