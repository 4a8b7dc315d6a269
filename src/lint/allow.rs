//! Which statements the allow comments of a file are about.

use std::cell::Cell;

use crate::domain::{Finding, Migration, Statement};
use crate::migrations::{self, Allow};
use crate::rules::{named, rules};
use crate::settings::nearest;

/// The allow comments of one file, and which of them were of use.
pub(super) struct Allows<'m> {
    migration: &'m Migration,
    allows: Vec<(Allow, Vec<Allowed>)>,
}

/// A rule, and whether the comment was of use for it.
type Allowed = (&'static str, Cell<bool>);

impl<'m> Allows<'m> {
    /// Also what is wrong with them.
    pub(super) fn of(migration: &'m Migration) -> (Self, Vec<Finding>) {
        let mut findings = Vec::new();
        let mut allows = Vec::new();
        let first = migration.statements.first().map_or(usize::MAX, |it| it.line);
        for allow in migrations::allows(&migration.sql) {
            let place = |finding: Finding| finding.file(&migration.file).at(allow.line, 1);
            if allow.whole_file && allow.line > first {
                findings.push(place(
                    Finding::error("`allow-file` stands before the first statement")
                        .hint("move it up, or write `allow` for the statement that follows"),
                ));
                continue;
            }
            let mut known = Vec::new();
            for id in &allow.rules {
                match named(id) {
                    Some(rule) => known.push((rule.id, Cell::new(false))),
                    None => {
                        let near = nearest(id, rules().iter().map(|rule| rule.id));
                        let mut finding = Finding::error(format!("there is no rule `{id}`"));
                        finding.hint = near.map(|near| format!("did you mean `{near}`?"));
                        findings.push(place(finding));
                    }
                }
            }
            allows.push((allow, known));
        }
        (Self { migration, allows }, findings)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.allows.is_empty()
    }

    /// A comment allows it; it is of use then.
    pub(super) fn allow(&self, rule: &str, statement: Option<&Statement>) -> bool {
        let mut allowed = false;
        for (allow, rules) in &self.allows {
            let concerns = allow.whole_file || statement.is_some_and(|it| self.concerns(allow, it));
            for (_, used) in rules.iter().filter(|(id, _)| concerns && *id == rule) {
                used.set(true);
                allowed = true;
            }
        }
        allowed
    }

    /// The statement that it stands in, or else the next one.
    fn concerns(&self, allow: &Allow, statement: &Statement) -> bool {
        let end = |it: &Statement| it.line + it.sql.matches('\n').count();
        let mut statements = self.migration.statements.iter();
        statements.find(|it| end(it) >= allow.line) == Some(statement)
    }

    pub(super) fn unused(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (allow, rules) in &self.allows {
            for (id, _) in rules.iter().filter(|(_, used)| !used.get()) {
                let finding =
                    Finding::warning(format!("`{id}` finds nothing here that this comment could allow"))
                        .hint("take it out, or put it right before the statement that is meant");
                findings.push(finding.file(&self.migration.file).at(allow.line, 1));
            }
        }
        findings
    }
}
