//! Each leak is planted into a good schema, and found by its name.

use super::{Rows, assert_told, told};
use crate::harness::Server;

/// Plants, and expects a blocked gate with such a finding.
fn leak(sql: &str, id: &str, parts: &[&str]) -> Rows {
    let rows = Rows::good(Server::Postgres);
    rows.plant(sql);
    let run = rows.validate();
    run.assert_code(1);
    assert_told(&run, id, parts);
    rows
}

/// Plants, and expects a warning that does not block.
fn warning(sql: &str, id: &str, parts: &[&str]) {
    let rows = Rows::good(Server::Postgres);
    rows.plant(sql);
    let run = rows.validate();
    run.assert_code(0);
    assert_told(&run, id, &[&["warning"], parts].concat());
}

#[test]
fn a_good_schema_passes_every_check() {
    let rows = Rows::good(Server::Postgres);
    let run = rows.validate();
    run.assert_code(0);
    for check in tenantgate::validate::rows::CHECKS {
        assert_eq!(run.check(check.id)["status"], "passed", "{}", run.stdout);
        assert_eq!(told(&run, check.id), Vec::<String>::new());
    }
}

/// Neither it nor a policy for each command is a leak.
#[test]
fn a_policy_for_all_without_a_check_is_none() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(
        "DROP POLICY own ON answers;
        CREATE POLICY r ON answers FOR SELECT USING (tenant_id = current_setting('app.tenant_id')::uuid);
        CREATE POLICY a ON answers FOR INSERT WITH CHECK (tenant_id = current_setting('app.tenant_id')::uuid);
        CREATE POLICY w ON answers FOR UPDATE USING (tenant_id = current_setting('app.tenant_id')::uuid);
        CREATE POLICY d ON answers FOR DELETE USING (tenant_id = current_setting('app.tenant_id')::uuid)",
    );
    let run = rows.validate();
    run.assert_code(0);
    assert_eq!(run.checks_that("warned"), Vec::<&str>::new());
}

#[test]
fn an_owner_without_force_is_found() {
    let rows = leak(
        "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY",
        "isolation.row-security",
        &["not forced on the table notes"],
    );
    rows.plant("ALTER TABLE notes FORCE ROW LEVEL SECURITY");
    rows.validate().assert_code(0);
}

#[test]
fn a_table_without_row_level_security_is_found() {
    leak(
        "ALTER TABLE notes DISABLE ROW LEVEL SECURITY",
        "isolation.row-security",
        &["off on the table notes"],
    );
}

#[test]
fn a_superuser_is_found() {
    let rows = leak(
        "ALTER ROLE {role} SUPERUSER",
        "isolation.row-role",
        &["is a superuser"],
    );
    rows.plant("ALTER ROLE {role} NOSUPERUSER");
}

#[test]
fn a_role_that_bypasses_is_found() {
    let rows = leak(
        "ALTER ROLE {role} BYPASSRLS",
        "isolation.row-role",
        &["has BYPASSRLS"],
    );
    let run = rows.validate();
    assert_told(
        &run,
        "isolation.row-try",
        &["sees another tenant's rows of", "notes"],
    );
}

/// Without INHERIT too: SET ROLE is enough.
#[test]
fn a_member_of_such_a_role_is_found() {
    let rows = leak(
        "CREATE ROLE {role}_up BYPASSRLS; CREATE ROLE {role}_mid NOINHERIT; GRANT {role}_up TO {role}_mid;
        ALTER ROLE {role} NOINHERIT; GRANT {role}_mid TO {role}",
        "isolation.row-role",
        &["is a member of", "_up, which has BYPASSRLS"],
    );
    rows.plant("DROP ROLE {role}_up; DROP ROLE {role}_mid");
}

#[test]
fn the_owner_that_serves_is_found() {
    let rows = Rows::good(Server::Postgres);
    rows.configure(
        &format!("serving_role = \"{}\"", rows.role),
        &format!("serving_role = \"{}\"", rows.db.name()),
    );
    let run = rows.validate();
    run.assert_code(1);
    assert_told(&run, "isolation.row-role", &["owns", "notes"]);
}

#[test]
fn a_view_of_the_tables_owner_is_found() {
    let rows = leak(
        "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY; SET ROLE {owner};
        CREATE VIEW peek AS SELECT title FROM notes; CREATE VIEW peek_again AS SELECT * FROM peek;
        GRANT SELECT ON peek_again TO {role}",
        "isolation.row-views",
        &["the view peek_again reads notes as"],
    );
    let run = rows.validate();
    assert_eq!(
        told(&run, "isolation.row-views").len(),
        1,
        "nobody may read the other one"
    );
}

