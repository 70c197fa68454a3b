//! Revoked: what a `Revoke` denies, and what it leaves.

use super::*;

fn what_the_revoker_had_not_seen_is_lost_whatever_its_clock_claims(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("seen", ALICE, "hired", title(1));
    story.op("revoked", ROOT, "seen", revoke(ALICE, None, None));
    story.op("concurrent", ALICE, "seen", title(2));
    story.op_at("backdated", ALICE, "concurrent", 0, title(3));
    story.op_at("ahead", ALICE, "backdated", FAR_MS / 2, title(4));
    story.op("after", ALICE, "ahead revoked", title(5));
    v.add(
        "denied/revoked",
        "What the revoker had not seen is lost, whatever its clock claims; what it had seen stays.",
        PRECISELY,
        &story,
        "
        concurrent denied revoked revoked
        backdated denied revoked revoked
        ahead denied revoked revoked
        after refused revoked revoked
    ",
    );
}

fn removal_re_exposes_what_was_dominated(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("first", ALICE, "hired", title(1));
    story.op("x", ALICE, "first", add("doc/1", "title", "x"));
    story.op("revoked", ROOT, "x", revoke(ALICE, None, None));
    let shown = |story: &Story| {
        let object = &state(story)["objects"]["doc/1"];
        (
            object["fields"]["title"]["value"].clone(),
            object["sets"]["title"]["x"]["value"].clone(),
        )
    };
    assert_eq!(shown(&story), (json!(1), json!("x")));
    story.op("second", ALICE, "x", title(2));
    story.op("no-x", ALICE, "second", remove("doc/1", "title", "x"));
    v.add(
        "state/denied-writes-re-expose",
        "What a denied write or remove had overwritten shows again.",
        EXPORTS,
        &story,
        "
        second denied revoked revoked
        no-x denied revoked revoked
    ",
    );
    assert_eq!(shown(&story), (json!(1), json!("x")));
    // Without the revocation they count.
    story.ops.retain(|op| op.id() != story.ids["revoked"]);
    check(&story, "");
    assert_eq!(shown(&story), (json!(2), Json::Null));
}

fn a_grant_restores_only_after_seeing_the_denial_and_only_what_follows(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("revoked", ROOT, "hired", revoke(ALICE, None, None));
    story.op("lost", ALICE, "hired", title(1));
    // Root 2 has not seen the revocation.
    story.grant("blind", ROOT_2, "hired", ALICE, "hired.vc");
    story.op("by-blind", ALICE, "lost blind", title(2));
    story.grant("restored", ROOT_2, "blind revoked", ALICE, "hired.vc");
    story.op("still-lost", ALICE, "by-blind", title(3));
    story.op("follows", ALICE, "still-lost restored", title(4));
    v.add(
        "applied/grant-after-denial",
        "Only a grant that has seen the denial restores, and only what follows it.",
        PRECISELY,
        &story,
        "
        follows applied restored
        lost denied revoked revoked
        by-blind denied revoked revoked
        still-lost denied revoked revoked
    ",
    );
}

fn administrators_who_revoke_each_other_both_lose(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("revoke-1", ROOT, "hired", revoke(ROOT_2, None, None));
    story.op("revoke-2", ROOT_2, "hired", revoke(ROOT, None, None));
    story.op("edit-1", ROOT, "revoke-1", title(1));
    story.op("edit-2", ROOT_2, "revoke-2", title(2));
    story.op("edit-3", ROOT_3, "revoke-1 revoke-2", title(3));
    story.op("edit-after", ROOT, "revoke-1 revoke-2", title(4));
    story.op("edit-alice", ALICE, "hired", title(5));
    v.add(
        "denied/revoked-each-other",
        "Two administrators who revoke each other concurrently both lose.",
        CHOICES,
        &story,
        "
        revoke-1 denied revoked revoke-2
        revoke-2 denied revoked revoke-1
        edit-1 denied revoked revoke-2
        edit-2 denied revoked revoke-1
        edit-after refused revoked revoke-2
        edit-alice denied granter_denied revoke-2
    ",
    );
}

fn a_denial_that_is_itself_denied_still_denies(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.op("boss-revokes", BOSS, "hired", revoke(ALICE, None, None));
    story.op("root-revokes", ROOT, "hired", revoke(BOSS, None, None));
    story.op("edit", ALICE, "hired", title(1));
    v.add(
        "denied/revoked-by-a-denied-revocation",
        "A denial is effective once admitted, also if it is itself denied.",
        CHOICES,
        &story,
        "
        edit denied revoked boss-revokes
        boss-revokes denied revoked root-revokes
    ",
    );
}

fn a_denial_does_not_deny_itself(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.op("resigns", ROOT, "hired", revoke(ROOT, None, None));
    story.op("root-after", ROOT, "resigns", title(1));
    v.add(
        "applied/denial-spares-itself",
        "A denial never denies itself: who revokes their own key makes a last op that stands.",
        SEQUENCE,
        &story,
        "
        resigns applied genesis
        root-after refused revoked resigns
    ",
    );
}

