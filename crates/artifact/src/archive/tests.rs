//! Packing, and what the reader refuses.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::{Compression, GzBuilder, read::GzDecoder};

use super::header::{self, BLOCK};
use super::*;
use crate::{Commit, Digest, NameFault};

const HASH: &str = "0123456789abcdef0123456789abcdef01234567";
const DIRECTORY: &str = "ecac-artifacts-0123456789abcdef0123456789abcdef01234567";

/// The files that GNU tar packed for the pinned digests; the last path needs the header's `prefix` field.
const SMALL: [(&str, &[u8]); 4] = [
    ("a.csv", b"step,applied\n0,1\n"),
    ("empty", b""),
    (
        "offline-revoke-18446744073709551615-timeline.jsonl",
        b"long\n",
    ),
    ("B", b"x"),
];

fn commit() -> Commit {
    HASH.parse().unwrap()
}

fn small() -> Archive {
    pack(&commit(), SMALL).unwrap()
}

/// 100 KB of JSON Lines with values of a linear congruential generator.
fn long() -> Vec<u8> {
    let mut value = 1_u64;
    let mut text = String::new();
    for step in 0.. {
        value = (value * 1_103_515_245 + 12_345) & 0x7fff_ffff;
        text += &format!("{{\"step\":{step},\"value\":{value}}}\n");
        if text.len() >= 100_000 {
            break;
        }
    }
    text.truncate(100_000);
    text.into_bytes()
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    gzip_with(
        GzBuilder::new().mtime(0).operating_system(255),
        Compression::new(6),
        tar,
    )
}

