//! The removal of a temporary tree, which nobody who presses Ctrl-C has to wait for.
//!
//! Where the disk is busy, or is told of each file that it may forget it (`mount -o discard`), the kernel takes seconds to
//! remove some thousands of files, and ends no process meanwhile. So the tree gets another name, in one step, and a child
//! removes it, several files at a time, because such a disk makes each of them wait. The child is in a process group of
//! its own, which no terminal signals, and goes on when this program has ended. It holds the claim on the tree.
//!
//! Whatever has that name and no claim was to be removed by somebody who is gone: a child that was killed, or that ended
//! with the machine or its container. The next run removes it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::host::claim::{self, Claim};
use crate::host::output;

/// How the name of a tree that is being removed ends.
const ENDING: &str = ".removing";

/// Removes a tree. Once a signal has asked the program to stop, a child does the rest, and that is said.
///
/// `dir` is absolute, and nobody writes below it.
pub fn remove(dir: &Path, claim: Claim) {
    let aside = aside(dir);
    let tree = match fs::rename(dir, &aside) {
        Ok(()) => aside.as_path(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(_) => dir,
    };
    #[cfg(unix)]
    match child::start(tree, claim).and_then(child::wait) {
        Ok(child::Ended::Removed) => return,
        Ok(child::Ended::LeftAlone) => {
            output::note_at_the_end(&format!(
                "note: a process in the background removes {}\n",
                tree.display()
            ));
            return;
        }
        // Without a shell and `rm` it takes longer to stop.
        Err(_) => {}
    }
    #[cfg(not(unix))]
    drop(claim);
    if let Err(error) = fs::remove_dir_all(tree)
        && error.kind() != io::ErrorKind::NotFound
    {
        let name = tree.display();
        output::note_at_the_end(&format!("note: cannot remove {name}: {error}\n"));
    }
}

/// The directories in `parent` whose names begin with `prefix` and that runs left which were killed. What such a run was
/// about to remove is not among them: its removal begins.
pub fn resume(parent: &Path, prefix: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut left = claim::abandoned(parent, prefix)?;
    left.retain(|dir| !is_begun(dir) || !restart(dir));
    Ok(left)
}

/// The name beside `dir` that a tree has while it is removed.
fn aside(dir: &Path) -> PathBuf {
    let mut name = OsString::from(dir);
    name.push(ENDING);
    name.into()
}

/// True for a tree that somebody began to remove.
fn is_begun(dir: &Path) -> bool {
    dir.as_os_str()
        .as_encoded_bytes()
        .ends_with(ENDING.as_bytes())
}

/// Begins to remove a tree that somebody else began to remove, if it belongs to this user.
#[cfg(unix)]
fn restart(dir: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = dir.symlink_metadata();
    let is_ours = |metadata: fs::Metadata| {
        metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw()
    };
    let Ok(dir) = dir.canonicalize() else {
        return false;
    };
    metadata.is_ok_and(is_ours) && child::start(&dir, Claim::on(&dir)).is_ok()
}

#[cfg(not(unix))]
fn restart(_dir: &Path) -> bool {
    false
}

#[cfg(unix)]
mod child {
    use std::io;
    use std::os::unix::process::CommandExt as _;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use crate::host::claim::Claim;
    use crate::host::interrupt;

    /// How often the child is looked at.
    const POLL: Duration = Duration::from_millis(5);

    /// How long a program that was asked to stop waits for the child: a small tree is gone by then.
    const PATIENCE: Duration = Duration::from_millis(150);

    /// Removes the directory that is its argument: eight files at a time where `find` and `xargs` can, then what is left.
    const SCRIPT: &str =
        r#"find "$1" -type f -print0 | xargs -0 -n 64 -P 8 rm -f --; exec rm -rf -- "$1""#;

    /// How the wait for a child ended.
    pub(super) enum Ended {
        /// The tree is gone.
        Removed,
        /// The child still removes it, and a signal asks for haste.
        LeftAlone,
    }

    /// Starts the child that removes `tree` and holds the claim on it.
    pub(super) fn start(tree: &Path, claim: Claim) -> io::Result<Child> {
        Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(tree)
            .current_dir("/")
            .stdin(claim)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
    }

    /// Waits for the child; once a signal asks to stop, not for long.
    pub(super) fn wait(mut child: Child) -> io::Result<Ended> {
        let mut stopping: Option<Instant> = None;
        loop {
            match child.try_wait()? {
                Some(status) if status.success() => return Ok(Ended::Removed),
                Some(status) => return Err(io::Error::other(status.to_string())),
                None => {}
            }
            match stopping {
                None if interrupt::requested() => stopping = Some(Instant::now()),
                Some(since) if since.elapsed() > PATIENCE => return Ok(Ended::LeftAlone),
                _ => {}
            }
            thread::sleep(POLL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn gone_soon(dir: &Path) -> bool {
        let start = Instant::now();
        while dir.exists() && start.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(10));
        }
        !dir.exists()
    }

    #[test]
    fn a_tree_is_gone_with_all_that_is_in_it() {
        let parent = tempfile::tempdir().unwrap();
        let tree = parent.path().join("-tree of two");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), "x").unwrap();
        remove(&tree, Claim::on(&tree));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        remove(&tree, Claim::on(&tree));
    }

    #[test]
    fn only_what_the_dead_began_to_remove_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let dir = |name: &str| {
            let dir = parent.path().join(name);
            fs::create_dir_all(dir.join("below")).unwrap();
            dir
        };
        let begun = dir("run-a.removing");
        let kept = dir("run-b");
        let claimed = dir("run-c.removing");
        let foreign = dir("other.removing");
        let claim = Claim::on(&claimed);
        std::os::unix::fs::symlink(&foreign, parent.path().join("run-d.removing")).unwrap();
        assert_eq!(resume(parent.path(), "run-").unwrap(), [kept.as_path()]);
        assert!(gone_soon(&begun));
        assert!(kept.exists() && claimed.exists() && foreign.join("below").exists());
        drop(claim);
        assert_eq!(resume(parent.path(), "run-").unwrap(), [kept]);
        assert!(gone_soon(&claimed));
    }
}
