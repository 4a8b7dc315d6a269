-- Types, routines, and what few schemas have.
SELECT nspname, 'type', '' AS tbl, typname, f.attribute, f.value
FROM y CROSS JOIN LATERAL (VALUES
    ('kind', CASE typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' WHEN 'c' THEN 'composite'
        ELSE CASE WHEN typisdefined THEN 'base' ELSE 'shell' END END),
    ('labels', CASE typtype WHEN 'e' THEN coalesce((SELECT string_agg(quote_literal(n.enumlabel), ', ' ORDER BY n.enumsortorder)
        FROM pg_enum n WHERE n.enumtypid = y.oid), '') END),
    ('type', CASE typtype WHEN 'd' THEN HERE(format_type(typbasetype, typtypmod)) END),
    ('null', CASE WHEN typtype = 'd' AND typnotnull THEN 'NOT NULL' END),
    ('default', CASE typtype WHEN 'd' THEN HERE(coalesce(pg_get_expr(typdefaultbin, 0), typdefault)) END),
    ('collation', CASE WHEN typtype = 'd' AND typcollation <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = y.typbasetype)
        THEN HERE(typcollation::regcollation::text) END),
    ('range', CASE typtype WHEN 'r' THEN HERE((SELECT concat_ws(', ', 'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
        'MULTIRANGE_TYPE_NAME = ' || format_type((to_jsonb(r) ->> 'rngmultitypid')::oid, NULL),
        (SELECT 'SUBTYPE_OPCLASS = ' || CASE WHEN pg_opclass_is_visible(b.oid) THEN '' ELSE (SELECT quote_ident(u.nspname) || '.'
            FROM pg_namespace u WHERE u.oid = b.opcnamespace) END || quote_ident(b.opcname)
            FROM pg_opclass b WHERE b.oid = r.rngsubopc AND NOT b.opcdefault),
        'COLLATION = ' || CASE WHEN r.rngcollation <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = r.rngsubtype) THEN r.rngcollation::regcollation END,
        'CANONICAL = ' || CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical END,
        'SUBTYPE_DIFF = ' || CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff END) FROM pg_range r WHERE r.rngtypid = y.oid)) END),
    ('attributes', CASE typtype WHEN 'c' THEN coalesce(HERE((SELECT string_agg(concat_ws(' ', quote_ident(b.attname), format_type(b.atttypid, b.atttypmod),
        'COLLATE ' || CASE WHEN b.attcollation <> (SELECT u.typcollation FROM pg_type u WHERE u.oid = b.atttypid) THEN b.attcollation::regcollation END),
        ', ' ORDER BY b.attnum) FROM pg_attribute b WHERE b.attrelid = y.typrelid AND b.attnum > 0 AND NOT b.attisdropped)), '') END),
    ('base', CASE WHEN typtype = 'b' AND typisdefined THEN HERE(concat_ws(', ', typinput, typoutput, typreceive, typsend, typmodin, typmodout,
        typanalyze, (to_jsonb(y) ->> 'typsubscript')::oid::regproc, typlen, typbyval, typcategory, typispreferred, typdelim, typalign, typstorage,
        typcollation <> 0, typdefault, format_type(NULLIF(typelem, 0), NULL))) END)) AS f (attribute, value)
