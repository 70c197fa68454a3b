//! Writing and reading what is confidential: keys are made and handed on where a write takes it.

use std::collections::BTreeMap;

use ecac_core::limits::{PAYLOAD_BYTES_MAX, RECIPIENTS_MAX};
use ecac_core::payload::{
    KeyGrant, KeyRotate, SetAdd, SetAddSealed, SetField, SetFieldSealed, Share,
};
use ecac_core::{
    Action, AuthorError, Authored, Name, OpId, Payload, PublicKey, Refusal, Replica, Sealed,
    Signer, Tags, Value,
};

use crate::Unopened;
use crate::content_key::ContentKey;
use crate::context::Context;
use crate::reader::Opener;
use crate::share::{info, seal_share};

/// Bytes of a `KeyGrant` beside its shares, and of a share beside `enc`, at most.
const GRANT_BYTES: usize = 64;
const SHARE_BYTES: usize = 96;
/// Length of the authentication tag of XChaCha20-Poly1305, in bytes.
const TAG_BYTES: usize = 16;

/// A place that somebody writes to: a field of an object, or an element of its set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Object.
    pub object: Name,
    /// Field of the object.
    pub field: Name,
    /// Element of a set; `None` for a register.
    pub element: Option<Name>,
}

/// Why something confidential was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// An op on the way was not written.
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// The reader key is of a KEM that the project does not use.
    #[error("the project seals no keys to a reader key of {0}")]
    OtherKem(&'static str),
}

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

