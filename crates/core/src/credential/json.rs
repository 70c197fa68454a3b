//! Strict JSON: what each reader reads in the same way (RFC 7493 section 2.3).

use core::cell::RefCell;
use core::fmt;
use std::collections::BTreeMap;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::error::{CredentialError, Part};
use super::time::Timestamp;
use crate::name;

/// Characters of a member's name that an error keeps.
const REPORTED_NAME_CHARS: usize = 64;

/// The name as far as an error keeps it.
pub(super) fn cut(name: &str) -> String {
    name.chars().take(REPORTED_NAME_CHARS).collect()
}

/// A JSON value, as far as the rules of credentials look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    /// `null`, a truth value, or a number that is not written as an integer of 64 bits.
    Other,
    /// A number that is written as an integer.
    Integer(i128),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Self>),
    /// An object.
    Object(Object),
}

/// A JSON object, each of whose names occurs once.
///
/// The readers take a path such as `credentialSubject.role`: its last step is looked up, the whole of it names
/// the member in errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object(BTreeMap<String, Json>);

impl Json {
    /// The object in it; `member` names it in the error.
    pub(super) fn object(&self, member: &'static str) -> Result<&Object, CredentialError> {
        match self {
            Self::Object(object) => Ok(object),
            _ => Err(malformed(member, "an object")),
        }
    }

    /// The string in it; `member` names it in the error.
    pub(super) fn text(&self, member: &'static str) -> Result<&str, CredentialError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(malformed(member, "a string")),
        }
    }

    /// The name in it (see [`Object::name`]); `member` names it in the error.
    pub(super) fn name(&self, member: &'static str) -> Result<&str, CredentialError> {
        let text = self.text(member)?;
        if name::fault(text).is_some() {
            return Err(malformed(
                member,
                "1 to 256 bytes of text in NFC without control characters",
            ));
        }
        Ok(text)
    }

    /// The URL in it: a name with a scheme (RFC 3986) and without white space; `member` names it in the error.
    pub(super) fn url(&self, member: &'static str) -> Result<&str, CredentialError> {
        let text = self.name(member)?;
        if !is_url(text) {
            return Err(malformed(member, "a URL"));
        }
        Ok(text)
    }
}

/// The error of a member with a wrong type or value.
pub(super) const fn malformed(member: &'static str, expected: &'static str) -> CredentialError {
    CredentialError::Malformed { member, expected }
}

impl Object {
    /// The one object that `bytes` hold.
    pub(super) fn parse(bytes: &[u8], part: Part) -> Result<Self, CredentialError> {
        let duplicate = RefCell::new(None);
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let seed = Strict {
            duplicate: &duplicate,
        };
        let value = seed
            .deserialize(&mut deserializer)
            .and_then(|value| deserializer.end().map(|()| value));
        match value {
            Ok(Json::Object(object)) => Ok(object),
            Ok(_) => Err(malformed(part.name(), "a JSON object")),
            Err(error) => Err(match duplicate.take() {
                Some(name) => CredentialError::DuplicateMember { part, name },
                None => CredentialError::NotJson {
                    part,
                    line: error.line(),
                    column: error.column(),
                },
            }),
        }
    }

    /// The value of a member, if it is there.
    pub(super) fn get(&self, member: &'static str) -> Option<&Json> {
        let name = member.rsplit('.').next().unwrap_or(member);
        self.0.get(name)
    }

    /// The value of a member that must be there.
    pub(super) fn required(&self, member: &'static str) -> Result<&Json, CredentialError> {
        self.get(member).ok_or(CredentialError::Missing { member })
    }

    /// The string of a member that must be there.
    pub(super) fn text(&self, member: &'static str) -> Result<&str, CredentialError> {
        self.required(member)?.text(member)
    }

    /// The name of a member that must be there: what [`name::Name`] allows.
    pub(super) fn name(&self, member: &'static str) -> Result<&str, CredentialError> {
        self.required(member)?.name(member)
    }

    /// The URL of a member that must be there (see [`Json::url`]).
    pub(super) fn url(&self, member: &'static str) -> Result<&str, CredentialError> {
        self.required(member)?.url(member)
    }

    /// The date-time of a member that must be there.
    pub(super) fn timestamp(&self, member: &'static str) -> Result<Timestamp, CredentialError> {
        let text = self.text(member)?;
        text.parse()
            .map_err(|_| malformed(member, "a date-time like 2026-01-31T08:00:00Z"))
    }

