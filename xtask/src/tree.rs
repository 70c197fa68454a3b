//! Clean trees: a copy of the committed files and of nothing else.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tar::EntryType;
use walkdir::WalkDir;

use crate::interrupt;
use crate::repository::Repository;
use crate::workspace::{OUT_DIR, SIGNED_DIR};

/// Exports exactly the files of a commit into the empty directory `dest`.
pub(crate) fn export_commit(repository: &Repository<'_>, commit: &str, dest: &Path) -> Result<()> {
    let mut unpacked = repository
        .archive(commit, |stream| unpack(stream, dest))
        .with_context(|| format!("export commit {commit}"))?;
    unpacked.sort();
    let committed = repository.files_of(commit)?;
    // Attributes outside the commit (`.git/info/attributes`) could leave files out.
    if let Some(file) = committed
        .iter()
        .find(|file| unpacked.binary_search(file).is_err())
    {
        bail!("git archive left out the committed file {}", file.display());
    }
    if let Some(file) = unpacked
        .iter()
        .find(|file| committed.binary_search(file).is_err())
    {
        bail!(
            "git archive added {}, which is not committed",
            file.display()
        );
    }
    Ok(())
}

/// Copies the listed files of `root` into the empty directory `dest`.
pub(crate) fn copy_files(root: &Path, files: &[PathBuf], dest: &Path) -> Result<()> {
    for file in files {
        interrupt::check()?;
        let from = root.join(file);
        let metadata = from
            .symlink_metadata()
            .with_context(|| format!("read {}", from.display()))?;
        if !metadata.is_file() {
            bail!(
                "{} is not a regular file and cannot be copied",
                file.display()
            );
        }
        let mut source =
            fs::File::open(&from).with_context(|| format!("read {}", from.display()))?;
        write_file(dest, file, &mut source, is_executable(&metadata))?;
    }
    Ok(())
}

/// Every file below `root` except what builds and runs put there.
pub(crate) fn archive_files(root: &Path) -> Result<Vec<PathBuf>> {
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

/// Unpacks regular files and directories; anything else has no place in a source tree.
fn unpack(stream: &mut dyn Read, dest: &Path) -> Result<Vec<PathBuf>> {
    let mut archive = tar::Archive::new(stream);
    let mut files = Vec::new();
    for entry in archive.entries().context("read the tar stream")? {
        interrupt::check()?;
        let mut entry = entry.context("read the tar stream")?;
        let path = entry.path().context("read the tar stream")?.into_owned();
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => {}
            EntryType::Directory => make_dirs(dest, &path)?,
            EntryType::Regular => {
                let executable = entry.header().mode().context("read the tar stream")? & 0o100 != 0;
                write_file(dest, &path, &mut entry, executable)?;
                files.push(path);
            }
            _ => bail!(
                "{} is neither a regular file nor a directory",
                path.display()
            ),
        }
    }
    Ok(files)
}

fn write_file(
    dest: &Path,
    relative: &Path,
    content: &mut dyn Read,
    executable: bool,
) -> Result<()> {
    if let Some(parent) = relative.parent() {
        make_dirs(dest, parent)?;
    }
    let path = dest.join(checked(relative)?);
    let mut write = || -> io::Result<()> {
        let mut file = fs::File::create_new(&path)?;
        io::copy(content, &mut file)?;
        set_mode(&path, if executable { 0o755 } else { 0o644 })
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

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &fs::Metadata) -> bool {
    false
}

/// Sets permission bits where the platform has them.
#[cfg(unix)]
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Sets permission bits where the platform has them.
#[cfg(not(unix))]
pub(crate) fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}
