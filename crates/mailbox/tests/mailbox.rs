//! Replicas that meet in a folder, and what a day in a mailbox costs.
#![expect(
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ecac_core::payload::SetField;
use ecac_core::{
    Genesis, MemoryStore, Name, OpId, OpStore, Received, Regained, Replica, SigningKey, StoreError,
    Value, public_key,
};
use ecac_mailbox::{
    Bucket, BucketError, Folder, Listed, Mailbox, MailboxError, Object, OlderVisit, Visit,
};
use ecac_sync::{KeepError, Keeper, RegainFault};

const NOW_MS: u64 = 1_767_225_600_000;

fn founded(authors: u8) -> Replica {
    let genesis = Genesis {
        name: Name::new("shop").unwrap(),
        nonce: [0; 16],
        roots: (1..=authors)
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

/// Files below the folder whose directory's name begins so.
fn files(folder: &Path, first: &str) -> usize {
    let directories = fs::read_dir(folder).unwrap().map(|it| it.unwrap());
    let named = directories.filter(|it| it.file_name().to_str().unwrap().starts_with(first));
    named
        .map(|it| fs::read_dir(it.path()).unwrap().count())
        .sum()
}

/// A project with seals, of which two have the genesis.
fn founded_with_seals(root: &SigningKey) -> (Replica, Replica) {
    let genesis = Genesis {
        name: Name::new("shop").unwrap(),
        nonce: [0; 16],
        roots: [public_key(root)].into(),
        schema: [].into(),
        features: [(Name::new("seal").unwrap(), Vec::new())].into(),
    };
    let full = Replica::create(genesis, root, NOW_MS).unwrap();
    let mut phone = Replica::join(full.project());
    phone.receive(&full.envelopes().collect::<Vec<_>>());
    (full, phone)
}

fn mailbox_in(folder: &Path, node: u8) -> Mailbox<Folder> {
    Mailbox::new(Folder::new(folder, [node; 16]), [node; 16])
}

/// A replica that finds every older op to be another one than was told.
struct Wronged(Replica);

impl Keeper for Wronged {
    fn replica(&self) -> &Replica {
        &self.0
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.0.keep(envelopes)
    }

    fn regain(&mut self, _: &[&[u8]]) -> Result<Regained, RegainFault> {
        let op = OpId::from_bytes([7; 32]);
        Err(RegainFault::Contradicts { op })
    }
}

#[test]
fn what_was_dropped_comes_back_from_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = SigningKey::from([1; 32]);
    let (mut full, mut phone) = founded_with_seals(&root);
    let (mut at_full, mut at_phone) = (mailbox_in(folder.path(), 1), mailbox_in(folder.path(), 2));
    for number in 1..=12 {
        write(&mut phone, 1, number);
        at_phone.sync(&mut phone).unwrap();
        at_full.sync(&mut full).unwrap();
    }
    full.seal(&root, NOW_MS + 100).unwrap();
    at_full.sync(&mut full).unwrap();
    at_phone.sync(&mut phone).unwrap();
    // Nothing is dropped, so nothing is read.
    assert_eq!(at_phone.fetch_older(&mut phone).unwrap().packs, 0);
    assert_eq!(phone.prune().unwrap().ops, 11);
    let whole: Vec<_> = full.envelopes().map(|it| it.into_owned()).collect();

    // Who remembers the packs and who does not, and neither puts anything there a second time.
    for mut at_phone in [at_phone, mailbox_in(folder.path(), 2).looking_after_all()] {
        phone.prune().unwrap();
        at_phone.sync(&mut phone).unwrap();
        let older = at_phone.fetch_older(&mut phone).unwrap();
        assert_eq!((older.ops, older.bad_packs), (11, 0));
        assert!(
            phone
                .envelopes()
                .map(|it| it.into_owned())
                .eq(whole.clone())
        );
        let visit = at_phone.sync(&mut phone).unwrap();
        assert_eq!((visit.ops_put, visit.bytes_put), (0, 0));
        assert_eq!(
            at_phone.fetch_older(&mut phone).unwrap(),
            OlderVisit::default()
        );
    }

    // An op that is not what was told of it is an error of the visit.
    phone.prune().unwrap();
    let mut wronged = Wronged(phone);
    let mut at_phone = mailbox_in(folder.path(), 2).looking_after_all();
    at_phone.sync(&mut wronged).unwrap();
    let error = at_phone.fetch_older(&mut wronged).unwrap_err();
    assert!(matches!(error, MailboxError::Contradicts { .. }), "{error}");
    let Wronged(mut phone) = wronged;

    // A pack that was changed gives nothing back, and the others do.
    phone.prune().unwrap();
    let packs = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().path());
    let packs = packs.filter(|it| {
        it.file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("packs-")
    });
    let objects: Vec<_> = packs
        .flat_map(|it| fs::read_dir(it).unwrap().map(|it| it.unwrap().path()))
        .collect();
    let length = |it: &std::path::PathBuf| fs::metadata(it).unwrap().len();
    let longest = objects.iter().map(length).max();
    for object in objects.iter().filter(|it| Some(length(it)) != longest) {
        let mut bytes = fs::read(object).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(object, bytes).unwrap();
    }
    let mut at_phone = mailbox_in(folder.path(), 2).looking_after_all();
    at_phone.fetch(&mut phone).unwrap();
    let older = at_phone.fetch_older(&mut phone).unwrap();
    assert!(older.ops > 0 && older.bad_packs > 0, "{older:?}");
    assert_eq!(phone.log().pruned_count(), 11 - older.ops);
}

