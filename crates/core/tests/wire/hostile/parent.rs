//! Parents.

use ecac_core::CodecError;
use ecac_core::limits::PARENTS_MAX;

use super::payload::{GENESIS, payloads};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::Table;
use crate::raw::{self, array, byte_strings, bytes, cbor, texts};
use crate::sample;

pub(super) fn add(table: &mut Table) {
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
