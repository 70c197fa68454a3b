//! What a replica says.

use std::collections::BTreeMap;

use ecac_core::{Costs, Decision, Effect, Log, OpId, Replay, export_trust};

/// What a replay says of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// What is decided of each op.
    pub decisions: BTreeMap<OpId, Decision>,
    /// What each admitted op of trust or policy does.
    pub effects: BTreeMap<OpId, Effect>,
    /// The state export.
    pub state: Vec<u8>,
}

impl Replayed {
    pub(super) fn of(log: &Log, replay: &Replay) -> Self {
        let costs = &mut Costs::default();
        let effect = |op: OpId| Some((op, replay.effect(log, &op, costs)?));
        let effects = log.ids_since(0).filter_map(effect).collect();
        Self {
            decisions: replay.decisions(log),
            effects,
            state: replay.state().export(log),
        }
    }

    /// The first difference; empty, if both say the same.
    pub(super) fn difference(&self, other: &Self) -> String {
        for op in self.decisions.keys().chain(other.decisions.keys()) {
            let both = [self.decisions.get(op), other.decisions.get(op)];
            if both[0] != both[1] {
                return format!("{op} is {:?} and {:?}", both[0], both[1]);
            }
        }
        for op in self.effects.keys().chain(other.effects.keys()) {
            let both = [self.effects.get(op), other.effects.get(op)];
            if both[0] != both[1] {
                return format!("the effect of {op} is {:?} and {:?}", both[0], both[1]);
            }
        }
        if self.state == other.state {
            return String::new();
        }
        let [a, b] = [self, other].map(|it| String::from_utf8_lossy(&it.state));
        format!("the state is\n{a}\nand\n{b}")
    }
}

/// All that a replica says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What its replay says.
    pub replayed: Replayed,
    /// The trust export, which is a matter of the log alone.
    pub trust: Vec<u8>,
}

impl Said {
    /// What a replica says of its log.
    #[must_use]
    pub fn of(log: &Log, replay: &Replay) -> Self {
        Self {
            replayed: Replayed::of(log, replay),
            trust: export_trust(log, &mut Costs::default()),
        }
    }
}
