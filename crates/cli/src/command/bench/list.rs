//! `ecac bench list`: the scenarios.

use comfy_table::{Table, presets};
use ecac_bench::Scenario;

use crate::failure::Failure;
use crate::output;

pub(crate) fn run() -> Result<(), Failure> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["scenario", "fewest ops", "what it shows"]);
    for scenario in Scenario::ALL {
        table.add_row([
            scenario.name().to_owned(),
            scenario.ops_min().to_string(),
            scenario.about().to_owned(),
        ]);
    }
    output::print(format!("{}\n", table.trim_fmt()).as_bytes())
}
