//! Writing to standard output and standard error.

use std::io::{self, Write as _};
use std::mem;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use ecac_artifact::exit;
use serde::Serialize;

use crate::host::error::{self, Failure};

/// How a command prints its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// A table for people.
    #[default]
    Text,
    /// One JSON document for machines.
    Json,
}

/// Writes the result to standard output. A reader that has gone away, as in `… | head`, is not an error.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    settle(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

/// Prints the help, the version, or what is wrong with the command line, with what was probably meant; the exit code.
pub fn print_clap(error: &clap::Error, hint: Option<&str>) -> u8 {
    let printed = settle(error.print().and_then(|()| io::stdout().flush()));
    if error.use_stderr() {
        note(hint.unwrap_or_default());
        return exit::USAGE;
    }
    match printed {
        Ok(()) => exit::SUCCESS,
        Err(error) => {
            note(&error::render(&error));
            error::exit_code(&error)
        }
    }
}

fn settle(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::environment(
            format!("write to standard output: {error}"),
        )
        .hint("make room where it goes, or send it elsewhere")
        .into()),
        _ => Ok(()),
    }
}

/// Writes one indented JSON document to standard output.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).context("encode the report")?;
    text.push('\n');
    print(&text)
}

/// What [`note_at_the_end`] was told.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Writes to standard error when the command has ended, below whatever shows its progress.
pub fn note_at_the_end(text: &str) {
    LAST.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push_str(text);
}

/// Writes what was to be written when the command has ended.
pub fn end() {
    let last = mem::take(&mut *LAST.lock().unwrap_or_else(PoisonError::into_inner));
    note(&last);
}

/// Writes to standard error; where that is closed there is nobody left to tell.
pub fn note(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
