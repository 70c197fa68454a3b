//! The one place where the engine starts threads: to share out work whose result does not depend on them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{Builder, scope};

/// Hands what `work` makes of each part to `take`, in the order of the parts.
///
/// Up to `threads - 1` threads take one part after the other. The calling thread takes what is done and due, and while there is
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
pub(super) fn in_order<T: Sync, R: Send>(
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
        let helpers: Vec<_> = (1..threads.min(parts.len())).map_while(help).collect();
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
            for threads in [0, 1, 2, 5, 200] {
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
}
