//! Registration: what an op that has been admitted says about authority.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::aim::{Aim, Reached};
use super::content_key::ContentKey;
use super::effect::EffectCode;
use super::grant::{DELEGATION_DEPTH_MAX, Grant, Standing, Void, Vouched};
use super::issuer_key::{IssuerKey, KeyId};
use super::judge::Judge;
use super::leave::Leave;
use super::link::{Link, LinkRevocation};
use super::pages::Pages;
use super::register::{Authority, Carried, Named};
use super::revocation::{Revocation, RevokeReach};
use super::status_list::{Bit, CountedList, ListKey, ListStanding, list_key};
use crate::confidential::{Confidential, Kem};
use crate::costs::Costs;
use crate::credential::{Credential, Role, StatusList, Timestamp};
use crate::dag::{Dag, Index};
use crate::feature::Feature;
use crate::id::{OpId, ProjectId, PublicKey};
use crate::name::{Name, Tags};
use crate::reason::Refusal;
use crate::schema_map::SchemaRule;
use crate::tight;

/// One admitted op on its way into the register.
pub(crate) struct Entry<'a> {
    authority: &'a mut Authority,
    dag: &'a Dag,
    at: Index,
    costs: &'a mut Costs,
}

impl<'a> Entry<'a> {
    /// The op at `at`, which has been admitted with this leave and added to the DAG.
    pub(crate) fn new(
        authority: &'a mut Authority,
        dag: &'a Dag,
        at: Index,
        leave: Leave,
        costs: &'a mut Costs,
    ) -> Self {
        assert_eq!(
            authority.warrant_of.len(),
            at,
            "ops are registered in the order of the DAG"
        );
        let (chain, position) = dag.position(at);
        let id = match leave {
            Leave::Known(id) => id,
            Leave::Titles {
                titles,
                roll,
                answers,
            } => {
                let id = authority.intern(titles.into_boxed_slice(), dag, at);
                authority.keep_roll(chain, roll, answers, id);
                id
            }
        };
        authority.warrant_of.push(id);
        authority.warrants[id as usize].under.push(chain, position);
        Self {
            authority,
            dag,
            at,
            costs,
        }
    }

    /// A root that genesis names.
    pub(crate) fn found(&mut self, root: PublicKey) {
        self.add_grant(root, Standing::Genesis, false, 0);
    }

    /// Rules of the schema map.
    pub(crate) fn add_rules(&mut self, rules: &BTreeSet<SchemaRule>) {
        self.authority.rules.push((self.at, rules.clone()));
        self.takes_quorum();
    }

    /// A feature that the project uses.
    pub(crate) fn add_feature(&mut self, name: &Name, parameters: &[u8]) {
        let terms = self.authority.terms(self.at == 0);
        let known = Feature::named(name);
        let usable = known.filter(|feature| feature.allows(parameters, terms));
        if usable == Some(Feature::Quorum) {
            self.authority.quorum = parameters.first().copied().map_or(0, usize::from);
        }
        if usable == Some(Feature::Confidential)
            && let Some(Confidential { kem, tags }) = Confidential::read(parameters)
        {
            self.authority.marks.insert(self.at, (kem, tags));
        }
        self.authority.features.push(Named {
            op: self.at,
            name: name.clone(),
            usable,
        });
        self.takes_quorum();
    }

    /// A seal of everything in the op's past.
    pub(crate) fn seal(&mut self) {
        self.authority.seals.push(self.at);
        self.authority.turning.insert(self.at, self.at);
        self.takes_quorum();
    }

    /// One more signature under the op.
    pub(crate) fn cosign(&mut self, op: &OpId) {
        let signed = self.dag.find(op).expect("a Cosign names an op of its past");
        let cosigns = &mut self.authority.cosigns;
        cosigns.entry(signed).or_default().push(self.at);
        self.authority.turning.insert(self.at, signed);
    }

    /// Data ops that are reinstated.
    pub(crate) fn endorse(&mut self, ops: &BTreeSet<OpId>) {
        for op in ops {
            let named = self.dag.find(op).expect("an Endorse names ops of its past");
            let endorsements = &mut self.authority.endorsements;
            endorsements.entry(named).or_default().push(self.at);
            let endorsed = self.authority.endorsed.entry(self.at);
            endorsed.or_default().push(named);
        }
    }

