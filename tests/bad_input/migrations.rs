//! Files of the migration set that are not as they must be.

use std::fs;

use super::{assert_says, untouched};
use crate::harness::{Desk, Server};

#[test]
fn what_was_applied_may_not_change() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        let file = "migrations/tenant/0002_total.sql";
        let original = desk.read(file);

        desk.replace(file, "total int", "total bigint");
        for command in ["run", "plan", "validate", "migrate"] {
            let run = untouched(&desk, &[command]);
            run.assert_code(1);
            assert_eq!(run.checks_that("failed"), ["ledger.changed"], "{command}");
            assert_says(
                &run,
                &[
                    "tenant/0002_total.sql",
                    "edited after it was applied",
                    "restore the file",
                ],
            );
        }
        // Line ends and a byte order mark are an editor's, not a change.
        desk.write(file, &format!("\u{feff}{}", original.replace('\n', "\r\n")));
        desk.tenantgate(&["plan"]).assert_code(0);

        desk.remove(file);
        let deleted = untouched(&desk, &["run"]);
        deleted.assert_code(1);
        assert_eq!(deleted.checks_that("failed"), ["ledger.vanished"]);
        assert_says(
            &deleted,
            &[
                "tenant/0002_total.sql",
                "gone from the migration set",
                "restore the file",
            ],
        );
        desk.write(file, &original);

        desk.shared("0001_clients.sql", "SELECT 1;\n");
        let shared = untouched(&desk, &["run"]);
        shared.assert_code(1);
        assert_eq!(shared.checks_that("failed"), ["ledger.changed"]);
        assert_says(&shared, &["shared/0001_clients.sql"]);
    }
}

#[test]
fn one_below_the_newest_applied_is_not_slipped_in() {
    for desk in Desk::on_all() {
        desk.tenant("0005_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenant("0004_sent.sql", "ALTER TABLE orders ADD COLUMN sent int;\n");
        let run = untouched(&desk, &["run"]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["ledger.out-of-order"]);
        assert_says(
            &run,
            &["tenant/0004_sent.sql", "older than 0005", "a version above"],
        );
        fs::rename(
            desk.path("migrations/tenant/0004_sent.sql"),
            desk.path("migrations/tenant/0006_sent.sql"),
        )
        .unwrap();
        desk.tenantgate(&["run"]).assert_code(0);
    }
}

#[test]
fn files_that_are_wrong_in_themselves() {
    for (file, text, check, words) in [
        (
            "0002_again.sql",
            b"SELECT 1;\n" as &[u8],
            "migrations.duplicate",
            &["0002_again.sql", "0002_total.sql"] as &[&str],
        ),
        (
            "2_again.sql",
            b"SELECT 1;\n",
            "migrations.duplicate",
            &["2_again.sql"],
        ),
        (
            "0003_empty.sql",
            b"",
            "migrations.empty",
            &["0003_empty.sql", "no statement"],
        ),
        (
            "0003_blank.sql",
            b"-- nothing\n;\n\n",
            "migrations.empty",
            &["0003_blank.sql"],
        ),
        (
            "0003_latin.sql",
            b"SELECT 1;\nSELECT '\xe9t\xe9';\n",
            "migrations.encoding",
            &["0003_latin.sql:2:9", "not UTF-8"],
        ),
        (
            "0003_wide.sql",
            b"S\0E\0L\0",
            "migrations.encoding",
            &["NUL", "UTF-16"],
        ),
        (
            "third.sql",
            b"SELECT 1;\n",
            "migrations.name",
            &["third.sql", "would never run"],
        ),
        (
            "0003_typo.sql",
            b"-- tenantgate: no-transactions\nSELECT 1;\n",
            "migrations.directive",
            &["0003_typo.sql:1", "no-transaction"],
        ),
        (
            "0003_open.sql",
            b"SELECT 'open;\n",
            "migrations.syntax",
            &["0003_open.sql:1:8"],
        ),
        (
            "0003_commit.sql",
            b"SELECT 1;\nCOMMIT;\n",
            "migrations.transaction",
            &["0003_commit.sql:2:1", "COMMIT"],
        ),
        (
            "0003_batch.sql",
            b"-- tenantgate: batch key=id size=many\nDELETE FROM orders;\n",
            "migrations.directive",
            &["0003_batch.sql:1", "size=many"],
        ),
        (
            "0003_batch.sql",
            b"-- tenantgate: batch key=id size=10\nDELETE FROM orders;\nSELECT 1;\n",
            "migrations.batch",
            &["0003_batch.sql:3:1", "this file has 2", "migrations of their own"],
        ),
        (
            "0003_batch.sql",
            b"-- tenantgate: batch key=id size=10\nINSERT INTO orders SELECT 1;\n",
            "migrations.batch",
            &["0003_batch.sql:2:1", "`INSERT` cannot run over ranges"],
        ),
        (
            "0003_batch.sql",
            b"-- tenantgate: batch key=id,total size=10\nDELETE FROM orders;\n",
            "migrations.batch",
            &["several columns", "name one column"],
        ),
        (
            "0003_vacuum.sql",
            b"VACUUM;\n",
            "migrations.transaction",
            &["no-transaction"],
        ),
    ] {
        let desk = Desk::new(Server::Sqlite);
        fs::write(desk.path("migrations/tenant").join(file), text).unwrap();
        for command in ["run", "plan"] {
            let run = untouched(&desk, &[command]);
            run.assert_code(1);
            assert_eq!(run.checks_that("failed"), [check], "{file}");
            assert_says(&run, words);
        }
        assert!(!desk.path("evidence").exists());
    }
}

#[test]
fn a_gap_is_said_and_all_is_told_at_once() {
    let desk = Desk::new(Server::Sqlite);
    desk.tenant("0004_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    let gap = desk.tenantgate(&["run"]);
    gap.assert_code(0);
    assert_eq!(gap.checks_that("warned"), ["migrations.gap"]);
    assert_says(
        &gap,
        &["1 number is missing between 0002 and this file", "0004_paid.sql"],
    );

    desk.tenant("0004_again.sql", "SELECT 1;\n");
    desk.tenant("0006_empty.sql", "");
    desk.tenant("seven.sql", "");
    let many = untouched(&desk, &["run"]);
    many.assert_code(1);
    assert_eq!(
        many.checks_that("failed"),
        ["migrations.name", "migrations.duplicate", "migrations.empty"]
    );
}
