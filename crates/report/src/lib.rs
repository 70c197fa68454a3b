//! The figures and the one-page report of an artifact set.
//!
//! Pure: the bytes of an artifact set in, the bytes of four files out. One arrow runs through the crate: the files
//! are read and held against each other, then told as figures, tables and a story, then written. Nothing
//! here knows a file, a clock, the environment or a random source, and no float decides a byte, so the same set
//! gives the same report on every machine.
//!
//! The report vouches for nothing by itself. It says what the files say, and how to check them.
#![forbid(unsafe_code)]

mod axis;
mod canvas;
mod drawing;
mod error;
mod evidence;
mod figure;
mod html;
mod ops;
mod plot;
mod spell;
mod state;
mod story;
mod words;

use std::collections::BTreeMap;

pub use error::ReportError;

use ecac_artifact::Single;
use evidence::Evidence;

/// What [`render`] makes.
pub const RENDERED: [Single; 4] = [
    Single::ReplayCost,
    Single::Rollbacks,
    Single::Winners,
    Single::Report,
];

/// The figures and the report of an artifact set, by file name: the [`RENDERED`] ones.
///
/// `files` is the set by file name, without what this function makes. `manifest.json` says which runs to look
/// for; what else is absent is told in the report. Every file that is given is listed with its digest.
///
/// # Errors
/// [`ReportError`] if the manifest is absent, a file breaks its form, or two files contradict each other.
pub fn render(
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<BTreeMap<&'static str, Vec<u8>>, ReportError> {
    let evidence = Evidence::read(files)?;
    let figures = figure::all(&evidence);
    let page = html::page(&evidence, &figures);
    let mut rendered: BTreeMap<_, _> = figures
        .into_iter()
        .map(|figure| (figure.file.name(), figure.png))
        .collect();
    rendered.insert(Single::Report.name(), page.into_bytes());
    Ok(rendered)
}
