//! What does less than it says, and what that comes to.

use ecac_core::{Costs, EffectCode, OpId, Payload, Replica, VerifiedOp, payload, public_key};

use super::{author, genesis, name, node, sign};
use crate::{
    AuditLog, Comparison, Contradiction, Entry, EntryKind, Origin, Recorder, Scribe, Verdict,
    verify_against,
};

/// Three roots of whom two sign together: a revocation that is cosigned, one that a seal passes over, and one by who was
/// deposed.
struct Story {
    genesis: VerifiedOp,
    deposed: VerifiedOp,
    signed: VerifiedOp,
    spite: VerifiedOp,
    proposal: VerifiedOp,
    seal: VerifiedOp,
    sealed: VerifiedOp,
    late: VerifiedOp,
}

fn revoke(root: u8) -> Payload {
    Payload::Revoke(payload::Revoke::of(public_key(&author(root))))
}

fn cosign(op: &VerifiedOp) -> Payload {
    Payload::Cosign(payload::Cosign { op: op.id() })
}

impl Story {
    fn new() -> Self {
        let Payload::Genesis(mut founding) = genesis("effects", &[1, 2, 3]) else {
            unreachable!("it is a genesis");
        };
        founding.features.insert(name("quorum"), vec![2]);
        founding.features.insert(name("seal"), Vec::new());
        let genesis = sign(1, 0, &[], Payload::Genesis(founding));
        let deposed = sign(1, 1, &[&genesis], revoke(3));
        let signed = sign(2, 0, &[&deposed], cosign(&deposed));
        let spite = sign(3, 0, &[&genesis], revoke(1));
        let proposal = sign(1, 2, &[&signed], revoke(2));
        let digest = [7; 32];
        let seal = sign(1, 3, &[&proposal], Payload::Seal(payload::Seal { digest }));
        let sealed = sign(2, 1, &[&seal], cosign(&seal));
        let late = sign(3, 1, &[&spite], revoke(2));
        Self {
            genesis,
            deposed,
            signed,
            spite,
            proposal,
            seal,
            sealed,
            late,
        }
    }

    fn ops(&self) -> [&VerifiedOp; 8] {
        [
            &self.genesis,
            &self.deposed,
            &self.signed,
            &self.spite,
            &self.proposal,
            &self.seal,
            &self.sealed,
            &self.late,
        ]
    }

    /// The batches of a recorder, so many ops to each, which are those of a scribe.
    fn batches(&self, size: usize) -> Vec<Vec<Entry>> {
        let mut recorder = Recorder::new(self.genesis.id());
        let mut replica = Replica::join(self.genesis.id());
        let mut scribe = Scribe::default();
        let ops = self.ops();
        let batches = ops.chunks(size).map(|batch| {
            for op in batch {
                recorder.ingest((*op).clone(), &mut Costs::default());
            }
            let recorded = recorder.seal(&mut Costs::default());
            let received = replica.ingest(batch.iter().map(|op| (*op).clone()));
            assert_eq!(scribe.entries(&replica, &received), recorded);
            recorded
        });
        batches.collect()
    }

    fn verify(&self, batches: &[Vec<Entry>]) -> Result<Comparison, Contradiction> {
        let mut audit = AuditLog::new(Origin {
            project: self.genesis.id(),
            node: node(7).public(),
        });
        for batch in batches {
            audit.commit_batch(batch.clone(), &node(7)).unwrap();
        }
        let ops = self.ops().map(VerifiedOp::envelope);
        verify_against(&audit, ops, &mut Costs::default())
    }
}

fn effects(batches: &[Vec<Entry>]) -> Vec<(OpId, EffectCode, Option<OpId>)> {
    let entries = batches.iter().flatten();
    let effects = entries.filter_map(|entry| match entry {
        Entry::Effect { op, effect, cause } => Some((*op, *effect, *cause)),
        _ => None,
    });
    effects.collect()
}

