//! The CARGO_HOME of one clean tree: the registry's downloads are shared, configuration is not.
//!
//! The user's own CARGO_HOME says where crates come from, and much else: another compiler, linker, wrapper, target or
//! profile. Only the former is taken over, and only as far as a crate is fetched by it. The sources of the crates are
//! unpacked afresh, so that nobody has edited them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use crate::host::error::Failure;
use crate::reproduce::index::{self, IndexFile};

/// The file that cargo reads. Where both are there, the first wins.
const CONFIGURATION: [&str; 2] = ["config", "config.toml"];

/// The files that hold tokens. Where both are there, the first wins.
const CREDENTIALS: [&str; 2] = ["credentials", "credentials.toml"];

/// What cargo has downloaded, below its home.
const SHARED: [&str; 2] = ["registry/index", "registry/cache"];

/// The locks on what is shared.
const LOCKS: [&str; 2] = [".package-cache", ".package-cache-mutate"];

/// How deep a file of configuration may include others.
const INCLUDES_MAX: u32 = 8;

/// The tables that are taken over whole: sources, registries, network and credentials.
const TABLES: [&str; 5] = ["source", "registries", "net", "http", "credential-alias"];

/// What is taken over of the table `registry`, which also names registries to publish to.
const OF_REGISTRY: [&str; 4] = [
    "global-credential-providers",
    "credential-provider",
    "token",
    "secret-key",
];

/// What of a registry a build that fetches nothing has to know.
const OF_BUILD: [&str; 2] = ["index", "protocol"];

/// The keys whose values are paths, relative to the folder that holds the CARGO_HOME.
const PATHS: [&[&str]; 3] = [
    &["source", "*", "local-registry"],
    &["http", "cainfo"],
    &["http", "proxy-cainfo"],
];

/// A CARGO_HOME that only a clean tree uses.
#[derive(Debug)]
pub struct CargoHome {
    /// Where it is.
    path: PathBuf,
    /// What was taken over.
    taken: Table,
    /// The file that it was taken from.
    from: Option<PathBuf>,
}

impl CargoHome {
    /// Makes the empty directory `path` a home from which crates can be fetched as from `outer`.
    pub fn create(path: PathBuf, outer: Option<&Path>) -> Result<Self> {
        let mut home = Self {
            path,
            taken: Table::new(),
            from: None,
        };
        if let Some(outer) = outer {
            home.share(outer)?;
            home.from = first_of(outer, &CONFIGURATION);
            if let Some(from) = &home.from {
                let base = outer.parent().unwrap_or(outer);
                home.taken = take_over(&load(from, INCLUDES_MAX)?, base);
                refuse_directories(&home.taken, from)?;
            }
            if let Some(credentials) = first_of(outer, &CREDENTIALS) {
                let link = home.credentials();
                fs::copy(&credentials, &link)
                    .with_context(|| format!("copy {}", credentials.display()))?;
            }
        }
        home.configure(&home.taken)?;
        Ok(home)
    }

