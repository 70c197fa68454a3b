//! The hidden subcommand `stage`: runs the scenarios in the freshly built binary.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use ecac_artifact::{Artifact, Part, Single, exit};
use ecac_bench::RunRecord;

use crate::host::error::Failure;
use crate::host::workspace;
use crate::reproduce::engine::{self, Kept};
use crate::reproduce::parameters::ParameterArgs;
use crate::set::citation::Citation;
use ecac_artifact::{Manifest, Parameters, Run};

/// Arguments of `stage`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    citation: Citation,
    /// The empty directory that receives the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    parameters: ParameterArgs,
}

/// Writes the four files of each scenario, the audit log, the trust view, the manifest, the figures and the record.
pub fn run(args: &Args) -> Result<()> {
    for (name, bytes) in artifacts(&args.citation, &args.parameters.resolve(), Kept::OnDisk)? {
        let path = args.out.join(name);
        fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// What a run with these parameters gives, by file name.
pub fn artifacts(
    citation: &Citation,
    parameters: &Parameters,
    kept: Kept,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let (seed, ops) = (parameters.seed, parameters.ops);
    let commit = &citation.commit;
    let stamp = commit.to_string();
    let mut files = BTreeMap::new();
    let mut runs = Vec::new();
    let mut of_the_set = None;
    for scenario in &parameters.scenarios {
        let record = engine::run(scenario, seed, ops, &stamp, kept)?;
        for (part, bytes) in parts(&record) {
            let artifact = Artifact::Run {
                scenario: scenario.clone(),
                part,
            };
            files.insert(artifact.file_name(seed, commit), bytes.clone());
        }
        runs.push(Run {
            meetings: engine::meetings(scenario, seed, ops)?,
            ops,
            scenario: scenario.clone(),
            seed,
            totals: record.totals.clone(),
        });
        if *scenario == engine::scenario_of_singles(&parameters.scenarios) {
            of_the_set = Some(record);
        }
    }
    let Some(record) = of_the_set else {
        return Err(Failure::new(exit::USAGE, "no scenario was run").into());
    };

    let audited = engine::verify_audit(&record.audit, &record.ops, seed).map_err(|error| {
        let message = format!("the audit log does not verify: {error:#}");
        Failure::new(exit::VERIFICATION, message)
    })?;
    let manifest = Manifest {
        audit_head: audited.head,
        cargo_lock_sha256: citation.cargo_lock_sha256.clone(),
        commit: stamp,
        commit_time: citation.commit_time,
        format: Manifest::format(),
        scenarios: runs,
        schema_sha256: engine::schema_sha256(),
        toolchain: citation.toolchain.clone(),
        trust_sha256: workspace::sha256_hex(&record.trust),
        version: citation.source_version.clone(),
    };
    for (summary, bytes) in [
        (Single::AuditLog, record.audit),
        (Single::AuditVerify, audited.verification.into_bytes()),
        (Single::TrustView, record.trust),
        (Single::Manifest, manifest.to_bytes()),
    ] {
        files.insert(summary.name().to_owned(), bytes);
    }
    let rendered = ecac_report::render(&files).context("draw the figures and the record")?;
    files.extend(
        rendered
            .into_iter()
            .map(|(name, bytes)| (name.to_owned(), bytes)),
    );
    Ok(files)
}

fn parts(record: &RunRecord) -> [(Part, &Vec<u8>); 4] {
    [
        (Part::Csv, &record.csv),
        (Part::Timeline, &record.timeline),
        (Part::State, &record.state),
        (Part::Ops, &record.ops),
    ]
}
