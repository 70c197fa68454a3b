//! The one place where the engine starts threads: to share out work whose result does not depend on them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, scope};

/// What `work` makes of each part, in the order of the parts.
///
/// The calling thread and up to `threads - 1` others take one part after the other. Where no thread can be had
/// (wasm32, a limit of the system), the calling thread does the rest alone. `work` sees one part and nothing that
/// other parts do, so neither the number of threads nor their timing shows in the result.
///
/// # Panics
/// If `work` does.
#[expect(
    clippy::disallowed_methods,
    reason = "which thread does a part does not show in what becomes of it"
)]
pub(super) fn map_parts<T: Sync, R: Send>(
    parts: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(at) else {
                return done;
            };
            done.push((at, work(part)));
        }
    };
    let mut done = scope(|scope| {
        let helpers: Vec<_> = (1..threads.min(parts.len()))
            .map_while(|_| Builder::new().spawn_scoped(scope, take).ok())
            .collect();
        let mut done = take();
        for helper in helpers {
            match helper.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_parts() {
        for count in [0_u64, 1, 2, 3, 100] {
            let parts: Vec<u64> = (0..count).collect();
            let want: Vec<u64> = parts.iter().map(|part| part * part).collect();
            for threads in [0, 1, 2, 5, 200] {
                let found = map_parts(&parts, threads, |part| part * part);
                assert_eq!(found, want, "{count} parts, {threads} threads");
            }
        }
    }

    #[test]
    #[should_panic(expected = "part 40")]
    fn a_panic_is_the_callers() {
        let parts: Vec<u64> = (0..50).collect();
        map_parts(&parts, 3, |part| assert_ne!(*part, 40, "part {part}"));
    }
}
