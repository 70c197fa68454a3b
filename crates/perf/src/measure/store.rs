//! The durable store: appending beside what else appends, opening, what lies on the disk and what is held in memory.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use ecac_core::{ProjectId, VerifiedOp};
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
fn raced(plan: &Plan, ops: usize) -> (ProjectId, Vec<Vec<u8>>) {
    let mut workload = Workload::new(Shape::Race(64), plan.seed);
    let ops = workload.next_ops(plan.ops(ops));
    (workload.project, envelopes(&ops))
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
    /// The store, bare redb and a file: what each took for an op, and the fewest ops that one of them came to.
    fn run(&self, project: ProjectId) -> Result<([u64; 3], usize)> {
        let (mut least, mut fewest) = ([u64::MAX; 3], self.envelopes.len());
        let mut budget = self.plan.budget();
        for round in 0..self.plan.rounds {
            if round > 0 && !budget.is_left() {
                break;
            }
            let directory = directory()?;
            let file = |name: &str| directory.path().join(name);
            let mut store = durable::store(&file("store"), project)?;
            let mut bare = Bare::create(&file("bare"))?;
            let mut raw = Raw::create(&file("raw"))?;
            let appenders: [&mut dyn Appender; 3] = [&mut store, &mut bare, &mut raw];
            for (least, appender) in least.iter_mut().zip(appenders) {
                let (count, ns) = append_all(appender, self.envelopes, self.size, &mut budget)?;
                *least = ps_each(ns, count).min(*least);
                fewest = fewest.min(count);
            }
        }
        Ok((least, fewest))
    }
}

/// Appends batches of [`BATCH`] envelopes, each on the disk when its call returns.
pub fn append(plan: &Plan) -> Result<Appended> {
    let (project, envelopes) = raced(plan, OPS_APPENDED);
    let trial = Trial {
        plan,
        envelopes: &envelopes,
        size: BATCH,
    };
    let ([store, bare, raw], ops) = trial.run(project)?;
    let beside = |floor_ps| Measured {
        ops: ops as u64,
        ps: Some(store),
        floor_ps: Some(floor_ps),
        stopped: ops < envelopes.len(),
        ..Measured::default()
    };
    Ok(Appended {
        beside_redb: beside(bare),
        beside_file: beside(raw),
    })
}

/// The same, one envelope a batch, beside bare redb.
pub fn append_one(plan: &Plan) -> Result<Measured> {
    let (project, envelopes) = raced(plan, OPS_ALONE);
    let trial = Trial {
        plan,
        envelopes: &envelopes,
        size: 1,
    };
    let ([store, bare, _], ops) = trial.run(project)?;
    Ok(Measured {
        ops: ops as u64,
        ps: Some(store),
        floor_ps: Some(bare),
        stopped: ops < envelopes.len(),
        ..Measured::default()
    })
}

/// A store that is closed.
struct Filled {
    file: PathBuf,
    ops: u64,
    envelope_bytes: u64,
    stopped: bool,
}

/// Fills a store with the work of 64 racing authors, and closes it.
fn filled(plan: &Plan, directory: &Path) -> Result<Filled> {
    let wanted = plan.ops(OPS_KEPT);
    let mut workload = Workload::new(Shape::Race(64), plan.seed);
    let file = directory.join("store");
    let mut replica = durable::join(&file, workload.project)?;
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
    let filled = filled(plan, directory.path())?;
    let (mut best, mut floor_ns) = (u64::MAX, u64::MAX);
    for _ in 0..plan.rounds {
        let (ns, opened) = timed(|| {
            let replica = durable::open(&filled.file)?;
            ensure!(durable::decides(&replica), "the last op is not decided");
            Ok(replica)
        });
        best = best.min(ns);
        drop(opened?);
        let bytes = fs::read(&filled.file).context("read the store")?;
        let (ns, _) = timed(|| std::hint::black_box(blake3::hash(&bytes)));
        floor_ns = floor_ns.min(ns);
    }
    let measured = Measured {
        ops: filled.ops,
        stopped: filled.stopped,
        ..Measured::default()
    };
    let length = fs::metadata(&filled.file).context("read the store")?.len();
    let per_op = |bytes: u64| Some(bytes / filled.ops.max(1));
    Ok(Kept {
        open: Measured {
            ps: Some(ps_each(best, 1)),
            floor_ps: Some(ps_each(floor_ns, 1)),
            ..measured.clone()
        },
        disk: Measured {
            bytes: per_op(length.saturating_sub(filled.envelope_bytes)),
            envelope: per_op(filled.envelope_bytes),
            ..measured
        },
        memory: Measured {
            stopped: filled.stopped,
            ..memory_open(&filled.file)?
        },
    })
}
