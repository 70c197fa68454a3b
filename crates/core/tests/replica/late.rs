//! What arrives late: a denial on old parents, or a seal of them, judges again what it can turn, and nothing that a final seal
//! settles.

use ecac_core::credential::Role;
use ecac_core::payload;
use ecac_core::{Limits, MemoryStore, OpId, OpStore as _, Outcome, Payload, Replica, VerifiedOp};

use crate::project::{Project, edit, revoke};
use crate::quorum::{ANN, BEN, CAT, cosign, three_roots};

const ALICE: u32 = 4;
const BOB: u32 = 5;
const PETRA: u32 = 6;
const PAUL: u32 = 7;
/// The denial itself, and what its author wrote.
const FEW: u64 = 4;
const FIELDS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];

/// Two editors and two administrators, and the last op of the setup.
fn staffed(mut project: Project) -> (Project, OpId) {
    for (who, role) in [
        (ALICE, Role::Editor),
        (BOB, Role::Editor),
        (PETRA, Role::PolicyAdmin),
        (PAUL, Role::PolicyAdmin),
    ] {
        project.grant(ANN, who, role);
    }
    let last = project.write(ANN, edit("setup", 0));
    (project, last)
}

/// One root, who seals alone.
fn one_root() -> Project {
    let features: [(&str, &[u8]); 2] = [("seal", &[]), ("endorse", &[])];
    Project::using([ANN], &features, Limits::default())
}

fn seal() -> Payload {
    Payload::Seal(payload::Seal { digest: [0; 32] })
}

fn endorse(op: OpId) -> Payload {
    Payload::Endorse(payload::Endorse { ops: [op].into() })
}

/// How many decisions it takes to write what must be admitted on these parents.
#[track_caller]
fn judged(project: &mut Project, by: u32, parents: &[OpId], payload: Payload) -> u64 {
    let op = project.draft_on(by, parents, payload);
    let before = project.costs.ops_evaluated;
    assert_eq!(project.receive(op), Outcome::Admitted);
    project.costs.ops_evaluated - before
}

/// The fields that show a value.
fn shown(project: &mut Project) -> usize {
    FIELDS.iter().map(|field| project.winners(field)).sum()
}

/// Alice writes one field after the other; the ops.
fn edits(project: &mut Project, fields: &[&str]) -> Vec<OpId> {
    let edits = fields
        .iter()
        .map(|field| project.write(ALICE, edit(field, 1)));
    edits.collect()
}

#[test]
fn a_late_denial_judges_nothing_that_was_sealed_before_any() {
    let (mut project, setup) = staffed(one_root());
    edits(&mut project, &FIELDS);
    project.write(ANN, seal());
    for by in [PETRA, PAUL] {
        assert!(judged(&mut project, by, &[setup], revoke(ALICE)) <= FEW);
        assert_eq!(shown(&mut project), FIELDS.len());
    }
}

#[test]
fn a_late_denial_judges_nothing_that_was_sealed_after_another() {
    let (mut project, setup) = staffed(one_root());
    let (seen, unseen) = FIELDS.split_at(8);
    let last = *edits(&mut project, seen).last().expect("eight edits");
    edits(&mut project, unseen);
    let first = judged(&mut project, PETRA, &[setup, last], revoke(ALICE));
    assert!(
        (4..=4 + FEW).contains(&first),
        "{first} decisions for 4 that turn"
    );
    assert_eq!(shown(&mut project), seen.len());
    project.write(ANN, seal());
    assert!(judged(&mut project, PAUL, &[setup], revoke(ALICE)) <= FEW);
    assert_eq!(shown(&mut project), seen.len());
}

#[test]
fn a_late_denial_takes_what_is_not_sealed() {
    let (mut project, setup) = staffed(one_root());
    let (before, after) = FIELDS.split_at(8);
    edits(&mut project, before);
    project.write(ANN, seal());
    edits(&mut project, after);
    project.write(BOB, edit("bob", 1));
    let count = judged(&mut project, PETRA, &[setup], revoke(ALICE));
    assert!(
        (4..=4 + FEW).contains(&count),
        "{count} decisions for 4 that turn"
    );
    assert_eq!(shown(&mut project), before.len());
}

#[test]
fn a_late_seal_gives_back_what_it_had_seen() {
    let (mut project, setup) = staffed(one_root());
    let edits = edits(&mut project, &FIELDS);
    project.write_on(PETRA, &[setup], revoke(ALICE));
    assert_eq!(shown(&mut project), 0);
    project.write_on(ANN, &[setup, edits[7]], seal());
    assert_eq!(shown(&mut project), 8);
}

/// What one seal has denied, another one that had not seen the denial has applied.
#[test]
fn what_is_denied_within_one_seal_is_settled_by_another() {
    let (mut project, setup) = staffed(three_roots());
    let edit = edits(&mut project, &FIELDS[..1])[0];
    let revoked = project.write_on(PETRA, &[setup], revoke(ALICE));
    // By name: nobody is offered a denied op as a parent.
    let one = project.write_on(ANN, &[edit, revoked], seal());
    project.write(BEN, cosign(one));
    assert_eq!(shown(&mut project), 0);
    let other = project.write_on(CAT, &[setup, edit], seal());
    assert_eq!(shown(&mut project), 0);
    project.write(BEN, cosign(other));
    assert_eq!(shown(&mut project), 1);
    assert!(judged(&mut project, PAUL, &[setup], revoke(ALICE)) <= FEW);
    assert!(project.is_applied(&edit));
}

/// A denial of the endorser takes back what was endorsed, although its author had seen that.
#[test]
fn what_was_endorsed_falls_with_its_endorser_seen_or_not() {
    let (mut project, setup) = staffed(one_root());
    let edit = edits(&mut project, &FIELDS[..1])[0];
    project.write_on(PETRA, &[setup], revoke(ALICE));
    assert_eq!(shown(&mut project), 0);
    project.write_on(BOB, &[setup, edit], endorse(edit));
    assert_eq!(shown(&mut project), 1);
    project.write_on(PAUL, &[setup, edit], revoke(BOB));
    assert_eq!(shown(&mut project), 0);
}

/// A restored replica judges no more and no less than the one that was saved, and comes to be the same to the byte.
#[test]
fn what_is_settled_is_saved() {
    let (mut project, setup) = staffed(one_root());
    let last = edits(&mut project, &FIELDS)[7];
    project.write_on(PETRA, &[setup, last], revoke(ALICE));
    project.write(ANN, seal());
    let late = project.draft_on(PAUL, &[setup], revoke(ALICE));
    let mut replica = Replica::join(project.log.project());
    replica.ingest(project.given.iter().cloned());
    let mut store = MemoryStore::new();
    for envelope in replica.log().envelopes() {
        store.append(&envelope).expect("there is memory");
    }
    let builder = Replica::builder();
    let restored = builder.restore(replica.project(), Box::new(store), &replica.save());
    let mut restored = restored.expect("the snapshot fits");
    let take = |replica: &mut Replica, late: &VerifiedOp| {
        let before = replica.costs().ops_evaluated;
        replica.ingest([late.clone()]);
        replica.costs().ops_evaluated - before
    };
    let judged = [&mut replica, &mut restored].map(|replica| take(replica, &late));
    assert!(judged[0] == judged[1] && judged[0] <= FEW, "{judged:?}");
    assert_eq!(replica.save(), restored.save());
}
