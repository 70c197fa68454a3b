//! What the contents of an archive say of each other: every check that needs nothing but the archive.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use ecac_artifact::archive::Unpacked;
use ecac_artifact::{Artifact, Part, SetDifference, Single, Sums};
use ecac_bench::{Params, RunRecord};

use ecac_artifact::{Manifest, Parameters, Run};
use xtask::host::workspace;
use xtask::reproduce::engine::{self, Kept};
use xtask::reproduce::stage;
use xtask::set::citation::Citation;
use xtask::set::sbom;

/// Most ops of all logs together, as stated and as there. The cited set has a fraction of that, and to check this many
/// takes some seconds.
const OPS_MAX: usize = 9_000;

/// A file that is so many times longer than it should be is not compared byte by byte.
const LONGER_TIMES_MAX: usize = 4;

/// A file up to this size always is.
const COMPARED_BYTES: usize = 1 << 16;

/// An archive that has been unpacked in memory, and what it says of itself.
pub(super) struct Contents<'a> {
    archive: &'a Unpacked,
    pub(super) manifest: Manifest,
    parameters: Parameters,
}

impl<'a> Contents<'a> {
    /// Reads the manifest and requires exactly the files that it speaks of.
    pub(super) fn of(archive: &'a Unpacked) -> Result<Self> {
        let name = Single::Manifest.name();
        let manifest = archive
            .files()
            .get(name)
            .with_context(|| format!("there is no {name}"))?;
        let manifest = Manifest::parse(manifest)?;
        let (commit, parameters) = (manifest.commit()?, manifest.parameters()?);
        ensure!(
            commit == *archive.commit(),
            "the archive is named after {}, but {name} cites {commit}",
            archive.commit()
        );
        let expected = parameters.expected(&commit)?;
        let difference = SetDifference::between(expected.packed(), archive.files().keys());
        ensure!(difference.is_empty(), "{difference}");
        let contents = Self {
            archive,
            manifest,
            parameters,
        };
        contents.check_ops()?;
        Ok(contents)
    }

    /// Refuses logs whose replay would take long. What is no log is left to the step that reads it.
    fn check_ops(&self) -> Result<()> {
        let (mut stated, mut found) = (0_u64, 0);
        for run in &self.manifest.scenarios {
            stated += u64::from(run.ops);
            let log = self.part(&run.scenario, Part::Ops)?;
            found += ecac_core::split_op_log(log).map_or(0, |items| items.len());
        }
        ensure!(
            stated <= OPS_MAX as u64 && found <= OPS_MAX,
            "it is a set of {} ops, and more than {OPS_MAX} are not checked",
            stated.max(found as u64)
        );
        Ok(())
    }

    /// The bill of materials is one that the generator can have written for this manifest.
    ///
    /// Its digests are compared with `Cargo.lock` where this workspace has the one that the manifest names.
    pub(super) fn sbom(&self) -> Result<String> {
        let bytes = self.file(Single::Sbom.name())?;
        let citation = Citation::of_manifest(&self.manifest)?;
        let lockfile = workspace::root()
            .ok()
            .and_then(|root| fs::read_to_string(root.join("Cargo.lock")).ok())
            .filter(|text| {
                workspace::sha256_hex(text.as_bytes()) == self.manifest.cargo_lock_sha256
            });
        sbom::check::check(bytes, &citation, lockfile.as_deref())
    }

    /// How many files there are, and from what run.
    pub(super) fn describe(&self) -> String {
        format!(
            "{} files: {}",
            self.archive.files().len(),
            self.parameters.describe()
        )
    }

    /// The audit log verifies by its chain, by the observer's signature and by replay, and says what it said then.
    pub(super) fn audit(&self) -> Result<String> {
        let scenario = engine::scenario_of_singles(&self.parameters.scenarios);
        let ops = self.part(scenario, Part::Ops)?;
        let log = self.file(Single::AuditLog.name())?;
        let audited = engine::verify_audit(log, ops, self.parameters.seed)?;
        self.same(Single::AuditVerify.name(), audited.verification.as_bytes())?;
        ensure!(
            audited.head == self.manifest.audit_head,
            "manifest.json states another tree head than {}",
            audited.head
        );
        Ok(format!(
            "tree head {}",
            audited.head.get(..16).unwrap_or(&audited.head)
        ))
    }

