//! The metrics table: counted work and verdicts per sample step, in virtual time.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// What the first line begins with; another version has other columns.
const ABOUT: &str = "# ecac-metrics v1, ";

/// A metrics table: the line that says what it is about, the header, the samples in order, the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// What it is about.
    pub labels: MetricsLabels,
    /// The samples, numbered from 1.
    pub samples: Vec<MetricsRow>,
    /// The last row.
    pub total: MetricsRow,
}

/// What a table is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsLabels {
    /// The commit that the artifacts cite.
    pub commit: String,
    /// The name of the scenario.
    pub scenario: String,
    /// The seed of everything random.
    pub seed: u64,
    /// SHA-256 of `docs/protocol.cddl`.
    pub schema: String,
}

/// One row. The members are the frozen columns in their order; all from `ops` to `ops_evaluated` are running totals
/// since the first op. `applied`, `denied`, `pending` and `rolled_back` fall where verdicts change; the others never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricsRow {
    /// Which row it is.
    pub step: MetricsStep,
    /// Greatest physical time among the ops so far, ms since the Unix epoch.
    pub virtual_ms: u64,
    /// Ops that arrived; `applied`, `denied`, `refused` and `pending` add up to it.
    pub ops: u64,
    /// Ops that count.
    pub applied: u64,
    /// Ops that were admitted and are denied.
    pub denied: u64,
    /// Ops that never entered the DAG.
    pub refused: u64,
    /// Ops that wait for parents.
    pub pending: u64,
    /// Ops that were applied, and are denied.
    pub rolled_back: u64,
    /// Counted work: signatures.
    pub signatures_verified: u64,
    /// Counted work: hashing.
    pub bytes_hashed: u64,
    /// Counted work: questions of happens-before.
    pub ancestor_queries: u64,
    /// Counted work: verdicts.
    pub ops_evaluated: u64,
    /// Registers and set elements that have more than one concurrent winner now.
    pub conflicts: u64,
    /// Admitted ops that are nobody's parent now.
    pub heads: u64,
}

/// Which row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum MetricsStep {
    /// The sample of that number, from 1.
    Sample(u64),
    /// The last row.
    Total,
}

/// Where and how a table breaks its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct MetricsError {
    /// The line, from 1.
    pub line: usize,
    /// The rule.
    pub fault: MetricsFault,
}

/// What is wrong with a line of a metrics table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetricsFault {
    /// The table is not UTF-8.
    #[error("the table is not UTF-8")]
    Encoding,
    /// The first line is not `# ecac-metrics v1, commit=…, scenario=…, seed=…, schema=…`.
    #[error("the first line does not say what the table is about")]
    About,
    /// The second line is not the frozen header.
    #[error("the header is another one")]
    Header,
    /// A row does not have one cell per column.
    #[error("the row does not have one cell per column")]
    Cells,
    /// A cell is no whole number of 64 bits.
    #[error("a cell is not a whole number")]
    Number,
    /// The rows are not numbered 1, 2, 3 and so on, with `total` at the end.
    #[error("the rows are not numbered from 1 to the total")]
    Step,
    /// The verdicts do not add up to the ops.
    #[error("applied, denied, refused and pending do not add up to ops")]
    Sum,
    /// A running total falls.
    #[error("a running total falls")]
    Falls,
}

impl fmt::Display for MetricsStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sample(number) => write!(f, "{number}"),
            Self::Total => f.write_str("total"),
        }
    }
}

impl From<MetricsStep> for String {
    fn from(step: MetricsStep) -> Self {
        step.to_string()
    }
}

impl FromStr for MetricsStep {
    type Err = MetricsFault;

    fn from_str(text: &str) -> Result<Self, MetricsFault> {
        match text {
            "total" => Ok(Self::Total),
            number => number
                .parse()
                .map(Self::Sample)
                .map_err(|_| MetricsFault::Step),
        }
    }
}

impl TryFrom<String> for MetricsStep {
    type Error = MetricsFault;

    fn try_from(text: String) -> Result<Self, MetricsFault> {
        text.parse()
    }
}

impl fmt::Display for MetricsLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            commit,
            scenario,
            seed,
            schema,
        } = self;
        write!(
            f,
            "{ABOUT}commit={commit}, scenario={scenario}, seed={seed}, schema={schema}"
        )
    }
}

impl MetricsLabels {
    fn parse(line: &str) -> Option<Self> {
        let mut rest = line.strip_prefix(ABOUT)?.split(", ");
        let mut label = |name| rest.next()?.strip_prefix(name);
        let labels = Self {
            commit: label("commit=")?.to_owned(),
            scenario: label("scenario=")?.to_owned(),
            seed: label("seed=")?.parse().ok()?,
            schema: label("schema=")?.to_owned(),
        };
        // So there is one way to write it.
        (labels.to_string() == line).then_some(labels)
    }
}

impl MetricsRow {
    /// No op yet.
    #[must_use]
    pub const fn new(step: MetricsStep) -> Self {
        Self {
            step,
            virtual_ms: 0,
            ops: 0,
            applied: 0,
            denied: 0,
            refused: 0,
            pending: 0,
            rolled_back: 0,
            signatures_verified: 0,
            bytes_hashed: 0,
            ancestor_queries: 0,
            ops_evaluated: 0,
            conflicts: 0,
            heads: 0,
        }
    }

    fn adds_up(&self) -> bool {
        let verdicts = [self.applied, self.denied, self.refused, self.pending];
        verdicts
            .iter()
            .try_fold(0_u64, |sum, &verdict| sum.checked_add(verdict))
            == Some(self.ops)
    }

