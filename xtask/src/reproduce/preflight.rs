//! Checks before anything is built: the toolchain, the directory for temporary files, the tree and the commit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use ecac_artifact::{Commit, exit};

use crate::host::error::Failure;
use crate::host::output;
use crate::host::progress::Progress;
use crate::host::toolchain::{Linker, Toolchain};
use crate::host::workspace;
use crate::reproduce::tmpdir;
use crate::source::object::ObjectId;
use crate::source::repository::{Repository, dirty_failure};
use crate::source::tree;

/// Which tree is built.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceArgs {
    /// Build the working tree as it is; its artifacts are stamped `-dirty` and can never become golden
    #[arg(long)]
    pub allow_dirty: bool,
    /// The commit of a source archive without .git that does not know its commit itself
    #[arg(long, value_name = "SHA", value_parser = parse_commit)]
    pub commit: Option<Commit>,
}

/// Where the files of the clean tree come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A commit of the repository.
    Commit,
    /// The work tree with its uncommitted changes.
    DirtyWorkTree,
    /// A source archive without a repository.
    Archive,
}

/// What the checks found.
#[derive(Debug, Clone)]
pub struct Source {
    /// The workspace.
    pub root: PathBuf,
    /// Where the files come from.
    pub origin: Origin,
    /// The commit of the files; of a dirty tree, the commit that it started from.
    pub commit: Commit,
    /// When the commit was made, in seconds since 1970.
    pub commit_time: u64,
    /// The tree of the commit, unless only the user's word says which commit it is.
    pub tree: Option<ObjectId>,
}

impl Source {
    /// The commit as artifacts state it.
    pub fn stamp(&self) -> Commit {
        match self.origin {
            Origin::DirtyWorkTree => self.commit.clone().into_dirty(),
            Origin::Commit | Origin::Archive => self.commit.clone(),
        }
    }

    /// The same workspace at another commit of its repository.
    pub fn at_commit(&self, commit: &Commit, progress: &Progress) -> Result<Self> {
        let Some(repository) = Repository::at(&self.root, progress)? else {
            return Err(Failure::environment(format!(
                "commit {commit} is needed, but this is a source archive without .git"
            ))
            .hint("clone the repository, or leave --cited out")
            .into());
        };
        let commit = repository.resolve(commit.hash()).map_err(|_| {
            Failure::environment(format!("the repository has no commit {commit}"))
                .hint("fetch the whole history: git fetch --unshallow")
        })?;
        let object = repository.commit(&commit)?;
        Ok(Self {
            commit_time: object.time,
            tree: Some(object.tree),
            origin: Origin::Commit,
            root: self.root.clone(),
            commit,
        })
    }

    /// Writes the clean tree into the empty directory `dest`, and checks that it is the tree of the commit.
    pub fn export(&self, dest: &Path, progress: &Progress) -> Result<()> {
        let Self { root, commit, .. } = self;
        let repository = Repository::at(root, progress)?;
        match (&self.origin, &repository, self.tree) {
            (Origin::Commit, Some(repository), Some(tree)) => tree::export(repository, tree, dest),
            (Origin::DirtyWorkTree, Some(repository), _) => {
                tree::copy_files(root, &repository.work_tree_files()?, dest)
            }
            (Origin::Archive, None, Some(tree)) => {
                tree::copy_archive(root, commit, self.commit_time, tree, dest)
            }
            (Origin::Archive, None, None) => {
                output::note(&format!(
                    "note: nothing but --commit says that these are the files of {commit}\n"
                ));
                tree::copy_files(root, &tree::archive_files(root)?, dest)
            }
            _ => {
                let message = format!(
                    "the repository at {} came or went meanwhile",
                    root.display()
                );
                Err(Failure::environment(message).hint("run it again").into())
            }
        }
    }
}