    /// Forgets all that only fetching needs: tokens, proxies, programs that give credentials.
    pub fn seal(&self) -> Result<()> {
        match fs::remove_file(self.credentials()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).context("remove the copy of the credentials")
            }
            _ => self.configure(&of_build(&self.taken)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where cargo unpacks crates, a folder for each registry.
    pub fn sources(&self) -> PathBuf {
        self.path.join("registry/src")
    }

    /// Where the archive of a crate may lie that was unpacked below `registry`, the name of a folder of [`Self::sources`].
    pub fn archives(&self, registry: &std::ffi::OsStr, name: &str) -> Vec<PathBuf> {
        let cache = self.path.join("registry/cache").join(registry);
        let mut places = vec![cache.join(name)];
        places.extend(
            self.local_registries()
                .map(|directory| directory.join(name)),
        );
        places
    }

    /// Where an index may say of a crate what it needs and which features it has.
    pub fn index_files(&self, registry: &std::ffi::OsStr, name: &str) -> Vec<IndexFile> {
        let below = index::path_of(name);
        let cache = self.path.join("registry/index").join(registry);
        let mut files = vec![IndexFile::Cached(cache.join(".cache").join(&below))];
        let local = self.local_registries();
        files.extend(local.map(|directory| IndexFile::Lines(directory.join("index").join(&below))));
        files
    }

    fn local_registries(&self) -> impl Iterator<Item = &Path> {
        let local = self.taken.get("source").and_then(Value::as_table);
        let local = local.into_iter().flat_map(Table::values);
        local.filter_map(|source| Some(Path::new(source.get("local-registry")?.as_str()?)))
    }

    /// The keys that were taken over, and the file that they are from.
    pub fn taken_over(&self) -> Option<(&Path, Vec<String>)> {
        let from = self.from.as_deref()?;
        let mut names = Vec::new();
        name_keys(&self.taken, "", &mut names);
        (!names.is_empty()).then_some((from, names))
    }

    fn credentials(&self) -> PathBuf {
        self.path.join(CREDENTIALS[1])
    }

    /// Links to what `outer` has downloaded, so that it is not downloaded again, and to its locks, so that two runs do
    /// not write there at once. Where that cannot be, the home has its own.
    fn share(&self, outer: &Path) -> Result<()> {
        for name in SHARED {
            let (from, to) = (outer.join(name), self.path.join(name));
            let parent = to.parent().unwrap_or(&self.path);
            fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
            let is_there = fs::create_dir_all(&from).and_then(|()| from.canonicalize());
            if !is_there.is_ok_and(|from| link(&from, &to).is_ok()) {
                fs::create_dir(&to).with_context(|| format!("create {}", to.display()))?;
            }
        }
        for name in LOCKS {
            let from = outer.join(name);
            let is_there = fs::OpenOptions::new().append(true).create(true).open(&from);
            if is_there.is_ok() {
                // Without the link the run has a lock of its own.
                let _ = from
                    .canonicalize()
                    .and_then(|from| link(&from, &self.path.join(name)));
            }
        }
        Ok(())
    }

    fn configure(&self, taken: &Table) -> Result<()> {
        let mut table = taken.clone();
        // What is shared is not this home's to clean up.
        let never = ("auto-clean-frequency".to_owned(), "never".into());
        let never: Table = [never].into_iter().collect();
        table.insert("cache".to_owned(), never.into());
        let path = self.path.join(CONFIGURATION[1]);
        let text = toml::to_string(&table).context("encode the configuration of cargo")?;
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    }
}

fn first_of(directory: &Path, names: &[&str]) -> Option<PathBuf> {
    let mut files = names.iter().map(|name| directory.join(name));
    files.find(|file| file.is_file())
}

/// Reads a file of configuration and those that it includes, of which it overrides the keys.
fn load(path: &Path, includes: u32) -> Result<Table> {
    let bad = |what: &str| {
        Failure::environment(format!("{}: {what}", path.display()))
            .hint("mend it; `cargo config get` tells what cargo makes of it")
    };
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let mut table: Table = toml::from_str(&text).map_err(|error| bad(error.message()))?;
    let included = match table.remove("include") {
        None => Vec::new(),
        Some(Value::Array(included)) => included,
        Some(one) => vec![one],
    };
    let mut merged = Table::new();
    for file in included {
        let (name, is_optional) = match &file {
            Value::String(name) => (Some(name.as_str()), false),
            file => (
                file.get("path").and_then(Value::as_str),
                file.get("optional").and_then(Value::as_bool) == Some(true),
            ),
        };
        let name = name.ok_or_else(|| bad("an `include` names no path"))?;
        let file = path.parent().unwrap_or(path).join(name);
        if is_optional && !file.exists() {
            continue;
        }
        let depth = includes
            .checked_sub(1)
            .ok_or_else(|| bad("it includes files that include files without an end"))?;
        merge(&mut merged, load(&file, depth)?);
    }
    merge(&mut merged, table);
    Ok(merged)
}

fn merge(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// The part of a configuration that says where crates come from and how to get them. Paths are relative to `base`.
fn take_over(outer: &Table, base: &Path) -> Table {
    let mut taken = Table::new();
    for (key, value) in outer {
        let value = match (key.as_str(), value) {
            (name, value) if TABLES.contains(&name) => value.clone(),
            ("registry", Value::Table(table)) => only(table, &OF_REGISTRY).into(),
            _ => continue,
        };
        taken.insert(key.clone(), value);
    }
    for path in PATHS {
        make_absolute(&mut taken, path, base);
    }
    taken
}

fn make_absolute(table: &mut Table, path: &[&str], base: &Path) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    for (key, value) in table.iter_mut() {
        if *first != "*" && key != first {
            continue;
        }
        match value {
            Value::Table(below) => make_absolute(below, rest, base),
            Value::String(text) if rest.is_empty() => {
                *text = base.join(&*text).to_string_lossy().into_owned();
            }
            _ => {}
        }
    }
}

/// What of it counts where nothing is fetched: which registry stands for which.
fn of_build(taken: &Table) -> Table {
    let mut table = only(taken, &["source"]);
    if let Some(Value::Table(registries)) = taken.get("registries") {
        let registries = registries.iter().filter_map(|(name, registry)| {
            let known = only(registry.as_table()?, &OF_BUILD);
            Some((name.clone(), Value::Table(known)))
        });
        table.insert("registries".to_owned(), Value::Table(registries.collect()));
    }
    table
}

fn only(table: &Table, names: &[&str]) -> Table {
    let kept = table
        .iter()
        .filter(|(key, _)| names.contains(&key.as_str()));
    let kept = kept.map(|(key, value)| (key.clone(), value.clone()));
    kept.collect()
}

/// Refuses directories of unpacked crates: whoever edits one edits its checksums too.
fn refuse_directories(taken: &Table, from: &Path) -> Result<(), Failure> {
    let sources = taken.get("source").and_then(Value::as_table);
    let found = sources
        .into_iter()
        .flatten()
        .find(|(_, source)| source.get("directory").is_some());
    let Some((name, _)) = found else {
        return Ok(());
    };
    let message = format!(
        "{} has crates from a directory, source.{}, which cannot be held to the checksums of Cargo.lock",
        from.display(),
        key_text(name)
    );
    Err(Failure::environment(message).hint(
        "use a registry that holds archives, such as a mirror or a `local-registry`; or cargo fetch --locked, and --offline",
    ))
}

fn name_keys(table: &Table, prefix: &str, names: &mut Vec<String>) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key_text(key));
        match value {
            Value::Table(below) => name_keys(below, &format!("{name}."), names),
            _ => names.push(name),
        }
    }
}

