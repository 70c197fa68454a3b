//! Indexes: which packs a node recommends to read.

use ecac_core::ProjectId;
use minicbor::{Decoder, Encoder};

use crate::pack::PackName;

/// One index, in bytes.
pub const INDEX_BYTES_MAX: usize = 48 * INDEX_NAMES_MAX + 64;
/// Names of packs in one index, those of packs that others stand for counted.
pub const INDEX_NAMES_MAX: usize = 4096;

/// The id of a node in a mailbox.
pub type NodeId = [u8; 16];

/// An id that follows from these parts, and from nothing else: of a node from its key and the project, for instance.
#[must_use]
pub fn id_of(parts: &[&[u8]]) -> NodeId {
    let mut hasher = blake3::Hasher::new_derive_key("ecac mailbox id v1");
    for part in parts {
        hasher
            .update(&(part.len() as u64).to_le_bytes())
            .update(part);
    }
    let mut id = [0; 16];
    hasher.finalize_xof().fill(&mut id);
    id
}

/// A pack, and the packs that it was made of, in order: who has read those need not read it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) pack: PackName,
    pub(crate) made_of: Vec<PackName>,
}

/// `[project, [[pack, [pack, ...]], ...]]`, by pack.
pub(crate) fn encode(project: &ProjectId, entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let out = &mut Encoder::new(&mut bytes);
    let mut write = || -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
        out.array(2)?.bytes(project.as_bytes())?;
        out.array(entries.len() as u64)?;
        for entry in entries {
            out.array(2)?.bytes(&entry.pack.0)?;
            out.array(entry.made_of.len() as u64)?;
            for part in &entry.made_of {
                out.bytes(&part.0)?;
            }
        }
        Ok(())
    };
    let written = write();
    assert!(written.is_ok(), "writing into memory cannot fail");
    bytes
}

/// The entries of an index of the project; `None` for anything else.
pub(crate) fn decode(project: &ProjectId, bytes: &[u8]) -> Option<Vec<Entry>> {
    let input = &mut Decoder::new(bytes);
    if input.array().ok()? != Some(2) || input.bytes().ok()? != project.as_bytes() {
        return None;
    }
    let mut left = INDEX_NAMES_MAX;
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..count(input, left)? {
        left = left.checked_sub(1)?;
        if input.array().ok()? != Some(2) {
            return None;
        }
        let pack = name(input)?;
        let parts = count(input, left)?;
        left -= parts;
        let made_of = (0..parts).map(|_| name(input)).collect::<Option<_>>()?;
        if entries.last().is_some_and(|last| last.pack >= pack) {
            return None;
        }
        entries.push(Entry { pack, made_of });
    }
    (encode(project, &entries) == bytes).then_some(entries)
}

fn count(input: &mut Decoder<'_>, max: usize) -> Option<usize> {
    let count = usize::try_from(input.array().ok()??).ok()?;
    (count <= max).then_some(count)
}

fn name(input: &mut Decoder<'_>) -> Option<PackName> {
    Some(PackName(input.bytes().ok()?.try_into().ok()?))
}

/// The object of a node's index.
pub(crate) fn object(node: &NodeId) -> String {
    format!("indexes/{}", hex::encode(node))
}

/// The node whose index has this second part in its name.
pub(crate) fn parse(text: &str) -> Option<NodeId> {
    let node: NodeId = hex::decode(text).ok()?.try_into().ok()?;
    (hex::encode(node) == text).then_some(node)
}
