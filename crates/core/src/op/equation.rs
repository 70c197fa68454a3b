//! The equation that a good signature solves (ZIP 215), and whether many hold at once.
//!
//! Of a signature (R, S) over a message under the key A, with k the SHA-512 of R, A and the message, that is `8 S B = 8 R + 8 k A`,
//! where S is below the order of the base point B, and R and A are points, in whatever encoding. The scalars and the points of
//! keys are computed once ([`Equation::of`]); then the sum over many, each times a coefficient, is one multiplication of many
//! points ([`all_hold`]), in which the terms of one key are one. It is the sum of `ed25519_zebra::batch`, which does all of this
//! anew each time.

use core::hint::black_box;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest as _, Sha512};

use super::coefficients::Coefficients;
use crate::id::PublicKey;

/// What a signature and a message say, but for the key.
#[derive(Debug)]
pub(super) struct Equation {
    /// R as it is encoded. As a point it would be four times as long, and it is needed once where all is well.
    nonce: CompressedEdwardsY,
    s: Scalar,
    k: Scalar,
}

impl Equation {
    /// That of the signature over a message that is given in parts; `None` if S is too large, so that it is bad under every key.
    pub(super) fn of(key: &PublicKey, signature: &[u8; 64], message: &[&[u8]]) -> Option<Self> {
        let (r, s) = signature.split_first_chunk::<32>()?;
        let s = Scalar::from_canonical_bytes(s.try_into().ok()?).into_option()?;
        let mut hasher = Sha512::new();
        hasher.update(r);
        hasher.update(key.as_bytes());
        for part in message {
            hasher.update(part);
        }
        Some(Self {
            nonce: CompressedEdwardsY(*r),
            s,
            k: Scalar::from_bytes_mod_order_wide(&hasher.finalize().into()),
        })
    }

    /// The signature: its scalar has one encoding.
    pub(super) fn signature(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        let (r, s) = bytes.split_at_mut(32);
        r.copy_from_slice(self.nonce.as_bytes());
        s.copy_from_slice(self.s.as_bytes());
        bytes
    }
}

/// The point that the key is, if it is one.
pub(super) fn point(key: &PublicKey) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*key.as_bytes()).decompress()
}

/// Whether all equations hold, each beside the point of its key. Those of one key should follow each other.
pub(super) fn all_hold<'a>(
    equations: impl ExactSizeIterator<Item = (&'a EdwardsPoint, &'a Equation)> + Clone,
    coefficients: Coefficients,
) -> bool {
    let (mut keys, mut of_keys) = (Vec::new(), Vec::new());
    let mut of_base = Scalar::ZERO;
    let of_nonces = coefficients.scalars(equations.len());
    let mut last: Option<&EdwardsPoint> = None;
    let mut of_last = Scalar::ZERO;
    let read = |it: &Equation| {
        black_box((it.s, it.k));
    };
    for ((key, equation), z) in ahead(equations.clone(), read).zip(&of_nonces) {
        if let Some(before) = last
            && !core::ptr::eq(before, key)
        {
            keys.push(before);
            of_keys.push(core::mem::replace(&mut of_last, Scalar::ZERO));
        }
        last = Some(key);
        of_last += z * equation.k;
        of_base -= z * equation.s;
    }
    if let Some(last) = last {
        keys.push(last);
        of_keys.push(of_last);
    }
    keys.push(&ED25519_BASEPOINT_POINT);
    of_keys.push(of_base);
    let read = |it: &Equation| {
        black_box(it.nonce);
    };
    let nonces = ahead(equations, read).map(|(_, equation)| equation.nonce.decompress());
    let sum = if are_apart(of_nonces.len(), keys.len()) {
        let nonces = EdwardsPoint::optional_multiscalar_mul(&of_nonces, nonces);
        nonces.map(|nonces| nonces + EdwardsPoint::vartime_multiscalar_mul(of_keys, keys))
    } else {
        let scalars = of_nonces.iter().chain(&of_keys);
        let keys = keys.into_iter().copied().map(Some);
        EdwardsPoint::optional_multiscalar_mul(scalars, nonces.chain(keys))
    };
    sum.is_some_and(|sum| sum.mul_by_cofactor().is_identity())
}

/// The same equations with their keys; whenever some have been taken, `read` reads the next ones together, without waiting for each:
/// in the order of their keys they lie far apart in memory.
fn ahead<'a>(
    equations: impl ExactSizeIterator<Item = (&'a EdwardsPoint, &'a Equation)> + Clone,
    read: impl Fn(&Equation),
) -> impl Iterator<Item = (&'a EdwardsPoint, &'a Equation)> {
    let mut next = equations.clone();
    let numbered = equations.enumerate().inspect(move |(at, _)| {
        if at.is_multiple_of(AHEAD) {
            let next = next.by_ref().take(AHEAD);
            next.for_each(|(_, equation)| read(equation));
        }
    });
    numbered.map(|(_, item)| item)
}

/// Equations that are read together.
const AHEAD: usize = 16;

/// Whether so many nonces and so many keys are cheaper in a sum each. A sum collects its terms in a list that doubles, so that a few
/// beyond a power of two move all of them once more, through memory that has to be had first; but each sum has to be begun.
const fn are_apart(nonces: usize, keys: usize) -> bool {
    let is_full = (nonces + keys).next_power_of_two() > nonces.next_power_of_two();
    is_full && nonces >= keys * APART_MIN
}

/// How many times as many nonces as keys there are where these may be apart.
const APART_MIN: usize = 64;

#[cfg(test)]
mod tests {
    use ed25519_zebra::SigningKey;

    use super::*;
    use crate::id::OpId;

    /// Whether so many signatures of one key hold together, with what `spoil` makes of the last.
    fn hold(count: usize, spoil: impl Fn(&mut [u8; 64])) -> bool {
        let signer = SigningKey::from([1; 32]);
        let key = PublicKey::from_bytes(signer.verification_key().into());
        let numbers = 0..u64::try_from(count).unwrap();
        let equations: Vec<Equation> = numbers
            .map(|number| {
                let message = number.to_le_bytes();
                let mut signature = signer.sign(&message).to_bytes();
                if number + 1 == u64::try_from(count).unwrap() {
                    spoil(&mut signature);
                }
                let equation = Equation::of(&key, &signature, &[&message]).unwrap();
                assert_eq!(equation.signature(), signature);
                equation
            })
            .collect();
        let items = equations
            .iter()
            .map(|it| (OpId::from_bytes([2; 32]), it.signature()));
        let coefficients = Coefficients::of(items);
        let point = point(&key).unwrap();
        all_hold(equations.iter().map(|it| (&point, it)), coefficients)
    }

    #[test]
    fn good_ones_hold_together_and_no_others_however_they_are_summed() {
        for (count, apart) in [
            (1, false),
            (100, false),
            (127, false),
            (128, true),
            (256, true),
        ] {
            assert_eq!(are_apart(count, 2), apart, "{count}");
            assert!(hold(count, |_| {}), "{count}");
            assert!(!hold(count, |it| it[32] ^= 1), "{count}: another scalar");
            assert!(
                !hold(count, |it| it[..32].fill(2)),
                "{count}: another nonce"
            );
        }
    }

    #[test]
    fn many_keys_are_summed_with_the_nonces() {
        for (nonces, keys, apart) in [(8192, 65, true), (8192, 129, false), (8000, 65, false)] {
            assert_eq!(are_apart(nonces, keys), apart, "{nonces} and {keys}");
        }
    }
}
