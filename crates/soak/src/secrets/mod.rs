//! `cargo xtask soak --secrets`: who opens what in as many random histories as one likes, by trying.

mod openings;
mod sealed_history;

pub use openings::{Opened, check_secrets};
pub use sealed_history::Defect;

use std::num::NonZeroUsize;
use std::time::Instant;

use anyhow::Result;
use ecac_artifact::exit;
use ecac_oracle::soak::Secrets;
use serde::Serialize;

use xtask::host::error::Failure;
use xtask::host::output::{self, Format};

use crate::search::{Range, search, threads};

/// What was seen.
#[derive(Debug, Default, Serialize)]
struct Answer {
    seed: u64,
    first: u64,
    histories: u64,
    ops: u64,
    values: u64,
    opened: u64,
    kept_out: u64,
    stale: u64,
    duration_ms: u64,
    jobs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

impl Answer {
    fn add(&mut self, opened: &Opened) {
        self.histories += 1;
        self.ops += opened.ops;
        self.values += opened.values;
        self.opened += opened.opened;
        self.kept_out += opened.kept_out;
        self.stale += opened.stale;
    }

    fn merge(&mut self, other: &Self) {
        self.histories += other.histories;
        self.ops += other.ops;
        self.values += other.values;
        self.opened += other.opened;
        self.kept_out += other.kept_out;
        self.stale += other.stale;
    }
}

/// Tries the histories.
pub(crate) fn run(range: Range, jobs: Option<NonZeroUsize>, format: Format) -> Result<()> {
    let Range { seed, first, end } = range;
    let (start, threads) = (Instant::now(), threads(jobs));
    let searched = search("histories", (first, end), threads, || {
        let histories = Secrets::new(seed);
        move |number, seen: &mut Answer| match check_secrets(&histories.get(number), None) {
            Ok(opened) => {
                seen.add(&opened);
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
    let message = format!("interrupted before history {next}");
    Err(Failure::new(exit::INTERRUPTED, message)
        .hint(format!(
            "go on: cargo xtask soak --secrets {left} --seed {seed} --first {next}"
        ))
        .into())
}

/// The failure of a history, which is tried once more.
fn breach(seed: u64, number: u64) -> Failure {
    let tried = std::panic::catch_unwind(|| check_secrets(&Secrets::new(seed).get(number), None));
    let what = match tried {
        Ok(Err(what)) => what,
        Ok(Ok(_)) => "it does not fail again".to_owned(),
        Err(_) => "it panics".to_owned(),
    };
    let message = format!(
        "the secrets of history {number} of seed {seed} are not kept: {what}\nof {:?}",
        Secrets::new(seed).get(number)
    );
    Failure::new(exit::VERIFICATION, message).hint(format!(
        "repeat it: cargo xtask soak --secrets 1 --seed {seed} --first {number}"
    ))
}

fn text(answer: &Answer) -> String {
    let numbers = match answer.next {
        None => format!("to {}", answer.first + answer.histories - 1),
        Some(next) => format!("on, {next} is the first that is left"),
    };
    format!(
        "{} histories (seed {}, numbers {} {numbers}), {} ops: {} sealed values, which opened {} times and {} times did not for \
         somebody who holds another key; {} writes refused under a stale key; {} s in {} threads: everybody opens what they should, and \
         nothing else\n",
        answer.histories,
        answer.seed,
        answer.first,
        answer.ops,
        answer.values,
        answer.opened,
        answer.kept_out,
        answer.stale,
        answer.duration_ms / 1000,
        answer.jobs,
    )
}
