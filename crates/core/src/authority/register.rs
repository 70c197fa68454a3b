//! The register: what admitted ops say about authority.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ahead::Ahead;
use super::aim::Aim;
use super::by_chain::ByChain;
use super::content_key::ContentKey;
use super::grant::{Grant, GrantId};
use super::holders::{Holders, Touched};
use super::issuer_key::{IssuerKey, KeyId};
use super::link::{Link, LinkRevocation};
use super::revocation::Revocation;
use super::roll::{Roll, TagsId};
use super::status_list::{Bit, CountedList, ListKey, ListStanding, list_key};
use super::title::{LinkId, Title};
use super::verdicts::Verdicts;
use super::warrants::{Warrants, WarrantsId};
use crate::confidential::Kem;
use crate::costs::Costs;
use crate::credential::Credential;
use crate::dag::{Dag, Index};
use crate::feature::{Feature, Terms};
use crate::id::PublicKey;
use crate::name::{Name, Tags};
use crate::numbers::Numbers;
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
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) op: Index,
    pub(super) name: Name,
    /// The feature, if this program knows it and it allows the parameters.
    pub(super) usable: Option<Feature>,
}

/// What admitted ops say about authority.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authority {
    pub(crate) grants: Vec<Grant>,
    pub(super) grants_of: BTreeMap<PublicKey, Vec<GrantId>>,
    pub(super) grants_by_op: BTreeMap<Index, Vec<GrantId>>,
    /// Grants by a key that vouches for them.
    pub(super) grants_by_key: Vec<Vec<GrantId>>,
    /// By grant, and by link: the ops admitted under it that make grants, keys and links.
    pub(super) made_under: Vec<Vec<Index>>,
    pub(super) made_through: Vec<Vec<Index>>,
    /// By grant, and by link: the sets of titles that have it.
    pub(super) sets_with: Vec<Vec<WarrantsId>>,
    pub(super) sets_through: Vec<Vec<WarrantsId>>,
    /// The sets of titles of which a denial touches each, with the op by which the last of them came to be touched.
    pub(super) touched_sets: BTreeMap<WarrantsId, Index>,
    /// The grants of a subject that no revocation ends.
    pub(super) open: BTreeMap<PublicKey, Vec<GrantId>>,
    /// The revocations of a subject that no other one had seen.
    pub(super) revocation_ends: BTreeMap<PublicKey, Vec<Index>>,
    /// By denial: the grants that it ends by itself and that no denial in its past does.
    pub(super) struck: BTreeMap<Index, Vec<GrantId>>,
    /// The bits that any version of a list sets.
    pub(super) bits_set: BTreeMap<ListKey, Vec<u8>>,
    /// The bits that credentials under which grants count name, by list.
    pub(super) bits: BTreeMap<ListKey, BTreeMap<u64, Bit>>,
    pub(super) credentials: BTreeMap<Index, Carried>,
    pub(crate) ahead: Ahead,
    pub(crate) keys: Vec<IssuerKey>,
    pub(super) keys_by_name: BTreeMap<(Name, Name), Vec<KeyId>>,
    pub(super) key_revocations: BTreeMap<(Name, Name), Vec<Index>>,
    pub(super) revocations: BTreeMap<PublicKey, Vec<Revocation>>,
    pub(super) revocations_by_chain: BTreeMap<PublicKey, ByChain>,
    pub(crate) lists: BTreeMap<ListKey, Vec<CountedList>>,
    pub(super) versions_by_chain: BTreeMap<ListKey, ByChain>,
    pub(super) list_by_op: BTreeMap<Index, ListStanding>,
    /// Rules of the schema map by the op that brings them.
    pub(super) rules: Vec<(Index, BTreeSet<SchemaRule>)>,
    pub(super) features: Vec<Named>,
    /// What the feature `confidential` marks, by the op that names it with parameters that it allows.
    pub(super) marks: BTreeMap<Index, (Kem, Tags)>,
    /// By `KeyRotate`.
    pub(super) content_keys: BTreeMap<Index, ContentKey>,
    /// What has been found out of the holders of each.
    pub(super) holders: RefCell<BTreeMap<Index, Holders>>,
    pub(super) touched: Touched,
    /// The `ReaderKey`s of each author, in order of admission.
    pub(super) reader_keys: BTreeMap<PublicKey, Vec<(Index, Kem)>>,
    /// Sets of grants under which ops were admitted, each stored once.
    pub(super) warrants: Vec<Warrants>,
    pub(super) warrant_ids: BTreeMap<Box<[Title]>, WarrantsId>,
    pub(super) warrant_of: Numbers,
    /// By chain.
    pub(super) rolls: Vec<Roll>,
    /// The tags that genesis gives to each field, each set of them stored once.
    pub(super) field_tags: Vec<TagsId>,
    pub(super) tag_sets: Vec<Tags>,
    /// Of each such set the tags that genesis marks as confidential.
    pub(super) secret_sets: Vec<Tags>,
    /// How many roots sign together; 0, which stands for 1, where genesis does not say.
    pub(super) quorum: usize,
    /// Ops that a `Cosign` may name, and of these the denials, with what they name.
    pub(super) quorum_ops: BTreeSet<Index>,
    pub(super) denials: BTreeMap<Index, Aim>,
    /// Revocations by which an author ends what is its own.
    pub(super) own_ends: BTreeSet<Index>,
    pub(super) seals: Vec<Index>,
    /// Ops that can turn the decision on any op, with what acts by them: denials and `Seal`s, which act by themselves, and
    /// `Cosign`s.
    pub(super) turning: BTreeMap<Index, Index>,
    /// What each `Endorse` reinstates: the only ops whose decisions it turns, since nothing rests on data.
    pub(super) endorsed: BTreeMap<Index, Vec<Index>>,
    /// `Cosign` ops by what they sign.
    pub(super) cosigns: BTreeMap<Index, Vec<Index>>,
    /// `Endorse` ops by what they reinstate.
    pub(super) endorsements: BTreeMap<Index, Vec<Index>>,
    pub(crate) links: Vec<Link>,
    pub(super) links_of: BTreeMap<PublicKey, Vec<LinkId>>,
    pub(super) link_revocations: BTreeMap<(PublicKey, PublicKey), Vec<LinkRevocation>>,
    pub(super) verdicts: RefCell<Verdicts>,
    /// What has been found out of which link carries which grant.
    pub(super) carried: RefCell<BTreeMap<(LinkId, GrantId), bool>>,
}

