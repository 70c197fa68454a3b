//! Replacing a directory of artifacts in one step.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ecac_artifact::{Artifact, Commit, Part, Single, exit};
use tempfile::TempDir;

use crate::host::claim::{self, Claim};
use crate::host::error::Failure;
use crate::host::interrupt;
use crate::host::output;
use crate::host::workspace;
use crate::reproduce::engine;
use crate::source::tree::set_mode;

/// The end of the name of what was moved aside to make room for the new.
const ASIDE: &str = "-old";

const ROOM_OR_ACCESS: &str = "make room or give access, or choose another with --out";

/// A directory that may be replaced.
#[derive(Debug)]
pub struct Target {
    path: PathBuf,
    parent: PathBuf,
}

impl Target {
    /// Checks, before anything is built, that the directory can be replaced and holds nothing but artifacts.
    pub fn check(path: &Path) -> Result<Self> {
        let path = workspace::absolute(path)?;
        let (Some(parent), Some(_)) = (path.parent(), path.file_name()) else {
            let message = format!("{} does not name a directory to create", path.display());
            return Err(Failure::new(exit::USAGE, message)
                .hint("name a directory of its own")
                .into());
        };
        let target = Self {
            parent: parent.to_owned(),
            path: path.clone(),
        };
        target.recover()?;
        target.check_contents()?;
        // Creating and removing a directory beside the target shows that the real one can be made there.
        drop(target.beside()?);
        Ok(target)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `files` beside the target and then exchanges the two in one step.
    pub fn replace(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
        self.check_contents()?;
        let prepared = self.beside()?;
        let _claim = Claim::on(prepared.path());
        for (name, bytes) in files {
            interrupt::check()?;
            let path = prepared.path().join(name);
            write_durably(&path, bytes).map_err(|error| self.write_failure(&path, &error))?;
        }
        let _turn = Claim::turn(&self.parent)?;
        interrupt::check()?;
        let publish = || -> io::Result<()> {
            set_mode(prepared.path(), 0o755)?;
            sync_dir(prepared.path())?;
            swap(prepared.path(), &self.path)
        };
        publish().map_err(|error| self.write_failure(&self.path, &error))?;
        sync_dir(&self.parent).with_context(|| format!("sync {}", self.parent.display()))
    }

    fn write_failure(&self, path: &Path, error: &io::Error) -> anyhow::Error {
        let message = format!(
            "cannot write {}: {}; {} is as it was",
            path.display(),
            io::Error::from(error.kind()),
            self.path.display()
        );
        Failure::environment(message).hint(ROOM_OR_ACCESS).into()
    }

    /// Tidies up after a run that was killed while it published: puts the target back where such a run had moved it
    /// aside, and names what else it left.
    fn recover(&self) -> Result<()> {
        // `beside` tells the user of a parent that cannot be read.
        let Ok(mut left) = claim::abandoned(&self.parent, &self.prefix()) else {
            return Ok(());
        };
        if left.is_empty() {
            return Ok(());
        }
        // Nobody moves anything aside now, so what stands there was left before.
        let _turn = Claim::turn(&self.parent)?;
        left.retain(|path| path.exists());
        if !self.path.exists()
            && let Some(at) = left.iter().position(|path| is_aside(path))
        {
            let aside = left.remove(at);
            fs::rename(&aside, &self.path)
                .with_context(|| format!("move {} back", aside.display()))?;
            let path = self.path.display();
            output::note(&format!(
                "note: put {path} back, which a killed run had moved aside\n"
            ));
        }
        for path in left {
            let path = path.display();
            output::note(&format!(
                "note: a run that was killed left {path}; it can be removed\n"
            ));
        }
        Ok(())
    }

    /// How the names of directories beside the target begin.
    fn prefix(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        format!(".{}-", name.to_string_lossy())
    }

    /// A fresh directory on the same file system, which removes itself.
    fn beside(&self) -> Result<TempDir> {
        tempfile::Builder::new()
            .prefix(&self.prefix())
            .tempdir_in(&self.parent)
            .map_err(|error| {
                let problem = match error.kind() {
                    io::ErrorKind::NotFound => "it does not exist".to_owned(),
                    kind => io::Error::from(kind).to_string(),
                };
                let message = format!("cannot write in {}: {problem}", self.parent.display());
                Failure::environment(message)
                    .hint(format!("create the directory, {ROOM_OR_ACCESS}"))
                    .into()
            })
    }

    /// Refuses to replace anything but a directory of artifacts.
    fn check_contents(&self) -> Result<()> {
        let refuse = |problem: String| -> Result<()> {
            let message = format!("{} {problem}, so it is not replaced", self.path.display());
            Err(Failure::environment(message)
                .hint("choose another directory with --out, or move this one away")
                .into())
        };
        let metadata = match self.path.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            metadata => metadata.with_context(|| format!("read {}", self.path.display()))?,
        };
        if metadata.is_symlink() {
            return refuse("is a symbolic link".to_owned());
        }
        if !metadata.is_dir() {
            return refuse("is not a directory".to_owned());
        }
        let mut names = Vec::new();
        let list = || format!("list {}", self.path.display());
        for entry in fs::read_dir(&self.path).with_context(list)? {
            let entry = entry.with_context(list)?;
            let name = entry.file_name();
            let is_ours = entry.file_type().with_context(list)?.is_file()
                && name.to_str().is_some_and(is_artifact_name);
            if !is_ours {
                return refuse(format!(
                    "holds {}, which is no artifact",
                    Path::new(&name).display()
                ));
            }
            names.push(name);
        }
        if !names.is_empty() && !names.iter().any(|name| name == Artifact::SUMS_NAME) {
            return refuse(format!("has no {}", Artifact::SUMS_NAME));
        }
        Ok(())
    }
}