    /// Tables, timelines, states, trust view and audit log follow from the op logs.
    pub(super) fn op_logs(&self) -> Result<String> {
        let schema = engine::schema_sha256();
        ensure!(
            self.manifest.schema_sha256 == schema,
            "the set follows schema {}, this program {schema}; use the program of its version",
            self.manifest.schema_sha256
        );
        let mut count = 0;
        for run in &self.manifest.scenarios {
            let record = self.observe(run)?;
            for (part, recomputed) in [
                (Part::Csv, &record.csv),
                (Part::Timeline, &record.timeline),
                (Part::State, &record.state),
            ] {
                self.same(&self.name(&run.scenario, part), recomputed)?;
            }
            ensure!(
                run.totals == record.totals && u64::from(run.ops) == record.totals.ops,
                "manifest.json gives other figures for {} than its op log",
                run.scenario
            );
            ensure!(
                run.meetings == engine::meetings(&run.scenario, run.seed, run.ops)?,
                "manifest.json gives other meetings for {} than its seed",
                run.scenario
            );
            count += record.totals.ops;
            if run.scenario == engine::scenario_of_singles(&self.parameters.scenarios) {
                self.same(Single::TrustView.name(), &record.trust)?;
                self.same(Single::AuditLog.name(), &record.audit)?;
                ensure!(
                    self.manifest.trust_sha256 == workspace::sha256_hex(&record.trust),
                    "manifest.json states another trust digest than that of trustview.json"
                );
            }
        }
        Ok(format!("recomputed from {count} ops"))
    }

    /// The figures and the report follow from the other files.
    pub(super) fn figures(&self) -> Result<String> {
        let made = ecac_report::RENDERED.map(Single::name);
        let is_told = |name: &str| {
            name != Artifact::SUMS_NAME && name != Single::Sbom.name() && !made.contains(&name)
        };
        let rest: BTreeMap<_, _> = self
            .archive
            .files()
            .iter()
            .filter(|(name, _)| is_told(name))
            .map(|(name, bytes)| (name.clone(), bytes.clone()))
            .collect();
        for (name, drawn) in ecac_report::render(&rest)? {
            self.same(name, &drawn)?;
        }
        Ok("drawn again from the other files".to_owned())
    }

    /// The op logs are those that the scenarios make from the seed, so nobody wrote them by hand.
    pub(super) fn seed(&self) -> Result<String> {
        engine::check(&self.parameters)?;
        let citation = Citation::of_manifest(&self.manifest)?;
        for (name, made) in stage::artifacts(&citation, &self.parameters, Kept::InMemory)? {
            self.same(&name, &made)?;
        }
        Ok(format!("made again from seed {}", self.parameters.seed))
    }

    fn observe(&self, run: &Run) -> Result<RunRecord> {
        let params = Params {
            scenario: run.scenario.parse()?,
            seed: run.seed,
            ops: run.ops,
        };
        let name = self.name(&run.scenario, Part::Ops);
        ecac_bench::observe(&params, &self.manifest.commit, self.file(&name)?).context(name)
    }

    fn name(&self, scenario: &str, part: Part) -> String {
        let artifact = Artifact::Run {
            scenario: scenario.to_owned(),
            part,
        };
        artifact.file_name(self.parameters.seed, self.archive.commit())
    }

    fn part(&self, scenario: &str, part: Part) -> Result<&[u8]> {
        self.file(&self.name(scenario, part))
    }

    fn file(&self, name: &str) -> Result<&[u8]> {
        let bytes = self.archive.files().get(name);
        Ok(bytes.with_context(|| format!("there is no {name}"))?)
    }

    /// Requires that a file has the bytes that were computed for it.
    fn same(&self, name: &str, computed: &[u8]) -> Result<()> {
        let file = self.file(name)?;
        let explained_bytes = COMPARED_BYTES.max(LONGER_TIMES_MAX * computed.len());
        ensure!(
            file.len() <= explained_bytes,
            "{name} has {} bytes where {} were computed",
            file.len(),
            computed.len()
        );
        if file != computed {
            bail!("{}", ecac_differ::explain(name, computed, file));
        }
        Ok(())
    }
}

/// The sums in the archive list every other file, once, with its digest.
pub(super) fn sums(archive: &Unpacked) -> Result<String> {
    let mut files = archive.files().clone();
    let sums = files
        .remove(Artifact::SUMS_NAME)
        .with_context(|| format!("there is no {}", Artifact::SUMS_NAME))?;
    let sums = Sums::parse(&sums)?;
    if let Some(fault) = sums.verify(&Sums::digests(&files)).first() {
        bail!("{fault}");
    }
    Ok(format!("{} files have the digests listed", files.len()))
}
