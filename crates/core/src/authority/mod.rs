//! Authority: who may do what, by causal deny-wins (ENGINE section 3).
//!
//! [`Authority`] registers what admitted ops say about grants, issuer keys and denials; [`judge`] answers from
//! it which grants let an op enter the DAG and which denials kill them.
//!
//! Where the design leaves a choice:
//! - A grant whose own author's authority is killed is killed with it, also when the denier had seen the grant:
//!   revoking a granter ends, from then on, what the granter handed on.
//! - A `Revoke` reaches no further than its author's authority: root's reaches every grant, a `policy_admin`'s
//!   only grants of `editor` and `reader` whose scope meets the administrator's own.
//! - A status bit kills the credential for good: granting the same credential again does not restore it. An
//!   issuer key that is revoked, or whose op is itself denied, in a grant's past does not count for the grant.
//! - A denial is effective once admitted, even if it is itself denied by a concurrent one; it never denies
//!   itself.
//! - A chain of delegation has at most [`DELEGATION_DEPTH_MAX`] links; what lies deeper is no grant.

mod action;
mod admission;
mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use judge::{Judge, Kill};

use crate::costs::Costs;
use crate::credential::{Credential, Role, StatusList, StatusPurpose, Timestamp};
use crate::dag::{Dag, Index, Past};
use crate::id::PublicKey;
use crate::op::{Genesis, Name, Payload, Tags};
use crate::reason::Refusal;

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
    Void(Refusal),
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
struct Revocation {
    op: Index,
    role: Option<Role>,
    scope: Option<Tags>,
    reach: RevokeReach,
}

