//! Power fails at every step of filling a store from a sealed snapshot: it holds all of it then, or nothing.

use std::path::Path;

use super::image::{Failing, Image};
use super::place::Place as _;
use super::{NAME, open, sealing};
use crate::error::Error;
use crate::options::Options;
use crate::store::Store;
use crate::verify::verify_store;

#[test]
fn power_fails_at_every_step_of_a_start() {
    let source = sealing(120, 120, &["carry", "seal"]);
    let carried = source.carry().unwrap();
    let image = Image::default();
    let store = Store::create_on(Path::new(NAME), image.make(), source.project()).unwrap();
    let made = image.steps();
    let replica = Options::new().start_on(store, &carried).unwrap();
    let filled = image.steps();
    assert_eq!(replica.log().pruned_count(), 113);
    drop(replica);
    let steps = image.take_steps();
    let mut failing = Failing::new(&steps);
    let (mut nothing, mut all) = (0, 0);
    for moment in 0..=steps.len() {
        for left in failing.left(moment) {
            let found = match open(Image::of(left.clone())) {
                Ok(found) => found,
                Err(Error::Empty { .. } | Error::Foreign { .. }) if moment < made => continue,
                Err(error) => panic!("moment {moment}: {error}"),
            };
            let started = if found.log().admitted_count() == 0 {
                assert!(
                    moment < filled,
                    "moment {moment}: what was acknowledged is gone"
                );
                nothing += 1;
                drop(found);
                let image = Image::of(left);
                let store = Store::open_on(Path::new(NAME), image.find().unwrap()).unwrap();
                Options::new().start_on(store, &carried).unwrap()
            } else {
                all += 1;
                found
            };
            let what = (
                started.log().admitted_count(),
                started.log().pruned_count(),
                started.state_digest(),
            );
            let wanted = (source.log().admitted_count(), 113, source.state_digest());
            assert_eq!(what, wanted, "moment {moment}");
            if moment % 8 == 0 {
                assert_eq!(started.carry().unwrap(), carried, "moment {moment}");
                assert_eq!(verify_store(started.store(), 1).unwrap().dropped, 113);
            }
        }
    }
    assert!(
        nothing > 10 && all > 3,
        "{nothing} times nothing, {all} times all"
    );
    // What holds something is not filled.
    let store = Store::open_on(Path::new(NAME), image.find().unwrap()).unwrap();
    let error = Options::new().start_on(store, &carried).unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
}
