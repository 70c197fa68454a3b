//! The canonical form: what a past amounts to, in ids and digests alone.

use sha2::{Digest as _, Sha256};

use super::skeleton::{Skeletons, is_plain};
use crate::costs::Costs;
use crate::dag::{Dag, Index, Past};
use crate::feature::Feature;
use crate::id::OpId;
use crate::log::Log;
use crate::replay::Replay;
use crate::threads::both;
use crate::trust::export_trust;

/// Bytes of rows that are handed on together.
const ROWS_BYTES: usize = 1 << 16;

/// The snapshot of these ops and their pasts, decided within them, as RFC 8785 canonical JSON; its SHA-256 is the digest of
/// a `Seal` that names them as its parents. Whoever cosigns a seal compares.
///
/// `None` if one of the ops is not admitted, or if an envelope that was dropped here has a value that shows in it. The cost is
/// that of a replay of those ops.
#[must_use]
pub fn snapshot(log: &Log, parents: &[OpId], costs: &mut Costs) -> Option<Vec<u8>> {
    let past = SealedPast::of(log, parents, costs)?;
    let mut bytes = Vec::new();
    let (log, skeletons) = (&past.log, past.skeletons.as_ref());
    past.says_all().then(|| {
        write_ops(&log.dag, &past.replay, skeletons, &mut |more| {
            bytes.extend_from_slice(more);
        });
        bytes.extend(end(log, &past.replay, costs));
        bytes
    })
}

/// A past for itself, decided within itself.
#[derive(Debug)]
pub(crate) struct SealedPast {
    pub(crate) log: Log,
    pub(crate) replay: Replay,
    /// Where its snapshot is of version 2.
    pub(crate) skeletons: Option<Skeletons>,
}

impl SealedPast {
    /// The past of an op with these parents; `None` if one of them is not admitted, or the store fails.
    pub(crate) fn of(log: &Log, parents: &[OpId], costs: &mut Costs) -> Option<Self> {
        let parents: Option<Vec<Index>> = parents.iter().map(|id| log.dag.find(id)).collect();
        let past = log.dag.past_of(&parents?);
        let mut skeletons = binds_skeletons(log, &past, costs).then(Skeletons::default);
        let mut sealed = Log::new(log.project());
        let hollows = log.hollows();
        for at in 0..log.dag.len() {
            if log.dag.contains(&past, at, costs) {
                let op = hollows.op(at)?;
                let said = match &skeletons {
                    Some(_) => Skeletons::said(op.body()).ok()?,
                    None => None,
                };
                sealed.ingest(op, costs);
                if let Some(skeletons) = &mut skeletons {
                    skeletons.push(&sealed.dag, said.as_deref()).ok()?;
                    skeletons.hash(false);
                }
            }
        }
        if let Some(skeletons) = &mut skeletons {
            skeletons.hash(true);
        }
        let replay = Replay::of(&sealed, costs);
        Some(Self {
            log: sealed,
            replay,
            skeletons,
        })
    }

    /// Whether every value that shows in it is here.
    pub(crate) fn says_all(&self) -> bool {
        let (log, state) = (&self.log, self.replay.state());
        let lacks = |op: Index| log.is_hollow(op) && state.shows(log, op);
        !(0..log.dag.len()).any(lacks)
    }

    /// Whether the value of the op does not show in it and never will again, because sealed work covers it.
    pub(crate) fn covers(&self, op: Index) -> bool {
        let is_plain = || self.log.body(op).is_some_and(|it| is_plain(&it.payload));
        self.replay.state().is_covered(op) && is_plain()
    }

    /// The digest of its snapshot, if every value that shows in it is here.
    pub(crate) fn digest(&self, costs: &mut Costs) -> [u8; 32] {
        digest(&self.log, &self.replay, self.skeletons.as_ref(), 1, costs)
    }
}

/// Whether the snapshot of the past is of version 2.
pub(crate) fn binds_skeletons(log: &Log, past: &Past, costs: &mut Costs) -> bool {
    log.seen(past, costs).in_force(Feature::Carry)
}

/// The digest of the snapshot of all that the log has admitted, on so many threads at most.
pub(crate) fn digest(
    log: &Log,
    replay: &Replay,
    skeletons: Option<&Skeletons>,
    threads: usize,
    costs: &mut Costs,
) -> [u8; 32] {
    let dag = &log.dag;
    let of_ops = || {
        let mut hasher = Sha256::new();
        write_ops(dag, replay, skeletons, &mut |bytes| hasher.update(bytes));
        hasher
    };
    let (hasher, end) = both(threads, of_ops, || end(log, replay, costs));
    hasher.chain_update(end).finalize().into()
}

/// Writes the snapshot of all that the log has admitted, up to the end of its ops.
fn write_ops(
    dag: &Dag,
    replay: &Replay,
    skeletons: Option<&Skeletons>,
    out: &mut dyn FnMut(&[u8]),
) {
    out(match skeletons {
        None => b"{\"format\":\"ecac-snapshot-v1\",\"ops\":[",
        Some(_) => b"{\"format\":\"ecac-snapshot-v2\",\"ops\":[",
    });
    let mut rows = Vec::with_capacity(2 * ROWS_BYTES);
    for (number, at) in dag.total_order().into_iter().enumerate() {
        rows.extend_from_slice(if number == 0 { b"[\"" } else { b",[\"" });
        push_hex(&mut rows, dag.id(at).as_bytes());
        rows.extend_from_slice(if replay.is_applied(at) {
            b"\",\"applied\""
        } else {
            b"\",\"denied\""
        });
        if let Some(digest) = skeletons.and_then(|it| it.digest(at)) {
            rows.extend_from_slice(b",\"");
            push_hex(&mut rows, &digest);
            rows.push(b'"');
        }
        rows.push(b']');
        if rows.len() > ROWS_BYTES {
            out(&rows);
            rows.clear();
        }
    }
    out(&rows);
}

/// What follows its ops.
fn end(log: &Log, replay: &Replay, costs: &mut Costs) -> Vec<u8> {
    let state = replay.state().digest(log);
    let trust = Sha256::digest(export_trust(log, costs));
    let mut end = b"],\"project\":\"".to_vec();
    push_hex(&mut end, log.project().as_bytes());
    end.extend_from_slice(b"\",\"state\":\"");
    push_hex(&mut end, &state);
    end.extend_from_slice(b"\",\"trust\":\"");
    push_hex(&mut end, &trust.into());
    end.extend_from_slice(b"\"}");
    end
}

/// The two digits of each byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        hex[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    hex
};

fn push_hex(text: &mut Vec<u8>, bytes: &[u8; 32]) {
    let digits = bytes.map(|byte| HEX[usize::from(byte)]);
    text.extend_from_slice(digits.as_flattened());
}
