//! Replicas that meet in a mailbox, honest and hostile.
#![expect(
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
use ecac_mailbox::{Bucket, BucketError, Folder, Mailbox, MailboxError, Put};

const NOW_MS: u64 = 1_767_225_600_000;

fn founded() -> Replica {
    let genesis = Genesis {
        name: Name::new("shop").unwrap(),
        nonce: [0; 16],
        roots: (1..=4)
            .map(|it| public_key(&SigningKey::from([it; 32])))
            .collect(),
        schema: [].into(),
        features: [].into(),
    };
    Replica::create(genesis, &SigningKey::from([1; 32]), NOW_MS).unwrap()
}

fn write(replica: &mut Replica, author: u8, number: u64) {
    let value = Value::Text(format!("{author} {number}"));
    let op = SetField::new("order/1", "status", value).unwrap();
    let key = SigningKey::from([author; 32]);
    replica.author(op, &key, NOW_MS + number).unwrap();
}

#[test]
fn replicas_that_never_meet_agree_through_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut a = founded();
    let mut b = Replica::join(a.project());
    let mailbox = |node: u8| Mailbox::new(Folder::new(folder.path(), [node; 16]), [node; 16]);
    let (mut at_a, mut at_b) = (mailbox(1), mailbox(2));
    for round in 0..12 {
        write(&mut a, 1, round);
        at_a.sync(&mut a).unwrap();
        at_b.sync(&mut b).unwrap();
        write(&mut b, 2, round);
        at_b.sync(&mut b).unwrap();
        at_a.sync(&mut a).unwrap();
        assert_eq!(a.state_digest(), b.state_digest());
    }
    // Nothing new is put where nothing is new.
    let count = || {
        std::fs::read_dir(folder.path().join("indexes"))
            .unwrap()
            .count()
    };
    let before = count();
    at_a.sync(&mut a).unwrap();
    assert_eq!(count(), before);

    // A node that has forgotten what it named names it still.
    mailbox(1).sync(&mut a).unwrap();
    assert_eq!(count(), before);

    // A newcomer reads what the indexes name, which after compaction is less than what lies there.
    let mut c = Replica::join(a.project());
    let fetched = mailbox(3).fetch(&mut c).unwrap();
    let packs = std::fs::read_dir(folder.path().join("packs"))
        .unwrap()
        .count();
    assert!(fetched.packs < packs, "{} of {packs}", fetched.packs);
    assert_eq!((fetched.orphans, fetched.bad_packs), (0, 0));
    assert_eq!(c.state_digest(), a.state_digest());
}

/// A bucket whose owner does what it likes with it.
#[derive(Clone, Default)]
struct Hostile(Rc<RefCell<BTreeMap<String, Vec<u8>>>>);

impl Bucket for Hostile {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<Put, BucketError> {
        let mut objects = self.0.borrow_mut();
        if objects.contains_key(name) {
            return Ok(Put::Exists);
        }
        objects.insert(name.to_owned(), bytes.to_vec());
        Ok(Put::Created)
    }

    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, BucketError> {
        let objects = self.0.borrow();
        Ok(objects
            .get(name)
            .filter(|it| it.len() <= bytes_max)
            .cloned())
    }

    fn list(&self, first: &str) -> Result<Vec<String>, BucketError> {
        let objects = self.0.borrow();
        let names = objects
            .keys()
            .filter_map(|it| it.strip_prefix(first)?.strip_prefix('/'));
        Ok(names.map(str::to_owned).collect())
    }
}

impl Hostile {
    /// Does something to the packs.
    fn spoil(&self, mut how: impl FnMut(&mut Vec<u8>)) {
        let mut objects = self.0.borrow_mut();
        for (_, bytes) in objects.iter_mut().filter(|it| it.0.starts_with("packs/")) {
            how(bytes);
        }
    }
}

/// What was spoilt does not deceive, and comes again once its owner has looked.
fn survives(spoil: impl Fn(&Hostile)) {
    let bucket = Hostile::default();
    let mut a = founded();
    for number in 0..5 {
        write(&mut a, 1, number);
    }
    let mut at_a = Mailbox::new(bucket.clone(), [1; 16]);
    at_a.sync(&mut a).unwrap();
    spoil(&bucket);
    let mut b = Replica::join(a.project());
    let mut at_b = Mailbox::new(bucket.clone(), [2; 16]);
    at_b.sync(&mut b).unwrap();
    // A node that remembers nothing of the mailbox looks at everything in it.
    let mut again = Mailbox::new(bucket.clone(), [1; 16]);
    again.sync(&mut a).unwrap();
    at_b.sync(&mut b).unwrap();
    assert_eq!(a.state_digest(), b.state_digest());
    assert_eq!(a.log().admitted_count(), b.log().admitted_count());
    assert_eq!(b.holdings().rejected, 0);
}

#[test]
fn a_hostile_bucket_delays_and_deceives_nobody() {
    // Flipped bits, cut ends, nothing left, packs of others' making under a good name.
    survives(|bucket| bucket.spoil(|it| *it.last_mut().unwrap() ^= 1));
    survives(|bucket| bucket.spoil(|it| it.truncate(it.len() / 2)));
    survives(|bucket| bucket.spoil(Vec::clear));
    survives(|bucket| bucket.spoil(|it| *it = b"ECACPK1\n\0\0\0\0".to_vec()));
    // Everything is gone; only the packs are; only the indexes are.
    survives(|bucket| bucket.0.borrow_mut().clear());
    survives(|bucket| {
        bucket
            .0
            .borrow_mut()
            .retain(|name, _| name.starts_with("indexes"))
    });
    survives(|bucket| {
        bucket
            .0
            .borrow_mut()
            .retain(|name, _| name.starts_with("packs"))
    });
    // An index of the greatest generation, an index that is none.
    survives(|bucket| {
        let name = format!("indexes/{}-{}", "01".repeat(16), "f".repeat(16));
        bucket.0.borrow_mut().insert(name, b"nothing".to_vec());
    });
    survives(|bucket| {
        let mut objects = bucket.0.borrow_mut();
        objects.iter_mut().for_each(|it| {
            if it.0.starts_with("indexes") {
                it.1.push(0);
            }
        });
    });
}

/// A bucket that says of everything that it is there.
struct Liar;

impl Bucket for Liar {
    fn put(&mut self, _: &str, _: &[u8]) -> Result<Put, BucketError> {
        Ok(Put::Exists)
    }

    fn get(&self, _: &str, _: usize) -> Result<Option<Vec<u8>>, BucketError> {
        Ok(None)
    }

    fn list(&self, _: &str) -> Result<Vec<String>, BucketError> {
        Ok(Vec::new())
    }
}

#[test]
fn a_bucket_that_takes_nothing_is_an_error() {
    let synced = Mailbox::new(Liar, [1; 16]).sync(&mut founded());
    assert!(matches!(synced, Err(MailboxError::TakesNothing)));
}
