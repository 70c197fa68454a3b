//! Status lists, issuer keys and granters: the other denials.

use super::*;

fn a_status_bit_kills_the_credential_for_good(v: &mut Vectors) {
    let mut story = Story::new();
    story.op("list", ROOT, "key", FIRST.list(0, false, 60, &[]));
    let credential = FIRST.credential(ALICE, Role::Editor, A, ALWAYS, &[(0, false, 3)]);
    story.hire_with("hired", ROOT, "list", ALICE, credential);
    story.op("seen", ALICE, "hired", title(1));
    story.op("withdrawn", ROOT, "seen", FIRST.list(0, false, 60, &[3]));
    story.op("concurrent", ALICE, "seen", title(2));
    // A later version clears the bit, and the credential is granted again: neither helps.
    story.op("cleared", ROOT, "withdrawn", FIRST.list(0, false, 60, &[]));
    story.grant("again", ROOT, "cleared", ALICE, "hired.vc");
    story.op("after", ALICE, "concurrent again", title(3));
    // Lists of another purpose, another id or by a hand that is not trusted say nothing.
    story.op("purpose", ROOT_2, "hired", FIRST.list(0, true, 60, &[3]));
    story.op("other", ROOT_2, "purpose", FIRST.list(1, false, 60, &[3]));
    story.op("forged", ROOT_2, "other", TWIN.list(0, false, 60, &[3]));
    v.add(
        "denied/status-revoked",
        "A bit once set in a version that counts withdraws the credential for good.",
        CHOICES,
        &story,
        "
        concurrent denied status_revoked withdrawn
        after refused revoked withdrawn
    ",
    );
    story.ops.retain(|op| {
        let id = op.id();
        ["withdrawn", "cleared", "again", "after"]
            .iter()
            .all(|name| story.ids[*name] != id)
    });
    v.add(
        "applied/status-of-another-list",
        "A list of another purpose, another id or an untrusted hand says nothing.",
        PRECISELY,
        &story,
        "concurrent applied hired",
    );
}

fn an_issuer_key_dies_by_its_revocation(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("seen", ALICE, "hired", title(1));
    story.op("distrusted", ROOT, "seen", FIRST.distrusted());
    story.op("concurrent", ALICE, "seen", title(2));
    story.op("after", ALICE, "concurrent distrusted", title(3));
    // What is listed after seeing the revocation counts, for grants that see it.
    story.op(
        "key-again",
        ROOT_2,
        "distrusted",
        FIRST.trusted((0, FAR_MS)),
    );
    story.op("still-lost", ALICE, "concurrent key-again", title(4));
    story.grant("again", ROOT_2, "key-again", ALICE, "hired.vc");
    story.op("follows", ALICE, "concurrent again", title(5));
    v.add(
        "denied/issuer-key-revoked",
        "The revocation of an issuer key denies what the key alone vouched for.",
        PRECISELY,
        &story,
        "
        concurrent denied issuer_key_revoked distrusted
        after refused revoked distrusted
        still-lost refused revoked distrusted
        follows applied again
    ",
    );
    let keys = &trust(&story)["issuer_keys"];
    assert_eq!(keys["active"][0]["op"], json!(story.ids["key-again"]));
    assert_eq!(keys["revoked"][0]["op"], json!(story.ids["key"]));
    assert_eq!(keys["revoked"][0]["denial"], json!(story.ids["distrusted"]));
}

fn every_key_that_vouches_has_to_die(v: &mut Vectors) {
    let mut story = Story::new();
    story.hire("trustee", ROOT, "key", TRUST, Role::IssuerAdmin, 0);
    story.op("copy", TRUST, "trustee", FIRST.trusted((0, FAR_MS)));
    story.hire("hired", ROOT, "copy", ALICE, Role::Editor, A);
    story.op("edit", ALICE, "hired", title(1));
    story.op("revoked", ROOT_2, "trustee", revoke(TRUST, None, None));
    v.add(
        "applied/one-issuer-key-lives",
        "A grant lives while one of the keys that vouch for it lives.",
        PRECISELY,
        &story,
        "edit applied hired\n copy denied revoked revoked",
    );
    let active = &trust(&story)["issuer_keys"]["active"];
    assert_eq!(active[0]["op"], json!(story.ids["key"]));
    assert_eq!(active[1], Json::Null);
    // Root 3 had not seen the copy: its revocation takes both all the same.
    story.op("distrusted", ROOT_3, "key", FIRST.distrusted());
    v.add(
        "denied/issuer-key-revoked-copies",
        "A key revocation takes every key of its name that had not seen it, unseen ones too.",
        PRECISELY,
        &story,
        "
        edit denied issuer_key_revoked distrusted
        copy denied revoked revoked
    ",
    );
}

