//! The state export of a run, as far as concurrent winners go.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::ReportError;

const FORMAT: &str = "ecac-state-v1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    format: String,
    objects: BTreeMap<String, Object>,
    #[serde(rename = "project")]
    _project: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    fields: BTreeMap<String, Place>,
    sets: BTreeMap<String, BTreeMap<String, Place>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    #[serde(rename = "tags")]
    _tags: Option<IgnoredAny>,
    #[serde(rename = "value")]
    _value: IgnoredAny,
    winners: Vec<IgnoredAny>,
}

/// How many registers and set elements have how many concurrent winners.
pub(crate) fn winners(file: &str, bytes: &[u8]) -> Result<BTreeMap<u64, u64>, ReportError> {
    let state: State = serde_json::from_slice(bytes).map_err(|error| ReportError::Json {
        file: file.to_owned(),
        line: error.line().max(1),
        problem: error.to_string(),
    })?;
    if state.format != FORMAT {
        return Err(ReportError::Format {
            file: file.to_owned(),
            found: state.format,
        });
    }
    let mut places = BTreeMap::new();
    for object in state.objects.values() {
        let elements = object.sets.values().flat_map(BTreeMap::values);
        for place in object.fields.values().chain(elements) {
            *places.entry(place.winners.len() as u64).or_default() += 1;
        }
    }
    Ok(places)
}
