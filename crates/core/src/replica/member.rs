//! Members: who has been granted what, and what has become of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Replica;
use super::query::Answer;
use crate::authority::{Effect, Grant, GrantId, Judge, Title};
use crate::costs::Costs;
use crate::credential::{Role, Timestamp};
use crate::id::{OpId, PublicKey};
use crate::reason::DenialReason;

/// A person to whom a grant that counts has been made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The key that grants name.
    pub person: PublicKey,
    /// The grants that count, or counted until something ended them, in order of admission.
    pub grants: Vec<Granted>,
    /// The devices that were linked to the person, in order of admission.
    pub devices: Vec<LinkedDevice>,
}

/// A grant to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Granted {
    /// The `Grant`, or genesis.
    pub grant: OpId,
    /// The role.
    pub role: Role,
    /// The scope; empty for root, which is not bounded.
    pub scope: BTreeSet<String>,
    /// Who made it: the key that signed.
    pub by: PublicKey,
    /// Physical time of its stamp, in milliseconds since the Unix epoch, as its maker's clock had it.
    pub since_ms: u64,
    /// First instant of the credential's validity; `None` for genesis.
    pub valid_from: Option<Timestamp>,
    /// First instant after it; `None` for genesis.
    pub valid_until: Option<Timestamp>,
    /// The issuer of the credential; `None` for genesis.
    pub issuer: Option<String>,
    /// Whether it gives anything now.
    pub standing: Standing,
}

/// A device of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkedDevice {
    /// The device's key.
    pub key: PublicKey,
    /// The `Device` op.
    pub link: OpId,
    /// Who linked it: the key that signed.
    pub by: PublicKey,
    /// Physical time of the link's stamp, in milliseconds since the Unix epoch, as its maker's clock had it.
    pub since_ms: u64,
    /// What the link does, or that it counts for nothing and why.
    pub effect: Option<Effect>,
    /// The grants of the person that it carries and that no denial has ended, for this device.
    pub grants: BTreeSet<OpId>,
}

/// Whether a grant gives anything at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It does.
    Live,
    /// The credential's validity has not begun.
    NotYetValid,
    /// The credential's validity is over.
    Expired,
    /// Too few roots have signed it.
    Short,
    /// A denial ended it.
    Ended {
        /// How: the first reason that holds.
        reason: DenialReason,
        /// The denial.
        denial: OpId,
    },
    /// The person signed two ops with one number, which it had not seen.
    Frozen,
}

impl Member {
    /// Whether a grant of the person gives anything now; a device can be frozen or linked no more all the same.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.grants.iter().any(|it| it.standing == Standing::Live)
    }
}

impl Replica {
    /// Everybody to whom a grant that counts has been made, with what has become of it at that time (milliseconds since the
    /// Unix epoch), by person. Grants that never counted are not among it: see [`Replica::effect`].
    ///
    /// ```
    /// use ecac_core::credential::Role;
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// let members = replica.members(2);
    /// assert!(members[0].is_live());
    /// assert_eq!((members[0].person, members[0].grants[0].role), (public_key(&key), Role::Root));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn members(&self, now_ms: u64) -> Answer<Vec<Member>> {
        let mut members: BTreeMap<PublicKey, Member> = BTreeMap::new();
        for (id, grant) in self.log.authority.grants.iter().enumerate() {
            if let Some(granted) = self.granted(id, grant, now_ms) {
                let new = |person| Member {
                    person,
                    grants: Vec::new(),
                    devices: Vec::new(),
                };
                let person = grant.subject;
                let member = members.entry(person).or_insert_with(|| new(person));
                member.grants.push(granted);
            }
        }
        for (id, link) in self.log.authority.links.iter().enumerate() {
            if let Some(member) = members.get_mut(&link.person) {
                member.devices.push(self.linked(id));
            }
        }
        self.answer(members.into_values().collect())
    }

    fn granted(&self, id: GrantId, grant: &Grant, now_ms: u64) -> Option<Granted> {
        let (role, scope) = grant.right()?;
        let node = self.log.dag.node(grant.op);
        let paper = grant.vouched().map(|vouched| &vouched.credential);
        Some(Granted {
            grant: node.id,
            role,
            scope: scope.clone(),
            by: node.author,
            since_ms: node.hlc.physical_ms,
            valid_from: paper.map(|it| it.valid_from),
            valid_until: paper.map(|it| it.valid_until),
            issuer: paper.map(|it| it.issuer.clone()),
            standing: self.standing(id, grant, now_ms),
        })
    }

    fn standing(&self, id: GrantId, grant: &Grant, now_ms: u64) -> Standing {
        let (dag, costs) = (&self.log.dag, &mut Costs::default());
        let mut judge = Judge::new(dag, &self.log.authority, costs);
        if grant.hands_on_root && !judge.is_full_ever(grant.op) {
            return Standing::Short;
        }
        if let Some(kill) = judge.grant_killed_ever(id) {
            return Standing::Ended {
                reason: kill.reason,
                denial: dag.id(kill.denial),
            };
        }
        if let Some(vouched) = grant.vouched() {
            let paper = &vouched.credential;
            if !paper.valid_from.reached_by_ms(now_ms) {
                return Standing::NotYetValid;
            }
            if paper.valid_until.reached_by_ms(now_ms) {
                return Standing::Expired;
            }
        }
        let seen = dag.own(&grant.subject, &dag.past(grant.op)).surplus;
        if seen == dag.surplus(&grant.subject) {
            Standing::Live
        } else {
            Standing::Frozen
        }
    }

    fn linked(&self, id: usize) -> LinkedDevice {
        let (dag, authority) = (&self.log.dag, &self.log.authority);
        let link = &authority.links[id];
        let node = dag.node(link.op);
        let mut judge_costs = Costs::default();
        let mut judge = Judge::new(dag, authority, &mut judge_costs);
        let mut grants = BTreeSet::new();
        for &grant in authority.grants_of(&link.person) {
            let title = Title {
                grant,
                link: Some(id),
            };
            if judge.carries_ever(id, grant) && judge.title_killed_ever(title).is_none() {
                grants.insert(dag.id(authority.grants[grant].op));
            }
        }
        LinkedDevice {
            key: link.key,
            link: node.id,
            by: node.author,
            since_ms: node.hlc.physical_ms,
            effect: self.effect(&node.id),
            grants,
        }
    }
}
