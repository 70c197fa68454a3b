//! What the command says: a table for people, JSON for machines.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::case::{Case, Limit};
use crate::machine::Machine;
use crate::measure::{Measured, Point};
use crate::unit;

/// The answer of `cargo xtask bench`.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// The cases that were asked for, in the order of [`crate::case::CASES`].
    pub cases: Vec<Row>,
    /// Where they were measured.
    pub machine: Machine,
    /// The seed of the workloads.
    pub seed: u64,
}

/// What a case came to, beside its bar.
#[derive(Debug, Serialize)]
pub struct Row {
    name: &'static str,
    /// Ops of the history.
    ops: u64,
    /// Microseconds for one [`Row::unit`].
    #[serde(serialize_with = "unit::as_us_option")]
    us_per_op: Option<u64>,
    #[serde(serialize_with = "unit::as_us_option")]
    floor_us_per_op: Option<u64>,
    /// The cost over the floor, or the bytes over those of the full store.
    #[serde(serialize_with = "unit::as_milli")]
    ratio: Option<u64>,
    bytes_per_op: Option<u64>,
    /// Round trips of a session.
    round_trips: Option<u64>,
    /// What the cost is that of.
    unit: &'static str,
    /// The cost at the end over that at 10^4 ops, or for one more op the dearest over the cheapest.
    #[serde(serialize_with = "unit::as_milli")]
    growth: Option<u64>,
    /// Decisions that were made.
    evaluated: Option<u64>,
    /// Decisions that turned.
    changed: Option<u64>,
    curve: Vec<Point>,
    status: Status,
    bar: String,
    /// Whether the bar is cleared; null where that cannot be said.
    met: Option<bool>,
}

/// How a measurement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// At its end.
    Measured,
    /// When its time was over, at as many ops as it says.
    Stopped,
    /// It did not begin: the engine has no such answer.
    Absent,
}

impl Row {
    /// What was measured of the case.
    #[must_use]
    pub fn new(case: &Case, measured: Measured) -> Self {
        let flat = case.bar.iter().any(|it| matches!(it, Limit::Flat(_)));
        Self {
            name: case.name,
            ops: measured.ops,
            us_per_op: measured.ps,
            floor_us_per_op: measured.floor_ps,
            ratio: measured.ratio_milli(),
            bytes_per_op: measured.bytes,
            round_trips: measured.round_trips,
            unit: case.unit,
            growth: if flat {
                measured.spread_milli()
            } else {
                measured.growth_milli()
            },
            evaluated: measured.evaluated,
            changed: measured.changed,
            status: if measured.stopped {
                Status::Stopped
            } else if measured.ps.is_none() && measured.bytes.is_none() {
                Status::Absent
            } else {
                Status::Measured
            },
            bar: case.bar.iter().map(limit).collect::<Vec<_>>().join(", "),
            met: case.met(&measured),
            curve: measured.curve,
        }
    }

    /// The name of the case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The cost at several lengths of the history.
    #[must_use]
    pub fn curve(&self) -> &[Point] {
        &self.curve
    }

    fn cells(&self) -> [String; 10] {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let verdict = match (self.status, self.met) {
            (Status::Absent, _) => "absent",
            (Status::Stopped, Some(false)) => "NO, stopped",
            (Status::Stopped, _) => "stopped",
            (Status::Measured, Some(true)) => "yes",
            (Status::Measured, Some(false)) => "NO",
            (Status::Measured, None) => "-",
        };
        [
            self.name.to_owned(),
            self.ops.to_string(),
            or_dash(self.us_per_op.map(time)),
            or_dash(self.floor_us_per_op.map(time)),
            or_dash(self.ratio.map(factor)),
            or_dash(self.growth.map(factor)),
            or_dash(self.bytes_per_op.map(|it| it.to_string())),
            or_dash(self.round_trips.map(|it| it.to_string())),
            self.bar.clone(),
            verdict.to_owned(),
        ]
    }
}

impl Answer {
    /// The text form.
    #[must_use]
    pub fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([
            "case", "ops", "cost", "floor", "ratio", "growth", "B/op", "trips", "bar", "met",
        ]);
        for row in &self.cases {
            table.add_row(row.cells());
        }
        for column in 1..8 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let count = |met| self.cases.iter().filter(|it| it.met == met).count();
        format!(
            "{table}\n\n{} cases: {} bars met, {} not met, {} not judged (another scale than the bar's, or no answer)\n{}, seed {}\n",
            self.cases.len(),
            count(Some(true)),
            count(Some(false)),
            count(None),
            self.machine.text(),
            self.seed,
        )
    }
}

/// A limit in words.
fn limit(limit: &Limit) -> String {
    match *limit {
        Limit::Cost(ps) => time(ps),
        Limit::Beyond(ps) => format!("{} beyond the floor", time(ps)),
        Limit::Ratio(milli) => format!("{} of the floor", factor(milli)),
        Limit::Growth(milli) => format!("growth {}", factor(milli)),
        Limit::Flat(milli) => format!("flat within {}", factor(milli)),
        Limit::PerChange(milli) => format!("{} decisions a change", factor(milli)),
        Limit::Bytes(bytes) => format!("{bytes} B"),
        Limit::Envelopes(milli, more) => format!("{} of the envelope + {more} B", factor(milli)),
        Limit::RoundTrips(most) => format!("{most} round trips"),
        Limit::Share(milli) => format!("{} of the full one", factor(milli)),
    }
}

/// Microseconds, or milliseconds where they are many, with two decimals.
fn time(ps: u64) -> String {
    let (unit, name) = if ps < 1_000_000_000 {
        (1_000_000, "us")
    } else {
        (1_000_000_000, "ms")
    };
    let hundredths = ps.saturating_add(unit / 200) / (unit / 100);
    format!("{}.{:02} {name}", hundredths / 100, hundredths % 100)
}

/// A factor with two decimals.
fn factor(milli: u64) -> String {
    let hundredths = milli.saturating_add(5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_have_their_unit() {
        let check = |ps, text: &str| assert_eq!(time(ps), text);
        check(0, "0.00 us");
        check(4_999, "0.00 us");
        check(5_000, "0.01 us");
        check(3_300_000, "3.30 us");
        check(999_994_999, "999.99 us");
        check(1_265_000_000_000, "1265.00 ms");
        assert_eq!(factor(1_428), "1.43");
        assert_eq!(factor(580), "0.58");
    }

    #[test]
    fn json_has_null_for_what_is_absent() {
        let case = Case::named("reopen").expect("a case");
        let row = serde_json::to_value(Row::new(case, Measured::default())).expect("JSON");
        for member in [
            "us_per_op",
            "floor_us_per_op",
            "ratio",
            "bytes_per_op",
            "met",
        ] {
            assert!(row[member].is_null(), "{member} in {row}");
        }
        assert_eq!(
            (&row["name"], &row["status"]),
            (&"reopen".into(), &"absent".into())
        );
    }
}
