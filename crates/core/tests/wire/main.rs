//! The wire format as others see it: `docs/protocol.cddl`, an independent COSE library, published signature
//! vectors, pinned bytes, and every way to be wrong.

mod agreement;
mod batch;
mod canonical;
mod cose;
mod frames;
mod golden;
mod hostile;
mod properties;
mod raw;
mod sample;
mod zip215;
