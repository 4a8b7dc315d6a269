use super::*;

#[test]
fn every_scheme_of_postgresql_is_understood() {
    for scheme in [
        "postgres",
        "postgresql",
        "pgsql",
        "psql",
        "postgis",
        "postgresql+psycopg2",
        "postgresql+psycopg",
        "postgresql+asyncpg",
        "postgres+asyncpg",
    ] {
        let url = good(&format!("{scheme}://app:s3cret@db.example.com/meats"));
        assert_eq!(url.kind, EngineKind::Postgres, "{scheme}");
        assert_eq!(url.scheme, scheme);
        assert_eq!(url.addresses, [tcp("db.example.com", 5432)]);
        assert_eq!(url.user.as_deref(), Some("app"));
        assert_eq!(password(&url), Some("s3cret"));
        assert_eq!(url.database, "meats");
    }
}

#[test]
fn jdbc_carries_user_and_password_as_parameters() {
    let url = good("jdbc:postgresql://h:6000/d?user=app@srv&password=p%40ss&ssl=true&ApplicationName=x");
    assert_eq!(url.kind, EngineKind::Postgres);
    assert_eq!(url.user.as_deref(), Some("app@srv"));
    assert_eq!(password(&url), Some("p@ss"));
    assert_eq!(url.addresses, [tcp("h", 6000)]);
    assert_eq!(url.tls, TlsMode::VerifyFull);
    assert_eq!(url.application_name.as_deref(), Some("x"));
    bad("jdbc:postgresql://u:p@h/d", &PARAMETER);
    bad("jdbc:postgresql://h/d?user=u&password=a+b", &ENCODING);
    bad("jdbc:postgresql://h/d?host=other", &PARAMETER);
    bad("jdbc:postgresql:d", &SCHEME);
}

#[test]
fn the_password_is_decoded_once() {
    assert_eq!(
        password(&good("postgresql://u:p%40%2f%25%3aw%2540@h/d")),
        Some("p@/%:w%40")
    );
    assert_eq!(password(&good("postgresql://u:a:b@h/d")), Some("a:b"));
    assert_eq!(password(&good("postgresql://u:a+b@h/d")), Some("a+b"));
    assert_eq!(password(&good("postgresql://u:pä€@h/d")), Some("pä€"));
    assert_eq!(
        password(&good("postgresql://u:!$&'()*,;=~-._@h/d")),
        Some("!$&'()*,;=~-._")
    );
    assert_eq!(good("postgresql://a%40b:p@h/d").user.as_deref(), Some("a@b"));
}

#[test]
fn raw_separators_in_the_password_are_named_with_their_encoding() {
    for (raw, name) in [
        ("@", "`@` -> `%40`"),
        ("#", "`#` -> `%23`"),
        ("/", "`/` -> `%2F`"),
        ("?", "`?` -> `%3F`"),
        ("%", "`%` -> `%25`"),
        (" ", "space -> `%20`"),
        ("[", "`[` -> `%5B`"),
        ("]", "`]` -> `%5D`"),
        ("\\", "`\\` -> `%5C`"),
    ] {
        for place in ["S3{}M4", "{}S3M4", "S3M4{}", "5432{}S3M4"] {
            let text = format!("postgresql://u:{}@h:5432/d", place.replace("{}", raw));
            let said = bad(&text, &UNENCODED_PASSWORD);
            assert!(said.contains(name), "{text}: {said}");
        }
    }
    bad("postgresql://u:p%zz@h/d", &UNENCODED_PASSWORD);
    bad("postgresql://u:p%4@h/d", &UNENCODED_PASSWORD);
    bad("postgresql://u:p%00@h/d", &ENCODING);
    bad("postgresql://u:p%0A@h/d", &ENCODING);
    bad("postgresql://u:p%ff@h/d", &ENCODING);
    bad(
        "postgresql://u:p@h/d?application_name=me@home",
        &UNENCODED_PASSWORD,
    );
}

#[test]
fn azures_user_names_need_an_encoded_at() {
    let said = bad(
        "postgres://user@server:p@host.postgres.database.azure.com/d",
        &UNENCODED_PASSWORD,
    );
    assert!(said.contains("user name") && said.contains("%40"), "{said}");
}

#[test]
fn several_hosts_sockets_and_ipv6() {
    assert_eq!(
        good("postgresql://u:p@h1:1,h2:2/d").addresses,
        [tcp("h1", 1), tcp("h2", 2)]
    );
    assert_eq!(
        good("postgresql://u:p@h1,h2:2/d").addresses,
        [tcp("h1", 5432), tcp("h2", 2)]
    );
    assert_eq!(
        good("postgresql://u:p@h1,h2/d?port=7").addresses,
        [tcp("h1", 7), tcp("h2", 7)]
    );
    assert_eq!(
        good("postgresql://u:p@/d?host=h1,::1&port=1,2").addresses,
        [tcp("h1", 1), tcp("::1", 2)]
    );
    assert_eq!(
        good("postgresql://u:p@[::1]:5433/d").addresses,
        [tcp("::1", 5433)]
    );
    assert_eq!(
        good("postgresql://u:p@[2001:db8::1]/d").addresses,
        [tcp("2001:db8::1", 5432)]
    );
    let folder = "/var/run/postgresql";
    for text in [
        "postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/d",
        "postgresql://u:p@/d?host=/var/run/postgresql",
        "postgresql:///d?host=/var/run/postgresql&user=u&password=p",
        "postgresql://u:p@localhost/d?host=/var/run/postgresql",
    ] {
        let url = good(text);
        assert_eq!(url.addresses, [socket(folder, 5432)], "{text}");
        assert_eq!(url.user.as_deref(), Some("u"));
    }
    assert_eq!(good("postgresql://u:p@%2fx:7/d").addresses, [socket("/x", 7)]);
}

