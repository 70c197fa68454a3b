//! Skeletons: of a data op what later ops are judged by, which a seal binds whoever has dropped its value
//! (`docs/protocol.md`, Snapshots and seals).

use minicbor::Encoder;

use crate::dag::{Dag, Index};
use crate::id::OpId;
use crate::op::{Body, write_head};
use crate::payload::Payload;
use crate::place::Touch;
use crate::wire::CodecError;

/// Domain of the digests of skeletons.
const SKELETON_DOMAIN: &[u8] = b"ECAC_SKELETON_V1";

/// Most encodings of what an op says without its value are shorter.
const PAYLOAD_BYTES: usize = 64;
/// Skeletons that are hashed together.
const TOGETHER: usize = 256;
/// Most skeletons are shorter.
const SKELETON_BYTES: usize = 256;

/// What the ops of a past have beyond their ids, by position in the DAG: gathered while they are admitted.
#[derive(Debug, Default)]
pub(crate) struct Skeletons {
    /// By op: the digest of its skeleton, if it has one and that was hashed.
    digests: Vec<Option<[u8; 32]>>,
    unhashed: Unhashed,
    /// Memory for the parents of the next one, by id.
    named: Vec<OpId>,
}

/// Skeletons that nobody has hashed yet.
#[derive(Debug, Default)]
pub(crate) struct Unhashed {
    /// One after the other, each with its domain.
    bytes: Vec<u8>,
    /// The op of each, and where it ends.
    ends: Vec<(Index, usize)>,
}

impl Unhashed {
    fn with_room() -> Self {
        Self {
            bytes: Vec::with_capacity(TOGETHER * SKELETON_BYTES),
            ends: Vec::with_capacity(TOGETHER),
        }
    }

    /// The digest of each, with its op.
    pub(crate) fn digests(&self) -> Vec<(Index, [u8; 32])> {
        let mut start = 0;
        let digest = |&(op, end): &(Index, usize)| {
            let bytes = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            (op, *blake3::hash(bytes).as_bytes())
        };
        self.ends.iter().map(digest).collect()
    }
}

impl Skeletons {
    /// Those of so many ops, of which there are none yet.
    pub(crate) fn of_about(ops: usize) -> Self {
        Self {
            digests: Vec::with_capacity(ops),
            ..Self::default()
        }
    }

    /// What the op says of which the body is, without its value, if it has a skeleton.
    ///
    /// # Errors
    /// [`CodecError`] for a body that breaks a limit: it is none that was signed.
    pub(crate) fn said(body: &Body) -> Result<Option<Vec<u8>>, CodecError> {
        let payload = without_value(&body.payload);
        payload.map(|it| encoded(&it)).transpose()
    }

    /// Takes in the op that was admitted last, which [says so](Skeletons::said).
    ///
    /// # Errors
    /// As [`Skeletons::said`].
    pub(crate) fn push(&mut self, dag: &Dag, said: Option<&[u8]>) -> Result<(), CodecError> {
        match said {
            Some(said) => self.push_told(dag, &ends(dag, self.digests.len()), said),
            None => {
                self.digests.push(None);
                Ok(())
            }
        }
    }

    /// Takes in the op that was admitted last, of which the parents that no other one has seen, and what it says without the value,
    /// are known. Its skeleton is [hashed](Skeletons::take_due) later.
    ///
    /// # Errors
    /// As [`Skeletons::said`].
    pub(crate) fn push_told(
        &mut self,
        dag: &Dag,
        ends: &[Index],
        payload: &[u8],
    ) -> Result<(), CodecError> {
        let at = self.digests.len();
        debug_assert_eq!(
            at + 1,
            dag.len(),
            "the op is the one that was admitted last"
        );
        let node = dag.node(at);
        Body::check_numbers(node.seq, node.hlc)?;
        self.named.clear();
        self.named.extend(ends.iter().map(|&parent| dag.id(parent)));
        self.named.sort_unstable();
        let Unhashed { bytes, ends } = &mut self.unhashed;
        bytes.extend_from_slice(SKELETON_DOMAIN);
        write_head(bytes, &node.author, node.seq, &self.named, node.hlc);
        bytes.extend_from_slice(payload);
        ends.push((at, bytes.len()));
        self.digests.push(None);
        Ok(())
    }

    /// Skeletons that are to be hashed, once there are enough, or if there are any and no more will come.
    pub(crate) fn take_due(&mut self, is_end: bool) -> Option<Unhashed> {
        let count = self.unhashed.ends.len();
        let is_due = count >= TOGETHER || is_end && count > 0;
        is_due.then(|| core::mem::replace(&mut self.unhashed, Unhashed::with_room()))
    }

    /// Takes in the digests of skeletons.
    pub(crate) fn take_hashed(&mut self, digests: Vec<(Index, [u8; 32])>) {
        for (op, digest) in digests {
            self.digests[op] = Some(digest);
        }
    }

    /// Hashes what is due at once.
    pub(super) fn hash(&mut self, is_end: bool) {
        if let Some(unhashed) = self.take_due(is_end) {
            self.take_hashed(unhashed.digests());
        }
    }

    /// The digest of the skeleton of the op, if it has one. All that there are were hashed.
    pub(crate) fn digest(&self, at: Index) -> Option<[u8; 32]> {
        debug_assert!(self.unhashed.ends.is_empty(), "skeletons wait to be hashed");
        self.digests.get(at).copied().flatten()
    }
}

/// The parents of the op that no other one of them has seen, in order of admission.
pub(super) fn ends(dag: &Dag, at: Index) -> Vec<Index> {
    let (_, ends) = dag.past_and_ends(&dag.covering(at));
    ends
}

/// The encoding of what an op says.
pub(crate) fn encoded(payload: &Payload) -> Result<Vec<u8>, CodecError> {
    payload.check()?;
    let mut bytes = Vec::with_capacity(PAYLOAD_BYTES);
    payload.write(&mut Encoder::new(&mut bytes))?;
    Ok(bytes)
}

/// Whether what is known of a data op without its envelope is enough to admit it again: of a sealed write its key is not.
pub(crate) fn is_plain(payload: &Payload) -> bool {
    let is_sealed = matches!(
        payload,
        Payload::SetFieldSealed(_) | Payload::SetAddSealed(_)
    );
    Touch::of(payload).is_some() && !is_sealed
}

/// What a data op says, without the value, if it can be kept without it: of a sealed write the key is told with the value.
fn without_value(payload: &Payload) -> Option<Payload> {
    let touch = Touch::of(payload).filter(|_| is_plain(payload))?;
    let (object, field) = payload.target()?;
    touch.blank(object.clone(), field.clone(), payload.element().cloned())
}
