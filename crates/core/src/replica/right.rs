//! Rights: who may do what.

use std::collections::BTreeSet;

use super::Replica;
use super::query::Answer;
use crate::authority::{Applicant, Title};
use crate::costs::Costs;
use crate::dag::Past;
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::name::Tags;
use crate::need::{Action, Need, Reach};
use crate::reason::Refusal;

/// That somebody may do something, and under what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allowed {
    /// What allows it; at least one.
    pub warrants: BTreeSet<Warrant>,
}

/// What allows something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Warrant {
    /// The `Grant`, or genesis.
    pub grant: OpId,
    /// The `Device` op, if the key is a device of the person who is granted.
    pub link: Option<OpId>,
}

/// That somebody may not do something, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {}", reason.meaning())]
#[non_exhaustive]
pub struct NotAllowed {
    /// What an op would be refused for: the first reason that holds.
    pub reason: Refusal,
    /// The denial or the grant that shows it, where there is one.
    pub witness: Option<OpId>,
}

impl Replica {
    /// Whether an op by the key with this stamp that had seen all that is here would be authorised, and why not.
    ///
    /// The tags are those of the field for [`Action::Edit`] ([`Replica::tags`]), and the secret ones for [`Action::Read`] and
    /// [`Action::ManageKeys`]; the scope that is handed on for
    /// [`Action::GrantUser`]; the scope that is named, or none, for [`Action::RevokeUser`]; and of no account otherwise.
    /// [`Action::Link`] is for a person other than oneself. For what takes several roots, each signature is asked for by
    /// itself.
    ///
    /// ```
    /// use ecac_core::{Action, Refusal, Tags};
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// let (root, stranger) = (public_key(&key), public_key(&SigningKey::from([2; 32])));
    /// assert!(replica.can(&root, Action::Found, &Tags::new(), 2).is_ok());
    /// let why_not = replica.can(&stranger, Action::Edit, &Tags::new(), 2).value.unwrap_err();
    /// assert_eq!(why_not.reason, Refusal::NoGrant);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn can(
        &self,
        key: &PublicKey,
        action: Action,
        tags: &Tags,
        now_ms: u64,
    ) -> Answer<Result<Allowed, NotAllowed>> {
        let everything = self.log.dag.everything();
        self.answer(self.authorised(key, action, tags, now_ms, &everything))
    }

    /// Every key that [`Replica::can`] allows it, persons and devices, by key. The cost is that of asking for each key that
    /// a grant or a link names.
    ///
    /// ```
    /// use ecac_core::{Action, Tags};
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// let who = replica.who_can(Action::GrantAdministrator, &Tags::new(), 2);
    /// assert_eq!(who[0].0, public_key(&key));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn who_can(
        &self,
        action: Action,
        tags: &Tags,
        now_ms: u64,
    ) -> Answer<Vec<(PublicKey, Allowed)>> {
        let authority = &self.log.authority;
        let persons = authority.grants.iter().map(|grant| grant.subject);
        let devices = authority.links.iter().map(|link| link.key);
        let keys: BTreeSet<PublicKey> = persons.chain(devices).collect();
        let everything = self.log.dag.everything();
        let allowed = |key: PublicKey| {
            let allowed = self.authorised(&key, action, tags, now_ms, &everything);
            let allowed = allowed.ok()?;
            Some((key, allowed))
        };
        self.answer(keys.into_iter().filter_map(allowed).collect())
    }

    fn authorised(
        &self,
        key: &PublicKey,
        action: Action,
        tags: &Tags,
        now_ms: u64,
        everything: &Past,
    ) -> Result<Allowed, NotAllowed> {
        let (dag, costs) = (&self.log.dag, &mut Costs::default());
        let mut seen = self.log.seen(everything, costs);
        let feature = match action {
            Action::Link => Some(Feature::Device),
            Action::Read | Action::ManageKeys => Some(Feature::Confidential),
            Action::Edit
            | Action::Present
            | Action::GrantUser
            | Action::GrantAdministrator
            | Action::RevokeUser
            | Action::RevokeAdministrator
            | Action::Trust
            | Action::Found => None,
        };
        if feature.is_some_and(|feature| !seen.in_force(feature)) {
            return Err(NotAllowed {
                reason: Refusal::UnknownKind,
                witness: None,
            });
        }
        let need = Need {
            reach: reach(action, tags),
            ..Need::any(action)
        };
        let applicant = Applicant {
            author: *key,
            now_ms,
            own: dag.own(key, everything),
        };
        let titles = seen
            .authorise(&need, &applicant)
            .map_err(|why| NotAllowed {
                reason: why.reason,
                witness: why.witness,
            })?;
        Ok(Allowed {
            warrants: titles.into_iter().map(|it| self.warrant(it)).collect(),
        })
    }

    fn warrant(&self, title: Title) -> Warrant {
        let (dag, authority) = (&self.log.dag, &self.log.authority);
        Warrant {
            grant: dag.id(authority.grants[title.grant].op),
            link: title.link.map(|link| dag.id(authority.links[link].op)),
        }
    }
}

/// How the scope of a grant has to lie for the action on these tags.
fn reach(action: Action, tags: &Tags) -> Reach {
    match action {
        Action::Edit | Action::ManageKeys => Reach::Meets(tags.clone()),
        Action::Read if !tags.is_empty() => Reach::Meets(tags.clone()),
        Action::GrantUser => Reach::Contains(tags.iter().map(ToString::to_string).collect()),
        Action::RevokeUser if !tags.is_empty() => Reach::Meets(tags.clone()),
        Action::RevokeUser
        | Action::Present
        | Action::GrantAdministrator
        | Action::RevokeAdministrator
        | Action::Trust
        | Action::Found
        | Action::Read
        | Action::Link => Reach::Any,
    }
}
