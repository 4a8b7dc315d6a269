-- The same of what PostgreSQL writes itself, with the own schema as the search path; what many schemas have little of.
SELECT nspname, count(*), sum(hashtextextended(entry, :one)), sum(hashtextextended(entry, :two))
FROM (SELECT nspname, concat_ws(chr(31), kind, tbl, name, attribute, OWNLESS(value)) AS entry FROM (
    :facts
    UNION ALL
    SELECT nspname, 'table', '', relname, 'partition', HERE(pg_get_partkeydef(oid))
    FROM (SELECT s.path, s.nspname, k.oid, k.relname FROM pg_partitioned_table f JOIN pg_class k ON k.oid = f.partrelid JOIN s ON s.oid = k.relnamespace) k
    UNION ALL
    SELECT nspname, 'table', '', relname, 'server', HERE(concat_ws(' ', (SELECT v.srvname FROM pg_foreign_server v WHERE v.oid = ftserver), ftoptions::text))
    FROM (SELECT s.path, s.nspname, k.relname, f.* FROM pg_foreign_table f JOIN pg_class k ON k.oid = f.ftrelid JOIN s ON s.oid = k.relnamespace) f
    UNION ALL
    SELECT nspname, 'policy', relname, polname, 'roles',
        (SELECT string_agg(CASE one WHEN 0 THEN 'PUBLIC' ELSE ROLE(one) END, ', ' ORDER BY ROLE(one)) FROM unnest(polroles) AS one)
    FROM (SELECT s.own, s.nspname, k.relname, l.* FROM pg_policy l JOIN pg_class k ON k.oid = l.polrelid JOIN s ON s.oid = k.relnamespace) l
    UNION ALL
    SELECT nspname, 'statistics', of_table, stxname, concat_ws(' ', stxstattarget, ROLE(stxowner)), HERE(replace(pg_get_statisticsobjdef(oid), 'CREATE STATISTICS ' || quote_ident(nspname) || '.', 'CREATE STATISTICS '))
    FROM (SELECT s.path, s.own, s.nspname, k.relname AS of_table, z.* FROM pg_statistic_ext z JOIN pg_class k ON k.oid = z.stxrelid
        JOIN s ON s.oid = z.stxnamespace) z
    UNION ALL
    SELECT nspname, 'published', pubname, relname, coalesce(prattrs::text, ''), HERE(coalesce(pg_get_expr(prqual, prrelid), ''))
    FROM (SELECT s.path, s.nspname, k.relname, b.pubname, r.* FROM (VALUES (NULL::pg_node_tree, NULL::int2vector)) AS before_15 (prqual, prattrs)
        CROSS JOIN LATERAL (SELECT prpubid, prrelid, prqual, prattrs FROM pg_publication_rel) r
        JOIN pg_publication b ON b.oid = r.prpubid JOIN pg_class k ON k.oid = r.prrelid JOIN s ON s.oid = k.relnamespace) r
    UNION ALL
    SELECT nspname, d.kind, d.tbl, d.name, 'comment', d.description
    FROM s JOIN (
        SELECT k.relnamespace AS place, k.relname AS tbl, d.objsubid::text AS name, 'relation' AS kind, d.description FROM pg_description d
            JOIN pg_class k ON k.oid = d.objoid WHERE d.classoid = 'pg_class'::regclass
        UNION ALL SELECT k.relnamespace, k.relname, u.conname, 'constraint', d.description FROM pg_description d
            JOIN pg_constraint u ON u.oid = d.objoid JOIN pg_class k ON k.oid = u.conrelid WHERE d.classoid = 'pg_constraint'::regclass
        UNION ALL SELECT k.relnamespace, k.relname, u.tgname, 'trigger', d.description FROM pg_description d
            JOIN pg_trigger u ON u.oid = d.objoid JOIN pg_class k ON k.oid = u.tgrelid WHERE d.classoid = 'pg_trigger'::regclass
        UNION ALL SELECT k.relnamespace, k.relname, u.rulename, 'rule', d.description FROM pg_description d
            JOIN pg_rewrite u ON u.oid = d.objoid JOIN pg_class k ON k.oid = u.ev_class WHERE d.classoid = 'pg_rewrite'::regclass
        UNION ALL SELECT k.relnamespace, k.relname, u.polname, 'policy', d.description FROM pg_description d
            JOIN pg_policy u ON u.oid = d.objoid JOIN pg_class k ON k.oid = u.polrelid WHERE d.classoid = 'pg_policy'::regclass
        UNION ALL SELECT u.stxnamespace, '', u.stxname, 'statistics', d.description FROM pg_description d
            JOIN pg_statistic_ext u ON u.oid = d.objoid WHERE d.classoid = 'pg_statistic_ext'::regclass
    ) d ON d.place = s.oid
    UNION ALL
    SELECT nspname, 'label', k.relname, d.objsubid::text, d.provider, d.label
    FROM pg_seclabel d JOIN pg_class k ON k.oid = d.objoid AND d.classoid = 'pg_class'::regclass JOIN s ON s.oid = k.relnamespace
) AS facts (nspname, kind, tbl, name, attribute, value) WHERE value IS NOT NULL AND (:comments OR attribute <> 'comment')) AS entries
GROUP BY nspname
