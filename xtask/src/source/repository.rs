//! The git repository of the workspace, asked through the `git` program.
//!
//! What makes bytes is asked as of the objects alone: no configuration of the user or the machine, no replacement
//! objects, grafts, attributes, filters or hooks, and what comes back is hashed again. Which files are not committed is
//! asked with the user's own settings, which know what the user ignores; nothing is built of that answer.

use std::env;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ecac_artifact::{Commit, exit};
use xshell::{Cmd, Shell};

use crate::host::error::Failure;
use crate::host::process;
use crate::host::progress::Progress;
use crate::source::object::{self, CommitObject, Mode, ObjectId, TreeFiles};

/// What a git child inherits: where programs are, and on Windows what a program needs to start.
const INHERITED: [&str; 8] = [
    "PATH",
    "SystemRoot",
    "SystemDrive",
    "COMSPEC",
    "PATHEXT",
    "TMPDIR",
    "TEMP",
    "TMP",
];

/// What one inherits beyond that where the user's own settings count.
const SETTINGS: [&str; 7] = [
    "HOME",
    "USERPROFILE",
    "APPDATA",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
];

/// What every git child is told. No replacement object or graft stands for another object.
const TOLD: [(&str, &str); 4] = [
    ("LC_ALL", "C"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_GRAFT_FILE", NOWHERE),
];

/// What one is told beyond that where no settings count but those of the repository.
const TOLD_STRICTLY: [(&str, &str); 4] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", NOWHERE),
    ("GIT_CONFIG_GLOBAL", NOWHERE),
    ("GIT_ATTR_NOSYSTEM", "1"),
];

/// A file that is always empty; git knows it by this name on Windows too.
const NOWHERE: &str = "/dev/null";

/// Settings that win over those of all files. Who runs this program in a repository trusts it, whoever owns it; its
/// settings may still not run programs of their own or hide a change.
const OVERRIDDEN: [(&str, &str); 7] = [
    ("safe.directory", "*"),
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.hooksPath", NOWHERE),
    ("core.attributesFile", NOWHERE),
    ("core.commitGraph", "false"),
    ("advice.graftFileDeprecated", "false"),
];

/// Whose settings a git child knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settings {
    /// Those of the repository, as far as [`OVERRIDDEN`] lets them.
    Repository,
    /// Those of the user and the machine too.
    User,
}

/// A git work tree whose top is the workspace.
pub struct Repository<'a> {
    root: &'a Path,
    shell: Shell,
    progress: &'a Progress,
}

/// A file of a commit.
struct Entry {
    path: PathBuf,
    mode: Mode,
    id: ObjectId,
}

