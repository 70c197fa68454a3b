//! Nothing else reaches the build: real cargo and a real compiler on a small workspace, and everything around it that
//! would change what they make.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecac_artifact::{Digest, exit};

use ecac_fixture::workspace::{Workspace, check, set_mode};

/// A committed workspace of two small programs, with the toolchain that compiled this test.
fn workspace() -> Workspace {
    let workspace = Workspace::without_git();
    workspace.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/cli\", \"xtask\"]\nresolver = \"3\"\n\
         [workspace.package]\nversion = \"0.1.0\"\n",
    );
    let mut lockfile = "version = 4\n".to_owned();
    for (directory, name, program) in [
        ("crates/cli", "ecac-cli", "ecac"),
        ("xtask", "xtask", "xtask"),
    ] {
        fs::create_dir_all(workspace.root().join(directory)).unwrap();
        workspace.write(
            &format!("{directory}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion.workspace = true\nedition = \"2024\"\nlicense = \"MIT\"\n\
                 repository = \"https://example.org/ecac\"\n[[bin]]\nname = \"{program}\"\npath = \"main.rs\"\n"
            ),
        );
        // A program that says where it was built, and what it was told.
        workspace.write(
            &format!("{directory}/main.rs"),
            "fn main() {\n    eprintln!(\"{} {:?}\", file!(), option_env!(\"EVIL\"));\n    std::process::exit(1);\n}\n",
        );
        write!(
            lockfile,
            "\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n"
        )
        .unwrap();
    }
    workspace.write("Cargo.lock", &lockfile);
    fs::create_dir(workspace.root().join(".cargo")).unwrap();
    workspace.write(
        ".cargo/config.toml",
        "[profile.release]\nstrip = \"symbols\"\ndebug = false\n",
    );
    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    workspace.program("rustc", &format!("exec '{}' \"$@\"", rustc.display()));
    fs::remove_file(workspace.beside("bin/cargo")).unwrap();
    workspace.git(&["init", "--quiet", "--initial-branch=main"]);
    workspace.commit();
    workspace
}

/// Runs a build to its end, which is that the small program `xtask` runs no scenario, and returns the digests of what
/// was built.
fn built(workspace: &Workspace, change: impl FnOnce(&mut Command)) -> [Digest; 2] {
    let mut repro = workspace.xtask(&["repro", "--offline", "--keep-temp"]);
    change(&mut repro);
    let (_, stderr) = check(&mut repro, exit::VERIFICATION, "xtask/main.rs");
    let kept = stderr.lines().find_map(|line| line.strip_prefix("kept "));
    let kept = PathBuf::from(kept.unwrap());
    let digests = ["ecac", "xtask"].map(|program| {
        let path = kept.join("tree/target/release").join(program);
        Digest::of(&fs::read(path).unwrap())
    });
    fs::remove_dir_all(kept).unwrap();
    digests
}

/// An executable that says that it ran, and then does what `program` does.
fn spy(workspace: &Workspace, name: &str, program: &str) -> PathBuf {
    let path = workspace.beside("spies").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let ran = workspace.beside("ran");
    let text = format!(
        "#!/bin/sh\necho {name} >> '{}'\nexec {program} \"$@\"\n",
        ran.display()
    );
    fs::write(&path, text).unwrap();
    set_mode(&path, 0o755);
    path
}

