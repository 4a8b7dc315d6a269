//! What a rollback would take back, and what keeps it from doing so. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::database_url::EngineKind;
use crate::domain::words::{count, listed};
use crate::domain::{
    Check, Entry, EntryState, Finding, History, Migration, Scope, Tenant, TenantName, Version,
};

use super::plan::Resume;
use super::unfinished::stays_half_way_back;
use super::{CHANGED, ROLLBACK_DOWN, ROLLBACK_WHOLE, VANISHED};

/// What is taken back of one tenant (or of the shared schema). Tenants with equal histories share one value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Undo {
    /// Indexes into the scope's migrations, newest first.
    pub migrations: Vec<usize>,
    /// Those that were begun and of which nothing ran: only their rows go.
    pub void: Vec<usize>,
    /// Where the first of `migrations` goes on.
    pub resume: Option<Resume>,
    /// Newest version that is applied, before anything is taken back.
    pub head: Option<Version>,
    /// Newest version that stays.
    pub stays: Option<Version>,
}

impl Undo {
    pub fn is_empty(&self) -> bool {
        self.migrations.is_empty() && self.void.is_empty()
    }
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
    /// Something that ran goes, not only rows of what never did.
    pub fn takes_back(&self) -> bool {
        let tenants = self.tenants.iter().map(|it| &it.undo);
        let mut all = std::iter::once(&self.shared).chain(tenants);
        all.any(|undo| !undo.migrations.is_empty())
    }

    pub fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.tenants.iter().all(|it| it.undo.is_empty())
    }
}

/// What a history has of the migrations that are `wanted` back, newest first.
pub fn undo(migrations: &[Migration], history: &History, wanted: impl Fn(Version) -> bool) -> Undo {
    let mut undo = Undo::default();
    let mut entries: Vec<&Entry> = history.iter().collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.version));
    for entry in entries {
        let index = migrations.iter().position(|it| it.version == entry.version);
        if !entry.state.has_done_nothing() {
            undo.head = undo.head.max(Some(entry.version));
        }
        if !wanted(entry.version) {
            if !entry.state.has_done_nothing() {
                undo.stays = undo.stays.max(Some(entry.version));
            }
            continue;
        }
        let Some(index) = index else {
            continue;
        };
        match &entry.state {
            EntryState::Reverting {
                statement, in_doubt, ..
            } => {
                // What is half way back is finished before anything else.
                undo.resume = Some(Resume {
                    statement: *statement,
                    in_doubt: *in_doubt,
                });
                undo.migrations.insert(0, index);
            }
            _ if nothing_ran(entry, &migrations[index]) => undo.void.push(index),
            // Half done it has no way back, which is told elsewhere.
            EntryState::Running { .. } => {}
            EntryState::Applied => undo.migrations.push(index),
        }
    }
    undo
}

