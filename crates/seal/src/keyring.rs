//! Keyrings: keys are made and handed on where a write takes it.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::limits::{PAYLOAD_BYTES_MAX, RECIPIENTS_MAX};
use ecac_core::payload::{KeyGrant, KeyRotate, Share};
use ecac_core::{
    Action, AuthorError, ContentKeyInfo, OpId, PublicKey, Refusal, Sealed, Tags, Value,
};

use crate::content_key::ContentKey;
use crate::context::Context;
use crate::desk::Desk;
use crate::reader::Opener;
use crate::reading::open_key;
use crate::share::{info, seal_share};
use crate::target::Target;
use crate::unopened::Unopened;

/// Bytes of a `KeyGrant` beside its shares, and of a share beside `enc`, at most.
const GRANT_BYTES: usize = 64;
const SHARE_BYTES: usize = 88;
/// Length of the authentication tag of XChaCha20-Poly1305, in bytes.
const TAG_BYTES: usize = 16;

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

/// What readers get who hold no key of a set of tags yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newcomers {
    /// Every key of these tags that the writer can open: they read the past.
    ThePast,
    /// The key in use, and none before it.
    FromHereOn,
}

/// The keys of somebody who writes: who they are, what opens shares to them, where 32 random bytes come from, and the local
/// clock.
pub struct Keyring<'a> {
    /// The author of the ops that are put on the desk.
    pub author: PublicKey,
    /// Opens shares to the same person or device.
    pub opener: &'a dyn Opener,
    /// Gives 32 random bytes, other ones each time.
    pub random: &'a mut dyn FnMut() -> [u8; 32],
    /// The local clock, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// What newcomers get by the way.
    pub newcomers: Newcomers,
}

