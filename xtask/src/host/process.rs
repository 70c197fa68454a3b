//! Child processes: one function runs them all.
//!
//! A child gets its own process group, and no standard input but a file that is meant for it. Its command line is
//! printed before it starts, and an error names it. When a signal asks this program to stop, the whole group is ended
//! and waited for, so that no compiler keeps writing into a directory that is being removed.
//!
//! The standard library starts the group and one call signals it. `process-wrap` would wait for every process of the
//! group, and so for a daemon that a build tool leaves behind.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use xshell::Cmd;

use crate::host::error::Failure;
use crate::host::interrupt;
use crate::host::progress::Progress;

/// How often a running child and the interrupt flag are looked at.
const POLL: Duration = Duration::from_millis(20);

/// How long an interrupted child may take to end by itself. It must suffice for another `xtask`, which lets somebody
/// else remove its tree, and leave time to end within a second.
const GRACE: Duration = Duration::from_millis(400);

/// What a child left behind.
#[derive(Debug)]
pub struct Finished<T> {
    command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What the reader of its standard output made of it.
    pub stdout: T,
    /// What it said on standard error.
    pub stderr: String,
    /// Whether the reader has seen that already.
    is_shown: bool,
}

impl<T> Finished<T> {
    /// The output, or an error with exit code `code` that names the command and says what it said, unless that
    /// stands above already.
    pub fn require(self, code: u8) -> Result<T> {
        self.require_or(code, None)
    }

    /// The same with a hint where there is one.
    pub fn require_or(self, code: u8, hint: Option<&str>) -> Result<T> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        let mut message = format!("command failed ({}): {}", self.status, self.command);
        if !self.is_shown {
            message.push('\n');
            message.push_str(self.stderr.trim_end());
        }
        let failure = Failure::new(code, message);
        Err(match hint {
            Some(hint) => failure.hint(hint).into(),
            None => failure.into(),
        })
    }
}

/// Runs a child to its end and returns its standard output as bytes.
pub fn run(progress: &Progress, command: Cmd<'_>) -> Result<Finished<Vec<u8>>> {
    run_child(progress, command, Said::Shown, Stdio::null(), |stdout| {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// The same without showing what the child says on standard error, for one that reports there.
pub fn run_quietly(progress: &Progress, command: Cmd<'_>) -> Result<Finished<Vec<u8>>> {
    run_child(progress, command, Said::Kept, Stdio::null(), |stdout| {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// Runs a child to its end, with `input` as its standard input, while `reader` consumes its standard output.
pub fn run_fed<T: Send>(
    progress: &Progress,
    command: Cmd<'_>,
    input: File,
    reader: impl FnOnce(&mut dyn Read) -> Result<T> + Send,
) -> Result<Finished<T>> {
    run_child(progress, command, Said::Shown, input.into(), reader)
}

/// What becomes of what a child says on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// It is shown as it comes, and kept.
    Shown,
    /// It is kept.
    Kept,
}

fn run_child<T: Send>(
    progress: &Progress,
    command: Cmd<'_>,
    said: Said,
    input: Stdio,
    reader: impl FnOnce(&mut dyn Read) -> Result<T> + Send,
) -> Result<Finished<T>> {
    interrupt::check()?;
    let name = command.to_string();
    progress.command(&name);
    let mut command = Command::from(command);
    command
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command
        .spawn()
        .map_err(|error| spawn_failure(&name, &error))?;
    let (Some(mut stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        unreachable!("both streams were requested as pipes");
    };

    thread::scope(|scope| {
        let stdout = scope.spawn(move || {
            let value = reader(&mut stdout);
            // A child whose output is no longer wanted may not block on a full pipe.
            let _ = io::copy(&mut stdout, &mut io::sink());
            value
        });
        let stderr = scope.spawn(|| follow((said == Said::Shown).then_some(progress), stderr));
        let status = wait(&mut child).with_context(|| format!("wait for {name}"));
        let stdout = stdout
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let stderr = stderr
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        interrupt::check()?;
        let status = status?;
        let finished = Finished {
            command: name,
            status,
            stdout: (),
            stderr,
            is_shown: said == Said::Shown && progress.shows_every_line(),
        };
        let stdout = match stdout {
            Ok(stdout) => stdout,
            Err(error) => {
                let context = format!("read the output of {}", finished.command);
                // The child's own failure explains why its output was cut short.
                finished.require(ecac_artifact::exit::ENVIRONMENT)?;
                return Err(error.context(context));
            }
        };
        let Finished {
            command,
            status,
            stderr,
            is_shown,
            ..
        } = finished;
        Ok(Finished {
            command,
            status,
            stdout,
            stderr,
            is_shown,
        })
    })
}

/// Keeps every line that a child writes to standard error, and shows it where there is `progress`.
fn follow(progress: Option<&Progress>, stderr: impl Read) -> String {
    let mut reader = BufReader::new(stderr);
    let (mut all, mut line) = (String::new(), Vec::new());
    while matches!(reader.read_until(b'\n', &mut line), Ok(count) if count > 0) {
        let text = String::from_utf8_lossy(&line);
        if let Some(progress) = progress {
            progress.child_line(text.trim_end());
        }
        all.push_str(&text);
        line.clear();
    }
    all
}

/// Waits for the child, or ends its process group when a signal asks for it.
fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    let mut stopping: Option<Instant> = None;
    loop {
        if let Some(status) = child.try_wait()? {
            if stopping.is_some() {
                // Grandchildren that outlive the leader would hold its pipes open.
                end_group(child, true);
            }
            return Ok(status);
        }
        match stopping {
            None if interrupt::requested() => {
                stopping = Some(Instant::now());
                end_group(child, false);
            }
            Some(since) if since.elapsed() > GRACE => end_group(child, true),
            _ => {}
        }
        thread::sleep(POLL);
    }
}

#[cfg(unix)]
fn end_group(child: &mut Child, force: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};

    let signal = if force { Signal::KILL } else { Signal::TERM };
    // The child leads its own group; a group that is already gone needs no signal.
    let _ = kill_process_group(Pid::from_child(child), signal);
}

#[cfg(not(unix))]
fn end_group(child: &mut Child, _force: bool) {
    let _ = child.kill();
}

fn spawn_failure(command: &str, error: &io::Error) -> Failure {
    let program = command.split(' ').next().unwrap_or(command);
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::environment(format!("the program `{program}` is not installed")).hint(
            format!("install {program} and make sure that it is on PATH"),
        );
    }
    Failure::environment(format!("cannot start `{command}`: {error}"))
}
