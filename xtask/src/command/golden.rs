//! `cargo xtask golden --update`: writes the golden set from a clean run.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;

use anyhow::Result;
use clap::Args as ClapArgs;
use ecac_artifact::exit;
use serde::Serialize;

use crate::host::error::{Failure, exit_code};
use crate::host::output::{self, Format};
use crate::host::progress::Progress;
use crate::host::workdir::WorkDir;
use crate::host::workspace;
use crate::reproduce::compile::BuildArgs;
use crate::reproduce::parameters;
use crate::reproduce::pipeline::{self, Plan};
use crate::reproduce::preflight::{self, Origin, SourceArgs};
use crate::reproduce::publish::Target;
use crate::reproduce::summary::Bundle;
use crate::set::artifact_dir::Listing;
use crate::set::compare::{Difference, Findings};
use crate::set::readme;

/// The largest golden set, in bytes, since git keeps every one of them for ever.
const SET_BYTES_MAX: usize = 3 << 20;

/// Arguments of `golden`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Replace the golden set; nothing else is offered
    #[arg(long, required = true)]
    update: bool,
    #[command(flatten)]
    build: BuildArgs,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What changed, for machines.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    commit: String,
    directory: String,
    changes: &'a Findings,
    bundle: Bundle,
    size_bytes: usize,
    readme_changed: bool,
}

/// Runs the pipeline on HEAD and replaces the golden set with what it produced.
pub fn run(args: &Args) -> Result<()> {
    debug_assert!(args.update, "clap requires it");
    if env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false") {
        return Err(Failure::new(exit::USAGE, "CI never rewrites the golden set")
            .hint("run it on your machine, look at the change, and commit it with its CHANGELOG.md line")
            .into());
    }
    let progress = Progress::new(pipeline::STAGES + 2);
    let mut times = Vec::new();
    let (source, target, before) = progress.stage(&mut times, "preflight", || {
        let target = Target::check(&workspace::root()?.join(workspace::GOLDEN_DIR))?;
        let source = preflight::check_build(&SourceArgs::default(), &progress)?;
        if source.origin != Origin::Commit {
            let message = "a golden set cites a commit, but this is a source archive without .git";
            return Err(Failure::environment(message)
                .hint("clone the repository")
                .into());
        }
        let before = match Listing::read(target.path()) {
            Err(error) if exit_code(&error) == exit::NOT_FOUND => BTreeMap::new(),
            listing => listing?.files,
        };
        Ok((source, target, before))
    })?;
    let plan = Plan {
        source: &source,
        citation: None,
        parameters: &parameters::cited(),
        build: &args.build,
    };
    let work = WorkDir::new(args.build.keep_temp)?;
    let outcome = pipeline::run(&plan, &work, &progress, &mut times)?;
    let size_bytes = check_size(&outcome.files)?;
    progress.stage(&mut times, "publish", || target.replace(&outcome.files))?;
    let digest = &outcome.digests.gz_sha256;
    let readme_changed = readme::replace(&source.root, readme::GOLDEN_BUNDLE, digest)?;
    drop(progress);

    let changes = Findings::between(&before, &outcome.files);
    let answer = Answer {
        commit: outcome.manifest.commit.clone(),
        directory: target.path().display().to_string(),
        changes: &changes,
        bundle: Bundle::of(&outcome),
        size_bytes,
        readme_changed,
    };
    match args.format {
        Format::Text => output::print(&text(&answer)),
        Format::Json => output::print_json(&answer),
    }
}

fn check_size(files: &BTreeMap<String, Vec<u8>>) -> Result<usize> {
    let size_bytes = files.values().map(Vec::len).sum();
    if size_bytes > SET_BYTES_MAX {
        let message = format!(
            "the golden set would have {size_bytes} bytes; at most {SET_BYTES_MAX} are kept in git"
        );
        return Err(Failure::new(exit::VERIFICATION, message).into());
    }
    Ok(size_bytes)
}

fn text(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "golden set     {}", answer.directory);
    let _ = writeln!(text, "commit         {}", answer.commit);
    let _ = writeln!(text, "size           {} bytes", answer.size_bytes);
    text.push_str(&answer.bundle.text());
    if answer.changes.is_empty() {
        let _ = writeln!(text, "nothing changed");
        return text;
    }
    let _ = writeln!(text, "changes");
    for difference in &answer.changes.differences {
        let _ = writeln!(text, "{}", change(difference));
    }
    if let Some(first) = &answer.changes.first {
        let _ = writeln!(text, "\nfirst change\n{first}");
    }
    let readme = match answer.readme_changed {
        true => "README.md prints the new bundle digest",
        false => "README.md prints no other bundle digest and was left alone",
    };
    let _ = writeln!(
        text,
        "\n{readme}.\nWhoever cited the old bytes must learn why they changed: add a line to CHANGELOG.md\n\
         that names this commit and the reason, and commit it with the golden set."
    );
    text
}

/// A difference from the old set, in the words of somebody who replaces it.
fn change(difference: &Difference) -> String {
    let digest = |digest: &Option<String>| digest.clone().unwrap_or_default();
    match difference {
        Difference::Mismatch {
            file,
            expected_sha256,
            actual_sha256,
        } => {
            let was = digest(expected_sha256);
            format!("  changed  {file}\n    was {was}\n    now {actual_sha256}")
        }
        Difference::Irregular { file, found } => format!("  changed  {file}, which was {found}"),
        Difference::Missing {
            file,
            expected_sha256,
        } => format!("  removed  {file}\n    was {}", digest(expected_sha256)),
        Difference::Extra {
            file,
            actual_sha256,
        } => format!("  added    {file}\n    now {}", digest(actual_sha256)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_named_from_the_old_set_to_the_new() {
        let set = |names: &[(&str, u8)]| {
            names
                .iter()
                .map(|(name, byte)| ((*name).to_owned(), vec![*byte]))
                .collect()
        };
        let changes = Findings::between(&set(&[("a", 1), ("b", 1)]), &set(&[("b", 2), ("c", 1)]));
        let lines: Vec<_> = changes.differences.iter().map(change).collect();
        let words: Vec<_> = lines
            .iter()
            .map(|line| {
                line.split_whitespace()
                    .take(2)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect();
        assert_eq!(words, ["removed a", "changed b", "added c"]);
    }

    #[test]
    fn a_set_beyond_two_mebibytes_is_refused() {
        let set = |size: usize| {
            BTreeMap::from([("a".to_owned(), vec![0; size]), ("b".to_owned(), vec![0])])
        };
        assert_eq!(check_size(&set(SET_BYTES_MAX - 1)).unwrap(), SET_BYTES_MAX);
        let error = check_size(&set(SET_BYTES_MAX)).unwrap_err();
        assert_eq!(exit_code(&error), exit::VERIFICATION);
    }
}