fn gzip_with(builder: GzBuilder, level: Compression, tar: &[u8]) -> Vec<u8> {
    let mut encoder = builder.write(Vec::new(), level);
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

/// A canonical entry whose header `edit` has changed; the checksum is made good afterwards.
fn entry(name: &str, contents: &[u8], edit: impl FnOnce(&mut tar::UstarHeader)) -> Vec<u8> {
    let block = header::canonical(DIRECTORY, "placeholder", contents.len() as u64).unwrap();
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes().copy_from_slice(&block);
    let ustar = header.as_ustar_mut().unwrap();
    ustar.name = [0; 100];
    ustar.name[..name.len()].copy_from_slice(name.as_bytes());
    edit(ustar);
    ustar.cksum = *b"        ";
    let sum: u32 = header.as_bytes().iter().map(|byte| u32::from(*byte)).sum();
    header.as_mut_bytes()[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(contents);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn plain(name: &str) -> Vec<u8> {
    entry(&format!("{DIRECTORY}/{name}"), b"contents", |_| {})
}

/// The verdict on a tar file of `entries`.
fn verdict(entries: &[Vec<u8>]) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let mut tar = entries.concat();
    tar.extend([0; 2 * BLOCK]);
    unpack(&gzip(&tar), &Limits::default()).map(Unpacked::into_files)
}

#[track_caller]
fn check_refused(entries: &[Vec<u8>], expected: Refusal) {
    match verdict(entries) {
        Err(ArchiveError::Refused { reason, .. }) => assert_eq!(reason, expected),
        other => panic!("expected {expected:?}, got {other:?}"),
    }
}

#[test]
fn tar_bytes_are_those_of_gnu_tar() {
    // sha256sum of the output of GNU tar 1.34 with the options in the module's documentation.
    assert_eq!(
        small().digests.tar_sha256.to_string(),
        "b10b34d27682c85f1d215983ba2ba55f8d8ac96a9704d775df2ed027a0f3026e"
    );
    let contents = long();
    assert_eq!(
        Digest::of(&contents).to_string(),
        "c1f14d68a1565c12ab444a6a4fbb342ae89d9c7c9a509c94df38608d5d56f8b9"
    );
    let archive = pack(&commit(), [("long.jsonl", contents.as_slice())]).unwrap();
    assert_eq!(
        archive.digests.tar_sha256.to_string(),
        "ec729452574a8de3150287f50decef36fdc9b25b9c51f8c2a65d88af08966deb"
    );
}

#[test]
fn gzip_bytes_are_those_of_miniz_oxide_at_level_6() {
    // No other program writes this stream, so the pins come from this crate. They fail when feature unification
    // switches flate2's backend, or when its level or version changes the bytes that readers cite.
    assert_eq!(
        small().digests.gz_sha256.to_string(),
        "bae108cdcc4db04bd786eb5fe434c4dc18e2718f1fa720e646fdb65377ddbba1"
    );
    let contents = long();
    let archive = pack(&commit(), [("long.jsonl", contents.as_slice())]).unwrap();
    assert_eq!(
        archive.digests.gz_sha256.to_string(),
        "f411cd838ed6491299a56f7a875c6cd8d05e5821fe86995e432dc7624dd5571d"
    );
}

#[test]
fn the_gzip_stream_holds_the_tar_file() {
    let archive = small();
    let mut tar = Vec::new();
    GzDecoder::new(archive.gz.as_slice())
        .read_to_end(&mut tar)
        .unwrap();
    assert_eq!(tar, archive.tar);
    assert_eq!(archive.digests.tar_sha256, Digest::of(&archive.tar));
    assert_eq!(archive.digests.gz_sha256, Digest::of(&archive.gz));
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let mut files = SMALL;
    for _ in 0..files.len() {
        files.rotate_left(1);
        assert_eq!(pack(&commit(), files).unwrap(), small());
        let mut reversed = files;
        reversed.reverse();
        assert_eq!(pack(&commit(), reversed).unwrap(), small());
    }
}

#[test]
fn packing_refuses_what_unpacking_would() {
    let pack = |files: &[(&str, &[u8])]| pack(&commit(), files.iter().copied());
    assert!(matches!(pack(&[]), Err(PackError::Empty)));
    assert!(matches!(
        pack(&[("a", b""), ("a", b"")]),
        Err(PackError::Duplicate { .. })
    ));
    let long = "n".repeat(101);
    for (name, expected) in [
        ("", NameFault::Empty),
        ("../a", NameFault::Separator),
        ("a b", NameFault::Character),
        (&long, NameFault::TooLong),
    ] {
        match pack(&[(name, b"")]) {
            Err(PackError::BadName { fault, .. }) => assert_eq!(fault, expected),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(header::canonical(DIRECTORY, "a", 1 << 33), None);
    assert!(header::canonical(DIRECTORY, "a", (1 << 33) - 1).is_some());
}

#[test]
fn unpacking_gives_back_what_was_packed() {
    for commit in [commit(), commit().into_dirty()] {
        let archive = pack(&commit, SMALL).unwrap();
        let unpacked = unpack(&archive.gz, &Limits::default()).unwrap();
        assert_eq!(unpacked.commit(), &commit);
        assert_eq!(unpacked.digests(), archive.digests);
        assert!(unpacked.is_canonical());
        assert_eq!(unpacked.repack().unwrap(), archive);
        let files: BTreeMap<_, _> = SMALL
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()))
            .collect();
        assert_eq!(unpacked.into_files(), files);
    }
}

#[test]
fn another_compressor_changes_only_the_gzip_digest() {
    let archive = small();
    for level in [2, 8] {
        let gz = gzip_with(
            GzBuilder::new().mtime(0).operating_system(255),
            Compression::new(level),
            &archive.tar,
        );
        let unpacked = unpack(&gz, &Limits::default()).unwrap();
        assert_eq!(unpacked.digests().tar_sha256, archive.digests.tar_sha256);
        assert_eq!(unpacked.is_canonical(), gz == archive.gz);
    }
}

#[test]
fn entries_that_are_refused() {
    let path = format!("{DIRECTORY}/a");
    let of_type = |flag: u8| [entry(&path, b"", |header| header.typeflag = [flag])];
    for (flag, reason) in [
        (b'1', Refusal::Link),
        (b'2', Refusal::Link),
        (b'3', Refusal::Device),
        (b'4', Refusal::Device),
        (b'5', Refusal::Directory),
        (b'6', Refusal::Device),
        (b'7', Refusal::UnknownType),
        (b'L', Refusal::Extension),
        (b'K', Refusal::Extension),
        (b'S', Refusal::Extension),
        (b'x', Refusal::Extension),
        (b'g', Refusal::Extension),
        (b'Z', Refusal::UnknownType),
        (0, Refusal::NonCanonical),
    ] {
        check_refused(&of_type(flag), reason);
    }
    let other = DIRECTORY.replace('0', "1");
    for (path, reason) in [
        ("/etc/passwd".to_owned(), Refusal::Absolute),
        ("\\a".to_owned(), Refusal::Absolute),
        (format!("/{DIRECTORY}/a"), Refusal::Absolute),
        ("../a".to_owned(), Refusal::Parent),
        (format!("{DIRECTORY}/.."), Refusal::Parent),
        (format!("{DIRECTORY}/../a"), Refusal::Parent),
        (format!("{DIRECTORY}\\..\\a"), Refusal::Parent),
        (String::new(), Refusal::OutsideDirectory),
        ("a".to_owned(), Refusal::OutsideDirectory),
        ("dir/a".to_owned(), Refusal::OutsideDirectory),
        (format!("./{DIRECTORY}/a"), Refusal::OutsideDirectory),
        (
            "ecac-artifacts-unknown/a".to_owned(),
            Refusal::OutsideDirectory,
        ),
        (format!("{DIRECTORY}/"), Refusal::Name(NameFault::Empty)),
        (format!("{DIRECTORY}/."), Refusal::Name(NameFault::Dots)),
        (
            format!("{DIRECTORY}//a"),
            Refusal::Name(NameFault::Separator),
        ),
        (
            format!("{DIRECTORY}/b/a"),
            Refusal::Name(NameFault::Separator),
        ),
        (
            format!("{DIRECTORY}/a\n"),
            Refusal::Name(NameFault::Character),
        ),
        (
            format!("{DIRECTORY}/ä"),
            Refusal::Name(NameFault::Character),
        ),
    ] {
        check_refused(&[entry(&path, b"", |_| {})], reason);
    }
    check_refused(&[plain("a"), plain("a")], Refusal::Duplicate);
    check_refused(&[plain("b"), plain("a")], Refusal::Unsorted);
    check_refused(
        &[plain("a"), entry(&format!("{other}/b"), b"", |_| {})],
        Refusal::OutsideDirectory,
    );
    let mut padded = plain("a");
    *padded.last_mut().unwrap() = 1;
    check_refused(&[padded], Refusal::Padding);
}

#[test]
fn headers_that_are_not_canonical() {
    let path = format!("{DIRECTORY}/a");
    let edits: [fn(&mut tar::UstarHeader); 14] = [
        |header| header.mode[4] = b'7',
        |header| header.mode = *b"000644 \0",
        |header| header.uid[6] = b'1',
        |header| header.gid[6] = b'1',
        |header| header.size = *b"          0\0",
        |header| header.size[11] = b' ',
        |header| header.mtime[10] = b'1',
        |header| header.linkname[0] = b'x',
        |header| header.magic = *b"ustar ",
        |header| header.version = *b" \0",
        |header| header.uname[..4].copy_from_slice(b"root"),
        |header| header.gname[..4].copy_from_slice(b"root"),
        |header| header.dev_major = [0; 8],
        |header| header.pad[11] = 1,
    ];
    for edit in edits {
        check_refused(&[entry(&path, b"", edit)], Refusal::NonCanonical);
    }
    // The prefix field, though the path fits the name field.
    check_refused(
        &[entry("a", b"", |header| {
            header.prefix[..DIRECTORY.len()].copy_from_slice(DIRECTORY.as_bytes());
        })],
        Refusal::NonCanonical,
    );
    // Bytes hidden behind the end of the name.
    check_refused(
        &[entry(&path, b"", |header| header.name[99] = b'x')],
        Refusal::NonCanonical,
    );
    let mut wrong_sum = plain("a");
    wrong_sum[0] ^= 1;
    let error = verdict(&[plain("A"), wrong_sum]).unwrap_err();
    assert_eq!(error, ArchiveError::MalformedHeader { index: 2 });
}

#[test]
fn bombs_stop_at_the_limits() {
    let gz = small().gz;
    let total = SMALL.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let longest = SMALL.iter().map(|(_, bytes)| bytes.len() as u64).max();
    let exact = Limits {
        gz_bytes_max: gz.len() as u64,
        entries_max: SMALL.len(),
        content_bytes_max: total,
        file_bytes_max: longest.unwrap(),
    };
    assert!(unpack(&gz, &exact).is_ok());
    let check = |limit: fn(&mut Limits), expected: fn(&Limits) -> ArchiveError| {
        let mut limits = exact;
        limit(&mut limits);
        assert_eq!(unpack(&gz, &limits), Err(expected(&limits)));
    };
    check(
        |limits| limits.gz_bytes_max -= 1,
        |limits| ArchiveError::TooLong {
            max: limits.gz_bytes_max,
        },
    );
    check(
        |limits| limits.entries_max -= 1,
        |limits| ArchiveError::TooManyEntries {
            max: limits.entries_max,
        },
    );
    check(
        |limits| limits.content_bytes_max -= 1,
        |limits| ArchiveError::TooManyBytes {
            max: limits.content_bytes_max,
        },
    );
    check(
        |limits| limits.file_bytes_max -= 1,
        |limits| {
            let longest = SMALL.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap().0;
            ArchiveError::FileTooLong {
                path: format!("{DIRECTORY}/{longest}"),
                max: limits.file_bytes_max,
            }
        },
    );
    // A header that claims 4 GiB with nothing behind it: refused by the limit, or as truncated.
    let huge = header::canonical(DIRECTORY, "a", 1 << 32).unwrap();
    assert_eq!(
        verdict(&[huge.to_vec()]),
        Err(ArchiveError::FileTooLong {
            path: format!("{DIRECTORY}/a"),
            max: 8 << 20
        })
    );
    let endless = Limits {
        content_bytes_max: 1 << 33,
        file_bytes_max: 1 << 33,
        ..Limits::default()
    };
    assert_eq!(unpack(&gzip(&huge), &endless), Err(ArchiveError::Truncated));
    // 64 MB of zeros in 64 KB.
    let zeros = vec![0; 64 << 20];
    let bomb = [plain("a"), zeros].concat();
    assert_eq!(
        unpack(&gzip(&bomb), &Limits::default()),
        Err(ArchiveError::TrailingTar)
    );
}

#[test]
fn ends_and_beginnings() {
    let archive = small();
    let unpack = |bytes: &[u8]| unpack(bytes, &Limits::default());
    for length in 0..archive.gz.len() {
        let error = unpack(&archive.gz[..length]).unwrap_err();
        let expected = match length {
            0 => ArchiveError::NotGzip,
            _ => ArchiveError::Truncated,
        };
        assert_eq!(error, expected, "{length}");
    }
    for extra in [&[0][..], b"\n", &archive.gz] {
        let bytes = extra.len();
        assert_eq!(
            unpack(&[&archive.gz, extra].concat()),
            Err(ArchiveError::TrailingGzip { bytes })
        );
    }
    let half_end = archive.tar.len() - BLOCK;
    for (tar, expected) in [
        (vec![], ArchiveError::Truncated),
        (archive.tar[..half_end].to_vec(), ArchiveError::Truncated),
        (archive.tar[..700].to_vec(), ArchiveError::Truncated),
        (
            [&archive.tar, &[0; BLOCK][..]].concat(),
            ArchiveError::TrailingTar,
        ),
        (
            [&archive.tar, &archive.tar[..]].concat(),
            ArchiveError::TrailingTar,
        ),
        (
            [&[0; BLOCK][..], &archive.tar[..]].concat(),
            ArchiveError::TrailingTar,
        ),
        (vec![0; 2 * BLOCK], ArchiveError::Empty),
    ] {
        assert_eq!(unpack(&gzip(&tar)), Err(expected));
    }
    assert_eq!(unpack(b"PK\x03\x04 zip"), Err(ArchiveError::NotGzip));
    assert_eq!(unpack(&archive.tar), Err(ArchiveError::NotGzip));
    let canonical = || GzBuilder::new().mtime(0).operating_system(255);
    for (builder, level) in [
        (canonical().mtime(1), 6),
        (canonical().operating_system(3), 6),
        (canonical().filename("a"), 6),
        (canonical().comment("a"), 6),
        (canonical().extra("a"), 6),
        (canonical(), 9),
    ] {
        let gz = gzip_with(builder, Compression::new(level), &archive.tar);
        assert_eq!(unpack(&gz), Err(ArchiveError::GzipHeader));
    }
}

#[test]
fn every_byte_flip_is_refused_or_seen() {
    let archive = small();
    let mut same_contents = 0;
    for position in 0..archive.gz.len() {
        // Every mask comes up, and each byte is flipped in every fifth way.
        for mask in (1..=u8::MAX).skip(position % 5).step_by(5) {
            let mut flipped = archive.gz.clone();
            flipped[position] ^= mask;
            if let Ok(unpacked) = unpack(&flipped, &Limits::default()) {
                assert!(
                    !unpacked.is_canonical(),
                    "byte {position} flipped by {mask:#x}"
                );
                same_contents += 1;
            }
        }
    }
    // Some flips choose another deflate code for the same contents: gzip's checksum passes, packing again tells.
    assert_ne!(same_contents, 0);
}

#[test]
fn every_bit_flip_of_the_tar_file_is_refused_or_changes_the_contents() {
    let archive = small();
    let original = unpack(&archive.gz, &Limits::default()).unwrap();
    for position in 0..archive.tar.len() {
        for bit in [position % 8, (position + 3) % 8] {
            let mut flipped = archive.tar.clone();
            flipped[position] ^= 1 << bit;
            if let Ok(unpacked) = unpack(&gzip(&flipped), &Limits::default()) {
                assert_ne!(
                    unpacked.files(),
                    original.files(),
                    "byte {position} bit {bit}"
                );
            }
        }
    }
}
