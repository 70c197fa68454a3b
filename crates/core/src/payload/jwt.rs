//! What the payloads whose one member is a JWT have in common.

use core::fmt::Display;

use minicbor::Decoder;
use serde_json::{Value as Json, json};

use super::describe::Part;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::wire::{CodecError, Out, Written, expect_entries, expect_key, limit, read};

/// A payload whose one member is a JWT.
pub(super) trait OneJwt: Sized {
    fn of(jwt: String) -> Self;

    fn jwt(&self) -> &str;

    fn write(&self, kind: u16, out: &mut Out<'_>) -> Written {
        out.map(2)?.u8(0)?.u16(kind)?.u8(1)?.str(self.jwt())?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>, entries: u64) -> Result<Self, CodecError> {
        expect_entries(entries, 2)?;
        expect_key(input, 1)?;
        Ok(Self::of(read!(input, str, "JWT").to_owned()))
    }

    /// A JWT is judged as such where it is used; here it has to be printable ASCII of a bounded length.
    fn check(&self) -> Result<(), CodecError> {
        let jwt = self.jwt();
        if jwt.is_empty() || !jwt.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CodecError::JwtNotAscii);
        }
        limit("JWT", jwt.len(), PAYLOAD_BYTES_MAX)
    }

    fn members(&self) -> Json {
        json!({ "jwt": self.jwt() })
    }
}

/// The description of a JWT that cannot be read.
pub(super) fn unreadable(error: &impl Display) -> Vec<Part> {
    vec![Part::Word("unreadable:"), Part::Escaped(error.to_string())]
}
