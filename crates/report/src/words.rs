//! Words of the report: numbers, lists and verdicts as a person would say them.

use ecac_artifact::EventKind;

/// How many digits of an id are shown where the whole id is not needed.
const SHORT_DIGITS: usize = 12;

/// A whole number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// The verdict, in words, of several ops.
pub(crate) const fn verb(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Applied => "applied",
        EventKind::Denied => "denied on arrival",
        EventKind::Refused => "refused",
        EventKind::Pending => "waiting for parents",
        EventKind::Unsupported => "held, of a kind that the observer does not know",
        EventKind::RolledBack => "taken back",
    }
}

/// The first digits of an id.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(SHORT_DIGITS).collect()
}

/// The text with a capital at its start.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// “3 edits”.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// “a, b and c”.
pub(crate) fn listed(items: &[&str]) -> String {
    match items {
        [] => "nobody".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(count(1, "op"), "1 op");
        assert_eq!(count(1_000, "op"), "1\u{a0}000 ops");
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
