//! Reports about op logs.

use ecac_core::OpId;

use super::{Position, check, check_form, explain};

/// A CBOR byte string.
fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    [&[0x58, length], bytes].concat()
}

/// The body of an op as docs/protocol.cddl describes it, with an empty payload.
fn body(seq: u8) -> Vec<u8> {
    let author = byte_string(&[0xaa; 32]);
    [
        &[0xa6, 0, 1, 1][..],
        &author,
        &[2, seq, 3, 0x80, 4, 0x83, 5, 0, 7, 5, 0xa0],
    ]
    .concat()
}

pub(super) fn op(seq: u8) -> Vec<u8> {
    let prefix = [0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0];
    [
        &prefix[..],
        &byte_string(&body(seq)),
        &byte_string(&[seq; 64]),
    ]
    .concat()
}

#[test]
fn op_log_items_and_fields() {
    let log = [op(0), op(1), op(2)].concat();
    let length = op(0).len();
    let id = OpId::of_body(&body(1));
    let body_start = 9;
    for (offset, field) in [
        (0, "the envelope's headers"),
        (8, "the envelope's headers"),
        (body_start, "the body"),
        (body_start + 2, "version"),
        (body_start + 10, "author"),
        (body_start + 39, "seq"),
        (body_start + 41, "parents"),
        (body_start + 44, "hlc"),
        (body_start + 48, "payload"),
        (body_start + 49, "the signature"),
        (length - 1, "the signature"),
    ] {
        let mut flipped = log.clone();
        flipped[length + offset] ^= 1;
        let explanation = explain("a-ops.cborseq", &log, &flipped);
        let position = Position::Item {
            item: 2,
            item_offset: offset,
            op: Some(id.to_string()),
            field: Some(field),
        };
        assert_eq!(explanation.position(), &position, "{offset}");
        check_form(&explanation);
    }
}

#[test]
fn op_log_reports() {
    let id = |seq| OpId::of_body(&body(seq));
    let log = [op(0), op(1), op(2)].concat();
    let length = op(0).len();
    let mut bad_signature = log.clone();
    bad_signature[2 * length - 1] ^= 1;
    check(
        "a-ops.cborseq",
        &log,
        bad_signature,
        &format!(
            "
  position  item 2, byte {} of the item, in the signature
  op        {}
  byte      {}
  expected  01 d2 84 43 a1 01 27 a0 58 31 a6 00 01 01 58 20…
  actual    00 d2 84 43 a1 01 27 a0 58 31 a6 00 01 01 58 20…
  note      the op id is the same: the body is intact, the envelope is not",
            length - 1,
            id(1),
            2 * length - 1,
        ),
    );
    check(
        "a-ops.cborseq",
        &log,
        [op(0), op(2)].concat(),
        &format!(
            "
  position  item 2, byte 48 of the item, in seq
  op        {}
  byte      {}
  expected  01 03 80 04 83 05 00 07 05 a0 58 40 01 01 01 01…
  actual    02 03 80 04 83 05 00 07 05 a0 58 40 02 02 02 02…
  note      here the log has op
            {}
  note      the file has {} bytes, expected {}",
            id(1),
            length + 48,
            id(2),
            2 * length,
            3 * length,
        ),
    );
    check(
        "a-ops.cborseq",
        &log,
        [op(0), op(1)].concat(),
        &format!(
            "
  position  item 3, byte 0 of the item, in the envelope's headers
  op        {}
  byte      {}
  expected  d2 84 43 a1 01 27 a0 58 31 a6 00 01 01 58 20 aa…
  actual    (nothing)
  note      this item and all after it are missing
  note      the file ends at byte {}, expected {}",
            id(2),
            2 * length,
            2 * length,
            3 * length,
        ),
    );
    check(
        "a-ops.cborseq",
        [op(0), op(1)].concat(),
        &log,
        &format!(
            "
  position  item 3, byte 0 of the item, in the envelope's headers
  op        {}
  byte      {}
  expected  (nothing)
  actual    d2 84 43 a1 01 27 a0 58 31 a6 00 01 01 58 20 aa…
  note      the expected log ends before this item
  note      the file goes on to byte {}, expected its end at {}",
            id(2),
            2 * length,
            3 * length,
            2 * length,
        ),
    );
}
