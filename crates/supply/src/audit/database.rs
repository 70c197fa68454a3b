//! The advisory database: where it comes from, which state of it it is, and how old.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::Args;
use ecac_artifact::exit;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;
use xshell::{Cmd, Shell, cmd};

use super::archive::{self, Files};
use super::day::Day;
use xtask::host::environment::Variable;
use xtask::host::error::Failure;
use xtask::host::interrupt;
use xtask::host::process;
use xtask::host::progress::Progress;

/// What helps where the network does not.
pub(super) const NO_NETWORK: &str =
    "pass --advisory-db PATH, and --offline where there is no network at all";

/// Where the database is published. cargo-deny derives [`CLONE`] from it.
pub(super) const URL: &str = "https://github.com/RustSec/advisory-db";

/// The directory in which cargo-deny looks for a clone of [`URL`].
const CLONE: &str = "advisory-db-3157b0e258782691";

/// Which database is used, and how old it may be.
#[derive(Debug, Clone, Args)]
pub(super) struct DatabaseArgs {
    /// A directory or a .tar.gz archive of the RustSec advisory database [default: fetched by git]
    #[arg(long, value_name = "PATH")]
    pub(super) advisory_db: Option<PathBuf>,
    /// The commit of a database that does not know it, to be printed
    #[arg(long, value_name = "SHA", requires = "advisory_db", value_parser = parse_commit)]
    advisory_db_commit: Option<String>,
    /// The day of that commit [default: the day of its newest advisory, for a database that does not know]
    #[arg(long, value_name = "DAY", requires = "advisory_db", value_parser = Day::parse)]
    advisory_db_date: Option<Day>,
    /// How old the database may be
    #[arg(long, value_name = "DAYS", default_value_t = 180)]
    pub(super) max_age: u32,
}

/// How the day of a database is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DatedBy {
    /// The user says so.
    Option,
    /// The repository or the archive says so.
    Git,
    /// It is at least as new as its newest advisory.
    NewestAdvisory,
}

/// Advisories, in memory.
#[derive(Debug)]
pub(super) struct Database {
    files: Files,
    /// What is known of its state.
    pub(super) state: State,
}

/// Which state of the database it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct State {
    /// How many advisories there are.
    pub(super) advisories: usize,
    /// The commit, if it is known.
    pub(super) commit: Option<String>,
    /// The day of the commit.
    pub(super) date: String,
    /// How that day is known.
    pub(super) dated_by: DatedBy,
    /// How old that is.
    pub(super) age_days: i64,
}

impl Database {
    /// Reads the database that the arguments name, or fetches the published one into `fetched`.
    pub(super) fn read(
        args: &DatabaseArgs,
        today: Day,
        fetched: &Path,
        variables: &[Variable],
        progress: &Progress,
    ) -> Result<Self> {
        let git = Git {
            variables,
            progress,
        };
        let (files, known) = match &args.advisory_db {
            None => {
                git.fetch(fetched)?;
                (read_directory(fetched)?, git.head(fetched)?)
            }
            Some(path) => {
                let context = || format!("read the advisory database {}", path.display());
                let metadata = fs::metadata(path).map_err(|error| {
                    Failure::environment(format!("cannot read {}: {error}", path.display()))
                        .hint("name a directory or a .tar.gz archive of the advisory database")
                })?;
                match metadata.is_dir() {
                    true => (read_directory(path).with_context(context)?, git.head(path)?),
                    false => {
                        let unpacked = archive::read(path).with_context(context)?;
                        (unpacked.files, unpacked.commit)
                    }
                }
            }
        };
        let newest = newest_advisory(&files)?;
        let stated = known.as_ref().map(|(commit, day)| (commit.clone(), *day));
        if let (Some((commit, _)), Some(given)) = (&stated, &args.advisory_db_commit)
            && commit != given
        {
            let message =
                format!("--advisory-db-commit says {given}, but the database is of {commit}");
            return Err(Failure::new(exit::USAGE, message).into());
        }
        if let (Some((_, day)), Some(given)) = (&stated, args.advisory_db_date)
            && *day != given
        {
            let message = format!("--advisory-db-date says {given}, but the database is of {day}");
            return Err(Failure::new(exit::USAGE, message).into());
        }
        let (date, dated_by) = match (&stated, args.advisory_db_date) {
            (Some((_, day)), _) => (*day, DatedBy::Git),
            (None, Some(day)) => (day, DatedBy::Option),
            (None, None) => (newest.day, DatedBy::NewestAdvisory),
        };
        let state = State {
            advisories: newest.advisories,
            commit: stated
                .map(|(commit, _)| commit)
                .or(args.advisory_db_commit.clone()),
            date: date.to_string(),
            dated_by,
            age_days: today.days_since(date),
        };
        check_age(&state, args.max_age)?;
        Ok(Self { files, state })
    }

