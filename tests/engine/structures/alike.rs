//! What is the same in tenants whose names differ, and what only looks like it.

use super::{Few, version};

/// Gives `ROLE` the right to read, in each tenant's schema.
fn grant(few: &Few, number: usize, role: &str) {
    let tenant = &few.tenants[number];
    few.change(
        tenant,
        &format!(
            "GRANT USAGE ON SCHEMA \"{}\" TO \"{role}\"; GRANT SELECT ON orders TO \"{role}\";
             GRANT UPDATE (id) ON orders TO \"{role}\"; CREATE POLICY p ON orders TO \"{role}\" USING (true);
             ALTER DEFAULT PRIVILEGES IN SCHEMA \"{}\" GRANT SELECT ON TABLES TO \"{role}\"",
            tenant.location, tenant.location
        ),
    );
}

#[test]
fn roles_of_tenants_are_alike_whatever_their_schemas_are_called() {
    for location in ["t_{tenant}", "{tenant}", "x{tenant}y"] {
        let mut few = Few::new(
            location,
            &["acme", "beta-corp", "delta"],
            "CREATE TABLE orders (id int)",
        );
        let name = few.db.name().to_owned();
        for (number, tenant) in ["acme", "beta-corp", "delta"].into_iter().enumerate() {
            let role = format!("app_{tenant}_{name}");
            few.role(&role);
            grant(&few, number, &role);
            // Each may use what all share.
            few.admin()
                .execute(&format!("GRANT USAGE ON SCHEMA public TO \"{role}\""));
        }
        few.assert_alike();
        few.db.admin().execute(&format!(
            "REVOKE SELECT ON \"{0}\".orders FROM \"app_delta_{name}\"",
            location.replace("{tenant}", "delta")
        ));
        assert_eq!(
            few.told(),
            [format!(
                "table `orders` has no grants, expected SELECT to app_{{tenant}}_{name}"
            )]
        );
        let sql = few.mend_last();
        assert!(sql.contains(&format!("\"app_delta_{name}\"")), "{sql}");
    }
}

#[test]
fn a_role_of_all_is_not_that_of_the_tenant_whose_name_is_in_it() {
    let mut few = Few::new(
        "{tenant}",
        &["acme", "beta", "app"],
        "CREATE TABLE orders (id int)",
    );
    let role = format!("app_user_{}", few.db.name());
    few.role(&role);
    for number in 0..3 {
        grant(&few, number, &role);
    }
    few.assert_alike();
}

#[test]
fn a_tenants_own_role_in_another_tenant_is_found() {
    let mut few = Few::new(
        "{tenant}",
        &["acme", "beta", "delta"],
        "CREATE TABLE orders (id int)",
    );
    let name = few.db.name().to_owned();
    for (number, tenant) in ["acme", "beta", "delta"].into_iter().enumerate() {
        let role = format!("app_{tenant}_{name}");
        few.role(&role);
        grant(&few, number, &role);
    }
    few.assert_alike();
    few.db
        .admin()
        .execute(&format!("GRANT DELETE ON delta.orders TO \"app_beta_{name}\""));
    let told = few.told().concat();
    assert!(told.contains(&format!("DELETE to app_beta_{name}")), "{told}");
}

