//! `manifest.json`, as far as a report needs it: all of it.

use ecac_artifact::Summary as File;
use serde::Deserialize;

use crate::error::ReportError;
use crate::json;

const FORMAT: u32 = 1;

/// What was run, from which source, and the outcome in numbers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) audit_head: String,
    pub(crate) cargo_lock_sha256: String,
    pub(crate) commit: String,
    #[expect(
        dead_code,
        reason = "a member of the form that the report does not tell"
    )]
    pub(crate) commit_time: u64,
    pub(crate) format: u32,
    pub(crate) scenarios: Vec<Run>,
    pub(crate) schema_sha256: String,
    pub(crate) toolchain: String,
    pub(crate) trust_sha256: String,
    pub(crate) version: String,
}

/// One scenario run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) ops: u64,
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    pub(crate) summary: Summary,
}

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summary {
    pub(crate) ops: u64,
    pub(crate) applied: u64,
    pub(crate) denied: u64,
    pub(crate) refused: u64,
    pub(crate) pending: u64,
    pub(crate) rolled_back: u64,
    pub(crate) state_sha256: String,
}

impl Manifest {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ReportError> {
        let name = File::Manifest.name();
        let manifest: Self = json::document(name, bytes)?;
        if manifest.format == FORMAT {
            Ok(manifest)
        } else {
            Err(ReportError::Format {
                file: name.to_owned(),
                found: manifest.format.to_string(),
            })
        }
    }
}