fn without(batches: &[Vec<Entry>], lost: impl Fn(usize) -> bool) -> Vec<Vec<Entry>> {
    let mut number = 0;
    let mut batches = batches.to_vec();
    for batch in &mut batches {
        batch.retain(|entry| {
            let is_effect = entry.kind() == EntryKind::Effect;
            number += usize::from(is_effect);
            !is_effect || !lost(number - 1)
        });
    }
    batches
}

#[test]
fn what_is_short_stale_or_dropped_is_recorded_with_its_cause() {
    let story = Story::new();
    let batches = story.batches(1);
    let [deposed, signed] = [&story.deposed, &story.signed].map(VerifiedOp::id);
    let [spite, proposal, late] = [&story.spite, &story.proposal, &story.late].map(VerifiedOp::id);
    let [seal, sealed] = [&story.seal, &story.sealed].map(VerifiedOp::id);
    let mut found = effects(&batches);
    let mut with_the_seal = found.split_off(found.len() - 4);
    assert_eq!(
        found,
        [
            (deposed, EffectCode::Short, None),
            (deposed, EffectCode::Revokes, Some(signed)),
            (spite, EffectCode::Short, None),
            (proposal, EffectCode::Short, None),
            (seal, EffectCode::Short, None),
        ]
    );
    assert_eq!(
        with_the_seal.pop(),
        Some((late, EffectCode::Stale, None)),
        "what comes later is stale at once"
    );
    let mut expected = [
        (spite, EffectCode::Stale, Some(sealed)),
        (proposal, EffectCode::Dropped, Some(sealed)),
        (seal, EffectCode::Seals, Some(sealed)),
    ];
    expected.sort_by_key(|it| it.0);
    assert_eq!(with_the_seal, expected);

    // In one batch each has what it comes to, and what counts in the end has no entry.
    let mut at_once = effects(&story.batches(8));
    at_once.sort_by_key(|it| it.1);
    assert_eq!(at_once.len(), 3);
    let codes = at_once.iter().map(|it| (it.1, it.2));
    let codes: Vec<_> = codes.collect();
    let (stale, dropped) = ((EffectCode::Stale, None), (EffectCode::Dropped, None));
    assert_eq!(codes, [stale, stale, dropped]);
}

#[test]
fn effects_of_any_batches_are_borne_out_and_every_other_one_is_a_lie() {
    let story = Story::new();
    for size in 1..=8 {
        let batches = story.batches(size);
        let found = story.verify(&batches).expect("the node is honest");
        assert_eq!(found.verdict(), Verdict::Confirmed, "{size}");
        assert_eq!(found.effects_unrecorded, 0);
    }
    let batches = story.batches(1);
    let count = effects(&batches).len();
    for at in 1..count {
        let batches = without(&batches, |it| it == at);
        let found = story.verify(&batches);
        assert!(matches!(found, Err(Contradiction::Entry { .. })), "{at}");
    }
    let lies = [
        (EffectCode::Stale, Some(story.sealed.id())),
        (EffectCode::Revokes, Some(story.deposed.id())),
        (EffectCode::Revokes, None),
    ];
    for (effect, cause) in lies {
        let mut batches = batches.clone();
        let told = &mut batches[2];
        let at = told.iter().position(|it| it.kind() == EntryKind::Effect);
        let op = story.deposed.id();
        told[at.expect("it is full")] = Entry::Effect { op, effect, cause };
        assert!(story.verify(&batches).is_err(), "{effect} {cause:?}");
    }
}

#[test]
fn a_log_of_an_earlier_version_means_what_it_meant_and_goes_on() {
    let story = Story::new();
    let batches = story.batches(1);
    let count = effects(&batches).len();
    for kept in 0..=count {
        // As if the program had been replaced before the batch of the effect that is the first one kept.
        let batches = without(&batches, |it| it < kept);
        let unrecorded = u64::try_from(kept).expect("a small number");
        match story.verify(&batches) {
            Ok(found) => {
                assert_eq!(found.verdict(), Verdict::Confirmed);
                assert_eq!(found.effects_unrecorded, unrecorded);
            }
            // The batch that is the first with effects has all of them.
            Err(_) => assert!((6..=7).contains(&kept), "{kept}"),
        }
    }
}
