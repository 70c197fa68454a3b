//! A mailbox: fetches what others have put there, and puts there what it lacks.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{OpId, ProjectId, Replica};
use ecac_sync::{KeepError, Keeper, RegainFault};

use crate::bucket::{Bucket, BucketError, Object};
use crate::defect::Defect;
use crate::index::{self, Entry, INDEX_BYTES_MAX, INDEX_NAMES_MAX, NodeId};
use crate::memory::{Known, Memory, Seen};
use crate::pack::{PACK_BYTES_MAX, PackName, pack, unpack};
use crate::sort::Waiting;

/// What is fetched at once, in bytes.
const FETCH_BYTES_MAX: usize = 64 << 20;
/// Indexes that are read, and names in all of them.
pub const NODES_MAX: usize = 4096;
/// Names of packs in all indexes; what is beyond them is not read.
pub const NAMES_MAX: usize = 1 << 20;
/// Packs that are not there, or not what they should be, after which no more are tried in one visit.
pub const BAD_PACKS_MAX: usize = 256;

/// Why a mailbox could not be synced with. What was done stays; call again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailboxError {
    /// The storage has failed.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The storage says that it has taken an index in, and has something else.
    #[error("the mailbox takes nothing in")]
    TakesNothing,
    /// The store of the replica has failed.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// An older op that is there is not what is kept of it here; see [`RegainFault::Contradicts`].
    #[error("the op {op} is not what was told of it without its envelope")]
    Contradicts {
        /// The op.
        op: OpId,
    },
}

impl From<RegainFault> for MailboxError {
    fn from(fault: RegainFault) -> Self {
        match fault {
            RegainFault::Contradicts { op } => Self::Contradicts { op },
            RegainFault::Keep(error) => Self::Keep(error),
            other => Self::Keep(KeepError {
                reason: other.to_string(),
            }),
        }
    }
}

/// What a visit came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Visit {
    /// Nodes whose indexes are there, this one's too.
    pub nodes: usize,
    /// Packs that were read.
    pub packs: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Packs that were not read, because they consist of packs that were.
    pub packs_known: usize,
    /// Packs that are not what their names say, or are not there although an index names them.
    pub bad_packs: usize,
    /// Ops that were handed to the replica.
    pub ops: usize,
    /// Ops whose parents are not there yet.
    pub orphans: usize,
    /// Packs that had been there and are not any more, or are others.
    pub lost_packs: usize,
    /// Packs that were put.
    pub packs_put: usize,
    /// Of them those that stand for several smaller ones.
    pub packs_merged: usize,
    /// Ops in the others.
    pub ops_put: usize,
    /// Bytes that were put, the index too.
    pub bytes_put: u64,
}

/// A mailbox of a project as one node sees it.
#[derive(Debug)]
pub struct Mailbox<B> {
    pub(crate) bucket: B,
    node: NodeId,
    pub(crate) memory: Memory,
    /// How many parts of the packs are looked after in a visit.
    parts: usize,
    /// Whether this node's index is another one than it was when this node had put it.
    is_index_new: bool,
    pub(crate) defect: Option<Defect>,
}

impl<B: Bucket> Mailbox<B> {
    /// The mailbox in the bucket, for a node with this id, which no other one has.
    #[must_use]
    pub const fn new(bucket: B, node: NodeId) -> Self {
        Self {
            bucket,
            node,
            memory: Memory {
                visits: 0,
                indexes: BTreeMap::new(),
                seen: BTreeMap::new(),
                mine: BTreeMap::new(),
            },
            parts: 1,
            is_index_new: false,
            defect: None,
        }
    }

    /// Remembers what was kept by [`Mailbox::memory`] for the same replica; anything else is left alone.
    #[must_use]
    pub fn remembering(mut self, replica: &Replica, memory: &[u8]) -> Self {
        if let Some(memory) = Memory::decode(replica, memory) {
            self.memory = memory;
        }
        self
    }

    /// Looks after all packs in each visit, and not after one of 256 parts of them: for a bucket where lists cost nothing.
    #[must_use]
    pub const fn looking_after_all(mut self) -> Self {
        self.look_after_all();
        self
    }

