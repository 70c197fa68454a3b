//! A small workspace with its own git repository, and programs on PATH that stand in for cargo and rustc.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A build that fails at once.
pub(crate) const BROKEN: &str = "echo 'error: no such crate' >&2; exit 101";

/// A fake `rustc` of the release that the workspace pins, which has no sysroot, so that nothing else of it is found.
const PINNED_RUSTC: &str = "case \"$1\" in --print) echo /nowhere/sysroot;; \
    *) printf 'release: 1.95.0\\ncommit-hash: c0ffee\\nhost: x86_64-unknown-linux-gnu\\n';; esac";

/// The file that tells a source archive what it was made of, as it is committed.
pub(crate) const ORIGIN: &str = "$Format:%H$\n$Format:%ct$\n$Format:%T$\n";

/// A workspace in a directory of its own.
pub(crate) struct Workspace {
    dir: TempDir,
}

impl Workspace {
    /// A committed workspace whose `cargo` fails.
    pub(crate) fn new() -> Self {
        let workspace = Self::without_git();
        workspace.git(&["init", "--quiet", "--initial-branch=main"]);
        workspace.commit();
        workspace
    }

    /// The same files without a repository.
    pub(crate) fn without_git() -> Self {
        let workspace = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for dir in [
            "bin",
            "tmp",
            "home",
            "root/xtask",
            "root/docs/eval",
            "root/scripts",
        ] {
            fs::create_dir_all(workspace.dir.path().join(dir)).unwrap();
        }
        workspace.write("Cargo.toml", "[workspace.package]\nversion = \"0.1.0\"\n");
        workspace.write("Cargo.lock", "version = 4\n");
        workspace.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"\n");
        workspace.write(".gitignore", "/target\n/docs/eval/out/\n");
        workspace.write(".gitattributes", "xtask/commit.txt export-subst\n* -text\n");
        workspace.write("xtask/commit.txt", ORIGIN);
        workspace.write("docs/eval/README.md", "line\r\n");
        workspace.write("scripts/tool", "#!/bin/sh\n");
        set_mode(&workspace.root().join("scripts/tool"), 0o755);
        workspace.program("rustc", PINNED_RUSTC);
        workspace.cargo_build(BROKEN);
        workspace
    }

    /// The top of the workspace.
    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// A path beside the workspace.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file of the workspace.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.root().join(path), text).unwrap();
    }

    /// Puts a shell script on PATH.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.dir.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        set_mode(&path, 0o755);
    }

    /// Puts a `cargo` on PATH whose builds are these shell commands, started at the top of the tree that is built.
    /// What else it is asked it answers as the pinned cargo would of a workspace without crates.
    pub(crate) fn cargo_build(&self, script: &str) {
        let answers = "case \"$1\" in\n\
            --version) printf 'cargo 1.95.0\\nrelease: 1.95.0\\n'; exit;;\n\
            metadata) echo '{\"packages\":[]}'; exit;;\n\
            esac\ncd \"$CARGO_TARGET_DIR/..\" || exit\n";
        self.program("cargo", &format!("{answers}{script}"));
    }

    /// Runs git in the workspace.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(args)
            .current_dir(self.root())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything.
    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "state"]);
    }

    /// `xtask` with `args`, as cargo would start it in the workspace.
    pub(crate) fn xtask<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut path = self.dir.path().join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(args)
            .current_dir(self.root())
            .env_remove("CI")
            .env_remove("CARGO_HOME")
            .env_remove("RUSTUP_TOOLCHAIN")
            .env("CARGO_MANIFEST_DIR", self.root().join("xtask"))
            .env("HOME", self.dir.path().join("home"))
            .env("TMPDIR", self.temporary())
            .env("PATH", path);
        command
    }

    /// Runs `xtask` and requires its exit code and a text on standard error; returns both streams.
    pub(crate) fn check<A: AsRef<OsStr>>(
        &self,
        args: &[A],
        code: u8,
        says: &str,
    ) -> (String, String) {
        check(&mut self.xtask(args), code, says)
    }

    /// Lets `cargo` put the programs of this test run where a build would put its own, which takes no time, and run
    /// the shell commands `then`. False where there is no `ecac`, which only a test run of the whole workspace builds.
    pub(crate) fn builds(&self, then: &str) -> bool {
        let xtask = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let ecac = xtask.with_file_name("ecac");
        if !ecac.exists() {
            skipped("there is no ecac; run cargo test --workspace");
            return false;
        }
        // What the tree is made of is asked of the real cargo.
        let cargo = Path::new(env!("CARGO"));
        let script = format!(
            "if [ \"$1\" != build ]; then RUSTC='{}' exec '{}' \"$@\"; fi\n\
             cd \"$CARGO_TARGET_DIR/..\" && mkdir -p target/release && cp '{}' '{}' target/release\n{then}",
            cargo.with_file_name("rustc").display(),
            cargo.display(),
            xtask.display(),
            ecac.display()
        );
        self.program("cargo", &script);
        fs::create_dir_all(self.root().join("crates/cli")).unwrap();
        self.write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/cli\"]\nresolver = \"3\"\n[workspace.package]\nversion = \"0.1.0\"\n",
        );
        self.write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"ecac-cli\"\nversion = \"0.1.0\"\n",
        );
        self.write(
            "crates/cli/Cargo.toml",
            "[package]\nname = \"ecac-cli\"\nversion.workspace = true\nedition = \"2024\"\nlicense = \"MIT\"\n\
             repository = \"https://example.org/ecac\"\n[[bin]]\nname = \"ecac\"\npath = \"main.rs\"\n",
        );
        self.write("crates/cli/main.rs", "fn main() {}\n");
        self.commit();
        true
    }

    /// Where temporary files go.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.dir.path().join("tmp")
    }
}

/// Says that a test is skipped, past the harness, which shows nothing that a test prints unless it fails.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

/// Runs a command and requires its exit code and a text on standard error; returns both streams.
pub(crate) fn check(command: &mut Command, code: u8, says: &str) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(i32::from(code)), "{stdout}{stderr}");
    assert!(stderr.contains(says), "`{says}` in {stderr}");
    for bad in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
        assert!(!stderr.contains(bad), "{stderr}");
    }
    (stdout, stderr)
}

/// The paths and contents of everything below a directory, links unfollowed.
pub(crate) fn snapshot(dir: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut entries: Vec<_> = walkdir::WalkDir::new(dir)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let bytes = entry
                .file_type()
                .is_file()
                .then(|| fs::read(entry.path()).unwrap());
            (entry.into_path(), bytes)
        })
        .collect();
    entries.sort();
    entries
}

/// Sets the permission bits of a file.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
