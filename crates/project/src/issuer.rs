//! The user as an issuer of credentials, under a key of its own.

use std::collections::BTreeSet;

use ecac_core::credential::mint::{CredentialClaims, mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload::IssuerKey;
use ecac_core::{Name, NameError, PublicKey};

use crate::key::Key;

/// Somebody who vouches for people: a key, the issuer's name and the name of the key.
///
/// The issuer is the `did:key` of the key itself, and the key id its multibase part, as the did:key method names it.
#[derive(Debug, Clone)]
pub struct Issuer {
    key: Key,
    issuer: Name,
    kid: Name,
}

/// What a credential is to say.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Whom it is about.
    pub subject: PublicKey,
    /// What the subject may do.
    pub role: Role,
    /// Tags of the resources on which.
    pub scope: BTreeSet<String>,
    /// First millisecond of its validity, since 1970.
    pub valid_from_ms: u64,
    /// First millisecond after it.
    pub valid_until_ms: u64,
    /// The bits that withdraw it.
    pub status: Vec<StatusRef>,
}

impl Issuer {
    /// The issuer that the key makes its owner.
    ///
    /// # Errors
    /// [`NameError`] never, because a `did:key` is a name.
    pub fn of(key: Key) -> Result<Self, NameError> {
        let did = key.public().to_string();
        let kid = did.strip_prefix("did:key:").unwrap_or(&did);
        Ok(Self {
            kid: Name::new(kid)?,
            issuer: Name::new(did.clone())?,
            key,
        })
    }

    /// What credentials call the issuer.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.issuer
    }

    /// What they call the key.
    #[must_use]
    pub const fn kid(&self) -> &Name {
        &self.kid
    }

    /// What lists the key for this window (milliseconds since 1970, the end exclusive).
    #[must_use]
    pub fn listing(&self, valid_from_ms: u64, valid_until_ms: u64) -> IssuerKey {
        IssuerKey {
            issuer: self.issuer.clone(),
            kid: self.kid.clone(),
            public_key: self.key.public(),
            valid_from_ms,
            valid_until_ms,
        }
    }

    /// A credential, as a compact JWS.
    #[must_use]
    pub fn credential(&self, new: &NewCredential) -> String {
        let claims = CredentialClaims {
            issuer: self.issuer.to_string(),
            kid: self.kid.to_string(),
            id: None,
            subject: new.subject,
            role: new.role,
            scope: new.scope.clone(),
            valid_from_ms: new.valid_from_ms,
            valid_until_ms: new.valid_until_ms,
            status: new.status.clone(),
        };
        mint_credential(&self.key.signing(), &claims)
    }

    /// A status list for revocations with these bits set, as a compact JWS; `list` is its URL.
    #[must_use]
    pub fn status_list(&self, list: &str, valid_from_ms: u64, bits: &BTreeSet<u64>) -> String {
        mint_status_list(
            &self.key.signing(),
            &self.issuer,
            &self.kid,
            list,
            StatusPurpose::Revocation,
            valid_from_ms,
            0,
            bits,
        )
    }
}