    /// A key to which content keys can be sealed for the author.
    pub(crate) fn publish(&mut self, kem: Kem) {
        let author = self.dag.node(self.at).author;
        let keys = self.authority.reader_keys.entry(author).or_default();
        keys.push((self.at, kem));
    }

    /// A content key for fields with these secret tags.
    pub(crate) fn rotate(&mut self, tags: &Tags) {
        let key = ContentKey {
            tags: tags.clone(),
            grants: Vec::new(),
        };
        self.authority.content_keys.insert(self.at, key);
    }

    /// Recipients of a content key.
    pub(crate) fn share(&mut self, key: &OpId, recipients: Arc<Vec<PublicKey>>) {
        let key = self.dag.find(key);
        let key = key.and_then(|at| self.authority.content_keys.get_mut(&at));
        let key = key.expect("a KeyGrant names a KeyRotate of its past");
        key.grants.push((self.at, recipients));
    }

    /// The project.
    pub(crate) fn project(&self) -> ProjectId {
        self.dag.id(0)
    }

    /// A device's link to a person; `proves` is whether the device has signed for it.
    pub(crate) fn link(
        &mut self,
        person: PublicKey,
        key: PublicKey,
        proves: impl FnOnce() -> bool,
    ) {
        let proven = self.authority.verdicts.get_mut().ask(proves);
        let depth = 1 + self.authority.depth(self.authority.warrants(self.at));
        self.costs.signatures_verified += 1;
        let void = if !proven {
            Some(EffectCode::BadProof)
        } else if key == person {
            Some(EffectCode::OwnKey)
        } else {
            (depth > DELEGATION_DEPTH_MAX).then_some(EffectCode::TooDeep)
        };
        let authority = &mut *self.authority;
        let links = authority.links_of.entry(key).or_default();
        links.push(authority.links.len());
        authority.note_title(self.dag, &key);
        authority.links.push(Link {
            op: self.at,
            person,
            key,
            void,
            depth,
            touched: false,
        });
        authority.made_through.push(Vec::new());
        authority.sets_through.push(Vec::new());
        self.authority.makes(self.at);
        let authority = &mut *self.authority;
        let id = authority.links.len() - 1;
        let warrants = authority.warrants(self.at).to_vec();
        let ended = authority.link_revocations.contains_key(&(person, key));
        if ended || warrants.iter().any(|&it| authority.is_touched(it)) {
            authority.touch(vec![Reached::Link(id)], self.at);
        }
        self.takes_quorum();
    }

    /// An end to the links of a person's device.
    pub(crate) fn unlink(&mut self, person: PublicKey, key: PublicKey) {
        let revocation = LinkRevocation {
            op: self.at,
            reach: self.reach(),
        };
        let ends = &mut self.authority.link_revocations;
        ends.entry((person, key)).or_default().push(revocation);
        let links = self.authority.links_of(&key).iter();
        let named = links.filter(|&&link| self.authority.links[link].person == person);
        let named = named.map(|&link| Reached::Link(link)).collect();
        self.authority.touch(named, self.at);
        self.deny(Aim::Link(person, key));
        let author = self.dag.node(self.at).author;
        if author == person || author == key {
            self.authority.own_ends.insert(self.at);
        }
    }

    /// The op is one that a `Cosign` may name.
    fn takes_quorum(&mut self) {
        if self.at != 0 {
            self.authority.quorum_ops.insert(self.at);
        }
    }

    /// The op is a denial.
    fn deny(&mut self, aim: Aim) {
        self.takes_quorum();
        self.authority.turning.insert(self.at, self.at);
        self.authority.denials.insert(self.at, aim);
    }

    /// A credential that grants can refer to.
    pub(crate) fn carry(&mut self, jwt: &str) {
        let read = self
            .authority
            .ahead
            .credentials
            .remove(&self.dag.id(self.at));
        let carried = match read.map_or_else(|| Credential::parse(jwt), Ok) {
            Err(_) => Carried::Unreadable,
            Ok(it) if !it.is_for(&self.dag.id(0)) => Carried::OtherProject(Arc::new(it)),
            Ok(it) => Carried::Usable(Arc::new(it)),
        };
        self.authority.credentials.insert(self.at, carried);
    }

