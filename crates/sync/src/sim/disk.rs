//! What a simulated node has left after a crash.

use core::fmt::Debug;

/// Envelopes on a disk. A real store with a fault injector can stand behind it.
pub trait Disk: Debug {
    /// Writes an envelope after the others; a crash may lose it.
    fn append(&mut self, envelope: &[u8]);
    /// Makes all that was written survive.
    fn sync(&mut self);
    /// Power fails: what was not synced may be lost.
    fn crash(&mut self);
    /// What is there, in the order in which it was written.
    fn envelopes(&self) -> Vec<Vec<u8>>;
}

/// A disk in memory that loses all that was not synced.
#[derive(Debug, Default)]
pub struct MemoryDisk {
    envelopes: Vec<Vec<u8>>,
    synced: usize,
}

impl Disk for MemoryDisk {
    fn append(&mut self, envelope: &[u8]) {
        self.envelopes.push(envelope.to_vec());
    }

    fn sync(&mut self) {
        self.synced = self.envelopes.len();
    }

    fn crash(&mut self) {
        self.envelopes.truncate(self.synced);
    }

    fn envelopes(&self) -> Vec<Vec<u8>> {
        self.envelopes.clone()
    }
}
