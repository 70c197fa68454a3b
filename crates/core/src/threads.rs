//! The one place where the engine starts threads: to share out work whose result does not depend on them.
//!
//! [`in_order`] is for parts that are known ahead, [`beside`] for those that come one after the other, [`both`] for two things.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::thread::{Builder, scope};

/// Threads that work at a time, at most, whatever number is asked for.
pub(crate) const THREADS_MAX: usize = 64;

/// Hands what `work` makes of each part to `take`, in the order of the parts.
///
/// Up to `threads - 1` threads, [`THREADS_MAX`] at most, take one part after the other. The calling thread takes what is done and due, and while there is
/// nothing it works on a part as well; so it does the work alone where no thread can be had (wasm32, a limit of the
/// system). `work` sees one part and nothing that other parts do, and `take` is called on the calling thread, so neither the
/// number of threads nor their timing shows in the result.
///
/// # Panics
/// If `work` or `take` does.
#[expect(
    clippy::disallowed_methods,
    reason = "which thread does a part does not show in what becomes of it"
)]
pub(crate) fn in_order<T: Sync, R: Send>(
    parts: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(R),
) {
    let next = AtomicUsize::new(0);
    let do_one = || {
        let at = next.fetch_add(1, Ordering::Relaxed);
        parts.get(at).map(|part| (at, work(part)))
    };
    scope(|scope| {
        let (sender, receiver) = channel();
        let help = |_| {
            let sender = sender.clone();
            let work = move || {
                while let Some(done) = do_one() {
                    if sender.send(done).is_err() {
                        return;
                    }
                }
            };
            Builder::new().spawn_scoped(scope, work).ok()
        };
        let helpers: Vec<_> = (1..threads.min(parts.len()).min(THREADS_MAX))
            .map_while(help)
            .collect();
        drop(sender);
        let mut done: BTreeMap<usize, R> = BTreeMap::new();
        let mut due = 0;
        while due < parts.len() {
            done.extend(receiver.try_iter());
            if let Some(result) = done.remove(&due) {
                take(result);
                due += 1;
                continue;
            }
            // Nothing comes any more from helpers of which one has panicked.
            let Some((at, result)) = do_one().or_else(|| receiver.recv().ok()) else {
                break;
            };
            done.insert(at, result);
        }
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// Parts that wait for a thread, at most.
const WAITING: usize = 64;

/// Work on parts that somebody hands in one after the other while going on with something else.
pub(crate) struct Beside<'w, T, R> {
    work: &'w (dyn Fn(T) -> R + Sync),
    /// Where parts are handed to other threads, as long as there are any.
    queue: Option<SyncSender<T>>,
    waiting: &'w Mutex<Receiver<T>>,
    done: Receiver<R>,
    /// What came of the parts that were worked on at once.
    own: Vec<R>,
}

impl<T, R> Beside<'_, T, R> {
    /// Hands in the next part. It is worked on at once if no thread is there to take it, or if too many parts wait.
    pub(crate) fn give(&mut self, part: T) {
        let left = match &self.queue {
            None => Some(part),
            Some(queue) => queue.try_send(part).err().map(|error| match error {
                TrySendError::Full(part) | TrySendError::Disconnected(part) => part,
            }),
        };
        if let Some(part) = left {
            self.own.push((self.work)(part));
        }
    }

    /// What came of parts since this was asked last, in no order.
    pub(crate) fn done(&mut self) -> Vec<R> {
        let mut done = core::mem::take(&mut self.own);
        done.extend(self.done.try_iter());
        done
    }

    /// The same of all parts so far. No other thread works on later ones.
    pub(crate) fn all_done(&mut self) -> Vec<R> {
        // Without who hands in parts the threads come to an end, and with them who tells of what is done.
        self.queue = None;
        loop {
            let next = match self.waiting.try_lock() {
                Ok(waiting) => waiting.try_recv().ok(),
                Err(TryLockError::Poisoned(waiting)) => waiting.into_inner().try_recv().ok(),
                Err(TryLockError::WouldBlock) => None,
            };
            let Some(part) = next else {
                break;
            };
            self.own.push((self.work)(part));
        }
        let mut done = core::mem::take(&mut self.own);
        done.extend(self.done.iter());
        done
    }
}

/// Does what `lead` says, while up to `threads - 1` threads, [`THREADS_MAX`] at most, work on the parts that it hands in. It gets
/// what comes of them in no order, and has to see to it that the order does not show.
///
/// # Panics
/// If `work` or `lead` does.
#[expect(
    clippy::disallowed_methods,
    reason = "which thread does a part, and when, does not show in what becomes of it"
)]
pub(crate) fn beside<T: Send, R: Send, O>(
    threads: usize,
    work: impl Fn(T) -> R + Sync,
    lead: impl FnOnce(&mut Beside<'_, T, R>) -> O,
) -> O {
    let (queue, waiting) = sync_channel(WAITING);
    let (work, waiting) = (&work, &Mutex::new(waiting));
    scope(|scope| {
        let (sender, done) = channel();
        let help = |_| {
            let sender = sender.clone();
            let work = move || {
                // Who panics does so without the lock.
                let next = || {
                    let waiting = waiting.lock();
                    waiting.unwrap_or_else(PoisonError::into_inner).recv()
                };
                while let Ok(part) = next() {
                    if sender.send(work(part)).is_err() {
                        return;
                    }
                }
            };
            Builder::new().spawn_scoped(scope, work).ok()
        };
        let helpers: Vec<_> = (1..threads.min(THREADS_MAX)).map_while(help).collect();
        drop(sender);
        let result = {
            let mut beside = Beside {
                work,
                queue: Some(queue).filter(|_| !helpers.is_empty()),
                waiting,
                done,
                own: Vec::new(),
            };
            lead(&mut beside)
        };
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
        result
    })
}

/// Does both, `first` on another thread if `threads` are more than one.
///
/// # Panics
/// If one of them does.
pub(crate) fn both<A: Send, B>(
    threads: usize,
    first: impl Fn() -> A + Sync,
    second: impl FnOnce() -> B,
) -> (A, B) {
    let (first, second) = beside(
        threads.min(2),
        |()| first(),
        |beside| {
            beside.give(());
            let second = second();
            (beside.all_done().pop(), second)
        },
    );
    (first.expect("who is asked to do it does it"), second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken of parts that are worked on.
    fn taken(count: u64, threads: usize, work: impl Fn(&u64) -> u64 + Sync) -> Vec<u64> {
        let parts: Vec<u64> = (0..count).collect();
        let mut taken = Vec::new();
        in_order(&parts, threads, work, |it| taken.push(it));
        taken
    }

    #[test]
    fn results_are_taken_in_the_order_of_the_parts() {
        for count in [0_u64, 1, 2, 3, 100] {
            let want: Vec<u64> = (0..count).map(|part| part * part).collect();
            for threads in [0, 1, 2, 5, usize::MAX] {
                let found = taken(count, threads, |part| part * part);
                assert_eq!(found, want, "{count} parts, {threads} threads");
            }
        }
    }

    #[test]
    #[should_panic(expected = "part 40")]
    fn a_panic_is_the_callers() {
        taken(50, 3, |part| {
            assert_ne!(*part, 40, "part {part}");
            *part
        });
    }

    #[test]
    #[should_panic(expected = "result 40")]
    fn so_is_one_of_who_takes() {
        let parts: Vec<u64> = (0..50).collect();
        in_order(
            &parts,
            3,
            |part| *part,
            |it| assert_ne!(it, 40, "result {it}"),
        );
    }

    /// What is done of numbers that are handed in, with so many threads.
    fn squares(count: u64, threads: usize) -> Vec<u64> {
        let square = |part: u64| part * part;
        let mut squares = beside(threads, square, |beside| {
            let mut done = Vec::new();
            for part in 0..count {
                beside.give(part);
                if part % 3 == 0 {
                    done.extend(beside.done());
                }
            }
            done.extend(beside.all_done());
            // By now nobody else works on what comes.
            beside.give(1_000);
            assert_eq!(beside.done(), [1_000_000]);
            beside.give(2_000);
            assert_eq!(beside.all_done(), [4_000_000]);
            assert!(beside.all_done().is_empty());
            done
        });
        squares.sort_unstable();
        squares
    }

    #[test]
    fn whatever_is_handed_in_is_done_once() {
        for count in [0, 1, 2, 5, 1_000] {
            let want: Vec<u64> = (0..count).map(|part| part * part).collect();
            for threads in [0, 1, 2, 5, usize::MAX] {
                assert_eq!(
                    squares(count, threads),
                    want,
                    "{count} parts, {threads} threads"
                );
            }
        }
    }

    #[test]
    fn who_hands_in_need_not_wait() {
        let done = beside(
            3,
            |part: u64| part,
            |beside| {
                (0..1_000).for_each(|part| beside.give(part));
                "gone"
            },
        );
        assert_eq!(done, "gone");
    }

    #[test]
    fn who_finds_no_room_works() {
        let (first, second) = (channel::<()>(), channel::<()>());
        let (go, wait) = (second.0, Mutex::new(second.1));
        let started = Mutex::new(first.0);
        let work = |part: usize| {
            if part == 0 {
                started.lock().unwrap().send(()).unwrap();
                wait.lock().unwrap().recv().unwrap();
            }
            part
        };
        beside(2, work, |beside| {
            beside.give(0);
            first.1.recv().unwrap();
            // The only helper is busy: so many wait, and the rest is done at once.
            (1..=WAITING + 3).for_each(|part| beside.give(part));
            assert_eq!(beside.done(), [WAITING + 1, WAITING + 2, WAITING + 3]);
            go.send(()).unwrap();
            assert_eq!(beside.all_done().len(), WAITING + 1);
        });
    }

    #[test]
    #[should_panic(expected = "part 40")]
    fn a_panic_beside_is_the_callers() {
        let work = |part: u64| assert_ne!(part, 40, "part {part}");
        beside(3, work, |beside| {
            (0..50).for_each(|part| beside.give(part));
            beside.all_done().len()
        });
    }

    #[test]
    #[should_panic(expected = "enough")]
    fn so_is_one_of_who_hands_in() {
        beside(
            3,
            |part: u64| part,
            |beside| {
                (0..50).for_each(|part| beside.give(part));
                panic!("enough");
            },
        );
    }

    #[test]
    fn both_are_done() {
        for threads in [0, 1, 2, 9] {
            let mut count = 0;
            let done = both(threads, || "first", || count += 1);
            assert_eq!(done, ("first", ()));
            assert_eq!(count, 1);
        }
    }

    #[test]
    #[should_panic(expected = "the first")]
    fn a_panic_of_the_first_is_the_callers() {
        both(2, || panic!("the first"), || ());
    }
}
