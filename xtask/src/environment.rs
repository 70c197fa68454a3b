//! The environment of the children that fetch, build and run: cleared, then a short list.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xshell::Cmd;

use crate::toolchain::{Compiler, Toolchain};
use crate::workspace;

/// The configuration of cargo that a tree brings.
pub(crate) const CONFIGURATION: &str = ".cargo/config.toml";

/// What the CARGO_HOME of a build is called in its binaries.
pub(crate) const CARGO: &str = "/cargo";

/// Variables that fetching inherits: where programs and caches are.
const PROGRAMS: &[&str] = &[
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_AUTO_INSTALL",
    "RUSTUP_DIST_SERVER",
    "RUSTUP_UPDATE_ROOT",
    "TMPDIR",
];

/// Variables that say how a registry is reached: proxies, certificate authorities, cargo's own.
const NETWORK: &[&str] = &[
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
];

/// Variables without which programs do not start, or do not find the system: those of macOS and of Windows.
const SYSTEM: &[&str] = &[
    "SDKROOT",
    "DEVELOPER_DIR",
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

/// What fetching inherits: programs, caches and the way to a registry.
pub(crate) struct Inherited {
    /// The inherited variables.
    pub(crate) variables: Vec<Variable>,
    /// The user's CARGO_HOME.
    pub(crate) cargo_home: Option<PathBuf>,
    home: Option<PathBuf>,
    rustup_home: Option<PathBuf>,
}

impl Inherited {
    /// The part of this process's environment that fetching for `tree` may see.
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
        variables.extend(neutral());
        Ok(Self {
            variables,
            cargo_home,
            home,
            rustup_home,
        })
    }

    /// The environment in which cargo fetches crates into `cargo_home`.
    pub(crate) fn fetching(&self, toolchain: &Toolchain, cargo_home: &Path) -> Vec<Variable> {
        let mut variables = self.variables.clone();
        variables.retain(|(name, _)| name != "CARGO_HOME");
        variables.extend(given(toolchain, cargo_home));
        variables
    }

    /// The variables that say how a registry is reached, as far as they are set.
    pub(crate) fn names_of_network(&self) -> Vec<String> {
        let names = self.variables.iter().map(|(name, _)| name);
        names
            .filter(|name| NETWORK.iter().any(|known| name == known))
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    /// Paths of this machine that must not occur in a binary.
    pub(crate) fn secret_paths(&self, work: &Path) -> Vec<PathBuf> {
        let homes = [&self.home, &self.cargo_home, &self.rustup_home];
        let mut paths: Vec<_> = homes.into_iter().flatten().cloned().collect();
        paths.push(work.to_owned());
        paths
    }
}

/// What the build of a clean tree is given: everything that it knows of the machine.
pub(crate) struct Build<'a> {
    /// The clean tree.
    pub(crate) tree: &'a Path,
    /// Its CARGO_HOME.
    pub(crate) cargo_home: &'a Path,
    /// An empty home directory.
    pub(crate) home: &'a Path,
    /// Where temporary files go.
    pub(crate) temporary: &'a Path,
    /// Where the linker finds its own programs.
    pub(crate) path: OsString,
    /// The programs.
    pub(crate) toolchain: &'a Toolchain,
    /// The linker, where it is not the compiler that finds it.
    pub(crate) linker: Option<&'a Path>,
    /// What [`encoded_rustflags`] says.
    pub(crate) flags: OsString,
    /// When the commit was made, in seconds since 1970.
    pub(crate) source_date_epoch: u64,
}

