//! A closed build: cargo in a clean tree, where nothing but the tree and the crates of its lock file reaches it.
//!
//! Cargo reads configuration in every folder from its working directory upwards, in CARGO_HOME and in the environment,
//! and finds its programs through all three. So it works in the topmost folder, where only the owner of the machine
//! writes, has a home of its own ([`CargoHome`]), is given its programs ([`Toolchain`], [`Linker`]) and knows no variable
//! that is not meant for it. It fetches first; then it builds with what it has, and that was held to `Cargo.lock`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ecac_artifact::exit;
use serde::{Deserialize, Serialize};
use xshell::{Cmd, Shell};

use crate::host::environment::{Inherited, Variable};
use crate::host::error::Failure;
use crate::host::interrupt;
use crate::host::network::Network;
use crate::host::process;
use crate::host::progress::Progress;
use crate::host::toolchain::{self, Linker, Toolchain};
use crate::host::workspace;
use crate::reproduce::cargo_home::CargoHome;
use crate::reproduce::package::Package;
use crate::reproduce::tmpdir;
use crate::reproduce::{flags, given};
use crate::source::lockfile::Checksums;

/// The folder in which cargo keeps the sources of crates.io, which names them in the binaries, too.
const CRATES_IO: &str = "index.crates.io-1949cf8c6b5b557f";

/// What helps where a crate is not there and may not be fetched.
const FETCH: &str =
    "where crates are missing: cargo fetch --locked, with a network, and then again";

/// What is built, and how much of the network cargo may use to fetch.
pub struct Request<'a> {
    /// The clean tree.
    pub tree: &'a Path,
    /// The directory in which the home of the build is made.
    pub work: &'a Path,
    /// When the commit was made, in seconds since 1970.
    pub source_date_epoch: u64,
    /// The targets that cargo is asked about beside this machine.
    pub targets: &'a [&'a str],
    /// Whether crates may be fetched, and how.
    pub network: Network,
}

/// A tree that can be built.
#[derive(Debug)]
pub struct Closed {
    tree: PathBuf,
    toolchain: Toolchain,
    network: Network,
    variables: Vec<Variable>,
    secrets: Vec<PathBuf>,
    taken_over: TakenOver,
}

/// What of this machine took part: provenance that differs from machine to machine, and the binaries may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenOver {
    /// The compiler.
    pub rustc: String,
    /// SHA-256 of it.
    pub rustc_sha256: String,
    /// The linker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linker: Option<String>,
    /// The file that it leads to, all links resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linker_file: Option<String>,
    /// SHA-256 of that file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linker_sha256: Option<String>,
    /// What the linker says of itself, which stands in the binaries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linker_version: Option<String>,
    /// Where the user's configuration of cargo is, of which these keys said how crates are fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The keys, without their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// Variables of the environment that were set and said how crates are fetched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
}

/// What `cargo metadata` says of the crates.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

