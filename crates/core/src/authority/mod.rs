//! Authority: who may do what, by causal deny-wins (`docs/policy-model.md`).
//!
//! [`Authority`] holds what admitted ops say about grants, issuer keys, denials, features and the schema map, as
//! [`Entry`] registers it; [`judge`] answers from it which denials kill which grants, [`admission`] which grants let an
//! op enter the DAG, [`effect`] what an op of trust or policy does.
//!
//! Nothing here knows payloads: each family of payloads says by itself what it needs and what it does.

mod admission;
mod effect;
mod entry;
mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use admission::{Applicant, Seen};
pub(crate) use effect::Effects;
pub use effect::{Effect, EffectCode};
pub(crate) use entry::Entry;
pub(crate) use judge::{Judge, Kill};

use crate::credential::{Credential, Role, StatusList, StatusPurpose, Timestamp};
use crate::dag::Index;
use crate::feature::Feature;
use crate::id::PublicKey;
use crate::name::{Name, Tags};
use crate::need;
use crate::reason::Refusal;
use crate::schema_map::SchemaRule;

/// Links between genesis and the last grant of a chain of delegation.
pub const DELEGATION_DEPTH_MAX: u32 = 64;

/// Position of a grant in the register.
pub(crate) type GrantId = usize;
/// Position of an issuer key in the register.
pub(crate) type KeyId = usize;

/// What a grant rests on, judged from the past of the grant op.
#[derive(Debug)]
pub(crate) enum Standing {
    /// Genesis names the key as root.
    Genesis,
    /// A credential that issuer keys vouch for.
    Vouched(Vouched),
    /// The grant does not count.
    Void(Void),
}

/// Why a grant or a status list does not count: the reason that ops under it are refused for, and what shows it.
#[derive(Debug, Clone)]
pub(crate) struct Void {
    pub(crate) reason: Refusal,
    pub(crate) code: EffectCode,
    pub(crate) on: Vec<Index>,
}

/// A credential with the issuer keys that verify it.
#[derive(Debug)]
pub(crate) struct Vouched {
    pub(crate) credential: Arc<Credential>,
    pub(crate) carrier: Index,
    pub(crate) keys: Vec<KeyId>,
}

/// A grant to a subject.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) op: Index,
    pub(crate) subject: PublicKey,
    pub(crate) standing: Standing,
    depth: u32,
}

impl Grant {
    /// Role and scope, if the grant counts; root's scope is not bounded.
    pub(crate) fn right(&self) -> Option<(Role, &BTreeSet<String>)> {
        const NOTHING: &BTreeSet<String> = &BTreeSet::new();
        match &self.standing {
            Standing::Genesis => Some((Role::Root, NOTHING)),
            Standing::Vouched(vouched) => {
                Some((vouched.credential.role, &vouched.credential.scope))
            }
            Standing::Void(_) => None,
        }
    }

    /// The credential and its keys, if the grant rests on one.
    pub(crate) const fn vouched(&self) -> Option<&Vouched> {
        match &self.standing {
            Standing::Vouched(vouched) => Some(vouched),
            Standing::Genesis | Standing::Void(_) => None,
        }
    }
}

/// An issuer key as an `IssuerKey` op lists it.
#[derive(Debug)]
pub(crate) struct IssuerKey {
    pub(crate) op: Index,
    pub(crate) issuer: Name,
    pub(crate) kid: Name,
    pub(crate) public_key: PublicKey,
    pub(crate) valid_from_ms: u64,
    pub(crate) valid_until_ms: u64,
}

impl IssuerKey {
    /// Whether the time lies in the key's window.
    fn covers(&self, time: Timestamp) -> bool {
        Timestamp::from_ms(self.valid_from_ms) <= time
            && time < Timestamp::from_ms(self.valid_until_ms)
    }
}

/// How far a `Revoke` reaches, judged from its author's authority.
#[derive(Debug)]
enum RevokeReach {
    Everything,
    Users(BTreeSet<String>),
}