    /// The instant of a claim in whole seconds (RFC 7519 `NumericDate`), if the claim is there.
    pub(super) fn numeric_date(
        &self,
        member: &'static str,
    ) -> Result<Option<Timestamp>, CredentialError> {
        let expected = "whole seconds since 1970 in the years 1 to 9999";
        match self.get(member) {
            None => Ok(None),
            Some(Json::Integer(seconds)) => Timestamp::from_seconds(*seconds)
                .map(Some)
                .ok_or(malformed(member, expected)),
            Some(_) => Err(malformed(member, expected)),
        }
    }

    /// The names of the members, in ascending order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Errs if a member is there.
    pub(super) fn absent(&self, member: &'static str) -> Result<(), CredentialError> {
        match self.get(member) {
            None => Ok(()),
            Some(_) => Err(CredentialError::Forbidden { member }),
        }
    }
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Reads any JSON value and stops at the first name that an object repeats.
#[derive(Clone, Copy)]
struct Strict<'a> {
    duplicate: &'a RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(self)? {
            elements.push(element);
        }
        Ok(Json::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                self.duplicate.replace(Some(cut(&name)));
                return Err(A::Error::custom("duplicate member"));
            }
            let value = access.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(Json::Object(Object(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &[u8], expect: Result<(), CredentialError>) {
        let parsed = Object::parse(json, Part::Payload).map(|_| ());
        assert_eq!(parsed, expect, "{}", String::from_utf8_lossy(json));
    }

    fn not_json(column: usize) -> Result<(), CredentialError> {
        Err(CredentialError::NotJson {
            part: Part::Payload,
            line: 1,
            column,
        })
    }

    fn duplicate(name: &str) -> Result<(), CredentialError> {
        Err(CredentialError::DuplicateMember {
            part: Part::Payload,
            name: name.to_owned(),
        })
    }

    #[test]
    fn only_one_unambiguous_object_is_read() {
        check(br#" {"a":{"b":[1,2.5,-3,true,null,"c"]},"b":{}} "#, Ok(()));
        check(br#"{"a":1,"a":1}"#, duplicate("a"));
        check(br#"{"a":1,"\u0061":2}"#, duplicate("a"));
        check(br#"{"x":[{"y":{"a":1,"b":2,"a":3}}]}"#, duplicate("a"));
        let long = "n".repeat(100);
        check(
            format!(r#"{{"{long}":1,"{long}":2}}"#).as_bytes(),
            duplicate(&long[..64]),
        );
        check(b"[]", Err(malformed("payload", "a JSON object")));
        check(b"\"text\"", Err(malformed("payload", "a JSON object")));
        check(b"", not_json(0));
        check(b"{} {}", not_json(4));
        check(b"{\"a\":1,}", not_json(8));
        check(b"{'a':1}", not_json(2));
        check(b"\xEF\xBB\xBF{}", not_json(1));
        check(br#"{"a":NaN}"#, not_json(6));
        check(br#"{"a":01}"#, not_json(7));
        check(br#"{"a":1e999}"#, not_json(10));
        check(
            b"{\"a\":\"\n\"}",
            Err(CredentialError::NotJson {
                part: Part::Payload,
                line: 2,
                column: 0,
            }),
        );
    }

    #[test]
    fn text_that_is_not_unicode_is_refused() {
        for json in [
            &br#"{"a":"\ud800"}"#[..],
            br#"{"a":"\ud800x"}"#,
            br#"{"a":"\udc00"}"#,
            br#"{"\ud800":1}"#,
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\xed\xa0\x80\"}",
            b"{\"\xc0\x80\":1}",
        ] {
            let parsed = Object::parse(json, Part::Header);
            assert!(
                matches!(parsed, Err(CredentialError::NotJson { .. })),
                "{parsed:?}"
            );
        }
        check(br#"{"a":"\ud83d\ude00"}"#, Ok(()));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| {
            format!(
                "{{\"a\":{}{}}}",
                "[".repeat(levels - 1),
                "]".repeat(levels - 1)
            )
        };
        check(nested(127).as_bytes(), Ok(()));
        for levels in [128, 129, 30_000] {
            let parsed = Object::parse(nested(levels).as_bytes(), Part::Payload);
            assert!(
                matches!(parsed, Err(CredentialError::NotJson { .. })),
                "{levels}"
            );
        }
    }

    #[test]
    fn urls_have_a_scheme_and_no_white_space() {
        for text in [
            "https://example.org/status/1",
            "urn:uuid:6f1c0c0e-0000-4000-8000-000000000000",
            "did:web:example.org",
            "a:b",
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "", "status", ":x", "https:", "1a:b", "a b:c", "a:b c", "a:\u{7}", "../x",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
