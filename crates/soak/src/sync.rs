//! `cargo xtask soak --sync`: the laws of sync on as many seeded schedules as one likes.

use std::time::Instant;

use anyhow::Result;
use ecac_artifact::exit;
use ecac_sync::sim::{self, MemoryHome, Report, Schedule, Violation};
use serde::Serialize;

use xtask::host::error::Failure;
use xtask::host::output::{self, Format};
use xtask::host::progress::Progress;
use xtask::host::workspace;
use xtask::source::repository::Repository;

use crate::search::{Range, search, threads};
use crate::store_home::StoreHome;

/// Nodes of most schedules, and of each that ends a hundred.
const NODES_MAX: usize = 8;
const NODES_MAX_LARGE: usize = 64;

/// What was seen.
#[derive(Debug, Default, Serialize)]
struct Answer {
    seed: u64,
    first: u64,
    schedules: u64,
    /// Of them those on durable stores; the others are on disks that lose all that was not synced.
    on_stores: u64,
    /// Of them those with seals, behind which nodes prune.
    with_seals: u64,
    final_seals: u64,
    early_seals: u64,
    envelopes_dropped: u64,
    ops_gone: u64,
    envelopes_regained: u64,
    thefts: u64,
    started: u64,
    snapshots_refused: u64,
    written: u64,
    admitted: u64,
    unsupported: u64,
    sessions_finished: u64,
    sessions_broken_off: u64,
    restarts: u64,
    torn: u64,
    frames: u64,
    frame_bytes: u64,
    stray_frames: u64,
    converged_ms_max: u64,
    duration_ms: u64,
    jobs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

impl Answer {
    fn add(&mut self, number: u64, report: &Report) {
        self.schedules += 1;
        self.on_stores += u64::from(is_on_stores(number));
        self.with_seals += u64::from(report.has_seals);
        self.final_seals += report.finals as u64;
        self.early_seals += report.early_seals;
        self.envelopes_dropped += report.dropped;
        self.ops_gone += report.gone;
        self.envelopes_regained += report.regained;
        self.thefts += report.thefts;
        self.started += report.started;
        self.snapshots_refused += report.refused;
        self.written += report.written as u64;
        self.admitted += report.admitted as u64;
        self.unsupported += report.unsupported as u64;
        self.sessions_finished += report.finished;
        self.sessions_broken_off += report.broken_off;
        self.restarts += report.restarts;
        self.torn += report.torn;
        self.frames += report.frames;
        self.frame_bytes += report.bytes;
        self.stray_frames += report.strays;
        self.converged_ms_max = self.converged_ms_max.max(report.converged_ms);
    }