    /// Writes what cargo-audit reads into the new directory `dir`.
    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        for (path, bytes) in &self.files {
            interrupt::check()?;
            let path = dir.join(path);
            let parent = path.parent().unwrap_or(dir);
            fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
            fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }

    /// Writes what cargo-deny reads below `dir`: a repository, whose age it takes from the time of a file.
    pub(super) fn write_repository(
        &self,
        dir: &Path,
        variables: &[Variable],
        progress: &Progress,
    ) -> Result<()> {
        let repository = dir.join(CLONE);
        self.write(&repository)?;
        let git = Git {
            variables,
            progress,
        };
        git.commit(&repository)?;
        let path = repository.join(".git/FETCH_HEAD");
        // As old as on the day of the audit, whatever the clock shows.
        let age_days = u64::try_from(self.state.age_days).unwrap_or(0);
        let age = Duration::from_secs(age_days * 24 * 60 * 60);
        let time = SystemTime::now()
            .checked_sub(age)
            .context("date the repository")?;
        let set = || fs::File::create(&path)?.set_modified(time);
        set().with_context(|| format!("write {}", path.display()))
    }
}

/// Refuses a database that is too old to be relied on, or of a day that is yet to come.
fn check_age(state: &State, max_age: u32) -> Result<(), Failure> {
    let State { date, age_days, .. } = state;
    if *age_days > i64::from(max_age) {
        let message = format!(
            "the advisory database is of {date}, {age_days} days ago, which is more than {max_age} days"
        );
        return Err(Failure::environment(message).hint(
            "take a newer one, or say how old it may be: --max-age DAYS; a database without a date of its own counts \
             as old as its newest advisory unless --advisory-db-date says when it was taken",
        ));
    }
    // A clock may be a day behind.
    if *age_days < -1 {
        let message = format!("the advisory database is of {date}, a day that is yet to come");
        return Err(
            Failure::environment(message).hint("set the clock, or correct --advisory-db-date")
        );
    }
    Ok(())
}

struct Newest {
    advisories: usize,
    day: Day,
}

#[derive(Deserialize)]
struct Front {
    advisory: Advisory,
}

#[derive(Deserialize)]
struct Advisory {
    date: String,
}