fn a_key_dies_with_the_op_that_lists_it(v: &mut Vectors) {
    let second = Hand {
        issuer: 1,
        kid: 0,
        key: 1,
    };
    let mut story = Story::new();
    story.hire("trustee", ROOT, "key", TRUST, Role::IssuerAdmin, 0);
    story.op("second", TRUST, "trustee", second.trusted((0, FAR_MS)));
    story.hire_with(
        "hired",
        ROOT,
        "second",
        ALICE,
        second.credential(ALICE, Role::Editor, A, ALWAYS, &[]),
    );
    story.op("edit", ALICE, "hired", title(1));
    check(&story, "");
    story.op("revoked", ROOT_2, "trustee", revoke(TRUST, None, None));
    v.add(
        "denied/issuer-key-of-a-denied-op",
        "An issuer key dies when the op that lists it is denied.",
        CHOICES,
        &story,
        "
        edit denied issuer_key_revoked revoked
        second denied revoked revoked
    ",
    );
    let revoked = &trust(&story)["issuer_keys"]["revoked"][0];
    assert_eq!(revoked["op"], json!(story.ids["second"]));
    assert_eq!(
        (&revoked["reason"], &revoked["denial"]),
        (&json!("revoked"), &json!(story.ids["revoked"]))
    );
    // Who had seen the key before he revoked its lister leaves it as it is.
    let mut story = Story::new();
    story.hire("trustee", ROOT, "key", TRUST, Role::IssuerAdmin, 0);
    story.op("second", TRUST, "trustee", second.trusted((0, FAR_MS)));
    story.hire_with(
        "hired",
        ROOT,
        "second",
        ALICE,
        second.credential(ALICE, Role::Editor, A, ALWAYS, &[]),
    );
    story.op("edit", ALICE, "hired", title(1));
    story.op("revoked", ROOT_2, "second", revoke(TRUST, None, None));
    v.add(
        "applied/issuer-key-of-a-seen-op",
        "Who had seen the key before revoking its lister leaves the key as it is.",
        PRECISELY,
        &story,
        "edit applied hired",
    );
}

fn a_key_that_is_both_revoked_and_denied_names_its_revocation(v: &mut Vectors) {
    let second = Hand {
        issuer: 1,
        kid: 0,
        key: 1,
    };
    let mut story = Story::new();
    story.hire("trustee", ROOT, "key", TRUST, Role::IssuerAdmin, 0);
    story.op("second", TRUST, "trustee", second.trusted((0, FAR_MS)));
    let credential = second.credential(ALICE, Role::Editor, A, ALWAYS, &[]);
    story.hire_with("hired", ROOT, "second", ALICE, credential);
    story.op("edit", ALICE, "hired", title(1));
    story.op("revoked", ROOT_2, "trustee", revoke(TRUST, None, None));
    story.op("distrusted", ROOT_3, "second", second.distrusted());
    v.add(
        "denied/issuer-key-revoked-and-denied",
        "A key that is revoked and whose op is denied dies of its revocation.",
        DENIED,
        &story,
        "
        edit denied issuer_key_revoked distrusted
        second denied revoked revoked
    ",
    );
    let revoked = &trust(&story)["issuer_keys"]["revoked"][0];
    assert_eq!(revoked["reason"], json!("issuer_key_revoked"));
}

