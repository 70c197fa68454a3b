//! Bodies that are wrong in one way each, with the verdict.

use ecac_core::credential::Role;
use ecac_core::limits::{
    FEATURE_PARAMETERS_BYTES_MAX, FEATURES_MAX, INTEGER_MAX, NAME_BYTES_MAX, PARENTS_MAX,
    PAYLOAD_BYTES_MAX, ROOTS_MAX, SCHEMA_RULES_MAX, TAGS_MAX, UNASSIGNED_LEVELS_MAX,
};
use ecac_core::{CodecError, NameError};
use minicbor::data::Tag;

use crate::raw::{self, Fields, array, byte_strings, bytes, cbor, text, texts, uint};
use crate::sample;

/// What in `docs/protocol.cddl` forbids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForbiddenBy {
    /// The grammar.
    Grammar,
    /// A comment that begins with "Rule:", because CDDL cannot say it.
    Rule,
    /// Basic CBOR: it is no well-formed and valid item at all.
    Cbor,
}

/// A body that no decoder may accept.
pub(crate) struct Hostile {
    pub(crate) what: String,
    pub(crate) body: Vec<u8>,
    pub(crate) error: CodecError,
    pub(crate) by: ForbiddenBy,
}

use ForbiddenBy::{Cbor, Grammar, Rule};

fn genesis_rule(object: &str, field: &str, tags: &[&str]) -> Vec<u8> {
    array(&[text(object), text(field), texts(tags)])
}

fn feature(name: &str, parameters: &[u8]) -> Vec<u8> {
    array(&[text(name), bytes(parameters)])
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("{at:03}")).collect()
}

/// One good payload of each type that is assigned, in the order of the types.
pub(crate) fn payloads() -> Vec<Fields> {
    let (key, id) = (bytes(&[2; 32]), bytes(&[9; 32]));
    let name = |what: &str| text(what);
    let fields = |entries: &[Vec<u8>]| Fields((0..).zip(entries.iter().cloned()).collect());
    let value = uint(1);
    vec![
        fields(&[
            uint(0),
            name("project"),
            bytes(&[5; 16]),
            byte_strings(&[[1; 32], [2; 32]]),
            array(&[genesis_rule("doc/*", "title", &["finance", "hr"])]),
            array(&[feature("schema", &[])]),
        ]),
        fields(&[uint(1), name("doc/1"), name("title"), value.clone()]),
        fields(&[uint(2), name("doc/1"), name("labels"), name("red"), value]),
        fields(&[uint(3), name("doc/1"), name("labels"), name("red")]),
        fields(&[uint(4), name("e30.e30.AA")]),
        fields(&[uint(5), key.clone(), id]),
        fields(&[
            uint(6),
            key.clone(),
            name("editor"),
            texts(&["finance", "hr"]),
        ]),
        fields(&[uint(7), name("issuer"), name("kid"), key, uint(1), uint(2)]),
        fields(&[uint(8), name("issuer"), name("kid"), name("lost")]),
        fields(&[uint(9), name("e30.e30.AA")]),
        fields(&[uint(10), name("schema"), bytes(&[7])]),
        fields(&[
            uint(11),
            array(&[genesis_rule("doc/*", "title", &["finance", "hr"])]),
        ]),
    ]
}

/// The entries of a good payload of a type that is not assigned.
fn unassigned_entries() -> Fields {
    Fields(vec![(0, uint(12)), (1, uint(1)), (2, array(&[text("x")]))])
}

const GENESIS: usize = 0;
const SET_FIELD: usize = 1;
const CREDENTIAL: usize = 4;
const GRANT: usize = 5;
const REVOKE: usize = 6;
const ISSUER_KEY: usize = 7;
const STATUS_LIST: usize = 9;
const UPGRADE: usize = 10;
const SCHEMA: usize = 11;

/// Where a payload of a type that is not assigned is malformed.
pub(crate) const UNASSIGNED_PLACE: &str = "payload of a type that is not assigned";

/// The fields of a good body around a payload of this type.
pub(crate) fn body_of(kind: usize, payload: &Fields) -> Fields {
    let body = raw::body(payload);
    if kind == GENESIS {
        body.with(3, array(&[]))
    } else {
        body
    }
}

/// Collects the bodies.
struct Table(Vec<Hostile>);

impl Table {
    fn add(&mut self, what: &str, body: Vec<u8>, error: CodecError, by: ForbiddenBy) {
        self.0.push(Hostile {
            what: what.to_owned(),
            body,
            error,
            by,
        });
    }

