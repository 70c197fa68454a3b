//! Running without a network, and saying how much of that is known.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use xshell::{Cmd, Shell};

use crate::host::environment::{self, Variable};
use crate::host::interrupt;
use crate::host::process;
use crate::host::progress::Progress;
use crate::host::toolchain;

/// The program that starts another one in namespaces of its own. It stands between this program and cargo, so it is
/// that of the system.
const UNSHARE: &str = "unshare";

/// With a network of its own, which has a loopback interface that is down.
const WITHOUT_NETWORK: [&str; 2] = ["--map-root-user", "--net"];

/// What is known about the network while the tree was built and the programs ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Cargo may have used it.
    Allowed,
    /// Cargo was told not to use it, and neither the build nor the programs had an interface: proven.
    NoInterface,
    /// Cargo was told not to use it: not proven.
    ForbiddenToCargo,
}

impl Network {
    /// The strictest of what was asked for that this machine can do.
    pub fn choose(offline: bool, progress: &Progress) -> Result<Self> {
        Ok(match offline {
            false => Self::Allowed,
            true if can_isolate(progress)? => Self::NoInterface,
            true => Self::ForbiddenToCargo,
        })
    }

    /// The command that starts `program` with as much network as it may have, in the environment `variables` and
    /// nothing else.
    pub fn command<'sh>(
        self,
        shell: &'sh Shell,
        program: impl AsRef<Path>,
        variables: &[Variable],
    ) -> Result<Cmd<'sh>> {
        let program = program.as_ref();
        let command = match self {
            Self::NoInterface => {
                let unshare = toolchain::of_system(UNSHARE)?;
                shell.cmd(unshare).args(WITHOUT_NETWORK).arg(program)
            }
            Self::Allowed | Self::ForbiddenToCargo => shell.cmd(program),
        };
        Ok(environment::only(command, variables))
    }

    /// One line for the summary.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Allowed => "allowed; pass --offline to forbid it",
            Self::NoInterface => "none; proven, build and run had no network interface",
            Self::ForbiddenToCargo => "forbidden to cargo; not proven, no user namespaces here",
        }
    }
}

/// True where a child has been seen in a namespace without any interface but the loopback one.
fn can_isolate(progress: &Progress) -> Result<bool> {
    if !cfg!(target_os = "linux") {
        return Ok(false);
    }
    let programs = [UNSHARE, "cat"].map(toolchain::of_system);
    let [Ok(unshare), Ok(cat)] = programs else {
        return Ok(false);
    };
    let shell = Shell::new().context("find the working directory")?;
    let probe = shell.cmd(unshare).args(WITHOUT_NETWORK).arg(cat);
    let probe = process::run(progress, probe.arg("/proc/self/net/dev"));
    interrupt::check()?;
    Ok(probe.is_ok_and(|probe| probe.status.success() && has_only_loopback(&probe.stdout)))
}

/// Reads `/proc/net/dev`: two lines of headings, then one line for each interface, which begins with its name.
fn has_only_loopback(table: &[u8]) -> bool {
    let table = String::from_utf8_lossy(table);
    let mut names = table
        .lines()
        .skip(2)
        .filter_map(|line| Some(line.split_once(':')?.0.trim()));
    table.lines().count() >= 2 && names.all(|name| name == "lo")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_table_without_other_interfaces_is_proof() {
        let heading = "Inter-|   Receive  |  Transmit\n face |bytes  |bytes\n";
        let table = |rest: &str| has_only_loopback(format!("{heading}{rest}").as_bytes());
        assert!(table("    lo:       0       0\n"));
        assert!(table(""));
        assert!(!table("    lo:       0       0\n  eth0: 6149042   14310\n"));
        assert!(!has_only_loopback(b""));
        assert!(!has_only_loopback(b"exec: no such file\n"));
    }
}
