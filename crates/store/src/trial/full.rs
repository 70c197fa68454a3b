//! A disk that is full: the call says so, and the store is as it was.

use std::io;
use std::path::Path;

use super::image::Image;
use super::{CACHE_BYTES, NAME, envelopes, open};
use crate::disk::Disk;
use crate::error::Error;
use crate::store::Store;

#[test]
fn a_full_disk_is_told_and_leaves_the_store_as_it_was() {
    let (source, envelopes) = envelopes(40);
    let image = Image::default();
    let path = Path::new(NAME);
    let disk = Disk::create_on(path, Box::new(image.clone()), CACHE_BYTES).unwrap();
    drop(Store::create_on(path, Box::new(disk), source.project()).unwrap());
    let empty = image.bytes();
    let (first, second) = envelopes.split_at(20);
    let mut told = ecac_core::Replica::join(source.project());
    told.receive(first);
    let before = told.state_digest();
    told.receive(second);
    let after = told.state_digest();
    let mut failures = 0;
    for steps in 0.. {
        image.replace(empty.clone());
        let mut replica = open(image.clone()).unwrap();
        replica.receive(first).unwrap();
        image.fill_after(Some(steps));
        let received = replica.receive(second);
        let is_over = received.is_ok();
        if let Err(error) = received {
            failures += 1;
            let Error::Io { source, .. } = &error else {
                panic!("step {steps}: {error:?}");
            };
            assert_eq!(source.kind(), io::ErrorKind::StorageFull);
            assert!(error.hint().unwrap().contains("room"));
            let again = replica.receive(second).unwrap_err();
            assert!(matches!(again, Error::Broken { .. }), "{again}");
        }
        drop(replica);
        image.fill_after(None);
        let replica = open(image.clone()).unwrap();
        let digest = replica.state_digest();
        let whole = replica.log().admitted_count() == envelopes.len();
        assert_eq!(digest, if whole { after } else { before }, "step {steps}");
        assert!(whole || !is_over);
        if is_over {
            break;
        }
    }
    assert!(failures > 4, "{failures} steps");
}

#[test]
fn no_store_is_made_on_a_full_disk() {
    let (source, _) = envelopes(0);
    let path = Path::new(NAME);
    for steps in 0.. {
        let image = Image::default();
        image.fill_after(Some(steps));
        let disk = Disk::create_on(path, Box::new(image.clone()), CACHE_BYTES);
        let made = disk.and_then(|disk| Store::create_on(path, Box::new(disk), source.project()));
        if made.is_ok() {
            break;
        }
        assert!(
            matches!(made, Err(Error::Io { .. })),
            "step {steps}: {made:?}"
        );
        drop(made);
        image.fill_after(None);
        let error = open(image).err();
        assert!(
            matches!(
                error,
                None | Some(Error::Empty { .. } | Error::Foreign { .. })
            ),
            "step {steps}: {error:?}"
        );
    }
}
