//! A directory in memory that crashes and fails on purpose.

use std::collections::BTreeMap;
use std::io::{self, Read};

use crate::Directory;

/// Bytes that a crash keeps or loses as one.
const BLOCK: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
}

/// A change of the names that is not durable.
#[derive(Debug, Clone)]
enum Naming {
    Made(String, usize),
    Renamed(String, String),
    Removed(String),
}

/// A directory that knows what a crash can leave of it.
///
/// What is written is durable after its sync. Each block that is not may be lost, which leaves zeroes, whatever becomes
/// of those before and behind it; the length may be any between. Of the changes of names that are not durable the first
/// ones are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Breaking {
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending: Vec<Naming>,
    locked: bool,
    /// Operations so far that write or sync.
    pub(super) operations: u64,
    /// The operation from which on all fail; it is done in part.
    fail_at: Option<u64>,
}

/// A small generator (xorshift), so that a crash is repeated by its number.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = bound as u64;
        usize::try_from(self.0 % bound).unwrap()
    }
}

impl Breaking {
    /// A directory whose operation of this number, from 1, is the first one to fail.
    pub(super) fn failing_at(operation: u64) -> Self {
        Self {
            fail_at: Some(operation),
            ..Self::default()
        }
    }

    pub(super) fn bytes(&self, name: &str) -> &[u8] {
        &self.files[self.names[name]].bytes
    }

    pub(super) fn bytes_mut(&mut self, name: &str) -> &mut Vec<u8> {
        let at = self.names[name];
        &mut self.files[at].bytes
    }

    pub(super) fn drop_file(&mut self, name: &str) {
        self.names.remove(name);
    }

    /// What is there by name, for comparing.
    pub(super) fn content(&self) -> BTreeMap<String, Vec<u8>> {
        let names = self.names.iter();
        names
            .map(|(name, at)| (name.clone(), self.files[*at].bytes.clone()))
            .collect()
    }

    /// The same directory, durable as it is, without a writer.
    pub(super) fn released(mut self) -> Self {
        self.locked = false;
        self.fail_at = None;
        self.pending.clear();
        for file in &mut self.files {
            file.durable = file.bytes.clone();
        }
        self.durable_names = self.names.clone();
        self
    }

    /// What is found after a crash.
    pub(super) fn crashed(mut self, dice: &mut Dice) -> Self {
        let kept = dice.below(self.pending.len() + 1);
        self.names = self.durable_names.clone();
        for naming in self.pending.drain(..).take(kept) {
            match naming {
                Naming::Made(name, at) => {
                    self.names.insert(name, at);
                }
                Naming::Renamed(from, to) => {
                    if let Some(at) = self.names.remove(&from) {
                        self.names.insert(to, at);
                    }
                }
                Naming::Removed(name) => {
                    self.names.remove(&name);
                }
            }
        }
        for file in &mut self.files {
            file.bytes = torn(file, dice);
        }
        self.released()
    }

    /// Counts an operation that changes something; how much of `whole` is done of it.
    fn operate(&mut self, whole: usize) -> (usize, io::Result<()>) {
        self.operations += 1;
        match self.fail_at {
            Some(at) if self.operations > at => (0, Err(io::Error::other("broken"))),
            Some(at) if self.operations == at => (whole / 2, Err(io::Error::other("broken"))),
            _ => (whole, Ok(())),
        }
    }

    fn name(&self, name: &str) -> io::Result<usize> {
        let at = self.names.get(name).copied();
        at.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn torn(file: &File, dice: &mut Dice) -> Vec<u8> {
    let (durable, all) = (&file.durable, &file.bytes);
    if durable == all || dice.below(4) == 0 {
        return durable.clone();
    }
    if !all.starts_with(durable) {
        // It was cut: that happened or not.
        return if dice.below(2) == 0 {
            all.clone()
        } else {
            durable.clone()
        };
    }
    let mut left = all.clone();
    if dice.below(2) == 0 {
        left.truncate(durable.len() + dice.below(all.len() - durable.len() + 1));
    }
    if dice.below(2) == 0 {
        for (number, block) in left.chunks_mut(BLOCK).enumerate() {
            let written = durable
                .len()
                .saturating_sub(number * BLOCK)
                .min(block.len());
            if dice.below(3) == 0 {
                block[written..].fill(0);
            }
        }
    }
    left
}

impl Directory for Breaking {
    fn lock(&mut self) -> io::Result<bool> {
        Ok(!core::mem::replace(&mut self.locked, true))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        let at = self.name(name)?;
        Ok(Box::new(&self.files[at].bytes[..]))
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(self.files[self.name(name)?].bytes.len() as u64)
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (done, result) = self.operate(bytes.len());
        let at = match self.name(name) {
            Ok(at) => at,
            Err(_) if result.is_err() && done == 0 => return result,
            Err(_) => {
                let at = self.files.len();
                self.files.push(File::default());
                self.names.insert(name.to_owned(), at);
                self.pending.push(Naming::Made(name.to_owned(), at));
                at
            }
        };
        self.files[at].bytes.extend_from_slice(&bytes[..done]);
        result
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.operate(0).1?;
        let at = self.name(name)?;
        self.files[at]
            .bytes
            .truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.operate(0).1?;
        let at = self.name(name)?;
        self.files[at].durable = self.files[at].bytes.clone();
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.operate(0).1?;
        let at = self.name(from)?;
        self.names.remove(from);
        self.names.insert(to.to_owned(), at);
        self.pending
            .push(Naming::Renamed(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.operate(0).1?;
        self.name(name)?;
        self.names.remove(name);
        self.pending.push(Naming::Removed(name.to_owned()));
        Ok(())
    }

    fn sync_names(&mut self) -> io::Result<()> {
        self.operate(0).1?;
        self.durable_names = self.names.clone();
        self.pending.clear();
        Ok(())
    }
}
