//! Mutations of inputs, the same in every run.

use chacha20::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Bytes that formats treat in a way of their own.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff\n\r \"\\,.:{}[]0919eE-=_\x1b\xc3";

pub(crate) struct Mutator(ChaCha8Rng);

impl Mutator {
    pub(crate) fn new(target: &str) -> Self {
        let mut seed = [0; 32];
        seed[..target.len()].copy_from_slice(target.as_bytes());
        Self(ChaCha8Rng::from_seed(seed))
    }

    fn below(&mut self, bound: usize) -> usize {
        let wide = u64::from(self.0.next_u32()) * bound as u64;
        usize::try_from(wide >> 32).unwrap()
    }

    /// One of `inputs` by its name, with one to four changes.
    pub(crate) fn next<'a>(&mut self, inputs: &'a [(String, Vec<u8>)]) -> (&'a str, Vec<u8>) {
        let (name, data) = &inputs[self.below(inputs.len())];
        let other = &inputs[self.below(inputs.len())].1;
        let mut data = data.clone();
        for _ in 0..=self.below(4) {
            self.change(&mut data, other);
        }
        (name, data)
    }

    fn change(&mut self, data: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(data.len() + 1);
        let end = (at + 1 + self.below(16)).min(data.len());
        match self.below(8) {
            0 if at < data.len() => data[at] ^= 1 << self.below(8),
            1 if at < data.len() => data[at] = TELLING[self.below(TELLING.len())],
            2 => data.insert(at, TELLING[self.below(TELLING.len())]),
            3 => data.truncate(at),
            4 => drop(data.drain(at..end)),
            5 => {
                let again = data[at..end].to_vec();
                data.splice(at..at, again);
            }
            6 => {
                let from = self.below(other.len() + 1);
                let to = (from + self.below(64)).min(other.len());
                data.splice(at..end, other[from..to].iter().copied());
            }
            _ if at < data.len() => {
                data[at] = data[at].wrapping_add(self.below(3) as u8).wrapping_sub(1)
            }
            _ => {}
        }
    }
}
