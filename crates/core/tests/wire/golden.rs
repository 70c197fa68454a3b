//! Pinned bytes: the format cannot change in silence.
//!
//! The expected bytes were computed by other libraries in another language (Python: cbor2 in canonical mode,
//! blake3, and Ed25519 of pyca/cryptography), not by the code that is tested.

use std::collections::BTreeMap;

use ecac_core::credential::Role;
use ecac_core::payload;
use ecac_core::{
    Body, Costs, Genesis, Hlc, Op, OpId, Payload, SchemaRule, Tags, Value, VerifiedOp, public_key,
};

use crate::raw::{Frame, PROTECTED};
use crate::sample::{self, key, name};

const GENESIS_ID: &str = "eaf74e2a269b19acbabfbc5617c16b0622745d644a82133ebdba8fe6aa34966e";
const GENESIS: &str = "\
     d28443a10127a058b3a60001015820ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c020003\
     8004831b0000019b76daa800000905a5000001676578616d706c650250000102030405060708090a0b0c0d0e0f0382582013\
     98f62c6d1a457c51ba6a4b5f3dbd2f69fca93216218dc8997e416bd17d93ca5820ea4a6c63e29c520abef5507b132ec5f995\
     4776aebebe7b92421eea691446d22c04818365646f632f2a612a826766696e616e63656268725840eb5610ad2044f3b9d77e\
     927cf238171037b3a6809047d46b4e0c64bb94ef2587dfbf1867666a99d2240dae315a2e077eb7a194c67d96ed15e772dad0\
     20060803";

const SET_FIELD_ID: &str = "aa9e999cc26186751fa15ec5578349d353045807c76f1b7195fbb060d1c754b1";
const SET_FIELD: &str = "\
     d28443a10127a05874a60001015820ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c020103\
     815820eaf74e2a269b19acbabfbc5617c16b0622745d644a82133ebdba8fe6aa34966e04831b0000019b76daa801000905a4\
     00010165646f632f3102657469746c6503674772c3bcc39f655840f2b894b0b7e6d24dd290e3ef6d365bbed3acc1f930b2c0\
     05e72f284bb48780d3c1de694c7adc04f4a90e90277e74fac203153ae092fc71f457123d2b9ce7380c";

const REVOKE_ID: &str = "f39063586cfcbc66c17ae2ce88cd252a8741b905fea5b5cdf78c79a91bd027d2";
const REVOKE: &str = "\
     d28443a10127a058cfa600010158201398f62c6d1a457c51ba6a4b5f3dbd2f69fca93216218dc8997e416bd17d93ca020003\
     82582022222222222222222222222222222222222222222222222222222222222222225820eaf74e2a269b19acbabfbc5617\
     c16b0622745d644a82133ebdba8fe6aa34966e04831b0000019b76daa8011affffffff19012c05a40006015820ea4a6c63e2\
     9c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c0266656469746f72038278186262626262626262626262\
     6262626262626262626262626262687258408ca574397a86f24aa98104ab163b30662bce8f78a53ba055bd97d7efb911c47c\
     26aeeb2ae0bcd49f0f11d66abb5a7e971208cf44e07935857709f0dedd56110e";

const FEATURES_ID: &str = "5bdcabdc62d8e3b9c59195a83163e561525386e9c8dd0e254e74bf639f08c277";
const FEATURES: &str = "\
     d28443a10127a05894a60001015820ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c020003\
     8004831b0000019b76daa800000905a6000001676578616d706c650250000102030405060708090a0b0c0d0e0f03815820ea\
     4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c048005828266736368656d61408268746f6d6f\
     72726f774200ff5840e7025cc28dc2885b3046effe363765c2e8f1c314874e484fb6130c1dfc29c9ad82d5380940eec76fd2\
     f807b6c7c9b08d7b65f47ffe08460a2fd3fd7de844570f";

const UPGRADE_ID: &str = "0abc12b1b092ea3c80056b527d20055edd6a35aa243cd38b484dd163808062dc";
const UPGRADE: &str = "\
     d28443a10127a0586ba60001015820ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c020103\
     815820eaf74e2a269b19acbabfbc5617c16b0622745d644a82133ebdba8fe6aa34966e04831b0000019b76daa801000905a3\
     000a0168746f6d6f72726f77024200ff5840654aa7b4f0d9c2bd5ded14958fa16895fd3c0e2358ada3ac6b11a2911968053c\
     013320b5fe5486bc56aa749ee7a8d42d35a196f883341f46ef9cc2d19f9fd30e";

const SCHEMA_ID: &str = "1b1f012a7fd2d6e3b70ab893d3035ab5dc3f88639a381ac45c7758c5c8491118";
const SCHEMA: &str = "\
     d28443a10127a05885a60001015820ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c020103\
     815820eaf74e2a269b19acbabfbc5617c16b0622745d644a82133ebdba8fe6aa34966e04831b0000019b76daa801000905a2\
     000b01828365646f632f31657469746c65816268728365646f632f31657469746c6582626872636c6177584076d762e136a2\
     a7f6104bd6f6a3ba8a970e9972cca5a719d99c0f4696be0c076a9597896e8fcc2f03b91ab831096d1a56c7a6fe5ddb60da91\
     333da7687b833a05";

const UNASSIGNED_ID: &str = "efffc1bf80d119b7e2992a321991dbf15553779f2741132a43bc1f20ed023129";
const UNASSIGNED: &str = "\
     d28443a10127a05876a60001015820ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c020103\
     815820eaf74e2a269b19acbabfbc5617c16b0622745d644a82133ebdba8fe6aa34966e04831b0000019b76daa801000905a3\
     0019ffff013bffffffffffffffff181883f5f6a20141782062c3bc58405586f9d88cb6af318fc1bb9a6364bfbf1dd2745a50\
     6433ccecc05ba670dd2a06353004414570d3d0317165f21a74677db7ab317454c2e0d2c15734703e478c01";

