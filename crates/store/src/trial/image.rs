//! A disk in memory, which remembers every step.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use chacha20::ChaCha8Rng;
use rand_core::SeedableRng as _;
use redb::StorageBackend;

use super::below;
use crate::fault::{Step, torn};

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    steps: Vec<Step>,
    /// After so many steps the disk is full.
    full_after: Option<usize>,
}

/// A disk in memory; copies are the same disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Image(Arc<Mutex<Inner>>);

impl Image {
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            bytes,
            ..Inner::default()
        })))
    }

    /// From so many more steps on the disk is full; or is not any more.
    pub(super) fn fill_after(&self, steps: Option<usize>) {
        let mut inner = self.inner();
        let done = inner.steps.len();
        inner.full_after = steps.map(|it| done + it);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.inner().bytes.clone()
    }

    /// Puts other bytes onto the disk.
    pub(super) fn replace(&self, bytes: Vec<u8>) {
        self.inner().bytes = bytes;
    }

    /// How many steps there were.
    pub(super) fn steps(&self) -> usize {
        self.inner().steps.len()
    }

    pub(super) fn take_steps(&self) -> Vec<Step> {
        self.inner().steps.drain(..).collect()
    }
}

impl StorageBackend for Image {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inner().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inner = self.inner();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let there = start.checked_add(out.len());
        let there = there.and_then(|end| inner.bytes.get(start..end));
        out.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.step(Step::Resize(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step(Step::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.step(Step::Write {
            offset: usize::try_from(offset).unwrap(),
            bytes: data.to_vec(),
        })
    }
}

impl Image {
    fn step(&self, step: Step) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.full_after.is_some_and(|it| it <= inner.steps.len()) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        step.apply_all(&mut inner.bytes);
        inner.steps.push(step);
        Ok(())
    }
}

/// What is on a disk whose power fails: all that was synced, and of the rest what chance leaves.
pub(super) struct Failing<'a> {
    steps: &'a [Step],
    /// What was synced, and how many steps that are.
    synced: Vec<u8>,
    synced_steps: usize,
}

impl<'a> Failing<'a> {
    pub(super) fn new(steps: &'a [Step]) -> Self {
        Self {
            steps,
            synced: Vec::new(),
            synced_steps: 0,
        }
    }

    /// Goes on to the moment before the step with this number; moments come in order.
    pub(super) fn go_to(&mut self, moment: usize) {
        let before = &self.steps[..moment];
        let is_sync = |step: &Step| matches!(step, Step::Sync);
        let Some(last) = before.iter().rposition(is_sync) else {
            return;
        };
        for step in &self.steps[self.synced_steps..=last.max(self.synced_steps.saturating_sub(1))] {
            step.apply_all(&mut self.synced);
        }
        self.synced_steps = self.synced_steps.max(last + 1);
    }

    fn rest(&self, moment: usize) -> &'a [Step] {
        &self.steps[self.synced_steps..moment]
    }

    /// All of the rest, or nothing of it, is on the disk.
    pub(super) fn plain(&self, moment: usize, all: bool) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        if all {
            for step in self.rest(moment) {
                step.apply_all(&mut bytes);
            }
        }
        bytes
    }

    /// Of the rest some is on the disk.
    pub(super) fn torn(&self, moment: usize, random: &mut ChaCha8Rng) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        torn(&mut bytes, self.rest(moment), &mut |bound| {
            below(random, bound)
        });
        bytes
    }

    /// What may be on the disk if power fails before the step with this number: nothing of the rest, all of it, and some.
    pub(super) fn left(&mut self, moment: usize) -> [Vec<u8>; 3] {
        self.go_to(moment);
        let mut random = ChaCha8Rng::seed_from_u64(moment as u64);
        [
            self.plain(moment, false),
            self.plain(moment, true),
            self.torn(moment, &mut random),
        ]
    }
}
