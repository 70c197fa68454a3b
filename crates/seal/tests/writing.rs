//! Writing by itself makes keys and hands them on, and whoever was put out reads nothing more.

use ecac_core::payload::{Revoke, SetField};
use ecac_core::{
    Action, AuthorError, Confidential, Genesis, Kem, Name, OpId, Payload, PublicKey, Refusal,
    Replica, SchemaRule, SigningKey, Value, public_key,
};
use ecac_seal::{Keyring, Newcomers, Opener as _, ReaderSecret, Target, WriteError, Writer, read};

const NOW_MS: u64 = 1_767_225_600_000;

struct Person {
    signer: SigningKey,
    secret: ReaderSecret,
}

impl Person {
    fn numbered(number: u8, kem: Kem) -> Self {
        Self {
            signer: SigningKey::from([number; 32]),
            secret: ReaderSecret::derive(kem, [number; 32]),
        }
    }

    fn key(&self) -> PublicKey {
        public_key(&self.signer)
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("as it should be")
}

/// A project in which these are roots, and `staff/*` has the confidential tag `hr`.
fn project(people: &[Person], kem: Kem) -> Replica {
    let marks = Confidential {
        kem,
        tags: [name("hr")].into(),
    };
    let genesis = Genesis {
        name: name("shop"),
        nonce: [0; 16],
        roots: people.iter().map(Person::key).collect(),
        schema: [SchemaRule {
            object: name("staff/*"),
            field: name("*"),
            tags: [name("hr")].into(),
        }]
        .into(),
        features: [(name("confidential"), marks.parameters())].into(),
    };
    Replica::create(genesis, &people[0].signer, NOW_MS).expect("as it should be")
}

fn salary() -> Target {
    Target {
        object: name("staff/7"),
        field: name("salary"),
        element: None,
    }
}

/// What the person writes, with kinds of the ops that it took, and the id of the last.
fn write(
    replica: &mut Replica,
    by: &Person,
    target: &Target,
    value: &str,
    count: &mut u64,
) -> Result<(Vec<&'static str>, OpId), WriteError> {
    let mut random = || {
        *count += 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&count.to_le_bytes());
        bytes
    };
    let mut writer = Writer {
        signer: &by.signer,
        opener: &by.secret,
        random: &mut random,
        now_ms: NOW_MS + 1,
    };
    let written = writer.write(replica, target, &Value::Text(value.into()))?;
    let last = written.last().expect("as it should be").op;
    let kinds = written.iter().map(|it| {
        replica
            .log()
            .get(&it.op)
            .expect("as it should be")
            .body()
            .payload
            .kind()
    });
    Ok((kinds.collect(), last))
}

fn opens(replica: &Replica, reader: &Person, op: &OpId) -> Option<String> {
    match read(replica, &reader.secret, &reader.key(), op).expect("as it should be") {
        Ok(Value::Text(text)) => Some(text),
        Ok(other) => panic!("{other:?}"),
        Err(_) => None,
    }
}

fn publish(replica: &mut Replica, person: &Person) {
    let key = person.secret.reader_key();
    replica
        .author(key, &person.signer, NOW_MS + 1)
        .expect("as it should be");
}

