//! A manifest for tests.

use ecac_artifact::{Manifest, Run, Totals};

/// The manifest of a whole set that cites `commit`.
pub(crate) fn example(commit: &str) -> Manifest {
    let run = |scenario: &str| Run {
        meetings: None,
        ops: 500,
        scenario: scenario.to_owned(),
        seed: 42,
        totals: Totals {
            applied: 499,
            denied: 1,
            ops: 500,
            pending: 0,
            refused: 0,
            rolled_back: 1,
            state_sha256: "00".repeat(32),
        },
    };
    Manifest {
        audit_head: "head".to_owned(),
        cargo_lock_sha256: "11".repeat(32),
        commit_time: 1_790_000_000,
        commit: commit.to_owned(),
        format: Manifest::format(),
        scenarios: ["hb-chain", "concurrent", "offline-revoke"]
            .map(run)
            .to_vec(),
        schema_sha256: "22".repeat(32),
        toolchain: "1.95.0".to_owned(),
        trust_sha256: "33".repeat(32),
        version: "0.1.0".to_owned(),
    }
}
