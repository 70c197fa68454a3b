//! Payloads of types that are not assigned, wrong in one way each.

use ecac_core::CodecError;
use ecac_core::limits::{PAYLOAD_BYTES_MAX, UNASSIGNED_LEVELS_MAX};
use minicbor::data::Tag;

use super::payload::{UNASSIGNED_PLACE, unassigned_entries};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::Table;
use crate::raw::{self, bytes, cbor, text, uint};

pub(super) fn add(table: &mut Table) {
    let good = unassigned_entries();
    let mut add = |what: &str, payload: Vec<u8>, error, by| {
        let body = raw::body(&good).with(5, payload).encode();
        table.add(&format!("type 22: {what}"), body, error, by);
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
    let with_key = |key: Vec<u8>| [vec![0xa2, 0x00, 0x16], key, vec![0x00]].concat();
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
