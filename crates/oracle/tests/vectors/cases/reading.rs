//! Reading: confidential tags, the keys to them, and who is given those.

use ecac_core::EffectCode as E;
use ecac_oracle::secret;
use sha2::{Digest as _, Sha256};

use super::effects::effects;
use super::frozen::least;
use super::theft::{PHONE, link, unlink};
use super::*;

/// Tags a and c are confidential, and keys are sealed by X25519.
const MARKS: &[u8] = b"\x82\x01\x82aaac";
/// Tag b, and X-Wing.
const MORE: &[u8] = b"\x82\x02\x81ab";

/// Alice is `hired` as editor of tag a, then Bob as `reader` of it.
fn with_readers() -> Story {
    hiring(Story::using(&[("confidential", MARKS)]))
}

fn hiring(mut story: Story) -> Story {
    story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
    story.hire("reader", ROOT, "hired", BOB, Role::Reader, A);
    story
}

/// A content key of Alice's for tag a, `made`, which Bob is `given`.
fn with_key(mut story: Story, after: &str) -> Story {
    story.op("made", ALICE, after, secret::key_rotate(A));
    give(&mut story, "given", ALICE, "made", "made", &[BOB]);
    story
}

fn give(story: &mut Story, name: &str, author: u8, after: &str, key: &str, to: &[u8]) {
    let payload = secret::key_grant(story.ids[key], to);
    story.op(name, author, after, payload);
}

/// A sealed title of `doc/1`.
fn hide(story: &mut Story, name: &str, author: u8, after: &str, key: &str) {
    let payload = secret::hidden("doc/1", "title", None, story.ids[key]);
    story.op(name, author, after, payload);
}

fn readers_are_given_keys(v: &mut Vectors) {
    let mut story = with_readers();
    story.op("alices", ALICE, "reader", secret::reader_key(false));
    story.op("bobs", BOB, "alices", secret::reader_key(false));
    story.op("other", BOB, "bobs", secret::reader_key(true));
    let mut story = with_key(story, "other");
    story.op("odd", ALICE, "given", secret::key_rotate(AB));
    hide(&mut story, "secret", ALICE, "odd", "made");
    let added = secret::hidden("doc/1", "title", Some(&7), story.ids["made"]);
    story.op("added", ALICE, "secret", added);
    story.op("removed", ALICE, "added", remove("doc/1", "title", "7"));
    effects(
        &story,
        &[
            ("alices", E::Publishes, ""),
            ("bobs", E::Publishes, ""),
            ("other", E::OtherKem, ""),
            ("made", E::Rotates, ""),
            ("given", E::HandsOn, "made"),
            ("odd", E::NotConfidential, ""),
        ],
    );
    v.add(
        "applied/sealed-write",
        "An editor makes a key, gives it to a reader, and writes under it.",
        READING,
        &story,
        "secret applied hired",
    );
}

fn a_plain_value_is_not_sealed(v: &mut Vectors) {
    let mut story = with_key(with_readers(), "reader");
    story.op("plain", ALICE, "given", title(1));
    story.op("added", ROOT, "given", add("doc/1", "title", "x"));
    story.op("removed", ROOT, "given", remove("doc/1", "title", "x"));
    story.op("body", ROOT, "given", set("doc/1", "body", 1));
    let hidden = secret::hidden("doc/1", "body", None, story.ids["made"]);
    story.op("hidden-body", ROOT, "body", hidden);
    story.op("stranger", OUTSIDER, "given", title(2));
    v.add(
        "refused/not-sealed",
        "A field with a confidential tag takes sealed values only, a field without one plain values only; authority comes first.",
        READING,
        &story,
        "
        plain refused not_sealed
        added refused not_sealed
        hidden-body refused stale_key made
        stranger refused no_grant
    ",
    );
}

