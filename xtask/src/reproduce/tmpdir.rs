//! The directory for temporary files, in which the clean tree is made, and what lies in it and above it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::host::error::Failure;

/// Room for a clean tree, the sources of its crates, its release build and the artifacts: a run was seen to take
/// 530 MiB; half as much again.
#[cfg(unix)]
const ROOM_MIB: u64 = 795;

/// The files in which cargo looks for configuration, below its working directory and every folder above.
const CONFIGURATION: [&str; 2] = [".cargo/config", ".cargo/config.toml"];

/// What separates directories in a search path.
const SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };

/// What is there and stays so, however often it is asked.
const ELSEWHERE: &str = "set TMPDIR to another directory";

/// The directory for temporary files, in which a clean tree can be built.
pub fn check() -> Result<PathBuf> {
    let directory = env::temp_dir();
    let real = directory.canonicalize().map_err(|error| {
        let message = format!(
            "the directory for temporary files, `{}`, is not there: {error}",
            directory.display()
        );
        Failure::environment(message).hint("create it, or set TMPDIR to a directory that is there")
    })?;
    check_name(&real)?;
    #[cfg(unix)]
    check_owners(&real)?;
    check_configuration(&real)?;
    check_use(&real)?;
    Ok(real)
}

/// Refuses what is no directory, or one in which nothing can be made or nothing may be run: a build runs what it made.
fn check_use(directory: &Path) -> Result<()> {
    let made = tempfile::Builder::new()
        .prefix(".ecac-")
        .tempdir_in(directory);
    made.map_err(|error| {
        let name = directory.display();
        let message = format!("nothing can be made in the directory for temporary files: {error}");
        Failure::environment(message).hint(format!(
            "make room, see that you may write in {name}, or {ELSEWHERE}"
        ))
    })?;
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{StatVfsMountFlags, statvfs};
        let disk = statvfs(directory).map_err(std::io::Error::from)?;
        if disk.f_flag.contains(StatVfsMountFlags::NOEXEC) {
            let message = format!(
                "no program may run in {}, which is mounted `noexec`, and a build runs what it made",
                directory.display()
            );
            return Err(Failure::environment(message).hint(ELSEWHERE).into());
        }
    }
    Ok(())
}

/// Refuses a directory in which, or above which, everybody may rename what others made: a clean tree could be exchanged
/// while it is built. The sticky bit forbids that.
#[cfg(unix)]
fn check_owners(directory: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    /// Everybody may write.
    const WORLD_WRITABLE: u32 = 0o002;
    /// Only who owns an entry may rename it.
    const STICKY: u32 = 0o1000;
    for above in directory.ancestors() {
        let metadata = above
            .metadata()
            .with_context(|| format!("look at {}", above.display()))?;
        if metadata.permissions().mode() & (WORLD_WRITABLE | STICKY) == WORLD_WRITABLE {
            let name = above.display();
            let message = format!(
                "every user of this machine may rename what lies in {name}, and a clean tree would lie in or below it"
            );
            return Err(Failure::environment(message)
                .hint(format!("chmod +t {name}, or {ELSEWHERE}"))
                .into());
        }
    }
    Ok(())
}

/// Refuses a path that cannot be handed to a compiler and its linker.
fn check_name(directory: &Path) -> Result<(), Failure> {
    let why = match directory.to_str() {
        None => "is not text".to_owned(),
        Some(text) if text.contains(SEPARATOR) => {
            format!("contains `{SEPARATOR}`, which ends a directory in a search path")
        }
        Some(text) if text.contains(char::is_control) => "contains a control character".to_owned(),
        Some(_) => return Ok(()),
    };
    let name = directory.to_string_lossy();
    let message = format!(
        "nothing can be built below the directory for temporary files: `{}` {why}",
        name.escape_debug()
    );
    Err(Failure::environment(message).hint(ELSEWHERE))
}

/// Refuses configuration of cargo in a directory or above it: it could name another compiler, linker or profile.
pub fn check_configuration(directory: &Path) -> Result<(), Failure> {
    let Some(found) = configuration(directory) else {
        return Ok(());
    };
    let message = format!(
        "{} lies above the clean tree, where cargo would read it, and belongs to no commit",
        found.display()
    );
    Err(Failure::environment(message).hint(
        "remove it, or set TMPDIR to a directory with no .cargo/config.toml in it or above it",
    ))
}

