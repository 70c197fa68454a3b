//! The program `ecac-node`, which brings the network stack that this one is free of: where it is, and how it is started.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ecac_artifact::exit;
use ecac_project::{Home, KeyName};

use crate::failure::Failure;
use crate::variable::variable;
use crate::{output, text};

/// Its name, without what the system appends.
const NAME: &str = "ecac-node";
/// How it is installed.
const INSTALL: &str = "install it beside ecac, in a clone of the repository: \
                       `cargo install --locked --path crates/net --features quic`";

/// The program, with the keys that it is to use.
#[derive(Debug)]
pub(crate) struct NodeProgram {
    path: PathBuf,
    doing: String,
}

impl NodeProgram {
    /// The program beside this one, or else the first on the `PATH`, which is told. Folders of the `PATH` that hang on the working
    /// directory are passed over: what lies there may be anybody's.
    pub(crate) fn find(doing: &str) -> Result<Self, Failure> {
        let file = format!("{NAME}{}", env::consts::EXE_SUFFIX);
        let of = |path: PathBuf| Self {
            path,
            doing: doing.to_owned(),
        };
        if let Some(path) = beside(&file) {
            return Ok(of(path));
        }
        let paths = variable("PATH").unwrap_or_default();
        let folders = env::split_paths(&paths).filter(|it| it.is_absolute());
        let found = folders.map(|it| it.join(&file)).find(|it| is_program(it));
        let Some(path) = found else {
            return Err(Failure::new(
                exit::ENVIRONMENT,
                doing,
                format!("the program {NAME} is neither beside ecac nor on the PATH"),
                INSTALL,
            ));
        };
        output::note(&format!(
            "note: {NAME} is not beside ecac; using {} of the PATH\n",
            text::path(&path)
        ));
        Ok(of(path))
    }

    /// The program with these words, which uses that key of the home.
    pub(crate) fn command(&self, word: &str, home: &Home, key: &KeyName) -> Command {
        let mut command = Command::new(&self.path);
        command.arg(word).arg("--home").arg(home.folder());
        command.arg("--key").arg(key.to_string());
        command
    }

    /// Becomes the program: what it prints, its exit code and the signals that it gets are its own.
    #[cfg(unix)]
    pub(crate) fn become_it(&self, mut command: Command) -> Result<(), Failure> {
        use std::os::unix::process::CommandExt as _;
        Err(self.failure(&command.exec()))
    }

    /// Runs the program to its end, and ends as it did.
    #[cfg(not(unix))]
    pub(crate) fn become_it(&self, mut command: Command) -> Result<(), Failure> {
        let status = command.status().map_err(|error| self.failure(&error))?;
        std::process::exit(status.code().unwrap_or(exit::INTERRUPTED.into()))
    }

    /// Starts the program with pipes to all that it says and hears.
    pub(crate) fn start(&self, mut command: Command) -> Result<Child, Failure> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &std::io::Error) -> Failure {
        let cause = format!("{} cannot be started: {error}", text::path(&self.path));
        Failure::new(exit::ENVIRONMENT, &self.doing, cause, INSTALL)
    }
}

/// The file beside this program, or beside what a link to this program leads to.
fn beside(file: &str) -> Option<PathBuf> {
    let this = env::current_exe().ok()?;
    let real = this.canonicalize().ok();
    let folders = [Some(this.as_path()), real.as_deref()]
        .into_iter()
        .flatten();
    let paths = folders.filter_map(|it| Some(it.parent()?.join(file)));
    paths.into_iter().find(|it| is_program(it))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|it| it.is_file())
}

/// What a node said of why it failed, in one line: its words come from the other end in part.
pub(crate) fn cause(said: &str) -> Option<String> {
    let line = said.lines().rfind(|it| !it.trim().is_empty())?;
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let line = line.strip_prefix("failed to ").unwrap_or(line);
    Some(text::escape(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_cause_and_cannot_make_another() {
        for (said, want) in [
            ("", None),
            ("\n \n", None),
            (
                "x\nerror: failed to reach it: gone\n",
                Some("reach it: gone"),
            ),
            ("a\u{1b}[2Jb", Some("a\\u{1b}[2Jb")),
        ] {
            assert_eq!(cause(said).as_deref(), want, "{said:?}");
        }
    }

    #[test]
    fn a_directory_and_a_file_that_nobody_may_run_are_no_programs() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_program(directory.path()));
        assert!(!is_program(&directory.path().join("absent")));
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(is_program(&file), cfg!(not(unix)));
    }
}
