//! The scenarios: who writes what, when, and who meets whom.
//!
//! A scenario only makes people sign ops and meet; which ops count is the engine's verdict.

mod cast;
mod concurrent;
mod confidential;
mod hb_chain;
mod offline_revoke;
mod partition_3;
mod stolen_admin;

pub(crate) use confidential::cast;

use ecac_artifact::Meetings;
use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::course::Course;
use crate::replica::Observer;
use crate::storage::{Memory, Storage};
use crate::stream::Stream;

/// A scenario by name.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
    Serialize,
)]
#[strum(serialize_all = "kebab-case", parse_err_ty = UnknownScenario, parse_err_fn = unknown)]
#[serde(into = "&'static str")]
pub enum Scenario {
    /// One author, one causal chain.
    HbChain,
    /// Writers racing on registers and sets, with seeded merges.
    Concurrent,
    /// An editor works offline, an administrator revokes meanwhile, they meet; roll back, re-grant, work
    /// resumes.
    OfflineRevoke,
    /// A stolen policy administrator and a stolen root of three rage on old parents; sealed work stands, unsealed work is
    /// lost and endorsed again.
    StolenAdmin,
    /// Three replicas that a network parts and heals, and that sync by sessions.
    #[strum(serialize = "partition-3")]
    Partition3,
    /// Sealed values: a reader is revoked while a writer is offline, a device is lost, newcomers get the past or not.
    Confidential,
}

/// A text that names no scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown scenario `{0}`; there are hb-chain, concurrent, offline-revoke, stolen-admin, partition-3 and confidential"
)]
pub struct UnknownScenario(pub String);

impl Scenario {
    /// Every scenario, in the order in which they are reported.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in file names and command lines.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it shows, in a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::HbChain => "one author writes one causal chain",
            Self::Concurrent => "four writers race on registers and sets and merge at seeded times",
            Self::OfflineRevoke => {
                "an editor works offline while an administrator revokes; roll back, re-grant, resume"
            }
            Self::StolenAdmin => {
                "stolen keys of an administrator and of one root of three rage; sealed work stands, the rest is endorsed"
            }
            Self::Partition3 => {
                "three replicas are parted, write on, and sync by sessions once they are connected"
            }
            Self::Confidential => {
                "sealed values, and who opens them: a reader is revoked, a device is lost, newcomers come"
            }
        }
    }

    /// The fewest ops with which it still shows what it is for.
    #[must_use]
    pub const fn ops_min(self) -> u32 {
        match self {
            Self::HbChain => 8,
            Self::Concurrent => 40,
            Self::OfflineRevoke => 100,
            Self::StolenAdmin => 120,
            Self::Partition3 => 80,
            Self::Confidential => 120,
        }
    }

    /// The op log that the observer holds at the end: exactly `ops` ops in order of arrival. The others' replicas are in
    /// `storage`.
    pub(crate) fn generate<S: Storage>(
        self,
        seed: u64,
        ops: usize,
        storage: &mut S,
    ) -> Result<Vec<u8>, S::Error> {
        let mut stream = Stream::new(self.name(), seed);
        let observer: Observer = match self {
            Self::HbChain => hb_chain::generate(&mut stream, ops, storage),
            Self::Concurrent => concurrent::generate(&mut stream, ops, storage),
            Self::OfflineRevoke => offline_revoke::generate(&mut stream, ops, storage),
            Self::StolenAdmin => stolen_admin::generate(&mut stream, ops, storage),
            Self::Partition3 => {
                partition_3::generate(&mut stream, ops, storage).map(|it| it.observer)
            }
            Self::Confidential => confidential::generate(&mut stream, ops, storage),
        }?;
        assert_eq!(
            observer.count(),
            ops,
            "a scenario makes as many ops as it is asked for"
        );
        Ok(observer.into_op_log())
    }
}

/// A run of `partition-3` in memory.
fn partition_3(seed: u64, ops: u32) -> Result<partition_3::Played, u32> {
    let (scenario, min) = (Scenario::Partition3, Scenario::Partition3.ops_min());
    if ops < min {
        return Err(min);
    }
    let mut stream = Stream::new(scenario.name(), seed);
    match partition_3::generate(&mut stream, ops as usize, &mut Memory) {
        Ok(played) => Ok(played),
        Err(never) => match never {},
    }
}

/// What the network of `partition-3` carried, with this seed and so many ops.
///
/// # Errors
/// The least number of ops, if there are fewer.
pub fn meetings(seed: u64, ops: u32) -> Result<Meetings, u32> {
    partition_3(seed, ops).map(|it| it.meetings)
}

/// Who wrote what and who met whom in `partition-3`, with this seed and so many ops.
///
/// # Errors
/// The least number of ops, if there are fewer.
pub fn course(seed: u64, ops: u32) -> Result<Course, u32> {
    partition_3(seed, ops).map(|it| it.course)
}

fn unknown(name: &str) -> UnknownScenario {
    UnknownScenario(name.to_owned())
}
