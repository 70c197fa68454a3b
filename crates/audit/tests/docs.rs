//! The example of `docs/audit.md` is true.
//!
//! A block of an example follows a comment `<!-- example: NAME -->`.

use std::io::Read as _;

use ecac_audit::{
    AuditLog, Directory as _, DiskLog, EntryKind, EntryProof, Expect, Export, Folder, NodeKey,
    Origin, Recorder, Verdict, prove_entries, verification, verify_against,
};
use ecac_core::{Costs, OpId, Refusal};

const AUDIT: &str = include_str!("../../../docs/audit.md");
const PROTOCOL: &str = include_str!("../../../docs/protocol.md");

/// The block of the example, without its fence and with its final newline.
fn block<'a>(page: &'a str, name: &str) -> &'a str {
    let comment = format!("<!-- example: {name} -->\n```");
    let (_, rest) = page.split_once(&comment).expect(name);
    let (_, rest) = rest.split_once('\n').expect(name);
    let end = rest.find("\n```").expect(name) + 1;
    &rest[..end]
}

/// The bytes of an op in the page on the protocol.
fn envelope(name: &str) -> Vec<u8> {
    let lines = block(PROTOCOL, name).lines();
    let digits: String = lines
        .filter_map(|line| line.split('#').next())
        .flat_map(str::split_whitespace)
        .collect();
    hex::decode(digits).expect(name)
}

fn project() -> OpId {
    let ids = block(PROTOCOL, "ids").split_whitespace().nth(1);
    ids.and_then(|id| id.parse().ok())
        .expect("the first id is that of the genesis")
}

fn node() -> NodeKey {
    NodeKey::from_seed([0x0b; 32])
}

/// The example as its page reads.
fn example() -> AuditLog {
    let expect = Expect {
        project: Some(project()),
        node: Some(node().public()),
    };
    AuditLog::verify(block(AUDIT, "export").as_bytes(), &expect).expect("the example verifies")
}

#[test]
fn the_example_is_borne_out_by_the_ops() {
    let ops = ["genesis", "set-field"].map(envelope);
    let ops = ops.iter().map(Vec::as_slice);
    let audit = example();
    let compared = verify_against(&audit, ops, &mut Costs::default()).expect("it says the truth");
    assert_eq!(
        verification(&audit, Some(&compared)),
        block(AUDIT, "report")
    );
}

#[test]
fn a_node_writes_the_example() {
    let costs = &mut Costs::default();
    let mut recorder = Recorder::new(project());
    let mut audit = AuditLog::new(Origin {
        project: project(),
        node: node().public(),
    });
    for op in ["genesis", "set-field"].map(envelope) {
        recorder.receive(&op, costs).expect("an op");
    }
    audit
        .commit_batch(recorder.seal(costs), &node())
        .expect("the node's own log");
    let mut broken = envelope("set-field");
    *broken.last_mut().expect("an op ends with its signature") ^= 1;
    let rejected = recorder
        .receive(&broken, costs)
        .expect_err("a bad signature");
    assert_eq!(rejected.reason, Refusal::BadSignature);
    audit
        .commit_batch(recorder.seal_with_checkpoint(costs), &node())
        .expect("the node's own log");
    assert_eq!(audit.export(), block(AUDIT, "export"));
}

/// The same story as a node told it that lists each envelope that is no op.
#[test]
fn the_example_of_a_node_that_lists_is_read_as_well() {
    let export = include_str!("fixtures/listed.jsonl");
    let expect = Expect {
        project: Some(project()),
        node: Some(node().public()),
    };
    let audit = AuditLog::verify(export.as_bytes(), &expect).expect("it verifies");
    assert_eq!(audit.export(), export);
    let ops = ["genesis", "set-field"].map(envelope);
    let compare = |items: &[&[u8]]| {
        let items = items.iter().copied();
        verify_against(&audit, items, &mut Costs::default()).expect("it says the truth")
    };
    let mut broken = ops[1].clone();
    *broken.last_mut().expect("an op ends with its signature") ^= 1;
    for (items, envelopes_absent) in [
        (vec![&ops[0][..], &ops[1]], 1),
        (vec![&ops[0][..], &broken, &ops[1]], 0),
    ] {
        let compared = compare(&items);
        assert_eq!(compared.verdict(), Verdict::Confirmed);
        assert_eq!(
            (compared.envelopes_absent, compared.items_no_op),
            (envelopes_absent, 0)
        );
    }
}

#[test]
fn the_proof_of_the_example_holds() {
    let proof: EntryProof = block(AUDIT, "inclusion").parse().expect("a proof");
    let audit = example();
    assert_eq!(audit.prove_entry(3).as_ref(), Some(&proof));
    let of_index = |line: &&str| line.contains("\"index\":3,");
    let line = block(AUDIT, "export").lines().find(of_index);
    let line = line.expect("there is an entry 3").as_bytes();
    let head = proof.verify(&audit.origin(), line).expect("it holds");
    assert!(audit.holds(&head));
}

#[test]
fn the_proof_with_its_entry_is_the_one_that_is_made_and_holds() {
    let (label, bytes) = ("the example", block(AUDIT, "export").as_bytes());
    let op = block(PROTOCOL, "ids").split_whitespace().nth(3);
    let op: OpId = op
        .and_then(|id| id.parse().ok())
        .expect("the id of the write");
    let made = prove_entries(&Export { label, bytes }, &Expect::default(), op);
    let (survey, proven) = made.expect("the example verifies");
    let applied = proven.iter().find(|it| it.kind == EntryKind::Applied);
    let proof = &applied.expect("it was applied").proof;
    assert_eq!(proof.to_string(), block(AUDIT, "proof"));
    let line = proof.line.as_deref().expect("with its entry");
    proof.verify(&survey.origin(), line).expect("it holds");
}

#[test]
fn the_frontier_of_the_example_is_the_one_that_is_written() {
    let here = tempfile::tempdir().expect("a directory");
    let folder = Folder::open(here.path()).expect("it is there");
    let log = DiskLog::create(folder, project(), &node()).expect("a log");
    let mut log = log.with_segment_bytes(1);
    for batch in example().batches() {
        log.commit_batch(&batch.entries, &node())
            .expect("its own log");
    }
    let read = |name: &str| {
        let mut text = String::new();
        let file = log.directory().read(name);
        file.expect(name).read_to_string(&mut text).expect(name);
        text
    };
    assert_eq!(read("frontier"), block(AUDIT, "frontier"));
    let segments = ["000000.jsonl", "000001.jsonl"].map(read).concat();
    assert_eq!(segments, block(AUDIT, "export"));
}
