//! Leaks between databases of a MariaDB, each planted and found by name.

use std::collections::BTreeSet;

use crate::harness::{Desk, Server, TENANTS, findings};

/// Its users go with it: they are the server's, and no database's.
struct Served {
    desk: Desk,
    users: Vec<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let admin = self.desk.database.admin();
        for user in &self.users {
            admin.execute(&format!("DROP USER IF EXISTS {user}"));
        }
    }
}

const PASSWORD: &str = "canary-of-the-application";

/// The same, and the gate has the URL by which they connect.
fn connected() -> Served {
    let mut served = served();
    let desk = &mut served.desk;
    for user in &served.users {
        let password = format!("ALTER USER {user} IDENTIFIED BY '{PASSWORD}'");
        desk.database.admin().execute(&password);
    }
    let prefix = desk.database.name();
    let server = desk
        .database
        .url()
        .split('@')
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let url = format!("mysql://{prefix}_app_{{tenant}}:{PASSWORD}@{server}/{prefix}_{{tenant}}");
    desk.project.env("APP_URL", url);
    desk.project.guard(PASSWORD);
    desk.configure_more("[isolation]\ntry_url = \"APP_URL\"\n");
    served
}

/// A user for each tenant, which has its own database and no more.
fn served() -> Served {
    let desk = Desk::migrated(Server::Mariadb);
    let prefix = desk.database.name().to_owned();
    let mut users = Vec::new();
    let admin = desk.database.admin();
    admin.execute(&format!("GRANT SELECT ON mysql.* TO `{prefix}`@`%`"));
    for tenant in TENANTS {
        let user = format!("`{prefix}_app_{tenant}`@`%`");
        let place = desk.database.location(tenant).replace('_', "\\_");
        admin.execute(&format!("CREATE USER {user}"));
        admin.execute(&format!("GRANT SELECT, INSERT ON `{place}`.* TO {user}"));
        users.push(user);
    }
    desk.configure("tenancy", &format!("serving_role = \"{prefix}_app_{{tenant}}\""));
    desk.configure_more("[validate]\ndrift = \"off\"\n");
    Served { desk, users }
}

fn assert_found(found: &[String], expected: &[String]) {
    for one in expected {
        assert!(found.iter().any(|it| it.contains(one)), "{one}: {found:#?}");
    }
}

#[test]
fn databases_that_are_apart_pass() {
    let served = served();
    let before = served.desk.everything();
    let run = served.desk.tenantgate(&["validate"]);
    run.assert_code(0);
    for check in ["references", "names", "grants"] {
        let id = format!("isolation.{check}");
        assert_eq!(run.check(&id)["status"], "passed", "{}", run.stdout);
        let found = findings(&run, &id);
        assert!(found.iter().all(|it| it.contains("and not tried")), "{found:?}");
    }
    assert_eq!(served.desk.everything(), before);
}

#[test]
fn what_points_into_another_database_is_found_by_name() {
    let desk = Desk::migrated(Server::Mariadb);
    desk.configure_more("[validate]\ndrift = \"off\"\n");
    let at = |tenant: &str| desk.database.location(tenant);
    let (amber, birch, cedar) = (at("amber"), at("birch"), at("cedar"));
    let mut session = desk.database.session();
    for sql in [
        format!("CREATE TABLE `{birch}`.customers (id int PRIMARY KEY)"),
        format!(
            "CREATE TABLE `{amber}`.bills (id int, CONSTRAINT of_birch FOREIGN KEY (id) REFERENCES `{birch}`.customers (id))"
        ),
        format!("CREATE VIEW `{amber}`.spying AS SELECT note FROM `{birch}`.orders"),
        format!("CREATE VIEW `{amber}`.own AS SELECT note FROM `{amber}`.orders"),
        format!("CREATE PROCEDURE `{amber}`.copies() SELECT 'secret of theirs', id FROM {birch}.orders"),
        format!(
            "CREATE TRIGGER `{amber}`.watched BEFORE INSERT ON `{amber}`.orders FOR EACH ROW SET NEW.id = (SELECT max(id) FROM `{cedar}`.orders)"
        ),
        format!(
            "CREATE EVENT `{amber}`.nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM `{birch}`.orders"
        ),
        format!("CREATE VIEW all_orders AS SELECT note FROM `{cedar}`.orders"),
    ] {
        session.execute(&sql);
    }
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let found = findings(&run, "isolation.references");
    let expected = "amber: foreign key `of_birch` of `bills` points into tenant birch: table `customers`";
    assert_eq!(found, [expected]);
    let found = findings(&run, "isolation.names");
    let expected = [
        "amber: view `spying` names tenant birch in its text",
        "amber: procedure `copies` names tenant birch in its text",
        "amber: trigger `watched` names tenant cedar in its text",
        "amber: event `nightly` names tenant birch in its text",
        "cedar: view `all_orders` of the shared database names this tenant in its text",
    ];
    assert_found(&found, &expected.map(str::to_owned));
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(!run.stdout.contains("secret of theirs"));
    desk.configure_more("[isolation]\nignore = [\"bills\"]\nnames = \"warning\"\n");
    desk.tenantgate(&["validate"]).assert_code(0);
}

