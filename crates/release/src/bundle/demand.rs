//! Which release somebody wants: the options that demand one, and the name of the file, which promises one.

use std::path::Path;

use anyhow::{Result, ensure};
use ecac_artifact::archive;
use ecac_artifact::{Commit, ParseCommitError, ParseVersionError, Version};

/// What the name of every archive begins with.
const STEM: &str = "ecac-artifacts-";

/// Digits of a full commit id.
const COMMIT_DIGITS: usize = 40;

/// Reads a version with or without the `v` of its tag.
pub(super) fn parse_version(text: &str) -> Result<Version, ParseVersionError> {
    text.strip_prefix('v').unwrap_or(text).parse()
}

/// Reads a full commit id.
pub(super) fn parse_commit(text: &str) -> Result<Commit, ParseCommitError> {
    text.parse()
}

/// The release that somebody wants.
#[derive(Debug, Clone, Default)]
pub(super) struct Demand<'a> {
    pub(super) commit: Option<&'a Commit>,
    pub(super) version: Option<&'a Version>,
}

impl Demand<'_> {
    /// Requires the release that is wanted, and one that the name of the file does not contradict.
    pub(super) fn check(&self, file: &Path, commit: &Commit, version: &Version) -> Result<String> {
        if let Some(wanted) = self.version {
            ensure!(
                wanted == version,
                "it is of {}, not of {}",
                version.tag(),
                wanted.tag()
            );
        }
        if let Some(wanted) = self.commit {
            ensure!(
                wanted == commit,
                "it is of commit {commit}, not of {wanted}"
            );
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        ensure!(
            !contradicts(&name, commit, version),
            "the file is called `{}`, but it is of {}, commit {commit}",
            name.escape_debug(),
            version.tag()
        );
        let wanted = match (self.version, self.commit) {
            (Some(_), Some(_)) => "as demanded",
            (Some(_), None) => "this version was demanded",
            (None, Some(_)) => "this commit was demanded",
            (None, None) => "none was demanded",
        };
        Ok(format!("{}, commit {commit}; {wanted}", version.tag()))
    }
}

/// Whether the name of a file speaks of another commit or version. A name that speaks of none says nothing.
fn contradicts(name: &str, commit: &Commit, version: &Version) -> bool {
    let canonical = archive::directory(commit);
    if name
        .get(..STEM.len())
        .is_some_and(|stem| stem.eq_ignore_ascii_case(STEM))
    {
        // What browsers and users add, such as ` (1)`, stands apart.
        let rest = name.strip_prefix(&canonical);
        return !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ' ', '(']));
    }
    let words = || name.split(|char: char| !char.is_ascii_alphanumeric());
    let other_commit = words()
        .filter(|word| {
            word.len() == COMMIT_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
        .any(|word| !word.eq_ignore_ascii_case(commit.hash()));
    let other_version = versions(name).any(|other| other != version.core());
    other_commit || other_version
}

/// The runs of three numbers with dots between in a name, as in `ecac-v0.1.0.tar.gz`.
fn versions(name: &str) -> impl Iterator<Item = &str> {
    name.split(|char: char| !char.is_ascii_digit() && char != '.')
        .map(|run| run.trim_matches('.'))
        .filter(|run| {
            let numbers = || run.split('.');
            numbers().count() == 3 && numbers().all(|number| !number.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "89abcdef0123456789abcdef0123456789abcdef";

    fn release() -> (Commit, Version) {
        (HASH.parse().unwrap(), "0.1.0".parse().unwrap())
    }

    #[test]
    fn names_of_files_that_promise_another_release() {
        let other = "f".repeat(40);
        let (commit, version) = release();
        let check = |name: String, expected: bool| {
            assert_eq!(contradicts(&name, &commit, &version), expected, "{name}");
        };
        check(format!("ecac-artifacts-{HASH}.tar.gz"), false);
        check(format!("ecac-artifacts-{HASH} (1).tar.gz"), false);
        check(format!("ecac-artifacts-{HASH}(1).tar.gz"), false);
        check(format!("ecac-artifacts-{HASH}"), false);
        check("release.tar.gz".to_owned(), false);
        check(format!("{HASH}.tar.gz"), false);
        check(format!("mine_{}.tgz", HASH.to_uppercase()), false);
        check("ecac-v0.1.0.tar.gz".to_owned(), false);
        check("ecac-0.1.0-linux.tar.gz".to_owned(), false);
        check("2026.11.tar.gz".to_owned(), false);

        check(format!("ecac-artifacts-{other}.tar.gz"), true);
        check(format!("ecac-artifacts-{HASH}-dirty.tar.gz"), true);
        check(format!("ecac-artifacts-{HASH}0.tar.gz"), true);
        check(format!("ECAC-Artifacts-{other}.tar.gz"), true);
        check("ecac-artifacts-v0.2.0.tar.gz".to_owned(), true);
        check(format!("{other}.tar.gz"), true);
        check(format!("mine_{}.tgz", other.to_uppercase()), true);
        check("ecac-v0.2.0.tar.gz".to_owned(), true);
        check("ecac_9.9.9.tgz".to_owned(), true);
        check(format!("ecac-0.1.0-{other}.tar.gz"), true);

        let dirty = commit.clone().into_dirty();
        let name = |mark: &str| format!("ecac-artifacts-{HASH}{mark}.tar.gz");
        assert!(!contradicts(&name("-dirty"), &dirty, &version));
        assert!(contradicts(&name(""), &dirty, &version));
    }

    #[test]
    fn what_is_wanted_and_what_is_there() {
        let (commit, version) = release();
        let (other, later): (Commit, Version) =
            ("f".repeat(40).parse().unwrap(), "0.2.0".parse().unwrap());
        let dirty = commit.clone().into_dirty();
        let check = |wants: (Option<&Commit>, Option<&Version>), expected: Result<&str, &str>| {
            let demand = Demand {
                commit: wants.0,
                version: wants.1,
            };
            let verdict = demand.check(Path::new("a.tar.gz"), &commit, &version);
            match (verdict, expected) {
                (Ok(detail), Ok(says)) => assert!(detail.ends_with(says), "{detail}"),
                (Err(error), Err(says)) => {
                    assert!(error.to_string().starts_with(says), "{error}");
                }
                (verdict, _) => panic!("{verdict:?}"),
            }
        };
        check((None, None), Ok("none was demanded"));
        check((Some(&commit), None), Ok("this commit was demanded"));
        check((None, Some(&version)), Ok("this version was demanded"));
        check((Some(&commit), Some(&version)), Ok("as demanded"));
        check((Some(&other), None), Err("it is of commit 89ab"));
        check((Some(&dirty), None), Err("it is of commit 89ab"));
        check((None, Some(&later)), Err("it is of v0.1.0, not of v0.2.0"));
        check((Some(&commit), Some(&later)), Err("it is of v0.1.0"));
        let error = Demand::default().check(Path::new("v0.2.0\n"), &commit, &version);
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("the file is called `v0.2.0\\n`, but"),
            "{error}"
        );
    }

    #[test]
    fn versions_are_read_with_and_without_the_v() {
        assert_eq!(parse_version("v0.1.0"), parse_version("0.1.0"));
        for text in ["", "v", "vv0.1.0", "0.1", "v0.1.0/.."] {
            assert!(parse_version(text).is_err(), "{text}");
        }
        assert!(parse_commit(HASH).is_ok());
        assert!(parse_commit("HEAD").is_err());
        assert!(parse_commit(&HASH[..12]).is_err());
    }
}
