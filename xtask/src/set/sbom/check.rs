//! Whether a document is one that this program can have written of a source.
//!
//! Judged is everything that the document and the source say of each other: form and spelling byte for byte, the serial
//! number, whom and what it names, the digests against `Cargo.lock` where that is at hand, and relations that close.
//! What only cargo knows is not: whether these are all the crates, which of them run in the compiler only, their authors
//! and their licences. `cargo xtask sbom` in a tree of the source says that.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use ecac_artifact::{Single, escape};
use packageurl::PackageUrl;

use super::SHIPPED_TARGET;
use super::cyclonedx::{Bom, Component, Dependency, LicenseChoice, Property};
use super::document::{self, EXCLUDED, PACKAGE, REQUIRED};
use crate::set::citation::Citation;
use crate::source::lockfile::{CRATES_IO, Checksums};

/// The largest document that is read, in bytes; that of the cited set has an eighth of it.
const BYTES_MAX: usize = 1 << 20;

/// How much of what the reader of JSON says is told.
const TOLD_CHARS_MAX: usize = 300;

/// Judges the document of an artifact set that cites `citation`, whose lockfile is `lockfile` where that is known.
/// Says what was found, and what was not judged.
pub fn check(bytes: &[u8], citation: &Citation, lockfile: Option<&str>) -> Result<String> {
    let name = Single::Sbom.name();
    ensure!(
        bytes.len() <= BYTES_MAX,
        "{name} has more than {BYTES_MAX} bytes"
    );
    let malformed = |error: serde_json::Error| {
        // The reader repeats names from the document.
        let told: String = error.to_string().chars().take(TOLD_CHARS_MAX).collect();
        anyhow!(
            "{name} is no bill of materials of this project: {}",
            escape(&told)
        )
    };
    let bom: Bom = serde_json::from_slice(bytes).map_err(malformed)?;
    let written = document::write(&bom)?;
    if written != bytes {
        bail!("{}", ecac_differ::explain(name, &written, bytes));
    }
    let judge = Judge {
        bom: &bom,
        citation,
        repository: repository(&bom)?,
        sums: lockfile.map(Checksums::parse).transpose()?,
    };
    judge.heading()?;
    let (own, foreign) = judge.components()?;
    judge.relations()?;
    let digests = match judge.sums {
        Some(_) => "digests as in Cargo.lock",
        None => "digests not compared: this tree has another Cargo.lock",
    };
    Ok(format!(
        "{own} crates of {} and {foreign} of crates.io, {digests}\n\
         not judged: whether these are all, their scopes, authors and licences; cargo xtask sbom says it of a tree",
        citation.source_version
    ))
}

/// The address of the repository that the document names.
fn repository(bom: &Bom) -> Result<&str> {
    match &bom.metadata.manufacturer.url[..] {
        [url] if document::is_url(url) => Ok(url),
        _ => bail!("it does not name one repository"),
    }
}

struct Judge<'a> {
    bom: &'a Bom,
    citation: &'a Citation,
    repository: &'a str,
    sums: Option<Checksums>,
}

