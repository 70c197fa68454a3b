//! Weighs a replica for `cargo xtask bench`, which starts it: `ecac-perf-memory WRITERS OPS SEED BUDGET_NS` one that it builds in
//! memory, `ecac-perf-memory FILE` the one in a store.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use ecac_artifact::exit;
use ecac_perf::measure::{Plan, weigh, weigh_open};
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
    let numbers = std::env::args().skip(1).map(|it| it.parse::<u64>());
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().context("read a number")?;
    let [writers, ops, seed, budget_ns] = numbers[..] else {
        bail!("a file or four numbers are asked for: writers, ops, seed, nanoseconds");
    };
    let (writers, ops) = (usize::try_from(writers)?, usize::try_from(ops)?);
    let plan = Plan {
        seed,
        ops_max: ops,
        budget_ns,
        rounds: 1,
    };
    output::print_json(&weigh(&plan, writers, ops, held)?)
}
