//! The borders between schemas, from raw catalogs: for all tenants at once, in one message.

use std::collections::BTreeSet;

use crate::engine::isolation::{
    Body, Borders, Definer, Grant, InPlace, Owned, Power, Reference, Role, Twice,
};

use super::connect::Row;
use super::sql::{array, literal};

/// Between items of a list, and between the parts of an item: no name has them.
const ITEM: char = '\u{1e}';
const PART: char = '\u{1f}';

/// Compiling such joins takes longer than they do, and their hashes are to stay off the disk. For the
/// transaction, and only where there are such settings.
pub(super) const SETTINGS: &str =
    "SELECT set_config(name, CASE name WHEN 'work_mem' THEN '16MB' ELSE 'off' END, true)
FROM pg_settings WHERE name IN ('jit', 'work_mem');";

/// Schemas that may be somebody's: neither PostgreSQL's nor the ledger's.
fn somebodys(alias: &str, ledger: &str) -> String {
    format!(
        "{alias}.nspname !~ '^pg_' AND {alias}.nspname NOT IN ('information_schema', {})",
        literal(ledger)
    )
}

/// One message. The answers are read by [`borders`] in the same order.
pub(super) fn statements(shared: &str, ledger: &str, roles: &[String]) -> String {
    let wanted = array(roles.iter().map(String::as_str));
    [
        references(shared, ledger),
        bodies(ledger),
        names(shared, ledger),
        twice(shared, ledger),
        memberships(&wanted),
        grants(ledger),
        public(shared, ledger),
        owned(ledger, &wanted),
        definers(ledger, &wanted),
    ]
    .join(";\n")
}

/// `pg_depend` knows of each use that is more than text. Within a table's own things nothing crosses: of its
/// rows only the "normal" ones are read, `pg_inherits` for partitions, and `pg_constraint` for foreign keys, which
/// are most by far. Of what is left each end is looked up by itself: without statistics of the catalog the
/// planner would hash all of it for a few.
/// [pg_depend](https://www.postgresql.org/docs/current/catalog-pg-depend.html)
fn references(shared: &str, ledger: &str) -> String {
    let class = |name: &str| format!("'pg_catalog.{name}'::regclass");
    let when = |(name, place): &(&str, &str), end: &str| {
        format!(
            "WHEN {} THEN (SELECT {place} FROM pg_catalog.{name} x WHERE x.oid = {end})",
            class(name)
        )
    };
    let of_table = |key: &'static str| {
        format!("(SELECT c.relnamespace FROM pg_catalog.pg_class c WHERE c.oid = x.{key})")
    };
    // Internal triggers are those of foreign keys.
    let of_trigger = format!("CASE WHEN NOT x.tgisinternal THEN {} END", of_table("tgrelid"));
    let (of_default, of_rule, of_policy) = (of_table("adrelid"), of_table("ev_class"), of_table("polrelid"));
    let sources = [
        ("pg_class", "x.relnamespace"),
        ("pg_proc", "x.pronamespace"),
        ("pg_type", "x.typnamespace"),
        ("pg_constraint", "x.connamespace"),
        ("pg_attrdef", &of_default),
        ("pg_rewrite", &of_rule),
        ("pg_trigger", &of_trigger),
        ("pg_policy", &of_policy),
    ];
    let targets = [
        (
            "pg_class",
            "CASE WHEN x.relkind NOT IN ('i', 'I') THEN x.relnamespace END",
        ),
        ("pg_proc", "x.pronamespace"),
        ("pg_type", "x.typnamespace"),
        ("pg_collation", "x.collnamespace"),
        ("pg_operator", "x.oprnamespace"),
        ("pg_opclass", "x.opcnamespace"),
    ];
    let list = |of: &[(&str, &str)]| -> String {
        let classes: Vec<String> = of.iter().map(|(name, _)| class(name)).collect();
        classes.join(", ")
    };
    let cases = |of: &[(&str, &str)], end: &str| -> String {
        let cases: Vec<String> = of.iter().map(|it| when(it, end)).collect();
        cases.join("\n        ")
    };
    format!(
        "WITH edge AS MATERIALIZED (
    SELECT classid, objid, refclassid, refobjid, false AS child FROM pg_catalog.pg_depend
    WHERE deptype = 'n' AND refclassid IN ({target_classes}) AND classid IN ({source_classes})
        AND (classid <> {constraint} OR refclassid <> {class})
    UNION ALL
    SELECT {constraint}, k.oid, {class}, k.confrelid, false FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.confrelid WHERE k.contype = 'f' AND c.relnamespace <> k.connamespace
    UNION ALL
    SELECT {class}, inhrelid, {class}, inhparent, true FROM pg_catalog.pg_inherits),
