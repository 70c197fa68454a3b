//! Refused: one history for each reason.

use ecac_core::payload;

use super::*;

#[test]
fn bytes_that_are_no_op_leave_no_trace() {
    let mut story = Story::with_alice();
    story.op("edit", ALICE, "hired", title(1));
    let edit = story.ops.pop().unwrap();
    let mut log = Log::new(story.ids["genesis"]);
    let costs = &mut Costs::default();
    for op in &story.ops {
        log.receive(op.envelope(), costs).unwrap();
    }
    let check = |log: &mut Log, bytes: &[u8], reason: Refusal, claimed: Option<OpId>| {
        let rejected = log.receive(bytes, &mut Costs::default()).unwrap_err();
        assert_eq!((rejected.reason, rejected.claimed), (reason, claimed));
        assert!(!log.holds(&edit.id()));
    };
    let bytes = edit.envelope();
    check(&mut log, &bytes[1..], Refusal::NonCanonical, None);
    check(
        &mut log,
        &[bytes, &[0]].concat(),
        Refusal::NonCanonical,
        None,
    );
    let mut forged = bytes.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    check(&mut log, &forged, Refusal::BadSignature, Some(edit.id()));
    log.receive(bytes, costs).unwrap();
    assert!(
        Replay::of(&log, costs)
            .decision(&log, &edit.id())
            .unwrap()
            .verdict()
            == "applied"
    );
}

fn foreign_project(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.push("elsewhere", world::genesis(1));
    story.op("foreign", ROOT, "elsewhere", title(1));
    story.op("far", ROOT, "foreign", title(2));
    story.op("both", ROOT, "far hired", title(3));
    v.add(
        "refused/foreign-project",
        "Another project's genesis is foreign, and so is an op all of whose parents are.",
        REFUSED,
        &story,
        "
        elsewhere refused foreign_project
        foreign refused foreign_project
        far refused foreign_project
        both refused refused_parent far
    ",
    );
}

fn bad_sequence(v: &mut Vectors) {
    let mut story = Story::with_alice();
    let hlc = Hlc {
        physical_ms: FAR_MS / 2,
        logical: 0,
        node: 0,
    };
    story.raw("one", ALICE, "hired", 1, hlc, title(1));
    story.op("edit", ALICE, "hired", title(1));
    story.raw("gap", ALICE, "edit", 2, hlc, title(2));
    story.raw("again", ALICE, "edit", 0, hlc, title(3));
    // The first reason holds: this op's clock is wrong too.
    story.raw(
        "stale",
        ALICE,
        "edit",
        7,
        story.stamp_after("edit"),
        title(3),
    );
    v.add(
        "refused/bad-sequence",
        "An op carries the number that is due after its past, whatever else is wrong with it.",
        SEQUENCE,
        &story,
        "
        one refused bad_sequence
        gap refused bad_sequence
        again refused bad_sequence
        stale refused bad_sequence
    ",
    );
}

fn hlc_not_monotonic(v: &mut Vectors) {
    let mut story = Story::with_alice();
    let last = story.stamp_after("hired");
    story.raw("same", ALICE, "hired", 0, last, title(1));
    story.raw(
        "before",
        ALICE,
        "hired",
        0,
        Hlc {
            physical_ms: last.physical_ms - 1,
            ..last
        },
        title(2),
    );
    story.raw(
        "node",
        BOB,
        "hired",
        0,
        Hlc {
            node: last.node + 1,
            ..last
        },
        title(3),
    );
    // Greater than one parent, not than the other.
    story.raw("between", ALICE, "key hired", 0, last, title(4));
    // The stamp of a refused parent counts, and comes before the refusal of the parent.
    story.op("refused", BOB, "hired", title(5));
    story.raw(
        "behind",
        ALICE,
        "hired refused",
        0,
        Hlc { logical: 1, ..last },
        title(6),
    );
    v.add(
        "refused/hlc-not-monotonic",
        "A stamp is greater than that of each parent, refused parents included.",
        STAMPS,
        &story,
        "
        same refused hlc_not_monotonic
        before refused hlc_not_monotonic
        node refused no_grant
        between refused hlc_not_monotonic
        refused refused no_grant
        behind refused hlc_not_monotonic
    ",
    );
}

