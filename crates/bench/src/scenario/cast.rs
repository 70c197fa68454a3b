//! What the scenarios share: the project, its issuer, and what people write.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::mint::{CredentialClaims, mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload;
use ecac_core::{
    Genesis, Name, OpId, Payload, PublicKey, SchemaRule, SigningKey, Value, public_key,
};

use crate::replica::{Author, Observer};
use crate::storage::StoredReplica;
use crate::stream::Stream;

/// Virtual time begins at 2026-01-01T00:00:00Z.
pub(crate) const EPOCH_MS: u64 = 1_767_225_600_000;
/// One virtual minute.
pub(crate) const MINUTE_MS: u64 = 60_000;
/// One virtual day.
pub(crate) const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// Credentials and keys of the scenarios are valid for a year.
const YEAR_MS: u64 = 365 * DAY_MS;

/// The tag of everything that editors may write.
pub(crate) const TAG_FIELD_NOTES: &str = "field-notes";

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("names in scenarios are short NFC texts")
}

/// A genesis that names the roots and tags every note.
pub(crate) fn genesis(stream: &mut Stream, project: &str, roots: &[PublicKey]) -> Genesis {
    let rule = SchemaRule {
        object: name("note/*"),
        field: name("*"),
        tags: BTreeSet::from([name(TAG_FIELD_NOTES)]),
    };
    Genesis {
        name: name(project),
        nonce: stream.bytes(),
        roots: roots.iter().copied().collect(),
        schema: BTreeSet::from([rule]),
        features: BTreeMap::new(),
    }
}

/// An issuer of credentials and status lists, outside of the log.
#[derive(Debug)]
pub(crate) struct Issuer {
    key: SigningKey,
}

impl Issuer {
    pub(crate) const NAME: &'static str = "https://issuer.example/ecac";
    const KID: &'static str = "https://issuer.example/ecac#key-1";
    const LIST: &'static str = "https://issuer.example/ecac/status/1";
    const LIST_BITS: u64 = 131_072;

    pub(crate) fn new(stream: &mut Stream) -> Self {
        Self {
            key: stream.signing_key(),
        }
    }

    /// The op payload that makes the issuer's key trusted.
    pub(crate) fn key_payload(&self) -> Payload {
        Payload::IssuerKey(payload::IssuerKey {
            issuer: name(Self::NAME),
            kid: name(Self::KID),
            public_key: public_key(&self.key),
            valid_from_ms: EPOCH_MS,
            valid_until_ms: EPOCH_MS + YEAR_MS,
        })
    }

    /// The op payload that ends the trust in the issuer's key.
    pub(crate) fn key_revocation(&self) -> Payload {
        Payload::IssuerKeyRevoke(payload::IssuerKeyRevoke {
            issuer: name(Self::NAME),
            kid: name(Self::KID),
            reason: name("stolen"),
        })
    }

    /// A credential over the field notes, withdrawn by bit `index` of the status list.
    pub(crate) fn credential(&self, subject: PublicKey, role: Role, index: u64) -> Payload {
        self.credential_over(&[TAG_FIELD_NOTES], subject, role, index)
    }

    /// A credential over what has one of these tags, withdrawn likewise.
    pub(crate) fn credential_over(
        &self,
        scope: &[&str],
        subject: PublicKey,
        role: Role,
        index: u64,
    ) -> Payload {
        let status = StatusRef {
            list: Self::LIST.into(),
            index,
            purpose: StatusPurpose::Revocation,
        };
        let claims = CredentialClaims {
            issuer: Self::NAME.into(),
            kid: Self::KID.into(),
            id: None,
            subject,
            role,
            scope: scope.iter().map(|&tag| tag.to_owned()).collect(),
            valid_from_ms: EPOCH_MS,
            valid_until_ms: EPOCH_MS + YEAR_MS,
            status: vec![status],
        };
        Payload::Credential(payload::Credential {
            jwt: mint_credential(&self.key, &claims),
        })
    }

    /// The status list with these bits set.
    pub(crate) fn status_list(&self, set_bits: &[u64]) -> Payload {
        let set_bits = set_bits.iter().copied().collect();
        let jwt = mint_status_list(
            &self.key,
            Self::NAME,
            Self::KID,
            Self::LIST,
            StatusPurpose::Revocation,
            EPOCH_MS,
            Self::LIST_BITS,
            &set_bits,
        );
        Payload::StatusList(payload::StatusList { jwt })
    }
}

/// The administrator carries a credential into the log and grants by it; the credential's op.
pub(crate) fn grant<R: StoredReplica>(
    administrator: &mut Author<R>,
    observer: &mut Observer,
    now_ms: u64,
    subject: PublicKey,
    credential: Payload,
) -> Result<OpId, R::Error> {
    let carrier = administrator.write(now_ms, credential)?;
    observer.receive(&carrier);
    let credential = carrier.id();
    let grant = payload::Grant {
        subject,
        credential,
    };
    observer.receive(&administrator.write(now_ms, grant)?);
    Ok(credential)
}

/// One edit of a note: mostly a register, otherwise a set.
pub(crate) fn edit(stream: &mut Stream, author: &str, step: usize) -> Payload {
    let object = name(&format!("note/{}", stream.below(4)));
    let element = name(&format!("tag-{}", stream.below(6)));
    match stream.below(10) {
        0..=5 => {
            let field = name(["title", "body", "status"][stream.index(3)]);
            Payload::SetField(payload::SetField {
                object,
                field,
                value: Value::Text(format!("{author} {step}")),
            })
        }
        6..=8 => {
            let value = Value::Int(i64::try_from(stream.below(100)).expect("below 100"));
            Payload::SetAdd(payload::SetAdd {
                object,
                field: name("labels"),
                element,
                value,
            })
        }
        _ => Payload::SetRemove(payload::SetRemove {
            object,
            field: name("labels"),
            element,
        }),
    }
}