impl Closed {
    /// Finds the programs, fetches the crates and holds each to the checksum that `Cargo.lock` of the tree has of it, and
    /// the index to the crates.
    pub fn prepare(request: &Request<'_>, progress: &Progress) -> Result<Self> {
        let Request {
            tree,
            work,
            network,
            ..
        } = *request;
        tmpdir::check_configuration(work)?;
        refuse_target(tree)?;
        let inherited = Inherited::for_tree(tree)?;
        let toolchain = Toolchain::find(tree, Some(&inherited.variables), progress)?;
        let linker = Linker::find(progress)?;
        let home = CargoHome::create(create(work, "cargo")?, inherited.cargo_home.as_deref())?;
        let mut closed = Self {
            tree: tree.to_owned(),
            variables: given::fetching(&inherited, &toolchain, home.path()),
            secrets: inherited.secret_paths(work),
            taken_over: TakenOver::of(&home, &toolchain, linker.as_ref(), &inherited)?,
            toolchain,
            network,
        };
        let host = closed.toolchain.compiler.host.clone();
        let mut args = vec!["metadata", "--format-version=1", "--filter-platform", &host];
        let targets = request.targets.iter().filter(|target| **target != host);
        for target in targets {
            args.extend(["--filter-platform", target]);
        }
        let metadata = closed.ask(&args, network, progress)?;
        let metadata: Metadata =
            serde_json::from_str(&metadata).context("read what cargo says of the crates")?;
        let checksums = Checksums::of_tree(tree)?;
        let mut registries = Vec::new();
        for package in &metadata.packages {
            interrupt::check()?;
            if let Some(registry) = package.check(tree, &home, &checksums)?
                && !registries.contains(&registry)
            {
                registries.push(registry);
            }
        }
        home.seal()?;

        let flags = flags::encoded_rustflags(
            tree,
            home.path(),
            &remapped(&home, &registries),
            &closed.toolchain,
        )?;
        let path = match &linker {
            Some(linker) => toolchain::search_path(&linker.path)?,
            None => env::var_os("PATH").unwrap_or_default(),
        };
        let build = given::Build {
            tree,
            cargo_home: home.path(),
            home: &create(work, "home")?,
            temporary: &create(work, "tmp")?,
            path,
            toolchain: &closed.toolchain,
            linker: linker.as_ref().map(|linker| linker.path.as_path()),
            flags,
            source_date_epoch: request.source_date_epoch,
        };
        closed.variables = build.variables(|name| env::var_os(name));
        Ok(closed)
    }

    /// The command that runs cargo on the tree, without a network.
    pub fn cargo<'sh>(&self, shell: &'sh Shell, args: &[&str]) -> Result<Cmd<'sh>> {
        Ok(self.command(shell, args, self.network)?.arg("--offline"))
    }

    /// What cargo prints.
    pub fn read(&self, args: &[&str], progress: &Progress) -> Result<String> {
        self.ask(args, Network::ForbiddenToCargo, progress)
    }

    fn ask(&self, args: &[&str], network: Network, progress: &Progress) -> Result<String> {
        let shell = Shell::new().context("find the working directory")?;
        let is_offline = network != Network::Allowed;
        let command = self.command(&shell, args, network)?;
        let command = command.args(is_offline.then_some("--offline"));
        let hint = is_offline.then_some(FETCH);
        let bytes = process::run(progress, command)?.require_or(exit::ENVIRONMENT, hint)?;
        String::from_utf8(bytes).context("read what cargo printed")
    }

    fn command<'sh>(&self, shell: &'sh Shell, args: &[&str], network: Network) -> Result<Cmd<'sh>> {
        // No configuration lies above the topmost folder, and that of the tree is named.
        shell.change_dir(self.tree.ancestors().last().unwrap_or(&self.tree));
        let command = network.command(shell, &self.toolchain.cargo, &self.variables)?;
        let mut command = command
            .args(args)
            .arg("--locked")
            .arg("--manifest-path")
            .arg(self.tree.join("Cargo.toml"));
        let configuration = self.tree.join(flags::CONFIGURATION);
        if configuration.is_file() {
            command = command.arg("--config").arg(configuration);
        }
        Ok(command)
    }

    /// The hint for a build that fails and may not fetch.
    pub fn hint(&self) -> Option<&'static str> {
        (self.network != Network::Allowed).then_some(FETCH)
    }

    /// The clean tree.
    pub fn tree(&self) -> &Path {
        &self.tree
    }

    /// What builds.
    pub fn toolchain(&self) -> &Toolchain {
        &self.toolchain
    }

    /// Paths of this machine that must not occur in a binary.
    pub fn secret_paths(&self) -> &[PathBuf] {
        &self.secrets
    }

    /// What of this machine took part.
    pub fn taken_over(&self) -> &TakenOver {
        &self.taken_over
    }
}

