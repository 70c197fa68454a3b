//! The source is the commit: what git could be made to say, and what an archive could be made to hold.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecac_artifact::exit;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use ecac_fixture::workspace::{ORIGIN, Workspace, check, set_mode};

/// The text of one file, in the commit and as somebody would like to have it.
const GOOD: &str = "[toolchain]\nchannel = \"1.95.0\"\n# good\n";
const EVIL: &str = "[toolchain]\nchannel = \"1.95.0\"\n# evil\n";
const FILE: &str = "rust-toolchain.toml";

/// A committed workspace with the good file, and a cargo that shows which one it builds.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write(FILE, GOOD);
    workspace.commit();
    workspace.cargo_build(&format!("cat {FILE} xtask/commit.txt >&2; exit 101"));
    workspace
}

/// Requires that `xtask` builds the good file, whatever the repository and `variables` say.
fn builds_the_commit(workspace: &Workspace, what: &str, variables: &[(&str, &Path)]) {
    let mut repro = workspace.xtask(&["repro"]);
    repro.envs(variables.iter().copied());
    let (_, stderr) = check(&mut repro, exit::BUILD, "# good");
    assert!(!stderr.contains("# evil"), "{what}: {stderr}");
    // The clean tree is the commit's to the byte, without the substitutions of an archive.
    assert!(stderr.contains("$Format:%T$"), "{what}: {stderr}");
}

/// Writes an executable file beside the workspace.
fn script(workspace: &Workspace, name: &str, text: &str) -> PathBuf {
    let path = workspace.beside(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    set_mode(&path, 0o755);
    path
}

/// Settings under which git turns the good file into the evil one when it is checked out or put into an archive.
fn filter(workspace: &Workspace) -> [String; 2] {
    let smudge = script(workspace, "smudge", "sed 's/good/evil/'");
    [
        "clean = cat".to_owned(),
        format!("smudge = {}", smudge.display()),
    ]
}

#[test]
fn a_replaced_commit_is_not_exported() {
    let workspace = workspace();
    let head = workspace.git(&["rev-parse", "HEAD"]);
    workspace.write(FILE, EVIL);
    workspace.commit();
    let evil = workspace.git(&["rev-parse", "HEAD"]);
    workspace.git(&["reset", "--quiet", "--hard", &head]);
    builds_the_commit(&workspace, "before", &[]);

    workspace.git(&["replace", &head, &evil]);
    builds_the_commit(&workspace, "git replace", &[]);
    // With the other one checked out, the tree is not that of HEAD.
    workspace.git(&["reset", "--quiet", "--hard"]);
    assert!(fs::read_to_string(workspace.root().join(FILE)).unwrap() == EVIL);
    workspace.check(&["repro"], exit::ENVIRONMENT, &format!("M  {FILE}"));
}

#[test]
fn a_replaced_file_or_tree_is_not_exported() {
    for name in [&format!("HEAD:{FILE}"), "HEAD^{tree}"] {
        let workspace = workspace();
        let good = workspace.git(&["rev-parse", name]);
        workspace.write(FILE, EVIL);
        workspace.commit();
        let evil = workspace.git(&["rev-parse", name]);
        workspace.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        workspace.git(&["replace", &good, &evil]);
        builds_the_commit(&workspace, name, &[]);
    }
}

#[test]
fn grafts_and_commit_graphs_change_nothing() {
    let workspace = workspace();
    let head = workspace.git(&["rev-parse", "HEAD"]);
    let parent = workspace.git(&["rev-parse", "HEAD~1"]);
    fs::create_dir_all(workspace.root().join(".git/info")).unwrap();
    workspace.write(".git/info/grafts", &format!("{head}\n{parent}\n"));
    builds_the_commit(&workspace, "grafts", &[]);
    let file = workspace.beside("grafts");
    fs::write(&file, format!("{head}\n")).unwrap();
    builds_the_commit(&workspace, "GIT_GRAFT_FILE", &[("GIT_GRAFT_FILE", &file)]);
}

#[test]
fn attributes_from_outside_the_commit_change_nothing() {
    let each = "* filter=x ident\nrust-toolchain.toml text eol=crlf\nCargo.lock export-ignore\nrust-toolchain.toml export-subst\n";
    let with = |settings: &str| {
        let workspace = workspace();
        let [clean, smudge] = filter(&workspace);
        let configuration = format!("[filter \"x\"]\n{clean}\n{smudge}\n[core]\n{settings}\n");
        let at = workspace.beside("gitconfig");
        fs::write(&at, configuration).unwrap();
        fs::write(workspace.beside("attributes"), each).unwrap();
        (workspace, at)
    };

    // In the repository.
    let (workspace, at) = with("autocrlf = true\neol = crlf");
    workspace.git(&["config", "include.path", at.to_str().unwrap()]);
    fs::create_dir_all(workspace.root().join(".git/info")).unwrap();
    workspace.write(".git/info/attributes", each);
    builds_the_commit(&workspace, "info/attributes", &[]);

    // A file that the repository names.
    let (workspace, at) = with("");
    workspace.git(&["config", "include.path", at.to_str().unwrap()]);
    let attributes = workspace.beside("attributes");
    workspace.git(&[
        "config",
        "core.attributesFile",
        attributes.to_str().unwrap(),
    ]);
    builds_the_commit(&workspace, "core.attributesFile", &[]);

    // A file that the user names, or the machine.
    for variable in ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"] {
        let (workspace, at) = with("");
        let attributes = workspace.beside("attributes");
        let line = format!("[core]\nattributesFile = {}\n", attributes.display());
        let mut file = fs::OpenOptions::new().append(true).open(&at).unwrap();
        file.write_all(line.as_bytes()).unwrap();
        builds_the_commit(&workspace, variable, &[(variable, &at)]);
    }

    // The usual files of the user.
    let (workspace, at) = with("");
    fs::copy(&at, workspace.beside("home/.gitconfig")).unwrap();
    fs::create_dir_all(workspace.beside("home/.config/git")).unwrap();
    fs::write(workspace.beside("home/.config/git/attributes"), each).unwrap();
    builds_the_commit(&workspace, "home", &[]);
}

