//! Times as people type them.

use std::str::FromStr;

use ecac_core::credential::Timestamp;

/// Milliseconds of a minute.
const MINUTE_MS: u64 = 60_000;
/// Midnight, for a date alone.
const MIDNIGHT: &str = "T00:00:00Z";

/// A time: an instant, or so long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// That instant.
    At(Timestamp),
    /// So many milliseconds before the command runs.
    AgoMs(u64),
}

impl When {
    /// The first millisecond since 1970 that is not before it, for a clock that shows `now_ms`.
    pub(crate) fn since_ms(self, now_ms: u64) -> u64 {
        match self {
            Self::AgoMs(ago_ms) => now_ms.saturating_sub(ago_ms),
            Self::At(instant) => {
                let ms = instant.nanoseconds().max(0).div_euclid(1_000_000);
                let ms = u64::try_from(ms).unwrap_or(u64::MAX);
                if instant.reached_by_ms(ms) {
                    ms
                } else {
                    ms.saturating_add(1)
                }
            }
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unit_ms = match text.chars().last() {
            Some('m') => MINUTE_MS,
            Some('h') => 60 * MINUTE_MS,
            Some('d') => 24 * 60 * MINUTE_MS,
            Some(_) | None => {
                let date = text
                    .parse()
                    .or_else(|_| format!("{text}{MIDNIGHT}").parse());
                return date.map(Self::At).map_err(|_| wanted());
            }
        };
        let number = text[..text.len() - 1].parse::<u64>().ok();
        let ago_ms = number.and_then(|it| it.checked_mul(unit_ms));
        ago_ms.map(Self::AgoMs).ok_or_else(wanted)
    }
}

fn wanted() -> String {
    "a time is a date such as 2026-01-31, a time such as 2026-01-31T08:00:00Z, or so long ago, such as 7d, 12h or 30m".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_instants_and_so_long_ago() {
        let since = |text: &str| text.parse::<When>().map(|it| it.since_ms(1_000_000_000));
        assert_eq!(since("1970-01-02"), Ok(86_400_000));
        assert_eq!(since("1970-01-01T00:00:01.5Z"), Ok(1500));
        assert_eq!(since("1970-01-01T00:00:00.0001Z"), Ok(1));
        assert_eq!(since("1969-12-31"), Ok(0));
        assert_eq!(since("30m"), Ok(1_000_000_000 - 1_800_000));
        assert_eq!(since("12h"), Ok(1_000_000_000 - 43_200_000));
        assert_eq!(since("20d"), Ok(0));
        for bad in [
            "",
            "d",
            "-1d",
            "1.5h",
            "yesterday",
            "2026-13-01",
            "99999999999999999999d",
            "7ä",
        ] {
            assert!(since(bad).is_err(), "{bad}");
        }
    }
}
