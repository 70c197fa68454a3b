//! A project directory: what is written is recorded, also after a process that ended in between.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ecac_audit::{DiskError, Entry, Expect, Folder, Segments, survey};
use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, OpId, Preview, Replica, Value};
use ecac_project::{
    Cause, Config, Error, FOLDER, Founding, Home, Key, KeyName, KeyUse, Project, find,
};
use ecac_store::DurableReplica;
use tempfile::TempDir;

const NOW_MS: u64 = 1_767_254_400_000;

struct Here {
    directory: TempDir,
    home: Home,
    key: Key,
    node: KeyName,
}

impl Here {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        let (me, node): (KeyName, KeyName) = ("me".parse().unwrap(), "node".parse().unwrap());
        home.keep(KeyUse::Node, &node, [9; 32]).unwrap();
        let key = home.keep(KeyUse::Author, &me, [1; 32]).unwrap();
        Self {
            directory,
            home,
            key,
            node,
        }
    }

    fn found(&self) -> Result<Project, Error> {
        let genesis = Genesis {
            name: Name::new("shop").unwrap(),
            nonce: [0; 16],
            roots: BTreeSet::from([self.key.public()]),
            schema: BTreeSet::new(),
            features: BTreeMap::new(),
        };
        let founding = Founding {
            genesis,
            key: &self.key,
            node: &self.node,
            now_ms: NOW_MS,
        };
        Project::found(&self.directory.path().join(FOLDER), &self.home, founding)
    }

    /// The ops that the audit log says were applied.
    fn applied(&self, project: &Project) -> Vec<OpId> {
        let folder = Folder::open(&project.audit()).unwrap();
        let mut applied = Vec::new();
        let read = survey(
            &Segments(&folder),
            &Expect::default(),
            &mut |_, entry, _| {
                if let Entry::Applied { op, .. } = entry {
                    applied.push(*op);
                }
            },
        );
        read.unwrap().whole().unwrap();
        applied
    }
}

fn write(number: u64) -> SetField {
    SetField::new("motor/7", "status", Value::Text(number.to_string())).unwrap()
}

#[test]
fn what_a_process_left_out_of_the_audit_log_the_next_one_records() {
    let here = Here::new();
    let project = here.found().unwrap();
    let mut writer = project.write(&here.node).unwrap();
    let first = writer.author(write(1), &here.key, NOW_MS + 1).unwrap().op;
    writer.close().unwrap();
    // The process ended after the transaction of the store.
    let mut replica = DurableReplica::open(project.store()).unwrap();
    let signing = here.key.signing();
    let second = replica.author(write(2), &signing, NOW_MS + 2).unwrap().op;
    drop(replica);
    let genesis = project.config().project;
    assert_eq!(here.applied(&project), [genesis, first]);
    let mut writer = project.write(&here.node).unwrap();
    let third = writer.author(write(3), &here.key, NOW_MS + 3).unwrap().op;
    writer.close().unwrap();
    let applied: BTreeSet<OpId> = here.applied(&project).into_iter().collect();
    assert_eq!(applied, BTreeSet::from([genesis, first, second, third]));
    // Nothing happens, and nothing is recorded.
    let before = here.applied(&project);
    project.write(&here.node).unwrap().close().unwrap();
    assert_eq!(here.applied(&project), before);
}

#[test]
fn what_is_written_is_recorded_at_once() {
    let here = Here::new();
    let project = here.found().unwrap();
    let mut writer = project.write(&here.node).unwrap();
    let genesis = project.config().project;
    let first = writer.author(write(1), &here.key, NOW_MS + 1).unwrap().op;
    assert_eq!(here.applied(&project), [genesis, first]);
    let mut writes = [write(2), write(3)].into_iter();
    let mut next = |_: &[Preview]| writes.next().map(Into::into);
    let previews = writer
        .preview_all(here.key.public(), NOW_MS + 2, &mut next)
        .unwrap();
    let bodies = previews.into_iter().map(|it| it.body).collect();
    let written = writer.author_all(bodies, &here.key).unwrap();
    assert_eq!(here.applied(&project).len(), 2 + written.ops.len());
    drop(writer);
    project.write(&here.node).unwrap().close().unwrap();
    assert_eq!(here.applied(&project).len(), 4);
}

#[test]
fn what_could_not_be_recorded_is_told_and_recorded_later() {
    let here = Here::new();
    let project = here.found().unwrap();
    let mut writer = project.write(&here.node).unwrap();
    let heads = fs::read_dir(here.home.folder().join("heads")).unwrap();
    let mut heads = heads.map(|it| it.unwrap().path());
    let head = heads
        .find(|it| it.extension().is_some_and(|it| it == "note"))
        .unwrap();
    // A directory stands where the new head is to be written.
    let in_the_way = head.with_extension("note.new");
    fs::create_dir(&in_the_way).unwrap();
    let error = writer.author(write(1), &here.key, NOW_MS + 1).unwrap_err();
    assert!(matches!(error, Error::Unrecorded(_)), "{error}");
    assert_eq!(error.cause(), Cause::Environment);
    assert!(error.hint().ends_with("the next write records it"));
    drop(writer);
    fs::remove_dir(&in_the_way).unwrap();
    let mut writer = project.write(&here.node).unwrap();
    assert_eq!(writer.log().admitted_count(), 2);
    writer.author(write(2), &here.key, NOW_MS + 2).unwrap();
    writer.close().unwrap();
    assert_eq!(here.applied(&project).len(), 3);
}

