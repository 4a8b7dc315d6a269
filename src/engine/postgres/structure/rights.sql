-- Owners, rights and comments of all of them.
SELECT nspname, kind, tbl, name, 'owner', ROLE(owner)
FROM o WHERE owner IS NOT NULL AND kind <> 'column' AND NOT (kind = 'sequence' AND tbl <> '')
UNION ALL
-- What was granted beyond what an owner, and everybody, has by themselves, and what was taken from that.
SELECT nspname, kind, tbl, name, 'grants', (SELECT string_agg(one, '; ' ORDER BY one) FROM (
    SELECT string_agg(f.privilege_type, ', ' ORDER BY f.privilege_type) || ' to ' || f.grantee || CASE WHEN f.is_grantable THEN ' with grant option' ELSE '' END
        || CASE f.grantor WHEN '{owner}' THEN '' ELSE ' by ' || f.grantor END AS one
    FROM (SELECT privilege_type, is_grantable, GRANTEE(grantee) AS grantee, GRANTEE(grantor) AS grantor
        FROM (SELECT * FROM aclexplode(acl) EXCEPT SELECT * FROM aclexplode(acldefault(rights::"char", owner))) AS given) f
    GROUP BY f.grantee, f.grantor, f.is_grantable
    UNION ALL
    SELECT 'not ' || string_agg(f.privilege_type, ', ' ORDER BY f.privilege_type) || ' to ' || f.grantee
    FROM (SELECT privilege_type, GRANTEE(grantee) AS grantee
        FROM (SELECT * FROM aclexplode(acldefault(rights::"char", owner)) EXCEPT SELECT * FROM aclexplode(acl)) AS taken) f
    GROUP BY f.grantee) AS all_of_them)
FROM o WHERE acl IS NOT NULL
UNION ALL
SELECT nspname, 'schema', '', 'default privileges of ' || ROLE(owner) || ' on ' || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
        WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' ELSE d.defaclobjtype::text END, 'grants',
    (SELECT string_agg(one, '; ' ORDER BY one) FROM (
        SELECT string_agg(f.privilege_type, ', ' ORDER BY f.privilege_type) || ' to ' || GRANTEE(f.grantee) || CASE WHEN f.is_grantable THEN ' with grant option' ELSE '' END AS one
        FROM aclexplode(d.defaclacl) f GROUP BY f.grantee, f.is_grantable) AS all_of_them)
FROM (SELECT s.nspname, s.own, d.*, d.defaclrole AS owner FROM pg_default_acl d JOIN s ON s.oid = d.defaclnamespace) d
UNION ALL
SELECT o.nspname, o.kind, o.tbl, o.name, 'comment', d.description
FROM o JOIN pg_description d ON d.classoid = o.classid AND d.objoid = o.objid AND d.objsubid = o.subid
UNION ALL
SELECT o.nspname, o.kind, o.tbl, o.name, 'label of ' || d.provider, d.label
FROM o JOIN pg_seclabel d ON d.classoid = o.classid AND d.objoid = o.objid AND d.objsubid = o.subid
UNION ALL
-- All tables of a schema: since PostgreSQL 15, in a catalog that none before has, so it is found by what depends on the schema.
SELECT s.nspname, 'schema', '', '', 'published in ' || b.pubname, 'all tables'
FROM s JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = s.oid AND d.classid = to_regclass('pg_publication_namespace')
JOIN pg_depend p ON p.classid = d.classid AND p.objid = d.objid AND p.refclassid = 'pg_publication'::regclass
JOIN pg_publication b ON b.oid = p.refobjid