#[test]
fn a_write_makes_keys_and_hands_them_on_where_it_must() {
    let count = &mut 0;
    let people = [1, 2, 3, 4].map(|number| Person::numbered(number, Kem::X25519));
    let [anna, boris, carla, dora] = &people;
    let replica = &mut project(&people, Kem::X25519);
    publish(replica, boris);

    let (kinds, first) = write(replica, anna, &salary(), "100", count).expect("as it should be");
    assert_eq!(
        kinds,
        ["ReaderKey", "KeyRotate", "KeyGrant", "SetFieldSealed"]
    );
    let (kinds, second) = write(replica, boris, &salary(), "101", count).expect("as it should be");
    assert_eq!(kinds, ["SetFieldSealed"]);
    for reader in [anna, boris] {
        assert_eq!(opens(replica, reader, &first).as_deref(), Some("100"));
        assert_eq!(opens(replica, reader, &second).as_deref(), Some("101"));
    }
    assert_eq!(opens(replica, carla, &first), None);

    // Who comes later is given the key with the next write.
    publish(replica, carla);
    let (kinds, third) = write(replica, anna, &salary(), "102", count).expect("as it should be");
    assert_eq!(kinds, ["KeyGrant", "SetFieldSealed"]);
    assert_eq!(opens(replica, carla, &third).as_deref(), Some("102"));
    assert_eq!(opens(replica, carla, &first).as_deref(), Some("100"));

    // Who is put out reads nothing more, whoever writes.
    let revoke = Revoke::of(boris.key());
    replica
        .author(revoke, &dora.signer, NOW_MS + 2)
        .expect("as it should be");
    let keys = replica.content_keys(NOW_MS + 2).value;
    assert!(keys.len() == 1 && !keys[0].is_fresh && keys[0].holders.contains(&boris.key()));
    let (kinds, fourth) = write(replica, carla, &salary(), "103", count).expect("as it should be");
    assert_eq!(kinds, ["KeyRotate", "KeyGrant", "SetFieldSealed"]);
    assert_eq!(opens(replica, boris, &fourth), None);
    assert_eq!(opens(replica, boris, &third).as_deref(), Some("102"));
    assert_eq!(opens(replica, anna, &fourth).as_deref(), Some("103"));
    let redacted = read(replica, &boris.secret, &boris.key(), &fourth)
        .expect("as it should be")
        .unwrap_err();
    assert_eq!(redacted.tags, [name("hr")].into());
    assert_eq!(redacted.since_ms, Some(NOW_MS + 2));

    // No file has what was written.
    let log: Vec<u8> = replica.envelopes().flat_map(|it| it.to_vec()).collect();
    for text in ["100", "101", "102", "103"] {
        let plain = Value::Text(text.into()).encode();
        assert!(!log.windows(plain.len()).any(|it| it == plain), "{text}");
    }
    let state = String::from_utf8(replica.state()).expect("as it should be");
    assert!(state.contains("\"sealed\"") && !state.contains("\"103\""));
}

#[test]
fn a_newcomer_is_handed_the_past() {
    let count = &mut 0;
    let people = [1, 2, 3].map(|number| Person::numbered(number, Kem::X25519));
    let [anna, boris, carla] = &people;
    let replica = &mut project(&people, Kem::X25519);
    publish(replica, boris);
    let (_, first) = write(replica, anna, &salary(), "100", count).expect("as it should be");
    replica
        .author(Revoke::of(boris.key()), &anna.signer, NOW_MS + 2)
        .expect("as it should be");
    let (_, second) = write(replica, anna, &salary(), "101", count).expect("as it should be");
    publish(replica, carla);
    let mut random = || {
        *count += 1;
        [u8::try_from(*count).expect("as it should be"); 32]
    };
    let mut writer = Writer {
        signer: &anna.signer,
        opener: &anna.secret,
        random: &mut random,
        now_ms: NOW_MS + 3,
    };
    let written = writer
        .hand_on(replica, &carla.key())
        .expect("as it should be");
    assert_eq!(written.len(), 2, "of both keys, the stale one too");
    assert!(
        writer
            .hand_on(replica, &carla.key())
            .expect("as it should be")
            .is_empty()
    );
    assert_eq!(opens(replica, carla, &first).as_deref(), Some("100"));
    assert_eq!(opens(replica, carla, &second).as_deref(), Some("101"));
}

/// What the person writes as one batch; the ids of its ops.
fn rehearsed(
    replica: &mut Replica,
    by: &Person,
    value: &str,
    newcomers: Newcomers,
    count: &mut u64,
) -> Vec<OpId> {
    let mut random = || {
        *count += 1;
        [u8::try_from(*count).expect("as it should be"); 32]
    };
    let mut keyring = Keyring {
        author: by.key(),
        opener: &by.secret,
        random: &mut random,
        now_ms: NOW_MS + 1,
        newcomers,
    };
    let rehearsal = replica.rehearse(by.key(), NOW_MS + 1);
    let mut rehearsal = rehearsal.expect("as it should be");
    let before = replica.state_digest();
    let value = Value::Text(value.into());
    keyring
        .write(&mut rehearsal, &salary(), &value)
        .expect("as it should be");
    assert_eq!(replica.state_digest(), before, "nothing is written yet");
    let bodies = rehearsal.finish().into_iter().map(|it| it.body).collect();
    let written = replica.author_all(bodies, &by.signer);
    let ops = written.expect("as it should be").ops;
    ops.into_iter().map(|it| it.op).collect()
}

