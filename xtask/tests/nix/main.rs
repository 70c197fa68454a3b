//! The flake, evaluated by nix where it is there, with small flakes in the place of its inputs. Nothing is built.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod evaluate;
mod lock;
mod repro;
mod support;
