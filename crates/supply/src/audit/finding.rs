//! What the audit finds.

use std::fmt;

use serde::Serialize;

/// Something that has to be mended.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    /// The program that found it.
    pub(super) check: &'static str,
    /// The crate and its version.
    #[serde(rename = "crate")]
    pub(super) krate: String,
    /// What is wrong.
    pub(super) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.krate, self.what, self.check)
    }
}

/// The findings, one on a line.
pub(super) fn list(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| format!("\n  {finding}"));
    lines.collect()
}