    pub(crate) const fn look_after_all(&mut self) {
        self.parts = PackName::PARTS;
    }

    /// What to keep for the next visit. It may be lost: then everything is read again.
    #[must_use]
    pub fn memory(&self, replica: &Replica) -> Vec<u8> {
        self.memory.encode(replica)
    }

    /// Fetches all that is there, and then posts.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub fn sync(&mut self, keeper: &mut dyn Keeper) -> Result<Visit, MailboxError> {
        let mut visit = self.fetch(keeper)?;
        self.post(keeper, &mut visit)?;
        Ok(visit)
    }

    /// Reads the indexes that are new and the packs that they name and that were not read yet, and hands their ops to the
    /// replica, parents first.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub fn fetch(&mut self, keeper: &mut dyn Keeper) -> Result<Visit, MailboxError> {
        let mut visit = Visit::default();
        self.memory.visits = self.memory.visits.wrapping_add(1);
        self.read_indexes(keeper.replica().project())?;
        visit.nodes = self.memory.indexes.len();
        self.look_after(&mut visit)?;
        self.make_merged(keeper.replica(), &mut visit);
        while self.read_packs(keeper, &mut visit)? {}
        Ok(visit)
    }

    fn read_indexes(&mut self, project: ProjectId) -> Result<(), MailboxError> {
        let listed = self.bucket.list("indexes")?.into_iter();
        let there = listed.filter_map(|it| Some((index::parse(&it.name)?, it.version)));
        let mut there: BTreeMap<NodeId, String> = there.take(NODES_MAX).collect();
        self.memory
            .indexes
            .retain(|node, _| there.contains_key(node));
        there.retain(|node, version| {
            let known = self.memory.indexes.get(node);
            known.is_none_or(|it| it.version != *version)
        });
        for (node, listed) in there {
            let object = self.bucket.get(&index::object(&node), INDEX_BYTES_MAX)?;
            let (bytes, version) = match object {
                Some(object) => (object.bytes, object.version),
                None => (Vec::new(), listed),
            };
            let entries = index::decode(&project, &bytes).unwrap_or_default();
            let before = self.memory.indexes.get(&node);
            let is_same = before.is_some_and(|it| it.entries == entries);
            self.is_index_new |= node == self.node && !is_same;
            self.memory.indexes.insert(node, Known { version, entries });
        }
        let mut left = NAMES_MAX;
        for known in self.memory.indexes.values_mut() {
            known.entries.retain(|it| {
                let names = 1 + it.made_of.len();
                let fits = names <= left;
                left -= if fits { names } else { 0 };
                fits
            });
        }
        Ok(())
    }

    /// Forgets packs that are not there any more, or are others, of some parts of them.
    fn look_after(&mut self, visit: &mut Visit) -> Result<(), MailboxError> {
        let named = self.named();
        let mine = &self.memory.mine;
        self.memory
            .seen
            .retain(|name, _| named.contains(name) || mine.contains_key(name));
        if self.defect == Some(Defect::TrustsIndexes) {
            return Ok(());
        }
        let first = self.memory.visits.wrapping_mul(self.parts as u64);
        for at in 0..self.parts as u64 {
            let [part, ..] = first.wrapping_add(at).to_le_bytes();
            if !self.memory.seen.keys().any(|it| it.0[0] == part) {
                continue;
            }
            let listed = self.bucket.list(&PackName::part(part))?.into_iter();
            let there = listed.filter_map(|it| Some((PackName::parse(&it.name)?, it.version)));
            let there: BTreeMap<PackName, String> = there.collect();
            self.memory.seen.retain(|name, seen| {
                if name.0[0] != part {
                    return true;
                }
                let version = there.get(name);
                // A pack that was made here, instead of being read, is its owner's to look after until it changes.
                let is_same = version.is_some()
                    && (seen.version.is_none() || seen.version.as_ref() == version);
                seen.version = version.cloned();
                visit.lost_packs += usize::from(!is_same);
                is_same
            });
        }
        let seen = &self.memory.seen;
        self.memory.mine.retain(|name, _| seen.contains_key(name));
        Ok(())
    }

    /// The packs that indexes name, and those that these were made of.
    fn named(&self) -> BTreeSet<PackName> {
        let entries = self.memory.indexes.values().flat_map(|it| &it.entries);
        let names = entries.flat_map(|it| it.made_of.iter().chain([&it.pack]));
        names.copied().collect()
    }

    /// Makes packs that consist of packs that were read, instead of reading them.
    fn make_merged(&mut self, replica: &Replica, visit: &mut Visit) {
        let entries = self.memory.indexes.values().flat_map(|it| &it.entries);
        let seen = &self.memory.seen;
        let merged = entries.filter(|it| !it.made_of.is_empty() && !seen.contains_key(&it.pack));
        let merged: Vec<Entry> = merged.cloned().collect();
        for entry in merged {
            let parts = entry.made_of.iter().map(|it| self.memory.seen.get(it));
            let Some(parts) = parts.collect::<Option<Vec<&Seen>>>() else {
                continue;
            };
            let fits = parts.iter().map(|it| it.bytes).sum::<usize>() <= PACK_BYTES_MAX;
            if !fits || !parts.iter().all(|it| it.is_whole) {
                continue;
            }
            let ops: Vec<OpId> = parts.iter().flat_map(|it| &it.ops).copied().collect();
            let Some(bytes) = packed(replica, &ops) else {
                continue;
            };
            if PackName::of(&bytes) == entry.pack {
                visit.packs_known += 1;
                let seen = Seen {
                    version: None,
                    bytes: bytes.len(),
                    ops,
                    is_whole: true,
                };
                self.memory.seen.insert(entry.pack, seen);
            }
        }
    }

    /// Reads some packs; whether there are more.
    fn read_packs(
        &mut self,
        keeper: &mut dyn Keeper,
        visit: &mut Visit,
    ) -> Result<bool, MailboxError> {
        let mut bytes_left = FETCH_BYTES_MAX;
        let mut waiting = Waiting::default();
        let mut read: BTreeMap<PackName, Read> = BTreeMap::new();
        let mut has_more = false;
        for name in self.unread() {
            if bytes_left == 0 || visit.bad_packs >= BAD_PACKS_MAX {
                has_more = bytes_left == 0;
                break;
            }
            let object = self.bucket.get(&name.object(), PACK_BYTES_MAX)?;
            let Some(Object { bytes, version }) = object else {
                visit.bad_packs += 1;
                continue;
            };
            let Some(envelopes) = unpack(name, &bytes) else {
                visit.bad_packs += 1;
                continue;
            };
            visit.packs += 1;
            visit.bytes += bytes.len() as u64;
            let replica = keeper.replica();
            let ops = envelopes.into_iter().map(|envelope| {
                let op = waiting.add(replica, envelope)?;
                Some((op, blake3::hash(envelope)))
            });
            read.insert(name, (version, bytes.len(), ops.collect()));
            bytes_left = bytes_left.saturating_sub(bytes.len());
        }
        let (batch, orphans) = waiting.order(keeper.replica());
        if !batch.is_empty() {
            visit.ops += batch.len();
            keeper.keep(&batch.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        }
        visit.orphans = orphans.len();
        let replica = keeper.replica();
        let before = self.memory.seen.len();
        for (name, (version, bytes, ops)) in read {
            // A pack whose ops wait for others is read again when those are there.
            let waits = ops.iter().flatten().any(|it| orphans.contains(&it.0));
            if waits && self.defect != Some(Defect::ForgetsOrphans) {
                continue;
            }
            // A copy with a bad signature does not stand for the op.
            let is_held = |(op, hash): &&(OpId, blake3::Hash)| {
                let held = replica.envelope(op);
                held.is_some_and(|it| blake3::hash(&it) == *hash)
            };
            let held: Vec<OpId> = ops
                .iter()
                .flatten()
                .filter(is_held)
                .map(|it| it.0)
                .collect();
            let seen = Seen {
                version: Some(version),
                bytes,
                is_whole: held.len() == ops.len(),
                ops: held,
            };
            self.memory.seen.insert(name, seen);
        }
        Ok(has_more && self.memory.seen.len() > before)
    }

    /// The packs that are named and were not read, in an order that is another one in each visit, so that no bad one stands
    /// in the way of the others for ever.
    fn unread(&self) -> Vec<PackName> {
        let entries = self.memory.indexes.values().flat_map(|it| &it.entries);
        let names = entries.map(|it| it.pack);
        let unread: BTreeSet<PackName> = names
            .filter(|it| !self.memory.seen.contains_key(it))
            .collect();
        let mut unread: Vec<PackName> = unread.into_iter().collect();
        let visits = self.memory.visits.to_le_bytes();
        let place = |name: &PackName| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&self.node).update(&visits).update(&name.0);
            *hasher.finalize().as_bytes()
        };
        unread.sort_by_cached_key(place);
        unread
    }

    /// Puts the admitted and the unsupported ops there that no pack has that this node knows of, and names its packs in a
    /// new index.
    fn post(&mut self, keeper: &dyn Keeper, visit: &mut Visit) -> Result<(), MailboxError> {
        let replica = keeper.replica();
        if core::mem::take(&mut self.is_index_new) {
            self.adopt();
        }
        let entries = self.memory.indexes.values().flat_map(|it| &it.entries);
        let named: BTreeSet<PackName> = entries.map(|it| it.pack).collect();
        let (seen, mine) = (self.memory.seen.iter(), &self.memory.mine);
        let counts = seen.filter(|it| named.contains(it.0) || mine.contains_key(it.0));
        let mut known: Vec<OpId> = counts.flat_map(|it| &it.1.ops).copied().collect();
        known.sort_unstable();
        let unjudged = replica.unsupported_ops().into_iter().map(|it| it.1.op);
        let held = replica.log().ids_since(0).chain(unjudged);
        // What was dropped here, others put there.
        let log = replica.log();
        let missing = held.filter(|it| known.binary_search(it).is_err() && !log.is_pruned(it));
        let missing: Vec<OpId> = missing.collect();
        // What is merged has stood in an index for a visit, so that others have read it and need not read it again.
        self.merge(replica, visit)?;
        self.put_packs(replica, &missing, visit)?;
        self.put_index(&replica.project(), visit)
    }

    /// Takes over what this node's index names and this node does not know to be its own: it has forgotten, or there are two
    /// of it.
    fn adopt(&mut self) {
        let entries = self.memory.indexes.get(&self.node);
        for entry in entries.into_iter().flat_map(|it| &it.entries) {
            if self.memory.seen.contains_key(&entry.pack) {
                let mine = self.memory.mine.entry(entry.pack);
                mine.or_insert_with(|| entry.made_of.clone());
            }
        }
    }

    fn put_packs(
        &mut self,
        replica: &Replica,
        ops: &[OpId],
        visit: &mut Visit,
    ) -> Result<(), MailboxError> {
        let (mut batch, mut bytes) = (Vec::new(), 64);
        for op in ops {
            let length = replica.envelope(op).map_or(0, |it| it.len());
            if bytes + length > PACK_BYTES_MAX {
                self.put_pack(replica, core::mem::take(&mut batch), Vec::new(), visit)?;
                bytes = 64;
            }
            batch.push(*op);
            bytes += length;
        }
        visit.ops_put += ops.len();
        self.put_pack(replica, batch, Vec::new(), visit)
    }

    fn put_pack(
        &mut self,
        replica: &Replica,
        ops: Vec<OpId>,
        made_of: Vec<PackName>,
        visit: &mut Visit,
    ) -> Result<(), MailboxError> {
        let Some(bytes) = packed(replica, &ops).filter(|_| !ops.is_empty()) else {
            return match replica.fault() {
                Some(fault) => Err(MailboxError::Keep(KeepError {
                    reason: fault.to_string(),
                })),
                None => Ok(()),
            };
        };
        let name = PackName::of(&bytes);
        let version = if self.defect == Some(Defect::MergesWithoutPutting) && !made_of.is_empty() {
            String::new()
        } else {
            self.bucket.put(&name.object(), &bytes)?
        };
        visit.packs_put += 1;
        visit.packs_merged += usize::from(!made_of.is_empty());
        visit.bytes_put += bytes.len() as u64;
        for part in &made_of {
            self.memory.mine.remove(part);
        }
        self.memory.mine.insert(name, made_of);
        let seen = Seen {
            version: Some(version),
            bytes: bytes.len(),
            ops,
            is_whole: true,
        };
        self.memory.seen.insert(name, seen);
        Ok(())
    }

    /// Makes small packs of this node into one, as soon as there are some of about one size. The small ones stay for those
    /// who read an older index; this node names them no more.
    fn merge(&mut self, replica: &Replica, visit: &mut Visit) -> Result<(), MailboxError> {
        loop {
            let mut tiers: BTreeMap<u32, Vec<PackName>> = BTreeMap::new();
            for name in self.memory.mine.keys() {
                let seen = self.memory.seen.get(name);
                // A pack of which an op was dropped here cannot be made again.
                let is_here = |seen: &Seen| {
                    let mut ops = seen.ops.iter();
                    seen.is_whole && !ops.any(|it| replica.log().is_pruned(it))
                };
                let seen = seen.filter(|it| tier(it.bytes).is_some() && is_here(it));
                if let Some(tier) = seen.and_then(|it| tier(it.bytes)) {
                    tiers.entry(tier).or_default().push(*name);
                }
            }
            let many = tiers.into_values().find(|it| it.len() >= MERGED_PACKS);
            let Some(mut parts) = many else {
                return Ok(());
            };
            // In the order in which this node has their ops.
            let place = |name: &PackName| {
                let first = self.memory.seen.get(name).and_then(|it| it.ops.first());
                first.and_then(|it| replica.log().position(it))
            };
            parts.sort_by_cached_key(place);
            parts.truncate(MERGED_PACKS);
            let ops = parts.iter().filter_map(|it| self.memory.seen.get(it));
            let ops: Vec<OpId> = ops.flat_map(|it| &it.ops).copied().collect();
            self.put_pack(replica, ops, parts, visit)?;
        }
    }

    fn put_index(&mut self, project: &ProjectId, visit: &mut Visit) -> Result<(), MailboxError> {
        let mine = self.memory.mine.iter();
        let mut entries: Vec<Entry> = mine
            .map(|(&pack, made_of)| Entry {
                pack,
                made_of: made_of.clone(),
            })
            .collect();
        let names =
            |entries: &[Entry]| entries.iter().map(|it| 1 + it.made_of.len()).sum::<usize>();
        if names(&entries) > INDEX_NAMES_MAX {
            entries.iter_mut().for_each(|it| it.made_of.clear());
            entries.truncate(INDEX_NAMES_MAX);
        }
        let there = self.memory.indexes.get(&self.node);
        if there.map_or(entries.is_empty(), |it| it.entries == entries) {
            return Ok(());
        }
        let (object, bytes) = (index::object(&self.node), index::encode(project, &entries));
        let version = self.bucket.put(&object, &bytes)?;
        visit.bytes_put += bytes.len() as u64;
        let there = self.bucket.get(&object, INDEX_BYTES_MAX)?;
        if there.is_none_or(|it| it.bytes != bytes) {
            return Err(MailboxError::TakesNothing);
        }
        self.memory
            .indexes
            .insert(self.node, Known { version, entries });
        Ok(())
    }
}

/// A pack that was read: its version, its length in bytes, and what is in it; `None` for what is no op.
type Read = (String, usize, Vec<Option<(OpId, blake3::Hash)>>);

/// Packs of this length and more are left as they are, in bytes.
const SMALL_PACK_BYTES: usize = 1 << 20;
/// So many of about one size are made into one.
const MERGED_PACKS: usize = 8;

/// Packs of one tier are within a factor of eight of each other; `None` for one that is large enough.
fn tier(bytes: usize) -> Option<u32> {
    let size = (bytes >> 10).max(1);
    (bytes < SMALL_PACK_BYTES).then(|| size.ilog(MERGED_PACKS))
}

/// The pack of these ops; `None` if one is not at hand.
fn packed(replica: &Replica, ops: &[OpId]) -> Option<Vec<u8>> {
    let envelopes = ops.iter().map(|it| replica.envelope(it));
    let envelopes = envelopes.collect::<Option<Vec<_>>>()?;
    Some(pack(envelopes.iter().map(|it| &**it)))
}
