//! `cargo xtask bench`: what ops cost, beside what they must cost at least.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use ecac_core::Kem;
use xtask::host::error::Failure;
use xtask::host::interrupt;
use xtask::host::output::{self, Format};
use xtask::host::progress::Progress;

use crate::answer::{Answer, Row};
use crate::case::{CASES, Case};
use crate::durable;
use crate::machine::Machine;
use crate::measure::{self, Measured, Plan};
use crate::svg;
use crate::workload::Shape;

/// Ops of the longest history, in full and with `--quick`.
const OPS_MAX: (usize, usize) = (1_000_000, 20_000);
/// Seconds of the processor for a case, likewise.
const BUDGET_S: (u64, u64) = (120, 4);
/// How often what is long is measured, likewise.
const ROUNDS: (usize, usize) = (3, 2);
/// The fewest ops of which the cost of one means something.
const OPS_MIN: u64 = 1_000;

/// Arguments of `bench`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Only these cases
    #[arg(long, value_name = "NAME", num_args = 1.., value_parser = PossibleValuesParser::new(CASES.map(|case| case.name)))]
    case: Vec<String>,
    /// Short histories, in less than two minutes on two cores; no bar that counts at a longer one is judged
    #[arg(long)]
    quick: bool,
    /// Ops of the longest history [default: 1000000, with --quick 20000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(OPS_MIN..=10_000_000))]
    scale: Option<u64>,
    /// Seconds of the processor after which a case is stopped, and reported as far as it came [default: 120, with --quick 4]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    budget: Option<u64>,
    /// The seed of the workloads
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Draw the curves into this directory too, an SVG for each family of cases
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    fn plan(&self) -> Plan {
        let choose = |(full, quick)| if self.quick { quick } else { full };
        let ops_max = self.scale.and_then(|it| usize::try_from(it).ok());
        let (full, quick) = BUDGET_S;
        let budget_s = self.budget.unwrap_or(if self.quick { quick } else { full });
        Plan {
            seed: self.seed,
            ops_max: ops_max.unwrap_or_else(|| choose(OPS_MAX)),
            budget_ns: budget_s * 1_000_000_000,
            rounds: choose(ROUNDS),
        }
    }

    fn wants(&self, case: &str) -> bool {
        self.case.is_empty() || self.case.iter().any(|it| it == case)
    }
}

/// Measures by a plan: what each case of the group came to, in their order.
type Measure = dyn Fn(&Plan) -> Result<Vec<Measured>>;

/// A measurement, and the cases that come of it.
struct Group {
    /// What the progress says of it.
    label: &'static str,
    cases: Vec<&'static str>,
    measure: Box<Measure>,
}

impl Group {
    fn one(case: &'static str, measure: fn(&Plan) -> Result<Measured>) -> Self {
        Self {
            label: case,
            cases: vec![case],
            measure: Box::new(move |plan| Ok(vec![measure(plan)?])),
        }
    }

