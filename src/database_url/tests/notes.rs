use super::*;

#[test]
fn what_passes_with_a_note() {
    for (text, part) in [
        ("postgresql://u@h/d", "no password"),
        ("postgresql://u:@h/d", "no password"),
        ("postgresql://h/d", "no user"),
        ("postgresql://:p@h/d", "no user"),
        ("postgresql://u:pä@h/d", "outside ASCII"),
        ("postgresql://u:a+b@h/d", "`+`"),
        ("postgresql://u:a^b@h/d", "`^` -> `%5E`"),
        ("postgres://u:p@h/d", "SQLAlchemy"),
        ("pgsql://u:p@h/d", "libpq"),
        ("mysql2://u:p@h/d", "not read by every client"),
        ("postgresql://u:p@h/d?schema=a", "schema"),
        ("postgresql://u:p@h/d?currentSchema=a", "schema"),
        ("postgresql://u:p@h/d?options=-csearch_path%3Da", "`search_path`"),
        (
            "postgresql://u:p@h/d?pgbouncer=true&connection_limit=1",
            "`connection_limit`",
        ),
        ("postgresql://u:p@h/d?keepalives=1", "`keepalives`"),
        ("postgresql://u:p@h/d?somethingelse=1", "ignored"),
        ("postgresql://u:p@h1,h2/d", "standby"),
        ("postgresql://u:p@localhost/d?host=/cloudsql/p:r:i", "socket"),
    ] {
        noted(text, part);
    }
    assert_eq!(good("postgresql://u:p@h/d?sslmode=require").notes, [""; 0]);
    assert_eq!(good("mysql://u:p@h/d").notes, [""; 0]);
}

#[test]
fn explained_in_plain_words() {
    let table = |text: &str| {
        explain(&good(text))
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let explained: Vec<String> = [
        "postgresql://postgres.ref:S3cr3tM4rk@aws-0-eu-west-1.pooler.supabase.com:6543/postgres?sslmode=verify-full\
         &sslrootcert=/ca.pem&connect_timeout=5&options=-crole%3Downer&application_name=gate",
        "postgresql://h1:1,%2Fvar%2Frun%2Fpostgresql,[::1]:7/d?target_session_attrs=primary",
        "mysql://u@/d?socket=/run/mysqld/mysqld.sock&ssl-mode=DISABLED",
        "sqlite:///srv/app.db",
    ]
    .map(|text| format!("{text}\n\n{}\n", table(text)))
    .into();
    insta::assert_snapshot!("explained", explained.join("\n"));
}
