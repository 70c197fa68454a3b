//! Skeletons: of a data op what later ops are judged by, which a seal binds whoever has dropped its value
//! (`docs/protocol.md`, Snapshots and seals).

use minicbor::Encoder;

use crate::dag::{Dag, Index, narrow};
use crate::id::OpId;
use crate::op::{Body, write_head};
use crate::payload::Payload;
use crate::place::Touch;
use crate::wire::CodecError;

/// Domain of the digests of skeletons.
const SKELETON_DOMAIN: &[u8] = b"ECAC_SKELETON_V1";

/// What the ops of a past have beyond their ids, by position in the DAG: gathered while they are admitted.
#[derive(Debug, Default)]
pub(crate) struct Skeletons {
    /// By op: the digest of its skeleton, if it has one.
    digests: Vec<Option<[u8; 32]>>,
    /// By op: the end of its parents in the list of all.
    ends: Vec<u32>,
    /// Of the ops that have skeletons the parents that no other one has seen, ascending.
    parents: Vec<u32>,
    /// Memory for the parents of the next one, by id, and for its bytes.
    named: Vec<OpId>,
    bytes: Vec<u8>,
}

impl Skeletons {
    /// Takes in the op that was admitted last.
    ///
    /// # Errors
    /// [`CodecError`] for a body that breaks a limit: it is none that was signed.
    pub(crate) fn push(&mut self, dag: &Dag, body: &Body) -> Result<(), CodecError> {
        let at = self.digests.len();
        let Some(payload) = without_value(&body.payload) else {
            self.digests.push(None);
            self.ends.push(narrow(self.parents.len()));
            return Ok(());
        };
        let (_, ends) = dag.past_and_ends(&dag.covering(at));
        self.push_told(dag, &ends, &encoded(&payload)?)
    }

    /// Takes in the op that was admitted last, of which the parents that no other one has seen, and what it says without the value,
    /// are known.
    ///
    /// # Errors
    /// As [`Skeletons::push`].
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
        self.bytes.clear();
        self.bytes.extend_from_slice(SKELETON_DOMAIN);
        let out = &mut Encoder::new(&mut self.bytes);
        write_head(out, &node.author, node.seq, &self.named, node.hlc)?;
        self.bytes.extend_from_slice(payload);
        let digest = *blake3::hash(&self.bytes).as_bytes();
        self.parents.extend(ends.iter().copied().map(narrow));
        self.ends.push(narrow(self.parents.len()));
        self.digests.push(Some(digest));
        Ok(())
    }

    /// The digest of the skeleton of the op, if it has one.
    pub(crate) fn digest(&self, at: Index) -> Option<[u8; 32]> {
        self.digests.get(at).copied().flatten()
    }

    /// The parents of the op that no other one of them has seen, if it has a skeleton.
    pub(crate) fn parents(&self, at: Index) -> &[u32] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.parents[start as usize..self.ends[at] as usize]
    }
}

/// The encoding of what an op says.
pub(crate) fn encoded(payload: &Payload) -> Result<Vec<u8>, CodecError> {
    payload.check()?;
    let mut bytes = Vec::new();
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