/// Where structures were compared, one of those that are alike is looked at for all of them.
#[test]
fn tenants_that_are_alike_are_told_of_one_by_one() {
    let desk = Desk::migrated(Server::Mariadb);
    desk.configure_more("[validate]\ndrift = \"warning\"\n");
    let at = |tenant: &str| desk.database.location(tenant);
    let birch = at("birch");
    // On a server that tells small letters from large ones it is nobody's.
    let lookalike = desk.database.location("AMBER");
    let admin = desk.database.admin();
    admin.execute(&format!("CREATE DATABASE `{lookalike}`"));
    admin.execute(&format!("CREATE TABLE `{birch}`.customers (id int PRIMARY KEY)"));
    for place in [at("cedar"), at("delta"), lookalike.clone()] {
        admin.execute(&format!(
            "CREATE TABLE `{place}`.bills (id int, CONSTRAINT of_birch FOREIGN KEY (id) REFERENCES `{birch}`.customers (id))"
        ));
    }
    let run = desk.tenantgate(&["validate"]);
    admin.execute(&format!("DROP DATABASE `{lookalike}`"));
    run.assert_code(1);
    let mut found = findings(&run, "isolation.references");
    found.sort();
    let points = "points into tenant birch: table `customers`";
    let expected = [
        format!(
            "birch: foreign key `of_birch` of `bills` of database `{lookalike}`, which is no tenant's, points into this one: table `customers`"
        ),
        format!("cedar: foreign key `of_birch` of `bills` {points}"),
        format!("delta: foreign key `of_birch` of `bills` {points}"),
    ];
    assert_eq!(found, expected, "{}", run.stdout);
}

#[test]
fn users_that_reach_other_databases_are_found() {
    let served = served();
    let desk = &served.desk;
    let prefix = desk.database.name();
    let user = |tenant: &str| format!("`{prefix}_app_{tenant}`@`%`");
    let birch = desk.database.location("birch");
    let wide = format!("{prefix}\\_%");
    // One character of the name is not escaped, and stands for any.
    let loose = format!(
        "{}_edar",
        desk.database
            .location("cedar")
            .trim_end_matches("cedar")
            .replace('_', "\\_")
    );
    let role = format!("{prefix}_helpers");
    let admin = desk.database.admin();
    for sql in [
        format!("GRANT SELECT ON `{birch}`.orders TO {}", user("amber")),
        format!("GRANT DELETE ON `{wide}`.* TO {}", user("birch")),
        format!("GRANT UPDATE ON `{loose}`.* TO {}", user("delta")),
        format!(
            "GRANT SELECT, PROCESS, FILE, SUPER ON *.* TO {} WITH GRANT OPTION",
            user("cedar")
        ),
        format!("GRANT SET USER ON *.* TO {}", user("elder")),
        format!("CREATE ROLE `{role}`"),
        format!("GRANT DROP ON `{}`.* TO `{role}`", birch.replace('_', "\\_")),
        format!("GRANT `{role}` TO {}", user("delta")),
        format!("GRANT SET USER ON *.* TO `{role}`"),
    ] {
        admin.execute(&sql);
    }
    let run = desk.tenantgate(&["validate"]);
    admin.execute(&format!("DROP ROLE `{role}`"));
    run.assert_code(1);
    let found = findings(&run, "isolation.grants");
    assert_found(
        &found,
        &[
            "birch: the role of tenant amber has SELECT on `orders` of its database".to_owned(),
            format!("amber: the role of tenant birch has DELETE on its database, granted on `{wide}`.*"),
            format!("cedar: the role of tenant delta has UPDATE on its database, granted on `{loose}`.*"),
            format!("birch: the role of tenant delta has DROP on its database through `{role}`"),
            format!(
                "cedar: the serving role `{prefix}_app_cedar` has privileges on all databases of the server (ON *.*): SELECT"
            ),
            format!("cedar: the serving role `{prefix}_app_cedar` is a superuser"),
            format!(
                "cedar: the serving role `{prefix}_app_cedar` may read and write the server's files (FILE)"
            ),
            format!("cedar: the serving role `{prefix}_app_cedar` may see everybody's statements (PROCESS)"),
            format!("cedar: the serving role `{prefix}_app_cedar` may give others what it has"),
            format!(
                "elder: the serving role `{prefix}_app_elder` may make procedures that run as any other user"
            ),
            format!(
                "delta: the serving role `{prefix}_app_delta` is a member of `{role}`, which may make procedures that run as any other user"
            ),
        ],
    );
    // What takes it back is in the report, and does.
    let given = run.check("isolation.grants")["findings"].clone();
    let texts = given
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|it| it["sql"].as_str());
    // One pattern lets into many databases, and is taken back once.
    let lines: BTreeSet<&str> = texts
        .flat_map(str::lines)
        .filter(|it| !it.contains(&role))
        .collect();
    for sql in lines {
        admin.execute(sql);
    }
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(
        run.check("isolation.grants")["status"],
        "passed",
        "{}",
        run.stdout
    );
}