#[test]
fn a_pruned_node_puts_what_it_has_and_others_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let root = SigningKey::from([1; 32]);
    let (mut full, mut phone) = founded_with_seals(&root);
    let mailbox = |node: u8| mailbox_in(folder.path(), node);
    let (mut at_full, mut at_phone) = (mailbox(1).looking_after_all(), mailbox(2));
    // Enough small packs of the phone's own that they would be merged.
    for number in 1..=12 {
        write(&mut phone, 1, number);
        at_phone.sync(&mut phone).unwrap();
        at_full.sync(&mut full).unwrap();
    }
    full.seal(&root, NOW_MS + 100).unwrap();
    at_full.sync(&mut full).unwrap();
    at_phone.sync(&mut phone).unwrap();
    assert_eq!(phone.prune().unwrap().ops, 11);
    write(&mut phone, 1, 200);
    let visit = at_phone.sync(&mut phone).unwrap();
    assert_eq!((visit.ops_put, visit.packs_merged), (1, 0));
    at_full.sync(&mut full).unwrap();
    assert_eq!(full.state_digest(), phone.state_digest());

    // The folder is lost. The phone has not what a newcomer begins with; who keeps everything has.
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    let mut fresh = Replica::join(full.project());
    let mut at_fresh = mailbox(3);
    let mut at_phone = mailbox(2);
    at_phone.sync(&mut phone).unwrap();
    let visit = at_fresh.sync(&mut fresh).unwrap();
    assert!(visit.orphans > 0 && fresh.log().admitted_count() < 4);
    mailbox(1).sync(&mut full).unwrap();
    at_fresh.sync(&mut fresh).unwrap();
    assert_eq!(fresh.state_digest(), full.state_digest());
}

#[test]
fn replicas_that_never_meet_agree_through_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut a = founded(2);
    let mut b = Replica::join(a.project());
    let mailbox = |node: u8| Mailbox::new(Folder::new(folder.path(), [node; 16]), [node; 16]);
    let (mut at_a, mut at_b) = (mailbox(1), mailbox(2).looking_after_all());
    let mut known = 0;
    for round in 0..20 {
        write(&mut a, 1, round);
        at_a.sync(&mut a).unwrap();
        known += at_b.sync(&mut b).unwrap().packs_known;
        write(&mut b, 2, round);
        at_b.sync(&mut b).unwrap();
        at_a.sync(&mut a).unwrap();
        assert_eq!(a.state_digest(), b.state_digest());
    }
    assert!(known > 0, "a pack that was made of known ones is not read");

    // Nothing is put where nothing is new, and nothing is read again.
    let visit = at_a.sync(&mut a).unwrap();
    assert_eq!((visit.packs, visit.packs_put, visit.bytes_put), (0, 0, 0));

    // Who remembers reads nothing again; who has forgotten reads what is named, and puts nothing.
    let memory = at_a.memory(&a);
    let visit = mailbox(1)
        .remembering(&a, &memory)
        .looking_after_all()
        .sync(&mut a)
        .unwrap();
    assert_eq!((visit.packs, visit.lost_packs, visit.bytes_put), (0, 0, 0));
    let visit = mailbox(1).sync(&mut a).unwrap();
    assert!(visit.packs > 0);
    assert_eq!((visit.packs_put, visit.bytes_put), (0, 0));
    // What was kept for another replica is left alone.
    let visit = mailbox(1)
        .remembering(&Replica::join(a.project()), &memory)
        .sync(&mut a)
        .unwrap();
    assert!(visit.packs > 0);

    // A newcomer reads what the indexes name, which after merging is less than what lies there.
    let mut c = Replica::join(a.project());
    let visit = mailbox(3).fetch(&mut c).unwrap();
    assert!(visit.packs < files(folder.path(), "packs-"));
    assert_eq!((visit.orphans, visit.bad_packs), (0, 0));
    assert_eq!(c.state_digest(), a.state_digest());
}