/// True for a name that an artifact set of any seed and commit can have.
fn is_artifact_name(name: &str) -> bool {
    let is_run = |name: &str| {
        engine::scenario_names().any(|scenario| {
            name.strip_prefix(scenario)
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|rest| {
                    Part::ALL.iter().any(|part| {
                        rest.strip_suffix(part.suffix())
                            .is_some_and(|seed| seed.parse::<u64>().is_ok())
                    })
                })
        })
    };
    let is_tarball = |name: &str| {
        name.strip_prefix("ecac-artifacts-")
            .and_then(|rest| rest.strip_suffix(".tar.gz"))
            .is_some_and(|commit| commit.parse::<Commit>().is_ok())
    };
    name == Artifact::SUMS_NAME
        || Single::ALL.iter().any(|summary| summary.name() == name)
        || is_run(name)
        || is_tarball(name)
}

/// True for the name that [`swap_in_two_steps`] gives to what it moves aside.
fn is_aside(path: &Path) -> bool {
    path.as_os_str()
        .as_encoded_bytes()
        .ends_with(ASIDE.as_bytes())
}

/// Replaces one file in one step.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        file.write_all(bytes)?;
        set_mode(file.path(), 0o644)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync_dir(parent)
    };
    write().with_context(|| format!("write {}", path.display()))
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(bytes)?;
    set_mode(path, 0o644)?;
    file.sync_all()
}

/// Puts `prepared` in the place of `target`. What was there before stands at `prepared` afterwards, where it is
/// removed with the temporary directory.
fn swap(prepared: &Path, target: &Path) -> io::Result<()> {
    if !target.exists() {
        return fs::rename(prepared, target);
    }
    match exchange(prepared, target) {
        Err(error) if is_unsupported(&error) => swap_in_two_steps(prepared, target),
        result => result,
    }
}

