//! Damaged envelopes among good ones: whatever comes, in whatever batches, a replica ends where the good ones lead.

use proptest::prelude::*;
use proptest::sample::Index;

use ecac_core::{Event, Replica};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_envelopes_change_nothing(
        plan in prop::collection::vec((damages(), any::<u16>()), 40),
        batch in 1..9_usize,
    ) {
        let good = busy();
        let envelopes: Vec<_> = good.envelopes().collect();
        let mut sent: Vec<(u16, Vec<u8>)> = Vec::new();
        for (at, (damage, key)) in plan.iter().enumerate() {
            let envelope = &*envelopes[at % envelopes.len()];
            sent.extend(damaged(envelope, damage).into_iter().map(|it| (*key, it)));
        }
        sent.sort_by_key(|it| it.0);
        let sent: Vec<Vec<u8>> = sent.into_iter().map(|it| it.1).collect();
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
}