    /// A field of the body of a `SetField`.
    fn field(&mut self, what: &str, key: u8, value: Vec<u8>, error: CodecError, by: ForbiddenBy) {
        let good = raw::body(&payloads()[SET_FIELD]);
        self.add(what, good.with(key, value).encode(), error, by);
    }

    /// A field of a payload.
    fn payload(
        &mut self,
        (kind, key): (usize, u8),
        what: &str,
        value: Vec<u8>,
        error: CodecError,
        by: ForbiddenBy,
    ) {
        let payload = payloads()[kind].with(key, value);
        self.add(
            &format!("type {kind}: {what}"),
            body_of(kind, &payload).encode(),
            error,
            by,
        );
    }
}

/// Every hostile body.
pub(crate) fn bodies() -> Vec<Hostile> {
    let mut table = Table(Vec::new());
    heads_of_ops(&mut table);
    maps(&mut table);
    parents(&mut table);
    names(&mut table);
    sets(&mut table);
    features(&mut table);
    unassigned(&mut table);
    values(&mut table);
    jwts(&mut table);
    byte_strings_of_fixed_size(&mut table);
    windows(&mut table);
    table.0
}

fn heads_of_ops(table: &mut Table) {
    let malformed = CodecError::Malformed;
    let hlc = |parts: &[Vec<u8>]| array(parts);
    let too_big = INTEGER_MAX + 1;
    table.field("version 0", 0, uint(0), CodecError::Version(0), Grammar);
    table.field("version 2", 0, uint(2), CodecError::Version(2), Grammar);
    table.field("version 257", 0, uint(257), malformed("version"), Grammar);
    table.field(
        "version as text",
        0,
        text("1"),
        malformed("version"),
        Grammar,
    );
    table.field(
        "seq 2^53",
        2,
        uint(too_big),
        CodecError::Range("seq"),
        Grammar,
    );
    table.field(
        "seq 2^64 - 1",
        2,
        uint(u64::MAX),
        CodecError::Range("seq"),
        Grammar,
    );
    table.field(
        "negative seq",
        2,
        cbor(|out| out.i64(-1)),
        malformed("seq"),
        Grammar,
    );
    table.field(
        "seq 1.0",
        2,
        vec![0xf9, 0x3c, 0x00],
        malformed("seq"),
        Grammar,
    );
    table.field(
        "seq as bignum",
        2,
        vec![0xc2, 0x41, 0x07],
        malformed("seq"),
        Grammar,
    );
    table.field(
        "null seq",
        2,
        cbor(|out| out.null()),
        malformed("seq"),
        Grammar,
    );
    let time = hlc(&[uint(too_big), uint(0), uint(0)]);
    table.field(
        "stamp of 2^53 ms",
        4,
        time,
        CodecError::Range("hlc"),
        Grammar,
    );
    let wide = 1 << 32;
    for parts in [
        vec![uint(1), uint(wide), uint(0)],
        vec![uint(1), uint(0), uint(wide)],
        vec![uint(1), uint(0)],
        vec![uint(1), uint(0), uint(0), uint(0)],
        vec![uint(1), uint(0), cbor(|out| out.i64(-1))],
    ] {
        table.field(
            "stamp of another shape",
            4,
            hlc(&parts),
            malformed("hlc"),
            Grammar,
        );
    }
    // A payload of one type with the members of another.
    for kind in [9, 10, 11] {
        let what = format!("payload type {kind}");
        let payload = payloads()[SET_FIELD].with(0, uint(kind));
        let body = raw::body(&payload).encode();
        table.add(&what, body, malformed("payload"), Grammar);
    }
    let payload = payloads()[SET_FIELD].with(0, uint(65_536));
    let body = raw::body(&payload).encode();
    table.add(
        "payload type 65536",
        body,
        malformed("payload type"),
        Grammar,
    );
    table.field(
        "payload as array",
        5,
        array(&[uint(1)]),
        malformed("payload"),
        Grammar,
    );
    table.field(
        "empty payload",
        5,
        cbor(|out| out.map(0)),
        malformed("payload"),
        Grammar,
    );
}