    /// A grant by the credential that an op carries.
    pub(crate) fn grant(&mut self, subject: PublicKey, carrier: &OpId) {
        let depth = 1 + self.authority.depth(self.authority.warrants(self.at));
        let stand = if depth > DELEGATION_DEPTH_MAX {
            Err(Void {
                reason: Refusal::NoGrant,
                code: EffectCode::TooDeep,
                on: Vec::new(),
            })
        } else {
            self.stand(&subject, self.dag.find(carrier), depth)
        };
        let root = self.hands_on_root(carrier);
        if root {
            self.takes_quorum();
        }
        match stand {
            Ok((vouched, depth)) => {
                self.add_grant(subject, Standing::Vouched(vouched), root, depth);
            }
            Err(void) => self.add_grant(subject, Standing::Void(void), root, depth),
        }
    }

    /// Whether the credential op is in the past, can be read, and says `root`.
    fn hands_on_root(&self, carrier: &OpId) -> bool {
        // What no grant could use makes no query that is counted.
        let costs = &mut Costs::default();
        let carrier = self.dag.find(carrier);
        carrier.is_some_and(|at| {
            let says_root = match self.authority.credentials.get(&at) {
                Some(Carried::Usable(it) | Carried::OtherProject(it)) => it.role == Role::Root,
                Some(Carried::Unreadable) | None => false,
            };
            says_root && self.dag.before(at, self.at, costs)
        })
    }

    /// A revocation.
    pub(crate) fn revoke(&mut self, subject: PublicKey, role: Option<Role>, scope: Option<Tags>) {
        let revocation = Revocation {
            op: self.at,
            role,
            scope,
            reach: self.reach(),
        };
        self.authority
            .strike(subject, &revocation, self.dag, self.costs);
        self.authority
            .revocations
            .entry(subject)
            .or_default()
            .push(revocation);
        let by_chain = &mut self.authority.revocations_by_chain;
        by_chain.entry(subject).or_default().push(self.at, self.dag);
        self.deny(Aim::Subject(subject));
        if self.dag.node(self.at).author == subject {
            self.authority.own_ends.insert(self.at);
        }
    }

    /// An issuer's key.
    pub(crate) fn list_key(
        &mut self,
        issuer: &Name,
        kid: &Name,
        public_key: PublicKey,
        (valid_from_ms, valid_until_ms): (u64, u64),
    ) {
        let names = (issuer.clone(), kid.clone());
        let id = self.authority.keys.len();
        self.authority
            .keys_by_name
            .entry(names)
            .or_default()
            .push(id);
        self.authority.grants_by_key.push(Vec::new());
        self.authority.keys.push(IssuerKey {
            op: self.at,
            issuer: issuer.clone(),
            kid: kid.clone(),
            public_key,
            valid_from_ms,
            valid_until_ms,
            touched: false,
        });
        self.authority.makes(self.at);
        let authority = &mut *self.authority;
        let names = (issuer.clone(), kid.clone());
        let revoked = authority.key_revocations.contains_key(&names);
        if revoked || authority.all_touched(authority.warrants(self.at)) {
            authority.touch(vec![Reached::Key(id)], self.at);
        }
    }

    /// A revocation of all keys of that name.
    pub(crate) fn revoke_key(&mut self, issuer: &Name, kid: &Name) {
        let names = (issuer.clone(), kid.clone());
        let (dag, at) = (self.dag, self.at);
        let authority = &mut *self.authority;
        let earlier = authority.key_revocations.entry(names.clone()).or_default();
        let named = authority.keys_by_name.get(&names).cloned();
        let mut struck = Vec::new();
        let mut reached = Vec::new();
        for key in named.into_iter().flatten() {
            reached.push(Reached::Key(key));
            let op = authority.keys[key].op;
            let mut repeats = earlier.iter();
            let costs = &mut *self.costs;
            if !repeats.any(|&it| dag.before(it, at, costs) && !dag.before(it, op, costs)) {
                struck.extend(authority.grants_by_key[key].iter().copied());
            }
        }
        earlier.push(at);
        authority.struck.insert(at, struck);
        authority.touch(reached, at);
        self.deny(Aim::Key(names.0, names.1));
    }

