//! `repro --twice`: everything once more under other circumstances, and what stayed equal.
//!
//! The second time is this program run again, by another user's word, in another place: every variation that the
//! machine allows at once, because a build takes minutes. The artifact step takes a moment, so it is run once more
//! under each variation alone, which reaches the freshly built program unfiltered.

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context as _, Result};
use comfy_table::{Table, presets};
use ecac_artifact::exit;
use serde::{Deserialize, Serialize};
use xshell::{Cmd, Shell};

use crate::host::environment::{self, Variable};
use crate::host::error::Failure;
use crate::host::interrupt;
use crate::host::process;
use crate::host::progress::Progress;
use crate::host::workdir::WorkDir;
use crate::reproduce::compile::BinaryDigests;
use crate::reproduce::pipeline::{self, Outcome};
use crate::set::artifact_dir::Listing;
use crate::set::compare::Findings;
use ecac_artifact::Parameters;

/// One circumstance that is another the second time.
struct Variation {
    name: &'static str,
    first: String,
    second: &'static str,
    change: Change,
}

/// How a circumstance is changed for a child.
#[derive(Default)]
struct Change {
    /// Variables that are set.
    variables: Vec<Variable>,
    /// The words before the child's command line.
    prefix: Vec<OsString>,
}

/// What stayed equal.
#[derive(Debug, Serialize)]
pub struct Repetition {
    /// The programs of both builds.
    binaries: [BinaryDigests; 2],
    /// How the second set of artifacts differs from the first.
    #[serde(flatten)]
    findings: Findings,
    /// How many files the first set has.
    files: usize,
    /// What was varied.
    variations: Vec<Varied>,
}

#[derive(Debug, Serialize)]
struct Varied {
    name: &'static str,
    first: String,
    second: &'static str,
    /// The artifact step under this variation alone.
    artifacts: Alone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Alone {
    Same,
    Different,
    /// This machine does not allow it, so it was not varied in the build either.
    NotVaried,
}

/// The part of the second run's summary that is compared.
#[derive(Deserialize)]
struct SecondSummary {
    binaries: BinaryDigests,
}

/// Reproduces once more with `args`, the arguments of the first time, and compares with what came out then.
pub fn run(
    first: &Outcome,
    args: &[OsString],
    parameters: &Parameters,
    commit_time: u64,
    work: &WorkDir,
    progress: &Progress,
) -> Result<Repetition> {
    let dir = work.create("another place, ünlike the first")?;
    let out = dir.join("out");
    let allowed = variations(&dir)?
        .into_iter()
        .map(|variation| {
            let works = variation.change.works(progress)?;
            Ok((variation, works))
        })
        .collect::<Result<Vec<_>>>()?;

    let shell = Shell::new().context("find the working directory")?;
    let all = Change::all(
        allowed
            .iter()
            .filter_map(|(variation, works)| works.then_some(&variation.change)),
    );
    let this = env::current_exe().context("find this program")?;
    let again = all.command(&shell, &this);
    let again = again.args(["repro", "--format", "json", "--out"]).arg(&out);
    let summary = process::run(progress, again.args(args))?.require(exit::BUILD)?;
    let summary: SecondSummary =
        serde_json::from_slice(&summary).context("read the summary of the second run")?;

    let temporary = dir.join("temporary");
    fs::create_dir(&temporary).with_context(|| format!("create {}", temporary.display()))?;
    let mut reports = Vec::new();
    for (number, (variation, works)) in allowed.into_iter().enumerate() {
        let dir = dir.join(format!("alone-{number}"));
        fs::create_dir(&dir).with_context(|| format!("create {}", dir.display()))?;
        let artifacts = match works {
            false => Alone::NotVaried,
            true => {
                let variables = environment::of_built_programs(commit_time, &temporary);
                let variables = variables.iter().chain(&variation.change.variables);
                let xtask = variation.change.program(&shell, &first.programs.xtask);
                let xtask = xtask
                    .env_clear()
                    .envs(variables.map(|(name, value)| (name, value)));
                let staged = pipeline::stage(xtask, &dir, &first.built, parameters, progress)?;
                let is_same = |(name, bytes)| first.files.get(name) == Some(bytes);
                match staged.iter().all(is_same) {
                    true => Alone::Same,
                    false => Alone::Different,
                }
            }
        };
        reports.push(Varied {
            name: variation.name,
            first: variation.first,
            second: variation.second,
            artifacts,
        });
    }
    Ok(Repetition {
        binaries: [first.binaries.clone(), summary.binaries],
        findings: Findings::between(&first.files, &Listing::read(&out)?.files),
        files: first.files.len(),
        variations: reports,
    })
}

impl Repetition {
    /// True where both builds gave the same programs and every run the same artifacts.
    pub fn is_same(&self) -> bool {
        let different = |report: &Varied| report.artifacts == Alone::Different;
        self.binaries[0] == self.binaries[1]
            && self.findings.is_empty()
            && !self.variations.iter().any(different)
    }

