//! Effects: what ops of trust and policy do, or that they count for nothing and why.

use ecac_core::EffectCode;
use ecac_core::payload::Grant;

use super::*;

/// The effect of each named op, with the ops that it concerns, and its decision.
#[track_caller]
pub(super) fn effects(story: &Story, expect: &[(&str, EffectCode, &str)]) {
    let (log, costs) = (log_of(story), &mut Costs::default());
    let replay = Replay::of(&log, costs);
    for (name, code, on) in expect {
        let effect = replay.effect(&log, &story.ids[*name], costs);
        let effect = effect.unwrap_or_else(|| panic!("{name} has no effect"));
        let mut want = story.ids(on);
        want.sort_unstable();
        assert_eq!((effect.code, effect.on), (*code, want), "{name}");
    }
}

/// A log of the ops.
pub(super) fn log_of(story: &Story) -> Log {
    let costs = &mut Costs::default();
    let mut log = Log::new(story.ids["genesis"]);
    for op in &story.ops {
        log.ingest(op.clone(), costs);
    }
    log
}

fn lists(v: &mut Vectors) {
    let mut story = Story::new();
    let second = Hand { kid: 1, ..FIRST };
    story.op("list", ROOT, "key", FIRST.list(0, false, 60, &[]));
    let credential = FIRST.credential(ALICE, Role::Editor, A, ALWAYS, &[(0, false, 5)]);
    story.hire_with("hired", ROOT, "list", ALICE, credential);
    story.op("unlisted", ROOT, "hired", second.list(0, false, 60, &[5]));
    let twin = Hand { key: 1, ..FIRST };
    story.op("forged", ROOT, "unlisted", twin.list(0, false, 60, &[5]));
    story.op(
        "outside",
        ROOT,
        "forged",
        FIRST.list(0, false, FAR_MS, &[5]),
    );
    let purposes = json!(["revocation", "suspension"]);
    let array = FIRST.edited(
        FIRST.list(0, false, 60, &[5]),
        &[("/credentialSubject/statusPurpose", purposes)],
    );
    story.op("array", ROOT, "outside", array);
    let subject = json!([{ "type": "BitstringStatusList" }, { "type": "BitstringStatusList" }]);
    let several = FIRST.edited(
        FIRST.list(0, false, 60, &[5]),
        &[("/credentialSubject", subject)],
    );
    story.op("several", ROOT, "array", several);
    let elsewhere = FIRST.edited(
        FIRST.list(0, false, 60, &[5]),
        &[("/aud", json!("https://elsewhere.example"))],
    );
    story.op("elsewhere", ROOT, "several", elsewhere);
    story.op("other", ROOT, "elsewhere", FIRST.list(1, false, 60, &[5]));
    story.op("edit", ALICE, "other", title(1));
    effects(
        &story,
        &[
            ("list", EffectCode::WithdrawsNothing, ""),
            ("unlisted", EffectCode::UnlistedKey, ""),
            ("forged", EffectCode::BadSignature, "key"),
            ("outside", EffectCode::OutsideWindow, "key"),
            ("array", EffectCode::Unreadable, ""),
            ("several", EffectCode::Unreadable, ""),
            ("elsewhere", EffectCode::OtherProject, ""),
            ("other", EffectCode::WithdrawsNothing, ""),
        ],
    );
    v.add(
        "applied/void-lists",
        "A status list by an unlisted key, out of its window, with an array of purposes or several subjects, or for another project, withdraws nothing.",
        EFFECTS,
        &story,
        "edit applied hired",
    );
    story.op("distrusted", ROOT_2, "other", FIRST.distrusted());
    story.op("dead", ROOT_2, "distrusted", FIRST.list(0, false, 60, &[5]));
    story.op("withdrawn", ROOT_3, "other", FIRST.list(0, false, 60, &[5]));
    effects(
        &story,
        &[
            ("distrusted", EffectCode::RevokesKey, "key"),
            ("dead", EffectCode::DeadKey, "key"),
            ("withdrawn", EffectCode::Withdraws, "hired"),
            ("hired", EffectCode::Ended, "withdrawn"),
            ("key", EffectCode::Ended, "distrusted"),
        ],
    );
    v.add(
        "denied/effects-of-denials",
        "What a denial reaches is its effect, and what it has ended says so.",
        EFFECTS,
        &story,
        "edit denied status_revoked withdrawn",
    );
}

