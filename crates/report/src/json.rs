//! JSON documents and JSON Lines, with the place of a fault.

use serde::Deserialize;

use crate::error::ReportError;

/// The one document of a file.
pub(crate) fn document<'a, T: Deserialize<'a>>(
    file: &str,
    bytes: &'a [u8],
) -> Result<T, ReportError> {
    serde_json::from_slice(bytes).map_err(|error| ReportError::Json {
        file: file.to_owned(),
        line: error.line().max(1),
        problem: error.to_string(),
    })
}

/// One document per line; every line ends with a line feed.
pub(crate) fn lines<'a, T: Deserialize<'a>>(
    file: &str,
    bytes: &'a [u8],
) -> Result<Vec<T>, ReportError> {
    let fault = |line, problem: String| ReportError::Json {
        file: file.to_owned(),
        line,
        problem,
    };
    let mut documents = Vec::new();
    for (line, text) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
        let text = text
            .strip_suffix(b"\n")
            .ok_or_else(|| fault(line, "the final newline is missing".to_owned()))?;
        let document =
            serde_json::from_slice(text).map_err(|error| fault(line, error.to_string()))?;
        documents.push(document);
    }
    Ok(documents)
}
