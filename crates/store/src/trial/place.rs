//! Where the store of a trial lies: on a disk in memory, or in a directory.

use std::path::Path;

use super::image::Image;
use super::{CACHE_BYTES, NAME};
use crate::backend::Backend;
use crate::disk::{Check, Disk};
use crate::durable::DurableReplica;
use crate::error::Error;
use crate::options::Options;
use crate::store::Store;

/// A place for one store.
pub(super) trait Place {
    /// The backend of a new store.
    fn make(&self) -> Box<dyn Backend>;

    /// The backend of the store that is there.
    fn find(&self) -> Result<Box<dyn Backend>, Error>;

    /// Lets the replica go as a process does that is killed.
    fn kill(&self, replica: DurableReplica);

    /// The replica that is there.
    fn open(&self) -> Result<DurableReplica, Error> {
        Options::new().on(Store::open_on(Path::new(NAME), self.find()?)?, true)
    }
}

impl Place for Image {
    fn make(&self) -> Box<dyn Backend> {
        let image = Box::new(self.clone());
        Box::new(Disk::create_on(Path::new(NAME), image, CACHE_BYTES).unwrap())
    }

    fn find(&self) -> Result<Box<dyn Backend>, Error> {
        let image = Box::new(self.clone());
        let disk = Disk::open_on(Path::new(NAME), image, CACHE_BYTES, false, Check::AsRead)?;
        Ok(Box::new(disk))
    }

    fn kill(&self, replica: DurableReplica) {
        let left = self.bytes();
        drop(replica);
        self.replace(left);
    }
}
