/**
 * Code that a group owns. Routines, views and the rules of tables run with their owner's rights for whoever calls them,
 * so one that a login left behind is a way in that outlives the login.
 */

/**
 * A digest of it by group, as an expression in SQL that gives a jsonb: what stands anywhere in the cluster and, in the
 * target's database, each version of it.
 * @param groups a query in SQL for the groups' names.
 */
export const codeOfGroups = (groups: string): string => `(
  SELECT coalesce(jsonb_object_agg(g, (
    SELECT md5(coalesce(string_agg(concat_ws(' ', s.dbid, s.classid::oid, s.objid, p.xmin, r.xmin), ','
      ORDER BY s.dbid, s.classid::oid, s.objid, r.oid), ''))
    FROM pg_shdepend s
    LEFT JOIN pg_database d ON d.datname = current_database() AND d.oid = s.dbid
    LEFT JOIN pg_proc p ON s.classid = 'pg_proc'::regclass AND p.oid = s.objid AND d.oid IS NOT NULL
    LEFT JOIN pg_class c ON s.classid = 'pg_class'::regclass AND c.oid = s.objid AND d.oid IS NOT NULL
    LEFT JOIN pg_rewrite r ON r.ev_class = c.oid
    WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'
      AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = g)
      AND (s.classid = 'pg_proc'::regclass OR c.relkind IN ('v', 'm') OR r.oid IS NOT NULL))), '{}')
  FROM ${groups} AS names(g))`;
