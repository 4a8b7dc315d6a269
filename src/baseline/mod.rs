//! Whether a database is already what migrations would make of it. Pure.

mod compare;
mod elsewhere;
mod harmless;

use crate::domain::CheckDefinition;

pub use compare::{adoptable, differences, is_book, told};
pub use elsewhere::reaches_out;
pub use harmless::{leaving, passed_over};

pub const VERSION: CheckDefinition = CheckDefinition {
    id: "baseline.version",
    title: "the version is one that can be adopted",
};
pub const MADE: CheckDefinition = CheckDefinition {
    id: "baseline.made",
    title: "what the migrations make could be learnt",
};
pub const STRUCTURE: CheckDefinition = CheckDefinition {
    id: "baseline.structure",
    title: "what is there is what the migrations make",
};

pub const CHECKS: &[CheckDefinition] = &[VERSION, MADE, STRUCTURE];
