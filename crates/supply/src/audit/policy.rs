//! `deny.toml`: what is asked of dependencies, and which exceptions there are for how long.
//!
//! An exception is an entry of one of the lists in [`LISTS`]. The comment right above it says `# until 2027-05-31: why`,
//! and may go on in further comment lines. cargo-deny knows reasons for some lists and an end for none.

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use ecac_artifact::exit;

use super::day::Day;
use xtask::host::error::Failure;

/// The file, at the top of the workspace.
pub(super) const FILE: &str = "deny.toml";

/// Where exceptions stand.
const LISTS: [&[&str]; 7] = [
    &["advisories", "ignore"],
    &["bans", "skip"],
    &["bans", "skip-tree"],
    &["graph", "exclude"],
    &["licenses", "clarify"],
    &["licenses", "exceptions"],
    &["sources", "allow-git"],
];

/// What may not be set otherwise, because an exception would not show then.
const REQUIRED: [(&[&str], &str); 8] = [
    (&["advisories", "unmaintained"], "all"),
    (&["advisories", "unsound"], "all"),
    (&["advisories", "unused-ignored-advisory"], "deny"),
    (&["advisories", "yanked"], "deny"),
    (&["licenses", "unused-allowed-license"], "deny"),
    (&["licenses", "unused-license-exception"], "deny"),
    (&["sources", "unknown-git"], "deny"),
    (&["sources", "unknown-registry"], "deny"),
];

/// The only registry.
const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";

/// Something that is let through, why and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Exception {
    /// The list that it is an entry of.
    pub(super) list: String,
    /// The crate or the advisory, and what is allowed.
    pub(super) of: String,
    /// The last day on which it holds.
    pub(super) until: String,
    /// Why it is made.
    pub(super) reason: String,
}

/// What `deny.toml` says.
#[derive(Debug)]
pub(super) struct Policy {
    /// Every exception, in the order of lists and entries.
    pub(super) exceptions: Vec<Exception>,
    /// The advisories among them.
    pub(super) ignored_advisories: Vec<String>,
    /// The repositories among them.
    pub(super) allowed_git: Vec<String>,
}

impl Policy {
    /// Reads the file.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let root = DeTable::parse(text).map_err(|error| bad(&error.to_string()))?;
        let root = root.get_ref();
        for (keys, wanted) in REQUIRED {
            let value = get(root, keys).and_then(|value| value.get_ref().as_str());
            if value != Some(wanted) {
                return Err(bad(&format!("`{}` is not \"{wanted}\"", keys.join("."))));
            }
        }
        if get(root, &["sources", "allow-org"]).is_some() {
            return Err(bad(
                "`sources.allow-org` lets through more than can be looked at; name each repository in `allow-git`",
            ));
        }
        let registries = get(root, &["sources", "allow-registry"]);
        let registries = registries.and_then(|value| value.get_ref().as_array());
        let mut registries = registries.into_iter().flatten();
        if !registries.all(|value| value.get_ref().as_str() == Some(CRATES_IO)) {
            return Err(bad(
                "`sources.allow-registry` names another registry than crates.io",
            ));
        }
        let mut exceptions = Vec::new();
        let mut ignored_advisories = Vec::new();
        let mut allowed_git = Vec::new();
        for keys in LISTS {
            let list = keys.join(".");
            let Some(value) = get(root, keys) else {
                continue;
            };
            let Some(entries) = value.get_ref().as_array() else {
                return Err(bad(&format!("`{list}` is no list")));
            };
            for entry in entries {
                let line = line_of(text, entry.span().start);
                let context = |what: &str| bad(&format!("line {line}: {what}"));
                let of = subject(entry)
                    .ok_or_else(|| context("the exception names neither an id nor a crate"))?;
                let (until, reason) = comment_above(text, line).map_err(|what| {
                    context(&format!("the exception {of} {what}")).hint(
                        "write `# until 2027-05-31: the reason` on the line above, with the last day on which it holds",
                    )
                })?;
                if keys == ["advisories", "ignore"] && of.starts_with("RUSTSEC-") {
                    ignored_advisories.push(of.clone());
                }
                if keys == ["sources", "allow-git"] {
                    allowed_git.push(of.clone());
                }
                exceptions.push(Exception {
                    list: list.clone(),
                    of,
                    until: until.to_string(),
                    reason,
                });
            }
        }
        Ok(Self {
            exceptions,
            ignored_advisories,
            allowed_git,
        })
    }

    /// The exceptions that no longer hold on a day.
    pub(super) fn expired(&self, today: Day) -> Vec<&Exception> {
        let is_over = |it: &&Exception| Day::parse(&it.until).is_ok_and(|until| today > until);
        self.exceptions.iter().filter(is_over).collect()
    }
}