fn a_key_that_the_revoked_holds_is_stale(v: &mut Vectors) {
    let mut story = with_key(with_readers(), "reader");
    hide(&mut story, "before", ALICE, "given", "made");
    story.op("revoked", ROOT_2, "given", revoke(BOB, None, None));
    hide(&mut story, "after", ALICE, "before revoked", "made");
    hide(&mut story, "unaware", ALICE, "before", "made");
    story.op("anew", ALICE, "unaware revoked", secret::key_rotate(A));
    hide(&mut story, "on", ALICE, "anew", "anew");
    story.grant("again", ROOT, "on", BOB, "reader.vc");
    hide(&mut story, "back", ALICE, "again", "made");
    v.add(
        "refused/stale-key",
        "Nobody who knows of a revocation writes under a key that the revoked holds, until they may read again.",
        READING,
        &story,
        "after refused stale_key given",
    );
    let mut story = with_key(with_readers(), "reader");
    story.op("revoked", ROOT_2, "given", revoke(ALICE, None, None));
    hide(&mut story, "after", ROOT, "revoked", "made");
    give(&mut story, "to-root", ROOT, "revoked", "made", &[ROOT]);
    hide(&mut story, "beside", ROOT_3, "given", "made");
    v.add(
        "refused/stale-key-of-its-maker",
        "Whoever made a key holds it, whether or not anybody gave it to them, and whatever becomes of the op that made it.",
        READING,
        &story,
        "after refused stale_key made",
    );
    let mut story = with_key(with_readers(), "reader");
    give(&mut story, "too", ROOT, "made", "made", &[BOB, ROOT]);
    let first = least(&story, &["given", "too"]);
    story.op("revoked", ROOT_2, "given too", revoke(BOB, None, None));
    hide(&mut story, "after", ALICE, "revoked", "made");
    v.add(
        "refused/stale-key-of-two-grants",
        "Of several grants of the key to somebody who may not read, the least is the witness.",
        READING,
        &story,
        &format!("after refused stale_key {first}"),
    );
}

fn what_the_writer_had_not_seen_counts_for_nothing(v: &mut Vectors) {
    let mut story = with_readers();
    story.op("made", ALICE, "reader", secret::key_rotate(A));
    give(&mut story, "given", ALICE, "made", "made", &[BOB]);
    story.op("revoked", ROOT_2, "made", revoke(BOB, None, None));
    hide(&mut story, "secret", ROOT, "revoked", "made");
    hide(&mut story, "told", ROOT, "secret given", "made");
    story.op("deposed", ROOT_3, "made", revoke(ALICE, None, None));
    hide(&mut story, "theirs", ROOT_2, "given", "made");
    v.add(
        "denied/key-of-a-denied-op",
        "What was granted concurrently, and what becomes of the op that made the key, is nothing that the writer knew.",
        READING,
        &story,
        "
        given denied revoked deposed
        made applied hired
        told refused stale_key given
    ",
    );
}

fn a_key_is_for_one_set_of_tags(v: &mut Vectors) {
    let mut story = with_key(with_readers(), "reader");
    let both = |story: &Story, key: &str| secret::hidden("doc/2", "title", None, story.ids[key]);
    let payload = both(&story, "made");
    story.op("too-few", ROOT, "given", payload);
    story.op("for-both", ROOT, "given", secret::key_rotate(0b101));
    let payload = both(&story, "for-both");
    story.op("fits", ALICE, "for-both", payload);
    hide(&mut story, "too-many", ROOT, "for-both", "for-both");
    hide(&mut story, "unseen", ROOT, "given", "for-both");
    hide(&mut story, "no-key", ROOT, "given", "genesis");
    v.add(
        "refused/stale-key-of-other-tags",
        "A key does for fields whose secret tags are the key's, and for nobody who has not seen it made.",
        READING,
        &story,
        "
        too-many refused stale_key for-both
        too-few refused stale_key made
        unseen refused stale_key for-both
        no-key refused stale_key genesis
    ",
    );
}