UNION ALL
SELECT y.nspname, 'type', '', y.typname || ' ' || n.conname, 'definition', HERE(pg_get_constraintdef(n.oid))
FROM y CROSS JOIN LATERAL (SELECT n.oid, n.conname FROM pg_constraint n WHERE n.contypid = y.oid AND n.contype = 'c' OFFSET 0) n
UNION ALL
SELECT y.nspname, 'type', '', y.typname, 'named null', quote_ident(n.conname)
FROM y CROSS JOIN LATERAL (SELECT n.conname FROM pg_constraint n WHERE n.contypid = y.oid AND n.contype = 'n' OFFSET 0) n WHERE n.conname !~ '^.+_not_null\d*$'
UNION ALL
SELECT nspname, 'routine', '', name, f.attribute, f.value
FROM p CROSS JOIN LATERAL (VALUES
    ('kind', CASE prokind WHEN 'f' THEN 'function' WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'window function' END),
    ('arguments', HERE(pg_get_function_arguments(oid))),
    ('returns', HERE(pg_get_function_result(oid))),
    ('language', CASE WHEN prokind <> 'a' THEN (SELECT quote_ident(g.lanname) FROM pg_language g WHERE g.oid = prolang) END),
    ('body', CASE WHEN prokind <> 'a' AND to_jsonb(p) ->> 'prosqlbody' IS NULL THEN CASE WHEN probin IS NULL THEN prosrc
        ELSE quote_literal(probin) || ', ' || quote_literal(prosrc) END END),
    ('volatility', CASE WHEN prokind <> 'a' THEN CASE provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END END),
    ('strict', CASE WHEN prokind <> 'a' AND proisstrict THEN 'yes' END),
    ('security', CASE WHEN prosecdef THEN 'DEFINER' END),
    ('leakproof', CASE WHEN proleakproof THEN 'yes' END),
    ('parallel', CASE proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END),
    ('cost', CASE WHEN prokind <> 'a' THEN procost::text END),
    ('rows', NULLIF(prorows, 0)::text),
    ('support', CASE WHEN prosupport <> 0 THEN HERE(prosupport::regproc::text) END),
    ('transforms', HERE((SELECT string_agg(format_type(one, NULL), ', ') FROM unnest(protrftypes) AS one))),
    ('settings', (SELECT string_agg(CASE WHEN split_part(one, '=', 1) IN ('search_path', 'temp_tablespaces', 'session_preload_libraries',
            'shared_preload_libraries', 'local_preload_libraries', 'unix_socket_directories')
        -- Each name for itself: not all need quotes. Beside a scratch the shared one is there twice.
        THEN split_part(one, '=', 1) || '=' || coalesce((SELECT string_agg(item, ', ' ORDER BY place) FROM (
            SELECT CASE WHEN item = nspname OR (item = ANY (:shared) AND nspname = ANY (:shared)) THEN '{tenant}'
                WHEN item = ANY (:shared) THEN '{shared}' ELSE quote_ident(item) END AS item, min(place) AS place
            FROM (SELECT CASE WHEN left(found[1], 1) = '"' THEN replace(substr(found[1], 2, length(found[1]) - 2), '""', '"')
                ELSE found[1] END AS item, place FROM regexp_matches(substr(one, strpos(one, '=') + 1), '"(?:[^"]|"")*"|[^",\s]+', 'g')
                WITH ORDINALITY AS v (found, place)) AS items GROUP BY 1) AS items), '') ELSE one END, E'\n' ORDER BY number)
        FROM unnest(proconfig) WITH ORDINALITY AS v (one, number))),
    ('aggregate', CASE prokind WHEN 'a' THEN HERE((SELECT concat_ws(', ', b.aggkind::text, b.aggnumdirectargs, 'SFUNC = ' || b.aggtransfn,
        'STYPE = ' || format_type(b.aggtranstype, NULL), 'SSPACE = ' || NULLIF(b.aggtransspace, 0), 'FINALFUNC = ' || CASE WHEN b.aggfinalfn <> 0 THEN b.aggfinalfn END,
        'FINALFUNC_EXTRA = ' || NULLIF(b.aggfinalextra, false), 'FINALFUNC_MODIFY = ' || b.aggfinalmodify::text,
        'COMBINEFUNC = ' || CASE WHEN b.aggcombinefn <> 0 THEN b.aggcombinefn END, 'SERIALFUNC = ' || CASE WHEN b.aggserialfn <> 0 THEN b.aggserialfn END,
        'DESERIALFUNC = ' || CASE WHEN b.aggdeserialfn <> 0 THEN b.aggdeserialfn END, 'INITCOND = ' || quote_literal(b.agginitval),
        'MSFUNC = ' || CASE WHEN b.aggmtransfn <> 0 THEN b.aggmtransfn END, 'MINVFUNC = ' || CASE WHEN b.aggminvtransfn <> 0 THEN b.aggminvtransfn END,
        'MSTYPE = ' || CASE WHEN b.aggmtranstype <> 0 THEN format_type(b.aggmtranstype, NULL) END, 'MSSPACE = ' || NULLIF(b.aggmtransspace, 0),
        'MFINALFUNC = ' || CASE WHEN b.aggmfinalfn <> 0 THEN b.aggmfinalfn END, 'MFINALFUNC_EXTRA = ' || NULLIF(b.aggmfinalextra, false),
        'MFINALFUNC_MODIFY = ' || b.aggmfinalmodify::text, 'MINITCOND = ' || quote_literal(b.aggminitval),
        'SORTOP = ' || CASE WHEN b.aggsortop <> 0 THEN b.aggsortop::regoperator END) FROM pg_aggregate b WHERE b.aggfnoid = p.oid)) END)) AS f (attribute, value)