impl Judge<'_> {
    /// The document says of itself what it has to.
    fn heading(&self) -> Result<()> {
        let bom = self.bom;
        for (member, found, expected) in [
            ("$schema", &bom.schema, Bom::SCHEMA),
            ("bomFormat", &bom.bom_format, Bom::FORMAT),
            ("specVersion", &bom.spec_version, Bom::SPEC_VERSION),
        ] {
            ensure!(
                found == expected,
                "its {member} is `{}`, expected `{expected}`",
                found.escape_debug()
            );
        }
        ensure!(
            bom.version == 1,
            "its version is {}, expected 1",
            bom.version
        );
        let unnumbered = Bom {
            serial_number: None,
            ..bom.clone()
        };
        let number = document::serial_number(&unnumbered, self.repository)?;
        ensure!(
            bom.serial_number.as_ref() == Some(&number),
            "its serial number is not that of its content, {number}"
        );
        let metadata = &bom.metadata;
        let says_all = |property: &Property| property.value == document::FEATURES_OF_ALL;
        let features = match metadata.properties.iter().any(says_all) {
            true => document::FEATURES_OF_ALL,
            false => document::FEATURES,
        };
        let expected = document::metadata_of(
            self.citation,
            SHIPPED_TARGET,
            self.citation.commit_time,
            metadata.component.clone(),
            self.repository,
            features,
        )?;
        for (found, expected) in metadata.properties.iter().zip(&expected.properties) {
            ensure!(
                found == expected,
                "it states {} `{}`, expected {} `{}`",
                found.name.escape_debug(),
                found.value.escape_debug(),
                expected.name,
                expected.value.escape_debug()
            );
        }
        ensure!(
            metadata.timestamp == expected.timestamp,
            "it is of {}, expected {}, the time of the commit",
            metadata.timestamp.escape_debug(),
            expected.timestamp
        );
        ensure!(
            *metadata == expected,
            "its metadata are not those of {} {}",
            PACKAGE,
            self.citation.source_version
        );
        Ok(())
    }

    /// Every component is named as the generator names it. How many are the workspace's own, and how many are not.
    fn components(&self) -> Result<(usize, usize)> {
        let root = &self.bom.metadata.component;
        let package = Component {
            kind: "library".into(),
            name: PACKAGE.to_owned(),
            swhid: Vec::new(),
            ..root.clone()
        };
        ensure!(
            *root == document::program(package.clone(), self.citation),
            "it is not about the program of {}",
            self.citation.commit
        );
        ensure!(
            self.is_own(&package)?,
            "the program is not a crate of the workspace"
        );
        ensure!(
            root.scope.as_deref() == Some(REQUIRED),
            "the program is not among what is required"
        );
        let (mut own, mut foreign) = (1, 0);
        for component in &self.bom.components {
            match self.is_own(component)? {
                true => own += 1,
                false => foreign += 1,
            }
        }
        ensure!(
            self.bom
                .components
                .is_sorted_by(|a, b| a.bom_ref < b.bom_ref),
            "its components are not sorted, or one stands twice"
        );
        Ok((own, foreign))
    }

    /// Whether a component is of the workspace, and not of crates.io, if it is named as such.
    fn is_own(&self, component: &Component) -> Result<bool> {
        let text = component
            .purl
            .as_deref()
            .context("a component has no purl")?;
        let shown = text.escape_debug();
        let purl: PackageUrl<'_> = text
            .parse()
            .map_err(|error| anyhow!("`{shown}` is no purl: {error}"))?;
        let is_own = !purl.qualifiers().is_empty();
        let (name, version) = (&component.name, &component.version);
        let mut expected = PackageUrl::new("cargo", name.as_str())
            .with_context(|| format!("name what `{shown}` is of"))?;
        expected.with_version(version.as_str())?;
        let reference = component.external_references.as_slice();
        let (made, reference) = match is_own {
            true => {
                let vcs_url = document::vcs_url(self.repository, self.citation);
                expected.add_qualifier("vcs_url", vcs_url)?;
                let path = purl.subpath().unwrap_or_default();
                ensure!(!path.is_empty(), "`{shown}` has no path in the repository");
                expected.with_subpath(path.to_owned())?;
                ensure!(
                    *version == self.citation.source_version,
                    "`{shown}` is of another version than {}",
                    self.citation.source_version
                );
                let project = document::project(self.repository);
                let made = Component {
                    supplier: Some(project.clone()),
                    manufacturer: Some(project),
                    ..Component::default()
                };
                (made, reference)
            }
            false => {
                let hash = match &component.hashes[..] {
                    [hash] => hash.content.clone(),
                    _ => bail!("`{shown}` has not one digest"),
                };
                self.check_digest(name, version, &hash)
                    .with_context(|| format!("`{shown}`"))?;
                let distribution = document::distribution(name, version);
                let rest = match reference.split_first() {
                    Some((first, rest)) if *first == distribution => rest,
                    _ => bail!("`{shown}` does not name its archive, {}", distribution.url),
                };
                let made = Component {
                    supplier: Some(document::crates_io()),
                    hashes: vec![document::hash(&hash)],
                    ..Component::default()
                };
                (made, rest)
            }
        };
        ensure!(
            expected.to_string() == text && component.bom_ref == component.purl,
            "`{shown}` is not the purl of {} {}, `{expected}`",
            name.escape_debug(),
            version.escape_debug()
        );
        let repositories = reference
            .iter()
            .all(|it| it.kind == "vcs" && document::is_url(&it.url));
        ensure!(
            repositories && reference.len() <= 1,
            "`{shown}` refers to something else than its repository"
        );
        ensure!(
            matches!(component.scope.as_deref(), Some(REQUIRED | EXCLUDED)),
            "`{shown}` is neither {REQUIRED} nor {EXCLUDED}"
        );
        check_licenses(&component.licenses).with_context(|| format!("`{shown}`"))?;
        let expected = Component {
            kind: "library".into(),
            bom_ref: component.bom_ref.clone(),
            authors: component.authors.clone(),
            name: name.clone(),
            version: version.clone(),
            scope: component.scope.clone(),
            licenses: component.licenses.clone(),
            purl: component.purl.clone(),
            external_references: component.external_references.clone(),
            ..made
        };
        ensure!(
            *component == expected,
            "`{shown}` is described in another way than the generator does"
        );
        Ok(is_own)
    }

    fn check_digest(&self, name: &str, version: &str, digest: &str) -> Result<()> {
        ensure!(
            digest.parse::<ecac_artifact::Digest>().is_ok(),
            "its digest is no SHA-256"
        );
        let Some(sums) = &self.sums else {
            return Ok(());
        };
        let known = sums.get(name, version, CRATES_IO);
        let known = known.context("Cargo.lock does not have it from crates.io")?;
        ensure!(
            known == digest,
            "its digest is not the one in Cargo.lock, {known}"
        );
        Ok(())
    }

    /// Every component is there because another needs it, and the lists say so in the one order.
    fn relations(&self) -> Result<()> {
        let bom = self.bom;
        let root = bom.metadata.component.bom_ref.as_deref();
        let root = root.context("the program has no reference")?;
        let scopes: BTreeMap<_, _> = [&bom.metadata.component]
            .into_iter()
            .chain(&bom.components)
            .map(|it| {
                (
                    it.bom_ref.as_deref().unwrap_or_default(),
                    it.scope.as_deref(),
                )
            })
            .collect();
        let described = bom.dependencies.iter().map(|it| it.reference.as_str());
        ensure!(
            described.eq(scopes.keys().copied()),
            "the relations are not those of the components, each once and in order"
        );
        let mut relations = BTreeMap::new();
        for Dependency {
            reference,
            depends_on,
        } in &bom.dependencies
        {
            let shown = reference.escape_debug();
            ensure!(
                depends_on.is_sorted_by(|a, b| a < b),
                "what `{shown}` depends on is not sorted, or stands twice"
            );
            for needed in depends_on {
                ensure!(
                    scopes.contains_key(needed.as_str()),
                    "`{shown}` depends on `{}`, which is no component",
                    needed.escape_debug()
                );
            }
            relations.insert(reference.as_str(), depends_on.as_slice());
        }
        let all = reached(root, &relations, |_| true);
        let required = reached(root, &relations, |it| scopes[it] == Some(REQUIRED));
        for (reference, scope) in &scopes {
            let shown = reference.escape_debug();
            ensure!(all.contains(reference), "nothing needs `{shown}`");
            ensure!(
                *scope != Some(REQUIRED) || required.contains(reference),
                "`{shown}` is {REQUIRED}, but nothing that is needs it"
            );
        }
        let described = scopes.keys().map(|it| (*it).to_owned()).collect();
        ensure!(
            bom.compositions == document::compositions(root.to_owned(), described),
            "its compositions are not those of the components"
        );
        Ok(())
    }
}

/// What is reached from `root` over components that `leads`.
fn reached<'a>(
    root: &'a str,
    relations: &BTreeMap<&'a str, &'a [String]>,
    leads: impl Fn(&str) -> bool,
) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![root];
    while let Some(reference) = open.pop() {
        if leads(reference) && reached.insert(reference) {
            let needed = relations.get(reference).copied().unwrap_or_default();
            open.extend(needed.iter().map(String::as_str));
        }
    }
    reached
}

/// One licence, as the generator spells it.
fn check_licenses(licenses: &[LicenseChoice]) -> Result<()> {
    let [license] = licenses else {
        bail!("it has not one licence");
    };
    let (acknowledgement, holds) = match license {
        LicenseChoice::License(license) => {
            let holds = match (&license.id, &license.name) {
                (Some(id), None) => spdx::license_id(id).is_some(),
                (None, Some(_)) => true,
                _ => false,
            };
            (&license.acknowledgement, holds)
        }
        LicenseChoice::Expression {
            expression,
            acknowledgement,
        } => (acknowledgement, spdx::Expression::parse(expression).is_ok()),
    };
    ensure!(
        holds && acknowledgement == "declared",
        "its licence is none that SPDX knows, or not a declared one"
    );
    Ok(())
}
