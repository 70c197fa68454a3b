//! Many ops at once: their signatures checked in batches, on several threads, while those that are done are taken.
//!
//! A batch of signatures costs a third to a sixth of as many single checks, and under ZIP 215 it holds exactly if
//! each of its signatures is valid by itself ([`super::coefficients`]). A signature whose scalar is too large is in none
//! ([`Equation::of`]). A batch that fails does not say why, so it is cut into [`PARTS`] parts which are judged alike, until a
//! part of at most [`SINGLE_MAX`] is checked one by one. Only a single check finds a signature of a batch bad.
//!
//! **Cost of bad signatures.** Each signature is in at most three batches, of up to [`BATCH_MAX`], 256 and 8, and
//! is checked by itself at most once. Where the parts that fail outnumber those that hold by [`LEAD_MAX`], the rest
//! is checked one by one. So `n` signatures of one batch cost at most `n` single checks and `2.7 n` places in batches,
//! and never much of both: whoever plants bad ones, however many and wherever, makes the whole cost about one and a
//! half times the single checks. `k` bad ones that lie far from each other cost `n + 256 k` more places in batches and
//! `8 k` single checks.
//!
//! Parts are many because a batch of 256 is not much dearer per signature than one of 8,192: halves would take every
//! signature through as many batches as `n` has binary digits before the first bad one is found.
//!
//! **Portions.** What is read on several threads is cut into portions, each with batches of its own, so that the first ops can be
//! admitted while the signatures of later ones are checked. They become smaller towards the end, because nothing is left to
//! be checked while the last one is admitted.
//!
//! **Decoding.** A signature is checked before the body is decoded: then an op need not lie in memory while those beside it
//! are checked. What is no canonical body is found out later, and costs a check as any other bad op does.

use core::ops::Range;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use curve25519_dalek::EdwardsPoint;

use super::coefficients::Coefficients;
use super::equation::{self, Equation};
use super::incoming::{Checked, Incoming};
use super::{Body, Rejected, VerifiedOp, envelope};
use crate::costs::Costs;
use crate::id::{OpId, PublicKey};
use crate::signature::zip215_verifies;
use crate::threads::{THREADS_MAX, in_order};

/// Signatures of one batch at most: beyond that, a batch costs hardly less per signature, and a bad one more.
const BATCH_MAX: usize = 8192;
/// Ops of one portion at least: a batch of fewer signatures costs more than the threads gain.
const PORTION_MIN: usize = 256;
/// Parts of a batch that fails.
const PARTS: usize = 32;
/// By how many the parts of a batch that fail may outnumber those that hold.
const LEAD_MAX: usize = 4;
/// Signatures that are checked one by one.
const SINGLE_MAX: usize = 2;

/// An envelope whose frame is canonical, with the equation of its signature if it can hold.
struct Signed<'a> {
    id: OpId,
    author: PublicKey,
    envelope: &'a [u8],
    body_end: usize,
    equation: Option<Equation>,
}

/// Points of authors' keys, as far as they were needed.
type Points = Mutex<BTreeMap<PublicKey, Option<EdwardsPoint>>>;

impl VerifiedOp {
    /// Decodes and verifies many envelopes: the same verdicts as [`VerifiedOp::read`] on each, in the order given.
    ///
    /// Takes a third of the time, or less where authors signed many of them. `threads` bounds the threads that work
    /// on it, the calling one counted; 0 is 1, and more than 64 are 64. Neither they nor their timing show in the result or in `costs`: each
    /// op whose signature is checked counts once, however it came about.
    ///
    /// # Errors
    /// [`Rejected`], for each envelope, if the bytes are not canonical or the signature is bad.
    pub fn read_batch<B: AsRef<[u8]> + Sync>(
        envelopes: &[B],
        threads: usize,
        costs: &mut Costs,
    ) -> Vec<Result<Self, Rejected>> {
        let envelopes: Vec<&[u8]> = envelopes.iter().map(AsRef::as_ref).collect();
        let read = |portion: &[&[u8]], checked: Vec<Option<Checked>>| {
            let (mut read, mut costs) = (Vec::with_capacity(portion.len()), Costs::default());
            Incoming::decode_all(portion, &checked, &mut costs, &mut read);
            let read = read.into_iter().map(|it| it.map(Incoming::into_op));
            (read.collect::<Vec<_>>(), costs)
        };
        let mut all = Vec::with_capacity(envelopes.len());
        in_portions(&envelopes, threads, read, |_, (read, counted)| {
            costs.add(&counted);
            all.extend(read);
        });
        all
    }
}

