//! What a verification says, as text.

use std::fmt::{Display, Write as _};

use crate::checkpoint::base64;
use crate::comparison::Comparison;
use crate::entry::{Entry, EntryKind};
use crate::log::AuditLog;

/// What is said of a log that was read by [`AuditLog::verify`] and, where `comparison` is given, compared with
/// an op log: `name: value`, in a fixed order, the same on every machine. What is out of the ordinary has a line only
/// where there is some of it.
///
/// The last line is the verdict: one of [`Verdict`](crate::Verdict) where the decisions were recomputed, `CHAIN OK` where
/// structure, hashes and signatures alone were checked. Where a check fails there is an error instead.
#[must_use]
pub fn verification(audit: &AuditLog, comparison: Option<&Comparison>) -> String {
    let mut counts = [0_u64; EntryKind::ALL.len()];
    let mut arrivals_no_op = 0_u64;
    for entry in audit.batches().iter().flat_map(|batch| &batch.entries) {
        counts[entry.kind() as usize] += 1;
        if let Entry::Rejected { count, .. } = entry {
            arrivals_no_op = arrivals_no_op.saturating_add(*count);
        }
    }
    let origin = audit.origin();
    let mut lines = Lines::default();
    lines.add("origin", origin);
    lines.add("project", origin.project);
    lines.add("node", origin.node);
    lines.add("heads", audit.batches().len());
    lines.add("entries", audit.size());
    if let Some(checkpoint) = audit.checkpoint() {
        lines.add("tree size", checkpoint.head().size);
        lines.add("root hash", base64(&checkpoint.head().root));
    }
    for (kind, count) in EntryKind::ALL.iter().zip(counts) {
        match kind {
            EntryKind::Reinstated | EntryKind::Effect | EntryKind::Held | EntryKind::Rejected => {
                lines.add_some(kind.name(), count)
            }
            EntryKind::Ingested
            | EntryKind::Applied
            | EntryKind::Skipped
            | EntryKind::RolledBack
            | EntryKind::Viewed
            | EntryKind::Checkpoint
            | EntryKind::Synced => lines.add(kind.name(), count),
        }
    }
    lines.add_some("arrivals that were no op", arrivals_no_op);
    match comparison {
        Some(comparison) => lines.compared(comparison),
        None => lines.add("verdict", "CHAIN OK"),
    }
    lines.text
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn compared(&mut self, comparison: &Comparison) {
        self.add("ops compared", comparison.ops);
        self.add("envelopes not in the op log", comparison.envelopes_absent);
        self.add_some("ops not in the op log", comparison.absent.len() as u64);
        if let Some(halt) = comparison.halt {
            self.add("not compared from line", halt.line);
        }
        self.add_some("entries not compared", comparison.entries_unjudged);
        self.add_some("effects not recorded", comparison.effects_unrecorded);
        self.add_some(
            "ops of which the audit log does not speak",
            comparison.silent.len() as u64,
        );
        self.add_some("items that are no op", comparison.items_no_op);
        self.add("verdict", comparison.verdict());
    }

    fn add(&mut self, name: &str, value: impl Display) {
        writeln!(self.text, "{name}: {value}").expect("a string takes any text");
    }

    fn add_some(&mut self, name: &str, count: u64) {
        if count > 0 {
            self.add(name, count);
        }
    }
}
