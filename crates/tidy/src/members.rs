//! Every crate is a member of the workspace, takes over what the workspace decides, and is on the map; or it is a workspace of its
//! own, with a lock file of its own, and on the map as well.

use super::toml_file::{TomlFile, member_directories};
use super::{Breach, Files, check, keeps};

/// What a package takes from the workspace.
const INHERITED: [&[&str]; 7] = [
    &["lints"],
    &["package", "version"],
    &["package", "edition"],
    &["package", "rust-version"],
    &["package", "license"],
    &["package", "repository"],
    &["package", "publish"],
];

fn members(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let directories = member_directories(files);
    let map = files.get("ARCHITECTURE.md");
    let on_map = |directory: &str| {
        let row = format!("| `{directory}` |");
        map.filter(|map| !map.text().contains(&row)).map(|map| {
            let what = format!("`{directory}` is not in the code map; add its row");
            Breach::new(map, 1, what)
        })
    };
    for file in files.iter().filter(|file| file.name() == "Cargo.toml") {
        let Some(directory) = file.path.strip_suffix("/Cargo.toml") else {
            continue;
        };
        if file.text().lines().any(|line| line == "[workspace]") {
            if files.get(&format!("{directory}/Cargo.lock")).is_none() {
                let what = "a workspace of its own without a lock file; add its Cargo.lock";
                breaches.push(Breach::new(file, 1, what));
            }
            breaches.extend(on_map(directory));
        } else if !directories.iter().any(|member| member == directory) {
            let what = "no member of the workspace; add it to `members` in Cargo.toml";
            breaches.push(Breach::new(file, 1, what));
        }
    }
    for (directory, toml) in TomlFile::of_members(files) {
        for keys in INHERITED {
            let value = toml.get(keys);
            if !TomlFile::is_inherited(value) {
                let line = value.map_or(1, |value| toml.line(value));
                let name = keys.join(".");
                let what = format!("`{name}` is its own; write `{name}.workspace = true`");
                breaches.push(Breach::new(toml.file, line, what));
            }
        }
        breaches.extend(on_map(&directory));
    }
    breaches
}

#[test]
fn the_repository_keeps_it() {
    keeps(members);
}

#[test]
fn breaches_are_found() {
    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\nrepository.workspace = true\n\
        publish.workspace = true\n\n[lints]\nworkspace = true\n";
    let bad = GOOD
        .replace("edition.workspace = true", "edition = \"2021\"")
        .replace("publish.workspace = true\n", "")
        .replace("[lints]\nworkspace = true\n", "[lints]\nrust = {}\n");
    check(
        members,
        &[
            ("ARCHITECTURE.md", "# Map\n\n| `good` | a crate |\n"),
            ("Cargo.toml", "[workspace]\nmembers = [\"good\", \"bad\"]\n"),
            ("bad/Cargo.toml", &bad),
            ("good/Cargo.toml", GOOD),
            ("own/Cargo.lock", ""),
            ("own/Cargo.toml", "[workspace]\n"),
            ("stray/Cargo.toml", GOOD),
            ("unlocked/Cargo.toml", "[workspace]\n"),
        ],
        &[
            "ARCHITECTURE.md:1: `bad`",
            "ARCHITECTURE.md:1: `own`",
            "ARCHITECTURE.md:1: `unlocked`",
            "bad/Cargo.toml:1: `package.publish`",
            "bad/Cargo.toml:4: `package.edition`",
            "bad/Cargo.toml:9: `lints`",
            "stray/Cargo.toml:1: no member",
            "unlocked/Cargo.toml:1: a workspace of its own without",
        ],
    );
}
