//! `cargo xtask audit`: known vulnerabilities, licences, sources and duplicates of every dependency.

mod archive;
mod cargo_audit;
mod cargo_deny;
mod database;
mod day;
mod finding;
mod policy;
mod sources;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use ecac_artifact::exit;
use serde::Serialize;

use database::{Database, DatabaseArgs, DatedBy, State};
use day::Day;
use finding::Finding;
use policy::{Exception, Policy};
use xtask::host::environment::{Inherited, Variable};
use xtask::host::error::Failure;
use xtask::host::interrupt;
use xtask::host::output::{self, Format};
use xtask::host::process;
use xtask::host::progress::Progress;
use xtask::host::tools::{self, CARGO_AUDIT, CARGO_DENY, Tool};
use xtask::host::workdir::WorkDir;
use xtask::host::workspace;

/// How many stages [`run`] passes.
const STAGES: u64 = 5;

/// From this age on a database is worth a word.
const OLD_DAYS: i64 = 30;

/// Where the published database is kept, relative to the workspace.
const FETCHED: &str = "target/tools/advisory-db";

/// Arguments of `audit`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// Use no network: needs --advisory-db, and tools and crates that are there already
    #[arg(long, requires = "advisory_db")]
    offline: bool,
    /// Only install the two programs and fetch the crates, for a later --offline
    #[arg(long, conflicts_with_all = ["offline", "advisory_db", "today", "format"])]
    install: bool,
    #[command(flatten)]
    database: DatabaseArgs,
    /// The day on which exceptions and the database have to hold [default: that of the clock]
    #[arg(long, value_name = "DAY", value_parser = Day::parse)]
    today: Option<Day>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Whether the registry was asked which crates are yanked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Yanked {
    /// It was.
    Checked,
    /// Without a network that cannot be known.
    NotProven,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Answer {
    database: State,
    crates: u64,
    yanked: Yanked,
    findings: Vec<Finding>,
    exceptions: Vec<Exception>,
    duplicates: BTreeMap<String, Vec<String>>,
}

/// Checks the dependencies of the working tree.
pub(crate) fn run(args: &Args) -> Result<()> {
    match args.install {
        true => install(),
        false => check(args),
    }
}

/// Installs what [`check`] needs and does not need a database for.
fn install() -> Result<()> {
    let root = workspace::root()?;
    let variables = variables(&root)?;
    let progress = Progress::new(1);
    let programs = progress.stage(&mut Vec::new(), "tools", || {
        fetch(&root, &variables, &progress)?;
        provide(&root, &variables, &progress)
    })?;
    drop(progress);
    let lines = programs.map(|program| format!("{}\n", program.display()));
    output::print(&lines.concat())
}

fn check(args: &Args) -> Result<()> {
    let today = args.today.unwrap_or_else(Day::today);
    let root = workspace::root()?;
    let progress = Progress::new(STAGES);
    let mut times = Vec::new();
    let (text, policy) = progress.stage(&mut times, "policy", || {
        let (text, policy) = policy(&root, today)?;
        check_sources(&root, &policy)?;
        if args.offline {
            tools::require_installed(&root)?;
        }
        Ok((text, policy))
    })?;
    let variables = variables(&root)?;
    let database = progress.stage(&mut times, "advisory database", || {
        let fetched = root.join(FETCHED);
        Database::read(&args.database, today, &fetched, &variables, &progress)
    })?;
    let work = WorkDir::new(false)?;
    let [audit, deny] = progress.stage(&mut times, "tools", || {
        if !args.offline {
            fetch(&root, &variables, &progress)?;
        }
        provide(&root, &variables, &progress)
    })?;
    let audited = progress.stage(&mut times, "cargo audit", || {
        let dir = work.create("advisories")?;
        database.write(&dir)?;
        let question = cargo_audit::Question {
            program: &audit,
            root: &root,
            database: &dir,
            advisories: database.state.advisories,
            ignored: &policy.ignored_advisories,
            offline: args.offline,
            variables: &variables,
        };
        cargo_audit::run(&question, &progress)
    })?;
    let denied = progress.stage(&mut times, "cargo deny", || {
        let databases = work.create("databases")?;
        database.write_repository(&databases, &variables, &progress)?;
        let question = cargo_deny::Question {
            program: &deny,
            root: &root,
            policy: &text,
            databases: &databases,
            max_age: args.database.max_age,
            config: &databases.join(policy::FILE),
            variables: &variables,
        };
        match cargo_deny::run(&question, &progress) {
            // What cargo-audit found must not get lost because the crates are not there to look at.
            Err(error) if !audited.findings.is_empty() => {
                interrupt::check()?;
                Ok(cargo_deny::Found {
                    findings: vec![Finding {
                        check: CARGO_DENY.name,
                        krate: "the workspace".to_owned(),
                        what: format!("{error:#}"),
                    }],
                    duplicates: BTreeMap::new(),
                    unknown_to_index: Vec::new(),
                })
            }
            denied => denied,
        }
    })?;
    drop(progress);
    if !args.offline && !denied.unknown_to_index.is_empty() {
        let crates = denied.unknown_to_index.join(", ");
        let message = format!("it cannot be told whether these crates are yanked: {crates}");
        return Err(Failure::environment(message)
            .hint("try again; pass --offline to go without, which the result says")
            .into());
    }

    let answer = Answer {
        database: database.state,
        crates: audited.crates,
        yanked: match args.offline {
            true => Yanked::NotProven,
            false => Yanked::Checked,
        },
        findings: [audited.findings, denied.findings].concat(),
        exceptions: policy.exceptions,
        duplicates: denied.duplicates,
    };
    match args.format {
        Format::Text => output::print(&answer.text())?,
        Format::Json => output::print_json(&answer)?,
    }
    match answer.findings.is_empty() {
        true => Ok(()),
        false => Err(failure(&answer.findings).into()),
    }
}

/// Reads `deny.toml`, and refuses exceptions that have ended.
fn policy(root: &Path, today: Day) -> Result<(String, Policy)> {
    let path = root.join(policy::FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let policy = Policy::parse(&text)?;
    let expired = policy.expired(today);
    if expired.is_empty() {
        return Ok((text, policy));
    }
    let mut message = format!(
        "{} has {} exception(s) that have ended:",
        policy::FILE,
        expired.len()
    );
    for Exception {
        of, until, reason, ..
    } in expired
    {
        message.push_str(&format!("\n  {of}: until {until}: {reason}"));
    }
    Err(Failure::new(exit::VERIFICATION, message)
        .hint("do without the exception, or look at its reason again and set a later day")
        .into())
}

/// Refuses crates from elsewhere, before anything of them is fetched.
fn check_sources(root: &Path, policy: &Policy) -> Result<()> {
    let path = root.join("Cargo.lock");
    let lockfile = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let foreign = sources::foreign(&lockfile, &policy.allowed_git)?;
    match foreign.is_empty() {
        true => Ok(()),
        false => Err(failure(&foreign).into()),
    }
}

/// What the programs are told by the environment.
fn variables(root: &Path) -> Result<Vec<Variable>> {
    let mut variables = Inherited::for_tree(root)?.variables;
    variables.push(("CARGO_TERM_COLOR".into(), "never".into()));
    Ok(variables)
}

/// The two programs, installed.
fn provide(root: &Path, variables: &[Variable], progress: &Progress) -> Result<[PathBuf; 2]> {
    let provide = |tool: Tool| tool.provide(root, variables, progress);
    Ok([provide(CARGO_AUDIT)?, provide(CARGO_DENY)?])
}

/// Gets every crate of the lockfile, those for other systems too, whose licences count, and asks the registry what it
/// says of each: cargo-deny and cargo-audit tell what is yanked from cargo's copy of its index, however old that is.
fn fetch(root: &Path, variables: &[Variable], progress: &Progress) -> Result<()> {
    let shell = xshell::Shell::new().context("find the working directory")?;
    shell.change_dir(root);
    for args in [["fetch", "--locked"], ["update", "--dry-run"]] {
        let command = shell.cmd("cargo").args(args).env_clear();
        let command = command.envs(variables.iter().map(|(name, value)| (name, value)));
        process::run(progress, command)?
            .require_or(exit::ENVIRONMENT, Some(database::NO_NETWORK))?;
    }
    Ok(())
}

fn failure(findings: &[Finding]) -> Failure {
    let message = format!(
        "the audit found {} fault(s):{}",
        findings.len(),
        finding::list(findings)
    );
    Failure::new(exit::VERIFICATION, message).hint(
        "update or replace the crate; where that cannot be, write an exception with its reason and its end into deny.toml",
    )
}

impl Answer {
    fn text(&self) -> String {
        let mut text = String::new();
        let State {
            advisories,
            commit,
            date,
            dated_by,
            age_days,
        } = &self.database;
        let commit = commit
            .as_deref()
            .unwrap_or("unknown; pass --advisory-db-commit to record it");
        let dated = match dated_by {
            DatedBy::Git => "of its commit",
            DatedBy::Option => "as given",
            DatedBy::NewestAdvisory => "of its newest advisory; it may be newer",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "advisory database  {advisories} advisories");
        let _ = writeln!(text, "  commit           {commit}");
        let _ = writeln!(
            text,
            "  date             {date}, {age_days} day(s) ago ({dated})"
        );
        if *age_days > OLD_DAYS {
            let _ = writeln!(
                text,
                "  note             what has been found since then is not in it"
            );
        }
        let _ = writeln!(text, "crates             {}", self.crates);
        let _ = writeln!(
            text,
            "cargo-audit        {}, {}",
            CARGO_AUDIT.version,
            self.found_by(CARGO_AUDIT.name)
        );
        let _ = writeln!(
            text,
            "cargo-deny         {}, {}",
            CARGO_DENY.version,
            self.found_by(CARGO_DENY.name)
        );
        let yanked = match self.yanked {
            Yanked::Checked => "asked of the registry; any is among the faults",
            Yanked::NotProven => "not proven: only the registry knows, and this was offline",
        };
        let _ = writeln!(text, "yanked crates      {yanked}");
        let _ = writeln!(text, "exceptions         {}", self.exceptions.len());
        for Exception {
            list,
            of,
            until,
            reason,
        } in &self.exceptions
        {
            let _ = writeln!(text, "  {of}, until {until}: {reason} [{list}]");
        }
        let _ = writeln!(text, "duplicates         {}", self.duplicates.len());
        for (name, versions) in &self.duplicates {
            let _ = writeln!(text, "  {name} {}", versions.join(", "));
        }
        text
    }

    fn found_by(&self, check: &str) -> String {
        match self
            .findings
            .iter()
            .filter(|finding| finding.check == check)
            .count()
        {
            0 => "no fault found".to_owned(),
            count => format!("{count} fault(s) found"),
        }
    }
}