fn maps(table: &mut Table) {
    let order = || CodecError::Order("map keys");
    for (kind, payload) in payloads().iter().enumerate() {
        let body = body_of(kind, payload);
        let last = payload.0.len() - 1;
        let of_body = |payload: &Fields| body.with(5, payload.encode()).encode();
        for at in 0..last {
            // The optional keys of a revoke are read by another rule.
            let error = match (kind, at) {
                (REVOKE, 2) => CodecError::Order("payload keys"),
                _ => order(),
            };
            let what = format!("type {kind}: payload keys {at} and {} exchanged", at + 1);
            table.add(&what, of_body(&payload.swapped(at)), error, Rule);
        }
        let (key, value) = payload.0[last].clone();
        let extra = match kind {
            REVOKE => CodecError::Order("payload keys"),
            _ => CodecError::Malformed("payload"),
        };
        let what = format!("type {kind}: extra payload key");
        table.add(
            &what,
            of_body(&payload.and(key + 1, uint(0))),
            extra.clone(),
            Grammar,
        );
        let what = format!("type {kind}: last payload key twice");
        table.add(&what, of_body(&payload.and(key, value)), extra, Cbor);
        let missing = match kind {
            REVOKE => payload.without(3).without(2),
            GENESIS => payload.without(5),
            _ => payload.clone(),
        };
        let last = missing.0.len() - 1;
        let error = match kind {
            REVOKE => CodecError::Malformed("map key"),
            _ => CodecError::Malformed("payload"),
        };
        let what = format!("type {kind}: last payload key missing");
        table.add(
            &what,
            of_body(&missing.without(missing.0[last].0)),
            error,
            Grammar,
        );
    }
    let body = raw::body(&payloads()[SET_FIELD]);
    for at in 0..5 {
        let what = format!("body keys {at} and {} exchanged", at + 1);
        table.add(&what, body.swapped(at).encode(), order(), Rule);
    }
    for key in 0..6 {
        let shape = CodecError::Malformed("body");
        table.add(
            &format!("body key {key} missing"),
            body.without(key).encode(),
            shape,
            Grammar,
        );
    }
    let extra = CodecError::Malformed("body");
    table.add(
        "extra body key",
        body.and(6, uint(0)).encode(),
        extra.clone(),
        Grammar,
    );
    table.add(
        "body key 4 twice",
        body.and(4, body.0[4].1.clone()).encode(),
        extra,
        Cbor,
    );
    let mut twice = body.clone();
    twice.0[2] = twice.0[1].clone();
    table.add(
        "body key 1 in the place of 2",
        twice.encode(),
        order(),
        Cbor,
    );
    let negative = [vec![0xa6, 0x20], body.encode().split_off(2)].concat();
    table.add(
        "negative body key",
        negative,
        CodecError::Malformed("map key"),
        Grammar,
    );
    table.add("no body", Vec::new(), CodecError::Malformed("body"), Cbor);
    table.add(
        "body as array",
        array(&[]),
        CodecError::Malformed("body"),
        Grammar,
    );
    let trailing = body.encode();
    let offset = trailing.len();
    let error = CodecError::NotCanonical { offset };
    table.add(
        "a byte after the body",
        [trailing, vec![0]].concat(),
        error,
        Cbor,
    );
}

fn parents(table: &mut Table) {
    let order = || CodecError::Order("parents");
    let limit = || CodecError::Limit {
        what: "parents",
        limit: PARENTS_MAX,
    };
    let [a, b] = [[0xaa; 32], [0xbb; 32]];
    table.field("unsorted parents", 3, byte_strings(&[b, a]), order(), Rule);
    table.field("duplicate parents", 3, byte_strings(&[a, a]), order(), Rule);
    let many = sample::ids(PARENTS_MAX + 1);
    table.field("17 parents", 3, byte_strings(&many), limit(), Grammar);
    table.field(
        "2^64 - 1 parents",
        3,
        cbor(|out| out.array(u64::MAX)),
        limit(),
        Cbor,
    );
    let malformed = || CodecError::Malformed("parent");
    table.field(
        "short parent",
        3,
        byte_strings(&[[1; 31]]),
        malformed(),
        Grammar,
    );
    table.field(
        "long parent",
        3,
        byte_strings(&[[1; 33]]),
        malformed(),
        Grammar,
    );
    table.field(
        "parent as text",
        3,
        texts(&["x".repeat(32)]),
        malformed(),
        Grammar,
    );
    table.field(
        "one parent alone",
        3,
        bytes(&a),
        CodecError::Malformed("parents"),
        Grammar,
    );
    let parentless = || CodecError::Parentless;
    table.field("no parents", 3, array(&[]), parentless(), Grammar);
    let genesis = raw::body(&payloads()[GENESIS]);
    table.add(
        "genesis with a parent",
        genesis.encode(),
        parentless(),
        Grammar,
    );
}

