//! What was rolled back and counts again.

use ecac_core::{Costs, Payload, Replica, payload, public_key};

use super::{author, genesis, name, node, sign, write};
use crate::{AuditLog, Contradiction, Entry, Origin, Recorder, Scribe, verify_against};

#[test]
fn what_an_endorsement_gives_back_is_recorded_with_its_cause() {
    let Payload::Genesis(mut founding) = genesis("reinstated", &[1, 2]) else {
        unreachable!("it is a genesis");
    };
    founding.features.insert(name("endorse"), Vec::new());
    let genesis = sign(1, 0, &[], Payload::Genesis(founding));
    let first = sign(1, 1, &[&genesis], write("one"));
    let revoke = Payload::Revoke(payload::Revoke {
        subject: public_key(&author(1)),
        role: None,
        scope: None,
    });
    let revoke = sign(2, 0, &[&genesis], revoke);
    let endorse = Payload::Endorse(payload::Endorse {
        ops: [first.id()].into(),
    });
    let endorse = sign(2, 1, &[&first, &revoke], endorse);

    let costs = &mut Costs::default();
    let mut recorder = Recorder::new(genesis.id());
    let mut batches = Vec::new();
    for batch in [&[&genesis, &first][..], &[&revoke], &[&endorse]] {
        for op in batch {
            recorder.receive(op.envelope(), costs).unwrap();
        }
        batches.push(recorder.seal_with_checkpoint(costs));
    }
    let (mut replica, mut scribe) = (Replica::join(genesis.id()), Scribe::default());
    for (batch, recorded) in [&[&genesis, &first][..], &[&revoke], &[&endorse]]
        .iter()
        .zip(&batches)
    {
        let received = replica.ingest(batch.iter().map(|op| (*op).clone()));
        let (_, without_checkpoint) = recorded.split_last().expect("a checkpoint");
        assert_eq!(scribe.entries(&replica, &received), without_checkpoint);
    }
    let reinstated = Entry::Reinstated {
        op: first.id(),
        grant: endorse.id(),
        cause: endorse.id(),
    };
    let at = batches[2].iter().position(|entry| *entry == reinstated);
    let at = at.expect("the endorsement reinstates the write");
    let rolled_back = |entry: &Entry| matches!(entry, Entry::RolledBack { .. });
    assert_eq!(batches[1].iter().filter(|it| rolled_back(it)).count(), 1);

    let audit = |batches: &[Vec<Entry>]| {
        let mut audit = AuditLog::new(Origin {
            project: genesis.id(),
            node: node(7).public(),
        });
        for batch in batches {
            audit.commit_batch(batch.clone(), &node(7)).unwrap();
        }
        audit
    };
    let ops = [&genesis, &first, &revoke, &endorse].map(|op| op.envelope());
    let costs = &mut Costs::default();
    verify_against(&audit(&batches), ops, costs).expect("the node is honest");
    for lie in [
        Entry::Applied {
            op: first.id(),
            grant: endorse.id(),
        },
        Entry::Reinstated {
            op: first.id(),
            grant: endorse.id(),
            cause: revoke.id(),
        },
    ] {
        let mut batches = batches.clone();
        batches[2][at] = lie;
        let found = verify_against(&audit(&batches), ops, costs);
        assert!(matches!(found, Err(Contradiction::Entry { .. })));
    }
}