fn refused_parent(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("refused", BOB, "hired", title(1));
    story.op("child", ALICE, "hired refused", title(2));
    story.op("grandchild", ROOT, "child", title(3));
    let hlc = Hlc {
        physical_ms: FAR_MS / 2,
        logical: 0,
        node: 0,
    };
    story.raw("numbered", ALICE, "refused", 9, hlc, title(4));
    v.add(
        "refused/refused-parent",
        "What builds on a refused op is refused; its number is not judged.",
        SEQUENCE,
        &story,
        "
        child refused refused_parent refused
        refused refused no_grant
        grandchild refused refused_parent child
        numbered refused refused_parent refused
    ",
    );
}

fn no_grant(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.op("outside", OUTSIDER, "hired", title(1));
    story.op("early", ALICE, "hired.vc", title(2));
    v.add(
        "refused/no-grant",
        "No grant in the past names the author.",
        REFUSED,
        &story,
        "
        outside refused no_grant
        early refused no_grant
    ",
    );
}

fn bad_credential(v: &mut Vectors) {
    let mut story = Story::with_alice();
    story.hire_with(
        "garbage",
        ROOT,
        "hired",
        BOB,
        Payload::Credential(payload::Credential {
            jwt: "a.b.c".into(),
        }),
    );
    story.op("by-garbage", BOB, "garbage", title(1));
    story.grant("other", ROOT_2, "hired", BOB, "hired.vc");
    story.op("by-other", BOB, "other", title(2));
    story.grant("none", ROOT_2, "other", OUTSIDER, "key");
    story.op("by-none", OUTSIDER, "none", title(3));
    story.op(
        "bob.vc",
        ROOT_3,
        "hired",
        FIRST.credential(BOB, Role::Editor, A, ALWAYS, &[]),
    );
    // The credential is in the log, and in the past of the edit, but not in that of the grant.
    story.grant("unseen", ROOT_2, "none", BOB, "bob.vc");
    story.op("by-unseen", BOB, "unseen bob.vc", title(4));
    story.grant("seen", ROOT_2, "unseen bob.vc", BOB, "bob.vc");
    story.op("by-seen", BOB, "seen", title(5));
    let least = if story.ids["other"] < story.ids["unseen"] {
        "other"
    } else {
        "unseen"
    };
    v.add(
        "refused/bad-credential",
        "The credential is in the grant's past, can be read, and names the grant's subject.",
        PRECISELY,
        &story,
        &format!(
            "
        by-garbage refused bad_credential garbage
        by-other refused bad_credential other
        by-none refused bad_credential none
        by-unseen refused bad_credential {least}
    "
        ),
    );
}

fn untrusted_issuer(v: &mut Vectors) {
    let mut story = Story::new();
    let mut hire = |name: &str, after: &str, hand: Hand, from_ms: u64| {
        let subject = BOB + u8::try_from(story.ops.len()).expect("few ops") % 8;
        let credential = hand.credential(subject, Role::Editor, A, (from_ms, FAR_MS), &[]);
        story.hire_with(name, ROOT, after, subject, credential);
        story.op(&format!("by-{name}"), subject, name, title(1));
    };
    hire("issuer", "key", Hand { issuer: 1, ..FIRST }, 60);
    hire("kid", "issuer", Hand { kid: 1, ..FIRST }, 60);
    hire("bytes", "kid", TWIN, 60);
    story.op(
        "early",
        ROOT,
        "bytes",
        Hand { kid: 1, ..FIRST }.trusted((100, START_MS + 5000)),
    );
    let mut hire = |name: &str, after: &str, from_ms: u64| {
        let subject = 16 + u8::try_from(story.ops.len()).expect("few ops") % 8;
        let hand = Hand { kid: 1, ..FIRST };
        let credential = hand.credential(subject, Role::Editor, A, (from_ms, FAR_MS), &[]);
        story.hire_with(name, ROOT, after, subject, credential);
        story.op(&format!("by-{name}"), subject, name, title(1));
    };
    hire("before-window", "early", 99);
    hire("first", "before-window", 100);
    hire("last", "first", START_MS + 4999);
    hire("after-window", "last", START_MS + 5000);
    story.op("distrusted", ROOT, "after-window", FIRST.distrusted());
    story.hire("too-late", ROOT, "distrusted", ALICE, Role::Editor, A);
    story.op("by-too-late", ALICE, "too-late", title(1));
    v.add(
        "refused/untrusted-issuer",
        "A live key of issuer and kid verifies the JWT, and its window holds validFrom.",
        PRECISELY,
        &story,
        "
        by-issuer refused untrusted_issuer issuer
        by-kid refused untrusted_issuer kid
        by-bytes refused untrusted_issuer bytes
        by-before-window refused untrusted_issuer before-window
        by-last refused not_yet_valid last
        by-after-window refused untrusted_issuer after-window
        by-too-late refused untrusted_issuer too-late
    ",
    );
}

