//! Running the program.

use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::{TempDir, tempdir};

/// What the program did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// The program, with backtraces asked for, which it never shows.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecac"));
    command.env("RUST_BACKTRACE", "1");
    command
}

pub(crate) fn ran(output: Output) -> Ran {
    let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
    for word in ["panicked", "backtrace", "defect in ecac"] {
        assert!(!stderr.contains(word), "{stderr}");
    }
    Ran {
        code: output.status.code(),
        stdout: output.stdout,
        stderr,
    }
}

/// Runs the program in `directory`.
pub(crate) fn ecac_in<S: AsRef<OsStr>>(directory: &Path, args: impl IntoIterator<Item = S>) -> Ran {
    let output = command().args(args).current_dir(directory).output();
    ran(output.expect("the program starts"))
}

/// Runs the program in `directory` with these bytes on standard input.
pub(crate) fn ecac_fed<S: AsRef<OsStr>>(
    directory: &Path,
    args: impl IntoIterator<Item = S>,
    input: &[u8],
) -> Ran {
    let mut child = command()
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that reads no further, or nothing, closes the pipe.
    let fed = stdin.write_all(input);
    assert!(fed.is_ok() || fed.is_err_and(|error| error.kind() == ErrorKind::BrokenPipe));
    drop(stdin);
    ran(child.wait_with_output().expect("the program ends"))
}

impl Ran {
    /// The bytes on standard output of a run that succeeded without a word.
    #[track_caller]
    pub(crate) fn quietly(self) -> Vec<u8> {
        assert_eq!(self.stderr, "");
        self.ok()
    }

    /// The bytes on standard output of a run that succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Vec<u8> {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self.stdout
    }

    /// Asserts a failure: nothing on standard output; an error and a hint, with these words, on standard error.
    #[track_caller]
    pub(crate) fn fails(&self, code: u8, words: &[&str]) {
        let stderr = &self.stderr;
        assert_eq!(self.code, Some(i32::from(code)), "{stderr}");
        assert_eq!(self.stdout, b"", "{stderr}");
        let error = stderr
            .lines()
            .find(|line| line.starts_with("error: failed to "));
        assert!(error.is_some(), "{stderr}");
        assert!(
            stderr.lines().any(|line| line.starts_with("hint: ")),
            "{stderr}"
        );
        for word in words {
            assert!(stderr.contains(word), "no `{word}` in {stderr}");
        }
    }
}

/// The text of a run that succeeded.
pub(crate) fn text(stdout: Vec<u8>) -> String {
    String::from_utf8(stdout).expect("text is UTF-8")
}

/// A directory with one file.
pub(crate) fn directory_with(file: &str, bytes: &[u8]) -> TempDir {
    let directory = tempdir().expect("there is room for a directory");
    fs::write(directory.path().join(file), bytes).expect("the file is written");
    directory
}
