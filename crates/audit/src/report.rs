//! The report of a verification, as text.

use std::fmt::Write as _;

use crate::checkpoint::base64;
use crate::entry::EntryKind;
use crate::log::AuditLog;
use crate::verify::Confirmed;

/// The lines of a report on a log that was read by [`AuditLog::verify`] and, where `confirmed` is given, borne out
/// by replay: `name: value`, in a fixed order, the same on every machine.
///
/// The last line is the verdict: `OK` only where the decisions were recomputed, `CHAIN OK` where structure, hashes and
/// signatures alone were checked. Where a check fails there is no report but an error.
#[must_use]
pub fn report(audit: &AuditLog, confirmed: Option<&Confirmed>) -> String {
    let mut counts = [0_u64; EntryKind::ALL.len()];
    for entry in audit.batches().iter().flat_map(|batch| &batch.entries) {
        counts[entry.kind() as usize] += 1;
    }
    let origin = audit.origin();
    let mut lines = vec![
        ("origin", origin.to_string()),
        ("project", origin.project.to_string()),
        ("node", origin.node.to_string()),
        ("heads", audit.batches().len().to_string()),
        ("entries", audit.size().to_string()),
    ];
    if let Some(checkpoint) = audit.checkpoint() {
        lines.push(("tree size", checkpoint.head().size.to_string()));
        lines.push(("root hash", base64(&checkpoint.head().root)));
    }
    for (kind, count) in EntryKind::ALL.iter().zip(counts) {
        lines.push((kind.name(), count.to_string()));
    }
    let verdict = match confirmed {
        Some(confirmed) => {
            lines.push(("ops compared", confirmed.ops.to_string()));
            lines.push((
                "envelopes not in the op log",
                confirmed.envelopes_absent.to_string(),
            ));
            "OK"
        }
        None => "CHAIN OK",
    };
    lines.push(("verdict", verdict.to_owned()));
    let mut text = String::new();
    for (name, value) in lines {
        writeln!(text, "{name}: {value}").expect("a string takes any text");
    }
    text
}
