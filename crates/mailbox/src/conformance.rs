//! What every bucket has to do, whatever it is made of.

use std::collections::BTreeSet;

use crate::bucket::{Bucket, Listed, Object};
use crate::folder::Folder;
use crate::trial::Shared;

/// Holds two views of one empty bucket to what [`Bucket`] says.
pub(crate) fn conforms(bucket: &mut dyn Bucket, other: &mut dyn Bucket) {
    let one = "indexes/0123456789abcdef0123456789abcdef";
    let two = "packs-0f/0f23456789abcdef";
    let max = 1 << 20;

    // Nothing is there.
    assert_eq!(bucket.get(one, max).unwrap(), None);
    assert_eq!(bucket.list("indexes").unwrap(), []);

    // What was put is read, by the other one too, and its version is that of the list.
    let first = bucket.put(one, b"first").unwrap();
    let read = Object {
        bytes: b"first".to_vec(),
        version: first.clone(),
    };
    let listed = |version: &str| Listed {
        name: "0123456789abcdef0123456789abcdef".to_owned(),
        version: version.to_owned(),
    };
    for side in [&*bucket, &*other] {
        assert_eq!(side.get(one, max).unwrap().as_ref(), Some(&read));
        assert_eq!(side.list("indexes").unwrap(), [listed(&first)]);
    }

    // What replaces it is another version, of another length or not.
    let mut versions = BTreeSet::from([first]);
    for bytes in [&b"the second"[..], b"the thirds"] {
        let version = other.put(one, bytes).unwrap();
        let read = bucket.get(one, max).unwrap().unwrap();
        assert_eq!((&read.bytes[..], &read.version), (bytes, &version));
        assert_eq!(bucket.list("indexes").unwrap(), [listed(&version)]);
        assert!(versions.insert(version), "a version comes twice");
    }

    // What is longer than what is asked for is not there.
    assert_eq!(bucket.get(one, 9).unwrap(), None);
    assert!(bucket.get(one, 10).unwrap().is_some());

    // A first part is the whole of it, and names ascend.
    other.put(two, b"").unwrap();
    bucket.put("packs-0/ab", b"x").unwrap();
    bucket.put("packs-0f/00", &[7; 70_000]).unwrap();
    let names = |first: &str| -> Vec<String> {
        let listed = bucket.list(first).unwrap().into_iter();
        listed.map(|it| it.name).collect()
    };
    assert_eq!(names("packs-0f"), ["00", "0f23456789abcdef"]);
    assert_eq!(names("packs-0"), ["ab"]);
    assert_eq!(names("packs-"), Vec::<String>::new());
    assert_eq!(bucket.get(two, 0).unwrap().unwrap().bytes, b"");
    let long = other.get("packs-0f/00", 70_000).unwrap().unwrap();
    assert_eq!(long.bytes, vec![7; 70_000]);
}

#[test]
fn a_folder_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let side = |tag| Folder::new(folder.path(), [tag; 16]);
    conforms(&mut side(1), &mut side(2));
}

#[test]
fn objects_in_memory_conform() {
    let objects = Shared::default();
    conforms(&mut objects.clone(), &mut objects.clone());
}
