//! What is sealed opens with the right key in the right place, and nowhere else.

use ecac_core::payload::SetFieldSealed;
use ecac_core::{
    Body, Hlc, Kem, Name, OpId, Payload, PublicKey, Sealed, SigningKey, Value, VerifiedOp,
    public_key,
};
use ecac_seal::{
    BadReaderKey, ContentKey, Context, Opener as _, ReaderSecret, Unopened, info, seal_share,
};

const NONCE: [u8; 24] = [7; 24];

fn id(byte: u8) -> OpId {
    OpId::from_bytes([byte; 32])
}

fn key() -> ContentKey {
    ContentKey::from_bytes([9; 32])
}

fn values() -> Vec<Value> {
    vec![
        Value::Null,
        Value::Bool(true),
        Value::Int(-300),
        Value::Text("Grüße".into()),
        Value::Text(String::new()),
        Value::Bytes(vec![0xff; 5_000]),
    ]
}

#[test]
fn values_open_in_their_place_only() {
    let (project, author, other) = (
        id(1),
        PublicKey::from_bytes([2; 32]),
        PublicKey::from_bytes([3; 32]),
    );
    let (parents, fewer) = ([id(4), id(5)], [id(4)]);
    let hlc = Hlc {
        physical_ms: 1_767_225_600_000,
        logical: 1,
        node: 9,
    };
    let here = Context {
        project: &project,
        author: &author,
        seq: 7,
        parents: &parents,
        hlc,
        object: "doc/1",
        field: "title",
        element: None,
    };
    let elsewhere = [
        Context {
            project: &parents[0],
            ..here
        },
        Context {
            author: &other,
            ..here
        },
        Context { seq: 8, ..here },
        Context {
            parents: &fewer,
            ..here
        },
        Context {
            hlc: Hlc { logical: 2, ..hlc },
            ..here
        },
        Context {
            hlc: Hlc { node: 8, ..hlc },
            ..here
        },
        Context {
            object: "doc/2",
            ..here
        },
        Context {
            field: "body",
            ..here
        },
        Context {
            element: Some(""),
            ..here
        },
        Context {
            object: "doc/1title",
            field: "",
            ..here
        },
    ];
    for value in values() {
        let sealed = key().seal(id(6), &value, &here, NONCE).unwrap();
        assert_eq!(key().open(&sealed, &here), Ok(value.clone()));
        assert_eq!(sealed.ciphertext.len(), value.encode().len() + 16);
        let another = ContentKey::from_bytes([8; 32]);
        assert_eq!(another.open(&sealed, &here), Err(Unopened));
        for place in &elsewhere {
            assert_eq!(key().open(&sealed, place), Err(Unopened), "{place:?}");
        }
        for at in [0, sealed.ciphertext.len() - 1] {
            let mut damaged = sealed.clone();
            damaged.ciphertext[at] ^= 1;
            assert_eq!(key().open(&damaged, &here), Err(Unopened));
        }
        let renamed = Sealed {
            nonce: [8; 24],
            ..sealed.clone()
        };
        assert_eq!(key().open(&renamed, &here), Err(Unopened));
        assert!(
            key()
                .seal(id(6), &Value::Sealed(sealed), &here, NONCE)
                .is_err()
        );
    }
}

#[test]
fn the_context_is_that_of_the_signed_op() {
    let signer = SigningKey::from([1; 32]);
    let project = id(1);
    let mut body = Body {
        author: public_key(&signer),
        seq: 3,
        parents: vec![id(4)],
        hlc: Hlc {
            physical_ms: 5,
            logical: 0,
            node: 0,
        },
        payload: Payload::SetFieldSealed(SetFieldSealed {
            object: Name::new("doc/1").unwrap(),
            field: Name::new("title").unwrap(),
            value: Sealed {
                key: id(6),
                nonce: NONCE,
                ciphertext: vec![0; 17],
            },
        }),
    };
    let value = Value::Text("secret".into());
    let sealed = key()
        .seal(id(6), &value, &Context::of(&project, &body).unwrap(), NONCE)
        .unwrap();
    if let Payload::SetFieldSealed(write) = &mut body.payload {
        write.value = sealed;
    }
    let op = VerifiedOp::sign(body, &signer).unwrap();
    let Payload::SetFieldSealed(write) = &op.body().payload else {
        unreachable!("it is one")
    };
    assert_eq!(
        key().open(&write.value, &Context::of(&project, op.body()).unwrap()),
        Ok(value)
    );
    assert!(!op.envelope().windows(6).any(|it| it == b"secret"));
}

#[test]
fn shares_open_for_their_recipient_and_key_only() {
    let recipient = PublicKey::from_bytes([2; 32]);
    let bound = info(&id(1), &id(6), &recipient);
    for kem in Kem::ALL {
        let reader = ReaderSecret::derive(*kem, [1; 32]);
        let share = seal_share(&key(), &reader.reader_key(), &bound, [3; 32]).unwrap();
        assert_eq!(share.enc.len(), kem.enc_bytes());
        assert_eq!(reader.reader_key().public.len(), kem.public_key_bytes());
        let opened = reader.open_share(&share, &bound).unwrap();
        assert_eq!(opened.as_bytes(), key().as_bytes());
        let restored = ReaderSecret::from_bytes(*kem, *reader.as_bytes()).unwrap();
        assert!(restored.open_share(&share, &bound).is_ok());

        let stranger = ReaderSecret::derive(*kem, [2; 32]);
        assert_eq!(stranger.open_share(&share, &bound).err(), Some(Unopened));
        for other in [
            info(&id(2), &id(6), &recipient),
            info(&id(1), &id(7), &recipient),
            info(&id(1), &id(6), &PublicKey::from_bytes([3; 32])),
        ] {
            assert_eq!(reader.open_share(&share, &other).err(), Some(Unopened));
        }
        let mut damaged = share.clone();
        damaged.enc.truncate(31);
        assert_eq!(reader.open_share(&damaged, &bound).err(), Some(Unopened));
        let again = seal_share(&key(), &reader.reader_key(), &bound, [4; 32]).unwrap();
        assert_ne!(again, share);

        let mut bad = reader.reader_key();
        bad.public.truncate(31);
        assert_eq!(
            seal_share(&key(), &bad, &bound, [3; 32]),
            Err(BadReaderKey { kem: *kem })
        );
    }
}

#[test]
fn nothing_prints_a_secret() {
    let reader = ReaderSecret::derive(Kem::X25519, [1; 32]);
    let printed = format!("{:?} {:?} {Unopened} {Unopened:?}", key(), reader);
    for secret in [key().as_bytes(), reader.as_bytes()] {
        assert!(!printed.contains(&hex::encode(secret)));
        assert!(!printed.contains(&format!("{:?}", &secret[..4])));
    }
    assert_eq!(
        printed,
        "ContentKey(…) ReaderSecret(x25519, …) does not open under this key Unopened"
    );
}
