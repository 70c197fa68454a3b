//! What a signer left beside an archive: a signature, and the provenance in its Sigstore bundle.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use ecac_artifact::archive::{self, Unpacked};
use ecac_artifact::{Digest, Single, escape, exit};
use ecac_attest::{
    BUILD_TYPES, BuildDefinition, Bundle, PublicKey, ResourceDescriptor, Signature, TakenOver,
};

use crate::signer;
use ecac_artifact::Manifest;
use xtask::host::error::{Failure, exit_code};
use xtask::host::input;

/// The program that a release is about; the archive holds only what it made.
const PROGRAM: &str = "ecac";

/// The largest key, signature or provenance that is read, in bytes.
const SIDECAR_BYTES_MAX: u64 = 1 << 20;

/// Who has to have signed an archive, and where it stands.
#[derive(Debug, Clone, Args)]
pub(super) struct SignerArgs {
    /// The public key of whoever released it, in PEM; without it nothing is known of who made the archive
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The signature: a Sigstore bundle, or base64 as cosign writes it [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "key")]
    signature: Option<PathBuf>,
    /// The provenance in its Sigstore bundle [default: FILE.intoto.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "key")]
    provenance: Option<PathBuf>,
}

/// What a signer left beside the archive.
pub(super) struct Signed {
    key: PublicKey,
    signature: Vec<u8>,
    provenance: Vec<u8>,
}

impl Signed {
    /// Reads the key and what it signed, where a key is given.
    pub(super) fn read(args: &SignerArgs, archive: &Path) -> Result<Option<Self>> {
        let Some(path) = &args.key else {
            return Ok(None);
        };
        let key = PublicKey::from_pem(&input::read(path, SIDECAR_BYTES_MAX)?).map_err(|error| {
            let message = format!("{}: {error}", input::shown(path));
            Failure::new(exit::BAD_INPUT, message)
                .hint("--key takes the public key, as cargo xtask key new and openssl write it")
        })?;
        let beside = |given: &Option<PathBuf>, suffix: &str| {
            let path = given.clone().unwrap_or_else(|| {
                let mut path = archive.as_os_str().to_owned();
                path.push(suffix);
                path.into()
            });
            input::read(&path, SIDECAR_BYTES_MAX).map_err(|error| match exit_code(&error) {
                exit::NOT_FOUND => Failure::new(
                    exit::BAD_SIGNATURE,
                    format!("{error:#}, so nobody signed this"),
                )
                .hint("get it from where the archive comes from, or leave --key out")
                .into(),
                _ => error,
            })
        };
        Ok(Some(Self {
            key,
            signature: beside(&args.signature, signer::BUNDLE)?,
            provenance: beside(&args.provenance, signer::PROVENANCE_BUNDLE)?,
        }))
    }

    /// The key signed exactly this file.
    pub(super) fn signature(&self, gz: &[u8]) -> Result<String> {
        match self.signature.first() {
            Some(b'{') => Bundle::parse(&self.signature)?.verify_message(&self.key, gz)?,
            _ => self
                .key
                .verify(gz, &Signature::from_file(&self.signature)?)?,
        }
        Ok(format!("by the key {}", self.key.hint()))
    }

