//! What squawk's parser does not understand. Found where squawk is called.

use super::super::rule::{Group, Level, Levels, Rule};

pub(in super::super) const RULE: Rule = Rule {
    id: "unreadable-statement",
    group: Group::Style,
    title: "a statement is not understood by the linter's parser",
    why: "the server may understand it all the same; the rules of squawk have looked at the rest only",
    safe: "look at it yourself",
    levels: Levels::postgres(Level::Note),
    squawk: false,
};
