//! JSON from anybody: bounded, and with one meaning for every reader.
//!
//! Of duplicate members some readers take the first and some the last (RFC 8259 section 4), so two programs can verify
//! one signature and see two documents. Duplicates are refused at every depth, in members that nobody reads as well.

use std::collections::BTreeSet;
use std::fmt;

use ecac_artifact::escape;
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

/// The largest document that is read, in bytes; a bundle has another in it, so twice as many.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// How much of what the reader of JSON says is told: it repeats names from the document, which can be long.
const TOLD_CHARS_MAX: usize = 300;

/// Why bytes are not the JSON document that they should be.
#[derive(Debug, Error)]
pub enum JsonError {
    /// More bytes than any such document has.
    #[error("it has {size} bytes, and more than {size_max} are not read")]
    TooLarge {
        /// How many there are.
        size: usize,
        /// How many are read.
        size_max: usize,
    },
    /// No JSON, a duplicate or unknown member, or a value of the wrong kind. What the reader says of it, with whatever
    /// it repeats of the document escaped.
    #[error("{0}")]
    Malformed(String),
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let told = error.to_string();
        let shown: String = told.chars().take(TOLD_CHARS_MAX).collect();
        let rest = if shown.len() < told.len() { "…" } else { "" };
        Self::Malformed(escape(&shown) + rest)
    }
}

/// Reads a document of at most `size_max` bytes.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8], size_max: usize) -> Result<T, JsonError> {
    if bytes.len() > size_max {
        return Err(JsonError::TooLarge {
            size: bytes.len(),
            size_max,
        });
    }
    serde_json::from_slice::<Unambiguous>(bytes)?;
    Ok(serde_json::from_slice(bytes)?)
}

/// A document on a line of its own.
pub(crate) fn write_line(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).expect("strings and numbers have an encoding");
    bytes.push(b'\n');
    bytes
}

/// Any JSON value in which no object has a member twice. serde_json bounds the depth.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unambiguous, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if names.contains(&name) {
                let name = name.escape_debug();
                return Err(A::Error::custom(format_args!("duplicate member `{name}`")));
            }
            names.insert(name);
            map.next_value::<Unambiguous>()?;
        }
        Ok(Unambiguous)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Unambiguous, A::Error> {
        while seq.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_unit<E>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;

    #[test]
    fn duplicates_are_refused_at_every_depth() {
        for (text, name) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"[{"b":[{"c":null,"d":true,"c":1.5}]}]"#, "c"),
            (r#"{"a":1,"\u0061":-1}"#, "a"),
        ] {
            let error = read::<IgnoredAny>(text.as_bytes(), 100).unwrap_err();
            let says = format!("duplicate member `{name}`");
            assert!(error.to_string().starts_with(&says), "{error}");
        }
        let good = br#"[{"a":{"a":"a"}},{"a":[1,-1,0.5,null,false]}]"#;
        assert!(read::<IgnoredAny>(good, 100).is_ok());
    }

    #[test]
    fn what_a_document_says_is_told_escaped_and_short() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}

        let told = |text: &str| {
            let error = read::<Nothing>(text.as_bytes(), 10_000).unwrap_err();
            error.to_string()
        };
        let forged = told(r#"{"a\nverdict verified\u001b[2K":1}"#);
        assert!(
            forged.starts_with("unknown field `a\\nverdict verified\\u{1b}[2K`"),
            "{forged}"
        );
        let long = told(&format!(r#"{{"{}":1}}"#, "a".repeat(5_000)));
        assert!(long.len() < 400 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn size_and_depth_are_bounded() {
        assert!(read::<IgnoredAny>(b"[0]", 3).is_ok());
        assert!(matches!(
            read::<IgnoredAny>(b"[0] ", 3),
            Err(JsonError::TooLarge {
                size: 4,
                size_max: 3
            })
        ));
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(read::<IgnoredAny>(deep.as_bytes(), 1000).is_err());
        assert!(read::<IgnoredAny>(b"0 0", 1000).is_err());
    }
}
