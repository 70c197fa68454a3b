//! Random adversarial histories.
//!
//! A history is a list of abstract commands, which shrink well, and a player that turns them into signed ops.
//! The player steers by an [`Oracle`] (what has been refused makes a poor parent) but expects nothing of it: every
//! list of commands plays, whatever the oracle says.

mod acts;
mod command;
mod player;
mod setup;
mod strategy;

use core::fmt;
use std::collections::BTreeMap;
use std::rc::Rc;

use ecac_core::credential::{Credential, StatusList};
use ecac_core::payload;
use ecac_core::{Costs, Log, OpId, Payload, ProjectId, VerifiedOp};

pub use strategy::{histories, secret_histories};

use crate::naive::Oracle;
use crate::world::person;
use command::PEOPLE;

/// Ops of one history at most.
pub const OPS_MAX: usize = 60;

/// A history that has been played; its ops come in an order in which parents are first.
#[derive(Clone)]
pub struct History {
    /// The project: the id of the first op.
    pub project: ProjectId,
    /// The ops, of other projects too.
    pub ops: Vec<VerifiedOp>,
    /// What the definitions say of the ops, if that was found out while they were made.
    oracle: Option<Rc<Oracle>>,
    /// The same of a project that names more features, of which nothing is used.
    twin: Option<Rc<History>>,
}

impl History {
    /// The history of these ops, of which each comes after its parents.
    #[must_use]
    pub const fn of(project: ProjectId, ops: Vec<VerifiedOp>) -> Self {
        Self {
            project,
            ops,
            oracle: None,
            twin: None,
        }
    }

    /// The same history in a project that names more features, if it was played so: op by op.
    pub(crate) fn twin(&self) -> Option<&Self> {
        self.twin.as_deref()
    }

    fn with_twin(self, twin: Self) -> Self {
        Self {
            twin: Some(Rc::new(twin)),
            ..self
        }
    }

    /// Whether some op is of a kind that needs a feature.
    fn uses_features(&self) -> bool {
        self.ops.iter().any(|op| match &op.body().payload {
            Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_) => true,
            Payload::Genesis(_)
            | Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Grant(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Unassigned(_) => false,
        })
    }

    /// What a replica holds to which the ops arrived in this order.
    #[must_use]
    pub fn log(&self) -> Log {
        let mut log = Log::new(self.project);
        for op in &self.ops {
            log.ingest(op.clone(), &mut Costs::default());
        }
        log
    }

    /// What the definitions say of the ops.
    #[must_use]
    pub fn oracle(&self) -> Rc<Oracle> {
        self.oracle.clone().unwrap_or_else(|| {
            let ops = self.ops.iter().map(|op| (op.id(), op.body()));
            Rc::new(Oracle::of(self.project, ops))
        })
    }
}

/// Numbers instead of ids and keys, so that a failing history can be read.
impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number: BTreeMap<OpId, usize> = self
            .ops
            .iter()
            .enumerate()
            .map(|(at, op)| (op.id(), at))
            .collect();
        let elsewhere = |here: bool| if here { "" } else { "for another project " };
        let mut text = String::new();
        for (at, op) in self.ops.iter().enumerate() {
            let body = op.body();
            let parents: Vec<usize> = body.parents.iter().map(|op| number[op]).collect();
            let stamp = (body.hlc.physical_ms, body.hlc.logical);
            let id = op.id().to_string();
            text += &format!(
                "\n#{at} {} by {} seq {} at {stamp:?} after {parents:?}: ",
                &id[..8],
                body.author,
                body.seq
            );
            text += &match &body.payload {
                Payload::Genesis(genesis) => format!("Genesis {:?}", genesis.features),
                Payload::Credential(payload::Credential { jwt }) => match Credential::parse(jwt) {
                    Ok(it) => format!(
                        "Credential {}{} {} {:?} by {} {} from {:?} until {:?} status {:?}",
                        elsewhere(it.is_for(&self.project)),
                        it.subject,
                        it.role,
                        it.scope,
                        it.issuer,
                        it.kid,
                        it.valid_from,
                        it.valid_until,
                        it.status
                    ),
                    Err(why) => format!("Credential that is none: {why}"),
                },
                Payload::StatusList(payload::StatusList { jwt }) => match StatusList::parse(jwt) {
                    Ok(it) => {
                        let bits = (0..it.bit_count()).filter(|bit| it.get(*bit) == Some(true));
                        format!(
                            "StatusList {}{} {} by {} {} from {:?} bits {:?}",
                            elsewhere(it.is_for(&self.project)),
                            it.id,
                            it.purpose,
                            it.issuer,
                            it.kid,
                            it.valid_from,
                            bits.collect::<Vec<_>>()
                        )
                    }
                    Err(why) => format!("StatusList that is none: {why}"),
                },
                Payload::Grant(payload::Grant {
                    subject,
                    credential,
                }) => {
                    format!("Grant {subject} by #{:?}", number.get(credential))
                }
                Payload::SetField(_)
                | Payload::SetAdd(_)
                | Payload::SetRemove(_)
                | Payload::Revoke(_)
                | Payload::IssuerKey(_)
                | Payload::IssuerKeyRevoke(_)
                | Payload::Upgrade(_)
                | Payload::Schema(_)
                | Payload::Seal(_)
                | Payload::Device(_)
                | Payload::DeviceRevoke(_)
                | Payload::ReaderKey(_)
                | Payload::KeyRotate(_)
                | Payload::Unassigned(_) => format!("{:?}", body.payload),
                Payload::KeyGrant(payload::KeyGrant { key, shares }) => {
                    let to: Vec<String> = shares
                        .recipients()
                        .iter()
                        .map(ToString::to_string)
                        .collect();
                    format!("KeyGrant of #{:?} to {to:?}", number.get(key))
                }
                Payload::SetFieldSealed(payload::SetFieldSealed {
                    object,
                    field,
                    value,
                })
                | Payload::SetAddSealed(payload::SetAddSealed {
                    object,
                    field,
                    value,
                    ..
                }) => {
                    let kind = body.payload.kind();
                    let key = number.get(&value.key);
                    format!("{kind} {object} {field} under #{key:?}")
                }
                Payload::Cosign(payload::Cosign { op }) => {
                    format!("Cosign of #{:?}", number.get(op))
                }
                Payload::Endorse(payload::Endorse { ops }) => {
                    let ops = ops.iter().map(|op| number.get(op));
                    format!("Endorse {:?}", ops.collect::<Vec<_>>())
                }
            };
        }
        for number in PEOPLE {
            text = text.replace(
                &person(number).public.to_string(),
                &format!("person {number}"),
            );
        }
        f.write_str(&text)
    }
}

/// The items in the order of their keys; those with equal keys stay as they are.
pub(crate) fn shuffled<T>(items: Vec<T>, keys: &[u16]) -> Vec<T> {
    let mut keyed: Vec<(u16, T)> = keys.iter().copied().cycle().zip(items).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, item)| item).collect()
}