/// A `Revoke` of one subject.
#[derive(Debug)]
pub(crate) struct Revocation {
    pub(crate) op: Index,
    role: Option<Role>,
    scope: Option<Tags>,
    reach: RevokeReach,
}

impl Revocation {
    /// Whether it names grants of that role and scope.
    pub(crate) fn matches(&self, role: Role, scope: &BTreeSet<String>) -> bool {
        self.role.is_none_or(|named| named == role)
            && self
                .scope
                .as_ref()
                .is_none_or(|named| need::meets(named, scope) || role == Role::Root)
    }

    /// Whether its author had authority over grants of that role and scope.
    pub(crate) fn reaches(&self, role: Role, scope: &BTreeSet<String>) -> bool {
        match &self.reach {
            RevokeReach::Everything => true,
            RevokeReach::Users(tags) => !need::is_administrator(role) && !tags.is_disjoint(scope),
        }
    }

    fn kills(&self, grant: &Grant) -> bool {
        grant
            .right()
            .is_some_and(|(role, scope)| self.matches(role, scope) && self.reaches(role, scope))
    }
}

/// A status list that counts: its author was an `issuer_admin` and its JWT verified.
#[derive(Debug)]
pub(crate) struct CountedList {
    pub(crate) op: Index,
    pub(crate) list: StatusList,
}

/// Key of a status list: issuer, list id, purpose.
pub(crate) type ListKey = (String, String, StatusPurpose);

/// A bit of a status list that a credential names under which a grant counts.
#[derive(Debug, Default)]
struct Bit {
    grants: Vec<GrantId>,
    /// The versions that count and set it.
    setters: Vec<Index>,
}

/// What became of a `StatusList` op.
#[derive(Debug)]
enum ListStanding {
    /// It counts: the list and which of its versions.
    Counted(ListKey, usize),
    /// It does not.
    Void(Void),
}

/// A credential in the log, as far as it can be used.
#[derive(Debug, Clone)]
pub(crate) enum Carried {
    /// One that can be read and is for this project.
    Usable(Arc<Credential>),
    /// Its JWT is no credential.
    Unreadable,
    /// Its `aud` does not name this project.
    OtherProject(Arc<Credential>),
}

/// A feature that an op names.
#[derive(Debug)]
struct Named {
    op: Index,
    name: Name,
    /// The feature, if this program knows it and it allows the parameters.
    usable: Option<Feature>,
}

/// What admitted ops say about authority.
#[derive(Debug, Default)]
pub(crate) struct Authority {
    pub(crate) grants: Vec<Grant>,
    grants_of: BTreeMap<PublicKey, Vec<GrantId>>,
    grants_by_op: BTreeMap<Index, Vec<GrantId>>,
    /// Grants by a key that vouches for them.
    grants_by_key: Vec<Vec<GrantId>>,
    /// The bits that credentials under which grants count name, by list.
    bits: BTreeMap<ListKey, BTreeMap<u64, Bit>>,
    credentials: BTreeMap<Index, Carried>,
    pub(crate) keys: Vec<IssuerKey>,
    keys_by_name: BTreeMap<(Name, Name), Vec<KeyId>>,
    key_revocations: BTreeMap<(Name, Name), Vec<Index>>,
    revocations: BTreeMap<PublicKey, Vec<Revocation>>,
    pub(crate) lists: BTreeMap<ListKey, Vec<CountedList>>,
    list_by_op: BTreeMap<Index, ListStanding>,
    /// Rules of the schema map by the op that brings them.
    rules: Vec<(Index, BTreeSet<SchemaRule>)>,
    features: Vec<Named>,
    /// Sets of grants under which ops were admitted, each stored once.
    warrants: Vec<Box<[GrantId]>>,
    warrant_ids: BTreeMap<Box<[GrantId]>, u32>,
    warrant_of: Vec<u32>,
}

