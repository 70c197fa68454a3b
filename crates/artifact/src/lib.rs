//! The artifact set of ECAC: which files a reproduction consists of, their sums, and the archive that carries
//! them.
//!
//! Pure: bytes in, bytes out. The crate knows no file system, no clock, no environment and no child process;
//! whoever calls it reads and writes the files. One arrow runs through it:
//! [`ExpectedSet`] -> [`ArtifactSet`] -> [`Sums`] -> [`archive::Archive`], and back again for a verifier:
//! [`archive::unpack`] -> [`Sums::parse`] -> [`Sums::verify`].
#![forbid(unsafe_code)]

pub mod archive;
mod artifact;
mod commit;
mod digest;
mod escape;
pub mod exit;
mod expected;
mod manifest;
mod meetings;
mod metrics;
mod name;
mod parameters;
mod set;
mod sums;
mod timeline;
mod totals;
mod version;

pub use artifact::{Artifact, Part, Single};
pub use commit::{Commit, ParseCommitError};
pub use digest::{Digest, ParseDigestError};
pub use escape::escape;
pub use expected::{ExpectedSet, ScenarioError, SetDifference};
pub use manifest::{Manifest, ManifestError, Run};
pub use meetings::Meetings;
pub use metrics::{Metrics, MetricsError, MetricsFault, MetricsLabels, MetricsRow, MetricsStep};
pub use name::{NAME_BYTES_MAX, NameFault, check_name};
pub use parameters::Parameters;
pub use set::{ArtifactSet, Published};
pub use sums::{Sums, SumsError, SumsErrorKind, SumsFault};
pub use timeline::{Event, EventKind, TimelineError, read_timeline};
pub use totals::Totals;
pub use version::{ParseVersionError, Version};
