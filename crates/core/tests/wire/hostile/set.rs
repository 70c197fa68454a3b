//! Sets: their order, their limits, what stands in them twice.

use ecac_core::CodecError;
use ecac_core::credential::Role;
use ecac_core::limits::{ROOTS_MAX, SCHEMA_RULES_MAX, TAGS_MAX};

use super::payload::{GENESIS, KEY_ROTATE, REVOKE, SCHEMA, genesis_rule, numbered, payloads};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::Table;
use crate::raw::{self, Fields, array, byte_strings, bytes, cbor, text, texts, uint};
use crate::sample;

pub(super) fn add(table: &mut Table) {
    let order = CodecError::Order;
    let empty = CodecError::Range;
    let limit = |what, limit| CodecError::Limit { what, limit };
    for (how, tags, error, by) in [
        ("no tags", texts::<&str>(&[]), empty("tags"), Grammar),
        (
            "65 tags",
            texts(&numbered(TAGS_MAX + 1)),
            limit("tags", TAGS_MAX),
            Grammar,
        ),
        (
            "2^64 - 1 tags",
            cbor(|out| out.array(u64::MAX)),
            limit("tags", TAGS_MAX),
            Cbor,
        ),
        (
            "unsorted tags",
            texts(&["hr", "finance"]),
            order("tags"),
            Rule,
        ),
        ("tags by length", texts(&["b", "aa"]), order("tags"), Rule),
        ("a tag twice", texts(&["hr", "hr"]), order("tags"), Rule),
        (
            "one tag alone",
            text("hr"),
            CodecError::Malformed("tags"),
            Grammar,
        ),
        (
            "tags as bytes",
            byte_strings(&[b"hr"]),
            CodecError::Malformed("tag"),
            Grammar,
        ),
    ] {
        let schema = array(&[array(&[text("o"), text("f"), tags.clone()])]);
        table.payload((GENESIS, 4), how, schema.clone(), error.clone(), by);
        table.payload((SCHEMA, 1), how, schema, error.clone(), by);
        table.payload((REVOKE, 3), how, tags.clone(), error.clone(), by);
        table.payload((KEY_ROTATE, 1), how, tags, error, by);
    }

    let [a, b] = [[1; 32], [2; 32]];
    let many = sample::ids(ROOTS_MAX + 1);
    for (how, roots, error, by) in [
        ("no roots", array(&[]), empty("roots"), Grammar),
        (
            "65 roots",
            byte_strings(&many),
            limit("roots", ROOTS_MAX),
            Grammar,
        ),
        (
            "unsorted roots",
            byte_strings(&[b, a]),
            order("roots"),
            Rule,
        ),
        ("a root twice", byte_strings(&[a, a]), order("roots"), Rule),
        (
            "short root",
            byte_strings(&[[1; 31]]),
            CodecError::Malformed("root"),
            Grammar,
        ),
    ] {
        table.payload((GENESIS, 3), how, roots, error, by);
    }

    let rule = genesis_rule;
    let many: Vec<_> = numbered(SCHEMA_RULES_MAX + 1)
        .iter()
        .map(|o| rule(o, "f", &["t"]))
        .collect();
    let unsorted = || order("schema rules");
    let shape = || CodecError::Malformed("schema rule");
    for (how, rules, error, by) in [
        (
            "257 rules",
            many,
            limit("schema", SCHEMA_RULES_MAX),
            Grammar,
        ),
        (
            "a rule twice",
            vec![rule("o", "f", &["t"]), rule("o", "f", &["t"])],
            unsorted(),
            Rule,
        ),
        (
            "objects unsorted",
            vec![rule("p", "f", &["t"]), rule("o", "f", &["t"])],
            unsorted(),
            Rule,
        ),
        (
            "fields unsorted",
            vec![rule("o", "g", &["t"]), rule("o", "f", &["t"])],
            unsorted(),
            Rule,
        ),
        (
            "tags unsorted",
            vec![rule("o", "f", &["u"]), rule("o", "f", &["t"])],
            unsorted(),
            Rule,
        ),
        (
            "prefix last",
            vec![rule("o", "f", &["t", "u"]), rule("o", "f", &["t"])],
            unsorted(),
            Rule,
        ),
        (
            "rule of two",
            vec![array(&[text("o"), text("f")])],
            shape(),
            Grammar,
        ),
        (
            "rule of four",
            vec![array(&[text("o"), text("f"), texts(&["t"]), uint(0)])],
            shape(),
            Grammar,
        ),
    ] {
        table.payload((GENESIS, 4), how, array(&rules), error.clone(), by);
        table.payload((SCHEMA, 1), how, array(&rules), error, by);
    }
    let none = || CodecError::Range("schema rules");
    table.payload((SCHEMA, 1), "no rules", array(&[]), none(), Grammar);
    let alone = || CodecError::Malformed("schema");
    table.payload((SCHEMA, 1), "one rule alone", bytes(b"x"), alone(), Grammar);

    for role in ["", "Root", "owner", "editor "] {
        let error = CodecError::Malformed("role");
        table.payload(
            (REVOKE, 2),
            &format!("role {role:?}"),
            text(role),
            error,
            Grammar,
        );
    }
    let role = text(Role::Editor.name());
    let error = CodecError::Order("payload keys");
    let revoke = payloads()[REVOKE].without(3);
    let body = |payload: &Fields| raw::body(payload).encode();
    table.add(
        "role twice",
        body(&revoke.and(2, role)),
        error.clone(),
        Cbor,
    );
    let scope = texts(&["hr"]);
    let revoke = payloads()[REVOKE].without(2);
    table.add("scope twice", body(&revoke.and(3, scope)), error, Cbor);
}
