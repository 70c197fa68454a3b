//! Bodies that are wrong in one way each, with the verdict.

mod feature;
mod jwt;
mod map;
mod name;
mod op;
mod parent;
pub(crate) mod payload;
mod secret;
mod set;
mod signed;
mod size;
pub(crate) mod table;
mod unassigned;
mod value;
mod window;

pub(crate) use payload::{body_of, payloads};
pub(crate) use table::Hostile;

use table::Table;

/// Every hostile body.
pub(crate) fn bodies() -> Vec<Hostile> {
    let mut table = Table(Vec::new());
    op::add(&mut table);
    map::add(&mut table);
    parent::add(&mut table);
    name::add(&mut table);
    set::add(&mut table);
    feature::add(&mut table);
    unassigned::add(&mut table);
    value::add(&mut table);
    jwt::add(&mut table);
    signed::add(&mut table);
    size::add(&mut table);
    window::add(&mut table);
    secret::add(&mut table);
    table.0
}
