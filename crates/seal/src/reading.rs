//! Reading: what a reader opens of what they were given.

use ecac_core::{OpId, Payload, PublicKey, Replica, Tags, Value};

use crate::content_key::ContentKey;
use crate::context::Context;
use crate::reader::Opener;
use crate::share::info;
use crate::unopened::Unopened;

/// A value that somebody cannot open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no key of {key}")]
pub struct Redacted {
    /// The key that it takes.
    pub key: OpId,
    /// The tags of the key, where the key is here.
    pub tags: Tags,
    /// Since when there has been that key, in milliseconds since the Unix epoch, likewise.
    pub since_ms: Option<u64>,
}

/// The content key, from a share to the reader.
///
/// # Errors
/// [`Unopened`] if the reader was given none that opens.
pub fn open_key(
    replica: &Replica,
    opener: &dyn Opener,
    reader: &PublicKey,
    key: &OpId,
) -> Result<ContentKey, Unopened> {
    let info = info(&replica.project(), key, reader);
    let shares = replica.shares_for(key, reader);
    let mut opened = shares.iter().map(|share| opener.open_share(share, &info));
    opened.find(Result::is_ok).unwrap_or(Err(Unopened))
}

/// The value that the op writes, as far as the reader can open it; `None` for an op that is not here or writes no value.
///
/// # Errors
/// [`Redacted`] if it is sealed under a key that the reader was not given, or does not open.
pub fn read(
    replica: &Replica,
    opener: &dyn Opener,
    reader: &PublicKey,
    op: &OpId,
) -> Option<Result<Value, Redacted>> {
    let op = replica.log().get(op)?;
    let Value::Sealed(sealed) = op.body().payload.value()? else {
        return op.body().payload.value().map(Ok);
    };
    let project = replica.project();
    let context = Context::of(&project, op.body())?;
    let content = open_key(replica, opener, reader, &sealed.key);
    let opened = content.and_then(|content| content.open(&sealed, &context));
    Some(opened.map_err(|_| {
        let rotate = replica.log().get(&sealed.key);
        let rotate = rotate.as_ref().map(|op| op.body());
        let tags = rotate.and_then(|body| {
            if let Payload::KeyRotate(it) = &body.payload {
                Some(it.tags.clone())
            } else {
                None
            }
        });
        Redacted {
            key: sealed.key,
            since_ms: tags.as_ref().and(rotate).map(|body| body.hlc.physical_ms),
            tags: tags.unwrap_or_default(),
        }
    }))
}