fn revocations(v: &mut Vectors) {
    let mut story = Story::with_boss();
    story.op("nobody", ROOT, "hired", revoke(BOB, None, None));
    let reader = revoke(ALICE, Some(Role::Reader), None);
    story.op("reader", ROOT, "hired", reader);
    story.op("tag", ROOT, "reader", revoke(ALICE, None, Some(B)));
    story.op("beyond", BOSS, "hired", revoke(ROOT_2, None, None));
    story.op(
        "unlisted",
        ROOT,
        "tag",
        Hand { kid: 1, ..FIRST }.distrusted(),
    );
    story.grant("late", ROOT_2, "nobody", BOB, "hired.vc");
    story.op("edit", ALICE, "nobody tag beyond unlisted", title(1));
    effects(
        &story,
        &[
            ("nobody", EffectCode::NoGrant, ""),
            ("reader", EffectCode::NotMatched, "hired"),
            ("tag", EffectCode::NotMatched, "hired"),
            ("beyond", EffectCode::OutOfReach, "genesis"),
            ("unlisted", EffectCode::UnlistedKey, ""),
            ("late", EffectCode::OtherSubject, "hired.vc"),
        ],
    );
    v.add(
        "applied/void-revocations",
        "A revocation of nobody, of another role or scope, or beyond one's reach takes nothing away.",
        EFFECTS,
        &story,
        "edit applied hired",
    );
    story.op("revoked", ROOT, "unlisted", revoke(ALICE, None, None));
    story.op("boss", ROOT_2, "hired", revoke(BOSS, None, None));
    effects(
        &story,
        &[
            ("revoked", EffectCode::Revokes, "hired"),
            ("boss", EffectCode::Revokes, "promoted"),
            ("hired", EffectCode::Ended, "revoked"),
            ("promoted", EffectCode::Ended, "boss"),
            ("hired.vc", EffectCode::Carries, ""),
        ],
    );
}

fn grants(v: &mut Vectors) {
    let mut story = Story::new();
    let jwt = Payload::Credential(ecac_core::payload::Credential {
        jwt: "x.y.z".to_owned(),
    });
    story.hire_with("unreadable", ROOT, "key", ALICE, jwt);
    let elsewhere = FIRST.edited(
        FIRST.credential(ALICE, Role::Editor, A, ALWAYS, &[]),
        &[("/aud", json!(["https://elsewhere.example", "x"]))],
    );
    story.hire_with("elsewhere", ROOT, "unreadable", ALICE, elsewhere);
    let no_credential = Payload::Grant(Grant {
        subject: world::person(ALICE).public,
        credential: story.ids["key"],
    });
    story.op("no-credential", ROOT, "elsewhere", no_credential);
    let token = FIRST.edited(
        FIRST.credential(ALICE, Role::Editor, A, ALWAYS, &[]),
        &[(
            "/status",
            json!({ "status_list": { "idx": 0, "uri": "https://x.example" } }),
        )],
    );
    story.hire_with("token-status", ROOT, "no-credential", ALICE, token);
    let listed = FIRST.credential(ALICE, Role::Editor, A, ALWAYS, &[(0, false, 5)]);
    story.hire_with("no-list", ROOT, "token-status", ALICE, listed);
    story.op("edit", ALICE, "no-list", title(1));
    effects(
        &story,
        &[
            ("unreadable.vc", EffectCode::Unreadable, ""),
            ("unreadable", EffectCode::Unreadable, "unreadable.vc"),
            ("elsewhere.vc", EffectCode::OtherProject, ""),
            ("elsewhere", EffectCode::OtherProject, "elsewhere.vc"),
            ("no-credential", EffectCode::NoCredential, ""),
            ("token-status.vc", EffectCode::Unreadable, ""),
            ("token-status", EffectCode::Unreadable, "token-status.vc"),
            ("no-list", EffectCode::StatusUnknown, "no-list.vc"),
        ],
    );
    v.add(
        "refused/void-grants",
        "A grant of a credential that cannot be read, is for another project or could have been withdrawn gives nothing.",
        EFFECTS,
        &story,
        "edit refused status_unknown no-list",
    );
}

fn a_credential_for_this_project(v: &mut Vectors) {
    let mut story = Story::new();
    let project = story.ids["genesis"].to_string();
    let credential = |subject, aud: Json| {
        let credential = FIRST.credential(subject, Role::Editor, A, ALWAYS, &[]);
        FIRST.edited(credential, &[("/aud", aud)])
    };
    let one = credential(ALICE, json!(project));
    story.hire_with("one", ROOT, "key", ALICE, one);
    let several = credential(BOB, json!(["https://elsewhere.example", project]));
    story.hire_with("several", ROOT, "one", BOB, several);
    let upper = credential(CHIEF, json!(project.to_uppercase()));
    story.hire_with("upper", ROOT, "several", CHIEF, upper);
    let number = credential(TRUST, json!(7));
    story.hire_with("number", ROOT, "upper", TRUST, number);
    story.op("by-alice", ALICE, "number", title(1));
    story.op("by-bob", BOB, "number", title(2));
    story.op("by-chief", CHIEF, "number", title(3));
    story.op("by-trust", TRUST, "number", title(4));
    v.add(
        "applied/audience",
        "A credential with an `aud` names this project by its id in lower-case hexadecimal.",
        "docs/protocol.md#credentials",
        &story,
        "
        by-alice applied one
        by-bob applied several
        by-chief refused bad_credential upper
        by-trust refused bad_credential number
    ",
    );
}

