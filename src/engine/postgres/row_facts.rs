//! What the catalog says of row-level security, for all tables at once: one message, whatever their number.

use serde::de::DeserializeOwned;

use crate::domain::Redactor;
use crate::engine::row_security::{RowFacts, RowQuestion};
use crate::engine::{EngineError, ErrorKind};

use super::connect::Row;
use super::sql::{array, literal};

/// Eight queries of one JSON object a row, in a transaction that cannot write. Nothing but the catalog is in
/// the search path, so that no name of the database's own is taken for one of the catalog's.
pub(super) fn statements(question: &RowQuestion) -> String {
    let with = with(question);
    let queries: String = [
        SERVER,
        ROLES,
        TABLES,
        POLICIES,
        UNIQUES,
        FOREIGN_KEYS,
        VIEWS,
        FUNCTIONS,
    ]
    .iter()
    .map(|query| format!("{with}\n{query};"))
    .collect();
    format!("BEGIN READ ONLY;SET LOCAL search_path = pg_catalog;{queries}COMMIT")
}

/// `up` is the role and all that it can become; `tabs` the tables; `ten` those with the tenant column; `free`
/// whom a policy shows all rows of a table.
fn with(question: &RowQuestion) -> String {
    format!(
        "WITH RECURSIVE q AS (SELECT {role}::name AS role, {schemas} AS schemas, {column} AS col),
up (oid) AS (SELECT r.oid FROM pg_roles r JOIN q ON r.rolname = q.role
    UNION SELECT m.roleid FROM pg_auth_members m JOIN up ON m.member = up.oid),
ns AS (SELECT n.oid, n.nspname FROM pg_namespace n JOIN q ON n.nspname = ANY (q.schemas)),
keys (tab, col) AS (SELECT * FROM unnest({tables}, {columns})),
tabs AS (SELECT c.oid, ns.nspname, c.relname, c.relkind, c.relispartition, c.relowner,
        c.relrowsecurity, c.relforcerowsecurity,
        coalesce((SELECT k.col FROM keys k WHERE k.tab = c.relname), {column}) AS key
    FROM pg_class c JOIN ns ON ns.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'f')
    AND NOT EXISTS (SELECT 1 FROM pg_depend e
        WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')),
ten AS (SELECT t.*, a.attnum, a.attnotnull FROM tabs t
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = t.key AND a.attnum > 0 AND NOT a.attisdropped),
free (tab, role) AS (SELECT p.polrelid, m.role FROM pg_policy p CROSS JOIN unnest(p.polroles) AS m (role)
    WHERE p.polpermissive AND p.polcmd IN ('*', 'r') AND pg_get_expr(p.polqual, p.polrelid) = 'true')",
        role = literal(&question.role),
        schemas = array(question.schemas.iter().map(String::as_str)),
        tables = array(question.columns.keys().map(String::as_str)),
        columns = array(question.columns.values().map(String::as_str)),
        column = literal(&question.column),
    )
}

/// Membership that was granted WITH SET FALSE (PostgreSQL 16) does not let a role be taken on.
const SERVER: &str =
    "SELECT jsonb_build_object('version', current_setting('server_version_num')::int, 'gate', current_user,
    'may_become', (SELECT CASE WHEN current_setting('server_version_num')::int >= 160000
        THEN pg_has_role(current_user, r.oid, 'SET') ELSE pg_has_role(current_user, r.oid, 'MEMBER') END
        FROM pg_roles r WHERE r.rolname = q.role),
    'no_schemas', ARRAY(SELECT s FROM unnest(q.schemas) s WHERE s NOT IN (SELECT nspname FROM ns)),
    'creates_in', ARRAY(SELECT nspname FROM ns
        WHERE EXISTS (SELECT 1 FROM up WHERE has_schema_privilege(up.oid, ns.oid, 'CREATE')) ORDER BY 1)) FROM q";

const ROLES: &str =
    "SELECT jsonb_build_object('name', r.rolname, 'superuser', r.rolsuper, 'bypasses', r.rolbypassrls,
    'creates_roles', r.rolcreaterole,
    'owns_database', EXISTS (SELECT 1 FROM pg_database d WHERE d.datname = current_database() AND d.datdba = r.oid))
FROM up JOIN pg_roles r ON r.oid = up.oid ORDER BY r.rolname";

