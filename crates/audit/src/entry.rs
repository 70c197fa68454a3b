//! Entries: what a node records, and the canonical line that is both export and Merkle leaf.

use core::fmt;

use ecac_core::{EffectCode, OpId, PublicKey, Refusal};
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::digest::Digest;
use crate::reason::RollBackReason;

/// What an entry is about.
///
/// An op id names the body alone, so it stands only for bytes whose signature verified: a copy of a good op
/// under a broken signature must not settle the fate of that op. Bytes that are refused as `non_canonical` or
/// `bad_signature` are therefore named by the SHA-256 digest of the envelope as it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An op in canonical form under a valid signature.
    Op(OpId),
    /// Bytes that are no such op.
    Envelope(Digest),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Op(op) => write!(f, "op {op}"),
            Self::Envelope(digest) => write!(f, "envelope {digest}"),
        }
    }
}

/// One event in the life of a node (`docs/audit.md`).
///
/// An op is ingested when its bytes arrive; it is applied, skipped or rolled back at once or in a later batch, when its
/// parents have arrived. Once applied it can be rolled back, and what is rolled back can be reinstated where a project uses
/// endorsements or seals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// An op arrived that the node does not hold already, or bytes that are no op and that it lists one by one.
    Ingested {
        /// The op, or the envelope where there is no op.
        #[serde(flatten)]
        subject: Subject,
    },
    /// An op takes part in the state.
    Applied {
        /// The op.
        op: OpId,
        /// The grant that allows it; genesis is its own grant. Where no grant does, the seal or the `Endorse` that upholds it.
        grant: OpId,
    },
    /// An op was refused and never enters the DAG.
    Skipped {
        /// The op, or the envelope where there is no op.
        #[serde(flatten)]
        subject: Subject,
        /// The first refusal that holds.
        reason: Refusal,
        /// The op that shows the refusal, where one does: the denial, the grant or the refused parent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        witness: Option<OpId>,
    },
    /// An admitted op was denied by what others did concurrently.
    RolledBack {
        /// The op.
        op: OpId,
        /// The first denial that holds.
        reason: RollBackReason,
        /// The op that kills it.
        denial: OpId,
    },
    /// An op that was denied counts again: by an `Endorse`, or by a seal that is final now.
    Reinstated {
        /// The op.
        op: OpId,
        /// What allows it: a grant, a seal or an `Endorse`.
        grant: OpId,
        /// The op with which it came to count again: an `Endorse`, a `Seal`, or a `Cosign`.
        cause: OpId,
    },
    /// An op of trust or policy does less than it says, or did and has come to something else.
    Effect {
        /// The op.
        op: OpId,
        /// What it comes to.
        effect: EffectCode,
        /// The op of the batch with which that changed; absent if the op is of the batch itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<OpId>,
    },
    /// An op arrived, or was released, that the node's program cannot judge: of a kind or on top of an op that it does not
    /// know.
    Held {
        /// The op.
        op: OpId,
    },
    /// Bytes were refused as no op of anybody's since the last such entry: how many, and nothing of each, so that whoever
    /// sends them cannot make the log grow.
    Rejected {
        /// `non_canonical` or `bad_signature`.
        reason: Refusal,
        /// Arrivals; at least one.
        count: u64,
    },
    /// Somebody read an object; recorded only where the operator opts in, and by digest only.
    Viewed {
        /// Digest of what was read.
        object: Digest,
        /// Who read it.
        viewer: PublicKey,
    },
    /// The node's state after the batch's ops.
    Checkpoint {
        /// Ops that are admitted: neither pending nor refused.
        ops: u64,
        /// SHA-256 digest of the state export.
        state: Digest,
    },
    /// The node and a peer held the same ops.
    Synced {
        /// The peer's node key.
        peer: PublicKey,
        /// SHA-256 digest of the 32-byte ids of the DAG's heads, in ascending order, that both held.
        heads: Digest,
    },
}

