//! What `repro` leaves behind when something goes wrong while it works.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ecac_artifact::{Sums, exit};
use ecac_fixture::workspace::{Workspace, check, skipped, snapshot};

/// Arguments of a run with few ops into `out`.
fn repro(seed: u64, out: &Path) -> Vec<String> {
    let seed = format!("--seed={seed}");
    let out = format!("--out={}", out.display());
    let args = ["repro", "--scenario=hb-chain", "--ops=40", &seed, &out];
    args.map(str::to_owned).to_vec()
}

/// The seed of the set in `out`, after a check that it is whole.
fn seed_of_whole_set(out: &Path) -> u64 {
    let mut files: BTreeMap<_, _> = fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    let sums = Sums::parse(&files.remove("SHA256SUMS").unwrap()).unwrap();
    let tarball = files
        .keys()
        .find(|name| name.ends_with(".tar.gz"))
        .unwrap()
        .clone();
    assert!(!files.remove(&tarball).unwrap().is_empty());
    assert_eq!(sums.verify(&Sums::digests(&files)), []);
    let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    manifest["scenarios"][0]["seed"].as_u64().unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A directory of its own for the output.
fn results(workspace: &Workspace) -> PathBuf {
    let results = workspace.beside("results");
    fs::create_dir(&results).unwrap();
    results
}

#[test]
fn two_runs_at_once_both_publish_and_neither_harms_the_other() {
    let workspace = Workspace::new();
    if !workspace.builds("") {
        return;
    }
    let results = results(&workspace);
    let out = results.join("out");
    for _ in 0..2 {
        let mut runs = [1, 2].map(|seed| {
            let mut run = workspace.xtask(&repro(seed, &out));
            run.stdout(Stdio::null()).stderr(Stdio::null());
            run.spawn().unwrap()
        });
        for run in &mut runs {
            assert!(run.wait().unwrap().success());
        }
        assert!([1, 2].contains(&seed_of_whole_set(&out)));
    }
    assert_eq!(names(&results), ["out"]);
    assert_eq!(names(&workspace.temporary()), [""; 0]);
}

/// Waits until a run has said that it begins to publish.
fn wait_until_it_publishes(run: &mut Child) {
    let stderr = BufReader::new(run.stderr.take().unwrap());
    let mut lines = stderr.lines();
    assert!(lines.any(|line| line.unwrap().contains("publish")));
}

#[test]
fn a_run_that_is_killed_while_it_publishes_leaves_the_old_set_or_the_new() {
    let workspace = Workspace::new();
    if !workspace.builds("") {
        return;
    }
    let results = results(&workspace);
    let out = results.join("out");
    workspace.check(&repro(0, &out), exit::SUCCESS, "");
    let mut left = 0;
    for (seed, delay) in (1_u64..).zip([0, 2, 8, 32]) {
        let before = seed_of_whole_set(&out);
        let mut run = workspace
            .xtask(&repro(seed, &out))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until_it_publishes(&mut run);
        std::thread::sleep(Duration::from_millis(delay));
        run.kill().unwrap();
        run.wait().unwrap();
        assert!([before, seed].contains(&seed_of_whole_set(&out)));
        left = left.max(names(&results).len() - 1);
    }
    // What is left is named by the next run, also the tree that was built; what was being removed is removed.
    let mut leftovers = names(&results);
    leftovers.retain(|name| name != "out");
    leftovers.extend(names(&workspace.temporary()));
    assert!(
        !leftovers.is_empty(),
        "{left} directories beside the output"
    );
    let (_, stderr) = workspace.check(&repro(99, &out), exit::SUCCESS, "it can be removed");
    for name in leftovers {
        if name.ends_with(".removing") {
            wait_until_it_is_removed(&workspace, &name);
        } else {
            assert!(stderr.contains(&name), "{name} in {stderr}");
        }
    }
    assert_eq!(seed_of_whole_set(&out), 99);
}

/// Waits until what a killed run was about to remove is gone.
fn wait_until_it_is_removed(workspace: &Workspace, name: &str) {
    for _ in 0..600 {
        if !names(&workspace.temporary()).iter().any(|it| it == name) {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{name} is still there");
}

#[test]
fn a_build_that_is_killed_is_a_failed_build() {
    let workspace = Workspace::new();
    workspace.cargo_build("kill -KILL $$");
    let out = workspace.beside("out");
    workspace.check(&repro(1, &out), exit::BUILD, "signal: 9");
    assert!(!out.exists());
    assert_eq!(names(&workspace.temporary()), [""; 0]);
}

/// Runs `args` where `dir` is another file system, mounted by the shell commands `mount`, which begins with a
/// copy of what is in `dir`. What is in it at the end is copied to `after`. Nothing where this user may not mount.
pub(crate) fn on_a_mount(
    workspace: &Workspace,
    dir: &Path,
    mount: &str,
    args: &[String],
    after: &Path,
) -> Option<Command> {
    let unshare = ["--map-root-user", "--mount"];
    let can_mount = Command::new("unshare")
        .args(unshare)
        .args(["sh", "-c", "mount -t tmpfs tmpfs /tmp"])
        .output()
        .is_ok_and(|probe| probe.status.success());
    if !can_mount {
        skipped("no mount namespaces for this user");
        return None;
    }
    let script = format!(
        "cd / && cp -a \"$1\" \"$2.copy\" && {mount} && cp -a \"$2.copy/.\" \"$1\" 2>/dev/null; rm -r \"$2.copy\"; \
         dir=$1 after=$2; shift 2; cd \"$CARGO_MANIFEST_DIR\"; \"$@\"; code=$?; cp -a \"$dir\" \"$after\"; exit $code"
    );
    let xtask = workspace.xtask(args);
    let mut command = Command::new("unshare");
    command.args(unshare).args(["sh", "-c", &script, "sh"]);
    command
        .arg(dir)
        .arg(after)
        .arg(xtask.get_program())
        .args(args);
    for (name, value) in xtask.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(command)
}

#[test]
fn a_full_disk_leaves_the_old_set_and_says_what_to_do() {
    let workspace = Workspace::new();
    if !workspace.builds("") {
        return;
    }
    let results = results(&workspace);
    let out = results.join("out");
    workspace.check(&repro(1, &out), exit::SUCCESS, "");
    let before = snapshot(&out);
    // Enough for one set and a part of the next: as many pages as the first has, and a few more.
    let pages =
        |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, |bytes| bytes.len().div_ceil(4096));
    let size = before.iter().map(|(_, bytes)| pages(bytes)).sum::<usize>() + 4;
    let mount = format!("mount -t tmpfs -o size={}k tmpfs \"$1\"", size * 4);
    let after = workspace.beside("after");
    let Some(mut run) = on_a_mount(&workspace, &results, &mount, &repro(2, &out), &after) else {
        return;
    };
    let (_, stderr) = check(&mut run, exit::ENVIRONMENT, "no storage space");
    assert!(stderr.contains("hint: make room"), "{stderr}");
    assert!(stderr.contains("is as it was"), "{stderr}");
    assert_eq!(names(&after), ["out"]);
    assert_eq!(seed_of_whole_set(&after.join("out")), 1);
    assert_eq!(snapshot(&after.join("out")).len(), before.len());
    assert_eq!(names(&workspace.temporary()), [""; 0]);
}

#[test]
fn a_full_temporary_directory_is_named_before_anything_is_built() {
    let workspace = Workspace::new();
    let temporary = workspace.temporary();
    let mount = "mount -t tmpfs -o size=16k tmpfs \"$1\"";
    let after = workspace.beside("after");
    let args = repro(1, &workspace.beside("out"));
    let Some(mut run) = on_a_mount(&workspace, &temporary, mount, &args, &after) else {
        return;
    };
    let (_, stderr) = check(&mut run, exit::ENVIRONMENT, " MiB in ");
    assert!(
        stderr.contains("hint: make room, or set TMPDIR"),
        "{stderr}"
    );
    assert!(!stderr.contains("cargo build"), "{stderr}");
    assert_eq!(names(&after), [""; 0]);
    assert!(!workspace.beside("out").exists());
}

#[test]
fn a_temporary_directory_that_cannot_be_used_is_named_before_anything_is_built() {
    use std::os::unix::fs::PermissionsExt as _;

    let workspace = Workspace::new();
    let refused = |says: &str, hint: &str| {
        let (_, stderr) = workspace.check(&["repro"], exit::ENVIRONMENT, says);
        assert!(stderr.contains(hint), "{stderr}");
        assert!(!stderr.contains("cargo build"), "{stderr}");
    };
    let temporary = workspace.temporary();
    let mode = |mode| {
        fs::set_permissions(&temporary, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o777);
    refused("every user of this machine may rename", "hint: chmod +t ");
    mode(0o1777);
    workspace.check(&["repro"], exit::BUILD, "no such crate");
    fs::remove_dir(&temporary).unwrap();
    refused("is not there", "hint: create it, or set TMPDIR");
    fs::write(&temporary, "").unwrap();
    refused(
        "nothing can be made in",
        "or set TMPDIR to another directory",
    );
}

#[test]
fn a_temporary_directory_where_nothing_may_run_is_named_before_anything_is_built() {
    let workspace = Workspace::new();
    let temporary = workspace.temporary();
    let mount = "mount -t tmpfs -o noexec tmpfs \"$1\"";
    let after = workspace.beside("after");
    let args = ["repro".to_owned()];
    let Some(mut run) = on_a_mount(&workspace, &temporary, mount, &args, &after) else {
        return;
    };
    let (_, stderr) = check(&mut run, exit::ENVIRONMENT, "is mounted `noexec`");
    assert!(stderr.contains("hint: set TMPDIR"), "{stderr}");
    assert!(!stderr.contains("cargo build"), "{stderr}");
}

#[test]
fn a_read_only_output_is_refused_before_the_build() {
    let workspace = Workspace::new();
    let results = results(&workspace);
    let mount = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";
    let after = workspace.beside("after");
    let args = repro(1, &results.join("out"));
    let Some(mut run) = on_a_mount(&workspace, &results, mount, &args, &after) else {
        return;
    };
    let (_, stderr) = check(&mut run, exit::ENVIRONMENT, "read-only");
    assert!(stderr.contains("hint: create the directory, make room or give access"));
    assert!(!stderr.contains("cargo build"), "{stderr}");
    assert_eq!(names(&after), [""; 0]);
}
