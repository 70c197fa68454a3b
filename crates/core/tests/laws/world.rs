//! The people, papers and the project that histories are made of.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ecac_core::credential::mint::{CredentialClaims, mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::{
    Body, Genesis, Hlc, Name, OpId, Payload, PublicKey, SchemaRule, SigningKey, Tags, Value,
    VerifiedOp, public_key,
};

/// When the history begins, in milliseconds; credentials and keys may be older.
pub(crate) const START_MS: u64 = 1_000_000;
/// The end of windows that do not matter.
pub(crate) const FAR_MS: u64 = 1_000_000_000;

/// A pair of keys.
pub(crate) struct Person {
    pub(crate) secret: SigningKey,
    pub(crate) public: PublicKey,
}

/// The person of this number: the same in every run.
pub(crate) fn person(number: u8) -> &'static Person {
    static PEOPLE: LazyLock<Vec<Person>> = LazyLock::new(|| {
        let make = |seed: u8| {
            let secret = SigningKey::from([seed + 1; 32]);
            Person {
                public: public_key(&secret),
                secret,
            }
        };
        (0..32).map(make).collect()
    });
    &PEOPLE[usize::from(number)]
}

/// The people who own projects.
pub(crate) const ROOTS: [u8; 3] = [0, 1, 2];
/// The first of the issuers' signing keys.
pub(crate) const ISSUER_KEYS: u8 = 24;

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).expect("names in tests are short")
}

/// The tags `a` to `h` whose bit is set.
pub(crate) fn scope(bits: u8) -> BTreeSet<String> {
    let letters = (0..8).filter(|bit| bits & (1 << bit) != 0);
    letters
        .map(|bit| char::from(b'a' + bit).to_string())
        .collect()
}

pub(crate) fn tags(bits: u8) -> Tags {
    scope(bits).iter().map(|tag| name(tag)).collect()
}

/// Genesis of a project in which `doc/*` has `title` (tag a) and `body` (tag b), everything of `doc/2` has
/// tag c also, and other objects have no tags.
pub(crate) fn genesis(nonce: u8) -> VerifiedOp {
    let rule = |object, field, bits| SchemaRule {
        object: name(object),
        field: name(field),
        tags: tags(bits),
    };
    let payload = Payload::Genesis(Genesis {
        name: name("laws"),
        nonce: [nonce; 16],
        roots: ROOTS.map(|root| person(root).public).into(),
        schema: [
            rule("doc/*", "title", 0b001),
            rule("doc/*", "body*", 0b010),
            rule("doc/2", "*", 0b100),
        ]
        .into(),
    });
    let hlc = Hlc {
        physical_ms: START_MS,
        logical: 0,
        node: 0,
    };
    sign(0, 0, Vec::new(), hlc, payload)
}

/// An op as its author makes it, whether it is sound or not.
pub(crate) fn sign(
    author: u8,
    seq: u64,
    mut parents: Vec<OpId>,
    hlc: Hlc,
    payload: Payload,
) -> VerifiedOp {
    parents.sort_unstable();
    parents.dedup();
    let author = person(author);
    let body = Body {
        author: author.public,
        seq,
        parents,
        hlc,
        payload,
    };
    VerifiedOp::sign(body, &author.secret).expect("ops in tests keep the limits")
}

pub(crate) fn issuer(number: u8) -> String {
    format!("https://issuer-{number}.example")
}

pub(crate) fn kid(number: u8) -> String {
    format!("key-{number}")
}

pub(crate) fn list_id(number: u8) -> String {
    format!("https://lists.example/{number}")
}

/// Who signs a credential or a status list: issuer, key id, and the signing key, which may be another's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hand {
    pub(crate) issuer: u8,
    pub(crate) kid: u8,
    pub(crate) key: u8,
}

/// The hand that every project here trusts first.
pub(crate) const FIRST: Hand = Hand {
    issuer: 0,
    kid: 0,
    key: 0,
};

impl Hand {
    fn secret(self) -> &'static SigningKey {
        &person(ISSUER_KEYS + self.key).secret
    }

    /// The op that trusts this hand.
    pub(crate) fn trusted(self, (from_ms, until_ms): (u64, u64)) -> Payload {
        Payload::IssuerKey {
            issuer: name(&issuer(self.issuer)),
            kid: name(&kid(self.kid)),
            public_key: person(ISSUER_KEYS + self.key).public,
            valid_from_ms: from_ms,
            valid_until_ms: until_ms,
        }
    }

    /// The op that ends the trust in this hand.
    pub(crate) fn distrusted(self) -> Payload {
        Payload::IssuerKeyRevoke {
            issuer: name(&issuer(self.issuer)),
            kid: name(&kid(self.kid)),
            reason: name("lost"),
        }
    }

    /// A status list.
    pub(crate) fn list(self, list: u8, suspension: bool, from_ms: u64, bits: &[u64]) -> Payload {
        let jwt = mint_status_list(
            self.secret(),
            &issuer(self.issuer),
            &kid(self.kid),
            &list_id(list),
            StatusPurpose::ALL[usize::from(suspension)],
            from_ms,
            0,
            &bits.iter().copied().collect(),
        );
        Payload::StatusList { jwt }
    }

    /// A credential.
    pub(crate) fn credential(
        self,
        subject: u8,
        role: Role,
        scope_bits: u8,
        (from_ms, until_ms): (u64, u64),
        status: &[(u8, bool, u64)],
    ) -> Payload {
        let entry = |&(list, suspension, index): &(u8, bool, u64)| StatusRef {
            list: list_id(list),
            index,
            purpose: StatusPurpose::ALL[usize::from(suspension)],
        };
        let claims = CredentialClaims {
            issuer: issuer(self.issuer),
            kid: kid(self.kid),
            id: None,
            subject: person(subject).public,
            role,
            scope: scope(scope_bits),
            valid_from_ms: from_ms,
            valid_until_ms: until_ms,
            status: status.iter().map(entry).collect(),
        };
        Payload::Credential {
            jwt: mint_credential(self.secret(), &claims),
        }
    }
}

pub(crate) fn set(object: &str, field: &str, value: i64) -> Payload {
    Payload::SetField {
        object: name(object),
        field: name(field),
        value: Value::Int(value),
    }
}

pub(crate) fn add(object: &str, field: &str, element: &str) -> Payload {
    let value = Value::Text(element.to_owned());
    Payload::SetAdd {
        object: name(object),
        field: name(field),
        element: name(element),
        value,
    }
}

pub(crate) fn remove(object: &str, field: &str, element: &str) -> Payload {
    Payload::SetRemove {
        object: name(object),
        field: name(field),
        element: name(element),
    }
}

pub(crate) fn revoke(subject: u8, role: Option<Role>, scope: Option<u8>) -> Payload {
    let scope = scope.filter(|bits| *bits != 0).map(tags);
    Payload::Revoke {
        subject: person(subject).public,
        role,
        scope,
    }
}
