//! The files of cargo and clippy, read with the places of what they say.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{File, Files, line_of};

/// A TOML file.
pub(super) struct TomlFile<'a> {
    pub(super) file: &'a File,
    pub(super) root: DeTable<'a>,
}

impl<'a> TomlFile<'a> {
    /// The file at a path; nothing if there is none or cargo could not read it either.
    pub(super) fn at(files: &'a Files, path: &str) -> Option<Self> {
        let file = files.get(path)?;
        let root = DeTable::parse(file.text()).ok()?.into_inner();
        Some(Self { file, root })
    }

    /// The `Cargo.toml` of each member of the workspace, with their directories.
    pub(super) fn of_members(files: &'a Files) -> Vec<(String, Self)> {
        let directories = member_directories(files).into_iter();
        let members = directories.filter_map(|directory| {
            let toml = Self::at(files, &format!("{directory}/Cargo.toml"))?;
            Some((directory, toml))
        });
        members.collect()
    }

    /// The value to which a path of keys leads.
    pub(super) fn get(&self, keys: &[&str]) -> Option<&Spanned<DeValue<'a>>> {
        let (first, rest) = keys.split_first()?;
        let start = self.root.get(*first)?;
        rest.iter()
            .try_fold(start, |value, key| value.get_ref().get(*key))
    }

    /// The table to which a path of keys leads.
    pub(super) fn table(&self, keys: &[&str]) -> Option<&DeTable<'a>> {
        self.get(keys)?.get_ref().as_table()
    }

    /// The text to which a path of keys leads.
    pub(super) fn text(&self, keys: &[&str]) -> Option<&str> {
        self.get(keys)?.get_ref().as_str()
    }

    /// Whether a value says that it is the one of the workspace.
    pub(super) fn is_inherited(value: Option<&Spanned<DeValue<'_>>>) -> bool {
        let inherited =
            value.and_then(|value| value.get_ref().get("workspace")?.get_ref().as_bool());
        inherited == Some(true)
    }

    /// The line that a key or value begins in.
    pub(super) fn line<T>(&self, part: &Spanned<T>) -> usize {
        line_of(self.file.text(), part.span().start)
    }
}

/// The directories that the workspace names as its members.
pub(super) fn member_directories(files: &Files) -> Vec<String> {
    let Some(root) = TomlFile::at(files, "Cargo.toml") else {
        return Vec::new();
    };
    let members = root.get(&["workspace", "members"]);
    let members = members.and_then(|members| members.get_ref().as_array());
    let names = members.into_iter().flat_map(|members| members.iter());
    names
        .filter_map(|name| name.get_ref().as_str().map(str::to_owned))
        .collect()
}

#[test]
fn values_are_found_with_their_lines() {
    let files = Files::of_tree(&[
        ("Cargo.toml", "[workspace]\nmembers = [\n    \"a\",\n]\n"),
        (
            "a/Cargo.toml",
            "[package]\nname = \"b\"\nedition.workspace = true\n",
        ),
    ]);
    let members = TomlFile::of_members(&files);
    let [(directory, toml)] = &members[..] else {
        panic!("one member");
    };
    assert_eq!(directory, "a");
    assert_eq!(toml.text(&["package", "name"]), Some("b"));
    let edition = toml.get(&["package", "edition"]);
    assert!(TomlFile::is_inherited(edition));
    assert_eq!(edition.map(|value| toml.line(value)), Some(3));
    assert!(toml.get(&["package", "gone"]).is_none());
}
