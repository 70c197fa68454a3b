//! `hb-chain`: one author, one causal chain.

use ecac_core::public_key;

use super::cast::{EPOCH_MS, MINUTE_MS, edit, genesis};
use crate::replica::{Author, Observer};
use crate::storage::Storage;
use crate::stream::Stream;

/// A root writes alone; every op has the one before as its only parent.
pub(super) fn generate<S: Storage>(
    stream: &mut Stream,
    ops: usize,
    storage: &mut S,
) -> Result<Observer, S::Error> {
    let key = stream.signing_key();
    let founding = genesis(stream, "hb-chain", &[public_key(&key)]);
    let (mut root, first) = Author::found(storage, key, 1, EPOCH_MS, founding)?;
    let mut observer = Observer::default();
    observer.receive(&first);
    let mut now_ms = EPOCH_MS;
    while observer.count() < ops {
        now_ms += stream.between(1, MINUTE_MS);
        let payload = edit(stream, "root", observer.count());
        observer.receive(&root.write(now_ms, payload)?);
    }
    Ok(observer)
}