/// Somebody who writes: who signs, what opens shares, where 32 random bytes come from, and the local clock.
pub struct Writer<'a> {
    /// Signs the ops.
    pub signer: &'a dyn Signer,
    /// Opens shares to the same person or device.
    pub opener: &'a dyn Opener,
    /// Gives 32 random bytes, other ones each time.
    pub random: &'a mut dyn FnMut() -> [u8; 32],
    /// The local clock, in milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl Writer<'_> {
    /// Writes the value, sealed if the field has secret tags: then under a key that is fresh, which is made first if there is
    /// none, and is given to every reader who has published a reader key and lacks it. Returns all ops that were written, the
    /// write last.
    ///
    /// # Errors
    /// [`WriteError`]; what was written before stays.
    pub fn write(
        &mut self,
        replica: &mut Replica,
        target: &Target,
        value: &Value,
    ) -> Result<Vec<Authored>, WriteError> {
        let secret = replica.secret_tags(&target.object, &target.field).value;
        if secret.is_empty() {
            let payload = target.plain(value.clone());
            return Ok(vec![replica.author(payload, self.signer, self.now_ms)?]);
        }
        let mut written = Vec::new();
        self.publish(replica, &mut written)?;
        if let Some((key, content)) = self.usable(replica, &secret) {
            self.hand_to_readers(replica, key, &content, &secret, &mut written)?;
            match self.seal(replica, target, value, key, &content) {
                // A parent can bring what nobody had weighed.
                Err(WriteError::Author(error)) if is_stale(&error) => {}
                sealed => {
                    written.push(sealed?);
                    return Ok(written);
                }
            }
        }
        let (key, content) = self.rotate(replica, &secret, &mut written)?;
        written.push(self.seal(replica, target, value, key, &content)?);
        Ok(written)
    }

    /// Makes a key for the tags, and gives it to every reader who has published a reader key; the ops are added to `written`.
    ///
    /// # Errors
    /// [`WriteError`]; what was written before stays.
    pub fn rotate(
        &mut self,
        replica: &mut Replica,
        tags: &Tags,
        written: &mut Vec<Authored>,
    ) -> Result<(OpId, ContentKey), WriteError> {
        self.publish(replica, written)?;
        let rotate = KeyRotate { tags: tags.clone() };
        let made = replica.author(rotate, self.signer, self.now_ms)?;
        let (key, content) = (made.op, ContentKey::from_bytes((self.random)()));
        written.push(made);
        self.hand_to_readers(replica, key, &content, tags, written)?;
        Ok((key, content))
    }

    /// Gives the recipient, a person or a device, every key that the writer can open, the recipient may read and lacks: a
    /// newcomer reads the past.
    ///
    /// # Errors
    /// [`WriteError`]; what was written before stays.
    pub fn hand_on(
        &mut self,
        replica: &mut Replica,
        recipient: &PublicKey,
    ) -> Result<Vec<Authored>, WriteError> {
        let mut written = Vec::new();
        for known in replica.content_keys(self.now_ms).value {
            let may = replica.can(recipient, Action::Read, &known.tags, self.now_ms);
            if may.is_err() || known.holders.contains(recipient) {
                continue;
            }
            if let Ok(content) = self.open_key(replica, &known.key) {
                self.share(replica, known.key, &content, &[*recipient], &mut written)?;
            }
        }
        Ok(written)
    }

    /// Publishes the writer's reader key, unless that is done.
    fn publish(
        &self,
        replica: &mut Replica,
        written: &mut Vec<Authored>,
    ) -> Result<(), WriteError> {
        let own = self.opener.reader_key();
        let me = self.signer.public_key();
        if replica.reader_key(&me).as_ref() == Some(&own) {
            return Ok(());
        }
        let kem = own.kem.name();
        written.push(replica.author(own.clone(), self.signer, self.now_ms)?);
        if replica.reader_key(&me) == Some(own) {
            Ok(())
        } else {
            Err(WriteError::OtherKem(kem))
        }
    }

    /// The last fresh key for these tags that the writer can open.
    fn usable(&self, replica: &Replica, tags: &Tags) -> Option<(OpId, ContentKey)> {
        let keys = replica.content_keys(self.now_ms).value;
        let mut fit = keys.into_iter().rev();
        fit.find_map(|known| {
            let fits = known.is_fresh && known.tags == *tags;
            let content = fits.then(|| self.open_key(replica, &known.key).ok())?;
            Some((known.key, content?))
        })
    }

    /// The content key, from a share to the writer.
    fn open_key(&self, replica: &Replica, key: &OpId) -> Result<ContentKey, Unopened> {
        open_key(replica, self.opener, &self.signer.public_key(), key)
    }

    fn hand_to_readers(
        &mut self,
        replica: &mut Replica,
        key: OpId,
        content: &ContentKey,
        tags: &Tags,
        written: &mut Vec<Authored>,
    ) -> Result<(), WriteError> {
        let readers = replica.who_can(Action::Read, tags, self.now_ms).value;
        let readers = readers.into_iter().map(|(reader, _)| reader);
        let lacking = readers.filter(|reader| replica.shares_for(&key, reader).is_empty());
        let lacking: Vec<PublicKey> = lacking.collect();
        self.share(replica, key, content, &lacking, written)
    }

    /// Gives the key to those of the recipients who have published a reader key, in as many ops as it takes.
    fn share(
        &mut self,
        replica: &mut Replica,
        key: OpId,
        content: &ContentKey,
        recipients: &[PublicKey],
        written: &mut Vec<Authored>,
    ) -> Result<(), WriteError> {
        let mut shares: BTreeMap<PublicKey, Share> = BTreeMap::new();
        let mut bytes = GRANT_BYTES;
        let mut chunks = Vec::new();
        for recipient in recipients {
            let Some(to) = replica.reader_key(recipient) else {
                continue;
            };
            let info = info(&replica.project(), &key, recipient);
            // Nobody can be given anything by a key that is none.
            let Ok(share) = seal_share(content, &to, &info, (self.random)()) else {
                continue;
            };
            let more = SHARE_BYTES + share.enc.len();
            if shares.len() == RECIPIENTS_MAX || bytes + more > PAYLOAD_BYTES_MAX {
                chunks.push(core::mem::take(&mut shares));
                bytes = GRANT_BYTES;
            }
            bytes += more;
            shares.insert(*recipient, share);
        }
        chunks.push(shares);
        for shares in chunks.into_iter().filter(|shares| !shares.is_empty()) {
            let grant = KeyGrant { key, shares };
            written.push(replica.author(grant, self.signer, self.now_ms)?);
        }
        Ok(())
    }

    fn seal(
        &mut self,
        replica: &mut Replica,
        target: &Target,
        value: &Value,
        key: OpId,
        content: &ContentKey,
    ) -> Result<Authored, WriteError> {
        let blank = Sealed {
            key,
            nonce: [0; 24],
            ciphertext: vec![0; value.encode().len() + TAG_BYTES],
        };
        let project = replica.project();
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&(self.random)()[..24]);
        let authored = replica.author_sealed(
            target.sealed(blank),
            &mut |body| {
                content
                    .seal(key, value, &Context::of(&project, body)?, nonce)
                    .ok()
            },
            self.signer,
            self.now_ms,
        );
        Ok(authored?)
    }
}

impl Target {
    fn plain(&self, value: Value) -> Payload {
        let (object, field) = (self.object.clone(), self.field.clone());
        match self.element.clone() {
            None => Payload::SetField(SetField {
                object,
                field,
                value,
            }),
            Some(element) => Payload::SetAdd(SetAdd {
                object,
                field,
                element,
                value,
            }),
        }
    }

    fn sealed(&self, value: Sealed) -> Payload {
        let (object, field) = (self.object.clone(), self.field.clone());
        match self.element.clone() {
            None => Payload::SetFieldSealed(SetFieldSealed {
                object,
                field,
                value,
            }),
            Some(element) => Payload::SetAddSealed(SetAddSealed {
                object,
                field,
                element,
                value,
            }),
        }
    }
}

fn is_stale(error: &AuthorError) -> bool {
    matches!(error.refusal(), Some((Refusal::StaleKey, _)))
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
