//! Instants and lengths of virtual time.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::words::grouped;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(super) fn rfc3339(at_ms: u64) -> String {
    let seconds = i64::try_from(at_ms / 1000).ok();
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_else(|| format!("{at_ms} ms after the Unix epoch"))
}

/// “day 2, 03:10:10 to 03:12:00”, counted from the start.
pub(super) fn stretch(start_ms: u64, from_ms: u64, to_ms: u64) -> String {
    let time = |at_ms: u64| {
        let elapsed_ms = at_ms.saturating_sub(start_ms);
        let (day, seconds) = (elapsed_ms / DAY_MS + 1, elapsed_ms % DAY_MS / 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        (day, format!("{hours:02}:{minutes:02}:{seconds:02}"))
    };
    let ((from_day, from), (to_day, to)) = (time(from_ms), time(to_ms));
    match (from_day == to_day, from == to) {
        (true, true) => format!("day {from_day}, {from}"),
        (true, false) => format!("day {from_day}, {from} to {to}"),
        (false, _) => format!("day {from_day}, {from} to day {to_day}, {to}"),
    }
}

pub(super) fn duration(length_ms: u64) -> String {
    let minutes = length_ms / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{} h", grouped(hours)),
        (hours, minutes) => format!("{} h {minutes} min", grouped(hours)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_the_start() {
        for (from_ms, to_ms, want) in [
            (0, 0, "day 1, 00:00:00"),
            (0, 1_000, "day 1, 00:00:00 to 00:00:01"),
            (
                1_000,
                DAY_MS + 3_661_000,
                "day 1, 00:00:01 to day 2, 01:01:01",
            ),
        ] {
            assert_eq!(stretch(7, from_ms + 7, to_ms + 7), want);
        }
        assert_eq!(duration(3_600_000 * 24 + 59_000), "24 h");
        assert_eq!(duration(59_000), "0 min");
        assert_eq!(rfc3339(1_767_225_600_000), "2026-01-01T00:00:00Z");
        assert_eq!(
            rfc3339(u64::MAX),
            "18446744073709551615 ms after the Unix epoch"
        );
    }
}