/// The nearest file of configuration in a directory or above it; a link that leads nowhere counts.
fn configuration(directory: &Path) -> Option<PathBuf> {
    directory
        .ancestors()
        .flat_map(|above| CONFIGURATION.map(|name| above.join(name)))
        .find(|file| file.symlink_metadata().is_ok())
}

/// The room for temporary files, if it is enough for a run.
#[cfg(unix)]
pub fn room() -> Result<String> {
    let directory = env::temp_dir();
    let disk = rustix::fs::statvfs(&directory)
        .map_err(std::io::Error::from)
        .with_context(|| format!("ask for the room in {}", directory.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize) >> 20;
    let shown = directory.display();
    match free >= ROOM_MIB {
        true => Ok(format!("{free} MiB in {shown}")),
        false => {
            let message = format!("{free} MiB in {shown}; a run needs {ROOM_MIB} MiB");
            Err(Failure::environment(message)
                .hint("make room, or set TMPDIR to a directory on another disk")
                .into())
        }
    }
}

/// The room for temporary files, if it is enough for a run.
#[cfg(not(unix))]
pub fn room() -> Result<String> {
    Ok("not known on this system".to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn configuration_is_found_in_every_folder_above() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().canonicalize().unwrap().join("a/b/c");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(configuration(&deep), None);
        check_configuration(&deep).unwrap();
        for above in ["", "a", "a/b", "a/b/c"] {
            for name in CONFIGURATION {
                let file = dir.path().canonicalize().unwrap().join(above).join(name);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, "").unwrap();
                assert_eq!(configuration(&deep).as_ref(), Some(&file));
                let error = check_configuration(&deep).unwrap_err();
                let text = error.to_string();
                assert!(text.contains(file.to_str().unwrap()), "{text}");
                fs::remove_file(file).unwrap();
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_what_is_not_there_yet_is_found_too() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join(".cargo");
        fs::create_dir(&below).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", below.join("config.toml")).unwrap();
        assert_eq!(configuration(dir.path()), Some(below.join("config.toml")));
    }

    #[test]
    #[cfg(unix)]
    fn a_directory_in_which_everybody_may_rename_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        let below = top.join("a/b");
        fs::create_dir_all(&below).unwrap();
        for (mode, is_refused) in [
            (0o700, false),
            (0o775, false),
            (0o1777, false),
            (0o777, true),
            (0o702, true),
        ] {
            for changed in [&top, &below] {
                let set = |mode| fs::set_permissions(changed, fs::Permissions::from_mode(mode));
                set(mode).unwrap();
                let checked = check_owners(&below);
                set(0o700).unwrap();
                assert_eq!(checked.is_err(), is_refused, "{mode:o}");
                if let Err(error) = checked {
                    let named = format!("lies in {},", changed.display());
                    assert!(error.to_string().contains(&named), "{error}");
                    let hint = format!("chmod +t {}", changed.display());
                    assert!(crate::host::error::hint(&error).unwrap().contains(&hint));
                    assert_eq!(
                        crate::host::error::exit_code(&error),
                        ecac_artifact::exit::ENVIRONMENT
                    );
                }
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_name_that_no_linker_can_take_is_refused() {
        use std::os::unix::ffi::OsStrExt as _;
        for good in ["/tmp", "/tmp/spaces and ü = in it"] {
            check_name(Path::new(good)).unwrap();
        }
        for (bad, says) in [
            (&b"/tmp/a:b"[..], "`/tmp/a:b` contains `:`"),
            (b"/tmp/a\nb", "`/tmp/a\\nb` contains a control character"),
            (b"/tmp/a\x1fb", "a control character"),
            (b"/tmp/\xff", "is not text"),
        ] {
            let path = Path::new(std::ffi::OsStr::from_bytes(bad));
            let error = check_name(path).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(error.code, ecac_artifact::exit::ENVIRONMENT);
        }
    }
}
