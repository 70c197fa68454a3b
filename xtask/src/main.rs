//! The reproduction pipeline of ECAC.
#![forbid(unsafe_code)]

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "verify-golden will be its caller")
)]
mod explain;

fn main() {}
