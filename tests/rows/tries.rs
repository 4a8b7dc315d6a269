//! What the catalog does not show is found by acting as the serving role.

use super::{Rows, assert_told, told};
use crate::harness::Server;

const TRY: &str = "isolation.row-try";

/// Found by trying alone: all that the catalog says passes.
fn only_tried(sql: &str, parts: &[&str]) {
    let rows = Rows::good(Server::Postgres);
    rows.plant(sql);
    let run = rows.validate();
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), [TRY], "{}", run.stdout);
    assert_told(&run, TRY, parts);
}

const OWN: &str = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid";

#[test]
fn a_policy_whose_join_forgets_the_tenant_is_found() {
    only_tried(
        "DROP POLICY own ON answers; CREATE POLICY own ON answers USING (EXISTS (
            SELECT 1 FROM orgs o WHERE o.id = nullif(current_setting('app.tenant_id', true), '')::uuid
            AND answers.tenant_id IS NOT DISTINCT FROM answers.tenant_id))",
        &["sees another tenant's rows of answers"],
    );
}

/// What may be inserted hangs on a row that it points at, and whose tenant is another's.
#[test]
fn an_insert_that_asks_only_its_parent_is_found() {
    only_tried(
        &format!(
            "DROP POLICY own ON answers; CREATE POLICY r ON answers FOR SELECT USING ({OWN});
            CREATE POLICY a ON answers FOR INSERT WITH CHECK (tenant_id IS NOT DISTINCT FROM tenant_id
                AND EXISTS (SELECT 1 FROM notes n WHERE n.id = note_id));
            CREATE POLICY w ON answers FOR UPDATE USING ({OWN}); CREATE POLICY d ON answers FOR DELETE USING ({OWN})"
        ),
        &["inserts a row for another tenant into answers"],
    );
}

#[test]
fn an_update_that_gives_rows_away_is_found() {
    only_tried(
        &format!(
            "DROP POLICY own ON answers; CREATE POLICY r ON answers FOR SELECT USING ({OWN});
            CREATE POLICY w ON answers FOR UPDATE USING ({OWN}) WITH CHECK (tenant_id::text > '0');
            CREATE POLICY a ON answers FOR INSERT WITH CHECK ({OWN}); CREATE POLICY d ON answers FOR DELETE USING ({OWN})"
        ),
        &["makes its own row another tenant's in answers"],
    );
}

/// A tenant does not see such rows, and reaches them all the same: no policy for SELECT is asked where nothing
/// is read.
#[test]
fn a_change_of_rows_that_are_not_seen_is_found() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(&format!(
        "DROP POLICY own ON answers; CREATE POLICY r ON answers FOR SELECT USING ({OWN});
        CREATE POLICY w ON answers FOR UPDATE USING (tenant_id::text > '0') WITH CHECK ({OWN});
        CREATE POLICY d ON answers FOR DELETE USING (tenant_id::text > '0');
        CREATE POLICY a ON answers FOR INSERT WITH CHECK ({OWN})"
    ));
    let before = rows
        .admin()
        .query_value("SELECT string_agg(answers::text, ',' ORDER BY id) FROM answers");
    let run = rows.validate();
    run.assert_code(1);
    assert_told(
        &run,
        TRY,
        &["makes another tenant's row its own, or changes it, in answers"],
    );
    assert_told(&run, TRY, &["deletes another tenant's row from answers"]);
    assert_eq!(told(&run, TRY).len(), 2);
    let after = rows
        .admin()
        .query_value("SELECT string_agg(answers::text, ',' ORDER BY id) FROM answers");
    assert_eq!(before, after);
}

/// Nothing is left of it, numbers of sequences included.
#[test]
fn trying_leaves_nothing_behind() {
    let rows = Rows::good(Server::Postgres);
    let state = "SELECT (SELECT last_value FROM answers_id_seq), (SELECT last_value FROM notes_id_seq),
        (SELECT count(*) FROM answers), (SELECT string_agg(notes::text, ',' ORDER BY id) FROM notes)";
    let before = rows.admin().query_rows(state);
    rows.validate().assert_code(0);
    assert_eq!(rows.admin().query_rows(state), before);
}