fn a_key_is_granted_to_readers_only(v: &mut Vectors) {
    let mut story = with_key(with_readers(), "reader");
    story.hire("promoted", ROOT, "given", BOSS, Role::PolicyAdmin, A);
    story.hire("chief", ROOT, "promoted", CHIEF, Role::KeyAdmin, B);
    give(&mut story, "outside", ALICE, "chief", "made", &[OUTSIDER]);
    give(
        &mut story,
        "one-of-two",
        ALICE,
        "chief",
        "made",
        &[BOB, OUTSIDER],
    );
    give(&mut story, "policy", ALICE, "chief", "made", &[BOSS]);
    give(&mut story, "elsewhere", ALICE, "chief", "made", &[CHIEF]);
    story.op("revoked", ROOT_2, "chief", revoke(BOB, None, None));
    give(&mut story, "past", ALICE, "revoked", "made", &[ALICE]);
    give(&mut story, "gone", ALICE, "past", "made", &[BOB]);
    v.add(
        "refused/stale-key-grant",
        "A key is given to those who may read its tags; one that is stale is given to them as well.",
        READING,
        &story,
        "
        outside refused stale_key made
        one-of-two refused stale_key made
        policy refused stale_key made
        elsewhere refused stale_key made
        gone refused stale_key made
    ",
    );
    let mut story = with_key(with_readers(), "reader");
    give(&mut story, "no-key", ALICE, "given", "hired", &[BOB]);
    give(&mut story, "unseen", ROOT, "reader", "made", &[BOB]);
    give(&mut story, "stranger", OUTSIDER, "given", "key", &[BOB]);
    v.add(
        "refused/bad-target-key-grant",
        "A KeyGrant names a KeyRotate of its past; this is asked before its author is.",
        REFUSED,
        &story,
        "
        no-key refused bad_target hired
        unseen refused bad_target made
        stranger refused bad_target key
    ",
    );
}

fn roles_and_keys(v: &mut Vectors) {
    let mut story = with_key(with_readers(), "reader");
    story.hire("promoted", ROOT, "given", BOSS, Role::PolicyAdmin, A);
    story.hire("chief", ROOT, "promoted", CHIEF, Role::KeyAdmin, A);
    story.op("readers", BOB, "chief", secret::key_rotate(A));
    give(&mut story, "readers-gift", BOB, "chief", "made", &[ALICE]);
    story.op("bosses", BOSS, "chief", secret::reader_key(false));
    story.op("beyond", ALICE, "chief", secret::key_rotate(B));
    story.op("chiefs", CHIEF, "chief", secret::key_rotate(A));
    give(&mut story, "gift", CHIEF, "chiefs", "made", &[CHIEF, ALICE]);
    hide(&mut story, "chief-writes", CHIEF, "gift", "chiefs");
    story.op("published", CHIEF, "gift", secret::reader_key(false));
    v.add(
        "refused/readers-make-no-keys",
        "Editors and key administrators of the tags make keys and grant them; readers publish theirs, and a policy administrator reads nothing.",
        ROLES,
        &story,
        "
        readers refused action_not_permitted reader
        readers-gift refused action_not_permitted reader
        bosses refused action_not_permitted promoted
        beyond refused out_of_scope hired
        chief-writes refused action_not_permitted chief
    ",
    );
}

fn reading_ends_with_the_credential(v: &mut Vectors) {
    let mut story = Story::using(&[("confidential", MARKS)]);
    let until = START_MS + 500;
    let credential = FIRST.credential(BOB, Role::Reader, A, (60, until), &[]);
    story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
    story.hire_with("reader", ROOT, "hired", BOB, credential);
    let mut story = with_key(story, "reader");
    let write = |story: &Story| secret::hidden("doc/1", "title", None, story.ids["made"]);
    let payload = write(&story);
    story.op_at("in-time", ALICE, "given", until - 1, payload);
    let payload = write(&story);
    story.op_at("late", ALICE, "in-time", until, payload);
    let grant = secret::key_grant(story.ids["made"], &[BOB]);
    story.op_at("late-grant", ALICE, "in-time", until, grant);
    v.add(
        "refused/stale-key-expired",
        "Whose credential has run out by the time of the op may not read.",
        READING,
        &story,
        "
        late refused stale_key given
        late-grant refused stale_key made
    ",
    );
}

