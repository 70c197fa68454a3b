//! Reading a log from one end to the other, in memory that does not grow with it.

use crate::chain::{AuditError, Chain, Expect, HEAD_PREFIX, Read};
use crate::checkpoint::{Checkpoint, Origin};
use crate::digest::Digest;
use crate::disk::segment::{End, Lines};
use crate::disk::{DiskError, Place, Source};
use crate::entry::Entry;
use crate::frontier::Frontier;
use crate::merkle::TreeHead;

/// What a log consists of that was read from a [`Source`] and verified: structure, hashes and signatures.
#[derive(Debug, Clone)]
pub struct Survey {
    pub(crate) chain: Chain,
    /// Number of segments.
    pub segments: u64,
    /// What follows the last signed head, if something does: a batch that is being written, or that a crash tore.
    pub tail: Option<Tail>,
    /// What was known before the last segment.
    pub(crate) last: Start,
    /// Bytes of the last segment, up to the last signed head.
    pub(crate) last_bytes: u64,
    /// The root of as many entries as [`Reading::watch`] asks for.
    pub(crate) watched: Option<Digest>,
}

/// The end of a log that no signed head covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// Where it begins.
    pub place: Place,
    /// Its length.
    pub bytes: u64,
    /// Whole entries in it.
    pub entries: u64,
}

/// What is known of a log before one of its segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) segment: u64,
    pub(crate) frontier: Frontier,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) batches: u64,
    /// Bytes of all segments before.
    pub(crate) bytes: u64,
}

impl Survey {
    /// Which log it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.chain.origin
    }

    /// The last signed head; `None` where the log is a header and nothing else.
    #[must_use]
    pub const fn checkpoint(&self) -> Option<&Checkpoint> {
        self.chain.checkpoint()
    }

    /// Number of heads.
    #[must_use]
    pub const fn batches(&self) -> u64 {
        self.chain.batches()
    }

    /// What the last signed head covers.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        self.chain.sealed()
    }

    /// Requires that the log ends in a signed head.
    ///
    /// # Errors
    ///
    /// [`DiskError::Tail`].
    pub fn whole(self) -> Result<Self, DiskError> {
        match self.tail {
            None => Ok(self),
            Some(Tail { place, bytes, .. }) => Err(DiskError::Tail { place, bytes }),
        }
    }
}

/// Reads and verifies a whole log, and shows each entry: its index, what it is, its line. Entries of the
/// [`Survey::tail`] are shown too; nothing vouches for them.
///
/// Memory is that of one line and of one frontier.
///
/// # Errors
///
/// [`DiskError`] with the first fault. A tail is none.
pub fn survey(
    source: &impl Source,
    expect: &Expect,
    visit: &mut dyn FnMut(u64, &Entry, &[u8]),
) -> Result<Survey, DiskError> {
    let reading = Reading {
        source,
        expect,
        start: None,
        watch: None,
        acknowledged: None,
    };
    reading.run(visit)
}

/// How a log is to be read.
pub(crate) struct Reading<'a, S> {
    pub(crate) source: &'a S,
    pub(crate) expect: &'a Expect,
    /// Where to begin; `None` is the beginning.
    pub(crate) start: Option<Start>,
    /// A number of entries at which the root is wanted.
    pub(crate) watch: Option<u64>,
    /// A head after which at most one batch was begun: what holes that one has may be those of a crash.
    pub(crate) acknowledged: Option<TreeHead>,
}

impl<S: Source> Reading<'_, S> {
    pub(crate) fn run(
        self,
        visit: &mut dyn FnMut(u64, &Entry, &[u8]),
    ) -> Result<Survey, DiskError> {
        let segments = self.source.segments()?;
        let mut lines = self.lines(0)?;
        let mut chain = self.header(&mut lines)?;
        let mut last = self.start.clone().unwrap_or_default();
        if let Some(start) = &self.start {
            let (frontier, checkpoint) = (start.frontier.clone(), start.checkpoint.clone());
            chain = Chain::resume(chain.origin, frontier, checkpoint, start.batches);
            lines = self.lines(start.segment)?;
        }
        let mut walk = Walk {
            chain,
            watch: self.watch,
            watched: None,
            acknowledged: self.acknowledged,
            visit,
        };
        walk.look();
        let first = last.segment;
        let mut tail = None;
        let mut kept = 0;
        for segment in first..segments {
            if segment > first {
                let chain = &walk.chain;
                last = Start {
                    segment,
                    frontier: chain.sealed().clone(),
                    checkpoint: chain.checkpoint().cloned(),
                    batches: chain.batches(),
                    bytes: last.bytes + kept,
                };
                lines = self.lines(segment)?;
            }
            (kept, tail) = walk.segment(&mut lines, segment + 1 == segments)?;
            if lines.end == 0 {
                let file = self.source.label(segment);
                return Err(DiskError::EmptySegment { file });
            }
        }
        // A segment gets its name with its first batch, when that is durable.
        if let Some(Tail { place, entries, .. }) = tail.clone().filter(|_| kept == 0) {
            let line = walk.chain.line() + 1 - entries;
            let error = AuditError::Unsigned { line, entries };
            return Err(DiskError::Damaged { place, error });
        }
        Ok(Survey {
            chain: walk.chain,
            segments,
            tail,
            last,
            last_bytes: kept,
            watched: walk.watched,
        })
    }

    fn lines(&self, segment: u64) -> Result<Lines<'_>, DiskError> {
        let label = self.source.label(segment);
        let bytes = self.source.read(segment);
        Ok(Lines::new(
            bytes.map_err(DiskError::io("open", &label))?,
            label,
        ))
    }

    /// Reads the header, which says whose log it is.
    fn header(&self, lines: &mut Lines<'_>) -> Result<Chain, DiskError> {
        let end = lines.advance()?;
        let chain = match end {
            None => {
                let file = self.source.label(0);
                return Err(DiskError::EmptySegment { file });
            }
            Some(End::File) => Err(AuditError::Torn { line: 1 }),
            Some(End::Newline) => Chain::start(&lines.line, self.expect),
        };
        chain.map_err(|error| {
            if matches!(error, AuditError::Node { .. } | AuditError::Project { .. }) {
                DiskError::ForeignLog { error }
            } else {
                damaged(lines, error)
            }
        })
    }
}