#[test]
fn through_a_pooler_the_same_is_found() {
    let rows = Rows::good(Server::Pgbouncer);
    rows.validate().assert_code(0);
    rows.plant("CREATE POLICY extra ON notes FOR DELETE USING (tenant_id::text > '0')");
    let run = rows.validate();
    run.assert_code(1);
    assert_told(&run, TRY, &["deletes another tenant's row from notes"]);
}

/// The gate's role may not look past the policies: then tenants say themselves who has rows. A superuser may.
#[test]
fn a_gate_that_sees_all_rows_finds_the_same() {
    let mut rows = Rows::good(Server::Postgres);
    rows.plant("CREATE POLICY extra ON notes FOR DELETE USING (tenant_id::text > '0')");
    rows.project.env("DEV_DB_URL", rows.db.admin().url());
    let run = rows.validate();
    run.assert_code(1);
    assert_told(&run, TRY, &["deletes another tenant's row from notes"]);
    assert_eq!(told(&run, TRY).len(), 1);
    // It sees what no tenant has.
    rows.plant("DROP POLICY extra ON notes; DELETE FROM answers WHERE tenant_id IN (SELECT id FROM orgs ORDER BY id LIMIT 1);
        ALTER TABLE notes DROP CONSTRAINT notes_tenant_id_fkey;
        UPDATE notes SET tenant_id = gen_random_uuid() WHERE id = (SELECT min(id) FROM notes)");
    let run = rows.validate();
    run.assert_code(0);
    assert_told(
        &run,
        TRY,
        &["warning", "tenants that the registry lacks in notes"],
    );
}

#[test]
fn tables_without_rows_are_named() {
    let rows = Rows::good(Server::Postgres);
    rows.plant("TRUNCATE answers");
    let run = rows.validate();
    run.assert_code(0);
    assert_told(&run, TRY, &["note", "could not be tried on answers: no rows"]);
    // What is inserted is tried all the same.
    rows.plant("CREATE POLICY extra ON answers FOR INSERT WITH CHECK (tenant_id::text > '0')");
    let run = rows.validate();
    run.assert_code(1);
    assert_told(&run, TRY, &["inserts a row for another tenant into answers"]);
}

/// One tenant's rows are enough to see whether another sees them.
#[test]
fn rows_of_one_tenant_are_enough_to_see_a_leak() {
    let rows = Rows::good(Server::Postgres);
    rows.plant("DELETE FROM answers WHERE id = (SELECT min(id) FROM answers)");
    let run = rows.validate();
    run.assert_code(0);
    assert_eq!(told(&run, TRY), Vec::<String>::new());
    rows.plant("CREATE POLICY extra ON answers FOR SELECT USING (tenant_id::text > '0')");
    let run = rows.validate();
    run.assert_code(1);
    assert_told(&run, TRY, &["sees another tenant's rows of answers"]);
}

#[test]
fn a_gate_that_may_not_act_as_the_role_says_so() {
    let rows = Rows::good(Server::Postgres);
    rows.plant("REVOKE {role} FROM {owner}");
    let run = rows.validate();
    run.assert_code(3);
    assert_told(&run, TRY, &["may not act as"]);
    assert!(
        run.stdout
            .contains(&format!("GRANT {} TO {}", rows.role, rows.db.name())),
        "{}",
        run.stdout
    );
}

#[test]
fn a_context_is_one_statement_that_sets() {
    let rows = Rows::good(Server::Postgres);
    for (context, why) in [
        (
            "SET LOCAL app.tenant_id = {tenant}; COMMIT",
            "must be one statement",
        ),
        (
            "UPDATE notes SET tenant_id = {tenant}",
            "must begin with SET or SELECT",
        ),
    ] {
        let config = rows.project.read("tenantgate.toml");
        rows.configure("SET LOCAL app.tenant_id = {tenant}", context);
        let run = rows.validate();
        run.assert_code(1);
        assert_told(&run, TRY, &[why]);
        rows.project.write("tenantgate.toml", &config);
    }
    // One that sets something else proves nothing, and that is said.
    rows.configure("SET LOCAL app.tenant_id", "SET LOCAL app.other");
    let run = rows.validate();
    run.assert_code(0);
    assert_eq!(run.check(TRY)["status"], "warned");
}

#[test]
fn without_a_context_nothing_counts_as_tried() {
    let rows = Rows::good(Server::Postgres);
    rows.configure("context = \"SET LOCAL app.tenant_id = {tenant}\"\n", "");
    let run = rows.validate();
    run.assert_code(0);
    assert_told(&run, TRY, &["warning", "no `context` is known"]);
}

/// Supabase's way: claims as JSON, read by a function.
#[test]
fn a_context_may_be_a_query() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(
        "CREATE FUNCTION org() RETURNS uuid LANGUAGE sql STABLE SET search_path = pg_catalog
        AS $$ SELECT (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'org_id')::uuid $$;
        DROP POLICY own ON answers; CREATE POLICY own ON answers USING (tenant_id = (SELECT org()));
        DROP POLICY own ON notes; CREATE POLICY own ON notes USING (tenant_id = (SELECT org()));
        DROP POLICY own ON events; CREATE POLICY own ON events USING (tenant_id = (SELECT org()));
        DROP POLICY own ON orgs; CREATE POLICY own ON orgs USING (id = (SELECT org()))",
    );
    rows.configure(
        "SET LOCAL app.tenant_id = {tenant}",
        "SELECT set_config('request.jwt.claims', json_build_object('org_id', {tenant})::text, true)",
    );
    let run = rows.validate();
    run.assert_code(0);
    assert_eq!(told(&run, TRY), Vec::<String>::new());
}