/// A key as it stands in a file, on one line.
fn key_text(key: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match !key.is_empty() && key.bytes().all(is_bare) {
        true => key.to_owned(),
        false => format!("\"{}\"", key.escape_debug()),
    }
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(windows)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match from.is_dir() {
        true => std::os::windows::fs::symlink_dir(from, to),
        false => std::os::windows::fs::symlink_file(from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A home with that configuration and its own home in a directory beside it.
    fn homes(configuration: &str) -> (tempfile::TempDir, Result<CargoHome>) {
        let dir = tempfile::tempdir().unwrap();
        let (outer, own) = (dir.path().join("outer"), dir.path().join("own"));
        for home in [&outer, &own] {
            fs::create_dir(home).unwrap();
        }
        fs::write(outer.join("config.toml"), configuration).unwrap();
        fs::write(
            outer.join("credentials.toml"),
            "[registry]\ntoken = \"secret\"\n",
        )
        .unwrap();
        let home = CargoHome::create(own, Some(&outer));
        (dir, home)
    }

    fn written(home: &CargoHome) -> Table {
        let text = fs::read_to_string(home.path.join("config.toml")).unwrap();
        let mut table: Table = toml::from_str(&text).unwrap();
        assert!(table.remove("cache").is_some());
        table
    }

    fn keys(table: &Table) -> Vec<String> {
        let mut names = Vec::new();
        name_keys(table, "", &mut names);
        names
    }

    #[test]
    fn nothing_that_changes_a_build_is_taken_over() {
        for key in [
            "build.rustc = \"x\"",
            "build.rustc-wrapper = \"x\"",
            "build.rustc-workspace-wrapper = \"x\"",
            "build.rustdoc = \"x\"",
            "build.target = \"x\"",
            "build.target-dir = \"x\"",
            "build.build-dir = \"x\"",
            "build.rustflags = [\"x\"]",
            "build.jobs = 1",
            "build.dep-info-basedir = \"x\"",
            "build.incremental = true",
            "target.x86_64-unknown-linux-gnu.linker = \"x\"",
            "target.x86_64-unknown-linux-gnu.runner = \"x\"",
            "target.x86_64-unknown-linux-gnu.rustflags = [\"x\"]",
            "target.'cfg(all())'.linker = \"x\"",
            "target.'cfg(all())'.rustflags = [\"x\"]",
            "target.x86_64-unknown-linux-gnu.z.rustc-link-lib = [\"x\"]",
            "host.linker = \"x\"",
            "profile.release.opt-level = 0",
            "profile.release.package.sha2.opt-level = 0",
            "profile.release.build-override.opt-level = 0",
            "env.CC = \"x\"",
            "env.SOURCE_DATE_EPOCH = { value = \"1\", force = true }",
            "alias.build = \"x\"",
            "patch.crates-io.sha2.path = \"x\"",
            "paths = [\"x\"]",
            "unstable.build-std = [\"core\"]",
            "resolver.incompatible-rust-versions = \"allow\"",
            "future-incompat-report.frequency = \"never\"",
            "cargo-new.vcs = \"none\"",
            "doc.browser = \"x\"",
            "install.root = \"x\"",
            "term.verbose = true",
            "cache.auto-clean-frequency = \"always\"",
            "registry.default = \"x\"",
            "registry.index = \"x\"",
            "include_me = 1",
        ] {
            let (_dir, home) = homes(key);
            let home = home.unwrap();
            assert_eq!(keys(&written(&home)), [""; 0], "{key}");
            assert!(home.taken_over().is_none(), "{key}");
        }
    }

    #[test]
    fn where_crates_come_from_is_taken_over_and_named_without_values() {
        let (dir, home) = homes(
            "build.rustc = \"evil\"\n\
             [source.crates-io]\nreplace-with = \"mirror\"\n\
             [source.mirror]\nregistry = \"sparse+https://secret@mirror.example/\"\n\
             [source.local]\nlocal-registry = \"crates\"\n\
             [registries.\"a b\"]\nindex = \"https://x\"\ntoken = \"secret\"\n\
             [registry]\nglobal-credential-providers = [\"cargo:token\"]\ndefault = \"x\"\n\
             [net]\ngit-fetch-with-cli = true\n\
             [http]\ncainfo = \"ca.pem\"\nproxy = \"secret\"\n\
             [credential-alias]\nmine = [\"x\"]\n",
        );
        let home = home.unwrap();
        let names = [
            "credential-alias.mine",
            "http.cainfo",
            "http.proxy",
            "net.git-fetch-with-cli",
            "registries.\"a b\".index",
            "registries.\"a b\".token",
            "registry.global-credential-providers",
            "source.crates-io.replace-with",
            "source.local.local-registry",
            "source.mirror.registry",
        ];
        let (from, taken) = home.taken_over().unwrap();
        assert_eq!(from, dir.path().join("outer/config.toml"));
        assert_eq!(taken, names);
        let fetching = written(&home);
        assert_eq!(keys(&fetching), names);
        let path = |name: &str| Value::from(dir.path().join(name).to_str().unwrap());
        assert_eq!(fetching["http"]["cainfo"], path("ca.pem"));
        assert_eq!(
            fetching["source"]["local"]["local-registry"],
            path("crates")
        );
        assert!(home.credentials().exists());

        home.seal().unwrap();
        assert_eq!(
            keys(&written(&home)),
            [
                "registries.\"a b\".index",
                "source.crates-io.replace-with",
                "source.local.local-registry",
                "source.mirror.registry",
            ]
        );
        assert!(!home.credentials().exists());
        home.seal().unwrap();
    }

    #[test]
    fn downloads_and_locks_are_shared_and_sources_are_not() {
        let (dir, home) = homes("");
        let home = home.unwrap();
        for name in SHARED.iter().chain(&LOCKS) {
            let real = home.path().join(name).canonicalize().unwrap();
            let outer = dir.path().join("outer").join(name);
            assert_eq!(real, outer.canonicalize().unwrap(), "{name}");
        }
        assert!(!home.sources().exists());
        // A home that cannot be written, such as one that is a file, is not needed.
        let (file, own) = (dir.path().join("file"), dir.path().join("third"));
        fs::write(&file, "").unwrap();
        fs::create_dir(&own).unwrap();
        let home = CargoHome::create(own, Some(&file)).unwrap();
        assert!(home.path().join("registry/cache").is_dir());
    }

    #[test]
    fn crates_that_no_checksum_holds_are_refused() {
        let text = "[source.crates-io]\nreplace-with = \"v\\n\"\n[source.\"v\\n\"]\ndirectory = \"vendor\"\n";
        let (_dir, home) = homes(text);
        let error = home.unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("config.toml has crates from a directory, source.\"v\\n\""),
            "{text}"
        );
        assert_eq!(
            crate::host::error::exit_code(&error),
            ecac_artifact::exit::ENVIRONMENT
        );
    }

    #[test]
    fn included_files_count_below_the_one_that_includes() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write(
            "config.toml",
            "include = [\"a.toml\", { path = \"none.toml\", optional = true }]\nnet.retry = 3\n",
        );
        write(
            "a.toml",
            "include = \"b.toml\"\nnet.retry = 1\nnet.offline = false\nbuild.rustc = \"x\"\n",
        );
        write("b.toml", "http.timeout = 5\nnet.offline = true\n");
        let table = load(&dir.path().join("config.toml"), INCLUDES_MAX).unwrap();
        assert_eq!(table["net"]["retry"].as_integer(), Some(3));
        assert_eq!(table["net"]["offline"].as_bool(), Some(false));
        assert_eq!(table["http"]["timeout"].as_integer(), Some(5));

        for (text, says) in [
            ("include = [\"config.toml\"]", "without an end"),
            ("include = [{}]", "names no path"),
            ("include = \"none.toml\"", "none.toml"),
            ("a = [", "config.toml: "),
        ] {
            write("config.toml", text);
            let error = load(&dir.path().join("config.toml"), INCLUDES_MAX).unwrap_err();
            assert!(format!("{error:#}").contains(says), "{text}: {error:#}");
            assert_eq!(
                crate::host::error::exit_code(&error),
                ecac_artifact::exit::ENVIRONMENT
            );
        }
    }
}