/// Checks the signatures of envelopes, and hands on what is found portion by portion, while the threads are busy with later
/// ones. Of what is certainly no op nothing is found.
pub(crate) fn check_in_portions(
    envelopes: &[&[u8]],
    threads: usize,
    take: impl FnMut(&[&[u8]], Vec<Option<Checked>>),
) {
    in_portions(envelopes, threads, |_, checked| checked, take);
}

/// The first of the ops that not who its body says is the author has signed. Their envelopes were decoded, and these are their ids.
pub(crate) fn first_unsigned(ops: &[(OpId, &[u8])]) -> Option<usize> {
    let is_unsigned = |it: &Option<Checked>| !it.is_some_and(|it| it.is_signed);
    check(ops, &Points::default()).iter().position(is_unsigned)
}

/// The same as [`check_in_portions`]; `work` is done on the threads, too.
fn in_portions<R: Send>(
    envelopes: &[&[u8]],
    threads: usize,
    work: impl Fn(&[&[u8]], Vec<Option<Checked>>) -> R + Sync,
    mut take: impl FnMut(&[&[u8]], R),
) {
    let points = Points::default();
    let portions = portions(envelopes, threads);
    let mut due = portions.iter();
    in_order(
        &portions,
        threads,
        |portion| work(portion, check(portion, &points)),
        |done| {
            if let Some(portion) = due.next() {
                take(portion, done);
            }
        },
    );
}

/// The portions that so many threads share.
fn portions<B>(envelopes: &[B], threads: usize) -> Vec<&[B]> {
    let threads = threads.min(THREADS_MAX);
    if threads < 2 {
        return vec![envelopes];
    }
    // The first ones are no even share either, so that the calling thread has something to take before all is checked, and it
    // checks less than the others, because to take is work as well.
    let early = envelopes.len() * 3 / (threads * 5);
    let most = early.min(BATCH_MAX / threads).max(PORTION_MIN);
    let (mut portions, mut left) = (Vec::new(), envelopes);
    while !left.is_empty() {
        let length = (left.len() * 4 / (threads * 5)).clamp(PORTION_MIN, most);
        let (portion, rest) = left.split_at(length.min(left.len()));
        portions.push(portion);
        left = rest;
    }
    portions
}

/// What a signature can be checked of.
trait ToCheck {
    /// What it says, if it may be an op.
    fn signed(&self) -> Option<Signed<'_>>;
}

impl ToCheck for &[u8] {
    fn signed(&self) -> Option<Signed<'_>> {
        let body = envelope::decode(self).ok()?;
        let id = OpId::of_body(self.get(body.clone())?);
        Signed::of(self, body, id)
    }
}

/// An op that was decoded, with its id.
impl ToCheck for (OpId, &[u8]) {
    fn signed(&self) -> Option<Signed<'_>> {
        let (id, envelope) = *self;
        Signed::of(envelope, envelope::body_at(envelope)?, id)
    }
}

/// What is found out about each of them.
fn check<T: ToCheck>(ops: &[T], points: &Points) -> Vec<Option<Checked>> {
    let signed: Vec<Option<Signed<'_>>> = ops.iter().map(ToCheck::signed).collect();
    let mut checked: Vec<Option<Checked>> = Vec::with_capacity(signed.len());
    checked.extend(signed.iter().map(|it| {
        let Signed { id, .. } = it.as_ref()?;
        Some(Checked {
            id: *id,
            is_signed: false,
        })
    }));
    // The terms of one author's key are one term of a batch. Who grinds keys that begin alike makes his own ops some more terms.
    let numbered = (0..).zip(&signed);
    let mut order: Vec<(u64, usize, &Signed<'_>)> = numbered
        .filter_map(|(at, it)| it.as_ref().map(|it| (first_bytes(&it.author), at, it)))
        .collect();
    order.sort_by_key(|&(first, ..)| first);
    let keys = known_points(order.iter().map(|(.., it)| &it.author), points);
    let mut key = 0;
    let solvable: Vec<Solvable<'_>> = order
        .iter()
        .filter_map(|&(_, at, signed)| {
            while keys[key].0 != signed.author {
                key += 1;
            }
            Some(Solvable {
                at,
                signed,
                key: keys[key].1.as_ref()?,
                equation: signed.equation.as_ref()?,
            })
        })
        .collect();
    let mut verdicts = Vec::with_capacity(solvable.len());
    for batch in solvable.chunks(batch_length(solvable.len())) {
        judge(
            0..batch.len(),
            &|part| hold(&batch[part]),
            &|at| batch[at].signed.is_valid(),
            &mut verdicts,
        );
    }
    for (of, verdict) in solvable.iter().zip(verdicts) {
        if let Some(checked) = &mut checked[of.at] {
            checked.is_signed = verdict;
        }
    }
    checked
}

/// The first bytes of the key, as a number: these are enough to bring together what one key signed.
fn first_bytes(key: &PublicKey) -> u64 {
    let first = key.as_bytes().first_chunk();
    first.map_or(0, |first| u64::from_be_bytes(*first))
}

/// The keys with the points that they are, each as often as it follows another one.
fn known_points<'a>(
    keys: impl Iterator<Item = &'a PublicKey>,
    points: &Points,
) -> Vec<(PublicKey, Option<EdwardsPoint>)> {
    let mut known: Vec<(PublicKey, Option<EdwardsPoint>)> = Vec::new();
    for key in keys {
        if known.last().is_none_or(|(last, _)| last != key) {
            // Who panicked with the lock has left it as it was.
            let mut points = points.lock().unwrap_or_else(PoisonError::into_inner);
            let point = points.entry(*key);
            known.push((*key, *point.or_insert_with(|| equation::point(key))));
        }
    }
    known
}

