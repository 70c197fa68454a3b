//! Why there is no report.

use ecac_artifact::MetricsFault;
use ecac_core::{OpId, OpLogError};

/// Why a set of artifacts gives no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// A file is absent without which nothing can be said.
    #[error("{file} is missing")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file is not the JSON document that it should be.
    #[error("{file}, line {line}: {problem}")]
    Json {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the JSON reader says.
        problem: String,
    },
    /// A file has a form that nobody here knows.
    #[error("{file} has the format `{}`, which is unknown", .found.escape_debug())]
    Format {
        /// The file.
        file: String,
        /// What it says of itself.
        found: String,
    },
    /// A metrics table breaks a rule of its form.
    #[error("{file}, line {line}: {fault}")]
    Metrics {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The rule.
        fault: MetricsFault,
    },
    /// The items of an op log cannot be told apart.
    #[error("{file}: {fault}")]
    OpLog {
        /// The file.
        file: String,
        /// Why.
        fault: OpLogError,
    },
    /// A timeline speaks of an op that the op log beside it does not hold.
    #[error("{file}, line {line}: the op log has no op {op}")]
    UnknownOp {
        /// The timeline.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The op.
        op: OpId,
    },
    /// Two files contradict each other.
    #[error("{file}: {what} is `{}`, but should be `{}`", .found.escape_debug(), .expected.escape_debug())]
    Disagrees {
        /// The file.
        file: String,
        /// What the files disagree on.
        what: &'static str,
        /// What the other file says.
        expected: String,
        /// What this file says.
        found: String,
    },
}
