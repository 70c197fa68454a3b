//! Failures: what was tried, why it did not work, what to do, and one exit code.

use std::fmt;
use std::io;
use std::panic::PanicHookInfo;

use ecac_artifact::exit;
use ecac_project::Cause;

use crate::color::Paint;
use crate::text;

/// Why a command did not do what it was asked for; displayed as the lines for standard error.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One of [`ecac_artifact::exit`].
    pub(crate) code: u8,
    doing: String,
    cause: String,
    /// What the cause is about, one on a line, such as the ops that a prefix may mean.
    details: Vec<String>,
    hint: String,
}

impl Failure {
    /// `doing` completes "failed to …", `cause` says why, and `hint` what to do about it.
    pub(crate) fn new(
        code: u8,
        doing: impl Into<String>,
        cause: impl fmt::Display,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            code,
            doing: doing.into(),
            cause: cause.to_string(),
            details: Vec::new(),
            hint: hint.into(),
        }
    }

    /// What a project directory or a home reports.
    pub(crate) fn of(doing: &str, error: &ecac_project::Error) -> Self {
        let code = match error.cause() {
            Cause::Missing => exit::NOT_FOUND,
            Cause::Environment => exit::ENVIRONMENT,
            Cause::BadInput => exit::BAD_INPUT,
            Cause::Damaged => exit::VERIFICATION,
            Cause::Refused => exit::REFUSED,
        };
        let mut cause = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            let told = inner.to_string();
            if !cause.contains(&told) {
                cause.push_str(": ");
                cause.push_str(&told);
            }
            source = inner.source();
        }
        if let Some(meaning) = error.refusal() {
            cause.push_str(": ");
            cause.push_str(meaning);
        }
        Self::new(code, doing, text::escape(&cause), error.hint())
    }

    /// The same with details below the cause.
    pub(crate) fn with_details(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    /// What cannot be read, such as `the op log "ops"`: it is missing, unreadable, or a directory.
    pub(crate) fn read(what: &str, error: &io::Error) -> Self {
        let doing = format!("read {what}");
        let (code, hint) = match error.kind() {
            io::ErrorKind::NotFound => (
                exit::ENVIRONMENT,
                "check the path; input files are never created",
            ),
            io::ErrorKind::PermissionDenied => (exit::ENVIRONMENT, "check who may read the file"),
            io::ErrorKind::IsADirectory => (exit::BAD_INPUT, "name a file inside of the directory"),
            _ => (
                exit::ENVIRONMENT,
                "check that the path names a readable file",
            ),
        };
        Self::new(code, doing, error, hint)
    }

    /// A file or standard output cannot be written.
    pub(crate) fn write(what: &str, error: &io::Error) -> Self {
        Self::new(
            exit::ENVIRONMENT,
            format!("write {what}"),
            error,
            "check free space and who may write there",
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names are quoted where they are put in; what others wrote into a cause cannot make a line of its own either.
        let line = |text: &str| text::escape(text);
        writeln!(
            f,
            "{} failed to {}: {}",
            Paint::Bad.err("error:"),
            line(&self.doing),
            line(&self.cause)
        )?;
        for detail in &self.details {
            writeln!(f, "  {}", line(detail))?;
        }
        writeln!(f, "hint: {}", line(&self.hint))
    }
}

/// The failure that a panic stands for.
pub(crate) fn defect(info: &PanicHookInfo<'_>) -> Failure {
    let place = info
        .location()
        .map_or_else(String::new, |place| format!(" ({place})"));
    let what = info.payload_as_str().unwrap_or("unknown");
    Failure::new(
        exit::INTERNAL,
        "go on",
        format!("defect in ecac: {what}{place}"),
        "please report the command line and this message",
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn two_lines_that_name_the_file_and_escape_it() {
        let error = io::Error::from(io::ErrorKind::NotFound);
        let what = format!("the op log {}", text::path(Path::new("a\nb")));
        let failure = Failure::read(&what, &error);
        let text = failure.to_string();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.starts_with("error: failed to read the op log \"a\\nb\": "));
        assert!(text.contains("\nhint: "));
        assert_eq!(failure.code, exit::ENVIRONMENT);
    }

    #[test]
    fn no_cause_makes_a_line_of_its_own() {
        let failure = Failure::new(exit::USAGE, "a\nb", "c\rd\u{202e}", "e\u{9b}")
            .with_details(vec!["f".to_owned(), "g\nh".to_owned()]);
        assert_eq!(
            failure.to_string(),
            "error: failed to a\\nb: c\\rd\\u{202e}\n  f\n  g\\nh\nhint: e\\u{9b}\n"
        );
    }
}
