//! Which ops a listing has.

use std::collections::BTreeSet;
use std::str::FromStr;

use clap::builder::PossibleValuesParser;
use ecac_artifact::exit;
use ecac_core::{Body, DenialReason, EffectCode, PublicKey, Refusal};

use crate::failure::Failure;
use crate::replica::Replica;
use crate::text;

/// Every verdict, as [`ecac_core::Decision::verdict`] names them.
const VERDICTS: [&str; 5] = ["applied", "denied", "refused", "pending", "unsupported"];
/// Most authors that an error lists.
const CANDIDATES_MAX: usize = 8;
const DID: &str = "did:key:";

/// The filters of a listing.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Args {
    /// Only ops with this verdict; may be repeated
    #[arg(long, value_name = "V", value_parser = PossibleValuesParser::new(VERDICTS))]
    verdict: Vec<String>,
    /// Only ops that are denied or refused for this reason; may be repeated
    #[arg(long, value_name = "R", value_parser = PossibleValuesParser::new(reasons()))]
    reason: Vec<String>,
    /// Only ops of this author: did:key, its first characters, or both ends as they are listed; may be repeated
    #[arg(long, value_name = "DID")]
    author: Vec<Author>,
    /// Only ops of trust or policy that have never counted for anything
    #[arg(long)]
    void: bool,
    /// Only ops that write into this object; may be repeated
    #[arg(long, value_name = "NAME")]
    object: Vec<String>,
}

/// The names of all reasons, of refusals first.
fn reasons() -> Vec<&'static str> {
    let refusals = Refusal::ALL.iter().map(|reason| reason.name());
    let denials = DenialReason::ALL.iter().map(|reason| reason.name());
    let mut names: Vec<&str> = Vec::new();
    for name in refusals.chain(denials) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What is asked for, with the authors that are meant.
#[derive(Debug)]
pub(crate) struct Filter<'a> {
    args: &'a Args,
    authors: BTreeSet<PublicKey>,
}

impl Args {
    /// The filters for the ops of a replica. Authors and objects that are nowhere are an error.
    pub(crate) fn of(&self, replica: &Replica, label: &str) -> Result<Filter<'_>, Failure> {
        let bodies = || replica.ids().filter_map(|id| replica.body(&id));
        let known: BTreeSet<PublicKey> = bodies().map(|body| body.author).collect();
        let authors = self.author.iter().map(|author| author.find(&known, label));
        let authors = authors.collect::<Result<_, _>>()?;
        for object in &self.object {
            if !bodies().any(|body| object_of(&body) == Some(object)) {
                return Err(Failure::new(
                    exit::NOT_FOUND,
                    format!("find the object {} in {label}", text::name(object)),
                    "no op writes into it",
                    "list the ops without --object",
                ));
            }
        }
        Ok(Filter {
            args: self,
            authors,
        })
    }
}

impl Filter<'_> {
    /// Whether an op passes, with `body` if it is one; bytes that are no op have neither author nor object.
    pub(crate) fn admits(
        &self,
        verdict: &str,
        reason: Option<&str>,
        effect: Option<EffectCode>,
        body: Option<&Body>,
    ) -> bool {
        let named = |names: &[String], name: Option<&str>| {
            names.is_empty() || name.is_some_and(|name| names.iter().any(|it| it == name))
        };
        named(&self.args.verdict, Some(verdict))
            && named(&self.args.reason, reason)
            && (!self.args.void || effect.is_some_and(EffectCode::is_void))
            && named(&self.args.object, body.and_then(object_of))
            && (self.authors.is_empty()
                || body.is_some_and(|body| self.authors.contains(&body.author)))
    }
}

fn object_of(body: &Body) -> Option<&str> {
    body.payload.target().map(|(object, _)| object.as_str())
}

/// The beginning and the end of a `did:key`, without the prefix that all have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Author {
    head: String,
    tail: String,
}

impl FromStr for Author {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let multibase = text.strip_prefix(DID).unwrap_or(text);
        let (head, tail) = multibase.split_once('…').unwrap_or((multibase, ""));
        let is_base58 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if head.is_empty() || !is_base58(head) || !is_base58(tail) {
            return Err("an author is a did:key, its first characters, or both ends around `…`");
        }
        Ok(Self {
            head: head.to_owned(),
            tail: tail.to_owned(),
        })
    }
}

impl Author {
    fn is(&self, key: &PublicKey) -> bool {
        let did = key.to_string();
        let multibase = did.strip_prefix(DID).unwrap_or(&did);
        multibase
            .strip_prefix(&self.head)
            .is_some_and(|rest| rest.ends_with(&self.tail))
    }

    /// The one author that is meant.
    fn find(&self, known: &BTreeSet<PublicKey>, label: &str) -> Result<PublicKey, Failure> {
        let matching: Vec<&PublicKey> = known.iter().filter(|key| self.is(key)).collect();
        let doing = format!("find the author {}…{} in {label}", self.head, self.tail);
        match matching[..] {
            [&one] => Ok(one),
            [] => Err(Failure::new(
                exit::NOT_FOUND,
                doing,
                "no op is by an author of that name",
                "list the ops without --author",
            )),
            _ => {
                let shown = matching.iter().take(CANDIDATES_MAX);
                Err(Failure::new(
                    exit::USAGE,
                    doing,
                    format!("{} authors are named so", matching.len()),
                    "give more characters",
                )
                .with_details(shown.map(ToString::to_string).collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_named_by_the_did_its_beginning_or_both_ends() {
        let keys = [
            "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "did:key:z6MkeZaKoYibsshu45E4xa1Px4EC2rdGbi5EP7gMxRqWLfWB",
        ];
        let known: BTreeSet<PublicKey> = keys.iter().map(|key| key.parse().unwrap()).collect();
        let find = |text: &str| {
            let author: Author = text.parse().unwrap();
            let found = author.find(&known, "ops").map_err(|failure| failure.code);
            found.map(|key| key.to_string())
        };
        let listed = text::key(&keys[1].parse().unwrap());
        for name in [keys[1], "z6Mke", "did:key:z6MkeZaK", &listed, "z6Mk…WB"] {
            assert_eq!(find(name), Ok(keys[1].to_owned()), "{name}");
        }
        assert_eq!(find("z6Mk"), Err(exit::USAGE));
        assert_eq!(find("z6Mkf"), Err(exit::NOT_FOUND));
        assert_eq!(find(&keys[1].replace("LfWB", "LfWC")), Err(exit::NOT_FOUND));
        for bad in ["", "did:key:", "…", "did:web:x", "z6\u{1b}", "a…b…c"] {
            assert!(bad.parse::<Author>().is_err(), "{bad}");
        }
    }
}
