//! What migrations make of nothing.

use crate::baseline;
use crate::domain::{Finding, Migration, Structure};
use crate::engine::{Engine, EngineError, NotMade};

/// Learns it where that leaves no trace; else why it is not known.
pub(super) async fn learn(
    engine: &dyn Engine,
    shared: &[&Migration],
    own: &[&Migration],
) -> Result<Structure, Vec<Finding>> {
    let all: Vec<&Migration> = shared.iter().chain(own).copied().collect();
    leaving(engine, &all)?;
    engine.made(shared, own).await.map_err(|not| {
        let NotMade { error, migration } = not;
        let migration = migration.and_then(|index| all.get(index)).copied();
        vec![failed(migration, &error)]
    })
}

/// Why they cannot be tried out, where they say so themselves.
pub(super) fn leaving(engine: &dyn Engine, migrations: &[&Migration]) -> Result<(), Vec<Finding>> {
    let found = migrations
        .iter()
        .flat_map(|it| baseline::leaving(it, engine.kind()));
    let found: Vec<Finding> = found.collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// A migration that failed where it was tried out.
pub(super) fn failed(migration: Option<&Migration>, error: &EngineError) -> Finding {
    let what = match migration {
        Some(it) => format!("{} failed where it was tried out: {}", it.label(), error.message),
        None => error.message.clone(),
    };
    let mut finding = Finding::error(what).operational(error.kind.is_operational());
    finding.hint = error.hint();
    match migration {
        Some(migration) => finding.file(&migration.file),
        None => finding,
    }
}
