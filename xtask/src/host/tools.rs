//! The two programs that know advisories and licences, at one version each.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ecac_artifact::exit;
use xshell::Shell;

use super::environment::Variable;
use super::error::Failure;
use super::output;
use super::process;
use super::progress::Progress;

/// A program of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Its crate and its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// Compares a lockfile with the advisory database and the index of the registry.
pub const CARGO_AUDIT: Tool = Tool {
    name: "cargo-audit",
    version: "0.22.2",
};

/// Checks advisories, licences, sources and duplicates by `deny.toml`.
pub const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
};

/// Where programs are installed, relative to the workspace.
pub const DIRECTORY: &str = "target/tools";

/// The two programs by name, and whether each is installed.
#[must_use]
pub fn installed(root: &Path) -> [(&'static str, bool); 2] {
    [CARGO_AUDIT, CARGO_DENY].map(|tool| (tool.name, tool.path(root).is_file()))
}

/// Refuses to go on without a network where a program is still to be installed.
pub fn require_installed(root: &Path) -> Result<(), Failure> {
    let missing: Vec<_> = [CARGO_AUDIT, CARGO_DENY]
        .into_iter()
        .filter(|tool| !tool.path(root).is_file())
        .map(|tool| format!("{} {}", tool.name, tool.version))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "not installed in {DIRECTORY}, and --offline installs nothing: {}",
        missing.join(", ")
    );
    Err(Failure::environment(message).hint("cargo xtask audit --install, while there is a network"))
}

impl Tool {
    /// Where it is once it is installed.
    pub fn path(self, root: &Path) -> PathBuf {
        let program = format!("{}{}", self.name, env::consts::EXE_SUFFIX);
        self.directory(root).join("bin").join(program)
    }

    fn directory(self, root: &Path) -> PathBuf {
        root.join(DIRECTORY)
            .join(format!("{}-{}", self.name, self.version))
    }

    /// Installs it unless it is there, and requires that it is the version that is meant.
    pub fn provide(
        self,
        root: &Path,
        variables: &[Variable],
        progress: &Progress,
    ) -> Result<PathBuf> {
        let path = self.path(root);
        if !path.is_file() {
            self.install(root, variables, progress)?;
        }
        let shell = Shell::new().context("find the working directory")?;
        let command = shell.cmd(&path).arg("--version").env_clear();
        let command = command.envs(variables.iter().map(|(name, value)| (name, value)));
        let stdout = process::run(progress, command)?.require(exit::ENVIRONMENT)?;
        let says = String::from_utf8_lossy(&stdout);
        let Tool { name, version } = self;
        if says.trim() != format!("{name} {version}") {
            let message = format!(
                "{} says that it is `{}`, not {name} {version}",
                path.display(),
                says.trim()
            );
            let hint = format!(
                "remove {}, and run the command again",
                self.directory(root).display()
            );
            return Err(Failure::environment(message).hint(hint).into());
        }
        Ok(path)
    }

    fn install(self, root: &Path, variables: &[Variable], progress: &Progress) -> Result<()> {
        let Tool { name, version } = self;
        output::note(&format!(
            "installing {name} {version} into {DIRECTORY}, once; it takes some minutes\n"
        ));
        let shell = Shell::new().context("find the working directory")?;
        // The compiler that the workspace pins is the one that rustup finds from here.
        shell.change_dir(root);
        let command = shell
            .cmd("cargo")
            .args(["install", name, "--version", &format!("={version}")])
            .args(["--locked", "--debug", "--root"])
            .arg(self.directory(root))
            .arg("--target-dir")
            .arg(root.join(DIRECTORY).join("build"))
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)));
        process::run(progress, command)?.require(exit::BUILD)?;
        Ok(())
    }
}
