//! "Did you mean": the known name that is most like one that is not known.

/// How alike two names have to be, from 0 to 1, before one is suggested for the other.
const LIKENESS_MIN: f64 = 0.75;

/// Of the known names the one that is most like `name`, if one is like it; of equally good ones the first.
///
/// ```
/// assert_eq!(ecac_project::suggest("techncian", ["office", "technician"]), Some("technician"));
/// assert_eq!(ecac_project::suggest("nobody", ["office", "technician"]), None);
/// ```
#[must_use]
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let likeness = strsim::jaro_winkler(name, candidate);
        if likeness >= LIKENESS_MIN && best.is_none_or(|(other, _)| likeness > other) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}
