//! Windows of time of issuer keys.

use ecac_core::CodecError;
use ecac_core::limits::INTEGER_MAX;

use super::payload::ISSUER_KEY;
use super::table::ForbiddenBy::{Grammar, Rule};
use super::table::Table;
use crate::raw::uint;

pub(super) fn add(table: &mut Table) {
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
