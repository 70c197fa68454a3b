//! Features: what an op may say in a project that uses them, and what a program makes of those that it does not know.

use super::*;

/// Rules that give `other` tag a.
fn widen() -> Payload {
    world::schema(&[("other", "*", A)])
}

/// A type of payload that is not assigned.
const TOMORROW: u16 = 60_000;

fn unknown_kind(v: &mut Vectors) {
    let mut story = Story::new();
    story.op("unassigned", ROOT, "key", world::unassigned(TOMORROW, 1));
    story.op("schema", ROOT, "key", widen());
    story.op("on-it", ROOT, "unassigned", title(1));
    v.add(
        "refused/unknown-kind",
        "A kind whose feature no op of the past names is refused, by programs that know it and by those that do not.",
        FEATURES,
        &story,
        "
        unassigned refused unknown_kind
        schema refused unknown_kind
        on-it refused refused_parent unassigned
    ",
    );
}

fn the_kind_comes_before_the_number(v: &mut Vectors) {
    let mut story = Story::new();
    let hlc = story.stamp_after("key");
    story.raw("wrong", ROOT, "key", 9, hlc, world::unassigned(TOMORROW, 1));
    story.op("foreign", ALICE, "key", title(1));
    story.op("refused", ALICE, "foreign", world::unassigned(TOMORROW, 1));
    v.add(
        "refused/unknown-kind-first",
        "The kind is judged before the number and the stamp, and not at all where a parent is refused.",
        RECEIVING,
        &story,
        "
        wrong refused unknown_kind
        foreign refused no_grant
        refused refused refused_parent foreign
    ",
    );
}

fn schema_rules_are_judged_in_the_past(v: &mut Vectors) {
    let mut story = Story::using(&[("schema", b"")]);
    story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
    story.op("early", ALICE, "hired", set("other", "x", 1));
    story.op("widened", ROOT, "hired", widen());
    story.op("beside", ALICE, "hired", set("other", "x", 2));
    story.op("after", ALICE, "widened", set("other", "x", 3));
    story.op("revoked", ROOT_2, "hired", revoke(ROOT, None, None));
    story.op("still", ROOT_3, "after revoked", set("other", "x", 4));
    v.add(
        "refused/schema-unseen",
        "Which tags a field has is judged in the past of the op; a rule counts also where its op is denied.",
        FEATURES,
        &story,
        "
        early refused out_of_scope hired
        widened denied revoked revoked
        beside refused out_of_scope hired
        after denied granter_denied revoked
        still applied genesis
    ",
    );
}

fn an_upgrade_puts_a_feature_in_force(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("bad", ROOT, "hired", world::upgrade("schema", b"x"));
    story.op("too-early", ROOT, "bad", widen());
    story.op("upgraded", ROOT_2, "bad", world::upgrade("schema", b""));
    story.op("twice", ROOT_3, "upgraded", world::upgrade("schema", b""));
    story.op("by-alice", ALICE, "upgraded", world::upgrade("schema", b""));
    story.op("rules-by-alice", ALICE, "upgraded", widen());
    story.op("widened", ROOT, "upgraded", widen());
    story.op("edit", ALICE, "widened", set("other", "x", 1));
    v.add(
        "applied/upgrade",
        "An Upgrade by a root puts a feature in force for what has it in its past, if the feature allows the parameters.",
        FEATURES,
        &story,
        "
        edit applied hired
        too-early refused unknown_kind
        by-alice refused action_not_permitted hired
        rules-by-alice refused action_not_permitted hired
    ",
    );
}

fn a_quorum_is_of_one_to_all_roots(v: &mut Vectors) {
    for (path, about, k) in [
        (
            "refused/quorum-of-none",
            "A quorum of no root is none: there are no Cosigns, and each root acts alone.",
            0,
        ),
        (
            "refused/quorum-of-too-many",
            "A quorum of more roots than genesis names is none: there are no Cosigns, and each root acts alone.",
            4,
        ),
    ] {
        let mut story = Story::using(&[("quorum", &[k])]);
        story.op("alone", ROOT, "key", revoke(ROOT_2, None, None));
        story.op("out", ROOT_2, "alone", title(1));
        let signed = world::cosign(story.ids["alone"]);
        story.op("cosign", ROOT_3, "alone", signed);
        v.add(
            path,
            about,
            FEATURES,
            &story,
            "
            cosign refused unknown_kind
            out refused revoked alone
        ",
        );
    }
}

fn a_program_survives_the_features_of_tomorrow(v: &mut Vectors) {
    let mut story = Story::using(&[("schema", b""), ("tomorrow", b"\x01\x02")]);
    story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
    story.op("edit", ALICE, "hired", title(1));
    story.op("new", ROOT, "edit", world::unassigned(TOMORROW, 1));
    story.op("stranger", OUTSIDER, "edit", world::unassigned(22, 2));
    story.op("on-new", ALICE, "new", title(2));
    story.op("on-both", ALICE, "on-new stranger", title(3));
    story.op("beside", BOB, "edit", title(4));
    story.op("revoked", ROOT_2, "edit", revoke(ALICE, None, None));
    v.add(
        "unsupported/tomorrow",
        "What this program does not know is held and not judged, and so is what builds on it; the rest is decided without it.",
        FEATURES,
        &story,
        "
        new unsupported
        stranger unsupported
        on-new unsupported
        on-both unsupported
        beside refused no_grant
        edit applied hired
    ",
    );
}

fn an_unsupported_parent_hides_every_other_fault(v: &mut Vectors) {
    let mut story = Story::new();
    story.op("upgraded", ROOT, "key", world::upgrade("tomorrow", b""));
    story.op("before", ROOT, "key", world::unassigned(TOMORROW, 1));
    story.op("new", ROOT_2, "upgraded", world::unassigned(TOMORROW, 1));
    story.op("refused", BOB, "key", title(1));
    let hlc = story.stamp_after("upgraded");
    story.raw("all-wrong", BOB, "new refused", 7, hlc, title(2));
    v.add(
        "unsupported/whatever-else-is-wrong",
        "An op with an unsupported parent is never refused; without an unknown feature in the past an unknown kind is.",
        RECEIVING,
        &story,
        "
        all-wrong unsupported
        new unsupported
        before refused unknown_kind
        refused refused no_grant
    ",
    );
}

cases! {
    unknown_kind,
    the_kind_comes_before_the_number,
    schema_rules_are_judged_in_the_past,
    an_upgrade_puts_a_feature_in_force,
    a_quorum_is_of_one_to_all_roots,
    a_program_survives_the_features_of_tomorrow,
    an_unsupported_parent_hides_every_other_fault,
}
