//! Who may do what, from the server's own tables.
//! [MariaDB](https://mariadb.com/kb/en/the-mysql-database-tables/),
//! [MySQL](https://dev.mysql.com/doc/refman/8.0/en/grant-tables.html).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::engine::isolation::{Borderline, Borders, Grant, Power, Role, Unread};

use super::super::connect::{Answer, Row};
use super::super::sql::{list, literal};
use super::pattern::Pattern;
use super::text;

/// Columns of `mysql.user` that both products have, by the privilege's name.
const EVERYWHERE: [(&str, &str, Power); 27] = [
    ("Select_priv", "SELECT", Power::Everywhere),
    ("Insert_priv", "INSERT", Power::Everywhere),
    ("Update_priv", "UPDATE", Power::Everywhere),
    ("Delete_priv", "DELETE", Power::Everywhere),
    ("Create_priv", "CREATE", Power::Everywhere),
    ("Drop_priv", "DROP", Power::Everywhere),
    ("References_priv", "REFERENCES", Power::Everywhere),
    ("Index_priv", "INDEX", Power::Everywhere),
    ("Alter_priv", "ALTER", Power::Everywhere),
    ("Execute_priv", "EXECUTE", Power::Everywhere),
    ("Create_view_priv", "CREATE VIEW", Power::Everywhere),
    ("Show_view_priv", "SHOW VIEW", Power::Everywhere),
    ("Create_routine_priv", "CREATE ROUTINE", Power::Everywhere),
    ("Alter_routine_priv", "ALTER ROUTINE", Power::Everywhere),
    ("Event_priv", "EVENT", Power::Everywhere),
    ("Trigger_priv", "TRIGGER", Power::Everywhere),
    ("Lock_tables_priv", "LOCK TABLES", Power::Everywhere),
    (
        "Create_tmp_table_priv",
        "CREATE TEMPORARY TABLES",
        Power::Everywhere,
    ),
    ("Show_db_priv", "SHOW DATABASES", Power::SeesDatabases),
    ("Super_priv", "SUPER", Power::Superuser),
    ("Grant_priv", "GRANT OPTION", Power::Grants),
    ("File_priv", "FILE", Power::Files),
    ("Process_priv", "PROCESS", Power::Processes),
    ("Create_user_priv", "CREATE USER", Power::CreateRole),
    ("Repl_slave_priv", "REPLICATION SLAVE", Power::Replication),
    ("Reload_priv", "RELOAD", Power::Server),
    ("Shutdown_priv", "SHUTDOWN", Power::Server),
];

/// The same of `mysql.db`.
const OF_DATABASE: [(&str, &str); 19] = [
    ("Select_priv", "SELECT"),
    ("Insert_priv", "INSERT"),
    ("Update_priv", "UPDATE"),
    ("Delete_priv", "DELETE"),
    ("Create_priv", "CREATE"),
    ("Drop_priv", "DROP"),
    ("Grant_priv", "GRANT OPTION"),
    ("References_priv", "REFERENCES"),
    ("Index_priv", "INDEX"),
    ("Alter_priv", "ALTER"),
    ("Create_tmp_table_priv", "CREATE TEMPORARY TABLES"),
    ("Lock_tables_priv", "LOCK TABLES"),
    ("Create_view_priv", "CREATE VIEW"),
    ("Show_view_priv", "SHOW VIEW"),
    ("Create_routine_priv", "CREATE ROUTINE"),
    ("Alter_routine_priv", "ALTER ROUTINE"),
    ("Execute_priv", "EXECUTE"),
    ("Event_priv", "EVENT"),
    ("Trigger_priv", "TRIGGER"),
];

/// Whoever gives no name, and everybody (MariaDB).
const EVERYBODY: [&str; 2] = ["", "PUBLIC"];

/// Whoever may name another as the definer of a procedure acts as anybody: `SET USER`, from MariaDB 10.5 on.
/// `information_schema` lists it of users, and of no role.
/// [`global_priv`](https://mariadb.com/kb/en/mysqlglobal_priv-table/)
const SET_USER: &str = "1073741824";
const FIRST_WITH_SET_USER: (u32, u32) = (10, 5);
/// The same on MySQL, from 8.0 and from 8.2 on.
/// [Dynamic privileges](https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html)
const DYNAMIC: [&str; 2] = ["SET_USER_ID", "SET_ANY_DEFINER"];

