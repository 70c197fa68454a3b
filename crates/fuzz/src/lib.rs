//! Fuzz targets: what each reader of ECAC promises of bytes that anybody may have made.
//!
//! A target takes any bytes and panics where a promise is broken; that it gets through without a panic is only
//! the least of them. Where a format is signed or carries checksums, the target also mends the input with a key
//! of its own, so that a fuzzer gets behind the signature. `cargo test` runs every target over its corpus, its
//! crashers and seeded mutations of both; `fuzz_targets/` hands the same functions to libFuzzer.
#![forbid(unsafe_code)]

pub mod archive;
pub mod audit_log;
pub mod credential;
pub mod csv_differ;
mod difference;
pub mod history;
pub mod json_differ;
mod jws;
pub mod op_decode;
pub mod op_log;
mod people;
pub mod status_list;
pub mod sums;

/// Whether a target's input, or the input as the target mended it, was a valid one. No promise is attached to
/// it: it shows that a corpus exercises both the reader and its refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// The reader accepted it.
    Accepted,
    /// The reader refused it.
    Refused,
}

impl Reading {
    fn of(accepted: bool) -> Self {
        if accepted {
            Self::Accepted
        } else {
            Self::Refused
        }
    }
}

/// A target.
pub type Run = fn(&[u8]) -> Reading;

/// Every target by its name, which is also that of its binary, its corpus and its directory of crashers.
pub const TARGETS: &[(&str, Run)] = &[
    ("op-decode", op_decode::run),
    ("credential", credential::run),
    ("status-list", status_list::run),
    ("op-log", op_log::run),
    ("audit-log", audit_log::run),
    ("sha256sums", sums::run),
    ("tar", archive::run),
    ("csv-differ", csv_differ::run),
    ("json-differ", json_differ::run),
];