#[test]
fn a_role_that_may_not_read_the_grants_is_told() {
    let served = served();
    let desk = &served.desk;
    let prefix = desk.database.name();
    let gate = format!("`{prefix}`@`%`");
    desk.database
        .admin()
        .execute(&format!("REVOKE SELECT ON mysql.* FROM {gate}"));
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    let found = findings(&run, "isolation.grants");
    assert_eq!(run.check("isolation.grants")["status"], "warned");
    assert_found(
        &found,
        &["what the application's role may do could not be looked at".to_owned()],
    );
    let hint = run.check("isolation.grants")["findings"][0]["hint"].to_string();
    for table in [
        "user",
        "db",
        "tables_priv",
        "procs_priv",
        "roles_mapping",
        "global_priv",
    ] {
        assert!(hint.contains(&format!("`{table}`")), "{hint}");
    }
    // These tables are enough.
    for table in [
        "user",
        "db",
        "tables_priv",
        "procs_priv",
        "roles_mapping",
        "global_priv",
    ] {
        let grant = format!("GRANT SELECT ON mysql.{table} TO {gate}");
        desk.database.admin().execute(&grant);
    }
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(run.check("isolation.grants")["status"], "passed");
    assert!(!found.iter().any(|it| it.contains("does not exist")), "{found:?}");
}

/// They are let in by their address alone, here by one that nobody has.
#[test]
fn what_users_without_a_name_may_do_is_found() {
    let mut served = served();
    let nobody = "''@'203.0.113.77'";
    let admin = served.desk.database.admin();
    let birch = served.desk.database.location("birch").replace('_', "\\_");
    admin.execute(&format!("CREATE USER IF NOT EXISTS {nobody}"));
    admin.execute(&format!("GRANT SELECT ON `{birch}`.* TO {nobody}"));
    let run = served.desk.tenantgate(&["validate"]);
    served.users.push(nobody.to_owned());
    run.assert_code(1);
    assert_eq!(
        findings(&run, "isolation.grants")[0],
        "birch: whoever connects without a user name has SELECT on its database"
    );
    let sql = run.check("isolation.grants")["findings"][0]["sql"].clone();
    served.desk.database.admin().execute(sql.as_str().unwrap());
    let run = served.desk.tenantgate(&["validate"]);
    assert_eq!(
        run.check("isolation.grants")["status"],
        "passed",
        "{}",
        run.stdout
    );
}