fn a_revocation_reaches_no_further_than_its_author(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.hire(
        "promoted-chief",
        ROOT_2,
        "hired",
        CHIEF,
        Role::PolicyAdmin,
        A,
    );
    story.hire("wide", ROOT_2, "promoted-chief", BOB, Role::Editor, 0b111);
    story.hire("far", ROOT_3, "wide", OUTSIDER, Role::Editor, 0b100);
    // Boss administers tags a and b.
    story.op("revoke-root", BOSS, "far", revoke(ROOT_2, None, None));
    story.op(
        "revoke-chief",
        BOSS,
        "revoke-root",
        revoke(CHIEF, None, None),
    );
    story.op("revoke-bob", BOSS, "revoke-chief", revoke(BOB, None, None));
    story.op(
        "revoke-far",
        BOSS,
        "revoke-bob",
        revoke(OUTSIDER, None, None),
    );
    story.op("edit-root", ROOT_2, "far", title(1));
    story.op("revoke-by-chief", CHIEF, "far", revoke(ALICE, None, None));
    story.op("edit-bob", BOB, "far", set("doc/2", "labels", 1));
    story.op("edit-far", OUTSIDER, "far", set("doc/2", "labels", 2));
    story.op("edit-alice", ALICE, "far", title(2));
    v.add(
        "applied/revocation-out-of-reach",
        "A revocation reaches no further than its author's authority.",
        CHOICES,
        &story,
        "
        edit-root applied genesis
        edit-bob denied revoked revoke-bob
        edit-alice denied revoked revoke-by-chief
    ",
    );
}

fn a_revocation_takes_the_role_and_the_scope_that_it_names(v: &mut Vectors) {
    for (role, scope, path) in [
        (None, None, "denied/revoked-whole"),
        (Some(Role::Editor), None, "denied/revoked-role"),
        (Some(Role::Reader), None, "applied/revoked-other-role"),
        (None, Some(A), "denied/revoked-scope"),
        (None, Some(B), "applied/revoked-other-scope"),
        (None, Some(AB), "denied/revoked-scope-that-meets"),
        (
            Some(Role::Editor),
            Some(B),
            "applied/revoked-role-in-other-scope",
        ),
        (
            Some(Role::Reader),
            Some(A),
            "applied/revoked-other-role-in-scope",
        ),
        (Some(Role::Root), None, "applied/revoked-administrator-role"),
    ] {
        let mut story = Story::with_alice();
        story.op("revoked", ROOT, "hired", revoke(ALICE, role, scope));
        story.op("edit", ALICE, "hired", title(1));
        let is_denied = path.starts_with("denied/");
        v.add(
            path,
            "A revocation takes the role and meets the scope that it names.",
            PRECISELY,
            &story,
            if is_denied {
                "edit denied revoked revoked"
            } else {
                "edit applied hired"
            },
        );
    }
    // Root's own authority has no bounds for a scope to miss.
    let mut story = Story::new();
    story.op(
        "revoked",
        ROOT_2,
        "key",
        revoke(ROOT, Some(Role::Root), Some(B)),
    );
    story.op("edit", ROOT, "key", title(1));
    v.add(
        "denied/revoked-root-has-no-scope",
        "Root's own authority has no bounds for the tags of a revocation to miss.",
        PRECISELY,
        &story,
        "
        edit denied revoked revoked
    ",
    );
}

fn of_the_denials_of_several_grants_the_least_is_the_witness(v: &mut Vectors) {
    let edit = || set("doc/2", "title", 1);
    for fillers in 0..6 {
        let mut story = Story::new();
        story.hire("one", ROOT, "key", ALICE, Role::Editor, A);
        story.hire("two", ROOT, "one", ALICE, Role::Editor, 0b100);
        let mut last = "two".to_owned();
        for filler in 0..fillers {
            let name = format!("filler-{filler}");
            story.op(&name, ROOT, &last, title(filler));
            last = name;
        }
        story.op("half", ROOT_2, &last, revoke(ALICE, None, Some(A)));
        story.op("concurrent", ALICE, "two", edit());
        story.op("by-half", ALICE, "concurrent half", edit());
        check(&story, "");
        story.op(
            "other-half",
            ROOT_3,
            &last,
            revoke(ALICE, None, Some(0b100)),
        );
        story.op("after", ALICE, "half other-half", edit());
        let least = if story.ids["half"] < story.ids["other-half"] {
            "half"
        } else {
            "other-half"
        };
        let expect = format!(
            "
            concurrent denied revoked {least}
            by-half denied revoked other-half
            after refused revoked {least}
        "
        );
        if fillers > 0 {
            check(&story, &expect);
            continue;
        }
        v.add(
            "denied/revoked-of-two-grants",
            "Of the denials of several dead grants the one with the least op id is named.",
            DENIED,
            &story,
            &expect,
        );
    }
}

fn the_witness_of_an_applied_op_is_a_grant_that_lives(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.hire(
        "promoted-chief",
        ROOT,
        "hired",
        CHIEF,
        Role::PolicyAdmin,
        AB,
    );
    story.grant("again", CHIEF, "promoted-chief", ALICE, "hired.vc");
    story.op("edit", ALICE, "again", title(1));
    let (least, other, boss) = if story.ids["again"] < story.ids["hired"] {
        ("again", "hired", CHIEF)
    } else {
        ("hired", "again", BOSS)
    };
    v.add(
        "applied/least-grant-is-witness",
        "The witness of an applied op is the live warrant with the least op id.",
        DENIED,
        &story,
        &format!("edit applied {least}"),
    );
    story.op("revoked", ROOT_2, "again", revoke(boss, None, None));
    v.add(
        "applied/other-grant-lives",
        "An op is applied while one of its warrants lives, and that one is its witness.",
        DENIED,
        &story,
        &format!("edit applied {other}"),
    );
}

cases! {
    what_the_revoker_had_not_seen_is_lost_whatever_its_clock_claims,
    removal_re_exposes_what_was_dominated,
    a_grant_restores_only_after_seeing_the_denial_and_only_what_follows,
    administrators_who_revoke_each_other_both_lose,
    a_denial_that_is_itself_denied_still_denies,
    a_denial_does_not_deny_itself,
    a_revocation_reaches_no_further_than_its_author,
    a_revocation_takes_the_role_and_the_scope_that_it_names,
    of_the_denials_of_several_grants_the_least_is_the_witness,
    the_witness_of_an_applied_op_is_a_grant_that_lives,
}
