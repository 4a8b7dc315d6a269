//! Leaks between schemas, each planted and found by name.

use super::case::on_postgres;
use crate::harness::{Desk, Server, TENANTS, findings};

on_postgres!(
    tenants_that_are_apart_pass,
    what_points_into_another_tenant_is_found_by_name,
    texts_that_name_another_tenant_are_found_and_not_told,
    tables_in_the_wrong_place_are_found,
    what_everybody_may_do_is_found,
    roles_that_reach_other_tenants_are_found,
    a_role_that_crosses_is_seen_to,
    functions_that_act_as_their_owner_are_told_of,
);

/// A role for each tenant, which has its own tables and no more, and as which the gate may act.
fn with_roles(server: Server) -> Desk {
    let desk = Desk::migrated(server);
    let prefix = desk.database.name();
    let mut sql = String::new();
    for tenant in TENANTS {
        let role = format!("{prefix}_{tenant}");
        sql += &format!(
            "CREATE ROLE {role};GRANT {role} TO {prefix};GRANT USAGE ON SCHEMA {tenant} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {tenant} TO {role};"
        );
    }
    // Before PostgreSQL 15 the gate creates there as one of everybody.
    sql += &format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;GRANT CREATE ON SCHEMA public TO {};",
        desk.database.name()
    );
    desk.database.admin().execute(&sql);
    let serving = format!("serving_role = \"{prefix}_{{tenant}}\"");
    desk.configure("tenancy", &serving);
    // Who has which rights is other for each tenant here.
    desk.configure_more("[validate]\ndrift = \"off\"\n");
    desk
}

/// One role for all tenants.
fn with_one_role(server: Server) -> (Desk, String) {
    let desk = Desk::migrated(server);
    let role = format!("{}_app", desk.database.name());
    let mut sql = format!("CREATE ROLE {role};GRANT {role} TO {};", desk.database.name());
    for tenant in TENANTS {
        sql += &format!(
            "GRANT USAGE ON SCHEMA {tenant} TO {role};GRANT SELECT ON ALL TABLES IN SCHEMA {tenant} TO {role};"
        );
    }
    // Before PostgreSQL 15 the gate creates there as one of everybody.
    sql += &format!(
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;GRANT CREATE ON SCHEMA public TO {};",
        desk.database.name()
    );
    desk.database.admin().execute(&sql);
    desk.configure("tenancy", &format!("serving_role = \"{role}\""));
    (desk, role)
}

fn tenants_that_are_apart_pass(server: Server) {
    let desk = with_roles(server);
    desk.project.shared(
        "0002_kinds.sql",
        "CREATE TABLE kinds (id int PRIMARY KEY);\nCREATE DOMAIN money_of_all AS int;\n",
    );
    // Into the shared schema, and within one's own.
    desk.project.tenant(
        "0003_lines.sql",
        "ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE TABLE lines (id serial PRIMARY KEY, of_order int REFERENCES orders (id), kind int REFERENCES kinds (id), price money_of_all);
CREATE VIEW kinds_of_orders AS SELECT kind FROM lines JOIN kinds ON kinds.id = kind;
CREATE FUNCTION birch_total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(birch.total) FROM orders AS birch -- not birch.orders';
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TABLE parts (id int) PARTITION BY LIST (id);
CREATE TABLE part_one PARTITION OF parts FOR VALUES IN (1);
",
    );
    let run = desk.tenantgate(&["run"]);
    run.assert_code(0);
    let before = desk.everything();
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    for check in ["references", "placement", "grants", "names", "try"] {
        let id = format!("isolation.{check}");
        assert_eq!(run.check(&id)["status"], "passed", "{}", run.stdout);
        let found = findings(&run, &id);
        // The new tables are nobody's to read yet, which is no leak.
        let harmless = |it: &String| it.contains("may not read its own");
        assert!(found.iter().all(harmless), "{found:?}");
    }
    assert_eq!(desk.everything(), before);
}

