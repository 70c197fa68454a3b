//! The scenario engine of ECAC: pure functions from (scenario, parameters, seed) to a record.
//!
//! One seeded stream drives everything, time is virtual and costs are counted, so a record is the same bytes on
//! every machine. A scenario yields an op log; everything else in its record is a function of that log.
#![forbid(unsafe_code)]

mod observe;
mod record;
mod replica;
mod scenario;
mod stream;

pub use record::{
    AUDIT_BATCH_OPS, BenchError, OPS_MAX, Params, RunRecord, node_key, observe, run, schema_sha256,
};
pub use scenario::{Scenario, UnknownScenario};
