//! Cosignatures of witnesses (c2sp.org/tlog-cosignature): who else saw a head, and when.
//!
//! A witness signs a head once it has seen that it continues the last one that it signed. So a log whose heads are
//! cosigned cannot show different histories to different people without the witnesses' help.

use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecac_core::{PublicKey, zip215_verifies};
use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError, Origin};
use crate::note::{COSIGNATURE, SignatureLine, SignedText, is_key_name, key_id_of_type};

/// The key of a witness: a *vkey* of c2sp.org/signed-note with the signature type 0x04.
///
/// Displayed and parsed as `<name>+<key id in hexadecimal>+<base64 of 04 and the key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: PublicKey,
}

/// A text that is no key of a witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a witness key is `<name>+<key id>+<base64>` of an Ed25519 key for cosignatures, type 04")]
pub struct ParseWitnessKeyError;

/// A witness's signature on a head, which has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness.
    pub witness: WitnessKey,
    /// When it signed, in seconds since 1970, on the word of the witness.
    pub time_s: u64,
}

/// A head that the node signed, and with it what others may have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

/// Why a signed head is not one that a witness saw.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CosignatureError {
    /// A line with the name and the key id of the witness is not its signature of this head.
    #[error("the signature of the witness {name} does not verify")]
    Signature {
        /// Name of the witness.
        name: String,
    },
}

impl WitnessKey {
    /// The key `key` of the witness `name`; `None` for a name that is empty or has spaces, plus signs or controls.
    #[must_use]
    pub fn new(name: &str, key: PublicKey) -> Option<Self> {
        is_key_name(name).then(|| Self {
            name: name.to_owned(),
            key,
        })
    }

    /// The name of the witness.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key of the witness.
    #[must_use]
    pub const fn key(&self) -> PublicKey {
        self.key
    }

    fn key_id(&self) -> [u8; 4] {
        key_id_of_type(&self.name, COSIGNATURE, self.key)
    }

    /// The time at which this witness signed the text; `None` if it did not.
    fn time_of(&self, text: &str, line: &SignatureLine<'_>) -> Option<u64> {
        let (time, signature) = line.signature.split_first_chunk()?;
        let signature: [u8; 64] = signature.try_into().ok()?;
        let time_s = u64::from_be_bytes(*time);
        let message = cosigned_message(text, time_s);
        let is_time = i64::try_from(time_s).is_ok();
        (is_time && zip215_verifies(&self.key, &signature, message.as_bytes())).then_some(time_s)
    }
}

/// What a witness signs (c2sp.org/tlog-cosignature, Ed25519).
pub(crate) fn cosigned_message(text: &str, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![COSIGNATURE];
        key.extend_from_slice(self.key.as_bytes());
        let (id, key) = (hex::encode(self.key_id()), STANDARD.encode(key));
        write!(f, "{}+{id}+{key}", self.name)
    }
}

impl FromStr for WitnessKey {
    type Err = ParseWitnessKeyError;

    fn from_str(text: &str) -> Result<Self, ParseWitnessKeyError> {
        let parse = || {
            let mut parts = text.splitn(3, '+');
            let (name, _, key) = (parts.next()?, parts.next()?, parts.next()?);
            let key = STANDARD.decode(key).ok()?;
            let key = key.strip_prefix(&[COSIGNATURE])?.try_into().ok()?;
            let witness = Self::new(name, PublicKey::from_bytes(key))?;
            (witness.to_string() == text).then_some(witness)
        };
        parse().ok_or(ParseWitnessKeyError)
    }
}

impl CosignedCheckpoint {
    /// Reads a head of the log `origin` with any number of signatures, and verifies that of the node; the others are
    /// kept as they are.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`] as of [`Checkpoint::open`], but for additional signatures.
    pub fn open(note: &str, origin: &Origin) -> Result<Self, CheckpointError> {
        let signed = SignedText::parse(note)?;
        let name = origin.to_string();
        let by_node = signed.signatures.iter().find(|line| line.name == name);
        // Where the node's line is absent, the first one tells what is wrong.
        let line = by_node.or(signed.signatures.first());
        let line = line.map_or("", |line| line.line);
        let checkpoint = Checkpoint::open(&format!("{}\n{line}\n", signed.text), origin)?;
        Ok(Self {
            checkpoint,
            note: note.to_owned(),
        })
    }

