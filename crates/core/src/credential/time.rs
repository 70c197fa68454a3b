//! Date-times of credentials.

use core::fmt;
use core::str::FromStr;

use ::time::{Date, Month, OffsetDateTime, Time};
use thiserror::Error;

/// Nanoseconds of one millisecond.
const NS_PER_MS: i128 = 1_000_000;
/// Nanoseconds of one second.
const NS_PER_SECOND: i128 = 1_000_000_000;
/// Seconds of one day; there are no leap seconds.
const SECONDS_PER_DAY: i64 = 86_400;
/// Julian day of 1970-01-01.
const EPOCH_JULIAN_DAY: i64 = 2_440_588;
/// 0001-01-01T00:00:00Z.
const NS_MIN: i128 = -62_135_596_800 * NS_PER_SECOND;
/// 9999-12-31T23:59:59.999999999Z.
const NS_MAX: i128 = 253_402_300_800 * NS_PER_SECOND - 1;
/// Digits of a fraction of a second: a nanosecond.
const FRACTION_DIGITS_MAX: usize = 9;

/// An instant of the years 1 to 9999 in UTC, to the nanosecond.
///
/// Parsed from an XML Schema `dateTimeStamp` as the VC Data Model 2.0 (section 4.9) has it:
/// `YYYY-MM-DDThh:mm:ss`, up to nine digits of a fraction, and `Z` or an offset of at most 14 hours. Displayed
/// in UTC with the shortest fraction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i128);

/// A text that is not a date-time stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a date-time is like 2026-01-31T08:00:00Z, with an offset and at most nine digits of a fraction"
)]
pub struct TimestampError;

impl Timestamp {
    /// The latest instant.
    pub const MAX: Self = Self(NS_MAX);

    /// The instant `physical_ms` milliseconds after 1970-01-01T00:00:00Z, at most [`Timestamp::MAX`].
    #[must_use]
    pub const fn from_ms(physical_ms: u64) -> Self {
        let ns = physical_ms as i128 * NS_PER_MS;
        if ns > NS_MAX { Self::MAX } else { Self(ns) }
    }

    /// The instant `seconds` after 1970-01-01T00:00:00Z, if it lies in the years 1 to 9999.
    pub(super) fn from_seconds(seconds: i128) -> Option<Self> {
        Self::in_range(seconds.checked_mul(NS_PER_SECOND)?)
    }

