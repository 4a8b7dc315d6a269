//! What is half done, and what would have to be done about it, in words. Pure.

use crate::domain::words::count;
use crate::domain::{Entry, EntryState, Finding, Migration, Scope, Version};

/// Where the tenants' names go, once all are known.
pub(super) const NAMES: &str = "{tenants}";

/// To where a rollback goes that takes a version back: `0002 --scope shared`.
fn way_back(scope: Scope, migrations: &[Migration], version: Version) -> String {
    let before = migrations.iter().map(|it| it.version).filter(|it| *it < version);
    let to = before.max().unwrap_or(Version(0));
    match scope {
        Scope::Shared => format!("{to} --scope shared"),
        Scope::Tenant => to.to_string(),
    }
}

/// Nothing may be applied before that is finished.
pub(super) fn half_way_back(
    scope: Scope,
    version: Version,
    done: usize,
    migrations: &[Migration],
) -> Finding {
    let to = way_back(scope, migrations, version);
    Finding::error(format!(
        "{scope} migration {version} is half way back: {} of its down file done",
        count(done, "statement")
    ))
    .hint(format!(
        "run `tenantgate rollback --to {to}{NAMES}` again: it goes on from there"
    ))
}

/// An earlier rollback went further back than this one, and is not done.
pub(super) fn stays_half_way_back(scope: Scope, version: Version, migrations: &[Migration]) -> Finding {
    let to = way_back(scope, migrations, version);
    let message = format!("{scope} migration {version} is half way back, and would stay so");
    Finding::error(message).hint(format!("`--to {to}` finishes it"))
}

/// The ledger has what the folder lacks.
pub(super) fn gone(scope: Scope, entry: &Entry, migrations: &[Migration]) -> Finding {
    let to = way_back(scope, migrations, entry.version);
    let (was, hint) = match &entry.state {
        state if state.has_done_nothing() => (
            "begun",
            format!("restore the file, and run `tenantgate rollback --to {to}`: then it may go"),
        ),
        EntryState::Running { .. } => (
            "begun",
            "restore the file: what is half done must be finished".to_owned(),
        ),
        _ => (
            "applied",
            "restore the file; what it did is undone by a new migration, not by deleting it".to_owned(),
        ),
    };
    let label = format!("{scope}/{}_{}.sql", entry.version, entry.name);
    Finding::error(format!("{label} was {was} and is gone from the migration set")).hint(hint)
}
