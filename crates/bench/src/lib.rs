//! The scenario engine of ECAC: pure functions from (scenario, parameters, seed) to a record.
//!
//! One seeded stream drives everything, time is virtual and costs are counted, so a record is the same bytes on
//! every machine. A scenario yields an op log; everything else in its record is a function of that log. Where the
//! replicas of a scenario and the audit log are kept is a [`Storage`] that it is given.
#![forbid(unsafe_code)]

mod course;
mod meeting;
mod observe;
mod readers;
mod record;
mod replica;
mod scenario;
mod storage;
mod stream;

pub use course::{Course, Step};
pub use ecac_artifact::Meetings;
pub use readers::{Opened, OpenedValue, Reader, Readers};
pub use record::{
    BenchError, OPS_MAX, Params, RunRecord, node_key, observe, run, run_in, schema_sha256,
};
pub use scenario::{Scenario, UnknownScenario, course, meetings};
pub use storage::{AUDIT_BATCH_OPS, InMemory, Memory, Storage, StoredReplica};
