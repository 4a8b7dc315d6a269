//! Structures that are not what they must be, where it takes PostgreSQL, or any one engine, to ask.

use super::case::on_postgres;
use super::drift::drifted;
use crate::harness::{Desk, Server, findings};

on_postgres!(
    what_could_not_be_tried_out_in_time_is_no_answer,
    a_schema_that_is_closed_to_the_role_is_no_drift,
    rights_that_one_alone_has_are_not_the_others_lack,
    a_table_that_is_published_is_seen_without_comments,
);

/// A lock that was not to be had says nothing of what the migrations make.
fn what_could_not_be_tried_out_in_time_is_no_answer(server: Server) {
    let desk = Desk::migrated(server);
    desk.database
        .execute("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.kinds (id int PRIMARY KEY)");
    desk.configure("tenancy", "ignore = [\"elsewhere\"]");
    desk.project.tenant(
        "0003_kinds.sql",
        "ALTER TABLE orders ADD COLUMN kind int REFERENCES elsewhere.kinds (id);\n",
    );
    desk.tenantgate(&["run"]).assert_code(0);
    desk.project.replace(
        "tenantgate.toml",
        "lock_timeout = \"5s\"",
        "lock_timeout = \"300ms\"",
    );
    let mut holder = desk.database.session();
    holder.execute("BEGIN; LOCK TABLE elsewhere.kinds IN ROW EXCLUSIVE MODE");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(3);
    let found = findings(&run, "drift.tenant");
    assert!(found[0].contains("could not be learnt"), "{found:?}");
    holder.execute("ROLLBACK");
    desk.tenantgate(&["validate"]).assert_code(0);
}

/// Migrations that cannot be tried out beside real data.
#[test]
fn what_cannot_be_learnt_is_compared_among_tenants() {
    let desk = Desk::new(Server::Postgres);
    desk.project.tenant(
        "0003_log.sql",
        "CREATE TABLE IF NOT EXISTS public.log (id int);\nINSERT INTO public.log VALUES (1);\n",
    );
    desk.tenantgate(&["run"]).assert_code(0);
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(run.report()["schema"]["expected"], "largest");
    let note = findings(&run, "drift.tenant").remove(0);
    assert!(
        note.starts_with("what the migrations make could not be learnt: "),
        "{note}"
    );
    desk.database
        .tenant("cedar")
        .execute("ALTER TABLE orders ALTER COLUMN total TYPE bigint");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(
        findings(&run, "drift.tenant")[1],
        "cedar: column `orders.total` is bigint, expected integer"
    );
    desk.configure_more("[validate]\nexpected = \"migrations\"\n");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert!(
        findings(&run, "drift.tenant")
            .iter()
            .any(|it| it.starts_with("what the migrations make")),
        "{}",
        run.stdout
    );
}

/// A password that somebody put into a default is in no output.
#[test]
fn a_secret_in_what_differs_is_not_told() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        let Some(password) = desk.database.password() else {
            continue;
        };
        desk.database.tenant("cedar").execute(&format!(
            "ALTER TABLE orders ALTER COLUMN note SET DEFAULT '{password}'"
        ));
        for format in ["text", "json", "markdown", "github"] {
            let run = desk.tenantgate(&["validate", "--format", format]);
            run.assert_code(1);
            let message = findings(&run, "drift.tenant").remove(0);
            assert!(message.contains("***"), "{message}");
        }
    }
}

/// What reads leaves nothing behind, a scratch included.
#[test]
fn a_comparison_leaves_nothing() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        let before = desk.everything();
        desk.tenantgate(&["validate"]).assert_code(0);
        assert_eq!(desk.everything(), before, "{:?}", desk.server());
    }
}

/// Who only reads may ask all the same: tenants are compared with one another then.
#[test]
fn a_role_that_may_make_no_scratch_compares_tenants() {
    let mut desk = drifted(Server::Postgres);
    let reader = format!("{}_reader", desk.database.name());
    let admin = desk.database.admin();
    admin.execute(&format!("CREATE ROLE {reader} LOGIN PASSWORD 'only-reads-7731'"));
    let schemas = [&["public", "tenantgate"][..], &crate::harness::TENANTS]
        .concat()
        .join(", ");
    admin.execute(&format!("GRANT USAGE ON SCHEMA {schemas} TO {reader}"));
    admin.execute(&format!(
        "GRANT SELECT ON ALL TABLES IN SCHEMA {schemas} TO {reader}"
    ));
    let url = desk.database.url().to_owned();
    let credentials = &url[url.find("//").unwrap() + 2..url.find('@').unwrap()];
    desk.project.env(
        "DEV_DB_URL",
        url.replace(credentials, &format!("{reader}:only-reads-7731")),
    );
    let run = desk.tenantgate(&["validate"]);
    admin.execute(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"));
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["drift.tenant"]);
    assert_eq!(run.report()["schema"]["expected"], "largest");
    let told = findings(&run, "drift.tenant");
    assert!(
        told.iter()
            .any(|it| it.starts_with("what the migrations make could not be learnt")),
        "{told:?}"
    );
}

/// Definitions are written otherwise for one who may not use the schema.
fn a_schema_that_is_closed_to_the_role_is_no_drift(server: Server) {
    let desk = drifted(server);
    let admin = desk.database.admin();
    let role = desk.database.name();
    admin.execute(&format!(
        "ALTER SCHEMA cedar OWNER TO CURRENT_USER; REVOKE ALL ON SCHEMA cedar FROM {role}"
    ));
    let run = desk.tenantgate(&["validate"]);
    let found = findings(&run, "drift.tenant");
    assert_eq!(
        found,
        [
            format!("cedar: its structure was not compared: role `{role}` may not look into its schema"),
            "birch: index `orders_by_total` of `orders` is missing".to_owned(),
            "delta: index `orders_by_total` of `orders` is missing".to_owned(),
            "elder: extra table `junk`".to_owned(),
        ]
    );
    let finding = &run.check("drift.tenant")["findings"][0];
    assert_eq!(
        finding["sql"],
        format!("GRANT USAGE ON SCHEMA \"cedar\" TO \"{role}\";")
    );
    assert_ne!(run.check("isolation.references")["status"], "skipped");
}

/// Even where that one alone is what the migrations make otherwise.
fn rights_that_one_alone_has_are_not_the_others_lack(server: Server) {
    let desk = Desk::migrated(server);
    for tenant in &crate::harness::TENANTS[..4] {
        desk.database
            .tenant(tenant)
            .execute("ALTER TABLE orders ADD COLUMN more int");
    }
    desk.database
        .tenant("elder")
        .execute("GRANT SELECT ON orders TO PUBLIC");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let column = "extra column `orders.more`";
    assert_eq!(
        findings(&run, "drift.tenant"),
        [
            format!("amber: {column}"),
            format!("birch: {column}"),
            format!("cedar: {column}"),
            format!("delta: {column}"),
            "elder: table `orders` has grants SELECT to PUBLIC, expected none".to_owned(),
        ]
    );
}

fn a_table_that_is_published_is_seen_without_comments(server: Server) {
    let desk = Desk::migrated(server);
    let name = format!("{}_published", desk.database.name());
    desk.database
        .admin()
        .execute(&format!("CREATE PUBLICATION {name} FOR TABLE cedar.orders"));
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(
        findings(&run, "drift.tenant"),
        [format!(
            "cedar: table `orders` has published in {name} whole, expected none"
        )]
    );
}
