//! A replica among strangers: what an honest author names as parents, in which order a file of ops is taken in, what
//! is held of ops that do not count, what ops of trust or policy come to, and what forks cost.

mod devices;
mod effects;
mod forks;
mod limits;
mod order;
mod parents;
mod project;
mod quorum;
mod rage;