#[test]
fn configuration_and_environment_of_the_user_do_not_matter() {
    let workspace = workspace();
    let untouched = built(&workspace, |_| {});

    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    let rustc = spy(
        &workspace,
        "rustc-of-config",
        &format!("'{}'", rustc.display()),
    );
    let wrapper = spy(&workspace, "wrapper", "env");
    let linker = spy(&workspace, "linker", "cc");
    let home = workspace.beside("cargo home");
    fs::create_dir(&home).unwrap();
    let [rustc, wrapper, linker] =
        [&rustc, &wrapper, &linker].map(|path| path.display().to_string());
    let configuration = format!(
        "paths = [\"{here}\"]\n\
         [build]\nrustc = '{rustc}'\nrustc-wrapper = '{wrapper}'\nrustc-workspace-wrapper = '{wrapper}'\n\
         target = \"x86_64-unknown-linux-gnu\"\ntarget-dir = \"/nowhere/target\"\nbuild-dir = \"/nowhere/build\"\n\
         rustflags = [\"-Copt-level=0\"]\nincremental = true\njobs = 1\n\
         [target.x86_64-unknown-linux-gnu]\nlinker = '{linker}'\nrunner = '{wrapper}'\nrustflags = [\"-Cdebuginfo=2\"]\n\
         [target.'cfg(all())']\nrustflags = [\"-Ctarget-cpu=native\"]\n\
         [profile.release]\nopt-level = 0\ndebug = true\nstrip = \"none\"\npanic = \"abort\"\nlto = true\ncodegen-units = 1\n\
         [profile.release.package.ecac-cli]\nopt-level = 1\n\
         [env]\nEVIL = {{ value = \"1\", force = true }}\nPATH = {{ value = \"{here}\", force = true }}\n\
         [alias]\nbuild = \"check\"\nmetadata = \"check\"\n\
         [patch.crates-io]\nserde = {{ path = \"/nowhere\" }}\n\
         [unstable]\nbuild-std = [\"std\"]\n\
         [resolver]\nincompatible-rust-versions = \"allow\"\n\
         [term]\nverbose = true\ncolor = \"always\"\n",
        here = workspace.beside("").display(),
    );
    fs::write(home.join("config.toml"), configuration).unwrap();
    for name in ["cc", "gcc", "ld", "ld.lld", "as", "collect2", "ar", "strip"] {
        let real = format!("\"$(PATH=/usr/bin:/bin command -v {name} || echo false)\"");
        spy(&workspace, name, &real);
    }
    let spies = workspace.beside("spies");
    let touched = built(&workspace, |repro| {
        let path = repro.get_envs().find(|(name, _)| *name == "PATH");
        let path = path.and_then(|(_, value)| value).unwrap().to_owned();
        let mut before = spies.clone().into_os_string();
        before.push(":");
        before.push(path);
        repro.env("PATH", before);
        repro.env("CARGO_HOME", &home);
        for (name, value) in [
            ("RUSTC", rustc.as_str()),
            ("RUSTC_WRAPPER", &wrapper),
            ("RUSTC_WORKSPACE_WRAPPER", &wrapper),
            ("RUSTC_LINKER", &linker),
            ("RUSTFLAGS", "-Copt-level=0"),
            ("CARGO_ENCODED_RUSTFLAGS", "-Copt-level=0"),
            ("CARGO_BUILD_RUSTC", &rustc),
            ("CARGO_BUILD_RUSTFLAGS", "-Copt-level=0"),
            ("CARGO_BUILD_TARGET", "x86_64-unknown-linux-gnu"),
            ("CARGO_BUILD_TARGET_DIR", "/nowhere/target"),
            ("CARGO_BUILD_BUILD_DIR", "/nowhere/build"),
            ("CARGO_TARGET_DIR", "/nowhere/target"),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", &linker),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", &wrapper),
            (
                "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
                "-Cdebuginfo=2",
            ),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
            ("CARGO_PROFILE_RELEASE_DEBUG", "true"),
            ("CARGO_PROFILE_RELEASE_STRIP", "none"),
            ("CARGO_INCREMENTAL", "1"),
            ("RUSTC_BOOTSTRAP", "1"),
            ("RUST_TARGET_PATH", "/nowhere"),
            ("EVIL", "1"),
            ("CC", &linker),
            ("CFLAGS", "-O0"),
            ("LDFLAGS", "-Wl,--build-id"),
            ("LD_RUN_PATH", "/nowhere/evil"),
            ("LIBRARY_PATH", "/nowhere/evil"),
            ("COMPILER_PATH", spies.to_str().unwrap()),
            ("GCC_EXEC_PREFIX", "/nowhere/evil/"),
            ("CPATH", "/nowhere/evil"),
            ("SOURCE_DATE_EPOCH", "1"),
            ("LANG", "tr_TR.UTF-8"),
        ] {
            repro.env(name, value);
        }
    });
    assert_eq!(touched, untouched);
    let ran = fs::read_to_string(workspace.beside("ran")).unwrap_or_default();
    assert_eq!(ran, "", "programs that nobody may start");

    // A file above the clean tree that comes once all was looked at: `rustc` on PATH is asked at the beginning, and
    // again when the clean tree is there.
    let late = workspace.beside("tmp/.cargo");
    let calls = workspace.beside("calls");
    let real = Path::new(env!("CARGO")).with_file_name("rustc");
    workspace.program(
        "rustc",
        &format!(
            "echo >> '{calls}'\nif [ \"$(wc -l < '{calls}')\" -ge 2 ]; then mkdir -p '{late}'\n\
             printf '[build]\\nrustc-wrapper = \"{wrapper}\"\\n[profile.release]\\nopt-level = 0\\n' > '{late}/config.toml'; fi\n\
             exec '{real}' \"$@\"",
            calls = calls.display(),
            late = late.display(),
            real = real.display(),
        ),
    );
    assert_eq!(built(&workspace, |_| {}), untouched);
    assert!(late.join("config.toml").exists());
    assert!(!workspace.beside("ran").exists());
}

