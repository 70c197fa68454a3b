//! Records: everything that a run leaves behind.

use core::convert::Infallible;

use ecac_artifact::{Metrics, MetricsLabels, Totals};
use ecac_audit::NodeKey;
use ecac_core::{Costs, OpLogError, export_trust, project_of, split_op_log};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::observe::Observation;
use crate::scenario::Scenario;
use crate::storage::{Memory, Storage};

/// The schema that the artifacts follow: the text of `docs/protocol.cddl`.
const SCHEMA: &str = include_str!("../../../docs/protocol.cddl");
/// Most ops that a scenario is asked for.
pub const OPS_MAX: u32 = 1_000_000;
/// What is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Params {
    /// Which scenario.
    pub scenario: Scenario,
    /// Seed of the one random stream.
    pub seed: u64,
    /// Ops in the op log, all kinds together: [`Scenario::ops_min`] to [`OPS_MAX`].
    pub ops: u32,
}

/// Everything that a run leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// What was run.
    pub params: Params,
    /// The outcome in numbers.
    pub totals: Totals,
    /// Metrics table.
    pub csv: Vec<u8>,
    /// Timeline in virtual time, JSON Lines.
    pub timeline: Vec<u8>,
    /// State export.
    pub state: Vec<u8>,
    /// Op log: a CBOR sequence, from which everything else here can be computed again.
    pub ops: Vec<u8>,
    /// Trust view export.
    pub trust: Vec<u8>,
    /// Audit log of the observer.
    pub audit: Vec<u8>,
}

/// Why there is no record; `E` is the error of the [`Storage`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BenchError<E = Infallible> {
    /// A number of ops with which the scenario cannot show what it is for.
    #[error("{scenario} takes {min} to {OPS_MAX} ops, not {ops}")]
    Ops {
        /// The scenario.
        scenario: Scenario,
        /// The fewest.
        min: u32,
        /// What was asked for.
        ops: u32,
    },
    /// The op log cannot be read.
    #[error(transparent)]
    OpLog(#[from] OpLogError),
    /// A replica or the audit log is not kept.
    #[error(transparent)]
    Storage(E),
}

/// SHA-256 of `docs/protocol.cddl` as of the build, lower-case hexadecimal.
#[must_use]
pub fn schema_sha256() -> String {
    hex::encode(Sha256::digest(SCHEMA))
}

/// The node key of the observer of a seeded run. It is known to everybody and signs nothing else.
#[must_use]
pub fn node_key(seed: u64) -> NodeKey {
    let digest = Sha256::new()
        .chain_update(b"ecac-observer-v1\0")
        .chain_update(seed.to_le_bytes());
    NodeKey::from_seed(digest.finalize().into())
}

/// Runs a scenario in memory; the artifacts are stamped with `commit`.
///
/// # Errors
/// [`BenchError::Ops`] for a number of ops out of range.
pub fn run(params: &Params, commit: &str) -> Result<RunRecord, BenchError> {
    run_in(Memory, params, commit)
}

/// Runs a scenario whose replicas and audit log are kept in `storage`; the artifacts are stamped with `commit`. The record is
/// the same bytes whatever the storage.
///
/// # Errors
/// [`BenchError::Ops`] for a number of ops out of range, [`BenchError::Storage`].
pub fn run_in<S: Storage>(
    mut storage: S,
    params: &Params,
    commit: &str,
) -> Result<RunRecord, BenchError<S::Error>> {
    let Params {
        scenario,
        seed,
        ops,
    } = *params;
    let min = scenario.ops_min();
    if !(min..=OPS_MAX).contains(&ops) {
        return Err(BenchError::Ops { scenario, min, ops });
    }
    let generated = scenario.generate(seed, ops as usize, &mut storage);
    let ops = generated.map_err(BenchError::Storage)?;
    record(storage, params, commit, &ops)
}

/// The record of a run again, from its op log; of `params` only the labels of the metrics table are used.
///
/// # Errors
/// [`BenchError::OpLog`] for an op log that cannot be read or whose project is not clear.
pub fn observe(params: &Params, commit: &str, ops: &[u8]) -> Result<RunRecord, BenchError> {
    record(Memory, params, commit, ops)
}

fn record<S: Storage>(
    storage: S,
    params: &Params,
    commit: &str,
    ops: &[u8],
) -> Result<RunRecord, BenchError<S::Error>> {
    let items = split_op_log(ops)?;
    let project = project_of(&items)?;
    let Params { scenario, seed, .. } = params;
    let audit = storage
        .audit(project, &items, &node_key(*seed))
        .map_err(BenchError::Storage)?;
    let Observation {
        log,
        replay,
        samples,
        total,
        timeline,
    } = Observation::of(project, &items);
    let state = replay.state().export(&log);
    let totals = Totals {
        ops: total.ops,
        applied: total.applied,
        denied: total.denied,
        refused: total.refused,
        pending: total.pending,
        rolled_back: total.rolled_back,
        state_sha256: hex::encode(Sha256::digest(&state)),
    };
    let labels = MetricsLabels {
        commit: commit.to_owned(),
        scenario: scenario.to_string(),
        seed: *seed,
        schema: schema_sha256(),
    };
    let metrics = Metrics {
        labels,
        samples,
        total,
    };
    Ok(RunRecord {
        params: *params,
        totals,
        csv: metrics.to_bytes(),
        timeline,
        state,
        ops: ops.to_vec(),
        trust: export_trust(&log, &mut Costs::default()),
        audit,
    })
}