    /// The head under the node's signature alone.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed note with all its signatures and its final newline.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The signatures of these witnesses, in the order of the witnesses; those of others are ignored.
    ///
    /// # Errors
    ///
    /// [`CosignatureError`] where a line has name and key id of one of the witnesses and is not its signature.
    pub fn cosignatures(
        &self,
        witnesses: &[WitnessKey],
    ) -> Result<Vec<Cosignature>, CosignatureError> {
        let Ok(signed) = SignedText::parse(&self.note) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for witness in witnesses {
            let id = witness.key_id();
            let lines = signed.signatures.iter();
            let mut lines = lines.filter(|line| line.name == witness.name && line.key_id == id);
            if let Some(line) = lines.next() {
                let time_s = witness.time_of(signed.text, line);
                let time_s = time_s.ok_or_else(|| CosignatureError::Signature {
                    name: witness.name.clone(),
                })?;
                found.push(Cosignature {
                    witness: witness.clone(),
                    time_s,
                });
            }
        }
        Ok(found)
    }

    /// The same head with the signatures of both, each once; `None` where `other` is another head.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Option<Self> {
        let (mine, theirs) = (
            SignedText::parse(&self.note).ok()?,
            SignedText::parse(&other.note).ok()?,
        );
        if mine.text != theirs.text {
            return None;
        }
        let mut lines: Vec<&str> = mine.signatures.iter().map(|line| line.line).collect();
        for line in &theirs.signatures {
            if !lines.contains(&line.line) {
                lines.push(line.line);
            }
        }
        let note = format!("{}\n{}\n", mine.text, lines.join("\n"));
        SignedText::parse(&note).ok()?;
        Some(Self {
            checkpoint: self.checkpoint.clone(),
            note,
        })
    }
}

impl From<Checkpoint> for CosignedCheckpoint {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            note: checkpoint.note().to_owned(),
            checkpoint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::TreeHead;
    use crate::{Digest, NodeKey};

    fn origin() -> (Origin, NodeKey) {
        let key = NodeKey::from_seed([1; 32]);
        let project = ecac_core::ProjectId::from_bytes([0xab; 32]);
        let node = key.public();
        (Origin { project, node }, key)
    }

    /// The line with which a witness signs, computed without the code under test but for hashes and signatures.
    fn cosign(name: &str, key: &NodeKey, text: &str, time_s: u64) -> String {
        let id = [name.as_bytes(), b"\n\x04", key.public().as_bytes()].concat();
        let id = Digest::of(&id);
        let message = format!("cosignature/v1\ntime {time_s}\n{text}");
        let signature = key.sign(message.as_bytes());
        let blob = [&id.as_bytes()[..4], &time_s.to_be_bytes(), &signature].concat();
        format!("— {name} {}\n", STANDARD.encode(blob))
    }

