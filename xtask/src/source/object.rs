//! The ids of git objects, computed from bytes and from files on the disk, without git.
//!
//! What git says of a repository depends on settings, attributes and replacement objects. An id does not: it is the
//! SHA-1 of the object, so a tree whose id is computed again is the tree that the commit names, as far as SHA-1 goes.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use sha1::{Digest as _, Sha1};

use crate::host::interrupt;

/// The SHA-1 of an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId([u8; 20]);

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

impl FromStr for ObjectId {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let mut id = [0; 20];
        match hex::decode_to_slice(text, &mut id) {
            Ok(()) if is_lower => Ok(Self(id)),
            _ => bail!(
                "`{}` is no id of an object: 40 lower-case hexadecimal digits",
                text.escape_debug()
            ),
        }
    }
}

impl ObjectId {
    /// The id of an object of `kind` that holds `content`.
    pub fn of(kind: &str, content: &[u8]) -> Self {
        let mut hash = Self::begin(kind, content.len() as u64);
        hash.update(content);
        Self(hash.finalize().into())
    }

    fn begin(kind: &str, size: u64) -> Sha1 {
        Sha1::new_with_prefix(format!("{kind} {size}\0"))
    }

    /// The id of a regular file as it lies on the disk.
    fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = fs::File::open(path)?;
        let size = file.metadata()?.len();
        let mut hash = Self::begin("blob", size);
        let mut buffer = [0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Self(hash.finalize().into())),
                count => hash.update(&buffer[..count]),
            }
        }
    }
}

/// What kind of file a tree has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A regular file.
    Regular,
    /// One that may be run.
    Executable,
}

impl Mode {
    /// The digits of a tree entry, if they are those of a regular file.
    pub fn parse(digits: &[u8]) -> Option<Self> {
        match digits {
            b"100644" => Some(Self::Regular),
            b"100755" => Some(Self::Executable),
            _ => None,
        }
    }

    const fn digits(self) -> &'static str {
        match self {
            Self::Regular => "100644",
            Self::Executable => "100755",
        }
    }
}

/// The files of a tree with all below it: mode and id by path, whose parts `/` separates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeFiles(pub BTreeMap<Vec<u8>, (Mode, ObjectId)>);

/// An entry of one directory.
enum Node {
    File(Mode, ObjectId),
    Directory(BTreeMap<Vec<u8>, Node>),
}

impl TreeFiles {
    /// The files below `root`, as they lie on the disk; anything but regular files and directories is an error.
    pub fn on_disk(root: &Path) -> Result<Self> {
        let mut files = Self::default();
        for entry in walkdir::WalkDir::new(root) {
            interrupt::check()?;
            let entry = entry.with_context(|| format!("list {}", root.display()))?;
            let kind = entry.file_type();
            if kind.is_dir() {
                continue;
            }
            let path = entry.path();
            if !kind.is_file() {
                bail!("{} is not a regular file", path.display());
            }
            let relative = path.strip_prefix(root).unwrap_or(path);
            let id = ObjectId::of_file(path).with_context(|| format!("read {}", path.display()))?;
            let metadata = entry
                .metadata()
                .with_context(|| format!("read {}", path.display()))?;
            files.0.insert(path_bytes(relative), (mode(&metadata), id));
        }
        Ok(files)
    }

    /// The id of the tree that has exactly these files.
    pub fn id(&self) -> ObjectId {
        let mut top = BTreeMap::new();
        for (path, (mode, id)) in &self.0 {
            let mut directory = &mut top;
            let mut parts = path.split(|byte| *byte == b'/').peekable();
            while let Some(part) = parts.next() {
                if parts.peek().is_none() {
                    directory.insert(part.to_vec(), Node::File(*mode, *id));
                    break;
                }
                let below = directory
                    .entry(part.to_vec())
                    .or_insert_with(|| Node::Directory(BTreeMap::new()));
                match below {
                    Node::Directory(below) => directory = below,
                    // No directory of a disk has a file and a directory of one name.
                    Node::File(..) => break,
                }
            }
        }
        id_of_directory(&top)
    }

    /// The paths that are not the same in both, for people.
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let ours = self.0.iter();
        let ours = ours.filter(|(path, file)| other.0.get(*path) != Some(file));
        let theirs = other.0.keys().filter(|path| !self.0.contains_key(*path));
        let mut paths: Vec<_> = ours.map(|(path, _)| path).chain(theirs).collect();
        paths.sort();
        paths.into_iter().map(|path| quoted(path)).collect()
    }
}

