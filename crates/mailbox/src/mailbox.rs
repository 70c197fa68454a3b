//! A mailbox: fetches what others have put there, and puts there what it lacks.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Costs, Op, OpId, ProjectId};
use ecac_sync::{KeepError, Keeper};

use crate::bucket::{Bucket, BucketError, Put};
use crate::index::{self, INDEX_BYTES_MAX, INDEX_PACKS_MAX};
use crate::pack::{PACK_BYTES_MAX, name_of, pack, unpack};

/// Packs of this node that are smaller are made into larger ones, in bytes.
const SMALL_PACK_BYTES: usize = 1 << 20;
/// As soon as there are so many of them.
const SMALL_PACKS: usize = 8;
/// What is fetched at once, in bytes; the rest comes with the next call.
const FETCH_BYTES_MAX: usize = 64 << 20;

/// Passes over what was read: packs hold parents before children, so that honest ones need a few.
const PASSES_MAX: usize = 64;
/// Attempts to put one object under a name that is free.
const ATTEMPTS_MAX: usize = 16;

/// Why a mailbox could not be synced with. What was done stays; call again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailboxError {
    /// The storage has failed.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The storage says of every new object that it is there, and has something else.
    #[error("the mailbox takes nothing in")]
    TakesNothing,
    /// The store of the replica has failed.
    #[error(transparent)]
    Keep(#[from] KeepError),
}

/// What a fetch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// Packs that were read.
    pub packs: usize,
    /// Packs that are not what their names say, or are not there although an index names them.
    pub bad_packs: usize,
    /// Ops that were handed to the replica.
    pub ops: usize,
    /// Ops whose parents are not there yet.
    pub orphans: usize,
}

/// A mailbox of a project as one node sees it. What it remembers may be lost: then it reads more than it would have to.
#[derive(Debug)]
pub struct Mailbox<B> {
    bucket: B,
    node: [u8; 16],
    /// By name: the ops of the packs that are known to be there.
    seen: BTreeMap<String, Vec<OpId>>,
    /// This node's packs, with their lengths in bytes.
    mine: BTreeMap<String, usize>,
    attempt: u32,
}

impl<B: Bucket> Mailbox<B> {
    /// The mailbox in the bucket, for a node with this id, which no other one has.
    pub const fn new(bucket: B, node: [u8; 16]) -> Self {
        Self {
            bucket,
            node,
            seen: BTreeMap::new(),
            mine: BTreeMap::new(),
            attempt: 0,
        }
    }

