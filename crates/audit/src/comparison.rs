//! What the comparison of an audit log with an op log shows.

use std::collections::BTreeSet;

use ecac_core::OpId;
use strum::{Display, IntoStaticStr, VariantArray};
use thiserror::Error;

use crate::entry::{Entry, Subject};
use crate::recorder::Recorder;

/// Where the audit log and the op log contradict each other: the node signed what is not true.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Contradiction {
    /// An entry is not the one that replay gives.
    #[error("line {line}: entry {index} is {}, but replay gives {}", shown(recorded.as_deref()), shown(expected.as_deref()))]
    Entry {
        /// Line of the export.
        line: u64,
        /// Index of the entry.
        index: u64,
        /// The entry in the audit log; `None` where the batch has no more.
        recorded: Option<Box<Entry>>,
        /// The entry of the replay; `None` where there should be no more.
        expected: Option<Box<Entry>>,
    },
    /// The audit log ingests something that the node holds already.
    #[error("line {line}: entry {index} ingests {subject} a second time")]
    IngestedTwice {
        /// Line of the export.
        line: u64,
        /// Index of the entry.
        index: u64,
        /// What it is about.
        subject: Subject,
    },
}

fn shown(entry: Option<&Entry>) -> String {
    entry.map_or_else(|| "absent".to_owned(), crate::entry::canonical)
}

/// An audit log that no op contradicts, and how far that goes.
#[derive(Debug)]
pub struct Comparison {
    /// Distinct ops that were replayed.
    pub ops: u64,
    /// Entries that replay bears out, or that are the node's testimony.
    pub entries: u64,
    /// Entries that the ops at hand do not judge: after [`Self::halt`], and refusals of absent ops and of what rests on
    /// them.
    pub entries_unjudged: u64,
    /// Effects of which replay knows and that the audit log does not record, as those of earlier versions do not, before the
    /// first batch in which it records one.
    pub effects_unrecorded: u64,
    /// Where the comparison ends before the audit log does.
    pub halt: Option<Halt>,
    /// Ops that the audit log ingests, and the op log does not have.
    pub absent: BTreeSet<OpId>,
    /// Ops of the op log of which the audit log does not speak: they came later, or the node never got them, or the end
    /// of the audit log was cut off. A later head of the log tells the last from the others.
    pub silent: BTreeSet<OpId>,
    /// Items of the op log that are no op and of which the audit log does not speak. Anybody can have put them there.
    pub items_no_op: u64,
    /// Envelopes that the audit log lists as no op and that the op log does not have: nobody can check that.
    pub envelopes_absent: u64,
    /// The replica after the last batch that was compared. Where there was no halt and no op is absent, it is the node's
    /// and ready to go on.
    pub recorder: Recorder,
}

/// The entry from which on nothing can be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halt {
    /// Line of the export.
    pub line: u64,
    /// Index of the entry.
    pub index: u64,
    /// Why the comparison ends there.
    pub obstacle: Obstacle,
}

/// Why replay cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// An op entered the DAG that the op log does not have.
    AbsentOp,
    /// The entry is one that the rules of an earlier version give, and of no meaning in these.
    EarlierRules,
    /// Of the node's program and this one, one can judge an op that the other one only holds.
    OtherProgram,
}

/// What is to be concluded about the node, where nothing contradicts it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Display, IntoStaticStr, VariantArray,
)]
pub enum Verdict {
    /// Every entry is true, and the audit log speaks of every op.
    #[strum(serialize = "OK")]
    Confirmed,
    /// Every entry is true; the op log has more ops.
    #[strum(serialize = "OK SO FAR")]
    ConfirmedSoFar,
    /// Nothing is wrong in what can be compared; for the rest, ops are absent.
    #[strum(serialize = "INCOMPLETE")]
    Incomplete,
    /// Nothing is wrong up to an entry that was judged by the rules of an earlier version, or by a program that knows more
    /// or fewer kinds of ops.
    #[strum(serialize = "NOT COMPARABLE")]
    NotComparable,
}

impl Verdict {
    /// Every verdict, the best one first.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether every entry was compared and is true.
    #[must_use]
    pub const fn is_confirmed(self) -> bool {
        match self {
            Self::Confirmed | Self::ConfirmedSoFar => true,
            Self::Incomplete | Self::NotComparable => false,
        }
    }
}

impl Comparison {
    /// What is to be concluded about the node.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.halt.map(|halt| halt.obstacle) {
            Some(Obstacle::EarlierRules | Obstacle::OtherProgram) => Verdict::NotComparable,
            Some(Obstacle::AbsentOp) => Verdict::Incomplete,
            None if !self.absent.is_empty() => Verdict::Incomplete,
            None if !self.silent.is_empty() => Verdict::ConfirmedSoFar,
            None => Verdict::Confirmed,
        }
    }
}