    /// A status list, if it counts.
    pub(crate) fn add_list(&mut self, jwt: &str) {
        let standing = match self.counted_list(jwt) {
            Err(void) => ListStanding::Void(void),
            Ok(list) => {
                let key: ListKey = (list.issuer.clone(), list.id.clone(), list.purpose);
                let (dag, at) = (self.dag, self.at);
                let versions = self.authority.lists.entry(key.clone()).or_default();
                let bits = Pages::of(list.bytes(), versions.last().map(|last| &last.bits));
                self.authority.withdraw(at, (&key, &bits), dag, self.costs);
                let versions = self.authority.lists.entry(key.clone()).or_default();
                versions.push(CountedList { op: at, bits });
                let by_chain = &mut self.authority.versions_by_chain;
                by_chain.entry(key.clone()).or_default().push(self.at, dag);
                ListStanding::Counted(key, versions.len() - 1)
            }
        };
        self.authority.list_by_op.insert(self.at, standing);
        self.deny(Aim::List);
    }

    fn add_grant(
        &mut self,
        subject: PublicKey,
        standing: Standing,
        hands_on_root: bool,
        depth: u32,
    ) {
        let authority = &mut *self.authority;
        let id = authority.grants.len();
        let mut withdrawn = false;
        tight::push(authority.grants_of.entry(subject).or_default(), id);
        authority.note_title(self.dag, &subject);
        tight::push(authority.grants_by_op.entry(self.at).or_default(), id);
        if let Standing::Vouched(vouched) = &standing {
            for &key in &vouched.keys {
                authority.grants_by_key[key].push(id);
            }
            for entry in &vouched.credential.status {
                let key = list_key(&vouched.credential, entry);
                let is_new = !authority
                    .bits
                    .get(&key)
                    .is_some_and(|bits| bits.contains_key(&entry.index));
                let setters = if is_new {
                    authority.first_setters(&key, entry.index, self.dag, self.costs)
                } else {
                    Vec::new()
                };
                let bits = authority.bits.entry(key).or_default();
                let bit = bits.entry(entry.index).or_insert_with(|| Bit {
                    grants: Vec::new(),
                    setters,
                });
                withdrawn |= !bit.setters.is_empty();
                tight::push(&mut bit.grants, id);
            }
        }
        authority.grants.push(Grant {
            op: self.at,
            subject,
            standing,
            hands_on_root,
            depth,
            touched: false,
            killers: Vec::new(),
        });
        authority.made_under.push(Vec::new());
        authority.sets_with.push(Vec::new());
        self.authority.makes(self.at);
        self.authority.meet_revocations(id, self.dag, self.costs);
        let authority = &mut *self.authority;
        if withdrawn
            || !authority.grants[id].killers.is_empty()
            || authority.keys_are_touched(id)
            || authority.all_touched(authority.warrants(self.at))
        {
            authority.touch(vec![Reached::Grant(id)], self.at);
        }
    }

    /// What the grant rests on, and how deep in the chain of delegation it lies.
    fn stand(
        &mut self,
        subject: &PublicKey,
        carrier: Option<Index>,
        depth: u32,
    ) -> Result<(Vouched, u32), Void> {
        let void = |reason, code, on| Err(Void { reason, code, on });
        let past = &self.dag.past(self.at);
        let carrier = carrier.filter(|&carrier| self.dag.contains(past, carrier, self.costs));
        let carried = carrier.and_then(|at| Some((at, self.authority.credentials.get(&at)?)));
        let Some((carrier, carried)) = carried else {
            return void(Refusal::BadCredential, EffectCode::NoCredential, Vec::new());
        };
        let credential = match carried {
            Carried::Usable(credential) if credential.subject == *subject => Arc::clone(credential),
            other => {
                let code = match other {
                    Carried::Usable(_) => EffectCode::OtherSubject,
                    Carried::Unreadable => EffectCode::Unreadable,
                    Carried::OtherProject(_) => EffectCode::OtherProject,
                };
                return void(Refusal::BadCredential, code, vec![carrier]);
            }
        };
        let names = (credential.issuer.as_str(), credential.kid.as_str());
        let stamp = Timestamp::from_ms(self.dag.node(self.at).hlc.physical_ms);
        let keys = self.vouching_keys(names, &[credential.valid_from, stamp], |key| {
            credential.verifies_with(key)
        })?;
        let known = credential.status.iter().all(|entry| {
            let key = list_key(&credential, entry);
            let versions = self
                .authority
                .lists
                .get(&key)
                .map_or(&[][..], Vec::as_slice);
            versions.iter().any(|version| {
                version.bits.get(entry.index).is_some()
                    && self.dag.contains(past, version.op, self.costs)
            })
        });
        if !known {
            return void(
                Refusal::StatusUnknown,
                EffectCode::StatusUnknown,
                vec![carrier],
            );
        }
        let through_key = |&key: &KeyId| {
            let warrants = self.authority.warrants(self.authority.keys[key].op);
            1 + self.authority.depth(warrants)
        };
        let depth = keys.iter().map(through_key).fold(depth, u32::max);
        if depth > DELEGATION_DEPTH_MAX {
            return void(Refusal::NoGrant, EffectCode::TooDeep, Vec::new());
        }
        let vouched = Vouched {
            credential,
            carrier,
            keys,
        };
        Ok((vouched, depth))
    }

