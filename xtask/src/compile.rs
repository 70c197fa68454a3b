//! The release build in a clean tree.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use ecac_artifact::exit;
use serde::Serialize;
use xshell::{Shell, cmd};

use crate::environment::Inherited;
use crate::gate;
use crate::preflight;
use crate::process;
use crate::progress::Progress;

/// How the clean tree is built.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct BuildArgs {
    /// How many crates to compile at a time; the binaries are the same for every number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) jobs: Option<u32>,
    /// Forbid cargo the network, and build without a network interface where user namespaces are there
    #[arg(long)]
    pub(crate) offline: bool,
    /// Leave the clean tree behind and say where it is
    #[arg(long)]
    pub(crate) keep_temp: bool,
}

/// What is known about the network during the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Network {
    /// Cargo may have used it.
    Allowed,
    /// Cargo was told not to use it, and there was no interface: proven.
    NoInterface,
    /// Cargo was told not to use it: not proven.
    ForbiddenToCargo,
}

impl Network {
    /// One line for the summary.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Allowed => "allowed; pass --offline to forbid it",
            Self::NoInterface => "none; proven, the build had no network interface",
            Self::ForbiddenToCargo => "forbidden to cargo; not proven, no user namespaces here",
        }
    }
}

/// The programs that a build made.
#[derive(Debug)]
pub(crate) struct Built {
    /// The engine's program.
    pub(crate) ecac: PathBuf,
    /// This program.
    pub(crate) xtask: PathBuf,
    /// What is known about the network.
    pub(crate) network: Network,
}

/// Builds the workspace in `tree` and checks that no path of this machine is in the binaries.
pub(crate) fn release(
    tree: &Path,
    source_date_epoch: u64,
    args: &BuildArgs,
    progress: &Progress,
) -> Result<Built> {
    let inherited = Inherited::for_tree(tree)?;
    let sysroot = preflight::sysroot(tree, &inherited.variables, progress)?;
    let variables = inherited.build(tree, source_date_epoch, &sysroot)?;
    let network = match args.offline {
        false => Network::Allowed,
        true if has_user_namespaces(progress)? => Network::NoInterface,
        true => Network::ForbiddenToCargo,
    };

    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(tree);
    let mut command = match network {
        Network::NoInterface => cmd!(shell, "unshare --map-root-user --net cargo"),
        Network::Allowed | Network::ForbiddenToCargo => cmd!(shell, "cargo"),
    };
    command = command.args(["build", "--workspace", "--locked", "--release"]);
    if args.offline {
        command = command.arg("--offline");
    }
    if let Some(jobs) = args.jobs {
        command = command.args(["--jobs", &jobs.to_string()]);
    }
    let command = command
        .env_clear()
        .envs(variables.iter().map(|(name, value)| (name, value)));
    process::run(progress, command)?.require(exit::BUILD)?;

    let release = tree.join("target/release");
    let program = |name: &str| release.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let (ecac, xtask) = (program("ecac"), program("xtask"));
    gate::check(
        &[ecac.clone(), xtask.clone()],
        &inherited.secret_paths(tree),
    )?;
    Ok(Built {
        ecac,
        xtask,
        network,
    })
}

/// True where an unprivileged process can have a network namespace of its own.
fn has_user_namespaces(progress: &Progress) -> Result<bool> {
    if !cfg!(target_os = "linux") {
        return Ok(false);
    }
    let shell = Shell::new().context("find the working directory")?;
    let probe = process::run(progress, cmd!(shell, "unshare --map-root-user --net true"));
    crate::interrupt::check()?;
    Ok(probe.is_ok_and(|probe| probe.status.success()))
}