ends AS MATERIALIZED (
    SELECT e.*, CASE e.classid
        {sources} END AS source,
        CASE e.refclassid
        {targets} END AS target
    FROM edge e),
crossing AS MATERIALIZED (
    SELECT ends.*, s.nspname AS from_schema, t.nspname AS to_schema FROM ends
    JOIN pg_catalog.pg_namespace s ON s.oid = ends.source JOIN pg_catalog.pg_namespace t ON t.oid = ends.target
    WHERE ends.source <> ends.target AND {source_is} AND {target_is} AND (t.nspname <> {shared} OR child))
SELECT from_schema, source.type || ' ' || replace(source.identity, quote_ident(from_schema) || '.', ''),
    to_schema, target.type || ' ' || replace(target.identity, quote_ident(to_schema) || '.', ''),
    EXISTS (SELECT FROM pg_catalog.pg_depend x
        WHERE x.classid = refclassid AND x.objid = refobjid AND x.deptype = 'e'), bool_or(child)
FROM crossing LEFT JOIN pg_catalog.pg_rewrite w ON classid = {rewrite} AND w.oid = objid
CROSS JOIN LATERAL pg_identify_object(CASE WHEN w.oid IS NULL THEN classid ELSE {class} END, coalesce(w.ev_class, objid), 0) AS source
CROSS JOIN LATERAL pg_identify_object(refclassid, refobjid, 0) AS target
GROUP BY from_schema, source.type, source.identity, to_schema, target.type, target.identity, refclassid, refobjid
ORDER BY 1, 2",
        target_classes = list(&targets),
        source_classes = list(&sources),
        class = class("pg_class"),
        constraint = class("pg_constraint"),
        rewrite = class("pg_rewrite"),
        sources = cases(&sources, "e.objid"),
        targets = cases(&targets, "e.refobjid"),
        source_is = somebodys("s", ledger),
        target_is = somebodys("t", ledger),
        shared = literal(shared)
    )
}

/// Each distinct text once, whoever has it. Those of extensions are not the project's.
fn bodies(ledger: &str) -> String {
    format!(
        "SELECT p.prosrc, p.path, string_agg(n.nspname || chr({PART_CODE}) || CASE p.prokind WHEN 'p' THEN 'procedure `' ELSE 'function `' END
        || p.proname || '`', chr({ITEM_CODE}) ORDER BY n.nspname)
FROM (SELECT *, (SELECT setting FROM unnest(proconfig) AS setting WHERE setting LIKE 'search\\_path=%') AS path
    FROM pg_catalog.pg_proc) p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE l.lanname NOT IN ('internal', 'c') AND {} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
GROUP BY p.prosrc, p.path",
        somebodys("n", ledger),
        PART_CODE = PART as u32,
        ITEM_CODE = ITEM as u32,
    )
}

fn names(shared: &str, ledger: &str) -> String {
    let theirs = format!("{} AND n.nspname <> {}", somebodys("n", ledger), literal(shared));
    format!(
        "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {theirs}
UNION SELECT p.proname FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE {theirs}"
    )
}

fn twice(shared: &str, ledger: &str) -> String {
    format!(
        "SELECT c.relname, string_agg(n.nspname, chr({item}))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND {others} AND n.nspname <> {shared} AND c.relname IN (
    SELECT s.relname FROM pg_catalog.pg_class s JOIN pg_catalog.pg_namespace m ON m.oid = s.relnamespace
    WHERE m.nspname = {shared} AND s.relkind IN ('r', 'p', 'f'))
GROUP BY c.relname ORDER BY c.relname",
        item = ITEM as u32,
        others = somebodys("n", ledger),
        shared = literal(shared)
    )
}

