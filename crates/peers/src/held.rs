//! What a replica holds at the end, to be compared.

use std::collections::BTreeMap;

use ecac_artifact::Digest;
use ecac_core::{OpId, Replica};
use xtask::reproduce::nodes::Row;

/// Differences that are told of a node.
const TOLD_MAX: usize = 3;

/// What a replica came to.
#[derive(Debug)]
pub(crate) struct Held {
    name: &'static str,
    /// Of each op its verdict and the reason, in words.
    decisions: BTreeMap<OpId, String>,
    state_sha256: String,
}

impl Held {
    pub(crate) fn of(name: &'static str, replica: &Replica) -> Self {
        let decisions = replica.decisions();
        let words = decisions.into_iter().map(|(op, decision)| {
            let verdict = decision.verdict();
            let words = match decision.reason() {
                Some(reason) => format!("{verdict} ({reason})"),
                None => verdict.to_owned(),
            };
            (op, words)
        });
        Self {
            name,
            decisions: words.collect(),
            state_sha256: hex::encode(replica.state_digest()),
        }
    }

    fn count(&self, verdict: &str) -> u64 {
        let decided = self.decisions.values();
        decided.filter(|it| it.starts_with(verdict)).count() as u64
    }

    /// SHA-256 of a line for each op, in the order of their ids: op, verdict, reason.
    fn decisions_sha256(&self) -> String {
        let lines = self.decisions.iter().map(|(op, it)| format!("{op} {it}\n"));
        Digest::of(lines.collect::<String>().as_bytes()).to_string()
    }

    /// In numbers and digests.
    pub(crate) fn row(&self) -> Row {
        Row {
            name: self.name.to_owned(),
            ops: self.decisions.len() as u64,
            applied: self.count("applied"),
            denied: self.count("denied"),
            decisions_sha256: self.decisions_sha256(),
            state_sha256: self.state_sha256.clone(),
        }
    }

    /// How this differs from what was expected, in sentences; the first few.
    pub(crate) fn differences(&self, expected: &Self) -> Vec<String> {
        let name = self.name;
        let absent = |of: &Self, op: &OpId| {
            of.decisions
                .get(op)
                .map_or("absent", String::as_str)
                .to_owned()
        };
        let mut ids: Vec<&OpId> = self
            .decisions
            .keys()
            .chain(expected.decisions.keys())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|op| self.decisions.get(op) != expected.decisions.get(op));
        let more = ids.len().saturating_sub(TOLD_MAX);
        let told = ids.iter().take(TOLD_MAX).map(|op| {
            let (here, there) = (absent(self, op), absent(expected, op));
            format!("{name}: op {op} is {here}, and {there} in the simulation")
        });
        let mut told: Vec<String> = told.collect();
        if more > 0 {
            told.push(format!("{name}: {more} more ops are decided otherwise"));
        }
        if self.state_sha256 != expected.state_sha256 {
            let (here, there) = (&self.state_sha256, &expected.state_sha256);
            told.push(format!(
                "{name}: the state is {here}, and {there} in the simulation"
            ));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(decisions: &[(u8, &str)], state: &str) -> Held {
        let decisions = decisions.iter().map(|(op, it)| {
            let op: OpId = hex::encode([*op; 32]).parse().expect("an id");
            (op, (*it).to_owned())
        });
        Held {
            name: "north",
            decisions: decisions.collect(),
            state_sha256: state.to_owned(),
        }
    }

    #[test]
    fn what_differs_is_named_and_what_does_not_is_not() {
        let same = [(1, "applied"), (2, "denied (revoked)")];
        assert!(held(&same, "a").differences(&held(&same, "a")).is_empty());
        let told = held(&[(1, "applied"), (3, "applied")], "b").differences(&held(&same, "a"));
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].ends_with("is absent, and denied (revoked) in the simulation"));
        assert!(told[1].ends_with("is applied, and absent in the simulation"));
        assert_eq!(told[2], "north: the state is b, and a in the simulation");
        let many: Vec<(u8, &str)> = (0..9).map(|it| (it, "applied")).collect();
        let told = held(&many, "a").differences(&held(&[], "a"));
        assert_eq!(told.len(), TOLD_MAX + 1);
        assert_eq!(told[TOLD_MAX], "north: 6 more ops are decided otherwise");
    }

    #[test]
    fn a_row_counts_and_its_digest_is_of_all_decisions() {
        let row = held(&[(1, "applied"), (2, "denied (revoked)")], "a").row();
        assert_eq!((row.ops, row.applied, row.denied), (2, 1, 1));
        let other = held(&[(1, "applied"), (2, "denied (scope)")], "a").row();
        assert_ne!(row.decisions_sha256, other.decisions_sha256);
    }
}
