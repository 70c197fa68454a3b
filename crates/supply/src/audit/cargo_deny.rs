//! Running cargo-deny, and reading what it says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;
use xshell::Shell;

use super::database;
use super::finding::{self, Finding};
use xtask::host::environment::Variable;
use xtask::host::error::Failure;
use xtask::host::process;
use xtask::host::progress::Progress;
use xtask::host::tools::CARGO_DENY;

/// What is checked, and the bit of the exit status that says that it failed.
const CHECKS: [(&str, i32); 4] = [
    ("advisories", 1),
    ("bans", 2),
    ("licenses", 4),
    ("sources", 8),
];

/// What cargo-deny found.
#[derive(Debug)]
pub(super) struct Found {
    /// What is wrong.
    pub(super) findings: Vec<Finding>,
    /// Crates of which there are several versions.
    pub(super) duplicates: BTreeMap<String, Vec<String>>,
    /// Crates of which the index of the registry is not there, so that it cannot be told whether they are yanked.
    pub(super) unknown_to_index: Vec<String>,
}

/// One line of its output.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    fields: Value,
}

#[derive(Deserialize)]
struct Diagnostic {
    severity: String,
    code: Option<String>,
    message: String,
    #[serde(default)]
    graphs: Vec<Graph>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct Graph {
    #[serde(rename = "Krate")]
    krate: Krate,
}

#[derive(Deserialize)]
struct Krate {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct Label {
    span: String,
    message: String,
}

#[derive(Deserialize)]
struct Counts {
    errors: u64,
}

/// What it is asked.
pub(super) struct Question<'a> {
    /// The program.
    pub(super) program: &'a Path,
    /// The workspace.
    pub(super) root: &'a Path,
    /// What `deny.toml` says.
    pub(super) policy: &'a str,
    /// The directory of the repository with the advisories.
    pub(super) databases: &'a Path,
    /// How old that may be.
    pub(super) max_age: u32,
    /// A file that can be written: the policy with the two above.
    pub(super) config: &'a Path,
    /// The environment.
    pub(super) variables: &'a [Variable],
}

/// Runs all its checks. It uses no network: the crates and the advisories are there.
pub(super) fn run(question: &Question<'_>, progress: &Progress) -> Result<Found> {
    let config = configuration(question)?;
    fs::write(question.config, config)
        .with_context(|| format!("write {}", question.config.display()))?;
    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(question.root);
    let command = shell
        .cmd(question.program)
        .args(["--offline", "--locked", "--workspace", "--all-features"])
        .args(["--format", "json", "--color", "never", "--config"])
        .arg(question.config)
        .arg("check")
        .args(CHECKS.map(|(check, _)| check))
        .env_clear()
        .envs(question.variables.iter().map(|(name, value)| (name, value)));
    let finished = process::run_quietly(progress, command)?;
    read(&finished.stderr, finished.status.code()).map_err(|failure| {
        failure
            .hint("where crates are missing: cargo fetch --locked, with a network")
            .into()
    })
}

/// The policy with the place and the age of the database, which are those of this run.
fn configuration(question: &Question<'_>) -> Result<String> {
    let mut table: toml::Table = toml::from_str(question.policy).context("read deny.toml")?;
    let databases = question
        .databases
        .to_str()
        .context("name the directory of the database as text")?;
    let advisories = table
        .entry("advisories")
        .or_insert_with(|| toml::Table::new().into());
    let advisories = advisories
        .as_table_mut()
        .context("read `advisories` of deny.toml")?;
    advisories.insert("db-path".to_owned(), databases.into());
    advisories.insert("db-urls".to_owned(), vec![database::URL].into());
    let staleness = format!("P{}D", u64::from(question.max_age) + 1);
    advisories.insert("maximum-db-staleness".to_owned(), staleness.into());
    toml::to_string(&table).context("write the configuration of cargo-deny")
}

/// Reads JSON Lines. The exit status and the summary have to agree with the diagnostics.
fn read(text: &str, status: Option<i32>) -> Result<Found, Failure> {
    let bad = |what: String| Failure::environment(format!("cargo-deny {what}"));
    let mut findings = Vec::new();
    let mut duplicates: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut unknown_to_index = Vec::new();
    let mut summary: Option<BTreeMap<String, Counts>> = None;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let unreadable =
            |error: serde_json::Error| bad(format!("printed what is no report: {error}: {line}"));
        let Line { kind, fields } = serde_json::from_str(line).map_err(unreadable)?;
        match kind.as_str() {
            "diagnostic" => {
                let diagnostic: Diagnostic = serde_json::from_value(fields).map_err(unreadable)?;
                if diagnostic.code.as_deref() == Some("duplicate") {
                    for Graph { krate } in &diagnostic.graphs {
                        duplicates
                            .entry(krate.name.clone())
                            .or_default()
                            .push(krate.version.clone());
                    }
                } else if diagnostic.code.as_deref() == Some("index-failure") {
                    let crates = diagnostic
                        .graphs
                        .iter()
                        .map(|graph| graph.krate.name.clone());
                    unknown_to_index.extend(crates);
                } else if diagnostic.severity == "error" {
                    findings.push(finding(&diagnostic));
                }
            }
            "summary" => summary = Some(serde_json::from_value(fields).map_err(unreadable)?),
            // A message of its own: why it cannot go on, if it is an error.
            _ => {
                let level = fields["level"].as_str().unwrap_or("ERROR");
                if level == "ERROR" {
                    let message = fields["message"].as_str().unwrap_or(line);
                    return Err(bad(format!("cannot go on: {message}")));
                }
            }
        }
    }
    let Some(summary) = summary else {
        let what = match findings.is_empty() {
            true => "ended without a summary".to_owned(),
            false => format!("ended without a summary: {}", finding::list(&findings)),
        };
        return Err(bad(what));
    };
    let mut expected = 0;
    let mut errors = 0;
    for (check, bit) in CHECKS {
        let Some(counts) = summary.get(check) else {
            return Err(bad(format!("did not check {check}")));
        };
        errors += counts.errors;
        expected |= if counts.errors > 0 { bit } else { 0 };
    }
    if status != Some(expected) || errors != findings.len() as u64 {
        let status = status.map_or("no exit status".to_owned(), |status| {
            format!("exit status {status}")
        });
        let count = findings.len();
        return Err(bad(format!(
            "ended with {status}, {errors} error(s) and {count} finding(s), which do not agree"
        )));
    }
    for versions in duplicates.values_mut() {
        versions.sort();
    }
    Ok(Found {
        findings,
        duplicates,
        unknown_to_index,
    })
}

