//! Living with what survives theft: what waits for signatures, what was taken back, how much is sealed; each held to the
//! decisions.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::payload;
use ecac_core::{
    Confidential, Costs, Decision, EffectCode, Feature, Kem, OpId, Payload, Place, Replica, Sealed,
    explain,
};

use crate::devices::{device, device_revoke};
use crate::office::{ALICE, BOB, ROOT, genesis, hire, join, tags, write};
use crate::project::{FAR_MS, ISSUER_KEY, KID, author, edit, issuer_key, key, name, revoke};
use crate::quorum::cosign;

const BEN: u32 = 1;
const CAT: u32 = 2;
const PHONE: u32 = 40;

/// Three roots of whom two sign together, and an editor.
fn shop() -> Replica {
    let mut founded = genesis();
    founded.roots = [ROOT, BEN, CAT].map(author).into();
    let plain = ["seal", "endorse", "device", "schema"].map(|it| (name(it), Vec::new()));
    founded.features = plain.into();
    founded.features.insert(name("quorum"), vec![2]);
    let mut shop = Replica::create(founded, &key(ROOT), 1).expect("a genesis");
    write(&mut shop, ROOT, issuer_key(KID, ISSUER_KEY, FAR_MS), 2);
    hire(&mut shop, ALICE, Role::Editor, 10);
    shop
}

fn schema(tag: &str) -> Payload {
    let rule = ecac_core::SchemaRule {
        object: name("x"),
        field: name("*"),
        tags: [name(tag)].into(),
    };
    let rules = [rule].into();
    Payload::Schema(payload::Schema { rules })
}

fn waiting(shop: &Replica) -> BTreeSet<OpId> {
    shop.proposals().iter().map(|it| it.op).collect()
}

/// The ops that the effects say do nothing, or do it in part, because too few roots have signed.
fn short(shop: &Replica) -> BTreeSet<OpId> {
    let ids = shop.log().ids_since(0);
    let is_short = |id: &OpId| {
        let code = shop.effect(id).map(|it| it.code);
        matches!(code, Some(EffectCode::Short | EffectCode::InPart))
    };
    ids.filter(is_short).collect()
}

#[test]
fn what_waits_for_signatures_does_with_them_what_was_foreseen() {
    let mut shop = shop();
    let mut thief = join(&shop);
    assert!(waiting(&shop).is_empty());
    let deposed = write(&mut shop, ROOT, revoke(CAT), 20).op;
    let rule = write(&mut shop, ROOT, schema("new"), 21).op;
    let root = hire(&mut shop, BOB, Role::Root, 22);
    let linked = device(shop.project(), BEN, PHONE);
    let phone = write(&mut shop, BEN, linked, 23).op;
    let seal = shop.seal(&key(ROOT), 24).unwrap().op;
    assert_eq!(waiting(&shop), [deposed, rule, root, phone, seal].into());
    assert_eq!(waiting(&shop), short(&shop));

    // What the third root did without knowing of its end is what the end takes back.
    let spite = write(&mut thief, CAT, edit("status", 7), 25);
    shop.receive(&[&spite.envelope]);
    let foreseen = shop.if_cosigned(&deposed, 30).unwrap().unwrap();
    assert_eq!(foreseen.effect.code, EffectCode::Revokes);
    assert_eq!(foreseen.rolled_back, [spite.op]);
    // An end of oneself needs nobody else, but a signature under it is one.
    assert!(foreseen.signers == [author(BEN)] || foreseen.signers == [author(CAT)]);
    let before = (shop.heads(), shop.costs());
    for op in [deposed, rule, root, phone, seal] {
        let foreseen = shop.if_cosigned(&op, 30).unwrap().unwrap();
        let by = if op == phone { ROOT } else { BEN };
        let preview = shop.preview(cosign(op), author(by), 30).unwrap();
        let done = write(&mut shop, by, cosign(op), 30);
        assert_eq!((preview.op, preview.effect), (done.op, done.effect));
        assert_eq!(preview.received, done.received);
        assert_eq!(Some(foreseen.effect), shop.effect(&op));
        let lost: Vec<OpId> = done.received.rolled_back().collect();
        assert_eq!(foreseen.rolled_back, lost);
        let given: Vec<OpId> = done.received.reinstated().collect();
        assert_eq!(foreseen.reinstated, given);
        // The seal has the revocation in its past without its second signature: it drops it.
        assert_eq!(given.is_empty(), op != seal);
        assert!(!waiting(&shop).contains(&op));
        assert!(
            shop.if_cosigned(&op, 30)
                .unwrap()
                .is_some_and(|it| it.signers.is_empty())
        );
    }
    assert_ne!(before, (shop.heads(), shop.costs()));
    assert_eq!(short(&shop), [].into());
    assert_eq!(shop.effect(&deposed).unwrap().code, EffectCode::Dropped);
    assert_eq!(shop.if_cosigned(&OpId::from_bytes([7; 32]), 30), Ok(None));
}