impl Revocation {
    fn matches(&self, grant: &Grant) -> bool {
        let Some((role, scope)) = grant.right() else {
            return false;
        };
        let reached = match &self.reach {
            RevokeReach::Everything => true,
            RevokeReach::Users(tags) => !action::is_administrator(role) && !tags.is_disjoint(scope),
        };
        reached
            && self.role.is_none_or(|named| named == role)
            && self
                .scope
                .as_ref()
                .is_none_or(|named| action::meets(named, scope) || role == Role::Root)
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

/// What admitted ops say about authority.
#[derive(Debug, Default)]
pub(crate) struct Authority {
    schema: Option<Genesis>,
    pub(crate) grants: Vec<Grant>,
    grants_of: BTreeMap<PublicKey, Vec<GrantId>>,
    grants_by_op: BTreeMap<Index, Vec<GrantId>>,
    credentials: BTreeMap<Index, Option<Arc<Credential>>>,
    pub(crate) keys: Vec<IssuerKey>,
    pub(crate) keys_by_name: BTreeMap<(Name, Name), Vec<KeyId>>,
    key_revocations: BTreeMap<(Name, Name), Vec<Index>>,
    revocations: BTreeMap<PublicKey, Vec<Revocation>>,
    pub(crate) lists: BTreeMap<ListKey, Vec<CountedList>>,
    /// Sets of grants under which ops were admitted, each stored once.
    warrants: Vec<Box<[GrantId]>>,
    warrant_ids: BTreeMap<Box<[GrantId]>, u32>,
    warrant_of: Vec<u32>,
}

impl Authority {
    /// The schema that genesis declares; nothing is judged before genesis is there.
    pub(crate) fn schema(&self) -> &Genesis {
        self.schema
            .as_ref()
            .expect("genesis is the first op that is admitted")
    }

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

    /// Registers an op that has been admitted under `warrants` and added to the DAG at `at`.
    pub(crate) fn register(
        &mut self,
        dag: &Dag,
        at: Index,
        warrants: Vec<GrantId>,
        costs: &mut Costs,
    ) {
        assert_eq!(
            self.warrant_of.len(),
            at,
            "ops are registered in the order of the DAG"
        );
        let warrants = warrants.into_boxed_slice();
        let next = u32::try_from(self.warrants.len())
            .expect("fewer than 2^32 sets of grants fit in memory");
        let id = *self.warrant_ids.entry(warrants.clone()).or_insert(next);
        if id == next {
            self.warrants.push(warrants);
        }
        self.warrant_of.push(id);
        match &dag.op(at).body().payload {
            Payload::Genesis(genesis) => {
                for root in &genesis.roots {
                    self.add_grant(Grant {
                        op: at,
                        subject: *root,
                        standing: Standing::Genesis,
                        depth: 0,
                    });
                }
                self.schema = Some(genesis.clone());
            }
            Payload::Credential { jwt } => {
                self.credentials
                    .insert(at, Credential::parse(jwt).ok().map(Arc::new));
            }
            Payload::Grant {
                subject,
                credential,
            } => {
                let depth = 1 + self.depth(self.warrants(at));
                let (standing, depth) = if depth > DELEGATION_DEPTH_MAX {
                    (Standing::Void(Refusal::NoGrant), depth)
                } else {
                    self.stand(dag, at, subject, dag.find(credential), depth, costs)
                };
                self.add_grant(Grant {
                    op: at,
                    subject: *subject,
                    standing,
                    depth,
                });
            }
            Payload::Revoke {
                subject,
                role,
                scope,
            } => {
                let revocation = Revocation {
                    op: at,
                    role: *role,
                    scope: scope.clone(),
                    reach: self.reach(at),
                };
                self.revocations
                    .entry(*subject)
                    .or_default()
                    .push(revocation);
            }
            Payload::IssuerKey {
                issuer,
                kid,
                public_key,
                valid_from_ms,
                valid_until_ms,
            } => {
                let named = self
                    .keys_by_name
                    .entry((issuer.clone(), kid.clone()))
                    .or_default();
                named.push(self.keys.len());
                self.keys.push(IssuerKey {
                    op: at,
                    issuer: issuer.clone(),
                    kid: kid.clone(),
                    public_key: *public_key,
                    valid_from_ms: *valid_from_ms,
                    valid_until_ms: *valid_until_ms,
                });
            }
            Payload::IssuerKeyRevoke { issuer, kid, .. } => {
                self.key_revocations
                    .entry((issuer.clone(), kid.clone()))
                    .or_default()
                    .push(at);
            }
            Payload::StatusList { jwt } => {
                if let Some(list) = self.counted_list(dag, dag.past(at), jwt, costs) {
                    let key = (list.issuer.clone(), list.id.clone(), list.purpose);
                    self.lists
                        .entry(key)
                        .or_default()
                        .push(CountedList { op: at, list });
                }
            }
            Payload::SetField { .. } | Payload::SetAdd { .. } | Payload::SetRemove { .. } => {}
        }
    }

    fn add_grant(&mut self, grant: Grant) {
        let id = self.grants.len();
        self.grants_of.entry(grant.subject).or_default().push(id);
        self.grants_by_op.entry(grant.op).or_default().push(id);
        self.grants.push(grant);
    }

    fn depth(&self, grants: &[GrantId]) -> u32 {
        grants
            .iter()
            .map(|&id| self.grants[id].depth)
            .max()
            .unwrap_or(0)
    }

    /// The credential that the op carries, if it is one that can be read.
    pub(crate) fn credential(&self, carrier: Index) -> Option<&Arc<Credential>> {
        self.credentials.get(&carrier)?.as_ref()
    }

    /// What the grant at `at` rests on, and how deep in the chain of delegation it lies.
    fn stand(
        &self,
        dag: &Dag,
        at: Index,
        subject: &PublicKey,
        carrier: Option<Index>,
        depth: u32,
        costs: &mut Costs,
    ) -> (Standing, u32) {
        let past = dag.past(at);
        let carrier = carrier.filter(|&carrier| dag.contains(past, carrier, costs));
        let credential = carrier.and_then(|carrier| Some((carrier, self.credential(carrier)?)));
        let Some((carrier, credential)) = credential.filter(|(_, it)| it.subject == *subject)
        else {
            return (Standing::Void(Refusal::BadCredential), depth);
        };
        let names = (credential.issuer.as_str(), credential.kid.as_str());
        let keys = self.vouching_keys(
            dag,
            past,
            names,
            credential.valid_from,
            costs,
            |key, costs| {
                costs.signatures_verified += 1;
                credential.verifies_with(key)
            },
        );
        if keys.is_empty() {
            return (Standing::Void(Refusal::UntrustedIssuer), depth);
        }
        let known = credential.status.iter().all(|entry| {
            let key = (credential.issuer.clone(), entry.list.clone(), entry.purpose);
            let versions = self.lists.get(&key).map_or(&[][..], Vec::as_slice);
            versions.iter().any(|version| {
                version.list.get(entry.index).is_some() && dag.contains(past, version.op, costs)
            })
        });
        if !known {
            return (Standing::Void(Refusal::StatusUnknown), depth);
        }
        let through_keys = keys
            .iter()
            .map(|&key| 1 + self.depth(self.warrants(self.keys[key].op)));
        let depth = through_keys.max().unwrap_or(0).max(depth);
        if depth > DELEGATION_DEPTH_MAX {
            return (Standing::Void(Refusal::NoGrant), depth);
        }
        (
            Standing::Vouched(Vouched {
                credential: Arc::clone(credential),
                carrier,
                keys,
            }),
            depth,
        )
    }

    /// The issuer keys in the past that are named, whose window covers the time, that no denial in the past
    /// kills, and that verify.
    fn vouching_keys(
        &self,
        dag: &Dag,
        past: &Past,
        (issuer, kid): (&str, &str),
        time: Timestamp,
        costs: &mut Costs,
        verifies: impl Fn(&PublicKey, &mut Costs) -> bool,
    ) -> Vec<KeyId> {
        let (Ok(issuer), Ok(kid)) = (Name::new(issuer), Name::new(kid)) else {
            return Vec::new();
        };
        let Some(named) = self.keys_by_name.get(&(issuer, kid)) else {
            return Vec::new();
        };
        let counts = |&id: &KeyId| {
            let key = &self.keys[id];
            dag.contains(past, key.op, costs)
                && key.covers(time)
                && Judge::new(dag, self, costs)
                    .key_killed_in(id, past)
                    .is_none()
                && verifies(&key.public_key, costs)
        };
        named.iter().copied().filter(counts).collect()
    }

    /// The status list in the JWT, if an issuer key in the past vouches for it.
    fn counted_list(
        &self,
        dag: &Dag,
        past: &Past,
        jwt: &str,
        costs: &mut Costs,
    ) -> Option<StatusList> {
        let list = StatusList::parse(jwt).ok()?;
        let names = (list.issuer.as_str(), list.kid.as_str());
        let keys = self.vouching_keys(dag, past, names, list.valid_from, costs, |key, costs| {
            costs.signatures_verified += 1;
            list.verifies_with(key)
        });
        (!keys.is_empty()).then_some(list)
    }

    /// How far the `Revoke` at `at` reaches.
    fn reach(&self, at: Index) -> RevokeReach {
        let rights = self
            .warrants(at)
            .iter()
            .filter_map(|&id| self.grants[id].right());
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
