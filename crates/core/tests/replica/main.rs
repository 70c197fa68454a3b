//! A replica among strangers: what an honest author names as parents, in which order a file of ops is taken in, what
//! is held of ops that do not count, what ops of trust or policy come to, and what forks cost; and one object over all of
//! it, as who embeds it sees it.

mod answers;
mod carried;
mod devices;
mod effects;
mod embed;
mod forks;
mod form;
mod garbage;
mod guide;
mod holders;
mod late;
mod limits;
mod living;
mod meeting;
mod office;
mod order;
mod parents;
mod project;
mod quorum;
mod rage;
mod regained;
mod restore;
mod titles;
mod witnesses;

#[path = "../../examples/refurbishing_shop.rs"]
mod refurbishing_shop;

#[test]
fn the_example_runs() -> Result<(), Box<dyn std::error::Error>> {
    refurbishing_shop::main()
}
