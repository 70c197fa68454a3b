//! The one seeded stream that drives a scenario.

use chacha20::ChaCha20Rng;
use ecac_core::SigningKey;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A ChaCha20 stream whose seed is the SHA-256 of a domain string, the scenario's name and the seed number.
#[derive(Debug)]
pub(crate) struct Stream(ChaCha20Rng);

impl Stream {
    pub(crate) fn new(scenario: &str, seed: u64) -> Self {
        let digest = Sha256::new()
            .chain_update(b"ecac-scenario-v1\0")
            .chain_update(scenario.as_bytes())
            .chain_update([0])
            .chain_update(seed.to_le_bytes())
            .finalize();
        Self(ChaCha20Rng::from_seed(digest.into()))
    }

    /// A number below `bound`, which is not zero. The bias is below 2^-32 for bounds below 2^32.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the product of two 64-bit numbers has 128 bits")
    }

    /// An index into something of `length` elements, not zero.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a usize")
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Whether an event of `percent` per cent happens.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A signing key; its secret is part of the scenario and protects nothing.
    pub(crate) fn signing_key(&mut self) -> SigningKey {
        SigningKey::from(self.bytes::<32>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_chacha20_keyed_by_scenario_and_seed() {
        // Computed with OpenSSL's ChaCha20 (key = the digest, counter and nonce zero), 64 bits at a time.
        let first = |scenario: &str, seed: u64| {
            let mut stream = Stream::new(scenario, seed);
            [0; 4].map(|_| stream.below(1000))
        };
        assert_eq!(first("hb-chain", 42), [227, 491, 784, 90]);
        assert_ne!(first("hb-chain", 43), first("hb-chain", 42));
        assert_ne!(first("concurrent", 42), first("hb-chain", 42));
    }

    #[test]
    fn bounds_are_kept() {
        let mut stream = Stream::new("bounds", 1);
        for _ in 0..1000 {
            assert!(stream.below(3) < 3);
            assert!((5..=9).contains(&stream.between(5, 9)));
        }
        assert!(!stream.chance(0) && stream.chance(100));
    }
}
