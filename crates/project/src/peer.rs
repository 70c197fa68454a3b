//! Peers: a node key, and where its node listens.

use core::fmt;
use core::str::FromStr;
use std::net::SocketAddr;

use ecac_core::PublicKey;

/// Another node, `KEY@ADDRESS`: a `did:key` and an IP address with a port.
///
/// ```
/// # use ecac_project::Peer;
/// let text = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK@127.0.0.1:4919";
/// let peer: Peer = text.parse()?;
/// assert_eq!(peer.to_string(), text);
/// # Ok::<(), ecac_project::ParsePeerError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The key of the node.
    pub key: PublicKey,
    /// Where it listens.
    pub address: SocketAddr,
}

/// A text that names no peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not KEY@ADDRESS, as did:key:z6Mk...@127.0.0.1:4919")]
pub struct ParsePeerError;

impl FromStr for Peer {
    type Err = ParsePeerError;

    fn from_str(text: &str) -> Result<Self, ParsePeerError> {
        let (key, address) = text.rsplit_once('@').ok_or(ParsePeerError)?;
        Ok(Self {
            key: key.parse().map_err(|_| ParsePeerError)?,
            address: address.parse().map_err(|_| ParsePeerError)?,
        })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.key, self.address)
    }
}
