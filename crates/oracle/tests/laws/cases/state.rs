//! State over what is applied.

use super::*;

#[test]
fn concurrent_writes_all_win_and_the_least_hash_is_shown() {
    let mut story = Story::with_alice();
    for (root, value) in (0..3_u8).zip([1, 2, 3]) {
        story.op(&format!("write-{root}"), root, "hired", title(value));
    }
    check(&story, "");
    let field = &state(&story)["objects"]["doc/1"]["fields"]["title"].clone();
    assert_eq!(field["winners"].as_array().unwrap().len(), 3);
    // RFC 8949 section 4.2.1: small integers are one byte.
    let least = (1..4_u8)
        .min_by_key(|value| *blake3::hash(&[*value]).as_bytes())
        .unwrap();
    assert_eq!(field["value"], json!(least));
    story.op("settled", ROOT, "write-0 write-1 write-2", title(9));
    let field = &state(&story)["objects"]["doc/1"]["fields"]["title"].clone();
    assert_eq!(field["winners"].as_array().unwrap().len(), 1);
    assert_eq!(field["value"], json!(9));
}

#[test]
fn a_remove_takes_the_adds_that_it_has_seen() {
    let mut story = Story::with_alice();
    story.op("add-1", ROOT, "hired", add("doc/1", "title", "x"));
    story.op("remove", ROOT, "add-1", remove("doc/1", "title", "x"));
    let tags =
        |story: &Story| state(story)["objects"]["doc/1"]["sets"]["title"]["x"]["tags"].clone();
    assert_eq!(tags(&story), Json::Null);
    story.op("add-2", ROOT_2, "add-1", add("doc/1", "title", "x"));
    assert_eq!(tags(&story), json!([story.ids["add-2"]]));
    check(&story, "");
}
