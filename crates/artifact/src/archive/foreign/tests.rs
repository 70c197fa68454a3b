//! What is read of archives that other programs made, and what is refused.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::*;

const SMALL: Limits = Limits {
    gz_bytes_max: 16 << 10,
    entries_max: 4,
    content_bytes_max: 64 << 10,
    file_bytes_max: 32 << 10,
};

fn gz(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// A tar file of entries as they are, however bad their paths.
fn tar(entries: &[(&[u8], EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, contents) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path);
        header.set_entry_type(*kind);
        header.set_size(contents.len() as u64);
        header.set_mtime(1_787_270_424);
        header.set_mode(0o644);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, *contents).unwrap();
    }
    builder.into_inner().unwrap()
}

fn read(entries: &[(&[u8], EntryType, &[u8])]) -> Result<Foreign, ArchiveError> {
    unpack_foreign(&gz(&tar(entries)), &SMALL)
}

fn names(entries: &[(&[u8], EntryType, &[u8])]) -> Vec<String> {
    read(entries).unwrap().files.into_keys().collect()
}

#[track_caller]
fn check_refused(entries: &[(&[u8], EntryType, &[u8])], expected: Refusal) {
    match read(entries) {
        Err(ArchiveError::Refused { reason, .. }) => assert_eq!(reason, expected),
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

#[test]
fn files_are_read_and_directories_are_passed_over() {
    let entries: [(&[u8], _, &[u8]); 4] = [
        (b"./", EntryType::Directory, b""),
        (b"./a//b/", EntryType::Directory, b""),
        (b"./a//b/c.md", EntryType::Regular, b"1"),
        (b"d", EntryType::Regular, b"2"),
    ];
    let files = read(&entries).unwrap().files;
    let expected = [("a/b/c.md", b"1"), ("d", b"2")];
    let expected = expected.map(|(path, contents)| (path.to_owned(), contents.to_vec()));
    assert_eq!(files, BTreeMap::from(expected));
}

#[test]
fn long_paths_are_those_of_gnu_and_of_pax() {
    let long = format!("crates/{}/a.md", "b".repeat(120));
    let gnu = [long.as_bytes(), b"\0"].concat();
    let record = format!("{} path={long}\n", long.len() + 10);
    let pax = format!("13 mtime=1.5\n{record}");
    for (kind, contents) in [
        (EntryType::GNULongName, gnu.as_slice()),
        (EntryType::XHeader, pax.as_bytes()),
    ] {
        let entries: [(&[u8], _, &[u8]); 3] = [
            (b"long", kind, contents),
            (b"cut", EntryType::Regular, b"1"),
            (b"next", EntryType::Regular, b"2"),
        ];
        assert_eq!(names(&entries), [long.as_str(), "next"], "{kind:?}");
    }
    for record in [
        "10 size=1\n",
        "24 GNU.sparse.realsize=1\n",
        "11 path=a\n",
        "no record\n",
    ] {
        let entries: [(&[u8], _, &[u8]); 2] = [
            (b"x", EntryType::XHeader, record.as_bytes()),
            (b"a", EntryType::Regular, b"1"),
        ];
        check_refused(&entries, Refusal::Extension);
    }
    let outside: [(&[u8], _, &[u8]); 2] = [
        (b"long", EntryType::GNULongName, b"../a\0"),
        (b"cut", EntryType::Regular, b"1"),
    ];
    check_refused(&outside, Refusal::Parent);
}

#[test]
fn git_archive_notes_its_commit() {
    let id = "bf5c0d245a92671908518d7e765914d437954ed6";
    let with = |note: &str| {
        let entries: [(&[u8], _, &[u8]); 2] = [
            (
                b"pax_global_header",
                EntryType::XGlobalHeader,
                note.as_bytes(),
            ),
            (b"a", EntryType::Regular, b"x"),
        ];
        read(&entries).unwrap().note
    };
    assert_eq!(
        with(&format!("52 comment={id}\n")),
        Some(GitNote {
            commit: id.to_owned(),
            seconds: 1_787_270_424
        })
    );
    assert_eq!(with("16 comment=main\n"), None);
    assert_eq!(with(""), None);
}

#[test]
fn hostile_paths_are_refused() {
    for (path, reason) in [
        (&b"../a"[..], Refusal::Parent),
        (b"crates/../../a", Refusal::Parent),
        (b"/etc/passwd", Refusal::Absolute),
        (b"crates\\..\\a", Refusal::Ambiguous),
        (b"c:/a", Refusal::Ambiguous),
        (b"\xff", Refusal::NotText),
    ] {
        for kind in [EntryType::Regular, EntryType::Directory] {
            check_refused(&[(path, kind, b"")], reason);
        }
    }
    check_refused(
        &[(b"./", EntryType::Regular, b"")],
        Refusal::Name(NameFault::Empty),
    );
}

#[test]
fn anything_but_files_and_directories_is_refused() {
    for (kind, reason) in [
        (EntryType::Symlink, Refusal::Link),
        (EntryType::Link, Refusal::Link),
        (EntryType::Fifo, Refusal::Device),
        (EntryType::Char, Refusal::Device),
        (EntryType::Block, Refusal::Device),
        (EntryType::GNUSparse, Refusal::Extension),
        (EntryType::GNULongLink, Refusal::Extension),
        (EntryType::Continuous, Refusal::UnknownType),
    ] {
        check_refused(&[(b"crates/a", kind, b"")], reason);
    }
    check_refused(
        &[
            (b"a", EntryType::Regular, b"1"),
            (b"./a", EntryType::Regular, b"2"),
        ],
        Refusal::Duplicate,
    );
}

#[test]
fn bombs_stop_at_the_limits() {
    let zeros = vec![0; 1 << 20];
    assert_eq!(
        read(&[(b"a", EntryType::Regular, &zeros)]),
        Err(ArchiveError::FileTooLong {
            path: "a".to_owned(),
            max: SMALL.file_bytes_max
        })
    );
    let long = vec![b'a'; 1 << 20];
    assert_eq!(
        read(&[(b"l", EntryType::GNULongName, &long)]),
        Err(ArchiveError::FileTooLong {
            path: "l".to_owned(),
            max: SMALL.file_bytes_max
        })
    );
    let too_many_bytes = Err(ArchiveError::TooManyBytes {
        max: SMALL.content_bytes_max,
    });
    let half = &zeros[..30 << 10];
    let entries: [(&[u8], _, &[u8]); 3] = [
        (b"a", EntryType::Regular, half),
        (b"b", EntryType::Regular, half),
        (b"c", EntryType::Regular, half),
    ];
    assert_eq!(read(&entries), too_many_bytes);
    // After the end of the archive too.
    let after_end = [vec![0; 1024], zeros].concat();
    assert_eq!(unpack_foreign(&gz(&after_end), &SMALL), too_many_bytes);
    let many =
        ["a", "b", "c", "d", "e"].map(|path| (path.as_bytes(), EntryType::Regular, &b""[..]));
    assert_eq!(
        read(&many),
        Err(ArchiveError::TooManyEntries {
            max: SMALL.entries_max
        })
    );
    let noise: Vec<u8> = (0..SMALL.gz_bytes_max + 1).map(|_| 0x1f).collect();
    assert_eq!(
        unpack_foreign(&noise, &SMALL),
        Err(ArchiveError::TooLong {
            max: SMALL.gz_bytes_max
        })
    );
}

#[test]
fn what_follows_the_end_is_zeros() {
    let entries: [(&[u8], _, &[u8]); 1] = [(b"a", EntryType::Regular, b"1")];
    let whole = tar(&entries);
    let padded = [whole.as_slice(), &[0; 8192]].concat();
    assert_eq!(
        unpack_foreign(&gz(&padded), &SMALL).unwrap(),
        read(&entries).unwrap()
    );
    let hidden = [whole.as_slice(), b"hidden"].concat();
    assert_eq!(
        unpack_foreign(&gz(&hidden), &SMALL),
        Err(ArchiveError::TrailingTar)
    );
}

#[test]
fn every_truncation_and_every_flipped_byte_is_refused_or_changes_nothing() {
    let entries: [(&[u8], _, &[u8]); 1] = [(b"crates/a/b.md", EntryType::Regular, b"an advisory")];
    let good = gz(&tar(&entries));
    let expected = read(&entries).unwrap();
    for length in 0..good.len() {
        assert!(unpack_foreign(&good[..length], &SMALL).is_err(), "{length}");
    }
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        // The header of gzip has a time and an operating system, which nobody reads.
        if let Ok(foreign) = unpack_foreign(&bad, &SMALL) {
            assert_eq!(foreign, expected, "{at}");
        }
    }
    assert_eq!(
        unpack_foreign(b"no archive", &SMALL),
        Err(ArchiveError::NotGzip)
    );
    let trailing = [good.as_slice(), b"trailing"].concat();
    assert!(unpack_foreign(&trailing, &SMALL).is_err());
}
