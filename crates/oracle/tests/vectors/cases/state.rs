//! State over what is applied.

use ecac_core::Value;
use ecac_core::payload;

use super::*;
use ecac_oracle::Oracle;

fn concurrent_writes_all_win_and_the_least_hash_is_shown(v: &mut Vectors) {
    let mut story = Story::with_alice();
    for (root, value) in (0..3_u8).zip([1, 2, 3]) {
        story.op(&format!("write-{root}"), root, "hired", title(value));
    }
    v.add(
        "state/concurrent-writes-all-win",
        "A register keeps all concurrent writes and shows the value with the least BLAKE3.",
        EXPORTS,
        &story,
        "write-0 applied genesis",
    );
    let field = &state(&story)["objects"]["doc/1"]["fields"]["title"].clone();
    assert_eq!(field["winners"].as_array().expect("an array").len(), 3);
    // RFC 8949 section 4.2.1: small integers are one byte.
    let least = (1..4_u8)
        .min_by_key(|value| *blake3::hash(&[*value]).as_bytes())
        .expect("three values");
    assert_eq!(field["value"], json!(least));
    story.op("settled", ROOT, "write-0 write-1 write-2", title(9));
    v.add(
        "state/later-write-settles",
        "A write takes the place of all writes in its past.",
        EXPORTS,
        &story,
        "settled applied genesis",
    );
    let field = &state(&story)["objects"]["doc/1"]["fields"]["title"].clone();
    assert_eq!(field["winners"].as_array().expect("an array").len(), 1);
    assert_eq!(field["value"], json!(9));
}

fn a_remove_takes_the_adds_that_it_has_seen(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("add-1", ROOT, "hired", add("doc/1", "title", "x"));
    story.op("remove", ROOT, "add-1", remove("doc/1", "title", "x"));
    let tags =
        |story: &Story| state(story)["objects"]["doc/1"]["sets"]["title"]["x"]["tags"].clone();
    assert_eq!(tags(&story), Json::Null);
    v.add(
        "state/remove-takes-seen-adds",
        "A remove takes the adds in its past; an object without content is not exported.",
        EXPORTS,
        &story,
        "remove applied genesis",
    );
    story.op("add-2", ROOT_2, "add-1", add("doc/1", "title", "x"));
    assert_eq!(tags(&story), json!([story.ids["add-2"]]));
    v.add(
        "state/concurrent-add-survives-remove",
        "An add that a remove has not seen survives it.",
        EXPORTS,
        &story,
        "add-2 applied genesis",
    );
}

fn adds_of_one_element_keep_a_tag_each(v: &mut Vectors) {
    let mut story = Story::new();
    let labelled = |value: i64| {
        Payload::SetAdd(payload::SetAdd {
            object: world::name("doc/1"),
            field: world::name("labels"),
            element: world::name("red"),
            value: Value::Int(value),
        })
    };
    story.op("first", ROOT, "key", labelled(1));
    story.op("second", ROOT, "first", labelled(2));
    story.op("other", ROOT_2, "first", labelled(3));
    let element = &state(&story)["objects"]["doc/1"]["sets"]["labels"]["red"].clone();
    let mut tags = story.ids("first second other");
    tags.sort_unstable();
    assert_eq!(element["tags"], json!(tags));
    let winners: Vec<&Json> = element["winners"]
        .as_array()
        .expect("an array")
        .iter()
        .collect();
    let mut expected = story.ids("second other");
    expected.sort_unstable();
    assert!(
        winners
            .iter()
            .map(|winner| &winner["op"])
            .eq(&expected.iter().map(|op| json!(op)).collect::<Vec<_>>())
    );
    v.add(
        "state/adds-keep-a-tag-each",
        "Each add keeps its tag until a remove has seen it; only the latest adds win the value.",
        EXPORTS,
        &story,
        "first applied genesis",
    );
}

fn a_register_and_a_set_of_one_name_do_not_meet(v: &mut Vectors) {
    let mut story = Story::new();
    story.op("write", ROOT, "key", title(1));
    story.op("add", ROOT, "write", add("doc/1", "title", "x"));
    story.op("remove", ROOT, "add", remove("doc/1", "title", "y"));
    let object = &state(&story)["objects"]["doc/1"].clone();
    assert_eq!(object["fields"]["title"]["value"], json!(1));
    assert_eq!(object["sets"]["title"]["x"]["value"], json!("x"));
    v.add(
        "state/register-and-set-of-one-name",
        "Registers and sets of one name do not meet, and a remove of one element takes no other.",
        EXPORTS,
        &story,
        "write applied genesis",
    );
}