/// One error: the crate, and what of it is wrong.
fn finding(diagnostic: &Diagnostic) -> Finding {
    let crates = diagnostic
        .graphs
        .iter()
        .map(|graph| format!("{} {}", graph.krate.name, graph.krate.version));
    let krate = crates.collect::<Vec<_>>().join(", ");
    let mut what = match &diagnostic.code {
        Some(code) => format!("{code}: {}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let labels = diagnostic
        .labels
        .iter()
        .filter(|label| !label.span.is_empty());
    let id = diagnostic
        .notes
        .iter()
        .find_map(|note| note.strip_prefix("ID: "));
    let details: Vec<_> = match id {
        Some(id) => vec![id.to_owned()],
        None => labels
            .map(|label| {
                format!("{} {}", label.span, label.message)
                    .trim()
                    .to_owned()
            })
            .collect(),
    };
    if !details.is_empty() {
        what = format!("{what} ({})", details.join("; "));
    }
    Finding {
        check: CARGO_DENY.name,
        krate: match krate.is_empty() {
            true => "deny.toml".to_owned(),
            false => krate,
        },
        what,
    }
}

#[cfg(test)]
mod tests {
    use ecac_artifact::exit;

    use super::*;

    fn summary(errors: [u64; 4]) -> String {
        let counts = std::iter::zip(CHECKS, errors).map(|((check, _), errors)| {
            format!(r#""{check}":{{"errors":{errors},"helps":0,"notes":0,"warnings":0}}"#)
        });
        let counts: Vec<_> = counts.collect();
        format!(
            "{{\"type\":\"summary\",\"fields\":{{{}}}}}\n",
            counts.join(",")
        )
    }

    const REJECTED: &str = concat!(
        r#"{"type":"diagnostic","fields":{"severity":"error","code":"rejected","message":"failed to satisfy license requirements","#,
        r#""graphs":[{"Krate":{"name":"gplish","version":"1.0.0"},"parents":[]}],"#,
        r#""labels":[{"column":1,"line":1,"span":"GPL-3.0-only","message":"rejected: license is not explicitly allowed"}]}}"#,
        "\n"
    );

    const DUPLICATE: &str = concat!(
        r#"{"type":"diagnostic","fields":{"severity":"warning","code":"duplicate","message":"found 2 duplicate entries","#,
        r#""graphs":[{"Krate":{"name":"syn","version":"3.0.0"}},{"Krate":{"name":"syn","version":"2.0.0"}}],"labels":[]}}"#,
        "\n"
    );

    #[test]
    fn errors_are_findings_and_duplicates_are_listed() {
        let unknown = DUPLICATE.replace("duplicate\"", "index-failure\"");
        let text = [REJECTED, DUPLICATE, &unknown, &summary([0, 0, 1, 0])].concat();
        let report = read(&text, Some(4)).unwrap();
        let told: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "gplish 1.0.0: rejected: failed to satisfy license requirements \
              (GPL-3.0-only rejected: license is not explicitly allowed) (cargo-deny)"
            ]
        );
        assert_eq!(report.duplicates["syn"], ["2.0.0", "3.0.0"]);
        assert_eq!(report.unknown_to_index, ["syn", "syn"]);
        assert!(read(&summary([0; 4]), Some(0)).unwrap().findings.is_empty());
    }

    #[test]
    fn what_does_not_agree_is_a_failure() {
        let check = |text: &str, status, says: &str| {
            let failure = read(text, status).unwrap_err();
            assert_eq!(failure.code, exit::ENVIRONMENT);
            assert!(failure.to_string().contains(says), "{failure}");
        };
        let clean = summary([0; 4]);
        check("", Some(0), "without a summary");
        check(REJECTED, Some(4), "gplish 1.0.0: rejected");
        check("thread panicked\n", Some(101), "what is no report");
        check(&clean, Some(4), "do not agree");
        check(&clean, None, "no exit status");
        check(&[REJECTED, &clean].concat(), Some(0), "do not agree");
        check(&summary([0, 0, 1, 0]), Some(4), "do not agree");
        check(
            &[REJECTED, &summary([0, 0, 1, 0])].concat(),
            Some(0),
            "do not agree",
        );
        check(
            &clean.replace("sources", "source"),
            Some(0),
            "did not check sources",
        );
        let log = r#"{"type":"log","fields":{"level":"ERROR","message":"no crates"}}"#;
        check(
            &format!("{log}\n{clean}"),
            Some(0),
            "cannot go on: no crates",
        );
    }
}
