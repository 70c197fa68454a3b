//! From a source tree to a complete artifact set in memory.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use ecac_artifact::archive::Digests;
use ecac_artifact::{ArtifactSet, Digest, ExpectedSet, Published, Single, exit};
use xshell::{Cmd, Shell};

use crate::host::environment;
use crate::host::error::Failure;
use crate::host::network::Network;
use crate::host::process;
use crate::host::progress::{Progress, StageTime};
use crate::host::workdir::WorkDir;
use crate::reproduce::closed::{self, Closed, TakenOver};
use crate::reproduce::compile::{self, BinaryDigests, BuildArgs, Built};
use crate::reproduce::crosscheck::CrossCheck;
use crate::reproduce::inventory;
use crate::reproduce::parameters;
use crate::reproduce::preflight::Source;
use crate::set::artifact_dir::Listing;
use crate::set::citation::Citation;
use crate::set::readme;
use crate::set::sbom;
use ecac_artifact::{Manifest, Parameters};

/// How many stages [`run`] passes.
pub const STAGES: u64 = 8;

/// What the second reading of the trust view was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustCheck {
    /// The digest that the README of the tree prints.
    EqualsReadme,
    /// Nothing: the README speaks of other parameters.
    OtherParameters,
}

/// What to reproduce.
pub struct Plan<'a> {
    /// The tree that is built.
    pub source: &'a Source,
    /// What the artifacts cite instead of the tree that is built.
    pub citation: Option<&'a Citation>,
    /// What is run.
    pub parameters: &'a Parameters,
    /// How the tree is built.
    pub build: &'a BuildArgs,
}

/// A complete set and how it came about.
pub struct Outcome {
    /// Every file.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The files by role.
    pub expected: ExpectedSet,
    /// The manifest among them.
    pub manifest: Manifest,
    /// The tree that was built.
    pub built: Citation,
    /// The programs that were built, for as long as the working directory of the run is there.
    pub programs: Built,
    /// Their digests.
    pub binaries: BinaryDigests,
    /// The digests of the tarball.
    pub digests: Digests,
    /// What is known about the network while the tree was built and the programs ran.
    pub network: Network,
    /// Whether the trust digest was compared with the README.
    pub trust: TrustCheck,
    /// What of this machine took part in the build.
    pub taken_over: TakenOver,
}

/// Builds the clean tree in the empty directory `work`, runs the scenarios in what was built, and checks every claim.
pub fn run(
    plan: &Plan<'_>,
    work: &WorkDir,
    progress: &Progress,
    times: &mut Vec<StageTime>,
) -> Result<Outcome> {
    let epoch = plan.source.commit_time;
    let tree = progress.stage(times, "clean tree", || {
        let tree = work.create("tree")?;
        plan.source.export(&tree, progress)?;
        Ok(tree)
    })?;
    let source = Citation::of_tree(&tree, plan.source.stamp(), epoch)?;
    let citation = plan.citation.unwrap_or(&source);
    let expected = plan.parameters.expected(&citation.commit)?;
    let (network, closed) = progress.stage(times, "crates", || {
        let network = Network::choose(plan.build.offline, progress)?;
        let request = closed::Request {
            tree: &tree,
            work: work.path(),
            source_date_epoch: epoch,
            targets: &[sbom::SHIPPED_TARGET],
            network,
        };
        Ok((network, Closed::prepare(&request, progress)?))
    })?;
    let (programs, binaries) = progress.stage(times, "build", || {
        let programs = compile::release(&closed, plan.build, progress)?;
        let binaries = programs.digests()?;
        Ok((programs, binaries))
    })?;

    let sbom = progress.stage(times, "sbom", || {
        let subject = sbom::Subject {
            citation,
            target: sbom::SHIPPED_TARGET,
            epoch: citation.commit_time,
        };
        inventory::generate(&closed, &subject, progress)
    })?;

    let environment = environment::of_built_programs(epoch, &work.create("temporary")?);
    let staged_dir = work.create("staged")?;
    let mut staged = progress.stage(times, "scenarios", || {
        let shell = Shell::new().context("find the working directory")?;
        shell.change_dir(&staged_dir);
        let command = network.command(&shell, &programs.xtask, &environment)?;
        stage(command, &staged_dir, citation, plan.parameters, progress)
    })?;
    progress.stage(times, "cross-check", || {
        CrossCheck {
            ecac: &programs.ecac,
            environment: &environment,
            network,
            parameters: plan.parameters,
            commit: &citation.commit,
            staged_dir: &staged_dir,
            staged: &staged,
            progress,
        }
        .run(work)
    })?;
    staged.insert(Single::Sbom.name().to_owned(), sbom);
    let set = ArtifactSet::new(expected.clone(), staged)
        .map_err(|difference| set_failure(&difference, "the scenarios"))?;
    let (manifest, trust) = progress.stage(times, "integrity", || {
        integrity(&set, &tree, plan.parameters, citation)
    })?;
    let Published { files, digests, .. } =
        progress.stage(times, "bundle", || set.publish().context("pack the bundle"))?;
    Ok(Outcome {
        files,
        expected,
        manifest,
        built: source,
        programs,
        binaries,
        digests,
        network,
        trust,
        taken_over: closed.taken_over().clone(),
    })
}

