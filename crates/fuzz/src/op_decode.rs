//! One op: an envelope as it is, a body that the target wraps, and either of them signed again.
//!
//! - What decodes encodes to the same bytes, and its id is that of the body's bytes.
//! - The differ, which finds the body by the structure of the CBOR alone, finds the same id.
//! - No other bytes decode to it: not with a byte more, not with a byte less.
//! - What its author signed verifies, is stored byte for byte, and a broken signature leaves no trace.

use ecac_core::{Body, Costs, ENVELOPE_PREFIX, Log, Op, OpId, Payload, Refusal, VerifiedOp};
use ecac_differ::Position;
use ecac_oracle::world::person;

use crate::people;
use crate::reading::Reading;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    let from_envelope = decode(data).map(|op| op.body().clone());
    let from_body = Body::decode(data).ok();
    if let Some(body) = &from_body {
        assert_eq!(body.encode().as_deref(), Ok(data), "a body is canonical");
        assert!(from_envelope.is_none(), "no bytes are both");
        let op = decode(&envelope(data)).expect("a body in the frame is an op");
        assert_eq!(op.body(), body);
    }
    let Some(mut body) = from_envelope.or(from_body) else {
        return Reading::Refused;
    };
    let signer = people::find(&body.author).unwrap_or(0);
    body.author = person(signer).public;
    sign(body, signer);
    Reading::Accepted
}

/// Decodes an envelope and holds the result against what is promised of it.
fn decode(data: &[u8]) -> Option<Op> {
    let mut costs = Costs::default();
    let op = Op::decode(data, &mut costs).ok()?;
    let body = op.body().encode().expect("what decodes can be encoded");
    assert!(data.starts_with(&ENVELOPE_PREFIX));
    assert!(
        data[..data.len() - 66].ends_with(&body),
        "the body's bytes are those that came"
    );
    assert_eq!(op.id(), OpId::of_body(&body));
    assert_eq!(Body::decode(&body).as_ref(), Ok(op.body()));

    let mut longer = data.to_vec();
    longer.push(0);
    assert!(Op::decode(&longer, &mut costs).is_err());
    assert!(Op::decode(&data[..data.len() - 1], &mut costs).is_err());

    let mut broken = data.to_vec();
    broken[data.len() - 1] ^= 1;
    let twin = Op::decode(&broken, &mut costs).expect("any 64 bytes can be a signature");
    assert_eq!(twin.id(), op.id(), "the signature is not in the id");
    let explanation = ecac_differ::explain("a.cborseq", data, &broken);
    assert_eq!(
        explanation.position(),
        &Position::Item {
            item: 1,
            item_offset: data.len() - 1,
            op: Some(op.id().to_string()),
            field: Some("the signature"),
        }
    );
    if let Ok(verified) = VerifiedOp::verify(op.clone(), &mut costs) {
        assert_eq!(verified.envelope(), data);
        assert!(
            VerifiedOp::verify(twin, &mut costs).is_err(),
            "no signature is two signatures"
        );
    }
    Some(op)
}

fn envelope(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("bodies are short");
    let head = match length {
        0..24 => vec![0x40 | length as u8],
        24..0x100 => vec![0x58, length as u8],
        0x100..0x1_0000 => [&[0x59][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[0x5a][..], &length.to_be_bytes()].concat(),
    };
    [&ENVELOPE_PREFIX[..], &head, body, &[0x58, 64], &[0; 64]].concat()
}

/// Signs the body, and sends the op and broken copies of it to a log.
fn sign(body: Body, signer: u8) {
    let mut costs = Costs::default();
    let signed = VerifiedOp::sign(body.clone(), &person(signer).secret)
        .expect("what was decoded keeps the limits");
    let sent = signed.envelope();
    assert_eq!(decode(sent).map(|op| op.id()), Some(signed.id()));
    assert_eq!(signed.body(), &body);

    let genesis = matches!(body.payload, Payload::Genesis(_));
    let project = if genesis {
        signed.id()
    } else {
        OpId::from_bytes([0; 32])
    };
    let mut log = Log::new(project);
    let mut broken = sent.to_vec();
    broken[sent.len() - 64] ^= 0x40;
    let rejected = log
        .receive(&broken, &mut costs)
        .expect_err("a bad signature");
    assert_eq!(rejected.reason, Refusal::BadSignature);
    assert_eq!(rejected.claimed, Some(signed.id()));
    assert!(!log.holds(&signed.id()), "a broken copy leaves no trace");
    let arrivals = log.receive(sent, &mut costs).expect("a good signature");
    assert_eq!(arrivals.first().map(|it| it.op), Some(signed.id()));
    assert!(log.holds(&signed.id()));
    if let Some(held) = log.get(&signed.id()) {
        assert_eq!(
            held.envelope(),
            sent,
            "what was received is what is handed on"
        );
    }
}