    fn of_rekeying(cases: [&'static str; 2], kem: Kem) -> Self {
        Self {
            label: cases[0],
            cases: cases.into(),
            measure: Box::new(move |plan| {
                let it = measure::rekey(kem, plan)?;
                Ok(vec![it.sender, it.receiver])
            }),
        }
    }

    fn of_shape(shape: Shape) -> Self {
        let end = |case: &&Case| {
            case.name
                .split_once('-')
                .is_some_and(|it| it.1 == shape.name())
        };
        let of_family = |family: &str| {
            let mut cases = CASES.iter().filter(end);
            cases.find(|case| case.name.starts_with(family))
        };
        let cases = ["replay", "tip"].map(of_family);
        Self {
            label: shape.name(),
            cases: cases.into_iter().flatten().map(|case| case.name).collect(),
            measure: Box::new(move |plan| {
                let replayed = measure::replay(shape, plan)?;
                Ok(vec![replayed.replay, replayed.tip])
            }),
        }
    }
}

fn groups() -> Vec<Group> {
    let ingest = Group {
        label: "ingest",
        cases: vec!["ingest-64", "ingest-64-2"],
        measure: Box::new(|plan| {
            let ingested = measure::ingest(plan)?;
            Ok(vec![ingested.one, ingested.two])
        }),
    };
    let questions = Group {
        label: "questions",
        cases: vec!["query-can", "query-get", "explain", "export"],
        measure: Box::new(|plan| {
            let it = measure::questions(plan)?;
            Ok(vec![it.can, it.get, it.explain, it.export])
        }),
    };
    let mut groups = vec![ingest];
    groups.extend(Shape::ALL.map(Group::of_shape));
    groups.extend([
        Group::one("seals-chain", |plan| measure::seals(plan, 1)),
        Group::one("seals-race64", |plan| measure::seals(plan, 64)),
        Group::one("seals-race1000", |plan| measure::seals(plan, 1_000)),
        Group::one("late-solo", measure::late_solo),
        Group::one("late-race64", measure::late_race),
        Group::one("status-bit", measure::status_bit),
        Group::one("rollback-hot", measure::rollback_hot),
        Group::one("forks", measure::forks),
        Group::one("deep-62", measure::deep),
        questions,
        Group::one("memory-64", |plan| measure::memory(plan, 64, 1_000_000)),
        Group::one("memory-1000", |plan| measure::memory(plan, 1_000, 100_000)),
        Group::one("reopen", measure::reopen),
        Group {
            label: "start-sealed",
            cases: vec!["start-sealed", "start-sealed-2"],
            measure: Box::new(|plan| {
                let it = measure::start_sealed(plan)?;
                Ok(vec![it.one, it.two])
            }),
        },
        Group {
            label: "append",
            cases: vec!["append", "append-raw"],
            measure: Box::new(|plan| {
                let it = measure::append(plan)?;
                Ok(vec![it.beside_redb, it.beside_file])
            }),
        },
        Group::one("append-one", measure::append_one),
        Group {
            label: "store",
            cases: vec!["open", "disk", "memory-open"],
            measure: Box::new(|plan| {
                let it = measure::kept(plan)?;
                Ok(vec![it.open, it.disk, it.memory])
            }),
        },
        Group::of_rekeying(["rekey-512", "rekey-512-each"], Kem::X25519),
        Group::of_rekeying(["rekey-512-xwing", "rekey-512-xwing-each"], Kem::XWing),
        Group {
            label: "seal",
            cases: vec!["seal", "open-sealed"],
            measure: Box::new(|plan| {
                let it = measure::sealing(plan)?;
                Ok(vec![it.seal, it.open])
            }),
        },
        Group::one("replay-sealed", measure::replay_sealed),
        Group {
            label: "sync-known",
            cases: vec!["sync-known", "negentropy-known"],
            measure: Box::new(|plan| {
                let it = measure::sync_known(plan)?;
                Ok(vec![it.session, it.negentropy])
            }),
        },
        Group {
            label: "sync-forks",
            cases: vec!["sync-forks", "negentropy-forks"],
            measure: Box::new(|plan| {
                let it = measure::sync_forks(plan)?;
                Ok(vec![it.session, it.negentropy])
            }),
        },
        Group::one("sync-first", measure::sync_first),
        Group::one("sync-memory", measure::sync_memory),
        Group {
            label: "pruned",
            cases: vec!["pruned-disk", "pruned-memory"],
            measure: Box::new(|plan| {
                let it = measure::pruned(plan)?;
                Ok(vec![it.disk, it.memory])
            }),
        },
        Group {
            label: "rocksdb",
            cases: vec![
                "rocksdb-append",
                "rocksdb-append-one",
                "rocksdb-open",
                "rocksdb-disk",
            ],
            measure: Box::new(|plan| match durable::rocksdb() {
                Some(form) => Ok(measure::beside_redb(plan, form)?.into()),
                None => Ok(vec![Measured::default(); 4]),
            }),
        },
    ]);
    groups
}

/// Measures the cases.
pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(directory) = &args.svg {
        fs::create_dir_all(directory).map_err(|error| unwritable(directory, &error))?;
    }
    let plan = args.plan();
    let wanted: Vec<Group> = groups()
        .into_iter()
        .filter(|group| group.cases.iter().any(|case| args.wants(case)))
        .collect();
    let progress = Progress::new(wanted.len() as u64);
    let mut measured = BTreeMap::new();
    for group in &wanted {
        let results = progress.stage(&mut Vec::new(), group.label, || (group.measure)(&plan))?;
        interrupt::check()?;
        measured.extend(group.cases.iter().copied().zip(results));
    }
    drop(progress);
    let rows = CASES.iter().filter(|case| args.wants(case.name));
    let answer = Answer {
        cases: rows
            .filter_map(|case| Some(Row::new(case, measured.remove(case.name)?)))
            .collect(),
        machine: Machine::this(),
        seed: args.seed,
    };
    if let Some(directory) = &args.svg {
        draw(&answer, directory)?;
    }
    match args.format {
        Format::Text => output::print(&answer.text()),
        Format::Json => output::print_json(&answer),
    }
}

/// Writes the curves of each family that has any.
fn draw(answer: &Answer, directory: &Path) -> Result<()> {
    let families = [
        ("replay", "Cold replay, signatures apart"),
        ("tip", "One more op, signature apart"),
    ];
    for (family, title) in families {
        let curves: Vec<svg::Curve<'_>> = answer
            .cases
            .iter()
            .filter_map(|row| {
                Some((
                    row.name().strip_prefix(family)?.strip_prefix('-')?,
                    row.curve(),
                ))
            })
            .collect();
        let Some(picture) = svg::draw(title, &curves) else {
            continue;
        };
        let path = directory.join(format!("{family}.svg"));
        fs::write(&path, picture).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(format!("cannot write {}: {error}", path.display()))
        .hint("name a directory that can be written to")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_comes_of_one_measurement() {
        let mut of_groups: Vec<&str> = groups().iter().flat_map(|it| it.cases.clone()).collect();
        of_groups.sort_unstable();
        let mut all = CASES.map(|case| case.name).to_vec();
        all.sort_unstable();
        assert_eq!(of_groups, all);
    }
}