/// One user serves all tenants: what it may do with their data is no finding, what goes beyond is.
#[test]
fn one_user_for_all_is_looked_at() {
    let mut served = served();
    let prefix = served.desk.database.name().to_owned();
    let user = format!("`{prefix}_one`@`%`");
    served.users.push(user.clone());
    let desk = &served.desk;
    desk.project.replace(
        "tenantgate.toml",
        &format!("{prefix}_app_{{tenant}}"),
        &format!("{prefix}_one"),
    );
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let missing = format!("the serving role `{prefix}_one` does not exist");
    assert_found(&findings(&run, "isolation.grants"), &[missing]);
    let admin = desk.database.admin();
    let all = format!("{prefix}\\_%");
    admin.execute(&format!("CREATE USER {user}"));
    admin.execute(&format!("GRANT SELECT, INSERT ON `{all}`.* TO {user}"));
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(
        run.check("isolation.grants")["status"],
        "passed",
        "{}",
        run.stdout
    );
    admin.execute(&format!("GRANT CREATE ON `{all}`.* TO {user}"));
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_found(
        &findings(&run, "isolation.grants"),
        &[
            format!("birch: the serving role may create in its database, as `{prefix}_one`"),
            format!(
                "the serving role may create in the shared database `{prefix}_shared`, as `{prefix}_one`"
            ),
        ],
    );
}

#[test]
fn users_that_stay_at_home_are_seen_to() {
    let served = connected();
    let before = served.desk.everything();
    let run = served.desk.tenantgate(&["validate"]);
    run.assert_code(0);
    for check in ["isolation.try", "isolation.grants"] {
        assert_eq!(run.check(check)["status"], "passed", "{}", run.stdout);
        assert_eq!(findings(&run, check), [""; 0]);
    }
    assert_eq!(served.desk.everything(), before);
}

#[test]
fn a_user_that_crosses_is_seen_to() {
    let served = connected();
    let desk = &served.desk;
    let prefix = desk.database.name();
    let user = |tenant: &str| format!("`{prefix}_app_{tenant}`@`%`");
    let at = |tenant: &str| desk.database.location(tenant);
    let admin = desk.database.admin();
    for sql in [
        format!(
            "GRANT SELECT (note) ON `{}`.orders TO {}",
            at("birch"),
            user("amber")
        ),
        format!(
            "GRANT INSERT ON `{}`.* TO {}",
            at("cedar").replace('_', "\\_"),
            user("birch")
        ),
        format!("GRANT DELETE ON `{}`.orders TO {}", at("delta"), user("cedar")),
        format!("GRANT UPDATE ON `{}`.orders TO {}", at("elder"), user("delta")),
        format!(
            "REVOKE SELECT ON `{}`.* FROM {}",
            at("elder").replace('_', "\\_"),
            user("elder")
        ),
    ] {
        admin.execute(&sql);
    }
    let before = desk.everything();
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let found: Vec<String> = findings(&run, "isolation.try")
        .iter()
        .map(|it| it.replace(prefix, "tg"))
        .collect();
    assert_eq!(
        found,
        [
            "amber: user `tg_app_amber` read `orders` of tenant birch",
            "amber: user `tg_app_amber` sees the databases of other tenants: `birch`",
            "birch: user `tg_app_birch` may write to `orders` of tenant cedar",
            "birch: user `tg_app_birch` sees the databases of other tenants: `cedar`",
            "cedar: user `tg_app_cedar` may write to `orders` of tenant delta",
            "cedar: user `tg_app_cedar` sees the databases of other tenants: `delta`",
            "delta: user `tg_app_delta` may write to `orders` of tenant elder",
            "delta: user `tg_app_delta` sees the databases of other tenants: `elder`",
            "elder: user `tg_app_elder` may not read its own `orders`",
        ]
    );
    assert_eq!(desk.everything(), before);
}

#[test]
fn a_user_that_cannot_connect_is_no_pass() {
    let served = connected();
    let desk = &served.desk;
    let prefix = desk.database.name();
    let user = format!("`{prefix}_app_cedar`@`%`");
    desk.database
        .admin()
        .execute(&format!("ALTER USER {user} IDENTIFIED BY 'another'"));
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(3);
    let found = findings(&run, "isolation.try");
    assert!(found[0].contains("as the user of tenant cedar: "), "{found:?}");
    // Nothing is looked for by a URL that is not there.
    desk.project.replace("tenantgate.toml", "APP_URL", "NO_SUCH_URL");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed")[0], "url.missing", "{}", run.stdout);
}

#[test]
fn one_user_for_all_is_told_of() {
    let mut served = connected();
    let url = served.desk.project.variables()["APP_URL"].replace("{tenant}", "amber");
    served.desk.project.env("APP_URL", url);
    served.desk.configure("isolation", "sample = 1");
    let run = served.desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(
        findings(&run, "isolation.try"),
        ["one user serves all tenants: nothing but the choice of a database keeps them apart"]
    );
}
