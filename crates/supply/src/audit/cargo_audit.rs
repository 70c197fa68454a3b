//! Running cargo-audit, and reading its report.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use ecac_artifact::exit;
use serde::Deserialize;
use xshell::Shell;

use super::finding::Finding;
use xtask::host::environment::Variable;
use xtask::host::error::Failure;
use xtask::host::process;
use xtask::host::progress::Progress;
use xtask::host::tools::CARGO_AUDIT;

/// What cargo-audit found.
#[derive(Debug)]
pub(super) struct Found {
    /// What is wrong.
    pub(super) findings: Vec<Finding>,
    /// How many crates the lockfile lists.
    pub(super) crates: u64,
}

#[derive(Deserialize)]
struct Document {
    database: DatabaseInfo,
    lockfile: LockfileInfo,
    vulnerabilities: Vulnerabilities,
    warnings: BTreeMap<String, Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DatabaseInfo {
    advisory_count: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct LockfileInfo {
    dependency_count: u64,
}

#[derive(Deserialize)]
struct Vulnerabilities {
    found: bool,
    list: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    package: Package,
    advisory: Option<Advisory>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    title: String,
}

/// What it is asked.
pub(super) struct Question<'a> {
    /// The program.
    pub(super) program: &'a Path,
    /// The workspace.
    pub(super) root: &'a Path,
    /// The advisories.
    pub(super) database: &'a Path,
    /// How many there are.
    pub(super) advisories: usize,
    /// Those that are let through.
    pub(super) ignored: &'a [String],
    /// Whether the registry may not be asked what is yanked.
    pub(super) offline: bool,
    /// The environment.
    pub(super) variables: &'a [Variable],
}

/// Runs it over the lockfile of the workspace.
pub(super) fn run(question: &Question<'_>, progress: &Progress) -> Result<Found> {
    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(question.root);
    let mut command = shell
        .cmd(question.program)
        .args([
            "audit",
            "--json",
            "--no-fetch",
            "--stale",
            "--deny",
            "warnings",
            "--db",
        ])
        .arg(question.database)
        .args(question.offline.then_some("--no-yanked"));
    for id in question.ignored {
        command = command.args(["--ignore", id]);
    }
    let variables = question.variables.iter().map(|(name, value)| (name, value));
    let finished = process::run(progress, command.env_clear().envs(variables))?;
    let is_success = finished.status.success();
    match read(&finished.stdout, is_success, question.advisories) {
        Ok(report) => Ok(report),
        // Without a report, what it says itself is the reason.
        Err(error) if is_success => Err(error.into()),
        Err(error) => {
            finished.require(exit::ENVIRONMENT)?;
            Err(error.into())
        }
    }
}

/// Reads the report. `is_success` is what the exit status says, which has to agree.
fn read(bytes: &[u8], is_success: bool, advisories: usize) -> Result<Found, Failure> {
    let bad = |what: String| Failure::environment(format!("cargo-audit {what}"));
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|error| bad(format!("printed no report that can be read: {error}")))?;
    let loaded = document.database.advisory_count;
    if loaded != advisories {
        return Err(bad(format!("loaded {loaded} of {advisories} advisories")));
    }
    let finding = |kind: &str, entry: &Entry| Finding {
        check: CARGO_AUDIT.name,
        krate: format!("{} {}", entry.package.name, entry.package.version),
        what: match &entry.advisory {
            Some(Advisory { id, title }) => format!("{kind}: {id}: {title}"),
            None => kind.to_owned(),
        },
    };
    let vulnerable = document.vulnerabilities.list.iter();
    let mut findings: Vec<_> = vulnerable
        .map(|entry| finding("vulnerability", entry))
        .collect();
    for (kind, entries) in &document.warnings {
        findings.extend(entries.iter().map(|entry| finding(kind, entry)));
    }
    if document.vulnerabilities.found == document.vulnerabilities.list.is_empty() {
        return Err(bad(
            "contradicts itself on whether it found vulnerabilities".to_owned(),
        ));
    }
    if is_success != findings.is_empty() {
        let count = findings.len();
        return Err(bad(format!(
            "reports {count} finding(s), which its exit status denies"
        )));
    }
    Ok(Found {
        findings,
        crates: document.lockfile.dependency_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(found: bool, list: &str, warnings: &str) -> String {
        format!(
            r#"{{"database":{{"advisory-count":2}},"lockfile":{{"dependency-count":7}},
            "vulnerabilities":{{"found":{found},"count":0,"list":[{list}]}},"warnings":{{{warnings}}}}}"#
        )
    }

    const HOLE: &str = r#"{"advisory":{"id":"RUSTSEC-1","title":"Hole"},"package":{"name":"a","version":"1.0.0"}}"#;

    #[test]
    fn vulnerabilities_and_warnings_are_findings() {
        let yanked = r#""yanked":[{"kind":"yanked","package":{"name":"b","version":"2.0.0"},"advisory":null}]"#;
        let report = read(document(true, HOLE, yanked).as_bytes(), false, 2).unwrap();
        let told: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "a 1.0.0: vulnerability: RUSTSEC-1: Hole (cargo-audit)",
                "b 2.0.0: yanked (cargo-audit)"
            ]
        );
        let report = read(document(false, "", "").as_bytes(), true, 2).unwrap();
        assert!(report.findings.is_empty() && report.crates == 7);
    }

    #[test]
    fn a_report_that_is_not_to_be_relied_on_is_a_failure() {
        let check = |text: &str, is_success, advisories, says: &str| {
            let failure = read(text.as_bytes(), is_success, advisories).unwrap_err();
            assert_eq!(failure.code, exit::ENVIRONMENT);
            assert!(failure.to_string().contains(says), "{failure}");
        };
        let clean = document(false, "", "");
        check("", true, 2, "printed no report");
        check("{}", true, 2, "printed no report");
        check("error: no such file", false, 2, "printed no report");
        check(&clean, true, 3, "loaded 2 of 3 advisories");
        check(&clean, false, 2, "exit status denies");
        check(&document(true, HOLE, ""), true, 2, "exit status denies");
        check(&document(true, "", ""), false, 2, "contradicts itself");
        check(&document(false, HOLE, ""), false, 2, "contradicts itself");
    }
}
