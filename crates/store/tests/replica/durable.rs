//! A replica on a file: what was taken in is there again, and what is wrong is said.

use std::fs;

use crate::common::{Shop, batch_of, bytes_of};
use ecac_core::{AuthorError, DraftError, Event, Refusal, Replica, SigningKey, public_key};
use ecac_store::{DurableReplica, Error, Form, Options, Store, verify};

/// Everything that a replica says.
fn all(replica: &Replica) -> (Vec<u8>, Vec<u8>, Vec<Vec<u8>>) {
    let envelopes = replica.envelopes().map(|it| it.into_owned()).collect();
    (replica.state(), replica.trust(), envelopes)
}

fn what_was_written_and_received_is_there_again_in(shop: &Shop) {
    let mut replica = shop.create();
    for number in 0..20 {
        replica
            .author(shop.write(number), &shop.root, 100 + number)
            .unwrap();
    }
    let said = all(&replica);
    let other = shop.file("other");
    let mut joined = shop.options().join(&other, replica.project()).unwrap();
    joined.receive(&said.2).unwrap();
    assert_eq!(all(&joined), said);
    for (replica, file) in [(replica, &shop.file), (joined, &other)] {
        replica.close().unwrap();
        let again = DurableReplica::open(file).unwrap();
        assert_eq!(all(&again), said);
        drop(again);
        let verified = verify(file, 1).unwrap();
        assert_eq!((verified.ops, verified.held), (21, 0));
        let mut again = DurableReplica::open(file).unwrap();
        again.snapshot().unwrap();
        again.author(shop.write(50), &shop.root, 500).unwrap();
        let said = all(&again);
        // Without an end in order.
        drop(again);
        let read = DurableReplica::open_read_only(file).unwrap();
        assert_eq!(all(&read), said);
        assert_eq!(read.store().snapshot_ops(), Some(21));
        drop(read);
        assert_eq!(verify(file, 1).unwrap().snapshot_ops, Some(21));
        assert_eq!(all(&Options::new().rebuild(file).unwrap()), said);
    }
}

#[test]
fn what_was_written_and_received_is_there_again() {
    Shop::each().for_each(|shop| what_was_written_and_received_is_there_again_in(&shop));
}

fn a_pruned_store_is_shorter_and_goes_on_in(shop: &Shop) {
    let mut replica = shop.create_sealing();
    // So many that a directory of RocksDB, which keeps a mebibyte to spare, is made shorter too when it is closed.
    let writes: u64 = if shop.form == Form::Redb { 800 } else { 6000 };
    for number in 0..writes {
        let write = shop.write(number);
        replica.author(write, &shop.root, 100 + number).unwrap();
    }
    replica.snapshot().unwrap();
    let length = || bytes_of(&shop.file).values().map(Vec::len).sum::<usize>();
    replica.close().unwrap();
    let before = length();
    let options = || Options::new().markers(shop.file("markers"));
    let mut replica = options().open(&shop.file).unwrap();
    replica.vouch(&public_key(&shop.root)).unwrap();
    assert_eq!(replica.prune().unwrap().ops, 0);
    replica.seal(&shop.root, 10_000).unwrap();
    let (state, trust) = (replica.state(), replica.trust());
    assert_eq!(replica.prune().unwrap().ops as u64, writes - 7);
    replica.close().unwrap();
    assert!(length() < before * 6 / 10, "{} of {before} B", length());
    let verified = verify(&shop.file, 1).unwrap();
    assert_eq!((verified.ops, verified.dropped), (writes + 2, writes - 7));
    let mut replica = options().open(&shop.file).unwrap();
    assert_eq!((replica.state(), replica.trust()), (state, trust));
    // A machine that lost its markers vouches, and writes on.
    fs::remove_dir_all(shop.file("markers")).unwrap();
    replica.vouch(&public_key(&shop.root)).unwrap();
    replica.author(shop.write(500), &shop.root, 20_000).unwrap();
    drop(replica);
    let error = Options::new().rebuild(&shop.file).unwrap_err();
    assert!(matches!(error, Error::Pruned { .. }), "{error}");
    assert_eq!(verify(&shop.file, 1).unwrap().dropped, writes - 7);
}

#[test]
fn a_pruned_store_is_shorter_and_goes_on() {
    Shop::each().for_each(|shop| a_pruned_store_is_shorter_and_goes_on_in(&shop));
}

