//! The programs that build, each by its absolute path: given to cargo, not found by it.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ecac_artifact::exit;
use xshell::Shell;

use crate::host::environment::{self, Variable};
use crate::host::error::Failure;
use crate::host::process::{self, Finished};
use crate::host::progress::Progress;
use crate::host::workspace;

/// Where programs of the system are, in the order in which they are looked for, before PATH is.
const SYSTEM: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/run/current-system/sw/bin"];

/// Where nix keeps what it built; nobody changes anything there.
const NIX_STORE: &str = "/nix/store";

/// Which compiler builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// Its commit.
    pub commit: String,
    /// The target that it builds for.
    pub host: String,
}

/// The pinned toolchain.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// The compiler.
    pub rustc: PathBuf,
    /// The cargo that belongs to it.
    pub cargo: PathBuf,
    /// `rustc --print sysroot`.
    pub sysroot: PathBuf,
    /// What the compiler says of itself.
    pub compiler: Compiler,
}

impl Toolchain {
    /// The toolchain to which `rustc` on PATH leads when it is started in `tree`, which has to be exactly the pinned
    /// release. `environment` is that of rustc; without one it is that of this process.
    ///
    /// Rustup's `rustc` chooses by settings and by files in every folder above. What it chose is asked once, and from
    /// then on called by its path.
    pub fn find(
        tree: &Path,
        environment: Option<&[Variable]>,
        progress: &Progress,
    ) -> Result<Self> {
        let pinned = workspace::pinned_toolchain(tree)?;
        let hint = format!(
            "rustup toolchain install {pinned}, and leave out `+toolchain` and RUSTUP_TOOLCHAIN; or `nix develop`"
        );
        let ask = |program: &Path, args: &[&str]| run(tree, program, args, environment, progress);
        let says = |output: Finished<Vec<u8>>, program: &str| {
            if output.status.success() {
                return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
            }
            let said = output.stderr.trim();
            let message =
                format!("{program} {pinned} is pinned, but {program} does not run: {said}");
            Err(Failure::environment(message).hint(&hint))
        };
        let sysroot = ask(Path::new("rustc"), &["--print", "sysroot"])?;
        let sysroot = PathBuf::from(says(sysroot, "rustc")?.trim_end());
        let program = |name: &str| {
            let inside = sysroot
                .join("bin")
                .join(format!("{name}{}", env::consts::EXE_SUFFIX));
            match inside.is_absolute() && inside.is_file() {
                true => Ok(inside),
                false => on_path(name),
            }
        };
        let (rustc, cargo) = (program("rustc")?, program("cargo")?);
        let text = says(ask(&rustc, &["--version", "--verbose"])?, "rustc")?;
        let release = field(&text, "release");
        if release != pinned {
            let message = format!(
                "rust-toolchain.toml pins rustc {pinned}, but the rustc on PATH is {release}"
            );
            return Err(Failure::environment(message).hint(hint).into());
        }
        let of_cargo = says(ask(&cargo, &["--version", "--verbose"])?, "cargo")?;
        let release = field(&of_cargo, "release");
        if release != pinned {
            let message =
                format!("rust-toolchain.toml pins {pinned}, but the cargo beside it is {release}");
            return Err(Failure::environment(message).hint(hint).into());
        }
        Ok(Self {
            compiler: Compiler {
                commit: field(&text, "commit-hash").to_owned(),
                host: field(&text, "host").to_owned(),
            },
            rustc,
            cargo,
            sysroot,
        })
    }
}

/// What follows `name: ` in the lines that a program says of itself.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or("unknown")
}

fn run(
    tree: &Path,
    program: &Path,
    args: &[&str],
    environment: Option<&[Variable]>,
    progress: &Progress,
) -> Result<Finished<Vec<u8>>> {
    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(tree);
    let mut command = shell.cmd(program).args(args);
    if let Some(variables) = environment {
        command = environment::only(command, variables);
    }
    process::run(progress, command)
}

