//! What `repro` refuses before it builds, what it builds from, and what it leaves behind when a build fails.

use std::fs;
use std::process::Command;

use ecac_artifact::exit;
use ecac_fixture::workspace::{Workspace, check, set_mode, snapshot};

#[test]
fn a_dirty_tree_is_refused_with_its_files() {
    let workspace = Workspace::new();
    workspace.write("Cargo.toml", "[workspace]\n# changed\n");
    for number in 0..12 {
        workspace.write(&format!("new-{number:02}"), "");
    }
    let (_, stderr) = workspace.check(&["repro"], exit::ENVIRONMENT, "13 uncommitted file(s)");
    assert!(
        stderr.contains(" M Cargo.toml") && stderr.contains("?? new-00"),
        "{stderr}"
    );
    assert!(
        !stderr.contains("new-11") && stderr.contains("… and 3 more"),
        "{stderr}"
    );
    assert!(stderr.contains("\nhint: "), "{stderr}");
    let args = ["verify-golden", "--artifacts", "x"];
    workspace.check(&args, exit::NOT_FOUND, "docs/eval/golden");
    workspace.check(&["golden", "--update"], exit::ENVIRONMENT, "uncommitted");
}

#[test]
fn another_toolchain_than_the_pinned_one_is_refused() {
    let workspace = Workspace::new();
    workspace.program("rustc", "printf 'release: 1.94.0\\n'");
    let says = "pins rustc 1.95.0, but the rustc on PATH is 1.94.0";
    workspace.check(&["repro"], exit::ENVIRONMENT, says);
    workspace.program(
        "rustc",
        "echo \"error: toolchain '1.95.0' is not installed\" >&2; exit 1",
    );
    workspace.check(&["repro"], exit::ENVIRONMENT, "is not installed");
    workspace.write("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n");
    workspace.check(&["repro"], exit::ENVIRONMENT, "not one exact release");
}

#[test]
fn a_missing_program_is_named() {
    let workspace = Workspace::new();
    let only_fakes = workspace.beside("bin");
    let says = "the program `git` is not installed";
    check(
        workspace.xtask(&["repro"]).env("PATH", &only_fakes),
        exit::ENVIRONMENT,
        says,
    );
    fs::remove_file(only_fakes.join("rustc")).unwrap();
    let says = "the program `rustc` is not installed";
    check(
        workspace.xtask(&["repro"]).env("PATH", only_fakes),
        exit::ENVIRONMENT,
        says,
    );
}

#[test]
fn without_git_the_commit_comes_from_the_archive_or_the_user() {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let workspace = Workspace::without_git();
    workspace.check(&["repro"], exit::ENVIRONMENT, "does not know its commit");
    // The fake build is reached, so the commit was found; that nobody can hold the files to it is said.
    let args = ["repro", "--commit", hash];
    let (_, stderr) = workspace.check(&args, exit::BUILD, "no such crate");
    let says = format!("note: nothing but --commit says that these are the files of {hash}\n");
    assert!(stderr.contains(&says), "{stderr}");
    workspace.check(&["repro", "--commit", "HEAD"], exit::USAGE, "hexadecimal");

    workspace.write("xtask/commit.txt", &format!("{hash}\n1700000000\n{hash}\n"));
    workspace.check(&["repro"], exit::ENVIRONMENT, "these are not the files of");
    workspace.check(
        &["repro", "--commit", &"f".repeat(40)],
        exit::USAGE,
        "was made of",
    );
    // What was filled in once cannot be half taken back.
    for text in [
        "",
        &format!("{hash}\n1700000000\n"),
        &format!("{hash}\n1700000000\n$Format:%T$\n"),
        &format!("{hash}\n1700000000\n{hash}\nmore\n"),
        &format!("{hash}\n1700000000\n{hash}"),
        &format!("$Format:%H$\n1700000000\n{hash}\n"),
    ] {
        workspace.write("xtask/commit.txt", text);
        let says = "does not say the commit, its time and its tree";
        workspace.check(&args, exit::ENVIRONMENT, says);
    }
}

#[test]
fn in_a_repository_the_commit_is_not_the_users_to_choose() {
    let workspace = Workspace::new();
    let head = workspace.git(&["rev-parse", "HEAD"]);
    workspace.check(
        &["repro", "--commit", &head],
        exit::USAGE,
        "source archives",
    );
}

