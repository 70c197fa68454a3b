//! Features of a genesis and their parameters.

use ecac_core::CodecError;
use ecac_core::limits::{FEATURE_PARAMETERS_BYTES_MAX, FEATURES_MAX};

use super::payload::{GENESIS, UPGRADE, feature, numbered};
use super::table::ForbiddenBy::{Cbor, Grammar, Rule};
use super::table::Table;
use crate::raw::{array, bytes, cbor, text, uint};

pub(super) fn add(table: &mut Table) {
    let order = || CodecError::Order("features");
    let malformed = || CodecError::Malformed("feature");
    let too_many = || CodecError::Limit {
        what: "features",
        limit: FEATURES_MAX,
    };
    let numbered: Vec<_> = numbered(FEATURES_MAX + 1)
        .iter()
        .map(|name| feature(name, &[]))
        .collect();
    for (how, features, error, by) in [
        (
            "no features",
            array(&[]),
            CodecError::Range("features"),
            Grammar,
        ),
        ("65 features", array(&numbered), too_many(), Grammar),
        (
            "2^64 - 1 features",
            cbor(|out| out.array(u64::MAX)),
            too_many(),
            Cbor,
        ),
        (
            "unsorted features",
            array(&[feature("b", &[]), feature("a", &[])]),
            order(),
            Rule,
        ),
        (
            "features by length",
            array(&[feature("b", &[]), feature("aa", &[])]),
            order(),
            Rule,
        ),
        (
            "a feature twice",
            array(&[feature("a", &[]), feature("a", &[1])]),
            order(),
            Rule,
        ),
        (
            "feature of one",
            array(&[array(&[text("a")])]),
            malformed(),
            Grammar,
        ),
        (
            "feature of three",
            array(&[array(&[text("a"), bytes(&[]), uint(0)])]),
            malformed(),
            Grammar,
        ),
        (
            "feature without an array",
            array(&[text("a")]),
            malformed(),
            Grammar,
        ),
        (
            "features as a map",
            cbor(|out| out.map(1)?.str("a")?.bytes(&[])),
            CodecError::Malformed("features"),
            Grammar,
        ),
    ] {
        table.payload((GENESIS, 5), how, features, error, by);
    }
    for (how, parameters, error) in [
        (
            "1,025 bytes of parameters",
            bytes(&[0; FEATURE_PARAMETERS_BYTES_MAX + 1]),
            CodecError::Limit {
                what: "feature parameters",
                limit: FEATURE_PARAMETERS_BYTES_MAX,
            },
        ),
        (
            "parameters as text",
            text("x"),
            CodecError::Malformed("feature parameters"),
        ),
        (
            "parameters that are null",
            cbor(|out| out.null()),
            CodecError::Malformed("feature parameters"),
        ),
    ] {
        let of_genesis = array(&[array(&[text("a"), parameters.clone()])]);
        table.payload((GENESIS, 5), how, of_genesis, error.clone(), Grammar);
        table.payload((UPGRADE, 2), how, parameters, error, Grammar);
    }
}
