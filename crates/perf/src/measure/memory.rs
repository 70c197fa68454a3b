//! What a replica holds in memory, beyond the envelopes.
//!
//! A program of its own weighs it, with an allocator that counts, so that counting slows down nothing that is timed.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use xtask::host::workspace;

use super::{Measured, Plan, begun, take_all};
use crate::durable;
use crate::workload::{Shape, Workload};

/// The program that weighs.
const PROGRAM: &str = "ecac-perf-memory";

/// What a replica weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighed {
    /// Ops that it holds, the setup among them.
    pub ops: u64,
    /// Bytes that it has allocated and not given back.
    pub held: u64,
    /// Bytes of the envelopes.
    pub envelopes: u64,
    /// Whether the time was over before it had all ops.
    pub stopped: bool,
}

/// Has the program weigh a replica of that many racing writers.
pub fn memory(plan: &Plan, writers: usize, ops: usize) -> Result<Measured> {
    let numbers = [plan.seed, plan.budget_ns].map(|it| it.to_string());
    let sizes = [writers, plan.ops(ops)].map(|it| it.to_string());
    let weighed = program(sizes.into_iter().chain(numbers).map(OsString::from))?;
    Ok(weighed.measured())
}

/// Has the program weigh the replica in a store once it is open.
pub(super) fn memory_open(file: &Path) -> Result<Measured> {
    Ok(program([file.into()])?.measured())
}

/// What the program answers.
pub(super) fn program(args: impl IntoIterator<Item = OsString>) -> Result<Weighed> {
    let root = workspace::root()?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--locked", "--quiet", "--profile", "release"])
        .args([
            "--package",
            "ecac-perf",
            "--bin",
            PROGRAM,
            "--manifest-path",
        ])
        .arg(root.join("Cargo.toml"))
        .arg("--")
        .args(args)
        .output()
        .context("start cargo")?;
    if !output.status.success() {
        bail!(
            "{PROGRAM} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("read its answer")
}

impl Weighed {
    fn measured(&self) -> Measured {
        Measured {
            ops: self.ops,
            bytes: Some(self.held.saturating_sub(self.envelopes) / self.ops.max(1)),
            stopped: self.stopped,
            ..Measured::default()
        }
    }
}

/// Opens the replica in a store and weighs it, with the function that says how many bytes the program holds. Its envelopes are
/// on the disk, so all of it counts.
pub fn weigh_open(file: &Path, held: impl Fn() -> usize) -> Result<Weighed> {
    let before = held();
    let replica = durable::open(file)?;
    let held = held().saturating_sub(before);
    Ok(Weighed {
        ops: replica.store().ops(),
        held: held as u64,
        envelopes: 0,
        stopped: false,
    })
}

/// Builds a replica and weighs it, with the function that says how many bytes the program holds.
pub fn weigh(plan: &Plan, writers: usize, ops: usize, held: impl Fn() -> usize) -> Result<Weighed> {
    let mut workload = Workload::new(Shape::Race(writers), plan.seed);
    let setup = core::mem::take(&mut workload.setup);
    let mut budget = plan.budget();
    let before = held();
    let mut engine = begun(workload.project, &setup)?;
    let sizes = setup.iter().map(|op| op.envelope().len());
    let mut envelopes: usize = sizes.sum();
    let mut taken = 0;
    while taken < ops {
        let batch = workload.next_ops(super::BATCH.min(ops - taken));
        let (count, ns) = take_all(&mut engine, &batch, &mut budget)?;
        taken += count;
        envelopes += batch.iter().map(|op| op.envelope().len()).sum::<usize>();
        if !budget.charge(ns.min(1)) {
            break;
        }
    }
    let held = held().saturating_sub(before);
    Ok(Weighed {
        ops: engine.admitted() as u64,
        held: held as u64,
        envelopes: envelopes as u64,
        stopped: taken < ops,
    })
}
