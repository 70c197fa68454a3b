//! The metrics table: counted work and verdicts per sample step, in virtual time.

use ecac_core::Costs;

/// The frozen header of the metrics table; a change is a new `ecac-metrics` version.
///
/// Every column but `step`, `virtual_ms` and the last two is a running total since the first op:
/// - `step`: number of the sample, `total` for the last row;
/// - `virtual_ms`: greatest physical time among the ops so far, ms since the Unix epoch;
/// - `ops`: ops that arrived; `applied`, `denied`, `refused` and `pending` add up to it;
/// - `rolled_back`: ops that were applied and later denied;
/// - `signatures_verified`, `bytes_hashed`, `ancestor_queries`, `ops_evaluated`: counted work ([`Costs`]);
/// - `conflicts`: registers and set elements that have more than one concurrent winner now;
/// - `heads`: admitted ops that are nobody's parent now.
pub const CSV_HEADER: &str = "step,virtual_ms,ops,applied,denied,refused,pending,rolled_back,signatures_verified,\
bytes_hashed,ancestor_queries,ops_evaluated,conflicts,heads";

/// One row of the metrics table, but for its first column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) virtual_ms: u64,
    pub(crate) ops: u64,
    pub(crate) applied: u64,
    pub(crate) denied: u64,
    pub(crate) refused: u64,
    pub(crate) pending: u64,
    pub(crate) rolled_back: u64,
    pub(crate) costs: Costs,
    pub(crate) conflicts: u64,
    pub(crate) heads: u64,
}

impl Row {
    fn record(&self, step: &str) -> Vec<String> {
        let costs = &self.costs;
        let numbers = [
            self.virtual_ms,
            self.ops,
            self.applied,
            self.denied,
            self.refused,
            self.pending,
            self.rolled_back,
            costs.signatures_verified,
            costs.bytes_hashed,
            costs.ancestor_queries,
            costs.ops_evaluated,
            self.conflicts,
            self.heads,
        ];
        core::iter::once(step.to_owned())
            .chain(numbers.iter().map(u64::to_string))
            .collect()
    }
}

/// The metrics table: the line that says what it is about, the header, the samples, the total.
pub(crate) fn table(about: &str, samples: &[Row], total: &Row) -> Vec<u8> {
    let mut table = format!("# ecac-metrics v1, {about}\n").into_bytes();
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(&mut table);
    let numbered = (1..).map(|step: u32| step.to_string()).zip(samples);
    let rows = numbered.map(|(step, row)| row.record(&step));
    let header = CSV_HEADER.split(',').map(str::to_owned).collect();
    for record in core::iter::once(header)
        .chain(rows)
        .chain([total.record("total")])
    {
        writer
            .write_record(&record)
            .expect("a record in memory is written to memory");
    }
    drop(writer);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_frozen() {
        let row = Row {
            virtual_ms: 9,
            ops: 2,
            ..Row::default()
        };
        let table = String::from_utf8(table("commit=c", &[row], &row)).unwrap();
        assert_eq!(
            table,
            "# ecac-metrics v1, commit=c\n\
             step,virtual_ms,ops,applied,denied,refused,pending,rolled_back,signatures_verified,bytes_hashed,\
             ancestor_queries,ops_evaluated,conflicts,heads\n\
             1,9,2,0,0,0,0,0,0,0,0,0,0,0\n\
             total,9,2,0,0,0,0,0,0,0,0,0,0,0\n"
        );
    }
}
