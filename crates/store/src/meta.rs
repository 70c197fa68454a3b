//! What a store says of itself.

use std::path::Path;

use ecac_core::{OpId, ProjectId};
use minicbor::{Decoder, Encoder};

use crate::backend::{Backend, Batch, Table};
use crate::error::{Error, Spot};
use crate::sealed;

/// The latest schema that this program knows, that of a store in which dropped envelopes are again. A store says its schema under a key and in a
/// form that every version of this program reads: `schema`, four bytes with the least significant one first, and the check.
pub const SCHEMA: u32 = 3;
/// The schema of a store that has dropped envelopes, none of which is there again.
const SCHEMA_OF_DROPPED: u32 = 2;
/// The schema of a store that has every envelope.
const SCHEMA_OF_ALL: u32 = 1;

const SCHEMA_KEY: &[u8] = b"schema";
const STATE_KEY: &[u8] = b"state";

/// What the last transaction left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) project: ProjectId,
    /// How many transactions there were.
    pub(crate) generation: u64,
    /// How many ops are admitted.
    pub(crate) ops: u64,
    /// How many ops are held outside of the DAG.
    pub(crate) held: u64,
    /// The snapshot, if there is one.
    pub(crate) snapshot: Option<Saved>,
    /// How many envelopes were dropped.
    pub(crate) dropped: u64,
    /// How many of these came back, and their bytes.
    pub(crate) regained: u64,
    pub(crate) regained_bytes: u64,
    /// By how many chunks there are fewer than the number of the last one says.
    pub(crate) spared: u64,
}

/// A snapshot in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Saved {
    /// The generation that it was written with.
    pub(crate) generation: u64,
    /// Of how many ops it is.
    pub(crate) ops: u64,
    /// How long it is.
    pub(crate) bytes: u64,
}

impl Meta {
    pub(crate) const fn new(project: ProjectId) -> Self {
        Self {
            project,
            generation: 0,
            ops: 0,
            held: 0,
            snapshot: None,
            dropped: 0,
            regained: 0,
            regained_bytes: 0,
            spared: 0,
        }
    }

    /// How many envelopes were dropped and did not come back.
    pub(crate) const fn lacking(&self) -> u64 {
        self.dropped.saturating_sub(self.regained)
    }

    /// The schema of a store of which this is true.
    const fn schema(&self) -> u32 {
        if self.regained > 0 {
            SCHEMA
        } else if self.dropped > 0 {
            SCHEMA_OF_DROPPED
        } else {
            SCHEMA_OF_ALL
        }
    }

    pub(crate) fn load(path: &Path, backend: &dyn Backend) -> Result<Self, Error> {
        let damaged = |key: &[u8]| {
            let place = Spot::Value {
                table: Table::Meta.name(),
                key: key.to_vec(),
            };
            Error::damaged(path, place, "its check does not match")
        };
        let read = |key: &[u8]| {
            let value = backend.get(Table::Meta, key)?;
            let value =
                value.map(|it| sealed::open(Table::Meta, key, it).ok_or_else(|| damaged(key)));
            value.transpose()
        };
        let Some(schema) = read(SCHEMA_KEY)? else {
            return match backend.get(Table::Meta, STATE_KEY)? {
                Some(_) => Err(damaged(SCHEMA_KEY)),
                None => Err(Error::Empty {
                    file: path.to_owned(),
                }),
            };
        };
        let schema = schema.try_into().map_err(|_| damaged(SCHEMA_KEY))?;
        let schema = u32::from_le_bytes(schema);
        if !(SCHEMA_OF_ALL..=SCHEMA).contains(&schema) {
            return Err(Error::Newer {
                file: path.to_owned(),
                schema,
                known: SCHEMA,
            });
        }
        let state = read(STATE_KEY)?.ok_or_else(|| damaged(STATE_KEY))?;
        let meta = decode(&state).filter(|it| it.schema() == schema);
        meta.ok_or_else(|| damaged(STATE_KEY))
    }

    pub(crate) fn put(&self, batch: &mut Batch) {
        let schema = self.schema().to_le_bytes().to_vec();
        batch.put(
            Table::Meta,
            SCHEMA_KEY,
            sealed::seal(Table::Meta, SCHEMA_KEY, schema),
        );
        let state = sealed::seal(Table::Meta, STATE_KEY, encode(self));
        batch.put(Table::Meta, STATE_KEY, state);
    }
}

/// Fields of the state, of that of a store that has dropped envelopes, and of one in which some of these are again.
const FIELDS: u64 = 7;
const FIELDS_AND_DROPPED: u64 = 9;
const FIELDS_AND_REGAINED: u64 = 11;

fn encode(meta: &Meta) -> Vec<u8> {
    let mut bytes = Vec::new();
    let saved = meta.snapshot.unwrap_or(Saved {
        generation: 0,
        ops: 0,
        bytes: 0,
    });
    let fields = match meta.schema() {
        SCHEMA_OF_ALL => FIELDS,
        SCHEMA_OF_DROPPED => FIELDS_AND_DROPPED,
        _ => FIELDS_AND_REGAINED,
    };
    let written = Encoder::new(&mut bytes)
        .array(fields)
        .and_then(|out| out.bytes(meta.project.as_bytes()))
        .and_then(|out| out.u64(meta.generation)?.u64(meta.ops)?.u64(meta.held))
        .and_then(|out| out.u64(saved.generation)?.u64(saved.ops)?.u64(saved.bytes))
        .and_then(|out| {
            if fields == FIELDS {
                return Ok(out);
            }
            out.u64(meta.dropped)?.u64(meta.spared)
        })
        .and_then(|out| {
            if fields != FIELDS_AND_REGAINED {
                return Ok(out);
            }
            out.u64(meta.regained)?.u64(meta.regained_bytes)
        })
        .map(drop);
    debug_assert!(written.is_ok(), "writing into memory does not fail");
    bytes
}

fn decode(bytes: &[u8]) -> Option<Meta> {
    let mut input = Decoder::new(bytes);
    let fields = input.array().ok()??;
    if ![FIELDS, FIELDS_AND_DROPPED, FIELDS_AND_REGAINED].contains(&fields) {
        return None;
    }
    let project = input.bytes().ok()?.try_into().ok()?;
    let mut number = || input.u64().ok();
    let (generation, ops, held) = (number()?, number()?, number()?);
    let saved = Saved {
        generation: number()?,
        ops: number()?,
        bytes: number()?,
    };
    let (dropped, spared) = if fields == FIELDS {
        (0, 0)
    } else {
        (number()?, number()?)
    };
    let (regained, regained_bytes) = if fields == FIELDS_AND_REGAINED {
        (number()?, number()?)
    } else {
        (0, 0)
    };
    Some(Meta {
        project: OpId::from_bytes(project),
        generation,
        ops,
        held,
        snapshot: (saved.bytes > 0).then_some(saved),
        dropped,
        regained,
        regained_bytes,
        spared,
    })
}