fn values_keep_their_types(v: &mut Vectors) {
    let mut story = Story::new();
    let mut last = "key".to_owned();
    for (field, value) in [
        ("null", Value::Null),
        ("false", Value::Bool(false)),
        ("true", Value::Bool(true)),
        ("zero", Value::Int(0)),
        ("least", Value::Int(-9_007_199_254_740_991)),
        ("greatest", Value::Int(9_007_199_254_740_991)),
        ("empty-text", Value::Text(String::new())),
        ("text", Value::Text("\u{1f30d}\u{e9}\"\\\n\u{7f}".into())),
        ("empty-bytes", Value::Bytes(Vec::new())),
        ("bytes", Value::Bytes(vec![0, 255])),
    ] {
        let payload = Payload::SetField(payload::SetField {
            object: world::name("doc/1"),
            field: world::name(field),
            value,
        });
        story.op(field, ROOT, &last, payload);
        field.clone_into(&mut last);
    }
    let fields = &state(&story)["objects"]["doc/1"]["fields"].clone();
    assert_eq!(fields["bytes"]["value"], json!({"bytes": "00ff"}));
    assert_eq!(fields["least"]["value"], json!(-9_007_199_254_740_991_i64));
    v.add(
        "state/values-of-every-type",
        "Values are exported as JSON of their type, byte strings as an object with hexadecimal.",
        EXPORTS,
        &story,
        "bytes applied genesis",
    );
}

/// A seal that says what it seals, as the naive oracle reads it.
fn seal_truly(story: &mut Story, name: &str, after: &str) {
    let ops = story.ops.iter().map(|op| (op.id(), op.body()));
    let oracle = Oracle::of(story.ids["genesis"], ops);
    let digest = oracle.snapshot_digest(&story.ids(after));
    story.op(name, ROOT, after, world::seal(digest));
    theft::cosign(story, &format!("{name}.2"), ROOT_2, name, name);
}

fn a_seal_binds_skeletons_where_its_past_says_so(v: &mut Vectors) {
    let mut story = Story::using(&[
        ("endorse", b""),
        ("quorum", &[2]),
        ("schema", b""),
        ("seal", b""),
    ]);
    story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
    story.op("over-written", ALICE, "hired", title(1));
    // Names what its other parent has seen.
    story.op("written", ALICE, "hired over-written", title(2));
    story.op("added", ALICE, "written", add("doc/1", "title", "x"));
    story.op("removed", ROOT_2, "added", remove("doc/1", "title", "x"));
    story.op("revoked", ROOT, "over-written", revoke(ALICE, None, None));
    seal_truly(&mut story, "old", "removed revoked");
    story.op("upgrade", ROOT, "old.2", world::upgrade("carry", b""));
    seal_truly(&mut story, "short", "upgrade");
    theft::cosign(&mut story, "upgrade.2", ROOT_2, "short.2", "upgrade");
    story.op("twin", ROOT_3, "upgrade.2", title(3));
    // An equivocation.
    story.raw(
        "twin-2",
        ROOT_3,
        "upgrade.2",
        0,
        story.stamp_of("twin"),
        title(4),
    );
    seal_truly(&mut story, "bound", "twin twin-2");
    v.add(
        "state/snapshots-of-seals",
        "The digest of a seal is of version 2, with the skeletons of plain data ops, where enough roots have put the feature carry in force in its past, and of version 1 elsewhere.",
        SNAPSHOTS,
        &story,
        "
        bound applied genesis
        written denied revoked revoked
        added denied revoked revoked
    ",
    );
}

cases! {
    a_seal_binds_skeletons_where_its_past_says_so,
    concurrent_writes_all_win_and_the_least_hash_is_shown,
    a_remove_takes_the_adds_that_it_has_seen,
    adds_of_one_element_keep_a_tag_each,
    a_register_and_a_set_of_one_name_do_not_meet,
    values_keep_their_types,
}