/// Reads the date of every advisory.
fn newest_advisory(files: &Files) -> Result<Newest, Failure> {
    let bad = |path: &str, what: &str| {
        let message = format!("the advisory {path} of the database cannot be read: {what}");
        Failure::new(exit::BAD_INPUT, message)
    };
    let is_advisory = |path: &str| {
        let is_listed = path.starts_with("crates/") || path.starts_with("rust/");
        is_listed && path.ends_with(".md")
    };
    let (mut advisories, mut newest) = (0, None);
    for (path, bytes) in files.iter().filter(|(path, _)| is_advisory(path)) {
        let text = std::str::from_utf8(bytes).map_err(|error| bad(path, &error.to_string()))?;
        let front = text
            .strip_prefix("```toml")
            .and_then(|rest| rest.split_once("\n```"))
            .ok_or_else(|| bad(path, "it does not begin with a block of TOML"))?;
        let front: Front = toml::from_str(front.0).map_err(|error| bad(path, error.message()))?;
        let day = Day::parse(&front.advisory.date).map_err(|what| bad(path, &what))?;
        advisories += 1;
        newest = newest.max(Some(day));
    }
    let Some(day) = newest else {
        let message = "the advisory database holds no advisory";
        return Err(Failure::new(exit::BAD_INPUT, message)
            .hint("name a directory or an archive with the directory `crates` of the RustSec advisory database"));
    };
    Ok(Newest { advisories, day })
}

/// Every regular file below a directory but those of its repository; links are not followed.
fn read_directory(dir: &Path) -> Result<Files> {
    let mut files = Files::new();
    let walk = WalkDir::new(dir).sort_by_file_name().into_iter();
    for entry in walk.filter_entry(|entry| entry.depth() != 1 || entry.file_name() != ".git") {
        interrupt::check()?;
        let entry = entry.with_context(|| format!("list {}", dir.display()))?;
        if !entry.file_type().is_file() {
            continue;
        }
        let relative = entry.path().strip_prefix(dir).unwrap_or(entry.path());
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        let bytes =
            fs::read(entry.path()).with_context(|| format!("read {}", entry.path().display()))?;
        files.insert(parts.join("/"), bytes);
    }
    Ok(files)
}

fn parse_commit(text: &str) -> Result<String, String> {
    xtask::reproduce::preflight::parse_commit(text).map(|commit| commit.hash().to_owned())
}

/// The program git, in the environment of the tools.
struct Git<'a> {
    variables: &'a [Variable],
    progress: &'a Progress,
}

