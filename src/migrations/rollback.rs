//! What a rollback would take back, and what keeps it from doing so. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::words::{count, listed};
use crate::domain::{
    Check, Entry, EntryState, Finding, History, Migration, Scope, Tenant, TenantName, Version,
};

use super::plan::Resume;
use super::{CHANGED, ROLLBACK_DOWN, ROLLBACK_WHOLE, VANISHED};

/// What is taken back of one tenant (or of the shared schema). Tenants with equal histories share one value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Undo {
    /// Indexes into the scope's migrations, newest first.
    pub migrations: Vec<usize>,
    /// Where the first of them goes on.
    pub resume: Option<Resume>,
    /// Newest version that is applied, before anything is taken back.
    pub head: Option<Version>,
    /// Newest version that stays.
    pub stays: Option<Version>,
}

#[derive(Debug, Clone)]
pub struct TenantUndo {
    pub tenant: Tenant,
    pub undo: Arc<Undo>,
}

/// A rollback of one scope.
#[derive(Debug, Clone)]
pub struct Rollback {
    pub shared: Arc<Undo>,
    pub tenants: Vec<TenantUndo>,
    pub checks: Vec<Check>,
}

impl Rollback {
    pub fn is_empty(&self) -> bool {
        self.shared.migrations.is_empty() && self.tenants.iter().all(|it| it.undo.migrations.is_empty())
    }
}

/// What a history has of the migrations that are `wanted` back, newest first.
pub fn undo(migrations: &[Migration], history: &History, wanted: impl Fn(Version) -> bool) -> Undo {
    let mut undo = Undo::default();
    let mut entries: Vec<&Entry> = history.iter().collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.version));
    undo.head = entries.first().map(|entry| entry.version);
    for entry in entries {
        if !wanted(entry.version) {
            undo.stays = undo.stays.max(Some(entry.version));
            continue;
        }
        let Some(index) = migrations.iter().position(|it| it.version == entry.version) else {
            continue;
        };
        if let EntryState::Reverting {
            statement, in_doubt, ..
        } = &entry.state
        {
            // What is half way back is finished before anything else.
            undo.resume = Some(Resume {
                statement: *statement,
                in_doubt: *in_doubt,
            });
            undo.migrations.insert(0, index);
        } else {
            undo.migrations.push(index);
        }
    }
    undo
}

/// The rollback of everything above a version, and all that forbids it: nothing may be touched before.
pub fn rollback(
    scope: Scope,
    migrations: &[Migration],
    to: Version,
    shared: &History,
    tenants: &[(Tenant, Arc<History>)],
) -> Rollback {
    let above = |version: Version| version > to;
    let mut problems = Problems::default();
    let mut undone = Rollback {
        shared: Arc::default(),
        tenants: Vec::new(),
        checks: Vec::new(),
    };
    if scope == Scope::Shared {
        problems.look(scope, migrations, shared, to, &[]);
        undone.shared = Arc::new(undo(migrations, shared, above));
    }
    let mut groups: HashMap<*const History, (&History, Vec<TenantName>)> = HashMap::new();
    for (tenant, history) in tenants {
        let group = groups
            .entry(Arc::as_ptr(history))
            .or_insert((history, Vec::new()));
        group.1.push(tenant.name.clone());
    }
    let mut shared_undos: HashMap<*const History, Arc<Undo>> = HashMap::new();
    for (address, (history, names)) in groups {
        problems.look(scope, migrations, history, to, &names);
        shared_undos.insert(address, Arc::new(undo(migrations, history, above)));
    }
    undone.tenants = tenants
        .iter()
        .map(|(tenant, history)| TenantUndo {
            tenant: tenant.clone(),
            undo: shared_undos
                .get(&Arc::as_ptr(history))
                .cloned()
                .unwrap_or_default(),
        })
        .collect();
    undone.checks = problems.into_checks();
    undone
}

/// Migrations that could not be taken back: asked before a rollout that promises to.
pub fn missing_downs<'m>(migrations: impl IntoIterator<Item = &'m Migration>) -> Vec<Finding> {
    let missing = migrations.into_iter().filter(|it| it.down.is_none());
    missing.map(missing_down).collect()
}

