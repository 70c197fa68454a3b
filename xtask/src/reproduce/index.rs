//! What the index of a registry says of a crate, held to what the crate says of itself.
//!
//! Cargo takes dependencies and features from the index, not from the manifest in the archive, and no checksum of
//! `Cargo.lock` is over them: whoever serves or edits an index could have the same archives compiled with other features.
//! What decides that is read here as cargo keeps it, and has to be what the manifests say, whose archives are held to
//! their checksums.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::host::error::Failure;

/// The form in which cargo keeps what it has read of an index: the first byte of each file. The toolchain is pinned.
const FORM: u8 = 3;

/// The kind of dependencies that are not built with a crate of a registry.
const DEV: &str = "dev";

/// What cargo calls a dependency that is neither of a build script nor of tests.
const NORMAL: &str = "normal";

/// A file that may hold what an index says of a crate.
#[derive(Debug, PartialEq, Eq)]
pub enum IndexFile {
    /// In the form of cargo's own cache.
    Cached(PathBuf),
    /// One JSON object on each line, as in a local registry.
    Lines(PathBuf),
}

/// Where an index keeps a crate, relative to its top: names of up to three letters have folders of their own.
#[must_use]
pub fn path_of(name: &str) -> PathBuf {
    let name = name.to_lowercase();
    let part = |range| name.get(range).unwrap_or("_");
    let folder = match name.chars().count() {
        1 => PathBuf::from("1"),
        2 => PathBuf::from("2"),
        3 => Path::new("3").join(part(0..1)),
        _ => Path::new(part(0..2)).join(part(2..4)),
    };
    folder.join(name)
}

/// What a manifest says that decides what is compiled: its part of what `cargo metadata` prints.
#[derive(Debug, Default, Deserialize)]
pub struct Manifest {
    dependencies: Vec<OfManifest>,
    features: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, Deserialize)]
struct OfManifest {
    name: String,
    rename: Option<String>,
    kind: Option<String>,
    target: Option<String>,
    optional: bool,
    uses_default_features: bool,
    features: BTreeSet<String>,
}

/// What an index says of one version.
#[derive(Debug, Deserialize)]
struct Entry {
    vers: String,
    deps: Vec<OfIndex>,
    features: BTreeMap<String, BTreeSet<String>>,
    /// Features in a syntax that an old cargo could not read.
    #[serde(default)]
    features2: Option<BTreeMap<String, BTreeSet<String>>>,
}

#[derive(Debug, Deserialize)]
struct OfIndex {
    /// The name in the code.
    name: String,
    /// The crate, where it is another name.
    package: Option<String>,
    kind: Option<String>,
    target: Option<String>,
    optional: bool,
    default_features: bool,
    features: BTreeSet<String>,
}

/// What both say in one form.
#[derive(Debug, PartialEq, Eq)]
struct Claims {
    dependencies: BTreeSet<Dependency>,
    features: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Dependency {
    name: String,
    package: String,
    kind: String,
    target: Option<String>,
    is_optional: bool,
    has_defaults: bool,
    features: BTreeSet<String>,
}

impl Manifest {
    /// Requires that every file which knows this version of the crate says what its manifest does, and that one knows it.
    pub fn check(&self, name: &str, version: &str, files: &[IndexFile]) -> Result<()> {
        let own = self.claims();
        let mut is_known = false;
        for file in files {
            let (IndexFile::Cached(path) | IndexFile::Lines(path)) = file;
            let bytes = match fs::read(path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    return Err(error).with_context(|| format!("read {}", path.display()));
                }
            };
            let refuse = |what: &str| {
                let message = format!(
                    "what the index says of the crate {} {} {what}: {}",
                    name.escape_debug(),
                    version.escape_debug(),
                    path.display()
                );
                Failure::environment(message).hint("remove the file; cargo then fetches it again")
            };
            let entries = match file {
                IndexFile::Cached(_) => cached(&bytes, version),
                IndexFile::Lines(_) => Some(lines(&bytes, version)),
            };
            let entries = entries.ok_or_else(|| refuse("is not in the form that cargo keeps"))?;
            let entry = match entries.as_slice() {
                [] => continue,
                [entry] => entry,
                _ => return Err(refuse("stands there more than once").into()),
            };
            let entry: Entry =
                serde_json::from_slice(entry).map_err(|_| refuse("cannot be read"))?;
            if entry.vers != version {
                return Err(refuse("is of another version").into());
            }
            if let Some(difference) = entry.claims().difference(&own) {
                return Err(
                    refuse(&format!("is not what its manifest says ({difference})")).into(),
                );
            }
            is_known = true;
        }
        if is_known {
            return Ok(());
        }
        let message = format!(
            "no index says anything of the crate {} {}, so its features are nobody's word",
            name.escape_debug(),
            version.escape_debug()
        );
        Err(Failure::environment(message)
            .hint("cargo fetch --locked, with a network, and then again")
            .into())
    }