fn issuer_key_windows_bind_the_grant(v: &mut Vectors) {
    let mut story = Story::new();
    let second = Hand {
        kid: 1,
        key: 1,
        ..FIRST
    };
    story.op("window", ROOT, "key", second.trusted((60, START_MS + 1000)));
    let credential = |subject| second.credential(subject, Role::Editor, A, ALWAYS, &[]);
    story.op("alice.vc", ROOT, "window", credential(ALICE));
    let grant = |subject, story: &Story, carrier: &str| {
        Payload::Grant(Grant {
            subject: world::person(subject).public,
            credential: story.ids[carrier],
        })
    };
    let last = grant(ALICE, &story, "alice.vc");
    story.op_at("last", ROOT, "alice.vc", START_MS + 999, last);
    story.op("bob.vc", ROOT, "last", credential(BOB));
    let late = grant(BOB, &story, "bob.vc");
    story.op_at("late", ROOT, "bob.vc", START_MS + 1000, late);
    story.op_at("by-alice", ALICE, "late", FAR_MS / 2, title(1));
    story.op("by-bob", BOB, "late", title(2));
    effects(
        &story,
        &[
            ("last", EffectCode::Grants, ""),
            ("late", EffectCode::OutsideWindow, "window"),
        ],
    );
    v.add(
        "refused/untrusted-issuer-late-grant",
        "The window of an issuer key holds the stamp of the grant, too; ops under a grant that was made in time go on.",
        PRECISELY,
        &story,
        "
        by-bob refused untrusted_issuer late
        by-alice applied last
    ",
    );
}

fn keys_and_features(v: &mut Vectors) {
    let mut story = Story::using(&[("schema", b"")]);
    story.op("twin", ROOT_2, "key", TWIN.trusted((0, FAR_MS)));
    story.op("again", ROOT, "twin", world::upgrade("schema", b""));
    story.op("bad", ROOT, "again", world::upgrade("schema", b"\0"));
    story.op("tomorrow", ROOT, "bad", world::upgrade("tomorrow", b""));
    story.op(
        "known",
        ROOT,
        "tomorrow",
        world::schema(&[("doc/*", "title", A)]),
    );
    story.op("new", ROOT, "known", world::schema(&[("other", "*", A)]));
    effects(
        &story,
        &[
            ("genesis", EffectCode::Founds, ""),
            ("key", EffectCode::Conflicts, "twin"),
            ("twin", EffectCode::Conflicts, "key"),
            ("again", EffectCode::InForce, ""),
            ("bad", EffectCode::BadParameters, ""),
            ("tomorrow", EffectCode::UnknownFeature, ""),
            ("known", EffectCode::InForce, ""),
            ("new", EffectCode::AddsRules, ""),
        ],
    );
    v.add(
        "applied/effects-of-features",
        "What was in force already counts for nothing; of a feature that nobody here knows nobody can say.",
        EFFECTS,
        &story,
        "new applied genesis",
    );
    story.op("upgraded", ROOT_3, "key", world::upgrade("schema", b""));
    effects(&story, &[("upgraded", EffectCode::InForce, "")]);
    let mut story = Story::new();
    story.op("upgraded", ROOT_3, "key", world::upgrade("schema", b""));
    effects(
        &story,
        &[
            ("upgraded", EffectCode::Upgrades, ""),
            ("key", EffectCode::Lists, ""),
        ],
    );
}

fn delegation_has_64_links(v: &mut Vectors) {
    let mut story = Story::new();
    let mut last = "key".to_owned();
    // Two administrators grant each other root, one link deeper each time.
    for depth in 1..=64_u32 {
        let (by, to) = match (depth, depth % 2) {
            (1, _) => (ROOT, BOSS),
            (_, 0) => (BOSS, CHIEF),
            _ => (CHIEF, BOSS),
        };
        let name = format!("link-{depth:02}");
        story.hire(&name, by, &last, to, Role::Root, A);
        last = name;
    }
    // Boss has grants up to link 63, Chief has link 64.
    story.hire("last", BOSS, "link-64", BOB, Role::Editor, A);
    story.hire("deeper", CHIEF, "last", ALICE, Role::Editor, A);
    story.op("by-bob", BOB, "deeper", title(1));
    story.op("by-alice", ALICE, "deeper", title(2));
    effects(
        &story,
        &[
            ("last", EffectCode::Grants, ""),
            ("deeper", EffectCode::TooDeep, ""),
        ],
    );
    v.add(
        "refused/no-grant-too-deep",
        "A chain of delegation has at most 64 links; what lies deeper is no grant.",
        CHOICES,
        &story,
        "
        by-alice refused no_grant deeper
        by-bob applied last
    ",
    );
}

cases! {
    lists,
    revocations,
    grants,
    a_credential_for_this_project,
    issuer_key_windows_bind_the_grant,
    keys_and_features,
    delegation_has_64_links,
}