impl Authority {
    /// The grants under which the op was admitted, each of which a denial has to kill; empty for genesis.
    pub(crate) fn warrants(&self, op: Index) -> &[Title] {
        &self.warrants_of(op).titles
    }

    /// The same, with what is known of the set.
    pub(super) fn warrants_of(&self, op: Index) -> &Warrants {
        &self.warrants[self.warrant_of.at(op) as usize]
    }

    /// What lets the op be applied in every set of ops, whatever else there is: the least of its grants if no denial touches any
    /// of its titles, the op itself if it needs none. The evaluation counts if it ends here.
    pub(crate) fn decided_at_once(&self, op: Index, costs: &mut Costs) -> Option<Index> {
        let warrants = self.warrants_of(op);
        let is_free = warrants.titles.is_empty();
        let decided = warrants.untouched().or_else(|| is_free.then_some(op))?;
        costs.ops_evaluated += 1;
        Some(decided)
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
                Some((&self.lists[key][*version].bits, self.bits.get(key)))
            }
            Some(ListStanding::Void(_)) | None => None,
        };
        counted.into_iter().flat_map(|(list, bits)| {
            let set = bits.into_iter().flatten();
            set.filter(|(index, _)| list.get(**index) == Some(true))
                .flat_map(|(_, bit)| bit.grants.iter().copied())
        })
    }

    /// The versions that set the bit of a credential under which a grant counts, without those that had seen another.
    pub(crate) fn setters(&self, list: &ListKey, index: u64) -> &[Index] {
        let bit = self.bits.get(list).and_then(|bits| bits.get(&index));
        bit.map_or(&[], |bit| bit.setters.as_slice())
    }

    /// Whether the version of the list that the op brings sets the bit.
    pub(super) fn sets(&self, list: &ListKey, op: Index, index: u64) -> bool {
        let versions = self.lists.get(list).map_or(&[][..], Vec::as_slice);
        let version = versions.binary_search_by_key(&op, |it| it.op);
        version.is_ok_and(|at| versions[at].bits.get(index) == Some(true))
    }

    /// The versions of the list that set the bit.
    pub(super) fn all_setters(&self, list: &ListKey, index: u64) -> impl Iterator<Item = Index> {
        let versions = self.lists.get(list).into_iter().flatten();
        let setting = versions.filter(move |it| it.bits.get(index) == Some(true));
        setting.map(|it| it.op)
    }

    /// The same without those that had seen another.
    pub(super) fn first_setters(
        &self,
        list: &ListKey,
        index: u64,
        dag: &Dag,
        costs: &mut Costs,
    ) -> Vec<Index> {
        let byte = usize::try_from(index / 8).ok();
        let set = self.bits_set.get(list);
        let byte = byte.and_then(|byte| set.and_then(|set| set.get(byte)));
        let mut first: Vec<Index> = Vec::new();
        if byte.is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0) {
            for op in self.all_setters(list, index) {
                if !first.iter().any(|&known| dag.before(known, op, costs)) {
                    first.push(op);
                }
            }
        }
        first
    }

    /// The keys that are listed under the issuer's key id.
    pub(crate) fn keys_named(&self, issuer: &Name, kid: &Name) -> &[KeyId] {
        self.keys_by_name
            .get(&(issuer.clone(), kid.clone()))
            .map_or(&[], Vec::as_slice)
    }

    /// The one key that is listed under the issuer's key id, if it is one.
    pub(crate) fn only_key(&self, issuer: &str, kid: &str) -> Option<PublicKey> {
        let (issuer, kid) = (Name::new(issuer).ok()?, Name::new(kid).ok()?);
        match self.keys_named(&issuer, &kid) {
            [only] => Some(self.keys[*only].public_key),
            _ => None,
        }
    }

    /// The key that the op lists.
    pub(crate) fn key_by_op(&self, op: Index) -> Option<KeyId> {
        self.keys.binary_search_by_key(&op, |key| key.op).ok()
    }

    /// The revocations of the subject.
    pub(crate) fn revocations_of(&self, subject: &PublicKey) -> &[Revocation] {
        self.revocations.get(subject).map_or(&[], Vec::as_slice)
    }

    /// The revocation of the subject that the op is.
    pub(super) fn revocation(&self, subject: &PublicKey, op: Index) -> &Revocation {
        let of = self.revocations_of(subject);
        let at = of.binary_search_by_key(&op, |it| it.op);
        &of[at.expect("the op is a revocation of the subject")]
    }

    /// The credential that the op carries, if it is one that can be used.
    pub(crate) fn credential(&self, carrier: Index) -> Option<&Arc<Credential>> {
        match self.credentials.get(&carrier) {
            Some(Carried::Usable(credential)) => Some(credential),
            Some(Carried::Unreadable | Carried::OtherProject(_)) | None => None,
        }
    }

    /// The features that this program does not know, and the admitted ops that name them.
    pub(super) fn unknown_features(&self) -> impl Iterator<Item = (Index, &Name)> {
        let named = self.features.iter().map(|it| (it.op, &it.name));
        named.filter(|(_, name)| Feature::named(name).is_none())
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

    /// The greatest depth of the titles.
    pub(super) fn depth(&self, titles: &[Title]) -> u32 {
        let depth = |title: &Title| {
            let link = title.link.map_or(0, |link| self.links[link].depth);
            self.grants[title.grant].depth.max(link)
        };
        titles.iter().map(depth).max().unwrap_or(0)
    }

    /// The titles of the key: its grants, and those of the persons whom it is linked to.
    pub(crate) fn titles_of(&self, key: &PublicKey) -> Vec<Title> {
        let own = self.grants_of(key).iter().map(|&grant| Title::own(grant));
        let links = self.links_of(key).iter().flat_map(|&link| {
            let grants = self.grants_of(&self.links[link].person).iter();
            grants.map(move |&grant| Title {
                grant,
                link: Some(link),
            })
        });
        own.chain(links).collect()
    }

    /// The links of the device.
    pub(crate) fn links_of(&self, key: &PublicKey) -> &[LinkId] {
        self.links_of.get(key).map_or(&[], Vec::as_slice)
    }

    /// The ops that end links of the person's device.
    pub(crate) fn unlinking(
        &self,
        person: &PublicKey,
        key: &PublicKey,
    ) -> impl Iterator<Item = Index> {
        let ends = self.link_revocations.get(&(*person, *key));
        ends.into_iter().flatten().map(|it| it.op)
    }

    /// The `Cosign`s of the op.
    pub(crate) fn cosigns_of(&self, op: Index) -> &[Index] {
        self.cosigns.get(&op).map_or(&[], Vec::as_slice)
    }

    /// Whether no rule but those of grants and denials has anything to do: what is decided turns at most once.
    pub(crate) fn is_plain(&self) -> bool {
        self.quorum <= 1
            && self.seals.is_empty()
            && self.links.is_empty()
            && self.endorsements.is_empty()
    }

    /// The content keys, in order of admission of their `KeyRotate`s.
    pub(crate) fn content_keys(&self) -> impl Iterator<Item = (Index, &ContentKey)> {
        self.content_keys.iter().map(|(&op, key)| (op, key))
    }

    /// The content key that the op makes.
    pub(crate) fn content_key(&self, op: Index) -> Option<&ContentKey> {
        self.content_keys.get(&op)
    }

    /// The `ReaderKey`s of the author, with their KEMs.
    pub(crate) fn reader_keys_of(&self, author: &PublicKey) -> &[(Index, Kem)] {
        self.reader_keys.get(author).map_or(&[], Vec::as_slice)
    }

    /// Whether any value can be confidential.
    pub(crate) fn has_secrets(&self) -> bool {
        !self.marks.is_empty()
    }

    /// The seals, in order of admission.
    pub(crate) fn seals(&self) -> &[Index] {
        &self.seals
    }

    /// The ops that a `Cosign` may name, but for those of genesis, in order of admission.
    pub(crate) fn quorum_ops(&self) -> impl Iterator<Item = Index> {
        self.quorum_ops.iter().copied()
    }

    /// The `Seal`s and the `Cosign`s of any op.
    pub(crate) fn seals_and_cosigns(&self) -> BTreeSet<Index> {
        let cosigns = self.cosigns.values().flatten();
        self.seals.iter().chain(cosigns).copied().collect()
    }

    /// What decides whether a feature can be in force.
    pub(super) fn terms(&self, genesis: bool) -> Terms {
        Terms {
            roots: self.grants_by_op(0).len(),
            quorum: self.quorum.max(1),
            genesis,
        }
    }

    /// k, if genesis says how many roots sign together.
    pub(crate) fn quorum(&self) -> Option<usize> {
        (self.quorum > 0).then_some(self.quorum)
    }
}
