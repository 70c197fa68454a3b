//! Keys of confidential tags, and sealed values.

use ecac_core::CodecError;
use ecac_core::limits::RECIPIENTS_MAX;

use super::payload::{KEY_GRANT, READER_KEY, SET_ADD_SEALED, SET_FIELD_SEALED, sealed, share};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::Table;
use crate::raw::{array, bytes, cbor, text, uint};
use crate::sample;

pub(super) fn add(table: &mut Table) {
    reader_keys(table);
    shares(table);
    sealed_values(table);
}

fn reader_keys(table: &mut Table) {
    let kem = || CodecError::Malformed("kem");
    for (how, number) in [
        ("KEM 0", uint(0)),
        ("KEM 3", uint(3)),
        ("KEM as text", text("x25519")),
    ] {
        table.payload((READER_KEY, 1), how, number, kem(), Grammar);
    }
    let malformed = || CodecError::Malformed("reader key");
    for (how, key, by) in [
        ("reader key of 31 bytes", bytes(&[5; 31]), Grammar),
        ("reader key of 33 bytes", bytes(&[5; 33]), Rule),
        ("reader key of the other KEM", bytes(&[5; 1216]), Rule),
        ("reader key as text", text(&"x".repeat(32)), Grammar),
    ] {
        table.payload((READER_KEY, 2), how, key, malformed(), by);
    }
}

fn shares(table: &mut Table) {
    let [one, other] = [[1; 32], [2; 32]];
    let with = |enc: Vec<u8>, ciphertext: Vec<u8>| array(&[bytes(&one), enc, ciphertext]);
    let (enc, ciphertext) = (|| bytes(&[6; 32]), || bytes(&[7; 48]));
    let many: Vec<Vec<u8>> = sample::recipients(RECIPIENTS_MAX + 1)
        .iter()
        .map(|recipient| share(recipient))
        .collect();
    let too_many = || CodecError::Limit {
        what: "shares",
        limit: RECIPIENTS_MAX,
    };
    let malformed = CodecError::Malformed;
    for (how, shares, error, by) in [
        (
            "no shares",
            array(&[]),
            CodecError::Range("shares"),
            Grammar,
        ),
        ("513 shares", array(&many), too_many(), Grammar),
        (
            "2^64 - 1 shares",
            cbor(|out| out.array(u64::MAX)),
            too_many(),
            Cbor,
        ),
        (
            "unsorted shares",
            array(&[share(&other), share(&one)]),
            CodecError::Order("shares"),
            Rule,
        ),
        (
            "a recipient twice",
            array(&[share(&one), share(&one)]),
            CodecError::Order("shares"),
            Rule,
        ),
        (
            "share of two",
            array(&[array(&[bytes(&one), enc()])]),
            malformed("share"),
            Grammar,
        ),
        (
            "share of four",
            array(&[array(&[bytes(&one), enc(), ciphertext(), uint(0)])]),
            malformed("share"),
            Grammar,
        ),
        (
            "shares without an array",
            share(&one),
            malformed("share"),
            Grammar,
        ),
        (
            "short recipient",
            array(&[share(&[1; 31])]),
            malformed("recipient"),
            Grammar,
        ),
        (
            "enc of 33 bytes",
            array(&[with(bytes(&[6; 33]), ciphertext())]),
            malformed("enc"),
            Rule,
        ),
        (
            "enc as text",
            array(&[with(text(&"x".repeat(32)), ciphertext())]),
            malformed("enc"),
            Grammar,
        ),
        (
            "share of 47 bytes",
            array(&[with(enc(), bytes(&[7; 47]))]),
            malformed("share"),
            Grammar,
        ),
        (
            "share of 49 bytes",
            array(&[with(enc(), bytes(&[7; 49]))]),
            malformed("share"),
            Grammar,
        ),
    ] {
        table.payload((KEY_GRANT, 2), how, shares, error, by);
    }
}

fn sealed_values(table: &mut Table) {
    let (key, nonce, ciphertext) = (|| bytes(&[9; 32]), || bytes(&[8; 24]), || bytes(&[7; 17]));
    let shape = || CodecError::Malformed("sealed value");
    for (how, value, error) in [
        ("sealed value of two", array(&[key(), nonce()]), shape()),
        (
            "sealed value of four",
            array(&[key(), nonce(), ciphertext(), uint(0)]),
            shape(),
        ),
        ("plain value", uint(1), shape()),
        ("sealed value in another", array(&[sealed()]), shape()),
        (
            "sealed key of 31 bytes",
            array(&[bytes(&[9; 31]), nonce(), ciphertext()]),
            CodecError::Malformed("key"),
        ),
        (
            "nonce of 12 bytes",
            array(&[key(), bytes(&[8; 12]), ciphertext()]),
            CodecError::Malformed("nonce"),
        ),
        (
            "ciphertext of 16 bytes",
            array(&[key(), nonce(), bytes(&[7; 16])]),
            CodecError::Malformed("ciphertext"),
        ),
        (
            "ciphertext as text",
            array(&[key(), nonce(), text(&"x".repeat(17))]),
            CodecError::Malformed("ciphertext"),
        ),
    ] {
        table.payload(
            (SET_FIELD_SEALED, 3),
            how,
            value.clone(),
            error.clone(),
            Grammar,
        );
        table.payload((SET_ADD_SEALED, 4), how, value, error, Grammar);
    }
}
