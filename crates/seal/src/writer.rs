//! Writing to a replica that signs each op at once.

use ecac_core::{Authored, OpId, PublicKey, Replica, Signer, Tags, Value};

use crate::content_key::ContentKey;
use crate::desk::Signing;
use crate::keyring::{Keyring, Newcomers, WriteError};
use crate::reader::Opener;
use crate::target::Target;

/// Somebody who writes: who signs, what opens shares, where 32 random bytes come from, and the local clock. It does what a
/// [`Keyring`] does, op by op; newcomers get the keys from here on.
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
    /// Writes the value, as [`Keyring::write`] does. Returns all ops that were written, the write last.
    ///
    /// # Errors
    /// [`WriteError`]; what was written before stays.
    pub fn write(
        &mut self,
        replica: &mut Replica,
        target: &Target,
        value: &Value,
    ) -> Result<Vec<Authored>, WriteError> {
        let mut written = Vec::new();
        self.on(replica, &mut written, |keyring, desk| {
            keyring.write(desk, target, value)
        })?;
        Ok(written)
    }

    /// Makes a key for the tags, as [`Keyring::rotate`] does; the ops are added to `written`.
    ///
    /// # Errors
    /// [`WriteError`]; what was written before stays.
    pub fn rotate(
        &mut self,
        replica: &mut Replica,
        tags: &Tags,
        written: &mut Vec<Authored>,
    ) -> Result<(OpId, ContentKey), WriteError> {
        self.on(replica, written, |keyring, desk| keyring.rotate(desk, tags))
    }

    /// Gives the recipient every key, as [`Keyring::hand_on`] does.
    ///
    /// # Errors
    /// [`WriteError`]; what was written before stays.
    pub fn hand_on(
        &mut self,
        replica: &mut Replica,
        recipient: &PublicKey,
    ) -> Result<Vec<Authored>, WriteError> {
        let mut written = Vec::new();
        self.on(replica, &mut written, |keyring, desk| {
            keyring.hand_on(desk, recipient, false)
        })?;
        Ok(written)
    }

    fn on<T>(
        &mut self,
        replica: &mut Replica,
        written: &mut Vec<Authored>,
        act: impl FnOnce(&mut Keyring<'_>, &mut Signing<'_>) -> Result<T, WriteError>,
    ) -> Result<T, WriteError> {
        let mut keyring = Keyring {
            author: self.signer.public_key(),
            opener: self.opener,
            random: &mut *self.random,
            now_ms: self.now_ms,
            newcomers: Newcomers::FromHereOn,
        };
        let mut desk = Signing {
            replica,
            signer: self.signer,
            now_ms: self.now_ms,
            written,
        };
        act(&mut keyring, &mut desk)
    }
}
