//! What cargo is given in a clean tree, and all that it knows of the machine.

use std::ffi::OsString;
use std::path::Path;

use crate::host::environment::{Inherited, SYSTEM, Variable, neutral};
use crate::host::toolchain::Toolchain;

/// What the build of a clean tree is given: everything that it knows of the machine.
pub struct Build<'a> {
    /// The clean tree.
    pub tree: &'a Path,
    /// Its CARGO_HOME.
    pub cargo_home: &'a Path,
    /// An empty home directory.
    pub home: &'a Path,
    /// Where temporary files go.
    pub temporary: &'a Path,
    /// Where the linker finds its own programs.
    pub path: OsString,
    /// The programs.
    pub toolchain: &'a Toolchain,
    /// The linker, where it is not the compiler that finds it.
    pub linker: Option<&'a Path>,
    /// What [`super::flags::encoded_rustflags`] says.
    pub flags: OsString,
    /// When the commit was made, in seconds since 1970.
    pub source_date_epoch: u64,
}

impl Build<'_> {
    /// The whole environment, where `inherited` is that of this process.
    pub fn variables(&self, inherited: impl Fn(&str) -> Option<OsString>) -> Vec<Variable> {
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

/// The environment in which cargo fetches crates into `cargo_home`.
#[must_use]
pub fn fetching(inherited: &Inherited, toolchain: &Toolchain, cargo_home: &Path) -> Vec<Variable> {
    let mut variables = inherited.variables.clone();
    variables.retain(|(name, _)| name != "CARGO_HOME");
    variables.extend(given(toolchain, cargo_home));
    variables
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::environment::tests::STRANGERS;
    use crate::host::toolchain::tests::toolchain;

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
}
