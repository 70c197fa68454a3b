//! Exit codes of `ecac` and `cargo xtask`, shared so that a script can tell the same cause by the same number.

use core::fmt::Write as _;

/// Declares each exit code as a constant and as a row of [`ALL`]; the meaning is the constant's documentation.
macro_rules! exit_codes {
    ($($constant:ident = $code:literal, $name:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $constant: u8 = $code;)*

        /// Every exit code in ascending order: code, name (snake case, for JSON output), meaning.
        pub const ALL: &[(u8, &str, &str)] = &[$(($code, $name, $meaning),)*];
    };
}

exit_codes! {
    SUCCESS = 0, "success", "everything asked for was done and every check passed";
    INTERNAL = 1, "internal", "a defect in the program itself; please report it";
    USAGE = 2, "usage", "the command line is wrong";
    ENVIRONMENT = 3, "environment",
        "a missing tool or file, the wrong toolchain, an uncommitted tree, unwritable output";
    BAD_INPUT = 4, "bad_input", "an input file is malformed, truncated, or of the wrong kind";
    NOT_FOUND = 5, "not_found", "a named object does not exist, such as an unknown op id";
    VERIFICATION = 6, "verification", "an audit or integrity check failed, or sums disagree with their files";
    BUILD = 7, "build", "a child build failed";
    UNDECIDED = 8, "undecided", "nothing is wrong, but what is at hand does not suffice to say that all is right";
    REFUSED = 9, "refused", "the project does not allow it, or you declined; nothing was done";
    MISMATCH = 10, "mismatch", "a file differs from its golden counterpart";
    MISSING = 11, "missing", "an expected file is absent";
    EXTRA = 12, "extra", "a file is present that the expected set does not contain";
    BAD_SIGNATURE = 13, "bad_signature", "a signature or provenance statement does not verify";
    INTERRUPTED = 130, "interrupted", "stopped by a signal; nothing was published";
}

/// The table of exit codes for the end of a program's `--help`: a heading, then one line for each of [`ALL`].
#[must_use]
pub fn help() -> String {
    let mut text = String::from("Exit codes:");
    for (code, _, meaning) in ALL {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {code:>3}  {meaning}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_ascending() {
        assert!(ALL.is_sorted_by(|a, b| a.0 < b.0));
        let mut names: Vec<_> = ALL.iter().map(|(_, name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn codes_are_the_published_ones() {
        let codes: Vec<_> = ALL.iter().map(|(code, _, _)| *code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 130]);
        assert_eq!(
            (SUCCESS, USAGE, BUILD, MISMATCH, INTERRUPTED),
            (0, 2, 7, 10, 130)
        );
    }

    #[test]
    fn help_has_one_line_per_code() {
        let text = help();
        assert_eq!(text.lines().count(), ALL.len() + 1);
        assert!(text.contains("\n    2  the command line is wrong"));
        assert!(text.contains("\n  130  stopped by a signal"));
    }
}
