//! Where replicas meet that never see each other: a folder, or a bucket in object storage.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use ecac_artifact::exit;
use ecac_core::quote;
use ecac_mailbox::{Address, Bucket, Folder, Mailbox, MailboxError, NodeId, id_of};

use crate::failure::Failure;
use crate::older;
use crate::text;

/// Where a mailbox is.
#[derive(Debug)]
pub(super) enum Place {
    /// A folder that is there.
    Folder(PathBuf),
    /// A bucket; whether it is there shows when it is asked.
    Bucket(Address),
}

impl Place {
    /// What was named on the command line: an address where it begins like one, and else a folder.
    pub(super) fn of(target: &OsStr) -> Result<Self, Failure> {
        match target.to_str().filter(|it| Address::is_meant(it)) {
            Some(text) => address(text).map(Self::Bucket),
            None => there(Path::new(target)).map(Self::Folder),
        }
    }

    /// What the project remembers of the place is kept under.
    pub(super) fn id(&self) -> NodeId {
        match self {
            Self::Folder(folder) => id_of(&[b"folder", folder.as_os_str().as_encoded_bytes()]),
            Self::Bucket(address) => id_of(&[b"bucket", address.to_string().as_bytes()]),
        }
    }

    /// The mailbox there, of this node. What is being written to a folder has names with the tag.
    pub(super) fn mailbox(
        &self,
        node: NodeId,
        tag: NodeId,
    ) -> Result<Mailbox<Box<dyn Bucket>>, Failure> {
        match self {
            Self::Folder(folder) => {
                let bucket: Box<dyn Bucket> = Box::new(Folder::new(folder, tag));
                Ok(Mailbox::new(bucket, node).looking_after_all())
            }
            Self::Bucket(address) => Ok(Mailbox::new(self.bucket(address)?, node)),
        }
    }

    #[cfg(feature = "cloud")]
    fn bucket(&self, address: &Address) -> Result<Box<dyn Bucket>, Failure> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        match ecac_mailbox::Cloud::open(address, variables) {
            Ok(bucket) => Ok(Box::new(bucket)),
            Err(error) => Err(self.failure(&MailboxError::Bucket(error))),
        }
    }

    #[cfg(not(feature = "cloud"))]
    fn bucket(&self, _address: &Address) -> Result<Box<dyn Bucket>, Failure> {
        Err(Failure::new(
            exit::ENVIRONMENT,
            self.doing(),
            "this program is built without object storage",
            "build one with it: cargo build --release -p ecac-cli --features cloud; or sync through a folder",
        ))
    }

    fn doing(&self) -> String {
        match self {
            Self::Folder(folder) => syncing(folder),
            Self::Bucket(address) => format!("sync with {}", quote(&address.to_string())),
        }
    }

    /// What there is to do where a visit has failed.
    pub(super) fn failure(&self, error: &MailboxError) -> Failure {
        if let MailboxError::Contradicts { op } = error {
            return older::contradicted(*op);
        }
        let (cause, hint) = match error {
            MailboxError::Bucket(error) => (
                format!("{error}: {}", error.source),
                self.storage_hint(error.source.kind()),
            ),
            MailboxError::TakesNothing => (
                error.to_string(),
                "look whether somebody else writes there under this machine's name, and sync again",
            ),
            MailboxError::Keep(error) => (
                error.to_string(),
                "look at the disk, and run `ecac verify-store`",
            ),
            other => (other.to_string(), "sync again"),
        };
        Failure::new(exit::ENVIRONMENT, self.doing(), text::escape(&cause), hint)
    }

    const fn storage_hint(&self, kind: std::io::ErrorKind) -> &'static str {
        use std::io::ErrorKind::{NotFound, PermissionDenied};
        match (self, kind) {
            (Self::Folder(_), _) => {
                "look at the folder and who may write there, and sync again; what came is kept"
            }
            (Self::Bucket(_), NotFound) => {
                "look at the name of the bucket and at its region; who owns it makes it once"
            }
            (Self::Bucket(_), PermissionDenied) => {
                "look at the keys in the environment, and whether they may list, read and write there; what came is kept"
            }
            (Self::Bucket(_), _) => {
                "look at the network and at what the environment says of the service, and sync again; what came is kept"
            }
        }
    }
}

/// The address. What is none is not told: somebody may have put a key into it.
fn address(text: &str) -> Result<Address, Failure> {
    Address::parse(text).map_err(|error| {
        Failure::new(
            exit::USAGE,
            "read the address of a bucket",
            error,
            "write s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH; keys come from the environment, and a folder of that name is written with ./ before it",
        )
    })
}

fn syncing(folder: &Path) -> String {
    format!("sync with {}", quote(&folder.to_string_lossy()))
}

/// The folder, which nobody makes: where a stick is not plugged in, there is often an empty one.
fn there(folder: &Path) -> Result<PathBuf, Failure> {
    let is_folder = fs::metadata(folder).map(|it| it.is_dir());
    match is_folder {
        Ok(true) => folder.canonicalize().map_err(|error| {
            let hint = "look at who may read there";
            Failure::new(exit::ENVIRONMENT, syncing(folder), error, hint)
        }),
        Ok(false) => {
            let hint = "name a folder; what somebody exported to a file is for `ecac import`";
            let cause = "it is no folder";
            Err(Failure::new(exit::BAD_INPUT, syncing(folder), cause, hint))
        }
        Err(error) => {
            let hint = "plug the stick in, or make the folder once";
            Err(Failure::new(
                exit::ENVIRONMENT,
                syncing(folder),
                error,
                hint,
            ))
        }
    }
}
