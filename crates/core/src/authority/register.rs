//! The register: what admitted ops say about authority.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::grant::{Grant, GrantId};
use super::issuer_key::{IssuerKey, KeyId};
use super::revocation::Revocation;
use super::status_list::{Bit, CountedList, ListKey, ListStanding, list_key};
use crate::credential::Credential;
use crate::dag::Index;
use crate::feature::Feature;
use crate::id::PublicKey;
use crate::name::Name;
use crate::schema_map::SchemaRule;

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
pub(super) struct Named {
    pub(super) op: Index,
    pub(super) name: Name,
    /// The feature, if this program knows it and it allows the parameters.
    pub(super) usable: Option<Feature>,
}

/// What admitted ops say about authority.
#[derive(Debug, Default)]
pub(crate) struct Authority {
    pub(crate) grants: Vec<Grant>,
    pub(super) grants_of: BTreeMap<PublicKey, Vec<GrantId>>,
    pub(super) grants_by_op: BTreeMap<Index, Vec<GrantId>>,
    /// Grants by a key that vouches for them.
    pub(super) grants_by_key: Vec<Vec<GrantId>>,
    /// The bits that credentials under which grants count name, by list.
    pub(super) bits: BTreeMap<ListKey, BTreeMap<u64, Bit>>,
    pub(super) credentials: BTreeMap<Index, Carried>,
    pub(crate) keys: Vec<IssuerKey>,
    pub(super) keys_by_name: BTreeMap<(Name, Name), Vec<KeyId>>,
    pub(super) key_revocations: BTreeMap<(Name, Name), Vec<Index>>,
    pub(super) revocations: BTreeMap<PublicKey, Vec<Revocation>>,
    pub(crate) lists: BTreeMap<ListKey, Vec<CountedList>>,
    pub(super) list_by_op: BTreeMap<Index, ListStanding>,
    /// Rules of the schema map by the op that brings them.
    pub(super) rules: Vec<(Index, BTreeSet<SchemaRule>)>,
    pub(super) features: Vec<Named>,
    /// Sets of grants under which ops were admitted, each stored once.
    pub(super) warrants: Vec<Box<[GrantId]>>,
    pub(super) warrant_ids: BTreeMap<Box<[GrantId]>, u32>,
    pub(super) warrant_of: Vec<u32>,
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
            let versions = self.lists.get(&list_key(credential, entry));
            versions.map_or(&[][..], Vec::as_slice)
        });
        keys.chain(lists.map(|version| version.op)).collect()
    }

    /// The greatest depth of the grants.
    pub(super) fn depth(&self, grants: &[GrantId]) -> u32 {
        let depths = grants.iter().map(|&id| self.grants[id].depth);
        depths.max().unwrap_or(0)
    }
}
