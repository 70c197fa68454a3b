//! What is kept on disk is what is kept in memory, and nothing of it stays.

use std::sync::atomic::{AtomicU32, Ordering};

use ecac_bench::{BenchError, Params, Scenario, run, run_in};
use ecac_bench_disk::{Disk, Error};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn params(scenario: Scenario) -> Params {
    Params {
        scenario,
        seed: 42,
        ops: 150,
    }
}

#[test]
fn a_record_is_the_same_on_disk() {
    for &scenario in Scenario::ALL {
        let disk = Disk::new(|| false).expect("a temporary directory");
        let path = disk.path().to_owned();
        assert!(path.is_dir() && Disk::is_there());
        let kept = run_in(disk, &params(scenario), COMMIT).expect("the run is kept");
        assert!(!path.exists(), "{scenario} leaves {}", path.display());
        assert_eq!(Ok(kept), run(&params(scenario), COMMIT), "{scenario}");
    }
}

#[test]
fn a_run_that_is_stopped_leaves_nothing() {
    /// Batches until the run is to stop.
    static LEFT: AtomicU32 = AtomicU32::new(0);
    fn stop() -> bool {
        let fewer = |left: u32| left.checked_sub(1);
        LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer)
            .is_err()
    }
    // The replica is asked about 151 times: once when it is made, and for each op. The last number stops the audit log.
    for batches in [0, 1, 75, 152] {
        LEFT.store(batches, Ordering::SeqCst);
        let disk = Disk::new(stop).expect("a temporary directory");
        let path = disk.path().to_owned();
        let stopped = run_in(disk, &params(Scenario::HbChain), COMMIT);
        let is_stopped = matches!(stopped, Err(BenchError::Storage(Error::Stopped)));
        assert!(is_stopped, "after {batches} batches");
        assert!(!path.exists(), "after {batches} batches");
    }
}

#[test]
fn a_number_of_ops_out_of_range_makes_nothing() {
    let few = Params {
        ops: 1,
        ..params(Scenario::HbChain)
    };
    let disk = Disk::new(|| false).expect("a temporary directory");
    let path = disk.path().to_owned();
    let refused = run_in(disk, &few, COMMIT);
    assert!(matches!(refused, Err(BenchError::Ops { min: 8, .. })));
    assert!(!path.exists());
}
