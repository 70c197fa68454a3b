//! The git repository of the workspace, asked through the `git` program.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ecac_artifact::{Commit, exit};
use xshell::{Cmd, Shell, cmd};

use crate::environment;
use crate::error::Failure;
use crate::process;
use crate::progress::Progress;

/// A git work tree whose top is the workspace.
pub(crate) struct Repository<'a> {
    root: &'a Path,
    shell: Shell,
    progress: &'a Progress,
}

impl<'a> Repository<'a> {
    /// The repository at `root`, if there is one there; a repository further up is somebody else's.
    pub(crate) fn at(root: &'a Path, progress: &'a Progress) -> Result<Option<Self>> {
        if !root.join(".git").exists() {
            return Ok(None);
        }
        let shell = Shell::new().context("find the working directory")?;
        shell.change_dir(root);
        Ok(Some(Self {
            root,
            shell,
            progress,
        }))
    }

    /// The hash of the commit that `revision` names.
    pub(crate) fn resolve(&self, revision: &str) -> Result<Commit> {
        let revision = format!("{revision}^{{commit}}");
        let command = cmd!(
            self.shell,
            "git rev-parse --verify --end-of-options {revision}"
        );
        let bytes = self.read(command)?;
        let id = String::from_utf8_lossy(&bytes).trim().to_owned();
        id.parse()
            .with_context(|| format!("read the commit id `{id}` that git printed"))
    }

    /// The time of a commit in seconds since 1970.
    pub(crate) fn commit_time(&self, commit: &Commit) -> Result<u64> {
        let commit = commit.hash();
        let bytes = self.read(cmd!(
            self.shell,
            "git log -1 --no-show-signature --format=%ct {commit}"
        ))?;
        let text = String::from_utf8_lossy(&bytes);
        text.trim()
            .parse()
            .with_context(|| format!("read the time of commit {commit}"))
    }

    /// What differs from the commit: status letters and path, one entry a file.
    pub(crate) fn dirty_files(&self) -> Result<Vec<String>> {
        let bytes = self.read(cmd!(
            self.shell,
            "git status --porcelain=v1 -z --untracked-files=all --no-renames --ignore-submodules=none"
        ))?;
        Ok(nul_separated(&bytes)
            .map(|entry| String::from_utf8_lossy(entry).into_owned())
            .collect())
    }

    /// Every file of the work tree that is tracked, or untracked and not ignored.
    pub(crate) fn work_tree_files(&self) -> Result<Vec<PathBuf>> {
        self.present_files(cmd!(
            self.shell,
            "git ls-files -z --cached --others --exclude-standard"
        ))
    }

    /// Every file of the work tree that is tracked.
    #[cfg(test)]
    pub(crate) fn tracked_files(&self) -> Result<Vec<PathBuf>> {
        self.present_files(cmd!(self.shell, "git ls-files -z --cached"))
    }

    /// The files that a command lists and that are in the work tree: a tracked file may have been deleted there.
    fn present_files(&self, list: Cmd<'_>) -> Result<Vec<PathBuf>> {
        let bytes = self.read(list)?;
        let mut files: Vec<_> = nul_separated(&bytes)
            .map(path_from_bytes)
            .collect::<Result<_>>()?;
        files.sort();
        files.dedup();
        files.retain(|file| self.root.join(file).symlink_metadata().is_ok());
        Ok(files)
    }

    /// Every file of a commit.
    pub(crate) fn files_of(&self, commit: &str) -> Result<Vec<PathBuf>> {
        let bytes = self.read(cmd!(
            self.shell,
            "git ls-tree -r -z --name-only --full-tree {commit}"
        ))?;
        let mut files: Vec<_> = nul_separated(&bytes)
            .map(path_from_bytes)
            .collect::<Result<_>>()?;
        files.sort();
        Ok(files)
    }

    /// Streams the tar archive of a commit to `reader`, without conversions of line endings or a local umask.
    pub(crate) fn archive<T: Send>(
        &self,
        commit: &str,
        reader: impl FnOnce(&mut dyn Read) -> Result<T> + Send,
    ) -> Result<T> {
        let settings = [
            "-c",
            "core.autocrlf=false",
            "-c",
            "core.eol=lf",
            "-c",
            "core.attributesFile=",
            "-c",
            "tar.umask=0022",
        ];
        let command = cmd!(
            self.shell,
            "git {settings...} archive --format=tar {commit}"
        );
        process::run_reading(self.progress, clean(command), reader)?.require(exit::ENVIRONMENT)
    }

    /// How many commits `to` has that `from` has not, if both are known.
    pub(crate) fn commits_between(&self, from: &str, to: &str) -> Option<u64> {
        let range = format!("{from}..{to}");
        let bytes = self
            .read(cmd!(
                self.shell,
                "git rev-list --count --end-of-options {range}"
            ))
            .ok()?;
        String::from_utf8_lossy(&bytes).trim().parse().ok()
    }

    fn read(&self, command: Cmd<'_>) -> Result<Vec<u8>> {
        process::run(self.progress, clean(command))?.require(exit::ENVIRONMENT)
    }
}

/// Ten dirty files at most, and how many more there are.
pub(crate) fn dirty_failure(files: &[String]) -> Failure {
    const SHOWN: usize = 10;
    let mut message = format!("the tree has {} uncommitted file(s):", files.len());
    for file in files.iter().take(SHOWN) {
        message.push_str("\n  ");
        message.push_str(file);
    }
    if files.len() > SHOWN {
        message.push_str(&format!("\n  … and {} more", files.len() - SHOWN));
    }
    Failure::environment(message).hint(
        "commit or stash them, or pass --allow-dirty to build the tree as it is (stamped `-dirty`, never golden)",
    )
}

fn clean(command: Cmd<'_>) -> Cmd<'_> {
    environment::git_redirections()
        .iter()
        .fold(command, |command, name| command.env_remove(name))
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
}

fn nul_separated(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| *byte == 0)
        .filter(|part| !part.is_empty())
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "fails on platforms whose paths are text"
)]
fn path_from_bytes(bytes: &[u8]) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(std::ffi::OsStr::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn path_from_bytes(bytes: &[u8]) -> Result<PathBuf> {
    Ok(std::str::from_utf8(bytes)
        .context("read a path that git names")?
        .into())
}
