//! The environment of the children: cleared, then a short list.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::Result;
use xshell::Cmd;

use crate::host::workspace;

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
pub const SYSTEM: &[&str] = &[
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
pub type Variable = (OsString, OsString);

/// What fetching inherits: programs, caches and the way to a registry.
pub struct Inherited {
    /// The inherited variables.
    pub variables: Vec<Variable>,
    /// The user's CARGO_HOME.
    pub cargo_home: Option<PathBuf>,
    home: Option<PathBuf>,
    rustup_home: Option<PathBuf>,
}

impl Inherited {
    /// The part of this process's environment that fetching for `tree` may see.
    pub fn for_tree(tree: &Path) -> Result<Self> {
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

    /// The variables that say how a registry is reached, as far as they are set.
    pub fn names_of_network(&self) -> Vec<String> {
        let names = self.variables.iter().map(|(name, _)| name);
        names
            .filter(|name| NETWORK.iter().any(|known| name == known))
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    /// Paths of this machine that must not occur in a binary.
    pub fn secret_paths(&self, work: &Path) -> Vec<PathBuf> {
        let homes = [&self.home, &self.cargo_home, &self.rustup_home];
        let mut paths: Vec<_> = homes.into_iter().flatten().cloned().collect();
        paths.push(work.to_owned());
        paths
    }
}

/// What is the same on every machine.
pub fn neutral() -> [Variable; 2] {
    [("LC_ALL".into(), "C".into()), ("TZ".into(), "UTC".into())]
}

/// The command in the environment `variables`, and in nothing else.
pub fn only<'sh>(command: Cmd<'sh>, variables: &[Variable]) -> Cmd<'sh> {
    let variables = variables.iter().map(|(name, value)| (name, value));
    command.env_clear().envs(variables)
}

/// The environment of the freshly built programs: they need nothing of this machine, and have `temporary` for what they
/// make in passing, which so goes with the run, whatever becomes of them.
pub fn of_built_programs(source_date_epoch: u64, temporary: &Path) -> Vec<Variable> {
    let mut variables: Vec<_> = ["SystemRoot", "SystemDrive"]
        .iter()
        .copied()
        .filter_map(|name| Some((name.into(), env::var_os(name)?)))
        .collect();
    let temporary = ["TMPDIR", "TEMP", "TMP"].map(|name| (name.into(), temporary.into()));
    variables.extend(temporary);
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Variables that programs of a build look at, and of which a build may know nothing.
    pub(crate) const STRANGERS: [&str; 91] = [
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
        "CARGO_ENCODED_RUSTDOCFLAGS",
        "CARGO_BUILD_INCREMENTAL",
        "CARGO_PROFILE_RELEASE_PANIC",
        "CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_OPT_LEVEL",
        "CARGO_CACHE_AUTO_CLEAN_FREQUENCY",
        "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS",
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
        "CXXFLAGS",
        "LD",
        "LD_AUDIT",
        "OBJC_INCLUDE_PATH",
        "DEPENDENCIES_OUTPUT",
        "CCC_OVERRIDE_OPTIONS",
        "CLANG_CONFIG_FILE_USER_DIR",
        "CCACHE_PREFIX",
        // The C library
        "GLIBC_TUNABLES",
        "MALLOC_ARENA_MAX",
        "MALLOC_PERTURB_",
        "LOCPATH",
        "GCONV_PATH",
        "NLSPATH",
        "PKG_CONFIG_PATH",
        // A shell of nix names the directory that it was entered in as a run path.
        "NIX_LDFLAGS",
        "NIX_CFLAGS_COMPILE",
        // git
        "GIT_DIR",
        "GIT_CONFIG_GLOBAL",
        "GIT_SSH_COMMAND",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_ATTR_SOURCE",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        // The user
        "LANG",
        "USER",
        "BASH_ENV",
        "http_proxy",
        "SSL_CERT_FILE",
    ];

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
}
