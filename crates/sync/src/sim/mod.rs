//! A seeded simulation of sync: many replicas on a network that loses, doubles, delays and swaps frames and that parts,
//! with crashes, wrong clocks, twins that sign with one key, and a peer that lies.
//!
//! [`run`] is a pure function of a [`Schedule`], and a schedule of its seed, so that a seed is a complete report of a
//! failure. The laws: once connected and quiet, all replicas hold the same ops and state; no op is handed to a replica
//! before its parents; no honest op is lost; nothing unverified is stored.

mod disk;
mod liar;
mod node;
mod stream;
mod world;

pub use disk::{Disk, MemoryDisk};
pub use world::{Report, Schedule, Violation, run, run_on};

/// A deliberate mistake, to see that the simulation finds it. Nothing outside of tests makes any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Defect {
    /// Ops are kept whether or not their parents are there.
    ChecksNoParents,
    /// What was not acknowledged is not sent again, and a session that stays silent is not dialled again either.
    NeverRetries,
    /// A frame counts for all that came before it.
    TakesGapsForReceived,
    /// The heads of authors are believed, forks or not.
    TrustsHeads,
    /// The last op that the other side lacks is not sent.
    ForgetsTheLast,
    /// Ops are sent in the reverse of their order.
    ChildrenFirst,
    /// Envelopes are stored before they are verified.
    StoresUnverified,
}

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

    /// Some seed shows the defect, and shows it again.
    fn is_found(defect: Defect) {
        let found = (0..60).map(|seed| Schedule::of_seed(seed, 5));
        let found = found.map(|it| Schedule {
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
    fn a_dropped_check_of_parents_is_found() {
        is_found(Defect::ChecksNoParents);
    }

    #[test]
    fn a_forgotten_retry_is_found() {
        is_found(Defect::NeverRetries);
    }

    #[test]
    fn a_gap_that_is_taken_for_received_is_found() {
        is_found(Defect::TakesGapsForReceived);
    }

    #[test]
    fn heads_that_are_believed_are_found() {
        is_found(Defect::TrustsHeads);
    }

    #[test]
    fn a_forgotten_last_op_is_found() {
        is_found(Defect::ForgetsTheLast);
    }

    #[test]
    fn children_before_parents_are_found() {
        is_found(Defect::ChildrenFirst);
    }

    #[test]
    fn a_store_before_the_verification_is_found() {
        is_found(Defect::StoresUnverified);
    }
}
