//! What is nobody's leak, and what only looks as if it were none.

use super::{Rows, assert_told, told};
use crate::harness::Server;

const TRY: &str = "isolation.row-try";
const OWN: &str = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid";

/// Neither its column, nor its keys, nor its owner, nor what was granted on it.
#[test]
fn no_check_speaks_of_a_global_table() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(
        "CREATE TABLE shown (tenant_id uuid, title text UNIQUE, note bigint REFERENCES notes (id));
        ALTER TABLE shown OWNER TO {role};
        CREATE TABLE shown_wide (tenant_id uuid NOT NULL PRIMARY KEY, title text REFERENCES shown (title));
        GRANT TRUNCATE, TRIGGER ON shown_wide TO {role}",
    );
    let run = rows.validate();
    run.assert_code(1);
    for check in [
        "isolation.row-columns",
        "isolation.row-role",
        "isolation.row-grants",
    ] {
        assert_told(&run, check, &["shown"]);
    }
    rows.configure("\"plan?\"", "\"plan?\", \"shown*\"");
    let run = rows.validate();
    run.assert_code(0);
    for check in tenantgate::validate::rows::CHECKS {
        assert_eq!(told(&run, check.id), Vec::<String>::new());
    }
}

/// Dependencies name the column whichever half has it.
#[test]
fn half_a_policy_that_asks_is_not_enough() {
    for (halves, told) in [
        (
            format!("USING ({OWN}) WITH CHECK (title <> 'app.tenant_id')"),
            "the WITH CHECK of",
        ),
        (format!("USING (title <> '') WITH CHECK ({OWN})"), "the USING of"),
    ] {
        let rows = Rows::good(Server::Postgres);
        rows.plant(&format!(
            "DROP POLICY own ON notes; CREATE POLICY own ON notes {halves}"
        ));
        let run = rows.validate();
        run.assert_code(1);
        assert_told(
            &run,
            "isolation.row-policies",
            &[told, "\"own\" of notes does not ask for tenant_id"],
        );
        // One that restricts, and asks in half, does not mend it.
        rows.plant(&format!("CREATE POLICY guard ON notes AS RESTRICTIVE {halves}"));
        assert_told(&rows.validate(), "isolation.row-policies", &[told]);
        rows.plant(&format!(
            "DROP POLICY guard ON notes; CREATE POLICY guard ON notes AS RESTRICTIVE USING ({OWN})"
        ));
        rows.validate().assert_code(0);
    }
}

#[test]
fn a_function_that_returns_nothing_may_do_much() {
    let rows = Rows::good(Server::Postgres);
    let id = "isolation.row-functions";
    rows.plant(
        "CREATE FUNCTION purge(org uuid) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public
            AS 'DELETE FROM notes WHERE tenant_id = org';
        CREATE FUNCTION is_member() RETURNS bool STABLE LANGUAGE sql SECURITY DEFINER SET search_path = public
            AS 'SELECT EXISTS (SELECT FROM notes)'",
    );
    let run = rows.validate();
    run.assert_code(1);
    assert_told(&run, id, &["error", "function purge(org uuid) acts as"]);
    assert_told(&run, id, &["note", "function is_member() acts as"]);
}

/// A table that is not read and one without rows are two reasons, and one answer.
#[test]
fn where_no_table_could_be_read_that_is_a_warning() {
    let rows = Rows::good(Server::Postgres);
    rows.plant("TRUNCATE answers, events; REVOKE SELECT ON notes, orgs, events FROM {role}");
    let run = rows.validate();
    run.assert_code(0);
    assert_told(
        &run,
        TRY,
        &["warning", "reading could not be tried on answers: no rows"],
    );
    rows.plant("REVOKE SELECT ON answers FROM {role}");
    assert_told(
        &rows.validate(),
        TRY,
        &["warning", "reading could not be tried on any table"],
    );
}

/// What leaked is found, and nothing came of it: no rows of other tables, no trigger behind it.
#[test]
fn what_hangs_on_a_row_is_not_carried_along() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(
        "CREATE SEQUENCE told; CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM nextval('public.told'); RETURN NULL; END $$;
        GRANT ALL ON SEQUENCE told TO PUBLIC;
        CREATE TRIGGER told AFTER INSERT OR UPDATE OR DELETE ON notes FOR EACH ROW EXECUTE FUNCTION tell();
        CREATE TABLE parts (tenant_id uuid NOT NULL, note bigint NOT NULL, PRIMARY KEY (tenant_id, note),
            FOREIGN KEY (tenant_id, note) REFERENCES notes (tenant_id, id) ON DELETE CASCADE);
        INSERT INTO parts SELECT tenant_id, id FROM notes;
        CREATE TRIGGER told AFTER DELETE ON parts FOR EACH ROW EXECUTE FUNCTION tell();
        ALTER TABLE parts ENABLE ROW LEVEL SECURITY; ALTER TABLE parts FORCE ROW LEVEL SECURITY;
        DELETE FROM answers;
        CREATE POLICY leak ON notes USING (tenant_id::text > '0')",
    );
    let run = rows.validate();
    run.assert_code(1);
    for leak in [
        "inserts a row for another tenant into",
        "makes its own row another tenant's in",
        "makes another tenant's row its own",
        "deletes another tenant's row from",
    ] {
        assert_told(&run, TRY, &[leak, "notes"]);
    }
    assert_eq!(
        rows.admin().query_value("SELECT is_called::text FROM told"),
        "false"
    );
}

/// A sequence gives nothing back, and neither does another server.
#[test]
fn a_trigger_that_reaches_out_is_not_run() {
    let rows = Rows::good(Server::Postgres);
    rows.plant(
        "CREATE SEQUENCE told; CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM nextval('public.told'); RETURN NEW; END $$;
        GRANT ALL ON SEQUENCE told TO PUBLIC;
        CREATE TRIGGER told BEFORE INSERT ON answers FOR EACH ROW EXECUTE FUNCTION tell()",
    );
    let run = rows.validate();
    run.assert_code(0);
    assert_told(
        &run,
        TRY,
        &["warning", "answers: inserting", "no rollback takes back"],
    );
    assert_eq!(
        rows.admin().query_value("SELECT is_called::text FROM told"),
        "false"
    );
}
