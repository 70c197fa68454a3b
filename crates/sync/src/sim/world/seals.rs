//! What happens in a world with seals: roots sign, nodes prune, one is away, one comes late, a thief rages.

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
        let first = pruning.roots.max(2);
        if pruning.newcomer && first < self.nodes.len() {
            let node = first + self.stream.index(self.nodes.len() - first);
            self.nodes[node].is_up = false;
            let at = self.stream.between(unrest / 2, unrest);
            self.at(at, Happening::Arrive { node });
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
        let envelopes: Vec<&[u8]> = envelopes.iter().map(Vec::as_slice).collect();
        if node.is_up && node.kept.home.receive(&envelopes).is_err() {
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

    /// A newcomer starts from what another node carries to it, or with nothing where nobody has anything to carry. What a liar
    /// carries is not what it has.
    pub(super) fn arrive(&mut self, at: usize) {
        let from = self.stream.index(self.nodes.len());
        let (byte, bit) = (self.stream.between(0, u64::MAX - 1), self.stream.index(8));
        if !self.nodes[at].is_up {
            self.restart(at);
        }
        let carried = |node: usize| {
            let carrier = &self.nodes[node];
            let carried = carrier.is_up.then(|| carrier.kept.home.replica().carry());
            Some((node, carried?.ok()?))
        };
        let mut others = (from..self.nodes.len()).chain(0..from);
        let newcomer = &self.nodes[at].kept;
        let waits = newcomer.home.replica().log().pending_count() > 0;
        let is_blank = newcomer.ids().is_empty() && !waits;
        let found = if is_blank {
            others.find_map(carried)
        } else {
            None
        };
        let Some((from, mut carried)) = found else {
            return;
        };
        let lies = self.nodes[from].lies;
        if lies {
            let byte = usize::try_from(byte % carried.len() as u64).unwrap_or(0);
            carried[byte] ^= 1 << bit;
        }
        let node = &mut self.nodes[at];
        let started = node.kept.home.start(&carried);
        match started {
            Ok(true) if lies => self.breaks(|| format!("node {at} started from what was changed")),
            Ok(true) => self.report.started += 1,
            Ok(false) if lies => self.report.refused += 1,
            Ok(false) => {
                self.breaks(|| format!("node {at} did not start from what node {from} has"))
            }
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
