//! `partition-3`: what three replicas that are parted come to, and what their sessions carried.

use std::collections::BTreeSet;

use ecac_bench::{Params, Scenario, Step, course, meetings, observe, run};
use ecac_core::{Costs, Replica, VerifiedOp, split_op_log};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

#[test]
fn a_run_is_a_function_of_its_seed_and_shows_what_it_is_for() {
    let mut seen = BTreeSet::new();
    for seed in [1, 2, 42] {
        let params = Params {
            scenario: Scenario::Partition3,
            seed,
            ops: 200,
        };
        let record = run(&params, COMMIT).expect("in range");
        assert_eq!(run(&params, COMMIT).as_ref(), Ok(&record));
        assert_eq!(observe(&params, COMMIT, &record.ops).as_ref(), Ok(&record));
        let totals = &record.totals;
        assert_eq!((totals.ops, totals.refused, totals.pending), (200, 0, 0));
        assert!(totals.denied > 0 && totals.rolled_back > 0, "{totals:?}");

        let met = meetings(seed, 200).expect("in range");
        assert_eq!(meetings(seed, 200), Ok(met));
        assert_eq!(met.partitions, 3);
        assert!((3..=6).contains(&met.rounds), "{met:?}");
        assert!(met.rolled_back >= totals.rolled_back, "{met:?}");
        assert!(met.converge_ms > 0 && met.converge_ms < 120_000, "{met:?}");
        // Every op but the founding ones goes to both of the others.
        assert_eq!(met.ops, 2 * (200 - 7), "{met:?}");
        assert!(met.frames > 6 * met.sessions && met.frame_bytes > 200 * 250);
        seen.insert(met.frame_bytes);
    }
    assert_eq!(seen.len(), 3);
    assert_eq!(meetings(1, 5), Err(Scenario::Partition3.ops_min()));
}

#[test]
fn it_is_run_where_it_is_asked_for() {
    assert_eq!("partition-3".parse(), Ok(Scenario::Partition3));
    assert_eq!(Scenario::Partition3.name(), "partition-3");
    assert!(Scenario::ALL.contains(&Scenario::Partition3));
    for seed in 0..10 {
        let least = Params {
            scenario: Scenario::Partition3,
            seed,
            ops: Scenario::Partition3.ops_min(),
        };
        let totals = run(&least, COMMIT).expect("in range").totals;
        assert!(totals.denied > 0 && totals.rolled_back > 0, "seed {seed}");
    }
}

/// Who does the steps of the course again, with sessions that lose nothing, has each op's parents where it was signed, and ends where
/// the run did.
#[test]
fn its_course_can_be_gone_again() {
    let course = course(42, 120).expect("in range");
    let mut replicas = [(); 3].map(|()| Replica::builder().join(course.project));
    let mut cut_off = None;
    let (mut written, mut parted) = (0, 0);
    for step in &course.steps {
        match step {
            Step::Write { replica, op } => {
                let replica = &mut replicas[*replica];
                replica.receive(&[op.envelope().to_vec()]);
                assert!(replica.log().holds(&op.id()), "its parents are there");
                assert!(replica.missing().is_empty(), "its parents are there");
                written += 1;
            }
            Step::Meet { dialler, listener } => {
                assert!(![Some(*dialler), Some(*listener)].contains(&cut_off));
                for (from, to) in [(*dialler, *listener), (*listener, *dialler)] {
                    let ops = replicas[from].ops().map(|op| op.envelope().to_vec());
                    let ops: Vec<Vec<u8>> = ops.collect();
                    replicas[to].receive(&ops);
                }
            }
            Step::CutOff { replica } => {
                cut_off = Some(*replica);
                parted += 1;
            }
            Step::Heal => cut_off = None,
        }
    }
    assert_eq!((written, parted), (120, 3));
    let params = Params {
        scenario: Scenario::Partition3,
        seed: 42,
        ops: 120,
    };
    let record = run(&params, COMMIT).expect("in range");
    let ids: BTreeSet<_> = split_op_log(&record.ops)
        .expect("an op log")
        .into_iter()
        .map(|it| {
            VerifiedOp::read(it, &mut Costs::default())
                .expect("an op")
                .id()
        })
        .collect();
    for replica in &replicas {
        assert_eq!(
            replica.ops().map(|it| it.id()).collect::<BTreeSet<_>>(),
            ids
        );
        assert_eq!(
            hex::encode(replica.state_digest()),
            record.totals.state_sha256
        );
    }
    assert!(ecac_bench::course(1, 5).is_err());
}
