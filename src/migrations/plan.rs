//! The plan: migration set minus ledger, per tenant. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::domain::words::{count, listed};
use crate::domain::{
    Check, EntryState, Finding, History, Ledger, Migration, MigrationSet, Scope, Tenant, TenantName, Tenants,
    Version,
};

use super::unfinished::{NAMES, gone, half_way_back};
use super::{CHANGED, OUT_OF_ORDER, REVERTING, VANISHED};

/// Where a half-done migration goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    pub statement: usize,
    pub in_doubt: bool,
}

/// What one tenant (or the shared schema) lacks. Tenants with equal histories share one value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pending {
    /// Indexes into the scope's migrations, ascending.
    pub migrations: Vec<usize>,
    /// Where the first of them goes on.
    pub resume: Option<Resume>,
    /// This one is half way back, so nothing may be applied before that is finished.
    pub reverting: Option<Version>,
    /// Newest applied version.
    pub head: Option<Version>,
    pub applied: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantPlan {
    pub tenant: Tenant,
    pub pending: Arc<Pending>,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub shared: Arc<Pending>,
    /// Absent while the registry does not exist yet.
    pub tenants: Option<Vec<TenantPlan>>,
    pub checks: Vec<Check>,
}

impl Plan {
    pub fn is_empty(&self) -> bool {
        let tenants = self.tenants.iter().flatten();
        self.shared.migrations.is_empty() && tenants.clone().all(|it| it.pending.migrations.is_empty())
    }
}

/// Subtracts the ledger from the set, once per distinct history.
pub fn plan(set: &MigrationSet, ledger: &Ledger, tenants: &Tenants) -> Plan {
    let mut problems = Problems::default();
    let shared = Arc::new(pending_after(&set.shared, &ledger.shared));
    problems.compare(Scope::Shared, &set.shared, &ledger.shared, &[]);
    let tenants = match tenants {
        Tenants::Unknown => None,
        Tenants::Known(tenants) => Some(plan_tenants(set, ledger, tenants, &mut problems)),
    };
    Plan {
        shared,
        tenants,
        checks: problems.into_checks(),
    }
}

fn plan_tenants(
    set: &MigrationSet,
    ledger: &Ledger,
    tenants: &[Tenant],
    problems: &mut Problems,
) -> Vec<TenantPlan> {
    let histories: Vec<Arc<History>> = tenants.iter().map(|tenant| ledger.tenant(&tenant.name)).collect();
    // The ledger shares equal histories, so their address tells groups apart without reading them.
    let mut groups: HashMap<*const History, (&History, Vec<TenantName>)> = HashMap::new();
    for (tenant, history) in tenants.iter().zip(&histories) {
        let group = groups
            .entry(Arc::as_ptr(history))
            .or_insert((history, Vec::new()));
        group.1.push(tenant.name.clone());
    }
    let mut pending: HashMap<*const History, Arc<Pending>> = HashMap::new();
    for (address, (history, names)) in &groups {
        problems.compare(Scope::Tenant, &set.tenant, history, names);
        pending.insert(*address, Arc::new(pending_after(&set.tenant, history)));
    }
    let plan = |(tenant, history): (&Tenant, &Arc<History>)| TenantPlan {
        tenant: tenant.clone(),
        pending: pending.get(&Arc::as_ptr(history)).cloned().unwrap_or_default(),
    };
    tenants.iter().zip(&histories).map(plan).collect()
}

/// What is left to do after a history, in order.
pub fn pending_after(migrations: &[Migration], history: &History) -> Pending {
    let entries: BTreeMap<Version, &EntryState> = history
        .iter()
        .map(|entry| (entry.version, &entry.state))
        .collect();
    let mut pending = Pending::default();
    for (index, migration) in migrations.iter().enumerate() {
        match entries.get(&migration.version) {
            Some(EntryState::Applied) => {}
            Some(EntryState::Running {
                statement, in_doubt, ..
            }) => {
                pending.resume = Some(Resume {
                    statement: *statement,
                    in_doubt: *in_doubt,
                });
                pending.migrations.push(index);
            }
            Some(EntryState::Reverting { .. }) => {
                pending.reverting = Some(migration.version);
                pending.migrations.push(index);
            }
            None => pending.migrations.push(index),
        }
    }
    let applied = entries
        .iter()
        .filter(|(_, state)| matches!(state, EntryState::Applied));
    pending.head = applied.clone().map(|(version, _)| *version).max();
    pending.applied = applied.count();
    pending
}

/// Problems by migration, each with the tenants that have it.
#[derive(Default)]
struct Problems {
    changed: BTreeMap<(Scope, Version), Problem>,
    vanished: BTreeMap<(Scope, Version), Problem>,
    out_of_order: BTreeMap<(Scope, Version), Problem>,
    reverting: BTreeMap<(Scope, Version), Problem>,
}

