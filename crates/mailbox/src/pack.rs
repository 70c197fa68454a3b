//! Packs: envelopes under the name of their content.

use core::fmt;

use ecac_core::split_op_log;

/// One pack, in bytes.
pub const PACK_BYTES_MAX: usize = 8 << 20;
/// What every pack begins with.
const MAGIC: &[u8; 8] = b"ECACPK1\n";

/// The name of a pack: BLAKE3 of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackName(pub(crate) [u8; 32]);

impl PackName {
    pub(crate) fn of(pack: &[u8]) -> Self {
        Self(*blake3::hash(pack).as_bytes())
    }

    /// The first part of the object's name: packs lie in [`PackName::PARTS`] parts.
    pub(crate) fn part(part: u8) -> String {
        format!("packs-{part:02x}")
    }

    /// How many parts there are.
    pub(crate) const PARTS: usize = 256;

    /// The name of the object.
    pub(crate) fn object(&self) -> String {
        format!("{}/{self}", Self::part(self.0[0]))
    }

    /// The pack whose object has this second part in its name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let name = Self(hex::decode(text).ok()?.try_into().ok()?);
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for PackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A pack of envelopes, in order.
pub(crate) fn pack<'a>(envelopes: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    envelopes.into_iter().for_each(|it| bytes.extend(it));
    bytes
}

/// The envelopes of a pack with the name; `None` if it is not what its name says.
pub(crate) fn unpack(name: PackName, bytes: &[u8]) -> Option<Vec<&[u8]>> {
    if PackName::of(bytes) != name {
        return None;
    }
    split_op_log(bytes.strip_prefix(MAGIC)?).ok()
}
