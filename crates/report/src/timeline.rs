//! The timeline of a run: every decision as it fell, in virtual time.

use ecac_core::OpId;
use serde::Deserialize;

use crate::error::ReportError;
use crate::json;

/// One line of a timeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Event {
    /// Number of the arrival, from 1.
    pub(crate) n: u64,
    /// The observer's virtual time, ms since the Unix epoch.
    pub(crate) t: u64,
    /// What happened.
    pub(crate) event: Kind,
    /// The op; absent for bytes that are no op.
    pub(crate) op: Option<OpId>,
    /// Why it is not applied.
    pub(crate) reason: Option<String>,
    /// The denial, or what shows the refusal.
    pub(crate) by: Option<OpId>,
}

/// What can happen to an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Applied,
    Denied,
    Refused,
    Pending,
    RolledBack,
}

impl Kind {
    /// In words, of several ops.
    pub(crate) const fn verb(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Denied => "denied on arrival",
            Self::Refused => "refused",
            Self::Pending => "waiting for parents",
            Self::RolledBack => "taken back",
        }
    }

    /// The class in the style sheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Pending => "pending",
            Self::RolledBack => "back",
        }
    }
}

pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Vec<Event>, ReportError> {
    let events: Vec<Event> = json::lines(file, bytes)?;
    for (line, pair) in (2..).zip(events.windows(2)) {
        if pair[1].n < pair[0].n || pair[1].t < pair[0].t {
            return Err(ReportError::Json {
                file: file.to_owned(),
                line,
                problem: "the events are not in order".to_owned(),
            });
        }
    }
    Ok(events)
}
