//! Frames around a good body that are not the one frame of an envelope.

use ecac_core::ENVELOPE_PREFIX;
use minicbor::data::Tag;

use crate::hostile;
use crate::raw::{self, Frame, PROTECTED, cbor};
use crate::sample;

/// What is wrong with each, and its bytes.
pub(crate) fn frames() -> Vec<(String, Vec<u8>)> {
    let body = hostile::body_of(1, &hostile::payloads()[1]).encode();
    let good = Frame::signed(&body, &PROTECTED, &sample::author());
    let mut frames = Vec::new();
    let mut add = |what: &str, bad: Vec<u8>| frames.push((what.to_owned(), bad));
    let framed = |change: &dyn Fn(&mut Frame)| {
        let mut frame = good.clone();
        change(&mut frame);
        frame.encode()
    };
    add("no tag", framed(&|frame| frame.tag = None));
    add("tag of COSE_Mac0", framed(&|frame| frame.tag = Some(17)));
    add("tag of COSE_Sign", framed(&|frame| frame.tag = Some(98)));
    let described = cbor(|out| out.tag(Tag::new(55_799)));
    add("self-described CBOR", [described, good.encode()].concat());

    for (what, protected) in [
        ("alg ES256", vec![0xa1, 0x01, 0x26]),
        ("alg Ed25519 of RFC 9864", vec![0xa1, 0x01, 0x32]),
        (
            "alg as text",
            vec![0xa1, 0x01, 0x65, b'E', b'd', b'D', b'S', b'A'],
        ),
        ("wide alg", vec![0xa1, 0x01, 0x38, 0x07]),
        ("wide key", vec![0xa1, 0x18, 0x01, 0x27]),
        ("indefinite header", vec![0xbf, 0x01, 0x27, 0xff]),
        ("empty header", vec![0xa0]),
        ("header of no bytes", Vec::new()),
        (
            "kid in the header",
            vec![0xa2, 0x01, 0x27, 0x04, 0x41, 0x00],
        ),
        ("alg twice", vec![0xa2, 0x01, 0x27, 0x01, 0x27]),
        ("a byte after the header", vec![0xa1, 0x01, 0x27, 0x00]),
    ] {
        add(
            what,
            Frame::signed(&body, &protected, &sample::author()).encode(),
        );
    }
    for (what, unprotected) in [
        ("kid", cbor(|out| out.map(1)?.u8(4)?.bytes(b"kid"))),
        ("alg outside", cbor(|out| out.map(1)?.u8(1)?.i8(-8))),
        ("unprotected array", cbor(|out| out.array(0))),
        ("unprotected null", cbor(|out| out.null())),
        ("unprotected bytes", cbor(|out| out.bytes(&[0xa0]))),
    ] {
        add(
            what,
            framed(&|frame| frame.unprotected.clone_from(&unprotected)),
        );
    }
    for length in [0, 63, 65, 128] {
        let what = format!("signature of {length} bytes");
        add(&what, framed(&|frame| frame.signature.resize(length, 0)));
    }

    let detached = [&ENVELOPE_PREFIX[..], &[0xf6], &raw::bytes(&good.signature)].concat();
    add("detached body", detached);
    let bare = [&ENVELOPE_PREFIX[..], &body, &raw::bytes(&good.signature)].concat();
    add("body that is not wrapped", bare);
    let mut five = [good.encode(), vec![0x00]].concat();
    five[1] = 0x85;
    add("array of five", five);
    add("nothing", Vec::new());
    add("prefix alone", ENVELOPE_PREFIX.to_vec());
    frames
}
