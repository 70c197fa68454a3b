//! `CITATION.cff` says of the version and the repository what `Cargo.toml` says.

use super::toml_file::TomlFile;
use super::{Breach, Files, check, keeps, numbered};

const CFF: &str = "CITATION.cff";

/// A key of `CITATION.cff`, and the key of `workspace.package` that has the same value.
const KEYS: [(&str, &str); 2] = [("version", "version"), ("repository-code", "repository")];

fn cff(files: &Files) -> Vec<Breach> {
    let (Some(file), Some(toml)) = (files.get(CFF), TomlFile::at(files, "Cargo.toml")) else {
        return Vec::new();
    };
    let mut breaches = Vec::new();
    for (key, ours) in KEYS {
        let expected = toml.text(&["workspace", "package", ours]);
        let found = numbered(file.text())
            .find_map(|(line, text)| Some((line, text.strip_prefix(key)?.strip_prefix(": ")?)));
        let (line, value) = found.map_or((1, None), |(line, value)| (line, Some(value)));
        if value != expected {
            let expected = expected.unwrap_or("nothing");
            let what = format!("`{key}` is not `{expected}`, as in Cargo.toml; write that");
            breaches.push(Breach::new(file, line, what));
        }
    }
    breaches
}

#[test]
fn the_repository_keeps_it() {
    keeps(cff);
}

#[test]
fn breaches_are_found() {
    let cargo =
        "[workspace.package]\nversion = \"1.2.3\"\nrepository = \"https://example.org/a\"\n";
    check(
        cff,
        &[
            ("Cargo.toml", cargo),
            (CFF, "cff-version: 1.2.0\nversion: 1.2.4\n"),
        ],
        &[
            "CITATION.cff:1: `repository-code` is not",
            "CITATION.cff:2: `version` is not",
        ],
    );
}
