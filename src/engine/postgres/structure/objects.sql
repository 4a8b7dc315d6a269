-- What there is in the schemas apart from tables, each with its owner and its rights. `path` makes names of the own schema stand
-- alone, `own` finds the tenant's name in the names of its roles. What belongs to an extension is left out.
WITH ROLES(),
s AS MATERIALIZED (
    SELECT n.*, PATH(n.nspname) AS path, r.pattern AS own
    FROM pg_namespace n LEFT JOIN roles_of r ON r.place = n.oid WHERE n.nspname IN (SELECT unnest(:schemas)::name)),
e AS MATERIALIZED (SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'),
p AS MATERIALIZED (
    SELECT s.nspname, s.path, s.own, p.*, HERE(p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')') AS name
    FROM pg_proc p JOIN s ON s.oid = p.pronamespace
    -- The constructors of a type belong to it as the members of an extension do.
    WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))),
-- Neither rows of tables nor arrays. There are many of both, and what they are joined with would be kept in memory.
y AS MATERIALIZED (
    SELECT s.nspname, s.path, s.own, y.*
    FROM pg_type y JOIN s ON s.oid = y.typnamespace
    WHERE (y.typtype IN ('e', 'd', 'r', 'b', 'p') OR (y.typtype = 'c' AND (SELECT k.relkind = 'c' FROM pg_class k WHERE k.oid = y.typrelid)))
    AND (y.typelem = 0 OR NOT coalesce((SELECT el.typarray = y.oid FROM pg_type el WHERE el.oid = y.typelem), false))
    AND NOT EXISTS (SELECT FROM e WHERE e.classid = 'pg_type'::regclass AND e.objid = y.oid)),
n AS MATERIALIZED (
    SELECT path, own, nspname, 'pg_namespace'::regclass AS classid, oid AS objid, 0 AS subid, 'schema' AS kind, '' AS tbl,
        '' AS name, nspowner AS owner, nspacl AS acl, 'n' AS rights FROM s
    UNION ALL SELECT path, own, nspname, 'pg_proc'::regclass, oid, 0, 'routine', '', name, proowner, proacl, 'f' FROM p
    UNION ALL SELECT path, own, nspname, 'pg_type'::regclass, oid, 0, 'type', '', typname, typowner, typacl, 'T' FROM y
    UNION ALL SELECT y.path, y.own, y.nspname, 'pg_class'::regclass, y.typrelid, b.attnum, 'type', '', y.typname || '.' || b.attname,
        NULL, NULL, NULL FROM y JOIN pg_attribute b ON b.attrelid = y.typrelid AND b.attnum > 0 AND NOT b.attisdropped
    UNION ALL SELECT y.path, y.own, y.nspname, 'pg_constraint'::regclass, n.oid, 0, 'type', '', y.typname || ' ' || n.conname,
        NULL, NULL, NULL FROM y CROSS JOIN LATERAL (SELECT n.oid, n.conname FROM pg_constraint n WHERE n.contypid = y.oid OFFSET 0) n
    UNION ALL SELECT s.path, s.own, s.nspname, 'pg_operator'::regclass, f.oid, 0, 'operator', '', HERE(f.oid::regoperator::text), oprowner, NULL, NULL
    FROM pg_operator f JOIN s ON s.oid = oprnamespace
    WHERE NOT EXISTS (SELECT FROM e WHERE e.classid = 'pg_operator'::regclass AND e.objid = f.oid)
    UNION ALL SELECT s.path, s.own, s.nspname, f.classid, f.objid, 0, f.kind, '', f.name, f.owner, NULL, NULL
    FROM (
        SELECT 'pg_collation'::regclass AS classid, oid AS objid, collnamespace AS place, 'collation' AS kind, collname::text AS name,
            collowner AS owner FROM pg_collation
        UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace, 'collation', 'conversion ' || conname, conowner FROM pg_conversion
        UNION ALL SELECT 'pg_opfamily'::regclass, f.oid, opfnamespace, 'operator', 'family ' || opfname || ' using ' || amname, opfowner
            FROM pg_opfamily f JOIN pg_am m ON m.oid = opfmethod
        UNION ALL SELECT 'pg_opclass'::regclass, f.oid, opcnamespace, 'operator', 'class ' || opcname || ' using ' || amname, opcowner
            FROM pg_opclass f JOIN pg_am m ON m.oid = opcmethod
        UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace, 'text search', 'configuration ' || cfgname, cfgowner FROM pg_ts_config
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace, 'text search', 'dictionary ' || dictname, dictowner FROM pg_ts_dict
        UNION ALL SELECT 'pg_ts_parser'::regclass, oid, prsnamespace, 'text search', 'parser ' || prsname, NULL FROM pg_ts_parser
        UNION ALL SELECT 'pg_ts_template'::regclass, oid, tmplnamespace, 'text search', 'template ' || tmplname, NULL FROM pg_ts_template
    ) f JOIN s ON s.oid = f.place
    WHERE NOT EXISTS (SELECT FROM e WHERE e.classid = f.classid AND e.objid = f.objid))