    /// The issuer keys in the past that are named, whose window covers the times, that no denial in the past
    /// kills, and that verify. Keys fall out one condition after another; if the last one does, that condition is why.
    fn vouching_keys(
        &mut self,
        (issuer, kid): (&str, &str),
        times: &[Timestamp],
        verifies: impl Fn(&PublicKey) -> bool,
    ) -> Result<Vec<KeyId>, Void> {
        let (authority, dag, past) = (&*self.authority, self.dag, &self.dag.past(self.at));
        let costs = &mut *self.costs;
        let named = match (Name::new(issuer), Name::new(kid)) {
            (Ok(issuer), Ok(kid)) => authority.keys_named(&issuer, &kid),
            _ => &[],
        };
        let mut left: Vec<KeyId> = named.to_vec();
        left.retain(|&id| dag.contains(past, authority.keys[id].op, costs));
        let mut before = Vec::new();
        let mut stage = |code, left: &mut Vec<KeyId>, keep: &mut dyn FnMut(KeyId) -> bool| {
            if left.is_empty() {
                return Ok(());
            }
            before = left.iter().map(|&id| authority.keys[id].op).collect();
            left.retain(|&id| keep(id));
            if left.is_empty() {
                return Err(untrusted(code, core::mem::take(&mut before)));
            }
            Ok(())
        };
        if left.is_empty() {
            return Err(untrusted(EffectCode::UnlistedKey, Vec::new()));
        }
        stage(EffectCode::OutsideWindow, &mut left, &mut |id| {
            times.iter().all(|&time| authority.keys[id].covers(time))
        })?;
        stage(EffectCode::DeadKey, &mut left, &mut |id| {
            let mut judge = Judge::new(dag, authority, costs);
            judge.key_killed_in(id, past).is_none()
        })?;
        stage(EffectCode::BadSignature, &mut left, &mut |id| {
            costs.signatures_verified += 1;
            let mut verdicts = authority.verdicts.borrow_mut();
            verdicts.ask(|| verifies(&authority.keys[id].public_key))
        })?;
        Ok(left)
    }

    /// The status list in the JWT, if it is for this project and an issuer key in the past vouches for it.
    fn counted_list(&mut self, jwt: &str) -> Result<StatusList, Void> {
        let read = self.authority.ahead.lists.remove(&self.dag.id(self.at));
        let list = read.map_or_else(|| StatusList::parse(jwt), Ok);
        let list = list.map_err(|_| untrusted(EffectCode::Unreadable, Vec::new()))?;
        if !list.is_for(&self.dag.id(0)) {
            return Err(untrusted(EffectCode::OtherProject, Vec::new()));
        }
        let names = (list.issuer.as_str(), list.kid.as_str());
        self.vouching_keys(names, &[list.valid_from], |key| list.verifies_with(key))?;
        Ok(list)
    }

    /// How far the `Revoke` reaches.
    fn reach(&self) -> RevokeReach {
        let rights = self
            .authority
            .warrants(self.at)
            .iter()
            .filter_map(|title| self.authority.grants[title.grant].right());
        let mut tags = BTreeSet::new();
        for (role, scope) in rights {
            if role == Role::Root {
                return RevokeReach::Everything;
            }
            tags.extend(scope.iter().cloned());
        }
        RevokeReach::Users(tags)
    }
}

const fn untrusted(code: EffectCode, on: Vec<Index>) -> Void {
    Void {
        reason: Refusal::UntrustedIssuer,
        code,
        on,
    }
}
