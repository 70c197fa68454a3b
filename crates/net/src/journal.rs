//! What the operator reads: one JSON object a line, on standard error.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

/// Writes a line: when, what, and the rest.
pub(crate) fn note(event: &str, rest: &[(&str, Value)]) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let at_ms = since.map_or(0, |it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX));
    let mut line = Map::new();
    line.insert("at_ms".to_owned(), at_ms.into());
    line.insert("event".to_owned(), event.into());
    for (name, value) in rest {
        line.insert((*name).to_owned(), value.clone());
    }
    // Where nobody reads there is nobody to tell.
    drop(writeln!(std::io::stderr(), "{}", Value::Object(line)));
}