    /// Fetches and then posts.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub fn sync(&mut self, keeper: &mut dyn Keeper) -> Result<Fetched, MailboxError> {
        let fetched = self.fetch(keeper)?;
        self.post(keeper)?;
        Ok(fetched)
    }

    /// Reads the packs that any index names and that were not read yet, and hands their ops to the replica, parents first.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub fn fetch(&mut self, keeper: &mut dyn Keeper) -> Result<Fetched, MailboxError> {
        let mut fetched = Fetched::default();
        let there: BTreeSet<String> = self.bucket.list("packs")?.into_iter().collect();
        // What has vanished is put there again by the next post.
        self.seen.retain(|name, _| there.contains(name));
        self.mine.retain(|name, _| there.contains(name));
        let project = keeper.replica().project();
        let mut named: BTreeSet<String> = BTreeSet::new();
        for (node, generation) in index::latest(&self.bucket.list("indexes")?) {
            let name = format!("indexes/{}", index::name(&node, generation));
            let bytes = self.bucket.get(&name, INDEX_BYTES_MAX)?;
            let packs = bytes.and_then(|it| index::decode(&project, &it));
            let packs = packs.unwrap_or_default();
            if node == self.node {
                // What a node named before it forgot; how long a pack is shows when it is read.
                for pack in packs.iter().filter(|it| there.contains(*it)) {
                    self.mine.entry(pack.clone()).or_insert(PACK_BYTES_MAX);
                }
            }
            named.extend(packs);
        }
        let (mut waiting, mut read, mut bytes_left) =
            (Vec::new(), BTreeMap::new(), FETCH_BYTES_MAX);
        for name in named {
            if self.seen.contains_key(&name) {
                continue;
            }
            let bytes = self.bucket.get(&format!("packs/{name}"), PACK_BYTES_MAX)?;
            let Some(envelopes) = bytes.as_deref().and_then(|it| unpack(&name, it)) else {
                fetched.bad_packs += 1;
                self.mine.remove(&name);
                continue;
            };
            let length = bytes.as_ref().map_or(0, Vec::len);
            if let Some(known) = self.mine.get_mut(&name) {
                *known = length;
            }
            fetched.packs += 1;
            let ops: &mut Vec<(OpId, blake3::Hash)> = read.entry(name).or_default();
            for envelope in envelopes {
                if let Ok(op) = Op::decode(envelope, &mut Costs::default()) {
                    ops.push((op.id(), blake3::hash(envelope)));
                    if !keeper.replica().log().holds(&op.id()) {
                        waiting.push((op.id(), op.body().parents.clone(), envelope.to_vec()));
                    }
                }
            }
            bytes_left = bytes_left.saturating_sub(length);
            if bytes_left == 0 {
                break;
            }
        }
        for _ in 0..PASSES_MAX {
            let (mut batch, mut fresh) = (Vec::new(), BTreeSet::new());
            waiting.retain(|(id, parents, envelope)| {
                let log = keeper.replica().log();
                let ready = parents.iter().all(|it| fresh.contains(it) || log.holds(it));
                if ready {
                    fresh.insert(*id);
                    batch.push(envelope.clone());
                }
                !ready
            });
            if batch.is_empty() {
                break;
            }
            fetched.ops += batch.len();
            keeper.keep(&batch)?;
        }
        fetched.orphans = waiting.len();
        let orphans: BTreeSet<OpId> = waiting.into_iter().map(|it| it.0).collect();
        // A pack whose ops wait for others is read again when those are there.
        read.retain(|_, ops| !ops.iter().any(|it| orphans.contains(&it.0)));
        // A copy with a bad signature does not stand for the op.
        let same = |(op, hash): &(OpId, blake3::Hash)| {
            let held = keeper.replica().envelope(op);
            held.is_some_and(|it| blake3::hash(&it) == *hash)
        };
        for (name, ops) in read {
            let good = ops.into_iter().filter(same).map(|it| it.0);
            self.seen.insert(name, good.collect());
        }
        Ok(fetched)
    }

    /// Puts the admitted and the unsupported ops there that no pack has that this node knows of, and names its packs in a
    /// new index.
    ///
    /// # Errors
    /// [`MailboxError`].
    pub fn post(&mut self, keeper: &dyn Keeper) -> Result<(), MailboxError> {
        let replica = keeper.replica();
        let known: BTreeSet<OpId> = self.seen.values().flatten().copied().collect();
        let unjudged = replica.unsupported_ops().into_iter().map(|it| it.1.op);
        let held = replica.log().ids_since(0).chain(unjudged);
        let missing: Vec<OpId> = held.filter(|it| !known.contains(it)).collect();
        self.put_packs(keeper, &missing)?;
        let small = self.mine.iter().filter(|it| *it.1 < SMALL_PACK_BYTES);
        let small: Vec<String> = small.map(|it| it.0.clone()).collect();
        if small.len() >= SMALL_PACKS {
            let ops = small
                .iter()
                .filter_map(|name| self.seen.get(name))
                .flatten();
            let ops: BTreeSet<OpId> = ops.copied().collect();
            let ordered = replica.log().ids_since(0).filter(|it| ops.contains(it));
            let ordered: Vec<OpId> = ordered.collect();
            self.put_packs(keeper, &ordered)?;
            // The small ones stay for those who read an older index; this node names them no more.
            for name in small.iter().filter(|name| {
                let theirs = self.seen.get(*name).map_or(&[][..], Vec::as_slice);
                theirs.iter().all(|it| ordered.contains(it))
            }) {
                self.mine.remove(name);
            }
        }
        let packs: BTreeSet<String> = self.mine.keys().take(INDEX_PACKS_MAX).cloned().collect();
        self.put_index(&replica.project(), &packs)
    }

    fn put_index(
        &mut self,
        project: &ProjectId,
        packs: &BTreeSet<String>,
    ) -> Result<(), MailboxError> {
        for _ in 0..ATTEMPTS_MAX {
            let latest = index::latest(&self.bucket.list("indexes")?);
            let generation = match latest.get(&self.node) {
                None if packs.is_empty() => return Ok(()),
                None => 0,
                Some(&last) => {
                    let name = format!("indexes/{}", index::name(&self.node, last));
                    let there = self.bucket.get(&name, INDEX_BYTES_MAX)?;
                    let there = there.and_then(|it| index::decode(project, &it));
                    if there.as_ref() == Some(packs) {
                        return Ok(());
                    }
                    last.saturating_add(1)
                }
            };
            if generation == u64::MAX {
                // Somebody else has used this id up.
                let next = blake3::hash(&self.node);
                self.node.copy_from_slice(&next.as_bytes()[..16]);
                continue;
            }
            let name = format!("indexes/{}", index::name(&self.node, generation));
            if self.bucket.put(&name, &index::encode(project, packs))? == Put::Created {
                return Ok(());
            }
        }
        Err(MailboxError::TakesNothing)
    }

    fn put_packs(&mut self, keeper: &dyn Keeper, ops: &[OpId]) -> Result<(), MailboxError> {
        let mut batch: (Vec<OpId>, Vec<Vec<u8>>, usize) = (Vec::new(), Vec::new(), 64);
        for op in ops {
            let Some(envelope) = keeper.replica().envelope(op) else {
                continue;
            };
            if batch.2 + envelope.len() > PACK_BYTES_MAX {
                self.put_pack(core::mem::replace(&mut batch, (Vec::new(), Vec::new(), 64)))?;
            }
            batch.0.push(*op);
            batch.2 += envelope.len();
            batch.1.push(envelope.into_owned());
        }
        self.put_pack(batch)
    }

    fn put_pack(
        &mut self,
        (ops, envelopes, _): (Vec<OpId>, Vec<Vec<u8>>, usize),
    ) -> Result<(), MailboxError> {
        if ops.is_empty() {
            return Ok(());
        }
        for _ in 0..ATTEMPTS_MAX {
            let bytes = pack(self.attempt, &envelopes);
            let name = name_of(&bytes);
            let path = format!("packs/{name}");
            let is_there = match self.bucket.put(&path, &bytes)? {
                Put::Created => true,
                Put::Exists => self.bucket.get(&path, PACK_BYTES_MAX)?.as_ref() == Some(&bytes),
            };
            if is_there {
                self.mine.insert(name.clone(), bytes.len());
                self.seen.insert(name, ops);
                return Ok(());
            }
            // What stands there under the name is spoilt.
            self.attempt = self.attempt.wrapping_add(1);
        }
        Err(MailboxError::TakesNothing)
    }
}
