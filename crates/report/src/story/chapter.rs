//! Chapters: what is told of one stretch of virtual time, in one scene.

use ecac_artifact::EventKind;
use ecac_core::OpId;

/// A silence that is long enough to be told, in virtual time.
pub(super) const PAUSE_MS: u64 = 6 * 60 * 60 * 1000;

/// Something that happened, in one place, within one stretch of virtual time.
#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
    /// How long nothing had happened, where that is worth telling.
    pub(crate) pause_ms: Option<u64>,
    pub(crate) scene: Scene,
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
}

/// Where, as the observer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scene {
    /// The observer knows at once.
    Here,
    /// The observer does not know yet.
    Elsewhere,
    /// What was written elsewhere is brought to the observer.
    Meeting,
    /// The observer turns it away.
    Refused,
}

impl Scene {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Here => "at the observer",
            Self::Elsewhere => "elsewhere",
            Self::Meeting => "they meet",
            Self::Refused => "turned away",
        }
    }

    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Elsewhere => "elsewhere",
            Self::Meeting => "meeting",
            Self::Refused => "away",
        }
    }
}

/// One thing that is told.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// What became of it.
    pub(crate) verdicts: Vec<(EventKind, String)>,
    /// What it meant.
    pub(crate) meaning: Option<String>,
    /// The op that it is about.
    pub(crate) op: Option<OpId>,
}