/// An audit log of two segments, and the paths of these.
fn of_two_segments(here: &Here, project: &Project) -> [PathBuf; 2] {
    let mut writer = project.write(&here.node).unwrap();
    let mut peer = Replica::join(project.config().project);
    peer.receive(&writer.envelopes().collect::<Vec<_>>());
    let signing = here.key.signing();
    let envelopes = (0..4000).map(|number| {
        let written = peer.author(write(number), &signing, NOW_MS + number);
        written.unwrap().envelope
    });
    let envelopes: Vec<Vec<u8>> = envelopes.collect();
    let envelopes: Vec<&[u8]> = envelopes.iter().map(Vec::as_slice).collect();
    writer.receive(&envelopes).unwrap();
    writer.author(write(1), &here.key, NOW_MS + 5000).unwrap();
    writer.close().unwrap();
    let segments = ["000000.jsonl", "000001.jsonl"].map(|it| project.audit().join(it));
    assert!(!project.audit().join("000002.jsonl").exists());
    segments
}

/// Flips a bit in the middle of the file, or flips it back.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// `docs/audit.md`, "What a write checks": the last segment, against the head that is kept; `audit-verify` checks all.
#[test]
fn a_write_reads_the_last_segment_of_the_audit_log_and_nothing_before_it() {
    let here = Here::new();
    let project = here.found().unwrap();
    let [first, last] = of_two_segments(&here, &project);
    let set = |number: u64| -> Result<(), Error> {
        let mut writer = project.write(&here.node)?;
        writer.author(write(number), &here.key, NOW_MS + 6000 + number)?;
        writer.close()
    };
    let is_damage = |result: Result<(), Error>, segment: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.cause(), Cause::Damaged);
        assert!(error.to_string().contains(segment), "{error}");
    };
    let read_all = || {
        let folder = Folder::open(&project.audit()).unwrap();
        let visit = &mut |_, _: &Entry, _: &[u8]| {};
        survey(&Segments(&folder), &Expect::default(), visit).map(drop)
    };
    set(1).unwrap();
    read_all().unwrap();
    flip(&last);
    is_damage(set(2), "000001.jsonl line ");
    flip(&last);
    set(2).unwrap();
    // Nothing reads an earlier segment, as long as it is known what the log speaks of.
    flip(&first);
    set(3).unwrap();
    assert!(matches!(read_all(), Err(DiskError::Damaged { .. })));
    let heads = fs::read_dir(here.home.folder().join("heads")).unwrap();
    let told = heads
        .map(|it| it.unwrap().path())
        .find(|it| it.extension().is_some_and(|it| it == "told"));
    let told = told.unwrap();
    fs::remove_file(&told).unwrap();
    is_damage(set(4), "000000.jsonl line ");
    flip(&first);
    set(4).unwrap();
    read_all().unwrap();
    // What the file says is believed only where it fits.
    fs::write(&told, "ecac-told-v1\n").unwrap();
    set(5).unwrap();
    let length = fs::metadata(&first).unwrap().len();
    fs::File::options()
        .write(true)
        .open(&first)
        .unwrap()
        .set_len(length - 1)
        .unwrap();
    // The segment is no longer as long as the frontier says, so all are read.
    is_damage(set(6), "000000.jsonl line ");
}

#[test]
fn a_directory_is_found_from_within_and_made_once() {
    let here = Here::new();
    assert!(matches!(
        find(here.directory.path()),
        Err(Error::NoProject { .. })
    ));
    let project = here.found().unwrap();
    let within = here.directory.path().join("a/b");
    fs::create_dir_all(&within).unwrap();
    assert_eq!(find(&within).unwrap(), project.folder());
    let error = here.found().unwrap_err();
    assert!(matches!(error, Error::Exists { .. }));
    assert_eq!(error.cause(), Cause::Environment);
    let opened = Project::open(project.folder(), &here.home).unwrap();
    assert_eq!(opened.config(), project.config());
}

#[test]
fn a_genesis_that_breaks_a_rule_leaves_nothing_behind() {
    let here = Here::new();
    let founding = Founding {
        genesis: Genesis {
            name: Name::new("shop").unwrap(),
            nonce: [0; 16],
            roots: BTreeSet::new(),
            schema: BTreeSet::new(),
            features: BTreeMap::new(),
        },
        key: &here.key,
        node: &here.node,
        now_ms: NOW_MS,
    };
    let folder = here.directory.path().join(FOLDER);
    let error = Project::found(&folder, &here.home, founding).unwrap_err();
    assert_eq!(error.cause(), Cause::BadInput, "{error}");
    assert!(!folder.exists());
}

#[test]
fn a_name_is_one_persons_and_the_last_one_counts() {
    let here = Here::new();
    let mut project = here.found().unwrap();
    let other = Key::of("x".parse().unwrap(), [2; 32]).public();
    project.call("tom".parse().unwrap(), other).unwrap();
    project.call("thomas".parse().unwrap(), other).unwrap();
    let read = Project::open(project.folder(), &here.home).unwrap();
    let config: &Config = read.config();
    assert_eq!(config.petname(&other).unwrap().as_str(), "thomas");
    assert_eq!(config.petnames.len(), 1);
}
