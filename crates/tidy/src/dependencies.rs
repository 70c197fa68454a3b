//! Every dependency has one entry, in the workspace, with a reason beside it and a member that uses it.
//!
//! cargo-deny can ask for the entry and the member (`bans.workspace-dependencies`), where it is installed and every crate
//! is fetched. The reasons it does not see, so the file is read here anyway, with every run of the tests.

use std::collections::BTreeSet;

use toml::de::DeTable;

use super::toml_file::TomlFile;
use super::{Breach, Files, check, keeps};

fn dependencies(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut used = BTreeSet::new();
    for (_, toml) in TomlFile::of_members(files) {
        for (name, value) in tables(&toml).into_iter().flatten() {
            used.insert(name.get_ref().to_string());
            if !TomlFile::is_inherited(Some(value)) {
                let name = name.get_ref();
                let what =
                    format!("`{name}` has an entry of its own; write `{name}.workspace = true`");
                breaches.push(Breach::new(toml.file, toml.line(value), what));
            }
        }
    }
    let Some(root) = TomlFile::at(files, "Cargo.toml") else {
        return breaches;
    };
    let entries = root.table(&["workspace", "dependencies"]);
    for (name, value) in entries.into_iter().flatten() {
        let mut breach = |what| {
            let what = format!("`{}` {what}", name.get_ref());
            breaches.push(Breach::new(root.file, root.line(name), what));
        };
        if !used.contains(name.get_ref().as_ref()) {
            breach("is used by no member; remove it");
        }
        let is_own = value.get_ref().get("path").is_some();
        let rest_of_line = root.file.text()[value.span().end..].lines().next();
        let reason = rest_of_line.unwrap_or_default().trim().strip_prefix('#');
        if !is_own && reason.is_none_or(|reason| reason.trim().is_empty()) {
            breach("has no reason; write what it is for as a comment beside it");
        }
    }
    breaches
}

/// The tables of dependencies of a member, those for some targets only too.
fn tables<'m, 'a>(toml: &'m TomlFile<'a>) -> Vec<&'m DeTable<'a>> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = toml.table(&["target"]).into_iter().flatten();
    let targets = targets.filter_map(|(_, table)| table.get_ref().as_table());
    let all = targets.chain([&toml.root]);
    all.flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)))
        .filter_map(|table| table.get_ref().as_table())
        .collect()
}

#[test]
fn the_repository_keeps_it() {
    keeps(dependencies);
}

#[test]
fn breaches_are_found() {
    const ROOT: &str = r##"[workspace]
members = ["a"]

[workspace.dependencies]
a = { path = "a" }
good = "1" # a reason
bare = { version = "1", features = ["#"] }
empty = "1" #
unused = "1" # a reason
"##;
    const MEMBER: &str = "[dependencies]\na.workspace = true\nbare.workspace = true\ngood = \"1\"\n\n\
        [target.'cfg(unix)'.dev-dependencies]\nempty = { workspace = true, optional = true }\nother = \"1\"\n";
    check(
        dependencies,
        &[("Cargo.toml", ROOT), ("a/Cargo.toml", MEMBER)],
        &[
            "Cargo.toml:7: `bare` has no reason",
            "Cargo.toml:8: `empty` has no reason",
            "Cargo.toml:9: `unused` is used by no member",
            "a/Cargo.toml:4: `good` has an entry of its own",
            "a/Cargo.toml:8: `other` has an entry of its own",
        ],
    );
}