#[test]
fn a_repository_further_up_is_somebody_elses() {
    let workspace = Workspace::without_git();
    let status = Command::new("git")
        .args(["init", "--quiet"])
        .current_dir(workspace.beside(""))
        .status();
    assert!(status.unwrap().success());
    workspace.check(&["repro"], exit::ENVIRONMENT, "does not know its commit");
}

#[test]
fn variables_of_a_git_hook_do_not_redirect_git() {
    let (workspace, other) = (Workspace::new(), Workspace::new());
    other.write("untracked", "");
    let mut repro = workspace.xtask(&["repro"]);
    repro
        .env("GIT_DIR", other.root().join(".git"))
        .env("GIT_WORK_TREE", other.root());
    check(&mut repro, exit::BUILD, "no such crate");
}

#[test]
fn bad_outputs_are_refused_before_the_build() {
    let workspace = Workspace::new();
    let thesis = workspace.beside("thesis");
    fs::create_dir(&thesis).unwrap();
    fs::write(thesis.join("chapter.tex"), "text").unwrap();
    workspace.check(
        &["repro", "--out", "../thesis/.."],
        exit::USAGE,
        "does not name a directory",
    );
    let says = "holds chapter.tex, which is no artifact";
    let (_, stderr) = workspace.check(&["repro", "--out", "../thesis"], exit::ENVIRONMENT, says);
    assert!(!stderr.contains("cargo build"), "{stderr}");
    workspace.check(
        &["repro", "--out", "Cargo.toml"],
        exit::ENVIRONMENT,
        "is not a directory",
    );
    workspace.check(
        &["repro", "--out", "no/where"],
        exit::ENVIRONMENT,
        "cannot write in",
    );
    workspace.check(
        &["repro", "--scenario", "chaos"],
        exit::USAGE,
        "offline-revoke",
    );
    workspace.check(&["repro", "--ops", "2"], exit::USAGE, "takes");
    assert!(thesis.join("chapter.tex").exists());
}

#[test]
fn paths_that_are_not_text_do_no_harm() {
    use std::os::unix::ffi::OsStringExt as _;
    let workspace = Workspace::new();
    let strange = std::ffi::OsString::from_vec(b"out-\xff".to_vec());
    let option = std::ffi::OsString::from("--out");
    workspace.check(
        &["repro".into(), option, strange.clone()],
        exit::BUILD,
        "no such crate",
    );
    let option = std::ffi::OsString::from("--golden");
    workspace.check(
        &["verify-golden".into(), option, strange.clone()],
        exit::NOT_FOUND,
        "does not exist",
    );
    let option = std::ffi::OsString::from("--dir");
    workspace.check(
        &["bundle".into(), option, strange.clone()],
        exit::NOT_FOUND,
        "does not exist",
    );
    // A file of that name in the tree is exported as it is.
    fs::write(workspace.root().join(&strange), "").unwrap();
    workspace.check(&["repro", "--allow-dirty"], exit::BUILD, "no such crate");
    workspace.commit();
    workspace.check(&["repro"], exit::BUILD, "no such crate");
}

/// What a fake cargo saw: the files of its working directory with their modes, and its environment.
fn built_from(workspace: &Workspace, args: &[&str], shell_prefix: &str) -> (String, String) {
    let seen = workspace.beside("seen");
    let script = format!(
        "find . -type f -printf '%P %m\\n' | sort > {0}; env | sort > {0}.env; cat docs/eval/README.md > {0}.readme; exit 101",
        seen.display()
    );
    workspace.cargo_build(&script);
    let xtask = workspace.xtask(args);
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{shell_prefix}; exec \"$@\""))
        .arg("sh")
        .arg(xtask.get_program())
        .args(xtask.get_args())
        .current_dir(workspace.root());
    for (name, value) in xtask.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
        .env("RUSTFLAGS", "-Copt-level=0")
        .env("LANG", "tr_TR.UTF-8")
        .env("http_proxy", "http://127.0.0.1:9")
        .env("MAKEFLAGS", "-j99");
    check(&mut shell, exit::BUILD, "command failed");
    assert_eq!(
        fs::read(workspace.beside("seen.readme")).unwrap(),
        b"line\r\n"
    );
    (
        fs::read_to_string(&seen).unwrap(),
        fs::read_to_string(workspace.beside("seen.env")).unwrap(),
    )
}

