//! Weighs a replica for `cargo xtask bench`, which starts it: `ecac-perf-memory WRITERS OPS SEED BUDGET_NS` one that it builds in
//! memory, `ecac-perf-memory FILE` the one in a store, and `ecac-perf-memory session OPS SEED BUDGET_NS` sessions of sync.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use ecac_artifact::exit;
use ecac_perf::measure::{Plan, Scale, weigh, weigh_open, weigh_sessions};
use peak_alloc::PeakAlloc;
use xtask::host::{error, output};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::from(exit::SUCCESS),
        Err(error) => {
            output::note(&error::render(&error));
            error::exit_code(&error).into()
        }
    }
}

fn run() -> Result<()> {
    let held = || ALLOCATOR.current_usage();
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    if let [file] = &args[..] {
        return output::print_json(&weigh_open(file.as_ref(), held)?);
    }
    let is_session = args.first().is_some_and(|it| it == "session");
    let numbers = std::env::args().skip(1 + usize::from(is_session));
    let numbers = numbers.map(|it| it.parse::<u64>());
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().context("read a number")?;
    let plan = |ops: usize, seed, budget_ns| Plan {
        seed,
        ops_max: ops,
        budget_ns,
        rounds: 1,
    };
    match numbers[..] {
        [ops, seed, budget_ns] if is_session => {
            let ops = usize::try_from(ops)?;
            let scale = Scale {
                held: &held,
                peak: &|| ALLOCATOR.peak_usage(),
                reset: &|| ALLOCATOR.reset_peak_usage(),
            };
            output::print_json(&weigh_sessions(&plan(ops, seed, budget_ns), ops, scale)?)
        }
        [writers, ops, seed, budget_ns] if !is_session => {
            let (writers, ops) = (usize::try_from(writers)?, usize::try_from(ops)?);
            output::print_json(&weigh(&plan(ops, seed, budget_ns), writers, ops, held)?)
        }
        _ => bail!(
            "a file is asked for, or four numbers (writers, ops, seed, nanoseconds), or `session` and three (ops, seed, nanoseconds)"
        ),
    }
}
