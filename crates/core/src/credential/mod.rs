//! Credentials and status lists: W3C Verifiable Credentials secured as JWTs.
//!
//! A credential says who may do what, where and when; a status list withdraws credentials by number. Both are
//! documents of the VC Data Model 2.0 in a compact JWS (VC-JOSE-COSE: `typ` is `vc+jwt`, `alg` is `EdDSA`), so
//! one minted by another VC 2.0 library works here.
//!
//! Reading is strict, because two replicas, or two implementations, that read one document differently would
//! grant different authority: a member name that occurs twice, base64 that is not canonical, a date that is not
//! in the calendar and a status of an unknown kind are errors. Members that no rule names are ignored.
//!
//! Nothing here trusts a key. [`Credential::parse`] and [`StatusList::parse`] read; `verifies_with` judges the
//! signature under ZIP 215 with the key that the caller trusts.

mod claims;
mod error;
mod json;
mod jwt;
pub mod mint;
mod role;
mod status;
mod status_list;
#[cfg(test)]
mod tests;
mod time;
mod vc;

pub use error::{CredentialError, Part};
pub(crate) use jwt::Signed;
#[cfg(test)]
pub(crate) use jwt::{Compact, sign_compact};
pub use role::{Role, UnknownRole};
pub use status::{StatusPurpose, StatusRef, UnknownStatusPurpose};
pub use status_list::StatusList;
pub use time::{Timestamp, TimestampError};
pub use vc::Credential;
