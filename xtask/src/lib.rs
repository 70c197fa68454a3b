//! The reproduction pipeline of ECAC: from a source tree to artifacts that anyone can make again, byte for byte.
//!
//! The modules stand on each other in one direction: [`command`] on [`reproduce`] on [`set`] on [`source`] on [`host`].
//! The programs that `cargo xtask` builds when they are asked for, each a crate of its own, stand on this one.
#![forbid(unsafe_code)]

pub mod command;
pub mod host;
pub mod reproduce;
pub mod set;
pub mod source;