#[test]
fn configuration_above_the_clean_tree_is_named_before_anything_is_built() {
    let workspace = Workspace::new();
    for (place, name) in [
        ("tmp", "config.toml"),
        ("tmp", "config"),
        ("", "config.toml"),
    ] {
        let directory = workspace.beside(place).join(".cargo");
        fs::create_dir(&directory).unwrap();
        let file = directory.join(name);
        fs::write(&file, "[profile.release]\nopt-level = 0\n").unwrap();
        for args in [
            &["repro"][..],
            &["golden", "--update"],
            &["sbom"],
            &["repro", "--twice"],
        ] {
            let says = format!("{} lies above the clean tree", file.display());
            let (_, stderr) = workspace.check(args, exit::ENVIRONMENT, &says);
            assert!(
                stderr.contains("hint: remove it, or set TMPDIR"),
                "{stderr}"
            );
            assert!(!stderr.contains("cargo build"), "{stderr}");
        }
        let (stdout, _) = workspace.check(&["doctor"], exit::ENVIRONMENT, "tmpdir");
        assert!(
            stdout.contains("  fix: remove it, or set TMPDIR"),
            "{stdout}"
        );
        fs::remove_dir_all(directory).unwrap();
    }
    workspace.check(&["repro"], exit::BUILD, "no such crate");
}

#[test]
fn a_place_that_no_linker_can_name_is_refused() {
    let workspace = Workspace::new();
    for (name, says) in [("a:b", "contains `:`"), ("a\nb", "a control character")] {
        let place = workspace.beside(name);
        fs::create_dir(&place).unwrap();
        let link = workspace.beside("link");
        fs::remove_file(&link).ok();
        symlink(&place, &link).unwrap();
        for temporary in [place, link] {
            let mut repro = workspace.xtask(&["repro"]);
            let (_, stderr) = check(repro.env("TMPDIR", temporary), exit::ENVIRONMENT, says);
            assert!(stderr.contains("hint: set TMPDIR"), "{stderr}");
        }
    }
    let mut repro = workspace.xtask(&["repro"]);
    let nowhere = workspace.beside("not/there");
    check(
        repro.env("TMPDIR", nowhere),
        exit::ENVIRONMENT,
        "is not there",
    );
}

#[test]
fn a_target_of_the_tree_itself_is_refused() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.root().join(".cargo")).unwrap();
    workspace.write(
        ".cargo/config.toml",
        "[build]\ntarget = \"x86_64-unknown-linux-gnu\"\n",
    );
    workspace.commit();
    let (_, stderr) = workspace.check(&["repro"], exit::ENVIRONMENT, "sets build.target");
    assert!(!stderr.contains("cargo build"), "{stderr}");
}

#[test]
fn crates_from_a_directory_are_refused() {
    let workspace = Workspace::new();
    let home = workspace.beside("home/.cargo");
    fs::create_dir(&home).unwrap();
    let text = "[source.crates-io]\nreplace-with = \"v\"\n[source.v]\ndirectory = \"vendor\"\n";
    fs::write(home.join("config.toml"), text).unwrap();
    let (_, stderr) = workspace.check(
        &["repro"],
        exit::ENVIRONMENT,
        "crates from a directory, source.v",
    );
    assert!(!stderr.contains("cargo metadata"), "{stderr}");
}
