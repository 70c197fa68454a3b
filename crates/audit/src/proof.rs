//! Self-contained proofs that hold without the log: an entry is in it, one head extends another.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError, Origin, base64, parse_base64};
use crate::digest::Digest;
use crate::entry::{Entry, from_line};
use crate::merkle::{ProofError, verify_consistency, verify_inclusion};
use crate::witness::CosignedCheckpoint;

/// First line of an inclusion proof (c2sp.org/tlog-proof).
const INCLUSION_FORMAT: &str = "c2sp.org/tlog-proof@v1";

/// Hashes of one proof: one per level of a tree, plus one.
const HASHES_MAX: usize = 65;

/// The proof that a log has a certain entry at a certain index.
///
/// Displayed and parsed in the format of c2sp.org/tlog-proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryProof {
    /// The entry's line without its newline, as extra data, so that nothing else is needed to check the proof; `None`
    /// where the one who checks has the line.
    pub line: Option<Vec<u8>>,
    /// Index of the entry.
    pub index: u64,
    /// Sibling hashes, leaf to root.
    pub path: Vec<Digest>,
    /// Signed note of the head, which may have signatures of witnesses; not yet verified.
    pub checkpoint: String,
}

/// The proof that a head of a log extends an earlier one of the same log.
///
/// Displayed and parsed in the format of a request to a witness (c2sp.org/tlog-witness, add-checkpoint): `old` and the
/// earlier size, the hashes, an empty line, the later signed head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionProof {
    /// Size of the earlier tree.
    pub old_size: u64,
    /// Hashes of RFC 9162 section 2.1.4.
    pub path: Vec<Digest>,
    /// Signed note of the later head; not yet verified.
    pub checkpoint: String,
}

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifyProofError {
    /// The head in the proof is not a signed head of the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The hashes do not prove it.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The proof starts at another size than the head that is held.
    #[error("the proof starts at size {found}, the head that is held has {expected}")]
    OldSize {
        /// Size of the head that is held.
        expected: u64,
        /// Size in the proof.
        found: u64,
    },
}

/// A text that is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the text is not a proof")]
pub struct ParseProofError;

impl EntryProof {
    /// Parses a text of one or more proofs, one after the other.
    ///
    /// # Errors
    ///
    /// [`ParseProofError`] where one of them is none, or the text is empty.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, ParseProofError> {
        let mut texts: Vec<String> = Vec::new();
        for line in text.split_inclusive('\n') {
            if line.strip_suffix('\n') == Some(INCLUSION_FORMAT) {
                texts.push(String::new());
            }
            texts.last_mut().ok_or(ParseProofError)?.push_str(line);
        }
        if texts.is_empty() {
            return Err(ParseProofError);
        }
        texts.iter().map(|text| text.parse()).collect()
    }

    /// The entry in [`Self::line`]; `None` where there is no line, or it is not that of an entry at [`Self::index`].
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        let placed = from_line(self.line.as_deref()?).ok()?;
        (placed.index == self.index).then_some(placed.entry)
    }

    /// Checks that the log `origin` has the entry with the line `line` (without newline) at [`Self::index`].
    ///
    /// # Errors
    ///
    /// [`VerifyProofError`] when the head is not signed by the node of `origin`, or the path does not fit. Signatures of
    /// others are not judged; [`Self::verify_cosigned`] gives them.
    pub fn verify(&self, origin: &Origin, line: &[u8]) -> Result<Checkpoint, VerifyProofError> {
        let cosigned = self.verify_cosigned(origin, line)?;
        Ok(cosigned.checkpoint().clone())
    }

    /// The same; the head comes with the signatures of others, none of which has been verified.
    ///
    /// # Errors
    ///
    /// As [`Self::verify`].
    pub fn verify_cosigned(
        &self,
        origin: &Origin,
        line: &[u8],
    ) -> Result<CosignedCheckpoint, VerifyProofError> {
        let cosigned = CosignedCheckpoint::open(&self.checkpoint, origin)?;
        verify_inclusion(&cosigned.checkpoint().head(), self.index, line, &self.path)?;
        Ok(cosigned)
    }
}

impl ExtensionProof {
    /// Checks that the log `origin` extends the head `old`, which was verified before; returns the later head.
    ///
    /// # Errors
    ///
    /// [`VerifyProofError`] when the later head is not signed by the node of `origin`, or does not extend `old`.
    pub fn verify(
        &self,
        origin: &Origin,
        old: &Checkpoint,
    ) -> Result<Checkpoint, VerifyProofError> {
        let expected = old.head().size;
        if self.old_size != expected {
            return Err(VerifyProofError::OldSize {
                expected,
                found: self.old_size,
            });
        }
        let checkpoint = Checkpoint::open(&self.checkpoint, origin)?;
        verify_consistency(&old.head(), &checkpoint.head(), &self.path)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for EntryProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{INCLUSION_FORMAT}")?;
        if let Some(line) = &self.line {
            writeln!(f, "extra {}", STANDARD.encode(line))?;
        }
        write_proof(f, "index", self.index, &self.path, &self.checkpoint)
    }
}

impl FromStr for EntryProof {
    type Err = ParseProofError;

    fn from_str(text: &str) -> Result<Self, ParseProofError> {
        let (line, rest) = text
            .strip_prefix(INCLUSION_FORMAT)
            .and_then(|rest| split_extra(rest.strip_prefix('\n')?))
            .ok_or(ParseProofError)?;
        let (index, path, checkpoint) = parse_proof(rest, "index").ok_or(ParseProofError)?;
        Ok(Self {
            line,
            index,
            path,
            checkpoint,
        })
    }
}

impl fmt::Display for ExtensionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_proof(f, "old", self.old_size, &self.path, &self.checkpoint)
    }
}

impl FromStr for ExtensionProof {
    type Err = ParseProofError;

    fn from_str(text: &str) -> Result<Self, ParseProofError> {
        let (old_size, path, checkpoint) = parse_proof(text, "old").ok_or(ParseProofError)?;
        Ok(Self {
            old_size,
            path,
            checkpoint,
        })
    }
}

fn write_proof(
    f: &mut fmt::Formatter<'_>,
    word: &str,
    number: u64,
    path: &[Digest],
    checkpoint: &str,
) -> fmt::Result {
    writeln!(f, "{word} {number}")?;
    for hash in path {
        writeln!(f, "{}", base64(hash))?;
    }
    write!(f, "\n{checkpoint}")
}

/// The extra data, if there is some, and what follows it.
fn split_extra(text: &str) -> Option<(Option<Vec<u8>>, &str)> {
    let Some(rest) = text.strip_prefix("extra ") else {
        return Some((None, text));
    };
    let (encoded, rest) = rest.split_once('\n')?;
    Some((Some(STANDARD.decode(encoded).ok()?), rest))
}

fn parse_proof(text: &str, word: &str) -> Option<(u64, Vec<Digest>, String)> {
    let (proof, checkpoint) = text.split_once("\n\n")?;
    let mut lines = proof.split('\n');
    let digits = lines.next()?.strip_prefix(word)?.strip_prefix(' ')?;
    let number: u64 = digits.parse().ok()?;
    if number.to_string() != digits {
        return None;
    }
    let path: Vec<Digest> = lines
        .take(HASHES_MAX + 1)
        .map(parse_base64)
        .collect::<Option<_>>()?;
    (path.len() <= HASHES_MAX).then(|| (number, path, checkpoint.to_owned()))
}
