-- Tables, with all that is a part of them.
SELECT nspname, kind, '' AS tbl, relname AS name, f.attribute, f.value
FROM t CROSS JOIN LATERAL (VALUES
    ('kind', CASE relpersistence WHEN 'u' THEN 'unlogged ' ELSE '' END || CASE relkind WHEN 'r' THEN 'table'
        WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' ELSE 'materialized view' END),
    ('partition', CASE relkind WHEN 'p' THEN HERE(pg_get_partkeydef(oid)) END),
    ('bound', CASE WHEN relispartition THEN HERE(pg_get_expr(relpartbound, oid)) END),
    ('parents', HERE((SELECT string_agg(h.inhparent::regclass || CASE to_jsonb(h) ->> 'inhdetachpending' WHEN 'true' THEN ' (detaching)' ELSE '' END,
        ', ' ORDER BY h.inhseqno) FROM pg_inherits h WHERE h.inhrelid = oid))),
    ('of type', CASE WHEN reloftype <> 0 THEN HERE(format_type(reloftype, NULL)) END),
    ('access method', (SELECT m.amname FROM pg_am m WHERE m.oid = relam AND m.amname <> 'heap')::text),
    ('tablespace', (SELECT b.spcname FROM pg_tablespace b WHERE b.oid = reltablespace)::text),
    ('options', NULLIF(array_to_string(reloptions || ARRAY(SELECT 'toast.' || one FROM pg_class k, unnest(k.reloptions) AS one
        WHERE k.oid = t.reltoastrelid), ', '), '')),
    ('replica identity', CASE WHEN relkind IN ('r', 'p', 'm') THEN CASE relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' END END),
    ('row security', CASE WHEN relrowsecurity THEN 'on' END),
    ('forced row security', CASE WHEN relforcerowsecurity THEN 'on' END),
    ('server', (SELECT v.srvname FROM pg_foreign_table r JOIN pg_foreign_server v ON v.oid = r.ftserver WHERE r.ftrelid = t.oid)::text),
    ('server options', (SELECT array_to_string(r.ftoptions, ', ') FROM pg_foreign_table r WHERE r.ftrelid = t.oid)),
    ('column order', CASE WHEN relkind IN ('r', 'p', 'f') THEN (SELECT string_agg(quote_ident(b.attname), ', ' ORDER BY b.attnum)
        FROM pg_attribute b WHERE b.attrelid = t.oid AND b.attnum > 0 AND NOT b.attisdropped AND (b.attislocal OR relispartition)) END),
    ('definition', CASE WHEN relkind IN ('v', 'm') THEN HERE(pg_get_viewdef(oid)) END)) AS f (attribute, value)
UNION ALL
SELECT a.nspname, 'column', a.relname, a.attname, f.attribute, f.value
FROM a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_type b ON b.oid = a.atttypid
CROSS JOIN LATERAL (VALUES
    ('type', HERE(format_type(a.atttypid, a.atttypmod))),
    ('null', CASE WHEN relkind = 'v' THEN NULL WHEN a.attnotnull THEN 'NOT NULL' ELSE 'NULL' END),
    ('default', CASE a.attgenerated WHEN '' THEN HERE(pg_get_expr(d.adbin, d.adrelid)) END),
    ('generated', CASE a.attgenerated WHEN '' THEN NULL ELSE HERE(pg_get_expr(d.adbin, d.adrelid))
        || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END END),
    ('identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END),
    ('collation', CASE WHEN a.attcollation <> b.typcollation THEN HERE(a.attcollation::regcollation::text) END),
    ('storage', CASE WHEN relkind <> 'v' AND a.attstorage <> b.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'plain'
        WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END),
    ('compression', CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END),
    ('statistics target', NULLIF(a.attstattarget, -1)::text),
    ('options', array_to_string(a.attoptions, ', ')),
    ('server options', array_to_string(a.attfdwoptions, ', ')),
    ('inherited', CASE WHEN NOT a.attislocal AND NOT a.relispartition THEN 'yes' END)) AS f (attribute, value)
UNION ALL
-- Since PostgreSQL 18. A name that the server may have made says nothing: it stays when the table, or the column, is renamed.
SELECT t.nspname, 'column', t.relname, b.attname, 'named null', NULLIF(concat_ws(' ',
    CASE WHEN n.conname !~ '^.+_.+_not_null\d*$' THEN quote_ident(n.conname) END,
    CASE WHEN n.connoinherit THEN 'NO INHERIT' END, CASE WHEN NOT n.convalidated THEN 'NOT VALID' END,
    CASE WHEN NOT n.conislocal AND NOT t.relispartition THEN 'inherited' END), '')
FROM t CROSS JOIN LATERAL (SELECT n.* FROM pg_constraint n WHERE n.conrelid = t.oid AND n.contype = 'n' OFFSET 0) n
JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = n.conkey[1]
UNION ALL
SELECT nspname, 'constraint', relname, conname, f.attribute, f.value
FROM k CROSS JOIN LATERAL (VALUES
    ('definition', HERE(pg_get_constraintdef(oid))),
    ('inherited', CASE WHEN contype = 'c' AND NOT conislocal THEN 'yes' END)) AS f (attribute, value)
UNION ALL
-- What is told of an index apart from its definition is told of its constraint, where it has one.
SELECT nspname, CASE WHEN conname IS NULL THEN 'index' ELSE 'constraint' END, of_table, coalesce(conname, relname), f.attribute, f.value
FROM i CROSS JOIN LATERAL (VALUES
    ('definition', CASE WHEN conname IS NULL THEN HERE(pg_get_indexdef(indexrelid, 0, true)) END),
    ('options', CASE WHEN conname IS NOT NULL THEN array_to_string(reloptions, ', ') END),
    ('tablespace', (SELECT b.spcname FROM pg_tablespace b WHERE b.oid = reltablespace)::text),
    ('state', CASE WHEN NOT indisvalid THEN 'invalid' WHEN NOT indisready THEN 'not ready' END),
    ('clustered', CASE WHEN indisclustered THEN 'yes' END),
    ('replica identity', CASE WHEN indisreplident THEN 'yes' END),
    ('attached to', HERE((SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = indexrelid))),
    ('statistics target', (SELECT string_agg(b.attnum || ': ' || b.attstattarget, ', ' ORDER BY b.attnum) FROM pg_attribute b
        WHERE b.attrelid = indexrelid AND b.attstattarget >= 0))) AS f (attribute, value)
UNION ALL
SELECT nspname, 'trigger', relname, tgname, f.attribute, f.value
FROM g CROSS JOIN LATERAL (VALUES
    ('definition', HERE(pg_get_triggerdef(oid, true))),
    ('enabled', CASE tgenabled WHEN 'O' THEN 'yes' WHEN 'D' THEN 'no' WHEN 'A' THEN 'always' ELSE 'in a replica' END)) AS f (attribute, value)
WHERE NOT of_parent
UNION ALL
-- A partition's trigger is its parent's, but for whether it is enabled.
SELECT nspname, kind, '', relname, 'trigger ' || tgname,
    CASE tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'A' THEN 'enabled always' ELSE 'enabled in a replica' END
FROM g WHERE of_parent
UNION ALL
-- Foreign keys, and what is deferred, are kept by triggers of the server's own, which can be switched off. No dump tells it.
SELECT k.nspname, 'constraint', k.relname, k.conname, 'enforced', string_agg(DISTINCT
    CASE i.tgenabled WHEN 'D' THEN 'not on ' WHEN 'A' THEN 'always on ' ELSE 'in a replica on ' END || quote_ident(c.relname), ', ')
FROM k JOIN pg_trigger i ON i.tgconstraint = k.oid AND i.tgisinternal AND i.tgenabled <> 'O' JOIN pg_class c ON c.oid = i.tgrelid
GROUP BY k.nspname, k.relname, k.conname
UNION ALL
SELECT nspname, 'rule', relname, rulename, f.attribute, f.value
FROM w CROSS JOIN LATERAL (VALUES
    ('definition', HERE(pg_get_ruledef(oid, true))),
    ('enabled', CASE ev_enabled WHEN 'O' THEN 'yes' WHEN 'D' THEN 'no' WHEN 'A' THEN 'always' ELSE 'in a replica' END)) AS f (attribute, value)
UNION ALL
SELECT nspname, 'policy', relname, polname, f.attribute, f.value
FROM l CROSS JOIN LATERAL (VALUES
    ('command', CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END),
    ('kind', CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END),
    ('roles', (SELECT string_agg(CASE one WHEN 0 THEN 'PUBLIC' ELSE ROLE(one) END, ', ' ORDER BY ROLE(one)) FROM unnest(polroles) AS one)),
    ('using', HERE(pg_get_expr(polqual, polrelid))),
    ('check', HERE(pg_get_expr(polwithcheck, polrelid)))) AS f (attribute, value)
UNION ALL
SELECT nspname, 'statistics', CASE WHEN within THEN of_table ELSE '' END, stxname, f.attribute, f.value
FROM z CROSS JOIN LATERAL (VALUES
    ('definition', HERE(replace(pg_get_statisticsobjdef(oid), 'CREATE STATISTICS ' || quote_ident(nspname) || '.', 'CREATE STATISTICS '))),
    ('statistics target', NULLIF(stxstattarget, -1)::text)) AS f (attribute, value)
UNION ALL
SELECT nspname, 'sequence', CASE WHEN deptype = 'i' THEN of_table ELSE '' END, relname, f.attribute, f.value
FROM q CROSS JOIN LATERAL (VALUES
    ('kind', CASE relpersistence WHEN 'u' THEN 'unlogged sequence' ELSE 'sequence' END),
    ('type', format_type(seqtypid, NULL)), ('start', seqstart::text), ('increment', seqincrement::text),
    ('minimum', seqmin::text), ('maximum', seqmax::text), ('cache', seqcache::text), ('cycle', CASE WHEN seqcycle THEN 'yes' END),
    ('identity of', CASE deptype WHEN 'i' THEN quote_ident(of_column) END),
    ('owned by', CASE WHEN deptype = 'a' AND within THEN quote_ident(of_table) || '.' || quote_ident(of_column) END)) AS f (attribute, value)
UNION ALL
SELECT t.nspname, t.kind, '', t.relname, 'published in ' || b.pubname,
    coalesce(HERE('(' || (SELECT string_agg(quote_ident(u.attname), ', ' ORDER BY u.attnum) FROM pg_attribute u
        WHERE u.attrelid = t.oid AND u.attnum = ANY (r.prattrs)) || ') '), '') || coalesce(HERE('WHERE ' || pg_get_expr(r.prqual, t.oid)), 'whole')
FROM (VALUES (NULL::pg_node_tree, NULL::int2vector)) AS before_15 (prqual, prattrs)
CROSS JOIN LATERAL (SELECT prpubid, prrelid, prqual, prattrs FROM pg_publication_rel) r
JOIN t ON t.oid = r.prrelid JOIN pg_publication b ON b.oid = r.prpubid