UNION ALL
SELECT nspname, 'routine', '', name, 'body', HERE(rtrim(substring(pg_get_functiondef(oid) FROM '\n ?((?:RETURN |BEGIN ATOMIC).*)$'), E'\n'))
FROM p WHERE prokind <> 'a' AND to_jsonb(p) ->> 'prosqlbody' IS NOT NULL
UNION ALL
SELECT o.nspname, o.kind, '', o.name, 'definition', HERE((SELECT concat_ws(', ', to_jsonb(b) ->> 'collprovider', b.collcollate, b.collctype,
    coalesce(to_jsonb(b) ->> 'colllocale', to_jsonb(b) ->> 'colliculocale'), CASE WHEN NOT b.collisdeterministic THEN 'not deterministic' END,
    'rules ' || (to_jsonb(b) ->> 'collicurules'), b.collencoding) FROM pg_collation b WHERE b.oid = o.objid))
FROM o WHERE classid = 'pg_collation'::regclass
UNION ALL
SELECT o.nspname, o.kind, '', o.name, 'definition', HERE((SELECT concat_ws(', ', b.conforencoding, b.contoencoding, b.conproc, b.condefault)
    FROM pg_conversion b WHERE b.oid = o.objid))
FROM o WHERE classid = 'pg_conversion'::regclass
UNION ALL
SELECT o.nspname, o.kind, '', o.name, 'definition', HERE((SELECT concat_ws(', ', 'FUNCTION = ' || b.oprcode,
    'COMMUTATOR = ' || CASE WHEN b.oprcom <> 0 THEN b.oprcom::regoperator END, 'NEGATOR = ' || CASE WHEN b.oprnegate <> 0 THEN b.oprnegate::regoperator END,
    'RESTRICT = ' || CASE WHEN b.oprrest <> 0 THEN b.oprrest END, 'JOIN = ' || CASE WHEN b.oprjoin <> 0 THEN b.oprjoin END,
    'HASHES ' || NULLIF(b.oprcanhash, false), 'MERGES ' || NULLIF(b.oprcanmerge, false)) FROM pg_operator b WHERE b.oid = o.objid))
FROM o WHERE classid = 'pg_operator'::regclass
UNION ALL
SELECT o.nspname, o.kind, '', o.name, 'definition', HERE((SELECT concat_ws(', ', 'FOR TYPE ' || format_type(b.opcintype, NULL), 'DEFAULT ' || NULLIF(b.opcdefault, false),
    'FAMILY ' || (SELECT CASE u.nspname WHEN o.nspname THEN '' ELSE u.nspname || '.' END || f.opfname FROM pg_opfamily f JOIN pg_namespace u ON u.oid = f.opfnamespace WHERE f.oid = b.opcfamily),
    'STORAGE ' || CASE WHEN b.opckeytype <> 0 THEN format_type(b.opckeytype, NULL) END) FROM pg_opclass b WHERE b.oid = o.objid))
