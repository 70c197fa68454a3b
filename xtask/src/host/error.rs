//! Failures: one sentence, one hint and one exit code.

use std::fmt;

use ecac_artifact::exit;

/// A failure whose exit code is part of the command's interface.
#[derive(Debug)]
pub struct Failure {
    /// One of [`ecac_artifact::exit`].
    pub code: u8,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure with its exit code and a lower-case sentence fragment.
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// The environment lacks something: a program, a toolchain, a writable directory, a commit.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(exit::ENVIRONMENT, message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The exit code that an error carries; input and output errors count as faults of the environment.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(failure) = failure(error) {
        return failure.code;
    }
    if error.chain().any(|cause| cause.is::<std::io::Error>()) {
        return exit::ENVIRONMENT;
    }
    exit::INTERNAL
}

/// The text for standard error: `error: …`, then `hint: …` on its own line where there is one.
pub fn render(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error:#}\n");
    if let Some(hint) = hint(error) {
        text.push_str("hint: ");
        text.push_str(hint);
        text.push('\n');
    }
    text
}

/// What to do about an error, where it says so.
pub fn hint(error: &anyhow::Error) -> Option<&str> {
    failure(error)?.hint.as_deref()
}

fn failure(error: &anyhow::Error) -> Option<&Failure> {
    error
        .downcast_ref()
        .or_else(|| error.chain().find_map(|cause| cause.downcast_ref()))
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn code_and_hint_survive_context() {
        let error = Err::<(), _>(Failure::environment("git is absent").hint("install git"))
            .context("read the commit")
            .unwrap_err();
        assert_eq!(exit_code(&error), exit::ENVIRONMENT);
        assert_eq!(
            render(&error),
            "error: read the commit: git is absent\nhint: install git\n"
        );
    }

    #[test]
    fn io_errors_are_faults_of_the_environment_and_the_rest_is_internal() {
        let full = Err::<(), _>(std::io::Error::from(std::io::ErrorKind::StorageFull))
            .context("write file")
            .unwrap_err();
        assert_eq!(exit_code(&full), exit::ENVIRONMENT);
        assert_eq!(exit_code(&anyhow::anyhow!("bug")), exit::INTERNAL);
    }
}
