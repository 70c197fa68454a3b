//! Many ops at once: decoded and their signatures checked in batches, on several threads, while those that are done are taken.
//!
//! A batch of signatures costs a third to a sixth of as many single checks, and under ZIP 215 it holds exactly if
//! each of its signatures is valid by itself ([`super::coefficients`]). A batch that fails does not say why, so it
//! is cut into [`PARTS`] parts which are judged alike, until a part of at most [`SINGLE_MAX`] is checked one by one.
//! Only a single check finds a signature bad.
//!
//! **Cost of bad signatures.** Each signature is in at most three batches, of up to [`BATCH_MAX`], 256 and 16, and
//! is checked by itself at most once. Where the parts that fail outnumber those that hold by [`LEAD_MAX`], the rest
//! is checked one by one. So `n` signatures of one batch cost at most `n` single checks and `2.7 n` places in batches,
//! and never much of both: whoever plants bad ones, however many and wherever, makes the whole cost about one and a
//! half times the single checks. `k` bad ones that lie far from each other cost `n + 256 k` more places in batches and
//! `16 k` single checks.
//!
//! Parts are many because a batch of 256 is not much dearer per signature than one of 4,096: halves would take every
//! signature through as many batches as `n` has binary digits before the first bad one is found.
//!
//! **Portions.** What is read on several threads is cut into portions, each with batches of its own, so that the first ops can be
//! admitted while the signatures of later ones are checked. They become smaller towards the end, because nothing is left to
//! be checked while the last one is admitted.

use core::ops::Range;

use ed25519_zebra::batch::{Item, Verifier};
use ed25519_zebra::{Signature, VerificationKeyBytes};

use super::coefficients::Coefficients;
use super::threads::in_order;
use super::{Op, Rejected, VerifiedOp};
use crate::costs::Costs;

/// Signatures of one batch at most: beyond that, a batch costs hardly less per signature, and a bad one more.
const BATCH_MAX: usize = 4096;
/// Ops of one portion at least: a batch of fewer signatures costs more than the threads gain.
const PORTION_MIN: usize = 256;
/// Parts of a batch that fails.
const PARTS: usize = 16;
/// By how many the parts of a batch that fail may outnumber those that hold.
const LEAD_MAX: usize = 4;
/// Signatures that are checked one by one.
const SINGLE_MAX: usize = 2;

/// An op and what is to be checked of its signature.
struct Signed<'a> {
    op: &'a Op,
    item: Item,
}

impl VerifiedOp {
    /// Decodes and verifies many envelopes: the same verdicts as [`VerifiedOp::read`] on each, in the order given.
    ///
    /// Takes a third of the time, or less where authors signed many of them. `threads` bounds the threads that work
    /// on it, the calling one counted; 0 is 1. Neither they nor their timing show in the result or in `costs`: each
    /// op whose signature is checked counts once, however it came about.
    ///
    /// # Errors
    /// [`Rejected`], for each envelope, if the bytes are not canonical or the signature is bad.
    pub fn read_batch<B: AsRef<[u8]> + Sync>(
        envelopes: &[B],
        threads: usize,
        costs: &mut Costs,
    ) -> Vec<Result<Self, Rejected>> {
        let mut all = Vec::with_capacity(envelopes.len());
        Self::read_in_portions(envelopes, threads, costs, |read| all.extend(read));
        all
    }

    /// As [`VerifiedOp::read_batch`], and hands on what is read portion by portion, while the threads are busy with later ones.
    pub(crate) fn read_in_portions<B: AsRef<[u8]> + Sync>(
        envelopes: &[B],
        threads: usize,
        costs: &mut Costs,
        mut take: impl FnMut(Vec<Result<Self, Rejected>>),
    ) {
        let portions = portions(envelopes, threads);
        in_order(
            &portions,
            threads,
            |portion| read(portion),
            |(read, counted)| {
                costs.add(&counted);
                take(read);
            },
        );
    }
}

/// The portions that so many threads share.
fn portions<B>(envelopes: &[B], threads: usize) -> Vec<&[B]> {
    if threads < 2 {
        return vec![envelopes];
    }
    // The first ones are no even share either, so that the calling thread has something to take before all is checked.
    let early = envelopes.len() * 2 / (threads * 3);
    let most = early.min(BATCH_MAX / threads).max(PORTION_MIN);
    let (mut portions, mut left) = (Vec::new(), envelopes);
    while !left.is_empty() {
        let length = (left.len() / threads).clamp(PORTION_MIN, most);
        let (portion, rest) = left.split_at(length.min(left.len()));
        portions.push(portion);
        left = rest;
    }
    portions
}

