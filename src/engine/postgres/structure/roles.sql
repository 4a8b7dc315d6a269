
-- A pattern for each tenant's schema that finds the tenant's name in the names of its own roles, alone or in a text of
-- rights. A role is its own where the tenant's name, or the schema's, is a word of it, and it does not use the schemas of
-- half of the others that have a role called the same way: one or two are a leak, and it is its own all the same. Where no
-- other has one, it may use no other tenant's schema at all: so that "app_user" is no role of the tenant "app" that all the
-- others have too.
roles_of AS MATERIALIZED (
    WITH m AS MATERIALIZED (
        SELECT n.oid AS place, n.nspname::text AS nspname, n.nspacl, n.nspowner,
            substr(n.nspname, 1 + length(:prefix), length(n.nspname) - length(:prefix) - length(:suffix)) AS tenant
        FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT n.nspname::text = ANY (:apart)
        AND left(n.nspname, length(:prefix)) = :prefix AND right(n.nspname, length(:suffix)) = :suffix
        AND length(n.nspname) > length(:prefix) + length(:suffix)),
    u AS MATERIALIZED (
        SELECT r.role, r.rolname, b.at, substr(r.rolname, b.at, e.at - b.at) AS word
        FROM (SELECT oid AS role, rolname::text AS rolname, length(rolname) AS long FROM pg_roles WHERE rolname !~ '^pg_') r
        CROSS JOIN LATERAL (SELECT 1 AS at UNION ALL
            SELECT i + 1 FROM generate_series(1, long) AS i WHERE substr(rolname, i, 1) IN ('-', '_')) b
        CROSS JOIN LATERAL (SELECT i AS at FROM generate_series(b.at + 1, long + 1) AS i
            WHERE i > long OR substr(rolname, i, 1) IN ('-', '_')) e),
    v AS MATERIALIZED (
        SELECT DISTINCT u.role, m.place, left(u.rolname, u.at - 1 + m.skip) AS before, m.tenant,
            substr(u.rolname, u.at + m.skip + length(m.tenant)) AS behind
        FROM u JOIN (SELECT place, tenant, tenant AS mark, 0 AS skip FROM m
            UNION SELECT place, tenant, nspname, length(:prefix) FROM m) m ON m.mark = u.word),
    j AS MATERIALIZED (
        SELECT v.*, i.places FROM v JOIN (SELECT before, behind, count(DISTINCT place) AS places FROM v GROUP BY before, behind) i
        ON i.before = v.before AND i.behind = v.behind),
    h AS MATERIALIZED (
        SELECT a.grantee AS role, m.place FROM m CROSS JOIN LATERAL aclexplode(m.nspacl) a UNION SELECT nspowner, place FROM m)
    SELECT place, string_agg('(?<=(?:^|[{,/"])' || regexp_replace(before, '(\W)', '\\\1', 'g') || ')'
        || regexp_replace(tenant, '(\W)', '\\\1', 'g')
        || '(?=' || regexp_replace(behind, '(\W)', '\\\1', 'g') || '(?:$|["=/,}\\]))', '|') AS pattern
    FROM (SELECT DISTINCT ON (role, place) * FROM (
            SELECT j.* FROM j LEFT JOIN (
                SELECT j.role, j.place, j.before, j.behind, count(DISTINCT v.place) AS alike
                FROM j JOIN h ON h.role = j.role AND h.place <> j.place
                LEFT JOIN v ON v.place = h.place AND v.before = j.before AND v.behind = j.behind
                GROUP BY j.role, j.place, j.before, j.behind) AS used
            ON used.role = j.role AND used.place = j.place AND used.before = j.before AND used.behind = j.behind
            WHERE used.role IS NULL OR j.places > 1 AND (used.alike < 2 OR used.alike * 2 < j.places)) AS own
        ORDER BY role, place, places DESC, length(before) DESC) AS own
    GROUP BY place)
