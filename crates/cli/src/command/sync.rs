//! `ecac sync`: meeting in a folder or a bucket that others visit too, or another node.

mod mailbox;
mod peer;
mod place;

use std::ffi::{OsStr, OsString};

use ecac_artifact::exit;
use ecac_core::quote;
use ecac_project::Peer;

use self::place::Place;
use crate::edge::Globals;
use crate::failure::Failure;

/// What the text of a peer begins with.
const PEER: &str = "did:key:";

/// Exchange with everybody who visits a folder or a bucket, such as a USB stick or a share, or with another node
///
/// What others have is taken in, and what they lack is given to them. What counts, what was taken back by what, what is refused, and
/// what waits is told as `import` tells it. A folder or a bucket is trusted with nothing: who owns it can make you wait, and neither
/// deceive you nor lose what you hold. A bucket in object storage is s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH; its
/// keys come from the environment, such as AWS_ACCESS_KEY_ID, and the program has to be built with the feature `cloud`. A node has its
/// key and its address, KEY@ADDRESS, and is met once, over QUIC; the program `ecac-node` carries that, and has to be installed beside
/// this one. `ecac node` is for meeting again and again.
///
/// With --older what is here without its values (`ecac prune`, or a beginning with a sealed snapshot) is asked for too, and taken back
/// as `ecac import --older` does. No decision changes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac sync /media/stick/shop
  ecac sync /mnt/share/shop --json | jq .mailbox
  ecac sync s3://our-shop/mail
  ecac sync /media/stick/shop --older
  ecac sync did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK@192.0.2.7:4919")]
pub(crate) struct Args {
    /// A folder or a bucket that is there, of which several projects need several; or a node, as KEY@ADDRESS
    #[arg(value_name = "FOLDER|URL|PEER")]
    target: OsString,
    /// Take back what was dropped here, as far as it is there
    #[arg(long)]
    older: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    match peer_of(&args.target)? {
        Some(peer) => peer::run(peer, args, globals),
        None => mailbox::run(&Place::of(&args.target)?, args, globals),
    }
}

/// The peer that is meant, if one is.
fn peer_of(target: &OsStr) -> Result<Option<Peer>, Failure> {
    let Some(text) = target.to_str().filter(|it| it.starts_with(PEER)) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|error| {
        Failure::new(
            exit::USAGE,
            format!("sync with {}", quote(text)),
            error,
            "the address is an IP address with a port; a folder of that name is written with ./ before it",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_folder_and_what_begins_as_a_key_is_a_peer() {
        let key = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        for folder in ["/media/stick", "stick", "./did:key:x", "a@127.0.0.1:1", ""] {
            assert_eq!(peer_of(OsStr::new(folder)).unwrap(), None, "{folder}");
        }
        for address in ["127.0.0.1:4919", "[::1]:1"] {
            let text = format!("{key}@{address}");
            let peer = peer_of(OsStr::new(&text)).unwrap().unwrap();
            assert_eq!(peer.to_string(), text);
        }
        for bad in [
            key,
            "did:key:",
            &format!("{key}@localhost:4919"),
            &format!("{key}@127.0.0.1"),
        ] {
            let failure = peer_of(OsStr::new(bad)).unwrap_err();
            assert_eq!(failure.code, exit::USAGE, "{bad}");
        }
    }
}
