//! What is told of ops that came from others, by whichever way.

use ecac_core::{PublicKey, Received, Replica};
use ecac_project::Project;
use serde_json::Value as Json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::nudge;
use crate::people::People;
use crate::told::Teller;

/// What a replica that has taken them in says of them.
pub(crate) struct Arrival {
    /// For programs.
    pub(crate) document: Json,
    /// For people.
    pub(crate) told: String,
    /// What there is to do now.
    pub(crate) notes: String,
}

impl Arrival {
    /// Of what `me` has received.
    pub(crate) fn of(
        received: &Received,
        project: &Project,
        replica: &Replica,
        me: &PublicKey,
        globals: &Globals,
    ) -> Result<Self, Failure> {
        let people = People::of(project);
        let teller = Teller {
            replica,
            people: &people,
        };
        Ok(Self {
            document: teller.received_json(received),
            told: teller.received(received),
            notes: nudge::readers(replica, &people, me, globals.now_ms()?),
        })
    }
}
