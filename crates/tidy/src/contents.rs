//! Files are small, and text but for a list of exceptions; what people write has clean lines.

use super::{Breach, File, Files, check, keeps, numbered};

/// No file is larger.
const BYTES_MAX: usize = 1 << 20;

/// The only files that may hold anything but text: where they lie, how their names end, and why they are in git.
const BINARY: &[(&str, &str, &str)] = &[
    ("crates/fuzz/corpus/", "", "inputs of the fuzz targets"),
    (
        "crates/fuzz/crashers/",
        "",
        "inputs that once broke a reader",
    ),
    (
        "crates/report/fonts/",
        ".ttf",
        "the typeface of the figures",
    ),
    ("docs/eval/golden/", ".cborseq", "cited op logs"),
    ("docs/eval/golden/", ".png", "cited figures"),
    ("docs/eval/golden/", ".tar.gz", "the cited archive"),
];

/// The extensions of what people write; other text is data, each byte of which counts as it is.
const WRITTEN: [&str; 10] = [
    "cddl", "cff", "css", "md", "nix", "py", "rs", "toml", "yaml", "yml",
];

fn contents(files: &Files) -> Vec<Breach> {
    files.iter().flat_map(of_file).collect()
}

fn of_file(file: &File) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut breach = |line, what: &str| breaches.push(Breach::new(file, line, what));
    if file.bytes.len() > BYTES_MAX {
        breach(
            1,
            "more than 1 MiB; compute it, or keep it outside of the repository",
        );
    }
    let is_text = std::str::from_utf8(&file.bytes).is_ok() && !file.bytes.contains(&0);
    let may_be_binary = BINARY
        .iter()
        .any(|(directory, end, _)| file.path.starts_with(directory) && file.path.ends_with(end));
    if !is_text && !may_be_binary {
        breach(
            1,
            "no text; remove it, or add it to BINARY in crates/tidy/src/contents.rs with the reason",
        );
    }
    if !is_text || !WRITTEN.contains(&file.extension()) {
        return breaches;
    }
    for (number, line) in numbered(file.text()) {
        if line.trim_end() != line {
            breach(
                number,
                "blanks or a carriage return at the end of the line; remove them",
            );
        }
    }
    if !file.bytes.is_empty() && !file.bytes.ends_with(b"\n") {
        breach(
            file.text().lines().count(),
            "no newline at the end of the file; add it",
        );
    }
    breaches
}

#[test]
fn the_repository_keeps_it() {
    keeps(contents);
}

#[test]
fn breaches_are_found() {
    let tree: [(&str, &[u8]); 8] = [
        ("a.rs", b"good\n\tgood\nblank \nreturn\r\r\nend"),
        ("b.txt", b"\xff\n"),
        ("c", b"text \0"),
        ("crates/a/d.jwt", b"data "),
        ("docs/e.cborseq", b"\xff"),
        ("docs/eval/golden/f.cborseq", b"\xff"),
        ("docs/eval/golden/g.db", b"\xff"),
        ("h.txt", &[b'a'; BYTES_MAX + 1]),
    ];
    check(
        contents,
        &tree,
        &[
            "a.rs:3: blanks or a carriage return",
            "a.rs:4: blanks or a carriage return",
            "a.rs:5: no newline",
            "b.txt:1: no text",
            "c:1: no text",
            "docs/e.cborseq:1: no text",
            "docs/eval/golden/g.db:1: no text",
            "h.txt:1: more than 1 MiB",
        ],
    );
}
