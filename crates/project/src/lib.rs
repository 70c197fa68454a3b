//! A project directory: what one person on one machine keeps of one project, for programs that people use.
//!
//! A [`Project`] is the directory `.ecac` with a durable store, the audit log of this machine, and the names that its user gave to
//! people; a [`Home`] is the user's own directory with private keys, and with what tells a restored backup from what it was.
//! `docs/cli.md` says what lies where. The clock and the random source are the caller's: times and seeds are arguments.
#![forbid(unsafe_code)]

mod config;
mod core_dump;
mod device_request;
mod error;
mod file;
mod home;
mod invitation;
mod issuer;
mod keeper;
mod key;
mod key_name;
mod mailbox;
mod peer;
mod petname;
mod project;
mod reader;
mod refused;
mod suggest;
mod trail;
mod writer;

pub use config::{CONFIG, Config, VERSION};
pub use core_dump::no_core_dumps;
pub use device_request::{DeviceRequest, ParseDeviceRequestError};
pub use error::{Cause, Error};
pub use home::Home;
pub use invitation::{Invitation, ParseInvitationError};
pub use issuer::{Issuer, NewCredential};
pub use key::{Key, KeyUse};
pub use key_name::{KeyName, KeyNameError};
pub use mailbox::MAILBOXES;
pub use peer::{ParsePeerError, Peer};
pub use petname::{Petname, PetnameError};
pub use project::{AUDIT, FOLDER, Founding, Project, STORE, find, folder_in};
pub use reader::Reader;
pub use refused::REFUSED;
pub use suggest::suggest;
pub use trail::view_of;
pub use writer::Writer;