/// Runs the scenarios in `xtask`, the command that starts the freshly built program, and reads what it wrote to the
/// empty directory `dir`.
pub fn stage(
    xtask: Cmd<'_>,
    dir: &Path,
    citation: &Citation,
    parameters: &Parameters,
    progress: &Progress,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let args = [citation.to_args(), parameters::to_args(parameters)].concat();
    let command = xtask.args(["stage", "--out"]).arg(dir).args(args);
    process::run(progress, command)?.require(exit::VERIFICATION)?;
    let listing = Listing::read(dir)?;
    if let Some((name, kind)) = listing.irregular.first_key_value() {
        let message = format!("the scenarios wrote {name}, which is {kind}");
        return Err(Failure::new(exit::EXTRA, message).into());
    }
    Ok(listing.files)
}

/// Checks what the manifest and the README say about the set.
fn integrity(
    set: &ArtifactSet,
    tree: &Path,
    parameters: &Parameters,
    citation: &Citation,
) -> Result<(Manifest, TrustCheck)> {
    let file = |single: Single| {
        set.files()
            .get(single.name())
            .map_or(&[][..], Vec::as_slice)
    };
    let manifest = Manifest::parse(file(Single::Manifest))?;
    let trust = Digest::of(file(Single::TrustView));
    let claims = [
        ("source", Citation::of_manifest(&manifest)? == *citation),
        ("trust digest", manifest.trust_sha256 == trust.to_string()),
        ("parameters", manifest.parameters()? == *parameters),
    ];
    if let Some((claim, _)) = claims.iter().find(|(_, holds)| !holds) {
        let message = format!("manifest.json states another {claim} than it should");
        return Err(Failure::new(exit::VERIFICATION, message).into());
    }
    if *parameters != parameters::cited() {
        return Ok((manifest, TrustCheck::OtherParameters));
    }
    let printed = readme::digest(tree, readme::TRUST).map_err(|error| {
        let message = format!("{error:#}; trustview.json has sha256:{trust}");
        Failure::new(exit::VERIFICATION, message).hint(format!(
            "write `{}: sha256:{trust}` into README.md",
            readme::TRUST
        ))
    })?;
    if printed != trust {
        let message =
            format!("README.md prints the trust digest {printed}, but trustview.json has {trust}");
        return Err(Failure::new(exit::VERIFICATION, message)
            .hint(format!(
                "if the change is meant, write `{}: sha256:{trust}` into README.md",
                readme::TRUST
            ))
            .into());
    }
    Ok((manifest, TrustCheck::EqualsReadme))
}

/// The failure of a set that is not the expected one.
pub fn set_failure(difference: &ecac_artifact::SetDifference, made_by: &str) -> Failure {
    let code = match difference.missing.is_empty() {
        false => exit::MISSING,
        true => exit::EXTRA,
    };
    Failure::new(code, format!("{made_by}: {difference}"))
}
