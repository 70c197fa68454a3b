//! `cargo xtask soak`: the laws of the engine on as many random adversarial histories as one likes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use comfy_table::{CellAlignment, Table, presets};
use ecac_artifact::exit;
use ecac_oracle::laws::{self, Trial};
use ecac_oracle::soak::{Exports, Trials};
use serde::Serialize;

use xtask::host::error::Failure;
use xtask::host::interrupt;
use xtask::host::output::{self, Format};
use xtask::host::progress::Counter;

use crate::search::{Range, search, threads};
use crate::{secrets, sync};

/// Arguments of `soak`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// How many histories
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    histories: u64,
    /// Play so many schedules of sync instead of checking histories: replicas that meet over a bad network and lose power, half of
    /// them on durable stores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with_all = ["histories", "export"])]
    sync: Option<u64>,
    /// Put real keys and sealed values into so many histories instead, and let everybody try to open every value with every key that
    /// they ever held
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with_all = ["histories", "export", "sync"])]
    secrets: Option<u64>,
    /// The seed that they are made from
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// The number of the first history; a failure names the number to repeat it with
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: u64,
    /// Threads [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Check nothing; write each history to this new directory as an op log, with what the engine says of it, for an oracle in
    /// another language
    #[arg(long, value_name = "DIR", conflicts_with = "jobs")]
    export: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What was seen.
#[derive(Debug, Default, Serialize)]
struct Answer {
    seed: u64,
    first: u64,
    histories: u64,
    ops: u64,
    ops_max: u64,
    /// How often each verdict and reason was met.
    met: BTreeMap<String, u64>,
    /// How often each effect was met.
    effects: BTreeMap<&'static str, u64>,
    duration_ms: u64,
    /// Threads that checked.
    jobs: usize,
    histories_per_second: u64,
    /// Where it was interrupted: the least number of a history that is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

impl Answer {
    fn add(&mut self, said: &laws::Said) {
        let ops = said.replayed.decisions.len() as u64;
        self.histories += 1;
        self.ops += ops;
        self.ops_max = self.ops_max.max(ops);
        for decision in said.replayed.decisions.values() {
            let met = match decision.reason() {
                None => decision.verdict().to_owned(),
                Some(reason) => format!("{} {reason}", decision.verdict()),
            };
            *self.met.entry(met).or_default() += 1;
        }
        for effect in said.replayed.effects.values() {
            *self.effects.entry(effect.code.name()).or_default() += 1;
        }
    }

    fn merge(&mut self, other: Self) {
        self.histories += other.histories;
        self.ops += other.ops;
        self.ops_max = self.ops_max.max(other.ops_max);
        for (met, times) in other.met {
            *self.met.entry(met).or_default() += times;
        }
        for (effect, times) in other.effects {
            *self.effects.entry(effect).or_default() += times;
        }
    }

