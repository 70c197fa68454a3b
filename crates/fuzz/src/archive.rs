//! The archive: a gzip file as it is, or a tar file that the target compresses, as it is and with its checksums
//! mended.
//!
//! - What is unpacked packs to the same tar file, and to the same gzip file where it says so.
//! - No name leaves the directory, and what is unpacked stays within the limits.
//! - The crate `tar` sees the same files under the same paths, and so does the reader of archives that others packed.
//! - What that reader takes besides stays within the directory and the limits.
//!
//! An input that does not begin as a gzip file is a tar file.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use ecac_artifact::archive::{Limits, Unpacked, directory, unpack, unpack_foreign};
use ecac_artifact::{Digest, check_name};
use flate2::{Compression, GzBuilder};

use crate::reading::Reading;

const LIMITS: Limits = Limits {
    gz_bytes_max: 1 << 16,
    entries_max: 16,
    content_bytes_max: 1 << 16,
    file_bytes_max: 1 << 15,
};
/// Size of a tar block in bytes.
const BLOCK: usize = 512;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    if data.starts_with(&[0x1f, 0x8b]) {
        let Some(unpacked) = check(data) else {
            return Reading::Refused;
        };
        let again = unpacked.repack().expect("what was unpacked can be packed");
        assert_eq!(unpacked.is_canonical(), again.gz == data);
        return Reading::Accepted;
    }
    let mut mended = data.to_vec();
    mend(&mut mended);
    let readings = [data, &mended].map(|tar| match check(&gzip(tar)) {
        Some(unpacked) => {
            assert!(unpacked.is_canonical());
            let again = unpacked.repack().expect("what was unpacked can be packed");
            assert!(again.tar == tar, "there is one tar file for given files");
            Reading::Accepted
        }
        None => Reading::Refused,
    });
    readings.into_iter().min().unwrap_or(Reading::Refused)
}

fn check(gz: &[u8]) -> Option<Unpacked> {
    let foreign = check_foreign(gz);
    let unpacked = match unpack(gz, &LIMITS) {
        Ok(unpacked) => unpacked,
        Err(error) => {
            let _ = error.to_string();
            return None;
        }
    };
    let files = unpacked.files();
    assert!((1..=LIMITS.entries_max).contains(&files.len()));
    let bytes: u64 = files.values().map(|contents| contents.len() as u64).sum();
    assert!(bytes <= LIMITS.content_bytes_max);
    let fits = |contents: &Vec<u8>| contents.len() as u64 <= LIMITS.file_bytes_max;
    assert!(files.values().all(fits));
    for name in files.keys() {
        assert_eq!(check_name(name), Ok(()));
    }
    let again = unpacked.repack().expect("what was unpacked can be packed");
    assert_eq!(again.digests.tar_sha256, unpacked.digests().tar_sha256);
    assert_eq!(Digest::of(gz), unpacked.digests().gz_sha256);
    let prefix = format!("{}/", directory(unpacked.commit()));
    let expected: BTreeMap<_, _> = files
        .iter()
        .map(|(name, contents)| (format!("{prefix}{name}"), contents.clone()))
        .collect();
    assert_eq!(read_by_tar(&again.tar), expected);
    assert_eq!(foreign, Some(expected));
    Some(unpacked)
}

/// What the reader of archives that others packed takes of any bytes.
fn check_foreign(gz: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let files = match unpack_foreign(gz, &LIMITS) {
        Ok(foreign) => foreign.files,
        Err(error) => {
            let _ = error.to_string();
            return None;
        }
    };
    assert!(files.len() <= LIMITS.entries_max);
    let bytes: u64 = files.values().map(|contents| contents.len() as u64).sum();
    assert!(bytes <= LIMITS.content_bytes_max);
    let is_inside = |path: &String| path.split('/').all(|part| !["", ".", ".."].contains(&part));
    assert!(files.keys().all(is_inside));
    Some(files)
}

/// Paths and contents as the crate `tar` reads them.
fn read_by_tar(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("a tar file");
    let entry = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.expect("an entry");
        let path = String::from_utf8(entry.path_bytes().into_owned()).expect("plain names");
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).expect("whole contents");
        (path, contents)
    };
    entries.map(entry).collect()
}

/// Compresses as the archive is compressed.
fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::new(6));
    let gz = encoder.write_all(tar).and_then(|()| encoder.finish());
    gz.expect("a vector takes every write")
}

/// Writes the right checksum into each header, as far as the sizes lead from one to the next.
fn mend(tar: &mut [u8]) {
    let mut at = 0;
    while let Some(block) = tar.get_mut(at..at + BLOCK) {
        if block.iter().any(|byte| *byte != 0) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().copied().map(u32::from).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let size = str::from_utf8(&block[124..135])
            .ok()
            .and_then(|digits| usize::from_str_radix(digits, 8).ok());
        at += BLOCK + size.unwrap_or(0).min(tar.len()).next_multiple_of(BLOCK);
    }
}
