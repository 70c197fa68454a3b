//! Good payloads, and bodies around them.

use crate::raw::{self, Fields, array, byte_strings, bytes, text, texts, uint};

pub(super) fn genesis_rule(object: &str, field: &str, tags: &[&str]) -> Vec<u8> {
    array(&[text(object), text(field), texts(tags)])
}

pub(super) fn feature(name: &str, parameters: &[u8]) -> Vec<u8> {
    array(&[text(name), bytes(parameters)])
}

pub(super) fn numbered(count: usize) -> Vec<String> {
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
        fields(&[uint(5), key.clone(), id.clone()]),
        fields(&[
            uint(6),
            key.clone(),
            name("editor"),
            texts(&["finance", "hr"]),
        ]),
        fields(&[
            uint(7),
            name("issuer"),
            name("kid"),
            key.clone(),
            uint(1),
            uint(2),
        ]),
        fields(&[uint(8), name("issuer"), name("kid"), name("lost")]),
        fields(&[uint(9), name("e30.e30.AA")]),
        fields(&[uint(10), name("schema"), bytes(&[7])]),
        fields(&[
            uint(11),
            array(&[genesis_rule("doc/*", "title", &["finance", "hr"])]),
        ]),
        fields(&[uint(12), bytes(&[0xd1; 32])]),
        fields(&[uint(13), id]),
        fields(&[uint(14), byte_strings(&[[1; 32], [2; 32]])]),
        fields(&[uint(15), key.clone(), bytes(&[3; 32]), bytes(&[4; 64])]),
        fields(&[uint(16), key, bytes(&[3; 32])]),
        fields(&[uint(17), uint(1), bytes(&[5; 32])]),
        fields(&[uint(18), texts(&["finance", "hr"])]),
        fields(&[
            uint(19),
            bytes(&[9; 32]),
            array(&[share(&[1; 32]), share(&[2; 32])]),
        ]),
        fields(&[uint(20), name("doc/1"), name("title"), sealed()]),
        fields(&[
            uint(21),
            name("doc/1"),
            name("labels"),
            name("red"),
            sealed(),
        ]),
    ]
}

/// A content key that is sealed to a recipient.
pub(super) fn share(recipient: &[u8]) -> Vec<u8> {
    array(&[bytes(recipient), bytes(&[6; 32]), bytes(&[7; 48])])
}

/// A sealed value.
pub(super) fn sealed() -> Vec<u8> {
    array(&[bytes(&[9; 32]), bytes(&[8; 24]), bytes(&[7; 17])])
}

/// The entries of a good payload of a type that is not assigned.
pub(super) fn unassigned_entries() -> Fields {
    Fields(vec![(0, uint(22)), (1, uint(1)), (2, array(&[text("x")]))])
}

pub(super) const GENESIS: usize = 0;
pub(super) const SET_FIELD: usize = 1;
pub(super) const CREDENTIAL: usize = 4;
pub(super) const GRANT: usize = 5;
pub(super) const REVOKE: usize = 6;
pub(super) const ISSUER_KEY: usize = 7;
pub(super) const STATUS_LIST: usize = 9;
pub(super) const UPGRADE: usize = 10;
pub(super) const SCHEMA: usize = 11;
pub(super) const SEAL: usize = 12;
pub(super) const COSIGN: usize = 13;
pub(super) const ENDORSE: usize = 14;
pub(super) const DEVICE: usize = 15;
pub(super) const DEVICE_REVOKE: usize = 16;
pub(super) const READER_KEY: usize = 17;
pub(super) const KEY_ROTATE: usize = 18;
pub(super) const KEY_GRANT: usize = 19;
pub(super) const SET_FIELD_SEALED: usize = 20;
pub(super) const SET_ADD_SEALED: usize = 21;

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