/// The kinds of entries, as they are named in exports and reports.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Display, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum EntryKind {
    /// [`Entry::Ingested`].
    Ingested,
    /// [`Entry::Applied`].
    Applied,
    /// [`Entry::Skipped`].
    Skipped,
    /// [`Entry::RolledBack`].
    RolledBack,
    /// [`Entry::Reinstated`].
    Reinstated,
    /// [`Entry::Effect`].
    Effect,
    /// [`Entry::Held`].
    Held,
    /// [`Entry::Rejected`].
    Rejected,
    /// [`Entry::Viewed`].
    Viewed,
    /// [`Entry::Checkpoint`].
    Checkpoint,
    /// [`Entry::Synced`].
    Synced,
}

impl EntryKind {
    /// Every kind, in the order of reports.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The value of the member `entry` in exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl Entry {
    /// The kind of this entry.
    #[must_use]
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::Ingested { .. } => EntryKind::Ingested,
            Self::Applied { .. } => EntryKind::Applied,
            Self::Skipped { .. } => EntryKind::Skipped,
            Self::RolledBack { .. } => EntryKind::RolledBack,
            Self::Reinstated { .. } => EntryKind::Reinstated,
            Self::Effect { .. } => EntryKind::Effect,
            Self::Held { .. } => EntryKind::Held,
            Self::Rejected { .. } => EntryKind::Rejected,
            Self::Viewed { .. } => EntryKind::Viewed,
            Self::Checkpoint { .. } => EntryKind::Checkpoint,
            Self::Synced { .. } => EntryKind::Synced,
        }
    }

    /// The entry's line in the export, without its newline: RFC 8785 canonical JSON, which is also the preimage
    /// of the Merkle leaf.
    ///
    /// `batch` is the number of heads before this entry, `index` the number of entries.
    #[must_use]
    pub fn to_line(&self, batch: u64, index: u64) -> String {
        canonical(&Line {
            batch,
            index,
            entry: self,
        })
    }
}

#[derive(Serialize)]
struct Line<'a> {
    batch: u64,
    index: u64,
    #[serde(flatten)]
    entry: &'a Entry,
}

#[derive(Deserialize)]
struct OwnedLine {
    batch: u64,
    index: u64,
    #[serde(flatten)]
    entry: Entry,
}

/// Why a line is not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not JSON of a known entry.
    #[error("the line is not an entry: {detail}")]
    Malformed {
        /// What the JSON reader says.
        detail: String,
    },
    /// Not the one canonical form: another order, spacing or spelling, or a member too many.
    #[error("the line is not in canonical form")]
    NotCanonical,
}

/// An entry at its place in the log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) batch: u64,
    pub(crate) index: u64,
    pub(crate) entry: Entry,
}

/// Reads a line without its newline; exactly the inverse of [`Entry::to_line`].
pub(crate) fn from_line(line: &[u8]) -> Result<Placed, EntryError> {
    let OwnedLine {
        batch,
        index,
        entry,
    } = serde_json::from_slice(line).map_err(|error| EntryError::Malformed {
        detail: error.to_string(),
    })?;
    if entry.to_line(batch, index).as_bytes() == line {
        Ok(Placed {
            batch,
            index,
            entry,
        })
    } else {
        Err(EntryError::NotCanonical)
    }
}

/// RFC 8785 canonical JSON of a value of this crate.
pub(crate) fn canonical(value: &impl Serialize) -> String {
    serde_json_canonicalizer::to_string(value)
        .expect("the values of this crate are strings and integers under string keys")
}

#[cfg(test)]
mod tests {
    use ecac_core::DenialReason;

    use super::*;

    fn op(byte: u8) -> OpId {
        OpId::from_bytes([byte; 32])
    }

    fn id(byte: &str) -> String {
        byte.repeat(32)
    }