#[test]
fn the_clean_tree_is_exactly_the_commit_whatever_the_umask_and_the_work_tree() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.root().join("target")).unwrap();
    workspace.write("target/stale", "");
    fs::create_dir(workspace.root().join(".git/info")).ok();
    workspace.write(".git/info/exclude", "hidden\n");
    workspace.write("hidden", "ignored, so the tree counts as clean");
    set_mode(&workspace.root().join("Cargo.lock"), 0o600);
    workspace.git(&["config", "core.autocrlf", "true"]);

    let expected = ".gitattributes 644\n.gitignore 644\nCargo.lock 644\nCargo.toml 644\ndocs/eval/README.md 644\n\
                    rust-toolchain.toml 644\nscripts/tool 755\nxtask/commit.txt 644\n";
    for umask in ["022", "077", "000", "027"] {
        let (files, _) = built_from(&workspace, &["repro"], &format!("umask {umask}"));
        let mut files: Vec<_> = files.lines().collect();
        files.sort_unstable();
        let mut expected: Vec<_> = expected.lines().collect();
        expected.sort_unstable();
        assert_eq!(files, expected, "umask {umask}");
    }
}

#[test]
fn a_dirty_tree_is_copied_with_its_new_files_and_without_the_ignored_ones() {
    let workspace = Workspace::new();
    workspace.write("new", "");
    fs::create_dir(workspace.root().join("target")).unwrap();
    workspace.write("target/stale", "");
    fs::remove_file(workspace.root().join("scripts/tool")).unwrap();
    let (files, _) = built_from(&workspace, &["repro", "--allow-dirty"], "umask 077");
    let names: Vec<_> = files
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert!(names.contains(&"new"), "{names:?}");
    assert!(
        !names.contains(&"target/stale") && !names.contains(&"scripts/tool"),
        "{names:?}"
    );
}

#[test]
fn the_build_inherits_nothing_that_is_not_listed() {
    let workspace = Workspace::new();
    let (_, environment) = built_from(&workspace, &["repro"], "umask 022");
    let value = |name: &str| {
        let prefix = format!("{name}=");
        environment
            .lines()
            .find_map(|line| line.strip_prefix(&prefix))
    };
    for name in [
        "RUSTFLAGS",
        "LANG",
        "MAKEFLAGS",
        "RUSTUP_TOOLCHAIN",
        "RUSTUP_HOME",
        "CARGO_MANIFEST_DIR",
        "http_proxy",
    ] {
        assert_eq!(value(name), None, "{name}");
    }
    let seen = value("HOME").unwrap();
    for (name, directory) in [("CARGO_HOME", "cargo"), ("TMPDIR", "tmp"), ("HOME", "home")] {
        let path = value(name).unwrap();
        assert_eq!(
            path,
            seen.replace("/home", &format!("/{directory}")),
            "{name}"
        );
        assert!(path.contains("/tmp/ecac-repro-"), "{path}");
    }
    assert_eq!(value("PATH"), Some("/usr/bin:/bin"));
    assert_eq!(
        value("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"),
        Some("/usr/bin/cc")
    );
    let rustc = workspace.beside("bin/rustc");
    assert_eq!(value("RUSTC"), rustc.to_str());
    assert_eq!(value("RUSTC_WRAPPER"), Some(""));
    assert_eq!(value("LC_ALL"), Some("C"));
    assert_eq!(value("TZ"), Some("UTC"));
    assert_eq!(value("CARGO_INCREMENTAL"), Some("0"));
    let time = workspace.git(&["log", "-1", "--format=%ct"]);
    assert_eq!(value("SOURCE_DATE_EPOCH"), Some(time.as_str()));
    let flags = value("CARGO_ENCODED_RUSTFLAGS").unwrap();
    let home = value("CARGO_HOME").unwrap();
    assert!(
        flags.contains(&format!("--remap-path-prefix={home}=/cargo")),
        "{flags}"
    );
    assert!(flags.contains("=/rustc/c0ffee"), "{flags}");
    assert!(flags.ends_with("=/src"), "{flags}");
}

