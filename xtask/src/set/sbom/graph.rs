//! Which crates a program is built of, as cargo itself resolves it.
//!
//! `cargo metadata` unites the features that tests, build scripts and proc macros ask for with those of the program, and
//! so lists crates that no build compiles into it. `cargo tree` asks the resolver that `cargo build` asks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context as _, Result, bail};

/// A crate as `cargo tree` names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
}

impl fmt::Display for Crate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// A crate and everything that it needs.
#[derive(Debug)]
pub(crate) struct Graph {
    /// The crate itself.
    pub(crate) root: Crate,
    /// Every crate, the root too, with what it depends on directly.
    pub(crate) edges: BTreeMap<Crate, BTreeSet<Crate>>,
}

impl Graph {
    /// How `cargo tree` has to print what [`Self::parse`] reads.
    pub(crate) const FORMAT: [&str; 5] = ["--prefix", "depth", "--no-dedupe", "--format", " {p}"];

    /// Reads the part of `cargo tree` that is about the package `root`.
    pub(crate) fn parse(text: &str, root: &str) -> Result<Self> {
        let mut edges: BTreeMap<Crate, BTreeSet<Crate>> = BTreeMap::new();
        // The crates on the way from the package at depth 0 to the last line.
        let mut way: Vec<Crate> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (depth, found) =
                read_line(line).with_context(|| format!("read the line `{line}` of cargo tree"))?;
            if depth > way.len() {
                bail!("cargo tree has the line `{line}` below nothing");
            }
            way.truncate(depth);
            let parent = way.last().cloned();
            way.push(found.clone());
            if way[0].name != root {
                continue;
            }
            edges.entry(found.clone()).or_default();
            if let Some(parent) = parent {
                edges.entry(parent).or_default().insert(found);
            }
        }
        let Some(root) = edges.keys().find(|entry| entry.name == root).cloned() else {
            bail!("cargo tree does not list the package {root}");
        };
        Ok(Self { root, edges })
    }

    /// The crates that are reached from the root without going through one for which `ends` is true.
    pub(crate) fn reached_without(&self, ends: impl Fn(&Crate) -> bool) -> BTreeSet<&Crate> {
        let mut reached = BTreeSet::new();
        let mut open = vec![&self.root];
        while let Some(next) = open.pop() {
            if !ends(next) && reached.insert(next) {
                open.extend(&self.edges[next]);
            }
        }
        reached
    }
}

/// Reads `2 name v1.0.0 (what else)`: the depth and the crate.
fn read_line(line: &str) -> Result<(usize, Crate)> {
    let mut words = line.split(' ');
    let depth = words.next().unwrap_or_default().parse();
    let name = words.next().filter(|name| !name.is_empty());
    let version = words.next().and_then(|word| word.strip_prefix('v'));
    match (name, version) {
        (Some(name), Some(version)) => Ok((
            depth.context("read the depth")?,
            Crate {
                name: name.to_owned(),
                version: version.to_owned(),
            },
        )),
        _ => bail!("it is not a depth, a name and a version"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0 other v1.0.0 (/somewhere/other)\n1 far v1.0.0\n\n\
        0 app v0.1.0 (/some where/app)\n1 a v1.0.0\n2 b v2.0.0 (proc-macro)\n3 c v3.0.0\n1 c v3.0.0\n1 c v4.0.0\n\n\
        0 last v1.0.0\n1 b v2.0.0 (proc-macro)\n2 far v1.0.0\n";

    fn names<'a>(crates: impl IntoIterator<Item = &'a Crate>) -> Vec<String> {
        crates.into_iter().map(Crate::to_string).collect()
    }

    #[test]
    fn only_what_stands_below_the_package_is_its() {
        let graph = Graph::parse(TREE, "app").unwrap();
        assert_eq!(graph.root.to_string(), "app 0.1.0");
        let edges: Vec<_> = graph
            .edges
            .iter()
            .map(|(from, to)| format!("{from} -> {}", names(to).join(", ")))
            .collect();
        assert_eq!(
            edges,
            [
                "a 1.0.0 -> b 2.0.0",
                "app 0.1.0 -> a 1.0.0, c 3.0.0, c 4.0.0",
                "b 2.0.0 -> c 3.0.0",
                "c 3.0.0 -> ",
                "c 4.0.0 -> ",
            ]
        );
    }

    #[test]
    fn what_only_a_proc_macro_needs_is_not_reached() {
        let graph = Graph::parse(&TREE.replace("1 c v3.0.0\n", ""), "app").unwrap();
        let reached = graph.reached_without(|entry| entry.name == "b");
        assert_eq!(names(reached), ["a 1.0.0", "app 0.1.0", "c 4.0.0"]);
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        for (text, says) in [
            ("", "does not list the package app"),
            ("0 apple v1.0.0\n", "does not list the package app"),
            ("0 app v1.0.0\n2 a v1.0.0\n", "below nothing"),
            ("1 app v1.0.0\n", "below nothing"),
            ("x app v1.0.0\n", "read the depth"),
            ("0 app 1.0.0\n", "not a depth"),
            ("0\n", "not a depth"),
        ] {
            let error = format!("{:#}", Graph::parse(text, "app").unwrap_err());
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
