//! What survives theft: quorum, seals, endorsements and devices.

use ecac_core::EffectCode as E;

use super::effects::effects;
use super::frozen::least;
use super::*;

pub(super) const PHONE: u8 = 16;
pub(super) const LAPTOP: u8 = 17;
const TABLET: u8 = 18;

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
fn with_boss() -> Story {
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

fn unlink(story: &mut Story, name: &str, author: u8, after: &str, (person, device): (u8, u8)) {
    story.op(name, author, after, world::device_revoke(person, device));
}

fn body(value: i64) -> Payload {
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

fn endorsements(v: &mut Vectors) {
    let mut story = with_boss();
    story.hire("bob", ROOT, "hired", BOB, Role::Editor, A);
    story.op("edit", ALICE, "hired", title(1));
    story.op("more", ALICE, "edit", title(2));
    story.op("revoked", ROOT_2, "bob", revoke(ALICE, None, None));
    endorse(&mut story, "given", BOB, "bob revoked more", "edit");
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
    let mut story = with_boss();
    story.hire("bob", ROOT, "hired", BOB, Role::Editor, A);
    story.op("edit", ALICE, "hired", title(1));
    story.op("more", ALICE, "edit", title(2));
    story.op("revoked", ROOT_2, "bob", revoke(ALICE, None, None));
    endorse(&mut story, "given", BOB, "bob revoked more", "edit");
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

fn devices(v: &mut Vectors) {
    let mut story = with_boss();
    link(&mut story, "phone", ALICE, "hired", (ALICE, PHONE));
    story.op("edit", PHONE, "phone", title(1));
    effects(&story, &[("phone", E::Links, "hired")]);
    v.add(
        "applied/device",
        "A device that the person linked writes under the person's grants.",
        DEVICES,
        &story,
        "edit applied hired",
    );
    link(&mut story, "laptop", PHONE, "edit", (ALICE, LAPTOP));
    story.op("on-laptop", LAPTOP, "laptop", title(2));
    story.op("revoked", ROOT_2, "hired", revoke(ALICE, None, None));
    v.add(
        "denied/devices-of-the-denied",
        "A denial of the person's grant ends the titles of every device.",
        DEVICES,
        &story,
        "
        edit denied revoked revoked
        phone denied revoked revoked
        laptop denied revoked revoked
        on-laptop denied revoked revoked
    ",
    );
    let mut story = with_boss();
    link(&mut story, "phone", ALICE, "hired", (ALICE, PHONE));
    link(&mut story, "laptop", PHONE, "phone", (ALICE, LAPTOP));
    story.op("edit", LAPTOP, "laptop", title(1));
    unlink(&mut story, "unlinked", ALICE, "phone", (ALICE, PHONE));
    unlink(&mut story, "nobody", ALICE, "unlinked", (ALICE, TABLET));
    effects(
        &story,
        &[
            ("unlinked", E::Unlinks, "phone"),
            ("phone", E::Ended, "unlinked"),
            ("laptop", E::Ended, "unlinked"),
            ("nobody", E::NoLink, ""),
        ],
    );
    v.add(
        "denied/link-of-the-unlinked",
        "Who loses a link loses the links made through it.",
        DEVICES,
        &story,
        "
        edit denied revoked unlinked
        laptop denied revoked unlinked
    ",
    );
    let mut story = with_boss();
    link(&mut story, "phone", ALICE, "hired", (ALICE, PHONE));
    link(&mut story, "laptop", ALICE, "phone", (ALICE, LAPTOP));
    story.op("edit", PHONE, "laptop", title(1));
    unlink(&mut story, "lost", LAPTOP, "edit", (ALICE, PHONE));
    story.op("stolen", PHONE, "edit", title(2));
    story.op("on", LAPTOP, "lost stolen", title(3));
    v.add(
        "applied/lost-phone",
        "A device ends another one of its person; what it had seen of it stays.",
        WORKED,
        &story,
        "
        on applied hired
        edit applied hired
        stolen denied revoked lost
    ",
    );
}

fn links_that_carry_little(v: &mut Vectors) {
    let mut story = three_roots();
    story.hire("promoted", ROOT, "key", BOSS, Role::PolicyAdmin, A);
    story.hire("titles", ROOT, "promoted", ALICE, Role::Editor, A);
    story.hire("bodies", ROOT, "titles", ALICE, Role::Editor, B);
    link(&mut story, "phone", BOSS, "bodies", (ALICE, PHONE));
    story.op("title", PHONE, "phone", title(1));
    story.op("body", PHONE, "title", body(1));
    link(&mut story, "empty", BOSS, "phone", (OUTSIDER, LAPTOP));
    unlink(&mut story, "beyond", BOSS, "empty", (ALICE, PHONE));
    effects(
        &story,
        &[
            ("phone", E::Ended, "beyond"),
            ("empty", E::CarriesNothing, ""),
            ("beyond", E::Unlinks, "phone"),
        ],
    );
    v.add(
        "refused/help-desk",
        "A link by somebody else carries what its maker could have granted, and no more.",
        DEVICES,
        &story,
        "
        body refused out_of_scope titles
        title denied revoked beyond
    ",
    );
    let mut story = three_roots();
    story.hire("promoted", ROOT, "key", BOSS, Role::PolicyAdmin, A);
    story.hire("titles", ROOT, "promoted", ALICE, Role::Editor, A);
    link(&mut story, "phone", BOSS, "titles", (ALICE, PHONE));
    story.op("edit", PHONE, "phone", title(1));
    story.op("deposed", ROOT_2, "titles", revoke(BOSS, None, None));
    v.add(
        "denied/help-desk-falls",
        "A link by somebody else falls with its maker.",
        DEVICES,
        &story,
        "
        edit denied granter_denied deposed
        phone denied revoked deposed
    ",
    );
    let mut story = with_boss();
    let elsewhere = world::device_proof(story.ids["key"], ALICE, PHONE);
    let forged = world::device_with(ALICE, PHONE, elsewhere);
    story.op("forged", ALICE, "hired", forged);
    story.op("edit", PHONE, "forged", title(1));
    link(&mut story, "own", ALICE, "forged", (ALICE, ALICE));
    effects(
        &story,
        &[("forged", E::BadProof, ""), ("own", E::OwnKey, "")],
    );
    v.add(
        "refused/forged-proof",
        "A link whose proof is not the device's for the person in this project carries nothing.",
        DEVICES,
        &story,
        "edit refused no_grant hired",
    );
}

fn links_have_a_depth(v: &mut Vectors) {
    let mut story = three_roots();
    story.hire("hired", ROOT, "key", ALICE, Role::Editor, A);
    // The grant lies at depth 1, the first link at 2, and each at one more than the device that makes it.
    let mut last = "hired".to_owned();
    for depth in 2..=64 {
        let maker = match depth {
            2 => ALICE,
            _ if depth % 2 == 1 => PHONE,
            _ => LAPTOP,
        };
        let device = if depth % 2 == 0 { PHONE } else { LAPTOP };
        let name = format!("link-{depth}");
        link(&mut story, &name, maker, &last, (ALICE, device));
        last = name;
    }
    link(&mut story, "beyond", PHONE, &last, (ALICE, TABLET));
    story.op("edit", PHONE, &last, title(1));
    story.op("tablet", TABLET, "beyond", title(2));
    effects(&story, &[("beyond", E::TooDeep, "")]);
    v.add(
        "refused/link-too-deep",
        "Links count as links of delegation, of which there are at most 64.",
        DEVICES,
        &story,
        "
        tablet refused no_grant hired
        edit applied hired
    ",
    );
}

fn devices_freeze_alone(v: &mut Vectors) {
    let mut story = with_boss();
    link(&mut story, "phone", ALICE, "hired", (ALICE, PHONE));
    story.op("left", PHONE, "phone", title(1));
    story.op("right", PHONE, "phone", title(2));
    story.op("both", PHONE, "left right", title(3));
    story.op("person", ALICE, "phone left right", title(4));
    link(&mut story, "again", ALICE, "person", (ALICE, PHONE));
    story.op("thawed", PHONE, "again", title(5));
    let half = least(&story, &["left", "right"]);
    v.add(
        "refused/device-frozen",
        "An equivocation of a device freezes the device, not the person; a link that was made after both halves thaws it.",
        PRECISELY,
        &story,
        &format!(
            "
            both refused frozen {half}
            person applied hired
            thawed applied hired
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
    one_root_alone,
    persons_and_keys,
    proposals_do_not_stay_armed,
    endorsements,
    one_title_permits_all,
    devices,
    links_that_carry_little,
    links_have_a_depth,
    devices_freeze_alone,
}
