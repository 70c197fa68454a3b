//! Small histories written by hand, with what ENGINE section 3 says of them: each reason, and each consequence
//! that the section states.

mod killed;
mod refused;
mod revoked;
mod state;

use std::collections::BTreeMap;

use ecac_core::credential::Role;
use ecac_core::{Costs, Decision, Hlc, Log, OpId, Payload, Refusal, Replay, VerifiedOp};
use serde_json::{Value as Json, json};

use crate::oracle::Oracle;
use crate::world::{self, FAR_MS, FIRST, Hand, START_MS, add, person, remove, revoke, set};
use crate::{full, said};

const ROOT: u8 = 0;
const ROOT_2: u8 = 1;
const ROOT_3: u8 = 2;
/// An issuer administrator.
const TRUST: u8 = 3;
/// Policy administrators.
const BOSS: u8 = 5;
const CHIEF: u8 = 6;
/// Editors.
const ALICE: u8 = 7;
const BOB: u8 = 8;
const OUTSIDER: u8 = 12;
/// Another key of the first issuer, under the same key id.
const TWIN: Hand = Hand { key: 1, ..FIRST };
const ALWAYS: (u64, u64) = (60, FAR_MS);
/// Tags.
const A: u8 = 0b001;
const B: u8 = 0b010;
const AB: u8 = 0b011;

/// A history in which every op has a name.
struct Story {
    ops: Vec<VerifiedOp>,
    ids: BTreeMap<String, OpId>,
    now_ms: u64,
}

impl Story {
    /// `genesis`, then `key`: the first issuer is trusted.
    fn new() -> Self {
        let mut story = Self {
            ops: Vec::new(),
            ids: BTreeMap::new(),
            now_ms: START_MS,
        };
        story.push("genesis", world::genesis(0));
        story.op("key", ROOT, "genesis", FIRST.trusted((0, FAR_MS)));
        story
    }

    /// Alice is `hired` as editor of tag a.
    fn with_alice() -> Self {
        let mut story = Self::new();
        story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
        story
    }

    /// Boss is `promoted` to policy administrator of tags a and b, and then hires Alice for tag a.
    fn with_boss() -> Self {
        let mut story = Self::new();
        story.hire("promoted", ROOT, "key", BOSS, Role::PolicyAdmin, AB);
        story.hire("hired", BOSS, "promoted", ALICE, Role::Editor, A);
        story
    }

    fn push(&mut self, name: &str, op: VerifiedOp) {
        let known = self.ids.insert(name.to_owned(), op.id());
        assert_eq!(known, None, "{name} names two ops");
        self.ops.push(op);
    }

    fn ids(&self, names: &str) -> Vec<OpId> {
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

    fn stamp_after(&self, after: &str) -> Hlc {
        let stamps = self
            .ids(after)
            .into_iter()
            .map(|op| self.get(op).body().hlc);
        stamps
            .max()
            .expect("every op but genesis comes after another")
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
    fn op(&mut self, name: &str, author: u8, after: &str, payload: Payload) {
        self.now_ms += 10;
        self.op_at(name, author, after, self.now_ms, payload);
    }

    /// The same, when the author's clock shows this time.
    fn op_at(&mut self, name: &str, author: u8, after: &str, now_ms: u64, payload: Payload) {
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

    fn raw(&mut self, name: &str, author: u8, after: &str, seq: u64, hlc: Hlc, payload: Payload) {
        let op = world::sign(author, seq, self.ids(after), hlc, payload);
        self.push(name, op);
    }

    /// A grant of a credential that an earlier op carries.
    fn grant(&mut self, name: &str, author: u8, after: &str, subject: u8, credential: &str) {
        let credential = self.ids[credential];
        self.op(
            name,
            author,
            after,
            Payload::Grant {
                subject: person(subject).public,
                credential,
            },
        );
    }

    /// A credential (`<name>.vc`) and the grant that refers to it.
    fn hire_with(&mut self, name: &str, author: u8, after: &str, subject: u8, credential: Payload) {
        let carrier = format!("{name}.vc");
        self.op(&carrier, author, after, credential);
        self.grant(name, author, &carrier, subject, &carrier);
    }

    fn hire(&mut self, name: &str, author: u8, after: &str, subject: u8, role: Role, scope: u8) {
        let credential = FIRST.credential(subject, role, scope, ALWAYS, &[]);
        self.hire_with(name, author, after, subject, credential);
    }

    fn decisions_text(&self, decisions: &BTreeMap<OpId, Decision>) -> String {
        let name_of = |id: OpId| {
            self.ids
                .iter()
                .find(|(_, it)| **it == id)
                .map(|(name, _)| name.as_str())
        };
        let mut text = String::new();
        for op in &self.ops {
            let decision = &decisions[&op.id()];
            let parts = [
                name_of(op.id()),
                Some(decision.verdict()),
                decision.reason(),
                decision
                    .witness()
                    .map(|id| name_of(id).expect("witnesses have names")),
            ];
            text += &parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
            text.push('\n');
        }
        text
    }

    /// Decisions in the order of the story, after one replay, after an advance per op in both directions, and
    /// from the oracle: all the same.
    fn decided(&self) -> String {
        let project = self.ids["genesis"];
        let costs = &mut Costs::default();
        let at_once = full(project, &self.ops);
        let orders: [Vec<&VerifiedOp>; 2] =
            [self.ops.iter().collect(), self.ops.iter().rev().collect()];
        for order in orders {
            let (mut log, mut replay) = (Log::new(project), Replay::new());
            for op in order {
                log.ingest(op.clone(), costs);
                replay.advance(&log, costs);
            }
            let step_by_step = said(&log, &replay);
            let texts = [&step_by_step, &at_once].map(|said| self.decisions_text(&said.decisions));
            assert_eq!(texts[0], texts[1], "incremental = full");
            assert_eq!(step_by_step, at_once, "incremental = full");
        }
        let oracle = Oracle::of(project, self.ops.iter().map(|op| (op.id(), op.body())));
        let text = self.decisions_text(&at_once.decisions);
        assert_eq!(
            text,
            self.decisions_text(&oracle.decisions()),
            "the engine on the left, the oracle on the right"
        );
        let parse = |text: &str| -> Json { serde_json::from_str(text).expect("exports are JSON") };
        assert_eq!(parse(&at_once.state), oracle.state());
        assert_eq!(parse(&at_once.trust), oracle.trust());
        text
    }

    fn state(&self) -> Json {
        let said = full(self.ids["genesis"], &self.ops);
        serde_json::from_str(&said.state).expect("exports are JSON")
    }

    fn trust(&self) -> Json {
        let said = full(self.ids["genesis"], &self.ops);
        serde_json::from_str(&said.trust).expect("exports are JSON")
    }
}

/// Expects of each named op, one a line, `name verdict [reason] [witness]`; every other op is applied.
#[track_caller]
fn check(story: &Story, expect: &str) {
    let decided = story.decided();
    let expected: BTreeMap<&str, &str> = expect
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| (line.split(' ').next().expect("a line is not empty"), line))
        .collect();
    for name in expected.keys() {
        assert!(story.ids.contains_key(*name), "there is no op {name}");
    }
    for line in decided.lines() {
        let name = line.split(' ').next().expect("a line is not empty");
        match expected.get(name) {
            Some(expected) => assert_eq!(line, *expected, "in\n{decided}"),
            None => assert!(
                line.starts_with(&format!("{name} applied ")),
                "{line}, in\n{decided}"
            ),
        }
    }
}

fn title(value: i64) -> Payload {
    set("doc/1", "title", value)
}
