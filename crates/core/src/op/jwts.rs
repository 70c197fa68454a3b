//! The signatures of many credentials and status lists, verified together.
//!
//! The verdicts are those of single checks, as [`super::batch`] says of those of ops, and each stays with its signature for
//! whoever asks.

use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{Signature, VerificationKeyBytes};

use super::batch::judge;
use super::coefficients::Coefficients;
use crate::credential::Signed;
use crate::id::PublicKey;

/// Domain string of the coefficients of a batch.
const DOMAIN: &[u8] = b"ECAC_JWT_BATCH_V1";
/// Signatures of one batch at most.
const BATCH_MAX: usize = 1024;
/// Fewer are checked as fast when they are asked for.
const BATCH_MIN: usize = 4;

/// Finds out whether each signature is one of the key beside it.
pub(crate) fn verify_jwts(mut papers: Vec<(&mut Signed, PublicKey)>) {
    // The terms of one key are one term of a batch.
    papers.sort_by_key(|(_, key)| *key);
    for batch in papers
        .chunks_mut(BATCH_MAX)
        .filter(|it| it.len() >= BATCH_MIN)
    {
        let signed = batch.iter().map(|(signed, key)| Checked::of(signed, key));
        let signed: Vec<Checked> = signed.collect();
        let mut verdicts = Vec::with_capacity(signed.len());
        judge(
            0..signed.len(),
            &|part| hold(&signed[part]),
            &|at| signed[at].item.clone().verify_single().is_ok(),
            &mut verdicts,
        );
        for ((signed, key), verdict) in batch.iter_mut().zip(verdicts) {
            signed.known = Some((*key, verdict));
        }
    }
}

/// What is to be checked of a signature.
struct Checked {
    item: Item,
    /// Of the key and the text.
    digest: [u8; 32],
    signature: [u8; 64],
}

impl Checked {
    fn of(signed: &Signed, key: &PublicKey) -> Self {
        let text = signed.signing_input.as_bytes();
        let item = (
            VerificationKeyBytes::from(*key.as_bytes()),
            Signature::from(signed.signature),
            &text,
        );
        let mut hasher = blake3::Hasher::new();
        hasher.update(key.as_bytes()).update(text);
        Self {
            item: Item::from(item),
            digest: *hasher.finalize().as_bytes(),
            signature: signed.signature,
        }
    }
}

/// Whether all these signatures are valid.
fn hold(batch: &[Checked]) -> bool {
    let mut verifier = Verifier::new();
    for it in batch {
        verifier.queue(it.item.clone());
    }
    let items = batch.iter().map(|it| (it.digest, it.signature));
    verifier.verify(Coefficients::over(DOMAIN, items)).is_ok()
}

#[cfg(test)]
mod tests {
    use ed25519_zebra::SigningKey;

    use super::*;
    use crate::credential::{Compact, sign_compact};

    #[test]
    fn each_is_told_what_a_single_check_says() {
        let keys: Vec<SigningKey> = (1..4).map(|it| SigningKey::from([it; 32])).collect();
        let public: Vec<PublicKey> = keys.iter().map(crate::op::public_key).collect();
        for (count, step) in [(3, 9), (12, 100), (12, 5), (40, 2), (5, 1)] {
            let mut papers: Vec<(Signed, PublicKey)> = (0..count)
                .map(|at| {
                    let text = sign_compact(&keys[at % 3], r#"{"alg":"EdDSA"}"#, &at.to_string());
                    let mut signed = Compact::split(&text).unwrap().signed;
                    match (at + 1) % (2 * step) {
                        0 => signed.signature[40] ^= 1,
                        other if other == step => signed.signing_input.push('A'),
                        _ => {}
                    }
                    (signed, public[(at / 20 + at) % 3])
                })
                .collect();
            let single = |(signed, key): &(Signed, PublicKey)| signed.verifies_with(key);
            let want: Vec<bool> = papers.iter().map(single).collect();
            verify_jwts(papers.iter_mut().map(|(it, key)| (it, *key)).collect());
            assert_eq!(papers.iter().map(single).collect::<Vec<_>>(), want);
            let known = papers.iter().filter(|(it, _)| it.known.is_some()).count();
            assert_eq!(known, if count < BATCH_MIN { 0 } else { count });
            // Of another key nothing is known.
            let other = SigningKey::from([9; 32]);
            let other = crate::op::public_key(&other);
            assert!(papers.iter().all(|(it, _)| !it.verifies_with(&other)));
        }
    }
}