#[test]
fn a_proposal_that_a_seal_passed_over_waits_no_more() {
    let mut shop = shop();
    let proposed = write(&mut shop, ROOT, revoke(CAT), 20).op;
    let earlier = shop.seal(&key(BEN), 21).unwrap().op;
    let later = shop.seal(&key(BEN), 22).unwrap().op;
    assert_eq!(waiting(&shop), [proposed, earlier, later].into());
    let proposals = shop.proposals();
    assert_eq!(proposals[0].signatures.len(), 1);
    assert_eq!(proposals[0].signatures[0].roots, [author(ROOT)].into());
    assert_eq!(
        (proposals[0].author, proposals[0].since_ms),
        (author(ROOT), 20)
    );
    write(&mut shop, ROOT, cosign(later), 23);
    assert_eq!(waiting(&shop), [].into());
    assert_eq!(shop.effect(&proposed).unwrap().code, EffectCode::Dropped);
    // A project of one root signs alone.
    let mut alone = Replica::create(genesis(), &key(ROOT), 1).unwrap();
    write(&mut alone, ROOT, issuer_key(KID, ISSUER_KEY, FAR_MS), 2);
    assert!(alone.proposals().is_empty() && alone.quorum() == 1);
}

#[test]
fn what_was_taken_back_is_what_is_denied_of_data() {
    let mut shop = shop();
    let linked = device(shop.project(), ALICE, PHONE);
    write(&mut shop, ALICE, linked, 11);
    hire(&mut shop, BOB, Role::Editor, 12);
    let mut van = join(&shop);
    let phone = write(&mut van, PHONE, edit("parts", 1), 20);
    let laptop = write(&mut van, ALICE, edit("status", 2), 21);
    let lost = write(&mut shop, ROOT, device_revoke(ALICE, PHONE), 22).op;
    let ended = write(&mut shop, BEN, revoke(ALICE), 23).op;
    assert!(shop.taken_back().is_empty());
    shop.receive(&[phone.envelope, laptop.envelope]);

    let check = |shop: &Replica, want: &[(OpId, u32, OpId, u32)]| {
        let taken = shop.taken_back();
        let have: Vec<_> = taken
            .iter()
            .map(|it| (it.op, it.author, it.denial, it.denier))
            .collect();
        let want: Vec<_> = want
            .iter()
            .map(|(op, by, denial, denier)| (*op, author(*by), *denial, author(*denier)))
            .collect();
        assert_eq!(have, want);
        let decisions = shop.decisions().into_iter();
        let denied = decisions.filter(|(op, decision)| {
            let is_data = shop
                .log()
                .get(op)
                .is_some_and(|it| Place::of(&it.body().payload).is_some());
            is_data && matches!(decision, Decision::Denied { .. })
        });
        let denied: BTreeSet<OpId> = denied.map(|(op, _)| op).collect();
        assert_eq!(denied, taken.iter().map(|it| it.op).collect());
        for it in taken.iter() {
            assert_eq!(it.persons, [author(ALICE)].into());
            let told = explain(shop.log(), shop.replay(), &it.op).unwrap();
            assert_eq!(told.reason, Some(it.reason.name()));
            assert_eq!(told.witness.map(|it| it.op), Some(it.denial));
        }
    };
    let by_ended: Vec<bool> = (shop.taken_back().iter())
        .map(|it| it.by_ended_device)
        .collect();
    assert_eq!(by_ended, [true, false]);
    let first = shop.taken_back()[0].clone();
    assert_eq!((first.place.field.as_str(), first.stamp_ms), ("parts", 20));
    // The witness is the denial with the least id.
    let of_phone = if lost < ended {
        (lost, ROOT)
    } else {
        (ended, BEN)
    };
    let (denial, denier) = of_phone;
    let both = [
        (phone.op, PHONE, denial, denier),
        (laptop.op, ALICE, ended, BEN),
    ];
    check(&shop, &both);

    let endorse = |op| Payload::Endorse(payload::Endorse { ops: [op].into() });
    let both_given = [endorse(phone.op), endorse(laptop.op)];
    let mut next = both_given.clone().into_iter();
    let previews = shop.preview_all(author(BOB), 30, &mut |_| next.next());
    let previews = previews.unwrap();
    for (given, preview) in both_given.into_iter().zip(previews) {
        let done = write(&mut shop, BOB, given, 30);
        assert_eq!((preview.op, preview.unseen), (done.op, done.unseen));
        assert_eq!(
            (preview.effect, preview.received),
            (done.effect, done.received)
        );
    }
    check(&shop, &[]);
    let mut next = [endorse(phone.op), edit("f", 1)].into_iter();
    let refused = shop.preview_all(author(ALICE), 31, &mut |_| next.next());
    assert!(refused.is_err());
}