    fn claims(&self) -> Claims {
        let dependencies = self.dependencies.iter().map(|dependency| Dependency {
            name: dependency
                .rename
                .as_ref()
                .unwrap_or(&dependency.name)
                .clone(),
            package: dependency.name.clone(),
            kind: dependency.kind.clone().unwrap_or_else(|| NORMAL.to_owned()),
            target: dependency.target.clone(),
            is_optional: dependency.optional,
            has_defaults: dependency.uses_default_features,
            features: dependency.features.clone(),
        });
        Claims::new(dependencies, self.features.clone())
    }
}

impl Entry {
    fn claims(self) -> Claims {
        let dependencies = self.deps.into_iter().map(|dependency| Dependency {
            package: dependency
                .package
                .unwrap_or_else(|| dependency.name.clone()),
            name: dependency.name,
            kind: dependency.kind.unwrap_or_else(|| NORMAL.to_owned()),
            target: dependency.target,
            is_optional: dependency.optional,
            has_defaults: dependency.default_features,
            features: dependency.features,
        });
        let mut features = self.features;
        for (name, enables) in self.features2.unwrap_or_default() {
            features.entry(name).or_default().extend(enables);
        }
        Claims::new(dependencies, features)
    }
}

impl Claims {
    fn new(
        dependencies: impl Iterator<Item = Dependency>,
        mut features: BTreeMap<String, BTreeSet<String>>,
    ) -> Self {
        let dependencies: BTreeSet<_> = dependencies.filter(|each| each.kind != DEV).collect();
        // An optional dependency is a feature of its name, which an index leaves unsaid and a manifest may say.
        for dependency in dependencies.iter().filter(|each| each.is_optional) {
            let itself = BTreeSet::from([format!("dep:{}", dependency.name)]);
            if features.get(&dependency.name) == Some(&itself) {
                features.remove(&dependency.name);
            }
        }
        Self {
            dependencies,
            features,
        }
    }

    /// The first feature or dependency that is not the same in both, on one line.
    fn difference(&self, other: &Self) -> Option<String> {
        let names = self.features.keys().chain(other.features.keys());
        let mut names = names.filter(|name| self.features.get(*name) != other.features.get(*name));
        if let Some(name) = names.next() {
            return Some(format!("the feature {}", name.escape_debug()));
        }
        let mut differing = self.dependencies.symmetric_difference(&other.dependencies);
        let first = differing.next()?;
        Some(format!("the dependency {}", first.name.escape_debug()))
    }
}

/// What cargo's cache holds of a version: a byte for the form, four for that of the index, the index's revision, and then
/// each version and what is said of it, all ended by a zero.
fn cached<'a>(bytes: &'a [u8], version: &str) -> Option<Vec<&'a [u8]>> {
    let [FORM, _, _, _, _, rest @ ..] = bytes else {
        return None;
    };
    let mut parts = rest.split(|byte| *byte == 0);
    parts.next()?;
    let mut found = Vec::new();
    while let (Some(known), Some(entry)) = (parts.next(), parts.next()) {
        if known == version.as_bytes() {
            found.push(entry);
        }
    }
    Some(found)
}