#[test]
fn a_rehearsed_write_is_one_batch_and_newcomers_get_what_they_are_to_get() {
    let count = &mut 0;
    let people = [1, 2, 3].map(|number| Person::numbered(number, Kem::X25519));
    let [anna, boris, carla] = &people;
    let replica = &mut project(&people, Kem::X25519);
    let first = rehearsed(replica, anna, "100", Newcomers::ThePast, count);
    assert_eq!(first.len(), 4);
    let random = &mut || [200; 32];
    let mut writer = Writer {
        signer: &anna.signer,
        opener: &anna.secret,
        random,
        now_ms: NOW_MS + 1,
    };
    let rotated = writer.rotate(replica, &[name("hr")].into(), &mut Vec::new());
    rotated.expect("as it should be");

    publish(replica, boris);
    let second = rehearsed(replica, anna, "101", Newcomers::ThePast, count);
    assert_eq!(second.len(), 3, "two keys for Boris, and the write");
    publish(replica, carla);
    let third = rehearsed(replica, anna, "102", Newcomers::FromHereOn, count);
    assert_eq!(third.len(), 2, "one key for Carla, and the write");
    let last = |ops: &[OpId]| *ops.last().expect("as it should be");
    for (reader, want) in [
        (anna, [true, true, true]),
        (boris, [true, true, true]),
        (carla, [false, true, true]),
    ] {
        let opened = [&first, &second, &third].map(|ops| opens(replica, reader, &last(ops)));
        assert_eq!(opened.map(|it| it.is_some()), want);
    }
    // Whoever holds one key is no newcomer.
    let fourth = rehearsed(replica, anna, "103", Newcomers::ThePast, count);
    assert_eq!(fourth.len(), 1);
    assert_eq!(opens(replica, carla, &last(&first)), None);
}

#[test]
fn many_readers_are_given_keys_in_chunks() {
    let count = &mut 0;
    let people: Vec<Person> = (1..=60)
        .map(|number| Person::numbered(number, Kem::XWing))
        .collect();
    let replica = &mut project(&people, Kem::XWing);
    for person in &people {
        publish(replica, person);
    }
    let (kinds, op) = write(replica, &people[0], &salary(), "100", count).expect("as it should be");
    assert_eq!(
        kinds,
        ["KeyRotate", "KeyGrant", "KeyGrant", "SetFieldSealed"]
    );
    for person in [&people[0], &people[30], &people[59]] {
        assert_eq!(opens(replica, person, &op).as_deref(), Some("100"));
    }
}

#[test]
fn what_is_not_secret_is_written_as_ever() {
    let count = &mut 0;
    let people = [Person::numbered(1, Kem::X25519)];
    let replica = &mut project(&people, Kem::X25519);
    let open = Target {
        object: name("order/1"),
        ..salary()
    };
    let (kinds, op) = write(replica, &people[0], &open, "100", count).expect("as it should be");
    assert_eq!(kinds, ["SetField"]);
    assert_eq!(opens(replica, &people[0], &op).as_deref(), Some("100"));
    let element = Target {
        element: Some(name("x")),
        ..salary()
    };
    let (kinds, op) = write(replica, &people[0], &element, "101", count).expect("as it should be");
    assert_eq!(kinds.last(), Some(&"SetAddSealed"));
    assert_eq!(opens(replica, &people[0], &op).as_deref(), Some("101"));
    let plain = Payload::SetField(SetField {
        object: name("staff/7"),
        field: name("salary"),
        value: Value::Int(1),
    });
    let error = replica
        .author(plain, &people[0].signer, NOW_MS + 1)
        .unwrap_err();
    assert_eq!(error.refusal(), Some((Refusal::NotSealed, None)));
    assert!(matches!(error, AuthorError::Draft(_)));
    let other = Person {
        secret: ReaderSecret::derive(Kem::XWing, [1; 32]),
        signer: SigningKey::from([1; 32]),
    };
    let error = write(replica, &other, &salary(), "102", count).unwrap_err();
    assert!(matches!(error, WriteError::OtherKem("x-wing")));
    assert!(
        replica
            .can(&other.key(), Action::Read, &[name("hr")].into(), NOW_MS)
            .is_ok()
    );
}
