//! What of this machine the commands meet: its files, its children, its signals, its terminal.

pub mod claim;
pub mod command_line;
pub mod cpu;
pub mod environment;
pub mod error;
pub mod guard;
pub mod input;
pub mod interrupt;
pub mod network;
pub mod output;
pub mod process;
pub mod progress;
pub mod removal;
pub mod toolchain;
pub mod tools;
pub mod workdir;
pub mod workspace;
pub mod wrap;
