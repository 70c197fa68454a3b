//! A seeded simulation of sync: many replicas on a network that loses, doubles, delays and swaps frames and that parts,
//! with crashes, wrong clocks, twins that sign with one key, and a peer that lies.
//!
//! In some of them roots seal what they have, and others prune behind the seals, while a thief revokes everybody; a newcomer
//! starts from the sealed snapshot that another node, or a liar, carries to it. In the end all who are without envelopes ask one for them who keeps everything.
//!
//! [`run`] is a pure function of a [`Schedule`], and a schedule of its seed, so that a seed is a complete report of a
//! failure. The laws: once connected and quiet, all replicas hold the same ops and state; no op is handed to a replica
//! before its parents; no honest op is lost, and no sealed one taken back; nothing unverified is stored; who asks for what was dropped
//! gets it.

mod home;
mod laws;
mod liar;
mod node;
mod office;
mod schedule;
mod stream;
mod world;

pub use crate::defect::Defect;
pub use home::{Below, Build, Home, MemoryHome};
pub use schedule::{Pruning, Report, Schedule, Violation};
pub use world::{run, run_on};

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the schedules of the seeds; the first failure prints its seed.
    fn runs(seeds: core::ops::Range<u64>, nodes_max: usize) {
        for seed in seeds {
            let schedule = Schedule::of_seed(seed, nodes_max);
            if let Err(violation) = run(&schedule, None) {
                panic!("{violation}");
            }
        }
    }

    #[test]
    fn the_laws_hold() {
        runs(0..20, 6);
    }

    #[test]
    #[ignore = "takes minutes: a thousand schedules, with up to 64 replicas"]
    fn the_laws_hold_for_long() {
        runs(1_000..1_990, 12);
        runs(5_000..5_010, 64);
    }

    #[test]
    fn a_seed_gives_the_same_run_again() {
        let schedule = Schedule::of_seed(7, 6);
        let first = run(&schedule, None).unwrap();
        assert_eq!(run(&schedule, None).unwrap(), first);
        assert!(first.finished > 0);
    }

    /// Some of the schedules shows the defect, and shows it again, and holds without it.
    #[track_caller]
    fn is_found(defect: Defect, schedules: impl Iterator<Item = Schedule>) {
        let found = schedules.map(|it| Schedule {
            quiet_ms: 120_000,
            ..it
        });
        let mut found = found.filter_map(|it| run(&it, Some(defect)).err());
        let Some(violation) = found.next() else {
            panic!("{defect:?} is not found");
        };
        let again = run(&violation.schedule, Some(defect));
        assert_eq!(again, Err(violation.clone()));
        assert!(run(&violation.schedule, None).is_ok(), "{violation}");
    }

    #[test]
    fn every_defect_is_found() {
        for defect in Defect::ALL {
            let schedules = (0..60).map(|seed| Schedule::of_seed(seed, 5));
            if defect != Defect::TakesEarlierLives {
                is_found(defect, schedules);
            }
        }
    }

    #[test]
    fn newcomers_start_from_what_others_carry() {
        let (mut started, mut refused, mut regained) = (0, 0, 0);
        for seed in 0..16 {
            let base = Schedule::of_seed(seed, 6);
            let schedule = Schedule {
                nodes: 5,
                pruning: Some(Pruning {
                    roots: if seed % 2 == 0 { 1 } else { 3 },
                    seals: 20,
                    prunings: 16,
                    thief: seed % 3 == 0,
                    away: false,
                    newcomer: true,
                }),
                liar: seed % 4 < 3,
                tomorrow: false,
                ..base
            };
            let report = run(&schedule, None).unwrap_or_else(|it| panic!("{it}"));
            started += report.started;
            refused += report.refused;
            regained += report.regained;
            assert!(report.regained >= report.pruned as u64, "{report:?}");
        }
        assert!(started > 3 && refused > 0, "{started} and {refused}");
        assert!(regained > 20, "{regained}");
    }

    /// Three nodes on a slow network that lose power all the time.
    fn restless(seed: u64) -> Schedule {
        Schedule {
            writes: 60,
            crashes: 60,
            latency_ms_max: 800,
            duplicate_percent: 20,
            twins: false,
            liar: false,
            tomorrow: false,
            pruning: None,
            ..Schedule::of_seed(seed, 3)
        }
    }

    #[test]
    fn earlier_lives_of_a_listener_that_are_believed_are_found() {
        is_found(Defect::TakesEarlierLives, (0..200).map(restless));
    }

    #[test]
    fn a_listener_that_forgot_is_told_from_one_that_did_not() {
        let reports = (0..10).map(|seed| run(&restless(seed), None));
        let mut strays = 0;
        for report in reports {
            strays += report.unwrap_or_else(|it| panic!("{it}")).strays;
        }
        assert!(strays > 0, "no frame of an earlier life came");
        // What sent ops before their parents once.
        let schedule = Schedule::of_seed(1_017, 12);
        run(&schedule, None).unwrap_or_else(|it| panic!("{it}"));
    }

    #[test]
    fn what_builds_on_a_bad_copy_waits_whatever_that_lacks() {
        // A liar sends a bad copy of an op whose parents are not there, and what builds on it.
        let schedule = Schedule::of_seed(17_641_511_404_167_339_048, 8);
        run(&schedule, None).unwrap_or_else(|it| panic!("{it}"));
    }
}
