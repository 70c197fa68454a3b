//! The readers of the scenario `confidential`: their private keys, which follow from the seed, and what each of them opens. With
//! both and the op log an independent program can be held to what is said here.

use ecac_core::{
    OpId, OpLogError, ProjectId, PublicKey, Replica, Value, project_of, public_key, split_op_log,
};
use ecac_seal::{ReaderSecret, read};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::scenario::{Scenario, cast};
use crate::stream::Stream;

/// What the file of private keys says of itself.
const ABOUT: &str = "Private keys of simulated readers. They follow from the seed, are known to everybody and protect nothing.";

/// The private keys of all who hold some in `confidential` with this seed.
#[derive(Debug, Clone, Serialize)]
pub struct Readers {
    format: &'static str,
    about: &'static str,
    scenario: Scenario,
    seed: u64,
    /// Everybody, in a fixed order.
    pub readers: Vec<Reader>,
}

/// Somebody who holds reader keys, of which the public halves may stand in the log.
#[derive(Debug, Clone, Serialize)]
pub struct Reader {
    /// What they are called, which stands in no log.
    pub name: &'static str,
    /// Who they are in the log.
    #[serde(serialize_with = "text")]
    pub key: PublicKey,
    /// Their private keys, in the order in which they made them.
    #[serde(serialize_with = "private")]
    pub secrets: Vec<ReaderSecret>,
}

/// Who opens what of an op log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    format: &'static str,
    project: ProjectId,
    /// Every admitted sealed write, in the order of its op log.
    pub values: Vec<OpenedValue>,
}

/// A sealed value, and who opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenedValue {
    /// The write.
    #[serde(serialize_with = "text")]
    pub op: OpId,
    /// The content key that it takes; the log says which, too.
    #[serde(skip)]
    pub key: OpId,
    /// The SHA-256 of the deterministic CBOR of the value, in hexadecimal digits; `None` if nobody opens it.
    pub sha256: Option<String>,
    /// The names of those who do, in the order of the readers.
    pub opened_by: Vec<&'static str>,
}

impl Readers {
    /// Those of the run with this seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let scenario = Scenario::Confidential;
        let people = cast(&mut Stream::new(scenario.name(), seed));
        let readers = people.map(|person| Reader {
            name: person.name,
            key: public_key(&person.signing_key),
            secrets: person.reader_keys,
        });
        Self {
            format: "ecac-test-readers-v1",
            about: ABOUT,
            scenario,
            seed,
            readers: readers.into(),
        }
    }

    /// The JSON document.
    ///
    /// # Panics
    /// Never: what is written is texts and numbers, and in memory.
    #[must_use]
    pub fn document(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("texts are written");
        format!("{json}\n")
    }

    /// What each of them opens of an op log, tried with every key that they hold.
    ///
    /// # Errors
    /// [`OpLogError`] if the op log cannot be read, or its project is not clear.
    pub fn open(&self, ops: &[u8]) -> Result<Opened, OpLogError> {
        let items = split_op_log(ops)?;
        let project = project_of(&items)?;
        let mut replica = Replica::join(project);
        replica.receive(&items);
        let ids = replica.log().ids_since(0);
        let values = ids.filter_map(|op| self.open_op(&replica, op));
        Ok(Opened {
            format: "ecac-opened-v1",
            project,
            values: values.collect(),
        })
    }

    fn open_op(&self, replica: &Replica, op: OpId) -> Option<OpenedValue> {
        let Value::Sealed(sealed) = replica.log().get(&op)?.body().payload.value()? else {
            return None;
        };
        let (mut opened_by, mut sha256) = (Vec::new(), None);
        for reader in &self.readers {
            let tried = reader.secrets.iter();
            let tried = tried.filter_map(|secret| read(replica, secret, &reader.key, &op));
            if let Some(value) = tried.flatten().next() {
                opened_by.push(reader.name);
                sha256 = Some(hex::encode(Sha256::digest(value.encode())));
            }
        }
        Some(OpenedValue {
            op,
            key: sealed.key,
            sha256,
            opened_by,
        })
    }
}

impl Opened {
    /// The JSON document, with each value on a line.
    ///
    /// # Panics
    /// Never: what is written is texts, and in memory.
    #[must_use]
    pub fn document(&self) -> String {
        let json = |it: &OpenedValue| serde_json::to_string(it).expect("texts are written");
        let values: Vec<String> = self.values.iter().map(json).collect();
        format!(
            "{{\"format\":\"{}\",\"project\":\"{}\",\"values\":[\n{}\n]}}\n",
            self.format,
            self.project,
            values.join(",\n")
        )
    }
}

fn text<S: Serializer>(it: &impl ToString, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&it.to_string())
}

fn private<S: Serializer>(secrets: &[ReaderSecret], out: S) -> Result<S::Ok, S::Error> {
    let members = |secret: &ReaderSecret| {
        [
            ("kem", secret.kem().name().to_owned()),
            ("private", hex::encode(secret.as_bytes())),
        ]
    };
    let members = secrets.iter().map(members);
    out.collect_seq(members.map(std::collections::BTreeMap::from))
}