fn bad(what: &str) -> Failure {
    Failure::new(exit::BAD_INPUT, format!("{FILE}: {}", what.trim_end()))
}

fn get<'t, 'a>(table: &'t DeTable<'a>, keys: &[&str]) -> Option<&'t Spanned<DeValue<'a>>> {
    let (first, rest) = keys.split_first()?;
    let value = table.get(*first)?;
    match rest {
        [] => Some(value),
        _ => get(value.get_ref().as_table()?, rest),
    }
}

/// What an entry is about: itself, or its id, crate or name, with what it allows.
fn subject(entry: &Spanned<DeValue<'_>>) -> Option<String> {
    if let Some(text) = entry.get_ref().as_str() {
        return Some(text.to_owned());
    }
    let table = entry.get_ref().as_table()?;
    let text = |key: &str| table.get(key)?.get_ref().as_str();
    let mut subject = ["id", "crate", "name"]
        .into_iter()
        .find_map(text)?
        .to_owned();
    let allowed = table
        .get("allow")
        .and_then(|value| value.get_ref().as_array());
    let allowed: Vec<_> = allowed
        .into_iter()
        .flatten()
        .filter_map(|it| it.get_ref().as_str())
        .collect();
    if !allowed.is_empty() {
        subject = format!("{subject} ({})", allowed.join(", "));
    }
    Some(subject)
}

/// The line, from 1, in which a byte is.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

