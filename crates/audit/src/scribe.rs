//! Recording what a replica reports: the entries of its batches, without a second replica.

use std::collections::BTreeMap;

use ecac_core::limits::INTEGER_MAX;
use ecac_core::{Arrival, Arrived, Event, Log, OpId, Outcome, Received, Refusal, Replica};

use crate::entry::{Entry, Subject};

/// Makes the entries of a node's audit log of what its replica reports.
///
/// For each batch it gives the entries that a [`crate::Recorder`] with the same ops before gives, at the cost of the batch: the
/// recorder is a replica of its own, and a scribe keeps nothing but how many arrivals were no op since the last entry.
///
/// ```
/// use ecac_audit::{Entry, Scribe};
/// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
/// # let key = SigningKey::from([1; 32]);
/// # let genesis = Genesis {
/// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
/// #     schema: [].into(), features: [].into(),
/// # };
/// # let office = Replica::create(genesis, &key, 1)?;
/// let mut van = Replica::join(office.project());
/// let received = van.receive(&office.envelopes().collect::<Vec<_>>());
/// let entries = Scribe::default().entries(&van, &received);
/// assert!(matches!(entries[..], [Entry::Ingested { .. }, Entry::Applied { .. }]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Scribe {
    rejected: BTreeMap<Refusal, u64>,
}

impl Scribe {
    /// The entries of a batch; none where nothing happened. Arrivals that were no op make no batch of their own: the next one
    /// counts them. The replica is the one that has reported the batch, and that has taken in nothing since.
    #[must_use]
    pub fn entries(&mut self, replica: &Replica, received: &Received) -> Vec<Entry> {
        let arrivals = received.arrivals.iter();
        let mut entries: Vec<Entry> = arrivals
            .flat_map(|it| of_arrival(&it.arrival, it.released))
            .flatten()
            .collect();
        let mut decisions = Vec::new();
        for event in &received.events {
            match event {
                Event::Rejected { reason, .. } => count(&mut self.rejected, *reason, 1),
                Event::Applied { op, grant } => decisions.push((
                    op.id,
                    Entry::Applied {
                        op: op.id,
                        grant: *grant,
                    },
                )),
                Event::Reinstated { op, grant, cause } => decisions.push((
                    op.id,
                    Entry::Reinstated {
                        op: op.id,
                        grant: *grant,
                        cause: *cause,
                    },
                )),
                Event::Denied { op, reason, denial }
                | Event::RolledBack {
                    op, reason, denial, ..
                } => decisions.push((
                    op.id,
                    Entry::RolledBack {
                        op: op.id,
                        reason: (*reason).into(),
                        denial: *denial,
                    },
                )),
                Event::Duplicate { .. }
                | Event::Refused { .. }
                | Event::Pending { .. }
                | Event::Unsupported { .. }
                | Event::Dropped { .. } => {}
            }
        }
        if !entries.is_empty() || !decisions.is_empty() {
            entries.extend(of_rejected(core::mem::take(&mut self.rejected)));
        }
        decisions.sort_by_key(|(op, _): &(OpId, Entry)| *op);
        entries.extend(decisions.into_iter().map(|(_, entry)| entry));
        let is_new = |it: &&Arrived| it.arrival.outcome == Outcome::Admitted;
        let new = received.arrivals.iter().filter(is_new).count();
        let log = replica.log();
        entries.extend(of_effects(log, log.admitted_count().saturating_sub(new)));
        entries
    }
}

/// The entries of the effects that changed with what was admitted after the first `since` ops.
pub(crate) fn of_effects(log: &Log, since: usize) -> impl Iterator<Item = Entry> {
    let changes = log.effect_changes(since).into_iter();
    changes.map(|change| Entry::Effect {
        op: change.op,
        effect: change.effect,
        cause: change.cause,
    })
}

/// Counts arrivals that were no op of anybody's.
pub(crate) fn count(rejected: &mut BTreeMap<Refusal, u64>, reason: Refusal, more: u64) {
    let count = rejected.entry(reason).or_default();
    *count = count.saturating_add(more).min(INTEGER_MAX);
}

/// The entries of arrivals that were no op, in the order of the reasons.
pub(crate) fn of_rejected(rejected: BTreeMap<Refusal, u64>) -> impl Iterator<Item = Entry> {
    let rejected = rejected.into_iter();
    rejected.map(|(reason, count)| Entry::Rejected { reason, count })
}

/// The entries of an op that came, or of a pending one that was `released`: that it came, and what was judged of it at once.
pub(crate) fn of_arrival(arrival: &Arrival, released: bool) -> [Option<Entry>; 2] {
    let subject = Subject::Op(arrival.op);
    let came = (!released).then_some(Entry::Ingested { subject });
    match arrival.outcome {
        Outcome::Duplicate => [None, None],
        Outcome::Admitted | Outcome::Pending => [came, None],
        Outcome::Unsupported => [came, Some(Entry::Held { op: arrival.op })],
        Outcome::Refused { reason, witness } => {
            let skipped = Entry::Skipped {
                subject,
                reason,
                witness,
            };
            [came, Some(skipped)]
        }
    }
}