/// The C compiler that links.
#[derive(Debug, Clone)]
pub struct Linker {
    /// Where it is.
    pub path: PathBuf,
    /// The first line of what it says of itself.
    pub version: String,
}

impl Linker {
    /// The linker of this machine: that of the nix shell, else one of the usual places, else the first on PATH.
    /// Nothing on Windows, where the compiler finds that of Visual Studio in the registry.
    pub fn find(progress: &Progress) -> Result<Option<Self>> {
        if cfg!(windows) {
            return Ok(None);
        }
        let of_nix = env::var_os("NIX_CC").map(|cc| Path::new(&cc).join("bin/cc"));
        let of_nix = of_nix.filter(|cc| {
            let real = cc.canonicalize();
            real.is_ok_and(|real| real.starts_with(NIX_STORE)) && cc.starts_with(NIX_STORE)
        });
        let path = match of_nix.filter(|place| place.is_file()) {
            Some(path) => path,
            None => of_system("cc").map_err(|_| {
                Failure::environment("there is no C compiler `cc` to link with").hint(INSTALL)
            })?,
        };
        let shell = Shell::new().context("find the working directory")?;
        let command = shell.cmd(&path).arg("--version").env_clear();
        let finished = process::run_quietly(progress, command.env("PATH", search_path(&path)?))?;
        let said = finished.require_or(exit::ENVIRONMENT, Some(INSTALL))?;
        let said = String::from_utf8_lossy(&said);
        Ok(Some(Self {
            version: said.lines().next().unwrap_or("unknown").trim().to_owned(),
            path,
        }))
    }
}

/// How to get a linker.
pub const INSTALL: &str =
    "install a C linker: the package gcc or build-essential; on macOS, xcode-select --install";

/// The directories in which a linker finds its own programs: where it is itself, and those of the system.
pub fn search_path(linker: &Path) -> Result<std::ffi::OsString> {
    let mut directories: Vec<_> = linker.parent().into_iter().collect();
    for system in ["/usr/bin", "/bin"].map(Path::new) {
        if !directories.contains(&system) {
            directories.push(system);
        }
    }
    env::join_paths(directories).with_context(|| format!("search beside {}", linker.display()))
}

/// A program that takes part in a build: where the system has it, and only where it has none the first on PATH.
pub fn of_system(name: &str) -> Result<PathBuf> {
    let mut usual = SYSTEM
        .iter()
        .map(|directory| Path::new(directory).join(name));
    match usual.find(|place| is_program(place)) {
        Some(path) => Ok(path),
        None => on_path(name),
    }
}

/// The first program of that name in an absolute directory of PATH.
pub fn on_path(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    find(name, &path).ok_or_else(|| {
        Failure::environment(format!("the program `{name}` is not installed"))
            .hint(format!("install {name} and make sure that it is on PATH"))
            .into()
    })
}

fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(&name))
        .find(|program| is_program(program))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = path.metadata();
    metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A toolchain that is nowhere.
    pub(crate) fn toolchain() -> Toolchain {
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

    #[test]
    #[cfg(unix)]
    fn only_programs_in_absolute_directories_are_found() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (plain, there) = (dir.path().join("plain"), dir.path().join("there"));
        for at in [&plain, &there] {
            std::fs::create_dir(at).unwrap();
            std::fs::write(at.join("cc"), "").unwrap();
        }
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(there.join("cc"), mode).unwrap();
        let path = |parts: &[&Path]| env::join_paths(parts).unwrap();
        let all = path(&[Path::new(""), Path::new("."), &plain, &there]);
        assert_eq!(find("cc", &all), Some(there.join("cc")));
        assert_eq!(find("cc", &path(&[&plain])), None);
        assert_eq!(find("c", &all), None);
    }

    #[test]
    fn a_linker_looks_beside_itself_and_in_the_system() {
        for (linker, path) in [
            ("/usr/bin/cc", "/usr/bin:/bin"),
            ("/nix/store/x/bin/cc", "/nix/store/x/bin:/usr/bin:/bin"),
        ] {
            assert_eq!(search_path(Path::new(linker)).unwrap(), path);
        }
    }
}
