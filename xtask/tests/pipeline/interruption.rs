//! What a signal ends, how soon, and what is left behind then.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ecac_artifact::exit;
use ecac_fixture::set::Fixture;
use ecac_fixture::workspace::{Workspace, skipped, snapshot};

/// How soon Ctrl-C ends any command: a second on a machine that is free, and some more on one that has other work. What waited
/// for the removal of a tree took longer than this.
const SOON: Duration = Duration::from_millis(2_500);

/// How long what goes on in the background may take.
const AT_LAST: Duration = Duration::from_secs(60);

/// Waits until something holds, and fails if it does not in the end.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < AT_LAST, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Starts a run in a process group of its own, as a terminal would.
fn start(command: &mut Command) -> Child {
    command
        .process_group(0)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Sends a signal, and requires that the run ends soon; its exit code and what it said.
fn interrupt(mut run: Child, signal: &str) -> (Option<i32>, String) {
    let stderr = run.stderr.take().unwrap();
    interrupt_reading(run, stderr, signal)
}

/// The same where some of what it said has been read.
fn interrupt_reading(mut run: Child, mut stderr: impl Read, signal: &str) -> (Option<i32>, String) {
    let start = Instant::now();
    let kill = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(run.id().to_string())
        .status();
    assert!(kill.unwrap().success());
    let mut says = String::new();
    stderr.read_to_string(&mut says).unwrap();
    let code = run.wait().unwrap().code();
    let took = start.elapsed();
    assert!(took < SOON, "it took {took:?}: {says}");
    (code, says)
}

/// What lies in the directory for temporary files.
fn temporary(workspace: &Workspace) -> Vec<PathBuf> {
    let entries = fs::read_dir(workspace.temporary()).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// True for a process that has ended; one that nobody has waited for yet has ended too.
fn has_ended(pid: &str) -> bool {
    let status = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&status.stdout).trim().to_owned();
    state.is_empty() || state.starts_with('Z')
}

#[test]
fn an_interrupted_build_ends_its_children_and_leaves_nothing() {
    let deaf = "trap \"\" TERM INT; while :; do sleep 1; done";
    for (signal, script) in [
        // A compiler that outlives cargo and does not listen.
        ("INT", format!("sh -c '{deaf}' & PIDS; wait")),
        ("TERM", format!("sh -c '{deaf}' & PIDS; wait")),
        ("HUP", format!("sh -c '{deaf}' & PIDS; wait")),
        // A cargo that does not listen either.
        ("INT", format!("sleep 60 & PIDS; {deaf}")),
    ] {
        let workspace = Workspace::new();
        let out = workspace.root().join("docs/eval/out");
        fs::create_dir(&out).unwrap();
        fs::write(out.join("SHA256SUMS"), "old").unwrap();
        let before = snapshot(&workspace.root().join("docs"));
        let pids = workspace.beside("pids");
        let tell = format!("echo $$ $! > {0}.part; mv {0}.part {0}", pids.display());
        workspace.cargo_build(&script.replace("PIDS", &tell));
        let run = start(&mut workspace.xtask(&["repro"]));
        wait_until("the build did not start", || pids.exists());
        let (code, stderr) = interrupt(run, signal);
        assert_eq!(code, Some(i32::from(exit::INTERRUPTED)), "{stderr}");
        assert!(stderr.contains("error: interrupted"), "{stderr}");
        assert_eq!(snapshot(&workspace.root().join("docs")), before);
        let pids = fs::read_to_string(pids).unwrap();
        for pid in pids.split_whitespace() {
            wait_until("a process is still there", || has_ended(pid));
        }
        wait_until("a tree is still there", || temporary(&workspace).is_empty());
    }
}

#[test]
fn a_signal_ends_every_stage() {
    let workspace = Workspace::new();
    if !workspace.builds("") {
        return;
    }
    let out = workspace.beside("out");
    let args = [
        "repro",
        "--scenario=hb-chain",
        "--ops=40",
        &format!("--out={}", out.display()),
    ];
    // Where so few ops are over at once.
    let short = ["integrity", "bundle", "publish"];
    for stage in [
        "preflight",
        "clean tree",
        "crates",
        "build",
        "sbom",
        "scenarios",
        "cross-check",
        "integrity",
        "bundle",
        "publish",
    ] {
        let mut run = start(&mut workspace.xtask(&args));
        let mut stderr = BufReader::new(run.stderr.take().unwrap());
        let mut line = String::new();
        while line != format!("== {stage}\n") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "no {stage}");
        }
        if !short.contains(&stage) {
            thread::sleep(Duration::from_millis(20));
        }
        let (code, says) = interrupt_reading(run, stderr, "INT");
        match code.and_then(|code| u8::try_from(code).ok()) {
            Some(exit::INTERRUPTED) => assert!(!out.exists(), "{stage}"),
            // The signal came when all was done.
            Some(exit::SUCCESS) if short.contains(&stage) => fs::remove_dir_all(&out).unwrap(),
            code => panic!("{stage}: {code:?}: {says}"),
        }
        // What the tree is named that is being removed is tested below.
        wait_until("a tree is still there", || temporary(&workspace).is_empty());
    }
}