/// A trigger that puts the own tenant in is no leak, and no proof.
#[test]
fn a_trigger_that_sets_the_tenant_is_said() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(
        "CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$ BEGIN
            NEW.tenant_id := nullif(current_setting('app.tenant_id', true), '')::uuid; RETURN NEW; END $$;
        CREATE TRIGGER mine BEFORE INSERT ON answers FOR EACH ROW EXECUTE FUNCTION mine()",
    );
    let run = rows.validate();
    run.assert_code(0);
    assert_told(
        &run,
        TRY,
        &[
            "warning",
            "answers: inserting for another tenant could not be tried",
        ],
    );
}

/// A privilege on one column is enough to change another tenant's row.
#[test]
fn a_change_of_one_column_is_found() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(&format!(
        "REVOKE UPDATE ON answers FROM {{role}}; GRANT UPDATE (text) ON answers TO {{role}};
        DROP POLICY own ON answers; CREATE POLICY r ON answers FOR SELECT USING ({OWN});
        CREATE POLICY w ON answers FOR UPDATE USING (tenant_id::text > '0');
        CREATE POLICY d ON answers FOR DELETE USING ({OWN}); CREATE POLICY a ON answers FOR INSERT WITH CHECK ({OWN})"
    ));
    let run = rows.validate();
    run.assert_code(1);
    assert_eq!(told(&run, TRY).len(), 1, "{}", run.stdout);
    assert_told(
        &run,
        TRY,
        &["makes another tenant's row its own, or changes it, in answers"],
    );
}

/// What is everybody's on purpose is nobody's leak.
#[test]
fn a_global_table_with_the_column_is_left_alone() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(
        "CREATE TABLE shown (tenant_id uuid NOT NULL, title text, PRIMARY KEY (tenant_id, title)); \
         INSERT INTO shown SELECT id, 'x' FROM orgs; GRANT SELECT ON shown TO {role}",
    );
    rows.validate().assert_code(1);
    rows.configure("\"plan?\"", "\"plan?\", \"shown\"");
    rows.validate().assert_code(0);
}

/// Whose rows could not be held on to, theirs were not tried.
#[test]
fn a_tenant_that_sees_nothing_is_said() {
    let mut rows = Rows::good(Server::Postgres);
    rows.plant(
        "DROP POLICY own ON answers; CREATE POLICY own ON answers USING (tenant_id = (
            SELECT max(o.id::text)::uuid FROM orgs o WHERE o.id = nullif(current_setting('app.tenant_id', true), '')::uuid)
            AND tenant_id <> (SELECT min(id::text)::uuid FROM orgs))",
    );
    rows.project.env("DEV_DB_URL", rows.db.admin().url());
    let run = rows.validate();
    run.assert_code(0);
    assert_told(
        &run,
        TRY,
        &["warning", "answers: in its own context a tenant sees none"],
    );
}
