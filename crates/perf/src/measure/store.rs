//! The durable store: appending beside what else appends, opening, what lies on the disk and what is held in memory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use ecac_core::{ProjectId, VerifiedOp};
use ecac_store::Form;
use tempfile::TempDir;

use super::memory::memory_open;
use super::{BATCH, Budget, Measured, Plan, ps_each};
use crate::clock::timed;
use crate::durable::{self, Appender, Bare, Raw};
use crate::workload::{Shape, Workload};

/// Ops that are appended: a hundred batches.
const OPS_APPENDED: usize = 100 * BATCH;
/// Ops that are appended one by one.
const OPS_ALONE: usize = 1_000;
/// Ops of the store that is opened.
const OPS_KEPT: usize = 1_000_000;
/// Ops that the store that is opened takes in at a time.
const BATCH_KEPT: usize = 8_192;

/// What durable appends came to.
#[derive(Debug)]
pub struct Appended {
    /// The store beside bare redb with the same bytes.
    pub beside_redb: Measured,
    /// The store beside a file with the same bytes.
    pub beside_file: Measured,
}

/// What a store that is full came to.
#[derive(Debug)]
pub struct Kept {
    /// From the file to the first decision.
    pub open: Measured,
    /// The file, once it is closed.
    pub disk: Measured,
    /// What is held in memory once it is open.
    pub memory: Measured,
}

fn envelopes(ops: &[VerifiedOp]) -> Vec<Vec<u8>> {
    ops.iter().map(|op| op.envelope().to_vec()).collect()
}

fn directory() -> Result<TempDir> {
    tempfile::tempdir().context("make a temporary directory")
}

/// A project and the envelopes of so many ops of 64 racing authors.
fn raced(plan: &Plan, ops: usize) -> Result<(ProjectId, Vec<Vec<u8>>)> {
    let mut workload = Workload::new(Shape::Race(64), plan.seed);
    let ops = super::signed(&mut workload, plan.ops(ops))?;
    Ok((workload.project, envelopes(&ops)))
}

/// Appends in batches of `size` until the time is over: how many, and how long it took.
fn append_all(
    appender: &mut dyn Appender,
    envelopes: &[Vec<u8>],
    size: usize,
    budget: &mut Budget,
) -> Result<(usize, u64)> {
    let (mut count, mut spent) = (0, 0);
    for batch in envelopes.chunks(size) {
        let (ns, appended) = timed(|| appender.append(batch));
        appended?;
        count += batch.len();
        spent += ns;
        if !budget.charge(ns) {
            break;
        }
    }
    Ok((count, spent))
}

/// The least that appending took of several rounds, each in a new file; all rounds of one appender in turn with the others'.
struct Trial<'a> {
    plan: &'a Plan,
    envelopes: &'a [Vec<u8>],
    size: usize,
}

impl Trial<'_> {
    /// What each of the appenders took for an op, which are made anew in a directory for each round, and the fewest ops that
    /// one of them came to.
    fn run<const N: usize>(
        &self,
        make: impl Fn(&Path) -> Result<[Box<dyn Appender>; N]>,
    ) -> Result<([u64; N], usize)> {
        let (mut least, mut fewest) = ([u64::MAX; N], self.envelopes.len());
        let mut budget = self.plan.budget();
        for round in 0..self.plan.rounds {
            if round > 0 && !budget.is_left() {
                break;
            }
            let directory = directory()?;
            for (least, mut appender) in least.iter_mut().zip(make(directory.path())?) {
                let (count, ns) =
                    append_all(&mut *appender, self.envelopes, self.size, &mut budget)?;
                *least = ps_each(ns, count).min(*least);
                fewest = fewest.min(count);
            }
        }
        Ok((least, fewest))
    }

    fn measured(&self, ops: usize, ps: u64, floor_ps: u64) -> Measured {
        Measured {
            ops: ops as u64,
            ps: Some(ps),
            floor_ps: Some(floor_ps),
            stopped: ops < self.envelopes.len(),
            ..Measured::default()
        }
    }
}

/// Appends batches of [`BATCH`] envelopes, each on the disk when its call returns.
pub fn append(plan: &Plan) -> Result<Appended> {
    let (project, envelopes) = raced(plan, OPS_APPENDED)?;
    let trial = Trial {
        plan,
        envelopes: &envelopes,
        size: BATCH,
    };
    let ([store, bare, raw], ops) = trial.run(|directory| {
        Ok([
            Box::new(durable::store(
                Form::Redb,
                &directory.join("store"),
                project,
            )?),
            Box::new(Bare::create(&directory.join("bare"))?),
            Box::new(Raw::create(&directory.join("raw"))?),
        ])
    })?;
    Ok(Appended {
        beside_redb: trial.measured(ops, store, bare),
        beside_file: trial.measured(ops, store, raw),
    })
}

/// The same, one envelope a batch, beside bare redb.
pub fn append_one(plan: &Plan) -> Result<Measured> {
    let (project, envelopes) = raced(plan, OPS_ALONE)?;
    let trial = Trial {
        plan,
        envelopes: &envelopes,
        size: 1,
    };
    let ([store, bare], ops) = trial.run(|directory| {
        Ok([
            Box::new(durable::store(
                Form::Redb,
                &directory.join("store"),
                project,
            )?),
            Box::new(Bare::create(&directory.join("bare"))?),
        ])
    })?;
    Ok(trial.measured(ops, store, bare))
}

