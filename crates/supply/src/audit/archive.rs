//! Reading a `.tar.gz` that somebody else made: into memory, within bounds, before anything is written.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path};

use ecac_artifact::exit;
use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::day::Day;
use xtask::host::error::Failure;

/// How much an archive may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How many entries.
    pub(super) entries_max: usize,
    /// How many bytes once it is decompressed, headers too.
    pub(super) bytes_max: u64,
}

impl Limits {
    /// The advisory database has about two thousand entries and seven million bytes.
    pub(super) const ADVISORIES: Self = Self {
        entries_max: 100_000,
        bytes_max: 256 << 20,
    };
}

/// Regular files by their paths, with `/` between the parts.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What an archive holds.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// The files.
    pub(super) files: Files,
    /// The commit that `git archive` notes, and the day of its files.
    pub(super) commit: Option<(String, Day)>,
}

/// Reads a whole archive. A directory that everything lies in is left off the paths.
pub(super) fn read(compressed: impl Read, limits: Limits) -> Result<Unpacked, Failure> {
    let reader = Bounded {
        inner: MultiGzDecoder::new(compressed),
        left: limits.bytes_max,
        max: limits.bytes_max,
    };
    let mut archive = Archive::new(reader);
    let mut unpacked = Unpacked::default();
    let mut noted = None;
    let entries = archive.entries().map_err(|error| unreadable(&error))?;
    for (count, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| unreadable(&error))?;
        if count >= limits.entries_max {
            return Err(refusal(&format!(
                "it has more than {} entries",
                limits.entries_max
            )));
        }
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => noted = commit(&mut entry)?,
            EntryType::Directory => {
                path(&entry)?;
            }
            EntryType::Regular => {
                let path = path(&entry)?;
                if unpacked.commit.is_none()
                    && let Some(commit) = noted.take()
                {
                    let seconds = entry.header().mtime().map_err(|error| unreadable(&error))?;
                    let day = i64::try_from(seconds).ok().and_then(Day::of_seconds);
                    unpacked.commit = day.map(|day| (commit, day));
                }
                let mut bytes = Vec::new();
                entry
                    .read_to_end(&mut bytes)
                    .map_err(|error| unreadable(&error))?;
                if unpacked.files.insert(path.clone(), bytes).is_some() {
                    return Err(refusal(&format!("{path} is in it twice")));
                }
            }
            kind => {
                let path = path(&entry)?;
                return Err(refusal(&format!(
                    "{path} is neither a file nor a directory but {kind:?}"
                )));
            }
        }
    }
    // The end of the archive is not the end of the stream, whose checksum stands last.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| unreadable(&error))?;
    unpacked.files = without_common_directory(unpacked.files);
    Ok(unpacked)
}

/// The commit that `git archive` writes into its global header.
fn commit(entry: &mut Entry<'_, impl Read>) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let comment = text.lines().find_map(|line| line.split_once(" comment="));
    let is_id = |id: &&str| id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(comment.map(|(_, id)| id).filter(is_id).map(str::to_owned))
}

/// The path of an entry, which has to stay below the directory that it is unpacked in.
fn path(entry: &Entry<'_, impl Read>) -> Result<String, Failure> {
    let bytes = entry.path_bytes();
    let shown = String::from_utf8_lossy(&bytes);
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(refusal(&format!("the path {shown:?} is no text")));
    };
    let mut parts = Vec::new();
    for part in Path::new(text).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            _ => return Err(refusal(&format!("the path {shown:?} leads out of it"))),
        }
    }
    if text.contains(['\\', '\0', ':']) {
        return Err(refusal(&format!(
            "the path {shown:?} means another one elsewhere"
        )));
    }
    Ok(parts.join("/"))
}

fn without_common_directory(files: Files) -> Files {
    let first = files.keys().next().and_then(|path| path.split_once('/'));
    let Some(prefix) = first.map(|(directory, _)| format!("{directory}/")) else {
        return files;
    };
    // What is looked for may itself be the only directory.
    if prefix == "crates/" || !files.keys().all(|path| path.starts_with(&prefix)) {
        return files;
    }
    let shortened = files
        .into_iter()
        .map(|(path, bytes)| (path[prefix.len()..].to_owned(), bytes));
    shortened.collect()
}

fn unreadable(error: &io::Error) -> Failure {
    refusal(&format!("it cannot be read: {error}"))
}

fn refusal(what: &str) -> Failure {
    Failure::new(exit::BAD_INPUT, format!("the archive is refused: {what}"))
}