    /// The key signed a statement about exactly this file, and it says what the manifest says.
    pub(super) fn provenance(&self, archive: &Unpacked, manifest: &Manifest) -> Result<String> {
        let statement = Bundle::parse(&self.provenance)?.verify_statement(&self.key)?;
        let directory = archive::directory(archive.commit());
        let digests = archive.digests();
        let sbom = archive
            .files()
            .get(Single::Sbom.name())
            .map(|bytes| Digest::of(bytes));
        for (name, actual) in [
            (format!("{directory}.tar.gz"), Some(digests.gz_sha256)),
            (format!("{directory}.tar"), Some(digests.tar_sha256)),
            (Single::Sbom.name().to_owned(), sbom),
        ] {
            let stated = statement.subject(&name);
            ensure!(
                stated == actual,
                "it speaks of {name} {}, but here that is {}",
                told(stated),
                told(actual)
            );
        }
        let definition = &statement.predicate.build_definition;
        let parameters = manifest.parameters()?;
        let stated = &definition.external_parameters;
        let dependency = |name: &str| {
            let found = |dependency: &&ResourceDescriptor| dependency.name == name;
            definition.resolved_dependencies.iter().find(found)
        };
        let lock = dependency("Cargo.lock").and_then(|lock| lock.digest.sha256);
        let source = dependency("source").and_then(|source| source.digest.git_commit.as_deref());
        let rustc = dependency("rustc").and_then(|rustc| rustc.uri.as_deref());
        let build_type = &definition.build_type;
        ensure!(
            BUILD_TYPES.iter().any(|known| build_type.ends_with(known)),
            "it is of a build of another kind: {}",
            escape(build_type)
        );
        let claims = [
            ("commit", stated.commit == manifest.commit),
            ("source commit", source == Some(manifest.commit.as_str())),
            ("seed", stated.seed == parameters.seed),
            ("number of ops", stated.ops == parameters.ops),
            (
                "list of scenarios",
                stated.scenarios == parameters.scenarios,
            ),
            (
                "Cargo.lock",
                lock.is_some_and(|lock| lock.to_string() == manifest.cargo_lock_sha256),
            ),
            (
                "toolchain",
                rustc.is_some_and(|uri| uri.ends_with(&format!("@{}", manifest.toolchain))),
            ),
        ];
        for (claim, holds) in claims {
            ensure!(holds, "it states another {claim} than manifest.json");
        }
        let program = statement.subject(PROGRAM);
        let program = program.with_context(|| format!("it does not speak of {PROGRAM}"))?;
        let target = &definition.internal_parameters.target;
        Ok(format!(
            "built of {} for {}\nnot compared: {PROGRAM}, sha256:{program}, which is not in the archive{}",
            manifest.commit,
            escape(target),
            machine(definition)
        ))
    }
}

/// What the signer says of the machine, of which nothing can be known here.
fn machine(definition: &BuildDefinition) -> String {
    let mut text = String::new();
    let linker = |dependency: &&ResourceDescriptor| dependency.name == "linker";
    if let Some(linker) = definition.resolved_dependencies.iter().find(linker) {
        let version = linker.annotations.get("version");
        let version = version.map_or_else(|| "(no version)".to_owned(), |version| escape(version));
        let digest = told(linker.digest.sha256);
        text.push_str(&format!(
            "\nnot compared: linked by {version}, sha256:{digest}"
        ));
    }
    if let Some(TakenOver { keys, variables }) = &definition.internal_parameters.taken_over {
        let names: Vec<_> = keys
            .iter()
            .chain(variables)
            .map(|name| escape(name))
            .collect();
        if !names.is_empty() {
            let names = names.join(", ");
            text.push_str(&format!(
                "\nnot compared: taken over from the signer's machine: {names}"
            ));
        }
    }
    text
}

fn told(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "(nothing)".to_owned(), |digest| digest.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ecac_attest::{DigestSet, InternalParameters};

    use super::*;

    fn definition(
        dependencies: Vec<ResourceDescriptor>,
        taken_over: Option<TakenOver>,
    ) -> BuildDefinition {
        BuildDefinition {
            build_type: String::new(),
            external_parameters: ecac_attest::ExternalParameters {
                commit: String::new(),
                command: String::new(),
                seed: 0,
                ops: 0,
                scenarios: Vec::new(),
            },
            internal_parameters: InternalParameters {
                flags: Vec::new(),
                target: String::new(),
                taken_over,
            },
            resolved_dependencies: dependencies,
        }
    }

    #[test]
    fn what_is_said_of_the_machine_is_told_and_what_is_not_is_left_out() {
        assert_eq!(machine(&definition(Vec::new(), None)), "");
        let nothing = Some(TakenOver::default());
        assert_eq!(machine(&definition(Vec::new(), nothing)), "");
        let linker = ResourceDescriptor {
            name: "linker".to_owned(),
            uri: None,
            digest: DigestSet::sha256(Digest::of(b"")),
            annotations: BTreeMap::from([("version".to_owned(), "cc\u{1b}12".to_owned())]),
        };
        let taken_over = TakenOver {
            keys: vec!["net.retry".to_owned()],
            variables: vec!["https_proxy".to_owned()],
        };
        let digest = Digest::of(b"");
        assert_eq!(
            machine(&definition(vec![linker], Some(taken_over))),
            format!(
                "\nnot compared: linked by cc\\u{{1b}}12, sha256:{digest}\
                 \nnot compared: taken over from the signer's machine: net.retry, https_proxy"
            )
        );
    }
}