    fn in_range(ns: i128) -> Option<Self> {
        (NS_MIN..=NS_MAX).contains(&ns).then_some(Self(ns))
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn nanoseconds(self) -> i128 {
        self.0
    }

    /// The first milliseconds of a clock that [has come](Self::reached_by_ms) to this instant, or the last that there are.
    pub(crate) fn first_ms(self) -> u64 {
        let ms = self.0.div_euclid(NS_PER_MS) + i128::from(self.0.rem_euclid(NS_PER_MS) > 0);
        u64::try_from(ms.max(0)).unwrap_or(u64::MAX)
    }

    /// Whether a clock that shows `physical_ms` has come to this instant: exact, nothing is rounded.
    #[must_use]
    pub const fn reached_by_ms(self, physical_ms: u64) -> bool {
        self.0 <= physical_ms as i128 * NS_PER_MS
    }
}

/// Takes `width` decimal digits from the front of `text`.
fn digits(text: &mut &[u8], width: usize) -> Option<u32> {
    let (front, rest) = text.split_at_checked(width)?;
    *text = rest;
    front.iter().try_fold(0_u32, |value, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Takes one byte from the front of `text`.
fn byte(text: &mut &[u8]) -> Option<u8> {
    let (front, rest) = text.split_first()?;
    *text = rest;
    Some(*front)
}

/// Takes `expected` from the front of `text`.
fn literal(text: &mut &[u8], expected: u8) -> Option<()> {
    (byte(text)? == expected).then_some(())
}

/// Takes a fraction of a second, if there is one: nanoseconds.
fn fraction(text: &mut &[u8]) -> Option<u32> {
    if text.first() != Some(&b'.') {
        return Some(0);
    }
    literal(text, b'.')?;
    let width = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if width == 0 || width > FRACTION_DIGITS_MAX {
        return None;
    }
    let scale = 10_u32.checked_pow(u32::try_from(FRACTION_DIGITS_MAX - width).ok()?)?;
    digits(text, width)?.checked_mul(scale)
}

/// Takes `Z` or an offset: seconds east of UTC.
fn offset(text: &mut &[u8]) -> Option<i64> {
    let sign = match byte(text)? {
        b'Z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(text, 2)?;
    literal(text, b':')?;
    let minutes = digits(text, 2)?;
    if minutes > 59 || hours > 14 || (hours == 14 && minutes > 0) {
        return None;
    }
    Some(sign * i64::from(hours * 60 + minutes) * 60)
}

/// The instant that the whole of `text` denotes.
fn date_time(mut text: &[u8]) -> Option<Timestamp> {
    let text = &mut text;
    let year = i32::try_from(digits(text, 4)?).ok()?;
    literal(text, b'-')?;
    let month = Month::try_from(u8::try_from(digits(text, 2)?).ok()?).ok()?;
    literal(text, b'-')?;
    let day = u8::try_from(digits(text, 2)?).ok()?;
    let date = Date::from_calendar_date(year, month, day).ok()?;
    literal(text, b'T')?;
    let hour = u8::try_from(digits(text, 2)?).ok()?;
    literal(text, b':')?;
    let minute = u8::try_from(digits(text, 2)?).ok()?;
    literal(text, b':')?;
    let second = u8::try_from(digits(text, 2)?).ok()?;
    let time = Time::from_hms_nano(hour, minute, second, fraction(text)?).ok()?;
    let offset = offset(text)?;
    if year == 0 || !text.is_empty() {
        return None;
    }
    let days = i64::from(date.to_julian_day()) - EPOCH_JULIAN_DAY;
    let (hour, minute, second, nanosecond) = time.as_hms_nano();
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    let seconds = days * SECONDS_PER_DAY + seconds - offset;
    Timestamp::in_range(i128::from(seconds) * NS_PER_SECOND + i128::from(nanosecond))
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        date_time(text.as_bytes()).ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let utc = OffsetDateTime::from_unix_timestamp_nanos(self.0).map_err(|_| fmt::Error)?;
        let (year, month, day) = utc.to_calendar_date();
        let (hour, minute, second, nanosecond) = utc.to_hms_nano();
        let month = u8::from(month);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
        )?;
        if nanosecond > 0 {
            let fraction = format!("{nanosecond:09}");
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expect: Option<i128>) {
        let parsed = text.parse::<Timestamp>().ok();
        assert_eq!(parsed.map(Timestamp::nanoseconds), expect, "{text}");
    }

    #[test]
    fn instants_are_those_of_the_calendar() {
        check("1970-01-01T00:00:00Z", Some(0));
        // GNU date: `date -ud 2026-01-31T08:00:00Z +%s`.
        check("2026-01-31T08:00:00Z", Some(1_769_846_400 * NS_PER_SECOND));
        check("2024-02-29T23:59:59Z", Some(1_709_251_199 * NS_PER_SECOND));
        // RFC 3339 section 5.8.
        check(
            "1985-04-12T23:20:50.52Z",
            Some(482_196_050 * NS_PER_SECOND + 520_000_000),
        );
        check(
            "1996-12-19T16:39:57-08:00",
            Some(851_042_397 * NS_PER_SECOND),
        );
        check(
            "1937-01-01T12:00:27.87+00:20",
            Some(-1_041_337_172 * NS_PER_SECOND - 130_000_000),
        );
        check("1970-01-01T00:00:00.000000001Z", Some(1));
        check("1970-01-01T14:00:00+14:00", Some(0));
        check("1970-01-01T00:00:00-00:00", Some(0));
        check("0001-01-01T00:00:00Z", Some(NS_MIN));
        check("9999-12-31T23:59:59.999999999Z", Some(NS_MAX));
    }

    #[test]
    fn other_shapes_and_dates_are_refused() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T08:00:00",
            "2026-01-31T08:00Z",
            "2026-01-31t08:00:00Z",
            "2026-01-31T08:00:00z",
            "2026-01-31 08:00:00Z",
            "2026-01-31T08:00:00Z ",
            " 2026-01-31T08:00:00Z",
            "2026-1-31T08:00:00Z",
            "+2026-01-31T08:00:00Z",
            "-2026-01-31T08:00:00Z",
            "12026-01-31T08:00:00Z",
            "2026-01-31T08:00:00.Z",
            "2026-01-31T08:00:00.1234567890Z",
            "2026-01-31T08:00:00,5Z",
            "2026-01-31T08:00:00+0100",
            "2026-01-31T08:00:00+01",
            "2026-01-31T08:00:00+14:01",
            "2026-01-31T08:00:00+15:00",
            "2026-01-31T08:00:00+01:60",
            "2026-01-31T24:00:00Z",
            "2026-01-31T08:60:00Z",
            "2026-06-30T23:59:60Z",
            "2026-02-29T08:00:00Z",
            "1900-02-29T08:00:00Z",
            "2026-04-31T08:00:00Z",
            "2026-00-01T08:00:00Z",
            "2026-13-01T08:00:00Z",
            "2026-01-00T08:00:00Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "２026-01-31T08:00:00Z",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn an_instant_is_reached_exactly() {
        let at: Timestamp = "1970-01-01T00:00:01.000000001Z".parse().unwrap();
        assert!(!at.reached_by_ms(1000) && at.reached_by_ms(1001));
        let at: Timestamp = "1970-01-01T00:00:01Z".parse().unwrap();
        assert!(!at.reached_by_ms(999) && at.reached_by_ms(1000));
        assert!(Timestamp::MAX.reached_by_ms(u64::MAX));
        assert_eq!(Timestamp::from_ms(u64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_ms(1000), at);
    }

    proptest! {
        #[test]
        fn display_parses_to_the_same_instant(ns in NS_MIN..=NS_MAX) {
            let at = Timestamp(ns);
            prop_assert_eq!(at.to_string().parse::<Timestamp>(), Ok(at));
        }

        #[test]
        fn no_text_panics(text in "[0-9TZ:+.-]{0,32}|\\PC{0,40}") {
            let _ = text.parse::<Timestamp>();
        }
    }
}
