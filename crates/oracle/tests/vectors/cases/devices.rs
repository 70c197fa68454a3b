//! Devices: several keys for one person.

use ecac_core::EffectCode as E;

use super::effects::effects;
use super::frozen::least;
use super::theft::{LAPTOP, PHONE, body, cosign, link, three_roots, unlink, with_boss};
use super::*;

const TABLET: u8 = 18;

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

fn devices_of_roots(v: &mut Vectors) {
    let mut story = three_roots();
    link(&mut story, "phone", ROOT, "key", (ROOT, PHONE));
    story.op("early", PHONE, "phone", body(1));
    cosign(&mut story, "phone.2", ROOT_2, "phone", "phone");
    story.op("edit", PHONE, "phone.2", body(2));
    unlink(&mut story, "alone", ROOT_3, "edit", (ROOT, PHONE));
    story.op("still", PHONE, "alone", body(3));
    unlink(&mut story, "own", PHONE, "still", (ROOT, PHONE));
    story.op("out", PHONE, "own", body(4));
    effects(
        &story,
        &[
            ("phone", E::Ended, "own"),
            ("alone", E::Short, "genesis"),
            ("own", E::Unlinks, "phone"),
        ],
    );
    v.add(
        "refused/device-of-a-root",
        "A link of a root needs as many roots as a root does, and so does its end, but by the device or the person itself.",
        DEVICES,
        &story,
        "
        out refused revoked own
        early refused no_grant genesis
        edit applied genesis
        still applied genesis
    ",
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
    devices,
    links_that_carry_little,
    devices_of_roots,
    links_have_a_depth,
    devices_freeze_alone,
}
