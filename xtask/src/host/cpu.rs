//! Processor time: what a run costs, whatever else the machine does.
//!
//! `cargo xtask` compiles this program and then becomes it: on Unix cargo does not start the program but puts it in its
//! own place, and what the children of a process have used stays with the process. So what compiling took is known when
//! this program begins.

use serde::Serialize;

/// What a run took, on all processors together, user and system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// What this process and its children had used before: cargo, and the compiler that it started for this program.
    before_ms: u64,
    /// What this program and all that it started have used since.
    run_ms: u64,
}

/// A beginning, where the system says what a process has used.
#[derive(Debug, Clone, Copy)]
pub struct Start(Option<u64>);

impl Start {
    /// Now.
    pub fn now() -> Self {
        Self(used_ms())
    }

    /// What has been used before, and since.
    pub fn spent(self) -> Option<Spent> {
        let before_ms = self.0?;
        let run_ms = used_ms()?.saturating_sub(before_ms);
        Some(Spent { before_ms, run_ms })
    }
}

impl Spent {
    /// The lines of the text form.
    pub fn text(self) -> String {
        let Self { before_ms, run_ms } = self;
        let seconds = |ms: u64| format!("{}.{} s", ms / 1000, ms % 1000 / 100);
        format!(
            "processor time {} for this run\n  {} before it, for cargo to compile `xtask`\n  {} in all\n",
            seconds(run_ms),
            seconds(before_ms),
            seconds(before_ms.saturating_add(run_ms))
        )
    }
}

/// What the lines say where nothing is known.
pub const UNKNOWN: &str =
    "processor time not known on this system; `time cargo xtask repro` measures all of it\n";

/// What this process and its children that have ended have used.
#[cfg(target_os = "linux")]
fn used_ms() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    parse(&text, rustix::param::clock_ticks_per_second())
}

/// What this process and its children that have ended have used.
#[cfg(not(target_os = "linux"))]
fn used_ms() -> Option<u64> {
    None
}

/// Reads the fields utime, stime, cutime and cstime of `/proc/self/stat` (proc(5)): the 14th to the 17th, of which the
/// second is a name in parentheses.
#[cfg(any(target_os = "linux", test))]
fn parse(text: &str, ticks_per_second: u64) -> Option<u64> {
    let (_, after_name) = text.rsplit_once(')')?;
    let fields: Vec<_> = after_name.split_whitespace().skip(11).take(4).collect();
    let [user, system, children_user, children_system] = fields[..] else {
        return None;
    };
    let ticks = [user, system, children_user, children_system];
    let ticks = ticks
        .map(str::parse::<u64>)
        .into_iter()
        .sum::<Result<u64, _>>();
    ticks.ok()?.checked_mul(1000)?.checked_div(ticks_per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_anything_and_children_count() {
        let stat = |name: &str| {
            format!("7 ({name}) R 1 7 7 0 -1 4194304 120 900 0 0 3 4 50 6 20 0 1 0 90 1000 100\n")
        };
        for name in ["xtask", "a b", ") 1 2 3 (", ""] {
            assert_eq!(parse(&stat(name), 100), Some(630), "{name}");
        }
        assert_eq!(parse("7 (xtask) R 1", 100), None);
        assert_eq!(parse(&stat("x"), 0), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_a_child_used_is_known_once_it_has_ended() {
        let start = Start::now();
        let mut child = std::process::Command::new("sh");
        child.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]);
        assert!(child.status().unwrap().success());
        let spent = start.spent().unwrap();
        assert!(spent.run_ms > 20, "{spent:?}");
    }

    #[test]
    fn the_lines_add_up() {
        let spent = Spent {
            before_ms: 160_950,
            run_ms: 240_049,
        };
        assert_eq!(
            spent.text(),
            "processor time 240.0 s for this run\n  160.9 s before it, for cargo to compile `xtask`\n  400.9 s in all\n"
        );
    }
}
