//! What is told where this program knows less than the project uses.

use ecac_core::Behind;

use crate::text;

/// That this program is behind the project, and what follows.
pub(crate) fn warning_of(behind: &Behind) -> String {
    let features: Vec<String> = behind
        .features
        .iter()
        .map(|name| text::name(name))
        .collect();
    let uses = match features.len() {
        0 => String::new(),
        _ => format!(
            " the project uses {}, which this program does not know;",
            features.join(", ")
        ),
    };
    format!(
        "warning:{uses} {} cannot be judged; what is said here is without them: upgrade this program\n",
        text::count(behind.unsupported, "op")
    )
}
