//! Equivocation: what it freezes, and what it does not touch.

use super::*;

/// The one of the ops with the least id.
pub(super) fn least(story: &Story, names: &[&'static str]) -> &'static str {
    let found = names.iter().min_by_key(|name| story.ids[**name]);
    found.expect("some are named")
}

fn frozen(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("before", ALICE, "hired", title(1));
    story.op("left", ALICE, "before", title(2));
    story.op("right", ALICE, "before", title(3));
    story.op("on-left", ALICE, "left", title(4));
    story.op("on-both", ALICE, "left right", title(5));
    let first = least(&story, &["left", "right"]);
    v.add(
        "refused/frozen",
        "Who has seen two ops of their own with one number enters no more under a grant that had not seen both.",
        PRECISELY,
        &story,
        &format!("on-both refused frozen {first}"),
    );
    v.add(
        "applied/equivocation-denies-nothing",
        "Each half of an equivocation stands, and so does what had seen one half only.",
        PRECISELY,
        &story,
        &format!(
            "
            left applied hired
            right applied hired
            on-left applied hired
            on-both refused frozen {first}
        "
        ),
    );
}

fn a_grant_made_after_both_halves_thaws(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("left", ALICE, "hired", title(1));
    story.op("right", ALICE, "hired", title(2));
    story.grant("again", ROOT, "left right", ALICE, "hired.vc");
    story.op("thawed", ALICE, "again", title(3));
    story.op("on-left", ALICE, "left", title(4));
    v.add(
        "applied/thawed",
        "A grant that was made after both halves lets the author go on.",
        PRECISELY,
        &story,
        "thawed applied again",
    );
    // A third op with the number of the thawed one: who granted again had not seen that.
    story.op("frozen-again", ALICE, "thawed on-left", title(5));
    let half = least(&story, &["left", "right"]);
    v.add(
        "refused/frozen-again",
        "A grant thaws what it had seen, and not an equivocation that came after it; of all grants that fall, the least number that one had not seen is named.",
        PRECISELY,
        &story,
        &format!("frozen-again refused frozen {half}"),
    );
}

fn who_granted_after_one_half_had_not_seen_the_equivocation(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("left", ALICE, "hired", title(1));
    story.op("right", ALICE, "hired", title(2));
    story.grant("half", ROOT, "left", ALICE, "hired.vc");
    story.op("edit", ALICE, "half", title(3));
    story.op("both", ALICE, "half right", title(4));
    // Of the grant from before both halves are unseen, of the other one the right half.
    let half = least(&story, &["left", "right"]);
    v.add(
        "refused/frozen-half-seen",
        "Who granted after seeing one half had not seen the equivocation; who has seen one half only is not frozen.",
        PRECISELY,
        &story,
        &format!(
            "
            both refused frozen {half}
            edit applied {}
        ",
            least(&story, &["hired", "half"])
        ),
    );
}

fn an_equivocation_takes_nothing_back(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("first", ALICE, "hired", title(1));
    story.op("second", ALICE, "first", title(2));
    story.op("revoked", ROOT, "second", revoke(ALICE, None, None));
    story.op("spite", ALICE, "hired", title(3));
    v.add(
        "denied/retraction",
        "Whoever holds the key, even a revoked one, takes back nothing by signing an old number again.",
        CHOICES,
        &story,
        "
        spite denied revoked revoked
        first applied hired
        second applied hired
    ",
    );
}

fn nobody_elses_ops_are_touched(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.op("edit", ALICE, "hired", title(1));
    story.hire("bob", BOSS, "promoted", BOB, Role::Editor, A);
    story.op("by-bob", BOB, "bob", title(2));
    story.op("on-both", ALICE, "hired bob edit", title(3));
    story.op("frozen", BOSS, "hired bob", revoke(BOB, None, None));
    let half = least(&story, &["hired.vc", "bob.vc"]);
    v.add(
        "applied/equivocation-of-a-granter",
        "The fork of an administrator freezes the administrator, and nobody whom they granted.",
        PRECISELY,
        &story,
        &format!(
            "
            on-both applied hired
            edit applied hired
            by-bob applied bob
            frozen refused frozen {half}
        "
        ),
    );
}

fn a_denial_comes_before_the_freeze(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("left", ALICE, "hired", title(1));
    story.op("right", ALICE, "hired", title(2));
    story.op("revoked", ROOT, "left right", revoke(ALICE, None, None));
    story.op("after", ALICE, "revoked", title(3));
    v.add(
        "refused/revoked-before-frozen",
        "Of a grant that is killed and had not seen the equivocation, the denial is the reason.",
        REFUSED,
        &story,
        "after refused revoked revoked",
    );
}

cases! {
    frozen,
    a_grant_made_after_both_halves_thaws,
    who_granted_after_one_half_had_not_seen_the_equivocation,
    an_equivocation_takes_nothing_back,
    nobody_elses_ops_are_touched,
    a_denial_comes_before_the_freeze,
}
