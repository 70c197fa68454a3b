//! Observation: what one replica sees as the ops of a log arrive, one after another.
//!
//! Everything here is a function of the op log alone, so that anybody who has the log can compute the metrics,
//! the timeline and the state again. The log and the replay are paired here, and not in a `Replica`, because the timeline
//! tells of each arrival, also of an op that goes on waiting for another parent, which is no event of a batch.

use std::collections::BTreeSet;

use ecac_artifact::{Event, EventKind, MetricsRow, MetricsStep};
use ecac_core::{Arrival, Costs, Decision, Log, OpId, Outcome, ProjectId, Replay};

/// Rows of the metrics table, besides the total.
const SAMPLES: usize = 50;

/// What an observer of an op log sees.
#[derive(Debug)]
pub(crate) struct Observation {
    pub(crate) log: Log,
    pub(crate) replay: Replay,
    pub(crate) samples: Vec<MetricsRow>,
    pub(crate) total: MetricsRow,
    pub(crate) timeline: Vec<u8>,
}

impl Observation {
    /// Lets the items arrive in their order.
    pub(crate) fn of(project: ProjectId, items: &[&[u8]]) -> Self {
        let mut observer = Observer {
            log: Log::new(project),
            replay: Replay::new(),
            applied: BTreeSet::new(),
            rolled_back: BTreeSet::new(),
            row: MetricsRow::new(MetricsStep::Total),
            costs: Costs::default(),
            timeline: Vec::new(),
        };
        let stride = items.len().div_ceil(SAMPLES).max(1);
        let mut samples = Vec::new();
        for (number, item) in (1..).zip(items) {
            observer.receive(item);
            if number % stride == 0 {
                let step = MetricsStep::Sample(samples.len() as u64 + 1);
                samples.push(observer.sample(step));
            }
        }
        let total = observer.sample(MetricsStep::Total);
        let Observer {
            log,
            replay,
            timeline,
            ..
        } = observer;
        Self {
            log,
            replay,
            samples,
            total,
            timeline,
        }
    }
}

struct Observer {
    log: Log,
    replay: Replay,
    applied: BTreeSet<OpId>,
    /// Denied ops that were applied before.
    rolled_back: BTreeSet<OpId>,
    row: MetricsRow,
    costs: Costs,
    timeline: Vec<u8>,
}

impl Observer {
    fn receive(&mut self, item: &[u8]) {
        self.row.ops += 1;
        match self.log.receive(item, &mut self.costs) {
            Ok(arrivals) => arrivals.iter().for_each(|arrival| self.arrived(arrival)),
            Err(rejected) => {
                self.row.refused += 1;
                self.event(
                    EventKind::Refused,
                    rejected.claimed,
                    Some(rejected.reason.name()),
                    None,
                );
            }
        }
        for change in self.replay.advance(&self.log, &mut self.costs) {
            match change.decision {
                Decision::Applied { .. } => {
                    self.row.applied += 1;
                    if change.cause.is_some() {
                        self.row.denied -= 1;
                    }
                    if self.rolled_back.remove(&change.op) {
                        self.row.rolled_back -= 1;
                    }
                    self.applied.insert(change.op);
                    self.event(EventKind::Applied, Some(change.op), None, change.cause);
                }
                Decision::Denied { reason, denial } => {
                    self.row.denied += 1;
                    let event = if self.applied.remove(&change.op) {
                        self.row.applied -= 1;
                        self.row.rolled_back += 1;
                        self.rolled_back.insert(change.op);
                        EventKind::RolledBack
                    } else {
                        EventKind::Denied
                    };
                    self.event(event, Some(change.op), Some(reason.name()), Some(denial));
                }
                Decision::Refused { .. } | Decision::Pending { .. } | Decision::Unsupported => {}
            }
        }
        self.row.pending = self.log.pending_count() as u64;
    }

    fn arrived(&mut self, arrival: &Arrival) {
        if let Some(op) = self.log.get(&arrival.op) {
            self.row.virtual_ms = self.row.virtual_ms.max(op.body().hlc.physical_ms);
        }
        match arrival.outcome {
            Outcome::Admitted => {}
            Outcome::Pending => self.event(EventKind::Pending, Some(arrival.op), None, None),
            Outcome::Unsupported => {
                self.event(EventKind::Unsupported, Some(arrival.op), None, None)
            }
            Outcome::Duplicate => self.row.ops -= 1,
            Outcome::Refused { reason, witness } => {
                self.row.refused += 1;
                self.event(
                    EventKind::Refused,
                    Some(arrival.op),
                    Some(reason.name()),
                    witness,
                );
            }
        }
    }

    fn event(
        &mut self,
        event: EventKind,
        op: Option<OpId>,
        reason: Option<&str>,
        by: Option<OpId>,
    ) {
        let event = Event {
            n: self.row.ops,
            t: self.row.virtual_ms,
            event,
            op,
            reason: reason.map(str::to_owned),
            by,
        };
        event.write(&mut self.timeline);
    }

    /// The row as of this moment. What is counted for the sample itself is not part of the work.
    fn sample(&self, step: MetricsStep) -> MetricsRow {
        let conflicts = self.replay.state().conflicts();
        let Costs {
            signatures_verified,
            bytes_hashed,
            ancestor_queries,
            ops_evaluated,
        } = self.costs;
        MetricsRow {
            step,
            signatures_verified,
            bytes_hashed,
            ancestor_queries,
            ops_evaluated,
            conflicts: conflicts as u64,
            heads: self.log.heads().len() as u64,
            ..self.row
        }
    }
}
