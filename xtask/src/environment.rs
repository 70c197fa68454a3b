//! The environment of the children that build and run: cleared, then a short list.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::network::Network;
use crate::workspace;

/// Variables that the build inherits: where programs and caches are, and how to reach a registry.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_AUTO_INSTALL",
    "RUSTUP_DIST_SERVER",
    "RUSTUP_UPDATE_ROOT",
    "TMPDIR",
    // Proxies and certificate authorities.
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_PROXY",
    "CARGO_HTTP_TIMEOUT",
    "CARGO_HTTP_MULTIPLEXING",
    "CARGO_NET_RETRY",
    "CARGO_NET_GIT_FETCH_WITH_CLI",
    "CARGO_NET_OFFLINE",
    // macOS finds its linker and libraries through these.
    "SDKROOT",
    "DEVELOPER_DIR",
    // Windows programs do not start without these.
    "SystemRoot",
    "SystemDrive",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "ProgramData",
    "PATHEXT",
    "COMSPEC",
    "TEMP",
    "TMP",
];

/// A variable and its value.
pub(crate) type Variable = (OsString, OsString);

/// What the build of a clean tree inherits: programs, caches and the way to a registry.
pub(crate) struct Inherited {
    /// The inherited variables.
    pub(crate) variables: Vec<Variable>,
    home: Option<PathBuf>,
    cargo_home: Option<PathBuf>,
    rustup_home: Option<PathBuf>,
}

impl Inherited {
    /// The part of this process's environment that a build of `tree` may see.
    pub(crate) fn for_tree(tree: &Path) -> Result<Self> {
        let inherited = |name: &str| env::var_os(name);
        let home = inherited("HOME").map(PathBuf::from);
        let cargo_home = tool_home(inherited("CARGO_HOME"), home.as_deref(), ".cargo")?;
        let rustup_home = tool_home(inherited("RUSTUP_HOME"), home.as_deref(), ".rustup")?;
        let mut variables = allowed(inherited, &workspace::pinned_toolchain(tree)?);
        // A relative home would mean another directory inside the tree.
        for (name, value) in [("CARGO_HOME", &cargo_home), ("RUSTUP_HOME", &rustup_home)] {
            if let (Some(value), Some(entry)) =
                (value, variables.iter_mut().find(|(key, _)| key == name))
            {
                entry.1 = value.clone().into_os_string();
            }
        }
        variables.push(("LC_ALL".into(), "C".into()));
        variables.push(("TZ".into(), "UTC".into()));
        Ok(Self {
            variables,
            home,
            cargo_home,
            rustup_home,
        })
    }

    /// The whole environment of a build of `tree`, whose commit was made at `source_date_epoch` seconds.
    pub(crate) fn build(
        &self,
        tree: &Path,
        source_date_epoch: u64,
        sysroot: &Sysroot,
    ) -> Result<Vec<Variable>> {
        let flags = encoded_rustflags(tree, self.cargo_home.as_deref(), sysroot)?;
        let epoch = source_date_epoch.to_string();
        let mut variables = self.variables.clone();
        variables.extend([
            ("SOURCE_DATE_EPOCH".into(), epoch.into()),
            ("CARGO_ENCODED_RUSTFLAGS".into(), flags),
            ("CARGO_TARGET_DIR".into(), tree.join("target").into()),
            ("CARGO_INCREMENTAL".into(), "0".into()),
            ("CARGO_TERM_COLOR".into(), "never".into()),
            ("CARGO_TERM_PROGRESS_WHEN".into(), "never".into()),
            // An empty wrapper overrides one that a configuration file names.
            ("RUSTC_WRAPPER".into(), "".into()),
            ("RUSTC_WORKSPACE_WRAPPER".into(), "".into()),
        ]);
        Ok(variables)
    }

    /// Paths of this machine that must not occur in a binary.
    pub(crate) fn secret_paths(&self, tree: &Path) -> Vec<PathBuf> {
        let homes = [&self.home, &self.cargo_home, &self.rustup_home];
        let mut paths: Vec<_> = homes.into_iter().flatten().cloned().collect();
        paths.push(tree.to_owned());
        paths
    }
}

