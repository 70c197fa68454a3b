//! The scenarios: reproducible, recomputable from their op logs, and denied by rule.

use std::collections::{BTreeMap, BTreeSet};

use ecac_bench::{BenchError, OPS_MAX, Params, RunRecord, Scenario, observe, run};
use ecac_core::payload;
use ecac_core::{
    Body, Costs, Decision, EffectCode, Log, Op, OpId, Payload, PublicKey, Replay, Replica,
    project_of, split_op_log,
};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn params(scenario: Scenario, seed: u64) -> Params {
    Params {
        scenario,
        seed,
        ops: 300,
    }
}

fn record(scenario: Scenario, seed: u64) -> RunRecord {
    run(&params(scenario, seed), COMMIT).expect("the parameters are in range")
}

/// The bodies in an op log, in order of arrival.
fn bodies(ops: &[u8]) -> Vec<(OpId, Body)> {
    let items = split_op_log(ops).expect("a scenario writes an op log");
    let decode = |item: &&[u8]| {
        let op = Op::decode(item, &mut Costs::default()).expect("a scenario writes canonical ops");
        (op.id(), op.body().clone())
    };
    items.iter().map(decode).collect()
}

#[test]
fn a_report_is_a_function_of_parameters_and_seed() {
    for &scenario in Scenario::ALL {
        assert_eq!(record(scenario, 42), record(scenario, 42), "{scenario}");
        assert_ne!(
            record(scenario, 42).ops,
            record(scenario, 43).ops,
            "{scenario}"
        );
    }
}

#[test]
fn everything_in_a_report_follows_from_its_op_log() {
    for &scenario in Scenario::ALL {
        let record = record(scenario, 7);
        assert_eq!(
            observe(&record.params, COMMIT, &record.ops),
            Ok(record),
            "{scenario}"
        );
    }
}

#[test]
fn arrival_order_changes_the_timeline_but_not_the_state() {
    let record = record(Scenario::OfflineRevoke, 42);
    let items = split_op_log(&record.ops).expect("a scenario writes an op log");
    let reversed: Vec<u8> = items
        .iter()
        .rev()
        .flat_map(|item| item.iter().copied())
        .collect();
    let again = observe(&record.params, COMMIT, &reversed).expect("the op log is the same set");
    assert_eq!((&again.state, &again.trust), (&record.state, &record.trust));
    assert_eq!(again.totals.denied, record.totals.denied);
    assert_eq!(
        again.totals.rolled_back, 0,
        "everything was pending until the genesis came last"
    );
    assert_ne!(again.timeline, record.timeline);
}

/// The frozen columns of `ecac-metrics v1`.
const HEADER: &str = "step,virtual_ms,ops,applied,denied,refused,pending,rolled_back,signatures_verified,\
                      bytes_hashed,ancestor_queries,ops_evaluated,conflicts,heads";

#[test]
fn the_metrics_table_adds_up() {
    for &scenario in Scenario::ALL {
        let record = record(scenario, 42);
        let text = String::from_utf8(record.csv).expect("the table is text");
        let mut lines = text.lines();
        let about = lines.next().expect("the first line");
        assert!(about.starts_with(&format!(
            "# ecac-metrics v1, commit={COMMIT}, scenario={scenario}, seed=42, schema="
        )));
        assert_eq!(lines.next(), Some(HEADER));
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.last().map(|row| row[0]), Some("total"));
        let mut before = vec![0; 12];
        for row in &rows {
            let numbers: Vec<u64> = row[1..]
                .iter()
                .map(|cell| cell.parse().expect("a number"))
                .collect();
            let [_, ops, applied, denied, refused, pending, rolled_back, ..] = numbers[..] else {
                panic!("a row has its columns")
            };
            assert_eq!(ops, applied + denied + refused + pending, "{scenario}");
            assert!(rolled_back <= denied, "{scenario}");
            // Time, ops and counted work never go down, nor does what was rolled back where nothing is given back.
            let gives_back = scenario == Scenario::StolenAdmin;
            let rising = [0, 1, 6, 7, 8, 9, 10].into_iter();
            for column in rising.filter(|&column| column != 6 || !gives_back) {
                assert!(
                    numbers[column] >= before[column],
                    "{scenario}, column {column}"
                );
            }
            before = numbers;
        }
        assert_eq!(
            before[1],
            u64::from(record.params.ops),
            "every op is counted once"
        );
    }
}

#[test]
fn the_timeline_tells_what_the_replay_decides() {
    let record = record(Scenario::OfflineRevoke, 42);
    let mut last: BTreeMap<OpId, (String, Option<String>)> = BTreeMap::new();
    for line in record
        .timeline
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let event: serde_json::Value = serde_json::from_slice(line).expect("a line is JSON");
        let text = |member: &str| event[member].as_str().map(str::to_owned);
        let op = text("op").expect("an op").parse().expect("an op id");
        last.insert(op, (text("event").expect("an event"), text("reason")));
    }
    let items = split_op_log(&record.ops).expect("a scenario writes an op log");
    let mut log = Log::new(project_of(&items).expect("one genesis"));
    let mut costs = Costs::default();
    for item in items {
        log.receive(item, &mut costs)
            .expect("a scenario signs its ops");
    }
    let replay = Replay::of(&log, &mut costs);
    for (op, decision) in replay.decisions(&log) {
        let (event, reason) = &last[&op];
        let verdict = if event == "rolled_back" {
            "denied"
        } else {
            event.as_str()
        };
        assert_eq!(
            (verdict, reason.as_deref()),
            (decision.verdict(), decision.reason()),
            "{op}"
        );
    }
}

