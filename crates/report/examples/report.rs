//! Writes the figures and the report of a directory of artifacts into another directory.
#![expect(
    clippy::disallowed_methods,
    reason = "the example brings the files that the crate does not know"
)]

use std::collections::BTreeMap;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let [from, to] = &args[..] else {
        return Err("usage: report ARTIFACTS OUT".into());
    };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let made = ecac_report::RENDERED.iter().any(|made| made.name() == name);
        if entry.file_type()?.is_file()
            && !made
            && name != "SHA256SUMS"
            && name != "sbom.json"
            && !name.ends_with(".tar.gz")
        {
            files.insert(name, std::fs::read(entry.path())?);
        }
    }
    std::fs::create_dir_all(to)?;
    for (name, bytes) in ecac_report::render(&files)? {
        std::fs::write(std::path::Path::new(to).join(name), bytes)?;
    }
    Ok(())
}