    #[test]
    fn cosignatures_are_found_verified_and_dated() {
        let (origin, key) = origin();
        let head = TreeHead {
            size: 7,
            root: Digest::of(b"root"),
        };
        let checkpoint = Checkpoint::sign(&origin, head, &key);
        let (text, _) = checkpoint.note().split_once("\n\n").unwrap();
        let text = format!("{text}\n");
        let keys = [2, 3].map(|seed| NodeKey::from_seed([seed; 32]));
        let names = ["witness.example/a", "witness.example/b"];
        let lines = [0, 1].map(|at| cosign(names[at], &keys[at], &text, 1_700_000_000 + at as u64));
        let witnesses = [0, 1].map(|at| WitnessKey::new(names[at], keys[at].public()).unwrap());
        for witness in &witnesses {
            assert_eq!(witness.to_string().parse().as_ref(), Ok(witness));
        }
        let note = format!("{}{}{}", checkpoint.note(), lines[0], lines[1]);
        assert!(Checkpoint::open(&note, &origin).is_err());
        let cosigned = CosignedCheckpoint::open(&note, &origin).unwrap();
        assert_eq!(cosigned.checkpoint(), &checkpoint);
        let found = cosigned.cosignatures(&witnesses).unwrap();
        let times: Vec<u64> = found.iter().map(|it| it.time_s).collect();
        assert_eq!(times, [1_700_000_000, 1_700_000_001]);
        assert_eq!(cosigned.cosignatures(&witnesses[1..]).unwrap().len(), 1);
        assert_eq!(cosigned.cosignatures(&[]), Ok(vec![]));

        // A key of the same name that did not sign is another witness.
        let other = WitnessKey::new(names[0], keys[1].public()).unwrap();
        assert_eq!(cosigned.cosignatures(&[other]), Ok(vec![]));
        // The node's own signature does not depend on what stands beside it, nor on the order.
        let (signed, own) = checkpoint.note().split_once("\n\n").unwrap();
        let turned = format!("{signed}\n\n{}{own}", lines[0]);
        let turned = CosignedCheckpoint::open(&turned, &origin).unwrap();
        assert_eq!(turned.checkpoint(), &checkpoint);
        let merged = turned.merge(&cosigned).unwrap();
        assert_eq!(merged.note().lines().count(), note.lines().count());
        assert_eq!(merged.cosignatures(&witnesses).unwrap(), found);

        // A witness that signed another head, or at another time, did not sign this.
        let elsewhere = cosign(names[0], &keys[0], "another text\n", 5);
        let forged = format!("{}{elsewhere}", checkpoint.note());
        let forged = CosignedCheckpoint::open(&forged, &origin).unwrap();
        let name = names[0].to_owned();
        let want = Err(CosignatureError::Signature { name });
        assert_eq!(forged.cosignatures(&witnesses), want);
        let beyond = cosign(names[0], &keys[0], &text, 1 << 63);
        let beyond = format!("{}{beyond}", checkpoint.note());
        let beyond = CosignedCheckpoint::open(&beyond, &origin).unwrap();
        assert_eq!(beyond.cosignatures(&witnesses), want);
    }

    /// Its signatures are under keys that nobody has, so only its form is checked.
    #[test]
    fn the_example_of_the_specification_parses() {
        let note = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
            — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
            — witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        let signed = SignedText::parse(note).unwrap();
        assert_eq!(signed.signatures.len(), 2);
        let witness = &signed.signatures[1];
        assert_eq!(
            (witness.name, witness.signature.len()),
            ("witness.example.com/w1", 72)
        );
        let time = u64::from_be_bytes(*witness.signature.first_chunk().unwrap());
        assert_eq!(time, 1_679_315_147);
        let message = cosigned_message(signed.text, time);
        assert!(
            message
                .starts_with("cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n2085")
        );
    }

    #[test]
    fn what_is_no_witness_key_is_refused() {
        let key = WitnessKey::new("w.example", NodeKey::from_seed([2; 32]).public()).unwrap();
        let text = key.to_string();
        let (rest, base64) = text.rsplit_once('+').unwrap();
        let ed25519 = [&[1][..], key.key().as_bytes()].concat();
        for bad in [
            "",
            "w.example",
            rest,
            &text.replace("w.example", ""),
            &text.replace("w.example", "w example"),
            &text.replace("w.example", "v.example"),
            &text.to_uppercase(),
            &format!("{rest}+{}", STANDARD.encode(ed25519)),
            &format!("{rest}+{}", &base64[4..]),
            &format!("{text}="),
        ] {
            assert_eq!(
                bad.parse::<WitnessKey>(),
                Err(ParseWitnessKeyError),
                "{bad}"
            );
        }
        for name in ["", "a b", "a+b", "a\nb", "a\u{2003}b"] {
            assert_eq!(WitnessKey::new(name, key.key()), None);
        }
    }
}