/// Serving roles with all that they are members of, however far: a member may become it, inherited or not.
fn closure(wanted: &str) -> String {
    format!(
        "WITH RECURSIVE closure(serving, oid) AS (
    SELECT r.rolname, r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = ANY ({wanted})
    UNION
    SELECT c.serving, m.roleid FROM closure c JOIN pg_catalog.pg_auth_members m ON m.member = c.oid)"
    )
}

fn memberships(wanted: &str) -> String {
    format!(
        "{}
SELECT c.serving, r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolcreatedb, r.rolreplication,
    has_database_privilege(r.oid, current_database(), 'CREATE'),
    (SELECT setting FROM pg_catalog.pg_db_role_setting o CROSS JOIN unnest(o.setconfig) AS setting
        WHERE o.setrole = r.oid AND setting LIKE 'search\\_path=%' AND o.setdatabase IN (0, (
            SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
        ORDER BY o.setdatabase DESC LIMIT 1)
FROM closure c JOIN pg_catalog.pg_roles r ON r.oid = c.oid ORDER BY 1, 2",
        closure(wanted)
    )
}

fn grants(ledger: &str) -> String {
    format!(
        "SELECT r.rolname, a.privilege_type, string_agg(n.nspname, chr({}))
FROM pg_catalog.pg_namespace n
CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE {} GROUP BY a.grantee, r.rolname, a.privilege_type ORDER BY 1, 2",
        ITEM as u32,
        somebodys("n", ledger)
    )
}

/// Everybody may EXECUTE functions unless that is taken back; without USAGE of the schema that opens nothing,
/// and USAGE is asked about. What is granted on tables shows an intention.
fn public(shared: &str, ledger: &str) -> String {
    format!(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {others} AND n.nspname <> {shared} AND (
    EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee = 0)
    OR c.oid IN (SELECT t.attrelid FROM pg_catalog.pg_attribute t CROSS JOIN LATERAL aclexplode(t.attacl) AS a
        WHERE t.attacl IS NOT NULL AND a.grantee = 0))
ORDER BY 1, 2",
        others = somebodys("n", ledger),
        shared = literal(shared)
    )
}

fn owned(ledger: &str, wanted: &str) -> String {
    format!(
        "SELECT r.rolname, string_agg(DISTINCT n.nspname, chr({}))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
WHERE r.rolname = ANY ({wanted}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {} GROUP BY r.rolname",
        ITEM as u32,
        somebodys("n", ledger)
    )
}

/// Functions that act as their owner, may be called by everybody or by a serving role, and either look for names
/// where their caller says or run what they put together. A trigger's is called by whoever writes. The names
/// of a body in standard SQL are bound to their things: it has no text.
fn definers(ledger: &str, wanted: &str) -> String {
    format!(
        "{closure}, may (oid) AS (SELECT 0::oid UNION SELECT oid FROM closure)
SELECT min(p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'), min(r.rolname),
    p.fixed, p.dynamic, string_agg(DISTINCT n.nspname, chr({item}))
FROM (SELECT p.*, p.prorettype = 'trigger'::regtype AS is_trigger,
        EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\\_path=%') AS fixed,
        l.lanname <> 'sql' AND (l.lanname <> 'plpgsql' OR p.prosrc ~* '\\mexecute\\M')
            OR p.prosrc ~* '\\m(dblink|(query|table|schema|database|cursor)_to_xml|set_config\\s*\\(\\s*''search_path|set\\s+(local\\s+)?search_path)' AS dynamic
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.prosecdef AND p.prorettype <> 'event_trigger'::regtype AND (l.lanname <> 'sql' OR p.prosrc <> '')) p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_roles r ON r.oid = p.proowner
WHERE {somebodys} AND (NOT p.fixed OR p.dynamic AND NOT p.is_trigger) AND p.proowner NOT IN (SELECT oid FROM closure)
AND (p.is_trigger OR EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE a.grantee IN (SELECT oid FROM may))
    AND EXISTS (SELECT FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
        WHERE a.privilege_type = 'USAGE' AND a.grantee IN (SELECT oid FROM may)))
AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
GROUP BY p.prosrc, p.proname, p.fixed, p.dynamic ORDER BY 1, 3",
        closure = closure(wanted),
        item = ITEM as u32,
        somebodys = somebodys("n", ledger)
    )
}

/// Roles that PostgreSQL itself made, which all of a database is open to.
fn predefined(name: &str) -> Option<Power> {
    match name {
        "pg_read_all_data" => Some(Power::ReadsAll),
        "pg_write_all_data" => Some(Power::WritesAll),
        "pg_read_server_files" | "pg_write_server_files" | "pg_execute_server_program" => {
            Some(Power::Superuser)
        }
        _ => None,
    }
}

fn text(row: &Row, index: usize) -> String {
    row.get(index).cloned().flatten().unwrap_or_default()
}

fn items(list: &str) -> Vec<String> {
    list.split(ITEM)
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

fn in_place(item: &str) -> Option<InPlace> {
    let (location, object) = item.split_once(PART)?;
    Some(InPlace {
        location: location.to_owned(),
        object: object.to_owned(),
    })
}

fn search_path(setting: &str) -> String {
    setting.strip_prefix("search_path=").unwrap_or(setting).to_owned()
}

/// Reads the answers to [`statements`].
pub(super) fn borders(shared: &str, answers: impl IntoIterator<Item = Vec<Row>>) -> Borders {
    let mut answers = answers.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    let reference = |row: Row| Reference {
        from: text(&row, 0),
        object: text(&row, 1),
        to: text(&row, 2),
        target: text(&row, 3),
        extension: text(&row, 4) == "t",
        child: text(&row, 5) == "t",
    };
    let references = next().into_iter().map(reference).collect();
    let body = |row: Row| Body {
        text: text(&row, 0),
        search_path: search_path(&text(&row, 1)),
        at: text(&row, 2).split(ITEM).filter_map(in_place).collect(),
    };
    Borders {
        server: None,
        shared: shared.to_owned(),
        references,
        bodies: next().into_iter().map(body).collect(),
        names: next().iter().map(|row| text(row, 0)).collect(),
        twice: next()
            .iter()
            .map(|row| Twice {
                name: text(row, 0),
                locations: items(&text(row, 1)),
            })
            .collect(),
        roles: next().iter().map(role).collect(),
        grants: next()
            .iter()
            .map(|row| Grant {
                grantee: text(row, 0),
                privilege: text(row, 1),
                locations: items(&text(row, 2)),
                pattern: None,
                account: String::new(),
                object: None,
            })
            .collect(),
        public: next()
            .iter()
            .map(|row| InPlace {
                location: text(row, 0),
                object: text(row, 1),
            })
            .collect(),
        owned: next()
            .iter()
            .map(|row| Owned {
                role: text(row, 0),
                locations: items(&text(row, 1)),
            })
            .collect(),
        definers: next()
            .iter()
            .map(|row| Definer {
                function: text(row, 0),
                owner: text(row, 1),
                fixed_path: text(row, 2) == "t",
                dynamic: text(row, 3) == "t",
                locations: items(&text(row, 4)),
            })
            .collect(),
        unread: Vec::new(),
        unread_texts: Vec::new(),
    }
}

fn role(row: &Row) -> Role {
    let name = text(row, 1);
    let flags = [
        Power::Superuser,
        Power::BypassRls,
        Power::CreateRole,
        Power::CreateDatabase,
        Power::Replication,
        Power::CreateSchema,
    ];
    let given = flags.into_iter().enumerate();
    let mut powers: BTreeSet<Power> = given
        .filter(|(index, _)| text(row, 2 + index) == "t")
        .map(|(_, power)| power)
        .collect();
    powers.extend(predefined(&name));
    Role {
        serving: text(row, 0),
        name,
        powers,
        search_path: search_path(&text(row, 8)),
        ..Role::default()
    }
}
