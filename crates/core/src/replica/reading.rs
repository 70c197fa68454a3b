//! Questions about confidential tags: which are secret, who holds which key, what a reader was given; and writing what is
//! sealed.

use std::collections::BTreeSet;

use super::author::{AuthorError, Authored, sign};
use super::query::Answer;
use super::signer::Signer;
use super::{Drafted, Replica};
use crate::confidential::{Confidential, Kem};
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::{OpId, PublicKey};
use crate::name::Tags;
use crate::op::Body;
use crate::payload::{Payload, ReaderKey, Share};
use crate::sealed::Sealed;

/// A content key, as far as the log tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentKeyInfo {
    /// The `KeyRotate`.
    pub key: OpId,
    /// The secret tags of the fields that it is for.
    pub tags: Tags,
    /// Who made it.
    pub made_by: PublicKey,
    /// Physical time of its stamp, in milliseconds since the Unix epoch.
    pub made_ms: u64,
    /// Who holds it: its maker, and the recipients of its `KeyGrant`s.
    pub holders: BTreeSet<PublicKey>,
    /// Whether each of them may read its tags now, so that something can be written under it.
    pub is_fresh: bool,
}

impl Replica {
    /// The secret tags of the field, by all that is here; with any, values of it are sealed.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SchemaRule, SigningKey, public_key};
    /// use ecac_core::{Confidential, Kem};
    ///
    /// # let key = SigningKey::from([1; 32]);
    /// # let name = Name::new;
    /// let marks = Confidential { kem: Kem::X25519, tags: [name("hr")?].into() };
    /// let features = [(name("confidential")?, marks.parameters())].into();
    /// # let rule = SchemaRule { object: name("staff/*")?, field: name("*")?, tags: [name("hr")?].into() };
    /// # let genesis = Genesis {
    /// #     name: name("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(), schema: [rule].into(), features,
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// assert_eq!(*replica.secret_tags("staff/7", "salary"), [name("hr")?].into());
    /// assert!(replica.secret_tags("order/1", "status").is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn secret_tags(&self, object: &str, field: &str) -> Answer<Tags> {
        let (everything, costs) = (self.log.dag.everything(), &mut Costs::default());
        let tags = self.log.seen(&everything, costs).secret_tags(object, field);
        self.answer(tags)
    }

    /// What the feature marks, by all that is here: each naming of it that is in force, that of the genesis first; none where
    /// nothing is confidential.
    #[must_use]
    pub fn confidential(&self) -> Answer<Vec<Confidential>> {
        let (everything, costs) = (self.log.dag.everything(), &mut Costs::default());
        let marks = self.log.seen(&everything, costs).marks().into_iter();
        self.answer(
            marks
                .map(|(kem, tags)| Confidential {
                    kem: *kem,
                    tags: tags.clone(),
                })
                .collect(),
        )
    }

    /// The content keys, by (stamp, id), and whether they are fresh at that time. The cost is that of asking for each holder.
    #[must_use]
    pub fn content_keys(&self, now_ms: u64) -> Answer<Vec<ContentKeyInfo>> {
        let (dag, authority) = (&self.log.dag, &self.log.authority);
        let (everything, costs) = (dag.everything(), &mut Costs::default());
        let mut keys: Vec<ContentKeyInfo> = Vec::new();
        for (at, key) in authority.content_keys() {
            let node = dag.node(at);
            let given = key
                .grants
                .iter()
                .flat_map(|(_, recipients)| recipients.iter());
            let stale = self.log.seen(&everything, costs).stale_by(at, now_ms);
            keys.push(ContentKeyInfo {
                key: node.id,
                tags: key.tags.clone(),
                made_by: node.author,
                made_ms: node.hlc.physical_ms,
                holders: given.copied().chain([node.author]).collect(),
                is_fresh: stale.is_none(),
            });
        }
        keys.sort_by_key(|key| (dag.find(&key.key).map(|at| dag.node(at).hlc), key.key));
        self.answer(keys)
    }

    /// Who was given the key by its `KeyGrant`s.
    #[must_use]
    pub fn recipients(&self, key: &OpId) -> BTreeSet<PublicKey> {
        let key = self.log.dag.find(key);
        let key = key.and_then(|at| self.log.authority.content_key(at));
        let given = key.into_iter().flat_map(|key| &key.grants);
        given
            .flat_map(|(_, recipients)| recipients.iter())
            .copied()
            .collect()
    }

    /// What the recipient was given of the key, by the id of the `KeyGrant`.
    #[must_use]
    pub fn shares_for(&self, key: &OpId, recipient: &PublicKey) -> Vec<Share> {
        let (dag, authority) = (&self.log.dag, &self.log.authority);
        let Some(key) = dag.find(key).and_then(|at| authority.content_key(at)) else {
            return Vec::new();
        };
        let given = key.grants.iter();
        let mut given: Vec<Index> = given
            .filter(|(_, recipients)| recipients.binary_search(recipient).is_ok())
            .map(|&(op, _)| op)
            .collect();
        given.sort_unstable_by_key(|&op| dag.id(op));
        let share = |op| self.log.share(op, recipient);
        given.into_iter().filter_map(share).collect()
    }

    /// The key to which content keys are sealed for somebody: of the `ReaderKey`s of a KEM of the project that no other of
    /// theirs has in its past the one with the least op id.
    #[must_use]
    pub fn reader_key(&self, reader: &PublicKey) -> Option<ReaderKey> {
        self.published(reader, &self.kems())
    }

    /// Those of the readers who have such a key, in the order given, each with it.
    pub fn reader_keys<'a>(
        &self,
        readers: impl IntoIterator<Item = &'a PublicKey>,
    ) -> impl Iterator<Item = (PublicKey, ReaderKey)> {
        let kems = self.kems();
        let readers = readers.into_iter();
        readers.filter_map(move |reader| Some((*reader, self.published(reader, &kems)?)))
    }

    fn kems(&self) -> Vec<Kem> {
        let (everything, costs) = (self.log.dag.everything(), &mut Costs::default());
        self.log.seen(&everything, costs).kems()
    }

    fn published(&self, reader: &PublicKey, kems: &[Kem]) -> Option<ReaderKey> {
        let dag = &self.log.dag;
        let published = self.log.authority.reader_keys_of(reader).iter();
        let fit = published.filter(|(_, kem)| kems.contains(kem));
        let fit: Vec<Index> = fit.map(|&(op, _)| op).collect();
        let last = dag.ends(&fit).into_iter().min_by_key(|&op| dag.id(op))?;
        if let Payload::ReaderKey(key) = self.log.body(last)?.payload {
            Some(key)
        } else {
            None
        }
    }

    /// Writes a sealed value, as [`Replica::author`] writes. The payload holds the key, and a ciphertext of the length that
    /// the real one has; `seal` is told the op as it will be but for the value, which it gives. Parents, number and stamp are
    /// part of what a value is sealed for.
    ///
    /// # Errors
    /// [`AuthorError`]; then the replica is as it was. [`DraftError::Unsealed`](super::DraftError::Unsealed) if the payload is no sealed write, or `seal`
    /// gives nothing, or a value under another key.
    pub fn author_sealed(
        &mut self,
        payload: impl Into<Payload>,
        seal: &mut dyn FnMut(&Body) -> Option<Sealed>,
        signer: &dyn Signer,
        now_ms: u64,
    ) -> Result<Authored, AuthorError> {
        let (author, costs) = (signer.public_key(), &mut Costs::default());
        let drafted = self.draft(author, payload.into(), now_ms, costs)?;
        let Drafted { draft, parents } = drafted.sealed(seal, costs)?;
        let op = sign(draft, author, signer, costs)?;
        self.costs.add(costs);
        Ok(self.take_authored(op, parents.unseen))
    }
}
