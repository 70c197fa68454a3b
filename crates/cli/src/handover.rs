//! Writing under seal: keys are made, handed on and used as one deed.

use ecac_artifact::exit;
use ecac_core::{AuthorError, Payload, Preview, Rehearsal, Replica};
use ecac_seal::{Desk, Keyring, Newcomers, WriteError};

use crate::edge::seed;
use crate::failure::Failure;
use crate::people::People;
use crate::secrets::{Secrets, tags};

/// What readers get who hold no key of a set of tags yet.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Share {
    /// Readers who are new get the keys from here on, and none of the past
    #[arg(long)]
    from_here_on: bool,
}

impl Share {
    const fn newcomers(self) -> Newcomers {
        if self.from_here_on {
            Newcomers::FromHereOn
        } else {
            Newcomers::ThePast
        }
    }
}

/// The user's keys, and how they are handed on.
pub(crate) struct Handover<'a> {
    /// Completes "failed to …".
    pub(crate) doing: &'a str,
    pub(crate) secrets: &'a Secrets,
    pub(crate) share: Share,
    pub(crate) now_ms: u64,
}

impl Handover<'_> {
    /// Rehearses what `act` does with the keys; nothing is signed.
    pub(crate) fn rehearse(
        &self,
        rehearsal: &mut Rehearsal,
        act: &mut dyn FnMut(&mut Keyring<'_>, &mut dyn Desk) -> Result<(), WriteError>,
    ) -> Result<(), Failure> {
        let mut fault = None;
        let mut random = || {
            seed().unwrap_or_else(|failure| {
                fault = Some(failure);
                [0; 32]
            })
        };
        let mut keyring = Keyring {
            author: self.secrets.me(),
            opener: self.secrets,
            random: &mut random,
            now_ms: self.now_ms,
            newcomers: self.share.newcomers(),
        };
        let acted = act(&mut keyring, rehearsal);
        // Nothing is ever sealed under bytes that are not random.
        match fault {
            Some(failure) => Err(failure),
            None => acted.map_err(|error| self.failure(error)),
        }
    }

    fn failure(&self, error: WriteError) -> Failure {
        match error {
            WriteError::Author(AuthorError::Draft(error)) => {
                Failure::of(self.doing, &ecac_project::Error::from(error))
            }
            WriteError::OtherKem(_) => Failure::new(
                exit::REFUSED,
                self.doing,
                error,
                "import what is new, and try again",
            ),
            other => Failure::new(exit::INTERNAL, self.doing, other, "please report this"),
        }
    }
}

/// Readers of what was written who have published no reader key, as a note for people; empty if there are none, or if no key
/// was made or handed on.
pub(crate) fn unreached(
    replica: &Replica,
    people: &People<'_>,
    previews: &[Preview],
    now_ms: u64,
) -> String {
    let mut told = String::new();
    for preview in previews {
        let Payload::KeyRotate(rotate) = &preview.body.payload else {
            continue;
        };
        let readers = replica.who_can(ecac_core::Action::Read, &rotate.tags, now_ms);
        let readers = readers.iter().map(|(reader, _)| reader);
        let unreached = readers.filter(|it| replica.reader_key(it).is_none());
        let mut unreached: Vec<String> = unreached.map(|it| people.show(it)).collect();
        unreached.sort_unstable();
        if !unreached.is_empty() {
            told += &format!(
                "note: may read {} and got no key, because there is none to seal it to yet (`ecac keys publish`): {}\n",
                tags(&rotate.tags),
                unreached.join(", ")
            );
        }
    }
    told
}
