//! What a project directory remembers of mailboxes, so that nothing is read twice.

use std::fs;

use crate::error::Error;
use crate::file;
use crate::project::Project;

/// Name of the directory with a file for each mailbox.
pub const MAILBOXES: &str = "mailboxes";

impl Project {
    /// What was remembered of the mailbox with this id; `None` if there is nothing that can be read, which costs nothing but
    /// time.
    #[must_use]
    pub fn mailbox_memory(&self, id: &[u8; 16]) -> Option<Vec<u8>> {
        fs::read(self.folder().join(MAILBOXES).join(hex::encode(id))).ok()
    }

    /// Remembers something of the mailbox with this id.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remember_mailbox(&self, id: &[u8; 16], memory: &[u8]) -> Result<(), Error> {
        let folder = self.folder().join(MAILBOXES);
        let made = fs::create_dir_all(&folder);
        made.map_err(|error| Error::io("make the directory", &folder, error))?;
        file::replace(&folder.join(hex::encode(id)), memory)
    }
}
