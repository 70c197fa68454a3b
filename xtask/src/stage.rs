//! The hidden subcommand `stage`: runs the scenarios in the freshly built binary.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use ecac_artifact::{Artifact, Part, Summary, exit};
use ecac_bench::ScenarioReport;

use crate::citation::Citation;
use crate::engine;
use crate::error::Failure;
use crate::manifest::{Manifest, Run};
use crate::parameters::ParameterArgs;
use crate::workspace;

/// Arguments of `stage`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    citation: Citation,
    /// The empty directory that receives the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    parameters: ParameterArgs,
}

/// Writes the four files of each scenario, the audit log, the trust view and the manifest.
pub(crate) fn run(args: &Args) -> Result<()> {
    let parameters = args.parameters.resolve();
    let (seed, ops) = (parameters.seed, parameters.ops);
    let commit = &args.citation.commit;
    let stamp = commit.to_string();
    let mut runs = Vec::new();
    let mut of_the_set = None;
    for scenario in &parameters.scenarios {
        let report = engine::run(scenario, seed, ops, &stamp)?;
        for (part, bytes) in parts(&report) {
            let artifact = Artifact::Run {
                scenario: scenario.clone(),
                part,
            };
            write(&args.out, &artifact.file_name(seed, commit), bytes)?;
        }
        runs.push(Run {
            ops,
            scenario: scenario.clone(),
            seed,
            summary: (&report.summary).into(),
        });
        if *scenario == engine::summary_scenario(&parameters.scenarios) {
            of_the_set = Some(report);
        }
    }
    let Some(report) = of_the_set else {
        return Err(Failure::new(exit::USAGE, "no scenario was run").into());
    };

    let audited = engine::verify_audit(&report.audit, &report.ops, seed).map_err(|error| {
        let message = format!("the audit log does not verify: {error:#}");
        Failure::new(exit::VERIFICATION, message)
    })?;
    let manifest = Manifest {
        audit_head: audited.head,
        cargo_lock_sha256: args.citation.cargo_lock_sha256.clone(),
        commit: stamp,
        format: Manifest::format(),
        scenarios: runs,
        schema_sha256: engine::schema_sha256(),
        toolchain: args.citation.toolchain.clone(),
        trust_sha256: workspace::sha256_hex(&report.trust),
        version: args.citation.source_version.clone(),
    };
    write(&args.out, Summary::AuditLog.name(), &report.audit)?;
    write(
        &args.out,
        Summary::AuditVerify.name(),
        audited.report.as_bytes(),
    )?;
    write(&args.out, Summary::TrustView.name(), &report.trust)?;
    write(&args.out, Summary::Manifest.name(), &manifest.to_bytes()?)
}

fn parts(report: &ScenarioReport) -> [(Part, &[u8]); 4] {
    [
        (Part::Csv, &report.csv),
        (Part::Timeline, &report.timeline),
        (Part::State, &report.state),
        (Part::Ops, &report.ops),
    ]
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(name);
    fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))
}
