//! Sealing: how much of a project stands whatever comes, and whether a seal says what it seals.

use super::Replica;
use super::author::DraftError;
use super::export::sha256;
use super::query::Answer;
use crate::authority::Judge;
use crate::costs::Costs;
use crate::dag::Past;
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::payload::{Payload, Seal};
use crate::snapshot::snapshot;

/// How much of a project final seals have in their pasts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sealing {
    /// The final seals that no other final seal has in its past, by op id.
    pub finals: Vec<OpId>,
    /// The ops that count and that no final seal has in its past, without `Seal`s and `Cosign`s.
    pub unsealed: usize,
    /// The least stamp of those, which is their authors' word, in milliseconds since the Unix epoch.
    pub since_ms: Option<u64>,
}

/// A seal beside what it seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealCheck {
    /// What the `Seal` says.
    pub says: [u8; 32],
    /// The digest of the snapshot of its past, as computed here; `None` if an envelope of it cannot be read here.
    pub computed: Option<[u8; 32]>,
}

impl SealCheck {
    /// Whether the seal says what it seals.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.computed == Some(self.says)
    }
}

impl Replica {
    /// Whether the feature is in force for what is written here now: its kinds of payload are refused otherwise.
    ///
    /// ```
    /// # use ecac_core::{Feature, Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [(Name::new("endorse")?, Vec::new())].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// assert!(replica.uses(Feature::Endorse) && !replica.uses(Feature::Device));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn uses(&self, feature: Feature) -> bool {
        let everything = self.log.dag.everything();
        let costs = &mut Costs::default();
        self.log.seen(&everything, costs).in_force(feature)
    }

    /// How many roots sign together what takes several; 1 where genesis does not say.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// assert_eq!(Replica::join(OpId::from_bytes([0; 32])).quorum(), 1);
    /// ```
    #[must_use]
    pub fn quorum(&self) -> usize {
        self.log.authority.quorum().unwrap_or(1)
    }

    /// How much of the project is sealed, and how much is not. The cost is that of a walk over the decisions.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [(Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &key, 1)?;
    /// assert_eq!(replica.sealing().unsealed, 1);
    /// let seal = replica.seal(&key, 2)?.op;
    /// assert_eq!((replica.sealing().unsealed, &*replica.sealing().finals), (0, &[seal][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sealing(&self) -> Answer<Sealing> {
        let (dag, authority, costs) = (&self.log.dag, &self.log.authority, &mut Costs::default());
        let finals = Judge::new(dag, authority, costs).finals_ever();
        let mut sealed = Past::default();
        for &seal in &finals {
            sealed = dag.with(&sealed, seal);
        }
        let signatures = authority.seals_and_cosigns();
        let mut sealing = Sealing {
            finals: dag.ends(&finals).iter().map(|&it| dag.id(it)).collect(),
            ..Sealing::default()
        };
        sealing.finals.sort_unstable();
        for op in (0..dag.len()).filter(|&op| self.replay.is_applied(op)) {
            if !signatures.contains(&op) && !dag.contains(&sealed, op, costs) {
                let stamp_ms = dag.hlc(op).physical_ms;
                sealing.unsealed += 1;
                sealing.since_ms = Some(sealing.since_ms.map_or(stamp_ms, |it| it.min(stamp_ms)));
            }
        }
        self.answer(sealing)
    }

    /// The `Seal` that [`Replica::seal`] would write, if the author called it now: preview it to see what it would do. The
    /// cost is that of replaying its past.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [(Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &key, 1)?;
    /// let seal = replica.next_seal(public_key(&key), 2)?;
    /// let preview = replica.preview(seal, public_key(&key), 2)?;
    /// assert_eq!(preview.op, replica.seal(&key, 2)?.op);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DraftError`], as [`Replica::preview`]; [`DraftError::Pruned`].
    pub fn next_seal(&self, author: PublicKey, now_ms: u64) -> Result<Seal, DraftError> {
        self.seal_of(author, now_ms, &mut Costs::default())
    }

    /// A `Seal` beside the digest of what it seals, which whoever cosigns it has to compare; `None` for what is no admitted
    /// `Seal`. The cost is that of replaying its past.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// use ecac_core::payload::Seal;
    ///
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [(Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &key, 1)?;
    /// let good = replica.seal(&key, 2)?.op;
    /// assert!(replica.check_seal(&good).is_some_and(|it| it.agrees()));
    /// let bad = replica.author(Seal { digest: [7; 32] }, &key, 3)?.op;
    /// assert!(replica.check_seal(&bad).is_some_and(|it| !it.agrees()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn check_seal(&self, seal: &OpId) -> Option<SealCheck> {
        let body = self.log.body(self.log.dag.find(seal)?)?;
        let Payload::Seal(said) = &body.payload else {
            return None;
        };
        let computed = snapshot(&self.log, &body.parents, &mut Costs::default());
        Some(SealCheck {
            says: said.digest,
            computed: computed.map(|it| sha256(&it)),
        })
    }
}
