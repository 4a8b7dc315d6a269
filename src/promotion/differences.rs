//! What a migration set has that a recorded one has not, and the other way round.

use std::collections::BTreeMap;

use crate::domain::words::{count, listed};
use crate::domain::{MigrationSet, Scope, Version};

use super::{Predicate, RecordedMigration};

/// More lines than this are counted.
const SHOWN: usize = 10;

pub(super) struct Differences(Vec<String>);

impl Differences {
    /// `+` only here, `-` only there, `~` in both with another content.
    pub(super) fn between(there: &[RecordedMigration], here: &[RecordedMigration]) -> Self {
        let (there, here) = (by_key(there), by_key(here));
        let mut lines = Vec::new();
        for (key, migration) in &here {
            match there.get(key) {
                None => lines.push(format!("+ {}", migration.label())),
                Some(before) if !before.is_like(migration) => {
                    lines.push(format!("~ {} (edited)", migration.label()));
                }
                Some(before) if before.name != migration.name => {
                    lines.push(format!("~ {} (was {})", migration.label(), before.label()));
                }
                Some(_) => {}
            }
        }
        let gone = there.iter().filter(|(key, _)| !here.contains_key(*key));
        lines.extend(gone.map(|(_, migration)| format!("- {}", migration.label())));
        Self(lines)
    }

    pub(super) fn only_added(&self) -> bool {
        self.0.iter().all(|line| line.starts_with('+'))
    }
}

fn by_key(all: &[RecordedMigration]) -> BTreeMap<(Scope, Version), &RecordedMigration> {
    all.iter().map(|it| ((it.scope, it.version), it)).collect()
}

/// Everything of this set is in the recorded one, with the same content.
pub(super) fn is_part_of(set: &MigrationSet, recorded: &Predicate) -> bool {
    let recorded = by_key(&recorded.migrations);
    let known = |it: &RecordedMigration| {
        recorded
            .get(&(it.scope, it.version))
            .is_some_and(|there| there.is_like(it))
    };
    RecordedMigration::all(set).iter().all(known)
}

/// `uat passed with 41 migrations; this change has 42: + tenant/0042_add_priority.sql`, and whether
/// nothing but additions was found.
pub(super) fn describe(after: &str, passed: &Predicate, set: &MigrationSet) -> (String, bool) {
    let counted = passed.migration_count();
    let head = format!(
        "{after} passed with {}; this change has {}",
        count(counted, "migration"),
        set.iter().count()
    );
    if passed.migrations.is_empty() && counted > 0 {
        return (
            format!("{head} (its evidence had no room to name them, so neither can this)"),
            true,
        );
    }
    let differences = Differences::between(&passed.migrations, &RecordedMigration::all(set));
    let only_added = differences.only_added();
    if differences.0.is_empty() {
        return (format!("{head}: the same names, and another digest"), only_added);
    }
    (format!("{head}: {}", listed(&differences.0, SHOWN)), only_added)
}