/// The product, and its version where that matters.
#[derive(Clone, Copy)]
pub(super) enum Product {
    /// Major and minor version.
    MariaDb(u32, u32),
    MySql,
}

impl Product {
    /// `10.11.14-MariaDB-…`; some put another version before it.
    pub(super) fn of(version: &str) -> Self {
        let Some((before, _)) = version.split_once("-MariaDB") else {
            return Self::MySql;
        };
        let own = before.rsplit('-').next().unwrap_or_default();
        let mut parts = own.split('.').map(|it| it.parse().unwrap_or_default());
        Self::MariaDb(parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    }

    fn is_mariadb(self) -> bool {
        matches!(self, Self::MariaDb(..))
    }
}

/// The answers are read by [`read`] in the same order. No column with a password's hash is asked for.
pub(super) fn statements(wanted: &[String], product: Product) -> Vec<String> {
    let mariadb = product.is_mariadb();
    let member_of = match mariadb {
        true => "SELECT User, Role FROM mysql.roles_mapping",
        false => "SELECT TO_USER, FROM_USER FROM mysql.role_edges",
    };
    let role = match mariadb {
        true => "SELECT Role FROM mysql.roles_mapping",
        false => "SELECT FROM_USER FROM mysql.role_edges",
    };
    let names = list(wanted.iter().map(String::as_str).chain(EVERYBODY));
    let whose = format!("(User IN ({names}) OR User IN ({role}))");
    let of = |columns: Vec<&str>| columns.join(", ");
    vec![
        member_of.to_owned(),
        format!(
            "SELECT User, Host, {} FROM mysql.user WHERE {whose}",
            of(EVERYWHERE.iter().map(|it| it.0).collect())
        ),
        format!(
            "SELECT User, Host, Db, {} FROM mysql.db WHERE {whose}",
            of(OF_DATABASE.iter().map(|it| it.0).collect())
        ),
        format!(
            "SELECT User, Host, Db, Table_name, concat_ws(',', Table_priv, Column_priv) FROM mysql.tables_priv WHERE {whose}"
        ),
        format!(
            "SELECT User, Host, Db, Routine_name, Proc_priv, Routine_type FROM mysql.procs_priv WHERE {whose}"
        ),
        match product {
            Product::MariaDb(major, minor) if (major, minor) < FIRST_WITH_SET_USER => "DO 0".to_owned(),
            Product::MariaDb(..) => format!(
                "SELECT User, Host, 'SET USER' FROM mysql.global_priv
WHERE json_value(Priv, '$.access') & {SET_USER} AND {whose}"
            ),
            Product::MySql => format!(
                "SELECT USER, HOST, PRIV FROM mysql.global_grants WHERE PRIV IN ({}) AND {whose}",
                list(DYNAMIC)
            ),
        },
    ]
}

pub(super) fn unread(product: Product) -> Unread {
    let members = match product {
        Product::MariaDb(..) => "roles_mapping` and `global_priv",
        Product::MySql => "role_edges` and `global_grants",
    };
    Unread {
        what: "what the application's role may do".to_owned(),
        hint: format!(
            "grant SELECT on `mysql`.* to the gate's role, or on its tables `user`, `db`, `tables_priv`, `procs_priv`, `{members}`"
        ),
    }
}

pub(super) fn read(borders: &mut Borders, line: &Borderline<'_>, answers: impl Iterator<Item = Answer>) {
    let mut answers = answers;
    let mut next = || answers.next().unwrap_or_default().rows;
    let members = next();
    let users = next();
    borders.roles = roles(&line.roles(), &members, &users);
    let places: BTreeSet<&str> = line
        .tenants
        .iter()
        .map(|it| it.location.as_str())
        .chain([borders.shared.as_str()])
        .collect();
    let mut grants: Vec<Grant> = next().iter().flat_map(|row| of_databases(row, &places)).collect();
    grants.extend(next().iter().flat_map(|row| of_object(row, &places, "")));
    grants.extend(
        next()
            .iter()
            .flat_map(|row| of_object(row, &places, &text(row, 5))),
    );
    borders.grants = grants;
    acting_as_others(&mut borders.roles, &next());
}

fn acting_as_others(roles: &mut [Role], rows: &[Row]) {
    for row in rows {
        let account = account(row);
        for role in roles.iter_mut().filter(|it| it.account == account) {
            role.powers.insert(Power::ActsAsOthers(set_user(&text(row, 2))));
        }
    }
}

/// As it is taken back.
fn set_user(privilege: &str) -> &'static str {
    let known = DYNAMIC.into_iter().find(|it| *it == privilege);
    known.unwrap_or("SET USER")
}

