//! People: whom the user calls what.

use ecac_artifact::exit;
use ecac_core::credential::Role;
use ecac_core::{Name, PublicKey, Replica, Tags};
use ecac_project::{Config, Key, Project, suggest};
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::text;

/// Who is the user.
const ME: &str = "me";

/// The names that the user gave, and who the user is.
#[derive(Debug)]
pub(crate) struct People<'a> {
    config: &'a Config,
    me: Option<PublicKey>,
}

impl<'a> People<'a> {
    /// Those of a project; without the user's own key, nobody is `me`.
    pub(crate) fn of(project: &'a Project) -> Self {
        Self {
            config: project.config(),
            me: project.key().ok().map(|key| key.public()),
        }
    }

    /// The key that is meant by a name, `me` or a `did:key`.
    pub(crate) fn find(&self, who: &str) -> Result<PublicKey, Failure> {
        if who.starts_with("did:") {
            let key = who.parse::<PublicKey>();
            return key.map_err(|error| {
                let doing = format!("read {}", text::name(who));
                Failure::new(
                    exit::USAGE,
                    doing,
                    error,
                    "copy it once more, from `ecac whoami`",
                )
            });
        }
        if let (ME, Some(me)) = (who, self.me) {
            return Ok(me);
        }
        let mut names = self.config.petnames.iter();
        let found = names.find(|(name, _)| name.as_str() == who);
        found.map(|(_, key)| *key).ok_or_else(|| {
            let known = self.config.petnames.keys().map(|it| it.as_str());
            unknown(
                "find the person",
                who,
                known.chain([ME]),
                "list them with `ecac members`, or give the did:key",
            )
        })
    }

    /// What the user calls the key: the name, `me`, or both ends of the key.
    pub(crate) fn show(&self, key: &PublicKey) -> String {
        self.name(key).unwrap_or_else(|| text::key(key))
    }

    /// What a command takes for the key: its owner's name, or the whole did:key.
    pub(crate) fn callable(&self, key: &PublicKey) -> String {
        self.name(key).unwrap_or_else(|| key.to_string())
    }

    /// The name of the key's owner, quoted unless it is a word, or `me`.
    pub(crate) fn name(&self, key: &PublicKey) -> Option<String> {
        if self.me == Some(*key) {
            return Some(ME.to_owned());
        }
        let name = self.config.petname(key)?;
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        Some(if name.as_str().chars().all(is_word) {
            name.to_string()
        } else {
            text::name(name.as_str())
        })
    }

    /// The key and its name.
    pub(crate) fn json(&self, key: &PublicKey) -> Json {
        let name = if self.me == Some(*key) {
            Some(ME)
        } else {
            self.config.petname(key).map(|it| it.as_str())
        };
        json!({ "did": key, "name": name })
    }
}

/// A name that is not known, with the one that was perhaps meant.
pub(crate) fn unknown<'a>(
    doing: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    hint: &str,
) -> Failure {
    let hint = match suggest(name, known) {
        Some(meant) => format!("did you mean {}? {hint}", text::name(meant)),
        None => hint.to_owned(),
    };
    let doing = format!("{doing} {}", text::name(name));
    Failure::new(
        exit::NOT_FOUND,
        doing,
        "there is none of that name here",
        hint,
    )
}

/// A role by its name, for the command line.
pub(crate) fn role(name: &str) -> Result<Role, String> {
    name.parse::<Role>().map_err(|error| {
        let known = Role::ALL.iter().map(|role| role.name());
        match suggest(name, known) {
            Some(meant) => format!("{error}; did you mean {meant}?"),
            None => error.to_string(),
        }
    })
}

/// Tags with commas between them, for the command line.
pub(crate) fn tags(list: &str) -> Result<Tags, String> {
    let tags = list.split(',').map(|tag| Name::new(tag.trim()));
    let tags: Result<Tags, _> = tags.collect();
    tags.map_err(|error| format!("tags are names with commas between them: {error}"))
}

/// The tags of a set of names as texts.
pub(crate) fn texts(tags: &Tags) -> std::collections::BTreeSet<String> {
    tags.iter().map(ToString::to_string).collect()
}

/// Every tag that a rule of the project names.
pub(crate) fn known_tags(replica: &Replica) -> Tags {
    use ecac_core::Payload;
    let mut tags = Tags::new();
    for op in replica.ops() {
        let rules = match &op.body().payload {
            Payload::Genesis(genesis) => &genesis.schema,
            Payload::Schema(schema) => &schema.rules,
            Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Grant(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Seal(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_)
            | Payload::Unassigned(_) => continue,
        };
        tags.extend(rules.iter().flat_map(|rule| rule.tags.iter().cloned()));
    }
    tags
}

/// The name of the project, if its genesis is here.
pub(crate) fn project_name(replica: &Replica) -> Option<Name> {
    let genesis = replica.log().get(&replica.project())?;
    Some(genesis.body().payload.genesis()?.name.clone())
}

/// The did:key of a key, in full.
pub(crate) fn did(key: &Key) -> String {
    key.public().to_string()
}