fn an_equivocation_ends_no_reading(v: &mut Vectors) {
    let mut story = with_key(with_readers(), "reader");
    story.op("left", BOB, "given", secret::reader_key(false));
    story.op("right", BOB, "given", secret::reader_key(true));
    story.op("frozen", BOB, "left right", secret::reader_key(false));
    hide(&mut story, "secret", ALICE, "left right", "made");
    give(&mut story, "more", ALICE, "secret", "made", &[BOB]);
    let first = least(&story, &["left", "right"]);
    v.add(
        "applied/equivocator-reads",
        "Whoever signed two ops with one number may read as before.",
        READING,
        &story,
        &format!(
            "
            secret applied hired
            frozen refused frozen {first}
        "
        ),
    );
}

fn devices_read_what_their_links_carry(v: &mut Vectors) {
    let story = Story::using(&[("confidential", MARKS), ("device", b"")]);
    let mut story = hiring(story);
    link(&mut story, "phone", BOB, "reader", (BOB, PHONE));
    story.op("published", PHONE, "phone", secret::reader_key(false));
    story.op("made", ALICE, "published", secret::key_rotate(A));
    give(&mut story, "given", ALICE, "made", "made", &[PHONE]);
    hide(&mut story, "before", ALICE, "given", "made");
    unlink(&mut story, "lost", BOB, "before", (BOB, PHONE));
    hide(&mut story, "after", ALICE, "lost", "made");
    story.op("anew", ALICE, "lost", secret::key_rotate(A));
    give(&mut story, "to-person", ALICE, "anew", "anew", &[BOB]);
    hide(&mut story, "on", ALICE, "to-person", "anew");
    v.add(
        "refused/stale-key-of-a-device",
        "A device reads under the grants of its person, until its link ends.",
        READING,
        &story,
        "after refused stale_key given",
    );
}

fn tags_become_confidential(v: &mut Vectors) {
    let mut story = hiring(Story::new());
    story.op("too-early", ALICE, "reader", secret::key_rotate(A));
    let hidden = secret::hidden("doc/1", "title", None, story.ids["genesis"]);
    story.op("hidden-early", ALICE, "reader", hidden);
    story.op("plain", ALICE, "reader", title(1));
    let upgrade = |marks| world::upgrade("confidential", marks);
    story.op("marked", ROOT, "plain", upgrade(MARKS));
    story.op("beside", ALICE, "plain", title(2));
    story.op("again", ROOT, "marked", upgrade(b"\x82\x01\x81aa"));
    story.op("other-kem", ROOT, "again", upgrade(b"\x82\x02\x81aa"));
    story.op("bad", ROOT, "other-kem", upgrade(b"\x82\x01\x82acaa"));
    story.op("body", ROOT, "bad", set("doc/1", "body", 1));
    story.op("more", ROOT, "body", upgrade(MORE));
    story.op("late", ALICE, "more", title(3));
    story.op("late-body", ROOT, "more", set("doc/1", "body", 2));
    effects(
        &story,
        &[
            ("marked", E::Upgrades, ""),
            ("again", E::InForce, ""),
            ("other-kem", E::Upgrades, ""),
            ("bad", E::BadParameters, ""),
            ("more", E::Upgrades, ""),
        ],
    );
    v.add(
        "refused/not-sealed-any-more",
        "Upgrades add confidential tags, for what has them in its past.",
        READING,
        &story,
        "
        late refused not_sealed
        late-body refused not_sealed
        too-early refused unknown_kind
        hidden-early refused unknown_kind
    ",
    );
}

fn a_schema_adds_secret_tags(v: &mut Vectors) {
    let story = Story::using(&[("confidential", MARKS), ("schema", b"")]);
    let mut story = with_key(hiring(story), "reader");
    hide(&mut story, "before", ALICE, "given", "made");
    let rules = world::schema(&[("doc/1", "title", 0b100)]);
    story.op("widened", ROOT, "before", rules);
    hide(&mut story, "old-key", ALICE, "widened", "made");
    story.op("for-both", ALICE, "widened", secret::key_rotate(0b101));
    hide(&mut story, "new-key", ALICE, "for-both", "for-both");
    hide(&mut story, "beside", ALICE, "before", "made");
    v.add(
        "refused/stale-key-of-fewer-tags",
        "Where a rule gives a field one more confidential tag, writes that have seen it take a key for all of them.",
        READING,
        &story,
        "old-key refused stale_key made",
    );
}

