//! The kinds of artifact and their file names.

use crate::Commit;

/// One of the files that each scenario run writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The metrics table, one row per sample step.
    Csv,
    /// The timeline in virtual time, one JSON object per line.
    Timeline,
    /// The replayed state.
    State,
    /// Every op as a CBOR sequence (RFC 8742), from which the other parts can be recomputed.
    Ops,
}

impl Part {
    /// Every part.
    pub const ALL: &'static [Self] = &[Self::Csv, Self::Timeline, Self::State, Self::Ops];

    /// What follows `<scenario>-<seed>` in the file name.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Csv => ".csv",
            Self::Timeline => "-timeline.jsonl",
            Self::State => "-state.json",
            Self::Ops => "-ops.cborseq",
        }
    }
}

/// Declares the files of which a set has exactly one each.
macro_rules! summaries {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A file of which a set has exactly one, computed from all scenario runs together.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Summary { $($(#[$doc])* $variant,)* }

        impl Summary {
            /// Every summary.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The file name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

summaries! {
    /// The hash-chained audit log of every decision.
    AuditLog = "audit.jsonl",
    /// What `audit-verify` said about the audit log.
    AuditVerify = "audit.verify.txt",
    /// The trust view: issuers, keys and status lists in force.
    TrustView = "trustview.json",
    /// What was run, with which parameters, from which commit.
    Manifest = "manifest.json",
    /// The figure of counted work against ops.
    ReplayCost = "fig-replay-cost.png",
    /// The figure of ops taken back against the time offline.
    Rollbacks = "fig-rollbacks.png",
    /// The figure of concurrent winners.
    Winners = "fig-winners.png",
    /// The page that tells what the set holds and how to check it.
    Report = "report.html",
    /// What the program `ecac` is built of.
    Sbom = "sbom.json",
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
    Summary(Summary),
    /// The digests of every run file and summary, `SHA256SUMS`.
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
            Self::Summary(summary) => summary.name().to_owned(),
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
