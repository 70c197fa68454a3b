//! Questions about the data and about ops.

use core::ops::Deref;
use std::collections::{BTreeMap, BTreeSet};

use super::Replica;
use super::place::{Element, Shown};
use crate::authority::Effect;
use crate::costs::Costs;
use crate::explain::{Explanation, explain};
use crate::id::OpId;
use crate::log::Behind;
use crate::name::Tags;
use crate::place::Object;
use crate::replay::Decision;

/// An answer, and whether this program can know all of it.
///
/// It derefs to the value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer<T> {
    /// The answer, by what this program can judge.
    pub value: T,
    /// How far it is behind the project, if it is: then the answer is not the whole truth.
    pub behind: Option<Behind>,
}

impl<T> Deref for Answer<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Replica {
    pub(super) fn answer<T>(&self, value: T) -> Answer<T> {
        Answer {
            value,
            behind: self.behind(),
        }
    }

    /// What the register shows: its concurrent winners, and of them the one to display. The cost is that of a look-up and
    /// of what is shown.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// # let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// let status = replica.get("order/1", "status");
    /// assert!(status.is_none() && status.behind.is_none());
    /// ```
    #[must_use]
    pub fn get(&self, object: &str, field: &str) -> Answer<Option<Shown>> {
        let place = self.log.places.at(object, field, None);
        let shown = |place| Shown::of(&self.log, self.replay.state(), place);
        self.answer(place.and_then(shown))
    }

    /// The elements of the set, by their names.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
    /// use ecac_core::payload::SetAdd;
    ///
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let mut replica = Replica::create(genesis, &key, 1)?;
    /// let name = Name::new;
    /// for part in ["screen", "battery"] {
    ///     let (object, field, element) = (name("order/1")?, name("parts")?, name(part)?);
    ///     replica.author(SetAdd { object, field, element, value: Value::Int(1) }, &key, 2)?;
    /// }
    /// let parts = replica.set("order/1", "parts");
    /// assert_eq!(parts.iter().map(|it| &*it.name).collect::<Vec<_>>(), ["battery", "screen"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn set(&self, object: &str, field: &str) -> Answer<Vec<Element>> {
        let (log, state) = (&self.log, self.replay.state());
        let field = log.places.field(object, field);
        let elements = field.into_iter().flat_map(|field| field.elements.iter());
        let elements = elements.filter_map(|(name, &place)| Element::of(log, state, name, place));
        self.answer(elements.collect())
    }

    /// The objects whose names begin so and that have a field or an element, in their order.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// # let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// for object in replica.objects("order/").iter() {
    ///     println!("{object}");
    /// }
    /// ```
    #[must_use]
    pub fn objects(&self, prefix: &str) -> Answer<Vec<String>> {
        let state = self.replay.state();
        let objects = self.log.places.beginning(prefix);
        let shown = objects.filter(|(_, object)| object.places().any(|it| !state.is_bare(it)));
        self.answer(shown.map(|(name, _)| name.to_owned()).collect())
    }

    /// The names of the fields of the object that show something, as registers or as sets, in the order of their bytes. The
    /// cost is that of a look-up and of the object, whatever else there is in the project.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
    /// use ecac_core::payload::SetField;
    ///
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let mut replica = Replica::create(genesis, &key, 1)?;
    /// for field in ["status", "price"] {
    ///     replica.author(SetField::new("order/1", field, Value::Int(1))?, &key, 2)?;
    /// }
    /// assert_eq!(*replica.fields("order/1"), ["price", "status"]);
    /// assert!(replica.fields("order/2").is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn fields(&self, object: &str) -> Answer<Vec<String>> {
        let state = self.replay.state();
        let object = self.log.places.objects().get(object);
        let fields = object.into_iter().flat_map(Object::fields);
        let shown = fields.filter(|(_, field)| field.places().any(|it| !state.is_bare(it)));
        self.answer(shown.map(|(name, _)| name.to_owned()).collect())
    }

    /// The tags of the field, by all rules of the schema map that are in force.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SchemaRule, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// let name = Name::new;
    /// let rule = SchemaRule {
    ///     object: name("order/*")?,
    ///     field: name("status")?,
    ///     tags: [name("repair")?].into(),
    /// };
    /// # let genesis = Genesis {
    /// #     name: name("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [rule].into(), features: [].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// assert_eq!(*replica.tags("order/1", "status"), [name("repair")?].into());
    /// assert!(replica.tags("order/1", "price").is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn tags(&self, object: &str, field: &str) -> Answer<Tags> {
        let (everything, costs) = (self.log.dag.everything(), &mut Costs::default());
        let tags = self.log.seen(&everything, costs).tags(object, field);
        self.answer(tags)
    }

    /// What is decided of an op; `None` for one that is not held.
    ///
    /// ```
    /// # use ecac_core::{Decision, Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// let grant = replica.project();
    /// assert_eq!(replica.decision(&grant), Some(Decision::Applied { grant }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn decision(&self, op: &OpId) -> Option<Decision> {
        self.replay.decision(&self.log, op)
    }

    /// What is decided of every op that is held, by op id.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert!(replica.decisions().is_empty());
    /// ```
    #[must_use]
    pub fn decisions(&self) -> BTreeMap<OpId, Decision> {
        self.replay.decisions(&self.log)
    }

    /// How many of the admitted ops count; the others are denied. The cost is that of a walk over the verdicts.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// let replica = Replica::create(genesis, &key, 1)?;
    /// assert_eq!(replica.applied_count(), replica.log().admitted_count());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn applied_count(&self) -> usize {
        let ops = 0..self.log.dag.len();
        ops.filter(|&op| self.replay.is_applied(op)).count()
    }

    /// Why an op counts or does not, with the chain of grants up to a root; for an op of trust or policy with its effect,
    /// for a pending one with the ancestors that are absent. `None` for an op that is not held.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// let explanation = replica.explain(&replica.project()).ok_or("not here")?;
    /// assert_eq!((explanation.verdict, explanation.kind), ("applied", Some("Genesis")));
    /// println!("{explanation}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(&self, op: &OpId) -> Option<Explanation> {
        explain(&self.log, &self.replay, op)
    }

    /// What an admitted op of trust or policy does, or that it counts for nothing and why; `None` for data, and for what is
    /// not admitted.
    ///
    /// ```
    /// # use ecac_core::{EffectCode, Genesis, Name, Replica, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// let effect = replica.effect(&replica.project());
    /// assert_eq!(effect.map(|it| it.code), Some(EffectCode::Founds));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn effect(&self, op: &OpId) -> Option<Effect> {
        self.replay.effect(&self.log, op, &mut Costs::default())
    }

    /// What to ask others for: parents of pending ops that are not here. The cost is that of a walk over the pending ops.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert!(replica.missing().is_empty());
    /// ```
    #[must_use]
    pub fn missing(&self) -> BTreeSet<OpId> {
        let parents = self.log.pending().flat_map(|op| &op.body().parents);
        parents
            .copied()
            .filter(|parent| !self.log.holds(parent))
            .collect()
    }
}
