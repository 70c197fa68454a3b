//! Names, tags and texts in each place of each payload.

use ecac_core::limits::NAME_BYTES_MAX;
use ecac_core::{CodecError, NameError};

use super::payload::{
    GENESIS, ISSUER_KEY, REVOKE, SCHEMA, SET_FIELD, UPGRADE, feature, genesis_rule,
};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::{ForbiddenBy, Table};
use crate::raw::{array, bytes, text, texts};

pub(super) fn add(table: &mut Table) {
    let places: &[(usize, u8, &'static str)] = &[
        (GENESIS, 1, "project name"),
        (SET_FIELD, 1, "object"),
        (SET_FIELD, 2, "field"),
        (2, 1, "object"),
        (2, 2, "field"),
        (2, 3, "element"),
        (3, 1, "object"),
        (3, 2, "field"),
        (3, 3, "element"),
        (ISSUER_KEY, 1, "issuer"),
        (ISSUER_KEY, 2, "kid"),
        (8, 1, "issuer"),
        (8, 2, "kid"),
        (8, 3, "reason"),
        (UPGRADE, 1, "feature"),
    ];
    let too_long = "x".repeat(NAME_BYTES_MAX + 1);
    // 129 characters, 258 bytes: the limit counts bytes.
    let too_wide = "\u{e9}".repeat(NAME_BYTES_MAX / 2 + 1);
    let wrong: &[(&str, &str, NameError, ForbiddenBy)] = &[
        ("empty", "", NameError::Empty, Grammar),
        ("257 bytes", &too_long, NameError::TooLong, Grammar),
        (
            "258 bytes in 129 characters",
            &too_wide,
            NameError::TooLong,
            Grammar,
        ),
        ("decomposed", "e\u{301}", NameError::NotNfc, Rule),
        ("of a singleton", "\u{212b}", NameError::NotNfc, Rule),
        (
            "of marks in another order",
            "a\u{301}\u{323}",
            NameError::NotNfc,
            Rule,
        ),
        (
            "of a composition exclusion",
            "\u{958}",
            NameError::NotNfc,
            Rule,
        ),
        ("of two lines", "a\nb", NameError::Control, Rule),
        ("of a C1 control", "\u{9b}31m", NameError::Control, Rule),
        ("that turns text", "a\u{202e}b", NameError::Control, Rule),
    ];
    let rule = |object: &str, field: &str, tag: &str| array(&[genesis_rule(object, field, &[tag])]);
    for (how, name, error, by) in wrong {
        let error = |what| CodecError::Name {
            what,
            error: *error,
        };
        for (kind, key, place) in places {
            let what = format!("{place} {how}");
            table.payload((*kind, *key), &what, text(name), error(*place), *by);
        }
        let mut schema = |place, rule| {
            table.payload(
                (GENESIS, 4),
                &format!("{place} {how}"),
                rule,
                error(place),
                *by,
            );
        };
        schema("object pattern", rule(name, "f", "t"));
        schema("field pattern", rule("o", name, "t"));
        schema("tag", rule("o", "f", name));
        table.payload(
            (SCHEMA, 1),
            &format!("tag {how}"),
            rule("o", "f", name),
            error("tag"),
            *by,
        );
        table.payload(
            (GENESIS, 5),
            &format!("feature {how}"),
            array(&[feature(name, &[])]),
            error("feature"),
            *by,
        );
        table.payload(
            (REVOKE, 3),
            &format!("tag {how}"),
            texts(&[name]),
            error("tag"),
            *by,
        );
    }
    // The ends of each range of control characters, and of those that reorder text.
    for c in [
        '\0', '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}', '\u{61c}', '\u{200e}', '\u{200f}',
        '\u{202a}', '\u{2066}', '\u{2069}',
    ] {
        let (what, error) = ("object", NameError::Control);
        let error = CodecError::Name { what, error };
        let what = format!("object with {c:?}");
        table.payload((SET_FIELD, 1), &what, text(&format!("a{c}b")), error, Rule);
    }
    for (kind, key, place) in places {
        let malformed = || CodecError::Malformed(place);
        let what = format!("{place} as bytes");
        table.payload((*kind, *key), &what, bytes(b"abc"), malformed(), Grammar);
        let what = format!("{place} of no UTF-8");
        table.payload(
            (*kind, *key),
            &what,
            vec![0x62, 0xc3, 0x28],
            malformed(),
            Cbor,
        );
        let what = format!("{place} of a surrogate");
        table.payload(
            (*kind, *key),
            &what,
            vec![0x63, 0xed, 0xa0, 0x80],
            malformed(),
            Cbor,
        );
    }
}
