//! `ecac import`: taking in what others wrote.

use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_core::{Costs, OpId, ProjectId, Received, Regained, VerifiedOp};
use ecac_project::Writer;
use serde_json::json;

use crate::arrival::Arrival;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::input::OpLogFiles;
use crate::older::{self, Older};
use crate::output;
use crate::progress::Progress;

/// Take in what others exported, and say what came of it
///
/// Several files are one batch. What counts, what was taken back by what, what is refused, and what waits is told with its
/// cause. What is damaged or of strangers does no harm: nothing enters that the project does not allow.
///
/// With --older what is here without its values gets them back, and nothing else is taken in: ops that were dropped (`ecac prune`), or
/// that a project lacks that began with a sealed snapshot. Somebody who keeps everything exports them. No decision changes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac import from-van.cborseq
  ecac import --older office.cborseq
  ecac import *.cborseq --json | jq .counts")]
pub(crate) struct Args {
    /// Files to take in; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The files have all that you have ever signed: say so after a backup was restored
    #[arg(long)]
    complete: bool,
    /// Give back what was dropped here, and take in nothing else
    #[arg(long, conflicts_with = "complete")]
    older: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let files = OpLogFiles::read(&args.files)?;
    let project = globals.project()?;
    let items = files.items();
    check_project(&files, &items, project.config().project)?;
    let progress = Progress::whole("looking at", items.len() as u64);
    let (project, mut writer, key) = globals.writing()?;
    if args.older {
        let (older, regained) = regain(writer, &items)?;
        drop(progress);
        if !args.json {
            return output::print(older.told().as_bytes());
        }
        let mut document = older.document();
        document["format"] = json!("ecac-older-v1");
        document["bytes"] = json!(regained.bytes);
        document["others"] = json!(regained.others);
        return output::print_json(&document);
    }
    let failed = |error| Failure::of("import", &error);
    let received: Received = writer.receive(&items).map_err(failed)?;
    if args.complete {
        writer.vouch(&key).map_err(failed)?;
    }
    let arrival = Arrival::of(&received, &project, &writer, &key.public(), globals)?;
    let older = older::hint(&writer, &items);
    writer.close().map_err(failed)?;
    drop(progress);
    output::note(&arrival.notes);
    output::note(&older);
    if args.json {
        let mut document = arrival.document;
        document["format"] = json!("ecac-import-v1");
        return output::print_json(&document);
    }
    output::print(arrival.told.as_bytes())
}

/// Gives back what the items have of what was dropped.
fn regain(mut writer: Writer, items: &[&[u8]]) -> Result<(Older, Regained), Failure> {
    let failed = |error| Failure::of("take back what was dropped", &error);
    let dropped = writer.log().pruned_count();
    let regained = writer.regain(items).map_err(failed)?;
    writer.close().map_err(failed)?;
    let older = Older {
        dropped,
        regained: regained.ops,
    };
    Ok((older, regained))
}

/// Files of another project are not taken in: every op of theirs would be refused.
fn check_project(files: &OpLogFiles, items: &[&[u8]], project: ProjectId) -> Result<(), Failure> {
    let genesis = |item: &&[u8]| -> Option<OpId> {
        let op = VerifiedOp::read(item, &mut Costs::default()).ok()?;
        op.body().payload.genesis().map(|_| op.id())
    };
    let is_first = |item: &&[u8]| item.len() < ecac_core::limits::ENVELOPE_BYTES_MAX;
    for (number, item) in items.iter().enumerate().filter(|(_, item)| is_first(item)) {
        // A genesis has no parents, and stands at the beginning of what programs export.
        if number > 0 && files.position(number).item > 0 {
            continue;
        }
        if let Some(found) = genesis(item).filter(|it| *it != project) {
            let label = files.label(files.position(number).log);
            return Err(Failure::new(
                exit::BAD_INPUT,
                format!("import {label}"),
                format!("it is of project {found}, and this one is {project}"),
                "look at the file, or change to the directory of that project",
            ));
        }
    }
    Ok(())
}
