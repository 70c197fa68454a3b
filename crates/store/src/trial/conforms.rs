//! What every backend does, asked of each.

use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::path::Path;

use chacha20::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use super::image::Image;
#[cfg(feature = "rocksdb")]
use super::place::Place as _;
use super::{CACHE_BYTES, NAME, below};
use crate::backend::{Backend, Batch, Pair, Table};
use crate::disk::{Check, Disk};

type Told = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Asks a backend what a map of the same changes answers; `open` opens the same place each time, and makes it the first time.
fn conforms(open: &dyn Fn() -> Box<dyn Backend>) {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut told = Told::new();
    let mut backend = open();
    same(&*backend, &told, &mut random);
    for round in 0..40 {
        let mut batch = Batch::default();
        for _ in 0..below(&mut random, 20) {
            let table = Table::ALL[below(&mut random, Table::ALL.len())];
            let key = key(&mut random);
            if random.next_u32().is_multiple_of(3) {
                batch.remove(table, &key);
                told.remove(&(table, key));
            } else {
                let length = [0, 1, 100, 5000, 70_000][below(&mut random, 5)];
                let value = vec![random.next_u32().to_le_bytes()[0]; length];
                batch.put(table, &key, value.clone());
                told.insert((table, key), value);
            }
        }
        backend.commit(&batch).unwrap();
        same(&*backend, &told, &mut random);
        if round % 5 == 4 {
            if round % 10 == 4 {
                backend.close(0).unwrap();
                assert!(backend.get(Table::Ops, b"a").is_err(), "it is closed");
            }
            drop(backend);
            backend = open();
            same(&*backend, &told, &mut random);
        }
    }
}

fn key(random: &mut ChaCha8Rng) -> Vec<u8> {
    let length = below(random, 4);
    (0..length).map(|_| [0, 7, 255][below(random, 3)]).collect()
}

fn same(backend: &dyn Backend, told: &Told, random: &mut ChaCha8Rng) {
    for table in Table::ALL {
        let of_table: Vec<Pair> = told
            .iter()
            .filter(|((of, _), _)| *of == table)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        let mut all = Vec::new();
        let taken = backend.each(table, &mut |key, value| {
            all.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        });
        taken.unwrap();
        assert!(all == of_table, "{} differs", table.name());
        let mut first = None;
        let taken = backend.each(table, &mut |key, _| {
            assert!(first.replace(key.to_vec()).is_none(), "it was broken off");
            ControlFlow::Break(())
        });
        taken.unwrap();
        for _ in 0..10 {
            let key = key(random);
            let get = of_table.iter().find(|(it, _)| *it == key);
            assert!(backend.get(table, &key).unwrap() == get.map(|it| it.1.clone()));
            let before = of_table.iter().rfind(|(it, _)| *it <= key).cloned();
            assert!(backend.at_or_before(table, &key).unwrap() == before);
            let after = of_table.iter().find(|(it, _)| *it > key).cloned();
            assert!(backend.after(table, &key).unwrap() == after);
        }
    }
}

#[test]
fn redb_in_memory_conforms() {
    let image = Image::default();
    conforms(&|| {
        let (path, image) = (Path::new(NAME), Box::new(image.clone()));
        if image.bytes().is_empty() {
            return Box::new(Disk::create_on(path, image, CACHE_BYTES).unwrap());
        }
        Box::new(Disk::open_on(path, image, CACHE_BYTES, false, Check::AsRead).unwrap())
    });
}

#[test]
fn redb_in_a_file_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tables");
    conforms(&|| {
        if file.exists() {
            return Box::new(Disk::open(&file, CACHE_BYTES, false, Check::AsRead).unwrap());
        }
        Box::new(Disk::create(&file, CACHE_BYTES).unwrap())
    });
}

#[cfg(feature = "rocksdb")]
#[test]
fn rocksdb_conforms() {
    let folder = super::folder::Folder::new();
    conforms(&|| {
        if folder.path().exists() {
            return folder.find().unwrap();
        }
        folder.make()
    });
}
