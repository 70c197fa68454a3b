//! A workspace that is audited, with a database of one advisory, and tools that do as they are told.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use ecac_fixture::workspace::{Workspace, skipped};

/// Where the versions of the tools are pinned.
const PINS: &str = include_str!("../../../../xtask/src/host/tools.rs");

const DENY: &str = r#"
[advisories]
unmaintained = "all"
unsound = "all"
yanked = "deny"
unused-ignored-advisory = "deny"
ignore = [
    # Ignored.
]

[licenses]
allow = ["MIT"]
unused-allowed-license = "deny"
unused-license-exception = "deny"

[sources]
unknown-registry = "deny"
unknown-git = "deny"
"#;

/// The day on which the fixtures are audited.
pub(crate) const TODAY: &str = "2026-09-01";

/// What a cargo-audit prints that found nothing among one advisory.
pub(crate) const CLEAN_AUDIT: &str = r#"{"database":{"advisory-count":1},"lockfile":{"dependency-count":2},"vulnerabilities":{"found":false,"list":[]},"warnings":{}}"#;

/// What a cargo-deny prints that found nothing.
pub(crate) const CLEAN_DENY: &str = r#"{"type":"summary","fields":{"advisories":{"errors":0},"bans":{"errors":0},"licenses":{"errors":0},"sources":{"errors":0}}}"#;

/// A workspace with one crate, and a database with one advisory beside it.
pub(crate) struct Fixture {
    pub(crate) workspace: Workspace,
}

impl Fixture {
    /// The advisory is about the crate `krate`.
    pub(crate) fn new(krate: &str) -> Self {
        let workspace = Workspace::new();
        let fixture = Self { workspace };
        fixture.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"app\"]\n",
        );
        fixture.write("deny.toml", DENY);
        fixture.package("MIT", "");
        let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
        fixture.write("Cargo.lock", lock);
        let dir = fixture.database().join("crates").join(krate);
        fs::create_dir_all(&dir).unwrap();
        let advisory = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-9001\"\npackage = \"{krate}\"\ndate = \"2026-08-20\"\n\n\
             [versions]\npatched = [\">= 99.0.0\"]\n```\n\n# A made-up hole\n\nNothing is wrong.\n"
        );
        fs::write(dir.join("RUSTSEC-2026-9001.md"), advisory).unwrap();
        fixture
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.workspace.root()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.workspace.beside("db")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes the manifest of the crate `app`.
    pub(crate) fn package(&self, license: &str, rest: &str) {
        let text = format!(
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"{license}\"\n{rest}"
        );
        self.write("app/Cargo.toml", &text);
        self.write("app/src/lib.rs", "");
    }

    /// Lets `deny.toml` ignore the advisory, with this comment above.
    pub(crate) fn ignore(&self, comment: &str) {
        let entry = format!("    {comment}\n    \"RUSTSEC-2026-9001\",\n");
        self.write("deny.toml", &DENY.replace("    # Ignored.\n", &entry));
    }

    /// Puts shell scripts in the place of the tools.
    pub(crate) fn fake_tools(&self, audit: &str, deny: &str) {
        for (name, script) in [("cargo-audit", audit), ("cargo-deny", deny)] {
            let version = pinned(name);
            let says =
                format!("[ \"$1\" = --version ] && {{ echo '{name} {version}'; exit; }}\n{script}");
            self.workspace.program(name, &says);
            let dir = self
                .root()
                .join(format!("target/tools/{name}-{version}/bin"));
            fs::create_dir_all(&dir).unwrap();
            fs::rename(self.workspace.beside("bin").join(name), dir.join(name)).unwrap();
        }
    }

    /// The arguments of an audit with the database.
    pub(crate) fn args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = ["audit", "--offline", "--today", TODAY, "--advisory-db"]
            .map(Into::into)
            .into();
        args.push(self.database().into());
        args
    }

    pub(crate) fn check(&self, more: &[&str], code: u8, says: &str) -> (String, String) {
        let args: Vec<_> = self
            .args()
            .into_iter()
            .chain(more.iter().map(Into::into))
            .collect();
        self.workspace.check(&args, code, says)
    }

    /// The same with the installed tools and the real cargo; `None` where the tools are not there.
    pub(crate) fn audit(&self) -> Option<Command> {
        let tools = repository().join("target/tools");
        for name in ["cargo-audit", "cargo-deny"] {
            let program = tools.join(format!("{name}-{}/bin/{name}", pinned(name)));
            if !program.is_file() {
                skipped(&format!(
                    "{name} is not installed; run cargo xtask audit --install"
                ));
                return None;
            }
        }
        fs::create_dir_all(self.root().join("target")).unwrap();
        symlink(tools, self.root().join("target/tools")).unwrap();
        let mut command = self.workspace.xtask(&self.args());
        for program in ["cargo", "rustc"] {
            fs::remove_file(self.workspace.beside("bin").join(program)).unwrap();
        }
        command
            .env("CARGO_HOME", home("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", home("RUSTUP_HOME", ".rustup"));
        Some(command)
    }
}

/// The version of a tool that the source pins.
pub(crate) fn pinned(name: &str) -> String {
    let (_, rest) = PINS
        .split_once(&format!("name: \"{name}\",\n    version: \""))
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn repository() -> PathBuf {
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap());
    manifest_dir.ancestors().nth(2).unwrap().to_owned()
}

fn home(variable: &str, below: &str) -> PathBuf {
    let default = || PathBuf::from(env::var_os("HOME").unwrap()).join(below);
    env::var_os(variable).map_or_else(default, Into::into)
}

/// The entry of a crate in the lockfile of the repository.
fn locked(name: &str) -> String {
    let lockfile = fs::read_to_string(repository().join("Cargo.lock")).unwrap();
    let mut entries = lockfile.split("[[package]]\n");
    let entry = entries.find(|entry| entry.starts_with(&format!("name = \"{name}\"\n")));
    format!("[[package]]\n{}", entry.unwrap())
}

/// Lets the crate depend on `hex`, which the workspace itself does, so that it is there without a network.
pub(crate) fn with_hex(fixture: &Fixture) {
    fixture.package("MIT", "\n[dependencies]\nhex = \"=0.4.3\"\n");
    let app = "[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"hex\",\n]\n";
    fixture.write(
        "Cargo.lock",
        &format!("version = 4\n\n{app}\n{}", locked("hex")),
    );
}
