//! The cases that people have, and the verdict on each, in one list.

use super::*;

enum Verdict {
    /// Passes.
    Is(EngineKind),
    /// Passes, with a note that contains this.
    Noted(&'static str),
    /// Is refused by this check, and the message or hint contains this.
    Refused(&'static CheckDefinition, &'static str),
}

use EngineKind::{Mysql, Postgres, Sqlite};
use Verdict::{Is, Noted, Refused};

const TABLE: &[(&str, Verdict)] = &[
    // Schemes.
    ("postgres://u:p@h/d", Is(Postgres)),
    ("postgresql://u:p@h/d", Is(Postgres)),
    ("pgsql://u:p@h/d", Is(Postgres)),
    ("psql://u:p@h/d", Is(Postgres)),
    ("postgis://u:p@h/d", Is(Postgres)),
    ("postgresql+psycopg2://u:p@h/d", Is(Postgres)),
    ("postgresql+asyncpg://u:p@h/d", Is(Postgres)),
    ("jdbc:postgresql://h/d?user=u&password=p", Is(Postgres)),
    ("pgsql://u:p@h/d", Noted("libpq")),
    ("jdbc:postgresql://h/d?user=u&password=p", Noted("libpq")),
    ("mysql://u:p@h/d", Is(Mysql)),
    ("mysql2://u:p@h/d", Is(Mysql)),
    ("mariadb://u:p@h/d", Is(Mysql)),
    ("mysql+pymysql://u:p@h/d", Is(Mysql)),
    ("sqlite://rel", Is(Sqlite)),
    ("sqlite:///p", Is(Sqlite)),
    ("sqlite:////abs", Is(Sqlite)),
    ("file:rel", Is(Sqlite)),
    ("sqlite:///p", Noted("the file is /p")),
    ("sqlite:///p", Noted("Django and SQLAlchemy")),
    ("sqlite::memory:", Refused(&DATABASE, "in memory")),
    ("sqlite://:memory:", Refused(&DATABASE, "in memory")),
    ("postgre://u:p@h/d", Refused(&SCHEME, "`postgresql://`")),
    ("prisma+postgres://u:p@h/d", Refused(&SCHEME, "`postgresql://`")),
    ("http://u:p@h/d", Refused(&SCHEME, "`postgresql://`")),
    // Placeholders.
    ("", Refused(&PLACEHOLDER, "empty")),
    ("   ", Refused(&PLACEHOLDER, "white space")),
    ("***", Refused(&PLACEHOLDER, "stars")),
    ("$DATABASE_URL", Refused(&PLACEHOLDER, "variable")),
    ("${DATABASE_URL}", Refused(&PLACEHOLDER, "variable")),
    ("${{ secrets.DEV_DB_URL }}", Refused(&PLACEHOLDER, "template")),
    ("[YOUR-PASSWORD]", Refused(&PLACEHOLDER, "placeholder")),
    (
        "postgresql://u:[YOUR-PASSWORD]@h/d",
        Refused(&PLACEHOLDER, "[YOUR-PASSWORD]"),
    ),
    ("changeme", Refused(&PLACEHOLDER, "placeholder")),
    (
        "postgresql://u:changeme@h/d",
        Refused(&PLACEHOLDER, "placeholder"),
    ),
    // Pasting mistakes.
    (" postgresql://u:p@h/d", Refused(&PASTED, "space or tab before")),
    ("postgresql://u:p@h/d ", Refused(&PASTED, "space or tab after")),
    ("postgresql://u:p@h/d\n", Refused(&PASTED, "line break after")),
    ("\"postgresql://u:p@h/d\"", Refused(&PASTED, "quotes")),
    ("\u{feff}postgresql://u:p@h/d", Refused(&PASTED, "BOM")),
    (
        "DATABASE_URL=postgresql://u:p@h/d",
        Refused(&PASTED, "variable's name"),
    ),
    ("psql 'postgresql://u:p@h/d'", Refused(&PASTED, "`psql`")),
    // The password.
    ("postgresql://u:p@w@h/d", Refused(&UNENCODED_PASSWORD, "`%40`")),
    ("postgresql://u:p#w@h/d", Refused(&UNENCODED_PASSWORD, "`%23`")),
    ("postgresql://u:p/w@h/d", Refused(&UNENCODED_PASSWORD, "`%2F`")),
    ("postgresql://u:p?w@h/d", Refused(&UNENCODED_PASSWORD, "`%3F`")),
    ("postgresql://u:p%w@h/d", Refused(&UNENCODED_PASSWORD, "`%25`")),
    ("postgresql://u:p w@h/d", Refused(&UNENCODED_PASSWORD, "`%20`")),
    ("postgresql://u:p%zz@h/d", Refused(&UNENCODED_PASSWORD, "`%25`")),
    ("postgresql://u:p%00@h/d", Refused(&ENCODING, "`%00`")),
    ("postgresql://u@h/d", Noted("no password")),
    ("postgresql://h/d", Noted("no user")),
    ("postgresql://u:pä@h/d", Noted("outside ASCII")),
    ("postgresql://u:p+w@h/d", Noted("literally")),
    (
        "postgres://user@server:p@host/d",
        Refused(&UNENCODED_PASSWORD, "`user%40server:"),
    ),
    // Where it is.
    ("postgresql://u:p@h", Refused(&DATABASE, "names no database")),
    ("postgresql://u:p@h/", Refused(&DATABASE, "names no database")),
    ("postgresql://u:p@h:0/d", Refused(&PORT, "from 1 to 65535")),
    ("postgresql://u:p@h:99999/d", Refused(&PORT, "from 1 to 65535")),
    ("postgresql://u:p@h:abc/d", Refused(&PORT, "from 1 to 65535")),
    ("postgresql://u:p@::1:5432/d", Refused(&HOST, "`[::1]:5432`")),
    ("postgresql://u:p@[::1/d", Refused(&HOST, "`]`")),
    ("postgresql://u:p@h1:1,h2:2/d", Is(Postgres)),
    ("postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/d", Is(Postgres)),
    ("postgresql://u:p@/d?host=/var/run/postgresql", Is(Postgres)),
    ("postgresql://u:p@[::1]:5432/d", Is(Postgres)),
    // Parameters.
    ("postgresql://u:p@h/d?sslmode=yes", Refused(&TLS, "`require`")),
    (
        "postgresql://u:p@h/d?sslmode=require&sslmode=disable",
        Refused(&TLS, "twice"),
    ),
    ("postgresql://u:p@h/d?sslmode", Refused(&TLS, "no value")),
    ("postgresql://u:p@h/d?schema=a", Noted("schema")),
    ("postgresql://u:p@h/d?currentSchema=a", Noted("schema")),
    (
        "postgresql://u:p@h/d?pgbouncer=true&connection_limit=1",
        Noted("pooler"),
    ),
    (
        "postgresql://u:p@h/d?pgbouncer=true&connection_limit=1",
        Noted("`connection_limit`"),
    ),
    (
        "postgresql://u:p@h/d?options=-csearch_path%3Da",
        Noted("`options`"),
    ),
    (
        "postgresql://postgres.ref:p@aws-0-eu-west-1.pooler.supabase.com:6543/postgres",
        Noted("`direct_url`"),
    ),
];

#[test]
fn each_case_has_its_verdict() {
    for (text, verdict) in TABLE {
        match verdict {
            Is(kind) => assert_eq!(good(text).kind, *kind, "{text}"),
            Noted(part) => noted(text, part),
            Refused(check, part) => {
                let said = bad(text, check);
                assert!(said.contains(part), "{text:?}: {said}");
            }
        }
    }
}
