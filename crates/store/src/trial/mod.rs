//! Trials: disks that lose, tear and reorder what was not synced, and files of which a byte is flipped.

mod conforms;
mod crash;
mod drops;
mod flip;
#[cfg(feature = "rocksdb")]
mod folder;
mod full;
mod image;
mod measure;
mod place;
mod regained;
mod resumed;
#[cfg(feature = "rocksdb")]
mod rocks;
mod started;
mod told;

use chacha20::ChaCha8Rng;
use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
use rand_core::Rng as _;

use crate::durable::DurableReplica;
use crate::error::Error;
use image::Image;
use place::Place;

/// What errors call the image.
const NAME: &str = "image";
/// Little, so that pages leave the memory.
const CACHE_BYTES: usize = 1 << 16;

/// The replica on an image.
fn open(image: Image) -> Result<DurableReplica, Error> {
    Place::open(&image)
}

/// The envelopes of a project with so many writes by its root.
fn envelopes(writes: u64) -> (Replica, Vec<Vec<u8>>) {
    sealed_envelopes(writes, u64::MAX)
}

/// The same, and a seal after each so many writes.
fn sealed_envelopes(writes: u64, each: u64) -> (Replica, Vec<Vec<u8>>) {
    let replica = sealing(writes, each, &["seal"]);
    let envelopes = replica.envelopes().map(|it| it.into_owned()).collect();
    (replica, envelopes)
}

/// The project with these features.
fn sealing(writes: u64, each: u64, features: &[&str]) -> Replica {
    let root = SigningKey::from([1; 32]);
    let genesis = Genesis {
        name: Name::new("shop").unwrap(),
        nonce: [0; 16],
        roots: [public_key(&root)].into(),
        schema: [].into(),
        features: features
            .iter()
            .map(|it| (Name::new(*it).unwrap(), Vec::new()))
            .collect(),
    };
    let mut replica = Replica::create(genesis, &root, 1).unwrap();
    for number in 0..writes {
        // Some are long, so that they lie across chunks.
        let width = if number % 61 == 60 { 20_000 } else { 80 };
        let value = Value::Text(format!("{number:0>width$}"));
        let write = SetField::new(&format!("phone/{}", number % 7), "status", value).unwrap();
        replica.author(write, &root, 2 + 2 * number).unwrap();
        if number % each == each - 1 {
            replica.seal(&root, 3 + 2 * number).unwrap();
        }
    }
    replica
}

/// A number below the bound.
fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    usize::try_from(random.next_u64() % bound.max(1) as u64).unwrap()
}

/// How many, by the environment: for the long trials.
fn count(variable: &str, otherwise: usize) -> usize {
    let said = std::env::var(variable).ok();
    said.map_or(otherwise, |it| it.parse().expect("a number"))
}