    /// Whether no total falls that cannot: an op can cease to count, and be given back.
    fn follows(&self, earlier: &Self) -> bool {
        let totals = |row: &Self| {
            [
                row.virtual_ms,
                row.ops,
                row.refused,
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

/// The header and the rows, as they stand below the first line.
fn table<'a>(rows: impl IntoIterator<Item = &'a MetricsRow>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    for row in rows {
        writer
            .serialize(row)
            .expect("a row in memory is written to memory");
    }
    writer
        .into_inner()
        .expect("what is written to memory is there")
}

impl Metrics {
    /// The bytes of the table.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\n", self.labels).into_bytes();
        bytes.extend(table(self.samples.iter().chain([&self.total])));
        bytes
    }

    /// Reads a table.
    ///
    /// # Errors
    /// [`MetricsError`] with the first line that breaks a rule.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetricsError> {
        let at = |line, fault| MetricsError { line, fault };
        let text = str::from_utf8(bytes).map_err(|_| at(1, MetricsFault::Encoding))?;
        let (about, rows) = text.split_once('\n').unwrap_or((text, ""));
        let labels = MetricsLabels::parse(about).ok_or(at(1, MetricsFault::About))?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .quoting(false)
            .terminator(csv::Terminator::Any(b'\n'))
            .from_reader(rows.as_bytes());
        let header = header();
        let mut samples: Vec<MetricsRow> = Vec::new();
        let mut total = None;
        let mut last = MetricsRow::new(MetricsStep::Sample(0));
        let mut lines = 1;
        for (line, record) in (2..).zip(reader.records()) {
            lines = line;
            let record = record.map_err(|_| at(line, MetricsFault::Cells))?;
            if line == 2 {
                if record != header {
                    return Err(at(line, MetricsFault::Header));
                }
                continue;
            }
            if record.len() != header.len() {
                return Err(at(line, MetricsFault::Cells));
            }
            let mut cells = record.iter();
            let step = cells.next().unwrap_or_default().parse();
            if !cells.all(is_number) {
                return Err(at(line, MetricsFault::Number));
            }
            let step: MetricsStep = step.map_err(|fault| at(line, fault))?;
            let row: MetricsRow = record
                .deserialize(None)
                .map_err(|_| at(line, MetricsFault::Number))?;
            let fault = if total.is_some() {
                Some(MetricsFault::Step)
            } else if !row.adds_up() {
                Some(MetricsFault::Sum)
            } else if !row.follows(&last) {
                Some(MetricsFault::Falls)
            } else if step == MetricsStep::Total {
                total = Some(row);
                None
            } else if record.get(0) == Some(&*(samples.len() + 1).to_string()) {
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
        let total = total.ok_or(at(lines, MetricsFault::Step))?;
        Ok(Self {
            labels,
            samples,
            total,
        })
    }

    /// A column as points over the ops that had arrived: the samples, then the total.
    #[must_use]
    pub fn over_ops(&self, column: impl Fn(&MetricsRow) -> u64) -> Vec<(u64, u64)> {
        let rows = self.samples.iter().chain([&self.total]);
        let mut points: Vec<_> = rows.map(|row| (row.ops, column(row))).collect();
        points.dedup();
        points
    }
}

/// The names of the columns.
fn header() -> csv::StringRecord {
    let one = table([&MetricsRow::new(MetricsStep::Total)]);
    let mut reader = csv::Reader::from_reader(one.as_slice());
    reader
        .headers()
        .expect("a table in memory is read from memory")
        .clone()
}

/// Whether a cell is a number of 64 bits in the one way to write it.
fn is_number(cell: &str) -> bool {
    cell.parse()
        .is_ok_and(|number: u64| number.to_string() == cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> String {
        let header = "step,virtual_ms,ops,applied,denied,refused,pending,rolled_back,signatures_verified,\
                      bytes_hashed,ancestor_queries,ops_evaluated,conflicts,heads";
        format!("# ecac-metrics v1, commit=c, scenario=s, seed=7, schema=x\n{header}\n{rows}")
    }

    fn fault(text: &str) -> Option<(usize, MetricsFault)> {
        match Metrics::parse(text.as_bytes()) {
            Ok(metrics) => {
                assert_eq!(metrics.to_bytes(), text.as_bytes());
                None
            }
            Err(MetricsError { line, fault }) => Some((line, fault)),
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
            // What was denied is given back.
            (
                table(&[row, "total,9,2,2,0,0,0,0,3,4,5,6,0,1\n"].concat()),
                None,
            ),
            (
                table(&[row, "total,8,2,1,1,0,0,1,3,4,5,6,0,1\n"].concat()),
                Some((4, MetricsFault::Falls)),
            ),
            (
                table("1,09,2,1,1,0,0,1,3,4,5,6,0,1\n"),
                Some((3, MetricsFault::Number)),
            ),
            (
                table(&row.replacen('1', "01", 1)),
                Some((3, MetricsFault::Step)),
            ),
            (
                table(&row.replacen('1', "one", 1)),
                Some((3, MetricsFault::Step)),
            ),
            (table("1,9,2\n"), Some((3, MetricsFault::Cells))),
        ] {
            assert_eq!(fault(&text), want, "{text}");
        }
        assert_eq!(
            Metrics::parse(b"\xff").unwrap_err().to_string(),
            "line 1: the table is not UTF-8"
        );
    }
}