/// The environment of the freshly built programs: they need nothing of this machine. What starts them without a
/// network has to be found on PATH.
pub(crate) fn of_built_programs(source_date_epoch: u64, network: Network) -> Vec<Variable> {
    let path = (network == Network::NoInterface).then_some("PATH");
    let mut variables: Vec<_> = ["SystemRoot", "SystemDrive", "TMPDIR", "TEMP", "TMP"]
        .iter()
        .copied()
        .chain(path)
        .filter_map(|name| Some((name.into(), env::var_os(name)?)))
        .collect();
    variables.extend([
        ("LC_ALL".into(), "C".into()),
        ("TZ".into(), "UTC".into()),
        (
            "SOURCE_DATE_EPOCH".into(),
            source_date_epoch.to_string().into(),
        ),
    ]);
    variables
}

/// The inherited part of the build environment.
fn allowed(inherited: impl Fn(&str) -> Option<OsString>, pinned: &str) -> Vec<Variable> {
    let mut variables: Vec<Variable> = INHERITED
        .iter()
        .filter_map(|name| Some(((*name).into(), inherited(name)?)))
        .collect();
    // Another toolchain than the pinned one must not slip in by rustup's override.
    if let Some(toolchain) = inherited("RUSTUP_TOOLCHAIN")
        && names_release(&toolchain, pinned)
    {
        variables.push(("RUSTUP_TOOLCHAIN".into(), toolchain));
    }
    variables
}

/// True for `1.95.0` and `1.95.0-<host triple>` where `1.95.0` is pinned.
fn names_release(toolchain: &OsStr, pinned: &str) -> bool {
    toolchain
        .to_str()
        .and_then(|name| name.strip_prefix(pinned))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The absolute directory of a tool: its variable, or a directory below the home directory.
fn tool_home(value: Option<OsString>, home: Option<&Path>, below: &str) -> Result<Option<PathBuf>> {
    match value {
        Some(value) if !value.is_empty() => workspace::absolute(Path::new(&value)).map(Some),
        _ => Ok(home.map(|home| home.join(below))),
    }
}

/// Which compiler builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compiler {
    /// Its commit.
    pub(crate) commit: String,
    /// The target that it builds for.
    pub(crate) host: String,
}

/// Where the standard library's sources would lie, and the compiler, whose commit its released binaries name them by.
#[derive(Debug, Clone)]
pub(crate) struct Sysroot {
    /// `rustc --print sysroot`.
    pub(crate) path: PathBuf,
    /// The compiler.
    pub(crate) compiler: Compiler,
}

/// The flags of the tree's own configuration plus path remapping, separated as cargo wants it.
///
/// `CARGO_ENCODED_RUSTFLAGS` replaces `build.rustflags`, so those are repeated here. Of several remaps that match a
/// path the last one wins. Where the `rust-src` component is installed, rustc names the standard library's
/// sources by their local paths unless they are remapped to what a toolchain without that component says.
fn encoded_rustflags(
    tree: &Path,
    cargo_home: Option<&Path>,
    sysroot: &Sysroot,
) -> Result<OsString> {
    let flags = rustflags(configured_rustflags(tree)?, tree, cargo_home, sysroot);
    Ok(flags.join(OsStr::new("\u{1f}")))
}

/// The same flags as a list with names in the place of this machine's paths.
pub(crate) fn stated_rustflags(tree: &Path, compiler: &Compiler) -> Result<Vec<String>> {
    let sysroot = Sysroot {
        path: "$SYSROOT".into(),
        compiler: compiler.clone(),
    };
    let (tree, configured) = (Path::new("$TREE"), configured_rustflags(tree)?);
    let flags = rustflags(configured, tree, Some(Path::new("$CARGO_HOME")), &sysroot);
    let flags = flags.iter().map(|flag| flag.to_string_lossy().into_owned());
    Ok(flags.collect())
}

