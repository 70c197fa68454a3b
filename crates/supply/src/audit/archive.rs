//! The advisory database in a `.tar.gz` that somebody else made: into memory, within bounds, before anything is written.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use ecac_artifact::archive::{self, Limits};
use ecac_artifact::exit;

use super::day::Day;
use xtask::host::error::Failure;
use xtask::host::input;

/// What the archive may cost. The database has about two thousand entries and seven million bytes.
const LIMITS: Limits = Limits {
    gz_bytes_max: 64 << 20,
    entries_max: 100_000,
    content_bytes_max: 128 << 20,
    file_bytes_max: 128 << 20,
};

/// Regular files by their paths, with `/` between the parts.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What an archive holds.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// The files.
    pub(super) files: Files,
    /// The commit that `git archive` notes, and the day of its files.
    pub(super) commit: Option<(String, Day)>,
}

/// Reads a whole archive. A directory that everything lies in is left off the paths.
pub(super) fn read(path: &Path) -> Result<Unpacked> {
    Ok(unpack(&input::read(path, LIMITS.gz_bytes_max)?)?)
}

fn unpack(gz: &[u8]) -> Result<Unpacked, Failure> {
    let archive = archive::unpack_foreign(gz, &LIMITS).map_err(|error| {
        Failure::new(exit::BAD_INPUT, format!("the archive is refused: {error}"))
    })?;
    let commit = archive.note.and_then(|note| {
        let seconds = i64::try_from(note.seconds).ok()?;
        Some((note.commit, Day::of_seconds(seconds)?))
    });
    Ok(Unpacked {
        files: without_common_directory(archive.files),
        commit,
    })
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder};
    use tar::{Builder, EntryType, Header};

    use super::*;

    fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = Header::new_ustar();
            header.set_path(path).unwrap();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mtime(1_787_270_424);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        let mut encoder = GzBuilder::new().write(Vec::new(), Compression::fast());
        encoder.write_all(&builder.into_inner().unwrap()).unwrap();
        encoder.finish().unwrap()
    }

    fn names(gz: &[u8]) -> Vec<String> {
        unpack(gz).unwrap().files.into_keys().collect()
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
    fn git_archive_says_of_which_commit_and_day_it_is() {
        let id = "bf5c0d245a92671908518d7e765914d437954ed6";
        let note = format!("52 comment={id}\n");
        let entries = [
            (
                "pax_global_header",
                EntryType::XGlobalHeader,
                note.as_bytes(),
            ),
            ("a", EntryType::Regular, b"x"),
        ];
        // `date -u -d @1787270424 +%F`
        let day = Day::parse("2026-08-21").unwrap();
        assert_eq!(
            unpack(&archive(&entries)).unwrap().commit,
            Some((id.to_owned(), day))
        );
        assert_eq!(unpack(&archive(&entries[1..])).unwrap().commit, None);
    }

    #[test]
    fn what_is_refused_is_told_as_bad_input() {
        let failure = unpack(&archive(&[("a", EntryType::Fifo, b"")])).unwrap_err();
        assert_eq!(failure.code, exit::BAD_INPUT);
        assert_eq!(
            failure.to_string(),
            "the archive is refused: entry `a` is refused: it is a device"
        );
    }
}
