//! From what cargo says to the bytes of the document: a pure function.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Metadata, Package, TargetKind};
use ecac_artifact::exit;
use packageurl::PackageUrl;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::cyclonedx::{self, Bom, Component, Composition, Dependency, Hash, License};
use super::cyclonedx::{Contact, ExternalReference, LicenseChoice, Lifecycle, Organization};
use super::cyclonedx::{Property, Tools};
use super::graph::{Crate, Graph};
use crate::host::error::Failure;
use crate::set::citation::Citation;
use crate::source::lockfile::Checksums;

/// The package that is described.
pub(crate) const PACKAGE: &str = "ecac-cli";

/// The program that it makes.
const PROGRAM: &str = "ecac";

/// The scope of what is compiled into the program.
pub(crate) const REQUIRED: &str = "required";

/// The scope of what runs in the compiler only.
pub(crate) const EXCLUDED: &str = "excluded";

/// What is deliberately not among the components.
const LEFT_OUT: &str =
    "build dependencies, dev dependencies, the Rust standard library, the C library";

/// How the features of the crates come about: what is built is the default members of the workspace.
pub(crate) const FEATURES: &str = "those of cargo build";

/// The same in documents of version 0.1.0 and before, for which the whole workspace was built.
pub(crate) const FEATURES_OF_ALL: &str = "those of cargo build --workspace";

/// Everything that the document depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// What `cargo metadata` prints.
    pub(crate) metadata: &'a str,
    /// What `cargo tree --edges normal` prints, as [`Graph::FORMAT`] says.
    pub(crate) tree: &'a str,
    /// `Cargo.lock`.
    pub(crate) lockfile: &'a str,
    /// The source that the document is about.
    pub(crate) citation: &'a Citation,
    /// The target triple of the build.
    pub(crate) target: &'a str,
    /// The time of the document in seconds since 1970.
    pub(crate) epoch: u64,
}

/// The document.
pub(crate) fn render(inputs: &Inputs<'_>) -> Result<Vec<u8>> {
    let metadata: Metadata =
        serde_json::from_str(inputs.metadata).context("read what cargo metadata printed")?;
    let graph = Graph::parse(inputs.tree, PACKAGE)?;
    let sums = Checksums::parse(inputs.lockfile)?;
    let mut packages = BTreeMap::new();
    for entry in graph.edges.keys() {
        packages.insert(entry, package(&metadata, entry)?);
    }
    let compiled_in = graph.reached_without(|entry| {
        packages[entry]
            .targets
            .iter()
            .any(|target| target.is_kind(TargetKind::ProcMacro))
    });
    let mut components = BTreeMap::new();
    let mut references = BTreeMap::new();
    for (entry, package) in &packages {
        let mut component = component(package, &metadata, &sums, inputs.citation)?;
        component.scope = Some(match compiled_in.contains(entry) {
            true => REQUIRED.into(),
            false => EXCLUDED.into(),
        });
        let reference = component.bom_ref.clone().unwrap_or_default();
        references.insert(*entry, reference.clone());
        components.insert(reference, component);
    }
    let of_root = references[&graph.root].clone();
    let Some(root) = components.remove(&of_root) else {
        bail!("{} is not among its own components", graph.root);
    };
    let mut dependencies: Vec<_> = graph
        .edges
        .iter()
        .map(|(from, to)| {
            let mut depends_on: Vec<_> = to.iter().map(|to| references[to].clone()).collect();
            depends_on.sort();
            Dependency {
                reference: references[from].clone(),
                depends_on,
            }
        })
        .collect();
    dependencies.sort_by(|a, b| a.reference.cmp(&b.reference));
    let mut described: Vec<_> = references.into_values().collect();
    described.sort();
    let repository = packages[&graph.root].repository.clone();
    let repository = repository.context("find the repository of the workspace")?;
    let mut bom = Bom {
        schema: Bom::SCHEMA.into(),
        bom_format: Bom::FORMAT.into(),
        spec_version: Bom::SPEC_VERSION.into(),
        serial_number: None,
        version: 1,
        metadata: metadata_of(
            inputs.citation,
            inputs.target,
            inputs.epoch,
            program(root, inputs.citation),
            &repository,
            FEATURES,
        )?,
        components: components.into_values().collect(),
        dependencies,
        compositions: compositions(of_root, described),
    };
    bom.serial_number = Some(serial_number(&bom, &repository)?);
    write(&bom)
}

