//! Sets and their archives, right and wrong.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use ecac_artifact::archive::Limits;
use ecac_artifact::{ArtifactSet, ExpectedSet, archive};
use ecac_fixture::set::{COMMIT, SCENARIOS, publish};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::desk::{OPS, commit};

/// The files of a right set, without sums and archive.
pub(super) fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = publish(COMMIT, OPS).files.clone();
    files.retain(|name, _| name != "SHA256SUMS" && !name.ends_with(".tar.gz"));
    files
}

/// The archive of a set whose sums are right, whatever its files say.
pub(super) fn pack(files: BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let expected = ExpectedSet::new(&SCENARIOS, 42, &commit()).unwrap();
    let tarball = expected.tarball();
    let mut set = ArtifactSet::new(expected, files)
        .unwrap()
        .publish()
        .unwrap();
    set.files.remove(&tarball).unwrap()
}

/// The archive of any files, sums as they are.
pub(super) fn pack_any(files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let files = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    archive::pack(&commit(), files).unwrap().gz
}

pub(super) fn unpack(gz: &[u8]) -> BTreeMap<String, Vec<u8>> {
    archive::unpack(gz, &Limits::default())
        .unwrap()
        .into_files()
}

pub(super) fn gunzip(gz: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    GzDecoder::new(gz).read_to_end(&mut tar).unwrap();
    tar
}

/// Compresses with the canonical header.
pub(super) fn gzip(tar: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(tar).unwrap();
    let mut gz = encoder.finish().unwrap();
    gz[8] = 0;
    gz
}

/// The offsets of the headers of a tar file.
pub(super) fn headers(tar: &[u8]) -> Vec<usize> {
    let mut headers = Vec::new();
    let mut at = 0;
    while at + 512 <= tar.len() && tar[at] != 0 {
        headers.push(at);
        let size = std::str::from_utf8(&tar[at + 124..at + 135]).unwrap();
        let size = usize::from_str_radix(size, 8).unwrap();
        at += 512 + size.div_ceil(512) * 512;
    }
    headers
}

/// Writes `bytes` into a header and makes its checksum right again.
pub(super) fn patch_header(tar: &mut [u8], header: usize, at: usize, bytes: &[u8]) {
    let header = &mut tar[header..header + 512];
    header[at..at + bytes.len()].copy_from_slice(bytes);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