fn rustflags(
    configured: Vec<String>,
    tree: &Path,
    cargo_home: Option<&Path>,
    sysroot: &Sysroot,
) -> Vec<OsString> {
    let mut flags: Vec<_> = configured.into_iter().map(OsString::from).collect();
    let mut remap = |from: &Path, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    };
    if let Some(cargo_home) = cargo_home {
        remap(cargo_home, "/cargo");
        if let Ok(real) = cargo_home.canonicalize()
            && real != cargo_home
        {
            remap(&real, "/cargo");
        }
    }
    remap(
        &sysroot.path.join("lib/rustlib/src/rust"),
        &format!("/rustc/{}", sysroot.compiler.commit),
    );
    remap(tree, "/src");
    flags
}

/// `build.rustflags` of the tree's `.cargo/config.toml`, as a list or as one string.
fn configured_rustflags(tree: &Path) -> Result<Vec<String>> {
    let path = tree.join(".cargo/config.toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    let table: toml::Table =
        toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
    Ok(
        match table.get("build").and_then(|build| build.get("rustflags")) {
            Some(toml::Value::String(flags)) => {
                flags.split_whitespace().map(str::to_owned).collect()
            }
            Some(toml::Value::Array(flags)) => flags
                .iter()
                .filter_map(|flag| flag.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_off_the_list_is_inherited() {
        let inherited = |name: &str| Some(OsString::from(format!("value of {name}")));
        let variables = allowed(inherited, "1.95.0");
        let names: Vec<_> = variables
            .iter()
            .map(|(name, _)| name.to_str().unwrap())
            .collect();
        for name in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_RELEASE_DEBUG",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTUP_TOOLCHAIN",
            "LD_PRELOAD",
            "LANG",
            "LC_ALL",
            "USER",
            "CC",
            "CFLAGS",
            // A shell of nix names the directory that it was entered in as a run path.
            "NIX_LDFLAGS",
            "NIX_CFLAGS_COMPILE",
            "SOURCE_DATE_EPOCH",
        ] {
            assert!(!names.contains(&name), "{name}");
        }
        assert!(names.contains(&"PATH") && names.contains(&"https_proxy"));
    }

    #[test]
    fn only_the_pinned_toolchain_may_override() {
        for (toolchain, expected) in [
            ("1.95.0", true),
            ("1.95.0-x86_64-unknown-linux-gnu", true),
            ("1.95.01", false),
            ("1.94.0", false),
            ("nightly", false),
        ] {
            let inherited =
                |name: &str| (name == "RUSTUP_TOOLCHAIN").then(|| OsString::from(toolchain));
            assert_eq!(
                allowed(inherited, "1.95.0").len() == 1,
                expected,
                "{toolchain}"
            );
        }
    }

    #[test]
    fn configured_flags_are_kept_and_the_tree_is_remapped_last() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".cargo")).unwrap();
        std::fs::write(
            dir.path().join(".cargo/config.toml"),
            "[build]\nrustflags = [\"-Cdebuginfo=0\"]\n",
        )
        .unwrap();
        let sysroot = Sysroot {
            path: "/toolchain".into(),
            compiler: Compiler {
                commit: "abc".to_owned(),
                host: "a-b-c".to_owned(),
            },
        };
        let flags = encoded_rustflags(dir.path(), Some(Path::new("/nowhere/cargo home")), &sysroot)
            .unwrap();
        let flags: Vec<_> = flags.to_str().unwrap().split('\u{1f}').collect();
        assert_eq!(
            flags,
            [
                "-Cdebuginfo=0",
                "--remap-path-prefix=/nowhere/cargo home=/cargo",
                "--remap-path-prefix=/toolchain/lib/rustlib/src/rust=/rustc/abc",
                &format!("--remap-path-prefix={}=/src", dir.path().display()),
            ]
        );
        assert_eq!(
            stated_rustflags(dir.path(), &sysroot.compiler).unwrap(),
            [
                "-Cdebuginfo=0",
                "--remap-path-prefix=$CARGO_HOME=/cargo",
                "--remap-path-prefix=$SYSROOT/lib/rustlib/src/rust=/rustc/abc",
                "--remap-path-prefix=$TREE=/src",
            ]
        );
    }
}
