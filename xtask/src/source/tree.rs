//! Clean trees: a copy of the committed files and of nothing else, and the proof that it is one.
//!
//! A commit names its tree by a hash over every path, mode and byte. Whatever a tree was copied from, what lies on the
//! disk afterwards is hashed again, and has to be that tree.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use ecac_artifact::Commit;
use walkdir::WalkDir;

use crate::host::error::Failure;
use crate::host::interrupt;
use crate::host::workspace::{OUT_DIR, SIGNED_DIR};
use crate::source::object::{self, Mode, ObjectId, TreeFiles};
use crate::source::repository::{CLONE_AGAIN, Repository};

/// The one file that `git archive` changes, so that a source archive knows what it was made of.
pub const ORIGIN_FILE: &str = "xtask/commit.txt";

/// What that file holds in every commit: the placeholders of a commit, its time and its tree.
pub const ORIGIN_TEMPLATE: &str = "$Format:%H$\n$Format:%ct$\n$Format:%T$\n";

/// How many files an error names.
const SHOWN: usize = 10;

/// Exports exactly the files of a tree into the empty directory `dest`.
pub fn export(repository: &Repository<'_>, tree: ObjectId, dest: &Path) -> Result<()> {
    let listed = repository
        .export(tree, |path, mode, content| {
            interrupt::check()?;
            write_file(dest, path, content, mode)
        })
        .with_context(|| format!("export the tree {tree}"))?;
    let found = on_disk(dest, &listed)?;
    if found.id() == tree {
        return Ok(());
    }
    let mut message = format!(
        "what git exports is not the tree {tree} that was committed, but {}",
        found.id()
    );
    let differing = found.differing(&listed);
    if !differing.is_empty() {
        message.push_str("; what was written is not what was listed:");
        message.push_str(&list(&differing));
    }
    Err(Failure::environment(message).hint(CLONE_AGAIN).into())
}

/// What a copy holds. Where the platform keeps no mode of a file, it is what `listed` says.
fn on_disk(dest: &Path, listed: &TreeFiles) -> Result<TreeFiles> {
    let mut found = TreeFiles::on_disk(dest)?;
    if !cfg!(unix) {
        for (path, (mode, _)) in &mut found.0 {
            *mode = listed.0.get(path).map_or(*mode, |(listed, _)| *listed);
        }
    }
    Ok(found)
}

/// Copies the files of a source archive of `commit` into the empty directory `dest`, and requires that they are its
/// `tree`. The file that git changed for the archive gets back what it holds in the commit.
pub fn copy_archive(
    root: &Path,
    commit: &Commit,
    commit_time: u64,
    tree: ObjectId,
    dest: &Path,
) -> Result<()> {
    let files = archive_files(root)?;
    copy_files(root, &files, dest)?;
    let origin = dest.join(ORIGIN_FILE);
    fs::write(&origin, ORIGIN_TEMPLATE).with_context(|| format!("write {}", origin.display()))?;
    let found = TreeFiles::on_disk(dest)?.id();
    if found == tree {
        return Ok(());
    }
    // An archive gives every file the time of the commit, so what is younger was written since.
    let unpacked_at = SystemTime::UNIX_EPOCH + Duration::from_secs(commit_time);
    let is_younger = |file: &&PathBuf| {
        let metadata = root.join(file).symlink_metadata();
        let time = metadata.and_then(|metadata| metadata.modified());
        time.is_ok_and(|time| time > unpacked_at)
    };
    let younger: Vec<_> = files
        .iter()
        .filter(is_younger)
        .map(|file| object::quoted(file.as_os_str().as_encoded_bytes()))
        .collect();
    let mut message = format!(
        "these are not the files of commit {commit}: its tree is {tree}, and theirs is {found}; "
    );
    if younger.is_empty() {
        message.push_str("no file is younger than the commit, so one is missing or was replaced");
    } else if younger.len() == files.len() {
        message
            .push_str("every file is younger than the commit, so which were changed is not known");
    } else {
        message.push_str("changed or added since it was unpacked:");
        message.push_str(&list(&younger));
    }
    Err(Failure::environment(message)
        .hint("unpack the archive again, into an empty directory, or clone the repository")
        .into())
}

/// The first files, one on a line, and how many more there are.
fn list(files: &[String]) -> String {
    let mut text: String = files
        .iter()
        .take(SHOWN)
        .map(|file| format!("\n  {file}"))
        .collect();
    if files.len() > SHOWN {
        text.push_str(&format!("\n  … and {} more", files.len() - SHOWN));
    }
    text
}

/// Copies the listed files of `root` into the empty directory `dest`.
pub fn copy_files(root: &Path, files: &[PathBuf], dest: &Path) -> Result<()> {
    for file in files {
        interrupt::check()?;
        let from = root.join(file);
        let metadata = from
            .symlink_metadata()
            .with_context(|| format!("read {}", from.display()))?;
        if !metadata.is_file() {
            let name = object::quoted(file.as_os_str().as_encoded_bytes());
            let message = format!("{name} is not a regular file and cannot be copied");
            return Err(Failure::environment(message)
                .hint("remove it, or put a regular file in its place")
                .into());
        }
        let mut source =
            fs::File::open(&from).with_context(|| format!("read {}", from.display()))?;
        write_file(dest, file, &mut source, object::mode(&metadata))?;
    }
    Ok(())
}

/// Every file below `root` except what builds and runs put there.
pub fn archive_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let walk = WalkDir::new(root).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| {
        entry
            .path()
            .strip_prefix(root)
            .is_ok_and(|relative| !is_generated(relative))
    }) {
        let entry = entry.with_context(|| format!("list {}", root.display()))?;
        if !entry.file_type().is_dir() {
            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
            files.push(relative.to_owned());
        }
    }
    Ok(files)
}

fn is_generated(relative: &Path) -> bool {
    relative == Path::new("target")
        || relative == Path::new(".git")
        || relative == Path::new(OUT_DIR)
        || relative == Path::new(SIGNED_DIR)
        || relative == Path::new("crates/fuzz/artifacts")
        || relative.ends_with("__pycache__")
        || (relative.parent() == Path::new(OUT_DIR).parent()
            && relative
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b".out-")))
}

fn write_file(dest: &Path, relative: &Path, content: &mut dyn Read, mode: Mode) -> Result<()> {
    if let Some(parent) = relative.parent() {
        make_dirs(dest, parent)?;
    }
    let path = dest.join(checked(relative)?);
    let mut write = || -> io::Result<()> {
        let mut file = fs::File::create_new(&path)?;
        io::copy(content, &mut file)?;
        set_mode(
            &path,
            match mode {
                Mode::Regular => 0o644,
                Mode::Executable => 0o755,
            },
        )
    };
    write().with_context(|| format!("write {}", path.display()))
}

/// Creates the directories of `relative` below `dest`, with one mode whatever the umask is.
fn make_dirs(dest: &Path, relative: &Path) -> Result<()> {
    let mut dir = dest.to_owned();
    for part in checked(relative)?.components() {
        dir.push(part);
        match fs::create_dir(&dir) {
            Ok(()) => set_mode(&dir, 0o755),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
        .with_context(|| format!("create {}", dir.display()))?;
    }
    Ok(())
}

/// A path that stays below the directory that it is joined to.
fn checked(path: &Path) -> Result<&Path> {
    if path
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Ok(path);
    }
    bail!("the path {} leaves the tree", path.display())
}

/// Sets permission bits where the platform has them.
#[cfg(unix)]
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Sets permission bits where the platform has them.
#[cfg(not(unix))]
pub fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}