/// Checks the toolchain, the directory for temporary files and the tree of the workspace.
pub fn check(args: &SourceArgs, progress: &Progress) -> Result<Source> {
    let root = workspace::root()?;
    Toolchain::find(&root, None, progress)?;
    Linker::find(progress)?;
    tmpdir::check()?;
    source(root, args, progress)
}

/// The same, and that there is the room that a build takes.
pub fn check_build(args: &SourceArgs, progress: &Progress) -> Result<Source> {
    let source = check(args, progress)?;
    tmpdir::room()?;
    Ok(source)
}

/// Finds the commit, and refuses uncommitted files unless they are asked for.
pub fn source(root: PathBuf, args: &SourceArgs, progress: &Progress) -> Result<Source> {
    let Some(repository) = Repository::at(&root, progress)? else {
        return archive_source(root, args);
    };
    if args.commit.is_some() {
        return Err(Failure::new(
            exit::USAGE,
            "--commit is for source archives; in a repository git names the commit",
        )
        .hint("check that commit out, or use `verify-golden --cited`")
        .into());
    }
    let commit = repository
        .resolve("HEAD")
        .context("find the commit that HEAD names")?;
    let dirty = repository.dirty_files()?;
    let origin = match (dirty.is_empty(), args.allow_dirty) {
        (true, _) => Origin::Commit,
        (false, true) => Origin::DirtyWorkTree,
        (false, false) => return Err(dirty_failure(&dirty).into()),
    };
    let object = repository.commit(&commit)?;
    drop(repository);
    Ok(Source {
        root,
        origin,
        commit,
        commit_time: object.time,
        tree: Some(object.tree),
    })
}

/// What a source archive says that it was made of.
struct Recorded {
    commit: Commit,
    commit_time: u64,
    tree: ObjectId,
}

/// Reads what `git archive` makes of the placeholders; nothing where they are as they are committed.
fn recorded(root: &Path) -> Result<Option<Recorded>> {
    let path = root.join(tree::ORIGIN_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    if text == tree::ORIGIN_TEMPLATE {
        return Ok(None);
    }
    let read = || {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let recorded = Recorded {
            commit: parse_commit(lines.next()?).ok()?,
            commit_time: lines.next()?.parse().ok()?,
            tree: lines.next()?.parse().ok()?,
        };
        lines.next().is_none().then_some(recorded)
    };
    match read() {
        Some(recorded) => Ok(Some(recorded)),
        None => {
            let message = format!(
                "{} does not say the commit, its time and its tree, as `git archive` writes them",
                path.display()
            );
            Err(Failure::environment(message)
                .hint("unpack the archive again, into an empty directory, or clone the repository")
                .into())
        }
    }
}

/// The commit of a source archive: from the file that `git archive` fills in, or as the user says.
fn archive_source(root: PathBuf, args: &SourceArgs) -> Result<Source> {
    let (commit, commit_time, tree) = match (&args.commit, recorded(&root)?) {
        (Some(given), Some(Recorded { commit, .. })) if *given != commit => {
            let message = format!("--commit says {given}, but this archive was made of {commit}");
            return Err(Failure::new(exit::USAGE, message).into());
        }
        (_, Some(recorded)) => (recorded.commit, recorded.commit_time, Some(recorded.tree)),
        (Some(given), None) => (given.clone(), 0, None),
        (None, None) => {
            return Err(Failure::environment(format!(
                "{} is not a git repository and does not know its commit",
                root.display()
            ))
            .hint("clone the repository, use `git archive`, or pass --commit SHA")
            .into());
        }
    };
    Ok(Source {
        root,
        origin: Origin::Archive,
        commit,
        commit_time,
        tree,
    })
}

/// A full git commit id in lower case.
pub fn parse_commit(text: &str) -> Result<Commit, String> {
    match text.parse::<Commit>() {
        Ok(commit) if !commit.is_dirty() => Ok(commit),
        _ => Err("a commit is 40 lower-case hexadecimal digits".to_owned()),
    }
}
