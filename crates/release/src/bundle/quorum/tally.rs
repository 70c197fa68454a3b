//! Counting keys: a pure function of what each entry says.

use std::collections::{BTreeMap, BTreeSet};

use ecac_artifact::{Digest, Sums};
use serde::Serialize;

/// How many files on which a signer differs are named.
const FILES_MAX: usize = 50;

/// An entry of a version's directory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its name, for a terminal.
    pub(super) signer: String,
    /// What it says, or why it cannot count, for a terminal.
    pub(super) said: Result<Said, String>,
}

/// What a known key has signed for the version and the commit in question.
#[derive(Debug, Clone)]
pub(super) struct Said {
    /// SHA-256 of the key.
    pub(super) key: Digest,
    pub(super) sums: Sums,
}

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// It is for the sums in question.
    Agrees,
    /// It is too, but its key stands under an earlier name.
    Counted,
    /// It is for other sums.
    Differs,
    /// It says nothing that can be believed, and so fails the quorum.
    DoesNotCount,
}

/// One entry and what became of it.
#[derive(Debug, Serialize)]
pub(super) struct Statement {
    pub(super) signer: String,
    /// SHA-256 of the key; nothing where the key is not known.
    pub(super) key: Option<String>,
    pub(super) verdict: Verdict,
    /// Why it does not count, or the files on which it differs.
    pub(super) details: Vec<String>,
}

/// The outcome.
#[derive(Debug, Serialize)]
pub(super) struct Tally {
    /// Distinct keys that signed the sums in question.
    pub(super) agreeing_keys: usize,
    /// Distinct keys that signed others.
    pub(super) differing_keys: usize,
    /// Entries that say nothing that can be believed.
    pub(super) not_counted: usize,
    pub(super) reached: bool,
    /// Why not.
    pub(super) problem: Option<String>,
    pub(super) signers: Vec<Statement>,
}

impl Tally {
    /// Counts for whom, of `entries`, the sums of `name` are those that they got.
    pub(super) fn of(name: &str, sums: &[u8], entries: Vec<Entry>, needed: u32) -> Self {
        let entries = without_contradictions(entries);
        let mut groups: BTreeMap<String, BTreeSet<Digest>> = BTreeMap::new();
        for said in entries.iter().filter_map(|entry| entry.said.as_ref().ok()) {
            groups
                .entry(said.sums.to_string())
                .or_default()
                .insert(said.key);
        }
        let agreed = String::from_utf8_lossy(sums).into_owned();
        let agreeing_keys = groups.remove(&agreed).map_or(0, |keys| keys.len());
        let differing_keys = groups.values().map(BTreeSet::len).sum();
        let rival = groups.values().map(BTreeSet::len).max().unwrap_or(0);

        let mut seen = BTreeMap::new();
        let signers: Vec<_> = entries
            .into_iter()
            .map(|entry| entry.judge(&agreed, &mut seen))
            .collect();
        let not_counted = signers
            .iter()
            .filter(|signer| signer.verdict == Verdict::DoesNotCount)
            .count();
        let problem = if not_counted > 0 {
            Some(format!(
                "{not_counted} of {} attestations do not count; mend them, or take them away",
                signers.len()
            ))
        } else if agreeing_keys > 0 && agreeing_keys == rival {
            Some(format!(
                "a tie: keys for {name}: {agreeing_keys}, for other bytes: {rival}"
            ))
        } else if agreeing_keys < rival {
            Some(format!(
                "more keys agree on other bytes ({rival}) than with {name} ({agreeing_keys})"
            ))
        } else if (agreeing_keys as u64) < u64::from(needed) {
            Some(format!(
                "{agreeing_keys} of {needed} keys agree with {name}"
            ))
        } else {
            None
        };
        Self {
            agreeing_keys,
            differing_keys,
            not_counted,
            reached: problem.is_none(),
            problem,
            signers,
        }
    }
}

/// Takes the voice of a key that says two things, under whatever names.
fn without_contradictions(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut said: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
    for each in entries.iter().filter_map(|entry| entry.said.as_ref().ok()) {
        said.entry(each.key)
            .or_default()
            .insert(each.sums.to_string());
    }
    for entry in &mut entries {
        if let Ok(each) = &entry.said
            && said.get(&each.key).is_some_and(|sums| sums.len() > 1)
        {
            entry.said = Err(format!(
                "the key {} signed several sums of one commit",
                each.key
            ));
        }
    }
    entries
}

impl Entry {
    /// What becomes of the entry, after those whose keys have been `seen` under a name.
    fn judge(self, agreed: &str, seen: &mut BTreeMap<Digest, String>) -> Statement {
        let Self { signer, said } = self;
        let said = match said {
            Ok(said) => said,
            Err(problem) => {
                return Statement {
                    signer,
                    key: None,
                    verdict: Verdict::DoesNotCount,
                    details: vec![problem],
                };
            }
        };
        let (verdict, details) = if said.sums.to_string() != agreed {
            (Verdict::Differs, differing(agreed, &said.sums))
        } else if let Some(earlier) = seen.get(&said.key) {
            (Verdict::Counted, vec![format!("with the key of {earlier}")])
        } else {
            seen.insert(said.key, signer.clone());
            (Verdict::Agrees, Vec::new())
        };
        Statement {
            signer,
            key: Some(said.key.to_string()),
            verdict,
            details,
        }
    }
}

