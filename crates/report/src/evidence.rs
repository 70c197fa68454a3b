//! What a report rests on: the files of an artifact set, read and held against each other.

use std::collections::BTreeMap;

use ecac_artifact::{
    Digest, Event, Manifest, ManifestError, Metrics, Part, Run, Single, read_timeline,
};
use ecac_core::OpId;

use crate::error::ReportError;
use crate::ops::Ops;
use crate::state;

/// An artifact set whose parts agree.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) manifest: Manifest,
    pub(crate) runs: Vec<RunEvidence>,
    /// The digest and length of every file.
    pub(crate) digests: BTreeMap<String, (Digest, usize)>,
    /// What the audit verification says, if the set has it.
    pub(crate) audit: Option<String>,
}

/// The files of one run. What is absent stays absent.
#[derive(Debug)]
pub(crate) struct RunEvidence {
    pub(crate) run: Run,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) timeline: Option<Vec<Event<OpId>>>,
    /// Registers and set elements by their number of concurrent winners.
    pub(crate) winners: Option<BTreeMap<u64, u64>>,
    pub(crate) ops: Option<Ops>,
    /// The names of the files that the set lacks.
    pub(crate) absent: Vec<String>,
}

impl RunEvidence {
    pub(crate) fn name(&self) -> &str {
        &self.run.scenario
    }
}

impl Evidence {
    pub(crate) fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, ReportError> {
        let bytes = files
            .get(Single::Manifest.name())
            .ok_or_else(|| ReportError::Missing {
                file: Single::Manifest.name().to_owned(),
            })?;
        let manifest = manifest(bytes)?;
        let trust = Single::TrustView.name();
        if let Some(bytes) = files.get(trust) {
            let found = Digest::of(bytes).to_string();
            agree(trust, "the SHA-256", &manifest.trust_sha256, &found)?;
        }
        let runs = manifest
            .scenarios
            .iter()
            .map(|run| read_run(files, &manifest, run))
            .collect::<Result<_, _>>()?;
        let digests = files
            .iter()
            .map(|(name, bytes)| (name.clone(), (Digest::of(bytes), bytes.len())))
            .collect();
        let audit = files
            .get(Single::AuditVerify.name())
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok(Self {
            manifest,
            runs,
            digests,
            audit,
        })
    }

    /// The runs that leave something to tell: an op was not applied.
    pub(crate) fn with_denials(&self) -> impl Iterator<Item = &RunEvidence> {
        self.runs
            .iter()
            .filter(|run| run.run.totals.applied < run.run.totals.ops)
    }
}

fn manifest(bytes: &[u8]) -> Result<Manifest, ReportError> {
    let file = Single::Manifest.name().to_owned();
    Manifest::parse(bytes).map_err(|error| match error {
        ManifestError::Malformed { line, problem } => ReportError::Json {
            file,
            line,
            problem,
        },
        ManifestError::Format { found } => ReportError::Format {
            file,
            found: found.to_string(),
        },
        other @ (ManifestError::Commit { .. }
        | ManifestError::Version { .. }
        | ManifestError::NoScenario
        | ManifestError::Mixed) => ReportError::Json {
            file,
            line: 1,
            problem: other.to_string(),
        },
    })
}

fn metrics(file: &str, bytes: &[u8]) -> Result<Metrics, ReportError> {
    Metrics::parse(bytes).map_err(|error| ReportError::Metrics {
        file: file.to_owned(),
        line: error.line,
        fault: error.fault,
    })
}

fn timeline(file: &str, bytes: &[u8]) -> Result<Vec<Event<OpId>>, ReportError> {
    read_timeline(bytes).map_err(|error| ReportError::Json {
        file: file.to_owned(),
        line: error.line,
        problem: error.problem,
    })
}

fn read_run(
    files: &BTreeMap<String, Vec<u8>>,
    manifest: &Manifest,
    run: &Run,
) -> Result<RunEvidence, ReportError> {
    let mut absent = Vec::new();
    let mut file = |part: Part| {
        let name = format!("{}-{}{}", run.scenario, run.seed, part.suffix());
        match files.get(&name) {
            Some(bytes) => Some((name, bytes.as_slice())),
            None => {
                absent.push(name);
                None
            }
        }
    };
    let metrics = file(Part::Csv)
        .map(|(name, bytes)| {
            let metrics = metrics(&name, bytes)?;
            check_metrics(&name, &metrics, manifest, run)?;
            Ok(metrics)
        })
        .transpose()?;
    let events = file(Part::Timeline)
        .map(|(name, bytes)| Ok((timeline(&name, bytes)?, name)))
        .transpose()?;
    let winners = file(Part::State)
        .map(|(name, bytes)| {
            let found = Digest::of(bytes).to_string();
            agree(&name, "the SHA-256", &run.totals.state_sha256, &found)?;
            state::winners(&name, bytes)
        })
        .transpose()?;
    let ops = file(Part::Ops)
        .map(|(name, bytes)| Ops::parse(&name, bytes))
        .transpose()?;
    if let (Some((events, name)), Some(ops)) = (&events, &ops) {
        for (line, event) in (1..).zip(events) {
            if let Some(&op) = [event.op, event.by]
                .iter()
                .flatten()
                .find(|op| ops.get(op).is_none())
            {
                return Err(ReportError::UnknownOp {
                    file: name.clone(),
                    line,
                    op,
                });
            }
        }
    }
    Ok(RunEvidence {
        run: run.clone(),
        metrics,
        timeline: events.map(|(events, _)| events),
        winners,
        ops,
        absent,
    })
}

fn check_metrics(
    file: &str,
    metrics: &Metrics,
    manifest: &Manifest,
    run: &Run,
) -> Result<(), ReportError> {
    let (total, labels, totals) = (&metrics.total, &metrics.labels, &run.totals);
    for (what, expected, found) in [
        ("the commit", &manifest.commit, &labels.commit),
        ("the schema", &manifest.schema_sha256, &labels.schema),
        ("the scenario", &run.scenario, &labels.scenario),
        ("the seed", &run.seed.to_string(), &labels.seed.to_string()),
    ] {
        agree(file, what, expected, found)?;
    }
    for (what, expected, found) in [
        ("the total of ops", totals.ops, total.ops),
        ("the total of applied", totals.applied, total.applied),
        ("the total of denied", totals.denied, total.denied),
        ("the total of refused", totals.refused, total.refused),
        ("the total of pending", totals.pending, total.pending),
        (
            "the total of rolled_back",
            totals.rolled_back,
            total.rolled_back,
        ),
    ] {
        agree(file, what, &expected.to_string(), &found.to_string())?;
    }
    Ok(())
}

fn agree(file: &str, what: &'static str, expected: &str, found: &str) -> Result<(), ReportError> {
    if expected == found {
        return Ok(());
    }
    Err(ReportError::Disagrees {
        file: file.to_owned(),
        what,
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}