/// For file systems that cannot exchange: the target is absent for a moment, and put back if the second step fails.
fn swap_in_two_steps(prepared: &Path, target: &Path) -> io::Result<()> {
    let mut aside = prepared.as_os_str().to_owned();
    aside.push(ASIDE);
    fs::rename(target, &aside)?;
    if let Err(error) = fs::rename(prepared, target) {
        fs::rename(&aside, target)?;
        return Err(error);
    }
    fs::rename(&aside, prepared)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).map_err(Into::into)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_a: &Path, _b: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The answers of kernels and file systems that cannot exchange two names.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput
    )
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::error::exit_code;

    fn files(content: &str) -> BTreeMap<String, Vec<u8>> {
        ["SHA256SUMS", "audit.jsonl"]
            .map(|name| (name.to_owned(), content.as_bytes().to_vec()))
            .into()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_set_replaces_a_set_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        for content in ["first", "second"] {
            Target::check(&out)
                .unwrap()
                .replace(&files(content))
                .unwrap();
            assert_eq!(names(&out), ["SHA256SUMS", "audit.jsonl"]);
            assert_eq!(
                fs::read_to_string(out.join("audit.jsonl")).unwrap(),
                content
            );
            assert_eq!(names(dir.path()), ["out"]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn published_modes_do_not_depend_on_the_temporary_directory() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        Target::check(&out).unwrap().replace(&files("x")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&out), 0o755);
        assert_eq!(mode(&out.join("SHA256SUMS")), 0o644);
    }

    #[test]
    fn both_ways_to_swap_exchange_the_contents() {
        for swap in [exchange, swap_in_two_steps] {
            let dir = tempfile::tempdir().unwrap();
            let (a, b) = (dir.path().join("a"), dir.path().join("b"));
            for (path, name) in [(&a, "new"), (&b, "old")] {
                fs::create_dir(path).unwrap();
                fs::write(path.join(name), "").unwrap();
            }
            match swap(&a, &b) {
                Err(error) if is_unsupported(&error) => continue,
                result => result.unwrap(),
            }
            assert_eq!(
                (names(&b), names(&a)),
                (vec!["new".to_owned()], vec!["old".to_owned()])
            );
            assert_eq!(names(dir.path()), ["a", "b"]);
        }
    }

    #[test]
    fn a_second_step_that_fails_puts_the_target_back() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("old"), "").unwrap();
        swap_in_two_steps(&dir.path().join("absent"), &target).unwrap_err();
        assert_eq!(names(&target), ["old"]);
        assert_eq!(names(dir.path()), ["out"]);
    }

    #[test]
    fn a_run_killed_between_the_two_steps_is_put_right_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let replace = |content| Target::check(&out).unwrap().replace(&files(content));
        replace("old").unwrap();
        // The new set is ready and the old one has been moved aside.
        let prepared = dir.path().join(".out-AbCdEf");
        fs::create_dir(&prepared).unwrap();
        fs::write(prepared.join("SHA256SUMS"), "new").unwrap();
        fs::rename(&out, dir.path().join(".out-AbCdEf-old")).unwrap();
        Target::check(&out).unwrap();
        assert_eq!(fs::read_to_string(out.join("SHA256SUMS")).unwrap(), "old");
        assert_eq!(names(dir.path()), [".out-AbCdEf", "out"]);
        replace("newer").unwrap();
        assert_eq!(fs::read_to_string(out.join("SHA256SUMS")).unwrap(), "newer");
    }

    #[test]
    fn what_is_not_ours_is_refused_and_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let refuse = |path: &Path, code: u8, says: &str| {
            let before = names(dir.path());
            let error = Target::check(path).unwrap_err();
            assert_eq!(exit_code(&error), code, "{error}");
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(names(dir.path()), before);
        };
        let foreign = dir.path().join("thesis");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("chapter.tex"), "years of work").unwrap();
        refuse(&foreign, exit::ENVIRONMENT, "holds chapter.tex");

        let log = dir.path().join("log");
        fs::create_dir(&log).unwrap();
        fs::write(log.join("audit.jsonl"), "somebody's audit log").unwrap();
        refuse(&log, exit::ENVIRONMENT, "has no SHA256SUMS");

        let nested = dir.path().join("nested");
        fs::create_dir_all(nested.join("SHA256SUMS")).unwrap();
        refuse(&nested, exit::ENVIRONMENT, "holds SHA256SUMS");

        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        refuse(&file, exit::ENVIRONMENT, "is not a directory");

        refuse(
            &dir.path().join("absent/out"),
            exit::ENVIRONMENT,
            "cannot write in",
        );
        refuse(
            &dir.path().join("out/.."),
            exit::USAGE,
            "does not name a directory",
        );
        refuse(Path::new("/"), exit::USAGE, "does not name a directory");

        #[cfg(unix)]
        {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(&foreign, &link).unwrap();
            refuse(&link, exit::ENVIRONMENT, "is a symbolic link");
        }
        assert!(foreign.join("chapter.tex").exists());
    }

    #[test]
    fn artifact_names_are_those_of_any_seed_and_commit() {
        let tarball = format!("ecac-artifacts-{}.tar.gz", "a".repeat(40));
        for name in [
            "hb-chain-42.csv",
            "concurrent-0-state.json",
            "manifest.json",
            &tarball,
        ] {
            assert!(is_artifact_name(name), "{name}");
        }
        for name in [
            "hb-chain-.csv",
            "hb-chain-x.csv",
            "chain-42.csv",
            "main.rs",
            "ecac-artifacts-x.tar.gz",
        ] {
            assert!(!is_artifact_name(name), "{name}");
        }
    }
}