#[test]
fn a_host_that_cannot_be_told_is_refused() {
    for text in [
        "postgresql:///d",
        "postgresql://u:p@/d",
        "postgresql://u:p@:5432/d",
        "postgresql://u:p@::1:5432/d",
        "postgresql://u:p@[::1/d",
        "postgresql://u:p@[::1]x/d",
        "postgresql://u:p@[nonsense]/d",
        "postgresql://u:p@h1,,h2/d",
        "postgresql://u:p@h%2Cx/d",
        "postgresql://u:p@höst/d",
        "postgresql://u:p@h d/d",
        "postgresql://u:p@h:1:2/d",
        "postgresql://u:p@h/d?host=other",
        "postgresql://u:p@h1,h2/d?host=/x",
        "postgresql://u:p@%2Fa%2Cb/d",
        "postgresql://u:p@-h/d",
        "postgresql://u:p@/d?host=@abstract%2Fx",
    ] {
        if text.contains("host=@") {
            bad(text, &UNENCODED_PASSWORD);
        } else {
            bad(text, &HOST);
        }
    }
}

#[test]
fn a_port_is_from_1_to_65535() {
    assert_eq!(good("postgresql://u:p@h:65535/d").addresses, [tcp("h", 65535)]);
    for port in [
        "0", "99999", "65536", "abc", "", "-1", "+5432", "05432", "5432x", "5,",
    ] {
        let text = format!("postgresql://u:p@h:{port}/d");
        if port == "5," {
            bad(&text, &HOST);
        } else {
            bad(&text, &PORT);
        }
    }
    bad("postgresql://u:p@h:1/d?port=2", &PORT);
    bad("postgresql://u:p@h1,h2,h3/d?port=2,3", &PORT);
    bad("postgresql://u:p@h/d?port=0", &PORT);
    bad("postgresql://user:secret/d", &PORT);
}

#[test]
fn a_database_is_named_once() {
    assert_eq!(good("postgresql://u:p@h/a%2Fb%20c").database, "a/b c");
    assert_eq!(good("postgresql://u:p@h?dbname=d").database, "d");
    for text in [
        "postgresql://u:p@h",
        "postgresql://u:p@h/",
        "postgresql://u:p@h?sslmode=require",
        "postgresql://u:p@h/d/",
        "postgresql://u:p@h//d",
        "postgresql://u:p@h/d?dbname=e",
        "postgresql://u:p@h/%2e%2e",
    ] {
        bad(text, &DATABASE);
    }
    bad("postgresql://u:p@h/my db", &ENCODING);
    bad("postgresql://u:p@h/d%zz", &ENCODING);
    bad("postgresql://u:p@h/d%00", &ENCODING);
    bad("postgresql://u:p@h/d#x", &ENCODING);
}

#[test]
fn parameters_are_understood() {
    let url = good(
        "postgresql://u:p@h1,h2/d?sslmode=verify-ca&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem\
         &connect_timeout=10&application_name=gate%20x&options=-csearch_path%3Da&target_session_attrs=read-write&",
    );
    assert_eq!(url.tls, TlsMode::VerifyCa);
    assert_eq!(url.tls_root_cert, Some("/ca.pem".into()));
    assert_eq!(url.tls_client_cert, Some("/c.pem".into()));
    assert_eq!(url.tls_client_key, Some("/k.pem".into()));
    assert_eq!(url.connect_timeout, Some(Duration::from_secs(10)));
    assert_eq!(url.application_name.as_deref(), Some("gate x"));
    assert_eq!(url.options.as_ref().map(Secret::expose), Some("-csearch_path=a"));
    assert!(url.primary_only);
    assert_eq!(
        good("postgresql://u:p@h/d?connect_timeout=0").connect_timeout,
        None
    );
    let system = good("postgresql://u:p@h/d?sslrootcert=system");
    assert_eq!((system.tls, system.tls_root_cert), (TlsMode::VerifyFull, None));
}

