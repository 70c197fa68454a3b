//! Older ops: what was dropped here, and lies in the mailbox (`docs/pruning.md`).

use std::collections::BTreeSet;

use ecac_core::{Costs, Op, OpId, Replica};
use ecac_sync::Keeper;

use crate::bucket::Bucket;
use crate::mailbox::{BAD_PACKS_MAX, Mailbox, MailboxError};
use crate::pack::{PACK_BYTES_MAX, PackName, unpack};

/// What came back of what was dropped ([`Mailbox::fetch_older`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OlderVisit {
    /// Packs that were read.
    pub packs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Packs that are not what their names say, or are not there although an index names them.
    pub bad_packs: usize,
    /// Ops whose envelopes are here again.
    pub ops: usize,
}

impl<B: Bucket> Mailbox<B> {
    /// Reads packs until nothing is without its envelope here any more, and gives back what they have of what was dropped. Those that
    /// are known to have none of it are not read. To be called after [`Mailbox::fetch`], which reads the indexes.
    ///
    /// # Errors
    /// [`MailboxError`]; what came back before stays.
    pub fn fetch_older(&mut self, keeper: &mut dyn Keeper) -> Result<OlderVisit, MailboxError> {
        let mut visit = OlderVisit::default();
        let entries = self.memory.indexes.values().flat_map(|it| &it.entries);
        let names: BTreeSet<PackName> = entries.map(|it| it.pack).collect();
        for name in names {
            let log = keeper.replica().log();
            if log.pruned_count() == 0 || visit.bad_packs >= BAD_PACKS_MAX {
                break;
            }
            let seen = self.memory.seen.get(&name);
            if seen.is_some_and(|it| it.is_whole && !it.ops.iter().any(|op| log.is_pruned(op))) {
                continue;
            }
            let object = self.bucket.get(&name.object(), PACK_BYTES_MAX)?;
            let bytes = object.map(|it| it.bytes).unwrap_or_default();
            let Some(envelopes) = unpack(name, &bytes) else {
                visit.bad_packs += 1;
                continue;
            };
            visit.packs += 1;
            visit.bytes += bytes.len() as u64;
            visit.ops += keeper.regain(&envelopes)?.ops;
            if let Some(seen) = self.memory.seen.get_mut(&name) {
                let replica = keeper.replica();
                seen.ops = held(replica, &envelopes);
                seen.is_whole = seen.ops.len() == envelopes.len();
            }
        }
        Ok(visit)
    }
}

/// The ops of a pack that are here as they are in it.
fn held(replica: &Replica, envelopes: &[&[u8]]) -> Vec<OpId> {
    let ops = envelopes.iter().filter_map(|envelope| {
        let op = Op::decode(envelope, &mut Costs::default()).ok()?.id();
        let held = replica.envelope(&op)?;
        (*held == **envelope).then_some(op)
    });
    ops.collect()
}
