//! Progress on standard error: a bar on a terminal, plain lines otherwise.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::host::interrupt;
use crate::host::output;

/// How long one stage took.
#[derive(Debug, Clone, Serialize)]
pub struct StageTime {
    /// The name of the stage.
    pub stage: &'static str,
    /// Whole milliseconds.
    pub duration_ms: u64,
}

/// The stages of a command, as they pass.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress of a command with `stages` stages.
    pub fn new(stages: u64) -> Self {
        let bar = std::io::IsTerminal::is_terminal(&std::io::stderr()).then(|| {
            let bar = ProgressBar::new(stages);
            if let Ok(style) = ProgressStyle::with_template(
                "{spinner} [{bar:20}] {pos}/{len} {prefix} {wide_msg} {elapsed}",
            ) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar }
    }

    /// Runs one stage and records how long it took.
    pub fn stage<T>(
        &self,
        times: &mut Vec<StageTime>,
        stage: &'static str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        interrupt::check()?;
        self.show(stage);
        let start = Instant::now();
        let value = work()?;
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        times.push(StageTime { stage, duration_ms });
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        Ok(value)
    }

    /// The command line of a child that is about to start.
    pub fn command(&self, command: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("$ {command}")),
            None => output::note(&format!("$ {command}\n")),
        }
    }

    /// One line that a child wrote to standard error.
    pub fn child_line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(line.trim_start().to_owned()),
            None => output::note(&format!("  {line}\n")),
        }
    }

    /// True where [`Self::child_line`] leaves each line on the screen.
    pub fn shows_every_line(&self) -> bool {
        self.bar.is_none()
    }

    fn show(&self, stage: &'static str) {
        match &self.bar {
            Some(bar) => {
                bar.set_prefix(stage);
                bar.set_message("");
            }
            None => output::note(&format!("== {stage}\n")),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A count that goes up to a known number: a bar on a terminal, a line for each tenth otherwise.
pub struct Counter {
    bar: Option<ProgressBar>,
    what: &'static str,
    done: AtomicU64,
    all: u64,
}

impl Counter {
    /// Nothing of `all` is done.
    pub fn new(what: &'static str, all: u64) -> Self {
        let bar = std::io::IsTerminal::is_terminal(&std::io::stderr()).then(|| {
            let bar = ProgressBar::new(all);
            if let Ok(style) = ProgressStyle::with_template(
                "[{bar:20}] {pos}/{len} {prefix} {per_sec} {elapsed}, {eta} left",
            ) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(what);
            bar
        });
        Self {
            bar,
            what,
            done: AtomicU64::new(0),
            all,
        }
    }

    /// One more is done.
    pub fn inc(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if done.is_multiple_of((self.all / 10).max(1)) => {
                output::note(&format!("{done} of {} {}\n", self.all, self.what));
            }
            None => {}
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
