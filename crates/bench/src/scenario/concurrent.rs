//! `concurrent`: writers racing on registers and sets with seeded merges.

use ecac_core::credential::Role;
use ecac_core::public_key;

use super::cast::{EPOCH_MS, Issuer, MINUTE_MS, edit, genesis, grant};
use crate::replica::{Author, Observer};
use crate::storage::Storage;
use crate::stream::Stream;

const WRITERS: usize = 4;
/// Per cent of the edits before which the writer merges with another.
const MERGE_PERCENT: u64 = 20;
/// Per cent of the edits after which the observer meets the writer.
const MEET_PERCENT: u64 = 40;

/// A root grants four editors, who then write on the same notes, merging with each other now and then.
pub(super) fn generate<S: Storage>(
    stream: &mut Stream,
    ops: usize,
    storage: &mut S,
) -> Result<Observer, S::Error> {
    let mut observer = Observer::default();
    let issuer = Issuer::new(stream);
    let root_key = stream.signing_key();
    let founding = genesis(stream, "concurrent", &[public_key(&root_key)]);
    let (mut root, first) = Author::found(storage, root_key, 1, EPOCH_MS, founding)?;
    observer.receive(&first);
    observer.receive(&root.write(EPOCH_MS + 1, issuer.key_payload())?);
    observer.receive(&root.write(EPOCH_MS + 2, issuer.status_list(&[]))?);

    let mut writers = Vec::with_capacity(WRITERS);
    for node in (2..).take(WRITERS) {
        let writer = Author::join(storage, first.id(), stream.signing_key(), node)?;
        writers.push(writer);
    }
    for (index, writer) in (1..).zip(&writers) {
        let credential = issuer.credential(writer.key(), Role::Editor, index);
        grant(
            &mut root,
            &mut observer,
            EPOCH_MS + 2 + index,
            writer.key(),
            credential,
        )?;
    }
    writers.iter_mut().for_each(|writer| writer.pull(&root));

    let mut now_ms = EPOCH_MS + MINUTE_MS;
    let mut written = observer.count();
    while written < ops {
        now_ms += stream.between(1, MINUTE_MS);
        let writer = stream.index(WRITERS);
        if stream.chance(MERGE_PERCENT) {
            let other = (writer + 1 + stream.index(WRITERS - 1)) % WRITERS;
            if let Ok([writer, other]) = writers.get_disjoint_mut([writer, other]) {
                writer.pull(other);
            }
        }
        let payload = edit(stream, &format!("writer-{writer}"), written);
        writers[writer].write(now_ms, payload)?;
        written += 1;
        if stream.chance(MEET_PERCENT) {
            observer.pull(&writers[writer]);
        }
    }
    writers.iter().for_each(|writer| observer.pull(writer));
    writers.iter_mut().try_for_each(Author::settle)?;
    Ok(observer)
}
