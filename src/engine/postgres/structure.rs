//! What schemas are made of, for many at once, and what migrations make of nothing.

use sqlx::postgres::PgConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::{Migration, Structure};
use crate::engine::structure::{gather, without_qualifier};
use crate::engine::{EngineError, EngineOptions, ErrorKind, NotMade};
use crate::migrations::without_concurrently;

use super::connect::{self, Row};
use super::session::RESET;
use super::sql::{self, array, ident, literal};

/// One statement of rows (schema, kind, table, name, attribute, text). With nothing but the catalog in the
/// search path, every other name in a definition is qualified. What belongs to an extension is left out.
pub(super) fn statement(schemas: &[String]) -> String {
    let schemas = array(schemas.iter().map(String::as_str));
    format!(
        "SET LOCAL search_path = pg_catalog;
WITH s AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY ({schemas})),
e AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
c AS (SELECT s.nspname, c.* FROM pg_class c JOIN s ON s.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT 1 FROM e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)),
t AS (SELECT * FROM c WHERE relkind IN ('r', 'p', 'f', 'v', 'm'))
SELECT nspname, CASE WHEN relkind IN ('v', 'm') THEN 'view' ELSE 'table' END, '', relname, 'kind',
    CASE relpersistence WHEN 'u' THEN 'unlogged ' ELSE '' END || CASE relkind WHEN 'r' THEN 'table'
    WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' ELSE 'materialized view' END FROM t
UNION ALL SELECT nspname, 'table', '', relname, 'partition', pg_get_partkeydef(oid) FROM t WHERE relkind = 'p'
UNION ALL SELECT nspname, 'table', '', relname, 'bound', pg_get_expr(relpartbound, oid) FROM t WHERE relispartition
UNION ALL SELECT nspname, 'table', '', relname, 'row security', CASE WHEN relforcerowsecurity THEN 'forced' ELSE 'on' END FROM t
    WHERE relrowsecurity
UNION ALL SELECT nspname, 'view', '', relname, 'definition', pg_get_viewdef(oid) FROM t WHERE relkind IN ('v', 'm')
UNION ALL SELECT t.nspname, 'column', t.relname, a.attname, f.attribute, f.value
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
    CROSS JOIN LATERAL (VALUES ('type', format_type(a.atttypid, a.atttypmod)),
        ('null', CASE WHEN a.attnotnull THEN 'NOT NULL' ELSE 'NULL' END),
        ('default', CASE a.attgenerated WHEN '' THEN pg_get_expr(d.adbin, d.adrelid) END),
        ('generated', CASE a.attgenerated WHEN '' THEN NULL ELSE pg_get_expr(d.adbin, d.adrelid) END),
        ('identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END),
        ('collation', CASE WHEN a.attcollation <> y.typcollation THEN l.collname END)) AS f (attribute, value)
    WHERE t.relkind <> 'v' OR f.attribute = 'type'
UNION ALL SELECT t.nspname, 'constraint', t.relname, k.conname, 'definition', pg_get_constraintdef(k.oid)
    FROM t JOIN pg_constraint k ON k.conrelid = t.oid WHERE k.contype IN ('p', 'u', 'c', 'f', 'x')
UNION ALL SELECT t.nspname, 'index', t.relname, i.relname, f.attribute, f.value
    FROM t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
    CROSS JOIN LATERAL (VALUES ('definition', pg_get_indexdef(x.indexrelid)),
        ('state', CASE WHEN NOT x.indisvalid THEN 'invalid' END)) AS f (attribute, value)
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL SELECT t.nspname, 'trigger', t.relname, g.tgname, f.attribute, f.value
    FROM t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
    CROSS JOIN LATERAL (VALUES ('definition', pg_get_triggerdef(g.oid)),
        ('state', CASE g.tgenabled WHEN 'O' THEN NULL WHEN 'D' THEN 'disabled' ELSE 'enabled otherwise' END)) AS f (attribute, value)
UNION ALL SELECT t.nspname, 'policy', t.relname, p.polname, 'definition', concat_ws(' ', p.polcmd,
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
    'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
    FROM t JOIN pg_policy p ON p.polrelid = t.oid
UNION ALL SELECT c.nspname, 'sequence', '', c.relname, 'type', concat_ws(' ', format_type(q.seqtypid, NULL), 'start', q.seqstart,
    'increment', q.seqincrement, 'between', q.seqmin, 'and', q.seqmax, CASE WHEN q.seqcycle THEN 'cycle' END)
    FROM c JOIN pg_sequence q ON q.seqrelid = c.oid
UNION ALL SELECT s.nspname, 'routine', '', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', 'definition',
    CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END
    FROM pg_proc p JOIN s ON s.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT 1 FROM e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
UNION ALL SELECT s.nspname, 'type', '', y.typname, 'definition', CASE y.typtype
    WHEN 'e' THEN 'enum ' || (SELECT string_agg(quote_literal(n.enumlabel), ', ' ORDER BY n.enumsortorder) FROM pg_enum n WHERE n.enumtypid = y.oid)
    WHEN 'd' THEN concat_ws(' ', 'domain', format_type(y.typbasetype, y.typtypmod), CASE WHEN y.typnotnull THEN 'NOT NULL' END,
        'default ' || y.typdefault, (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k
            WHERE k.contypid = y.oid AND k.contype = 'c'))
    WHEN 'r' THEN 'range of ' || (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = y.oid)
    ELSE (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END
    FROM pg_type y JOIN s ON s.oid = y.typnamespace LEFT JOIN pg_class o ON o.oid = y.typrelid
    WHERE (y.typtype IN ('e', 'd', 'r') OR (y.typtype = 'c' AND o.relkind = 'c'))
    AND NOT EXISTS (SELECT 1 FROM e WHERE e.classid = 'pg_type'::regclass AND e.objid = y.oid);"
    )
}

/// As the catalog's functions write a name.
fn written(name: &str) -> String {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { name.to_owned() } else { ident(name) }
}

/// The schema's own name disappears, the shared one's becomes the same everywhere.
pub(super) fn structures(schemas: &[String], shared: &[&str], rows: Vec<Row>) -> Vec<Structure> {
    gather(schemas, rows, |own, text| {
        let mut text = text.to_owned();
        // A keyword may be quoted though it looks plain.
        for name in [written(own), ident(own)] {
            text = without_qualifier(&text, &name, "");
        }
        for shared in shared.iter().filter(|shared| **shared != own) {
            for name in [written(shared), ident(shared)] {
                text = without_qualifier(&text, &name, "{shared}.");
            }
        }
        text
    })
}

/// Where migrations are tried out: in one transaction, which is never committed.
pub(super) struct Scratch<'a> {
    connection: &'a mut PgConnection,
    options: &'a EngineOptions,
    shared: String,
    own: String,
    /// With the real shared schema behind the scratch, for what extensions keep there.
    real: bool,
}