#[test]
fn a_signal_ends_also_what_writes_the_golden_set_or_holds_to_it() {
    let fixture = Fixture::new();
    let workspace = &fixture.workspace;
    workspace.commit();
    let ready = workspace.beside("ready");
    workspace.cargo_build(&format!(
        "trap \"\" INT TERM; : > {}; while :; do sleep 1; done",
        ready.display()
    ));
    let before = snapshot(&workspace.root().join("docs"));
    for args in [&["golden", "--update"][..], &["verify-golden"]] {
        let _ = fs::remove_file(&ready);
        let run = start(workspace.xtask(args).env_remove("CI"));
        wait_until("the build did not start", || ready.exists());
        let (code, stderr) = interrupt(run, "INT");
        assert_eq!(code, Some(i32::from(exit::INTERRUPTED)), "{stderr}");
        assert_eq!(snapshot(&workspace.root().join("docs")), before);
        wait_until("a tree is still there", || temporary(workspace).is_empty());
    }
}

/// How many files a tree has that takes seconds to remove, on [`slow_disk`].
const MANY: usize = 1500;

/// The library that makes every removal of a file take as long as on a busy disk; nothing where no compiler is.
fn slow_disk(workspace: &Workspace) -> Option<PathBuf> {
    let source = workspace.beside("slow.c");
    let library = workspace.beside("slow.so");
    let text = "#define _GNU_SOURCE\n\
        #include <sys/syscall.h>\n#include <time.h>\n#include <unistd.h>\n\
        int unlinkat(int dir, const char *path, int flags) {\n\
        struct timespec wait = {0, 20000000};\n\
        nanosleep(&wait, 0);\n\
        return (int)syscall(SYS_unlinkat, dir, path, flags);\n}\n";
    fs::write(&source, text).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source);
    let is_made = cfg!(target_os = "linux") && cc.output().is_ok_and(|cc| cc.status.success());
    if !is_made {
        skipped("no C compiler, or not on Linux, so that no disk is slow");
    }
    is_made.then_some(library)
}

/// Shell commands that make the tree one of [`MANY`] files.
fn many_files() -> String {
    format!("mkdir many && i=0 && while [ $i -lt {MANY} ]; do : > many/$i; i=$((i+1)); done")
}

/// Requires that a tree has only the name that says that it is being removed, and that in the end it is gone.
fn check_that_it_goes(workspace: &Workspace, stderr: &str) {
    let left = temporary(workspace);
    let [tree] = &left[..] else {
        panic!("one tree: {left:?}: {stderr}");
    };
    let says = format!("note: a process in the background removes {}\n", real(tree));
    assert!(stderr.contains(&says), "{says}: {stderr}");
    assert!(says.ends_with(".removing\n"), "{says}");
    wait_until("the tree is still there", || {
        temporary(workspace).is_empty()
    });
}

/// The real path of something in a directory.
fn real(path: &Path) -> String {
    let parent = path.parent().unwrap().canonicalize().unwrap();
    let path = parent.join(path.file_name().unwrap());
    path.display().to_string()
}

#[test]
fn a_signal_does_not_wait_for_a_tree_that_takes_seconds_to_remove() {
    let workspace = Workspace::new();
    let Some(library) = slow_disk(&workspace) else {
        return;
    };
    let ready = workspace.beside("ready");
    let script = format!("{} && : > {}; sleep 60", many_files(), ready.display());
    workspace.cargo_build(&script);
    let run = start(workspace.xtask(&["repro"]).env("LD_PRELOAD", library));
    wait_until("the build did not start", || ready.exists());
    let (code, stderr) = interrupt(run, "INT");
    assert_eq!(code, Some(i32::from(exit::INTERRUPTED)), "{stderr}");
    let says = "removing\nerror: interrupted; nothing was changed\n";
    assert!(stderr.ends_with(says), "{stderr}");
    check_that_it_goes(&workspace, &stderr);
}

#[test]
fn a_signal_ends_also_what_only_removes_a_tree() {
    let workspace = Workspace::new();
    let Some(library) = slow_disk(&workspace) else {
        return;
    };
    workspace.cargo_build(&format!("{}; exit 101", many_files()));
    let run = start(workspace.xtask(&["repro"]).env("LD_PRELOAD", library));
    let is_begun = || {
        let mut names = temporary(&workspace).into_iter();
        names.any(|path| path.extension().is_some_and(|it| it == "removing"))
    };
    wait_until("nothing is removed", is_begun);
    // What the command came to was known before.
    let (code, stderr) = interrupt(run, "INT");
    assert_eq!(code, Some(i32::from(exit::BUILD)), "{stderr}");
    check_that_it_goes(&workspace, &stderr);
}

#[test]
fn the_next_run_removes_what_a_killed_one_was_about_to_and_names_the_rest() {
    let workspace = Workspace::new();
    let dir = |name: &str| {
        let dir = workspace.temporary().join(name);
        fs::create_dir_all(dir.join("tree")).unwrap();
        dir
    };
    let begun = dir("ecac-repro-AbCdEf.removing");
    let kept = dir("ecac-repro-GhIjKl");
    let foreign = dir("thesis.removing");
    let (_, stderr) = workspace.check(&["repro"], exit::BUILD, "it can be removed");
    assert!(stderr.contains(&kept.display().to_string()), "{stderr}");
    assert!(!stderr.contains("removing"), "{stderr}");
    wait_until("the tree is still there", || !begun.exists());
    assert!(kept.join("tree").exists() && foreign.join("tree").exists());
}