fn missing_down(migration: &Migration) -> Finding {
    Finding::error(format!("{} has no down file", migration.label()))
        .hint("write what takes it back into a file beside it that ends in `.down.sql`")
        .file(&migration.file)
}

/// Findings by version, each with the tenants that it is about.
#[derive(Default)]
struct Problems {
    down: BTreeMap<Version, (Finding, Vec<TenantName>)>,
    whole: BTreeMap<Version, (Finding, Vec<TenantName>)>,
    changed: BTreeMap<Version, (Finding, Vec<TenantName>)>,
    vanished: BTreeMap<Version, (Finding, Vec<TenantName>)>,
}

impl Problems {
    fn look(
        &mut self,
        scope: Scope,
        migrations: &[Migration],
        history: &History,
        to: Version,
        tenants: &[TenantName],
    ) {
        for entry in history.iter().filter(|entry| entry.version > to) {
            let found = migrations.iter().find(|it| it.version == entry.version);
            let (problems, finding) = match (found, found.and_then(|it| it.down.as_deref())) {
                (None, _) => {
                    let label = format!("{scope}/{}_{}.sql", entry.version, entry.name);
                    let finding =
                        Finding::error(format!("{label} was applied and is gone from the migration set"))
                            .hint("restore the file and its down file");
                    (&mut self.vanished, finding)
                }
                (Some(migration), None) => (&mut self.down, missing_down(migration)),
                (Some(migration), Some(down)) => match wrong(entry, migration, down) {
                    None => continue,
                    Some((true, finding)) => (&mut self.whole, finding),
                    Some((false, finding)) => (&mut self.changed, finding),
                },
            };
            let problem = problems.entry(entry.version).or_insert((finding, Vec::new()));
            problem.1.extend_from_slice(tenants);
        }
    }

    fn into_checks(self) -> Vec<Check> {
        let findings = |problems: BTreeMap<_, _>| problems.into_values().map(for_tenants).collect();
        vec![
            Check::answered(&ROLLBACK_DOWN, findings(self.down)),
            Check::answered(&ROLLBACK_WHOLE, findings(self.whole)),
            Check::answered(&CHANGED, findings(self.changed)),
            Check::answered(&VANISHED, findings(self.vanished)),
        ]
    }
}

/// What forbids to take back one entry; true: it is half done.
fn wrong(entry: &Entry, migration: &Migration, down: &Migration) -> Option<(bool, Finding)> {
    let label = migration.label();
    match &entry.state {
        EntryState::Applied if entry.checksum == migration.checksum => None,
        EntryState::Applied => {
            let finding = Finding::error(format!("{label} was edited after it was applied"))
                .hint("restore the file: its down file belongs to what was applied")
                .file(&migration.file);
            Some((false, finding))
        }
        EntryState::Running { statement, .. } => {
            let done = count(*statement, "statement");
            let finding = Finding::error(format!("{label} is half done: {done} of it ran"))
                .hint("run `tenantgate migrate` first, so that it is whole; then roll it back")
                .file(&migration.file);
            Some((true, finding))
        }
        EntryState::Reverting { .. } if entry.checksum == down.checksum => None,
        EntryState::Reverting {
            in_doubt: false,
            statement,
            done,
        } if down.done_checksum(*statement) == *done => None,
        EntryState::Reverting { statement, .. } => {
            let done = count(*statement, "statement");
            let label = down.label();
            let finding = Finding::error(format!(
                "{label} was edited while it is half done: {done} of it ran"
            ))
            .hint("restore it; what failed and what follows it may be changed once the server refused it")
            .file(&down.file);
            Some((false, finding))
        }
    }
}

