//! What migrations did where they were tried out: what tells two states apart, and how it is told. Pure.

mod state;

use crate::domain::words::listed;
use crate::domain::{CheckDefinition, Finding, Migration, Severity};

pub use state::{State, Touched, changes};

pub const TWICE: CheckDefinition = CheckDefinition {
    id: "prove.twice",
    title: "a second run of the migrations changes nothing",
};
pub const BACK: CheckDefinition = CheckDefinition {
    id: "prove.back",
    title: "every down file takes back what its migration made",
};
pub const ONTO: CheckDefinition = CheckDefinition {
    id: "prove.onto",
    title: "what is pending makes of what is there what it makes of nothing",
};

pub const CHECKS: &[CheckDefinition] = &[TWICE, BACK, ONTO];

/// How many migrations are named in one sentence.
const NAMED: usize = 10;

/// Those that cannot run a second time; the ledger runs them once.
pub fn refused(refused: &[&Migration], all: usize, severity: Severity) -> Option<Finding> {
    let labels: Vec<String> = refused.iter().map(|it| it.label()).collect();
    let verb = if refused.len() == 1 { "is" } else { "are" };
    (!refused.is_empty()).then(|| Finding {
        severity,
        ..Finding::note(format!(
            "{} of {all} migrations {verb} refused a second time, and changed nothing: {}",
            refused.len(),
            listed(&labels, NAMED)
        ))
        .hint("the ledger runs each once; IF NOT EXISTS would make them harmless where somebody runs one by hand")
    })
}

/// One that was refused a second time half way, where the engine does not take back what came before.
pub fn left(migration: &Migration, changes: &str, severity: Severity) -> Finding {
    let finding = Finding {
        severity,
        ..Finding::note(format!(
            "{} is refused a second time, and leaves something of its first statements: {changes}",
            migration.label()
        ))
    };
    finding
        .hint("the ledger runs each statement once; somebody who runs the file by hand stops half way")
        .file(&migration.file)
}

/// One that ran a second time, and left something.
pub fn changed(migration: &Migration, changes: &str, severity: Severity) -> Finding {
    let finding = Finding {
        severity,
        ..Finding::note(format!(
            "{} leaves something when it runs a second time: {changes}",
            migration.label()
        ))
    };
    finding
        .hint("name what it makes and say IF NOT EXISTS; insert with ON CONFLICT DO NOTHING or INSERT IGNORE")
        .file(&migration.file)
}

/// Those that have no down file.
pub fn without_down(missing: &[&Migration], all: usize) -> Option<Finding> {
    let labels: Vec<String> = missing.iter().map(|it| it.label()).collect();
    let verb = if missing.len() == 1 { "has" } else { "have" };
    (!missing.is_empty()).then(|| {
        Finding::note(format!(
            "{} of {all} migrations {verb} no down file, so no way back was tried: {}",
            missing.len(),
            listed(&labels, NAMED)
        ))
    })
}