/// The ops that the envelopes hold, and what that cost.
fn read<B: AsRef<[u8]>>(envelopes: &[B]) -> (Vec<Result<VerifiedOp, Rejected>>, Costs) {
    let mut costs = Costs::default();
    let mut items = Vec::with_capacity(envelopes.len());
    let ops = envelopes.iter().map(|bytes| {
        let mut op = Op::decode(bytes.as_ref(), &mut costs).map_err(|_| Rejected::NON_CANONICAL)?;
        costs.signatures_verified += 1;
        let key = VerificationKeyBytes::from(*op.body.author.as_bytes());
        let signature = Signature::from(*op.frame.signature());
        let item = |message: &[u8]| Item::from((key, signature, message));
        items.push(op.frame.signed(item));
        Ok(op)
    });
    let ops: Vec<Result<Op, Rejected>> = ops.collect();
    let signed = ops.iter().flatten().zip(items);
    let signed = signed.map(|(op, item)| Signed { op, item });
    let mut valid = valid(&signed.collect::<Vec<_>>()).into_iter();
    let verified = ops.into_iter().map(|op| match op {
        Ok(op) if valid.next() == Some(true) => Ok(VerifiedOp(op)),
        Ok(op) => Err(Rejected::bad_signature(op.id)),
        Err(rejected) => Err(rejected),
    });
    (verified.collect(), costs)
}