    #[test]
    fn each_kind_has_the_line_that_the_format_states() {
        let key: PublicKey = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
            .parse()
            .unwrap();
        let digest = Digest::from_bytes([0xdd; 32]);
        let (a, b, d) = (id("0a"), id("0b"), id("dd"));
        let table = [
            (
                Entry::Ingested {
                    subject: Subject::Op(op(10)),
                },
                format!(r#"{{"batch":2,"entry":"ingested","index":7,"op":"{a}"}}"#),
            ),
            (
                Entry::Ingested {
                    subject: Subject::Envelope(digest),
                },
                format!(r#"{{"batch":2,"entry":"ingested","envelope":"{d}","index":7}}"#),
            ),
            (
                Entry::Applied {
                    op: op(10),
                    grant: op(11),
                },
                format!(r#"{{"batch":2,"entry":"applied","grant":"{b}","index":7,"op":"{a}"}}"#),
            ),
            (
                Entry::Skipped {
                    subject: Subject::Op(op(10)),
                    reason: Refusal::Revoked,
                    witness: Some(op(11)),
                },
                format!(
                    r#"{{"batch":2,"entry":"skipped","index":7,"op":"{a}","reason":"revoked","witness":"{b}"}}"#
                ),
            ),
            (
                Entry::Skipped {
                    subject: Subject::Envelope(digest),
                    reason: Refusal::NonCanonical,
                    witness: None,
                },
                format!(
                    r#"{{"batch":2,"entry":"skipped","envelope":"{d}","index":7,"reason":"non_canonical"}}"#
                ),
            ),
            (
                Entry::RolledBack {
                    op: op(10),
                    reason: DenialReason::StatusRevoked.into(),
                    denial: op(11),
                },
                format!(
                    r#"{{"batch":2,"denial":"{b}","entry":"rolled_back","index":7,"op":"{a}","reason":"status_revoked"}}"#
                ),
            ),
            (
                Entry::RolledBack {
                    op: op(10),
                    reason: RollBackReason::EQUIVOCATION,
                    denial: op(11),
                },
                format!(
                    r#"{{"batch":2,"denial":"{b}","entry":"rolled_back","index":7,"op":"{a}","reason":"equivocation"}}"#
                ),
            ),
            (
                Entry::Effect {
                    op: op(10),
                    effect: EffectCode::Short,
                    cause: None,
                },
                format!(r#"{{"batch":2,"effect":"short","entry":"effect","index":7,"op":"{a}"}}"#),
            ),
            (
                Entry::Effect {
                    op: op(10),
                    effect: EffectCode::Revokes,
                    cause: Some(op(11)),
                },
                format!(
                    r#"{{"batch":2,"cause":"{b}","effect":"revokes","entry":"effect","index":7,"op":"{a}"}}"#
                ),
            ),
            (
                Entry::Held { op: op(10) },
                format!(r#"{{"batch":2,"entry":"held","index":7,"op":"{a}"}}"#),
            ),
            (
                Entry::Rejected {
                    reason: Refusal::NonCanonical,
                    count: 5,
                },
                r#"{"batch":2,"count":5,"entry":"rejected","index":7,"reason":"non_canonical"}"#
                    .to_owned(),
            ),
            (
                Entry::Viewed {
                    object: digest,
                    viewer: key,
                },
                format!(
                    r#"{{"batch":2,"entry":"viewed","index":7,"object":"{d}","viewer":"{key}"}}"#
                ),
            ),
            (
                Entry::Checkpoint {
                    ops: 3,
                    state: digest,
                },
                format!(r#"{{"batch":2,"entry":"checkpoint","index":7,"ops":3,"state":"{d}"}}"#),
            ),
            (
                Entry::Synced {
                    peer: key,
                    heads: digest,
                },
                format!(r#"{{"batch":2,"entry":"synced","heads":"{d}","index":7,"peer":"{key}"}}"#),
            ),
        ];
        for (entry, line) in table {
            assert_eq!(entry.to_line(2, 7), line);
            assert!(line.contains(entry.kind().name()));
            let (batch, index) = (2, 7);
            let placed = Placed {
                batch,
                index,
                entry,
            };
            assert_eq!(from_line(line.as_bytes()), Ok(placed));
        }
    }

    #[test]
    fn only_the_canonical_line_is_read() {
        let a = id("0a");
        let table = [
            (
                "order",
                format!(r#"{{"batch":2,"index":7,"entry":"ingested","op":"{a}"}}"#),
            ),
            (
                "space",
                format!(r#"{{"batch":2,"entry":"ingested", "index":7,"op":"{a}"}}"#),
            ),
            (
                "tail",
                format!("{{\"batch\":2,\"entry\":\"ingested\",\"index\":7,\"op\":\"{a}\"}}\r"),
            ),
            (
                "number",
                format!(r#"{{"batch":2,"entry":"ingested","index":7.0,"op":"{a}"}}"#),
            ),
            (
                "leading zero",
                format!(r#"{{"batch":2,"entry":"ingested","index":07,"op":"{a}"}}"#),
            ),
            (
                "sign",
                format!(r#"{{"batch":2,"entry":"ingested","index":-7,"op":"{a}"}}"#),
            ),
            (
                "unknown member",
                format!(r#"{{"batch":2,"entry":"ingested","index":7,"op":"{a}","x":1}}"#),
            ),
            (
                "member twice",
                format!(r#"{{"batch":2,"entry":"ingested","index":7,"op":"{a}","op":"{a}"}}"#),
            ),
            (
                "both subjects",
                format!(
                    r#"{{"batch":2,"entry":"ingested","envelope":"{a}","index":7,"op":"{a}"}}"#
                ),
            ),
            (
                "no subject",
                r#"{"batch":2,"entry":"ingested","index":7}"#.to_owned(),
            ),
            (
                "null witness",
                format!(
                    r#"{{"batch":2,"entry":"skipped","index":7,"op":"{a}","reason":"revoked","witness":null}}"#
                ),
            ),
            (
                "escape",
                format!(r#"{{"batch":2,"entry":"\u0069ngested","index":7,"op":"{a}"}}"#),
            ),
            (
                "upper case",
                format!(
                    r#"{{"batch":2,"entry":"ingested","index":7,"op":"{}"}}"#,
                    a.to_uppercase()
                ),
            ),
            (
                "short id",
                r#"{"batch":2,"entry":"ingested","index":7,"op":"0a"}"#.to_owned(),
            ),
            (
                "unknown kind",
                format!(r#"{{"batch":2,"entry":"deleted","index":7,"op":"{a}"}}"#),
            ),
            (
                "unknown reason",
                format!(r#"{{"batch":2,"entry":"skipped","index":7,"op":"{a}","reason":"whim"}}"#),
            ),
            (
                "unknown effect",
                format!(r#"{{"batch":2,"effect":"whim","entry":"effect","index":7,"op":"{a}"}}"#),
            ),
            ("no entry", format!(r#"{{"batch":2,"index":7,"op":"{a}"}}"#)),
            (
                "no batch",
                format!(r#"{{"entry":"ingested","index":7,"op":"{a}"}}"#),
            ),
            (
                "no index",
                format!(r#"{{"batch":2,"entry":"ingested","op":"{a}"}}"#),
            ),
            ("array", "[]".to_owned()),
            ("nothing", String::new()),
        ];
        for (name, line) in table {
            assert!(from_line(line.as_bytes()).is_err(), "{name}: {line}");
        }
    }

    #[test]
    fn integers_beyond_those_of_rfc_8785_are_not_read() {
        for ops in [(1_u64 << 53) + 1, u64::MAX] {
            let line = format!(
                r#"{{"batch":2,"entry":"checkpoint","index":7,"ops":{ops},"state":"{}"}}"#,
                id("dd")
            );
            assert_eq!(
                from_line(line.as_bytes()),
                Err(EntryError::NotCanonical),
                "{ops}"
            );
        }
    }
}