impl Authority {
    /// The grants under which the op was admitted, each of which a denial has to kill; empty for genesis.
    pub(crate) fn warrants(&self, op: Index) -> &[GrantId] {
        &self.warrants[self.warrant_of[op] as usize]
    }

    /// The grants that name the subject.
    pub(crate) fn grants_of(&self, subject: &PublicKey) -> &[GrantId] {
        self.grants_of.get(subject).map_or(&[], Vec::as_slice)
    }

    /// The grants that the op makes: one for a `Grant`, one for each root for genesis.
    pub(crate) fn grants_by_op(&self, op: Index) -> &[GrantId] {
        self.grants_by_op.get(&op).map_or(&[], Vec::as_slice)
    }

    /// The grants that rest on the key.
    pub(crate) fn grants_by_key(&self, key: KeyId) -> &[GrantId] {
        &self.grants_by_key[key]
    }

    /// The grants whose credential a bit of the counting list of this op withdraws.
    pub(crate) fn grants_by_list_op(&self, op: Index) -> impl Iterator<Item = GrantId> {
        let counted = match self.list_by_op.get(&op) {
            Some(ListStanding::Counted(key, version)) => {
                Some((&self.lists[key][*version].list, self.bits.get(key)))
            }
            Some(ListStanding::Void(_)) | None => None,
        };
        counted.into_iter().flat_map(|(list, bits)| {
            let set = bits.into_iter().flatten();
            set.filter(|(index, _)| list.get(**index) == Some(true))
                .flat_map(|(_, bit)| bit.grants.iter().copied())
        })
    }

    /// The versions that set the bit of a credential under which a grant counts.
    pub(crate) fn setters(&self, list: &ListKey, index: u64) -> &[Index] {
        let bit = self.bits.get(list).and_then(|bits| bits.get(&index));
        bit.map_or(&[], |bit| bit.setters.as_slice())
    }

    /// The keys that are listed under the issuer's key id.
    pub(crate) fn keys_named(&self, issuer: &Name, kid: &Name) -> &[KeyId] {
        self.keys_by_name
            .get(&(issuer.clone(), kid.clone()))
            .map_or(&[], Vec::as_slice)
    }

    /// The key that the op lists.
    pub(crate) fn key_by_op(&self, op: Index) -> Option<KeyId> {
        self.keys.binary_search_by_key(&op, |key| key.op).ok()
    }

    /// The revocations of the subject.
    pub(crate) fn revocations_of(&self, subject: &PublicKey) -> &[Revocation] {
        self.revocations.get(subject).map_or(&[], Vec::as_slice)
    }

    /// The credential that the op carries, if it is one that can be used.
    pub(crate) fn credential(&self, carrier: Index) -> Option<&Arc<Credential>> {
        match self.credentials.get(&carrier) {
            Some(Carried::Usable(credential)) => Some(credential),
            Some(Carried::Unreadable | Carried::OtherProject(_)) | None => None,
        }
    }

    /// The names of features that this program does not know, as admitted ops name them.
    pub(crate) fn unknown_features(&self) -> BTreeSet<Name> {
        self.features
            .iter()
            .filter(|named| Feature::named(&named.name).is_none())
            .map(|named| named.name.clone())
            .collect()
    }

    /// The ops that a grant of the credential rests on: the issuer keys of its issuer and key id, and the versions of
    /// its status lists.
    pub(crate) fn papers_of(&self, credential: &Credential) -> Vec<Index> {
        let names = (Name::new(&*credential.issuer), Name::new(&*credential.kid));
        let keys = match names {
            (Ok(issuer), Ok(kid)) => self.keys_named(&issuer, &kid),
            (Err(_), _) | (_, Err(_)) => &[],
        };
        let keys = keys.iter().map(|&key| self.keys[key].op);
        let lists = credential.status.iter().flat_map(|entry| {
            let versions = self.lists.get(&entry::list_key(credential, entry));
            versions.map_or(&[][..], Vec::as_slice)
        });
        keys.chain(lists.map(|version| version.op)).collect()
    }
}
