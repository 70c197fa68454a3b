//! `bundle verify` on a release and on what others make of it.

mod cost;
mod demand;
mod desk;
mod forgery;
mod set;
mod step;
