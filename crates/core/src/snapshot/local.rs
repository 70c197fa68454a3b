//! The local form: the numbers of one replica, in CBOR, with a digest at the end.

use minicbor::decode::Error as Malformed;
use minicbor::{Decoder, Encoder};

use crate::columns::Form;
use crate::costs::Costs;
use crate::dag::Dag;
use crate::id::{OpId, ProjectId};
use crate::log::Log;
use crate::op::VerifiedOp;
use crate::place::Places;
use crate::replay::Replay;
use crate::store::StoreError;
use crate::wire::{Out, Written};

/// What every local snapshot begins with, and the version of its form. Another version is no error of the file: the ops are
/// replayed.
const FORMAT: &str = "ecac-local-snapshot";
const VERSION: u32 = 4;
/// The version in which numbers have a fixed width. It is read: a store that has dropped envelopes has nothing else.
const FIXED_VERSION: u32 = 3;
/// The CBOR head of the digest, and the digest: BLAKE3-256 of all that comes before.
const DIGEST_BYTES: usize = 2 + 32;

/// Why a replica cannot be restored from a snapshot; from its ops alone it can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It is no local snapshot, or one of another version of this program.
    #[error("this is no local snapshot of version {FIXED_VERSION} or {VERSION}")]
    OtherForm,
    /// Its digest does not match: bytes are missing or changed.
    #[error("the snapshot is damaged: its digest does not match")]
    Damaged,
    /// It is of another project.
    #[error("the snapshot is of project {project}")]
    OtherProject {
        /// The project.
        project: ProjectId,
    },
    /// Its parts do not fit together, or do not fit the op store.
    #[error("the snapshot cannot be read: {reason}")]
    Inconsistent {
        /// What does not fit.
        reason: String,
    },
    /// The op store has fewer ops than the snapshot.
    #[error("the snapshot is of {ops} ops, and the store has {stored}")]
    StoreBehind {
        /// Ops of the snapshot.
        ops: usize,
        /// Ops in the store.
        stored: usize,
    },
    /// The op store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Malformed> for RestoreError {
    fn from(error: Malformed) -> Self {
        Self::Inconsistent {
            reason: error.to_string(),
        }
    }
}

/// The local snapshot of a log and its replay, which is up to date.
pub(crate) fn save(log: &Log, replay: &Replay, costs: &Costs) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = write(&mut Encoder::new(&mut bytes), log, replay, costs);
    debug_assert!(written.is_ok(), "writing into memory does not fail");
    let digest = *blake3::hash(&bytes).as_bytes();
    let written = Encoder::new(&mut bytes).bytes(&digest).map(|_| ());
    debug_assert!(written.is_ok(), "writing into memory does not fail");
    bytes
}

fn write(out: &mut Out<'_>, log: &Log, replay: &Replay, costs: &Costs) -> Written {
    out.str(FORMAT)?.u32(VERSION)?;
    out.bytes(log.project().as_bytes())?;
    out.u64(log.dag.len() as u64)?;
    log.dag.save(out)?;
    log.places.save(out)?;
    log.authority.save(out)?;
    replay.save(out)?;
    log.save_held(out)?;
    out.u64(costs.signatures_verified)?
        .u64(costs.bytes_hashed)?
        .u64(costs.ancestor_queries)?
        .u64(costs.ops_evaluated)?;
    Ok(())
}

/// Restores into an empty log, whose store has the ops; returns the replay and the work that both had cost. Bytes that were
/// damaged are found by the digest, and nothing that is read panics; whoever can write the file can say what they like.
pub(crate) fn restore(log: &mut Log, bytes: &[u8]) -> Result<(Replay, Costs), RestoreError> {
    let mut input = Decoder::new(bytes);
    let form = match input.str().ok().zip(input.u32().ok()) {
        Some((FORMAT, VERSION)) => Form::Short,
        Some((FORMAT, FIXED_VERSION)) => Form::Fixed,
        _ => return Err(RestoreError::OtherForm),
    };
    let Some((body, digest)) = bytes.split_last_chunk::<DIGEST_BYTES>() else {
        return Err(RestoreError::Damaged);
    };
    if digest[..2] != [0x58, 0x20] || digest[2..] != *blake3::hash(body).as_bytes() {
        return Err(RestoreError::Damaged);
    }
    let project = input.bytes()?.try_into().map(OpId::from_bytes);
    let project = project.map_err(|_| Malformed::message("the project"))?;
    if project != log.project() {
        return Err(RestoreError::OtherProject { project });
    }
    let ops = usize::try_from(input.u64()?).map_err(|_| Malformed::message("the number of ops"))?;
    let stored = log.stored();
    if stored < ops {
        return Err(RestoreError::StoreBehind { ops, stored });
    }
    log.dag = Dag::restore(&mut input, form)?;
    if log.dag.len() != ops {
        return Err(Malformed::message("the number of ops").into());
    }
    if let Some(last) = ops.checked_sub(1) {
        // The ends are compared: the store is of the same ops, unless somebody mixed files on purpose.
        for at in [0, last].into_iter().filter(|&at| !log.is_hollow(at)) {
            let here = log.op(at).as_ref().map(VerifiedOp::id);
            if here != Some(log.dag.id(at)) {
                return Err(Malformed::message("the store has other ops").into());
            }
        }
    }
    log.places = Places::restore(&mut input, &log.dag, form)?;
    log.restore_authority(&mut input, form)?;
    let replay = Replay::restore(&mut input, form, log)?;
    log.restore_held(&mut input)?;
    let costs = Costs {
        signatures_verified: input.u64()?,
        bytes_hashed: input.u64()?,
        ancestor_queries: input.u64()?,
        ops_evaluated: input.u64()?,
    };
    if input.position() != body.len() {
        return Err(Malformed::message("something follows the end").into());
    }
    match log.fault() {
        Some(fault) => Err(fault.clone().into()),
        None => Ok((replay, costs)),
    }
}