/// The policy for whoever migrates is a way through for its views.
#[test]
fn a_view_of_a_role_that_sees_everything_is_found() {
    leak(
        "CREATE POLICY migrates ON notes TO {owner} USING (true); SET ROLE {owner};
        CREATE VIEW peek AS SELECT tenant_id, title FROM notes; GRANT SELECT ON peek TO {role}",
        "isolation.row-views",
        &["the view peek reads notes as"],
    );
}

#[test]
fn a_materialized_view_is_found() {
    leak(
        "CREATE MATERIALIZED VIEW peek AS SELECT title FROM notes; GRANT SELECT ON peek TO {role}",
        "isolation.row-views",
        &["peek shows a stored copy of notes"],
    );
}

#[test]
fn a_security_definer_function_is_found_unless_it_is_trusted() {
    let rows = leak(
        "CREATE FUNCTION peek(n int) RETURNS SETOF notes LANGUAGE sql SECURITY DEFINER SET search_path = public
        AS 'SELECT * FROM notes LIMIT n'",
        "isolation.row-functions",
        &["function peek(n integer) acts as"],
    );
    rows.configure("global_tables", "trusted_functions = [\"pee?\"]\nglobal_tables");
    rows.validate().assert_code(0);
    rows.plant("ALTER FUNCTION peek(int) RESET search_path");
    let run = rows.validate();
    run.assert_code(1);
    assert_told(
        &run,
        "isolation.row-functions",
        &["peek(n integer) has no search_path"],
    );
}

#[test]
fn a_partition_that_is_read_directly_is_found() {
    let rows = leak(
        "ALTER TABLE events_old DISABLE ROW LEVEL SECURITY; GRANT SELECT ON events_old TO {role}",
        "isolation.row-security",
        &["off on the partition events_old"],
    );
    let run = rows.validate();
    assert_told(
        &run,
        "isolation.row-try",
        &["sees another tenant's rows of events_old"],
    );
}

#[test]
fn one_policy_that_is_always_true_is_found() {
    let rows = leak(
        "CREATE POLICY extra ON notes FOR SELECT TO {role} USING (true)",
        "isolation.row-policies",
        &["\"extra\" of notes is true of every row"],
    );
    let run = rows.validate();
    assert_told(
        &run,
        "isolation.row-try",
        &["sees another tenant's rows of notes"],
    );
    assert_told(&run, "isolation.row-try", &["without any tenant's context"]);
    // Joined by AND it is none.
    rows.plant(
        "ALTER TABLE notes NO FORCE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
        CREATE POLICY guard ON notes AS RESTRICTIVE USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)",
    );
    rows.validate().assert_code(0);
}

#[test]
fn a_policy_that_asks_for_something_else_is_found() {
    leak(
        "CREATE POLICY extra ON notes FOR SELECT USING (title <> 'secret')",
        "isolation.row-policies",
        &["\"extra\" of notes does not ask for tenant_id"],
    );
}

#[test]
fn a_command_without_a_policy_is_said() {
    warning(
        "DROP POLICY own ON answers;
        CREATE POLICY r ON answers FOR SELECT USING (tenant_id = current_setting('app.tenant_id')::uuid)",
        "isolation.row-policies",
        &["no policy of answers is for INSERT, UPDATE"],
    );
}

#[test]
fn a_grant_of_truncate_is_found() {
    leak(
        "GRANT TRUNCATE ON notes TO {role}",
        "isolation.row-grants",
        &["has TRUNCATE on notes"],
    );
    leak(
        "GRANT TRIGGER ON notes TO PUBLIC",
        "isolation.row-grants",
        &["has TRIGGER on notes"],
    );
}

#[test]
fn keys_without_the_tenant_are_said() {
    warning(
        "UPDATE answers SET text = id::text; CREATE UNIQUE INDEX titles ON answers (text)",
        "isolation.row-columns",
        &["titles of answers is unique over all tenants"],
    );
    warning(
        "ALTER TABLE answers ADD CONSTRAINT loose FOREIGN KEY (note_id) REFERENCES notes (id)",
        "isolation.row-columns",
        &["loose of answers may point at another tenant's row of notes"],
    );
}

#[test]
fn a_column_that_may_be_null_is_found() {
    leak(
        "ALTER TABLE answers ALTER COLUMN tenant_id DROP NOT NULL",
        "isolation.row-columns",
        &["answers.tenant_id may be NULL"],
    );
}

#[test]
fn a_table_that_nobody_spoke_of_is_found() {
    let rows = leak(
        "CREATE TABLE loose (id int); GRANT SELECT ON loose TO {role}",
        "isolation.row-security",
        &["loose has no column tenant_id"],
    );
    rows.configure("\"plan?\"", "\"plan?\", \"public.loose\"");
    rows.validate().assert_code(0);
}

#[test]
fn a_role_that_may_create_is_said() {
    warning(
        "GRANT CREATE ON SCHEMA public TO {role}",
        "isolation.row-role",
        &["may create tables and functions in public"],
    );
}