fn for_tenants((mut finding, mut tenants): (Finding, Vec<TenantName>)) -> Finding {
    tenants.sort();
    match tenants.as_slice() {
        [] => finding,
        [one] => finding.tenant(one),
        many => {
            let by = format!(
                " (applied by {}: {})",
                count(many.len(), "tenant"),
                listed(many, 3)
            );
            finding.message.push_str(&by);
            finding
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckStatus, Checksum, Direction};

    fn migration(version: u64, down: Option<&str>) -> Migration {
        let one = |sql: &str, direction| Migration {
            scope: Scope::Tenant,
            version: Version(version),
            name: "m".to_owned(),
            file: format!("tenant/{version}_m.sql"),
            sql: sql.to_owned(),
            statements: super::super::split(sql, crate::database_url::EngineKind::Mysql).expect("splits"),
            checksum: Checksum::of(sql),
            transactional: true,
            batch: None,
            direction,
            down: None,
        };
        Migration {
            down: down.map(|sql| Box::new(one(sql, Direction::Back))),
            ..one(&format!("select {version}"), Direction::Forward)
        }
    }

    fn entry(migration: &Migration, state: EntryState) -> Entry {
        Entry {
            version: migration.version,
            name: migration.name.clone(),
            checksum: migration.checksum.clone(),
            state,
        }
    }

    fn case(files: &[Migration], history: History, to: u64) -> Rollback {
        let tenant = Tenant {
            name: TenantName::parse("acme").expect("a name"),
            server: None,
            location: "acme".to_owned(),
            active: true,
        };
        let tenants = [(tenant, Arc::new(history))];
        rollback(Scope::Tenant, files, Version(to), &History::new(), &tenants)
    }

    fn failed(rollback: &Rollback) -> Vec<&str> {
        let failed = rollback
            .checks
            .iter()
            .filter(|it| it.status == CheckStatus::Failed);
        failed.map(|it| it.id.as_str()).collect()
    }

    #[test]
    fn what_is_above_goes_back_newest_first() {
        let files = [
            migration(1, Some("x")),
            migration(2, Some("x")),
            migration(3, Some("x")),
        ];
        let history: History = files.iter().map(|it| entry(it, EntryState::Applied)).collect();
        let plan = case(&files, history.clone(), 1);
        assert_eq!(failed(&plan), [""; 0]);
        assert_eq!(plan.tenants[0].undo.migrations, [2, 1]);
        assert_eq!(plan.tenants[0].undo.stays, Some(Version(1)));
        assert!(case(&files, history, 3).is_empty());
    }

    #[test]
    fn what_has_no_way_back_is_named_and_what_stays_is_not_asked() {
        let files = [migration(1, None), migration(2, None), migration(3, Some("x"))];
        let mut history: History = files.iter().map(|it| entry(it, EntryState::Applied)).collect();
        history[0].checksum = Checksum::of("edited");
        assert_eq!(failed(&case(&files, history.clone(), 2)), [""; 0]);
        assert_eq!(failed(&case(&files, history.clone(), 1)), ["rollback.down"]);
        history[2].checksum = Checksum::of("edited");
        assert_eq!(failed(&case(&files, history.clone(), 2)), ["ledger.changed"]);
        assert_eq!(failed(&case(&files[..2], history, 2)), ["ledger.vanished"]);
    }

    #[test]
    fn half_done_goes_forward_first_and_half_back_goes_on() {
        let files = [migration(1, Some("x; y; z"))];
        let done = files[0].down.as_ref().expect("a way back").done_checksum(1);
        let running = EntryState::Running {
            statement: 1,
            done: done.clone(),
            in_doubt: false,
        };
        assert_eq!(
            failed(&case(&files, vec![entry(&files[0], running)], 0)),
            ["rollback.whole"]
        );
        let reverting = |in_doubt| EntryState::Reverting {
            statement: 1,
            done: done.clone(),
            in_doubt,
        };
        let mut half_back = entry(&files[0], reverting(false));
        let plan = case(&files, vec![half_back.clone()], 0);
        assert_eq!(failed(&plan), [""; 0], "only what follows was changed");
        assert_eq!(
            plan.tenants[0].undo.resume.as_ref().map(|it| it.statement),
            Some(1)
        );
        half_back.state = reverting(true);
        assert_eq!(failed(&case(&files, vec![half_back], 0)), ["ledger.changed"]);
    }
}