FROM o WHERE classid = 'pg_opclass'::regclass
UNION ALL
-- Told of the family; that a member depends on a class of it is told in brackets.
SELECT o.nspname, o.kind, '', o.name, 'members', HERE(concat_ws(', ', (SELECT string_agg('OPERATOR ' || b.amopstrategy || ' ' || b.amopopr::regoperator
        || CASE WHEN b.amopsortfamily <> 0 THEN ' FOR ORDER BY ' || (SELECT f.opfname FROM pg_opfamily f WHERE f.oid = b.amopsortfamily) ELSE '' END
        || coalesce((SELECT ' [' || u.opcname || ']' FROM pg_depend d JOIN pg_opclass u ON u.oid = d.refobjid WHERE d.classid = 'pg_amop'::regclass
            AND d.objid = b.oid AND d.refclassid = 'pg_opclass'::regclass), ''),
        ', ' ORDER BY b.amoplefttype::regtype::text, b.amoprighttype::regtype::text, b.amopstrategy) FROM pg_amop b WHERE b.amopfamily = o.objid),
    (SELECT string_agg('FUNCTION ' || b.amprocnum || ' (' || b.amproclefttype::regtype || ', ' || b.amprocrighttype::regtype || ') ' || b.amproc::regprocedure
        || coalesce((SELECT ' [' || u.opcname || ']' FROM pg_depend d JOIN pg_opclass u ON u.oid = d.refobjid WHERE d.classid = 'pg_amproc'::regclass
            AND d.objid = b.oid AND d.refclassid = 'pg_opclass'::regclass), ''),
        ', ' ORDER BY b.amproclefttype::regtype::text, b.amprocrighttype::regtype::text, b.amprocnum) FROM pg_amproc b WHERE b.amprocfamily = o.objid)))
FROM o WHERE classid = 'pg_opfamily'::regclass
UNION ALL
SELECT o.nspname, o.kind, '', o.name, 'definition', HERE((SELECT 'PARSER = ' || (SELECT CASE u.nspname WHEN o.nspname THEN '' ELSE quote_ident(u.nspname) || '.' END || quote_ident(r.prsname) FROM pg_ts_parser r
        JOIN pg_namespace u ON u.oid = r.prsnamespace WHERE r.oid = b.cfgparser)
    || coalesce((SELECT string_agg(DISTINCT E'\n' || m.maptokentype || ': ' || (SELECT string_agg(v.mapdict::regdictionary::text, ', ' ORDER BY v.mapseqno)
        FROM pg_ts_config_map v WHERE v.mapcfg = m.mapcfg AND v.maptokentype = m.maptokentype), '') FROM pg_ts_config_map m WHERE m.mapcfg = b.oid), '')
    FROM pg_ts_config b WHERE b.oid = o.objid))
FROM o WHERE classid = 'pg_ts_config'::regclass
UNION ALL
SELECT o.nspname, o.kind, '', o.name, 'definition', HERE((SELECT 'TEMPLATE = ' || (SELECT CASE u.nspname WHEN o.nspname THEN '' ELSE quote_ident(u.nspname) || '.' END || quote_ident(r.tmplname) FROM pg_ts_template r
        JOIN pg_namespace u ON u.oid = r.tmplnamespace WHERE r.oid = b.dicttemplate) || coalesce(', ' || b.dictinitoption, '')
    FROM pg_ts_dict b WHERE b.oid = o.objid))
FROM o WHERE classid = 'pg_ts_dict'::regclass
UNION ALL
SELECT o.nspname, o.kind, '', o.name, 'definition', HERE((SELECT concat_ws(', ', b.prsstart, b.prstoken, b.prsend, b.prsheadline, b.prslextype)
    FROM pg_ts_parser b WHERE b.oid = o.objid))
FROM o WHERE classid = 'pg_ts_parser'::regclass
UNION ALL
SELECT o.nspname, o.kind, '', o.name, 'definition', HERE((SELECT concat_ws(', ', b.tmplinit, b.tmpllexize) FROM pg_ts_template b WHERE b.oid = o.objid))
FROM o WHERE classid = 'pg_ts_template'::regclass