#[test]
fn settings_in_the_environment_change_nothing() {
    let workspace = workspace();
    let other = Workspace::new();
    other.write(FILE, EVIL);
    other.commit();
    let (git, root) = (other.root().join(".git"), other.root());
    let hook = script(
        &workspace,
        "hook",
        &format!("echo ran > {}", workspace.beside("ran").display()),
    );
    let text = Path::new;
    for variables in [
        vec![("GIT_DIR", &*git), ("GIT_WORK_TREE", &*root)],
        vec![("GIT_INDEX_FILE", &*root)],
        vec![("GIT_OBJECT_DIRECTORY", &*root)],
        vec![("GIT_ALTERNATE_OBJECT_DIRECTORIES", &*root)],
        vec![("GIT_COMMON_DIR", &*git)],
        vec![("GIT_NAMESPACE", text("x"))],
        vec![("GIT_CEILING_DIRECTORIES", text("/"))],
        vec![("GIT_REPLACE_REF_BASE", text("refs/heads/"))],
        vec![("GIT_ATTR_SOURCE", text("HEAD"))],
        vec![("GIT_EXEC_PATH", text("/nowhere"))],
        vec![("GIT_EXTERNAL_DIFF", &*hook), ("GIT_PAGER", &*hook)],
        vec![("GIT_ICASE_PATHSPECS", text("1"))],
        vec![
            ("GIT_CONFIG_COUNT", text("1")),
            ("GIT_CONFIG_KEY_0", text("core.fsmonitor")),
            ("GIT_CONFIG_VALUE_0", &*hook),
        ],
        vec![("GIT_CONFIG_PARAMETERS", text("'core.autocrlf'='true'"))],
        vec![("GIT_TRACE", text("1"))],
    ] {
        let what = format!("{variables:?}");
        builds_the_commit(&workspace, &what, &variables);
    }
    assert!(!workspace.beside("ran").exists());
}

#[test]
fn settings_of_the_repository_run_nothing_and_change_nothing() {
    let workspace = workspace();
    let ran = workspace.beside("ran");
    let hook = script(
        &workspace,
        "hook",
        &format!("echo ran >> {}", ran.display()),
    );
    let hook = hook.to_str().unwrap();
    for (key, value) in [
        ("core.fsmonitor", hook),
        ("core.hooksPath", workspace.beside("").to_str().unwrap()),
        ("core.pager", hook),
        ("core.untrackedCache", "true"),
        ("core.ignoreStat", "true"),
        ("core.fileMode", "false"),
        ("core.commitGraph", "true"),
        ("core.quotePath", "true"),
        ("diff.external", hook),
        ("status.showUntrackedFiles", "no"),
        ("log.showSignature", "true"),
        ("gpg.program", hook),
        ("tar.umask", "0077"),
    ] {
        workspace.git(&["config", key, value]);
    }
    builds_the_commit(&workspace, "settings", &[]);
    assert!(!ran.exists(), "a program of the settings ran");
}

#[test]
fn edits_that_git_is_told_to_overlook_are_not_built() {
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        let workspace = workspace();
        workspace.git(&["update-index", flag, FILE]);
        workspace.write(FILE, EVIL);
        builds_the_commit(&workspace, flag, &[]);
    }
}

/// Puts an object into the repository under the id of another one.
fn forge(workspace: &Workspace, id: &str, kind: &str, content: &[u8]) {
    let path = workspace
        .root()
        .join(".git/objects")
        .join(&id[..2])
        .join(&id[2..]);
    let mut object = ZlibEncoder::new(Vec::new(), Compression::default());
    write!(object, "{kind} {}\0", content.len()).unwrap();
    object.write_all(content).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(path, object.finish().unwrap()).unwrap();
}