/// The bytes of a document.
pub(crate) fn write(bom: &Bom) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(bom).context("encode the document")?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The serial number of a document that has none: another content is another number, and the same content the same.
pub(crate) fn serial_number(bom: &Bom, repository: &str) -> Result<String> {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, repository.as_bytes());
    let content = serde_json::to_vec(bom).context("encode the document")?;
    Ok(Uuid::new_v5(&namespace, &content).urn().to_string())
}

/// All relations are known, of the program not all parts.
pub(crate) fn compositions(root: String, described: Vec<String>) -> Vec<Composition> {
    vec![
        Composition {
            aggregate: "complete".into(),
            assemblies: Vec::new(),
            dependencies: described,
        },
        Composition {
            aggregate: "incomplete".into(),
            assemblies: vec![root],
            dependencies: Vec::new(),
        },
    ]
}

/// The one package that `cargo tree` means.
fn package<'m>(metadata: &'m Metadata, wanted: &Crate) -> Result<&'m Package> {
    let mut found = metadata.packages.iter().filter(|package| {
        package.name.as_str() == wanted.name && package.version.to_string() == wanted.version
    });
    match (found.next(), found.next()) {
        (Some(package), None) => Ok(package),
        (None, _) => bail!("cargo tree names {wanted}, which cargo metadata does not"),
        (Some(_), Some(_)) => bail!("there are two sources of {wanted}"),
    }
}

/// One crate, without its scope.
fn component(
    package: &Package,
    metadata: &Metadata,
    sums: &Checksums,
    citation: &Citation,
) -> Result<Component> {
    let name = package.name.to_string();
    let version = package.version.to_string();
    let repository = package.repository.as_deref().filter(|url| is_url(url));
    let mut component = Component {
        kind: "library".into(),
        authors: authors(package),
        licenses: vec![license(package)?],
        external_references: Vec::new(),
        ..Component::default()
    };
    let mut purl = PackageUrl::new("cargo", name.clone())?;
    purl.with_version(version.clone())?;
    match &package.source {
        None => {
            let root = &metadata.workspace_root;
            let is_member = metadata.workspace_members.contains(&package.id);
            let directory = package.manifest_path.parent().unwrap_or(root);
            let (true, Ok(directory)) = (is_member, directory.strip_prefix(root)) else {
                return Err(unnameable(package, "a path outside of the workspace").into());
            };
            let repository =
                repository.with_context(|| format!("find the repository of {name}"))?;
            // The name alone would be that of whatever bears it on crates.io.
            purl.add_qualifier("vcs_url", vcs_url(repository, citation))?;
            let parts: Vec<_> = directory.components().map(|part| part.as_str()).collect();
            purl.with_subpath(parts.join("/"))?;
            component.supplier = Some(project(repository));
            component.manufacturer = Some(project(repository));
        }
        Some(source) if source.is_crates_io() => {
            let sum = sums
                .get(&name, &version, &source.repr)
                .with_context(|| format!("find the SHA-256 of {name} {version} in Cargo.lock"))?;
            component.hashes = vec![hash(sum)];
            component.supplier = Some(crates_io());
            component
                .external_references
                .push(distribution(&name, &version));
        }
        Some(source) => return Err(unnameable(package, &source.repr).into()),
    }
    if let Some(url) = repository {
        component.external_references.push(ExternalReference {
            kind: "vcs".into(),
            url: url.to_owned(),
        });
    }
    let purl = purl.to_string();
    component.bom_ref = Some(purl.clone());
    component.purl = Some(purl);
    component.name = name;
    component.version = version;
    Ok(component)
}

/// The digest of a crate's archive.
pub(crate) fn hash(sha256: &str) -> Hash {
    Hash {
        alg: "SHA-256".into(),
        content: sha256.to_owned(),
    }
}

/// Where crates come from.
pub(crate) fn crates_io() -> Organization {
    Organization {
        name: "crates.io".to_owned(),
        url: vec!["https://crates.io".to_owned()],
    }
}

/// Where the archive of a crate is.
pub(crate) fn distribution(name: &str, version: &str) -> ExternalReference {
    ExternalReference {
        kind: "distribution".into(),
        url: format!("https://static.crates.io/crates/{name}/{version}/download"),
    }
}

/// Where the source of the workspace's own crates is.
pub(crate) fn vcs_url(repository: &str, citation: &Citation) -> String {
    format!("git+{repository}@{}", citation.commit.hash())
}

