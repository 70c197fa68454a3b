//! What reasons mean.

use ecac_artifact::EventKind;
use ecac_core::{DenialReason, Refusal};

/// What a reason means, in the words of the engine.
pub(super) fn meaning(kind: EventKind, reason: Option<&str>) -> Option<String> {
    let reason = reason?;
    let words = match kind {
        EventKind::Refused => reason.parse::<Refusal>().ok().map(Refusal::meaning),
        _ => reason
            .parse::<DenialReason>()
            .ok()
            .map(DenialReason::meaning),
    };
    Some(words.map_or_else(
        || format!("Reason: {}.", reason.escape_debug()),
        |words| format!("{} ({reason}).", words.trim_end_matches('.')),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_in_the_words_of_the_engine() {
        assert_eq!(
            meaning(EventKind::Refused, Some("revoked")).unwrap(),
            "A denial in the op's past kills every grant (revoked)."
        );
        assert_eq!(
            meaning(EventKind::Denied, Some("new")).unwrap(),
            "Reason: new."
        );
    }
}