impl<'a> Repository<'a> {
    /// The repository at `root`, if there is one there; a repository further up is somebody else's.
    pub fn at(root: &'a Path, progress: &'a Progress) -> Result<Option<Self>> {
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
    pub fn resolve(&self, revision: &str) -> Result<Commit> {
        let revision = format!("{revision}^{{commit}}");
        let bytes = self.read(&["rev-parse", "--verify", "--end-of-options", &revision])?;
        let id = String::from_utf8_lossy(&bytes).trim().to_owned();
        id.parse().with_context(|| {
            format!(
                "read the commit id `{}` that git printed",
                id.escape_debug()
            )
        })
    }

    /// What a commit says of itself, after a check that it has this hash.
    pub fn commit(&self, commit: &Commit) -> Result<CommitObject> {
        let hash = commit.hash();
        let content = self.read(&["cat-file", "commit", hash])?;
        let id = ObjectId::of("commit", &content);
        if id.to_string() != hash {
            let message = format!("what git has as commit {hash} is the object {id}");
            return Err(Failure::environment(message).hint(CLONE_AGAIN).into());
        }
        CommitObject::parse(&content).with_context(|| format!("read commit {hash}"))
    }

    /// What differs from the commit: status letters and path, one entry a file.
    pub fn dirty_files(&self) -> Result<Vec<String>> {
        let args = [
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=all",
            "--no-renames",
            "--ignore-submodules=none",
        ];
        let bytes = self.ask(&args, Settings::User)?;
        Ok(nul_separated(&bytes).map(object::quoted).collect())
    }

    /// Every file of the work tree that is tracked, or untracked and not ignored.
    pub fn work_tree_files(&self) -> Result<Vec<PathBuf>> {
        self.present_files(&[
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
    }

    /// Every file of the work tree that is tracked.
    pub fn tracked_files(&self) -> Result<Vec<PathBuf>> {
        self.present_files(&["ls-files", "-z", "--cached"])
    }

    /// The files that a command lists and that are in the work tree: a tracked file may have been deleted there.
    fn present_files(&self, list: &[&str]) -> Result<Vec<PathBuf>> {
        let bytes = self.ask(list, Settings::User)?;
        let mut files: Vec<_> = nul_separated(&bytes)
            .map(path_from_bytes)
            .collect::<Result<_>>()?;
        files.sort();
        files.dedup();
        files.retain(|file| self.root.join(file).symlink_metadata().is_ok());
        Ok(files)
    }

    /// Hands every file of a tree to `write`: its path, its mode and its content. Returns what the tree lists.
    pub fn export(
        &self,
        tree: ObjectId,
        mut write: impl FnMut(&Path, Mode, &mut dyn Read) -> Result<()> + Send,
    ) -> Result<TreeFiles> {
        let list = self.read(&["ls-tree", "-r", "-z", "--full-tree", &tree.to_string()])?;
        let (mut entries, mut files) = (Vec::new(), TreeFiles::default());
        for line in nul_separated(&list) {
            let (path, entry) = read_entry(line)?;
            files.0.insert(path.to_vec(), (entry.mode, entry.id));
            entries.push(entry);
        }
        let mut ids = tempfile::tempfile().context("create a temporary file")?;
        for entry in &entries {
            writeln!(ids, "{}", entry.id).context("write a temporary file")?;
        }
        io::Seek::rewind(&mut ids).context("read a temporary file")?;
        let command = self.command(&["cat-file", "--batch", "--buffer"], Settings::Repository);
        let read = |stdout: &mut dyn Read| {
            let mut objects = BufReader::new(stdout);
            for entry in &entries {
                read_object(&mut objects, entry, &mut write)?;
            }
            Ok(())
        };
        process::run_fed(self.progress, command, ids, read)?
            .require_or(exit::ENVIRONMENT, Some(CLONE_AGAIN))?;
        Ok(files)
    }

    /// How many commits `to` has that `from` has not, if both are known.
    pub fn commits_between(&self, from: &str, to: &str) -> Option<u64> {
        let range = format!("{from}..{to}");
        let bytes = self
            .read(&["rev-list", "--count", "--end-of-options", &range])
            .ok()?;
        String::from_utf8_lossy(&bytes).trim().parse().ok()
    }

    fn read(&self, args: &[&str]) -> Result<Vec<u8>> {
        self.ask(args, Settings::Repository)
    }

    fn ask(&self, args: &[&str], settings: Settings) -> Result<Vec<u8>> {
        process::run(self.progress, self.command(args, settings))?.require(exit::ENVIRONMENT)
    }

    fn command(&self, args: &[&str], settings: Settings) -> Cmd<'_> {
        let (inherited, told): (&[&str], &[_]) = match settings {
            Settings::Repository => (&[], &TOLD_STRICTLY),
            Settings::User => (&SETTINGS, &[]),
        };
        let inherited = INHERITED.iter().chain(inherited);
        let inherited = inherited.filter_map(|name| Some((name, env::var_os(name)?)));
        let mut command = self
            .shell
            .cmd("git")
            .args(args)
            .env_clear()
            .envs(inherited)
            .envs(TOLD.iter().chain(told).copied())
            .env("GIT_CONFIG_COUNT", OVERRIDDEN.len().to_string());
        for (number, (key, value)) in OVERRIDDEN.iter().enumerate() {
            command = command
                .env(format!("GIT_CONFIG_KEY_{number}"), key)
                .env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        command
    }
}

/// Reads `MODE blob ID`, a tab and the path.
fn read_entry(line: &[u8]) -> Result<(&[u8], Entry)> {
    let read = || {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = (&line[..tab], &line[tab + 1..]);
        let mut words = head.split(|byte| *byte == b' ');
        let (mode, _, id) = (words.next()?, words.next()?, words.next()?);
        Some((mode, String::from_utf8_lossy(id), path))
    };
    let Some((mode, id, path)) = read() else {
        bail!("git lists a tree with the entry {}", object::quoted(line));
    };
    let Some(mode) = Mode::parse(mode) else {
        let message = format!(
            "{} is neither a regular file nor a directory: its mode is {}",
            object::quoted(path),
            object::quoted(mode)
        );
        return Err(Failure::environment(message)
            .hint("a clean tree has neither links nor submodules; commit a file")
            .into());
    };
    let entry = Entry {
        path: path_from_bytes(path)?,
        mode,
        id: id.parse()?,
    };
    Ok((path, entry))
}

/// Reads an object as `cat-file --batch` prints it: `ID blob SIZE`, the content, and the end of the line.
fn read_object(
    objects: &mut impl io::BufRead,
    entry: &Entry,
    write: &mut impl FnMut(&Path, Mode, &mut dyn Read) -> Result<()>,
) -> Result<()> {
    let mut header = Vec::new();
    objects
        .take(1 << 10)
        .read_until(b'\n', &mut header)
        .context("read an object")?;
    let header = String::from_utf8_lossy(&header);
    let size = header
        .trim_end()
        .strip_prefix(&format!("{} blob ", entry.id));
    let Some(size) = size.and_then(|size| size.parse().ok()) else {
        let message = format!(
            "git has no content of {}: it says `{}`",
            object::quoted(entry.path.as_os_str().as_encoded_bytes()),
            header.trim_end().escape_debug()
        );
        return Err(Failure::environment(message).hint(CLONE_AGAIN).into());
    };
    let mut content = objects.by_ref().take(size);
    write(&entry.path, entry.mode, &mut content)?;
    let mut end = [0];
    objects.read_exact(&mut end).context("read an object")?;
    match end {
        [b'\n'] => Ok(()),
        _ => bail!("git printed more of {} than it said", entry.id),
    }
}

/// What helps where the objects of a repository are not what they should be.
pub const CLONE_AGAIN: &str =
    "look at the repository with git fsck; a fresh clone has neither damage nor changes";

/// Ten dirty files at most, and how many more there are.
pub fn dirty_failure(files: &[String]) -> Failure {
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
