//! Secrets of an environment, and texts without them.

/// The longest text that is told, in bytes: a server may answer with a whole page.
const TEXT_BYTES_MAX: usize = 600;
/// A shorter value hides nothing: it would stand everywhere.
const SECRET_BYTES_MIN: usize = 4;

/// Values that are told to nobody.
pub(crate) struct Secrets(Vec<String>);

impl core::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl Secrets {
    /// The values of those variables that are keys, tokens and the like by their names.
    pub(crate) fn among(variables: &[(String, String)]) -> Self {
        const MARKS: [&str; 6] = ["KEY", "SECRET", "TOKEN", "SAS", "PASSWORD", "CREDENTIAL"];
        let is_secret = |name: &str| MARKS.iter().any(|it| name.contains(it));
        let secrets = variables.iter().filter(|(name, value)| {
            is_secret(&name.to_ascii_uppercase()) && value.len() >= SECRET_BYTES_MIN
        });
        let mut secrets: Vec<String> = secrets.map(|it| it.1.clone()).collect();
        // One that has another in it goes first.
        secrets.sort_by_key(|it| core::cmp::Reverse(it.len()));
        Self(secrets)
    }

    /// The text without secrets and without queries of addresses, on one line, and cut where it is long.
    pub(crate) fn hidden(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for secret in &self.0 {
            hidden = hidden.replace(secret, "…");
        }
        let mut out = String::new();
        let mut in_query = false;
        let mut is_blank = false;
        for character in hidden.chars() {
            if character.is_whitespace() {
                (in_query, is_blank) = (false, true);
                continue;
            }
            if matches!(character, '"' | ')' | '>' | '<') {
                in_query = false;
            }
            if in_query {
                continue;
            }
            if core::mem::take(&mut is_blank) && !out.is_empty() {
                out.push(' ');
            }
            if out.len() > TEXT_BYTES_MAX {
                out.push('…');
                break;
            }
            out.push(character);
            if character == '?' {
                in_query = true;
                out.push('…');
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let variables = [
            ("AWS_SECRET_ACCESS_KEY", "abcd/efgh"),
            ("AWS_SESSION_TOKEN", "abcd/efgh/ijkl"),
            ("AWS_REGION", "eu-west-1"),
            ("AZURE_STORAGE_SAS_KEY", "abc"),
        ];
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Secrets::among(&owned)
    }

    #[test]
    fn secrets_are_not_told() {
        let secrets = secrets();
        let check = |text, told| assert_eq!(secrets.hidden(text), told, "{text}");
        check("the key abcd/efgh is bad", "the key … is bad");
        check("token abcd/efgh/ijkl in eu-west-1", "token … in eu-west-1");
        check(
            "GET (https://x.y/z?sig=1234&se=5) failed",
            "GET (https://x.y/z?…) failed",
        );
        assert!(!format!("{secrets:?}").contains("abcd"));
    }

    #[test]
    fn a_text_is_one_line_and_ends() {
        let secrets = secrets();
        assert_eq!(secrets.hidden(" a\n\n  b\tc "), "a b c");
        let long = secrets.hidden(&"ä".repeat(2_000));
        assert!(long.len() <= TEXT_BYTES_MAX + 8 && long.ends_with('…'));
    }
}
