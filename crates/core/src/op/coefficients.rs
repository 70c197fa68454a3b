//! The coefficients of a batch of signatures, drawn from the batch itself.
//!
//! A batch holds if one sum over all its signatures, each equation times a coefficient of 128 bits, is zero (ZIP 215;
//! `ed25519_zebra::batch`). If all signatures are valid, every term is zero and so is the sum, whatever the
//! coefficients. If one is not, at most one value of its coefficient makes the sum zero, so a batch that holds a bad
//! signature passes with probability 2^-128 at most, *provided that nobody knew the coefficients when the signatures
//! were made*.
//!
//! Random coefficients have that property; the engine has no random source, so these have it by the transformation
//! of Fiat and Shamir: they are a hash of the whole batch. It covers everything that the sum does: the id of an op
//! covers its body, hence the author's key and the message, and the signature follows. Who changes a bit of one item
//! to fit the coefficients gets other coefficients for all items. What is left is to try: an attacker who hashes
//! 2^k batches finds a bad one that passes with probability 2^(k-128), less than by guessing a key. It is essential
//! that each coefficient depends on all items: if it depended on its own alone, items could be looked for one by one
//! and combined (a generalised birthday).
//!
//! For credentials and lists `ed25519_zebra` deals the coefficients out in the order of a map that differs from run to run. That
//! shows nowhere: which coefficient is whose matters to neither argument.
//!
//! Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs" (SSR 2020), show that batches agree with single checks
//! only where both leave out small-order components (the cofactor 8), which is why ZIP 215 asks for that.

use core::convert::Infallible;

use curve25519_dalek::Scalar;
use rand_core::{TryCryptoRng, TryRng};

use crate::id::OpId;

/// Domain string of the coefficients.
const DOMAIN: &[u8] = b"ECAC_OP_BATCH_V1";

/// Bytes of one coefficient.
const COEFFICIENT_BYTES: usize = 16;

/// An endless stream of bytes that depends on every bit of a batch and on nothing else: BLAKE3 with extended output.
pub(super) struct Coefficients(blake3::OutputReader);

impl Coefficients {
    /// The coefficients of the batch of these ops and signatures, in this order.
    pub(super) fn of(batch: impl Iterator<Item = (OpId, [u8; 64])>) -> Self {
        let batch = batch.map(|(id, signature)| (*id.as_bytes(), signature));
        Self::over(DOMAIN, batch)
    }

    /// Those of a batch of other texts: of each the digest, which covers the key as well, and the signature.
    pub(super) fn over(domain: &[u8], batch: impl Iterator<Item = ([u8; 32], [u8; 64])>) -> Self {
        // Long input is hashed several times as fast in one piece.
        let mut bytes = Vec::with_capacity(domain.len() + batch.size_hint().0 * (32 + 64));
        bytes.extend_from_slice(domain);
        for (digest, signature) in batch {
            bytes.extend_from_slice(&digest);
            bytes.extend_from_slice(&signature);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&bytes);
        Self(hasher.finalize_xof())
    }

    /// The next coefficients, so many.
    pub(super) fn scalars(mut self, count: usize) -> Vec<Scalar> {
        let mut bytes = vec![0; count * COEFFICIENT_BYTES];
        self.0.fill(&mut bytes);
        let (each, _) = bytes.as_chunks();
        let scalar = |it: &[u8; COEFFICIENT_BYTES]| Scalar::from(u128::from_le_bytes(*it));
        each.iter().map(scalar).collect()
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl TryRng for Coefficients {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.take()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.take()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

/// In the sense of the module: nobody who makes a batch can foresee them.
impl TryCryptoRng for Coefficients {}

#[cfg(test)]
mod tests {
    use rand_core::Rng as _;

    use super::*;

    type Item = ([u8; 32], [u8; 64]);

    fn first(batch: &[Item]) -> [u8; 16] {
        let items = batch
            .iter()
            .map(|(id, signature)| (OpId::from_bytes(*id), *signature));
        let mut bytes = [0; 16];
        Coefficients::of(items).fill_bytes(&mut bytes);
        bytes
    }

    #[test]
    fn every_bit_of_every_item_counts_and_so_does_the_order() {
        let batch: [Item; 3] = [([1; 32], [2; 64]), ([3; 32], [4; 64]), ([5; 32], [6; 64])];
        let mut seen = vec![first(&[]), first(&batch), first(&batch[..2])];
        seen.push(first(&[batch[1], batch[0], batch[2]]));
        for item in 0..batch.len() {
            for at in 0..96 * 8 {
                let mut changed = batch;
                let (id, signature) = &mut changed[item];
                let byte = at / 8;
                let field = if byte < 32 {
                    &mut id[byte]
                } else {
                    &mut signature[byte - 32]
                };
                *field ^= 1 << (at % 8);
                seen.push(first(&changed));
            }
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
        assert_eq!(first(&batch), first(&batch));
    }

    #[test]
    fn the_stream_is_blake3_over_domain_ids_and_signatures() {
        let input = [&b"ECAC_OP_BATCH_V1"[..], &[1; 32], &[2; 64]].concat();
        let mut want = [0; 28];
        blake3::Hasher::new()
            .update(&input)
            .finalize_xof()
            .fill(&mut want);
        let mut found = Coefficients::of([(OpId::from_bytes([1; 32]), [2; 64])].into_iter());
        assert_eq!(found.next_u32().to_le_bytes(), want[..4]);
        assert_eq!(found.next_u64().to_le_bytes(), want[4..12]);
        let scalars = Coefficients::of([(OpId::from_bytes([1; 32]), [2; 64])].into_iter());
        let first = u128::from_le_bytes(*want.first_chunk().unwrap());
        assert_eq!(scalars.scalars(2).first(), Some(&Scalar::from(first)));
        let mut rest = [0; 16];
        found.fill_bytes(&mut rest);
        assert_eq!(rest, want[12..]);
    }
}