/// A store in that form beside one of redb: appending batches, appending one by one, opening, and bytes on the disk.
pub fn beside_redb(plan: &Plan, form: Form) -> Result<[Measured; 4]> {
    let appended = |ops, size| -> Result<Measured> {
        let (project, envelopes) = raced(plan, ops)?;
        let trial = Trial {
            plan,
            envelopes: &envelopes,
            size,
        };
        let ([other, redb], ops) = trial.run(|directory| {
            Ok([
                Box::new(durable::store(form, &directory.join("other"), project)?),
                Box::new(durable::store(
                    Form::Redb,
                    &directory.join("redb"),
                    project,
                )?),
            ])
        })?;
        Ok(trial.measured(ops, other, redb))
    };
    let (batches, alone) = (appended(OPS_APPENDED, BATCH)?, appended(OPS_ALONE, 1)?);
    let (other, redb) = (directory()?, directory()?);
    let redb = opened(plan, &filled(plan, Form::Redb, redb.path())?)?;
    let (mut open, disk) = opened(plan, &filled(plan, form, other.path())?)?;
    open.floor_ps = redb.0.ps;
    Ok([batches, alone, open, disk])
}

/// A store that is closed.
struct Filled {
    file: PathBuf,
    ops: u64,
    envelope_bytes: u64,
    stopped: bool,
}

/// Fills a store with the work of 64 racing authors, and closes it.
fn filled(plan: &Plan, form: Form, directory: &Path) -> Result<Filled> {
    let wanted = plan.ops(OPS_KEPT);
    let mut workload = Workload::new(Shape::Race(64), plan.seed);
    let file = directory.join("store");
    let mut replica = durable::join(form, &file, workload.project)?;
    let setup = envelopes(&workload.setup);
    replica.receive(&setup)?;
    let mut envelope_bytes: usize = setup.iter().map(Vec::len).sum();
    let (mut budget, mut taken) = (plan.budget(), 0);
    while taken < wanted {
        let batch = envelopes(&workload.next_ops(BATCH_KEPT.min(wanted - taken)));
        let (ns, received) = timed(|| replica.receive(&batch));
        received?;
        taken += batch.len();
        envelope_bytes += batch.iter().map(Vec::len).sum::<usize>();
        if !budget.charge(ns) {
            break;
        }
    }
    let ops = replica.store().ops();
    ensure!(
        ops == (setup.len() + taken) as u64,
        "ops of a workload are not admitted"
    );
    replica.close()?;
    Ok(Filled {
        file,
        ops,
        envelope_bytes: envelope_bytes as u64,
        stopped: taken < wanted,
    })
}

/// Fills a store, opens it, and looks at what it takes up.
pub fn kept(plan: &Plan) -> Result<Kept> {
    let directory = directory()?;
    let filled = filled(plan, Form::Redb, directory.path())?;
    let (open, disk) = opened(plan, &filled)?;
    Ok(Kept {
        open,
        disk,
        memory: Measured {
            stopped: filled.stopped,
            ..memory_open(&filled.file)?
        },
    })
}

/// From a store to the first decision, and what it takes up on the disk.
fn opened(plan: &Plan, filled: &Filled) -> Result<(Measured, Measured)> {
    let (mut best, mut floor_ns) = (u64::MAX, u64::MAX);
    for _ in 0..plan.rounds {
        let (ns, opened) = timed(|| {
            let replica = durable::open(&filled.file)?;
            ensure!(durable::decides(&replica), "the last op is not decided");
            Ok(replica)
        });
        best = best.min(ns);
        drop(opened?);
        let bytes = bytes_of(&filled.file)?;
        let (ns, _) = timed(|| std::hint::black_box(blake3::hash(&bytes)));
        floor_ns = floor_ns.min(ns);
    }
    let measured = Measured {
        ops: filled.ops,
        stopped: filled.stopped,
        ..Measured::default()
    };
    let length = bytes_of(&filled.file)?.len() as u64;
    let per_op = |bytes: u64| Some(bytes / filled.ops.max(1));
    let open = Measured {
        ps: Some(ps_each(best, 1)),
        floor_ps: Some(ps_each(floor_ns, 1)),
        ..measured.clone()
    };
    let disk = Measured {
        bytes: per_op(length.saturating_sub(filled.envelope_bytes)),
        envelope: per_op(filled.envelope_bytes),
        ..measured
    };
    Ok((open, disk))
}

/// The bytes of a store: of its file, or of all files in its directory.
fn bytes_of(store: &Path) -> Result<Vec<u8>> {
    if !store.is_dir() {
        return fs::read(store).context("read the store");
    }
    let mut bytes = Vec::new();
    for entry in fs::read_dir(store).context("read the store")? {
        let path = entry.context("read the store")?.path();
        bytes.extend(fs::read(path).context("read the store")?);
    }
    Ok(bytes)
}
