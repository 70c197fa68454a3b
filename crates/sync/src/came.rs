//! Ops that came and are not handed on yet.

use core::ops::Range;
use std::borrow::Cow;

use crate::limits::WINDOW_FRAMES;

/// Messages of ops, and where in each of them its envelopes lie: nothing is copied of a message that came in its turn.
#[derive(Debug, Default)]
pub(crate) struct Came<'a> {
    messages: Vec<(Cow<'a, [u8]>, Vec<Range<usize>>)>,
}

impl<'a> Came<'a> {
    /// Adds a message, in which envelopes lie there.
    pub(crate) fn push(&mut self, message: Cow<'a, [u8]>, envelopes: Vec<Range<usize>>) {
        self.messages.push((message, envelopes));
    }

    /// Whether it is time to hand them on.
    pub(crate) const fn is_full(&self) -> bool {
        self.messages.len() as u64 >= WINDOW_FRAMES
    }

    /// Forgets them.
    pub(crate) fn clear(&mut self) {
        self.messages.clear();
    }

    /// The envelopes, in the order in which they came.
    pub(crate) fn envelopes(&self) -> Vec<&[u8]> {
        let count = self.messages.iter().map(|it| it.1.len()).sum();
        let mut all = Vec::with_capacity(count);
        for (message, envelopes) in &self.messages {
            all.extend(envelopes.iter().map(|it| &message[it.clone()]));
        }
        all
    }
}