#[test]
fn a_role_that_reaches_one_other_tenant_is_still_its_own_ones() {
    let names = ["acme", "beta", "delta", "echo"];
    let mut few = Few::new("{tenant}", &names, "CREATE TABLE orders (id int)");
    let name = few.db.name().to_owned();
    for (number, tenant) in names.into_iter().enumerate() {
        let role = format!("app_{tenant}_{name}");
        few.role(&role);
        grant(&few, number, &role);
    }
    few.db
        .admin()
        .execute(&format!("GRANT USAGE ON SCHEMA echo TO \"app_beta_{name}\""));
    let structures = few.structures();
    let differ = |number: usize| {
        let found = tenantgate::domain::differences(&structures[0], &structures[number]);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(differ(1), [""; 0], "nobody has touched beta");
    assert_eq!(differ(3).len(), 1, "{:?}", differ(3));
}

#[test]
fn a_search_path_is_compared_name_by_name() {
    let few = Few::new(
        "{tenant}",
        &["acme", "acme-corp", "user"],
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1';
         CREATE FUNCTION two() RETURNS int LANGUAGE sql SET search_path = '' AS 'SELECT 1';
         CREATE FUNCTION three() RETURNS int LANGUAGE sql SET search_path = pg_temp, \"$user\", \"Odd, one\" SET work_mem = '64kB' AS 'SELECT 1';",
    );
    few.assert_alike();
    few.change(
        &few.tenants[2],
        "DROP FUNCTION one; DROP FUNCTION two; DROP FUNCTION three",
    );
    let sql = few.mend_last();
    assert!(sql.contains("SET search_path TO 'user', 'public'"), "{sql}");
    assert!(sql.contains("SET search_path TO ''"), "{sql}");
    assert!(
        sql.contains("SET search_path TO 'pg_temp', '$user', 'Odd, one'"),
        "{sql}"
    );
}

#[test]
fn own_objects_that_the_server_has_too_are_own_ones() {
    let few = Few::new(
        "{tenant}",
        &["acme", "beta"],
        "CREATE TYPE \"SELF\".line AS ENUM ('a'); CREATE DOMAIN \"SELF\".path AS text;
         CREATE FUNCTION \"SELF\".md5(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
         CREATE TABLE orders (id text DEFAULT \"SELF\".md5('a'), kind \"SELF\".line DEFAULT 'a', way \"SELF\".path, here pg_catalog.path,
            hash text GENERATED ALWAYS AS (\"SELF\".md5('b')) STORED, CHECK (\"SELF\".md5('c') = 'c'));
         CREATE INDEX i ON orders (\"SELF\".md5(id)) WHERE \"SELF\".md5(id) <> '';
         CREATE VIEW v AS SELECT \"SELF\".md5(id) AS own, pg_catalog.md5(id) AS theirs FROM orders;",
    );
    few.assert_alike();
    few.change(
        &few.tenants[1],
        "DROP VIEW v; DROP TABLE orders; DROP FUNCTION \"SELF\".md5(text)",
    );
    few.mend_last();
}

#[test]
fn data_and_aliases_are_no_schemas() {
    let few = Few::new(
        "{tenant}",
        &["acme", "mail", "o"],
        "CREATE SEQUENCE numbers;
         CREATE TABLE orders (id int, sender text DEFAULT 'noreply@mail.example.com', note text DEFAULT 'as o.k.');
         CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT o.id FROM orders o); END';
         CREATE FUNCTION g() RETURNS bigint LANGUAGE plpgsql AS
            'BEGIN RETURN (SELECT id FROM \"SELF\".orders WHERE SELF.f() = 1); END';
         CREATE FUNCTION h() RETURNS text LANGUAGE sql AS $$SELECT nextval('SELF.numbers')::text$$;",
    );
    few.assert_alike();
    // What is data is not mended either.
    few.change(
        &few.tenants[2],
        "ALTER TABLE orders ALTER COLUMN sender DROP DEFAULT",
    );
    let sql = few.mend_last();
    assert!(sql.contains("'noreply@mail.example.com'"), "{sql}");
}

#[test]
fn names_that_the_server_gave_to_not_null_say_nothing() {
    if version() < 18 {
        return;
    }
    let few = Few::new(
        "{tenant}",
        &["acme", "beta"],
        "CREATE TABLE b (y int NOT NULL, named int CONSTRAINT mine NOT NULL)",
    );
    few.change(
        &few.tenants[1],
        "DROP TABLE b; CREATE TABLE a (x int NOT NULL, named int CONSTRAINT mine NOT NULL); ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME x TO y",
    );
    few.assert_alike();
    few.change(&few.tenants[1], "ALTER TABLE b RENAME CONSTRAINT mine TO yours");
    assert_eq!(
        few.told(),
        ["column `b.named` has named null yours, expected mine"]
    );
}

#[test]
fn a_schema_that_is_published_whole_is_told() {
    if version() < 15 {
        return;
    }
    let few = Few::new("{tenant}", &["acme", "beta"], "CREATE TABLE orders (id int)");
    few.change(
        &few.tenants[0],
        "CREATE PUBLICATION p_OF_DATABASE FOR TABLES IN SCHEMA acme",
    );
    let name = format!("p_{}", few.db.name());
    assert_eq!(
        few.told(),
        [format!("schema has no published in {name}, expected all tables")]
    );
    assert!(few.prints()[0] != few.prints()[1]);
    few.mend_last();
    few.assert_alike();
}

#[test]
fn bodies_in_the_servers_own_words_are_compared_and_mended() {
    if version() < 14 {
        return;
    }
    let few = Few::new(
        "{tenant}",
        &["acme", "beta"],
        "CREATE TABLE orders (id int);
         CREATE FUNCTION one(x int) RETURNS integer LANGUAGE sql SET search_path = SELF RETURN x + 1;
         CREATE FUNCTION a_first(x int) RETURNS integer LANGUAGE sql RETURN one(x) + 1;
         CREATE FUNCTION many() RETURNS SETOF orders LANGUAGE sql BEGIN ATOMIC SELECT o.id FROM orders o; SELECT id FROM orders; END;
         CREATE PROCEDURE tidy() LANGUAGE sql BEGIN ATOMIC DELETE FROM orders; END;",
    );
    few.assert_alike();
    let body = |name: &str| {
        let facts = few.structures().remove(0).facts;
        let fact = facts
            .iter()
            .find(|it| it.object.name.starts_with(name) && it.attribute == "body");
        fact.unwrap().text.clone()
    };
    assert_eq!(body("one"), "RETURN (x + 1)");
    few.change(
        &few.tenants[1],
        "CREATE OR REPLACE FUNCTION one(x int) RETURNS integer LANGUAGE sql SET search_path = SELF RETURN x + 2;
         DROP FUNCTION many; DROP PROCEDURE tidy; DROP FUNCTION a_first",
    );
    few.mend_last();
    few.assert_alike();
    let given = few.db.admin().query_value("SELECT beta.one(1)");
    assert_eq!(given, "2");
}
