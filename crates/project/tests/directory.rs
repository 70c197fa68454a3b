//! A project directory: what is written is recorded, also after a process that ended in between.

#![expect(clippy::unwrap_used, reason = "what fails in a helper fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use ecac_audit::{Entry, Expect, Folder, Segments, survey};
use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, OpId, Value};
use ecac_project::{
    Cause, Config, Error, FOLDER, Founding, Home, Key, KeyName, KeyUse, Project, find,
};
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
    let mut writer = project.write(&here.node).unwrap();
    let second = writer.author(write(2), &here.key, NOW_MS + 2).unwrap().op;
    drop(writer);
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
fn a_directory_is_found_from_within_and_made_once() {
    let here = Here::new();
    assert!(matches!(
        find(here.directory.path()),
        Err(Error::NoProject { .. })
    ));
    let project = here.found().unwrap();
    let within = here.directory.path().join("a/b");
    std::fs::create_dir_all(&within).unwrap();
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