#[test]
fn a_forged_object_is_found_by_its_hash() {
    // A file.
    let workspace = workspace();
    let blob = workspace.git(&["rev-parse", &format!("HEAD:{FILE}")]);
    forge(&workspace, &blob, "blob", EVIL.as_bytes());
    let (_, stderr) = workspace.check(&["repro"], exit::ENVIRONMENT, FILE);
    assert!(stderr.contains("fresh clone"), "{stderr}");
    assert!(!stderr.contains("# evil"), "{stderr}");

    // A commit that names another tree.
    let workspace = self::workspace();
    let head = workspace.git(&["rev-parse", "HEAD"]);
    workspace.write(FILE, EVIL);
    workspace.commit();
    let evil = workspace.git(&["cat-file", "commit", "HEAD"]);
    workspace.git(&["reset", "--quiet", "--hard", &head]);
    forge(&workspace, &head, "commit", format!("{evil}\n").as_bytes());
    let (_, stderr) = workspace.check(&["repro"], exit::ENVIRONMENT, "");
    assert!(
        stderr.contains("fresh clone") || stderr.contains("git"),
        "{stderr}"
    );
    assert!(!stderr.contains("# evil"), "{stderr}");
}

#[test]
fn what_is_no_file_is_not_exported() {
    let workspace = workspace();
    std::os::unix::fs::symlink("Cargo.toml", workspace.root().join("link")).unwrap();
    workspace.commit();
    let says = "link is neither a regular file nor a directory: its mode is 120000";
    workspace.check(&["repro"], exit::ENVIRONMENT, says);
}

/// An archive of HEAD, unpacked beside the workspace, and the command that builds it.
fn unpacked(workspace: &Workspace) -> (PathBuf, Command) {
    let archive = workspace.beside("archive");
    fs::create_dir(&archive).unwrap();
    workspace.git(&["archive", "--output=../archive.tar", "HEAD"]);
    let status = Command::new("tar")
        .arg("-xf")
        .arg(workspace.beside("archive.tar"))
        .current_dir(&archive)
        .status();
    assert!(status.unwrap().success());
    let mut repro = workspace.xtask(&["repro", "--out", "../out"]);
    repro
        .current_dir(&archive)
        .env("CARGO_MANIFEST_DIR", archive.join("xtask"));
    (archive, repro)
}

#[test]
fn an_archive_is_the_tree_of_its_commit() {
    let workspace = workspace();
    let (head, tree) = (
        workspace.git(&["rev-parse", "HEAD"]),
        workspace.git(&["rev-parse", "HEAD^{tree}"]),
    );
    let (archive, mut repro) = unpacked(&workspace);
    let text = fs::read_to_string(archive.join("xtask/commit.txt")).unwrap();
    let [commit, _, of] = text.lines().collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    assert_eq!((commit, of), (head.as_str(), tree.as_str()));
    // What a build leaves in the archive is no part of it. The built tree holds what the commit does.
    fs::create_dir_all(archive.join("target/debug")).unwrap();
    fs::write(archive.join("target/debug/x"), "").unwrap();
    let (_, stderr) = check(&mut repro, exit::BUILD, "# good");
    assert!(stderr.contains(ORIGIN.lines().next().unwrap()), "{stderr}");
}

#[test]
fn an_edited_archive_is_refused_and_what_was_edited_is_named() {
    /// A change of the archive, and what is said of it.
    type Case = (&'static str, fn(&Path), &'static str);
    let cases: [Case; 6] = [
        (
            "edited",
            |archive| fs::write(archive.join(FILE), EVIL).unwrap(),
            "unpacked:\n  rust-toolchain.toml\n",
        ),
        (
            "added",
            |archive| fs::write(archive.join("xtask/un\ttracked.rs"), "").unwrap(),
            "unpacked:\n  xtask/un\\ttracked.rs\n",
        ),
        (
            "removed",
            |archive| fs::remove_file(archive.join("Cargo.lock")).unwrap(),
            "no file is younger than the commit, so one is missing",
        ),
        (
            "another mode",
            |archive| set_mode(&archive.join("scripts/tool"), 0o644),
            "these are not the files of commit",
        ),
        (
            "a link",
            |archive| {
                fs::remove_file(archive.join("Cargo.lock")).unwrap();
                std::os::unix::fs::symlink("/dev/null", archive.join("Cargo.lock")).unwrap();
            },
            "Cargo.lock is not a regular file",
        ),
        (
            "another tree named",
            |archive| {
                let path = archive.join("xtask/commit.txt");
                let text = fs::read_to_string(&path).unwrap();
                let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
                lines[2] = "0".repeat(40);
                fs::write(path, format!("{}\n", lines.join("\n"))).unwrap();
            },
            "its tree is 0000",
        ),
    ];
    for (what, edit, says) in cases {
        let workspace = workspace();
        let (archive, mut repro) = unpacked(&workspace);
        edit(&archive);
        let (_, stderr) = check(&mut repro, exit::ENVIRONMENT, says);
        assert!(!stderr.contains("# evil"), "{what}: {stderr}");
        assert!(!stderr.contains("cargo build"), "{what}: {stderr}");
    }
}