fn names(table: &mut Table) {
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

fn sets(table: &mut Table) {
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
        table.payload((REVOKE, 3), how, tags, error, by);
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

fn features(table: &mut Table) {
    let order = || CodecError::Order("features");
    let malformed = || CodecError::Malformed("feature");
    let too_many = || CodecError::Limit {
        what: "features",
        limit: FEATURES_MAX,
    };
    let numbered: Vec<_> = numbered(FEATURES_MAX + 1)
        .iter()
        .map(|name| feature(name, &[]))
        .collect();
    for (how, features, error, by) in [
        (
            "no features",
            array(&[]),
            CodecError::Range("features"),
            Grammar,
        ),
        ("65 features", array(&numbered), too_many(), Grammar),
        (
            "2^64 - 1 features",
            cbor(|out| out.array(u64::MAX)),
            too_many(),
            Cbor,
        ),
        (
            "unsorted features",
            array(&[feature("b", &[]), feature("a", &[])]),
            order(),
            Rule,
        ),
        (
            "features by length",
            array(&[feature("b", &[]), feature("aa", &[])]),
            order(),
            Rule,
        ),
        (
            "a feature twice",
            array(&[feature("a", &[]), feature("a", &[1])]),
            order(),
            Rule,
        ),
        (
            "feature of one",
            array(&[array(&[text("a")])]),
            malformed(),
            Grammar,
        ),
        (
            "feature of three",
            array(&[array(&[text("a"), bytes(&[]), uint(0)])]),
            malformed(),
            Grammar,
        ),
        (
            "feature without an array",
            array(&[text("a")]),
            malformed(),
            Grammar,
        ),
        (
            "features as a map",
            cbor(|out| out.map(1)?.str("a")?.bytes(&[])),
            CodecError::Malformed("features"),
            Grammar,
        ),
    ] {
        table.payload((GENESIS, 5), how, features, error, by);
    }
    for (how, parameters, error) in [
        (
            "1,025 bytes of parameters",
            bytes(&[0; FEATURE_PARAMETERS_BYTES_MAX + 1]),
            CodecError::Limit {
                what: "feature parameters",
                limit: FEATURE_PARAMETERS_BYTES_MAX,
            },
        ),
        (
            "parameters as text",
            text("x"),
            CodecError::Malformed("feature parameters"),
        ),
        (
            "parameters that are null",
            cbor(|out| out.null()),
            CodecError::Malformed("feature parameters"),
        ),
    ] {
        let of_genesis = array(&[array(&[text("a"), parameters.clone()])]);
        table.payload((GENESIS, 5), how, of_genesis, error.clone(), Grammar);
        table.payload((UPGRADE, 2), how, parameters, error, Grammar);
    }
}

fn unassigned(table: &mut Table) {
    let good = unassigned_entries();
    let mut add = |what: &str, payload: Vec<u8>, error, by| {
        let body = raw::body(&good).with(5, payload).encode();
        table.add(&format!("type 12: {what}"), body, error, by);
    };
    let keys = || CodecError::Order("payload keys");
    add(
        "payload keys 1 and 2 exchanged",
        good.swapped(1).encode(),
        keys(),
        Rule,
    );
    add(
        "payload key 2 twice",
        good.and(2, uint(0)).encode(),
        keys(),
        Cbor,
    );
    add(
        "the type behind",
        good.swapped(0).encode(),
        CodecError::Order("map keys"),
        Rule,
    );
    add(
        "no type",
        good.without(0).encode(),
        CodecError::Order("map keys"),
        Grammar,
    );
    let with_key = |key: Vec<u8>| [vec![0xa2, 0x00, 0x0c], key, vec![0x00]].concat();
    let key = || CodecError::Malformed("payload key");
    add("negative key", with_key(vec![0x20]), key(), Grammar);
    add("key as text", with_key(text("1")), key(), Grammar);
    for (how, type_) in [
        ("type as text", text("x")),
        ("negative type", vec![0x20]),
        ("null type", vec![0xf6]),
    ] {
        let payload = good.with(0, type_).encode();
        add(how, payload, CodecError::Malformed("payload type"), Grammar);
    }
    let malformed = || CodecError::Malformed(UNASSIGNED_PLACE);
    for (how, item, error, by) in [
        ("half float", vec![0xf9, 0x3c, 0x00], malformed(), Grammar),
        (
            "single float",
            cbor(|out| out.f32(1.5)),
            malformed(),
            Grammar,
        ),
        (
            "double float",
            cbor(|out| out.f64(1.1)),
            malformed(),
            Grammar,
        ),
        (
            "undefined",
            cbor(|out| out.undefined()),
            malformed(),
            Grammar,
        ),
        ("simple value 0", vec![0xe0], malformed(), Grammar),
        ("simple value 32", vec![0xf8, 0x20], malformed(), Grammar),
        (
            "tag",
            cbor(|out| out.tag(Tag::new(1))?.u8(1)),
            malformed(),
            Grammar,
        ),
        ("bignum", vec![0xc2, 0x41, 0x01], malformed(), Grammar),
        ("text of no UTF-8", vec![0x61, 0xff], malformed(), Cbor),
        ("break", vec![0xff], malformed(), Cbor),
        ("reserved head", vec![0x1c], malformed(), Cbor),
        ("wide true", vec![0xf8, 0x15], malformed(), Cbor),
        (
            "array of 2^64 - 1 items",
            cbor(|out| out.array(u64::MAX)),
            malformed(),
            Cbor,
        ),
        (
            "string of 2^64 - 1 bytes",
            [vec![0x5b], vec![0xff; 8]].concat(),
            malformed(),
            Cbor,
        ),
        (
            "map with keys in another order",
            vec![0xa2, 0x02, 0x00, 0x01, 0x00],
            CodecError::Order("map keys"),
            Rule,
        ),
        (
            "map with keys by value of their CBOR types",
            vec![0xa2, 0x61, 0x61, 0x00, 0x20, 0x00],
            CodecError::Order("map keys"),
            Rule,
        ),
        (
            "map with a key twice",
            vec![0xa2, 0x01, 0x00, 0x01, 0x00],
            CodecError::Order("map keys"),
            Cbor,
        ),
        (
            "17 levels of arrays",
            [vec![0x81; UNASSIGNED_LEVELS_MAX], vec![0x00]].concat(),
            levels(),
            Rule,
        ),
        (
            "60,000 levels of arrays",
            [vec![0x81; 60_000], vec![0x00]].concat(),
            levels(),
            Cbor,
        ),
        (
            "17 levels in keys of maps",
            [
                [0xa1].repeat(UNASSIGNED_LEVELS_MAX),
                vec![0x00; UNASSIGNED_LEVELS_MAX + 1],
            ]
            .concat(),
            levels(),
            Rule,
        ),
    ] {
        let payload = good.with(2, item).encode();
        add(how, payload, error, by);
    }
    let around = good.with(2, Vec::new()).encode().len() + 3;
    let item = bytes(&vec![0; PAYLOAD_BYTES_MAX - around + 1]);
    let error = CodecError::Limit {
        what: "payload",
        limit: PAYLOAD_BYTES_MAX,
    };
    add(
        "payload of 65,537 bytes",
        good.with(2, item).encode(),
        error,
        Rule,
    );
}

fn levels() -> CodecError {
    CodecError::Limit {
        what: "levels of a payload",
        limit: UNASSIGNED_LEVELS_MAX,
    }
}

fn values(table: &mut Table) {
    let malformed = || CodecError::Malformed("value");
    let range = || CodecError::Range("integer");
    let nested = array(&[uint(1)]);
    let tagged = cbor(|out| out.tag(Tag::new(1))?.u8(1));
    let out_of_i64 = [vec![0x3b], vec![0xff; 8]].concat();
    for (how, value, error, by) in [
        ("2^53", uint(INTEGER_MAX + 1), range(), Grammar),
        ("-2^53", cbor(|out| out.i64(-(1 << 53))), range(), Grammar),
        ("2^63", uint(1 << 63), malformed(), Grammar),
        ("-2^64", out_of_i64, malformed(), Grammar),
        ("bignum 1", vec![0xc2, 0x41, 0x01], malformed(), Grammar),
        ("bignum -2", vec![0xc3, 0x41, 0x01], malformed(), Grammar),
        ("half float", vec![0xf9, 0x3c, 0x00], malformed(), Grammar),
        ("half NaN", vec![0xf9, 0x7e, 0x00], malformed(), Grammar),
        (
            "single float",
            cbor(|out| out.f32(1.5)),
            malformed(),
            Grammar,
        ),
        (
            "double float",
            cbor(|out| out.f64(1.1)),
            malformed(),
            Grammar,
        ),
        (
            "undefined",
            cbor(|out| out.undefined()),
            malformed(),
            Grammar,
        ),
        ("simple value 0", vec![0xe0], malformed(), Grammar),
        ("simple value 32", vec![0xf8, 0x20], malformed(), Grammar),
        ("wide true", vec![0xf8, 0x15], malformed(), Cbor),
        ("array", nested, malformed(), Grammar),
        ("map", cbor(|out| out.map(0)), malformed(), Grammar),
        ("tagged integer", tagged, malformed(), Grammar),
        (
            "decomposed text",
            text("e\u{301}"),
            CodecError::NotNfc,
            Rule,
        ),
        ("text of no UTF-8", vec![0x61, 0xff], malformed(), Cbor),
        ("break", vec![0xff], malformed(), Cbor),
        ("reserved head", vec![0x1c], malformed(), Cbor),
        (
            "string beyond the end",
            vec![0x5b, 0, 0, 1, 0, 0, 0, 0, 0],
            malformed(),
            Cbor,
        ),
        (
            "string of 2^64 - 1 bytes",
            [vec![0x5b], vec![0xff; 8]].concat(),
            malformed(),
            Cbor,
        ),
    ] {
        table.payload((SET_FIELD, 3), how, value.clone(), error.clone(), by);
        table.payload((2, 4), how, value, error, by);
    }
    let around = payloads()[SET_FIELD].with(3, Vec::new()).encode().len() + 3;
    let value = bytes(&vec![0; PAYLOAD_BYTES_MAX - around + 1]);
    let error = CodecError::Limit {
        what: "payload",
        limit: PAYLOAD_BYTES_MAX,
    };
    table.payload(
        (SET_FIELD, 3),
        "payload of 65,537 bytes",
        value,
        error,
        Rule,
    );
}

fn jwts(table: &mut Table) {
    for kind in [CREDENTIAL, STATUS_LIST] {
        for wrong in ["", " ", "a b", "a\n", "\u{7f}", "\u{e9}", "a\0"] {
            let what = format!("JWT {wrong:?}");
            table.payload(
                (kind, 1),
                &what,
                text(wrong),
                CodecError::JwtNotAscii,
                Grammar,
            );
        }
        let malformed = CodecError::Malformed("JWT");
        table.payload(
            (kind, 1),
            "JWT as bytes",
            bytes(b"e30.e30.AA"),
            malformed,
            Grammar,
        );
        let long = text(&"x".repeat(sample::JWT_BYTES_MAX + 1));
        let error = CodecError::Limit {
            what: "payload",
            limit: PAYLOAD_BYTES_MAX,
        };
        table.payload((kind, 1), "JWT of 65,530 bytes", long, error, Rule);
    }
}

fn byte_strings_of_fixed_size(table: &mut Table) {
    for (kind, key, place, size) in [
        (GENESIS, 2, "nonce", 16),
        (GRANT, 1, "subject", 32),
        (GRANT, 2, "credential", 32),
        (REVOKE, 1, "subject", 32),
        (ISSUER_KEY, 3, "public key", 32),
    ] {
        for wrong in [
            bytes(&vec![1; size - 1]),
            bytes(&vec![1; size + 1]),
            text(&"x".repeat(size)),
        ] {
            let error = CodecError::Malformed(place);
            table.payload(
                (kind, key),
                &format!("{place} of another size"),
                wrong,
                error,
                Grammar,
            );
        }
    }
    for wrong in [
        bytes(&[1; 31]),
        bytes(&[1; 33]),
        text(&"x".repeat(32)),
        bytes(&[]),
    ] {
        let error = CodecError::Malformed("author");
        table.field("author of another size", 1, wrong, error, Grammar);
    }
}

fn windows(table: &mut Table) {
    let too_big = INTEGER_MAX + 1;
    let (until, window) = (
        CodecError::Range("valid_until"),
        CodecError::Range("key window"),
    );
    table.payload(
        (ISSUER_KEY, 5),
        "valid_until 2^53",
        uint(too_big),
        until,
        Grammar,
    );
    table.payload(
        (ISSUER_KEY, 4),
        "valid_from 2^53",
        uint(too_big),
        window.clone(),
        Grammar,
    );
    table.payload(
        (ISSUER_KEY, 4),
        "empty window",
        uint(2),
        window.clone(),
        Rule,
    );
    table.payload((ISSUER_KEY, 4), "inverted window", uint(3), window, Rule);
}
