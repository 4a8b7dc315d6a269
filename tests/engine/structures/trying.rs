//! Migrations tried out beside real data: nobody waits for them.

use std::time::Duration;

use tenantgate::database_url::EngineKind;
use tenantgate::domain::{Checksum, Direction, Migration, Scope, Version, differences};
use tenantgate::engine::Target;
use tenantgate::migrations::split;

use super::{Few, engine_at, wait};
use crate::harness::{Cutter, Server};

fn migration(scope: Scope, version: u64, sql: &str) -> Migration {
    Migration {
        scope,
        version: Version(version),
        name: "m".to_owned(),
        file: String::new(),
        sql: sql.to_owned(),
        statements: split(sql, EngineKind::Postgres).unwrap_or_default(),
        checksum: Checksum::of(sql),
        transactional: true,
        batch: None,
        direction: Direction::Forward,
        down: None,
    }
}

/// Locks of other sessions on tables of this database that somebody who writes would wait for.
fn locks(few: &Few) -> String {
    few.db.admin().query_value(
        "SELECT coalesce(string_agg(DISTINCT c.relname || ' ' || l.mode, ', '), 'none') FROM pg_locks l
         JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND n.nspname IN ('public', 'acme', 'auth') AND l.mode <> 'AccessShareLock'",
    )
}

fn with_real_tables() -> Few {
    let few = Few::new("{tenant}", &["acme"], "CREATE TABLE customers (id int)");
    few.admin().execute(
        "CREATE TABLE public.plans (id bigint PRIMARY KEY); INSERT INTO public.plans VALUES (1);
         CREATE TABLE public.users (id bigint PRIMARY KEY, mail text UNIQUE);
         CREATE SCHEMA auth; CREATE TABLE auth.people (id bigint PRIMARY KEY)",
    );
    few
}

const PLANS: &str = "CREATE TABLE public.plans (id bigint PRIMARY KEY);";
const REFERS: &str =
    "CREATE TABLE customers (id int, plan bigint REFERENCES public.plans(id), owner bigint REFERENCES users,
    other bigint REFERENCES public.users (id), mail text REFERENCES public.users (mail));";

