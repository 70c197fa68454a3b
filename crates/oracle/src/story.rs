//! Histories written by hand, in which every op has a name.

use std::collections::BTreeMap;

use ecac_core::credential::Role;
use ecac_core::payload;
use ecac_core::{Decision, Hlc, OpId, Payload, VerifiedOp};

use crate::history::History;
use crate::laws::{self, Said, Trial};
use crate::world::scope_bits::{A, AB};
use crate::world::{self, ALICE, ALWAYS, BOSS, FAR_MS, FIRST, ROOT, START_MS, person};

#[derive(Debug)]
/// A history in which every op has a name.
pub struct Story {
    /// Every op, in an order in which parents come first.
    pub ops: Vec<VerifiedOp>,
    /// The ops by name.
    pub ids: BTreeMap<String, OpId>,
    now_ms: u64,
}

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

impl Story {
    /// `genesis`, then `key`: the first issuer is trusted.
    pub fn new() -> Self {
        Self::using(&[])
    }

    /// The same in a project that uses features, each with its parameters.
    #[must_use]
    pub fn using(features: &[(&str, &[u8])]) -> Self {
        Self::founded(world::genesis_with(0, features))
    }

    /// The same with this genesis, which names the first root.
    #[must_use]
    pub fn founded(genesis: VerifiedOp) -> Self {
        let mut story = Self {
            ops: Vec::new(),
            ids: BTreeMap::new(),
            now_ms: START_MS,
        };
        story.push("genesis", genesis);
        story.op("key", ROOT, "genesis", FIRST.trusted((0, FAR_MS)));
        story
    }

    /// Alice is `hired` as editor of tag a.
    pub fn with_alice() -> Self {
        let mut story = Self::new();
        story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
        story
    }

    /// Boss is `promoted` to policy administrator of tags a and b, and then hires Alice for tag a.
    pub fn with_boss() -> Self {
        let mut story = Self::new();
        story.hire("promoted", ROOT, "key", BOSS, Role::PolicyAdmin, AB);
        story.hire("hired", BOSS, "promoted", ALICE, Role::Editor, A);
        story
    }

    /// Adds an op that has been made elsewhere.
    pub fn push(&mut self, name: &str, op: VerifiedOp) {
        let known = self.ids.insert(name.to_owned(), op.id());
        assert_eq!(known, None, "{name} names two ops");
        self.ops.push(op);
    }

    /// The ids of ops, whose names are separated by spaces.
    #[must_use]
    pub fn ids(&self, names: &str) -> Vec<OpId> {
        names
            .split_whitespace()
            .map(|name| self.ids[name])
            .collect()
    }

    fn get(&self, id: OpId) -> &VerifiedOp {
        self.ops
            .iter()
            .find(|op| op.id() == id)
            .expect("parents come first")
    }

    /// The latest stamp of the ops that `after` names.
    #[must_use]
    pub fn stamp_after(&self, after: &str) -> Hlc {
        let stamps = self
            .ids(after)
            .into_iter()
            .map(|op| self.get(op).body().hlc);
        stamps
            .max()
            .expect("every op but genesis comes after another")
    }

    /// The stamp of the op.
    #[must_use]
    pub fn stamp_of(&self, name: &str) -> Hlc {
        self.get(self.ids[name]).body().hlc
    }

    fn seq_after(&self, author: u8, after: &str) -> u64 {
        let mut past = Vec::new();
        let mut todo = self.ids(after);
        while let Some(op) = todo.pop() {
            past.push(self.get(op).body());
            todo.extend(&self.get(op).body().parents);
        }
        let own = past
            .into_iter()
            .filter(|body| body.author == person(author).public);
        own.map(|body| body.seq + 1).max().unwrap_or(0)
    }

    /// An op whose author has seen the ops that `after` names; its clock is right.
    pub fn op(&mut self, name: &str, author: u8, after: &str, payload: Payload) {
        self.now_ms += 10;
        self.op_at(name, author, after, self.now_ms, payload);
    }

    /// The same, when the author's clock shows this time.
    pub fn op_at(&mut self, name: &str, author: u8, after: &str, now_ms: u64, payload: Payload) {
        let hlc = Hlc::next(Some(self.stamp_after(after)), now_ms, 0)
            .expect("clocks are far from their end");
        self.raw(
            name,
            author,
            after,
            self.seq_after(author, after),
            hlc,
            payload,
        );
    }

    /// An op whose author numbers and stamps it at will.
    pub fn raw(
        &mut self,
        name: &str,
        author: u8,
        after: &str,
        seq: u64,
        hlc: Hlc,
        payload: Payload,
    ) {
        let op = world::sign(author, seq, self.ids(after), hlc, payload);
        self.push(name, op);
    }

    /// A grant of a credential that an earlier op carries.
    pub fn grant(&mut self, name: &str, author: u8, after: &str, subject: u8, credential: &str) {
        let credential = self.ids[credential];
        self.op(
            name,
            author,
            after,
            Payload::Grant(payload::Grant {
                subject: person(subject).public,
                credential,
            }),
        );
    }

    /// A credential (`<name>.vc`) and the grant that refers to it.
    pub fn hire_with(
        &mut self,
        name: &str,
        author: u8,
        after: &str,
        subject: u8,
        credential: Payload,
    ) {
        let carrier = format!("{name}.vc");
        self.op(&carrier, author, after, credential);
        self.grant(name, author, &carrier, subject, &carrier);
    }

    /// The same with a credential of the first issuer that is always valid and names no status list.
    pub fn hire(
        &mut self,
        name: &str,
        author: u8,
        after: &str,
        subject: u8,
        role: Role,
        scope: u8,
    ) {
        let credential = FIRST.credential(subject, role, scope, ALWAYS, &[]);
        self.hire_with(name, author, after, subject, credential);
    }

    /// The op of this name.
    ///
    /// # Panics
    ///
    /// Panics if there is none.
    #[must_use]
    pub fn named(&self, name: &str) -> &VerifiedOp {
        self.get(self.ids[name])
    }

    /// The name of the op.
    ///
    /// # Panics
    ///
    /// Panics if it is no op of the story.
    #[must_use]
    pub fn name_of(&self, id: OpId) -> &str {
        let named = self.ids.iter().find(|(_, it)| **it == id);
        named.expect("every op has a name").0
    }

    /// The name of the op, or its id where the story has no such op.
    #[must_use]
    pub fn name_or_id(&self, id: OpId) -> String {
        let held = self.ops.iter().any(|op| op.id() == id);
        if held {
            self.name_of(id).to_owned()
        } else {
            id.to_string()
        }
    }

    /// The name of the op, the verdict, the reason where there is one, and the name of the witness where there is one.
    #[must_use]
    pub fn line(&self, id: OpId, decision: &Decision) -> String {
        let parts = [
            Some(self.name_of(id)),
            Some(decision.verdict()),
            decision.reason(),
            decision.witness().map(|witness| self.name_of(witness)),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// What a replica says of the story.
    ///
    /// # Panics
    ///
    /// Panics if a law does not hold of it in the order in which it is told, or in the opposite one.
    #[must_use]
    pub fn said(&self) -> Said {
        let history = History::of(self.ids["genesis"], self.ops.clone());
        let said = [Trial::told(history.clone()), Trial::reversed(history)].map(|trial| {
            laws::check(&trial).unwrap_or_else(|breach| panic!("{breach}\n{:?}", trial.history))
        });
        let [said, _] = said;
        said
    }
}
