//! `SHA256SUMS`.
//!
//! - What is read prints as the bytes that were read, so there is one way to write given sums.
//! - Exactly what a second, plainer reading calls valid is accepted.
//! - The sums find each file that is missing, changed or one too many, and nothing else.

use std::collections::BTreeMap;

use ecac_artifact::{Digest, Sums, SumsFault, check_name};

use crate::reading::Reading;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    let parsed = Sums::parse(data);
    assert_eq!(parsed.is_ok(), is_valid(data), "{parsed:?}");
    match parsed {
        Ok(sums) => {
            assert_eq!(sums.to_string().as_bytes(), data);
            check_verify(&sums);
            Reading::Accepted
        }
        Err(error) => {
            let lines = data.split_inclusive(|byte| *byte == b'\n').count();
            assert!((1..=lines.max(1)).contains(&error.line));
            let _ = error.to_string();
            Reading::Refused
        }
    }
}

/// Lines `<64 lower-case hexadecimal digits>  <plain name>`, each name greater than the one before.
fn is_valid(data: &[u8]) -> bool {
    let Some(text) = str::from_utf8(data)
        .ok()
        .and_then(|text| text.strip_suffix('\n'))
    else {
        return false;
    };
    let mut last = "";
    text.split('\n').all(|line| {
        let Some((digest, name)) = line.split_once("  ") else {
            return false;
        };
        let is_sorted = last < name;
        last = name;
        is_sorted
            && digest.len() == 64
            && digest
                .chars()
                .all(|digit| "0123456789abcdef".contains(digit))
            && check_name(name).is_ok()
    })
}

fn check_verify(sums: &Sums) {
    let listed = sums.entries();
    assert_eq!(sums.verify(listed), []);
    let (first, digest) = listed.first_key_value().expect("sums are not empty");
    let other = Digest::of(digest.to_string().as_bytes());

    let mut actual = listed.clone();
    actual.remove(first);
    let missing = |name: &String, expected: Digest| SumsFault::Missing {
        name: name.clone(),
        expected,
    };
    assert_eq!(sums.verify(&actual), [missing(first, *digest)]);
    actual.insert(first.clone(), other);
    let differs = SumsFault::Differs {
        name: first.clone(),
        expected: *digest,
        actual: other,
    };
    assert_eq!(sums.verify(&actual), [differs]);
    actual.insert(first.clone(), *digest);
    actual.insert("../\n".to_owned(), other);
    let extra = SumsFault::Extra {
        name: "../\n".to_owned(),
        actual: other,
    };
    assert_eq!(sums.verify(&actual), [extra]);
    let all: Vec<_> = listed.iter().map(|(name, it)| missing(name, *it)).collect();
    assert_eq!(sums.verify(&BTreeMap::new()), all);
}