impl Build<'_> {
    /// The whole environment, where `inherited` is that of this process.
    pub(crate) fn variables(&self, inherited: impl Fn(&str) -> Option<OsString>) -> Vec<Variable> {
        let mut variables: Vec<_> = SYSTEM
            .iter()
            .filter(|name| !["TEMP", "TMP", "USERPROFILE"].contains(*name))
            .filter_map(|name| Some(((*name).into(), inherited(name)?)))
            .collect();
        variables.extend(neutral());
        variables.extend(given(self.toolchain, self.cargo_home));
        let epoch = self.source_date_epoch.to_string();
        variables.extend([
            ("PATH".into(), self.path.clone()),
            ("HOME".into(), self.home.into()),
            ("USERPROFILE".into(), self.home.into()),
            ("TMPDIR".into(), self.temporary.into()),
            ("TEMP".into(), self.temporary.into()),
            ("TMP".into(), self.temporary.into()),
            ("SOURCE_DATE_EPOCH".into(), epoch.into()),
            ("CARGO_ENCODED_RUSTFLAGS".into(), self.flags.clone()),
            ("CARGO_TARGET_DIR".into(), self.tree.join("target").into()),
            ("CARGO_INCREMENTAL".into(), "0".into()),
        ]);
        if let Some(linker) = self.linker {
            // Beside the flags: those are hashed into the names of symbols, and the linker's path is the machine's.
            let target = self.toolchain.compiler.host.to_uppercase();
            let name = format!("CARGO_TARGET_{}_LINKER", target.replace(['-', '.'], "_"));
            variables.push((name.into(), linker.into()));
        }
        variables
    }
}

/// What is the same on every machine.
fn neutral() -> [Variable; 2] {
    [("LC_ALL".into(), "C".into()), ("TZ".into(), "UTC".into())]
}

/// What cargo would look for elsewhere if it were not given.
fn given(toolchain: &Toolchain, cargo_home: &Path) -> [Variable; 6] {
    [
        ("CARGO_HOME".into(), cargo_home.into()),
        ("CARGO_TERM_COLOR".into(), "never".into()),
        ("CARGO_TERM_PROGRESS_WHEN".into(), "never".into()),
        ("RUSTC".into(), toolchain.rustc.clone().into()),
        // An empty wrapper overrides one that a configuration file names.
        ("RUSTC_WRAPPER".into(), "".into()),
        ("RUSTC_WORKSPACE_WRAPPER".into(), "".into()),
    ]
}

/// The command in the environment `variables`, and in nothing else.
pub(crate) fn only<'sh>(command: Cmd<'sh>, variables: &[Variable]) -> Cmd<'sh> {
    let variables = variables.iter().map(|(name, value)| (name, value));
    command.env_clear().envs(variables)
}

/// The environment of the freshly built programs: they need nothing of this machine.
pub(crate) fn of_built_programs(source_date_epoch: u64) -> Vec<Variable> {
    let mut variables: Vec<_> = ["SystemRoot", "SystemDrive", "TMPDIR", "TEMP", "TMP"]
        .iter()
        .copied()
        .filter_map(|name| Some((name.into(), env::var_os(name)?)))
        .collect();
    variables.extend(neutral());
    variables.push((
        "SOURCE_DATE_EPOCH".into(),
        source_date_epoch.to_string().into(),
    ));
    variables
}

/// The inherited part of the environment.
fn allowed(inherited: impl Fn(&str) -> Option<OsString>, pinned: &str) -> Vec<Variable> {
    let mut variables: Vec<Variable> = [PROGRAMS, NETWORK, SYSTEM]
        .concat()
        .into_iter()
        .filter_map(|name| Some((name.into(), inherited(name)?)))
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

/// The flags of the tree's own configuration plus path remapping, separated as cargo wants it. `others` are folders
/// below `cargo_home` that have another name on every machine, and the one that they get.
///
/// `CARGO_ENCODED_RUSTFLAGS` replaces `build.rustflags`, so those are repeated here. Of several remaps that match a
/// path the last one wins. Where the `rust-src` component is installed, rustc names the standard library's
/// sources by their local paths unless they are remapped to what a toolchain without that component says.
pub(crate) fn encoded_rustflags(
    tree: &Path,
    cargo_home: &Path,
    others: &[(PathBuf, String)],
    toolchain: &Toolchain,
) -> Result<OsString> {
    let configured = configured_rustflags(tree)?;
    let Toolchain {
        sysroot, compiler, ..
    } = toolchain;
    let flags = rustflags(configured, tree, cargo_home, others, sysroot, compiler);
    Ok(flags.join(OsStr::new("\u{1f}")))
}

/// The same flags as a list with names in the place of this machine's paths.
pub(crate) fn stated_rustflags(tree: &Path, compiler: &Compiler) -> Result<Vec<String>> {
    let [stated, cargo_home, sysroot] = ["$TREE", "$CARGO_HOME", "$SYSROOT"].map(Path::new);
    let configured = configured_rustflags(tree)?;
    let flags = rustflags(configured, stated, cargo_home, &[], sysroot, compiler);
    let flags = flags.iter().map(|flag| flag.to_string_lossy().into_owned());
    Ok(flags.collect())
}

fn rustflags(
    configured: Vec<String>,
    tree: &Path,
    cargo_home: &Path,
    others: &[(PathBuf, String)],
    sysroot: &Path,
    compiler: &Compiler,
) -> Vec<OsString> {
    let mut flags: Vec<_> = configured.into_iter().map(OsString::from).collect();
    let mut remap = |from: &Path, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flags.push(flag);
    };
    remap(cargo_home, CARGO);
    for (from, to) in others {
        remap(from, to);
    }
    remap(
        &sysroot.join("lib/rustlib/src/rust"),
        &format!("/rustc/{}", compiler.commit),
    );
    remap(tree, "/src");
    flags
}

