//! What a node remembers of a mailbox between two visits, and how that is kept.

use std::collections::BTreeMap;

use ecac_core::{OpId, Replica};
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::index::{Entry, NodeId};
use crate::pack::PackName;

/// The form of what is kept.
const FORM: u8 = 1;

/// A pack whose ops this node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The version that was read or put; `None` for a pack that was made here instead.
    pub(crate) version: Option<String>,
    /// The length of the pack, in bytes.
    pub(crate) bytes: usize,
    /// The ops in it that this node holds with the same signature, in its order.
    pub(crate) ops: Vec<OpId>,
    /// Whether those are all that is in it, so that its bytes can be made again.
    pub(crate) is_whole: bool,
}

/// An index as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// The version that was read or put.
    pub(crate) version: String,
    pub(crate) entries: Vec<Entry>,
}

/// What may be lost: then more is read than would have to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Visits so far.
    pub(crate) visits: u64,
    pub(crate) indexes: BTreeMap<NodeId, Known>,
    pub(crate) seen: BTreeMap<PackName, Seen>,
    /// The packs that this node names, each with those that it was made of.
    pub(crate) mine: BTreeMap<PackName, Vec<PackName>>,
}

impl Memory {
    /// The bytes to keep. Ops are named by where they stand in the replica, which is the same one when they are read.
    pub(crate) fn encode(&self, replica: &Replica) -> Vec<u8> {
        let mut bytes = Vec::new();
        let written = self.write(replica, &mut Encoder::new(&mut bytes));
        assert!(written.is_ok(), "writing into memory cannot fail");
        bytes
    }

    fn write(
        &self,
        replica: &Replica,
        out: &mut Encoder<&mut Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
        let count = replica.log().admitted_count();
        out.array(7)?.u8(FORM)?.u64(count as u64)?;
        out.bytes(&digest(replica, count))?.u64(self.visits)?;
        out.array(self.indexes.len() as u64)?;
        for (node, known) in &self.indexes {
            out.array(3)?.bytes(node)?;
            out.str(&known.version)?;
            write_entries(out, known.entries.iter().map(|it| (&it.pack, &it.made_of)))?;
        }
        // What has ops that are not admitted is read again.
        let runs = |seen: &Seen| runs(replica, &seen.ops);
        let seen = self
            .seen
            .iter()
            .filter_map(|(name, it)| Some((name, it, runs(it)?)));
        let seen: Vec<_> = seen.collect();
        out.array(seen.len() as u64)?;
        for (name, seen, runs) in seen {
            out.array(5)?.bytes(&name.0)?;
            write_version(out, seen.version.as_deref())?;
            out.u64(seen.bytes as u64)?.bool(seen.is_whole)?;
            out.array(runs.len() as u64)?;
            for (first, length) in runs {
                out.array(2)?.u64(first as u64)?.u64(length as u64)?;
            }
        }
        write_entries(out, self.mine.iter())
    }

    /// What was kept, if it is of this replica as it is, or as it was.
    pub(crate) fn decode(replica: &Replica, bytes: &[u8]) -> Option<Self> {
        let input = &mut Decoder::new(bytes);
        if input.array().ok()? != Some(7) || input.u8().ok()? != FORM {
            return None;
        }
        let count = usize::try_from(input.u64().ok()?).ok()?;
        if count > replica.log().admitted_count() || input.bytes().ok()? != digest(replica, count) {
            return None;
        }
        let mut memory = Self {
            visits: input.u64().ok()?,
            ..Self::default()
        };
        for _ in 0..input.array().ok()?? {
            if input.array().ok()? != Some(3) {
                return None;
            }
            let node: NodeId = input.bytes().ok()?.try_into().ok()?;
            let version = input.str().ok()?.to_owned();
            let entries = read_entries(input)?;
            memory.indexes.insert(node, Known { version, entries });
        }
        let ids: Vec<OpId> = replica.log().ids_since(0).take(count).collect();
        for _ in 0..input.array().ok()?? {
            if input.array().ok()? != Some(5) {
                return None;
            }
            let name = read_name(input)?;
            let version = read_version(input)?;
            let bytes = usize::try_from(input.u64().ok()?).ok()?;
            let is_whole = input.bool().ok()?;
            let mut ops = Vec::new();
            for _ in 0..input.array().ok()?? {
                if input.array().ok()? != Some(2) {
                    return None;
                }
                let first = usize::try_from(input.u64().ok()?).ok()?;
                let length = usize::try_from(input.u64().ok()?).ok()?;
                ops.extend_from_slice(ids.get(first..first.checked_add(length)?)?);
            }
            let seen = Seen {
                version,
                bytes,
                ops,
                is_whole,
            };
            memory.seen.insert(name, seen);
        }
        let mine = read_entries(input)?.into_iter();
        memory.mine = mine.map(|it| (it.pack, it.made_of)).collect();
        (input.position() == bytes.len()).then_some(memory)
    }
}

/// BLAKE3 of the ids of the first ops, in the order of admission.
fn digest(replica: &Replica, count: usize) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for id in replica.log().ids_since(0).take(count) {
        hasher.update(id.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Where the ops stand, as first places and lengths of runs; `None` if one is not admitted.
fn runs(replica: &Replica, ops: &[OpId]) -> Option<Vec<(usize, usize)>> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for op in ops {
        let at = replica.log().position(op)?;
        match runs.last_mut() {
            Some((first, length)) if *first + *length == at => *length += 1,
            Some(_) | None => runs.push((at, 1)),
        }
    }
    Some(runs)
}

type Written = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

fn write_version(out: &mut Encoder<&mut Vec<u8>>, version: Option<&str>) -> Written {
    match version {
        Some(version) => out.str(version)?,
        None => out.null()?,
    };
    Ok(())
}

fn read_version(input: &mut Decoder<'_>) -> Option<Option<String>> {
    if input.datatype().ok()? == Type::Null {
        input.null().ok()?;
        return Some(None);
    }
    Some(Some(input.str().ok()?.to_owned()))
}

fn write_entries<'a>(
    out: &mut Encoder<&mut Vec<u8>>,
    entries: impl ExactSizeIterator<Item = (&'a PackName, &'a Vec<PackName>)>,
) -> Written {
    out.array(entries.len() as u64)?;
    for (pack, made_of) in entries {
        out.array(2)?.bytes(&pack.0)?.array(made_of.len() as u64)?;
        for part in made_of {
            out.bytes(&part.0)?;
        }
    }
    Ok(())
}

fn read_name(input: &mut Decoder<'_>) -> Option<PackName> {
    Some(PackName(input.bytes().ok()?.try_into().ok()?))
}

fn read_entries(input: &mut Decoder<'_>) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    for _ in 0..input.array().ok()?? {
        if input.array().ok()? != Some(2) {
            return None;
        }
        let pack = read_name(input)?;
        let mut made_of = Vec::new();
        for _ in 0..input.array().ok()?? {
            made_of.push(read_name(input)?);
        }
        entries.push(Entry { pack, made_of });
    }
    Some(entries)
}