fn damaged(lines: &Lines<'_>, error: AuditError) -> DiskError {
    let place = lines.place();
    DiskError::Damaged { place, error }
}

struct Walk<'a> {
    chain: Chain,
    watch: Option<u64>,
    watched: Option<Digest>,
    acknowledged: Option<TreeHead>,
    visit: &'a mut dyn FnMut(u64, &Entry, &[u8]),
}

impl Walk<'_> {
    /// Reads what is left of a segment: how many bytes of it the last head covers, and what follows.
    fn segment(
        &mut self,
        lines: &mut Lines<'_>,
        is_last: bool,
    ) -> Result<(u64, Option<Tail>), DiskError> {
        let mut kept = lines.end;
        let mut tail_place = None;
        while let Some(end) = lines.advance()? {
            tail_place.get_or_insert_with(|| lines.place());
            if end == End::File {
                if is_last && self.is_torn(&lines.line) {
                    break;
                }
                let line = self.chain.line() + 1;
                return Err(damaged(lines, AuditError::Torn { line }));
            }
            match self.chain.read(&lines.line) {
                Ok(Read::Entry(entry)) => {
                    (self.visit)(self.chain.open().size() - 1, &entry, &lines.line);
                    self.look();
                }
                Ok(Read::Head(_)) => {
                    kept = lines.end;
                    tail_place = None;
                }
                Err(error) => {
                    let error = damaged(lines, error);
                    if !is_last || !is_hollow(&lines.line) || self.is_signed_behind(lines)? {
                        return Err(error);
                    }
                }
            }
        }
        let Some(place) = tail_place else {
            return Ok((kept, None));
        };
        let (line, entries) = self.chain.unsigned().unwrap_or((self.chain.line(), 0));
        if !is_last {
            let error = AuditError::Unsigned { line, entries };
            return Err(DiskError::Damaged { place, error });
        }
        let bytes = lines.end - kept;
        let tail = Tail {
            place,
            bytes,
            entries,
        };
        Ok((kept, Some(tail)))
    }

    /// Looks at the root, where it is wanted.
    fn look(&mut self) {
        if self.watch == Some(self.chain.open().size()) {
            self.watched = Some(self.chain.open().head().root);
        }
    }

    /// Whether a last line without a newline is what a crash leaves: not a head whose newline has become another byte.
    fn is_torn(&self, line: &[u8]) -> bool {
        match line.split_last() {
            // A byte that was never written.
            None | Some((0, _)) => true,
            Some((_, rest)) => !matches!(self.chain.clone().read(rest), Ok(Read::Head(_))),
        }
    }

    /// Reads what follows a hollow line: whether the node signed it, and it was durable then.
    ///
    /// Where a batch is written in several blocks, a crash may have kept the last and lost another. That is so only of a
    /// batch that was never acknowledged, of which there is at most one.
    fn is_signed_behind(&self, lines: &mut Lines<'_>) -> Result<bool, DiskError> {
        let mut heads = 0_u64;
        let mut size = 0;
        while lines.advance()?.is_some() {
            if let Ok(head) = self.chain.head_of(&lines.line) {
                heads += 1;
                size = head.head().size;
            }
        }
        let was_durable = self.acknowledged.is_none_or(|known| size <= known.size);
        Ok(heads > 1 || heads == 1 && was_durable)
    }
}

/// Whether a line has a hole where blocks were never written, which read as zeroes.
///
/// JSON has no byte zero. One alone may be a flipped bit, unless it is where a brace stands; there it could be that of a
/// head, which is then not cut.
fn is_hollow(line: &[u8]) -> bool {
    let begins = line.first() == Some(&0) && !line[1..].starts_with(&HEAD_PREFIX[1..]);
    begins || line.windows(2).any(|pair| pair == [0, 0])
}