fn id_of_directory(entries: &BTreeMap<Vec<u8>, Node>) -> ObjectId {
    // A directory stands where its name with a slash at its end would.
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|(name, node)| match node {
        Node::File(..) => (*name).clone(),
        Node::Directory(_) => [name, &b"/"[..]].concat(),
    });
    let mut content = Vec::new();
    for (name, node) in sorted {
        let (digits, id) = match node {
            Node::File(mode, id) => (mode.digits(), *id),
            Node::Directory(below) => ("40000", id_of_directory(below)),
        };
        content.extend_from_slice(digits.as_bytes());
        content.push(b' ');
        content.extend_from_slice(name);
        content.push(0);
        content.extend_from_slice(&id.0);
    }
    ObjectId::of("tree", &content)
}

/// What is used of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitObject {
    /// The files.
    pub tree: ObjectId,
    /// When it was made, in seconds since 1970.
    pub time: u64,
}

impl CommitObject {
    /// Reads the header of a commit: `tree ID`, then `committer NAME <MAIL> SECONDS ZONE`, each on a line.
    pub fn parse(content: &[u8]) -> Result<Self> {
        let mut header = content
            .split(|byte| *byte == b'\n')
            .take_while(|line| !line.is_empty());
        let tree = header.next().and_then(|line| line.strip_prefix(b"tree "));
        let tree = String::from_utf8_lossy(tree.context("a commit begins with its tree")?);
        let committer = header.find_map(|line| line.strip_prefix(b"committer "));
        let committer = String::from_utf8_lossy(committer.context("a commit has a committer")?);
        let time = committer.rsplit(' ').nth(1);
        let time = time.and_then(|seconds| seconds.parse().ok());
        Ok(Self {
            tree: tree.parse()?,
            time: time.context("a commit has a time since 1970")?,
        })
    }
}

/// A path as people may read it on one line of a terminal.
pub fn quoted(path: &[u8]) -> String {
    String::from_utf8_lossy(path).escape_debug().to_string()
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Vec<u8> {
    let parts = path.iter().map(|part| part.to_string_lossy());
    parts.collect::<Vec<_>>().join("/").into_bytes()
}

/// What kind of regular file that is, where the platform tells.
#[cfg(unix)]
pub fn mode(metadata: &fs::Metadata) -> Mode {
    use std::os::unix::fs::PermissionsExt as _;
    match metadata.permissions().mode() & 0o100 {
        0 => Mode::Regular,
        _ => Mode::Executable,
    }
}

/// What kind of regular file that is, where the platform tells.
#[cfg(not(unix))]
pub fn mode(_: &fs::Metadata) -> Mode {
    Mode::Regular
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        // `git hash-object -t blob /dev/null`, `git mktree </dev/null`, and the first blob of the book of git.
        for (kind, content, id) in [
            ("blob", "", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            ("tree", "", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
            (
                "blob",
                "test content\n",
                "d670460b4b4aece5915caf5c68d12f560a9fe3e4",
            ),
        ] {
            assert_eq!(ObjectId::of(kind, content.as_bytes()).to_string(), id);
        }
        assert_eq!(
            TreeFiles::default().id().to_string(),
            "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        );
    }

    #[test]
    fn an_id_is_40_lower_case_digits() {
        let id = "d670460b4b4aece5915caf5c68d12f560a9fe3e4";
        assert_eq!(id.parse::<ObjectId>().unwrap().to_string(), id);
        for bad in ["", "d670", &id.to_uppercase(), &format!("{id}00"), "HEAD"] {
            assert!(bad.parse::<ObjectId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_commit_names_its_tree_and_its_time() {
        let id = "d670460b4b4aece5915caf5c68d12f560a9fe3e4";
        let text = format!(
            "tree {id}\nparent {id}\nauthor A <a@b> 1 +0000\ncommitter C > D <c@d> 1700000000 -0130\ngpgsig x\n y\n\n\
             committer E <e@f> 2 +0000\n"
        );
        let commit = CommitObject::parse(text.as_bytes()).unwrap();
        assert_eq!(commit.tree.to_string(), id);
        assert_eq!(commit.time, 1_700_000_000);
        for bad in [
            text.replace("tree d", "tree e0"),
            text.replace(" 1700000000 ", " -5 "),
            text.replace("committer C", "\ncommitter C"),
            String::new(),
        ] {
            assert!(CommitObject::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_differs_is_named_on_one_line_each() {
        let files = |names: &[(&str, &str)]| {
            let file = |(name, text): &(&str, &str)| {
                let id = ObjectId::of("blob", text.as_bytes());
                (name.as_bytes().to_vec(), (Mode::Regular, id))
            };
            TreeFiles(names.iter().map(file).collect())
        };
        let one = files(&[("a", "1"), ("b", "1"), ("c\n", "1")]);
        let two = files(&[("a", "1"), ("b", "2"), ("d", "1")]);
        assert_eq!(one.differing(&two), ["b", "c\\n", "d"]);
        assert_eq!(one.differing(&one), [""; 0]);
    }
}