    /// Takes down how long it took.
    fn took(&mut self, start: Instant, jobs: usize) {
        let rate = |duration_ms: u64| self.histories.saturating_mul(1000) / duration_ms.max(1);
        self.duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.histories_per_second = rate(self.duration_ms);
        self.jobs = jobs;
    }
}

/// Checks the histories, or writes them down.
pub(crate) fn run(args: &Args) -> Result<()> {
    let count = args.sync.or(args.secrets).unwrap_or(args.histories);
    let Some(end) = args.first.checked_add(count) else {
        return Err(Failure::new(exit::USAGE, "the numbers exceed 64 bits")
            .hint("choose a smaller --first")
            .into());
    };
    let (seed, first) = (args.seed, args.first);
    if args.secrets.is_some() {
        return secrets::run(Range { seed, first, end }, args.jobs, args.format);
    }
    match (&args.export, args.sync) {
        (Some(directory), _) => export(args, end, directory),
        (None, Some(_)) => sync::run(Range { seed, first, end }, args.jobs, args.format),
        (None, None) => soak(args, end),
    }
}

fn soak(args: &Args, end: u64) -> Result<()> {
    let (start, threads) = (Instant::now(), threads(args.jobs));
    let searched = search("histories", (args.first, end), threads, || {
        let trials = Trials::new(args.seed);
        move |number, seen: &mut Answer| match laws::check(&trials.get(number)) {
            Ok(said) => {
                seen.add(&said);
                true
            }
            Err(_) => false,
        }
    })?;
    if let Some(number) = searched.failed {
        return Err(breach(args.seed, number).into());
    }
    let mut answer = Answer {
        seed: args.seed,
        first: args.first,
        ..Answer::default()
    };
    for part in searched.parts {
        answer.merge(part);
    }
    answer.took(start, threads);
    answer.next = (searched.next < end).then_some(searched.next);
    match args.format {
        Format::Text => output::print(&text(&answer)),
        Format::Json => output::print_json(&answer),
    }?;
    match answer.next {
        None => Ok(()),
        Some(next) => Err(interrupted(args, next, end, "").into()),
    }
}

/// The failure that says how to go on.
fn interrupted(args: &Args, next: u64, end: u64, rest: &str) -> Failure {
    Failure::new(
        exit::INTERRUPTED,
        format!("interrupted before history {next}"),
    )
    .hint(format!(
        "go on: cargo xtask soak --seed {} --first {next} --histories {}{rest}",
        args.seed,
        end - next
    ))
}

/// The failure of a history, which is made small first.
fn breach(seed: u64, number: u64) -> Failure {
    output::note("a law does not hold; looking for a smaller history\n");
    // Once interrupted, nothing smaller is looked for.
    let check = |trial: &Trial| {
        if interrupt::requested() {
            return Ok(());
        }
        laws::check(trial).map(drop)
    };
    let what = match Trials::new(seed).shrink(number, check) {
        Some(failure) => format!("{}\nof {:?}", failure.fault, failure.trial.history),
        None if interrupt::requested() => "interrupted before it was repeated".to_owned(),
        None => "it does not fail again".to_owned(),
    };
    let message = format!("history {number} of seed {seed} breaks a law: {what}");
    Failure::new(exit::VERIFICATION, message).hint(format!(
        "repeat it: cargo xtask soak --seed {seed} --first {number} --histories 1"
    ))
}

fn text(answer: &Answer) -> String {
    let decisions = answer.met.iter();
    let decisions = counts(
        "decision",
        decisions.map(|(met, times)| (met.as_str(), *times)),
    );
    let effects = answer.effects.iter();
    let effects = counts("effect", effects.map(|(effect, times)| (*effect, *times)));
    let numbers = match answer.next {
        None => format!("to {}", answer.first + answer.histories - 1),
        Some(next) => format!("on, {next} is the first that is left"),
    };
    format!(
        "{decisions}\n\n{effects}\n\n{} histories of up to {} ops (seed {}, numbers {} {numbers}), {} ops, {} s, {} histories a \
         second in {} threads: every law holds\n",
        answer.histories,
        answer.ops_max,
        answer.seed,
        answer.first,
        answer.ops,
        answer.duration_ms / 1000,
        answer.histories_per_second,
        answer.jobs,
    )
}

/// How often what was met.
fn counts<'a>(what: &str, met: impl Iterator<Item = (&'a str, u64)>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([what, "ops"]);
    for (met, times) in met {
        table.add_row([met.to_owned(), times.to_string()]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn export(args: &Args, end: u64, directory: &Path) -> Result<()> {
    std::fs::create_dir(directory).map_err(|error| {
        Failure::environment(format!("cannot create {}: {error}", directory.display()))
            .hint("name a directory that does not exist yet, in one that does")
    })?;
    let exports = Exports::new(args.seed);
    let counter = Counter::new("histories", args.histories);
    for number in args.first..end {
        if interrupt::requested() {
            return Err(interrupted(args, number, end, " --export OTHER").into());
        }
        for (ending, bytes) in exports.get(number).files {
            let path = directory.join(format!("{number:06}.{ending}"));
            std::fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        }
        counter.inc();
    }
    drop(counter);
    let (seed, histories) = (args.seed, args.histories);
    match args.format {
        Format::Text => output::print(&format!(
            "{histories} histories of seed {seed} are in {}\n",
            directory.display()
        )),
        Format::Json => output::print_json(&serde_json::json!({
            "seed": seed,
            "first": args.first,
            "histories": histories,
            "directory": directory.display().to_string(),
        })),
    }
}