#[test]
fn what_is_unsealed_counts_and_lies_in_no_final_seals_past() {
    let mut shop = shop();
    assert!(shop.uses(Feature::Seal) && shop.uses(Feature::Quorum));
    assert_eq!(shop.quorum(), 2);
    let unsealed = |shop: &Replica| {
        let finals: Vec<OpId> = (shop.log().ids_since(0))
            .filter(|id| {
                shop.effect(id)
                    .is_some_and(|it| it.code == EffectCode::Seals)
            })
            .collect();
        let costs = &mut Costs::default();
        let ids: Vec<OpId> = shop.log().ids_since(0).collect();
        let left = ids.iter().filter(|id| {
            let sealed = finals
                .iter()
                .any(|seal| shop.log().happens_before(id, seal, costs) == Some(true));
            let body = shop.log().get(id).unwrap();
            let is_signature = matches!(body.body().payload, Payload::Seal(_) | Payload::Cosign(_));
            let applied = matches!(shop.decision(id), Some(Decision::Applied { .. }));
            applied && !sealed && !is_signature
        });
        (left.count(), finals.len())
    };
    assert_eq!(unsealed(&shop), (shop.sealing().unsealed, 0));
    assert_eq!(shop.sealing().since_ms, Some(1));
    let mut van = join(&shop);
    let offline = write(&mut van, ALICE, edit("status", 1), 20);
    let next = shop.next_seal(author(ROOT), 21).unwrap();
    let preview = shop.preview(next, author(ROOT), 21).unwrap();
    let seal = shop.seal(&key(ROOT), 21).unwrap();
    assert_eq!((preview.op, preview.effect), (seal.op, seal.effect));
    assert_eq!(preview.received, seal.received);
    assert!(shop.check_seal(&seal.op).unwrap().agrees());
    assert_eq!(shop.sealing().finals, []);
    shop.receive(&[offline.envelope]);
    write(&mut shop, BEN, cosign(seal.op), 22);
    assert_eq!(shop.sealing().finals, [seal.op]);
    assert_eq!(
        (shop.sealing().unsealed, shop.sealing().since_ms),
        (1, Some(20))
    );
    assert_eq!(unsealed(&shop), (1, 1));
    write(&mut shop, ROOT, revoke(ALICE), 23);
    assert_eq!(unsealed(&shop), (shop.sealing().unsealed, 1));
    assert_eq!(shop.check_seal(&offline.op), None);
    let wrong = write(
        &mut shop,
        CAT,
        Payload::Seal(payload::Seal { digest: [7; 32] }),
        24,
    );
    assert!(!shop.check_seal(&wrong.op).unwrap().agrees());
}

#[test]
fn a_seal_over_an_endorsement_of_dropped_work_is_checked_as_before() {
    let mut shop = shop();
    let first = write(&mut shop, ALICE, edit("status", 1), 20).op;
    write(&mut shop, ALICE, edit("status", 2), 21);
    let given = payload::Endorse {
        ops: [first].into(),
    };
    write(&mut shop, ROOT, given.into(), 22);
    let seal = shop.seal(&key(ROOT), 23).unwrap().op;
    write(&mut shop, BEN, cosign(seal), 24);
    let next = shop.next_seal(author(ROOT), 25).unwrap();
    assert_eq!(shop.superseded(), [first]);
    assert_eq!(shop.prune().unwrap().ops, 1);
    assert!(shop.check_seal(&seal).is_some_and(|it| it.agrees()));
    assert_eq!(shop.next_seal(author(ROOT), 25).unwrap(), next);
}

#[test]
fn a_sealed_write_is_not_dropped_and_a_plain_one_beside_it_is() {
    let mut founded = genesis();
    let confidential = Confidential {
        kem: Kem::X25519,
        tags: tags(),
    };
    founded.schema = founded
        .schema
        .into_iter()
        .map(|rule| ecac_core::SchemaRule {
            field: name("salary"),
            ..rule
        })
        .collect();
    founded.features = [
        (name("seal"), Vec::new()),
        (name("confidential"), confidential.parameters()),
    ]
    .into();
    let mut shop = Replica::create(founded, &key(ROOT), 1).unwrap();
    let rotate = Payload::KeyRotate(payload::KeyRotate { tags: tags() });
    let content_key = write(&mut shop, ROOT, rotate, 2).op;
    let sealed = |byte: u8| {
        Payload::SetFieldSealed(payload::SetFieldSealed {
            object: name("o"),
            field: name("salary"),
            value: Sealed {
                key: content_key,
                nonce: [byte; 24],
                ciphertext: vec![byte; 32],
            },
        })
    };
    let hidden = write(&mut shop, ROOT, sealed(1), 3).op;
    write(&mut shop, ROOT, sealed(2), 4);
    let shown = write(&mut shop, ROOT, edit("status", 1), 5).op;
    write(&mut shop, ROOT, edit("status", 2), 6);
    let seal = shop.seal(&key(ROOT), 7).unwrap().op;
    assert_eq!(shop.superseded(), [shown]);
    assert_eq!(shop.prune().unwrap().ops, 1);
    assert!(shop.envelope(&hidden).is_some() && shop.envelope(&shown).is_none());
    assert!(shop.check_seal(&seal).is_some_and(|it| it.agrees()));
}