#[test]
fn parameters_that_cannot_be_right_are_refused() {
    for query in [
        "a",
        "=x",
        "application_name=a=b",
        "application_name=a&&port=1",
        "options=-csearch_path=a",
        "a=b?c=d",
        "sslmod=require",
        "SSLMODE=require",
        "ssl-mode=require",
        "SslMode=require",
        "host=",
        "user=x",
        "password=x",
        "connect_timeout=soon",
        "connect_timeout=-1",
        "hostaddr=1.2.3.4",
        "service=x",
        "passfile=/x",
        "target_session_attrs=standby",
        "target_session_attrs=x",
        "pgbouncer=perhaps",
        "application_name=",
        "connect_timeout=1&connect_timeout=2",
        "na%6de=x",
        "requiressl=1",
        "replication=database",
    ] {
        bad(&format!("postgresql://u:p@h/d?{query}"), &PARAMETER);
    }
    bad("postgresql://u:p@h/d?application_name=a+b", &ENCODING);
    bad("postgresql://u:p@h/d?application_name=a b", &ENCODING);
    bad("postgresql://u:p@h/d?keepalives=%zz", &ENCODING);
    let said = bad("postgresql://u:p@h/d?sslmod=require", &PARAMETER);
    assert!(said.contains("did you mean `sslmode`"), "{said}");
}

#[test]
fn sslmode_is_one_that_exists_and_given_once() {
    for (text, mode) in [
        ("disable", TlsMode::Disable),
        ("allow", TlsMode::Allow),
        ("prefer", TlsMode::Prefer),
        ("require", TlsMode::Require),
        ("verify-ca", TlsMode::VerifyCa),
        ("verify-full", TlsMode::VerifyFull),
    ] {
        assert_eq!(good(&format!("postgresql://u:p@h/d?sslmode={text}")).tls, mode);
    }
    assert_eq!(good("postgresql://u:p@h/d").tls, TlsMode::Prefer);
    assert_eq!(good("postgresql://u:p@h/d?ssl=true").tls, TlsMode::Require);
    for query in [
        "sslmode=on",
        "sslmode=Require",
        "sslmode=",
        "sslmode",
        "sslmode=require&sslmode=require",
        "sslmode=require&ssl=true",
        "ssl=maybe",
        "sslcert=/c",
        "sslmode=require&sslrootcert=system",
    ] {
        bad(&format!("postgresql://u:p@h/d?{query}"), &TLS);
    }
}

#[test]
fn poolers_are_recognised() {
    for text in [
        "postgresql://postgres.ref:p@aws-0-eu-west-1.pooler.supabase.com:6543/postgres",
        "postgresql://postgres:p@db.ref.supabase.co:6543/postgres",
        "postgresql://u:p@ep-cool-1234-pooler.eu-central-1.aws.neon.tech/d",
        "postgresql://u:p@h/d?pgbouncer=true&connection_limit=1",
        "postgresql://u:p@h:6432/d",
    ] {
        assert!(good(text).pooled, "{text}");
        noted(text, "`direct_url`");
    }
    for text in [
        "postgresql://postgres.ref:p@aws-0-eu-west-1.pooler.supabase.com:5432/postgres",
        "postgresql://u:p@ep-cool-1234.eu-central-1.aws.neon.tech/d",
        "postgresql://u:p@h:6432/d?pgbouncer=false",
        "postgresql://u:p@h/d",
    ] {
        assert!(!good(text).pooled, "{text}");
    }
}

#[test]
fn the_url_for_libpq_leaves_out_what_libpq_refuses() {
    let libpq = |text: &str| good(text).libpq_url().map(|url| url.expose().to_owned());
    assert_eq!(
        libpq("pgsql://u:p%40@h:1/d?schema=x&sslmode=require&connection_limit=1&whatever=1").as_deref(),
        Some("postgresql://u:p%40@h:1/d?sslmode=require")
    );
    assert_eq!(
        libpq("jdbc:postgresql://h/d?user=u&password=p&ssl=true&currentSchema=x").as_deref(),
        Some("postgresql://h/d?user=u&password=p&sslmode=verify-full")
    );
    assert_eq!(
        libpq("postgres://u:p@h/d?schema=x").as_deref(),
        Some("postgresql://u:p@h/d")
    );
    assert_eq!(libpq("mysql://u:p@h/d"), None);
}

proptest::proptest! {
    #[test]
    fn parse_never_panics(text in ".*") {
        let _ = parse(&text);
    }

    #[test]
    fn parse_never_panics_behind_a_scheme(
        scheme in "(postgres|postgresql|jdbc:postgresql|mysql|sqlite|file|psql '|DATABASE_URL=|export |\"):?/{0,4}",
        rest in "[a-z0-9%@:/?#\\[\\],=&+ \\\\$*{}<>'\"ä\u{feff}\n\t.-]{0,60}",
    ) {
        if let Ok(url) = parse(&format!("{scheme}{rest}")) {
            let _ = (explain(&url), url.libpq_url(), same_database(&url, &url));
            for format in [ExportFormat::Dotenv, ExportFormat::Json, ExportFormat::Github] {
                let _ = export(&url, format);
            }
        }
    }

    #[test]
    fn any_password_comes_back_when_it_is_encoded(password in "[^\\p{C}]{1,30}") {
        let encoded: String =
            percent_encoding::utf8_percent_encode(&password, percent_encoding::NON_ALPHANUMERIC).to_string();
        let text = format!("postgresql://u:{encoded}@h/d");
        if let Ok(url) = parse(&text) {
            proptest::prop_assert_eq!(url.password.as_ref().map(Secret::expose), Some(password.as_str()));
        }
    }
}
