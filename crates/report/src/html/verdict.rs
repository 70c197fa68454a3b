//! The colours of verdicts.

use ecac_artifact::EventKind;

/// The class in the style sheet.
pub(super) const fn class(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Applied => "applied",
        EventKind::Denied => "denied",
        EventKind::Refused => "refused",
        EventKind::Pending | EventKind::Unsupported => "pending",
        EventKind::RolledBack => "back",
    }
}
