//! What survives theft: quorum, seals and endorsements.

use ecac_core::EffectCode as E;

use super::effects::effects;
use super::frozen::least;
use super::*;

pub(super) const PHONE: u8 = 16;
pub(super) const LAPTOP: u8 = 17;

/// Three roots of whom two sign together, in a project that uses every feature.
pub(super) fn three_roots() -> Story {
    Story::using(&[
        ("device", b""),
        ("endorse", b""),
        ("quorum", &[2]),
        ("schema", b""),
        ("seal", b""),
    ])
}

/// Boss is `promoted` by a root and hires Alice, as everywhere.
pub(super) fn with_boss() -> Story {
    let mut story = three_roots();
    story.hire("promoted", ROOT, "key", BOSS, Role::PolicyAdmin, AB);
    story.hire("hired", BOSS, "promoted", ALICE, Role::Editor, A);
    story
}

pub(super) fn cosign(story: &mut Story, name: &str, author: u8, after: &str, signed: &str) {
    let payload = world::cosign(story.ids[signed]);
    story.op(name, author, after, payload);
}

/// A seal by the first root, `<name>.2` being the `Cosign` of the second.
pub(super) fn seal(story: &mut Story, name: &str, after: &str) {
    story.op(name, ROOT, after, world::seal([0x5e; 32]));
    cosign(story, &format!("{name}.2"), ROOT_2, name, name);
}

fn endorse(story: &mut Story, name: &str, author: u8, after: &str, ops: &str) {
    let payload = world::endorse(story.ids(ops));
    story.op(name, author, after, payload);
}

pub(super) fn link(
    story: &mut Story,
    name: &str,
    author: u8,
    after: &str,
    (person, device): (u8, u8),
) {
    let payload = world::device(story.ids["genesis"], person, device);
    story.op(name, author, after, payload);
}

pub(super) fn unlink(
    story: &mut Story,
    name: &str,
    author: u8,
    after: &str,
    (person, device): (u8, u8),
) {
    story.op(name, author, after, world::device_revoke(person, device));
}

pub(super) fn body(value: i64) -> Payload {
    set("doc/1", "body", value)
}

fn targets(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    cosign(&mut story, "of-editor", ROOT, "edit", "hired");
    story.hire("proposed", ROOT, "edit", BOB, Role::Root, A);
    cosign(&mut story, "of-root", ROOT_2, "proposed", "proposed");
    v.add(
        "refused/bad-target-cosign",
        "A Cosign names a quorum op of its past: the grant of a root is one, that of an editor is none.",
        REFUSED,
        &story,
        "
        of-editor refused bad_target hired
        of-root applied genesis
    ",
    );
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    story.op("unseen", ALICE, "edit", title(2));
    endorse(&mut story, "of-grant", ROOT, "edit", "edit hired");
    endorse(&mut story, "of-unseen", ROOT, "edit", "unseen");
    endorse(&mut story, "good", ROOT, "edit", "edit");
    v.add(
        "refused/bad-target-endorse",
        "An Endorse names data ops of its past, and nothing else.",
        REFUSED,
        &story,
        "
        of-grant refused bad_target hired
        of-unseen refused bad_target unseen
        good applied genesis
    ",
    );
}

fn kinds_need_their_features(v: &mut Vectors) {
    let mut story = Story::with_alice();
    let genesis = story.ids["genesis"];
    story.op("edit", ALICE, "hired", title(1));
    story.op("seal", ROOT, "edit", world::seal([0; 32]));
    story.op("cosign", ROOT, "edit", world::cosign(genesis));
    story.op("endorse", ROOT, "edit", world::endorse(story.ids("edit")));
    link(&mut story, "device", ALICE, "edit", (ALICE, PHONE));
    unlink(&mut story, "unlink", ALICE, "edit", (ALICE, PHONE));
    v.add(
        "refused/unknown-kind-theft",
        "Seal, Cosign, Endorse, Device and DeviceRevoke count only where their features are in force, and that comes before their targets.",
        FEATURES,
        &story,
        "
        seal refused unknown_kind
        cosign refused unknown_kind
        endorse refused unknown_kind
        device refused unknown_kind
        unlink refused unknown_kind
    ",
    );
    let mut story = Story::using(&[("quorum", &[1]), ("seal", b"")]);
    story.op("seal", ROOT, "key", world::seal([0; 32]));
    story.op("again", ROOT_2, "key", world::upgrade("quorum", &[2]));
    story.op("cosign", ROOT_3, "again", world::cosign(story.ids["again"]));
    effects(&story, &[("again", E::BadParameters, "")]);
    v.add(
        "refused/seal-of-too-few",
        "Seals need a quorum of more than half of the roots that genesis names, and k stands in genesis only.",
        FEATURES,
        &story,
        "
        seal refused unknown_kind
        cosign applied genesis
    ",
    );
}