struct Problem {
    finding: Finding,
    tenants: Vec<TenantName>,
}

impl Problems {
    fn compare(&mut self, scope: Scope, migrations: &[Migration], history: &History, tenants: &[TenantName]) {
        let files: HashMap<Version, &Migration> = migrations.iter().map(|it| (it.version, it)).collect();
        for entry in history {
            let key = (scope, entry.version);
            if let EntryState::Reverting { statement, .. } = &entry.state {
                add(
                    &mut self.reverting,
                    key,
                    half_way_back(scope, entry.version, *statement, migrations),
                    tenants,
                );
                continue;
            }
            let Some(migration) = files.get(&entry.version) else {
                let finding = gone(scope, entry, migrations);
                add(&mut self.vanished, key, finding, tenants);
                continue;
            };
            if migration.checksum == entry.checksum {
                continue;
            }
            let label = migration.label();
            let finding = match &entry.state {
                // Said above.
                EntryState::Reverting { .. } => continue,
                EntryState::Applied => Finding::error(format!("{label} was edited after it was applied"))
                    .hint("restore the file and put the change into a new migration"),
                EntryState::Running {
                    in_doubt: false,
                    statement,
                    done,
                } if migration.continues(*statement, done) => {
                    continue;
                }
                EntryState::Running {
                    in_doubt: false,
                    statement: 0,
                    ..
                } => Finding::error(format!(
                    "{label} was edited while it is half done: a part of its ranges ran"
                ))
                .hint("restore the file (its `size` may change); what else must be done goes into a new migration"),
                EntryState::Running {
                    in_doubt: false,
                    statement,
                    ..
                } => Finding::error(format!(
                    "{label} is half done, and its first {} that ran {} edited",
                    count(*statement, "statement"),
                    if *statement == 1 { "was" } else { "were" }
                ))
                .hint("restore those; the statement that failed and those after it may be changed"),
                EntryState::Running {
                    in_doubt: true,
                    statement,
                    ..
                } => Finding::error(format!(
                    "{label} was edited while its statement {} is in doubt",
                    statement + 1
                ))
                .hint(
                    "restore the file, run again so that the statement is settled, then change what failed",
                ),
            };
            add(&mut self.changed, key, finding.file(&migration.file), tenants);
        }
        let Some(newest) = history.iter().map(|entry| entry.version).max() else {
            return;
        };
        let applied = |version| history.iter().any(|entry| entry.version == version);
        for migration in migrations
            .iter()
            .filter(|it| it.version < newest && !applied(it.version))
        {
            let finding = Finding::error(format!(
                "{} is older than {newest}, which was applied already",
                migration.label()
            ))
            .hint("give it a version above the newest applied one")
            .file(&migration.file)
            .at(1, 1);
            add(
                &mut self.out_of_order,
                (scope, migration.version),
                finding,
                tenants,
            );
        }
    }

    fn into_checks(self) -> Vec<Check> {
        let findings =
            |problems: BTreeMap<_, Problem>| problems.into_values().map(Problem::into_finding).collect();
        vec![
            Check::answered(&CHANGED, findings(self.changed)),
            Check::answered(&VANISHED, findings(self.vanished)),
            Check::answered(&OUT_OF_ORDER, findings(self.out_of_order)),
            Check::answered(
                &REVERTING,
                self.reverting
                    .into_values()
                    .map(Problem::on_the_way_back)
                    .collect(),
            ),
        ]
    }
}

fn add(
    problems: &mut BTreeMap<(Scope, Version), Problem>,
    key: (Scope, Version),
    finding: Finding,
    tenants: &[TenantName],
) {
    let problem = problems.entry(key).or_insert(Problem {
        finding,
        tenants: Vec::new(),
    });
    problem.tenants.extend_from_slice(tenants);
}

impl Problem {
    /// Whoever else is at head may be there on purpose, so the way back is named for those alone.
    fn on_the_way_back(mut self) -> Finding {
        self.tenants.sort();
        let names: String = match self.tenants.as_slice() {
            few if few.len() <= 5 => few.iter().map(|it| format!(" --tenant {it}")).collect(),
            _ => " --tenant …".to_owned(),
        };
        let hint = self.finding.hint.take().map(|hint| hint.replace(NAMES, &names));
        self.finding.hint = hint;
        self.into_finding()
    }