fn a_key_that_the_grant_had_not_seen_vouches_for_nothing(v: &mut Vectors) {
    let mut story = Story::new();
    let second = Hand {
        issuer: 1,
        kid: 0,
        key: 1,
    };
    story.op("second", ROOT_2, "key", second.trusted((0, FAR_MS)));
    let credential = second.credential(ALICE, Role::Editor, A, ALWAYS, &[]);
    story.hire_with("hired", ROOT, "key", ALICE, credential);
    story.op("edit", ALICE, "hired second", title(1));
    v.add(
        "refused/untrusted-issuer-unseen-key",
        "An issuer key counts for a grant only if it is in the grant's past.",
        CHOICES,
        &story,
        "edit refused untrusted_issuer hired",
    );
}

fn status_unknown(v: &mut Vectors) {
    let mut story = Story::new();
    story.op("list", ROOT, "key", FIRST.list(0, false, 60, &[5]));
    story.op("rogue", ROOT, "list", TWIN.list(1, false, 60, &[]));
    let mut last = "rogue".to_owned();
    let mut hire = |name: &str, subject: u8, status: &[(u8, bool, u64)]| {
        let credential = FIRST.credential(subject, Role::Editor, A, ALWAYS, status);
        story.hire_with(name, ROOT, &last, subject, credential);
        story.op(&format!("by-{name}"), subject, name, title(1));
        last = name.to_owned();
    };
    hire("known", 7, &[(0, false, 7)]);
    hire("missing", 8, &[(2, false, 7)]);
    hire("purpose", 9, &[(0, true, 7)]);
    hire("beyond", 10, &[(0, false, 131_072)]);
    hire("end", 11, &[(0, false, 131_071)]);
    hire("forged", 12, &[(1, false, 7)]);
    hire("one-of-two", 13, &[(0, false, 7), (2, false, 7)]);
    // The bit was set before.
    hire("set", 14, &[(0, false, 5)]);
    v.add(
        "refused/status-unknown",
        "Of each list that the credential names a long enough version is in the grant's past.",
        PRECISELY,
        &story,
        "
        by-missing refused status_unknown missing
        by-purpose refused status_unknown purpose
        by-beyond refused status_unknown beyond
        by-forged refused status_unknown forged
        by-one-of-two refused status_unknown one-of-two
        by-set refused revoked list
    ",
    );
}

fn out_of_scope(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.op("other-tag", ALICE, "hired", set("doc/1", "body", 1));
    story.op("no-tag", ALICE, "hired", set("vault", "code", 1));
    story.op("one-of-two-tags", ALICE, "hired", set("doc/2", "title", 1));
    story.op("root", ROOT_2, "hired", set("vault", "code", 1));
    story.hire("too-wide", BOSS, "hired", BOB, Role::Editor, 0b101);
    story.op(
        "other-scope",
        BOSS,
        "too-wide.vc",
        revoke(BOB, None, Some(0b100)),
    );
    v.add(
        "refused/out-of-scope",
        "The scope of a grant lies as the table of roles demands.",
        ROLES,
        &story,
        "
        other-tag refused out_of_scope hired
        no-tag refused out_of_scope hired
        too-wide refused out_of_scope promoted
        other-scope refused out_of_scope promoted
    ",
    );
}

