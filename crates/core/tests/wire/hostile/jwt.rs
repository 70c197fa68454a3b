//! Payloads that are JWTs.

use ecac_core::CodecError;
use ecac_core::limits::PAYLOAD_BYTES_MAX;

use super::payload::{CREDENTIAL, STATUS_LIST};
use super::table::ForbiddenBy::{Grammar, Rule};
use super::table::Table;
use crate::raw::{bytes, text};
use crate::sample;

pub(super) fn add(table: &mut Table) {
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
