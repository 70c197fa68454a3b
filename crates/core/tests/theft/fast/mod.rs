//! The rule and the laws once more, on sets as bits, and a walk that goes to every history once: what 7 ops take.
//!
//! | Part | What it is |
//! |---|---|
//! | `ledger` | what is decided of a history with at most one seal: for every op at once what a denial takes |
//! | `laws` | the laws and the sights, of one op that arrives |
//! | `print` | a number for a history and its decisions, however it is listed |
//! | `walk` | every history, each in one way |

pub(crate) mod laws;
pub(crate) mod ledger;
pub(crate) mod print;
pub(crate) mod walk;