/// As GRANT and REVOKE name it: roles have no host.
fn account(row: &Row) -> String {
    let (user, host) = (text(row, 0), text(row, 1));
    match (user.as_str(), host.as_str()) {
        ("PUBLIC", "") => user,
        (_, "") => literal(&user),
        _ => format!("{}@{}", literal(&user), literal(&host)),
    }
}

/// Each serving role that is there, with all that it is a member of, however far: each may become it.
fn roles(wanted: &[String], members: &[Row], users: &[Row]) -> Vec<Role> {
    let mut of: HashMap<String, Vec<String>> = HashMap::new();
    for row in members {
        of.entry(text(row, 0)).or_default().push(text(row, 1));
    }
    let mut accounts: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in users {
        accounts.entry(text(row, 0)).or_default().push(row);
    }
    let mut found = Vec::new();
    for serving in wanted.iter().filter(|it| accounts.contains_key(*it)) {
        let mut seen = BTreeSet::from([serving.clone()]);
        let mut open = vec![serving.clone()];
        while let Some(name) = open.pop() {
            for more in of.get(&name).into_iter().flatten() {
                if seen.insert(more.clone()) {
                    open.push(more.clone());
                }
            }
        }
        for name in &seen {
            let rows = accounts.get(name).into_iter().flatten();
            found.extend(rows.map(|row| role(serving, name, row)));
        }
    }
    found
}

fn role(serving: &str, name: &str, row: &Row) -> Role {
    let given = EVERYWHERE.iter().enumerate();
    let given = given.filter(|(index, _)| text(row, 2 + index) == "Y");
    let (words, powers): (Vec<&str>, BTreeSet<Power>) =
        given.map(|(_, (_, word, power))| (*word, *power)).unzip();
    Role {
        serving: serving.to_owned(),
        name: name.to_owned(),
        powers,
        search_path: String::new(),
        account: account(row),
        everywhere: words.into_iter().map(str::to_owned).collect(),
    }
}

fn grantee(row: &Row) -> String {
    let user = text(row, 0);
    if EVERYBODY.contains(&user.as_str()) {
        String::new()
    } else {
        user
    }
}

fn of_databases(row: &Row, places: &BTreeSet<&str>) -> Vec<Grant> {
    let pattern = Pattern::new(&text(row, 2));
    let (locations, written): (Vec<String>, Option<String>) = match pattern.name() {
        Some(name) => {
            let there = places.contains(name.as_str()).then_some(name).into_iter();
            // What has a backslash is taken back with it.
            (there.collect(), Some(text(row, 2)).filter(|it| it.contains('\\')))
        }
        None => {
            let matching = pattern.matching(places).into_iter();
            (matching.map(str::to_owned).collect(), Some(text(row, 2)))
        }
    };
    let given = OF_DATABASE.iter().enumerate();
    let given = given.filter(|(index, _)| text(row, 3 + index) == "Y");
    let grant = |(_, (_, privilege)): (usize, &(&str, &str))| Grant {
        grantee: grantee(row),
        privilege: (*privilege).to_owned(),
        locations: locations.clone(),
        pattern: written.clone(),
        account: account(row),
        object: None,
    };
    match locations.is_empty() {
        true => Vec::new(),
        false => given.map(grant).collect(),
    }
}

/// Of tables and routines: their databases are names, and no patterns.
fn of_object(row: &Row, places: &BTreeSet<&str>, kind: &str) -> Vec<Grant> {
    let (database, name) = (text(row, 2), text(row, 3));
    if !places.contains(database.as_str()) {
        return Vec::new();
    }
    let privileges: BTreeSet<String> = text(row, 4)
        .split(',')
        .filter(|it| !it.is_empty())
        .map(str::to_uppercase)
        .collect();
    let grant = |privilege| Grant {
        grantee: grantee(row),
        privilege,
        locations: vec![database.clone()],
        pattern: None,
        account: account(row),
        object: Some((kind.to_owned(), name.clone())),
    };
    privileges.into_iter().map(grant).collect()
}
