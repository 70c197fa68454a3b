//! Secrets: the reader keys of the user in a project, and what they open.

use std::cell::RefCell;
use std::collections::BTreeSet;

use ecac_core::payload::{ReaderKey, Share};
use ecac_core::{Feature, Kem, OpId, PublicKey, Replica, Shown, Value, Winner};
use ecac_project::{Project, Reader};
use ecac_seal::{ContentKey, Opener, Redacted, Unopened, open_key, read};
use serde_json::{Value as Json, json};

use crate::edge::{Globals, seed};
use crate::failure::Failure;
use crate::{feature, payload, text};

/// The reader keys of the user, that of the project's strongest KEM first.
pub(crate) struct Secrets {
    me: PublicKey,
    readers: Vec<Reader>,
}

/// The KEMs of the project, the strongest first; none where nothing is confidential.
fn kems(replica: &Replica) -> Vec<Kem> {
    let marks = replica.confidential().value;
    let kems: BTreeSet<Kem> = marks.into_iter().map(|it| it.kem).collect();
    kems.into_iter().rev().collect()
}

impl Secrets {
    /// Those that the user has; perhaps none.
    pub(crate) fn at_hand(project: &Project, replica: &Replica) -> Result<Self, Failure> {
        let failed = |error| Failure::of("open your reader key", &error);
        let me = project.key().map_err(failed)?.public();
        let readers = kems(replica).into_iter().map(|kem| project.reader(kem));
        let readers = readers.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let readers = readers.into_iter().flatten().collect();
        Ok(Self { me, readers })
    }

    /// The same; one of the project's strongest KEM is made where the user has none of it.
    pub(crate) fn made(
        globals: &Globals,
        project: &Project,
        replica: &Replica,
        doing: &str,
    ) -> Result<Self, Failure> {
        feature::needs(replica, Feature::Confidential, doing)?;
        let mut secrets = Self::at_hand(project, replica)?;
        let wanted = kems(replica).into_iter().next();
        let lacking = wanted.filter(|kem| !secrets.readers.iter().any(|it| it.kem() == *kem));
        if let Some(kem) = lacking {
            let name = &project.config().key;
            let kept = globals.home()?.keep_reader(kem, name, seed()?);
            let kept = kept.map_err(|error| Failure::of("make your reader key", &error))?;
            secrets.readers.insert(0, kept);
        }
        Ok(secrets)
    }

    /// The key with which the user signs, and to which content keys are given.
    pub(crate) const fn me(&self) -> PublicKey {
        self.me
    }

    /// Whether the content key is here.
    pub(crate) fn holds(&self, replica: &Replica, key: &OpId) -> bool {
        open_key(replica, self, &self.me, key).is_ok()
    }
}

impl Opener for Secrets {
    fn reader_key(&self) -> ReaderKey {
        let first = self.readers.first().map(Opener::reader_key);
        first.expect("who publishes a reader key has one")
    }

    fn open_share(&self, share: &Share, info: &[u8]) -> Result<ContentKey, Unopened> {
        let mut opened = self.readers.iter().map(|it| it.open_share(share, info));
        opened.find(Result::is_ok).unwrap_or(Err(Unopened))
    }
}

/// Opens what the user may see, and remembers what was opened. The reader keys are looked for when something is sealed.
pub(crate) struct Lens<'a> {
    project: &'a Project,
    replica: &'a Replica,
    secrets: RefCell<Option<Secrets>>,
    opened: RefCell<BTreeSet<OpId>>,
}

impl<'a> Lens<'a> {
    pub(crate) const fn new(project: &'a Project, replica: &'a Replica) -> Self {
        Self {
            project,
            replica,
            secrets: RefCell::new(None),
            opened: RefCell::new(BTreeSet::new()),
        }
    }

