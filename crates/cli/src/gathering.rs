//! What a writer takes in in several batches, told as one.

use ecac_core::{OpId, Received, Regained, Replica};
use ecac_project::Writer;
use ecac_sync::{KeepError, Keeper, RegainFault};

/// The writer, and what became of all that it was handed.
pub(crate) struct Gathering<'a> {
    writer: &'a mut Writer,
    received: Received,
    /// The op that came again and is not what is kept of it.
    contradicts: Option<OpId>,
}

impl<'a> Gathering<'a> {
    /// Nothing was handed over yet.
    pub(crate) fn of(writer: &'a mut Writer) -> Self {
        Self {
            writer,
            received: Received::default(),
            contradicts: None,
        }
    }

    /// The op that came again and is not what is kept of it here without its envelope; nothing was given back with it.
    pub(crate) const fn contradicts(&self) -> Option<OpId> {
        self.contradicts
    }

    /// What became of everything.
    pub(crate) fn received(self) -> Received {
        self.received
    }
}

impl Keeper for Gathering<'_> {
    fn replica(&self) -> &Replica {
        self.writer
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        let received = self.writer.keep(envelopes)?;
        let all = &mut self.received;
        let first = all.events.len();
        all.events.extend(received.events.iter().cloned());
        for change in &received.changes {
            let because = change.because.iter().map(|it| first + it);
            match all.changes.iter_mut().find(|it| it.place == change.place) {
                Some(earlier) => {
                    earlier.after.clone_from(&change.after);
                    earlier.because.extend(because);
                }
                None => {
                    let mut change = change.clone();
                    change.because = because.collect();
                    all.changes.push(change);
                }
            }
        }
        all.changes.retain(|it| it.before != it.after);
        all.missing.clone_from(&received.missing);
        Ok(received)
    }

    fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, RegainFault> {
        let regained = Keeper::regain(self.writer, envelopes);
        if let Err(RegainFault::Contradicts { op }) = &regained {
            self.contradicts = Some(*op);
        }
        regained
    }
}