#[test]
fn what_is_done_to_a_folder_delays_and_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let mut a = founded(2);
    for number in 0..5 {
        write(&mut a, 1, number);
    }
    let mailbox = |node: u8| {
        let folder = Folder::new(folder.path(), [node; 16]);
        Mailbox::new(folder, [node; 16]).looking_after_all()
    };
    let mut at_a = mailbox(1);
    at_a.sync(&mut a).unwrap();
    let packs = |how: &dyn Fn(&Path)| {
        for directory in fs::read_dir(folder.path()).unwrap() {
            let directory = directory.unwrap().path();
            if directory.to_str().unwrap().contains("packs-") {
                for file in fs::read_dir(directory).unwrap() {
                    how(&file.unwrap().path());
                }
            }
        }
    };
    let truncate = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    };
    let replace = |path: &Path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    };
    for (number, harm) in [
        &truncate as &dyn Fn(&Path),
        &|path| fs::remove_file(path).unwrap(),
        &|path| fs::write(path, b"ECACPK1\n").unwrap(),
        &replace,
    ]
    .into_iter()
    .enumerate()
    {
        packs(harm);
        let mut b = Replica::join(a.project());
        let visit = mailbox(2).sync(&mut b).unwrap();
        assert_eq!(b.log().admitted_count(), 0, "harm {number}");
        assert!(visit.bad_packs + visit.packs > 0);
        if number == 3 {
            packs(&|path| fs::remove_dir(path).unwrap());
        }
        // Its owner looks, and puts it there again.
        let visit = at_a.sync(&mut a).unwrap();
        assert!(visit.lost_packs > 0 && visit.packs_put > 0, "{visit:?}");
        mailbox(2).sync(&mut b).unwrap();
        assert_eq!(b.state_digest(), a.state_digest());
    }
}

/// A bucket that takes everything and has nothing.
struct Liar;

impl Bucket for Liar {
    fn put(&mut self, _: &str, _: &[u8]) -> Result<String, BucketError> {
        Ok("1".to_owned())
    }

    fn get(&self, _: &str, _: usize) -> Result<Option<Object>, BucketError> {
        Ok(None)
    }

    fn list(&self, _: &str) -> Result<Vec<Listed>, BucketError> {
        Ok(Vec::new())
    }
}

#[test]
fn a_bucket_that_takes_nothing_is_an_error() {
    let synced = Mailbox::new(Liar, [1; 16]).sync(&mut founded(1));
    assert!(matches!(synced, Err(MailboxError::TakesNothing)));
}

/// Requests and bytes of a bucket.
#[derive(Debug, Default)]
struct Bill {
    puts: Cell<u64>,
    gets: Cell<u64>,
    lists: Cell<u64>,
    bytes_in: Cell<u64>,
    bytes_out: Cell<u64>,
    objects: RefCell<BTreeMap<String, (u64, Vec<u8>)>>,
}

#[derive(Clone, Default)]
struct Counted(Rc<Bill>);

fn add(count: &Cell<u64>, more: usize) {
    count.set(count.get() + more as u64);
}

impl Bucket for Counted {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<String, BucketError> {
        add(&self.0.puts, 1);
        add(&self.0.bytes_in, bytes.len());
        let version = self.0.puts.get();
        let object = (version, bytes.to_vec());
        self.0.objects.borrow_mut().insert(name.to_owned(), object);
        Ok(version.to_string())
    }

