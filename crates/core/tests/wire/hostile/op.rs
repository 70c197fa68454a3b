//! The fields of an op that are not its payload.

use ecac_core::CodecError;
use ecac_core::limits::INTEGER_MAX;

use super::payload::{SET_FIELD, payloads};
use super::table::ForbiddenBy::Grammar;
use super::table::Table;
use crate::raw::{self, array, cbor, text, uint};

pub(super) fn add(table: &mut Table) {
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