/// Whether a begun migration left nothing that would have to be taken back. What the server refuses has had
/// no effect, except where a statement may commit on its way: a procedure, or one that drops several things.
pub fn nothing_ran(entry: &Entry, migration: &Migration) -> bool {
    let first = migration.statements.first();
    let commits_on_its_way = first.is_some_and(|statement| {
        let words = super::words(&statement.sql, EngineKind::Mysql, 1);
        match words.first().map(String::as_str) {
            Some("CALL" | "DO") => true,
            Some("DROP") => statement.sql.contains(','),
            _ => false,
        }
    });
    entry.state.has_done_nothing() && !commits_on_its_way
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
    void: BTreeMap<Version, (Finding, Vec<TenantName>)>,
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
        let half_back = |entry: &&Entry| matches!(entry.state, EntryState::Reverting { .. });
        for entry in history
            .iter()
            .filter(|entry| entry.version <= to)
            .filter(half_back)
        {
            let finding = stays_half_way_back(scope, entry.version, migrations);
            let problem = self.whole.entry(entry.version).or_insert((finding, Vec::new()));
            problem.1.extend_from_slice(tenants);
        }
        for entry in history.iter().filter(|entry| entry.version > to) {
            let found = migrations.iter().find(|it| it.version == entry.version);
            if let Some(migration) = found.filter(|it| nothing_ran(entry, it)) {
                let finding = Finding::note(format!(
                    "{} was begun, and nothing of it ran: it counts as not applied",
                    migration.label()
                ));
                let void = self.void.entry(entry.version).or_insert((finding, Vec::new()));
                void.1.extend_from_slice(tenants);
                continue;
            }
            let (problems, finding) = match (found, found.and_then(|it| it.down.as_deref())) {
                (None, _) => {
                    let label = format!("{scope}/{}_{}.sql", entry.version, entry.name);
                    let was = match entry.state {
                        EntryState::Running { .. } => "begun",
                        _ => "applied",
                    };
                    let finding =
                        Finding::error(format!("{label} was {was} and is gone from the migration set"))
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
        let with = |problems: BTreeMap<_, _>, verb: &str| -> Vec<Finding> {
            let problems = problems.into_values();
            problems.map(|problem| for_tenants(problem, verb)).collect()
        };
        let findings = |problems| with(problems, "applied by");
        let mut whole = with(self.whole, "begun by");
        whole.extend(with(self.void, "begun by"));
        vec![
            Check::answered(&ROLLBACK_DOWN, findings(self.down)),
            Check::answered(&ROLLBACK_WHOLE, whole),
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
        EntryState::Running {
            statement, in_doubt, ..
        } => {
            let done = match (statement, in_doubt) {
                (0, true) => "whether its first statement ran is not known".to_owned(),
                (0, false) => "a part of what it does may have run".to_owned(),
                (many, _) => format!("{} of it ran", count(*many, "statement")),
            };
            let finding = Finding::error(format!("{label} is half done: {done}"))
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

fn for_tenants((mut finding, mut tenants): (Finding, Vec<TenantName>), verb: &str) -> Finding {
    tenants.sort();
    match tenants.as_slice() {
        [] => finding,
        [one] => finding.tenant(one),
        many => {
            let by = format!(" ({verb} {}: {})", count(many.len(), "tenant"), listed(many, 3));
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
    fn what_never_ran_is_in_nobodys_way() {
        let running = |in_doubt, done: &str| EntryState::Running {
            statement: 0,
            done: Checksum::of(done),
            in_doubt,
        };
        let planned = |files: &[Migration], state| {
            let mut history = vec![entry(&files[0], EntryState::Applied)];
            history.push(entry(&files[1], state));
            case(files, history, 1)
        };
        // No down file is asked for, and the file may have been edited since.
        let mut files = [migration(1, Some("x")), migration(2, None)];
        let plan = planned(&files, running(false, ""));
        assert_eq!(failed(&plan), [""; 0]);
        let undo = &plan.tenants[0].undo;
        assert_eq!(
            (undo.void.as_slice(), undo.migrations.as_slice()),
            (&[1][..], &[][..])
        );
        assert_eq!((undo.head, undo.stays), (Some(Version(1)), Some(Version(1))));
        assert!(!plan.is_empty() && !plan.takes_back());
        // It was sent and nobody knows, or ranges of it ran.
        assert_eq!(failed(&planned(&files, running(true, ""))), ["rollback.down"]);
        files[1] = migration(2, Some("x"));
        assert_eq!(failed(&planned(&files, running(true, ""))), ["rollback.whole"]);
        assert_eq!(
            failed(&planned(&files, running(false, "ranges"))),
            ["rollback.whole"]
        );
        // A refused procedure may have committed before.
        for first in ["CALL grow()", "DROP TABLE a, b"] {
            files[1].statements[0].sql = first.to_owned();
            assert_eq!(
                failed(&planned(&files, running(false, ""))),
                ["rollback.whole"],
                "{first}"
            );
        }
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
        // Who would leave it there is told.
        let stays = case(&files, vec![half_back.clone()], 1);
        assert_eq!(failed(&stays), ["rollback.whole"]);
        assert_eq!(
            stays.checks[1].findings[0].hint.as_deref(),
            Some("`--to 0000` finishes it")
        );
        half_back.state = reverting(true);
        assert_eq!(failed(&case(&files, vec![half_back], 0)), ["ledger.changed"]);
    }
}
