//! Whole numbers of the measurements as numbers of JSON.

use serde::Serializer;

/// Thousandths of a unit as a JSON number.
#[expect(
    clippy::cast_precision_loss,
    reason = "2^53 thousandths of a microsecond are 285 years"
)]
fn thousandths(milli: u64) -> f64 {
    milli as f64 / 1_000.0
}

/// Picoseconds as microseconds with three decimals.
pub(crate) fn as_us<S: Serializer>(ps: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(thousandths(ps.saturating_add(500) / 1_000))
}

/// The same, or null.
pub(crate) fn as_us_option<S: Serializer>(
    ps: &Option<u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match ps {
        Some(ps) => as_us(ps, serializer),
        None => serializer.serialize_none(),
    }
}

/// Thousandths as a number, or null.
pub(crate) fn as_milli<S: Serializer>(
    milli: &Option<u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match milli {
        Some(milli) => serializer.serialize_f64(thousandths(*milli)),
        None => serializer.serialize_none(),
    }
}