/// What the tree's own configuration of cargo says.
pub(crate) fn configuration(tree: &Path) -> Result<toml::Table> {
    let path = tree.join(CONFIGURATION);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(toml::Table::new());
        }
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    toml::from_str(&text).with_context(|| format!("read {}", path.display()))
}

/// `build.rustflags` of the tree's configuration, as a list or as one string.
fn configured_rustflags(tree: &Path) -> Result<Vec<String>> {
    let table = configuration(tree)?;
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

    fn toolchain() -> Toolchain {
        Toolchain {
            rustc: "/toolchain/bin/rustc".into(),
            cargo: "/toolchain/bin/cargo".into(),
            sysroot: "/toolchain".into(),
            compiler: Compiler {
                commit: "abc".to_owned(),
                host: "x86_64-unknown-linux-gnu".to_owned(),
            },
        }
    }

    /// Variables that programs of a build look at, and of which a build may know nothing.
    const STRANGERS: [&str; 66] = [
        // cargo
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "CARGO",
        "CARGO_BUILD_RUSTC",
        "CARGO_BUILD_RUSTC_WRAPPER",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_TARGET_DIR",
        "CARGO_BUILD_BUILD_DIR",
        "CARGO_BUILD_JOBS",
        "CARGO_MANIFEST_DIR",
        "CARGO_PROFILE_RELEASE_DEBUG",
        "CARGO_PROFILE_RELEASE_OPT_LEVEL",
        "CARGO_PROFILE_RELEASE_STRIP",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
        "CARGO_HOST_LINKER",
        "CARGO_ALIAS_BUILD",
        "CARGO_UNSTABLE_BUILD_STD",
        "CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS",
        "CARGO_REGISTRIES_CRATES_IO_INDEX",
        "CARGO_REGISTRIES_CRATES_IO_PROTOCOL",
        "CARGO_REGISTRY_TOKEN",
        "CARGO_INSTALL_ROOT",
        "CARGO_MAKEFLAGS",
        "CARGO_LOG",
        "__CARGO_TEST_ROOT",
        "__CARGO_DEFAULT_LIB_METADATA",
        "MAKEFLAGS",
        "NUM_JOBS",
        // rustc and rustup
        "RUSTC_BOOTSTRAP",
        "RUSTC_LOG",
        "RUSTC_LINKER",
        "RUST_TARGET_PATH",
        "RUST_MIN_STACK",
        "RUSTUP_TOOLCHAIN",
        "RUSTUP_HOME",
        "SYSROOT",
        // The C compiler, its linker and the loader
        "CC",
        "CXX",
        "AR",
        "CFLAGS",
        "LDFLAGS",
        "CPATH",
        "C_INCLUDE_PATH",
        "LIBRARY_PATH",
        "COMPILER_PATH",
        "GCC_EXEC_PREFIX",
        "COLLECT_GCC_OPTIONS",
        "LD_RUN_PATH",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "DYLD_INSERT_LIBRARIES",
        "MACOSX_DEPLOYMENT_TARGET",
        "ZERO_AR_DATE",
        "PKG_CONFIG_PATH",
        // A shell of nix names the directory that it was entered in as a run path.
        "NIX_LDFLAGS",
        "NIX_CFLAGS_COMPILE",
        // git
        "GIT_DIR",
        "GIT_CONFIG_GLOBAL",
        "GIT_SSH_COMMAND",
        // The user
        "LANG",
        "USER",
        "BASH_ENV",
        "http_proxy",
        "SSL_CERT_FILE",
    ];

    /// What a build is given where the environment has every variable.
    fn built() -> Vec<(String, String)> {
        let toolchain = toolchain();
        let build = Build {
            tree: Path::new("/w/tree"),
            cargo_home: Path::new("/w/cargo"),
            home: Path::new("/w/home"),
            temporary: Path::new("/w/tmp"),
            path: "/usr/bin:/bin".into(),
            toolchain: &toolchain,
            linker: Some(Path::new("/usr/bin/cc")),
            flags: "flags".into(),
            source_date_epoch: 7,
        };
        let variables = build.variables(|name| Some(format!("value of {name}").into()));
        let text = |text: OsString| text.into_string().unwrap();
        let pairs = variables.into_iter();
        pairs
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn a_build_knows_nothing_that_it_is_not_given() {
        let built = built();
        for name in STRANGERS {
            assert!(built.iter().all(|(known, _)| known != name), "{name}");
        }
        let mut names: Vec<_> = built.iter().map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), built.len(), "a variable is given twice");
        // What is inherited is what the systems of Apple and Microsoft cannot do without.
        let inherited = built
            .iter()
            .filter(|(name, value)| *value == format!("value of {name}"));
        let inherited: Vec<_> = inherited.map(|(name, _)| name.as_str()).collect();
        let expected = SYSTEM.iter().copied();
        let expected = expected.filter(|name| !["USERPROFILE", "TEMP", "TMP"].contains(name));
        assert_eq!(inherited, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_build_is_given_its_programs_and_places() {
        let built = built();
        for (name, value) in [
            ("PATH", "/usr/bin:/bin"),
            ("HOME", "/w/home"),
            ("TMPDIR", "/w/tmp"),
            ("CARGO_HOME", "/w/cargo"),
            ("CARGO_TARGET_DIR", "/w/tree/target"),
            ("CARGO_ENCODED_RUSTFLAGS", "flags"),
            ("RUSTC", "/toolchain/bin/rustc"),
            ("RUSTC_WRAPPER", ""),
            ("RUSTC_WORKSPACE_WRAPPER", ""),
            (
                "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
                "/usr/bin/cc",
            ),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
            ("SOURCE_DATE_EPOCH", "7"),
        ] {
            let found = built.iter().find(|(known, _)| known == name);
            assert_eq!(
                found.map(|(_, value)| value.as_str()),
                Some(value),
                "{name}"
            );
        }
    }

    #[test]
    fn fetching_knows_the_way_to_a_registry_and_nothing_else() {
        let inherited = |name: &str| Some(OsString::from(format!("value of {name}")));
        let variables = allowed(inherited, "1.95.0");
        let names: Vec<_> = variables
            .iter()
            .map(|(name, _)| name.to_str().unwrap())
            .collect();
        let known = ["RUSTUP_HOME", "http_proxy", "SSL_CERT_FILE"];
        for name in STRANGERS {
            assert_eq!(names.contains(&name), known.contains(&name), "{name}");
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
        let toolchain = toolchain();
        let (cargo_home, mirror) = (
            Path::new("/no where/cargo"),
            "/no where/cargo/registry/src/x",
        );
        let others = [(mirror.into(), "/cargo/registry/src/y".to_owned())];
        let flags = encoded_rustflags(dir.path(), cargo_home, &others, &toolchain).unwrap();
        let flags: Vec<_> = flags.to_str().unwrap().split('\u{1f}').collect();
        assert_eq!(
            flags,
            [
                "-Cdebuginfo=0",
                "--remap-path-prefix=/no where/cargo=/cargo",
                "--remap-path-prefix=/no where/cargo/registry/src/x=/cargo/registry/src/y",
                "--remap-path-prefix=/toolchain/lib/rustlib/src/rust=/rustc/abc",
                &format!("--remap-path-prefix={}=/src", dir.path().display()),
            ]
        );
        assert_eq!(
            stated_rustflags(dir.path(), &toolchain.compiler).unwrap(),
            [
                "-Cdebuginfo=0",
                "--remap-path-prefix=$CARGO_HOME=/cargo",
                "--remap-path-prefix=$SYSROOT/lib/rustlib/src/rust=/rustc/abc",
                "--remap-path-prefix=$TREE=/src",
            ]
        );
    }
}
