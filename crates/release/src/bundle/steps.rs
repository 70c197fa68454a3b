//! The steps of a verification, one after another until one fails.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use ecac_artifact::{escape, exit};
use serde::Serialize;

/// Most lines that a step tells.
const LINES_MAX: usize = 20;

/// Most characters of a line that a step tells.
const LINE_CHARS_MAX: usize = 500;

/// What is known after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// It holds.
    Ok,
    /// It does not.
    Failed,
    /// Nobody asked, or an earlier step failed.
    NotChecked,
}

/// One step and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    /// What was found, or why it fails.
    pub(super) detail: String,
    /// The exit code where this is the step that fails.
    #[serde(skip)]
    pub(super) code: u8,
}

/// The name of the step that is being taken, for whoever waits.
#[derive(Debug, Clone, Default)]
pub(super) struct Current(Arc<Mutex<&'static str>>);

impl Current {
    /// Its name; empty before the first.
    pub(super) fn name(&self) -> &'static str {
        self.0.lock().map_or("", |name| *name)
    }

    fn set(&self, name: &'static str) {
        if let Ok(mut current) = self.0.lock() {
            *current = name;
        }
    }
}

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Steps {
    taken: Vec<Step>,
    current: Current,
}

impl Steps {
    /// No step yet; `current` names the one that is being taken.
    pub(super) fn new(current: Current) -> Self {
        Self {
            taken: Vec::new(),
            current,
        }
    }

    /// Takes a step, which ends the program with `code` where it fails. Nothing where an earlier one has failed: what
    /// stands on a broken layer is not looked at.
    pub(super) fn take<T>(
        &mut self,
        name: &'static str,
        code: u8,
        check: impl FnOnce() -> Result<(T, String)>,
    ) -> Option<T> {
        if self.failed().is_some() {
            self.pass(name);
            return None;
        }
        self.current.set(name);
        let (value, verdict, detail) = match check() {
            Ok((value, detail)) => (Some(value), Verdict::Ok, detail),
            Err(error) => (None, Verdict::Failed, format!("{error:#}")),
        };
        self.taken.push(Step {
            name,
            verdict,
            detail: shown(&detail),
            code,
        });
        value
    }

    /// The same for a step that only holds or does not.
    pub(super) fn require(
        &mut self,
        name: &'static str,
        code: u8,
        check: impl FnOnce() -> Result<String>,
    ) {
        _ = self.take(name, code, || Ok(((), check()?)));
    }

    /// Notes a step that is not taken.
    pub(super) fn leave_out(&mut self, name: &'static str, why: impl Into<String>) {
        self.taken.push(Step {
            name,
            verdict: Verdict::NotChecked,
            detail: why.into(),
            code: exit::SUCCESS,
        });
    }

    /// Notes a step that is not taken because an earlier one failed.
    pub(super) fn pass(&mut self, name: &'static str) {
        let failed = self.failed().map_or("archive", |step| step.name);
        let why = format!("the {failed} step failed");
        self.leave_out(name, why);
    }

    /// The step that failed.
    pub(super) fn failed(&self) -> Option<&Step> {
        self.taken
            .iter()
            .find(|step| step.verdict == Verdict::Failed)
    }

    /// All of them.
    pub(super) fn into_vec(self) -> Vec<Step> {
        self.taken
    }
}

/// A detail for a terminal: few lines, none long, and nothing in them that a terminal would obey.
fn shown(detail: &str) -> String {
    let mut lines: Vec<_> = detail.lines().take(LINES_MAX).map(shorten).collect();
    if detail.lines().nth(LINES_MAX).is_some() {
        lines.push("…".to_owned());
    }
    lines.join("\n")
}

fn shorten(line: &str) -> String {
    let mut escaped = escape(line);
    if let Some((end, _)) = escaped.char_indices().nth(LINE_CHARS_MAX) {
        escaped.truncate(end);
        escaped.push('…');
    }
    escaped
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn the_first_step_that_fails_is_the_last_one_taken() {
        let current = Current::default();
        let mut steps = Steps::new(current.clone());
        steps.leave_out("signature", "nobody asked");
        steps.require("archive", exit::BAD_INPUT, || Ok("fine".to_owned()));
        assert_eq!(current.name(), "archive");
        assert!(steps.failed().is_none());
        steps.require("sums", exit::VERIFICATION, || bail!("wrong"));
        let value = steps.take("set", exit::VERIFICATION, || -> Result<((), String)> {
            panic!("a step after one that failed")
        });
        assert!(value.is_none());
        assert_eq!(current.name(), "sums");
        assert_eq!(
            steps.failed().map(|step| step.code),
            Some(exit::VERIFICATION)
        );
        let steps: Vec<_> = steps
            .into_vec()
            .into_iter()
            .map(|step| (step.name, step.verdict, step.detail))
            .collect();
        let step = |name, verdict, detail: &str| (name, verdict, detail.to_owned());
        assert_eq!(
            steps,
            [
                step("signature", Verdict::NotChecked, "nobody asked"),
                step("archive", Verdict::Ok, "fine"),
                step("sums", Verdict::Failed, "wrong"),
                step("set", Verdict::NotChecked, "the sums step failed"),
            ]
        );
    }

    #[test]
    fn details_are_short_and_obey_nobody() {
        assert_eq!(shown("one\ntwo"), "one\ntwo");
        assert_eq!(shown("a\u{1b}[2K\rverified"), "a\\u{1b}[2K\\rverified");
        let long = shown(&"x".repeat(10_000));
        assert_eq!(long.chars().count(), LINE_CHARS_MAX + 1);
        let many = shown(&"line\n".repeat(1_000));
        assert_eq!(many.lines().count(), LINES_MAX + 1);
    }
}
