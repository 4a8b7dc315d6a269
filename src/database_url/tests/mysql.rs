use super::*;

#[test]
fn every_scheme_of_mysql_and_mariadb_is_understood() {
    for scheme in [
        "mysql",
        "mysql2",
        "mariadb",
        "mysql+pymysql",
        "mysql+mysqldb",
        "mysql+aiomysql",
        "mysql+asyncmy",
        "mysql+mysqlconnector",
        "mariadb+pymysql",
        "mariadb+mariadbconnector",
        "jdbc:mysql",
        "jdbc:mariadb",
    ] {
        let userinfo = if scheme.starts_with("jdbc") {
            ""
        } else {
            "app:s3cret@"
        };
        let query = if scheme.starts_with("jdbc") {
            "?user=app&password=s3cret"
        } else {
            ""
        };
        let url = good(&format!("{scheme}://{userinfo}db.example.com/meats{query}"));
        assert_eq!(url.kind, EngineKind::Mysql, "{scheme}");
        assert_eq!(url.addresses, [tcp("db.example.com", 3306)]);
        assert_eq!(url.user.as_deref(), Some("app"));
        assert_eq!(password(&url), Some("s3cret"));
        assert_eq!(url.database, "meats");
        assert!(!url.pooled);
    }
}

#[test]
fn tls_has_mysqls_names() {
    for (query, mode) in [
        ("ssl-mode=REQUIRED", TlsMode::Require),
        ("sslMode=VERIFY_IDENTITY", TlsMode::VerifyFull),
        ("sslmode=verify_ca", TlsMode::VerifyCa),
        ("ssl-mode=DISABLED", TlsMode::Disable),
        ("ssl_mode=preferred", TlsMode::Prefer),
        ("useSSL=true&requireSSL=true", TlsMode::Require),
        ("ssl-ca=/ca.pem", TlsMode::Prefer),
    ] {
        assert_eq!(good(&format!("mysql://u:p@h/d?{query}")).tls, mode, "{query}");
    }
    assert_eq!(
        good("mysql://u:p@h/d?ssl-ca=/ca.pem").tls_root_cert,
        Some("/ca.pem".into())
    );
    bad("mysql://u:p@h/d?ssl-mode=sometimes", &TLS);
    bad("mysql://u:p@h/d?ssl-mode", &TLS);
    bad("mysql://u:p@h/d?ssl-mode=REQUIRED&sslMode=REQUIRED", &TLS);
    bad("mysql://u:p@h/d?ssl-mod=REQUIRED", &PARAMETER);
}

#[test]
fn sockets_and_several_hosts() {
    let path = "/run/mysqld/mysqld.sock";
    assert_eq!(
        good("mysql://u:p@localhost/d?socket=/run/mysqld/mysqld.sock").addresses,
        [socket(path, 3306)]
    );
    assert_eq!(
        good("mysql://u:p@/d?unix_socket=/run/mysqld/mysqld.sock").addresses,
        [socket(path, 3306)]
    );
    assert_eq!(
        good("mysql://u:p@h1:1,h2/d").addresses,
        [tcp("h1", 1), tcp("h2", 3306)]
    );
    bad("mysql://u:p@%2Frun%2Fmysqld/d", &HOST);
    bad("mysql://u:p@/d?socket=mysqld.sock", &HOST);
    bad("mysql://u:p@/d", &HOST);
}

#[test]
fn the_same_strictness_as_for_postgresql() {
    bad("mysql://u:p@ss@h/d", &UNENCODED_PASSWORD);
    bad("mysql://u:p@h:0/d", &PORT);
    bad("mysql://u:p@h", &DATABASE);
    noted("mysql://u:p@h/d?charset=utf8mb4", "`charset`");
    noted("mysql://u:p@h/d?serverTimezone=UTC", "`serverTimezone`");
    assert_eq!(
        good("jdbc:mysql://h/d?user=u&password=p&connectTimeout=1500").connect_timeout,
        Some(Duration::from_millis(1500))
    );
}
