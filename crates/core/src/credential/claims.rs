//! What credentials and status lists have in common (VC Data Model 2.0 section 4, VC-JOSE-COSE section 3).

use std::collections::BTreeSet;

use super::error::CredentialError;
use super::json::{Json, Object, malformed};
use super::jwt::{Jwt, Signed};
use super::time::Timestamp;
use crate::id::ProjectId;
use crate::limits::AUDIENCES_MAX;

/// The first element of each `@context` (VC Data Model 2.0 section 4.3).
pub(super) const CONTEXT_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// The type of every credential.
pub(super) const TYPE_CREDENTIAL: &str = "VerifiableCredential";

/// The claims of a VC JWT whose envelope is sound and whose registered claims agree with it.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) issuer: String,
    pub(super) kid: String,
    pub(super) id: Option<String>,
    pub(super) audience: Audience,
    pub(super) document: Object,
    pub(super) signed: Signed,
}

impl Claims {
    /// Reads a JWT whose `type` includes [`TYPE_CREDENTIAL`].
    pub(super) fn parse(jwt: &str) -> Result<Self, CredentialError> {
        let Jwt {
            kid,
            claims: document,
            signed,
        } = Jwt::parse(jwt)?;
        document.absent("vc")?;
        document.absent("vp")?;
        check_context(&document)?;
        if !has_type(&document, TYPE_CREDENTIAL)? {
            return Err(malformed("type", "`VerifiableCredential` or with it"));
        }
        let issuer = match document.required("issuer")? {
            Json::Object(issuer) => issuer.url("issuer.id")?,
            issuer => issuer.url("issuer")?,
        };
        let id = match document.get("id") {
            None => None,
            Some(id) => Some(id.url("id")?),
        };
        let subject = document
            .required("credentialSubject")?
            .object("credentialSubject")?;
        let subject_id = match subject.get("credentialSubject.id") {
            None => None,
            Some(id) => Some(id.text("credentialSubject.id")?),
        };
        let audience = Audience::of(&document)?;
        agrees(&document, "iss", "issuer", Some(issuer))?;
        agrees(&document, "jti", "id", id)?;
        agrees(&document, "sub", "credentialSubject.id", subject_id)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            kid,
            id: id.map(str::to_owned),
            audience,
            signed,
            document,
        })
    }

    /// The one object of `credentialSubject`.
    pub(super) fn subject(&self) -> Result<&Object, CredentialError> {
        self.document
            .required("credentialSubject")?
            .object("credentialSubject")
    }

    /// The later of `validFrom` and `nbf`.
    pub(super) fn valid_from(&self) -> Result<Timestamp, CredentialError> {
        let from = self.document.timestamp("validFrom")?;
        let not_before = self.document.numeric_date("nbf")?;
        Ok(not_before.map_or(from, |not_before| from.max(not_before)))
    }

    /// The earlier of `validUntil` and `exp`.
    pub(super) fn valid_until(&self) -> Result<Timestamp, CredentialError> {
        let until = self.document.timestamp("validUntil")?;
        let expires = self.document.numeric_date("exp")?;
        Ok(expires.map_or(until, |expires| until.min(expires)))
    }
}

/// For whom a credential is (`aud`, RFC 7519 section 4.1.3): for everybody, if it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Audience(Option<BTreeSet<String>>);

impl Audience {
    fn of(document: &Object) -> Result<Self, CredentialError> {
        let member = "aud";
        let named = match document.get(member) {
            None => return Ok(Self(None)),
            Some(Json::Array(named)) if named.is_empty() => {
                return Err(malformed(member, "a string or an array of strings"));
            }
            Some(Json::Array(named)) => named.as_slice(),
            Some(one) => core::slice::from_ref(one),
        };
        if named.len() > AUDIENCES_MAX {
            let max = AUDIENCES_MAX;
            return Err(CredentialError::TooMany { member, max });
        }
        let texts = named.iter().map(|it| Ok(it.text(member)?.to_owned()));
        Ok(Self(Some(texts.collect::<Result<_, _>>()?)))
    }

    /// Whether the project is among those that it names.
    pub(super) fn includes(&self, project: &ProjectId) -> bool {
        self.0
            .as_ref()
            .is_none_or(|named| named.contains(&project.to_string()))
    }
}

/// Whether `type` is `name` or an array with it.
pub(super) fn has_type(document: &Object, name: &str) -> Result<bool, CredentialError> {
    let types = match document.required("type")? {
        Json::Array(types) => types.as_slice(),
        one => core::slice::from_ref(one),
    };
    types.iter().try_fold(false, |found, element| {
        Ok(element.text("type")? == name || found)
    })
}

fn check_context(document: &Object) -> Result<(), CredentialError> {
    match document.required("@context")? {
        Json::Array(contexts) if matches!(contexts.first(), Some(Json::Text(first)) if first == CONTEXT_V2) => {
            Ok(())
        }
        _ => Err(malformed(
            "@context",
            "an array that begins with https://www.w3.org/ns/credentials/v2",
        )),
    }
}

/// Errs if the registered claim is there and is not what the credential says in `member`.
fn agrees(
    document: &Object,
    claim: &'static str,
    member: &'static str,
    value: Option<&str>,
) -> Result<(), CredentialError> {
    match document.get(claim) {
        Some(text) if Some(text.text(claim)?) != value => {
            Err(CredentialError::Mismatch { claim, member })
        }
        _ => Ok(()),
    }
}
