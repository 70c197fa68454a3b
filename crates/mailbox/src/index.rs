//! Indexes: which packs a node recommends to read.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::ProjectId;
use minicbor::{Decoder, Encoder};

/// One index, in bytes.
pub const INDEX_BYTES_MAX: usize = 34 * INDEX_PACKS_MAX + 64;
/// Packs of one index.
pub const INDEX_PACKS_MAX: usize = 4096;

/// `[project, [pack, ...]]`, packs ascending.
pub(crate) fn encode(project: &ProjectId, packs: &BTreeSet<String>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let out = &mut Encoder::new(&mut bytes);
    let mut write = || -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
        out.array(2)?.bytes(project.as_bytes())?;
        out.array(packs.len() as u64)?;
        for pack in packs {
            out.bytes(&hex::decode(pack).unwrap_or_default())?;
        }
        Ok(())
    };
    let written = write();
    assert!(written.is_ok(), "writing into memory cannot fail");
    bytes
}

/// The packs of an index of the project; `None` for anything else.
pub(crate) fn decode(project: &ProjectId, bytes: &[u8]) -> Option<BTreeSet<String>> {
    let input = &mut Decoder::new(bytes);
    if input.array().ok()? != Some(2) || input.bytes().ok()? != project.as_bytes() {
        return None;
    }
    let count = usize::try_from(input.array().ok()??).ok()?;
    if count > INDEX_PACKS_MAX {
        return None;
    }
    let mut packs = BTreeSet::new();
    for _ in 0..count {
        let name: [u8; 32] = input.bytes().ok()?.try_into().ok()?;
        packs.insert(hex::encode(name));
    }
    (encode(project, &packs) == bytes).then_some(packs)
}

/// The name of a node's index: of the generations of one node the greatest counts.
pub(crate) fn name(node: &[u8; 16], generation: u64) -> String {
    format!("{}-{generation:016x}", hex::encode(node))
}

/// The greatest generation of each node, of the names that are those of indexes.
pub(crate) fn latest(names: &[String]) -> BTreeMap<[u8; 16], u64> {
    let mut latest = BTreeMap::new();
    for text in names {
        let parts = text.split_once('-').and_then(|(node, generation)| {
            let node: [u8; 16] = hex::decode(node).ok()?.try_into().ok()?;
            Some((node, u64::from_str_radix(generation, 16).ok()?))
        });
        if let Some((node, generation)) = parts
            && name(&node, generation) == *text
        {
            let known = latest.entry(node).or_insert(generation);
            *known = generation.max(*known);
        }
    }
    latest
}
