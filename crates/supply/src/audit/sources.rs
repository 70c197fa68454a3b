//! Where the crates of a lockfile come from. cargo-deny asks the same, but only
//! once it is installed and every crate is fetched; this needs neither, so nothing from elsewhere is fetched to be judged.

use ecac_artifact::exit;

use super::finding::Finding;
use xtask::host::error::Failure;
use xtask::source::lockfile::{CRATES_IO, Lockfile};

/// The crates that come from elsewhere than crates.io, the workspace, or a repository that is let through.
pub(super) fn foreign(lockfile: &str, allowed: &[String]) -> Result<Vec<Finding>, Failure> {
    let lockfile = Lockfile::parse(lockfile).map_err(|error| {
        let message = format!("Cargo.lock cannot be read: {}", error.message());
        Failure::new(exit::BAD_INPUT, message)
    })?;
    let findings = lockfile.packages.into_iter().filter_map(|package| {
        let source = package.source?;
        let repository = source
            .strip_prefix("git+")
            .map(|rest| rest.split(['?', '#']).next());
        let is_allowed = match repository.flatten() {
            Some(repository) => allowed.iter().any(|allowed| allowed == repository),
            None => source == CRATES_IO,
        };
        (!is_allowed).then(|| Finding {
            check: "Cargo.lock",
            krate: format!("{} {}", package.name, package.version),
            what: format!("comes from {source}"),
        })
    });
    Ok(findings.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, is_foreign: bool) {
        let lockfile = format!(
            "version = 4\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n"
        );
        let allowed = ["https://example.org/a".to_owned()];
        let findings = foreign(&lockfile, &allowed).unwrap();
        let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
        let expected = format!("a 1.0.0: comes from {source} (Cargo.lock)");
        assert_eq!(
            told,
            if is_foreign {
                vec![expected]
            } else {
                Vec::new()
            }
        );
    }

    #[test]
    fn only_crates_io_and_what_is_let_through_is_home() {
        check(CRATES_IO, false);
        check("git+https://example.org/a?branch=main#0123", false);
        check("git+https://example.org/a#0123", false);
        check("git+https://example.org/ab#0123", true);
        check("git+https://example.org/b#0123", true);
        check("git+file:///a#0123", true);
        check("registry+https://example.org/index", true);
        check("sparse+https://example.org/index/", true);
        check("sparse+https://example.org/a", true);
        check(
            "registry+https://github.com/rust-lang/crates.io-index2",
            true,
        );
    }

    #[test]
    fn what_is_no_lockfile_is_refused() {
        assert_eq!(
            foreign("package = 1", &[]).unwrap_err().code,
            exit::BAD_INPUT
        );
        assert!(foreign("version = 4\n", &[]).unwrap().is_empty());
    }
}
