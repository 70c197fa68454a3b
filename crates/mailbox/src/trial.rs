//! Seeded trials: nodes that share a bucket whose owner does what he likes with it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};

use crate::bucket::{Bucket, BucketError, Listed, Object};
use crate::defect::Defect;
use crate::mailbox::Mailbox;

const NOW_MS: u64 = 1_767_225_600_000;
const NODES: u8 = 4;

/// Objects in memory, with all that ever was under their names.
#[derive(Clone, Default)]
pub(crate) struct Shared(Rc<RefCell<Objects>>);

#[derive(Default)]
struct Objects {
    there: BTreeMap<String, (u64, Vec<u8>)>,
    old: Vec<(String, Vec<u8>)>,
    puts: u64,
}

impl Bucket for Shared {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<String, BucketError> {
        let objects = &mut *self.0.borrow_mut();
        objects.puts += 1;
        objects.old.push((name.to_owned(), bytes.to_vec()));
        let object = (objects.puts, bytes.to_vec());
        objects.there.insert(name.to_owned(), object);
        Ok(objects.puts.to_string())
    }

    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Object>, BucketError> {
        let objects = self.0.borrow();
        let there = objects.there.get(name);
        let there = there.filter(|it| it.1.len() <= bytes_max);
        Ok(there.map(|(version, bytes)| Object {
            bytes: bytes.clone(),
            version: version.to_string(),
        }))
    }

    fn list(&self, first: &str) -> Result<Vec<Listed>, BucketError> {
        let objects = self.0.borrow();
        let listed = objects.there.iter().filter_map(|(name, object)| {
            let name = name.strip_prefix(first)?.strip_prefix('/')?.to_owned();
            let version = object.0.to_string();
            Some(Listed { name, version })
        });
        Ok(listed.collect())
    }
}

/// Numbers from a seed.
struct Chance(blake3::OutputReader);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes) as usize % bound.max(1)
    }
}

impl Shared {
    /// What the owner of the bucket does to one object.
    fn harm(&self, chance: &mut Chance) {
        let objects = &mut *self.0.borrow_mut();
        let names: Vec<String> = objects.there.keys().cloned().collect();
        if names.is_empty() {
            return;
        }
        let name = &names[chance.below(names.len())];
        objects.puts += 1;
        let version = objects.puts;
        match chance.below(5) {
            0 => drop(objects.there.remove(name)),
            1 => {
                // Something older, or something else, under this name.
                let (_, bytes) = &objects.old[chance.below(objects.old.len())];
                let object = (version, bytes.clone());
                objects.there.insert(name.clone(), object);
            }
            2 => {
                let of_name: Vec<_> = objects.old.iter().filter(|it| it.0 == *name).collect();
                let (_, bytes) = of_name[chance.below(of_name.len())];
                let object = (version, bytes.clone());
                objects.there.insert(name.clone(), object);
            }
            3 => {
                let other = names[chance.below(names.len())].clone();
                let bytes = objects.there[&other].1.clone();
                objects.there.insert(name.clone(), (version, bytes));
            }
            _ => {
                let cut = chance.below(400);
                if let Some((at, bytes)) = objects.there.get_mut(name) {
                    *at = version;
                    bytes.truncate(cut);
                }
            }
        }
    }
}

fn founded() -> Replica {
    let genesis = Genesis {
        name: Name::new("shop").unwrap(),
        nonce: [0; 16],
        roots: (1..=NODES).map(|it| public_key(&key(it))).collect(),
        schema: [].into(),
        features: [].into(),
    };
    Replica::create(genesis, &key(1), NOW_MS).unwrap()
}

fn key(number: u8) -> SigningKey {
    SigningKey::from([number; 32])
}

/// Nodes write, visit the bucket, forget; its owner harms it, and stops at last. Then all visit it some times, and somebody
/// who has nothing else reads it.
fn play(seed: u64, defect: Option<Defect>) -> Result<(), String> {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(b"ecac-mailbox-trial")
        .update(&seed.to_le_bytes());
    let mut chance = Chance(hasher.finalize_xof());
    let bucket = Shared::default();
    let first = founded();
    let project = first.project();
    let mut replicas = vec![first];
    replicas.extend((1..NODES).map(|_| Replica::join(project)));
    let visiting = |node: u8| {
        let mut mailbox = Mailbox::new(bucket.clone(), [node; 16]);
        mailbox.defect = defect;
        mailbox
    };
    let mut mailboxes: Vec<_> = (1..=NODES).map(visiting).collect();
    let mut failed = 0;
    for step in 0..120 {
        let node = chance.below(usize::from(NODES));
        match chance.below(10) {
            0..=3 => {
                let value = Value::Text(format!("{step}"));
                let field = SetField::new("order/1", "status", value).unwrap();
                let key = key(u8::try_from(node).unwrap() + 1);
                // Who has no genesis yet cannot write.
                drop(replicas[node].author(field, &key, NOW_MS + step));
            }
            4 if chance.below(4) == 0 => {
                let memory = mailboxes[node].memory(&replicas[node]);
                let node_id = u8::try_from(node).unwrap() + 1;
                mailboxes[node] = if chance.below(2) == 0 {
                    visiting(node_id)
                } else {
                    visiting(node_id).remembering(&replicas[node], &memory)
                };
            }
            5 if seed.is_multiple_of(2) => bucket.harm(&mut chance),
            _ => {
                let visited = mailboxes[node].sync(&mut replicas[node]);
                failed += usize::from(visited.is_err());
            }
        }
    }
    for round in 0..3 {
        for (node, mailbox) in mailboxes.iter_mut().enumerate() {
            mailbox.look_after_all();
            let visit = mailbox.sync(&mut replicas[node]);
            let visit = visit.map_err(|it| format!("node {node}, round {round}: {it}"))?;
            if round == 2 && node > 0 && visit.packs_put - visit.packs_merged > 0 {
                return Err(format!("node {node} goes on putting packs"));
            }
        }
    }
    if failed > 0 {
        return Err(format!("{failed} visits failed"));
    }
    let mut newcomer = Replica::join(project);
    let read = Mailbox::new(bucket.clone(), [9; 16]).fetch(&mut newcomer);
    let read = read.unwrap();
    for (node, replica) in replicas.iter().chain([&newcomer]).enumerate() {
        if replica.state_digest() != replicas[0].state_digest()
            || replica.log().admitted_count() != replicas[0].log().admitted_count()
        {
            return Err(format!("node {node} differs; the newcomer read {read:?}"));
        }
        if replica.holdings().rejected > 0 || replica.log().pending_count() > 0 {
            return Err(format!("node {node} holds what is of no use"));
        }
    }
    Ok(())
}

#[test]
fn all_that_was_written_is_there_in_the_end() {
    for seed in 0..60 {
        if let Err(what) = play(seed, None) {
            panic!("seed {seed}: {what}");
        }
    }
}

/// Some seed shows the defect, and not without it.
#[track_caller]
fn is_found(defect: Defect) {
    let found = (0..60).find(|seed| play(*seed, Some(defect)).is_err());
    let Some(seed) = found else {
        panic!("{defect:?} is not found");
    };
    assert_eq!(play(seed, None), Ok(()), "{defect:?} at seed {seed}");
}

#[test]
fn indexes_that_are_trusted_are_found() {
    is_found(Defect::TrustsIndexes);
}

#[test]
fn orphans_that_are_forgotten_are_found() {
    is_found(Defect::ForgetsOrphans);
}

#[test]
fn packs_that_are_merged_and_not_put_are_found() {
    is_found(Defect::MergesWithoutPutting);
}
