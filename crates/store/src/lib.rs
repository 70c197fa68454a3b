//! The durable store of ECAC (eventually consistent access control): a [`DurableReplica`] is the engine's replica in one file, or
//! with the feature `rocksdb` in a directory of RocksDB.
//!
//! `docs/store.md` says what is promised, what lies where, and what each error means. What is in an envelope, and why an op counts, is
//! the engine's business; here it is bytes.
#![forbid(unsafe_code)]

mod backend;
mod chunks;
mod directory;
mod disk;
mod durable;
mod engine;
mod error;
mod fault;
mod form;
mod holder;
mod inner;
mod keeper;
mod marker;
mod meta;
mod options;
mod parts;
mod positions;
mod reader;
mod regained;
#[cfg(feature = "rocksdb")]
mod rocks;
mod sealed;
mod store;
#[cfg(test)]
mod trial;
mod verify;

pub use backend::{Backend, Batch, Pair, Table, Take};
pub use durable::DurableReplica;
pub use error::{Error, Spot};
pub use fault::FaultyDisk;
pub use form::Form;
pub use holder::Holder;
pub use marker::BODIES_MAX;
pub use meta::SCHEMA;
pub use options::Options;
pub use reader::Reader;
pub use store::{CACHE_BYTES, Store};
pub use verify::{Verified, verify, verify_store, verify_telling};
