//! What happens in a world with seals: roots sign, nodes prune, one is away, a thief rages.

use super::{Happening, World};
use crate::sim::office;
use crate::sim::schedule::Pruning;

impl World {
    pub(super) fn plan_pruning(&mut self, pruning: &Pruning, unrest: u64) {
        for _ in 0..pruning.seals {
            let node = self.stream.index(pruning.roots);
            let at = self.stream.between(0, unrest);
            self.at(at, Happening::Sign { node });
        }
        // The nodes that do not keep everything; there may be none.
        let others = self.nodes.len() - pruning.roots;
        for _ in 0..pruning.prunings {
            let at = self.stream.between(0, unrest);
            if others > 0 {
                let node = pruning.roots + self.stream.index(others);
                self.at(at, Happening::Prune { node });
            }
        }
        if pruning.away && others > 0 {
            let node = pruning.roots + self.stream.index(others);
            let at = self.stream.between(2_000, unrest / 3);
            self.at(at, Happening::Leave { node });
            self.at(unrest, Happening::Restart { node });
        }
        if pruning.thief {
            let at = self.stream.between(unrest / 2, unrest);
            self.at(at, Happening::Steal);
        }
    }

    /// A root seals what it has, or signs a seal that waits; what it seals may arrive somewhere after the seal.
    pub(super) fn sign(&mut self, at: usize) {
        let cosigns = self.stream.chance(60);
        let to = self.stream.index(self.nodes.len());
        let is_early = self.stream.chance(30);
        let shown_ms = self.now_ms.saturating_add_signed(self.nodes[at].clock_ms);
        let node = &mut self.nodes[at];
        let home = &mut node.kept.home;
        let payload = if node.is_up {
            office::signature(&**home, &node.key, cosigns, shown_ms)
        } else {
            None
        };
        let Some(payload) = payload else {
            return;
        };
        match home.author(payload, &node.key, shown_ms) {
            Ok(None) => {}
            Ok(Some(op)) => {
                node.written.push(op);
                let envelope = home.replica().envelope(&op).map(|it| it.into_owned());
                if let Some(envelope) = envelope.filter(|_| is_early) {
                    self.hand(to, &[envelope]);
                    let log = self.nodes[to].kept.home.replica().log();
                    self.report.early_seals += u64::from(log.position(&op).is_none());
                }
            }
            Err(_) => {
                node.kept.has_failed = true;
                node.goes_down();
            }
        }
    }

    /// Hands envelopes to a node by another way than a session.
    fn hand(&mut self, to: usize, envelopes: &[Vec<u8>]) {
        let node = &mut self.nodes[to];
        if node.is_up && node.kept.home.receive(envelopes).is_err() {
            node.kept.has_failed = true;
            node.goes_down();
        }
    }

    pub(super) fn prune(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        // Who has a root's key keeps everything.
        let is_roots = self.schedule.twins && at == 1;
        if !node.is_up || is_roots {
            return;
        }
        match node.kept.home.prune() {
            Ok(dropped) => self.report.dropped += dropped as u64,
            Err(_) => {
                node.kept.has_failed = true;
                node.goes_down();
            }
        }
    }

    /// What the thief wrote comes to a node that is there; nobody can tell it from what came late.
    pub(super) fn steal(&mut self) {
        let thefts = core::mem::take(&mut self.thefts);
        let to = self.stream.index(self.nodes.len());
        let to = if self.nodes[to].is_up { to } else { 0 };
        self.report.thefts += thefts.len() as u64;
        self.hand(to, &thefts);
    }
}