#[test]
fn a_failed_build_leaves_the_old_artifacts_and_no_temporary_files() {
    let workspace = Workspace::new();
    let out = workspace.root().join("docs/eval/out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("SHA256SUMS"), "old").unwrap();
    let before = snapshot(&workspace.root().join("docs"));
    workspace.check(&["repro"], exit::BUILD, "error: no such crate");
    assert_eq!(snapshot(&workspace.root().join("docs")), before);
    assert_eq!(fs::read_dir(workspace.temporary()).unwrap().count(), 0);
}

#[test]
fn a_kept_tree_is_named() {
    let workspace = Workspace::new();
    let (_, stderr) = workspace.check(&["repro", "--keep-temp"], exit::BUILD, "kept ");
    let kept = stderr
        .lines()
        .find_map(|line| line.strip_prefix("kept "))
        .unwrap();
    assert!(fs::metadata(kept).unwrap().is_dir());
}

#[test]
fn offline_forbids_cargo_the_network() {
    let workspace = Workspace::new();
    let seen = workspace.beside("args");
    let script = format!(
        "echo \"$@\" >> '{}'\ncase \"$1\" in --version) echo release: 1.95.0;; metadata) echo '{{\"packages\":[]}}';; *) exit 101;; esac",
        seen.display()
    );
    workspace.program("cargo", &script);
    // What cargo was told when it fetched, and when it built.
    let told = |args: &[&str]| {
        fs::remove_file(&seen).ok();
        workspace.check(args, exit::BUILD, "command failed");
        let seen = fs::read_to_string(&seen).unwrap();
        let line = |command: &str| seen.lines().find(|line| line.starts_with(command));
        ["metadata ", "build "].map(|command| line(command).unwrap().to_owned())
    };
    // What is built was fetched before, so only fetching needs the network.
    let [fetch, build] = told(&["repro"]);
    assert!(
        fetch.contains(" --locked ") && !fetch.contains("--offline"),
        "{fetch}"
    );
    let says = "build --release --locked --manifest-path ";
    assert!(
        build.starts_with(says) && build.ends_with(" --offline"),
        "{build}"
    );
    let [fetch, build] = told(&["repro", "--offline", "--jobs", "3"]);
    assert!(fetch.ends_with(" --offline"), "{fetch}");
    assert!(build.ends_with(" --offline --jobs 3"), "{build}");
    workspace.check(
        &["repro", "--offline"],
        exit::BUILD,
        "hint: where crates are missing: cargo fetch",
    );
}

#[test]
fn what_is_known_about_the_network_is_said_and_never_assumed() {
    let workspace = Workspace::new();
    let seen = workspace.beside("interfaces");
    let script = format!("cat /proc/self/net/dev > '{}'", seen.display());
    if !workspace.builds(&script) {
        return;
    }
    let mut number = 0;
    let mut network = |more: &[&str]| {
        number += 1;
        let out = format!(
            "--out={}",
            workspace.beside(&format!("out-{number}")).display()
        );
        let args = [
            "repro",
            "--scenario=hb-chain",
            "--ops=20",
            "--format=json",
            &out,
        ];
        let (json, _) = workspace.check(&[&args, more].concat(), exit::SUCCESS, "");
        let report: serde_json::Value = serde_json::from_str(&json).unwrap();
        report["network"].as_str().unwrap().to_owned()
    };
    assert_eq!(network(&[]), "allowed");
    let known = network(&["--offline"]);
    if known == "no-interface" {
        let seen = fs::read_to_string(&seen).unwrap();
        let names: Vec<_> = seen
            .lines()
            .skip(2)
            .filter_map(|line| line.split_once(':'))
            .collect();
        assert!(names.iter().all(|(name, _)| name.trim() == "lo"), "{seen}");
    }
    // Programs on PATH that only pretend are not asked, and nothing of the build goes through them.
    let ran = workspace.beside("ran");
    for (name, script) in [
        ("unshare", "shift 2; exec \"$@\""),
        ("cat", "echo; echo; echo '    lo: 0 0'"),
    ] {
        workspace.program(
            name,
            &format!("echo {name} >> '{}'\n{script}", ran.display()),
        );
    }
    assert_eq!(network(&["--offline"]), known);
    assert!(!ran.exists(), "{:?}", fs::read_to_string(ran));
}
