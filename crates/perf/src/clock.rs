//! Time that is measured, in whole nanoseconds.

/// What this process has used of all processors so far, user and system.
///
/// Elsewhere than on Unix it is the time that has passed.
#[must_use]
#[cfg(unix)]
pub fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let part = |it: i64| u64::try_from(it).unwrap_or_default();
    part(time.tv_sec) * 1_000_000_000 + part(time.tv_nsec)
}

/// What has passed since the first call.
#[must_use]
#[cfg(not(unix))]
pub fn cpu_ns() -> u64 {
    wall_ns()
}

/// What has passed since the first call.
#[must_use]
pub fn wall_ns() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let passed = FIRST.get_or_init(Instant::now).elapsed();
    u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)
}

/// What the work used of all processors.
pub fn timed<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let start = cpu_ns();
    let value = work();
    (cpu_ns() - start, value)
}

/// The least that the work used in so many rounds, at least one.
pub fn least<T>(rounds: usize, mut work: impl FnMut() -> T) -> u64 {
    let rounds = (0..rounds.max(1)).map(|_| timed(|| std::hint::black_box(work())).0);
    rounds.min().unwrap_or_default()
}