/// Rule 4 for `offline-revoke`, from the bodies alone: past(x) by walking parents, an edit of Alice's is denied
/// iff the revocation had not seen it and her only grant then was older, and likewise for Carol's status bit.
#[test]
fn offline_revoke_denies_exactly_what_the_rule_names() {
    for seed in [1, 2, 42] {
        let record = record(Scenario::OfflineRevoke, seed);
        let ops = bodies(&record.ops);
        let by_id: BTreeMap<OpId, &Body> = ops.iter().map(|(id, body)| (*id, body)).collect();
        let past = |of: OpId| {
            let mut past = BTreeSet::new();
            let mut stack = by_id[&of].parents.clone();
            while let Some(id) = stack.pop() {
                if past.insert(id) {
                    stack.extend(&by_id[&id].parents);
                }
            }
            past
        };
        let (revocation, alice) = ops
            .iter()
            .find_map(|(id, body)| match &body.payload {
                Payload::Revoke(payload::Revoke { subject, .. }) => Some((*id, *subject)),
                _ => None,
            })
            .expect("there is a revocation");
        let lists: Vec<OpId> = ops
            .iter()
            .filter(|(_, body)| matches!(body.payload, Payload::StatusList(_)))
            .map(|(id, _)| *id)
            .collect();
        let second_list = *lists.last().expect("there are status lists");
        assert_eq!(lists.len(), 2);
        let grantees: Vec<PublicKey> = ops
            .iter()
            .filter_map(|(_, body)| match &body.payload {
                Payload::Grant(payload::Grant { subject, .. }) => Some(*subject),
                _ => None,
            })
            .collect();
        // Petra, Alice, Bob, Carol, and Alice again.
        assert_eq!(
            (grantees[1], grantees[4], grantees.len()),
            (alice, alice, 5)
        );
        let carol = grantees[3];
        let regrant = ops
            .iter()
            .rfind(|(_, body)| matches!(body.payload, Payload::Grant(_)))
            .map(|(id, _)| *id)
            .expect("Alice is granted again");
        assert!(past(regrant).contains(&revocation));

        let (seen_by_revoker, seen_by_list) = (past(revocation), past(second_list));
        let (mut denied, mut refused) = (BTreeSet::new(), BTreeSet::new());
        for (id, body) in &ops {
            let own = past(*id);
            if body.author == alice && own.contains(&revocation) && !own.contains(&regrant) {
                refused.insert(*id);
            } else if body.author == alice
                && !own.contains(&regrant)
                && !seen_by_revoker.contains(id)
                || body.author == carol && !seen_by_list.contains(id)
            {
                denied.insert(*id);
            }
        }
        assert!(!denied.is_empty() && !refused.is_empty());

        let items = split_op_log(&record.ops).expect("a scenario writes an op log");
        let mut log = Log::new(project_of(&items).expect("one genesis"));
        let mut costs = Costs::default();
        for item in items {
            log.receive(item, &mut costs)
                .expect("a scenario signs its ops");
        }
        let decisions = Replay::of(&log, &mut costs).decisions(&log);
        let decided = |verdict: &str| -> BTreeSet<OpId> {
            let matching = decisions.iter().filter(|(_, it)| it.verdict() == verdict);
            matching.map(|(id, _)| *id).collect()
        };
        assert_eq!(decided("denied"), denied, "seed {seed}");
        assert_eq!(decided("refused"), refused, "seed {seed}");
        assert_eq!(decided("pending"), BTreeSet::new());
        let resumed = ops.iter().any(|(id, body)| {
            body.author == alice
                && past(*id).contains(&regrant)
                && matches!(decisions[id], Decision::Applied { grant } if grant == regrant)
        });
        assert!(resumed, "work resumes under the second grant");
        assert!(
            record.totals.rolled_back > 0,
            "the station had applied some of it"
        );
    }
}

#[test]
fn a_number_of_ops_out_of_range_is_refused() {
    for &scenario in Scenario::ALL {
        for ops in [0, scenario.ops_min() - 1, OPS_MAX + 1] {
            let refused = run(
                &Params {
                    scenario,
                    seed: 42,
                    ops,
                },
                COMMIT,
            );
            let want = BenchError::Ops {
                scenario,
                min: scenario.ops_min(),
                ops,
            };
            assert_eq!(refused, Err(want));
        }
        let least = Params {
            scenario,
            seed: 42,
            ops: scenario.ops_min(),
        };
        assert_eq!(
            run(&least, COMMIT).map(|it| it.totals.ops),
            Ok(scenario.ops_min().into())
        );
    }
}

