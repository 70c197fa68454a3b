//! The credential that gives its subject a role.

use std::collections::BTreeSet;

use super::claims::{Audience, Claims};
use super::error::CredentialError;
use super::json::{Json, Object, cut, malformed};
use super::jwt::Signed;
use super::role::Role;
use super::status::StatusRef;
use super::time::Timestamp;
use crate::id::{ProjectId, PublicKey};
use crate::limits::TAGS_MAX;

/// A well-formed credential; whether it is genuine, current and not withdrawn is for the caller to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Who issued it, a URL: `issuer`, or its `id` where that is an object.
    pub issuer: String,
    /// Which of the issuer's keys signed it: `kid` of the JOSE header.
    pub kid: String,
    /// The document's own `id`, a URL, if it has one; nothing depends on it.
    pub id: Option<String>,
    /// Whom it is about: `credentialSubject.id`.
    pub subject: PublicKey,
    /// What the subject may do: `credentialSubject.role`.
    pub role: Role,
    /// Tags of the resources on which: `credentialSubject.scope`, at most [`TAGS_MAX`].
    pub scope: BTreeSet<String>,
    /// First instant of its validity: the later of `validFrom` and `nbf`.
    pub valid_from: Timestamp,
    /// First instant after its validity: the earlier of `validUntil` and `exp`.
    pub valid_until: Timestamp,
    /// The bits that withdraw it, each of which must be known and clear.
    pub status: Vec<StatusRef>,
    audience: Audience,
    signed: Signed,
}

impl Credential {
    /// Reads a compact JWS. The signature is not judged: see [`Credential::verifies_with`].
    ///
    /// # Errors
    ///
    /// The first rule that `jwt` breaks.
    pub fn parse(jwt: &str) -> Result<Self, CredentialError> {
        let claims = Claims::parse(jwt)?;
        if let Some(name) = claims.document.names().find(|name| tells_status(name)) {
            return Err(CredentialError::OtherStatus { name: cut(name) });
        }
        let subject = claims.subject()?;
        let valid_from = claims.valid_from()?;
        let valid_until = claims.valid_until()?;
        if valid_from >= valid_until {
            return Err(CredentialError::EmptyWindow);
        }
        Ok(Self {
            subject: did_key(subject)?,
            role: role(subject)?,
            scope: scope(subject)?,
            valid_from,
            valid_until,
            status: StatusRef::all_of(&claims.document)?,
            issuer: claims.issuer,
            kid: claims.kid,
            id: claims.id,
            audience: claims.audience,
            signed: claims.signed,
        })
    }

    /// Whether it is for the project: it has no `aud`, or one that names the project's id in hexadecimal.
    #[must_use]
    pub fn is_for(&self, project: &ProjectId) -> bool {
        self.audience.includes(project)
    }

    /// Whether `key` signed it, under ZIP 215. One signature verification.
    #[must_use]
    pub fn verifies_with(&self, key: &PublicKey) -> bool {
        self.signed.verifies_with(key)
    }

    /// What it is signed with.
    pub(crate) const fn signed(&mut self) -> &mut Signed {
        &mut self.signed
    }
}

/// Whether the member could be a withdrawal that nobody here understands.
fn tells_status(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name != "credentialStatus" && (lower.contains("status") || lower.contains("revo"))
}

fn did_key(subject: &Object) -> Result<PublicKey, CredentialError> {
    let member = "credentialSubject.id";
    subject
        .text(member)?
        .parse()
        .map_err(|_| malformed(member, "the did:key of an Ed25519 key"))
}

fn role(subject: &Object) -> Result<Role, CredentialError> {
    let member = "credentialSubject.role";
    subject
        .text(member)?
        .parse()
        .map_err(|_| malformed(member, "the name of a role"))
}

fn scope(subject: &Object) -> Result<BTreeSet<String>, CredentialError> {
    let member = "credentialSubject.scope";
    let tags = match subject.get(member) {
        None => return Ok(BTreeSet::new()),
        Some(Json::Array(tags)) => tags,
        Some(_) => return Err(malformed(member, "an array of tags")),
    };
    if tags.len() > TAGS_MAX {
        let max = TAGS_MAX;
        return Err(CredentialError::TooMany { member, max });
    }
    let mut scope = BTreeSet::new();
    for tag in tags {
        let tag = tag.name(member)?.to_owned();
        if scope.contains(&tag) {
            return Err(CredentialError::RepeatedTag { tag });
        }
        scope.insert(tag);
    }
    Ok(scope)
}
