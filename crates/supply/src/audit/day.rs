//! Days: what exceptions end on and databases are dated by.

use std::fmt;

use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime};

/// A day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(Date);

impl Day {
    /// The day that the clock shows.
    pub(super) fn today() -> Self {
        Self(OffsetDateTime::now_utc().date())
    }

    /// Reads `2026-08-21`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_plain = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = is_plain.then(|| Date::parse(text, &Iso8601::DATE).ok());
        date.flatten()
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no day such as 2026-08-21"))
    }

    /// The day of a moment, in seconds since 1970.
    pub(super) fn of_seconds(seconds: i64) -> Option<Self> {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        Some(Self(moment.date()))
    }

    /// How many days have passed since an earlier day; negative since a later one.
    pub(super) fn days_since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).whole_days()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.0.year(), u8::from(self.0.month()), self.0.day());
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_days_are_read() {
        let day = Day::parse("2024-02-29").unwrap();
        assert_eq!(day.to_string(), "2024-02-29");
        // `date -u -d 2024-02-29 +%s`
        let midnight = 1_709_164_800;
        let days = [midnight - 1, midnight, midnight + 86_399].map(Day::of_seconds);
        assert_eq!(days.map(|it| it == Some(day)), [false, true, true]);
        for bad in [
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-W10",
            "2026-001",
            "20260821",
            "2026-8-21",
            "2026-08-21T00",
        ] {
            assert!(Day::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ages_are_whole_days() {
        let check = |from: &str, to: &str, days| {
            let (from, to) = (Day::parse(from).unwrap(), Day::parse(to).unwrap());
            assert_eq!(to.days_since(from), days, "{from} {to}");
        };
        check("2026-08-21", "2026-08-21", 0);
        check("2023-12-31", "2024-12-31", 366);
        check("2026-08-22", "2026-08-21", -1);
    }
}