#[test]
fn every_seed_shows_what_the_scenario_is_for() {
    for seed in 0..40 {
        let least = Params {
            scenario: Scenario::OfflineRevoke,
            seed,
            ops: 100,
        };
        let summary = run(&least, COMMIT).expect("in range").totals;
        assert!(
            summary.denied > 0 && summary.rolled_back > 0 && summary.refused == 3,
            "seed {seed}"
        );
    }
}

#[test]
fn names_are_parsed_back() {
    for scenario in Scenario::ALL {
        assert_eq!(scenario.name().parse(), Ok(*scenario));
    }
    assert!("hb-chian".parse::<Scenario>().is_err());
}

/// What `stolen-admin` is for, from the bodies and the decisions at each step: what a final seal has applied in its past stays,
/// the unsealed work of the editors is rolled back by the thieves and given back, and the second rage turns nothing.
#[test]
fn sealed_work_outlives_stolen_keys_and_the_rest_is_given_back() {
    for (seed, ops) in [(42, 500), (1, 120), (2, 120), (3, 300)] {
        let params = Params {
            scenario: Scenario::StolenAdmin,
            seed,
            ops,
        };
        let record = run(&params, COMMIT).expect("in range");
        let items = split_op_log(&record.ops).expect("a scenario writes an op log");
        let mut replica = Replica::join(project_of(&items).expect("one genesis"));
        let (mut seals, mut sealed) = (Vec::new(), BTreeSet::new());
        let (mut lost, mut given, mut stale) = (0, 0, 0);
        for item in items {
            let received = replica.receive(&[item]);
            let [event] = &received.events[..1] else {
                panic!("an item is told of")
            };
            let op = event.op().expect("a scenario signs its ops");
            let body = replica.log().get(&op).expect("it is held").body().clone();
            let rolled_back: Vec<OpId> = received.rolled_back().collect();
            assert!(
                rolled_back.iter().all(|op| !sealed.contains(op)),
                "seed {seed}"
            );
            lost += rolled_back.len();
            given += received.reinstated().count();
            if seals.len() == 2 {
                assert!(rolled_back.is_empty(), "seed {seed}: {op}");
                let code = replica.effect(&op).map(|it| it.code);
                stale += usize::from(code == Some(EffectCode::Stale));
            }
            let finals = replica.sealing().value.finals;
            if let Payload::Cosign(signed) = &body.payload
                && finals.contains(&signed.op)
            {
                assert!(replica.check_seal(&signed.op).is_some_and(|it| it.agrees()));
                seals.push(signed.op);
                let costs = &mut Costs::default();
                let ids: Vec<OpId> = replica.log().ids_since(0).collect();
                for id in ids {
                    let is_behind = replica.log().happens_before(&id, &signed.op, costs);
                    let applied = matches!(replica.decision(&id), Some(Decision::Applied { .. }));
                    if is_behind == Some(true) && applied {
                        sealed.insert(id);
                    }
                }
            }
        }
        assert_eq!(seals.len(), 2, "seed {seed}");
        // Each thief's denials of the second rage, but for the two that take more than one root, are stale.
        assert!(stale >= 5, "seed {seed}: {stale}");
        assert!(
            lost > 0 && given > 0 && record.totals.refused == 0,
            "seed {seed}"
        );
        assert!(
            replica.taken_back().iter().all(|it| it.stamp_ms > 0),
            "seed {seed}"
        );
        let authors: BTreeSet<PublicKey> =
            replica.taken_back().iter().map(|it| it.author).collect();
        // What stays taken back is the thief's.
        assert_eq!(authors.len(), 1, "seed {seed}");
        assert!(
            record.totals.denied > 0 && record.totals.pending == 0,
            "seed {seed}"
        );
    }
}

/// Replicas that prune whenever and wherever, thieves and all, come to what one comes to that has everything.
#[test]
fn pruned_replicas_agree_with_full_ones_about_stolen_keys() {
    for seed in 0..4 {
        let params = Params {
            scenario: Scenario::StolenAdmin,
            seed,
            ops: 250,
        };
        let record = run(&params, COMMIT).expect("in range");
        let mut items = split_op_log(&record.ops).expect("a scenario writes an op log");
        let project = project_of(&items).expect("one genesis");
        let (mut full, mut dropped) = (Replica::join(project), 0);
        full.receive(&items);
        // In the order of the station, and in batches that come the other way round.
        for batch in [1, 7, 60] {
            let mut pruned = Replica::join(project);
            if batch == 60 {
                items.reverse();
            }
            for batch in items.chunks(batch) {
                pruned.receive(batch);
                dropped += pruned.prune().expect("a store in memory prunes").ops;
            }
            assert_eq!(pruned.decisions(), full.decisions(), "seed {seed}");
            assert_eq!(pruned.state(), full.state(), "seed {seed}");
            assert_eq!(pruned.trust(), full.trust(), "seed {seed}");
            assert_eq!(pruned.fault(), None);
            let left = pruned.envelopes().count();
            assert_eq!(left + pruned.superseded().len(), full.envelopes().count());
        }
        assert!(dropped > 100, "seed {seed}: {dropped}");
    }
}