/// What the role has as the owner, or as a superuser, is found as such.
const TABLES: &str = "SELECT jsonb_build_object('schema', t.nspname, 'name', t.relname, 'kind', t.relkind,
    'partition', t.relispartition, 'owner', pg_get_userbyid(t.relowner), 'key', t.key,
    'enabled', t.relrowsecurity, 'forced', t.relforcerowsecurity,
    'column', (SELECT jsonb_build_object('not_null', n.attnotnull,
        'indexed', EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = n.oid AND x.indisvalid AND x.indkey[0] = n.attnum),
        'triggers', EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = n.oid AND NOT g.tgisinternal
            AND g.tgenabled <> 'D' AND g.tgtype & 3 = 3),
        'reaches_out', EXISTS (SELECT 1 FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid
            JOIN pg_language l ON l.oid = f.prolang WHERE g.tgrelid = n.oid AND NOT g.tgisinternal
            AND g.tgenabled <> 'D' AND (g.tgtype & 1 = 0 OR g.tgtype & 2 = 2)
            AND (l.lanname NOT IN ('plpgsql', 'sql', 'internal') AND f.proname <> 'moddatetime'
                OR f.prosrc ~* '\\m(nextval|setval|dblink|http|pg_background|pg_advisory|pg_logical_emit)')))
        FROM ten n WHERE n.oid = t.oid),
    'granted', ARRAY(SELECT p.name FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',
            'REFERENCES', 'TRIGGER']) WITH ORDINALITY AS p (name, place)
        WHERE EXISTS (SELECT 1 FROM up JOIN pg_roles r ON r.oid = up.oid
            WHERE NOT r.rolsuper AND up.oid <> t.relowner AND NOT pg_has_role(up.oid, t.relowner, 'USAGE')
            AND has_schema_privilege(up.oid, (SELECT ns.oid FROM ns WHERE ns.nspname = t.nspname), 'USAGE')
            AND CASE WHEN p.name IN ('DELETE', 'TRUNCATE', 'TRIGGER') THEN has_table_privilege(up.oid, t.oid, p.name)
                ELSE has_any_column_privilege(up.oid, t.oid, p.name) END) ORDER BY p.place),
    'parents', ARRAY(SELECT DISTINCT n.relname FROM pg_constraint k JOIN ten n ON n.oid = k.confrelid
        WHERE k.conrelid = t.oid AND k.contype = 'f' AND n.oid <> t.oid ORDER BY 1))
FROM tabs t ORDER BY t.nspname, t.relname";

/// What an expression names is in the dependencies, whatever its text.
const POLICIES: &str =
    "SELECT jsonb_build_object('schema', t.nspname, 'table', t.relname, 'name', p.polname, 'command', p.polcmd,
    'permissive', p.polpermissive, 'using', pg_get_expr(p.polqual, p.polrelid),
    'check', pg_get_expr(p.polwithcheck, p.polrelid),
    'applies', 0 = ANY (p.polroles) OR EXISTS (SELECT 1 FROM up WHERE up.oid = ANY (p.polroles)),
    'mentions', EXISTS (SELECT 1 FROM ten n JOIN pg_depend d ON d.refobjid = n.oid AND d.refobjsubid = n.attnum
        WHERE n.oid = t.oid AND d.classid = 'pg_policy'::regclass AND d.objid = p.oid
        AND d.refclassid = 'pg_class'::regclass),
    'mentions_of', ARRAY(SELECT DISTINCT n.relname FROM ten n
        JOIN pg_depend d ON d.refobjid = n.oid AND d.refobjsubid = n.attnum
        WHERE n.oid <> t.oid AND d.classid = 'pg_policy'::regclass AND d.objid = p.oid
        AND d.refclassid = 'pg_class'::regclass ORDER BY 1))
FROM tabs t JOIN pg_policy p ON p.polrelid = t.oid ORDER BY t.nspname, t.relname, p.polname";

const UNIQUES: &str = "SELECT jsonb_build_object('schema', n.nspname, 'table', n.relname, 'name', i.relname,
    'has_key', n.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1]),
    'surrogate', x.indisprimary AND x.indnkeyatts = 1 AND EXISTS (SELECT 1 FROM pg_attribute a
        WHERE a.attrelid = n.oid AND a.attnum = x.indkey[0]
        AND a.atttypid IN ('uuid'::regtype, 'int8'::regtype, 'int4'::regtype)))
FROM ten n JOIN pg_index x ON x.indrelid = n.oid AND x.indisunique
JOIN pg_class i ON i.oid = x.indexrelid WHERE NOT n.relispartition ORDER BY n.nspname, n.relname, i.relname";

const FOREIGN_KEYS: &str =
    "SELECT jsonb_build_object('schema', n.nspname, 'table', n.relname, 'name', k.conname, 'parent', m.relname,
    'has_key', EXISTS (SELECT 1 FROM unnest(k.conkey, k.confkey) AS pair (own, other)
        WHERE pair.own = n.attnum AND pair.other = m.attnum))
FROM ten n JOIN pg_constraint k ON k.conrelid = n.oid AND k.contype = 'f' AND k.conparentid = 0
JOIN ten m ON m.oid = k.confrelid ORDER BY n.nspname, n.relname, k.conname";

/// From each view that the role can read downwards: as whom is each table read in the end? A view with
/// `security_invoker` reads as whoever reads it, any other as its owner.
const VIEWS: &str = ", v AS (SELECT c.oid, c.relname, n.nspname, c.relkind, c.relowner, c.relnamespace,
        c.relkind = 'v' AND EXISTS (SELECT 1 FROM unnest(c.reloptions) o
            WHERE o ~* '^security_invoker=(t|true|y|yes|on|1)$') AS invoker
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT 1 FROM pg_depend e
        WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')),
dep AS (SELECT DISTINCT r.ev_class AS view, d.refobjid AS rel FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
    WHERE r.ev_class IN (SELECT v.oid FROM v)),