impl TakenOver {
    fn of(
        home: &CargoHome,
        toolchain: &Toolchain,
        linker: Option<&Linker>,
        inherited: &Inherited,
    ) -> Result<Self> {
        let (configuration, keys) = home.taken_over().unzip();
        let (_, rustc_sha256) = resolved(&toolchain.rustc)?;
        let file = linker.map(|linker| resolved(&linker.path)).transpose()?;
        let (linker_file, linker_sha256) = file.unzip();
        Ok(Self {
            rustc: toolchain.rustc.display().to_string(),
            rustc_sha256,
            linker: linker.map(|linker| linker.path.display().to_string()),
            linker_file: linker_file.map(|file| file.display().to_string()),
            linker_sha256,
            linker_version: linker.map(|linker| linker.version.clone()),
            configuration: configuration.map(|path| path.display().to_string()),
            keys: keys.unwrap_or_default(),
            variables: inherited.names_of_network(),
        })
    }

    /// The lines of the text form.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let (Some(linker), Some(version)) = (&self.linker, &self.linker_version) {
            text.push_str(&format!("linker         {linker}\n  {version}\n"));
        }
        if let Some(sha256) = &self.linker_sha256 {
            text.push_str(&format!("  sha256:{sha256}\n"));
        }
        if let Some(configuration) = &self.configuration {
            text.push_str(&format!("taken over     keys of {configuration}\n"));
            text.extend(self.keys.iter().map(|key| format!("  {key}\n")));
        }
        if !self.variables.is_empty() {
            text.push_str("taken over     variables\n");
            text.extend(self.variables.iter().map(|name| format!("  {name}\n")));
        }
        text
    }
}

/// The file to which a program leads, and SHA-256 of it.
fn resolved(program: &Path) -> Result<(PathBuf, String)> {
    let read = || {
        let file = program.canonicalize()?;
        let bytes = fs::read(&file)?;
        std::io::Result::Ok((file, workspace::sha256_hex(&bytes)))
    };
    read().with_context(|| format!("read {}", program.display()))
}

/// How the folders of registries that stand for crates.io are named in the binaries: as its own.
fn remapped(home: &CargoHome, registries: &[OsString]) -> Vec<(PathBuf, String)> {
    let others = registries
        .iter()
        .filter(|registry| *registry != OsStr::new(CRATES_IO));
    let to = format!("{}/registry/src/{CRATES_IO}", flags::CARGO);
    others
        .map(|registry| (home.sources().join(registry), to.clone()))
        .collect()
}

fn create(work: &Path, name: &str) -> Result<PathBuf> {
    let path = work.join(name);
    fs::create_dir(&path).with_context(|| format!("create {}", path.display()))?;
    Ok(path)
}

/// Refuses a tree whose own configuration builds for a named target: the programs would lie elsewhere, and differ.
fn refuse_target(tree: &Path) -> Result<()> {
    let configuration = flags::configuration(tree)?;
    let build = configuration.get("build");
    if build.and_then(|build| build.get("target")).is_none() {
        return Ok(());
    }
    let message = format!(
        "{} of the tree sets build.target, which puts the programs elsewhere and makes others of them",
        flags::CONFIGURATION
    );
    Err(Failure::environment(message)
        .hint("remove the key and commit; --target on the command line is for use by hand")
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_has_the_name_of_what_it_mirrors() {
        let dir = tempfile::tempdir().unwrap();
        let home = CargoHome::create(dir.path().to_owned(), None).unwrap();
        assert_eq!(
            remapped(&home, &["mirror-0123456789abcdef".into(), CRATES_IO.into()]),
            [(
                home.sources().join("mirror-0123456789abcdef"),
                format!("/cargo/registry/src/{CRATES_IO}")
            )]
        );
    }

    #[test]
    fn a_target_in_the_tree_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        refuse_target(dir.path()).unwrap();
        fs::create_dir(dir.path().join(".cargo")).unwrap();
        for (text, is_refused) in [
            ("[build]\nrustflags = []\n", false),
            ("[build]\ntarget = \"x\"\n", true),
            ("build.target = [\"x\", \"y\"]\n", true),
        ] {
            fs::write(dir.path().join(".cargo/config.toml"), text).unwrap();
            assert_eq!(refuse_target(dir.path()).is_err(), is_refused, "{text}");
        }
    }
}
