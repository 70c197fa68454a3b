//! The program as its users meet it: arguments in, bytes and exit code out.

mod audit;
mod bad_input;
mod bench;
mod check;
mod docs;
mod fixture;
mod help;
mod hostile;
mod listing;
mod machine;
mod merge;
mod project;
mod proof;
mod read;
mod run;
#[cfg(unix)]
mod terminal;
#[cfg(unix)]
mod tutorial;