#[test]
fn a_table_that_customers_use_is_not_locked() {
    let few = with_real_tables();
    for real in [false, true] {
        let work = async {
            let mut scratch = few.engine.scratch(real).await.unwrap();
            scratch
                .carry_out(&migration(Scope::Shared, 1, PLANS))
                .await
                .unwrap();
            let own = migration(Scope::Tenant, 1, REFERS);
            let carried = scratch.carry_out(&own).await;
            (carried, scratch)
        };
        let (carried, mut scratch) = wait(work);
        assert_eq!(locks(&few), "none");
        if !real {
            // `users` by itself is nowhere there.
            assert!(carried.unwrap_err().message.contains("users"));
            continue;
        }
        carried.unwrap();
        let made = wait(scratch.structure(Scope::Tenant)).unwrap();
        let shared = wait(scratch.structure(Scope::Shared)).unwrap();
        let rows = wait(scratch.rows(Scope::Shared)).unwrap();
        wait(scratch.close()).unwrap();
        assert!(
            shared
                .facts
                .iter()
                .all(|it| it.object.name != "users" && it.object.table != "users")
        );
        assert_eq!(rows.keys().collect::<Vec<_>>(), ["plans"]);
        // It is what it is made of beside the real ones.
        few.change(&few.tenants[0], &format!("DROP TABLE customers; {REFERS}"));
        let live = few.structures().remove(0);
        let differ: Vec<_> = differences(&made.portable(), &live.portable());
        assert!(differ.is_empty(), "{differ:#?}");
    }
    let learnt = wait(few.engine.made(
        &[&migration(Scope::Shared, 1, PLANS)],
        &[&migration(Scope::Tenant, 1, REFERS)],
    ));
    let differ = differences(&learnt.unwrap().portable(), &few.structures()[0].portable());
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn shared_migrations_may_name_their_schema() {
    let few = Few::new("{tenant}", &["acme"], "CREATE TABLE customers (id int)");
    let shared = "SELECT pg_catalog.set_config('search_path', '', false);
        CREATE TYPE public.size AS ENUM ('s', 'l');
        CREATE SEQUENCE public.numbers;
        CREATE TABLE public.plans (id bigint DEFAULT nextval('public.numbers'::regclass) PRIMARY KEY, size public.size DEFAULT 's'::public.size);
        CREATE FUNCTION public.count_plans() RETURNS bigint LANGUAGE plpgsql SET search_path = public AS $$BEGIN RETURN (SELECT count(*) FROM public.plans); END$$;
        CREATE VIEW public.large AS SELECT id FROM public.plans WHERE size = 'l';
        INSERT INTO public.plans (size) VALUES ('l');";
    few.admin().execute(shared);
    let made = wait(few.engine.made(&[], &[&migration(Scope::Shared, 1, shared)])).unwrap();
    let live = wait(few.engine.structures(&[Target::Shared])).unwrap().remove(0);
    let differ = differences(&made.portable(), &live.portable());
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(
        few.db
            .admin()
            .query_value("SELECT last_value FROM public.numbers"),
        "1"
    );
}

#[test]
fn what_writes_to_real_tables_is_stopped_at_once_and_holds_nothing() {
    let few = with_real_tables();
    let refused = [
        "DO $$BEGIN EXECUTE 'ALTER TABLE public' || '.users ADD COLUMN x int'; END$$;",
        "INSERT INTO public.users VALUES (1)",
        "CREATE TABLE notes (id bigint REFERENCES auth.people)",
        "SELECT 1 FROM public.plans FOR UPDATE",
    ];
    let mut scratch = wait(few.engine.scratch(true)).unwrap();
    for (number, sql) in refused.into_iter().enumerate() {
        let error = wait(scratch.carry_out(&migration(Scope::Tenant, 1 + number as u64, sql))).unwrap_err();
        assert!(error.message.contains("itself"), "{sql}: {}", error.message);
        assert_eq!(locks(&few), "none", "after {sql}");
    }
    let error = wait(scratch.carry_out(&migration(Scope::Tenant, 8, "CREATE TABL x"))).unwrap_err();
    assert!(error.message.contains("syntax error"), "{}", error.message);
    // It goes on from where it was.
    let good = migration(Scope::Tenant, 9, "CREATE TABLE notes (id int)");
    wait(scratch.carry_out(&good)).unwrap();
    let made = wait(scratch.structure(Scope::Tenant)).unwrap();
    assert!(made.facts.iter().any(|it| it.object.name == "notes"));
    wait(scratch.close()).unwrap();
}

/// Nothing takes back what `setval` did.
#[test]
fn no_real_sequence_is_set() {
    let few = with_real_tables();
    few.admin().execute(
        "CREATE TABLE public.inv (id serial PRIMARY KEY); CREATE SEQUENCE public.outside;
         SELECT setval('public.inv_id_seq', 500), setval('public.outside', 500)",
    );
    let shared = "CREATE TABLE inv (id serial PRIMARY KEY); SELECT setval('public.inv_id_seq', 77);
        SELECT setval(pg_get_serial_sequence('public.inv', 'id'), 78)";
    let own = "CREATE TABLE notes (id serial); SELECT setval('notes_id_seq', 9); SELECT setval('public.inv_id_seq', 79)";
    for real in [false, true] {
        let mut scratch = wait(few.engine.scratch(real)).unwrap();
        wait(scratch.carry_out(&migration(Scope::Shared, 1, shared))).unwrap();
        wait(scratch.carry_out(&migration(Scope::Tenant, 1, own))).unwrap();
        for refused in [
            "SELECT setval('public.outside', 77)",
            "SELECT setval('outside', 77)",
            "DO $$ BEGIN PERFORM setval('outside', 79); PERFORM setval('public.'||'inv_id_seq', 79); END $$",
            "DO $$ BEGIN EXECUTE 'SELECT setval(''public.outside'', 7)'; END $$",
        ] {
            wait(scratch.carry_out(&migration(Scope::Tenant, 2, refused))).unwrap_err();
        }
        wait(scratch.close()).unwrap();
    }
    let stands = "SELECT concat((SELECT last_value FROM public.inv_id_seq), ' ', (SELECT last_value FROM public.outside))";
    assert_eq!(few.db.admin().query_value(stands), "500 500");
}

#[test]
fn a_copy_of_a_tenant_uses_what_is_really_shared() {
    let few = with_real_tables();
    few.admin().execute(
        "CREATE EXTENSION citext SCHEMA public; CREATE FUNCTION public.stamp() RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
    );
    few.change(
        &few.tenants[0],
        "CREATE TABLE notes (id text DEFAULT public.stamp(), word public.citext, plan bigint REFERENCES public.plans,
            CHECK (word <> 'a'::public.citext));
         CREATE TYPE line AS ENUM ('a'); CREATE TABLE lines (of acme.line DEFAULT 'a')",
    );
    let live = few.structures().remove(0);
    for real in [false, true] {
        let mut scratch = wait(few.engine.scratch(real)).unwrap();
        let shared = migration(Scope::Shared, 1, PLANS);
        wait(scratch.carry_out(&shared)).unwrap();
        assert!(wait(scratch.copy(Target::Tenant(&few.tenants[0]), &live)).unwrap());
        assert_eq!(locks(&few), "none");
        let copied = wait(scratch.structure(Scope::Tenant)).unwrap();
        let differ = differences(&live.portable(), &copied.portable());
        assert!(differ.is_empty(), "{differ:#?}");
        wait(scratch.close()).unwrap();
    }
}

#[test]
fn a_path_from_the_scratch_is_the_tenants_own() {
    let few = Few::new(
        "{tenant}",
        &["acme-corp"],
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1'",
    );
    let sql = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1'";
    let made = wait(few.engine.made(&[], &[&migration(Scope::Tenant, 1, sql)])).unwrap();
    let differ = differences(&made.portable(), &few.structures()[0].portable());
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_without_end() {
    for server in [Server::Postgres, Server::Mariadb] {
        let db = server.fresh_database();
        let cutter = Cutter::before(db.admin().url());
        // Thirty times this is how long it is waited for.
        let engine = engine_at(cutter.url(), "{tenant}", Duration::from_millis(200));
        let mut scratch = wait(engine.scratch(false)).unwrap();
        cutter.silence();
        let carried = wait(scratch.carry_out(&migration(Scope::Tenant, 1, "CREATE TABLE notes (id int)")));
        let error = carried.unwrap_err();
        assert!(error.message.contains("no answer within"), "{}", error.message);
        cutter.unsilence();
        drop(wait(scratch.close()));
    }
}