fn proposals_mark_nothing(v: &mut Vectors) {
    let mut story = hiring(Story::using(&[("quorum", &[2])]));
    story.op(
        "short",
        ROOT,
        "reader",
        world::upgrade("confidential", MARKS),
    );
    story.op("plain", ALICE, "short", title(1));
    story.op("early", ALICE, "plain", secret::key_rotate(A));
    let cosign = world::cosign(story.ids["short"]);
    story.op("full", ROOT_2, "plain", cosign);
    let mut story = with_key(story, "full");
    story.op("too-plain", ALICE, "given", title(2));
    story.op("deposing", ROOT, "given", revoke(ROOT_3, None, None));
    give(&mut story, "to-root", ALICE, "deposing", "made", &[ROOT_3]);
    hide(&mut story, "secret", ALICE, "to-root", "made");
    let cosign = world::cosign(story.ids["deposing"]);
    story.op("deposed", ROOT_2, "secret", cosign);
    hide(&mut story, "stale", ALICE, "deposed", "made");
    v.add(
        "refused/stale-key-of-a-root",
        "Where roots sign together, tags are confidential, and a root reads no more, once enough have signed.",
        READING,
        &story,
        "
        stale refused stale_key to-root
        early refused unknown_kind
        too-plain refused not_sealed
    ",
    );
}

fn sealed_values_show_their_keys(v: &mut Vectors) {
    let mut story = with_key(with_readers(), "reader");
    hide(&mut story, "first", ALICE, "given", "made");
    story.op("other", ROOT, "given", secret::key_rotate(A));
    hide(&mut story, "second", ROOT, "other", "other");
    let added = secret::hidden("doc/1", "title", Some(&7), story.ids["made"]);
    story.op("added", ALICE, "first", added);
    v.add(
        "state/sealed-values",
        "A sealed value shows its digest and its key, and wins by its bytes, like any other.",
        EXPORTS,
        &story,
        "first applied hired",
    );
    let field = &state(&story)["objects"]["doc/1"]["fields"]["title"].clone();
    // SHA-256 of nonce and ciphertext.
    let bytes = [&[0x24; 24][..], &[0xc1; 17]].concat();
    let digest = hex::encode(Sha256::digest(bytes));
    assert_eq!(field["value"]["sealed"]["digest"], json!(digest));
    let keys: Vec<&Json> = field["winners"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|winner| &winner["value"]["sealed"]["key"])
        .collect();
    assert!(
        keys.contains(&&json!(story.ids["made"])) && keys.contains(&&json!(story.ids["other"]))
    );
}

fn a_sealed_write_is_denied_like_any(v: &mut Vectors) {
    let mut story = with_key(with_readers(), "reader");
    hide(&mut story, "secret", ALICE, "given", "made");
    hide(&mut story, "later", ALICE, "secret", "made");
    story.op("revoked", ROOT_2, "secret", revoke(ALICE, None, None));
    v.add(
        "denied/sealed-write",
        "A sealed write is a data op of its field in every other rule.",
        READING,
        &story,
        "later denied revoked revoked",
    );
}

cases! {
    readers_are_given_keys,
    a_plain_value_is_not_sealed,
    a_key_that_the_revoked_holds_is_stale,
    what_the_writer_had_not_seen_counts_for_nothing,
    a_key_is_for_one_set_of_tags,
    a_key_is_granted_to_readers_only,
    roles_and_keys,
    reading_ends_with_the_credential,
    an_equivocation_ends_no_reading,
    devices_read_what_their_links_carry,
    tags_become_confidential,
    a_schema_adds_secret_tags,
    proposals_mark_nothing,
    sealed_values_show_their_keys,
    a_sealed_write_is_denied_like_any,
}