    fn into_finding(mut self) -> Finding {
        self.tenants.sort();
        match self.tenants.as_slice() {
            [] => self.finding,
            [one] => self.finding.tenant(one),
            many => {
                let by = format!(" (by {}: {})", count(many.len(), "tenant"), listed(many, 3));
                self.finding.message.push_str(&by);
                self.finding
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckStatus, Checksum, Entry};

    fn migration(version: u64, sql: &str) -> Migration {
        let statements = super::super::split(sql, crate::database_url::EngineKind::Mysql).expect("splits");
        Migration {
            scope: Scope::Tenant,
            version: Version(version),
            name: format!("m{version}"),
            file: format!("tenant/{version}_m{version}.sql"),
            checksum: Checksum::of(sql),
            sql: sql.to_owned(),
            statements,
            transactional: true,
            direction: crate::domain::Direction::Forward,
            down: None,
            batch: None,
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

    fn tenant(name: &str) -> Tenant {
        Tenant {
            name: TenantName::parse(name).expect("a name"),
            server: None,
            location: name.to_owned(),
            active: true,
        }
    }

    fn failed(plan: &Plan) -> Vec<(&str, &str)> {
        let failed = plan
            .checks
            .iter()
            .filter(|check| check.status == CheckStatus::Failed);
        failed
            .flat_map(|check| {
                check
                    .findings
                    .iter()
                    .map(|it| (check.id.as_str(), it.message.as_str()))
            })
            .collect()
    }

    fn case(files: Vec<Migration>, history: History) -> Plan {
        let set = MigrationSet {
            shared: vec![],
            tenant: files,
        };
        let names = ["acme", "zeta"].map(tenant);
        let history = Arc::new(history);
        let tenants = names
            .iter()
            .map(|it| (it.name.clone(), history.clone()))
            .collect();
        plan(
            &set,
            &Ledger {
                tenants,
                ..Ledger::default()
            },
            &Tenants::Known(names.to_vec()),
        )
    }

    #[test]
    fn a_new_tenant_needs_everything_and_an_old_one_the_rest() {
        let files = vec![migration(1, "select 1"), migration(2, "select 2")];
        let set = MigrationSet {
            shared: vec![],
            tenant: files.clone(),
        };
        let old = tenant("old");
        let history = Arc::new(vec![entry(&files[0], EntryState::Applied)]);
        let ledger = Ledger {
            tenants: [(old.name.clone(), history)].into(),
            ..Ledger::default()
        };
        let plan = plan(&set, &ledger, &Tenants::Known(vec![old, tenant("new")]));
        let pending: Vec<_> = plan
            .tenants
            .iter()
            .flatten()
            .map(|it| it.pending.migrations.clone())
            .collect();
        assert_eq!(pending, [vec![1], vec![0, 1]]);
        assert!(failed(&plan).is_empty());
    }

    #[test]
    fn at_head_there_is_nothing_to_do() {
        let files = vec![migration(1, "select 1")];
        let history = vec![entry(&files[0], EntryState::Applied)];
        let plan = case(files, history);
        assert!(plan.is_empty() && failed(&plan).is_empty());
    }

    #[test]
    fn an_edited_file_is_found() {
        let history = vec![entry(&migration(1, "select 1"), EntryState::Applied)];
        let plan = case(vec![migration(1, "select 2")], history);
        assert_eq!(
            failed(&plan),
            [(
                "ledger.changed",
                "tenant/0001_m1.sql was edited after it was applied (by 2 tenants: acme, zeta)"
            )]
        );
    }

    #[test]
    fn a_deleted_file_is_found() {
        let history = vec![entry(&migration(1, "select 1"), EntryState::Applied)];
        let plan = case(vec![], history);
        assert_eq!(failed(&plan)[0].0, "ledger.vanished");
    }

    #[test]
    fn a_file_below_the_newest_applied_is_found() {
        let two = migration(2, "select 2");
        let history = vec![entry(&two, EntryState::Applied)];
        let plan = case(vec![migration(1, "select 1"), two], history);
        assert_eq!(failed(&plan)[0].0, "ledger.out-of-order");
    }

    #[test]
    fn a_half_done_migration_may_be_mended_behind_what_ran() {
        let before = migration(1, "create table a(b int); broken");
        let running = |in_doubt| EntryState::Running {
            statement: 1,
            done: before.done_checksum(1),
            in_doubt,
        };
        let mended = migration(1, "create table a(b int); create table c(d int)");
        let plan = case(vec![mended.clone()], vec![entry(&before, running(false))]);
        assert!(failed(&plan).is_empty());
        let first = &plan.tenants.as_ref().expect("known")[0];
        assert_eq!(
            first.pending.resume,
            Some(Resume {
                statement: 1,
                in_doubt: false
            })
        );

        let doubtful = case(vec![mended], vec![entry(&before, running(true))]);
        assert!(failed(&doubtful)[0].1.contains("statement 2 is in doubt"));

        let edited = case(
            vec![migration(1, "create table x(b int); ok")],
            vec![entry(&before, running(false))],
        );
        assert!(
            failed(&edited)[0]
                .1
                .contains("its first 1 statement that ran was edited")
        );
    }

    #[test]
    fn unknown_tenants_stay_unknown() {
        let plan = plan(&MigrationSet::default(), &Ledger::default(), &Tenants::Unknown);
        assert!(plan.tenants.is_none());
    }
}
