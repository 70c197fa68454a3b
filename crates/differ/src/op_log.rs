//! Op logs, CBOR sequences (RFC 8742) of COSE_Sign1 envelopes: the op and the field of the first difference.

use std::ops::Range;

use ecac_core::OpId;
use minicbor::Decoder;
use minicbor::data::{Tag, Type};

use super::excerpt;
use super::finding::Finding;
use super::position::Position;

/// CBOR tag of COSE_Sign1 (RFC 9052 section 4.2).
const TAG_COSE_SIGN1: Tag = Tag::new(18);
/// The fields of an op's body by their map keys (`docs/protocol.cddl`).
const BODY_FIELDS: [&str; 6] = ["version", "author", "seq", "parents", "hlc", "payload"];

/// Explains two op logs. Only the structure is read: signatures and canonical form are judged elsewhere.
pub(super) fn explain(expected: &[u8], actual: &[u8], offset: usize) -> Finding {
    let mut finding = Finding {
        position: Position::Byte,
        expected: excerpt::hex(expected, offset),
        actual: excerpt::hex(actual, offset),
        notes: Vec::new(),
    };
    // Up to the first difference both have the same items; behind its last item, the longer one tells.
    let longer = if offset < expected.len() {
        expected
    } else {
        actual
    };
    let Some((item, range)) = item_at(longer, offset) else {
        finding
            .notes
            .push("the bytes before the difference are not whole CBOR items".to_owned());
        return finding;
    };
    let start = range.start;
    let op = Envelope::read(&longer[range]);
    if offset >= expected.len() {
        finding
            .notes
            .push("the expected log ends before this item".to_owned());
    } else if offset == start && offset >= actual.len() {
        finding
            .notes
            .push("this item and all after it are missing".to_owned());
    } else {
        finding
            .notes
            .extend(actual_note(&actual[start..], op.as_ref()));
    }
    finding.position = Position::Item {
        item,
        item_offset: offset - start,
        op: op.as_ref().map(|op| op.id.to_string()),
        field: op.as_ref().map(|op| op.field_at(offset - start)),
    };
    finding
}

/// The number, counted from 1, and the range of the item that holds the byte at `offset`.
fn item_at(bytes: &[u8], offset: usize) -> Option<(usize, Range<usize>)> {
    let mut items = Decoder::new(bytes);
    for item in 1.. {
        let range = skip(&mut items)?;
        if offset < range.end {
            return Some((item, range));
        }
    }
    None
}

/// Passes over one data item and says where it lies; nothing if it is not whole.
fn skip(items: &mut Decoder<'_>) -> Option<Range<usize>> {
    let start = items.position();
    items.skip().ok()?;
    Some(start..items.position())
}

/// What the actual log has at the start of the differing item.
fn actual_note(actual: &[u8], expected: Option<&Envelope>) -> Option<String> {
    let Some(item) = skip(&mut Decoder::new(actual)) else {
        return Some("here the log has no whole CBOR item".to_owned());
    };
    match (Envelope::read(&actual[item]), expected) {
        (Some(actual), Some(expected)) if actual.id == expected.id => {
            Some("the op id is the same: the body is intact, the envelope is not".to_owned())
        }
        (Some(actual), _) => Some(format!("here the log has op {}", actual.id)),
        (None, Some(_)) => Some("here the log has an item that is not an op".to_owned()),
        (None, None) => None,
    }
}

/// The parts of a COSE_Sign1 envelope.
struct Envelope {
    id: OpId,
    /// Where the body lies in the envelope.
    body: Range<usize>,
    /// Where each value of the body's map lies in the envelope, by key.
    fields: Vec<Range<usize>>,
}

impl Envelope {
    /// Reads a tagged or untagged COSE_Sign1 array; nothing if `item` is not one.
    fn read(item: &[u8]) -> Option<Self> {
        let mut parts = Decoder::new(item);
        if parts.datatype().ok()? == Type::Tag && parts.tag().ok()? != TAG_COSE_SIGN1 {
            return None;
        }
        if parts.array().ok()? != Some(4) {
            return None;
        }
        let _protected = skip(&mut parts)?;
        let _unprotected = skip(&mut parts)?;
        let content = parts.bytes().ok()?;
        let body = parts.position() - content.len()..parts.position();
        Some(Self {
            id: OpId::of_body(content),
            fields: body_fields(&item[..body.end], body.start).unwrap_or_default(),
            body,
        })
    }

    /// The name of the part that the byte at `offset` of the envelope belongs to.
    fn field_at(&self, offset: usize) -> &'static str {
        if offset < self.body.start {
            return "the envelope's headers";
        }
        if offset >= self.body.end {
            return "the signature";
        }
        self.fields
            .iter()
            .zip(BODY_FIELDS)
            .find(|(range, _)| range.contains(&offset))
            .map_or("the body", |(_, name)| name)
    }
}

/// The values of the map at `start`, if its keys are 0, 1, 2 and so on.
fn body_fields(item: &[u8], start: usize) -> Option<Vec<Range<usize>>> {
    let mut parts = Decoder::new(item);
    parts.set_position(start);
    let length = parts.map().ok()??;
    (0..length.min(BODY_FIELDS.len() as u64))
        .map(|key| {
            (parts.u64().ok()? == key).then_some(())?;
            skip(&mut parts)
        })
        .collect()
}