fn a_store_starts_from_a_sealed_snapshot_in(shop: &Shop) {
    let mut office = shop.create_sealing();
    for number in 0..40 {
        let write = shop.write(number);
        office.author(write, &shop.root, 100 + number).unwrap();
    }
    office.seal(&shop.root, 1000).unwrap();
    let carried = office.carry().unwrap();
    let (file, project) = (shop.file("newcomer"), office.project());
    let other = shop.file("other");
    let start = |file, carried: &[u8]| shop.options().start_from(file, project, carried);
    let error = start(&other, &carried[..carried.len() - 1]).unwrap_err();
    assert!(
        matches!(error, Error::Start(_)) && !other.exists(),
        "{error}"
    );
    // A store that holds nothing, as a power failure leaves it, will do.
    shop.options()
        .join(&file, project)
        .unwrap()
        .close()
        .unwrap();
    let newcomer = start(&file, &carried).unwrap();
    assert_eq!(newcomer.log().pruned_count(), 33);
    assert!(matches!(start(&file, &carried), Err(Error::Exists { .. })));
    let said = |replica: &Replica| (replica.state(), replica.trust(), replica.heads());
    assert_eq!(said(&newcomer), said(&office));
    drop(newcomer);
    let verified = verify(&file, 1).unwrap();
    assert_eq!((verified.ops, verified.dropped), (42, 33));
    // It goes on as every other one does.
    let mut newcomer = DurableReplica::open(&file).unwrap();
    assert_eq!(newcomer.carry().unwrap(), carried);
    let before = office.envelopes().count();
    office.author(shop.write(50), &shop.root, 2000).unwrap();
    let later: Vec<_> = office.envelopes().skip(before).collect();
    newcomer.receive(&later).unwrap();
    assert_eq!(said(&newcomer), said(&office));
    newcomer.close().unwrap();
    let mut newcomer = DurableReplica::open_read_only(&file).unwrap();
    assert_eq!(said(&newcomer), said(&office));
    // What it began without comes from who has it.
    let everything: Vec<_> = office.envelopes().collect();
    let error = newcomer.regain(&everything).unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
    drop(newcomer);
    let mut newcomer = DurableReplica::open(&file).unwrap();
    assert_eq!(newcomer.regain(&everything).unwrap().ops, 33);
    newcomer.close().unwrap();
    let verified = verify(&file, 1).unwrap();
    assert_eq!((verified.ops, verified.dropped), (43, 0));
    let newcomer = Options::new().rebuild(&file).unwrap();
    assert_eq!(said(&newcomer), said(&office));
    assert_eq!(newcomer.envelopes().count(), everything.len());
}

#[test]
fn a_store_starts_from_a_sealed_snapshot() {
    Shop::each().for_each(|shop| a_store_starts_from_a_sealed_snapshot_in(&shop));
}

fn what_waits_is_there_again_in(shop: &Shop) {
    let envelopes = batch_of(shop, 10);
    let project = shop.create().project();
    let file = shop.file("other");
    let mut joined = shop.options().join(&file, project).unwrap();
    joined.receive(&envelopes[5..]).unwrap();
    assert_eq!(joined.log().pending_count(), envelopes.len() - 5);
    joined.snapshot().unwrap();
    drop(joined);
    let mut joined = DurableReplica::open(&file).unwrap();
    assert_eq!(joined.log().pending_count(), envelopes.len() - 5);
    assert!(matches!(verify(&file, 1), Err(Error::Held { .. })));
    joined.receive(&envelopes[1..5]).unwrap();
    assert_eq!(joined.log().admitted_count(), 0);
    joined.receive(&envelopes[..1]).unwrap();
    assert_eq!(joined.log().pending_count(), 0);
    assert_eq!(joined.log().admitted_count(), envelopes.len());
    drop(joined);
    // The snapshot has them as pending.
    let joined = DurableReplica::open(&file).unwrap();
    assert_eq!(joined.log().pending_count(), 0);
    assert_eq!(joined.log().admitted_count(), envelopes.len());
    drop(joined);
    let verified = verify(&file, 1).unwrap();
    assert_eq!((verified.held, verified.ops), (0, envelopes.len() as u64));
}

#[test]
fn what_waits_is_there_again() {
    Shop::each().for_each(|shop| what_waits_is_there_again_in(&shop));
}

fn a_second_writer_is_told_of_the_first_in(shop: &Shop) {
    let replica = shop.create();
    let refused = DurableReplica::open(&shop.file).unwrap_err();
    let Error::Held { holder, .. } = &refused else {
        panic!("{refused}");
    };
    let holder = holder.clone().unwrap();
    assert_eq!(holder.process, std::process::id());
    assert!(refused.to_string().contains(&holder.program));
    assert!(matches!(
        DurableReplica::open_read_only(&shop.file),
        Err(Error::Held { .. })
    ));
    drop(replica);
    let readers: Vec<_> = (0..3)
        .map(|_| DurableReplica::open_read_only(&shop.file).unwrap())
        .collect();
    assert!(matches!(
        DurableReplica::open(&shop.file),
        Err(Error::Held { .. })
    ));
    drop(readers);
    DurableReplica::open(&shop.file).unwrap();
}

