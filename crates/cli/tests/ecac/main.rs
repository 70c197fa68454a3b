//! The program as its users meet it: arguments in, bytes and exit code out.

mod audit;
mod bad_input;
mod bench;
mod docs;
mod fixture;
mod help;
mod machine;
mod read;
mod run;
