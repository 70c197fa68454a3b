//! The scenario engine of ECAC: pure functions from (scenario, parameters, seed) to a report.
//!
//! One seeded stream drives everything, time is virtual and costs are counted, so a report is the same bytes on
//! every machine. A scenario yields an op log; everything else in its report is a function of that log.
#![forbid(unsafe_code)]

mod observe;
mod replica;
mod report;
mod scenario;
mod stream;

pub use report::{
    AUDIT_BATCH_OPS, BenchError, OPS_MAX, Params, ScenarioReport, node_key, observe, run,
    schema_sha256,
};
pub use scenario::{Scenario, UnknownScenario};