/// A signature that may be good, and where its envelope is.
struct Solvable<'a> {
    at: usize,
    signed: &'a Signed<'a>,
    key: &'a EdwardsPoint,
    equation: &'a Equation,
}

/// Whether all these signatures are valid.
fn hold(batch: &[Solvable<'_>]) -> bool {
    let items = batch
        .iter()
        .map(|it| (it.signed.id, it.equation.signature()));
    let equations = batch.iter().map(|it| (it.key, it.equation));
    equation::all_hold(equations, Coefficients::of(items))
}

impl<'a> Signed<'a> {
    /// What an envelope says with a canonical frame, in which the body lies there, and has this id.
    fn of(envelope: &'a [u8], body: Range<usize>, id: OpId) -> Option<Self> {
        let body_end = body.end;
        let author = Body::author_alone(envelope.get(body)?)?;
        let signature = envelope.last_chunk()?;
        let message = envelope::signed_parts(envelope, body_end);
        Some(Self {
            id,
            author,
            envelope,
            body_end,
            equation: Equation::of(&author, signature, &message),
        })
    }

    /// Whether the signature is valid, by itself.
    fn is_valid(&self) -> bool {
        let message = envelope::signed_parts(self.envelope, self.body_end).concat();
        let signature = self.envelope.last_chunk();
        signature.is_some_and(|it| zip215_verifies(&self.author, it, &message))
    }
}

/// How long the batches of so many signatures are.
fn batch_length(count: usize) -> usize {
    count.div_ceil(count.div_ceil(BATCH_MAX).max(1)).max(1)
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
        check(&[], (8192, 0));
        check(&[0], (8192 * 2 + 256, 8));
        check(&[8191], (8192 * 2 + 256, 8));
        check(&[0, 7], (8192 * 2 + 256, 8));
        check(&[0, 8], (8192 * 2 + 256, 16));
        check(&[2000, 8191], (8192 * 2 + 256 * 2, 16));
    }

    #[test]
    fn many_bad_ones_cost_as_much_as_single_checks_and_a_bit() {
        let every = |step: usize| judged(&but(BATCH_MAX, (0..BATCH_MAX).step_by(step)));
        for step in [1, 2, 3, 8] {
            let (places, singles) = every(step);
            assert_eq!(singles, BATCH_MAX, "one in {step}");
            assert_eq!(places, 8192 + 4 * 256 + 4 * 4 * 8, "one in {step}");
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
        check(3900, 2, &[1170, 1092, 655, 393, 256, 256, 78]);
        check(8192, 2, &[2457, 2294, 1376, 826, 495, 297, 256, 191]);
        check(
            5000,
            4,
            &[750, 750, 700, 560, 448, 358, 286, 256, 256, 256, 256, 124],
        );
        check(600, 99, &[256, 256, 88]);
        check(600, usize::MAX, &[256, 256, 88]);
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
        check(BATCH_MAX + 1, &[4097, 4096]);
        check(20_000, &[6667, 6667, 6666]);
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
            // As a batch costs less than half of what single checks cost, parts of 18 of 32 at the most go on.
            prop_assert!(places * 10 <= count * 27 + 200, "{places} of {count}");
        }
    }
}