fn sealed_work_stands(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    seal(&mut story, "seal", "edit");
    story.op("after", ALICE, "edit", title(2));
    story.op("late", BOSS, "hired", revoke(ALICE, None, None));
    v.add(
        "applied/sealed",
        "What is applied in the past of a final seal stands against a denial that comes late; what comes after the seal does not.",
        SEALS,
        &story,
        "
        edit applied seal
        after denied revoked late
    ",
    );
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    story.op("seal", ROOT, "edit", world::seal([0; 32]));
    story.op("late", BOSS, "hired", revoke(ALICE, None, None));
    effects(&story, &[("seal", E::Short, "")]);
    v.add(
        "denied/seal-short",
        "A seal that too few roots have signed changes nothing.",
        SEALS,
        &story,
        "edit denied revoked late",
    );
}

fn stale_denials(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    story.hire("again", ROOT_2, "edit", ALICE, Role::Editor, A);
    story.op("deposed", ROOT, "again", revoke(BOSS, None, None));
    seal(&mut story, "seal", "deposed");
    story.op("spite", BOSS, "hired", revoke(ALICE, None, None));
    story.op("after", ALICE, "again seal.2 spite", title(2));
    effects(
        &story,
        &[
            ("spite", E::Stale, "seal"),
            ("deposed", E::Revokes, "promoted"),
        ],
    );
    v.add(
        "applied/stolen-administrator",
        "A denial whose author had been ended within a final seal's past, which has not the denial, counts for nothing.",
        WORKED,
        &story,
        "
        after applied again
        edit applied hired
        spite denied revoked deposed
    ",
    );
}

fn without_a_seal_theft_has_no_end(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    story.hire("again", ROOT_2, "edit", ALICE, Role::Editor, A);
    story.op("deposed", ROOT, "again", revoke(BOSS, None, None));
    story.op("spite", BOSS, "hired", revoke(ALICE, None, None));
    story.op("after", ALICE, "again deposed spite", title(2));
    effects(&story, &[("spite", E::Revokes, "hired again")]);
    v.add(
        "refused/stolen-administrator-unsealed",
        "Without a seal the denial of a deposed administrator who had not seen the end ends what others granted since.",
        WORKED,
        &story,
        "
        after refused revoked spite
        edit denied revoked spite
        spite denied revoked deposed
    ",
    );
}

fn a_sealed_denial_binds(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    story.op("denial", BOSS, "hired", revoke(ALICE, None, None));
    story.op("first", ROOT, "edit denial", world::seal([1; 32]));
    cosign(&mut story, "first.2", ROOT_2, "first", "first");
    story.op("deposed", ROOT_3, "hired", revoke(BOSS, None, None));
    story.op("second", ROOT_3, "deposed", world::seal([2; 32]));
    cosign(&mut story, "second.2", ROOT, "first second", "second");
    effects(
        &story,
        &[
            ("denial", E::Revokes, "hired"),
            ("first", E::Seals, ""),
            ("second", E::Seals, ""),
            ("second.2", E::Cosigns, "second"),
        ],
    );
    v.add(
        "denied/sealed-denial-binds",
        "A denial that counts in the past of one final seal is not made stale by another that was made apart.",
        CHOICES,
        &story,
        "
        edit denied revoked denial
        denial applied first
    ",
    );
}

fn roots_that_were_rotated_out(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    story.hire("crowned", ROOT, "edit", CHIEF, Role::Root, A);
    cosign(&mut story, "crowned.2", ROOT_2, "crowned", "crowned");
    story.op("leaves", ROOT, "crowned.2", revoke(ROOT, None, None));
    story.op("leaves-too", ROOT_2, "leaves", revoke(ROOT_2, None, None));
    story.op("denial", BOSS, "hired", revoke(ALICE, None, None));
    // Both keys are stolen now, and work on old parents: they depose Boss, and seal that.
    story.op("forged", ROOT, "edit", revoke(BOSS, None, None));
    story.op("seal", ROOT, "forged", world::seal([6; 32]));
    cosign(&mut story, "seal.2", ROOT_2, "seal", "seal");
    effects(
        &story,
        &[("seal", E::Seals, ""), ("denial", E::Stale, "seal")],
    );
    v.add(
        "applied/rotated-out",
        "Keys of k persons who ever were roots can seal on old parents, and make an honest denial stale: the limit of the model.",
        SEALS,
        &story,
        "
        edit applied hired
        denial denied revoked forged
        forged applied seal
        seal denied revoked leaves
        seal.2 denied revoked leaves-too
    ",
    );
}