    fn merge(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.on_stores += other.on_stores;
        self.with_seals += other.with_seals;
        self.final_seals += other.final_seals;
        self.early_seals += other.early_seals;
        self.envelopes_dropped += other.envelopes_dropped;
        self.ops_gone += other.ops_gone;
        self.envelopes_regained += other.envelopes_regained;
        self.thefts += other.thefts;
        self.started += other.started;
        self.snapshots_refused += other.snapshots_refused;
        self.written += other.written;
        self.admitted += other.admitted;
        self.unsupported += other.unsupported;
        self.sessions_finished += other.sessions_finished;
        self.sessions_broken_off += other.sessions_broken_off;
        self.restarts += other.restarts;
        self.torn += other.torn;
        self.frames += other.frames;
        self.frame_bytes += other.frame_bytes;
        self.stray_frames += other.stray_frames;
        self.converged_ms_max = self.converged_ms_max.max(other.converged_ms_max);
    }
}

const fn is_on_stores(number: u64) -> bool {
    number % 2 == 1
}

/// The schedule with the number: those of another seed are others.
fn schedule(seed: u64, number: u64) -> Schedule {
    let nodes_max = if number % 100 == 99 {
        NODES_MAX_LARGE
    } else {
        NODES_MAX
    };
    let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Schedule::of_seed(seed.wrapping_add(number), nodes_max)
}

fn play(seed: u64, number: u64) -> Result<Report, Box<Violation>> {
    let schedule = schedule(seed, number);
    sim::run_on(&schedule, None, &mut |project, builder| {
        if is_on_stores(number) {
            Ok(Box::new(StoreHome::new(project, builder)?))
        } else {
            Ok(Box::new(MemoryHome::new(project, builder, None)))
        }
    })
}

/// Plays the schedules.
pub(crate) fn run(
    range: Range,
    jobs: Option<std::num::NonZeroUsize>,
    format: Format,
) -> Result<()> {
    let Range { seed, first, end } = range;
    let (start, threads) = (Instant::now(), threads(jobs));
    let searched = search("schedules", (first, end), threads, || {
        move |number, seen: &mut Answer| match play(seed, number) {
            Ok(report) => {
                seen.add(number, &report);
                true
            }
            Err(_) => false,
        }
    })?;
    if let Some(number) = searched.failed {
        return Err(breach(seed, number).into());
    }
    let mut answer = Answer {
        seed,
        first,
        jobs: threads,
        duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        next: (searched.next < end).then_some(searched.next),
        ..Answer::default()
    };
    searched.parts.iter().for_each(|part| answer.merge(part));
    match format {
        Format::Text => output::print(&text(&answer)),
        Format::Json => output::print_json(&answer),
    }?;
    let Some(next) = answer.next else {
        return Ok(());
    };
    let left = end - next;
    let message = format!("interrupted before schedule {next}");
    Err(Failure::new(exit::INTERRUPTED, message)
        .hint(format!(
            "go on: cargo xtask soak --sync {left} --seed {seed} --first {next}"
        ))
        .into())
}

/// The failure of a schedule, which is played once more.
fn breach(seed: u64, number: u64) -> Failure {
    let played = std::panic::catch_unwind(|| play(seed, number));
    let what = match played {
        Ok(Err(violation)) => violation.to_string(),
        Ok(Ok(_)) => "it does not fail again".to_owned(),
        Err(_) => "it panics".to_owned(),
    };
    let commit = commit().unwrap_or_else(|| "unknown".to_owned());
    let message =
        format!("schedule {number} of seed {seed} breaks a law of sync at commit {commit}: {what}");
    Failure::new(exit::VERIFICATION, message).hint(format!(
        "repeat it: cargo xtask soak --sync 1 --seed {seed} --first {number}"
    ))
}

/// The commit that is checked out, if there is a repository.
fn commit() -> Option<String> {
    let root = workspace::root().ok()?;
    let progress = Progress::new(0);
    let repository = Repository::at(&root, &progress).ok()??;
    Some(repository.resolve("HEAD").ok()?.hash().to_owned())
}

fn text(answer: &Answer) -> String {
    let numbers = match answer.next {
        None => format!("to {}", answer.first + answer.schedules - 1),
        Some(next) => format!("on, {next} is the first that is left"),
    };
    format!(
        "{} schedules (seed {}, numbers {} {numbers}), {} of them on durable stores, {} with seals: {} seals final, {} before what they \
         seal, {} envelopes dropped, {} times a dropped op was lacked, {} came back in the end, {} revocations by thieves, {} \
         nodes started from sealed snapshots, {} of which were changed and refused; {} ops written, {} admitted, {} that nobody \
         can judge; {} sessions finished and {} broken off; {} restarts, {} of them amid a write; {} frames, {} MB, {} of other \
         lives; {} s to convergence at most; {} s in {} threads: every law holds\n",
        answer.schedules,
        answer.seed,
        answer.first,
        answer.on_stores,
        answer.with_seals,
        answer.final_seals,
        answer.early_seals,
        answer.envelopes_dropped,
        answer.ops_gone,
        answer.envelopes_regained,
        answer.thefts,
        answer.started,
        answer.snapshots_refused,
        answer.written,
        answer.admitted,
        answer.unsupported,
        answer.sessions_finished,
        answer.sessions_broken_off,
        answer.restarts,
        answer.torn,
        answer.frames,
        answer.frame_bytes / 1_000_000,
        answer.stray_frames,
        answer.converged_ms_max / 1000,
        answer.duration_ms / 1000,
        answer.jobs,
    )
}