    /// The failure where something differs.
    pub fn failure() -> Failure {
        let message = "the second run did not give what the first gave; nothing was published";
        Failure::new(exit::MISMATCH, message).hint(
            "reprotest, as docs/eval/README.md calls it, finds the variation that a build depends on",
        )
    }

    /// The text form.
    pub fn text(&self) -> String {
        let [first, second] = &self.binaries;
        let verdict = |same: bool| if same { "same" } else { "DIFFERENT" };
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "twice          with all of this varied at once");
        for (name, [a, b]) in [
            ("ecac ", [&first.ecac_sha256, &second.ecac_sha256]),
            ("xtask", [&first.xtask_sha256, &second.xtask_sha256]),
        ] {
            let _ = writeln!(text, "  binary {name}    {}", verdict(a == b));
            if a != b {
                let _ = writeln!(text, "    first  {a}\n    second {b}");
            }
        }
        let _ = writeln!(
            text,
            "  {} artifacts   {}",
            self.files,
            verdict(self.findings.is_empty())
        );
        text.push_str(&self.findings.text());
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["varied", "first", "second", "artifacts alone"]);
        for report in &self.variations {
            let artifacts = match report.artifacts {
                Alone::NotVaried => "not varied here",
                alone => verdict(alone == Alone::Same),
            };
            table.add_row([report.name, &report.first, report.second, artifacts]);
        }
        for line in table.lines() {
            let _ = writeln!(text, " {}", line.trim_end());
        }
        text
    }
}

impl Change {
    fn setting<V: Into<OsString>>(variables: impl IntoIterator<Item = (&'static str, V)>) -> Self {
        let variable = |(name, value): (&str, V)| (name.into(), value.into());
        Self {
            variables: variables.into_iter().map(variable).collect(),
            prefix: Vec::new(),
        }
    }

    fn prefixed(words: &[&str]) -> Self {
        Self {
            variables: Vec::new(),
            prefix: words.iter().map(OsString::from).collect(),
        }
    }

    /// All changes in one.
    fn all<'a>(changes: impl Iterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for change in changes {
            all.variables.extend(change.variables.iter().cloned());
            all.prefix.extend(change.prefix.iter().cloned());
        }
        all
    }

    /// The command that starts `program` under this change, without its variables.
    fn program<'sh>(&self, shell: &'sh Shell, program: &Path) -> Cmd<'sh> {
        match self.prefix.split_first() {
            Some((first, rest)) => shell.cmd(first).args(rest).arg(program),
            None => shell.cmd(program),
        }
    }

    /// The same with its variables beside those of this process.
    fn command<'sh>(&self, shell: &'sh Shell, program: &Path) -> Cmd<'sh> {
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        self.program(shell, program).envs(variables)
    }

    /// Whether a child can be started under this change here.
    fn works(&self, progress: &Progress) -> Result<bool> {
        if self.prefix.is_empty() {
            return Ok(true);
        }
        let shell = Shell::new().context("find the working directory")?;
        let probe = process::run(progress, self.command(&shell, Path::new("true")));
        interrupt::check()?;
        Ok(probe.is_ok_and(|probe| probe.status.success()))
    }
}

