//! Verification: everything that a store says is found out again from the envelopes, and compared.

use std::path::Path;

use ecac_core::{Event, OpId, Refusal, Replica, VerifiedOp};

use crate::disk::Check;
use crate::error::{Error, Spot};
use crate::options::unresumed;
use crate::store::{CACHE_BYTES, Store};

/// Ops that are verified together.
const TOGETHER: u64 = 4096;

/// What was verified, and found to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Admitted ops: each canonical, signed by its author, and admitted at its position, but for those whose envelopes were
    /// dropped.
    pub ops: u64,
    /// Of them those whose envelopes were dropped and did not come back: each admitted at its position by what the snapshot has of it. That its author
    /// signed it, and that it had this id, nothing here tells any more.
    pub dropped: u64,
    /// Ops that are held outside of the DAG: each canonical, signed, and not in the DAG.
    pub held: u64,
    /// Of how many ops the snapshot is, if there is one: with the ops that follow it, it tells the same decisions and the
    /// same state as the ops alone.
    pub snapshot_ops: Option<u64>,
    /// How many transactions there were.
    pub generation: u64,
    /// SHA-256 of the state.
    pub state_digest: [u8; 32],
    /// SHA-256 of the trust view.
    pub trust_digest: [u8; 32],
}

/// Verifies a store, beside others that read it: every page of the file, every value, every signature, every admission, what is held
/// outside of the DAG, and the snapshot. Of ops whose envelopes were dropped the snapshot is asked; what they were admitted by, and what
/// follows from them, is found out again. The file is not touched.
///
/// `threads` may verify signatures at once.
///
/// # Errors
/// [`Error`]: the first fault, with its place.
pub fn verify(file: impl AsRef<Path>, threads: usize) -> Result<Verified, Error> {
    verify_telling(file, threads, &mut |_, _| {})
}