fn unnameable(package: &Package, source: &str) -> Failure {
    let (name, version) = (&package.name, &package.version);
    let message =
        format!("{name} {version} comes from {source}, which an SBOM cannot name for others");
    Failure::new(exit::VERIFICATION, message).hint("take it from crates.io, or into the workspace")
}

/// The package of the program as the program.
pub(crate) fn program(package: Component, citation: &Citation) -> Component {
    let commit = &citation.commit;
    let swhid = match commit.is_dirty() {
        true => Vec::new(),
        false => vec![format!("swh:1:rev:{}", commit.hash())],
    };
    Component {
        kind: "application".into(),
        name: PROGRAM.to_owned(),
        swhid,
        ..package
    }
}

/// Who wrote it, as the crate says.
fn authors(package: &Package) -> Vec<Contact> {
    let names = package.authors.iter().map(|author| {
        let name = author
            .split_once('<')
            .map_or(author.as_str(), |(name, _)| name);
        name.trim().to_owned()
    });
    let names = names.filter(|name| !name.is_empty());
    names.map(|name| Contact { name }).collect()
}

/// The licence as the crate declares it, in the spelling of SPDX.
fn license(package: &Package) -> Result<LicenseChoice> {
    const ACKNOWLEDGEMENT: &str = "declared";
    let Some(declared) = &package.license else {
        let (name, version) = (&package.name, &package.version);
        let Some(file) = &package.license_file else {
            bail!("{name} {version} declares no licence");
        };
        return Ok(LicenseChoice::License(License {
            id: None,
            name: Some(format!("the file {file} of {name} {version}")),
            acknowledgement: ACKNOWLEDGEMENT.into(),
        }));
    };
    let context = || format!("read the licence `{declared}` of {}", package.name);
    let canonical = spdx::Expression::canonicalize(declared).with_context(context)?;
    let expression = canonical.unwrap_or_else(|| declared.clone());
    let parsed = spdx::Expression::parse(&expression).with_context(context)?;
    let is_one_id = parsed.requirements().count() == 1 && spdx::license_id(&expression).is_some();
    Ok(match is_one_id {
        true => LicenseChoice::License(License {
            id: Some(expression),
            name: None,
            acknowledgement: ACKNOWLEDGEMENT.into(),
        }),
        false => LicenseChoice::Expression {
            expression,
            acknowledgement: ACKNOWLEDGEMENT.into(),
        },
    })
}

/// Who makes the workspace, and the document.
pub(crate) fn project(repository: &str) -> Organization {
    Organization {
        name: "the ECAC project".to_owned(),
        url: vec![repository.to_owned()],
    }
}

/// Who made the document, when, with what, and what it is about.
pub(crate) fn metadata_of(
    citation: &Citation,
    target: &str,
    epoch: u64,
    component: Component,
    repository: &str,
    features: &str,
) -> Result<cyclonedx::Metadata> {
    let seconds = i64::try_from(epoch).context("read the time of the document")?;
    let time =
        OffsetDateTime::from_unix_timestamp(seconds).context("read the time of the document")?;
    let tool = |name: &str, version: &str, by: Organization| Component {
        kind: "application".into(),
        manufacturer: Some(by),
        name: name.to_owned(),
        version: version.to_owned(),
        ..Component::default()
    };
    let rust = Organization {
        name: "the Rust project".to_owned(),
        url: vec!["https://www.rust-lang.org".to_owned()],
    };
    let property = |name: &'static str, value: &str| Property {
        name: name.into(),
        value: value.to_owned(),
    };
    Ok(cyclonedx::Metadata {
        timestamp: time
            .format(&Rfc3339)
            .context("write the time of the document")?,
        lifecycles: vec![Lifecycle {
            phase: "build".into(),
        }],
        tools: Tools {
            components: vec![
                tool("cargo", &citation.toolchain, rust),
                tool("xtask", &citation.source_version, project(repository)),
            ],
        },
        manufacturer: project(repository),
        component,
        properties: vec![
            property("cdx:reproducible", "true"),
            property("ecac:cargo-lock-sha256", &citation.cargo_lock_sha256),
            property("ecac:commit", &citation.commit.to_string()),
            property("ecac:features", features),
            property("ecac:left-out", LEFT_OUT),
            property("ecac:target", target),
            property("ecac:toolchain", &citation.toolchain),
        ],
    })
}

/// Whether an address that a crate states can stand in the document.
pub(crate) fn is_url(text: &str) -> bool {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}
