-- Tables and what belongs to them, and with them all that there is.
c AS MATERIALIZED (
    SELECT s.nspname, s.path, s.own, k.oid, k.relname, k.relnamespace, k.relkind, k.reltype, k.reloftype, k.relowner,
        k.relam, k.reltablespace, k.reltoastrelid, k.relpersistence, k.relrowsecurity, k.relforcerowsecurity,
        k.relreplident, k.relispartition, k.relacl, k.reloptions, k.relpartbound
    FROM pg_class k JOIN s ON s.oid = k.relnamespace
    WHERE k.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    AND NOT EXISTS (SELECT FROM e WHERE e.classid = 'pg_class'::regclass AND e.objid = k.oid)),
t AS MATERIALIZED (
    SELECT c.*, CASE WHEN relkind IN ('v', 'm') THEN 'view' ELSE 'table' END AS kind FROM c WHERE relkind <> 'S'),
a AS MATERIALIZED (
    SELECT t.nspname, t.path, t.own, t.relname, t.relkind, t.relowner, t.relispartition, a.*
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
q AS MATERIALIZED (
    SELECT c.nspname, c.path, c.own, c.oid, c.relname, c.relowner, c.relacl, c.relpersistence, q.*, d.deptype,
        k.relname AS of_table, a.attname AS of_column, k.relnamespace = c.relnamespace AS within
    FROM c JOIN pg_sequence q ON q.seqrelid = c.oid
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
        AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    LEFT JOIN pg_class k ON k.oid = d.refobjid
    LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid),
i AS MATERIALIZED (
    SELECT t.nspname, t.path, t.own, t.relname AS of_table, k.relname, k.reloptions, k.reltablespace, x.*, n.conname,
        n.contype
    FROM t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class k ON k.oid = x.indexrelid
    LEFT JOIN pg_constraint n ON n.conindid = x.indexrelid AND n.conrelid = x.indrelid AND n.contype IN ('p', 'u', 'x')),
k AS MATERIALIZED (
    SELECT t.nspname, t.path, t.own, t.relname, t.relispartition, n.*
    FROM t JOIN pg_constraint n ON n.conrelid = t.oid
    WHERE n.contype IN ('p', 'u', 'x', 'c') OR (n.contype = 'f' AND n.conparentid = 0)),
z AS MATERIALIZED (
    SELECT s.nspname, s.path, s.own, z.*, k.relname AS of_table, k.relnamespace = z.stxnamespace AS within
    FROM pg_statistic_ext z JOIN s ON s.oid = z.stxnamespace JOIN pg_class k ON k.oid = z.stxrelid),
-- Before PostgreSQL 15 a partition's triggers that are its parent's are internal.
g AS MATERIALIZED (
    SELECT t.nspname, t.path, t.own, t.relname, t.kind, u.oid IS NOT NULL AS of_parent, g.*
    FROM t JOIN pg_trigger g ON g.tgrelid = t.oid AND (NOT g.tgisinternal OR (g.tgparentid <> 0 AND g.tgconstraint = 0))
    LEFT JOIN pg_trigger u ON u.oid = g.tgparentid
    WHERE u.oid IS NULL OR u.tgenabled <> g.tgenabled),
w AS MATERIALIZED (
    SELECT t.nspname, t.path, t.own, t.relname, w.*
    FROM t JOIN pg_rewrite w ON w.ev_class = t.oid AND (t.relkind NOT IN ('v', 'm') OR w.rulename <> '_RETURN')),
l AS MATERIALIZED (
    SELECT t.nspname, t.path, t.own, t.relname, l.* FROM t JOIN pg_policy l ON l.polrelid = t.oid),
o AS MATERIALIZED (
    SELECT * FROM n
    UNION ALL SELECT path, own, nspname, 'pg_class'::regclass, oid, 0, kind, '', relname, relowner, relacl, 'r' FROM t
    UNION ALL SELECT path, own, nspname, 'pg_class'::regclass, oid, 0, 'sequence', CASE WHEN deptype = 'i' THEN of_table ELSE '' END,
        relname, relowner, relacl, 's' FROM q
    UNION ALL SELECT path, own, nspname, 'pg_class'::regclass, attrelid, attnum, 'column', relname, attname, relowner, attacl, 'c' FROM a
    UNION ALL SELECT path, own, nspname, 'pg_class'::regclass, indexrelid, 0, 'index', of_table, relname, NULL, NULL, NULL FROM i
    UNION ALL SELECT path, own, nspname, 'pg_constraint'::regclass, oid, 0, 'constraint', relname, conname, NULL, NULL, NULL FROM k
    UNION ALL SELECT path, own, nspname, 'pg_trigger'::regclass, oid, 0, 'trigger', relname, tgname, NULL, NULL, NULL FROM g
    UNION ALL SELECT path, own, nspname, 'pg_rewrite'::regclass, oid, 0, 'rule', relname, rulename, NULL, NULL, NULL FROM w
    UNION ALL SELECT path, own, nspname, 'pg_policy'::regclass, oid, 0, 'policy', relname, polname, NULL, NULL, NULL FROM l
    UNION ALL SELECT path, own, nspname, 'pg_statistic_ext'::regclass, oid, 0, 'statistics', CASE WHEN within THEN of_table ELSE '' END,
        stxname, stxowner, NULL, NULL FROM z)
