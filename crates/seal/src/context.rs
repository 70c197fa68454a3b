//! Context: the one place in one op for which a value is sealed.

use ecac_core::{Body, Hlc, OpId, ProjectId, PublicKey};
use minicbor::Encoder;
use minicbor::encode::Error;

/// The additional data of a sealed value: where it stands. A ciphertext is good nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The project.
    pub project: &'a ProjectId,
    /// Who signs the op.
    pub author: &'a PublicKey,
    /// The number of the op.
    pub seq: u64,
    /// The parents of the op, ascending.
    pub parents: &'a [OpId],
    /// The stamp of the op.
    pub hlc: Hlc,
    /// Object.
    pub object: &'a str,
    /// Field of the object.
    pub field: &'a str,
    /// Element of a set; `None` for a register.
    pub element: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// The context of what an op of the project with this body writes; `None` if it writes no data.
    #[must_use]
    pub fn of(project: &'a ProjectId, body: &'a Body) -> Option<Self> {
        let (object, field) = body.payload.target()?;
        Some(Self {
            project,
            author: &body.author,
            seq: body.seq,
            parents: &body.parents,
            hlc: body.hlc,
            object,
            field,
            element: body.payload.element().map(|it| it.as_str()),
        })
    }

    /// The additional data, in the one encoding.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing into a vector cannot fail.
        let written = self.write(&mut Encoder::new(&mut bytes));
        debug_assert!(written.is_ok());
        bytes
    }

    fn write(
        &self,
        out: &mut Encoder<&mut Vec<u8>>,
    ) -> Result<(), Error<core::convert::Infallible>> {
        out.array(9)?.str("ECAC_VALUE_V1")?;
        out.bytes(self.project.as_bytes())?;
        out.bytes(self.author.as_bytes())?.u64(self.seq)?;
        out.array(self.parents.len() as u64)?;
        for parent in self.parents {
            out.bytes(parent.as_bytes())?;
        }
        out.array(3)?.u64(self.hlc.physical_ms)?;
        out.u32(self.hlc.logical)?.u32(self.hlc.node)?;
        out.str(self.object)?.str(self.field)?;
        match self.element {
            Some(element) => out.str(element)?,
            None => out.null()?,
        };
        Ok(())
    }
}
