//! Any sequence of edits, tenants that come and go, failures, kills and reruns ends where the README says:
//! each tenant at its old head or at its new one, each migration exactly once, and an edited migration
//! that was applied blocks and touches nothing.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

use super::case::Case;
use crate::harness::Server;
use crate::harness::soak::{Tally, times};

/// What somebody does.
#[derive(Debug, Clone)]
enum Step {
    /// `picky` ones fail where a tenant's data has a flaw.
    AddMigration {
        picky: bool,
    },
    AddShared,
    /// A file that nobody has applied; there may be none.
    EditPending(Index),
    /// A file that somebody has applied, for one run.
    EditApplied(Index),
    AddTenant,
    RemoveTenant(Index),
    Flaw(Index),
    Mend(Index),
    Run,
    RunTenant(Index),
    Kill(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        3 => any::<bool>().prop_map(|picky| Step::AddMigration { picky }),
        1 => Just(Step::AddShared),
        1 => index().prop_map(Step::EditPending),
        1 => index().prop_map(Step::EditApplied),
        2 => Just(Step::AddTenant),
        1 => index().prop_map(Step::RemoveTenant),
        2 => index().prop_map(Step::Flaw),
        1 => index().prop_map(Step::Mend),
        3 => Just(Step::Run),
        2 => index().prop_map(Step::RunTenant),
        2 => (0_u64..120).prop_map(Step::Kill),
    ]
}

/// A tenant migration, as it is on disk.
struct File {
    name: String,
    picky: bool,
    edits: usize,
}

/// What is expected.
struct Model {
    case: Case,
    files: Vec<File>,
    /// What each tenant that ever was has applied, oldest first.
    applied: BTreeMap<String, Vec<String>>,
    flawed: BTreeMap<String, bool>,
    shared: usize,
    shared_applied: usize,
    next_tenant: usize,
}

impl Model {
    fn new(server: Server) -> Self {
        let case = Case::new(server, 3);
        let files = ["0001_ran", "0002_items", "0003_items_total"];
        let file = |name: &&str| File {
            name: (*name).to_owned(),
            picky: false,
            edits: 0,
        };
        Self {
            applied: case.tenants.iter().map(|it| (it.clone(), Vec::new())).collect(),
            files: files.iter().map(file).collect(),
            case,
            flawed: BTreeMap::new(),
            shared: 1,
            shared_applied: 0,
            next_tenant: 4,
        }
    }

    fn head(&self) -> Vec<String> {
        self.files.iter().map(|it| it.name.clone()).collect()
    }

    fn is_flawed(&self, tenant: &str) -> bool {
        self.flawed.get(tenant) == Some(&true)
    }

    /// True where the tenant's next migrations must fail.
    fn must_fail(&self, tenant: &str) -> bool {
        let applied = &self.applied[tenant];
        self.is_flawed(tenant)
            && self
                .files
                .iter()
                .any(|it| it.picky && !applied.contains(&it.name))
    }

    fn write(&self, index: usize) {
        let File { name, picky, edits } = &self.files[index];
        let (version, rest) = name.split_once('_').unwrap();
        let version: u32 = version.parse().unwrap();
        let table = format!("CREATE TABLE made_{version} (id INT CHECK (id < 100));");
        let fill = if *picky {
            format!("\nINSERT INTO made_{version} SELECT id FROM items;")
        } else {
            String::new()
        };
        self.case
            .tenant(version, rest, &format!("-- edit {edits}\n{table}{fill}"));
    }

    fn carry_out(&mut self, step: &Step) {
        match step {
            Step::AddMigration { picky } => {
                self.files.push(File {
                    name: format!("{:04}_more", self.files.len() + 1),
                    picky: *picky,
                    edits: 0,
                });
                self.write(self.files.len() - 1);
            }
            Step::AddShared => {
                self.shared += 1;
                let sql = format!("CREATE TABLE common_{} (id INT);", self.shared);
                self.case.shared(self.shared as u32, "common", &sql);
            }
            Step::EditPending(index) => self.edit_pending(index),
            Step::EditApplied(index) => self.edit_applied(index),
            Step::AddTenant => self.add_tenant(),
            Step::RemoveTenant(index) => self.remove_tenant(index),
            Step::Flaw(index) => self.flaw(index, true),
            Step::Mend(index) => self.flaw(index, false),
            Step::Run => self.run(),
            Step::RunTenant(index) => self.run_tenant(index),
            Step::Kill(milliseconds) => self.kill(*milliseconds),
        }
    }

