//! Maps: their keys, their lengths, what follows them.

use ecac_core::CodecError;

use super::payload::{GENESIS, REVOKE, SET_FIELD, body_of, payloads};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::Table;
use crate::raw::{self, Fields, array, uint};

pub(super) fn add(table: &mut Table) {
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
