//! The digests that `README.md` prints.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use ecac_artifact::{Digest, exit};

use crate::host::error::Failure;

/// The label of the digest of `trustview.json`.
pub const TRUST: &str = "trust digest";

/// The label of the digest of the golden tarball.
pub const GOLDEN_BUNDLE: &str = "golden bundle";

const ALGORITHM: &str = "sha256:";
const DIGITS: usize = 64;

/// The digest that a tree's README prints after `label`.
pub fn digest(tree: &Path, label: &str) -> Result<Digest> {
    let path = tree.join("README.md");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    find(&text, label)
}

/// The digest in the text; a missing line is an error, and so are two lines that disagree.
fn find(text: &str, label: &str) -> Result<Digest> {
    let mut found: Option<Digest> = None;
    for line in text.lines() {
        let Some(start) = digits_after(line, label) else {
            continue;
        };
        let digits = line.get(start..start + DIGITS).unwrap_or_default();
        let complete = !line[start..]
            .chars()
            .nth(DIGITS)
            .is_some_and(|next| next.is_ascii_alphanumeric());
        let digest = digits.parse().ok().filter(|_| complete).ok_or_else(|| {
            Failure::new(
                exit::VERIFICATION,
                format!("README.md has a malformed digest: {}", line.trim()),
            )
            .hint(format!(
                "write `{label}: sha256:` and 64 lower-case hexadecimal digits"
            ))
        })?;
        if found.is_some_and(|earlier| earlier != digest) {
            return Err(Failure::new(
                exit::VERIFICATION,
                format!("README.md prints two different values of `{label}`"),
            )
            .into());
        }
        found = Some(digest);
    }
    found.ok_or_else(|| {
        Failure::new(
            exit::VERIFICATION,
            format!("README.md has no line `{label}: sha256:…`"),
        )
        .hint("add the line with the digest that `cargo xtask repro` prints")
        .into()
    })
}

/// Replaces the digest after `label` in the tree's README; true if the file changed. A README without such a line
/// is left alone.
pub fn replace(tree: &Path, label: &str, digest: &Digest) -> Result<bool> {
    let path = tree.join("README.md");
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        text => text.with_context(|| format!("read {}", path.display()))?,
    };
    let replaced = replaced(&text, label, digest);
    if replaced == text {
        return Ok(false);
    }
    fs::write(&path, replaced).with_context(|| format!("write {}", path.display()))?;
    Ok(true)
}

fn replaced(text: &str, label: &str, digest: &Digest) -> String {
    text.split_inclusive('\n')
        .map(|line| match digits_after(line, label) {
            Some(start) => {
                let digits = line[start..]
                    .bytes()
                    .take_while(u8::is_ascii_hexdigit)
                    .count();
                format!("{}{digest}{}", &line[..start], &line[start + digits..])
            }
            None => line.to_owned(),
        })
        .collect()
}

/// Where the digits begin in a line that says `label: sha256:…`, whatever emphasis or list marks surround it.
fn digits_after(line: &str, label: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let label_end = lower.find(label)? + label.len();
    let algorithm = label_end + lower[label_end..].find(ALGORITHM)?;
    let between = &line[label_end..algorithm];
    let only_marks = between.contains(':')
        && between
            .chars()
            .all(|mark| mark.is_whitespace() || matches!(mark, ':' | '`' | '*' | '_' | '|'));
    only_marks.then_some(algorithm + ALGORITHM.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_found_in_any_dress() {
        let digest = Digest::of(b"trust");
        for line in [
            format!("trust digest: sha256:{digest}"),
            format!("- **Trust digest:** `sha256:{digest}`"),
            format!("    trust digest: sha256:{digest}   "),
            format!("`trust digest: sha256:{digest}`."),
        ] {
            let text = format!("# ECAC\n\nprose on the trust digest\n{line}\nend\n");
            assert_eq!(find(&text, TRUST).unwrap(), digest, "{line}");
            let other = Digest::of(b"other");
            let text = replaced(&text, TRUST, &other);
            assert_eq!(find(&text, TRUST).unwrap(), other, "{line}");
            assert_eq!(
                replaced(&text, TRUST, &digest).replace(&digest.to_string(), ""),
                text.replace(&other.to_string(), "")
            );
        }
    }

    #[test]
    fn an_absent_malformed_or_ambiguous_digest_is_an_error() {
        let digest = Digest::of(b"trust").to_string();
        let other = Digest::of(b"other");
        for text in [
            String::new(),
            "the trust digest is printed by repro\n".to_owned(),
            format!("trust digest: md5:{digest}\n"),
            format!("trust digest: sha256:{}\n", &digest[1..]),
            format!("trust digest: sha256:{digest}0\n"),
            format!("trust digest: sha256:{}\n", digest.to_uppercase()),
            format!("trust digest: sha256:{digest}\ntrust digest: sha256:{other}\n"),
            "trust digest: sha256:\u{e9}\u{e9}\n".to_owned(),
        ] {
            let error = find(&text, TRUST).unwrap_err();
            assert_eq!(
                crate::host::error::exit_code(&error),
                exit::VERIFICATION,
                "{text}"
            );
        }
    }
}
