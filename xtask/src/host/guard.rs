//! Work on the files of strangers, which ends when a signal asks for it, and when it has cost enough.
//!
//! The engine, the compressor and the drawing know no clock and no signal, so they run in a thread of their own, and
//! this one watches. Where the watch ends the work is left behind, and the program ends with it: only work that
//! writes no file may be guarded.
//!
//! The limits of sizes, which hold everywhere, keep every real file far below what is watched for. The watch is for what
//! nobody has thought of. On Linux it is the processor time and the memory of this process; elsewhere the time on the
//! clock.

use std::fs;
use std::panic;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ecac_artifact::exit;

use crate::host::error::Failure;
use crate::host::interrupt;

/// How often the work is looked at.
const POLL: Duration = Duration::from_millis(10);

/// What the main thread has on common systems.
const STACK_BYTES: usize = 8 << 20;

/// The unit of processor times in `/proc` (proc(5), `sysconf(_SC_CLK_TCK)`), the same on every machine of Rust's tier 1.
const TICKS_PER_SECOND: u64 = 100;

/// How much work may cost.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Processor time.
    pub time: Duration,
    /// Memory of the whole process, in bytes.
    pub memory_bytes: u64,
}

impl Allowance {
    /// No bound but the patience of whoever waits.
    pub const UNBOUNDED: Self = Self {
        time: Duration::MAX,
        memory_bytes: u64::MAX,
    };
}

/// Does the work in a thread, and gives up on a signal or once it has cost more than it may.
pub fn run<T: Send + 'static>(
    allowance: Allowance,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    interrupt::check()?;
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // Nobody receives where the watch has ended.
            let _ = sender.send(work());
        })
        .context("start a thread")?;
    let watch = Watch::begin();
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => {
                interrupt::check()?;
                watch.check(allowance)?;
            }
            Err(RecvTimeoutError::Disconnected) => match thread.join() {
                Err(panic) => panic::resume_unwind(panic),
                Ok(()) => unreachable!("the thread sends before it ends"),
            },
        }
    }
}

/// What had been spent when the work began.
struct Watch {
    started: Instant,
    time: Duration,
}

impl Watch {
    fn begin() -> Self {
        Self {
            started: Instant::now(),
            time: Spent::now().map_or(Duration::ZERO, |spent| spent.time),
        }
    }

    fn check(&self, allowance: Allowance) -> Result<(), Failure> {
        let (time, memory_bytes) = match Spent::now() {
            Some(spent) => (spent.time.saturating_sub(self.time), spent.memory_bytes),
            None => (self.started.elapsed(), 0),
        };
        let cost = if time > allowance.time {
            format!("{} s", allowance.time.as_secs_f64())
        } else if memory_bytes > allowance.memory_bytes {
            format!("{} MiB of memory", allowance.memory_bytes >> 20)
        } else {
            return Ok(());
        };
        let message = format!("this takes more than {cost}, which nothing real does");
        Err(Failure::new(exit::BAD_INPUT, message))
    }
}

/// What this process has spent so far.
struct Spent {
    time: Duration,
    memory_bytes: u64,
}

impl Spent {
    /// Nothing where the system does not say.
    fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        Self::read(&stat, &status)
    }

    /// Reads the fields `utime` and `stime` of `/proc/self/stat` and `VmRSS` of `/proc/self/status` (proc(5)).
    fn read(stat: &str, status: &str) -> Option<Self> {
        // The second field is the name of the program in parentheses, which can hold anything.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        let ticks = ticks()?.checked_add(ticks()?)?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory?.trim().strip_suffix("kB")?.trim();
        Some(Self {
            time: Duration::from_millis(ticks * (1000 / TICKS_PER_SECOND)),
            memory_bytes: memory.parse::<u64>().ok()? << 10,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::host::error::exit_code;

    #[test]
    fn work_that_ends_gives_what_it_gives() {
        let result = run(Allowance::UNBOUNDED, || Ok(7));
        assert_eq!(result.unwrap(), 7);
        let result: Result<()> = run(Allowance::UNBOUNDED, || {
            Err(Failure::new(exit::VERIFICATION, "no").into())
        });
        assert_eq!(exit_code(&result.unwrap_err()), exit::VERIFICATION);
    }

    #[test]
    #[should_panic(expected = "a defect")]
    fn a_defect_stays_one() {
        let _ = run::<()>(Allowance::UNBOUNDED, || panic!("a defect"));
    }

    /// Runs work that only ends when it is told to, after the watch has given it up.
    fn check(allowance: Allowance, mut step: impl FnMut() + Send + 'static, says: &str) {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let result: Result<()> = run(allowance, move || {
            while !stopped.load(Ordering::Relaxed) {
                step();
            }
            Ok(())
        });
        stop.store(true, Ordering::Relaxed);
        let error = result.unwrap_err();
        assert_eq!(exit_code(&error), exit::BAD_INPUT);
        assert!(error.to_string().contains(says), "{error}");
    }

    #[test]
    fn work_that_takes_too_long_is_given_up() {
        let allowance = Allowance {
            time: Duration::from_millis(100),
            ..Allowance::UNBOUNDED
        };
        check(allowance, std::hint::spin_loop, "more than 0.1 s");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_that_takes_too_much_memory_is_given_up() {
        let before = Spent::now().unwrap().memory_bytes;
        let allowance = Allowance {
            memory_bytes: before + (64 << 20),
            ..Allowance::UNBOUNDED
        };
        let mut held = Vec::new();
        let step = move || {
            // Far more than is allowed, and far less than a machine has.
            if held.len() < 512 {
                held.push(vec![1_u8; 1 << 20]);
            }
            thread::sleep(Duration::from_millis(1));
        };
        check(allowance, step, "MiB of memory");
    }

    #[test]
    fn the_files_of_the_system_are_read_by_their_documented_fields() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 9 8 7";
        let status = "Name:\ta\nVmHWM:\t  999 kB\nVmRSS:\t    2048 kB\n";
        let spent = Spent::read(stat, status).unwrap();
        assert_eq!(spent.time, Duration::from_secs(3));
        assert_eq!(spent.memory_bytes, 2 << 20);
        assert!(Spent::read("7 (a) S 1", status).is_none());
        assert!(Spent::read(stat, "Name:\ta\n").is_none());
    }
}