impl Git<'_> {
    /// Brings a clone to the newest published state.
    fn fetch(&self, clone: &Path) -> Result<()> {
        let shell = self.shell()?;
        if !clone.join(".git").is_dir() {
            fs::create_dir_all(clone).with_context(|| format!("create {}", clone.display()))?;
            self.run(cmd!(shell, "git -C {clone} init --quiet"), None)?;
        }
        self.run(
            cmd!(
                shell,
                "git -C {clone} fetch --quiet --depth=1 --no-tags {URL} HEAD"
            ),
            Some(NO_NETWORK),
        )?;
        self.run(
            cmd!(shell, "git -C {clone} reset --quiet --hard FETCH_HEAD"),
            None,
        )?;
        self.run(cmd!(shell, "git -C {clone} clean --quiet -ffdx"), None)?;
        Ok(())
    }

    /// The commit of a directory that is a work tree, and its day. A changed work tree is of no commit.
    fn head(&self, dir: &Path) -> Result<Option<(String, Day)>> {
        if !dir.join(".git").exists() {
            return Ok(None);
        }
        let shell = self.shell()?;
        let status = cmd!(
            shell,
            "git -C {dir} status --porcelain=v1 --untracked-files=all --ignored"
        );
        let changed = self.run(status, None)?;
        if !changed.is_empty() {
            let message = format!(
                "{} is changed, so that it is no state of the database",
                dir.display()
            );
            return Err(Failure::new(exit::BAD_INPUT, message)
                .hint("git stash -u, or name a directory without .git")
                .into());
        }
        let format = "%H %ct";
        let log = cmd!(
            shell,
            "git -C {dir} log -1 --no-show-signature --format={format}"
        );
        let text = self.run(log, None)?;
        let read = || {
            let (commit, seconds) = text.trim().split_once(' ')?;
            Some((commit.to_owned(), Day::of_seconds(seconds.parse().ok()?)?))
        };
        Ok(Some(read().with_context(|| {
            format!("read what git says of {}", dir.display())
        })?))
    }

    /// Makes a repository of a directory, with one commit of everything.
    fn commit(&self, dir: &Path) -> Result<()> {
        let shell = self.shell()?;
        self.run(cmd!(shell, "git -C {dir} init --quiet"), None)?;
        self.run(cmd!(shell, "git -C {dir} add --all --force"), None)?;
        let identity = [
            "-c",
            "user.name=audit",
            "-c",
            "user.email=audit@localhost",
            "-c",
            "commit.gpgsign=false",
        ];
        let commit = cmd!(
            shell,
            "git {identity...} -C {dir} commit --quiet --no-verify --message database"
        );
        self.run(commit, None)?;
        Ok(())
    }

    fn shell(&self) -> Result<Shell> {
        Shell::new().context("find the working directory")
    }

    fn run(&self, command: Cmd<'_>, hint: Option<&str>) -> Result<String> {
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        let command = command
            .env_clear()
            .envs(variables)
            .env("GIT_TERMINAL_PROMPT", "0");
        let bytes = process::run(self.progress, command)?.require_or(exit::ENVIRONMENT, hint)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advisory(date: &str) -> Vec<u8> {
        format!("```toml\n[advisory]\nid = \"X\"\ndate = \"{date}\"\n```\n\n# Title\n").into_bytes()
    }

    fn files(entries: &[(&str, Vec<u8>)]) -> Files {
        entries
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), bytes.clone()))
            .collect()
    }

    fn state(date: &str, today: &str) -> State {
        let age_days = Day::parse(today)
            .unwrap()
            .days_since(Day::parse(date).unwrap());
        State {
            advisories: 1,
            commit: None,
            date: date.to_owned(),
            dated_by: DatedBy::Option,
            age_days,
        }
    }

    #[test]
    fn a_database_is_too_old_from_the_day_after_its_last() {
        let check = |today: &str| check_age(&state("2026-08-21", today), 10).is_ok();
        assert!(check("2026-08-21") && check("2026-08-31"));
        assert!(!check("2026-09-01"));
        // The clock may be a day behind, not two.
        assert!(check("2026-08-20") && !check("2026-08-19"));
        let failure = check_age(&state("2026-08-21", "2026-09-01"), 10).unwrap_err();
        assert_eq!(failure.code, exit::ENVIRONMENT);
        let says = "of 2026-08-21, 11 days ago, which is more than 10 days";
        assert!(failure.to_string().contains(says), "{failure}");
    }

    #[test]
    fn the_newest_advisory_is_found_and_every_one_is_counted() {
        let newest = newest_advisory(&files(&[
            ("README.md", b"no advisory".to_vec()),
            ("crates/a/1.md", advisory("2024-05-01")),
            ("crates/a/2.md", advisory("2026-08-20")),
            ("rust/std/3.md", advisory("2020-01-01")),
        ]))
        .unwrap();
        assert_eq!(
            (newest.advisories, newest.day.to_string()),
            (3, "2026-08-20".to_owned())
        );
    }

    #[test]
    fn what_is_no_database_is_refused() {
        let check = |files: &Files, says: &str| {
            let failure = newest_advisory(files).err().unwrap();
            assert_eq!(failure.code, exit::BAD_INPUT);
            assert!(failure.to_string().contains(says), "{failure}");
        };
        check(&Files::new(), "holds no advisory");
        check(
            &files(&[("docs/a.md", advisory("2026-01-01"))]),
            "holds no advisory",
        );
        check(&files(&[("crates/a/1.md", Vec::new())]), "crates/a/1.md");
        check(
            &files(&[("crates/a/1.md", advisory("2026-02-30"))]),
            "is no day",
        );
        check(
            &files(&[("crates/a/1.md", b"```toml\n[advisory]\n```\n".to_vec())]),
            "date",
        );
        check(
            &files(&[("crates/a/1.md", b"\xff".to_vec())]),
            "crates/a/1.md",
        );
    }
}
