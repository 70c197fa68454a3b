//! The frontier on disk: what opening has to know of the segments before the last.
//!
//! The file proves itself: its hashes have the root that the head in it signs. It is written after each rotation and
//! tells of nothing that is not in the segments. So where it is absent or wrong it is made again from them; and where a
//! segment is absent that it names, somebody removed that segment.

use std::fmt::Write as _;

use crate::checkpoint::{Checkpoint, Origin, base64, parse_base64};
use crate::disk::survey::Start;
use crate::frontier::Frontier;

/// The name of the file.
pub(crate) const FILE: &str = "frontier";
/// Its first line.
const FORMAT: &str = "ecac-audit-frontier-v1";
/// Most bytes of the file: 53 hashes, a head and some numbers.
pub(crate) const BYTES_MAX: u64 = 8192;

/// The file before segment `start`, which is not the first one; `None` where no head is before it.
pub(crate) fn write(start: &Start) -> Option<String> {
    let checkpoint = start.checkpoint.as_ref()?;
    let mut text = String::new();
    let (segment, batches, bytes) = (start.segment, start.batches, start.bytes);
    writeln!(
        text,
        "{FORMAT}\nsegment {segment}\nbatches {batches}\nbytes {bytes}"
    )
    .ok()?;
    for hash in start.frontier.hashes() {
        writeln!(text, "{}", base64(hash)).ok()?;
    }
    write!(text, "\n{}", checkpoint.note()).ok()?;
    Some(text)
}

/// What the file says; `None` where it is not one of the log `origin`, in the form in which it is written.
pub(crate) fn read(text: &str, origin: &Origin) -> Option<Start> {
    let (numbers, note) = text.split_once("\n\n")?;
    let checkpoint = Checkpoint::open(note, origin).ok()?;
    let mut lines = numbers.split('\n').skip(1);
    let mut number = |word: &str| -> Option<u64> {
        lines
            .next()?
            .strip_prefix(word)?
            .strip_prefix(' ')?
            .parse()
            .ok()
    };
    let (segment, batches, bytes) = (number("segment")?, number("batches")?, number("bytes")?);
    let hashes = lines.map(parse_base64).collect::<Option<_>>()?;
    let frontier = Frontier::from_hashes(checkpoint.head().size, hashes)?;
    if segment == 0 || batches > frontier.size() || frontier.head() != checkpoint.head() {
        return None;
    }
    let start = Start {
        segment,
        frontier,
        checkpoint: Some(checkpoint),
        batches,
        bytes,
    };
    (write(&start)? == text).then_some(start)
}
