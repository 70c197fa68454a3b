//! The kinds of artifact and their file names.

use strum::{IntoStaticStr, VariantArray};

use crate::commit::Commit;

/// One of the files that each scenario run writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
pub enum Part {
    /// The metrics table, one row per sample step.
    #[strum(serialize = ".csv")]
    Csv,
    /// The timeline in virtual time, one JSON object per line.
    #[strum(serialize = "-timeline.jsonl")]
    Timeline,
    /// The replayed state.
    #[strum(serialize = "-state.json")]
    State,
    /// Every op as a CBOR sequence (RFC 8742), from which the other parts can be recomputed.
    #[strum(serialize = "-ops.cborseq")]
    Ops,
}

impl Part {
    /// Every part.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// What follows `<scenario>-<seed>` in the file name.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        self.into()
    }
}

/// A file of which a set has exactly one, computed from all scenario runs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
pub enum Single {
    /// The hash-chained audit log of every decision.
    #[strum(serialize = "audit.jsonl")]
    AuditLog,
    /// What `audit-verify` said about the audit log.
    #[strum(serialize = "audit.verify.txt")]
    AuditVerify,
    /// The trust view: issuers, keys and status lists in force.
    #[strum(serialize = "trustview.json")]
    TrustView,
    /// What was run, with which parameters, from which commit.
    #[strum(serialize = "manifest.json")]
    Manifest,
    /// The figure of counted work against ops.
    #[strum(serialize = "fig-replay-cost.png")]
    ReplayCost,
    /// The figure of ops taken back against the time offline.
    #[strum(serialize = "fig-rollbacks.png")]
    Rollbacks,
    /// The figure of concurrent winners.
    #[strum(serialize = "fig-winners.png")]
    Winners,
    /// The page that tells what the set holds and how to check it.
    #[strum(serialize = "report.html")]
    Report,
    /// What the program `ecac` is built of.
    #[strum(serialize = "sbom.json")]
    Sbom,
}

impl Single {
    /// Every such file.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The file name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A file of the artifact set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Artifact {
    /// A file of one scenario run.
    Run {
        /// Name of the scenario, such as `hb-chain`.
        scenario: String,
        /// Which of the run's files.
        part: Part,
    },
    /// A file of which there is one.
    Single(Single),
    /// The digests of every other file, `SHA256SUMS`.
    Sums,
    /// The archive of every other file.
    Tarball,
}

impl Artifact {
    /// The name of the file that holds the digests.
    pub const SUMS_NAME: &'static str = "SHA256SUMS";

    /// The file name in a set made with `seed` at `commit`.
    #[must_use]
    pub fn file_name(&self, seed: u64, commit: &Commit) -> String {
        match self {
            Self::Run { scenario, part } => format!("{scenario}-{seed}{}", part.suffix()),
            Self::Single(single) => single.name().to_owned(),
            Self::Sums => Self::SUMS_NAME.to_owned(),
            Self::Tarball => format!("{}.tar.gz", crate::archive::directory(commit)),
        }
    }

    /// Whether `SHA256SUMS` lists the file: every file but itself and the tarball that contains it.
    #[must_use]
    pub const fn is_summed(&self) -> bool {
        !matches!(self, Self::Sums | Self::Tarball)
    }

    /// Whether the tarball contains the file: every file but itself.
    #[must_use]
    pub const fn is_packed(&self) -> bool {
        !matches!(self, Self::Tarball)
    }
}