/// The end and the reason in the comment lines right above a line.
fn comment_above(text: &str, line: usize) -> Result<(Day, String), String> {
    let before: Vec<_> = text.lines().take(line - 1).collect();
    let comments = before
        .iter()
        .rev()
        .map_while(|line| line.trim().strip_prefix('#'));
    let mut comments: Vec<_> = comments.map(str::trim).collect();
    comments.reverse();
    let start = comments
        .iter()
        .rposition(|comment| comment.starts_with("until "));
    let comment = start.map(|start| comments[start..].join(" "));
    let Some(rest) = comment
        .as_deref()
        .and_then(|comment| comment.strip_prefix("until "))
    else {
        return Err("has no reason and no end".to_owned());
    };
    let (day, reason) = rest.split_once(':').unwrap_or((rest, ""));
    let day = Day::parse(day.trim()).map_err(|what| format!("has no end: {what}"))?;
    match reason.trim() {
        "" => Err("has no reason".to_owned()),
        reason => Ok((day, reason.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: &str = "[advisories]\nunmaintained = \"all\"\nunsound = \"all\"\nunused-ignored-advisory = \"deny\"\n\
        yanked = \"deny\"\n\n[sources]\nunknown-git = \"deny\"\nunknown-registry = \"deny\"\n\n\
        [licenses]\nunused-allowed-license = \"deny\"\nunused-license-exception = \"deny\"\n";

    fn with(rest: &str) -> Result<Policy, Failure> {
        Policy::parse(&format!("{STRICT}{rest}"))
    }

    #[track_caller]
    fn check_refusal(rest: &str, says: &str) {
        let failure = with(rest).unwrap_err();
        assert_eq!(failure.code, exit::BAD_INPUT);
        assert!(failure.to_string().contains(says), "{failure}");
    }

    #[test]
    fn an_exception_has_a_subject_an_end_and_a_reason() {
        let policy = with(
            "exceptions = [\n    # About the list.\n    # until 2027-01-31: tables of Unicode,\n    # which are data\n    \
             { crate = \"a\", allow = [\"Unicode-3.0\"] },\n    # until 2027-02-01: why\n    { crate = \"b@1\", allow = [\"X\", \"Y\"] },\n]\n\n\
             # until 2027-03-01: a misread file\n[[licenses.clarify]]\ncrate = \"c\"\n",
        );
        let exceptions = policy.unwrap().exceptions;
        let told: Vec<_> = exceptions
            .iter()
            .map(|it| format!("{} {} {} {}", it.list, it.of, it.until, it.reason))
            .collect();
        assert_eq!(
            told,
            [
                "licenses.clarify c 2027-03-01 a misread file",
                "licenses.exceptions a (Unicode-3.0) 2027-01-31 tables of Unicode, which are data",
                "licenses.exceptions b@1 (X, Y) 2027-02-01 why",
            ]
        );
    }

    #[test]
    fn ignored_advisories_are_told_to_cargo_audit_too() {
        let ignore = "ignore = [\n# until 2027-01-31: not reached\n\"RUSTSEC-2026-0001\",\n# until 2027-01-31: so\n\
            { id = \"RUSTSEC-2026-0002\", reason = \"r\" },\n# until 2027-01-31: so\n{ crate = \"a@1.0.0\" } ]\n";
        let text = STRICT.replace("[sources]", &format!("{ignore}[sources]"));
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(
            policy.ignored_advisories,
            ["RUSTSEC-2026-0001", "RUSTSEC-2026-0002"]
        );
        assert_eq!(policy.exceptions.len(), 3);
    }

    #[test]
    fn an_exception_ends_with_its_last_day() {
        let policy =
            with("exceptions = [\n# until 2027-01-31: why\n{ crate = \"a\", allow = [\"X\"] }]\n")
                .unwrap();
        let expired = |day: &str| policy.expired(Day::parse(day).unwrap()).len();
        assert_eq!(
            ["2026-01-01", "2027-01-31", "2027-02-01"].map(expired),
            [0, 0, 1]
        );
    }

    #[test]
    fn what_is_incomplete_is_refused() {
        let entry = |comment: &str| {
            format!("exceptions = [\n{comment}\n{{ crate = \"a\", allow = [\"X\"] }}]\n")
        };
        check_refusal(
            &entry(""),
            "line 16: the exception a (X) has no reason and no end",
        );
        check_refusal(&entry("# because"), "has no reason and no end");
        check_refusal(&entry("# until 2027-01-31"), "has no reason");
        check_refusal(&entry("# until 2027-01-31:  "), "has no reason");
        check_refusal(&entry("# until 2027-02-30: why"), "is no day");
        check_refusal(&entry("# until later: why"), "is no day");
        check_refusal(
            &entry("# until 2027-01-31: why\n"),
            "has no reason and no end",
        );
        check_refusal("exceptions = 1\n", "is no list");
        check_refusal(
            "exceptions = [\n# until 2027-01-31: why\n{ allow = [\"X\"] }]\n",
            "neither an id nor a crate",
        );
        check_refusal("exceptions = [", "deny.toml");
    }

    #[test]
    fn what_is_not_strict_is_refused() {
        for line in STRICT.lines().filter(|line| line.contains('=')) {
            let text = STRICT.replace(&format!("{line}\n"), "");
            let failure = Policy::parse(&text).unwrap_err();
            let key = line.split(' ').next().unwrap();
            assert!(failure.to_string().contains(key), "{failure}");
        }
        let registry = "allow-registry = [\"https://example.org/index\"]\n\n[licenses]";
        let text = STRICT.replace("[licenses]", registry);
        let failure = Policy::parse(&text).unwrap_err();
        assert!(
            failure.to_string().contains("another registry"),
            "{failure}"
        );
    }

    #[test]
    fn the_policy_of_the_repository_is_complete() {
        let path = xtask::host::workspace::root().unwrap().join(FILE);
        Policy::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    }
}
