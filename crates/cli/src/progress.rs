//! Progress of long work: on standard error, where that is a terminal, and gone when the work is done.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Less work than so many ops is over before anybody has read what is said of it.
const MANY: u64 = 2000;
/// How often something moves.
const TICK: Duration = Duration::from_millis(120);

/// What is shown of work that goes on; nothing, where it is little or nobody looks.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Work on so many ops, of which is told how many are done.
    pub(crate) fn counted(doing: &'static str, ops: u64) -> Self {
        Self::shown(
            doing,
            ops,
            "{msg} [{bar:30}] {human_pos}/{human_len} ops, {eta} left",
        )
    }

    /// Work on so many ops that is done as one.
    pub(crate) fn whole(doing: &'static str, ops: u64) -> Self {
        Self::shown(doing, ops, "{spinner} {msg} {human_len} ops, {elapsed}")
    }

    fn shown(doing: &'static str, ops: u64, template: &str) -> Self {
        if ops < MANY || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(ops), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(doing);
        bar.enable_steady_tick(TICK);
        Self(Some(bar))
    }

    /// So many ops are done.
    pub(crate) fn reach(&self, ops: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(ops);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