/// A reader that fails where there is more than was promised.
struct Bounded<R> {
    inner: R,
    left: u64,
    max: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!("it decompresses to more than {} bytes", self.max))
        })?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder};
    use tar::{Builder, Header};

    use super::*;

    const SMALL: Limits = Limits {
        entries_max: 4,
        bytes_max: 64 << 10,
    };

    fn gz(tar: &[u8]) -> Vec<u8> {
        let mut encoder = GzBuilder::new().write(Vec::new(), Compression::fast());
        encoder.write_all(tar).unwrap();
        encoder.finish().unwrap()
    }

    /// An archive of entries as they are, however bad their paths.
    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = Header::new_ustar();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mtime(1_787_270_424);
            header.set_mode(0o644);
            if matches!(kind, EntryType::Symlink | EntryType::Link) {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        gz(&builder.into_inner().unwrap())
    }

    #[track_caller]
    fn check_refusal(bytes: &[u8], says: &str) {
        let failure = read(bytes, SMALL).unwrap_err();
        assert_eq!(failure.code, exit::BAD_INPUT);
        assert!(failure.to_string().contains(says), "{failure}");
    }

    fn names(bytes: &[u8]) -> Vec<String> {
        read(bytes, SMALL).unwrap().files.into_keys().collect()
    }

    #[test]
    fn files_are_read_with_or_without_a_directory_around_them() {
        let file = |path: &'static str| (path, EntryType::Regular, &b"x"[..]);
        let plain = archive(&[
            ("./", EntryType::Directory, b""),
            file("./crates/a/b.md"),
            file("./README.md"),
        ]);
        assert_eq!(names(&plain), ["README.md", "crates/a/b.md"]);
        let inside = archive(&[file("db-1/crates/a/b.md"), file("db-1/README.md")]);
        assert_eq!(names(&inside), ["README.md", "crates/a/b.md"]);
        assert_eq!(names(&archive(&[file("crates/a/b.md")])), ["crates/a/b.md"]);
    }

    #[test]
    fn git_archive_says_which_commit_it_is() {
        let id = "bf5c0d245a92671908518d7e765914d437954ed6";
        let note = format!("52 comment={id}\n");
        let with = |note: &str| {
            let entries = [
                (
                    "pax_global_header",
                    EntryType::XGlobalHeader,
                    note.as_bytes(),
                ),
                ("a", EntryType::Regular, b"x"),
            ];
            read(&archive(&entries)[..], SMALL).unwrap().commit
        };
        // `date -u -d @1787270424 +%F`
        assert_eq!(
            with(&note),
            Some((id.to_owned(), Day::parse("2026-08-21").unwrap()))
        );
        assert_eq!(with("15 comment=main\n"), None);
        assert_eq!(with(""), None);
    }

    #[test]
    fn hostile_paths_are_refused() {
        for (path, says) in [
            ("../a", "leads out of it"),
            ("crates/../../a", "leads out of it"),
            ("/etc/passwd", "leads out of it"),
            ("crates\\..\\a", "means another one"),
            ("c:/a", "means another one"),
        ] {
            for kind in [EntryType::Regular, EntryType::Directory] {
                check_refusal(&archive(&[(path, kind, b"")]), says);
            }
        }
    }

    #[test]
    fn anything_but_files_and_directories_is_refused() {
        for kind in [
            EntryType::Symlink,
            EntryType::Link,
            EntryType::Fifo,
            EntryType::Char,
            EntryType::Block,
        ] {
            check_refusal(
                &archive(&[("crates/a", kind, b"")]),
                "neither a file nor a directory",
            );
        }
        let twice = [
            ("a", EntryType::Regular, &b"1"[..]),
            ("./a", EntryType::Regular, b"2"),
        ];
        check_refusal(&archive(&twice), "a is in it twice");
    }

    #[test]
    fn bombs_are_refused() {
        let zeros = vec![0; 1 << 20];
        check_refusal(
            &archive(&[("a", EntryType::Regular, &zeros)]),
            "more than 65536 bytes",
        );
        // After the end of the archive too, where tar itself no longer looks.
        let mut tar = vec![0; 1024];
        tar.extend(&zeros);
        check_refusal(&gz(&tar), "more than 65536 bytes");
        let many: Vec<_> = ["a", "b", "c", "d", "e"]
            .map(|path| (path, EntryType::Regular, &b""[..]))
            .to_vec();
        check_refusal(&archive(&many), "more than 4 entries");
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_refused_or_changes_nothing() {
        let good = archive(&[("crates/a/b.md", EntryType::Regular, b"an advisory")]);
        let expected = read(&good[..], SMALL).unwrap().files;
        for length in 0..good.len() {
            assert!(read(&good[..length], SMALL).is_err(), "{length}");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            // The header of gzip has a time and an operating system, which nobody reads.
            if let Ok(unpacked) = read(&bad[..], SMALL) {
                assert_eq!(unpacked.files, expected, "{at}");
            }
        }
        check_refusal(b"no archive", "cannot be read");
        check_refusal(&[good.as_slice(), b"trailing"].concat(), "cannot be read");
    }
}
