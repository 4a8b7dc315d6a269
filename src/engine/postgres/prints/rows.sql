-- Hashes of the catalog's own rows, for all schemas of the database at once, summed up by schema. What a row says
-- by numbers of objects that are a tenant's own is said by name; expressions are taken as they are stored, unless
-- they have such numbers in them. Nothing is sorted, and no table is opened. In several statements, so that each
-- gives back the memory that its joins take.
SUMS (
        SELECT place, concat_ws(chr(31), 'relation', relname, relkind, relpersistence, TYPE(reloftype), relrowsecurity, relforcerowsecurity,
            relreplident, relispartition, reltablespace, coalesce((SELECT m.amname FROM pg_am m WHERE m.oid = relam), ''),
            coalesce(reloptions::text, ''), CASE WHEN relowner = nspowner THEN '' ELSE MARKED(rolname) END,
            CASE WHEN relacl IS NULL OR relacl = acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner) THEN ''
                ELSE MARKED(relacl::text) END, coalesce(pg_get_expr(relpartbound, oid), '')) AS entry
        FROM (SELECT k.*, k.relnamespace AS place, n.nspowner, r.rolname::text AS rolname, u.pattern AS own FROM pg_class k
            JOIN pg_namespace n ON n.oid = k.relnamespace LEFT JOIN pg_roles r ON r.oid = k.relowner
            LEFT JOIN roles_of u ON u.place = k.relnamespace
            WHERE k.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND k.relnamespace NOT IN (11, 99)) k
        UNION ALL
        SELECT k.relnamespace, concat_ws(chr(31), 'toast', k.relname, t.reloptions::text)
        FROM pg_class t CROSS JOIN LATERAL (SELECT k.relnamespace, k.relname FROM pg_depend d JOIN pg_class k ON k.oid = d.refobjid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'i' OFFSET 0) k
        WHERE t.relkind = 't' AND t.reloptions IS NOT NULL
        UNION ALL
        SELECT place, concat_ws(chr(31), 'sequence', relname, seqtypid, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle)
        FROM (SELECT k.relnamespace AS place, k.relname, q.* FROM pg_sequence q JOIN pg_class k ON k.oid = q.seqrelid) q
        UNION ALL
        SELECT q.relnamespace, concat_ws(chr(31), 'owned', q.relname, d.deptype, CASE WHEN k.relnamespace = q.relnamespace THEN '.' END, k.relname, d.refobjsubid)
        FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S' JOIN k ON k.oid = d.refobjid
        WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
            AND d.deptype IN ('a', 'i')
        UNION ALL
        SELECT place, concat_ws(chr(31), 'parent', relname, REL(inhparent), inhseqno, inhdetachpending)
        FROM (SELECT k.relnamespace AS place, k.relname, h.* FROM (VALUES (false)) AS before_14 (inhdetachpending)
            CROSS JOIN LATERAL (SELECT inhrelid, inhparent, inhseqno, inhdetachpending FROM pg_inherits) h
            JOIN pg_class k ON k.oid = h.inhrelid) h
        UNION ALL
        SELECT place, concat_ws(chr(31), 'trigger', relname, tgname, tgtype, tgenabled, tgattr::text, tgargs, tgdeferrable, tginitdeferred,
            coalesce(tgoldtable, ''), coalesce(tgnewtable, ''), tgparentid <> 0, CASE WHEN tgconstrrelid = 0 THEN '' ELSE REL(tgconstrrelid) END,
            (SELECT PLACED(u.pronamespace) || u.proname FROM pg_proc u WHERE u.oid = tgfoid),
            CASE WHEN tgqual IS NULL THEN '' WHEN NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_trigger'::regclass AND x.objid = g.oid
                AND x.refobjid >= 16384 AND x.refobjid <> tgfoid AND x.refobjsubid = 0 AND x.deptype = 'n') THEN BARE(tgqual)
                ELSE THERE(pg_get_triggerdef(g.oid, true)) END)
        FROM (SELECT k.relnamespace AS place, k.relname, g.* FROM pg_trigger g CROSS JOIN LATERAL (
            SELECT relnamespace, relname FROM pg_class k WHERE k.oid = g.tgrelid OFFSET 0) k WHERE NOT g.tgisinternal OR (g.tgparentid <> 0 AND g.tgconstraint = 0)) g
        UNION ALL
        SELECT place, concat_ws(chr(31), 'enforced', relname, conname, of_table, tgenabled)
        FROM (SELECT k.relnamespace AS place, k.relname, n.conname, c.relname AS of_table, g.tgenabled
            FROM pg_trigger g JOIN pg_constraint n ON n.oid = g.tgconstraint JOIN pg_class k ON k.oid = n.conrelid
            JOIN pg_class c ON c.oid = g.tgrelid WHERE g.tgisinternal AND g.tgenabled <> 'O') g
        UNION ALL
        -- Of an index, only expressions can have a target of their own.
        SELECT place, concat_ws(chr(31), 'column of index', relname, attnum, attstattarget)
        FROM (SELECT k.relnamespace AS place, k.relname, a.attnum, a.attstattarget FROM pg_index x JOIN pg_class k ON k.oid = x.indexrelid
            CROSS JOIN LATERAL (SELECT attnum, attstattarget FROM pg_attribute WHERE attrelid = x.indexrelid AND attstattarget >= 0 OFFSET 0) a
            WHERE x.indexprs IS NOT NULL) a
);
SUMS (
        SELECT place, concat_ws(chr(31), 'column', relname, attnum, attname, TYPE(atttypid), atttypmod, attnotnull, attidentity, attgenerated,
            attstorage, attcompression, CASE WHEN attcollation < 16384 THEN attcollation::text ELSE
                (SELECT PLACED(u.collnamespace) || u.collname FROM pg_collation u WHERE u.oid = attcollation) END,
            coalesce(attstattarget, -1), attislocal, coalesce(attoptions::text, ''), coalesce(attfdwoptions::text, ''),
            CASE WHEN attacl IS NULL OR attacl = '{}' THEN '' ELSE MARKED(attacl::text) END)
        FROM (SELECT k.relnamespace AS place, k.relname, r.pattern AS own, a.*
            FROM (VALUES (''::"char")) AS before_14 (attcompression)
            CROSS JOIN LATERAL (SELECT attrelid, attnum, attname, atttypid, atttypmod, attnotnull, attidentity, attgenerated, attstorage,
                attcompression, attcollation, attstattarget, attislocal, attoptions, attfdwoptions, attacl
                FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped) a
            JOIN k ON k.oid = a.attrelid LEFT JOIN roles_of r ON r.place = k.relnamespace) a
        UNION ALL
        SELECT place, concat_ws(chr(31), 'default', relname, adnum, CASE
            -- The default of a serial column: nextval() of one sequence, cast or not.
            WHEN d.refs = 1 AND d.classes = 'pg_class'::regclass AND adbin::text LIKE '{FUNCEXPR :funcid %:consttype 2205 %'
                AND length(adbin::text) - length(replace(adbin::text, '{', '')) = CASE WHEN adbin::text LIKE '{FUNCEXPR :funcid 1574 %' THEN 2
                    WHEN adbin::text LIKE '%({FUNCEXPR :funcid 1574 %' THEN 3 END
                THEN left(adbin::text, 22) || ' nextval ' || REL(d.ref)
            WHEN generated AND d.refs IS NULL THEN BARE(adbin)
            WHEN generated THEN OWNLESS(HERE(pg_get_expr(adbin, adrelid)))
            ELSE OWNLESS(HERE(pg_get_expr(adbin, 0))) END)
        FROM (SELECT k.relnamespace AS place, k.relname, n.nspname, PATH(n.nspname) AS path, a.adrelid, a.adnum, a.adbin, d.*, strpos(a.adbin::text, '{VAR ') > 0 AS generated
            FROM pg_attrdef a JOIN k ON k.oid = a.adrelid JOIN pg_namespace n ON n.oid = k.relnamespace
            LEFT JOIN (SELECT objid, count(*) AS refs, min(refobjid) AS ref, min(refclassid) AS classes FROM pg_depend
                WHERE classid = 'pg_attrdef'::regclass AND refobjid >= 16384 AND refobjsubid = 0 GROUP BY objid) d ON d.objid = a.oid) d
);
SUMS (
        SELECT place, concat_ws(chr(31), 'index', of_table, relname, relam, coalesce(reloptions::text, ''), reltablespace, indisunique,
            indisprimary, indisexclusion, indimmediate, indisclustered, indisvalid, indisready, indisreplident, indnullsnotdistinct,
            indnkeyatts, indkey::text, indoption::text,
            -- Whatever has numbers of a tenant in it is written by the server.
            CASE WHEN 16384 <= ANY (indclass::oid[]) OR 16384 <= ANY (indcollation::oid[])
                OR ((indexprs IS NOT NULL OR indpred IS NOT NULL) AND EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_class'::regclass
                    AND x.objid = indexrelid AND x.refobjid >= 16384 AND x.refobjsubid = 0 AND x.refclassid <> 'pg_constraint'::regclass
                    AND x.deptype NOT IN ('P', 'S', 'i')))
                THEN THERE(pg_get_indexdef(indexrelid, 0, true))
                ELSE concat_ws(chr(31), indcollation::text, indclass::text, 'on', BARE(indexprs), 'where', BARE(indpred)) END)
        FROM (SELECT k.relnamespace AS place, k.relname AS of_table, i.relname, i.relam, i.reloptions, i.reltablespace, x.*
            FROM (VALUES (false)) AS before_15 (indnullsnotdistinct)
            CROSS JOIN LATERAL (SELECT indexrelid, indrelid, indisunique, indisprimary, indisexclusion, indimmediate, indisclustered,
                indisvalid, indisready, indisreplident, indnullsnotdistinct, indnkeyatts, indkey, indoption, indcollation, indclass,
                indexprs, indpred FROM pg_index) x
            JOIN pg_class i ON i.oid = x.indexrelid JOIN k ON k.oid = x.indrelid) i
);
SUMS (
        SELECT place, concat_ws(chr(31), 'constraint', relname, CASE WHEN contype <> 'n' OR conname !~ '^.+_.+_not_null\d*$' THEN conname END, contype, condeferrable, condeferred, convalidated, conislocal,
            connoinherit, coalesce(conkey::text, ''), CASE WHEN confrelid = 0 THEN '' WHEN confplace = place THEN '.' || confname ELSE REL(confrelid) END, coalesce(confkey::text, ''), confupdtype, confdeltype,
            confmatchtype, coalesce(conexclop::text, ''), coalesce(confdelsetcols::text, ''), conenforced, conperiod,
            CASE WHEN conbin IS NULL THEN '' WHEN NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_constraint'::regclass
                AND x.objid = k.oid AND x.refobjid >= 16384 AND x.refobjsubid = 0) THEN BARE(conbin)
                ELSE THERE(pg_get_expr(conbin, conrelid)) END)
        FROM (SELECT k.relnamespace AS place, k.relname, f.relnamespace AS confplace, f.relname AS confname, c.*
            FROM (VALUES (NULL::smallint[], true, false)) AS before_15_18 (confdelsetcols, conenforced, conperiod)
            CROSS JOIN LATERAL (SELECT oid, conname, contype, condeferrable, condeferred, convalidated, conislocal, connoinherit, conkey,
                conrelid, confrelid, confkey, confupdtype, confdeltype, confmatchtype, conexclop, confdelsetcols, conenforced, conperiod, conbin
                FROM pg_constraint WHERE contype IN ('p', 'u', 'x', 'c', 'n') OR (contype = 'f' AND conparentid = 0)) c
            JOIN k ON k.oid = c.conrelid LEFT JOIN k AS f ON f.oid = c.confrelid) k
);
-- Writing a query out would lock all that it reads until the end, and keep it in memory: of views, other rules and
-- policies the stored tree is taken, with names in the place of the numbers that it has of what it depends on.
SUMS (
        SELECT place, concat_ws(chr(31), kind, relname, name, rest, :named)
        FROM (SELECT k.relnamespace AS place, k.relname, n.nspname, PATH(n.nspname) AS path, 'rule' AS kind, w.rulename AS name, 'pg_rewrite'::regclass AS class, w.oid,
                concat_ws(' ', w.ev_type, w.ev_enabled, w.is_instead) AS rest, PLAIN(concat_ws(chr(31), w.ev_qual::text, w.ev_action::text)) AS tree
            FROM pg_rewrite w JOIN k ON k.oid = w.ev_class JOIN pg_namespace n ON n.oid = k.relnamespace
            UNION ALL
            SELECT k.relnamespace, k.relname, n.nspname, PATH(n.nspname), 'policy', l.polname, 'pg_policy'::regclass, l.oid,
                concat_ws(' ', l.polcmd, l.polpermissive), PLAIN(concat_ws(chr(31), 'using', l.polqual::text, 'check', l.polwithcheck::text))
            FROM pg_policy l JOIN k ON k.oid = l.polrelid JOIN pg_namespace n ON n.oid = k.relnamespace) x
        CROSS JOIN LATERAL (SELECT array_agg(number ORDER BY rank) AS numbers, array_agg('{' || translate(named, ' ', chr(30)) || '}' ORDER BY rank) AS names
            FROM (SELECT DISTINCT y.number, y.named, y.rank FROM pg_depend d CROSS JOIN LATERAL (
                SELECT ' ' || c.oid || ' ' AS number, PLACED(c.relnamespace) || c.relname AS named, c.oid AS rank FROM pg_class c WHERE c.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
                UNION ALL
                SELECT ' ' || c.reltype || ' ', 'a row of ' || PLACED(c.relnamespace) || c.relname, c.reltype FROM pg_class c
                    WHERE c.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass AND c.reltype <> 0
                UNION ALL
                SELECT ' ' || p.oid || ' ', PLACED(p.pronamespace) || p.proname || '(' || OWNLESS(HERE(oidvectortypes(p.proargtypes))) || ')', p.oid FROM pg_proc p
                    WHERE p.oid = d.refobjid AND d.refclassid = 'pg_proc'::regclass
                UNION ALL
                SELECT ' ' || t.oid || ' ', PLACED(t.typnamespace) || t.typname, t.oid FROM pg_type t WHERE t.oid = d.refobjid AND d.refclassid = 'pg_type'::regclass
                UNION ALL
                -- A join has all columns of its tables in it.
                SELECT ' ' || t.oid || ' ', PLACED(t.typnamespace) || t.typname, t.oid FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                    WHERE a.attrelid = d.refobjid AND d.refclassid = 'pg_class'::regclass AND a.attnum > 0 AND a.atttypid >= 16384
                UNION ALL
                SELECT ' ' || c.oid || ' ', PLACED(c.collnamespace) || c.collname, c.oid FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
                    WHERE a.attrelid = d.refobjid AND d.refclassid = 'pg_class'::regclass AND a.attnum > 0 AND a.attcollation >= 16384
                UNION ALL
                -- A label stands there as the bytes of its number.
                SELECT v.bytes, 'label ' || v.label, v.oid FROM (SELECT e.oid, e.enumlabel AS label, (SELECT '[ ' || string_agg(((((e.oid::bigint >> b) & 255) + 128) % 256 - 128)::text, ' ' ORDER BY b)
                    FROM unnest(ARRAY[0, 8, 16, 24]) AS b) || ' ' AS bytes FROM pg_enum e WHERE e.enumtypid = d.refobjid AND d.refclassid = 'pg_type'::regclass OFFSET 0) v
                    WHERE strpos(x.tree, v.bytes) > 0) y
                WHERE d.classid = x.class AND d.objid = x.oid AND d.refobjid >= 16384) of_one) d
);