/// Verifies a store as [`verify`] does, and tells now and then how many of its admitted ops are done, and of how many.
///
/// # Errors
/// As there.
pub fn verify_telling(
    file: impl AsRef<Path>,
    threads: usize,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Verified, Error> {
    let store = Store::open_with(file.as_ref(), CACHE_BYTES, true, Check::All)?;
    verified(&store, threads, tell)
}

/// Verifies a store that is open, as [`verify`] does.
///
/// # Errors
/// As there.
pub fn verify_store(store: &Store, threads: usize) -> Result<Verified, Error> {
    verified(store, threads, &mut |_, _| {})
}

fn verified(
    store: &Store,
    threads: usize,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Verified, Error> {
    tell(0, store.ops());
    store.verify_values()?;
    let builder = || Replica::builder().threads(threads).places(false);
    let engine = |error: ecac_core::StoreError| {
        Error::damaged(store.file(), Spot::File, error.reason.to_string())
    };
    let held = store.held()?;
    let told = || -> Result<Option<Replica>, Error> {
        let Some(snapshot) = store.snapshot()? else {
            return Ok(None);
        };
        let view = store.engine().branch().map_err(engine)?;
        let told = builder().resume(store.project(), view, Some(&snapshot), &held);
        told.map(Some).map_err(|error| unresumed(store, error))
    };
    // Nothing else tells of what was dropped.
    let mut snapshot = None;
    if store.dropped() > 0 {
        snapshot = told()?;
        if snapshot.is_none() {
            let file = store.file().to_owned();
            return Err(Error::Pruned { file, source: None });
        }
    }
    let nothing = Box::new(store.growing());
    let mut replica = builder().open(store.project(), nothing).map_err(engine)?;
    let mut first = 0;
    while first < store.ops() {
        let end = store.ops().min(first + TOGETHER);
        take(store, &mut replica, snapshot.as_ref(), first..end, threads)?;
        first = end;
        tell(first, store.ops());
    }
    verify_held(store, &replica, &held, threads)?;
    replica.receive(&held);
    if let Some(fault) = replica.fault() {
        return Err(engine(fault.clone()));
    }
    if snapshot.is_none() {
        snapshot = told()?;
    }
    if let Some(told) = &snapshot {
        compare(store, &replica, told)?;
    }
    Ok(Verified {
        ops: store.ops(),
        dropped: store.dropped(),
        held: held.len() as u64,
        snapshot_ops: store.snapshot_ops(),
        generation: store.generation(),
        state_digest: replica.state_digest(),
        trust_digest: replica.trust_digest(),
    })
}

fn at(store: &Store, position: u64, op: Option<OpId>, what: impl Into<String>) -> Error {
    let place = Spot::Ops {
        first: position,
        op,
    };
    Error::damaged(store.file(), place, what)
}

/// Verifies and takes in the ops at these positions, and what the replica tells of those whose envelopes were dropped.
fn take(
    store: &Store,
    replica: &mut Replica,
    told: Option<&Replica>,
    positions: core::ops::Range<u64>,
    threads: usize,
) -> Result<(), Error> {
    let here = positions.clone().filter(|&it| !store.is_dropped(it));
    let envelopes = here.map(|position| store.envelope(position));
    let envelopes = envelopes.collect::<Result<Vec<_>, _>>()?;
    let read = VerifiedOp::read_batch(&envelopes, threads, &mut ecac_core::Costs::default());
    let mut read = read.into_iter();
    let mut ops = Vec::with_capacity(envelopes.len());
    for position in positions.clone() {
        if store.is_dropped(position) {
            let place = usize::try_from(position).unwrap_or(usize::MAX);
            let remains = told.and_then(|it| it.log().remains(place));
            let what = "its envelope was dropped, and the snapshot does not tell of it";
            ops.push(remains.ok_or_else(|| at(store, position, None, what))?);
        } else if let Some(read) = read.next() {
            ops.push(read.map_err(|rejected| {
                let what = format!("it is no op: {}", rejected.reason.meaning());
                at(store, position, rejected.claimed, what)
            })?);
        }
    }
    let ids: Vec<OpId> = ops.iter().map(VerifiedOp::id).collect();
    let received = replica.ingest(ops);
    for (position, id) in positions.zip(ids) {
        let found = replica.log().position(&id);
        if found.map(|it| it as u64) == Some(position) {
            continue;
        }
        let refused = received.events.iter().find_map(|event| match event {
            Event::Refused { op, reason, .. } if op.id == id => Some(*reason),
            _ => None,
        });
        let what = refused
            .map(Refusal::meaning)
            .unwrap_or("it is not the next op");
        return Err(at(
            store,
            position,
            Some(id),
            format!("it is not admitted: {what}"),
        ));
    }
    Ok(())
}

fn verify_held(
    store: &Store,
    replica: &Replica,
    held: &[Vec<u8>],
    threads: usize,
) -> Result<(), Error> {
    let read = VerifiedOp::read_batch(held, threads, &mut ecac_core::Costs::default());
    for (id, read) in store.held_ids().into_iter().zip(read) {
        let what = match read {
            Err(rejected) => format!("it is no op: {}", rejected.reason.meaning()),
            Ok(op) if op.id() != id => "it is another op".to_owned(),
            Ok(_) if replica.log().position(&id).is_some() => "it is admitted, too".to_owned(),
            Ok(_) => continue,
        };
        let place = Spot::Value {
            table: "held",
            key: id.as_bytes().to_vec(),
        };
        return Err(Error::damaged(store.file(), place, what));
    }
    Ok(())
}

/// Compares what the ops say with what the snapshot tells of them.
fn compare(store: &Store, replica: &Replica, told: &Replica) -> Result<(), Error> {
    for (position, id) in (0..).zip(replica.log().ids_since(0)) {
        if told.log().position(&id).map(|it| it as u64) != Some(position) {
            return Err(at(
                store,
                position,
                Some(id),
                "the snapshot has another op there",
            ));
        }
        if told.decision(&id) != replica.decision(&id) {
            return Err(at(
                store,
                position,
                Some(id),
                "the snapshot decides otherwise on it",
            ));
        }
        if told.effect(&id) != replica.effect(&id) {
            return Err(at(
                store,
                position,
                Some(id),
                "the snapshot tells another effect of it",
            ));
        }
    }
    let same = told.heads() == replica.heads()
        && told.state() == replica.state()
        && told.trust() == replica.trust();
    if same {
        return Ok(());
    }
    let place = Spot::Value {
        table: "snapshot",
        key: Vec::new(),
    };
    Err(Error::damaged(
        store.file(),
        place,
        "it tells another state than the ops",
    ))
}
