//! `ecac import --older`: what was dropped here comes back.

use ecac_core::{Regained, Replica};
use ecac_project::Writer;
use serde_json::json;

use crate::failure::Failure;
use crate::{output, text};

/// What came back.
pub(super) struct Older {
    regained: Regained,
    /// How many ops were here without their values before.
    dropped: usize,
}

/// Gives back what the items have of what was dropped.
pub(super) fn regain(mut writer: Writer, items: &[&[u8]]) -> Result<Older, Failure> {
    let failed = |error| Failure::of("take back what was dropped", &error);
    let dropped = writer.log().pruned_count();
    let regained = writer.regain(items).map_err(failed)?;
    writer.close().map_err(failed)?;
    Ok(Older { regained, dropped })
}

impl Older {
    pub(super) fn print(&self, as_json: bool) -> Result<(), Failure> {
        let Regained {
            ops, bytes, others, ..
        } = self.regained;
        let left = self.dropped - ops;
        if as_json {
            return output::print_json(&json!({
                "format": "ecac-older-v1",
                "dropped": self.dropped,
                "regained": ops,
                "bytes": bytes,
                "left": left,
                "others": others,
            }));
        }
        if self.dropped == 0 {
            return output::print(b"nothing is dropped here: every op has its value\n");
        }
        let told = format!(
            "{ops} of {} that had been dropped came back, {bytes} bytes; {}\n",
            text::count(self.dropped, "op"),
            match left {
                0 => "nothing is dropped any more".to_owned(),
                left => format!("{left} are not in the file: ask somebody who keeps everything"),
            }
        );
        output::print(told.as_bytes())
    }
}

/// A note for who took in a file that has values that were dropped here; empty for any other.
pub(super) fn hint(replica: &Replica, items: &[&[u8]]) -> String {
    if replica.log().pruned_count() == 0 {
        return String::new();
    }
    match replica.dropped_among(items).len() {
        0 => String::new(),
        count => format!(
            "note: what {} wrote, and was dropped here, is in what came: `ecac import --older FILE` takes it back\n",
            text::count(count, "op")
        ),
    }
}