impl Keyring<'_> {
    /// Writes the value, sealed if the field has secret tags: then under a key that is fresh, which is made first if there is
    /// none, and is given to every reader who has published a reader key and lacks it. The write is put last.
    ///
    /// # Errors
    /// [`WriteError`]; what was put before stays on the desk.
    pub fn write(
        &mut self,
        desk: &mut dyn Desk,
        target: &Target,
        value: &Value,
    ) -> Result<(), WriteError> {
        let secret = desk.replica().secret_tags(&target.object, &target.field);
        let secret = secret.value;
        if secret.is_empty() {
            desk.put(target.plain(value.clone()))?;
            return Ok(());
        }
        self.publish(desk)?;
        if let Some((key, content)) = self.usable(desk, &secret) {
            self.hand_to_readers(desk, key, &content, &secret)?;
            match self.seal(desk, target, value, key, &content) {
                // A parent can bring what nobody had weighed.
                Err(WriteError::Author(error)) if is_stale(&error) => {}
                sealed => return sealed,
            }
        }
        let (key, content) = self.rotate(desk, &secret)?;
        self.seal(desk, target, value, key, &content)
    }

    /// Makes a key for the tags, and gives it to every reader who has published a reader key.
    ///
    /// # Errors
    /// [`WriteError`]; what was put before stays on the desk.
    pub fn rotate(
        &mut self,
        desk: &mut dyn Desk,
        tags: &Tags,
    ) -> Result<(OpId, ContentKey), WriteError> {
        self.publish(desk)?;
        let key = desk.put(KeyRotate { tags: tags.clone() }.into())?;
        let content = ContentKey::from_bytes((self.random)());
        self.hand_to_readers(desk, key, &content, tags)?;
        Ok((key, content))
    }

    /// Gives the recipient, a person or a device, every key that the writer can open, the recipient may read and lacks: a
    /// newcomer reads the past. With `again` also those that they were given before, for whoever lost the reader key to which
    /// these were sealed.
    ///
    /// # Errors
    /// [`WriteError`]; what was put before stays on the desk.
    pub fn hand_on(
        &mut self,
        desk: &mut dyn Desk,
        recipient: &PublicKey,
        again: bool,
    ) -> Result<(), WriteError> {
        for known in desk.replica().content_keys(self.now_ms).value {
            let replica = desk.replica();
            let may = replica.can(recipient, Action::Read, &known.tags, self.now_ms);
            if may.is_err() || !again && known.holders.contains(recipient) {
                continue;
            }
            if let Ok(content) = self.open_key(desk, &known.key) {
                self.share(desk, known.key, &content, &[*recipient])?;
            }
        }
        Ok(())
    }

    /// Publishes the reader key, unless that is done; says whether it was not.
    ///
    /// # Errors
    /// [`WriteError`]: [`WriteError::OtherKem`] if it is of a KEM that the project does not use.
    pub fn publish(&self, desk: &mut dyn Desk) -> Result<bool, WriteError> {
        let own = self.opener.reader_key();
        if desk.replica().reader_key(&self.author).as_ref() == Some(&own) {
            return Ok(false);
        }
        let kem = own.kem.name();
        desk.put(own.clone().into())?;
        if desk.replica().reader_key(&self.author) == Some(own) {
            Ok(true)
        } else {
            Err(WriteError::OtherKem(kem))
        }
    }

    /// The last fresh key for these tags that the writer can open.
    fn usable(&self, desk: &dyn Desk, tags: &Tags) -> Option<(OpId, ContentKey)> {
        let keys = desk.replica().content_keys(self.now_ms).value;
        let mut fit = keys.into_iter().rev();
        fit.find_map(|known| {
            let fits = known.is_fresh && known.tags == *tags;
            let content = fits.then(|| self.open_key(desk, &known.key).ok())?;
            Some((known.key, content?))
        })
    }

    /// The content key, from a share to the writer.
    fn open_key(&self, desk: &dyn Desk, key: &OpId) -> Result<ContentKey, Unopened> {
        open_key(desk.replica(), self.opener, &self.author, key)
    }

    /// Gives the key to every reader who lacks it, and to newcomers what they get.
    fn hand_to_readers(
        &mut self,
        desk: &mut dyn Desk,
        key: OpId,
        content: &ContentKey,
        tags: &Tags,
    ) -> Result<(), WriteError> {
        let replica = desk.replica();
        let readers = replica.who_can(Action::Read, tags, self.now_ms).value;
        let readers = readers.into_iter().map(|(reader, _)| reader);
        let given = replica.recipients(&key);
        let lacking = readers.filter(|reader| !given.contains(reader));
        let lacking: Vec<PublicKey> = lacking.collect();
        if self.newcomers == Newcomers::ThePast && !lacking.is_empty() {
            self.hand_on_the_past(desk, key, tags, &lacking)?;
        }
        self.share(desk, key, content, &lacking)
    }

    /// Gives those of the readers who hold no key of the tags all that came before the key.
    fn hand_on_the_past(
        &mut self,
        desk: &mut dyn Desk,
        key: OpId,
        tags: &Tags,
        readers: &[PublicKey],
    ) -> Result<(), WriteError> {
        let keys = desk.replica().content_keys(self.now_ms).value;
        let is_past = |known: &ContentKeyInfo| known.tags == *tags && known.key != key;
        let past: Vec<ContentKeyInfo> = keys.into_iter().filter(is_past).collect();
        let known: BTreeSet<PublicKey> = past.iter().flat_map(|it| &it.holders).copied().collect();
        let newcomers = readers.iter().filter(|reader| !known.contains(*reader));
        let newcomers: Vec<PublicKey> = newcomers.copied().collect();
        for known in past {
            if let Ok(content) = self.open_key(desk, &known.key) {
                self.share(desk, known.key, &content, &newcomers)?;
            }
        }
        Ok(())
    }

    /// Gives the key to those of the recipients who have published a reader key, in as many ops as it takes.
    fn share(
        &mut self,
        desk: &mut dyn Desk,
        key: OpId,
        content: &ContentKey,
        recipients: &[PublicKey],
    ) -> Result<(), WriteError> {
        let replica = desk.replica();
        let mut shares: BTreeMap<PublicKey, Share> = BTreeMap::new();
        let mut bytes = GRANT_BYTES;
        let mut chunks = Vec::new();
        for (recipient, to) in replica.reader_keys(recipients) {
            let info = info(&replica.project(), &key, &recipient);
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
            shares.insert(recipient, share);
        }
        chunks.push(shares);
        for shares in chunks.into_iter().filter(|shares| !shares.is_empty()) {
            let shares = shares.into_iter().collect();
            desk.put(KeyGrant { key, shares }.into())?;
        }
        Ok(())
    }

    fn seal(
        &mut self,
        desk: &mut dyn Desk,
        target: &Target,
        value: &Value,
        key: OpId,
        content: &ContentKey,
    ) -> Result<(), WriteError> {
        let blank = Sealed {
            key,
            nonce: [0; 24],
            ciphertext: vec![0; value.encode().len() + TAG_BYTES],
        };
        let project = desk.replica().project();
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&(self.random)()[..24]);
        desk.put_sealed(target.sealed(blank), &mut |body| {
            content
                .seal(key, value, &Context::of(&project, body)?, nonce)
                .ok()
        })?;
        Ok(())
    }
}

fn is_stale(error: &AuthorError) -> bool {
    matches!(error.refusal(), Some((Refusal::StaleKey, _)))
}
