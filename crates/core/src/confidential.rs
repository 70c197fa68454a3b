//! What the feature `confidential` marks: tags, and how keys are sealed to their readers (`docs/protocol.md`, Sealed values and
//! keys).

use minicbor::{Decoder, Encoder};
use strum::{Display, EnumString, FromRepr, IntoStaticStr, VariantArray};

use crate::name::Tags;
use crate::wire::{expect_array, read_tags, write_tags};

/// A key encapsulation mechanism of HPKE (RFC 9180), by which content keys are sealed to readers.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumString,
    FromRepr,
    IntoStaticStr,
    VariantArray,
)]
#[repr(u8)]
pub enum Kem {
    /// DHKEM(X25519, HKDF-SHA256).
    #[strum(serialize = "x25519")]
    X25519 = 1,
    /// X-Wing: X25519 with ML-KEM-768.
    #[strum(serialize = "x-wing")]
    XWing = 2,
}

impl Kem {
    /// Every KEM.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name, `x25519` or `x-wing`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The number in ops and in the parameters of the feature.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The KEM of that number, if there is one.
    #[must_use]
    pub const fn numbered(number: u8) -> Option<Self> {
        Self::from_repr(number)
    }

    /// Length of a public key, in bytes.
    #[must_use]
    pub const fn public_key_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1216,
        }
    }

    /// Length of an encapsulated key (`enc`), in bytes.
    #[must_use]
    pub const fn enc_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1120,
        }
    }
}

/// The parameters of the feature `confidential`.
///
/// ```
/// use ecac_core::{Confidential, Kem, Name};
///
/// let marks = Confidential { kem: Kem::X25519, tags: [Name::new("hr")?].into() };
/// assert_eq!(Confidential::read(&marks.parameters()), Some(marks));
/// # Ok::<(), ecac_core::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confidential {
    /// How keys are sealed to readers.
    pub kem: Kem,
    /// The tags that are confidential, 1 to [`crate::limits::TAGS_MAX`].
    pub tags: Tags,
}

impl Confidential {
    /// The bytes that name them. With no tags, with too many, or with more than
    /// [`crate::limits::FEATURE_PARAMETERS_BYTES_MAX`] bytes of them nobody reads them again.
    #[must_use]
    pub fn parameters(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let out = &mut Encoder::new(&mut bytes);
        let head = out.array(2).and_then(|out| out.u8(self.kem.number()));
        let written = head.map(|_| ()).and_then(|()| write_tags(out, &self.tags));
        // Writing into a vector cannot fail.
        debug_assert!(written.is_ok());
        bytes
    }

    /// What the parameters say, if they are the one encoding of it.
    #[must_use]
    pub fn read(parameters: &[u8]) -> Option<Self> {
        let input = &mut Decoder::new(parameters);
        expect_array(input, 2, "parameters").ok()?;
        let kem = Kem::numbered(input.u8().ok()?)?;
        let tags = read_tags(input).ok()?;
        let marks = Self { kem, tags };
        (!marks.tags.is_empty() && marks.parameters() == parameters).then_some(marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_one_encoding() {
        let check = |bytes: &str, sound: bool| {
            let bytes = hex::decode(bytes).unwrap();
            assert_eq!(Confidential::read(&bytes).is_some(), sound, "{bytes:02x?}");
        };
        check("8201816161", true);
        check("820282616162", false);
        check("82028261616162", true);
        // Another KEM, no tags, out of order, twice, wide heads, a byte more, a byte less, other shapes.
        check("8200816161", false);
        check("8203816161", false);
        check("820180", false);
        check("82018261626161", false);
        check("82018261616161", false);
        check("821801816161", false);
        check("82019801616100", false);
        check("820181616100", false);
        check("82018161", false);
        check("8301816161f6", false);
        check("9f01816161ff", false);
        check("", false);
        check("a0", false);
    }

    #[test]
    fn kems_are_found_by_their_numbers_and_names() {
        for kem in Kem::ALL {
            assert_eq!(Kem::numbered(kem.number()), Some(*kem));
            assert_eq!(kem.name().parse(), Ok(*kem));
        }
        assert_eq!((Kem::numbered(0), Kem::numbered(3)), (None, None));
    }
}
