//! Heads that witnesses signed, kept beside the segments.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::{CosignedCheckpoint, Digest, WitnessKey, read_cosigned, read_cosigned_at};

fn witness(seed: u8) -> WitnessKey {
    WitnessKey::new(&format!("witness.example/{seed}"), node(seed).public()).unwrap()
}

/// The head with the cosignature of a witness, made by the words of c2sp.org/tlog-cosignature.
fn cosigned(note: &str, seed: u8, time_s: u64) -> String {
    let text = &note[..note.rfind("\n\n").unwrap() + 1];
    let name = format!("witness.example/{seed}");
    let id = [name.as_bytes(), b"\n\x04", node(seed).public().as_bytes()].concat();
    let message = format!("cosignature/v1\ntime {time_s}\n{text}");
    let signature = node(seed).sign(message.as_bytes());
    let blob = [
        &Digest::of(&id).as_bytes()[..4],
        &time_s.to_be_bytes(),
        &signature,
    ]
    .concat();
    format!("{note}— {name} {}\n", STANDARD.encode(blob))
}

#[test]
fn cosigned_heads_are_kept_and_their_signatures_come_together() {
    let world = World::new();
    let batches = batches(&world);
    let memory = world.signed(batches.clone());
    let mut log = open(&world, written(&world, &batches), None).unwrap().log;
    let origin = world.origin();
    let note = memory.checkpoint().unwrap().note();
    let size = memory.size();
    assert_eq!(
        read_cosigned_at(log.directory(), &origin, size).unwrap(),
        None
    );
    let read = |text: &str| CosignedCheckpoint::open(text, &origin).unwrap();
    let early = memory.batches()[0].checkpoint.note();
    for text in [
        cosigned(note, 3, 1000),
        cosigned(early, 3, 500),
        cosigned(note, 4, 1001),
    ] {
        log.keep_cosigned(&read(&text)).unwrap();
    }
    let directory = log.directory().clone();
    let all = read_cosigned(&directory, &origin).unwrap();
    assert_eq!(all.len(), 3);
    let last = read_cosigned_at(&directory, &origin, size)
        .unwrap()
        .unwrap();
    let witnesses = [witness(3), witness(4), witness(5)];
    let found = last.cosignatures(&witnesses).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.witness.name(), it.time_s))
        .collect();
    assert_eq!(
        found,
        [("witness.example/3", 1000), ("witness.example/4", 1001)]
    );

    // The export does not have them, and the log opens as before.
    assert_eq!(concatenated(&directory), memory.export().into_bytes());
    let mut log = open(&world, directory.released(), None).unwrap().log;

    // Heads that the node did not sign, or not in this log, are not kept.
    let mut other = memory.clone();
    other.commit_batch(batches[0].clone(), &node(7)).unwrap();
    let longer = read(&cosigned(other.checkpoint().unwrap().note(), 3, 7));
    assert!(matches!(
        log.keep_cosigned(&longer),
        Err(DiskError::ForeignHead)
    ));
    let mut turned = batches.clone();
    turned.reverse();
    let turned = world.signed(turned);
    let turned = read(&cosigned(turned.checkpoint().unwrap().note(), 3, 7));
    assert!(matches!(
        log.keep_cosigned(&turned),
        Err(DiskError::ForeignHead)
    ));
}

#[test]
fn damage_in_the_file_of_cosignatures_costs_what_it_hits() {
    let world = World::new();
    let batches = batches(&world);
    let memory = world.signed(batches.clone());
    let mut log = open(&world, written(&world, &batches), None).unwrap().log;
    let origin = world.origin();
    let note = memory.checkpoint().unwrap().note();
    let keep = |log: &mut DiskLog<Breaking>, seed| {
        let cosigned = CosignedCheckpoint::open(&cosigned(note, seed, 1000), &origin);
        log.keep_cosigned(&cosigned.unwrap()).unwrap();
    };
    keep(&mut log, 3);
    let first = log.directory().bytes("cosignatures").len();
    keep(&mut log, 4);
    let whole = log.directory().clone().released();
    let all = whole.bytes("cosignatures").len();
    for end in 0..=all {
        let mut torn = whole.clone();
        torn.bytes_mut("cosignatures").truncate(end);
        let lines = usize::from(end >= first) + usize::from(end >= all);
        assert_eq!(read_cosigned(&torn, &origin).unwrap().len(), lines);
    }
    for at in 0..all {
        let mut bad = whole.clone();
        bad.bytes_mut("cosignatures")[at] ^= 1;
        let left = read_cosigned(&bad, &origin).unwrap();
        let witnesses = [witness(3), witness(4)];
        let valid =
            |it: &CosignedCheckpoint| it.cosignatures(&witnesses).is_ok_and(|it| !it.is_empty());
        assert!(left.iter().filter(|it| valid(it)).count() <= 1, "{at}");
    }
    // A torn line is cut before the next one is written.
    let mut torn = whole;
    torn.bytes_mut("cosignatures").truncate(first + 10);
    let mut log = open(&world, torn, None).unwrap().log;
    keep(&mut log, 5);
    assert_eq!(read_cosigned(log.directory(), &origin).unwrap().len(), 2);
}