fn one_root_alone(v: &mut Vectors) {
    let mut story = three_roots();
    story.op("alone", ROOT, "key", revoke(ROOT_2, None, None));
    story.op("still", ROOT_2, "alone", body(1));
    story.hire("accomplice", ROOT, "alone", OUTSIDER, Role::Root, A);
    story.op("nobody", OUTSIDER, "accomplice", body(2));
    story.op(
        "rule",
        ROOT,
        "accomplice",
        world::schema(&[("other", "*", A)]),
    );
    effects(
        &story,
        &[
            ("alone", E::Short, "genesis"),
            ("accomplice", E::Short, ""),
            ("rule", E::Short, ""),
        ],
    );
    v.add(
        "refused/one-root-alone",
        "With a quorum of two, one root can neither end another one, nor make one, nor change the schema.",
        QUORUM,
        &story,
        "
        nobody refused no_grant accomplice
        still applied genesis
    ",
    );
    cosign(&mut story, "second", ROOT_3, "accomplice", "accomplice");
    story.op("root", OUTSIDER, "second", body(3));
    cosign(&mut story, "signed", ROOT_3, "second", "alone");
    story.op("out", ROOT_2, "still signed", body(4));
    effects(&story, &[("alone", E::Revokes, "genesis")]);
    v.add(
        "denied/two-roots-together",
        "Two roots can; the Cosign that completes a denial takes back what the denial had not seen.",
        QUORUM,
        &story,
        "
        still denied revoked alone
        nobody refused no_grant accomplice
        root applied accomplice
        out refused revoked alone
    ",
    );
}

fn persons_and_keys(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("edit", ALICE, "hired", title(1));
    link(&mut story, "phone", ROOT, "edit", (ROOT, PHONE));
    cosign(&mut story, "phone.2", ROOT_2, "phone", "phone");
    story.op("seal", ROOT, "phone.2", world::seal([0; 32]));
    cosign(&mut story, "again", PHONE, "seal", "seal");
    story.op("late", BOSS, "hired", revoke(ALICE, None, None));
    effects(
        &story,
        &[
            ("phone", E::Links, "genesis"),
            ("seal", E::Short, ""),
            ("again", E::AddsNobody, "seal"),
        ],
    );
    v.add(
        "denied/one-person-two-keys",
        "A root with two keys is one person: the seal is short.",
        QUORUM,
        &story,
        "edit denied revoked late",
    );
    let mut story = with_boss();
    link(&mut story, "mask", ROOT, "hired", (ROOT_2, ROOT));
    story.op("alone", ROOT, "mask", revoke(ROOT_3, None, None));
    cosign(&mut story, "twice", ROOT, "alone", "alone");
    story.op("still", ROOT_3, "twice", body(1));
    effects(
        &story,
        &[
            ("mask", E::Short, "genesis"),
            ("alone", E::Short, "genesis"),
            ("twice", E::AddsNobody, "alone"),
        ],
    );
    v.add(
        "applied/masked-root",
        "A root who makes its own key the device of another root gains no second voice.",
        DEVICES,
        &story,
        "still applied genesis",
    );
}

