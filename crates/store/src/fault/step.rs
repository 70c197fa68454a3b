//! Steps of a disk, and what is left of those that were not synced.

use core::ops::Range;

/// What is done to a disk.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
    Sync,
}

impl Step {
    /// Applies the step, of a write only these bytes.
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>, part: impl Fn(usize) -> Range<usize>) {
        match self {
            Self::Write { offset, bytes: new } => {
                let part = part(new.len());
                let start = offset + part.start;
                let new = &new[part];
                if bytes.len() < start + new.len() {
                    bytes.resize(start + new.len(), 0);
                }
                bytes[start..start + new.len()].copy_from_slice(new);
            }
            Self::Resize(length) => bytes.resize(*length, 0),
            Self::Sync => {}
        }
    }

    /// Applies all of the step.
    pub(crate) fn apply_all(&self, bytes: &mut Vec<u8>) {
        self.apply(bytes, |length| 0..length);
    }

    /// Whether it writes within the first 512 bytes.
    fn is_in_first_sector(&self) -> bool {
        match self {
            Self::Write { offset, bytes } => offset + bytes.len() <= 512,
            Self::Resize(_) | Self::Sync => false,
        }
    }
}

/// Of these steps, which were not synced, some are on the disk, in some order, and some of the writes in part; what lies in one
/// sector is there whole or not at all. `below` chooses numbers below the one that it is given.
pub(crate) fn torn(bytes: &mut Vec<u8>, steps: &[Step], below: &mut dyn FnMut(usize) -> usize) {
    let mut rest: Vec<&Step> = steps.iter().collect();
    for at in (1..rest.len()).rev() {
        rest.swap(at, below(at + 1));
    }
    for step in rest {
        match below(4) {
            0 => {}
            1 if !step.is_in_first_sector() => {
                let (seed, unit) = (below(1 << 20), [1, 512][below(2)]);
                step.apply(bytes, |length| {
                    let cut = (seed % (length + 1)) / unit * unit;
                    if seed % 2 == 0 { 0..cut } else { cut..length }
                });
            }
            _ => step.apply_all(bytes),
        }
    }
}
