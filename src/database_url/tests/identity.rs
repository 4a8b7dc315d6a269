use super::*;

#[track_caller]
fn same(a: &str, b: &str, expected: bool) {
    assert_eq!(same_database(&good(a), &good(b)), expected, "{a} {b}");
    assert_eq!(same_database(&good(b), &good(a)), expected, "{b} {a}");
}

#[test]
fn the_same_place_under_two_spellings() {
    same(
        "postgresql://u:p@h/d",
        "postgres://v:q@H:5432/d?sslmode=require",
        true,
    );
    same(
        "postgresql://u:p@localhost/d",
        "postgresql://u:p@127.0.0.1/d",
        true,
    );
    same(
        "postgresql://u:p@localhost/d",
        "postgresql://u:p@[::1]:5432/d",
        true,
    );
    same(
        "postgresql://u:p@localhost/d",
        "postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/d",
        true,
    );
    same("postgresql://u:p@h./d", "postgresql://u:p@h/d", true);
    same("postgresql://u:p@a,b/d", "postgresql://u:p@b,c/d", true);
    same("mysql://u:p@h/d", "mariadb://u:p@h:3306/D", true);
    same("sqlite:///tmp/./x.db", "sqlite:/tmp/x.db", true);
    same("sqlite:x.db", "file:./x.db", true);
    same(
        "postgresql://postgres.ref:p@aws-0-eu-west-1.pooler.supabase.com:6543/postgres",
        "postgresql://postgres:p@db.ref.supabase.co:5432/postgres",
        true,
    );
    same(
        "postgresql://u:p@ep-x-pooler.eu.aws.neon.tech/d",
        "postgresql://u:p@ep-x.eu.aws.neon.tech/d",
        true,
    );
    same("postgresql://u:p@h:6432/d", "postgresql://u:p@h:5432/d", true);
}

#[test]
fn other_places() {
    same("postgresql://u:p@h/d", "postgresql://u:p@h/e", false);
    same("postgresql://u:p@h/d", "postgresql://u:p@h/D", false);
    same("postgresql://u:p@h/d", "postgresql://u:p@i/d", false);
    same("postgresql://u:p@h:5432/d", "postgresql://u:p@h:5433/d", false);
    same("postgresql://u:p@h:5432/d", "mysql://u:p@h:5432/d", false);
    same("postgresql://u:p@%2Fa/d", "postgresql://u:p@%2Fb/d", false);
    same("sqlite:x.db", "sqlite:y.db", false);
    same(
        "postgresql://postgres.dev:p@aws-0-eu-west-1.pooler.supabase.com:6543/postgres",
        "postgresql://postgres.prod:p@aws-0-eu-west-1.pooler.supabase.com:6543/postgres",
        false,
    );
}