#[test]
fn a_second_writer_is_told_of_the_first() {
    Shop::each().for_each(|shop| a_second_writer_is_told_of_the_first_in(&shop));
}

#[test]
fn what_is_no_store_is_left_as_it_is() {
    let shop = Shop::new();
    let check = |name: &str, bytes: &[u8], wants: fn(&Error) -> bool| {
        let file = shop.file(name);
        fs::write(&file, bytes).unwrap();
        for error in [
            DurableReplica::open(&file).unwrap_err(),
            DurableReplica::open_read_only(&file).unwrap_err(),
            verify(&file, 1).unwrap_err(),
        ] {
            assert!(wants(&error), "{name}: {error}");
            assert!(error.hint().is_some());
        }
        assert!(matches!(
            shop.create_at(&file).unwrap_err(),
            Error::Exists { .. }
        ));
        assert_eq!(fs::read(&file).unwrap(), bytes, "{name}");
    };
    check("empty", b"", |it| matches!(it, Error::Empty { .. }));
    check("zeros", &[0; 9000], |it| matches!(it, Error::Empty { .. }));
    check("text", b"hello", |it| matches!(it, Error::Foreign { .. }));
    check("long text", &[b'a'; 9000], |it| {
        matches!(it, Error::Foreign { .. })
    });
    let missing = shop.file("missing");
    assert!(matches!(
        Store::open(&missing).unwrap_err(),
        Error::NotFound { .. }
    ));
    assert!(!missing.exists());
}

fn opening_and_reading_touch_nothing_in(shop: &Shop) {
    let mut replica = shop.create();
    replica.author(shop.write(1), &shop.root, 100).unwrap();
    drop(replica);
    let before = bytes_of(&shop.file);
    drop(DurableReplica::open(&shop.file).unwrap());
    drop(DurableReplica::open_read_only(&shop.file).unwrap());
    verify(&shop.file, 1).unwrap();
    DurableReplica::open(&shop.file).unwrap().close().unwrap();
    assert!(bytes_of(&shop.file) == before);
    let mut reader = DurableReplica::open_read_only(&shop.file).unwrap();
    let written = reader.author(shop.write(2), &shop.root, 200).unwrap_err();
    assert!(matches!(written, Error::ReadOnly { .. }), "{written}");
    drop(reader);
    assert!(bytes_of(&shop.file) == before);
}

#[test]
fn opening_and_reading_touch_nothing() {
    Shop::each().for_each(|shop| opening_and_reading_touch_nothing_in(&shop));
}

#[test]
fn what_cannot_be_written_changes_nothing() {
    let shop = Shop::new();
    let mut replica = shop.create();
    let stranger = SigningKey::from([77; 32]);
    let refused = replica.author(shop.write(1), &stranger, 100).unwrap_err();
    let Error::Author(AuthorError::Draft(DraftError::Refused { reason, .. })) = refused else {
        panic!("{refused}");
    };
    assert_eq!(reason, Refusal::NoGrant);
    assert_eq!(replica.next_seq(&public_key(&stranger)), 0);
    let received = replica.receive(&[b"no op"]).unwrap();
    assert!(matches!(received.events[..], [Event::Rejected { .. }]));
    let generation = replica.store().generation();
    replica.author(shop.write(1), &shop.root, 100).unwrap();
    assert_eq!(replica.store().generation(), generation + 1);
}

fn others_read_what_is_committed_in(shop: &Shop) {
    let mut replica = shop.create();
    let reader = replica.reader();
    let other = reader.clone();
    let counts = std::thread::spawn(move || {
        let mut last = 0;
        while last < 31 {
            let ops = other.ops();
            assert!(ops >= last);
            last = ops;
            let newest = other.envelope(ops - 1).unwrap();
            assert!(newest.is_some_and(|it| !it.is_empty()));
        }
    });
    for number in 0..30 {
        replica
            .author(shop.write(number), &shop.root, 100 + number)
            .unwrap();
    }
    counts.join().unwrap();
    assert_eq!(reader.envelope(31).unwrap(), None);
    replica.close().unwrap();
    assert!(matches!(reader.envelope(0), Err(Error::Broken { .. })));
}

#[test]
fn others_read_what_is_committed() {
    Shop::each().for_each(|shop| others_read_what_is_committed_in(&shop));
}