impl<'a> Scratch<'a> {
    pub(super) fn new(connection: &'a mut PgConnection, options: &'a EngineOptions, real: bool) -> Self {
        let name = format!("tenantgate_scratch_{:016x}", fastrand::u64(..));
        Self {
            connection,
            options,
            shared: format!("{name}_shared"),
            own: name,
            real,
        }
    }

    pub(super) async fn learn(
        &mut self,
        shared: &[&Migration],
        own: &[&Migration],
    ) -> Result<Structure, NotMade> {
        let learnt = self.try_out(shared, own).await;
        // Where this fails the connection is gone, and with it the transaction.
        let _ = self.send("ROLLBACK".to_owned()).await;
        learnt
    }

    async fn send(&mut self, sql: String) -> Result<Vec<Vec<Row>>, EngineError> {
        let sent = connect::send(self.connection, sql, &self.options.redactor).await;
        sent.map_err(|failed| failed.error)
    }

    async fn try_out(&mut self, shared: &[&Migration], own: &[&Migration]) -> Result<Structure, NotMade> {
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        let (place, below) = (ident(&self.own), ident(&self.shared));
        self.send(format!(
            "BEGIN;{limits}CREATE SCHEMA {place};CREATE SCHEMA {below};"
        ))
        .await?;
        let real = match self.real {
            true => format!(", {}", ident(&self.options.shared_schema)),
            false => String::new(),
        };
        let paths = [format!("{below}{real}"), format!("{place}, {below}{real}")];
        let all = shared
            .iter()
            .map(|it| (it, &paths[0]))
            .chain(own.iter().map(|it| (it, &paths[1])));
        for (index, (migration, path)) in all.enumerate() {
            let prefix = format!("{RESET}{limits}SET LOCAL search_path = {path};");
            let sent = self.send(format!("{prefix}{}", text(migration))).await;
            sent.map_err(|error| NotMade {
                error,
                migration: Some(index),
            })?;
        }
        self.refuse_real_writes().await?;
        let names = [self.own.clone()];
        let results = self.send(format!("{RESET}{}", statement(&names))).await?;
        let rows = results.into_iter().next_back().unwrap_or_default();
        let shared = [self.shared.as_str(), self.options.shared_schema.as_str()];
        Ok(structures(&names, &shared, rows).remove(0))
    }

    /// Whatever was written to, or changed, is locked by this transaction. A foreign key that refers to a
    /// table of the shared schema is allowed.
    async fn refuse_real_writes(&mut self) -> Result<(), EngineError> {
        let text = format!(
            "SELECT DISTINCT n.nspname || '.' || c.relname FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ExclusiveLock', 'AccessExclusiveLock')
AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', {}, {}) LIMIT 3",
            literal(&self.own),
            literal(&self.shared)
        );
        let results = self.send(text).await?;
        let rows = results.into_iter().next_back().unwrap_or_default();
        let names: Vec<String> = rows
            .into_iter()
            .filter_map(|row| row.into_iter().next()?)
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the migrations write to {} itself; all of it was rolled back",
            names.join(", ")
        );
        let mut error = EngineError::new(ErrorKind::Statement, message, &self.options.redactor);
        error.server_hint = Some(
            "they cannot be tried out beside it: let them name what they make without its schema".to_owned(),
        );
        Err(error)
    }
}

/// As it can run inside a transaction: an index that would be built concurrently is the same index.
fn text(migration: &Migration) -> String {
    if migration.transactional {
        return migration.sql.clone();
    }
    let statements = migration.statements.iter();
    let kept = statements.filter(|it| !passed_over(&it.sql, EngineKind::Postgres));
    let kept: Vec<String> = kept.map(|it| without_concurrently(&it.sql)).collect();
    kept.join("\n;")
}