fn action_not_permitted(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.hire("trustee", ROOT_2, "hired", TRUST, Role::IssuerAdmin, A);
    story.hire("reader", ROOT_3, "trustee", BOB, Role::Reader, A);
    let all = "trustee reader hired";
    story.op("reader-edits", BOB, all, title(1));
    story.op("editor-revokes", ALICE, all, revoke(BOB, None, None));
    story.op("editor-trusts", ALICE, all, TWIN.trusted((0, FAR_MS)));
    story.op(
        "editor-presents",
        ALICE,
        all,
        Payload::Credential(payload::Credential { jwt: "x".into() }),
    );
    story.op("boss-edits", BOSS, all, title(1));
    story.op("boss-trusts", BOSS, all, FIRST.distrusted());
    story.op(
        "boss-strips",
        BOSS,
        all,
        revoke(TRUST, Some(Role::IssuerAdmin), None),
    );
    story.op("trustee-edits", TRUST, all, title(1));
    story.op("trustee-revokes", TRUST, all, revoke(BOB, None, None));
    story.grant("trustee-grants", TRUST, all, BOB, "reader.vc");
    story.op(
        "chief.vc",
        ROOT,
        all,
        FIRST.credential(CHIEF, Role::PolicyAdmin, A, ALWAYS, &[]),
    );
    story.grant(
        "boss-promotes",
        BOSS,
        &format!("{all} chief.vc"),
        CHIEF,
        "chief.vc",
    );
    v.add(
        "refused/action-not-permitted",
        "The role of a grant permits the action.",
        ROLES,
        &story,
        "
        reader-edits refused action_not_permitted reader
        editor-revokes refused action_not_permitted hired
        editor-trusts refused action_not_permitted hired
        editor-presents refused action_not_permitted hired
        boss-edits refused action_not_permitted promoted
        boss-trusts refused action_not_permitted promoted
        boss-strips refused action_not_permitted promoted
        trustee-edits refused action_not_permitted trustee
        trustee-revokes refused action_not_permitted trustee
        trustee-grants refused action_not_permitted trustee
        boss-promotes refused action_not_permitted promoted
    ",
    );
}

fn not_yet_valid_and_expired(v: &mut Vectors) {
    let mut story = Story::new();
    let (from_ms, until_ms) = (START_MS + 1000, START_MS + 2000);
    let credential = FIRST.credential(ALICE, Role::Editor, A, (from_ms, until_ms), &[]);
    story.hire_with("hired", ROOT, "key", ALICE, credential);
    story.op_at("early", ALICE, "hired", from_ms - 1, title(1));
    story.op_at("first", ALICE, "hired", from_ms, title(2));
    story.op_at("last", ALICE, "first", until_ms - 1, title(3));
    story.op_at("late", ALICE, "last", until_ms, title(4));
    v.add(
        "refused/not-yet-valid",
        "An op's physical time lies at or after the start of the credential's validity.",
        REFUSED,
        &story,
        "
        early refused not_yet_valid hired
        late refused expired hired
    ",
    );
    v.add(
        "refused/expired",
        "An op's physical time lies before the end of the credential's validity.",
        REFUSED,
        &story,
        "
        late refused expired hired
        early refused not_yet_valid hired
    ",
    );
}

fn the_reason_is_the_condition_at_which_the_last_candidate_falls(v: &mut Vectors) {
    let mut story = Story::new();
    let over = FIRST.credential(ALICE, Role::Editor, A, (60, START_MS), &[]);
    story.hire_with("over", ROOT, "key", ALICE, over);
    story.hire("elsewhere", ROOT, "over", ALICE, Role::Editor, B);
    story.hire("reading", ROOT, "elsewhere", ALICE, Role::Reader, A);
    story.op("edit", ALICE, "reading", title(1));
    v.add(
        "refused/expired-of-three-grants",
        "The reason is the condition at which the last candidate falls.",
        PRECISELY,
        &story,
        "edit refused expired over",
    );

    story.hire("current", ROOT, "reading", ALICE, Role::Editor, A);
    story.op("applied", ALICE, "current", title(1));
    story.op("revoked", ROOT, "current", revoke(ALICE, None, None));
    story.op("too-late", ALICE, "revoked", title(1));
    v.add(
        "refused/revoked",
        "A denial in the past kills the one grant that is left.",
        REFUSED,
        &story,
        "
        too-late refused revoked revoked
        applied denied revoked revoked
        edit refused expired over
    ",
    );
}

cases! {
    foreign_project,
    bad_sequence,
    hlc_not_monotonic,
    refused_parent,
    no_grant,
    bad_credential,
    untrusted_issuer,
    a_key_that_the_grant_had_not_seen_vouches_for_nothing,
    status_unknown,
    out_of_scope,
    action_not_permitted,
    not_yet_valid_and_expired,
    the_reason_is_the_condition_at_which_the_last_candidate_falls,
}
