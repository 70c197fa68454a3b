//! Byte strings of a fixed size.

use ecac_core::CodecError;

use super::payload::{GENESIS, GRANT, ISSUER_KEY, REVOKE};
use super::table::ForbiddenBy::Grammar;
use super::table::Table;
use crate::raw::{bytes, text};

pub(super) fn add(table: &mut Table) {
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
