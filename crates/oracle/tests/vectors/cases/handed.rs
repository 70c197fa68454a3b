//! What is handed on stands or falls: roots that leave, roots that signatures made, keys that a seal keeps, and links
//! that carry little.

use ecac_core::{EffectCode as E, Name};

use super::effects::effects;
use super::theft::{LAPTOP, PHONE, cosign, link, seal, three_roots};
use super::*;

fn a_root_leaves_alone(v: &mut Vectors) {
    let mut story = three_roots();
    story.op("edit", ROOT_3, "key", title(1));
    story.op("leaves", ROOT_3, "edit", revoke(ROOT_3, None, None));
    story.op("back", ROOT_3, "leaves", title(2));
    seal(&mut story, "seal", "leaves");
    effects(
        &story,
        &[("leaves", E::Revokes, "genesis"), ("seal", E::Seals, "")],
    );
    v.add(
        "refused/root-leaves",
        "A root who ends itself needs no second signature, and no seal drops that.",
        QUORUM,
        &story,
        "
        back refused revoked leaves
        edit applied genesis
        leaves applied genesis
    ",
    );
}

fn a_signed_root_stands(v: &mut Vectors) {
    let mut story = three_roots();
    story.hire("crowned", ROOT, "key", CHIEF, Role::Root, A);
    cosign(&mut story, "crowned.2", ROOT_2, "crowned", "crowned");
    story.op("edit", CHIEF, "crowned.2", title(1));
    story.hire("hired", ROOT, "crowned.2", BOB, Role::Editor, A);
    story.op("by-bob", BOB, "hired", title(2));
    story.op("deposed", ROOT_3, "genesis", revoke(ROOT, None, None));
    cosign(
        &mut story,
        "deposed.2",
        ROOT_2,
        "crowned.2 deposed",
        "deposed",
    );
    effects(&story, &[("deposed", E::Revokes, "genesis")]);
    v.add(
        "applied/signed-root",
        "A grant of root that is full does not fall with who proposed it, nor with who listed the key; that of an editor does.",
        QUORUM,
        &story,
        "
        edit applied crowned
        key denied revoked deposed
        crowned.vc denied revoked deposed
        crowned denied revoked deposed
        hired.vc denied revoked deposed
        hired denied revoked deposed
        by-bob denied issuer_key_revoked deposed
    ",
    );
}

fn a_sealed_key_lives(v: &mut Vectors) {
    let [sealed, unsealed] = [1, 2].map(|kid| Hand { kid, ..FIRST });
    let mut story = three_roots();
    story.hire("trusted", ROOT, "key", TRUST, Role::IssuerAdmin, A);
    story.op("listed", TRUST, "trusted", sealed.trusted((0, FAR_MS)));
    seal(&mut story, "seal", "listed");
    story.op("more", TRUST, "seal.2", unsealed.trusted((0, FAR_MS)));
    let by_sealed = sealed.credential(ALICE, Role::Editor, A, ALWAYS, &[]);
    story.hire_with("alice", ROOT_2, "more", ALICE, by_sealed);
    let by_unsealed = unsealed.credential(BOB, Role::Editor, A, ALWAYS, &[]);
    story.hire_with("bob", ROOT_2, "alice", BOB, by_unsealed);
    story.op("edit", ALICE, "bob", title(1));
    story.op("by-bob", BOB, "bob", title(2));
    story.op("late", ROOT_3, "trusted", revoke(TRUST, None, None));
    v.add(
        "applied/sealed-key",
        "An issuer key whose op is sealed lives although who listed it is denied later.",
        CHOICES,
        &story,
        "
        edit applied alice
        listed applied seal
        more denied revoked late
        by-bob denied issuer_key_revoked late
    ",
    );
}

fn a_link_hands_on_no_more_than_it_carries(v: &mut Vectors) {
    let mut story = three_roots();
    story.hire("promoted", ROOT, "key", BOSS, Role::PolicyAdmin, A);
    story.hire("titles", ROOT, "promoted", ALICE, Role::Editor, A);
    story.hire("bodies", ROOT, "titles", ALICE, Role::Editor, B);
    link(&mut story, "phone", BOSS, "bodies", (ALICE, PHONE));
    link(&mut story, "laptop", PHONE, "phone", (ALICE, LAPTOP));
    story.op("title", LAPTOP, "laptop", title(1));
    story.op("body", LAPTOP, "title", set("doc/1", "body", 1));
    effects(
        &story,
        &[
            ("phone", E::Links, "titles"),
            ("laptop", E::Links, "titles"),
        ],
    );
    v.add(
        "refused/link-hands-on",
        "A link that carries little hands on no more than that, also to a device of the same person.",
        DEVICES,
        &story,
        "
        body refused out_of_scope titles
        title applied titles
    ",
    );
}

/// Four roots of whom so many sign together.
fn four_roots(k: u8) -> Story {
    let Payload::Genesis(mut genesis) = world::genesis_payload(0) else {
        panic!("the payload of a genesis");
    };
    genesis.roots.insert(world::person(OUTSIDER).public);
    for (feature, parameters) in [("quorum", vec![k]), ("seal", Vec::new())] {
        let feature = Name::new(feature).expect("a feature has a short name");
        genesis.features.insert(feature, parameters);
    }
    let hlc = Hlc {
        physical_ms: START_MS,
        logical: 0,
        node: 0,
    };
    Story::founded(world::sign(
        ROOT,
        0,
        Vec::new(),
        hlc,
        Payload::Genesis(genesis),
    ))
}

fn half_of_the_roots_seal_nothing(v: &mut Vectors) {
    let mut story = four_roots(2);
    story.op("seal", ROOT, "key", world::seal([0; 32]));
    v.add(
        "refused/seal-of-half",
        "Where a quorum is half of the roots that genesis names there are no seals.",
        FEATURES,
        &story,
        "seal refused unknown_kind",
    );
    let mut story = four_roots(3);
    story.op("seal", ROOT, "key", world::seal([0; 32]));
    cosign(&mut story, "second", ROOT_2, "seal", "seal");
    effects(&story, &[("seal", E::Short, "")]);
    cosign(&mut story, "third", OUTSIDER, "second", "seal");
    effects(&story, &[("seal", E::Seals, "")]);
    v.add(
        "applied/seal-of-more-than-half",
        "Three of four roots are enough for seals, and two of these three signatures are short.",
        FEATURES,
        &story,
        "seal applied genesis",
    );
}

cases! {
    half_of_the_roots_seal_nothing,
    a_root_leaves_alone,
    a_signed_root_stands,
    a_sealed_key_lives,
    a_link_hands_on_no_more_than_it_carries,
}
