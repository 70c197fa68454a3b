//! Fuzz targets: what each reader of ECAC promises of bytes that anybody may have made.
//!
//! A target takes any bytes and panics where a promise is broken; that it gets through without a panic is only
//! the least of them. Where a format is signed or carries checksums, the target also mends the input with a key
//! of its own, so that a fuzzer gets behind the signature. `cargo test` runs every target over its corpus, its
//! crashers and seeded mutations of both; `fuzz_targets/` hands the same functions to libFuzzer.
#![forbid(unsafe_code)]

pub mod archive;
pub mod audit_log;
pub mod carried;
pub mod credential;
pub mod csv_differ;
mod difference;
pub mod history;
pub mod json_differ;
mod jws;
pub mod mailbox;
pub mod op_decode;
pub mod op_log;
mod people;
mod reading;
pub mod status_list;
pub mod sums;
pub mod sync;

pub use reading::Reading;

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
    ("sync", sync::run),
    ("mailbox", mailbox::run),
    ("carried", carried::run),
];
