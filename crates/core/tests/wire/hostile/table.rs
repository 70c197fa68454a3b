//! Bodies that are wrong in one way each, with the verdict.

use ecac_core::CodecError;

use super::payload::{SET_FIELD, body_of, payloads};
use crate::raw;

/// What in `docs/protocol.cddl` forbids it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForbiddenBy {
    /// The grammar.
    Grammar,
    /// A comment that begins with "Rule:", because CDDL cannot say it.
    Rule,
    /// Basic CBOR: it is no well-formed and valid item at all.
    Cbor,
}

/// A body that no decoder may accept.
pub(crate) struct Hostile {
    pub(crate) what: String,
    pub(crate) body: Vec<u8>,
    pub(crate) error: CodecError,
    pub(crate) by: ForbiddenBy,
}

/// Collects the bodies.
pub(super) struct Table(pub(super) Vec<Hostile>);

impl Table {
    pub(super) fn add(&mut self, what: &str, body: Vec<u8>, error: CodecError, by: ForbiddenBy) {
        self.0.push(Hostile {
            what: what.to_owned(),
            body,
            error,
            by,
        });
    }

    /// A field of the body of a `SetField`.
    pub(super) fn field(
        &mut self,
        what: &str,
        key: u8,
        value: Vec<u8>,
        error: CodecError,
        by: ForbiddenBy,
    ) {
        let good = raw::body(&payloads()[SET_FIELD]);
        self.add(what, good.with(key, value).encode(), error, by);
    }

    /// A field of a payload.
    pub(super) fn payload(
        &mut self,
        (kind, key): (usize, u8),
        what: &str,
        value: Vec<u8>,
        error: CodecError,
        by: ForbiddenBy,
    ) {
        let payload = payloads()[kind].with(key, value);
        self.add(
            &format!("type {kind}: {what}"),
            body_of(kind, &payload).encode(),
            error,
            by,
        );
    }
}
