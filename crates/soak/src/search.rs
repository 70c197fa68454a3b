//! A search: numbers are tried in several threads until there are none left, one fails, or somebody interrupts.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result};

use xtask::host::interrupt;
use xtask::host::progress::Counter;

/// Numbers that a thread takes at a time.
const CHUNK: u64 = 16;

/// Which numbers of a seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) seed: u64,
    pub(crate) first: u64,
    pub(crate) end: u64,
}

/// What a search came to.
pub(crate) struct Searched<A> {
    /// What each thread has seen.
    pub(crate) parts: Vec<A>,
    /// The least number that is left; the end if none is.
    pub(crate) next: u64,
    /// The least number that failed, of those that were tried.
    pub(crate) failed: Option<u64>,
}

/// How many threads that is.
pub(crate) fn threads(jobs: Option<NonZeroUsize>) -> usize {
    match jobs {
        Some(jobs) => jobs.get(),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// Tries the numbers from `first` up to `end`. Each thread makes a trier, which says whether a number holds.
pub(crate) fn search<A, T>(
    what: &'static str,
    (first, end): (u64, u64),
    threads: usize,
    trier: impl Fn() -> T + Sync,
) -> Result<Searched<A>>
where
    A: Default + Send,
    T: FnMut(u64, &mut A) -> bool,
{
    let search = Search {
        end,
        next: AtomicU64::new(first),
        stop: AtomicBool::new(false),
        failed: Mutex::new(None),
        counter: Counter::new(what, end - first),
    };
    let (mut parts, mut next) = (Vec::new(), end);
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| search.work(trier())))
            .collect();
        for worker in workers {
            // A panic of what is tried is caught where it happens; one that is not is a defect of the search.
            let (part, left) = worker.join().ok().context("join a thread of the search")?;
            parts.push(part);
            next = next.min(left);
        }
        Ok(())
    })?;
    let failed = search.failed.into_inner();
    let failed = failed.unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok(Searched {
        parts,
        next,
        failed,
    })
}

/// What the threads share.
struct Search {
    end: u64,
    next: AtomicU64,
    stop: AtomicBool,
    failed: Mutex<Option<u64>>,
    counter: Counter,
}

impl Search {
    /// Tries numbers until there are none left, or something is wrong. Also the least number that this thread, or whoever
    /// comes after it, leaves.
    fn work<A: Default>(&self, mut trier: impl FnMut(u64, &mut A) -> bool) -> (A, u64) {
        let mut seen = A::default();
        loop {
            let first = self.next.fetch_add(CHUNK, Ordering::Relaxed);
            if first >= self.end {
                return (seen, self.end);
            }
            for number in first..self.end.min(first.saturating_add(CHUNK)) {
                if self.stop.load(Ordering::Relaxed) || interrupt::requested() {
                    return (seen, number);
                }
                let holds = catch_unwind(AssertUnwindSafe(|| trier(number, &mut seen)));
                if !matches!(holds, Ok(true)) {
                    self.fail(number);
                    return (seen, number);
                }
                self.counter.inc();
            }
        }
    }

    fn fail(&self, number: u64) {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = self
            .failed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *failed = Some(failed.map_or(number, |other| other.min(number)));
    }
}
