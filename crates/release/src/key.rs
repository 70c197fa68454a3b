//! `cargo xtask key`: the keys that sign a release.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, Subcommand};
use ecac_artifact::exit;
use ecac_attest::{KeyError, PrivateKey, SaltAndIv};
use serde::Serialize;

use xtask::host::error::{Failure, exit_code};
use xtask::host::guard::{self, Allowance};
use xtask::host::input;
use xtask::host::output::{self, Format};
use xtask::host::workspace;

/// Where the password of a private key is looked for, in this order.
const PASSWORD_VARIABLES: [&str; 2] = ["ECAC_KEY_PASSWORD", "COSIGN_PASSWORD"];

/// The extension of public keys.
const PUBLIC: &str = "pub";

/// The largest key file that is read, in bytes; the reader of keys takes far less.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Arguments of `key`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new P-256 key; nothing is overwritten
    #[command(after_help = xtask::host::command_line::help(&[
        "cargo xtask key new",
        "ECAC_KEY_PASSWORD=secret cargo xtask key new --encrypt --out ~/keys/release.key",
    ]))]
    New(New),
}

/// Arguments of `key new`.
#[derive(Debug, ClapArgs)]
struct New {
    /// The file of the private key, which nobody else can read; the public key goes beside it, with the extension .pub
    #[arg(long, value_name = "FILE", default_value = "ecac.key")]
    out: PathBuf,
    /// Encrypt the private key under the password in ECAC_KEY_PASSWORD or COSIGN_PASSWORD
    #[arg(long)]
    encrypt: bool,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The new key.
#[derive(Debug, Serialize)]
struct Answer {
    private: String,
    public: String,
    hint: String,
    is_encrypted: bool,
}

/// Runs a subcommand.
pub(crate) fn run(args: &Args) -> Result<()> {
    let Command::New(args) = &args.command;
    new(args)
}

fn new(args: &New) -> Result<()> {
    let private = workspace::absolute(&args.out)?;
    let public = private.with_extension(PUBLIC);
    if public == private || private.file_name().is_none() {
        let message = format!("{} is no name for a private key", private.display());
        return Err(Failure::new(exit::USAGE, message)
            .hint("name a file such as ecac.key")
            .into());
    }
    let password = match args.encrypt {
        true => {
            Some(password().ok_or_else(|| no_password("there is no password to encrypt with"))?)
        }
        false => None,
    };
    let key = random_key()?;
    let pem = match &password {
        Some(password) => key.to_encrypted_pem(password, &random_salt()?),
        None => key.to_pem(),
    };
    create(&private, pem.as_bytes(), 0o600)?;
    if let Err(error) = create(&public, key.public().to_pem().as_bytes(), 0o644) {
        // Half a pair is of no use, and this run made it.
        let _ = fs::remove_file(&private);
        return Err(error);
    }
    let answer = Answer {
        private: private.display().to_string(),
        public: public.display().to_string(),
        hint: key.public().hint(),
        is_encrypted: args.encrypt,
    };
    match args.format {
        Format::Text => output::print(&text(&answer)),
        Format::Json => output::print_json(&answer),
    }
}

fn text(answer: &Answer) -> String {
    let kind = match answer.is_encrypted {
        true => "encrypted; keep the password elsewhere",
        false => "not encrypted; whoever reads it can sign",
    };
    format!(
        "private key    {}\n  {kind}\npublic key     {}\n  hint {}\n",
        answer.private, answer.public, answer.hint
    )
}

/// Reads a private key that not everybody can read; its password, where it has one, comes from the environment.
///
/// Hashing a password can take seconds, during which a signal still ends the program.
pub(crate) fn read(path: &Path) -> Result<PrivateKey> {
    let path = path.to_owned();
    guard::run(Allowance::UNBOUNDED, move || open(&path))
}

fn open(path: &Path) -> Result<PrivateKey> {
    let shown = input::shown(path);
    let bytes = input::read(path, FILE_BYTES_MAX).map_err(|error| match exit_code(&error) {
        exit::NOT_FOUND => Failure::new(
            exit::NOT_FOUND,
            format!("the key file {shown} does not exist"),
        )
        .hint("make one: cargo xtask key new")
        .into(),
        _ => error,
    })?;
    let key = PrivateKey::from_pem(&bytes, password().as_deref()).map_err(|error| {
        if matches!(error, KeyError::PasswordNeeded) {
            return no_password(format!("{shown}: {error}"));
        }
        let failure = Failure::new(exit::BAD_INPUT, format!("{shown}: {error}"));
        match error {
            KeyError::PasswordWrong => failure.hint(format!(
                "the password is that in {}",
                PASSWORD_VARIABLES.join(", else in ")
            )),
            KeyError::Label { .. } | KeyError::Scheme(_) => {
                failure.hint("convert it: openssl pkcs8 -topk8 -v2 aes256 -in KEY -out ecac.key")
            }
            KeyError::Private(_) => {
                failure.hint("make a key of the right kind: cargo xtask key new")
            }
            _ => failure,
        }
    })?;
    check_mode(path)?;
    Ok(key)
}

/// Refuses a key that every user of the machine could have copied or exchanged.
#[cfg(unix)]
fn check_mode(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    const OTHERS: u32 = 0o006;
    let shown = input::shown(path);
    let metadata = fs::metadata(path).with_context(|| format!("read {shown}"))?;
    if metadata.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    let message = format!("every user of this machine can read or write the private key {shown}");
    Err(Failure::environment(message)
        .hint(format!(
            "if nobody has, keep it to yourself: chmod 600 {shown}; else make another: cargo xtask key new"
        ))
        .into())
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> Result<()> {
    Ok(())
}

fn password() -> Option<Vec<u8>> {
    let mut values = PASSWORD_VARIABLES.iter().filter_map(std::env::var_os);
    let value = values.find(|value| !value.is_empty())?;
    Some(value.into_encoded_bytes())
}

fn no_password(message: impl Into<String>) -> Failure {
    Failure::environment(message).hint(format!(
        "put the password into the variable {}",
        PASSWORD_VARIABLES.join(" or ")
    ))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::environment(format!("the system has no randomness: {error}")))?;
    Ok(bytes)
}

fn random_key() -> Result<PrivateKey> {
    loop {
        if let Some(key) = PrivateKey::from_random(&random()?) {
            return Ok(key);
        }
    }
}

fn random_salt() -> Result<SaltAndIv> {
    Ok(SaltAndIv {
        salt: random()?,
        iv: random()?,
    })
}

/// Creates a file with these permissions from the first moment on; what is there already stays.
fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let write = |mut file: File| {
        file.write_all(bytes)?;
        file.sync_all()
    };
    open_new(path, mode).and_then(write).map_err(|error| {
        let failure = match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let message = format!("{} exists, and a key is never overwritten", path.display());
                Failure::environment(message).hint("choose another file with --out")
            }
            kind => {
                let error = io::Error::from(kind);
                Failure::environment(format!("cannot write {}: {error}", path.display()))
            }
        };
        failure.into()
    })
}

#[cfg(unix)]
fn open_new(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode).open(path)
}

#[cfg(not(unix))]
fn open_new(path: &Path, _mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
