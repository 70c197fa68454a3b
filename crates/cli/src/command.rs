//! The commands: one module each, with its arguments and `run`.

pub(crate) mod audit;
pub(crate) mod audit_export;
pub(crate) mod audit_verify;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod decisions;
pub(crate) mod dump_state_json;
pub(crate) mod explain;
pub(crate) mod log;
pub(crate) mod trust_dump;
