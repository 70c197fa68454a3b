//! The metrics table of a run.

use crate::error::{MetricsFault, ReportError};

/// The frozen columns of `ecac-metrics v1`.
const HEADER: [&str; 14] = [
    "step",
    "virtual_ms",
    "ops",
    "applied",
    "denied",
    "refused",
    "pending",
    "rolled_back",
    "signatures_verified",
    "bytes_hashed",
    "ancestor_queries",
    "ops_evaluated",
    "conflicts",
    "heads",
];
const ABOUT: &str = "# ecac-metrics v1, ";

/// A metrics table: the samples in order, then the total.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    pub(crate) commit: String,
    pub(crate) scenario: String,
    pub(crate) seed: String,
    pub(crate) schema: String,
    pub(crate) samples: Vec<Row>,
    pub(crate) total: Row,
}

/// One row, without its number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) virtual_ms: u64,
    pub(crate) ops: u64,
    pub(crate) applied: u64,
    pub(crate) denied: u64,
    pub(crate) refused: u64,
    pub(crate) pending: u64,
    pub(crate) rolled_back: u64,
    pub(crate) signatures_verified: u64,
    pub(crate) bytes_hashed: u64,
    pub(crate) ancestor_queries: u64,
    pub(crate) ops_evaluated: u64,
    pub(crate) conflicts: u64,
    pub(crate) heads: u64,
}

impl Row {
    fn new(cells: [u64; 13]) -> Self {
        let [
            virtual_ms,
            ops,
            applied,
            denied,
            refused,
            pending,
            rolled_back,
            signatures_verified,
            bytes_hashed,
            ancestor_queries,
            ops_evaluated,
            conflicts,
            heads,
        ] = cells;
        Self {
            virtual_ms,
            ops,
            applied,
            denied,
            refused,
            pending,
            rolled_back,
            signatures_verified,
            bytes_hashed,
            ancestor_queries,
            ops_evaluated,
            conflicts,
            heads,
        }
    }

    fn adds_up(&self) -> bool {
        let verdicts = [self.applied, self.denied, self.refused, self.pending];
        verdicts
            .iter()
            .try_fold(0_u64, |sum, &verdict| sum.checked_add(verdict))
            == Some(self.ops)
    }

    fn follows(&self, earlier: &Self) -> bool {
        let totals = |row: &Self| {
            [
                row.virtual_ms,
                row.ops,
                row.denied,
                row.refused,
                row.rolled_back,
                row.signatures_verified,
                row.bytes_hashed,
                row.ancestor_queries,
                row.ops_evaluated,
            ]
        };
        totals(earlier)
            .iter()
            .zip(totals(self))
            .all(|(&earlier, later)| earlier <= later)
    }
}

impl Metrics {
    pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Self, ReportError> {
        let at = |line, fault| ReportError::Metrics {
            file: file.to_owned(),
            line,
            fault,
        };
        let text = str::from_utf8(bytes).map_err(|_| at(1, MetricsFault::Encoding))?;
        let (about, table) = text.split_once('\n').unwrap_or((text, ""));
        let [commit, scenario, seed, schema] =
            labels(about).ok_or_else(|| at(1, MetricsFault::About))?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .quoting(false)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(table.as_bytes());
        let mut samples: Vec<Row> = Vec::new();
        let mut total = None;
        let mut last = Row::default();
        let mut lines = 1;
        for (line, record) in (2..).zip(reader.records()) {
            lines = line;
            let record = record.map_err(|_| at(line, MetricsFault::Cells))?;
            if line == 2 {
                if record.iter().ne(HEADER) {
                    return Err(at(line, MetricsFault::Header));
                }
                continue;
            }
            let mut cells = record.iter();
            let step = cells.next().unwrap_or_default();
            let numbers = cells
                .map(number)
                .collect::<Option<Vec<u64>>>()
                .ok_or_else(|| at(line, MetricsFault::Number))?;
            let numbers = <[u64; 13]>::try_from(numbers);
            let row = Row::new(numbers.map_err(|_| at(line, MetricsFault::Cells))?);
            let fault = if total.is_some() {
                Some(MetricsFault::Step)
            } else if !row.adds_up() {
                Some(MetricsFault::Sum)
            } else if !row.follows(&last) {
                Some(MetricsFault::Falls)
            } else if step == "total" {
                total = Some(row);
                None
            } else if step == (samples.len() + 1).to_string() {
                samples.push(row);
                None
            } else {
                Some(MetricsFault::Step)
            };
            if let Some(fault) = fault {
                return Err(at(line, fault));
            }
            last = row;
        }
        let total = total.ok_or_else(|| at(lines, MetricsFault::Step))?;
        Ok(Self {
            commit,
            scenario,
            seed,
            schema,
            samples,
            total,
        })
    }

