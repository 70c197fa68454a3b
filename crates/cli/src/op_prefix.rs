//! Op ids as people type them: the first digits will do.

use std::collections::BTreeSet;
use std::str::FromStr;

use ecac_artifact::exit;
use ecac_core::OpId;

use crate::failure::Failure;

/// Fewest digits that stand for an op id.
const DIGITS_MIN: usize = 8;
/// Digits of a whole op id.
const DIGITS_MAX: usize = 64;
/// Most candidates that an error lists.
const CANDIDATES_MAX: usize = 8;

/// The first digits of an op id.
#[derive(Debug, Clone)]
pub(crate) struct OpPrefix(String);

impl FromStr for OpPrefix {
    type Err = String;

    fn from_str(digits: &str) -> Result<Self, String> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.bytes().all(is_digit) && (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
            Ok(Self(digits.to_owned()))
        } else {
            Err(format!(
                "an op id is {DIGITS_MAX} lower-case hexadecimal digits, or the first {DIGITS_MIN} or more of them"
            ))
        }
    }
}

impl OpPrefix {
    /// The one op id that begins so.
    pub(crate) fn find(&self, known: &BTreeSet<OpId>, label: &str) -> Result<OpId, Failure> {
        let mut matching = known
            .iter()
            .filter(|id| id.to_string().starts_with(&self.0));
        let Some(&first) = matching.next() else {
            return Err(not_found(self, label));
        };
        let others: Vec<&OpId> = matching.collect();
        if others.is_empty() {
            return Ok(first);
        }
        let shown = std::iter::once(&first).chain(others.iter().copied().take(CANDIDATES_MAX - 1));
        let candidates = shown.map(OpId::to_string).collect();
        Err(Failure::new(
            exit::USAGE,
            format!("find op {} in {label}", self.0),
            format!("{} op ids begin so", others.len() + 1),
            "give more digits",
        )
        .with_details(candidates))
    }
}

/// No op begins so.
pub(crate) fn not_found(prefix: &OpPrefix, label: &str) -> Failure {
    Failure::new(
        exit::NOT_FOUND,
        format!("find op {} in {label}", prefix.0),
        "the op log does not have it",
        "list the ops with `ecac log`, or fetch an op log that has it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(head: [u8; 2]) -> OpId {
        let mut bytes = [7; 32];
        bytes[3..5].copy_from_slice(&head);
        OpId::from_bytes(bytes)
    }

    #[test]
    fn a_prefix_names_one_op_or_is_an_error() {
        let known = BTreeSet::from([id([1, 1]), id([1, 2]), id([2, 1])]);
        let find = |digits: &str| {
            let prefix: OpPrefix = digits.parse().unwrap();
            prefix.find(&known, "ops").map_err(|failure| failure.code)
        };
        assert_eq!(find("07070702"), Ok(id([2, 1])));
        assert_eq!(find("0707070101"), Ok(id([1, 1])));
        assert_eq!(find(&id([1, 2]).to_string()), Ok(id([1, 2])));
        assert_eq!(find("07070701"), Err(exit::USAGE));
        assert_eq!(find("07070703"), Err(exit::NOT_FOUND));
        for bad in ["", "0707070", "0707070G", "0707070A", &"0".repeat(65)] {
            assert!(bad.parse::<OpPrefix>().is_err(), "{bad}");
        }
    }
}
