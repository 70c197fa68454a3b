//! Proofs that hold without the log.

use super::{World, node};
use crate::{
    AuditLog, Checkpoint, CheckpointError, Digest, EntryProof, ExtensionProof, ParseProofError,
    ProofError, VerifyProofError,
};

#[test]
fn each_entry_is_proven_by_its_line_of_the_export() {
    let world = World::new();
    let audit = world.audit();
    let export = audit.export();
    let entries: Vec<&str> = export
        .lines()
        .filter(|line| line.starts_with("{\"batch\""))
        .collect();
    assert_eq!(entries.len() as u64, audit.size());
    for (index, line) in (0..).zip(&entries) {
        let text = audit.prove_entry(index).unwrap().to_string();
        let proof: EntryProof = text.parse().unwrap();
        assert_eq!(proof.to_string(), text);
        let head = proof.verify(&world.origin(), line.as_bytes()).unwrap();
        assert_eq!(Some(&head), audit.checkpoint());
        assert_eq!(
            proof.verify(&world.origin(), b"something else"),
            Err(VerifyProofError::Proof(ProofError::Root))
        );
        let mut origin = world.origin();
        origin.node = node(8).public();
        assert!(matches!(
            proof.verify(&origin, line.as_bytes()),
            Err(VerifyProofError::Checkpoint(CheckpointError::Origin { .. }))
        ));
    }
    assert_eq!(audit.prove_entry(audit.size()), None);
}

#[test]
fn each_head_is_extended_by_the_last() {
    let world = World::new();
    let audit = world.audit();
    for batch in audit.batches() {
        let old = Checkpoint::open(batch.checkpoint.note(), &world.origin()).unwrap();
        let text = audit.prove_extension(old.head().size).unwrap().to_string();
        let proof: ExtensionProof = text.parse().unwrap();
        assert_eq!(proof.to_string(), text);
        let new = proof.verify(&world.origin(), &old).unwrap();
        assert_eq!(Some(&new), audit.checkpoint());
    }
    assert_eq!(audit.prove_extension(audit.size() + 1), None);
}

#[test]
fn every_head_extends_the_empty_tree_which_has_one_root() {
    let world = World::new();
    let (audit, origin) = (world.audit(), world.origin());
    let sign = |root: &Digest| {
        let root = crate::checkpoint::base64(root);
        crate::note::sign(
            &format!("{origin}\n0\n{root}\n"),
            &origin.to_string(),
            &node(7),
        )
    };
    let (good, bad) = (sign(&Digest::of(b"")), sign(&Digest::from_bytes([7; 32])));
    let start = Checkpoint::open(&good, &origin).unwrap();
    assert_eq!(
        Checkpoint::open(&bad, &origin),
        Err(CheckpointError::EmptyTree)
    );
    let check = |checkpoint: &str, want| {
        let text = format!("old 0\n\n{checkpoint}");
        let proof: ExtensionProof = text.parse().unwrap();
        assert_eq!(proof.verify(&origin, &start).map(|_| ()), want, "{text}");
    };
    check(&good, Ok(()));
    check(audit.checkpoint().unwrap().note(), Ok(()));
    check(
        &bad,
        Err(VerifyProofError::Checkpoint(CheckpointError::EmptyTree)),
    );
    assert!(audit.holds(&start) && AuditLog::new(origin).holds(&start));
}

#[test]
fn a_rewritten_log_extends_no_honest_head() {
    let world = World::new();
    let honest = world.audit();
    let mut batches = world.batches();
    batches[0].swap(0, 1);
    let rewritten = world.signed(batches);
    let old = &honest.batches()[0].checkpoint;
    let proof = rewritten.prove_extension(old.head().size).unwrap();
    assert_eq!(
        proof.verify(&world.origin(), old),
        Err(VerifyProofError::Proof(ProofError::Root))
    );
    assert!(!rewritten.holds(old));
    let proof = honest.prove_extension(1).unwrap();
    assert_eq!(
        proof.verify(&world.origin(), old),
        Err(VerifyProofError::OldSize {
            expected: old.head().size,
            found: 1
        })
    );
}

#[test]
fn what_is_no_proof_is_not_parsed() {
    let world = World::new();
    let audit = world.audit();
    let entry = audit.prove_entry(3).unwrap().to_string();
    let hash = entry.lines().nth(2).unwrap();
    let table = [
        String::new(),
        entry.replacen("@v1", "@v2", 1),
        entry.replacen("index 3", "index 03", 1),
        entry.replacen("index 3", "index +3", 1),
        entry.replacen("index 3", "old 3", 1),
        entry.replacen("index 3\n", "", 1),
        entry.replacen(hash, "AAAA", 1),
        entry.replacen(hash, &hash.replace('=', ""), 1),
        entry.replacen(hash, &[hash; 66].join("\n"), 1),
        entry.replacen("\n\n", "\n", 2),
    ];
    for text in table {
        assert_eq!(text.parse::<EntryProof>(), Err(ParseProofError), "{text}");
    }
}
