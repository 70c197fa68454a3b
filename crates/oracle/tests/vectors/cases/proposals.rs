//! What one root has signed and no other, and who completes it: limits of the model and its boundaries.

use ecac_core::EffectCode as E;

use super::effects::{effects, log_of};
use super::theft::{PHONE, body, cosign, link, seal, three_roots, unlink, with_boss};
use super::*;

fn a_deposed_root_completes_an_abandoned_seal(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    story.op("revoked", ROOT_2, "hired", revoke(ALICE, None, None));
    // The second root does not sign what leaves its revocation out.
    story.op("abandoned", ROOT, "edit", world::seal([1; 32]));
    let deposed = revoke(ROOT_3, None, None);
    story.op("deposed", ROOT, "abandoned revoked", deposed);
    cosign(&mut story, "deposed.2", ROOT_2, "deposed", "deposed");
    seal(&mut story, "seal", "deposed.2");
    cosign(&mut story, "thief", ROOT_3, "abandoned", "abandoned");
    effects(
        &story,
        &[
            ("abandoned", E::Seals, ""),
            ("thief", E::Cosigns, "abandoned"),
            ("revoked", E::Revokes, "hired"),
        ],
    );
    v.add(
        "applied/abandoned-seal",
        "A seal that one root has signed can be made final by one who was ended within another seal: a limit of the model.",
        CHOICES,
        &story,
        "
        edit applied abandoned
        thief denied revoked deposed
    ",
    );
}

fn a_deposed_root_completes_an_abandoned_grant(v: &mut Vectors) {
    let mut story = with_boss();
    story.hire("proposed", ROOT, "hired", CHIEF, Role::Root, A);
    story.op("deposed", ROOT, "proposed", revoke(ROOT_3, None, None));
    cosign(&mut story, "deposed.2", ROOT_2, "deposed", "deposed");
    seal(&mut story, "seal", "deposed.2");
    cosign(&mut story, "thief", ROOT_3, "proposed", "proposed");
    story.op("crowned", CHIEF, "thief", body(1));
    effects(&story, &[("proposed", E::Grants, "")]);
    v.add(
        "applied/abandoned-grant",
        "A grant of root that one root has signed can be completed by one who was ended within a seal: a limit of the model.",
        CHOICES,
        &story,
        "
        crowned applied proposed
        thief denied revoked deposed
    ",
    );
    // The two end the others on old parents, and seal it: it takes one stolen key and who was once proposed.
    story.op("usurped", CHIEF, "thief", revoke(ROOT, None, None));
    cosign(&mut story, "usurped.2", ROOT_3, "usurped", "usurped");
    story.op("forged", CHIEF, "usurped.2", world::seal([6; 32]));
    cosign(&mut story, "forged.2", ROOT_3, "forged", "forged");
    story.op("out", ROOT, "seal.2 forged.2", title(1));
    effects(
        &story,
        &[
            ("usurped", E::Revokes, "genesis"),
            ("usurped.2", E::Cosigns, "usurped"),
            ("forged", E::Seals, ""),
        ],
    );
    v.add(
        "refused/usurped",
        "Who was made a root by an honest and a deposed one can seal with the latter on old parents, and end the others.",
        CHOICES,
        &story,
        "
        out refused revoked usurped
        seal denied revoked usurped
        thief applied forged
        usurped.2 applied forged
        forged.2 denied revoked deposed
    ",
    );
}

fn a_seal_drops_the_end_of_who_completes_it(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("ended", ROOT, "hired", revoke(ROOT_3, None, None));
    story.op("seal", ROOT_2, "ended", world::seal([1; 32]));
    cosign(&mut story, "seal.2", ROOT_3, "seal", "seal");
    cosign(&mut story, "late", ROOT_2, "seal.2", "ended");
    story.op("still", ROOT_3, "late", body(1));
    story.op("again", ROOT, "late", revoke(ROOT_3, None, None));
    cosign(&mut story, "again.2", ROOT_2, "again", "again");
    story.op("out", ROOT_3, "still again.2", body(2));
    effects(
        &story,
        &[
            ("ended", E::Dropped, "seal"),
            ("again", E::Revokes, "genesis"),
        ],
    );
    v.add(
        "refused/dropped-by-its-subject",
        "Whoever completes a seal drops the revocations of roots that are short in its past, their own too; they are repeated.",
        QUORUM,
        &story,
        "
        out refused revoked again
        still denied revoked again
    ",
    );
}

