//! What forks cost, in counted work: ten thousand of them cost ten times what a thousand cost.

use ecac_core::credential::Role;
use ecac_core::{OpId, Outcome, Refusal, VerifiedOp, export_trust};

use crate::project::{Project, at, edit, revoke, sign};

const ROOT: u32 = 0;
const EDITOR: u32 = 1;
const ALICE: u32 = 2;

/// Questions about ancestors that one op may cost, whatever came before it.
const PER_OP: u64 = 12;

/// A project with two editors, and the grant of the one who forks.
fn project() -> (Project, OpId) {
    let mut project = Project::found([ROOT]);
    project.grant(ROOT, ALICE, Role::Editor);
    let grant = project.grant(ROOT, EDITOR, Role::Editor);
    (project, grant)
}

/// Takes the ops in and returns how many questions about ancestors that cost.
fn queries(
    project: &mut Project,
    ops: impl IntoIterator<Item = VerifiedOp>,
    outcome: Outcome,
) -> u64 {
    let before = project.costs;
    for op in ops {
        assert_eq!(project.receive(op), outcome);
    }
    project.costs.since(&before).ancestor_queries
}

/// So many ops with one number.
fn wide(grant: OpId, count: u64) -> impl Iterator<Item = VerifiedOp> {
    (0..count).map(move |it| {
        let value = i64::try_from(it).expect("few");
        sign(EDITOR, 0, &[grant], at(1_000 + it), edit("f", value))
    })
}

/// So many branches of that length, each on the grant.
fn branches(grant: OpId, count: usize, length: u64) -> Vec<VerifiedOp> {
    let mut tips = vec![grant; count];
    let mut ops = Vec::new();
    for seq in 0..length {
        for (branch, tip) in (0..).zip(&mut tips) {
            let op = sign(EDITOR, seq, &[*tip], at(1_000 + seq), edit("f", branch));
            *tip = op.id();
            ops.push(op);
        }
    }
    ops
}

/// What exports of so many equivocations cost, an op of somebody who has seen them, and the revocation of them all.
fn costs_afterwards(project: &mut Project, forks: u64, equivocations: usize) {
    let before = project.costs;
    let (state, log) = (project.replay.state(), &project.log);
    let export = state.export(log);
    let conflicts = state.conflicts();
    let trust = export_trust(log, &mut project.costs);
    assert!(export.len() > 100 && conflicts == 1 && trust.len() > 100 * equivocations);
    let exports = project.costs.since(&before).ancestor_queries;
    assert!(exports <= 4 * forks, "{exports} for the exports");

    project.now_ms = 1_000_000;
    let before = project.costs;
    let op = project.write(ALICE, edit("f", -1));
    assert!(project.is_applied(&op));
    let one = project.costs.since(&before).ancestor_queries;
    assert!(one <= 4 * forks, "{one} for one op");

    let before = project.costs;
    project.write(ROOT, revoke(EDITOR));
    let revocation = project.costs.since(&before).ancestor_queries;
    assert!(
        revocation <= PER_OP * forks,
        "{revocation} for the revocation"
    );
}

#[test]
fn ten_thousand_ops_of_one_number_cost_their_number() {
    for count in [1_000, 10_000] {
        let (mut project, grant) = project();
        let queries = queries(&mut project, wide(grant, count), Outcome::Admitted);
        assert!(queries <= PER_OP * count, "{queries} for {count}");
        assert_eq!(project.winners("f") as u64, count);
        costs_afterwards(&mut project, count, 1);
    }
}

#[test]
fn two_long_branches_cost_their_length() {
    for length in [500, 5_000] {
        let (mut project, grant) = project();
        let ops = branches(grant, 2, length);
        let queries = queries(&mut project, ops, Outcome::Admitted);
        assert!(queries <= PER_OP * 2 * length, "{queries} for {length}");
        assert_eq!(project.winners("f"), 2);
        let equivocations = usize::try_from(length).expect("few");
        costs_afterwards(&mut project, 2 * length, equivocations);
    }
}

#[test]
fn thousands_of_branches_cost_their_ops() {
    for count in [500, 5_000] {
        let (mut project, grant) = project();
        let ops = branches(grant, count, 2);
        let queries = queries(&mut project, ops, Outcome::Admitted);
        let count = count as u64;
        assert!(queries <= PER_OP * 2 * count, "{queries} for {count}");
        assert_eq!(project.winners("f") as u64, count);
        costs_afterwards(&mut project, 2 * count, 2);
    }
}

/// Refused ops have no limit in number: each of these has an equivocation in its past.
#[test]
fn what_is_frozen_costs_no_more_than_what_is_not() {
    for count in [300, 3_000] {
        let (mut project, grant) = project();
        let ops: Vec<VerifiedOp> = wide(grant, count).collect();
        let ids: Vec<OpId> = ops.iter().map(VerifiedOp::id).collect();
        queries(&mut project, ops, Outcome::Admitted);
        let mut spent = 0;
        for pair in ids.windows(2) {
            let op = sign(EDITOR, 1, pair, at(100_000), edit("f", 0));
            let witness = Some(pair[0].min(pair[1]));
            let reason = Refusal::Frozen;
            spent += queries(&mut project, [op], Outcome::Refused { reason, witness });
        }
        assert!(spent <= PER_OP * count, "{spent} for {count}");
    }
}

/// The same above a long equivocation that a grant has thawed.
#[test]
fn what_is_frozen_far_up_costs_no_more_than_far_down() {
    for length in [500, 5_000] {
        let (mut project, grant) = project();
        let ops = branches(grant, 2, length);
        let tips = [ops[ops.len() - 2].id(), ops[ops.len() - 1].id()];
        let first = [ops[0].id(), ops[1].id()];
        queries(&mut project, ops, Outcome::Admitted);
        project.now_ms = 100_000;
        let thaw = project.grant(ROOT, EDITOR, Role::Editor);
        assert!(tips.iter().all(|tip| project.has_seen(&thaw, tip)));
        let forks =
            [1, 2].map(|value| sign(EDITOR, length, &[thaw], at(200_000), edit("f", value)));
        let halves = forks.each_ref().map(VerifiedOp::id);
        // The first grant had not seen the first equivocation either.
        let witness = Some(first[0].min(first[1]));
        let again = queries(&mut project, forks, Outcome::Admitted);
        assert!(again <= 4 * PER_OP, "{again} for two ops");
        let reason = Refusal::Frozen;
        let op = sign(EDITOR, length + 1, &halves, at(300_000), edit("f", 3));
        let frozen = queries(&mut project, [op], Outcome::Refused { reason, witness });
        assert!(frozen <= 2 * PER_OP, "{frozen} for one op");
    }
}