    /// A column as points over the ops that had arrived: the samples, then the total.
    pub(crate) fn over_ops(&self, column: impl Fn(&Row) -> u64) -> Vec<(u64, u64)> {
        let rows = self.samples.iter().chain([&self.total]);
        let mut points: Vec<_> = rows.map(|row| (row.ops, column(row))).collect();
        points.dedup();
        points
    }
}

fn labels(about: &str) -> Option<[String; 4]> {
    let mut rest = about.strip_prefix(ABOUT)?.split(", ");
    let labels = ["commit=", "scenario=", "seed=", "schema="]
        .map(|label| Some(rest.next()?.strip_prefix(label)?.to_owned()));
    let [Some(commit), Some(scenario), Some(seed), Some(schema)] = labels else {
        return None;
    };
    rest.next()
        .is_none()
        .then_some([commit, scenario, seed, schema])
}

/// A number in the one way to write it.
fn number(cell: &str) -> Option<u64> {
    let number: u64 = cell.parse().ok()?;
    (number.to_string() == cell).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> String {
        let header = HEADER.join(",");
        format!("# ecac-metrics v1, commit=c, scenario=s, seed=7, schema=x\n{header}\n{rows}")
    }

    fn fault(text: &str) -> Option<(usize, MetricsFault)> {
        match Metrics::parse("t.csv", text.as_bytes()) {
            Ok(_) => None,
            Err(ReportError::Metrics { line, fault, .. }) => Some((line, fault)),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn every_rule_of_the_form_is_kept() {
        let row = "1,9,2,1,1,0,0,1,3,4,5,6,0,1\n";
        let total = "total,9,2,1,1,0,0,1,3,4,5,6,0,1\n";
        for (text, want) in [
            (table(&[row, total].concat()), None),
            (table(total), None),
            ("nothing".to_owned(), Some((1, MetricsFault::About))),
            (
                table(total).replace("seed=7", "seed=7, extra=1"),
                Some((1, MetricsFault::About)),
            ),
            (
                table(total).replace("heads", "tails"),
                Some((2, MetricsFault::Header)),
            ),
            (table(row), Some((3, MetricsFault::Step))),
            (
                table(&[total, total].concat()),
                Some((4, MetricsFault::Step)),
            ),
            (
                table(&[row, row, total].concat()),
                Some((4, MetricsFault::Step)),
            ),
            (
                table("1,9,2,1,0,0,0,1,3,4,5,6,0,1\n"),
                Some((3, MetricsFault::Sum)),
            ),
            (
                table(&[row, "total,8,2,1,1,0,0,1,3,4,5,6,0,1\n"].concat()),
                Some((4, MetricsFault::Falls)),
            ),
            (table("1,09,2\n"), Some((3, MetricsFault::Number))),
            (table("1,9,2\n"), Some((3, MetricsFault::Cells))),
        ] {
            assert_eq!(fault(&text), want, "{text}");
        }
        assert_eq!(
            Metrics::parse("t.csv", b"\xff").unwrap_err().to_string(),
            "t.csv, line 1: the table is not UTF-8"
        );
    }
}