    fn get(&self, name: &str, _: usize) -> Result<Option<Object>, BucketError> {
        add(&self.0.gets, 1);
        let object = self.0.objects.borrow().get(name).cloned();
        Ok(object.map(|(version, bytes)| {
            add(&self.0.bytes_out, bytes.len());
            let version = version.to_string();
            Object { bytes, version }
        }))
    }

    fn list(&self, first: &str) -> Result<Vec<Listed>, BucketError> {
        let objects = self.0.objects.borrow();
        let listed = objects.iter().filter_map(|(name, object)| {
            let name = name.strip_prefix(first)?.strip_prefix('/')?.to_owned();
            let version = object.0.to_string();
            Some(Listed { name, version })
        });
        let listed: Vec<Listed> = listed.collect();
        // A page of S3 has a thousand names.
        add(&self.0.lists, listed.len().div_ceil(1000).max(1));
        Ok(listed)
    }
}

/// `docs/sync.md`, Cost: what N nodes that write in W of V visits a day come to.
#[test]
fn a_day_costs_what_the_page_says() {
    const NODES: u64 = 10;
    const VISITS: u64 = 24;
    let bucket = Counted::default();
    let mut replicas = vec![founded(10)];
    let project = replicas[0].project();
    replicas.extend((1..NODES).map(|_| Replica::join(project)));
    let mut mailboxes: Vec<_> = (1..=10)
        .map(|it: u8| Mailbox::new(bucket.clone(), [it; 16]))
        .collect();
    let mut all = Visit::default();
    // Everybody gets the genesis, and has an index.
    for _ in 0..2 {
        for (node, replica) in replicas.iter_mut().enumerate() {
            mailboxes[node].sync(replica).unwrap();
        }
    }
    let counts = |bill: &Bill| [&bill.puts, &bill.gets, &bill.lists].map(Cell::get);
    let before = counts(&bucket.0);
    for visit in 0..VISITS {
        for (node, replica) in (1..=10).zip(&mut replicas) {
            write(replica, node, 100 + visit);
            let of = mailboxes[usize::from(node) - 1].sync(replica).unwrap();
            all.packs_known += of.packs_known;
            all.packs_merged += of.packs_merged;
            all.packs += of.packs;
        }
    }
    let after = counts(&bucket.0);
    let [puts, gets, lists] = [0, 1, 2].map(|it| after[it] - before[it]);
    let written = NODES * VISITS;
    let merged = all.packs_merged as u64;
    // A pack, an index, and what is merged.
    assert_eq!(puts, 2 * written + merged);
    assert!(merged <= written.div_ceil(7), "{merged} packs are merged");
    // Each index and each pack once for each other node, and the own index after it was put.
    let most = 2 * written * (NODES - 1) + written;
    assert!(gets <= most && gets > most * 8 / 10, "{gets} of {most}");
    assert!(all.packs_known as u64 >= merged * (NODES - 2));
    // The indexes, and one part of the packs where this node knows any.
    assert!(lists >= written && lists <= 2 * written, "{lists}");
    let bytes = bucket.0.bytes_out.get() / (written * (NODES - 1));
    assert!(bytes < 1600, "{bytes} bytes for an op and a reader");
}

/// A store that cannot be read any more once it is damaged.
#[derive(Debug, Clone)]
struct Damaged(MemoryStore, Arc<AtomicBool>);

impl OpStore for Damaged {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError> {
        self.0.append(envelope)
    }

    fn read(&self, position: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        if self.1.load(Ordering::Relaxed) {
            return Err(StoreError::new("a page is damaged"));
        }
        self.0.read(position)
    }

    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError> {
        Ok(Box::new(self.clone()))
    }
}

#[test]
fn a_store_that_cannot_be_read_is_an_error_of_the_visit() {
    let folder = tempfile::tempdir().unwrap();
    let (full, is_damaged) = (founded(2), Arc::<AtomicBool>::default());
    let mut store = MemoryStore::new();
    for envelope in full.envelopes() {
        store.append(&envelope).unwrap();
    }
    let store = Box::new(Damaged(store, Arc::clone(&is_damaged)));
    let mut replica = Replica::builder().open(full.project(), store).unwrap();
    is_damaged.store(true, Ordering::Relaxed);
    let mut mailbox = Mailbox::new(Folder::new(folder.path(), [1; 16]), [1; 16]);
    assert!(matches!(
        mailbox.sync(&mut replica),
        Err(MailboxError::Keep(_))
    ));
}
