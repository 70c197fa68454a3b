//! Who signs a release: the owner of a key, in this process and without a network, or whoever cosign takes for the
//! owner of an identity, keyless.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use ecac_artifact::exit;
use ecac_attest::{Bundle, Envelope, PrivateKey, Signature, Statement};
use serde::Serialize;
use xshell::{Cmd, Shell, cmd};

use crate::key;
use xtask::host::error::Failure;
use xtask::host::process;
use xtask::host::progress::Progress;

/// What is appended to the name of the signed file: the base64 of its signature.
pub(crate) const SIGNATURE: &str = ".sig";

/// A Sigstore bundle with the same signature.
pub(crate) const BUNDLE: &str = ".sigstore.json";

/// The provenance in its DSSE envelope.
pub(crate) const PROVENANCE: &str = ".intoto.jsonl";

/// A Sigstore bundle with the same envelope.
pub(crate) const PROVENANCE_BUNDLE: &str = ".intoto.sigstore.json";

const KEYLESS_HINT: &str = "install cosign 3 or later and let it sign keyless, or sign with a key: \
    cargo xtask key new, then cargo xtask bundle --sign --key ecac.key";

/// What signs.
pub(crate) enum Signer {
    /// A key.
    Key(PrivateKey),
    /// The program cosign, which asks an identity provider who is there.
    Cosign,
}

/// What signed, for machines.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SignedBy {
    /// The key with this hint.
    Key(String),
    /// Somebody with a certificate of Sigstore.
    Keyless,
}

/// The file to sign and what is said of it.
pub(crate) struct Release<'a> {
    /// The name of the file.
    pub(crate) name: &'a str,
    /// Its contents.
    pub(crate) bytes: &'a [u8],
    /// How it was built.
    pub(crate) statement: &'a Statement,
}

impl Signer {
    /// Finds what signs, before anything is built: the key in `path`, else cosign.
    pub(crate) fn find(path: Option<&Path>, progress: &Progress) -> Result<Self> {
        if let Some(path) = path {
            return Ok(Self::Key(key::read(path)?));
        }
        let shell = Shell::new().context("find the working directory")?;
        process::run(progress, cmd!(shell, "cosign version"))
            .map_err(|error| match error.downcast::<Failure>() {
                Ok(failure) => failure.hint(KEYLESS_HINT).into(),
                Err(error) => error,
            })?
            .require_or(exit::ENVIRONMENT, Some(KEYLESS_HINT))?;
        Ok(Self::Cosign)
    }

    /// What signs, for machines.
    pub(crate) fn signed_by(&self) -> SignedBy {
        match self {
            Self::Key(key) => SignedBy::Key(key.public().hint()),
            Self::Cosign => SignedBy::Keyless,
        }
    }

    /// The four files that go beside the release, by what is appended to its name. `dir` is empty.
    pub(crate) fn sign(
        &self,
        release: &Release<'_>,
        dir: &Path,
        progress: &Progress,
    ) -> Result<BTreeMap<&'static str, Vec<u8>>> {
        match self {
            Self::Key(key) => with_key(key, release),
            Self::Cosign => with_cosign(release, dir, progress),
        }
    }
}

