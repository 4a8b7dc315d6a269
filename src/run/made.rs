//! What migrations make, learnt where it leaves no trace.

use crate::baseline;
use crate::domain::{Finding, Migration, Structure};
use crate::engine::{Engine, EngineError, ErrorKind, NotMade};

/// Why it is not known what migrations make.
pub(super) struct Unlearnt {
    pub(super) findings: Vec<Finding>,
    /// The role may not make a scratch, or nobody may here.
    pub(super) not_allowed: bool,
}

/// The structure that `own` make of nothing, on top of `shared`; else why it cannot be learnt.
pub(super) async fn made(
    engine: &dyn Engine,
    shared: &[&Migration],
    own: &[&Migration],
) -> Result<Structure, Unlearnt> {
    let all: Vec<&Migration> = shared.iter().chain(own).copied().collect();
    let leaving = leaving(engine, &all);
    if !leaving.is_empty() {
        return Err(Unlearnt {
            findings: leaving,
            not_allowed: false,
        });
    }
    engine.made(shared, own).await.map_err(|not_made| {
        let NotMade { error, migration } = not_made;
        let migration = migration.and_then(|index| all.get(index)).copied();
        Unlearnt {
            not_allowed: matches!(error.kind, ErrorKind::Forbidden | ErrorKind::ReadOnly),
            findings: vec![failed(migration, &error)],
        }
    })
}

/// Why they cannot be tried out, where they say so themselves.
pub(super) fn leaving(engine: &dyn Engine, migrations: &[&Migration]) -> Vec<Finding> {
    let found = migrations
        .iter()
        .flat_map(|it| baseline::leaving(it, engine.kind()));
    found.collect()
}

/// One that failed where it was tried out.
pub(super) fn failed(migration: Option<&Migration>, error: &EngineError) -> Finding {
    let what = match migration {
        Some(it) => format!("{} failed where it was tried out: {}", it.label(), error.message),
        None => error.message.clone(),
    };
    // A lock that was not to be had, or a slow server, says nothing of the migration.
    let unanswered = error.kind.is_operational() || error.kind.is_passing();
    let mut finding = Finding::error(what).operational(unanswered);
    finding.hint = error.hint();
    match migration {
        Some(migration) => finding.file(&migration.file),
        None => finding,
    }
}
