//! Credentials and status lists, read and verified once.
//!
//! What a JWT says, and whether a key signed it, depends on nothing but the JWT and the key. Each thread remembers
//! both, since most histories begin with the same documents.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ecac_core::PublicKey;
use ecac_core::credential::{Credential, StatusList};

/// Documents that a thread remembers; a status list takes 16 KiB.
const REMEMBERED_MAX: usize = 2048;

/// A document, and which keys signed it, as far as that was asked.
#[derive(Debug)]
pub(super) struct Paper<T> {
    pub(super) says: T,
    signed: RefCell<BTreeMap<PublicKey, bool>>,
}

/// Documents by their JWT; `None` for what is no such document.
type Remembered<T> = RefCell<BTreeMap<String, Option<Rc<Paper<T>>>>>;

thread_local! {
    static CREDENTIALS: Remembered<Credential> = const { RefCell::new(BTreeMap::new()) };
    static LISTS: Remembered<StatusList> = const { RefCell::new(BTreeMap::new()) };
}

/// The credential that the JWT is, if it is one.
pub(super) fn credential(jwt: &str) -> Option<Rc<Paper<Credential>>> {
    CREDENTIALS.with(|remembered| read(remembered, jwt, |jwt| Credential::parse(jwt).ok()))
}

/// The status list that the JWT is, if it is one.
pub(super) fn list(jwt: &str) -> Option<Rc<Paper<StatusList>>> {
    LISTS.with(|remembered| read(remembered, jwt, |jwt| StatusList::parse(jwt).ok()))
}

fn read<T>(
    remembered: &Remembered<T>,
    jwt: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<Rc<Paper<T>>> {
    if let Some(paper) = remembered.borrow().get(jwt) {
        return paper.clone();
    }
    let paper = parse(jwt).map(|says| {
        Rc::new(Paper {
            says,
            signed: RefCell::default(),
        })
    });
    let mut remembered = remembered.borrow_mut();
    if remembered.len() >= REMEMBERED_MAX {
        remembered.clear();
    }
    remembered.insert(jwt.to_owned(), paper.clone());
    paper
}

impl<T> Paper<T> {
    fn signed_by(&self, key: &PublicKey, verify: impl Fn(&T) -> bool) -> bool {
        let mut signed = self.signed.borrow_mut();
        *signed.entry(*key).or_insert_with(|| verify(&self.says))
    }
}

impl Paper<Credential> {
    pub(super) fn verifies_with(&self, key: &PublicKey) -> bool {
        self.signed_by(key, |it| it.verifies_with(key))
    }
}

impl Paper<StatusList> {
    pub(super) fn verifies_with(&self, key: &PublicKey) -> bool {
        self.signed_by(key, |it| it.verifies_with(key))
    }
}
