//! A mailbox that anybody may have filled: objects as they are, or with what bytes spell under good names.
//!
//! - A visit ends, without a panic, and a second one puts nothing more.
//! - Nothing is kept that does not verify, or that is of another project, and nothing waits for its parents.
//! - What this node holds is there in the end: somebody who has nothing else reads it.
//!
//! The input is pieces, each with its length in two bytes before it. By its first byte a piece is a pack under its name, a pack
//! under another name, the index of a node (of which the packs of the input, by number, are the content), or any object.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ecac_core::{Costs, Replica, VerifiedOp};
use ecac_mailbox::{Bucket, BucketError, Listed, Mailbox, Object};

use crate::reading::Reading;
use crate::sync::{Pieces, replica};

/// Objects in memory.
#[derive(Clone, Default)]
struct Shelf(Rc<RefCell<BTreeMap<String, Vec<u8>>>>);

/// The length and a sum.
fn version(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(7_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    format!("{}-{sum}", bytes.len())
}

impl Bucket for Shelf {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<String, BucketError> {
        self.0.borrow_mut().insert(name.to_owned(), bytes.to_vec());
        Ok(version(bytes))
    }

    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Object>, BucketError> {
        let objects = self.0.borrow();
        let bytes = objects.get(name).filter(|it| it.len() <= bytes_max);
        Ok(bytes.map(|bytes| Object {
            bytes: bytes.clone(),
            version: version(bytes),
        }))
    }

    fn list(&self, first: &str) -> Result<Vec<Listed>, BucketError> {
        let objects = self.0.borrow();
        let listed = objects.iter().filter_map(|(name, bytes)| {
            let name = name.strip_prefix(first)?.strip_prefix('/')?.to_owned();
            let version = version(bytes);
            Some(Listed { name, version })
        });
        Ok(listed.collect())
    }
}

impl Shelf {
    fn pack(&self, name: [u8; 32], bytes: &[u8]) {
        let hex = hex::encode(name);
        let name = format!("packs-{}/{hex}", &hex[..2]);
        self.0.borrow_mut().insert(name, bytes.to_vec());
    }
}

/// What begins every pack.
pub const MAGIC: &[u8; 8] = b"ECACPK1\n";

/// The shelf that the input describes.
fn shelf(data: &[u8], project: &[u8; 32]) -> Shelf {
    let shelf = Shelf::default();
    let mut names: Vec<[u8; 32]> = Vec::new();
    for piece in Pieces(data) {
        let Some((kind, rest)) = piece.split_first() else {
            continue;
        };
        match kind % 4 {
            0 => {
                let bytes = [&MAGIC[..], rest].concat();
                let name = *blake3::hash(&bytes).as_bytes();
                names.push(name);
                shelf.pack(name, &bytes);
            }
            1 => {
                let name = *blake3::hash(&[*kind]).as_bytes();
                names.push(name);
                shelf.pack(name, rest);
            }
            2 => {
                let Some((node, picks)) = rest.split_first() else {
                    continue;
                };
                let index = index(project, &names, picks);
                let name = format!("indexes/{}", hex::encode([*node; 16]));
                shelf.0.borrow_mut().insert(name, index);
            }
            _ => {
                let name = format!("indexes/{}", hex::encode([*kind; 16]));
                shelf.0.borrow_mut().insert(name, rest.to_vec());
            }
        }
    }
    shelf
}

/// An index of the packs with these numbers; each byte that is odd begins a new entry, the others are what it was made of.
fn index(project: &[u8; 32], names: &[[u8; 32]], picks: &[u8]) -> Vec<u8> {
    let mut entries: BTreeMap<[u8; 32], Vec<[u8; 32]>> = BTreeMap::new();
    let mut last = None;
    for pick in picks {
        let Some(name) = names.get(usize::from(pick / 2) % names.len().max(1)) else {
            break;
        };
        match last {
            Some(entry) if pick % 2 == 0 => entries.entry(entry).or_default().push(*name),
            Some(_) | None => {
                entries.entry(*name).or_default();
                last = Some(*name);
            }
        }
    }
    let mut bytes = vec![0x82, 0x58, 0x20];
    bytes.extend(project);
    head(&mut bytes, entries.len());
    for (pack, made_of) in entries {
        bytes.extend([0x82, 0x58, 0x20]);
        bytes.extend(pack);
        head(&mut bytes, made_of.len());
        for part in made_of {
            bytes.extend([0x58, 0x20]);
            bytes.extend(part);
        }
    }
    bytes
}

/// The head of an array of fewer than 65,536 elements.
fn head(bytes: &mut Vec<u8>, length: usize) {
    let [.., high, low] = length.to_be_bytes();
    match (high, low) {
        (0, 0..=23) => bytes.push(0x80 | low),
        (0, _) => bytes.extend([0x98, low]),
        _ => bytes.extend([0x99, high, low]),
    }
}

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    let mut replica = replica();
    let before = replica.log().admitted_count();
    let shelf = shelf(data, replica.project().as_bytes());
    let mut mailbox = Mailbox::new(shelf.clone(), [0xee; 16]).looking_after_all();
    let first = mailbox
        .sync(&mut replica)
        .expect("a shelf takes everything");
    assert!(first.ops_put > 0 || first.packs > 0);
    let admitted = replica.log().admitted_count();
    let second = mailbox
        .sync(&mut replica)
        .expect("a shelf takes everything");
    // A pack of which some ops wait is read again, with what else it has that does not verify.
    let reads_again = second.orphans > 0;
    assert!(
        second.ops_put == 0 && (second.ops == 0 || reads_again),
        "{first:?}, {second:?}"
    );
    assert_eq!(replica.log().admitted_count(), admitted);
    assert_eq!(replica.holdings().pending_ops, 0);
    for envelope in replica.envelopes() {
        assert!(VerifiedOp::read(&envelope, &mut Costs::default()).is_ok());
    }
    let memory = mailbox.memory(&replica);
    let again = Mailbox::new(shelf.clone(), [0xee; 16]).remembering(&replica, &memory);
    assert_eq!(again.memory(&replica), memory);
    let cut = &memory[..memory.len().min(data.len())];
    drop(Mailbox::new(shelf.clone(), [0; 16]).remembering(&replica, cut));
    drop(Mailbox::new(shelf.clone(), [0; 16]).remembering(&replica, data));
    let mut newcomer = Replica::join(replica.project());
    let read = Mailbox::new(shelf, [0xdd; 16]).fetch(&mut newcomer);
    read.expect("a shelf can be read");
    assert_eq!(newcomer.state_digest(), replica.state_digest());
    Reading::of(replica.log().admitted_count() > before)
}