/// On which files sums differ from those that are agreed.
fn differing(agreed: &str, own: &Sums) -> Vec<String> {
    let agreed = Sums::parse(agreed.as_bytes());
    let agreed = agreed.map_or_else(|_| BTreeMap::new(), |sums| sums.entries().clone());
    let own = own.entries();
    let names: BTreeSet<_> = agreed.keys().chain(own.keys()).collect();
    let mut lines: Vec<_> = names
        .into_iter()
        .filter(|name| agreed.get(*name) != own.get(*name))
        .map(|name| match (agreed.get(name), own.get(name)) {
            (Some(_), None) => format!("{name}: missing"),
            (None, _) => format!("{name}: not in the others"),
            (Some(_), Some(own)) => format!("{name}: {own}"),
        })
        .collect();
    let more = lines.len().saturating_sub(FILES_MAX);
    if more > 0 {
        lines.truncate(FILES_MAX);
        lines.push(format!("and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of one file, told apart by a letter.
    fn sums(letter: char) -> Sums {
        let digest = letter.to_string().repeat(64);
        Sums::parse(format!("{digest}  audit.jsonl\n").as_bytes()).unwrap()
    }

    /// Entries from texts such as `ada=1a`: name, key, sums; or `ada=?`, which does not count.
    fn entries(text: &str) -> Vec<Entry> {
        text.split_ascii_whitespace()
            .map(|entry| {
                let (signer, said) = entry.split_once('=').unwrap();
                let mut chars = said.chars();
                let said = match (chars.next(), chars.next()) {
                    (Some(key), Some(letter)) => Ok(Said {
                        key: Digest::of(key.to_string().as_bytes()),
                        sums: sums(letter),
                    }),
                    _ => Err("no known key".to_owned()),
                };
                Entry {
                    signer: signer.to_owned(),
                    said,
                }
            })
            .collect()
    }

    /// Counts for the sums `a`.
    fn check(text: &str, needed: u32, expected: Result<(), &str>) -> Tally {
        let golden = sums('a').to_string();
        let tally = Tally::of("the golden set", golden.as_bytes(), entries(text), needed);
        match (&tally.problem, expected) {
            (None, Ok(())) => {}
            (Some(problem), Err(says)) => assert!(problem.contains(says), "{text}: {problem}"),
            (problem, _) => panic!("{text}: {problem:?}"),
        }
        assert_eq!(tally.reached, expected.is_ok(), "{text}");
        tally
    }

    #[test]
    fn keys_are_counted_and_not_names() {
        check("ada=1a", 1, Ok(()));
        check("ada=1a bob=2a cem=3a", 3, Ok(()));
        check("ada=1a bob=2a cem=3a", 4, Err("3 of 4 keys agree"));
        check("ada=1a bob=1a", 2, Err("1 of 2 keys agree"));
        check("", 1, Err("0 of 1 keys agree"));
        let tally = check("ada=1a bob=1a", 1, Ok(()));
        let verdicts: Vec<_> = tally.signers.iter().map(|signer| signer.verdict).collect();
        assert_eq!(verdicts, [Verdict::Agrees, Verdict::Counted]);
        assert_eq!(tally.signers[1].details, ["with the key of ada"]);
    }

    #[test]
    fn dissenters_are_named_and_stop_a_quorum_that_is_not_larger() {
        let tally = check("ada=1a bob=2a eve=3b", 2, Ok(()));
        assert_eq!((tally.agreeing_keys, tally.differing_keys), (2, 1));
        let eve = &tally.signers[2];
        assert_eq!(eve.verdict, Verdict::Differs);
        assert_eq!(eve.details, [format!("audit.jsonl: {}", "b".repeat(64))]);
        check(
            "ada=1a eve=2b",
            1,
            Err("a tie: keys for the golden set: 1, for other bytes: 1"),
        );
        check("ada=1a bob=2a eve=3b fay=4b", 2, Err("a tie"));
        check("ada=1a eve=3b fay=4b", 1, Err("agree on other bytes (2)"));
        // Dissenters who do not agree with each other are no group.
        check("ada=1a bob=2a eve=3b fay=4c", 2, Ok(()));
        // All agree with each other, and nobody with the golden set.
        check("eve=1b fay=2b", 1, Err("agree on other bytes (2)"));
    }

    #[test]
    fn what_does_not_count_fails_and_a_key_has_one_voice() {
        let tally = check(
            "ada=1a bob=2a zoe=?",
            2,
            Err("1 of 3 attestations do not count"),
        );
        assert_eq!(tally.signers[2].details, ["no known key"]);
        let tally = check("ada=1a bob=2a eve=3a fay=3b", 2, Err("2 of 4"));
        assert_eq!((tally.agreeing_keys, tally.differing_keys), (2, 0));
        assert!(tally.signers[3].details[0].contains("signed several sums"));
    }

    #[test]
    fn files_that_differ_are_named_up_to_a_bound() {
        let digest = "c".repeat(64);
        let many: String = (100..200).map(|n| format!("{digest}  f{n}\n")).collect();
        let own = Sums::parse(many.as_bytes()).unwrap();
        let lines = differing(&sums('a').to_string(), &own);
        assert_eq!(lines.len(), FILES_MAX + 1);
        assert_eq!(lines[0], "audit.jsonl: missing");
        assert_eq!(lines[1], "f100: not in the others");
        assert_eq!(lines[FILES_MAX], "and 51 more");
    }
}
