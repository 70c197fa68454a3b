//! The release build in a clean tree.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use ecac_artifact::exit;
use serde::{Deserialize, Serialize};
use xshell::Shell;

use crate::host::process;
use crate::host::progress::Progress;
use crate::host::toolchain::Compiler;
use crate::host::workspace;
use crate::reproduce::closed::Closed;
use crate::reproduce::gate;

/// How the clean tree is built.
#[derive(Debug, Clone, PartialEq, Eq, Default, Args)]
pub struct BuildArgs {
    /// How many crates to compile at a time; the binaries are the same for every number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: Option<u32>,
    /// Forbid cargo the network, and build and run without a network interface where user namespaces are there
    #[arg(long)]
    pub offline: bool,
    /// Leave the clean tree behind and say where it is
    #[arg(long)]
    pub keep_temp: bool,
}

/// The programs that a build made.
#[derive(Debug)]
pub struct Built {
    /// The engine's program.
    pub ecac: PathBuf,
    /// This program.
    pub xtask: PathBuf,
    /// What compiled them.
    pub compiler: Compiler,
}

/// Digests of the programs that a build made: the same on every machine with the same target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryDigests {
    /// SHA-256 of `ecac`.
    pub ecac_sha256: String,
    /// SHA-256 of `xtask`.
    pub xtask_sha256: String,
}

impl Built {
    /// The digests of both programs.
    pub fn digests(&self) -> Result<BinaryDigests> {
        let digest = |path: &Path| {
            let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
            anyhow::Ok(workspace::sha256_hex(&bytes))
        };
        Ok(BinaryDigests {
            ecac_sha256: digest(&self.ecac)?,
            xtask_sha256: digest(&self.xtask)?,
        })
    }
}

/// Builds the product, which is the default members of the workspace, in a clean tree and checks that no path of this machine is in the binaries.
pub fn release(closed: &Closed, args: &BuildArgs, progress: &Progress) -> Result<Built> {
    let shell = Shell::new().context("find the working directory")?;
    let mut command = closed.cargo(&shell, &["build", "--release"])?;
    if let Some(jobs) = args.jobs {
        command = command.args(["--jobs", &jobs.to_string()]);
    }
    process::run(progress, command)?.require_or(exit::BUILD, closed.hint())?;

    let release = closed.tree().join("target/release");
    let program = |name: &str| release.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let (ecac, xtask) = (program("ecac"), program("xtask"));
    gate::check(&[ecac.clone(), xtask.clone()], closed.secret_paths())?;
    Ok(Built {
        ecac,
        xtask,
        compiler: closed.toolchain().compiler.clone(),
    })
}