/// The lines that are of a version. One that cannot be read is of none.
fn lines<'a>(bytes: &'a [u8], version: &str) -> Vec<&'a [u8]> {
    /// As much of an entry as tells its version.
    #[derive(Deserialize)]
    struct Version {
        vers: String,
    }
    let is_of = |line: &&[u8]| {
        let read: Result<Version, _> = serde_json::from_slice(line);
        read.is_ok_and(|read| read.vers == version)
    };
    bytes.split(|byte| *byte == b'\n').filter(is_of).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An index that says of one version of a crate that it has no dependency and no feature.
    pub(crate) fn bare(version: &str) -> Vec<u8> {
        cache(&[(
            version,
            &format!("{{\"vers\":\"{version}\",\"deps\":[],\"features\":{{}}}}"),
        )])
    }

    fn cache(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = vec![FORM, 2, 0, 0, 0];
        bytes.extend_from_slice(b"revision\0");
        for (version, entry) in entries {
            bytes.extend_from_slice(format!("{version}\0{entry}\0").as_bytes());
        }
        bytes
    }

    const ENTRY: &str = r#"{"name":"a","vers":"1.0.0","cksum":"0","yanked":false,
        "deps":[
          {"name":"b","req":"^1","features":["x","y"],"optional":true,"default_features":false,"target":"cfg(unix)","kind":"normal"},
          {"name":"c","package":"cc","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"build"},
          {"name":"t","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"dev"}],
        "features":{"default":["std"],"std":["b?/std"]},"features2":{"std":["dep:b"]},"v":2}"#;

    const MANIFEST: &str = r#"{"dependencies":[
          {"name":"cc","rename":"c","kind":"build","target":null,"optional":false,"uses_default_features":true,"features":[],"req":"^1"},
          {"name":"u","rename":null,"kind":"dev","target":null,"optional":false,"uses_default_features":true,"features":[]},
          {"name":"b","rename":null,"kind":null,"target":"cfg(unix)","optional":true,"uses_default_features":false,"features":["y","x"]}],
        "features":{"b":["dep:b"],"default":["std"],"std":["dep:b","b?/std"]}}"#;

    fn checked(write: impl FnOnce(&Path) -> Vec<IndexFile>) -> Result<()> {
        let dir = tempfile::tempdir().unwrap();
        let manifest: Manifest = serde_json::from_str(MANIFEST).unwrap();
        manifest.check("a", "1.0.0", &write(dir.path()))
    }

    fn of(bytes: &[u8]) -> Result<()> {
        checked(|dir| {
            let path = dir.join("a");
            fs::write(&path, bytes).unwrap();
            vec![IndexFile::Cached(dir.join("none")), IndexFile::Cached(path)]
        })
    }

    fn refused(result: Result<()>, says: &str) {
        let error = result.unwrap_err();
        assert!(format!("{error:#}").contains(says), "{says}: {error:#}");
        assert_eq!(
            crate::host::error::exit_code(&error),
            ecac_artifact::exit::ENVIRONMENT
        );
    }

    #[test]
    fn an_index_that_says_what_the_manifest_does_holds() {
        of(&cache(&[
            ("0.9.0", "{}"),
            ("1.0.0", ENTRY),
            ("1.0.1", "{}"),
        ]))
        .unwrap();
        let one_line = ENTRY.replace('\n', "");
        checked(|dir| {
            let path = dir.join("a");
            fs::write(&path, format!("{{\"vers\":\"0.9.0\"}}\n{one_line}\n")).unwrap();
            vec![IndexFile::Lines(path)]
        })
        .unwrap();
    }

    #[test]
    fn another_feature_or_dependency_is_refused_by_name() {
        for (from, to, says) in [
            (
                r#""default":["std"]"#,
                r#""default":[]"#,
                "the feature default",
            ),
            (
                r#"["b?/std"]"#,
                r#"["b?/std","default"]"#,
                "the feature std",
            ),
            (
                r#""features2":{"#,
                r#""features2":{"evil\n":[],"#,
                "the feature evil\\n",
            ),
            (r#"["x","y"]"#, r#"["x","y","z"]"#, "the dependency b"),
            (
                r#""default_features":false"#,
                r#""default_features":true"#,
                "the dependency b",
            ),
            (r#""optional":true"#, r#""optional":false"#, "the "),
            (
                r#""target":"cfg(unix)""#,
                r#""target":null"#,
                "the dependency b",
            ),
            (
                r#""kind":"build""#,
                r#""kind":"normal""#,
                "the dependency c",
            ),
            (
                r#""package":"cc""#,
                r#""package":"evil""#,
                "the dependency c",
            ),
            (r#""kind":"dev""#, r#""kind":null"#, "the dependency t"),
            (
                r#""vers":"1.0.0""#,
                r#""vers":"1.0.1""#,
                "is of another version",
            ),
            (r#""deps""#, r#""nothing""#, "cannot be read"),
        ] {
            assert!(ENTRY.contains(from), "{from}");
            refused(of(&cache(&[("1.0.0", &ENTRY.replacen(from, to, 1))])), says);
        }
    }

    #[test]
    fn an_index_that_cannot_be_held_to_a_manifest_is_refused() {
        refused(of(&cache(&[("1.0.1", ENTRY)])), "no index says anything");
        refused(of(b""), "not in the form that cargo keeps");
        let mut other = cache(&[("1.0.0", ENTRY)]);
        other[0] = FORM + 1;
        refused(of(&other), "not in the form that cargo keeps");
        let twice = cache(&[("1.0.0", ENTRY), ("1.0.0", ENTRY)]);
        refused(of(&twice), "more than once");
        refused(checked(|_| Vec::new()), "no index says anything");
    }

    #[test]
    fn crates_lie_where_cargo_puts_them() {
        for (name, path) in [
            ("a", "1/a"),
            ("cc", "2/cc"),
            ("hex", "3/h/hex"),
            ("toml", "to/ml/toml"),
            ("Inflector", "in/fl/inflector"),
        ] {
            assert_eq!(path_of(name), Path::new(path), "{name}");
        }
    }
}