fn proposals_do_not_stay_armed(v: &mut Vectors) {
    let mut story = with_boss();
    story.op("proposal", ROOT, "hired", revoke(ROOT_3, None, None));
    seal(&mut story, "seal", "proposal");
    cosign(&mut story, "signed", ROOT_2, "seal.2", "proposal");
    story.op("still", ROOT_3, "signed", body(1));
    effects(&story, &[("proposal", E::Dropped, "seal")]);
    v.add(
        "applied/dropped",
        "A revocation of a root that a final seal has in its past while it is short never counts.",
        QUORUM,
        &story,
        "still applied genesis",
    );
    // An issuer's list against a root by credential, which one honest and one deposed root sign.
    let mut story = with_boss();
    story.hire("trusted", ROOT, "hired", TRUST, Role::IssuerAdmin, A);
    story.op("clear", TRUST, "trusted", FIRST.list(0, false, 60, &[]));
    let credential = FIRST.credential(CHIEF, Role::Root, A, ALWAYS, &[(0, false, 5)]);
    story.hire_with("crowned", ROOT, "clear", CHIEF, credential);
    cosign(&mut story, "crowned.2", ROOT_2, "crowned", "crowned");
    story.op("list", TRUST, "crowned.2", FIRST.list(0, false, 60, &[5]));
    story.op("deposed", ROOT, "crowned.2", revoke(ROOT_3, None, None));
    cosign(&mut story, "deposed.2", ROOT_2, "deposed", "deposed");
    seal(&mut story, "seal", "deposed.2");
    cosign(&mut story, "thief", ROOT_3, "list", "list");
    cosign(&mut story, "honest", ROOT, "seal list", "list");
    story.op("still", CHIEF, "thief honest seal.2", body(1));
    effects(
        &story,
        &[
            ("thief", E::Stale, "seal"),
            ("honest", E::Cosigns, "list"),
            ("list", E::Short, "crowned"),
            ("deposed", E::Revokes, "genesis"),
        ],
    );
    v.add(
        "applied/stale-cosign",
        "The Cosign of a denial by a root who had been ended within a final seal's past does not count.",
        SEALS,
        &story,
        "
        still applied crowned
        thief denied revoked deposed
    ",
    );
    // Of a person with two titles, the one that needs no quorum.
    let mut story = with_boss();
    story.hire("crowned", ROOT, "hired", CHIEF, Role::Root, A);
    cosign(&mut story, "crowned.2", ROOT_2, "crowned", "crowned");
    story.hire("editor", ROOT, "crowned.2", CHIEF, Role::Editor, A);
    story.op("alone", ROOT_3, "editor", revoke(CHIEF, None, None));
    story.op("still", CHIEF, "alone", title(1));
    effects(&story, &[("alone", E::InPart, "editor")]);
    v.add(
        "applied/in-part",
        "A denial that is short ends what is not of root.",
        QUORUM,
        &story,
        "still applied crowned",
    );
}

/// Alice is revoked by somebody who has not seen two edits of hers, and Bob endorses the first.
fn with_work_given_back() -> Story {
    let mut story = with_boss();
    story.hire("bob", ROOT, "hired", BOB, Role::Editor, A);
    story.op("edit", ALICE, "hired", title(1));
    story.op("more", ALICE, "edit", title(2));
    story.op("revoked", ROOT_2, "bob", revoke(ALICE, None, None));
    endorse(&mut story, "given", BOB, "bob revoked more", "edit");
    story
}

fn endorsements(v: &mut Vectors) {
    let mut story = with_work_given_back();
    story.op("own", BOB, "given", title(3));
    endorse(&mut story, "needless", ROOT_2, "own", "own");
    effects(
        &story,
        &[
            ("given", E::Reinstates, "edit"),
            ("needless", E::ReinstatesNothing, ""),
        ],
    );
    v.add(
        "applied/endorsed",
        "An Endorse reinstates the data ops that it names, and nothing else of their author.",
        ENDORSEMENTS,
        &story,
        "
        edit applied given
        more denied revoked revoked
    ",
    );
    story.op("late", ROOT_3, "bob", revoke(BOB, None, None));
    effects(&story, &[("given", E::Denied, "late")]);
    v.add(
        "denied/endorser-falls",
        "What was reinstated falls with who endorsed it.",
        ENDORSEMENTS,
        &story,
        "
        edit denied revoked revoked
        given denied revoked late
        own applied needless
        more denied revoked revoked
    ",
    );
    let mut story = with_work_given_back();
    seal(&mut story, "seal", "given");
    story.op("late", ROOT_3, "bob", revoke(BOB, None, None));
    v.add(
        "applied/work-given-back",
        "What an Endorse had given back when it was sealed stands, whatever becomes of the endorser.",
        WORKED,
        &story,
        "
        edit applied seal
        more denied revoked revoked
        given applied seal
    ",
    );
}

fn one_title_permits_all(v: &mut Vectors) {
    let mut story = three_roots();
    story.hire("hired", ROOT, "key", ALICE, Role::Editor, AB);
    story.hire("titles", ROOT, "hired", BOB, Role::Editor, A);
    story.hire("bodies", ROOT, "titles", BOB, Role::Editor, B);
    story.op("title", ALICE, "bodies", title(1));
    story.op("body", ALICE, "title", body(1));
    endorse(&mut story, "both", BOB, "body", "title body");
    endorse(&mut story, "one", BOB, "body", "body");
    let first = least(&story, &["titles", "bodies"]);
    v.add(
        "refused/endorse-two-titles",
        "One title has to permit every op that an Endorse names.",
        ENDORSEMENTS,
        &story,
        &format!(
            "
            both refused out_of_scope {first}
            one applied bodies
        "
        ),
    );
}

cases! {
    targets,
    kinds_need_their_features,
    sealed_work_stands,
    stale_denials,
    without_a_seal_theft_has_no_end,
    a_sealed_denial_binds,
    roots_that_were_rotated_out,
    one_root_alone,
    persons_and_keys,
    proposals_do_not_stay_armed,
    endorsements,
    one_title_permits_all,
}