fn what_points_into_another_tenant_is_found_by_name(server: Server) {
    let desk = Desk::migrated(server);
    desk.database.execute(
        "CREATE TABLE birch.customers (id int PRIMARY KEY);
CREATE SEQUENCE birch.numbers;
CREATE DOMAIN birch.price AS int;
CREATE FUNCTION birch.touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION birch.rounded(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE TABLE birch.parts (id int) PARTITION BY LIST (id);
CREATE SCHEMA stray; CREATE TABLE stray.things (id int);
ALTER TABLE amber.orders ADD CONSTRAINT of_birch FOREIGN KEY (id) REFERENCES birch.customers (id);
ALTER TABLE amber.orders ALTER COLUMN total SET DEFAULT nextval('birch.numbers');
ALTER TABLE amber.orders ADD COLUMN price birch.price;
CREATE VIEW amber.spying AS SELECT note FROM birch.orders;
CREATE MATERIALIZED VIEW amber.keeping AS SELECT note FROM birch.orders;
CREATE TRIGGER touched BEFORE INSERT ON amber.orders FOR EACH ROW EXECUTE FUNCTION birch.touched();
CREATE INDEX by_rounded ON amber.orders (birch.rounded(id));
CREATE TABLE amber.child () INHERITS (birch.orders);
CREATE TABLE amber.part PARTITION OF birch.parts FOR VALUES IN (1);
CREATE POLICY peeking ON amber.orders USING (EXISTS (SELECT FROM birch.customers));
CREATE FUNCTION amber.priced(birch.price) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE public.orders_of_all (id int) PARTITION BY LIST (id);
CREATE TABLE amber.orders_of_amber PARTITION OF public.orders_of_all FOR VALUES IN (1);
CREATE TABLE public.whole (id int);
CREATE TABLE birch.a_part () INHERITS (public.whole);
CREATE VIEW amber.straying AS SELECT id FROM stray.things;
CREATE VIEW stray.watching AS SELECT id FROM cedar.orders;
CREATE VIEW public.all_orders AS SELECT note FROM delta.orders;",
    );
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert!(run.checks_that("failed").contains(&"isolation.references"));
    let found = findings(&run, "isolation.references");
    for expected in [
        "amber: table constraint of_birch on orders points into tenant birch: table customers",
        "amber: default value for orders.total points into tenant birch: sequence numbers",
        "amber: table orders points into tenant birch: type price",
        "amber: view spying points into tenant birch: table orders",
        "amber: materialized view keeping points into tenant birch: table orders",
        "amber: trigger touched on orders points into tenant birch: function touched()",
        "amber: index by_rounded points into tenant birch: function rounded(integer)",
        "amber: table child points into tenant birch: table orders",
        "amber: table part points into tenant birch: table parts",
        "amber: policy peeking on orders points into tenant birch: table customers",
        "amber: function priced(birch.price) points into tenant birch: type price",
        "amber: view straying points into schema `stray`, which is neither shared nor a tenant's: table things",
        "cedar: view watching of schema `stray`, which is no tenant's, points into this one: table orders",
        "amber: table orders_of_amber is a part of table orders_of_all of the shared schema: whoever reads that one reads this one's rows",
        "birch: table a_part is a part of table whole of the shared schema: whoever reads that one reads this one's rows",
        "delta: view all_orders of the shared schema points into this tenant's: table orders",
    ] {
        assert!(found.iter().any(|it| it == expected), "{expected}\n{found:#?}");
    }
    assert_eq!(found.len(), 16, "{found:#?}");
    desk.configure_more(
        "[isolation]\nignore = [\"stray\", \"birch\", \"all_*\", \"orders_of_*\", \"*_part\"]\n",
    );
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(run.check("isolation.references")["status"], "passed");
    desk.project.replace(
        "tenantgate.toml",
        "[isolation]",
        "[isolation]\nreferences = \"warning\"",
    );
    desk.project.replace("tenantgate.toml", "\"birch\", ", "");
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(run.check("isolation.references")["status"], "warned");
}

fn texts_that_name_another_tenant_are_found_and_not_told(server: Server) {
    let desk = Desk::migrated(server);
    desk.database.execute(
        "CREATE FUNCTION amber.plain() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM birch.orders WHERE note = ''canary_7731''';
CREATE FUNCTION amber.dynamic() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE format(''DELETE FROM Birch.%I'', ''canary_7731''); END';
CREATE PROCEDURE amber.switching() LANGUAGE plpgsql AS 'BEGIN SET LOCAL search_path = birch; END';
CREATE FUNCTION amber.led() RETURNS int LANGUAGE sql SET search_path = birch, public AS 'SELECT 1';
CREATE FUNCTION amber.at_home() RETURNS bigint LANGUAGE sql SET search_path = amber AS 'SELECT count(*) FROM amber.orders';
CREATE FUNCTION public.of_all() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM \"cedar\".orders';",
    );
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let mut found = findings(&run, "isolation.names");
    found.sort();
    assert_eq!(
        found,
        [
            "amber: function `at_home` has the name of its own schema in its text",
            "amber: function `dynamic` names tenant birch in its text",
            "amber: function `led` looks for names in the schema of tenant birch: its `search_path`",
            "amber: function `plain` names tenant birch in its text",
            "amber: procedure `switching` names tenant birch in its text",
            "cedar: function `of_all` of the shared schema names this tenant in its text",
        ]
    );
    let checks = run.report()["checks"].as_array().unwrap().iter();
    let isolation = checks.filter(|it| it["id"].as_str().unwrap().starts_with("isolation."));
    let told: String = isolation.map(ToString::to_string).collect();
    assert!(!told.contains("canary_7731"), "{told}");
}

fn tables_in_the_wrong_place_are_found(server: Server) {
    let desk = Desk::migrated(server);
    desk.project
        .shared("0002_settings.sql", "CREATE TABLE settings (id int);\n");
    desk.project
        .tenant("0003_settings.sql", "CREATE TABLE settings (id int);\n");
    desk.tenantgate(&["run"]).assert_code(0);
    desk.database.execute(
        "CREATE TABLE public.orders (id int);CREATE TABLE cedar.clients (id int);CREATE TABLE cedar.nobodys (id int);
CREATE TABLE public.nobodys (id int);CREATE TABLE public.django_migrations (id int);CREATE TABLE cedar.django_migrations (id int);",
    );
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert!(run.checks_that("failed").contains(&"isolation.placement"));
    assert_eq!(
        findings(&run, "isolation.placement"),
        [
            "cedar: table `clients` is the shared schema's, and this tenant has one too",
            "cedar: table `nobodys` is the shared schema's, and this tenant has one too",
            "table `orders` is the tenants', and the shared schema has one too",
        ]
    );
}

fn what_everybody_may_do_is_found(server: Server) {
    let desk = Desk::migrated(server);
    desk.database.admin().execute(
        "GRANT CREATE ON SCHEMA public TO PUBLIC;GRANT USAGE ON SCHEMA cedar TO PUBLIC;
GRANT SELECT ON cedar.orders TO PUBLIC;GRANT SELECT (note) ON delta.orders TO PUBLIC;",
    );
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(
        findings(&run, "isolation.grants"),
        [
            "everybody (PUBLIC) may create in the shared schema `public`",
            "cedar: everybody (PUBLIC) has USAGE on its schema",
            "cedar: everybody (PUBLIC) has rights on `orders`",
            "delta: everybody (PUBLIC) has rights on `orders`",
            "what the application's role may do was not looked at: the config does not name it",
        ]
    );
    // What mends it is carried out, and is enough.
    let check = run.check("isolation.grants").clone();
    let sql = check["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["sql"].as_str());
    let sql: Vec<&str> = sql.collect();
    desk.database.admin().execute(&sql.join("\n"));
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(run.check("isolation.grants")["status"], "passed");
}

fn roles_that_reach_other_tenants_are_found(server: Server) {
    let desk = with_roles(server);
    let name = desk.database.name();
    let admin = desk.database.admin();
    admin.execute(&format!(
        "CREATE ROLE {name}_team;GRANT {name}_team TO {name}_amber, {name}_birch;GRANT USAGE, CREATE ON SCHEMA cedar TO {name}_team;
GRANT USAGE ON SCHEMA delta TO {name}_elder;
GRANT CREATE ON SCHEMA public TO {name}_elder;
ALTER ROLE {name}_delta SUPERUSER BYPASSRLS CREATEROLE;
ALTER ROLE {name}_birch SET search_path = cedar, public;
ALTER TABLE birch.orders OWNER TO {name}_cedar;"
    ));
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let mut found: Vec<String> = findings(&run, "isolation.grants");
    found.iter_mut().for_each(|it| *it = it.replace(name, "tg"));
    found.sort();
    assert_eq!(
        found,
        [
            "birch: connections of the serving role `tg_birch` begin in the schema of tenant cedar: its `search_path`",
            "cedar: the roles of amber, birch has CREATE, USAGE on its schema through `tg_team`",
            "cedar: the serving role `tg_cedar` owns tables in `birch`",
            "delta: the role of tenant elder has USAGE on its schema",
            "delta: the serving role `tg_delta` is a superuser",
            "delta: the serving role `tg_delta` may bypass row level security (BYPASSRLS)",
            "delta: the serving role `tg_delta` may make roles (CREATEROLE)",
            "delta: the serving role `tg_delta` may make schemas in this database",
            "the role of tenant elder may create in the shared schema",
        ]
    );
    // Who is a member of a tenant's own role is to be none; the role itself keeps what it has.
    admin.execute(&format!("GRANT {name}_cedar TO {name}_elder"));
    let run = desk.tenantgate(&["validate"]);
    let grants = run.check("isolation.grants")["findings"].as_array().unwrap();
    let through = format!("through `{name}_cedar`");
    let member = grants
        .iter()
        .find(|it| it["message"].as_str().unwrap().contains(&through))
        .unwrap();
    assert_eq!(
        member["sql"],
        format!("REVOKE \"{name}_cedar\" FROM \"{name}_elder\";")
    );
    admin.execute(&format!("REVOKE {name}_cedar FROM {name}_elder"));
    admin.execute(&format!(
        "ALTER ROLE {name}_delta NOSUPERUSER; DROP OWNED BY {name}_amber; DROP ROLE {name}_amber"
    ));
    let run = desk.tenantgate(&["validate"]);
    assert!(
        findings(&run, "isolation.grants")
            .contains(&format!("amber: its serving role `{name}_amber` does not exist"))
    );
}

fn a_role_that_crosses_is_seen_to(server: Server) {
    let desk = with_roles(server);
    let name = desk.database.name();
    // A trigger that would tell of any attempt that is more than one.
    desk.database.execute(
        "CREATE SEQUENCE birch.told;
CREATE FUNCTION birch.tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM nextval(''told''); RETURN NULL; END';
CREATE TRIGGER told AFTER INSERT OR UPDATE OR DELETE ON birch.orders FOR EACH STATEMENT EXECUTE FUNCTION birch.tell();",
    );
    let admin = desk.database.admin();
    admin.execute(&format!(
        "GRANT USAGE ON SCHEMA birch TO {name}_amber;GRANT SELECT, INSERT ON birch.orders TO {name}_amber;
GRANT CREATE ON SCHEMA public TO {name}_cedar;GRANT CREATE, USAGE ON SCHEMA elder TO {name}_delta;
GRANT UPDATE (note) ON elder.orders TO {name}_delta;
REVOKE ALL ON elder.orders FROM {name}_elder;
GRANT USAGE ON SCHEMA public TO {name};REVOKE USAGE ON SCHEMA public FROM PUBLIC;"
    ));
    let before = desk.everything();
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let found: Vec<String> = findings(&run, "isolation.try")
        .iter()
        .map(|it| it.replace(name, "tg"))
        .collect();
    assert_eq!(
        found,
        [
            "amber: role `tg_amber` read `orders` of tenant birch",
            "amber: role `tg_amber` may write to `orders` of tenant birch",
            "cedar: role `tg_cedar` may create in schema `public`",
            "delta: role `tg_delta` may write to `orders` of tenant elder",
            "delta: role `tg_delta` may create in schema `elder`",
            "elder: role `tg_elder` may not read its own `orders`",
        ]
    );
    assert_eq!(desk.everything(), before);
    assert_eq!(
        admin.query_value("SELECT is_called::text FROM birch.told"),
        "false"
    );
    // Who may not act as the roles says so, and passes nothing.
    admin.execute(&format!("REVOKE {name}_amber FROM {name}"));
    let run = desk.tenantgate(&["validate"]);
    let told = format!("amber: role `{name}_amber` could not be tried: `{name}` may not act as it");
    assert!(findings(&run, "isolation.try").contains(&told), "{}", run.stdout);
}

fn functions_that_act_as_their_owner_are_told_of(server: Server) {
    let desk = with_roles(server);
    let name = desk.database.name();
    let peek = |place: &str, how: &str| {
        format!(
            "CREATE FUNCTION {place}.peek(s text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER {how}
AS 'DECLARE n bigint; BEGIN EXECUTE format(''SELECT count(*) FROM %I.orders'', s) INTO n; RETURN n; END';"
        )
    };
    let mut sql = peek("public", "SET search_path = pg_catalog");
    for tenant in TENANTS {
        sql += &peek(tenant, "");
        sql += &format!(
            "CREATE FUNCTION {tenant}.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = {tenant} AS 'SELECT sum(total) FROM orders';
CREATE FUNCTION {tenant}.told() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN DELETE FROM orders; RETURN NULL; END';"
        );
    }
    // Nobody may call it.
    sql += "CREATE FUNCTION public.kept() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM orders';
REVOKE EXECUTE ON FUNCTION public.kept() FROM PUBLIC;
CREATE FUNCTION public.invoked(s text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE s; END';";
    desk.database
        .execute(&format!("SET check_function_bodies = off;{sql}"));
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(run.check("isolation.grants")["status"], "warned");
    let found: Vec<String> = findings(&run, "isolation.grants")
        .iter()
        .map(|it| it.replace(name, "tg"))
        .collect();
    let all = "`amber`, `birch`, `cedar`, `delta`, `elder`";
    assert_eq!(
        found,
        [
            format!(
                "the SECURITY DEFINER function `peek(s text)` in {all} acts as `tg`, and has no search_path of its own, and runs what it puts together"
            ),
            "the SECURITY DEFINER function `peek(s text)` in `public` runs what it puts together, as `tg`"
                .to_owned(),
            format!(
                "the SECURITY DEFINER function `told()` in {all} acts as `tg`, and has no search_path of its own"
            ),
        ]
    );
    desk.configure_more("[isolation]\nignore = [\"peek\", \"told\"]\n");
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(run.check("isolation.grants")["status"], "passed");
}

/// What cannot be learnt of the migrations is said, and nothing else is made of it.
#[test]
fn where_tables_belong_is_not_guessed() {
    let desk = Desk::migrated(Server::Postgres);
    desk.configure_more("[validate]\ndrift = \"off\"\n");
    for tenant in TENANTS {
        desk.database
            .execute(&format!("CREATE TABLE {tenant}.kinds (id int)"));
    }
    desk.database.execute("CREATE TABLE public.kinds (id int)");
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(run.check("isolation.placement")["status"], "passed");
    // Now they cannot be tried out.
    desk.database.admin().execute(&format!(
        "REVOKE CREATE ON DATABASE {0} FROM {0}; ALTER DATABASE {0} OWNER TO CURRENT_USER",
        desk.database.name()
    ));
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    let found = findings(&run, "isolation.placement");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[0],
        "table `kinds` is in the shared schema and in most tenants': where it belongs is not known"
    );
    assert!(found[1].starts_with("where tables belong that are on both sides could not be learnt: "));
}

#[test]
fn one_role_for_all_is_told_of() {
    let (desk, role) = with_one_role(Server::Postgres);
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(run.check("isolation.grants")["status"], "passed");
    assert_eq!(findings(&run, "isolation.grants"), [""; 0]);
    assert_eq!(
        findings(&run, "isolation.try"),
        ["one role serves all tenants: nothing but `search_path` keeps their schemas apart"]
    );
    desk.database.admin().execute(&format!(
        "ALTER ROLE {role} SET search_path = birch;GRANT CREATE ON SCHEMA public TO {role};GRANT CREATE ON SCHEMA cedar TO {role};
ALTER TABLE delta.orders OWNER TO {role};"
    ));
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let found: Vec<String> = findings(&run, "isolation.grants")
        .iter()
        .map(|it| it.replace(&role, "app"))
        .collect();
    assert_eq!(
        found,
        [
            "connections of the serving role `app` begin in the schema of tenant birch: its `search_path`",
            "cedar: the serving role may create in its schema, as `app`",
            "the serving role may create in the shared schema `public`, as `app`",
            "the serving role `app` owns tables in `delta`",
        ]
    );
    desk.configure_more("[isolation]\ngrants = \"off\"\ntry = \"off\"\n");
    let report = desk.tenantgate(&["validate"]);
    let ids = report.report()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap().to_owned());
    let ids: Vec<String> = ids.filter(|it| it.starts_with("isolation.")).collect();
    assert_eq!(
        ids,
        ["isolation.references", "isolation.placement", "isolation.names"]
    );
}