    /// What the op wrote, or which key it takes to see it. A value that is not sealed is what it is.
    pub(crate) fn value(
        &self,
        op: &OpId,
        value: &Value,
    ) -> Result<Result<Value, Redacted>, Failure> {
        let Value::Sealed(_) = value else {
            return Ok(Ok(value.clone()));
        };
        let mut secrets = self.secrets.borrow_mut();
        let secrets = match &mut *secrets {
            Some(secrets) => secrets,
            none => none.insert(Secrets::at_hand(self.project, self.replica)?),
        };
        let opened = read(self.replica, secrets, &secrets.me, op);
        let opened = opened.unwrap_or_else(|| Ok(value.clone()));
        if opened.is_ok() {
            self.opened.borrow_mut().insert(*op);
        }
        Ok(opened)
    }

    /// The write that is displayed.
    fn displayed(shown: &Shown) -> Option<&Winner> {
        shown.winners.iter().find(|it| it.value == shown.value)
    }

    /// What a place shows, in a line, and whether others wrote something else at the same time.
    pub(crate) fn line(&self, shown: &Shown) -> Result<String, Failure> {
        let value = match Self::displayed(shown) {
            Some(winner) => self.value(&winner.op, &winner.value)?,
            None => Ok(shown.value.clone()),
        };
        let value = match value {
            Ok(value) => payload::shown(&value),
            Err(redacted) => redaction(&redacted),
        };
        Ok(match shown.winners.len() {
            0 | 1 => value,
            more => format!("{value} (one of {more} at once)"),
        })
    }

    /// What a place displays, for machines: members `value`, and `redacted` where it cannot be opened.
    pub(crate) fn json(&self, shown: &Shown) -> Result<Json, Failure> {
        match Self::displayed(shown) {
            Some(winner) => self.winner_json(&winner.op, &winner.value),
            None => Ok(json!({ "value": shown.value.to_json() })),
        }
    }

    /// What an op wrote, for machines, likewise.
    pub(crate) fn winner_json(&self, op: &OpId, value: &Value) -> Result<Json, Failure> {
        Ok(match self.value(op, value)? {
            Ok(value) => json!({ "value": value.to_json() }),
            Err(redacted) => json!({
                "value": value.to_json(),
                "redacted": {
                    "key": redacted.key,
                    "tags": redacted.tags,
                    "since_ms": redacted.since_ms,
                },
            }),
        })
    }

    /// The ops whose values were opened, by whom.
    pub(crate) fn finish(self) -> (BTreeSet<OpId>, Option<PublicKey>) {
        let me = self.secrets.into_inner().map(|it| it.me);
        (self.opened.into_inner(), me)
    }
}

/// What stands in the place of a value that cannot be opened.
pub(crate) fn redaction(redacted: &Redacted) -> String {
    match redacted.since_ms {
        Some(since_ms) => format!(
            "<redacted: no key of {} since {}>",
            tags(&redacted.tags),
            text::instant(since_ms)
        ),
        None => format!("<redacted: no key {}>", text::op(&redacted.key)),
    }
}

/// Tags in a line: words as they are, other names in quotation marks.
pub(crate) fn tags(tags: &ecac_core::Tags) -> String {
    let is_word = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.');
    let tag = |tag: &ecac_core::Name| {
        if tag.as_str().chars().all(is_word) {
            tag.to_string()
        } else {
            text::name(tag.as_str())
        }
    };
    let tags: Vec<String> = tags.iter().map(tag).collect();
    tags.join(", ")
}

/// Records in the audit log of this machine what was opened, where the project's directory says so. It is done before anybody is
/// shown anything; nothing else has the store open.
pub(crate) fn record(
    globals: &Globals,
    project: &Project,
    opened: &BTreeSet<OpId>,
    me: Option<PublicKey>,
) -> Result<(), Failure> {
    let (true, Some(me), false) = (project.config().views, me, opened.is_empty()) else {
        return Ok(());
    };
    let failed = |error| Failure::of("record what you read", &error);
    let mut writer = project.write(&globals.node()?).map_err(failed)?;
    let ops: Vec<OpId> = opened.iter().copied().collect();
    writer.viewed(&ops, me).map_err(failed)?;
    writer.close().map_err(failed)
}