walk (top, rel, reader, stored) AS (
    SELECT v.oid, v.oid, CASE WHEN NOT v.invoker THEN v.relowner END, v.relkind = 'm' FROM v
    WHERE EXISTS (SELECT 1 FROM up WHERE has_schema_privilege(up.oid, v.relnamespace, 'USAGE')
        AND (has_any_column_privilege(up.oid, v.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(up.oid, v.oid, 'DELETE')))
    UNION SELECT w.top, d.rel, CASE WHEN v.oid IS NULL OR v.invoker THEN w.reader ELSE v.relowner END,
        w.stored OR coalesce(v.relkind = 'm', false)
    FROM walk w JOIN dep d ON d.view = w.rel LEFT JOIN v ON v.oid = d.rel),
reads AS (SELECT w.top, t.relname, w.stored, w.stored OR (w.reader IS NOT NULL AND (r.rolsuper OR r.rolbypassrls
        OR (pg_has_role(w.reader, t.relowner, 'USAGE') AND NOT t.relforcerowsecurity)
        OR EXISTS (SELECT 1 FROM free WHERE free.tab = t.oid
            AND CASE WHEN free.role = 0 THEN true ELSE pg_has_role(w.reader, free.role, 'USAGE') END))) AS unbound
    FROM walk w JOIN tabs t ON t.oid = w.rel LEFT JOIN pg_roles r ON r.oid = w.reader
    WHERE t.relrowsecurity OR EXISTS (SELECT 1 FROM ten n WHERE n.oid = t.oid))
SELECT jsonb_build_object('schema', v.nspname, 'name', v.relname, 'owner', pg_get_userbyid(v.relowner),
    'invoker', v.invoker, 'materialized', (SELECT bool_or(r.stored) FROM reads r WHERE r.top = v.oid),
    'tables', ARRAY(SELECT DISTINCT r.relname FROM reads r WHERE r.top = v.oid ORDER BY 1),
    'unbound', ARRAY(SELECT DISTINCT r.relname FROM reads r WHERE r.top = v.oid AND r.unbound ORDER BY 1),
    'has_key', EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = v.oid AND a.attnum > 0
        AND a.attname = (SELECT q.col FROM q)))
FROM v WHERE EXISTS (SELECT 1 FROM reads r WHERE r.top = v.oid) ORDER BY v.nspname, v.relname";

/// What a trigger calls tells its caller nothing.
const FUNCTIONS: &str =
    "SELECT jsonb_build_object('schema', n.nspname, 'name', p.proname, 'arguments', pg_get_function_identity_arguments(p.oid),
    'owner', r.rolname, 'fixed_path', EXISTS (SELECT 1 FROM unnest(p.proconfig) c WHERE c ~ '^search_path='),
    'tells_little', p.prorettype IN ('bool'::regtype, 'void'::regtype) AND NOT p.proretset AND p.provolatile <> 'v',
    'unbound', r.rolsuper OR r.rolbypassrls OR EXISTS (SELECT 1 FROM ten t
        WHERE pg_has_role(p.proowner, t.relowner, 'USAGE') AND NOT t.relforcerowsecurity)
        OR EXISTS (SELECT 1 FROM free JOIN ten t ON t.oid = free.tab
            WHERE CASE WHEN free.role = 0 THEN true ELSE pg_has_role(p.proowner, free.role, 'USAGE') END))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
WHERE p.prosecdef AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
AND NOT EXISTS (SELECT 1 FROM pg_depend e
    WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
AND EXISTS (SELECT 1 FROM up WHERE has_function_privilege(up.oid, p.oid, 'EXECUTE')
    AND has_schema_privilege(up.oid, p.pronamespace, 'USAGE'))
ORDER BY n.nspname, p.proname, 1";

/// The results of [`statements`].
pub(super) fn read(results: Vec<Vec<Row>>, redactor: &Redactor) -> Result<RowFacts, EngineError> {
    // Those of BEGIN and SET come first.
    let mut results = results.into_iter().skip(2);
    let server = objects(results.next(), redactor)?.into_iter().next();
    Ok(RowFacts {
        server: server.ok_or_else(|| unreadable(redactor))?,
        roles: objects(results.next(), redactor)?,
        tables: objects(results.next(), redactor)?,
        policies: objects(results.next(), redactor)?,
        uniques: objects(results.next(), redactor)?,
        foreign_keys: objects(results.next(), redactor)?,
        views: objects(results.next(), redactor)?,
        functions: objects(results.next(), redactor)?,
    })
}

fn objects<T: DeserializeOwned>(rows: Option<Vec<Row>>, redactor: &Redactor) -> Result<Vec<T>, EngineError> {
    let rows = rows.ok_or_else(|| unreadable(redactor))?;
    let object = |row: Row| {
        let json = row.into_iter().next().flatten()?;
        serde_json::from_str(&json).ok()
    };
    rows.into_iter()
        .map(|row| object(row).ok_or_else(|| unreadable(redactor)))
        .collect()
}

fn unreadable(redactor: &Redactor) -> EngineError {
    let message = "what the catalog says of row-level security cannot be read";
    EngineError::new(ErrorKind::Disconnected, message, redactor)
}
