//! The log in a local snapshot, and on a store that has ops.

use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::decode::Error;

use super::{Log, Outcome, RefusedOp, Waits};
use crate::columns::{Form, damaged};
use crate::costs::Costs;
use crate::held::Limits;
use crate::hlc::Hlc;
use crate::id::{OpId, ProjectId};
use crate::op::VerifiedOp;
use crate::reason::Refusal;
use crate::store::{OpStore, StoreError};
use crate::wire::{Out, Written};

/// Ops of a store that are verified together.
const TOGETHER: usize = 8192;

impl Log {
    /// A log of the project on the store, whose ops it has not taken in yet.
    pub(crate) fn on(project: ProjectId, limits: Limits, store: Box<dyn OpStore>) -> Self {
        Self {
            store,
            ..Self::with_limits(project, limits)
        }
    }

    /// How many ops the store has.
    pub(crate) fn stored(&self) -> usize {
        self.store.len()
    }

    /// Verifies and takes in what the store has beyond what is admitted.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read, or if an op is not one that is admitted at its position.
    pub(crate) fn catch_up(&mut self, threads: usize, costs: &mut Costs) -> Result<(), StoreError> {
        while self.dag.len() < self.store.len() {
            let first = self.dag.len();
            let end = self.store.len().min(first + TOGETHER);
            let envelopes = (first..end)
                .map(|at| Ok(self.store.read(at)?.into_owned()))
                .collect::<Result<Vec<Vec<u8>>, StoreError>>()?;
            let read = VerifiedOp::read_batch(&envelopes, threads, costs);
            let good = read.iter().flatten();
            self.read_ahead(good.map(|op| (op.id(), op.body())));
            for (at, read) in (first..).zip(read) {
                let is_next = match read {
                    Ok(op) => {
                        let outcome = self.judge(&op.into(), None, Waits::All, costs);
                        outcome == Some(Outcome::Admitted)
                    }
                    Err(_) => false,
                };
                if let Some(fault) = self.fault.get() {
                    return Err(fault.clone());
                }
                if !is_next || self.dag.len() != at + 1 {
                    let reason = format!("what stands at position {at} is no op that is admitted");
                    return Err(StoreError::new(reason));
                }
            }
        }
        self.forget_ahead();
        Ok(())
    }

    /// Forgets what is pending and what is unsupported.
    pub(crate) fn let_go_of_held(&mut self) {
        for held in [&mut self.pending, &mut self.unsupported] {
            let ids: Vec<OpId> = held.iter().map(|(id, _)| *id).collect();
            for id in ids {
                held.remove(&id);
            }
        }
        self.waiting.clear();
    }

    /// Registers the ops, whose DAG and places are restored, by what the snapshot says of them.
    pub(crate) fn restore_authority(
        &mut self,
        input: &mut Decoder<'_>,
        form: Form,
    ) -> Result<(), Error> {
        let mut authority = core::mem::take(&mut self.authority);
        authority.restore(&self.dag, input, form, |at, entry| {
            if self.places.touched(at).is_none() {
                let body = self.body(at);
                let body = body.ok_or_else(|| damaged("an op that cannot be read"))?;
                body.payload.register(entry);
            }
            Ok(())
        })?;
        for (object, field) in self.places.fields_by_number() {
            authority.learn_tags(object, field, None);
        }
        self.authority = authority;
        Ok(())
    }

    pub(crate) fn save_held(&self, out: &mut Out<'_>) -> Written {
        out.array(self.refused.len() as u64)?;
        for (id, refused) in self.refused.iter() {
            out.array(7)?.bytes(id.as_bytes())?;
            out.str(refused.reason.name())?;
            match refused.witness {
                Some(witness) => out.bytes(witness.as_bytes())?,
                None => out.null()?,
            };
            out.u64(refused.hlc.physical_ms)?
                .u32(refused.hlc.logical)?
                .u32(refused.hlc.node)?
                .bool(refused.foreign)?;
        }
        for held in [&self.unsupported, &self.pending] {
            out.array(held.len() as u64)?;
            for (_, op) in held.iter() {
                out.bytes(op.envelope())?;
            }
        }
        Ok(())
    }

    pub(crate) fn restore_held(&mut self, input: &mut Decoder<'_>) -> Result<(), Error> {
        let count = |input: &mut Decoder<'_>| {
            let count = input.array()?;
            count.ok_or_else(|| Error::message("what is held outside of the DAG"))
        };
        for _ in 0..count(input)? {
            if input.array()? != Some(7) {
                return Err(Error::message("a refused op"));
            }
            let id = op_id(input)?;
            let reason: Result<Refusal, _> = input.str()?.parse();
            let reason = reason.map_err(|_| Error::message("the reason of a refusal"))?;
            let witness = match input.datatype()? {
                Type::Null => input.null().map(|()| None)?,
                _ => Some(op_id(input)?),
            };
            let hlc = Hlc {
                physical_ms: input.u64()?,
                logical: input.u32()?,
                node: input.u32()?,
            };
            let refused = RefusedOp {
                reason,
                witness,
                hlc,
                foreign: input.bool()?,
            };
            self.refused.insert(id, 0, refused);
        }
        let op = |input: &mut Decoder<'_>| {
            let op = VerifiedOp::stored(input.bytes()?);
            op.ok_or_else(|| Error::message("an op that is held outside of the DAG"))
        };
        for _ in 0..count(input)? {
            let op = op(input)?;
            let (id, bytes) = (op.id(), op.envelope().len());
            self.unsupported.insert(id, bytes, op);
        }
        for _ in 0..count(input)? {
            let op = op(input)?;
            let costs = &mut Costs::default();
            if self.judge(&op.into(), None, Waits::All, costs) != Some(Outcome::Pending) {
                return Err(Error::message("a pending op that waits for nothing"));
            }
        }
        Ok(())
    }
}

fn op_id(input: &mut Decoder<'_>) -> Result<OpId, Error> {
    let bytes = input.bytes()?.try_into();
    bytes
        .map(OpId::from_bytes)
        .map_err(|_| Error::message("an op id"))
}