fn keys_of_one_name_are_both_listed_and_flagged(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("twin", ROOT_2, "key", TWIN.trusted((0, FAR_MS)));
    let credential = TWIN.credential(BOB, Role::Editor, A, ALWAYS, &[]);
    story.hire_with("bob", ROOT_3, "twin", BOB, credential);
    story.op("edit-bob", BOB, "bob", title(1));
    story.op("edit-alice", ALICE, "hired twin", title(2));
    v.add(
        "applied/issuer-keys-in-conflict",
        "All keys of one issuer and kid are listed; each that verifies vouches.",
        CHOICES,
        &story,
        "edit-bob applied bob",
    );
    let active = &trust(&story)["issuer_keys"]["active"];
    assert_eq!(
        [&active[0]["conflict"], &active[1]["conflict"]],
        [&json!(true); 2]
    );
    story.op("distrusted", ROOT, "hired", FIRST.distrusted());
    v.add(
        "denied/issuer-keys-in-conflict",
        "A key revocation takes all keys of its issuer and kid.",
        CHOICES,
        &story,
        "
        edit-bob denied issuer_key_revoked distrusted
        edit-alice denied issuer_key_revoked distrusted
    ",
    );
}

fn granter_denied(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.op("seen", ALICE, "hired", title(1));
    story.op("revoked", ROOT, "seen", revoke(BOSS, None, None));
    story.op("concurrent", ALICE, "seen", title(2));
    story.op("after", ALICE, "concurrent revoked", title(3));
    // Another who may grants the same again: what follows counts.
    story.grant("again", ROOT, "revoked", ALICE, "hired.vc");
    story.op("follows", ALICE, "concurrent again", title(4));
    v.add(
        "denied/granter-denied",
        "A grant dies with the authority of its maker, also when the denier had seen it.",
        CHOICES,
        &story,
        "
        concurrent denied granter_denied revoked
        after refused revoked revoked
        follows applied again
    ",
    );
}

fn a_chain_of_grants_falls_with_its_first_link(v: &mut Vectors) {
    let mut story = Story::new();
    story.hire("deputy", ROOT, "key", CHIEF, Role::Root, 0);
    story.hire("promoted", CHIEF, "deputy", BOSS, Role::PolicyAdmin, A);
    story.hire("hired", BOSS, "promoted", ALICE, Role::Editor, A);
    story.op("edit", ALICE, "hired", title(1));
    story.op("revoked", ROOT_2, "hired", revoke(ROOT, None, None));
    v.add(
        "denied/granter-denied-chain",
        "A chain of grants falls with its first link.",
        PRECISELY,
        &story,
        "edit denied granter_denied revoked",
    );
}

fn the_first_reason_is_named(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.op("boss-revoked", ROOT_2, "hired", revoke(BOSS, None, None));
    story.op("edit", ALICE, "hired", title(1));
    v.add(
        "denied/first-reason-granter",
        "A granter who is revoked, and nothing else.",
        DENIED,
        &story,
        "edit denied granter_denied boss-revoked",
    );
    story.op("distrusted", ROOT, "hired", FIRST.distrusted());
    v.add(
        "denied/first-reason-issuer-key",
        "A dead issuer key comes before the granter's denial.",
        DENIED,
        &story,
        "
        edit denied issuer_key_revoked distrusted
    ",
    );
    story.op("revoked", ROOT_3, "hired", revoke(ALICE, None, None));
    check(
        &story,
        "
        edit denied revoked revoked
    ",
    );
    story.op("revoked-too", BOSS, "hired", revoke(ALICE, None, None));
    let least = if story.ids["revoked"] < story.ids["revoked-too"] {
        "revoked"
    } else {
        "revoked-too"
    };
    v.add(
        "denied/first-reason-revoked",
        "A revocation comes first, and of two the one with the least op id is named.",
        DENIED,
        &story,
        &format!(
            "
        edit denied revoked {least}
        revoked-too denied revoked boss-revoked
    "
        ),
    );
}

cases! {
    a_status_bit_kills_the_credential_for_good,
    an_issuer_key_dies_by_its_revocation,
    every_key_that_vouches_has_to_die,
    a_key_dies_with_the_op_that_lists_it,
    a_key_that_is_both_revoked_and_denied_names_its_revocation,
    keys_of_one_name_are_both_listed_and_flagged,
    granter_denied,
    a_chain_of_grants_falls_with_its_first_link,
    the_first_reason_is_named,
}
