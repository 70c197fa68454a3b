//! Ops that came and are not handed on yet.

use core::ops::Range;
use std::borrow::Cow;

use crate::limits::WINDOW_FRAMES;

/// A message of ops: nothing is copied of one that came in its turn.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// The bytes of the message.
    pub(crate) message: Cow<'a, [u8]>,
    /// Where in them the envelopes lie.
    pub(crate) envelopes: Vec<Range<usize>>,
}

/// Batches, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Came<'a>(Vec<Batch<'a>>);

impl<'a> Came<'a> {
    pub(crate) fn push(&mut self, batch: Batch<'a>) {
        self.0.push(batch);
    }

    /// Whether it is time to hand them on.
    pub(crate) const fn is_full(&self) -> bool {
        self.0.len() as u64 >= WINDOW_FRAMES
    }

    /// Forgets them.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// All envelopes.
    pub(crate) fn envelopes(&self) -> Vec<&[u8]> {
        let count = self.0.iter().map(|it| it.envelopes.len()).sum();
        let mut all = Vec::with_capacity(count);
        for batch in &self.0 {
            let envelopes = batch.envelopes.iter();
            all.extend(envelopes.map(|it| &batch.message[it.clone()]));
        }
        all
    }
}