/// Signs, and reads back and verifies what is to be published.
fn with_key(key: &PrivateKey, release: &Release<'_>) -> Result<BTreeMap<&'static str, Vec<u8>>> {
    let public = key.public();
    let signature = key.sign(release.bytes).to_file();
    let bundle = Bundle::of_message(key, release.bytes).to_bytes();
    let envelope = Envelope::sign(key, release.statement);
    let provenance_bundle = Bundle::of_envelope(&public, envelope.clone()).to_bytes();

    public.verify(release.bytes, &Signature::from_file(&signature)?)?;
    Bundle::parse(&bundle)?.verify_message(&public, release.bytes)?;
    let stated = Bundle::parse(&provenance_bundle)?.verify_statement(&public)?;
    ensure!(
        stated == *release.statement,
        "the statement changed while it was signed"
    );
    Ok(BTreeMap::from([
        (SIGNATURE, signature),
        (BUNDLE, bundle),
        (PROVENANCE, envelope.to_bytes()),
        (PROVENANCE_BUNDLE, provenance_bundle),
    ]))
}

/// Lets cosign sign, and takes the plain forms out of its two bundles.
fn with_cosign(
    release: &Release<'_>,
    dir: &Path,
    progress: &Progress,
) -> Result<BTreeMap<&'static str, Vec<u8>>> {
    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(dir);
    let write = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
        let path = dir.join(name);
        fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    };
    let file = write(release.name, release.bytes)?;
    let statement = write("statement.json", &release.statement.to_bytes())?;
    let cosign = |args: Cmd<'_>, name: &str| -> Result<(Bundle, Vec<u8>)> {
        process::run(progress, args)?.require_or(exit::ENVIRONMENT, Some(KEYLESS_HINT))?;
        let path = dir.join(name);
        let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let bundle = Bundle::parse(&bytes).map_err(|error| {
            Failure::environment(format!("cosign wrote what cannot be used: {error}"))
                .hint("install cosign 3 or later")
        })?;
        Ok((bundle, bytes))
    };
    let blob = cmd!(shell, "cosign sign-blob --yes --bundle file.json {file}");
    let (bundle, bundle_bytes) = cosign(blob, "file.json")?;
    let blob = cmd!(
        shell,
        "cosign attest-blob --yes --bundle provenance.json --statement {statement}"
    );
    let (provenance, provenance_bytes) = cosign(blob, "provenance.json")?;

    let (signature, envelope) = plain(&bundle, &provenance, release.statement)?;
    Ok(BTreeMap::from([
        (SIGNATURE, signature),
        (BUNDLE, bundle_bytes),
        (PROVENANCE, envelope),
        (PROVENANCE_BUNDLE, provenance_bytes),
    ]))
}

/// The signature and the envelope in the two bundles of cosign, if they are of a file and of `statement`.
fn plain(
    bundle: &Bundle,
    provenance: &Bundle,
    statement: &Statement,
) -> Result<(Vec<u8>, Vec<u8>)> {
    let wrong = |what: &str| Failure::environment(format!("cosign signed {what}"));
    let signature = bundle.message_signature();
    let signature = signature.ok_or_else(|| wrong("no file where one was given"))?;
    let envelope = provenance.envelope();
    let envelope = envelope.ok_or_else(|| wrong("no statement where one was given"))?;
    if envelope.statement_unverified().ok().as_ref() != Some(statement) {
        return Err(wrong("another statement than the one that it was given").into());
    }
    Ok((
        Signature::from_der(signature)?.to_file(),
        envelope.to_bytes(),
    ))
}

#[cfg(test)]
mod tests {
    use ecac_artifact::Digest;
    use ecac_attest::{Build, Machine, TakenOver};

    use super::*;

    fn statement(command: &str) -> Statement {
        let digest = Digest::of(b"");
        Statement::of(&Build {
            repository: "https://example.org/ecac".to_owned(),
            commit: "c0ffee".repeat(7)[..40].parse().unwrap(),
            command: command.to_owned(),
            seed: 42,
            ops: 500,
            scenarios: Vec::new(),
            flags: Vec::new(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            cargo_lock: digest,
            toolchain: "1.95.0".to_owned(),
            toolchain_commit: "c0ffee".to_owned(),
            tar_gz: digest,
            tar: digest,
            ecac: digest,
            sbom: None,
            machine: Machine {
                rustc: digest,
                linker: None,
                taken_over: TakenOver::default(),
            },
        })
    }

    #[test]
    fn what_cosign_signed_is_what_it_was_given() {
        let key = PrivateKey::from_random(&[1; 32]).unwrap();
        let given = statement("cargo xtask repro");
        let file = Bundle::of_message(&key, b"file");
        let stated = |statement| {
            let envelope = Envelope::sign(&key, statement);
            Bundle::of_envelope(&key.public(), envelope)
        };
        let (signature, envelope) = plain(&file, &stated(&given), &given).unwrap();
        let signature = Signature::from_file(&signature).unwrap();
        key.public().verify(b"file", &signature).unwrap();
        let opened = Envelope::parse(&envelope).unwrap().open(&key.public());
        assert_eq!(opened.unwrap(), given);

        let other = stated(&statement("cargo xtask repro --seed=43"));
        for (file, provenance, says) in [
            (
                &file,
                &other,
                "another statement than the one that it was given",
            ),
            (&file, &file, "no statement where one was given"),
            (&other, &other, "no file where one was given"),
        ] {
            let refused = plain(file, provenance, &given).unwrap_err();
            assert_eq!(refused.to_string(), format!("cosign signed {says}"));
        }
    }
}
