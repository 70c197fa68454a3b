//! Observation: what one replica sees as the ops of a log arrive, one after another.
//!
//! Everything here is a function of the op log alone, so that anybody who has the log can compute the metrics,
//! the timeline and the state again.

use std::collections::BTreeSet;

use ecac_core::{Arrival, Costs, Decision, Log, OpId, Outcome, ProjectId, Replay};
use serde::Serialize;

use crate::metrics::Row;

/// Rows of the metrics table, besides the total.
const SAMPLES: usize = 50;

/// One line of the timeline. The members are in this order on every line.
#[derive(Debug, Serialize)]
struct Event<'a> {
    /// Number of the arrival, from 1.
    n: u64,
    /// Virtual time, ms since the Unix epoch.
    t: u64,
    /// `applied`, `denied` (on arrival), `refused`, `pending`, `rolled_back` (after having been applied).
    event: &'a str,
    /// The op; absent for bytes that are no op.
    #[serde(skip_serializing_if = "Option::is_none")]
    op: Option<OpId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// The denial, or what shows the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<OpId>,
}

/// What an observer of an op log sees.
#[derive(Debug)]
pub(crate) struct Observation {
    pub(crate) log: Log,
    pub(crate) replay: Replay,
    pub(crate) samples: Vec<Row>,
    pub(crate) total: Row,
    pub(crate) timeline: Vec<u8>,
}

impl Observation {
    /// Lets the items arrive in their order.
    pub(crate) fn of(project: ProjectId, items: &[&[u8]]) -> Self {
        let mut observer = Observer {
            log: Log::new(project),
            replay: Replay::new(),
            applied: BTreeSet::new(),
            row: Row::default(),
            timeline: Vec::new(),
        };
        let stride = items.len().div_ceil(SAMPLES).max(1);
        let mut samples = Vec::new();
        for (number, item) in (1..).zip(items) {
            observer.receive(item);
            if number % stride == 0 {
                samples.push(observer.sample());
            }
        }
        let total = observer.sample();
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
    row: Row,
    timeline: Vec<u8>,
}

impl Observer {
    fn receive(&mut self, item: &[u8]) {
        self.row.ops += 1;
        match self.log.receive(item, &mut self.row.costs) {
            Ok(arrivals) => arrivals.iter().for_each(|arrival| self.arrived(arrival)),
            Err(rejected) => {
                self.row.refused += 1;
                self.event(
                    "refused",
                    rejected.claimed,
                    Some(rejected.reason.name()),
                    None,
                );
            }
        }
        for change in self.replay.advance(&self.log, &mut self.row.costs) {
            match change.decision {
                Decision::Applied { .. } => {
                    self.row.applied += 1;
                    self.applied.insert(change.op);
                    self.event("applied", Some(change.op), None, None);
                }
                Decision::Denied { reason, denial } => {
                    self.row.denied += 1;
                    let event = if self.applied.remove(&change.op) {
                        self.row.applied -= 1;
                        self.row.rolled_back += 1;
                        "rolled_back"
                    } else {
                        "denied"
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
            Outcome::Pending => self.event("pending", Some(arrival.op), None, None),
            Outcome::Unsupported => self.event("unsupported", Some(arrival.op), None, None),
            Outcome::Duplicate => self.row.ops -= 1,
            Outcome::Refused { reason, witness } => {
                self.row.refused += 1;
                self.event("refused", Some(arrival.op), Some(reason.name()), witness);
            }
        }
    }

    fn event(&mut self, event: &str, op: Option<OpId>, reason: Option<&str>, by: Option<OpId>) {
        let event = Event {
            n: self.row.ops,
            t: self.row.virtual_ms,
            event,
            op,
            reason,
            by,
        };
        let line = serde_json::to_vec(&event).expect("an event in memory is written to memory");
        self.timeline.extend_from_slice(&line);
        self.timeline.push(b'\n');
    }

    /// The row as of this moment. What is counted for the sample itself is not part of the work.
    fn sample(&self) -> Row {
        let conflicts = self
            .replay
            .state()
            .conflicts(&self.log, &mut Costs::default());
        Row {
            conflicts: conflicts as u64,
            heads: self.log.heads().len() as u64,
            ..self.row
        }
    }
}
