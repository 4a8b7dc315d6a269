//! The order of what mends.

use super::Few;

const BASE: &str = "CREATE FUNCTION next_number() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION doubled(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * $1';
    CREATE TABLE orders (id serial PRIMARY KEY, number int NOT NULL DEFAULT next_number(), twice int GENERATED ALWAYS AS (doubled(5)) STORED);
    CREATE VIEW z_base AS SELECT id, number FROM orders;
    CREATE VIEW m_middle AS SELECT id, number FROM z_base;
    CREATE VIEW a_top AS SELECT m_middle.id, z_base.number FROM m_middle JOIN z_base ON true;
    CREATE MATERIALIZED VIEW b_kept AS SELECT id FROM a_top; CREATE UNIQUE INDEX b_kept_id ON b_kept (id);
    CREATE FUNCTION whole() RETURNS SETOF orders LANGUAGE sql AS 'SELECT * FROM orders';";

#[test]
fn what_uses_another_comes_behind_it() {
    let few = Few::new("{tenant}", &["acme", "beta"], BASE);
    few.assert_alike();
    few.change(
        &few.tenants[1],
        "DROP TABLE orders CASCADE; DROP FUNCTION next_number; DROP FUNCTION doubled",
    );
    let sql = few.mend_last();
    let at = |text: &str| sql.find(text).unwrap_or_else(|| panic!("{text} in {sql}"));
    assert!(at("\"doubled\"(integer) RETURNS") < at("TABLE \"orders\""));
    assert!(at("\"next_number\"() RETURNS") < at("SET DEFAULT next_number()"));
    assert!(at("VIEW \"z_base\"") < at("VIEW \"m_middle\""));
    assert!(at("VIEW \"m_middle\"") < at("VIEW \"a_top\""));
    few.assert_alike();
}

#[test]
fn a_column_with_a_default_that_is_missing_too_comes_behind_it() {
    let few = Few::new("{tenant}", &["acme", "beta"], BASE);
    few.change(
        &few.tenants[1],
        "INSERT INTO orders (number) VALUES (1); DROP FUNCTION next_number CASCADE",
    );
    few.mend_last();
    few.assert_alike();
    // Into a table with rows.
    let short = "CREATE FUNCTION next_number() RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE TABLE orders (id int, number int NOT NULL DEFAULT next_number())";
    let few = Few::new("{tenant}", &["acme", "beta"], short);
    few.change(
        &few.tenants[1],
        "INSERT INTO orders VALUES (1, 1); ALTER TABLE orders DROP COLUMN number; DROP FUNCTION next_number",
    );
    few.mend_last();
}

#[test]
fn a_view_that_others_use_is_made_anew_with_them() {
    let few = Few::new("{tenant}", &["acme", "beta"], BASE);
    few.change(
        &few.tenants[1],
        "CREATE OR REPLACE VIEW z_base AS SELECT id, number FROM orders WHERE id > 5",
    );
    few.mend_last();
    few.assert_alike();
}

#[test]
fn a_sequence_of_a_column_has_the_owner_of_its_table() {
    let mut few = Few::new("{tenant}", &["acme", "beta"], "CREATE TABLE orders (id serial)");
    let role = format!("owner_{}", few.db.name());
    few.role(&role);
    for tenant in &few.tenants {
        few.change(tenant, &format!("ALTER TABLE orders OWNER TO {role}"));
    }
    few.assert_alike();
    // The sequence alone, then both.
    few.change(&few.tenants[1], "DROP SEQUENCE orders_id_seq CASCADE");
    few.mend_last();
    few.change(&few.tenants[1], "DROP TABLE orders");
    few.mend_last();
    few.change(&few.tenants[1], "ALTER TABLE orders OWNER TO CURRENT_USER");
    few.mend_last();
    few.assert_alike();
}

#[test]
fn a_name_of_several_lines_stays_a_comment() {
    let few = Few::new("{tenant}", &["acme", "beta"], "CREATE TABLE orders (id int)");
    few.change(
        &few.tenants[1],
        "CREATE TABLE \"junk\nDROP TABLE orders; --\" (id int)",
    );
    let structures = few.structures();
    let found = tenantgate::domain::differences(&structures[0], &structures[1]);
    let target = tenantgate::engine::Target::Tenant(&few.tenants[1]);
    let sql = few.engine.mend(target, &structures[0], &found);
    few.admin().execute(&sql);
    assert_eq!(
        few.db.admin().query_value("SELECT count(*) FROM beta.orders"),
        "0"
    );
}

#[test]
fn a_column_gets_its_type_again_under_a_view_and_loses_nothing() {
    let base = "CREATE TABLE orders (id int, code varchar(5), day date, total numeric(10, 2));
        CREATE VIEW all_orders AS SELECT id, code, day, total FROM orders;
        CREATE VIEW over AS SELECT code FROM all_orders";
    let few = Few::new("{tenant}", &["acme", "beta"], base);
    let retype = "DROP VIEW over; DROP VIEW all_orders;
        ALTER TABLE orders ALTER code TYPE text, ALTER day TYPE timestamp, ALTER total TYPE numeric(12, 4);
        CREATE VIEW all_orders AS SELECT id, code, day, total FROM orders;
        CREATE VIEW over AS SELECT code FROM all_orders";
    let beta = &few.tenants[1];
    few.change(beta, retype);
    let structures = few.structures();
    let found = tenantgate::domain::differences(&structures[0], &structures[1]);
    let sql = few
        .engine
        .mend(tenantgate::engine::Target::Tenant(beta), &structures[0], &found);
    for lossy in [
        "'abcdefghij', '2026-01-01', 1",
        "'a', '2026-01-01 10:00', 1",
        "'a', '2026-01-01', 1.2345",
    ] {
        few.change(beta, &format!("INSERT INTO orders VALUES (1, {lossy})"));
        let refused = few.admin().try_query(&sql);
        assert!(
            refused.is_err_and(|it| it.to_string().contains("would lose")),
            "{lossy}: {sql}"
        );
        few.change(beta, "DELETE FROM orders");
    }
    few.change(beta, "INSERT INTO orders VALUES (1, 'abc', '2026-01-01', 1.25)");
    few.mend_last();
    few.assert_alike();
}

#[test]
fn a_generated_column_comes_behind_what_it_is_computed_of() {
    let few = Few::new(
        "{tenant}",
        &["acme", "beta"],
        "CREATE TABLE items (id int, price int, gross int GENERATED ALWAYS AS (price * 2) STORED)",
    );
    few.change(&few.tenants[1], "ALTER TABLE items DROP COLUMN price CASCADE");
    few.mend_last();
}

#[test]
fn a_trigger_that_is_off_in_one_partition_is_switched_on() {
    let few = Few::new(
        "{tenant}",
        &["acme", "beta"],
        "CREATE TABLE events (at int) PARTITION BY LIST (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
         CREATE TRIGGER noted AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION note()",
    );
    few.change(&few.tenants[1], "ALTER TABLE events_1 DISABLE TRIGGER noted");
    assert_eq!(
        few.told(),
        ["table `events_1` has trigger noted disabled, expected none"]
    );
    few.mend_last();
    few.assert_alike();
}