fn tags(names: &[&str]) -> Tags {
    names.iter().map(|tag| name(tag)).collect()
}

fn genesis_id() -> OpId {
    GENESIS_ID.parse().expect("64 digits")
}

fn genesis() -> Body {
    let rule = SchemaRule {
        object: name("doc/*"),
        field: name("*"),
        tags: tags(&["finance", "hr"]),
    };
    Body {
        author: public_key(&key(7)),
        seq: 0,
        parents: Vec::new(),
        hlc: Hlc {
            physical_ms: 1_767_225_600_000,
            logical: 0,
            node: 9,
        },
        payload: Payload::Genesis(Genesis {
            name: name("example"),
            nonce: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
            roots: [public_key(&key(7)), public_key(&key(8))].into(),
            schema: [rule].into(),
            features: BTreeMap::new(),
        }),
    }
}

fn set_field() -> Body {
    let value = Value::Text("Gr\u{fc}\u{df}e".into());
    Body {
        author: public_key(&key(7)),
        seq: 1,
        parents: vec![genesis_id()],
        hlc: Hlc {
            physical_ms: 1_767_225_600_001,
            logical: 0,
            node: 9,
        },
        payload: Payload::SetField(payload::SetField {
            object: name("doc/1"),
            field: name("title"),
            value,
        }),
    }
}

fn revoke() -> Body {
    Body {
        author: public_key(&key(8)),
        seq: 0,
        parents: vec![OpId::from_bytes([0x22; 32]), genesis_id()],
        hlc: Hlc {
            physical_ms: 1_767_225_600_001,
            logical: u32::MAX,
            node: 300,
        },
        payload: Payload::Revoke(payload::Revoke {
            subject: public_key(&key(7)),
            role: Some(Role::Editor),
            scope: Some(tags(&["bbbbbbbbbbbbbbbbbbbbbbbb", "hr"])),
        }),
    }
}

/// A genesis with two features and one root.
fn features() -> Body {
    let mut body = genesis();
    body.payload = Payload::Genesis(Genesis {
        name: name("example"),
        nonce: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        roots: [public_key(&key(7))].into(),
        schema: [].into(),
        features: [
            (name("schema"), Vec::new()),
            (name("tomorrow"), vec![0x00, 0xff]),
        ]
        .into(),
    });
    body
}

/// The body of `set_field` with another payload.
fn second(payload: Payload) -> Body {
    Body {
        payload,
        ..set_field()
    }
}

fn upgrade() -> Body {
    second(Payload::Upgrade(payload::Upgrade {
        feature: name("tomorrow"),
        parameters: vec![0x00, 0xff],
    }))
}

fn schema() -> Body {
    let rule = |names: &[&str]| SchemaRule {
        object: name("doc/1"),
        field: name("title"),
        tags: tags(names),
    };
    second(Payload::Schema(payload::Schema {
        rules: [rule(&["hr", "law"]), rule(&["hr"])].into(),
    }))
}

/// `{0: 65535, 1: -2^64, 24: [true, null, {1: 'x', -1: "\u{fc}"}]}`.
fn unassigned() -> Body {
    let bytes = "a30019ffff013bffffffffffffffff181883f5f6a20141782062c3bc";
    let bytes = hex::decode(bytes).expect("hexadecimal");
    second(Payload::Unassigned(
        payload::Unassigned::new(&bytes).expect("of the one form"),
    ))
}

#[test]
fn ops_have_these_bytes() {
    let check = |body: Body, seed: u8, id: &str, bytes: &str| {
        let op = VerifiedOp::sign(body.clone(), &key(seed)).unwrap();
        assert_eq!(hex::encode(op.envelope()), bytes);
        assert_eq!(op.id().to_string(), id);
        let read = Op::decode(&hex::decode(bytes).unwrap(), &mut Costs::default()).unwrap();
        assert_eq!(read.body(), &body);
        assert_eq!(VerifiedOp::verify(read, &mut Costs::default()), Ok(op));
    };
    check(genesis(), 7, GENESIS_ID, GENESIS);
    check(set_field(), 7, SET_FIELD_ID, SET_FIELD);
    check(revoke(), 8, REVOKE_ID, REVOKE);
    check(features(), 7, FEATURES_ID, FEATURES);
    check(upgrade(), 7, UPGRADE_ID, UPGRADE);
    check(schema(), 7, SCHEMA_ID, SCHEMA);
    check(unassigned(), 7, UNASSIGNED_ID, UNASSIGNED);
}

#[test]
fn the_id_does_not_depend_on_the_signature() {
    for (what, body) in sample::bodies() {
        let bytes = body.encode().unwrap();
        let good = sample::sign(body);
        for signature in [[0x00; 64], [0xff; 64]] {
            let mut frame = Frame::signed(&bytes, &PROTECTED, &sample::author());
            frame.signature = signature.to_vec();
            let op = Op::decode(&frame.encode(), &mut Costs::default()).unwrap();
            assert_eq!(op.id(), good.id(), "{what}");
            assert!(
                VerifiedOp::verify(op, &mut Costs::default()).is_err(),
                "{what}"
            );
        }
        assert_eq!(good.id(), OpId::of_body(&bytes), "{what}");
        let preimage = [b"ECAC_OP_V1", &bytes[..]].concat();
        assert_eq!(
            good.id().as_bytes(),
            blake3::hash(&preimage).as_bytes(),
            "{what}"
        );
    }
}