/// Which signatures are valid.
fn valid(signed: &[Signed<'_>]) -> Vec<bool> {
    // The terms of one author's key are one term of a batch.
    let mut order: Vec<usize> = (0..signed.len()).collect();
    order.sort_by_cached_key(|at| signed[*at].op.body.author);
    let sorted: Vec<&Signed<'_>> = order.iter().map(|at| &signed[*at]).collect();
    let mut verdicts = Vec::with_capacity(signed.len());
    for batch in sorted.chunks(batch_length(sorted.len())) {
        judge(
            0..batch.len(),
            &|part| holds(&batch[part]),
            &|at| batch[at].item.clone().verify_single().is_ok(),
            &mut verdicts,
        );
    }
    let mut valid = vec![false; signed.len()];
    for (at, verdict) in order.into_iter().zip(verdicts) {
        valid[at] = verdict;
    }
    valid
}

/// How long the batches of so many signatures are.
fn batch_length(count: usize) -> usize {
    count.div_ceil(count.div_ceil(BATCH_MAX).max(1)).max(1)
}

/// Whether all these signatures are valid.
fn holds(batch: &[&Signed<'_>]) -> bool {
    let mut verifier = Verifier::new();
    for signed in batch {
        verifier.queue(signed.item.clone());
    }
    let items = batch
        .iter()
        .map(|signed| (signed.op.id(), signed.op.frame.signature()));
    verifier.verify(Coefficients::of(items)).is_ok()
}

/// Appends for each of a range whether it is good, and says whether all are; one can ask of any range whether all of
/// it is good, and of each.
pub(super) fn judge(
    range: Range<usize>,
    all: &impl Fn(Range<usize>) -> bool,
    single: &impl Fn(usize) -> bool,
    verdicts: &mut Vec<bool>,
) -> bool {
    let count = range.len();
    let first = verdicts.len();
    if count <= SINGLE_MAX {
        verdicts.extend(range.map(single));
    } else if all(range.clone()) {
        verdicts.resize(first + count, true);
    } else {
        let length = count.div_ceil(PARTS);
        let (mut held, mut failed) = (0, 0);
        for start in range.clone().step_by(length) {
            if failed == held + LEAD_MAX {
                verdicts.extend((start..range.end).map(single));
                break;
            }
            let part = start..range.end.min(start + length);
            if judge(part, all, single, verdicts) {
                held += 1;
            } else {
                failed += 1;
            }
        }
    }
    verdicts[first..].iter().all(|good| *good)
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// Places in batches and single checks that it took to judge; panics if a verdict is wrong.
    fn judged(good: &[bool]) -> (usize, usize) {
        let (places, singles) = (Cell::new(0), Cell::new(0));
        let mut verdicts = Vec::new();
        let all_good = judge(
            0..good.len(),
            &|part| {
                places.set(places.get() + part.len());
                good[part].iter().all(|good| *good)
            },
            &|at| {
                singles.set(singles.get() + 1);
                good[at]
            },
            &mut verdicts,
        );
        assert_eq!(verdicts, good);
        assert_eq!(all_good, !good.contains(&false));
        (places.get(), singles.get())
    }

    /// Of so many all are good but those at these places.
    fn but(count: usize, bad: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut good = vec![true; count];
        bad.into_iter().for_each(|at| good[at] = false);
        good
    }

    #[test]
    fn few_bad_ones_cost_little() {
        let check = |bad: &[usize], want: (usize, usize)| {
            assert_eq!(
                judged(&but(BATCH_MAX, bad.iter().copied())),
                want,
                "{bad:?}"
            );
        };
        check(&[], (4096, 0));
        check(&[0], (4096 * 2 + 256, 16));
        check(&[4095], (4096 * 2 + 256, 16));
        check(&[0, 15], (4096 * 2 + 256, 16));
        check(&[0, 16], (4096 * 2 + 256, 32));
        check(&[2000, 4095], (4096 * 2 + 256 * 2, 32));
    }

    #[test]
    fn many_bad_ones_cost_as_much_as_single_checks_and_a_bit() {
        let every = |step: usize| judged(&but(BATCH_MAX, (0..BATCH_MAX).step_by(step)));
        for step in [1, 2, 3, 8, 16] {
            let (places, singles) = every(step);
            assert_eq!(singles, BATCH_MAX, "one in {step}");
            assert_eq!(places, 4096 + 4 * 256 + 4 * 4 * 16, "one in {step}");
        }
    }

    #[test]
    fn few_are_judged_as_well() {
        for count in 0..12 {
            for mix in 0..1_usize << count {
                let good: Vec<_> = (0..count).map(|at| mix >> at & 1 == 0).collect();
                let (_, singles) = judged(&good);
                assert!(singles <= count, "{good:?}");
            }
        }
    }

    #[test]
    fn portions_become_smaller_where_there_are_threads() {
        let check = |count: usize, threads: usize, lengths: &[usize]| {
            let all = vec![(); count];
            let portions = portions(&all, threads);
            let found: Vec<_> = portions.iter().map(|it| it.len()).collect();
            assert_eq!(found, lengths, "{count} for {threads}");
        };
        for threads in [0, 1] {
            check(0, threads, &[0]);
            check(300_000, threads, &[300_000]);
        }
        check(0, 2, &[]);
        check(1, 2, &[1]);
        check(300, 2, &[256, 44]);
        check(3900, 2, &[1300, 1300, 650, 325, 256, 69]);
        check(8192, 2, &[2048, 2048, 2048, 1024, 512, 256, 256]);
        check(
            5000,
            4,
            &[833, 833, 833, 625, 469, 351, 264, 256, 256, 256, 24],
        );
        check(600, 99, &[256, 256, 88]);
    }

    #[test]
    fn batches_are_even() {
        let check = |count: usize, lengths: &[usize]| {
            let all = vec![(); count];
            let found: Vec<_> = all.chunks(batch_length(count)).map(<[()]>::len).collect();
            assert_eq!(found, lengths, "{count}");
        };
        check(0, &[]);
        check(1, &[1]);
        check(BATCH_MAX, &[BATCH_MAX]);
        check(BATCH_MAX + 1, &[2049, 2048]);
        check(10_000, &[3334, 3334, 3332]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_pattern_is_dear(
            count in 0..=BATCH_MAX,
            runs in prop::collection::vec((1..600_usize, 1..40_usize, any::<prop::sample::Index>()), 0..40),
        ) {
            let mut bad = Vec::new();
            for (length, step, start) in runs.iter().filter(|_| count > 0) {
                let start = start.index(count);
                bad.extend((start..count.min(start + length)).step_by(*step));
            }
            let (places, singles) = judged(&but(count, bad));
            prop_assert!(singles <= count);
            // As a batch costs less than half of what single checks cost, parts of 10 of 16 at the most go on.
            prop_assert!(places * 10 <= count * 27 + 200, "{places} of {count}");
        }
    }
}
