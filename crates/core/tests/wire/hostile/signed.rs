//! Seals, cosigns, endorsements and devices: fields of the wrong size, and ids out of order.

use ecac_core::CodecError;
use ecac_core::limits::ENDORSED_MAX;

use super::payload::{COSIGN, DEVICE, DEVICE_REVOKE, ENDORSE, SEAL};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::Table;
use crate::raw::{array, byte_strings, bytes, cbor, text};
use crate::sample;

pub(super) fn add(table: &mut Table) {
    for (kind, field, what, size) in [
        (SEAL, 1, "digest", 32),
        (COSIGN, 1, "op", 32),
        (DEVICE, 1, "person", 32),
        (DEVICE, 2, "device", 32),
        (DEVICE, 3, "proof", 64),
        (DEVICE_REVOKE, 1, "person", 32),
        (DEVICE_REVOKE, 2, "device", 32),
    ] {
        for wrong in [size - 1, size + 1] {
            let how = format!("{what} of {wrong} bytes");
            let error = CodecError::Malformed(what);
            table.payload((kind, field), &how, bytes(&vec![1; wrong]), error, Grammar);
        }
        let how = format!("{what} as text");
        let error = CodecError::Malformed(what);
        table.payload((kind, field), &how, text("x"), error, Grammar);
    }
    let order = || CodecError::Order("endorsed ops");
    let limit = || CodecError::Limit {
        what: "endorsed ops",
        limit: ENDORSED_MAX,
    };
    let malformed = CodecError::Malformed;
    let [a, b] = [[0xaa; 32], [0xbb; 32]];
    let many = sample::ids(ENDORSED_MAX + 1);
    for (how, ops, error, by) in [
        (
            "no endorsed ops",
            array(&[]),
            CodecError::Range("endorsed ops"),
            Grammar,
        ),
        ("65 endorsed ops", byte_strings(&many), limit(), Grammar),
        (
            "2^64 - 1 endorsed ops",
            cbor(|out| out.array(u64::MAX)),
            limit(),
            Cbor,
        ),
        (
            "unsorted endorsed ops",
            byte_strings(&[b, a]),
            order(),
            Rule,
        ),
        ("an endorsed op twice", byte_strings(&[a, a]), order(), Rule),
        (
            "short endorsed op",
            byte_strings(&[[1; 31]]),
            malformed("endorsed op"),
            Grammar,
        ),
        (
            "endorsed ops without an array",
            bytes(&a),
            malformed("endorsed ops"),
            Grammar,
        ),
    ] {
        table.payload((ENDORSE, 1), how, ops, error, by);
    }
}