    fn edit_pending(&mut self, index: &Index) {
        let nobodys = |it: &usize| {
            *it >= 3
                && !self
                    .applied
                    .values()
                    .any(|applied| applied.contains(&self.files[*it].name))
        };
        let pending: Vec<usize> = (0..self.files.len()).filter(nobodys).collect();
        if !pending.is_empty() {
            let file = *index.get(&pending);
            self.files[file].edits += 1;
            self.write(file);
        }
    }

    fn edit_applied(&mut self, index: &Index) {
        let registered = |name: &String| self.case.tenants.iter().any(|it| self.applied[it].contains(name));
        let applied: Vec<&File> = self.files.iter().filter(|it| registered(&it.name)).collect();
        if applied.is_empty() {
            return;
        }
        let path = format!("migrations/tenant/{}.sql", index.get(&applied).name);
        let text = self.case.project.read(&path);
        self.case.project.write(&path, &format!("{text}-- edited\n"));
        let run = self.case.run();
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["ledger.changed"]);
        self.case.project.write(&path, &text);
        self.assert_untouched();
    }

    fn add_tenant(&mut self) {
        // Its table is made by the first run.
        if self.shared_applied == 0 {
            return;
        }
        let name = format!("t{:02}", self.next_tenant);
        self.next_tenant += 1;
        self.case
            .db
            .execute(&format!("INSERT INTO tenants VALUES ('{name}', 1)"));
        self.applied.insert(name.clone(), Vec::new());
        self.case.tenants.push(name);
    }

    fn remove_tenant(&mut self, index: &Index) {
        if self.shared_applied == 0 || self.case.tenants.len() == 1 {
            return;
        }
        let name = self.case.tenants.remove(index.index(self.case.tenants.len()));
        self.case
            .db
            .execute(&format!("DELETE FROM tenants WHERE name = '{name}'"));
        // Its schema stays; that nobody registered it is not what is tested here.
        let gone = self.applied.keys().filter(|it| !self.case.tenants.contains(it));
        let gone: Vec<String> = gone.map(|it| format!("\"{it}\", \"**/{it}.db\"")).collect();
        let ignore = format!("ignore = [{}]\n", gone.join(", "));
        self.case.config(&ignore);
    }

    fn flaw(&mut self, index: &Index, wanted: bool) {
        let name = index.get(&self.case.tenants).clone();
        if self.applied[&name].is_empty() || self.is_flawed(&name) == wanted {
            return;
        }
        let sql = if wanted {
            "INSERT INTO items (id) VALUES (500)"
        } else {
            "DELETE FROM items WHERE id = 500"
        };
        self.case.db.tenant(&name).execute(sql);
        self.flawed.insert(name, wanted);
    }

    fn run(&mut self) {
        let fails = self.case.tenants.iter().any(|it| self.must_fail(it));
        let run = self.case.run();
        run.assert_code(i32::from(fails));
        self.look(!fails);
        // One that was killed may have held it.
        self.case.assert_no_lease_is_stuck();
    }

    fn run_tenant(&mut self, index: &Index) {
        let name = index.get(&self.case.tenants).clone();
        let before = self.applied.clone();
        let run = self.case.project.tenantgate(&["migrate", "--tenant", &name]);
        if self.shared_applied < self.shared {
            run.assert_code(1);
            return self.assert_untouched();
        }
        let fails = self.must_fail(&name);
        run.assert_code(i32::from(fails));
        self.look(false);
        let mut expected = before;
        if !fails {
            expected.insert(name, self.head());
        }
        assert_eq!(self.applied, expected, "only that tenant was to be touched");
    }

    fn kill(&mut self, milliseconds: u64) {
        let run = self.case.spawn();
        thread::sleep(Duration::from_millis(milliseconds));
        let _ = run.kill();
        self.wait_for_the_server();
        self.look(false);
    }

    /// What a killed run had sent is still carried out by the server.
    fn wait_for_the_server(&self) {
        if self.case.server == Server::Sqlite {
            return;
        }
        let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                    AND application_name = 'tenantgate'";
        let begun = Instant::now();
        while self.case.db.query_value(busy) != "0" {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "its sessions do not end"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Reads what every tenant has; each is where it was or at the head, and all are where all must be.
    fn look(&mut self, all: bool) {
        let head = self.head();
        for (tenant, before) in &mut self.applied {
            let now = ran(&self.case, tenant);
            let registered = self.case.tenants.contains(tenant);
            if registered {
                assert!(
                    now == *before || now == head,
                    "{tenant} was at {before:?}, and is at {now:?}"
                );
                assert!(
                    !all || now == head,
                    "{tenant} is at {now:?}, and all were to be at their head"
                );
            } else {
                assert_eq!(now, *before, "{tenant} is nobody's any more");
            }
            *before = now;
        }
        self.shared_applied = shared_applied(&self.case, self.shared);
        assert!(!all || self.shared_applied == self.shared);
    }

    fn assert_untouched(&self) {
        for (tenant, before) in &self.applied {
            assert_eq!(ran(&self.case, tenant), *before, "{tenant}");
        }
        assert_eq!(shared_applied(&self.case, self.shared), self.shared_applied);
    }

    fn converge(&mut self) {
        for index in 0..self.case.tenants.len() {
            let name = self.case.tenants[index].clone();
            if self.is_flawed(&name) {
                self.case
                    .db
                    .tenant(&name)
                    .execute("DELETE FROM items WHERE id = 500");
                self.flawed.insert(name, false);
            }
        }
        self.run();
        let again = self.case.run();
        again.assert_code(0);
        assert!(again.report()["outcomes"].as_array().unwrap().is_empty());
    }
}

/// What ran in a tenant, by its own log, in the order of the rows; nothing where there is no such tenant.
fn ran(case: &Case, tenant: &str) -> Vec<String> {
    if case.server == Server::Sqlite && !case.db.folder().path().join(case.db.location(tenant)).exists() {
        return Vec::new();
    }
    let mut session = case.db.tenant(tenant).session();
    let rows = session
        .try_query("SELECT name FROM ran ORDER BY name")
        .unwrap_or_default();
    rows.into_iter().flatten().flatten().collect()
}

/// How many of the shared migrations are applied.
fn shared_applied(case: &Case, shared: usize) -> usize {
    let tables = (1..=shared).map(|it| match it {
        1 => "tenants".to_owned(),
        _ => format!("common_{it}"),
    });
    if case.server == Server::Sqlite && !case.db.folder().path().join("shared.db").exists() {
        return 0;
    }
    let mut session = case.db.session();
    tables
        .filter(|it| session.try_query(&format!("SELECT 1 FROM {it}")).is_ok())
        .count()
}

fn any_sequence_ends_well(server: Server, sequences: usize) {
    let mut tally = Tally::of(format!("{server:?}: sequences of steps"));
    let config = ProptestConfig {
        cases: sequences as u32,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..ProptestConfig::default()
    };
    let tally = std::cell::RefCell::new(&mut tally);
    let result = TestRunner::new(config).run(&vec(step(), 4..14), |steps| {
        let mut model = Model::new(server);
        for step in &steps {
            model.carry_out(step);
            tally.borrow_mut().blow();
        }
        let begun = Instant::now();
        model.converge();
        tally.borrow_mut().rerun(begun.elapsed());
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn sqlite() {
    any_sequence_ends_well(Server::Sqlite, times(12, 300));
}

#[test]
fn postgres() {
    any_sequence_ends_well(Server::Postgres, times(5, 60));
}