/// Every variation, with new directories below `dir`.
fn variations(dir: &Path) -> Result<Vec<Variation>> {
    let value = |name: &str| match env::var(name) {
        Ok(value) if !value.is_empty() => value,
        _ => "unset".to_owned(),
    };
    let vary = |name, first: String, second, change| Variation {
        name,
        first,
        second,
        change,
    };
    let under = |command: &str| {
        let script = format!("{command}; exec \"$@\"");
        ["sh", "-c", &script, "sh"].map(str::to_owned)
    };
    let words = |words: &[String]| {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        Change::prefixed(&words)
    };
    let elsewhere = under("echo elsewhere > /proc/sys/kernel/hostname");
    let host = ["unshare", "--map-root-user", "--uts"].map(str::to_owned);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let noise = [
        ("RUSTFLAGS", "-Copt-level=0"),
        ("CARGO_PROFILE_RELEASE_DEBUG", "true"),
        ("CFLAGS", "-O0"),
        ("LS_COLORS", "no"),
    ];
    Ok(vec![
        vary(
            "directory",
            "temporary".to_owned(),
            "spaces and ü in it",
            Change::setting([("TMPDIR", dir)]),
        ),
        vary("home", "yours".to_owned(), "empty", home(dir)?),
        vary(
            "cargo home",
            "yours".to_owned(),
            "links to yours",
            cargo_home(dir)?,
        ),
        vary(
            "user name",
            value("USER"),
            "mallory",
            Change::setting([("USER", "mallory"), ("LOGNAME", "mallory")]),
        ),
        vary(
            "time zone",
            value("TZ"),
            "Pacific/Kiritimati",
            Change::setting([("TZ", "Pacific/Kiritimati")]),
        ),
        vary(
            "locale",
            value("LC_ALL"),
            "tr_TR.UTF-8",
            Change::setting([("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")]),
        ),
        vary(
            "environment",
            "yours".to_owned(),
            "RUSTFLAGS and more",
            Change::setting(noise),
        ),
        vary(
            "umask",
            "yours".to_owned(),
            "0077",
            words(&under("umask 0077")),
        ),
        vary(
            "cores",
            cores.to_string(),
            "1",
            Change::prefixed(&["taskset", "--cpu-list", "0"]),
        ),
        vary(
            "addresses",
            "random".to_owned(),
            "not random",
            Change::prefixed(&["setarch", "--addr-no-randomize"]),
        ),
        vary(
            "host name",
            "yours".to_owned(),
            "elsewhere",
            words(&[host.as_slice(), &elsewhere].concat()),
        ),
    ])
}

/// An empty home directory. The toolchain and git's settings stay, as they do for another user of the machine.
fn home(dir: &Path) -> Result<Change> {
    let home = create(dir, "home")?;
    let mut change = Change::setting([("HOME", home)]);
    let old = env::var_os("HOME").map(PathBuf::from);
    for (name, below) in [
        ("RUSTUP_HOME", ".rustup"),
        ("GIT_CONFIG_GLOBAL", ".gitconfig"),
    ] {
        if let (None, Some(old)) = (env::var_os(name), &old)
            && old.join(below).exists()
        {
            change.variables.push((name.into(), old.join(below).into()));
        }
    }
    Ok(change)
}

/// A cargo home by another name, so that nothing has to be fetched again.
fn cargo_home(dir: &Path) -> Result<Change> {
    let home = create(dir, "cargo home")?;
    let old = match env::var_os("CARGO_HOME") {
        Some(old) if !old.is_empty() => Some(PathBuf::from(old)),
        _ => env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")),
    };
    if let Some(Ok(entries)) = old.map(fs::read_dir) {
        for entry in entries {
            let entry = entry.context("list the cargo home")?;
            let from = fs::canonicalize(entry.path())
                .with_context(|| format!("resolve {}", entry.path().display()))?;
            link(&from, &home.join(entry.file_name()))
                .with_context(|| format!("link to {}", from.display()))?;
        }
    }
    Ok(Change::setting([("CARGO_HOME", home)]))
}

fn create(dir: &Path, name: &str) -> Result<PathBuf> {
    let path = dir.join(name);
    fs::create_dir(&path).with_context(|| format!("create {}", path.display()))?;
    Ok(path)
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(windows)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match from.is_dir() {
        true => std::os::windows::fs::symlink_dir(from, to),
        false => std::os::windows::fs::symlink_file(from, to),
    }
}
