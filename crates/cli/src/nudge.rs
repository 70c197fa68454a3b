//! Nudges: what is left to do so that readers can read.

use std::collections::BTreeSet;

use ecac_core::{Action, Feature, Name, PublicKey, Replica, Tags};

use crate::people::People;
use crate::secrets::tags;

/// Notes for people on keys that nobody can give because a reader key is missing, and on keys that the user could hand on; empty
/// where there is nothing to do, or nothing confidential.
pub(crate) fn readers(
    replica: &Replica,
    people: &People<'_>,
    me: &PublicKey,
    now_ms: u64,
) -> String {
    if !replica.uses(Feature::Confidential) {
        return String::new();
    }
    let marks = replica.confidential().value;
    let secret: Tags = marks.into_iter().flat_map(|it| it.tags).collect();
    let may = |key: &PublicKey, tag: &Name| {
        let tag = [tag.clone()].into();
        replica.can(key, Action::Read, &tag, now_ms).is_ok()
    };
    let mut told = String::new();
    let mine: Tags = secret.iter().filter(|tag| may(me, tag)).cloned().collect();
    if mine.is_empty() {
        return told;
    }
    if replica.reader_key(me).is_none() {
        told += &format!(
            "note: you may read {}; publish your reader key, so that others can give you theirs: `ecac keys publish`\n",
            tags(&mine)
        );
    }
    let mut lacking: BTreeSet<PublicKey> = BTreeSet::new();
    let keys = replica.content_keys(now_ms).value;
    for key in keys.iter().filter(|it| it.holders.contains(me)) {
        let readers = replica.who_can(Action::Read, &key.tags, now_ms).value;
        let readers = readers.into_iter().map(|(reader, _)| reader);
        let is_lacking =
            |it: &PublicKey| !key.holders.contains(it) && replica.reader_key(it).is_some();
        lacking.extend(readers.filter(is_lacking));
    }
    let mut lacking: Vec<String> = lacking.iter().map(|it| people.callable(it)).collect();
    lacking.sort_unstable();
    for who in lacking {
        told += &format!(
            "note: {who} may read and lacks keys that you have: your next confidential write gives them to newcomers, `ecac keys give {who}` at once\n"
        );
    }
    told
}
