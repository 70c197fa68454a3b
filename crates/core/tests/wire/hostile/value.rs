//! Values of data.

use ecac_core::CodecError;
use ecac_core::limits::{INTEGER_MAX, PAYLOAD_BYTES_MAX};
use minicbor::data::Tag;

use super::payload::{SET_FIELD, payloads};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::Table;
use crate::raw::{array, bytes, cbor, text, uint};

pub(super) fn add(table: &mut Table) {
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
