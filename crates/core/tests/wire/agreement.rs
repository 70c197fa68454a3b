//! `docs/protocol.cddl` and the codec agree: an independent validator takes what the codec writes and refuses
//! what the codec refuses, except where the specification states a rule in words.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cddl::ast::CDDL;
use cddl::validator::Validator as _;
use cddl::validator::cbor::CBORValidator;
use cddl::validator::cbor_value::decode_cbor;
use coset::{CoseSign1, TaggedCborSerializable as _};
use ecac_core::{OP_DOMAIN, split_op_log};

use crate::hostile::table::ForbiddenBy;
use crate::hostile::{self, Hostile};
use crate::raw::{self, Frame, PROTECTED};
use crate::sample;

const SPECIFICATION: &str = include_str!("../../../../docs/protocol.cddl");

/// What the validator (cddl 0.10.7) cannot judge, and what takes its place: its grammar tries `.cbor` before
/// `.cborseq`, it takes no byte string for equal to a literal, it panics where it compares one with text, its
/// regular expressions are not anchored (those of RFC 8610 section 3.8.3 are), and it knows no choice for a key.
const WORKAROUNDS: [(&str, &str); 5] = [
    ("op-log = bytes .cborseq [+ op]\n", ""),
    (
        "external-aad: 'ECAC_OP_V1',",
        "external-aad: bytes .size 10,",
    ),
    (
        r#"role = "root" / "issuer_admin" / "policy_admin" / "key_admin" / "editor" / "reader""#,
        r#"role = text .regexp "^(root|issuer_admin|policy_admin|key_admin|editor|reader)$""#,
    ),
    (
        r#"jwt = text .regexp "[!-~]+""#,
        r#"jwt = text .regexp "^[!-~]+$""#,
    ),
    ("{ * item => item }", "{ * any => any }"),
];

/// What the validator does not see: its reader takes small bignums for integers and `undefined` for `null`, and it
/// takes a negative key for a `uint`.
const BLIND_TO: [&str; 3] = ["bignum", "undefined", "negative key"];

thread_local! {
    /// What has been read of the specification, by the rule that it starts from: reading it takes longer than most items do.
    static SPECIFICATIONS: RefCell<BTreeMap<String, &'static CDDL<'static>>> = const { RefCell::new(BTreeMap::new()) };
}

/// The specification as one that starts from a rule of it.
fn starting_from(rule: &str) -> &'static CDDL<'static> {
    let read = || {
        let mut rules = format!("start = {rule}\n{SPECIFICATION}");
        for (found, replacement) in WORKAROUNDS {
            assert_eq!(rules.matches(found).count(), 1, "{found}");
            rules = rules.replace(found, replacement);
        }
        let specification =
            cddl::cddl_from_str(rules.leak(), true).expect("the specification can be read");
        &*Box::leak(Box::new(specification))
    };
    SPECIFICATIONS.with_borrow_mut(|known| *known.entry(rule.to_owned()).or_insert_with(read))
}

/// Whether an item is of the shape of a rule of the specification.
pub(crate) fn validate(rule: &str, item: &[u8]) -> Result<(), String> {
    let item = decode_cbor(item).map_err(|error| error.to_string())?;
    let mut validator = CBORValidator::new(starting_from(rule), item, None);
    validator.validate().map_err(|error| error.to_string())
}

#[test]
fn the_first_rule_is_an_op() {
    let rules = SPECIFICATION
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with(';'));
    assert_eq!(rules.take(1).collect::<Vec<_>>(), ["op = #6.18(["]);
}

#[test]
fn what_is_encoded_is_of_the_specified_shape() {
    for (what, body) in sample::bodies() {
        let bytes = body.encode().unwrap();
        assert_eq!(validate("body", &bytes), Ok(()), "{what}");
        assert_eq!(
            validate("op", sample::sign(body).envelope()),
            Ok(()),
            "{what}"
        );
    }
}

#[test]
fn the_grammar_refuses_what_the_codec_refuses() {
    let disagree = |hostile: &Hostile| {
        if BLIND_TO.iter().any(|what| hostile.what.contains(what)) {
            return false;
        }
        let by_grammar = match hostile.by {
            ForbiddenBy::Grammar => true,
            // If the grammar can say it after all, the table is to say so.
            ForbiddenBy::Rule => false,
            ForbiddenBy::Cbor => return false,
        };
        validate("body", &hostile.body).is_err() != by_grammar
    };
    let wrong: Vec<_> = hostile::bodies()
        .into_iter()
        .filter(disagree)
        .map(|it| it.what)
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_grammar_refuses_other_frames() {
    let body = hostile::body_of(1, &hostile::payloads()[1]).encode();
    let good = Frame::signed(&body, &PROTECTED, &sample::author());
    assert_eq!(validate("op", &good.encode()), Ok(()));
    let check = |what: &str, change: &dyn Fn(&mut Frame)| {
        let mut frame = good.clone();
        change(&mut frame);
        assert!(validate("op", &frame.encode()).is_err(), "{what}");
    };
    check("no tag", &|frame| frame.tag = None);
    check("another tag", &|frame| frame.tag = Some(17));
    check("another alg", &|frame| {
        frame.protected = vec![0xa1, 0x01, 0x26]
    });
    check("empty header", &|frame| frame.protected = vec![0xa0]);
    check("kid", &|frame| {
        frame.unprotected = vec![0xa1, 0x04, 0x41, 0x00]
    });
    check("short signature", &|frame| frame.signature.truncate(63));
    check("long signature", &|frame| frame.signature.push(0));
    check("empty body", &|frame| frame.body = vec![0xa0]);
    check("body with another type", &|frame| {
        let payload = hostile::payloads()[1].with(0, raw::uint(10));
        frame.body = raw::body(&payload).encode();
    });
}

#[test]
fn what_is_signed_is_of_the_specified_shape() {
    for (what, body) in sample::bodies() {
        let op = sample::sign(body);
        let envelope = CoseSign1::from_tagged_slice(op.envelope()).unwrap();
        assert_eq!(
            validate("sig-structure", &envelope.tbs_data(OP_DOMAIN)),
            Ok(()),
            "{what}"
        );
        let other = envelope.tbs_data(b"another");
        assert!(validate("sig-structure", &other).is_err(), "{what}");
    }
}

#[test]
fn an_op_log_is_a_sequence_of_ops() {
    let ops: Vec<_> = sample::bodies()
        .into_iter()
        .map(|(_, body)| sample::sign(body))
        .collect();
    let log: Vec<u8> = ops
        .iter()
        .flat_map(|op| op.envelope().iter().copied())
        .collect();
    let items = split_op_log(&log).unwrap();
    assert!(items.iter().copied().eq(ops.iter().map(|op| op.envelope())));
}
