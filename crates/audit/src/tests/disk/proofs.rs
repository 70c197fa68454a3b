//! Proofs from a log on disk are those of the log in memory.

use super::*;
use crate::{
    EntryKind, EntryProof, Export, ProofError, VerifyProofError, prove_entries, prove_extension,
};

#[test]
fn entries_about_an_op_are_proven_against_the_last_head() {
    let world = World::new();
    let batches = batches(&world);
    let memory = world.signed(batches.clone());
    let directory = written(&world, &batches);
    let export = memory.export();
    let expect = Expect::default();
    let label = "audit.jsonl";
    let bytes = export.as_bytes();
    let op = world.second.id();
    let (_, proven) = prove_entries(&Segments(&directory), &expect, op).unwrap();
    let (_, again) = prove_entries(&Export { label, bytes }, &expect, op).unwrap();
    assert_eq!(proven, again);
    let kinds: Vec<EntryKind> = proven.iter().map(|it| it.kind).collect();
    // The second op arrived before the first one on which it rests, and was revoked.
    use EntryKind::{Applied, Ingested, RolledBack};
    assert_eq!(kinds, [Ingested, Applied, RolledBack]);
    for entry in proven {
        let text = entry.proof.to_string();
        let proof: EntryProof = text.parse().unwrap();
        assert_eq!(proof, entry.proof);
        let line = proof.line.clone().unwrap();
        assert!(export.contains(&format!("{}\n", String::from_utf8_lossy(&line))));
        let head = proof.verify(&world.origin(), &line).unwrap();
        assert_eq!(Some(&head), memory.checkpoint());
        let bare = EntryProof {
            line: None,
            ..proof.clone()
        };
        assert_eq!(memory.prove_entry(proof.index), Some(bare));
        let other = [&line[..], b" "].concat();
        let want = Err(VerifyProofError::Proof(ProofError::Root));
        assert_eq!(proof.verify(&world.origin(), &other), want);
    }
    let (_, none) = prove_entries(&Segments(&directory), &expect, world.origin().project).unwrap();
    assert!(!none.is_empty());
    let nobody = ecac_core::OpId::from_bytes([0xee; 32]);
    let (_, none) = prove_entries(&Segments(&directory), &expect, nobody).unwrap();
    assert_eq!(none, []);
}

#[test]
fn heads_are_extended_by_the_last_one() {
    let world = World::new();
    let batches = batches(&world);
    let memory = world.signed(batches.clone());
    let directory = written(&world, &batches);
    for old in 0..=memory.size() + 1 {
        let (_, proof) = prove_extension(&Segments(&directory), &Expect::default(), old).unwrap();
        assert_eq!(proof, memory.prove_extension(old), "{old}");
    }
}

#[test]
fn what_no_head_covers_is_not_proven() {
    let world = World::new();
    let batches = batches(&world);
    let mut directory = written(&world, &batches[..1]);
    let op = world.first.id();
    let expect = Expect::default();
    let whole = written(&world, &batches);
    let file = "000000.jsonl";
    let kept = directory.bytes(file).len();
    let (survey, proven) = prove_entries(&Segments(&directory), &expect, op).unwrap();
    assert!(proven.is_empty() && survey.tail.is_none());
    let next = &whole.bytes(file)[kept..];
    let line = next.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    directory.bytes_mut(file).extend_from_slice(&next[..line]);
    let (survey, proven) = prove_entries(&Segments(&directory), &expect, op).unwrap();
    assert_eq!(survey.tail.as_ref().map(|tail| tail.entries), Some(1));
    assert_eq!(proven, []);
    assert!(matches!(survey.whole(), Err(DiskError::Tail { .. })));
}

#[test]
fn a_proof_with_extra_data_that_is_none_is_not_parsed() {
    let world = World::new();
    let directory = written(&world, &world.batches());
    let (_, proven) =
        prove_entries(&Segments(&directory), &Expect::default(), world.first.id()).unwrap();
    let text = proven[0].proof.to_string();
    let extra = text.lines().nth(1).unwrap().to_owned();
    for bad in [
        text.replacen(&extra, "extra", 1),
        text.replacen(&extra, "extra =", 1),
        text.replacen(&extra, &format!("{extra}\n{extra}"), 1),
        text.replacen(&extra, &extra.replace("extra ", "extra  "), 1),
    ] {
        assert!(bad.parse::<EntryProof>().is_err(), "{bad}");
    }
}