fn one_root_names_a_feature_of_tomorrow(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("named", ROOT, "hired", world::upgrade("tomorrow", b""));
    story.op("edit", ALICE, "named", title(1));
    story.op("new", ROOT, "edit", world::unassigned(60_000, 1));
    story.op("on-new", ALICE, "new", title(2));
    effects(&story, &[("named", E::UnknownFeature, "")]);
    assert_eq!(log_of(&story).behind(), None);
    v.add(
        "applied/upgrade-by-one-root",
        "An Upgrade that is short names nothing to a program that does not know its feature: work goes on, and an unknown kind is refused.",
        FEATURES,
        &story,
        "
        edit applied hired
        new refused unknown_kind
        on-new refused refused_parent new
    ",
    );
    cosign(&mut story, "named.2", ROOT_2, "edit", "named");
    story.op("beside", ROOT_3, "edit", world::unassigned(60_000, 2));
    story.op("later", ROOT_3, "named.2", world::unassigned(60_000, 2));
    story.op("on-later", ALICE, "later", title(3));
    story.op("on-both", ALICE, "later beside", title(4));
    story.op("still", ALICE, "named.2", title(5));
    let behind = log_of(&story).behind().expect("two roots name it");
    assert_eq!((behind.features.len(), behind.unsupported), (1, 3));
    v.add(
        "unsupported/upgrade-by-two-roots",
        "An unknown kind is unsupported where an Upgrade of an unknown feature is full in its past, and refused where the Cosign is elsewhere.",
        FEATURES,
        &story,
        "
        later unsupported
        on-later unsupported
        on-both unsupported
        still applied hired
        beside refused unknown_kind
        new refused unknown_kind
        on-new refused refused_parent new
        edit applied hired
    ",
    );
}

fn a_link_ends_as_far_as_it_is_reached(v: &mut Vectors) {
    let mut story = three_roots();
    story.hire("promoted", ROOT, "key", BOSS, Role::PolicyAdmin, A);
    story.hire("titles", ROOT, "promoted", ALICE, Role::Editor, A);
    story.hire("bodies", ROOT, "titles", ALICE, Role::Editor, B);
    link(&mut story, "phone", ALICE, "bodies", (ALICE, PHONE));
    unlink(&mut story, "ended", BOSS, "phone", (ALICE, PHONE));
    story.op("body", PHONE, "ended", body(1));
    story.op("title", PHONE, "ended", title(1));
    effects(&story, &[("ended", E::WithinReach, "titles")]);
    v.add(
        "applied/unlinked-in-part",
        "A DeviceRevoke ends a link for the grants that it reaches; for the others the device signs on, and its effect says so.",
        DEVICES,
        &story,
        "
        body applied bodies
        title refused revoked ended
    ",
    );
}

fn a_revocation_ends_what_it_reaches(v: &mut Vectors) {
    let mut story = Story::new();
    story.hire("promoted", ROOT, "key", BOSS, Role::PolicyAdmin, A);
    story.hire("titles", ROOT, "promoted", ALICE, Role::Editor, A);
    story.hire("bodies", ROOT, "titles", ALICE, Role::Editor, B);
    story.op("ended", BOSS, "bodies", revoke(ALICE, None, None));
    story.op("narrow", BOSS, "ended", revoke(ALICE, None, Some(A)));
    story.op("body", ALICE, "narrow", body(1));
    story.op("title", ALICE, "narrow", title(1));
    effects(
        &story,
        &[
            ("ended", E::WithinReach, "titles"),
            ("narrow", E::Revokes, "titles"),
        ],
    );
    v.add(
        "applied/revoked-within-reach",
        "A Revoke ends the grants that it reaches; where it names more, its effect says so, and the subject goes on by the others.",
        EFFECTS,
        &story,
        "
        body applied bodies
        title refused revoked narrow
    ",
    );
}

cases! {
    a_deposed_root_completes_an_abandoned_seal,
    a_deposed_root_completes_an_abandoned_grant,
    a_seal_drops_the_end_of_who_completes_it,
    one_root_names_a_feature_of_tomorrow,
    a_link_ends_as_far_as_it_is_reached,
    a_revocation_ends_what_it_reaches,
}
